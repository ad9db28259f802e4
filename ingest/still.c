/* still.c - see still.h. The clock of tests has no tokens to keep: everything is computed there. */
#include "ingest/still.h"

#include "ingest/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static size_t picture_bytes(const ks_embedder *c) { return (size_t)c->side * (size_t)c->side * 3; }

static size_t vectors_bytes(const ks_embedder *c, int T)
{
    return (size_t)(1 + T) * (size_t)c->dim * sizeof(float);
}

static void forget_picture(ks_still_picture *p, const ks_embedder *c)
{
    if (p->px) ks_frame_code_free(&p->code, c);
    free(p->px);
    *p = (ks_still_picture){0};
}

static void forget_clip(ks_still_clip_of *k)
{
    free(k->picture);
    free(k->vectors);
    *k = (ks_still_clip_of){0};
}

void ks_still_free(ks_still *s, const ks_embedder *c)
{
    for (int i = 0; i < KS_STILL_PICTURES; i++) forget_picture(&s->picture[i], c);
    for (int i = 0; i < KS_STILL_CLIPS; i++) forget_clip(&s->clip[i]);
    *s = (ks_still){0};
}

/* --- pictures --- */
static ks_still_picture *find_picture(ks_still *s, const ks_embedder *c, const uint8_t *px,
                                      uint64_t hash)
{
    for (int i = 0; i < KS_STILL_PICTURES; i++) {
        ks_still_picture *p = &s->picture[i];
        if (p->px && p->hash == hash && memcmp(p->px, px, picture_bytes(c)) == 0) return p;
    }
    return NULL;
}

/* In place of the one that was not met for longest. Without memory it will be computed again. */
static void remember_picture(ks_still *s, const ks_embedder *c, const uint8_t *px, uint64_t hash,
                             const ks_frame_code *code)
{
    ks_still_picture *p = &s->picture[0];
    uint8_t *copy = malloc(picture_bytes(c));
    for (int i = 1; i < KS_STILL_PICTURES; i++)
        if (s->picture[i].met < p->met) p = &s->picture[i];
    if (!copy) return;
    forget_picture(p, c);
    memcpy(copy, px, picture_bytes(c));
    *p = (ks_still_picture){copy, hash, *code, ++s->now};
    ks_tokens_keep(p->code.tokens);
}

int ks_still_frames(ks_frame_code *out, ks_still *s, const ks_embedder *c, const uint8_t *const *px,
                    int n, ks_error *e)
{
    const uint8_t *fresh[KS_PLAN_FRAMES];
    uint64_t hash[KS_PLAN_FRAMES];
    ks_frame_code coded[KS_PLAN_FRAMES];
    int which[KS_PLAN_FRAMES], m = 0; /* frame i is fresh[which[i]]; -1: one of before */
    assert(n <= KS_PLAN_FRAMES);
    if (!c->enc) return ks_embedder_frames(out, c, px, n, e);
    for (int i = 0; i < n; i++) {
        uint64_t h = XXH3_64bits(px[i], picture_bytes(c));
        ks_still_picture *p = find_picture(s, c, px[i], h);
        for (which[i] = m - 1; !p && which[i] >= 0; which[i]--)
            if (hash[which[i]] == h && memcmp(fresh[which[i]], px[i], picture_bytes(c)) == 0) break;
        s->frames += p || which[i] >= 0;
        if (p) which[i] = -1, p->met = ++s->now, out[i] = p->code;
        else if (which[i] < 0) which[i] = m, hash[m] = h, fresh[m++] = px[i];
    }
    int err = m > 0 ? ks_embedder_frames(coded, c, fresh, m, e) : 0;
    if (err < 0) return err;
    for (int k = 0; k < m; k++) coded[k].picture = ++s->pictures;
    for (int i = 0; i < n; i++) {
        if (which[i] >= 0) out[i] = coded[which[i]];
        ks_tokens_keep(out[i].tokens);
    }
    for (int k = 0; k < m; k++) {
        remember_picture(s, c, fresh[k], hash[k], &coded[k]);
        ks_frame_code_free(&coded[k], c);
    }
    return 0;
}

/* --- clips --- */
static ks_still_clip_of *find_clip(ks_still *s, const ks_frame_code *const *frames, int T)
{
    for (int i = 0; i < KS_STILL_CLIPS; i++) {
        ks_still_clip_of *k = &s->clip[i];
        int t = k->picture && k->T == T ? 0 : T + 1;
        while (t < T && k->picture[t] == frames[t]->picture) t++;
        if (t == T) return k;
    }
    return NULL;
}

static void remember_clip(ks_still *s, const ks_embedder *c, const float *v,
                          const ks_frame_code *const *frames, int T)
{
    ks_still_clip_of *k = &s->clip[0];
    uint64_t *picture = malloc((size_t)T * sizeof *picture);
    float *vectors = malloc(vectors_bytes(c, T));
    for (int i = 1; i < KS_STILL_CLIPS; i++)
        if (s->clip[i].met < k->met) k = &s->clip[i];
    if (!picture || !vectors) { /* it will be computed again */
        free(picture);
        free(vectors);
        return;
    }
    forget_clip(k);
    for (int i = 0; i < T; i++) picture[i] = frames[i]->picture;
    memcpy(vectors, v, vectors_bytes(c, T));
    *k = (ks_still_clip_of){picture, T, vectors, ++s->now};
}

int ks_still_clip(float *v, ks_still *s, const ks_embedder *c, const ks_frame_code *const *frames,
                  int T, ks_error *e)
{
    if (!c->enc) return ks_embedder_clip(v, c, frames, T, e);
    ks_still_clip_of *k = find_clip(s, frames, T);
    if (k) {
        memcpy(v, k->vectors, vectors_bytes(c, T));
        k->met = ++s->now;
        s->clips++;
        return 0;
    }
    int err = ks_embedder_clip(v, c, frames, T, e);
    if (err == 0) remember_clip(s, c, v, frames, T);
    return err;
}
