/* closer.c - the neighbourhood of the best surveyed moments of a question, encoded now.
 *
 * Around the pictures that fit best first, best first; then what lies half a minute to both sides
 * of them, in the same order. A survey's clips go with the finer ones of their seconds. A question
 * of one vector is asked of the surveyed pictures alone; others go by the moments of the answer,
 * those under the cut-off too. */
#include "session/session.h"

#include "session/open.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MOMENTS = 30, BEST = 16 * MOMENTS };
/* Seconds to both sides of a picture's: first, and then. What it shows may begin before. */
static const double NEAR = 4, FAR = 30, MOST = 60; /* of one that stands for long */

typedef struct {
    ks_index *x; /* to write */
    ks_encoder *enc;
    char *decoder;
    ks_part *narrow, *wide; /* [n], [n_wide], best first */
    int n, n_wide;
    int64_t first; /* from this id on clips are new */
    double began;
} closer;

static int64_t ticks(double seconds, ks_timebase tb)
{
    return (int64_t)(seconds * tb.den / tb.num);
}

/* --- the best pictures --- */
typedef struct {
    ks_clip clip;
    double cosine;
} picture;

typedef struct {
    picture best[BEST]; /* [n] by falling cosine */
    int n;
    double until; /* when to be through with it, as of ks_monotonic() */
} pictures;

static void put_picture(pictures *p, const ks_clip *clip, double cosine)
{
    int at = p->n;
    if (p->n == BEST && cosine <= p->best[BEST - 1].cosine) return;
    if (p->n == BEST) at--;
    else p->n++;
    for (; at > 0 && p->best[at - 1].cosine < cosine; at--) p->best[at] = p->best[at - 1];
    p->best[at] = (picture){*clip, cosine};
}

static int look_at(void *arg, const ks_clip *clips, const float *scores, int m)
{
    pictures *p = arg;
    for (int i = 0; i < m; i++)
        if (clips[i].reason == KS_REASON_SURVEY) put_picture(p, &clips[i], (double)scores[i]);
    return ks_monotonic() > p->until;
}

static int64_t later(int64_t at, double seconds, ks_timebase tb)
{
    int64_t then = at + ticks(seconds, tb);
    return then > 0 ? then : 0;
}

/* [start, end) of a film, so many seconds wider on both sides. */
static ks_part around(int64_t video, const int64_t span[2], double seconds, ks_timebase tb)
{
    int64_t most = later(span[0], MOST, tb), end = span[1] < most ? span[1] : most;
    return (ks_part){video, later(span[0], -seconds, tb), later(end, seconds, tb)};
}

static int add_picture(closer *c, ks_session *s, const ks_clip *clip, ks_error *e)
{
    ks_video v;
    const int64_t span[2] = {clip->start, clip->end};
    for (int i = 0; i < c->n; i++)
        if (c->narrow[i].video == clip->video && c->narrow[i].start <= clip->start &&
            c->narrow[i].end >= clip->end)
            return 0;
    int err = ks_index_video(&v, s->x, clip->video, e);
    if (err == KS_ENOTFOUND || err == KS_EDAMAGED) return 0;
    if (err < 0) return err;
    c->narrow[c->n++] = around(clip->video, span, NEAR, v.tb);
    c->wide[c->n_wide++] = around(clip->video, span, FAR, v.tb);
    return 0;
}

/* The best pictures of all that is surveyed, in a tenth of the time at most. */
static int find_pictures(closer *c, ks_session *s, const ks_asked *a, double seconds, ks_error *e)
{
    pictures *p = calloc(1, sizeof *p);
    c->narrow = calloc(MOMENTS, sizeof *c->narrow);
    c->wide = calloc(MOMENTS, sizeof *c->wide);
    int err = p && c->narrow && c->wide ? 0 : ks_fail(e, KS_ENOMEM, "no memory for parts of films");
    if (err == 0) p->until = c->began + seconds / 10;
    if (err == 0) err = ks_index_scores(s->x, a->q, 1, a->dim, &a->o.filter, look_at, p, e);
    for (int i = 0; err >= 0 && i < p->n && c->n < MOMENTS; i++)
        err = add_picture(c, s, &p->best[i].clip, e);
    free(p);
    return err < 0 ? err : 0;
}

/* The pictures of one moment, each once; the best one's surroundings. */
static int add_moment(closer *c, ks_session *s, const ks_moment *m, ks_error *e)
{
    ks_part *wide = reallocarray(c->wide, (size_t)c->n_wide + (size_t)m->n_clips, sizeof *wide);
    const int64_t best[2] = {m->best, m->best};
    if (!wide) return ks_fail(e, KS_ENOMEM, "no memory for parts of films");
    c->wide = wide;
    c->narrow[c->n++] = around(m->video, best, 2 * NEAR, m->tb);
    for (int i = 0; i < m->n_clips; i++) {
        ks_clip clip;
        int err = ks_index_clip(&clip, s->x, m->clips[i], e);
        if (err == KS_ENOTFOUND || err == KS_EDAMAGED) continue;
        if (err < 0) return err;
        c->wide[c->n_wide++] = around(clip.video, (int64_t[]){clip.start, clip.end}, NEAR, m->tb);
    }
    return 0;
}

static int find_parts(closer *c, ks_session *s, const ks_asked *asked, const ks_question *q,
                      ks_error *e)
{
    ks_question plain = *q;
    ks_asked more = *asked;
    ks_answer a;
    plain.sort = NULL;
    plain.refine = plain.explain = 0;
    more.o.all = 1;
    more.o.k = asked->o.k > MOMENTS ? asked->o.k : MOMENTS;
    more.o.min_score = 0;
    int err = ks_ask_look(&a, s, &more, &plain, e);
    if (err < 0) return err;
    c->narrow = calloc((size_t)a.hits.count + 1, sizeof *c->narrow);
    if (!c->narrow) err = ks_fail(e, KS_ENOMEM, "no memory for parts of films");
    for (int i = 0; i < a.hits.count && err == 0; i++)
        if (a.at[i].surveyed && !a.at[i].missing) err = add_moment(c, s, &a.at[i], e);
    ks_answer_free(&a);
    return err;
}

/* The library's encoder for films, in the class of its vectors; NULL: films with clocks. */
static int open_towers(closer *c, ks_session *s, const ks_library *l, ks_error *e)
{
    ks_setup with = *s->setup;
    if (strcmp(l->next.model, "clock") == 0) return 0;
    if (!with.precision && l->next.precision) with.precision = "int8";
    return ks_open_library_encoder(&c->enc, &with, c->x, KS_TOWER_VIDEO | KS_TOWER_TEXT, e);
}

/* ids of clips grow: from the newest one on */
static int newest_clip(int64_t *id, ks_index *x, const closer *c, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_clip clip;
    *id = 0;
    for (int i = 0; i < c->n; i++) {
        ks_filter of_film = {.video = c->narrow[i].video, .unfinished_too = 1};
        int r = ks_index_clips(&cursor, x, &of_film, e);
        while (r >= 0 && ((r = ks_clips_next(&clip, cursor, e)) == 1 || r == KS_EDAMAGED))
            if (r == 1 && clip.id >= *id) *id = clip.id + 1;
        ks_cursor_close(cursor);
        if (r < 0) return r;
    }
    return 0;
}

static int encode(ks_closer *out, closer *c, ks_error *e)
{
    ks_ingest_options o = {.decoder = c->decoder,
                           .stop = out->stop,
                           .event = out->event,
                           .event_arg = out->event_arg,
                           .unsaid = ~0u};
    ks_ingest_summary sum;
    int err = 0;
    for (int round = 0; round < 2 && err == 0; round++) {
        o.budget = out->seconds - (ks_monotonic() - c->began);
        if (o.budget <= 0) break;
        err = ks_ingest_parts(&sum, c->x, c->enc, &o, round ? c->wide : c->narrow,
                              round ? c->n_wide : c->n, e);
        out->clips += sum.clips;
        if (round) out->sharpened = (int)sum.indexed;
    }
    out->stopped = err == KS_ESTOP;
    if (out->stopped) err = 0;
    return err == 0 && out->clips > 0 && c->enc ? ks_calibrate(NULL, c->x, c->enc, e) : err;
}

static int look_closer(ks_closer *out, closer *c, ks_session *s, ks_error *e)
{
    ks_library *l = malloc(sizeof *l); /* 16 KiB of paths */
    int err = l ? ks_index_open(&c->x, s->path, KS_WRITE, e) : ks_fail(e, KS_ENOMEM, "no memory");
    if (err == 0) err = ks_index_library(l, c->x, e);
    if (err == 0 && l->switching)
        err = ks_fail(e, KS_EBUSY, "%s: a switch of models is under way", s->path);
    if (err == 0) err = ks_locate_decoder(&c->decoder, s->setup, e);
    if (err == 0) err = open_towers(c, s, l, e);
    if (err == 0) err = newest_clip(&c->first, c->x, c, e);
    if (err == 0) err = encode(out, c, e);
    ks_index_close(c->x);
    ks_encoder_close(c->enc);
    free(c->decoder);
    free(l);
    if (err == KS_EBUSY && e) out->busy = *e;
    return err == KS_EBUSY ? 0 : err;
}

int ks_ask_closer(ks_answer *out, ks_closer *how, ks_session *s, const ks_question *q,
                  const ks_query_options *o, ks_error *e)
{
    assert(out && how && s && q);
    closer c = {.began = ks_monotonic()};
    ks_asked asked;
    int err = ks_ask_begin(&asked, s, q, o, e);
    *out = (ks_answer){0};
    how->surveyed = how->sharpened = how->stopped = 0;
    how->clips = how->busy.code = 0;
    if (err == 0 && !ks_question_lines(q)) /* lines are not encoded */
        err = asked.terms ? find_parts(&c, s, &asked, q, e)
                          : find_pictures(&c, s, &asked, how->seconds, e);
    how->surveyed = c.n_wide;
    if (err == 0 && c.n > 0) err = look_closer(how, &c, s, e);
    if (err == 0) err = ks_ask_look(out, s, &asked, q, e);
    for (int i = 0; err == 0 && how->clips > 0 && i < out->hits.count + out->hits.below; i++)
        out->at[i].sharpened = out->at[i].n_clips > 0 && out->at[i].clips[0] >= c.first;
    ks_ask_end(&asked);
    free(c.narrow);
    free(c.wide);
    return err;
}
