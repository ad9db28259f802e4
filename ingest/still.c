/* still.c - see still.h. The clock of tests has no tokens to keep: everything is computed there. */
#include "ingest/still.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 256 }; /* frames an item or a clip, as embedder.c has it */

static size_t picture_bytes(const ks_embedder *c) { return (size_t)c->side * (size_t)c->side * 3; }

static void forget_clip(ks_still *s, const ks_embedder *c)
{
    for (int i = 0; s->clip && i < s->T; i++) ks_frame_code_free(&s->clip[i], c);
    free(s->clip);
    free(s->vectors);
    s->clip = NULL;
    s->vectors = NULL;
}

void ks_still_free(ks_still *s, const ks_embedder *c)
{
    forget_clip(s, c);
    if (s->px) ks_frame_code_free(&s->frame, c);
    free(s->px);
    *s = (ks_still){0};
}

/* The newest frame, where there is memory for it; else nothing is known. */
static void remember_frame(ks_still *s, const ks_embedder *c, const uint8_t *px,
                           const ks_frame_code *code)
{
    if (s->px) ks_frame_code_free(&s->frame, c);
    else s->px = malloc(picture_bytes(c));
    if (!s->px) return;
    memcpy(s->px, px, picture_bytes(c));
    s->frame.tokens = ks_tokens_keep(code->tokens);
}

int ks_still_frames(ks_frame_code *out, ks_still *s, const ks_embedder *c, const uint8_t *const *px,
                    int n, ks_error *e)
{
    const uint8_t *fresh[MOST], *before = s->px;
    ks_frame_code coded[MOST];
    int which[MOST], m = 0; /* frame i is fresh[which[i]]; -1: the one that came last */
    if (!c->enc || n > MOST) return ks_embedder_frames(out, c, px, n, e);
    for (int i = 0; i < n; before = px[i++]) {
        int same = before && memcmp(before, px[i], picture_bytes(c)) == 0;
        if (!same) fresh[m++] = px[i];
        which[i] = m - 1;
        s->frames += same;
    }
    int err = m > 0 ? ks_embedder_frames(coded, c, fresh, m, e) : 0;
    if (err < 0) return err;
    for (int i = 0; i < n; i++)
        out[i].tokens = ks_tokens_keep(which[i] < 0 ? s->frame.tokens : coded[which[i]].tokens);
    for (int k = 0; k < m; k++) ks_frame_code_free(&coded[k], c);
    if (m > 0) remember_frame(s, c, px[n - 1], &out[n - 1]);
    return 0;
}

static int is_the_same(const ks_still *s, const ks_frame_code *const *frames, int T)
{
    if (!s->clip || s->T != T) return 0;
    for (int i = 0; i < T; i++)
        if (s->clip[i].tokens != frames[i]->tokens) return 0;
    return 1;
}

static size_t vectors_bytes(const ks_embedder *c, int T)
{
    return (size_t)(1 + T) * (size_t)c->dim * sizeof(float);
}

/* What is kept of a clip, v [1 + T, dim]: references hold its tokens, so that no others can have
 * their addresses. */
static void remember_clip(ks_still *s, const ks_embedder *c, const float *v,
                          const ks_frame_code *const *frames, int T)
{
    forget_clip(s, c);
    s->T = T;
    s->clip = calloc((size_t)T, sizeof *s->clip);
    s->vectors = malloc(vectors_bytes(c, T));
    if (!s->clip || !s->vectors) { /* it will be computed again */
        free(s->clip);
        s->clip = NULL;
        return;
    }
    for (int i = 0; i < T; i++) s->clip[i].tokens = ks_tokens_keep(frames[i]->tokens);
    memcpy(s->vectors, v, vectors_bytes(c, T));
}

int ks_still_clip(float *v, ks_still *s, const ks_embedder *c, const ks_frame_code *const *frames,
                  int T, ks_error *e)
{
    if (!c->enc) return ks_embedder_clip(v, c, frames, T, e);
    if (is_the_same(s, frames, T)) {
        memcpy(v, s->vectors, vectors_bytes(c, T));
        s->clips++;
        return 0;
    }
    int err = ks_embedder_clip(v, c, frames, T, e);
    if (err == 0) remember_clip(s, c, v, frames, T);
    return err;
}
