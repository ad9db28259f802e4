/* curve.c - one question along one film: every kept frame with its cosine and score.
 *
 * Frame vectors lie on the clips' own scale: over the demo films and 138 questions the best frame of the best clip has a
 * cosine of 0.491 where the clip has 0.489, and over all pairs the deviations are 0.114 and 0.116. So a frame's score is
 * read as a clip's. */
#include "query/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_index *x;
    const float *q;
    int dim;
    const ks_curve_part *part;
    ks_curve *out;
    int room;
} drawing;

static int add_point(drawing *w, int64_t at, double cosine, ks_error *e)
{
    ks_curve *c = w->out;

    if (at < w->part->from || (w->part->to && at >= w->part->to))
        return 0;
    if (c->n == w->room) {
        int room = w->room ? w->room * 2 : 256;
        ks_curve_point *more = realloc(c->at, (size_t)room * sizeof *more);
        if (!more)
            return ks_fail(e, KS_ENOMEM, "no memory for a curve");
        c->at = more;
        w->room = room;
    }
    c->at[c->n++] = (ks_curve_point){at, cosine, 0};
    return 0;
}

/* Stored frames are rounded to a byte a number: their length is not quite 1. */
static double cosine_of(const float *v, const float *q, int dim)
{
    return ks_dot(v, q, dim) / fmax(sqrt(ks_dot(v, v, dim)), 1e-12);
}

static int add_whole(drawing *w, const ks_clip *c, ks_error *e)
{
    float *v = malloc((size_t)w->dim * sizeof *v);
    int err = v ? ks_index_clip_vector(v, w->dim, w->x, c->id, e) : ks_fail(e, KS_ENOMEM, "no memory for a curve");

    if (err == 0)
        err = add_point(w, c->start + (c->end - c->start) / 2, cosine_of(v, w->q, w->dim), e);
    free(v);
    return err;
}

static int add_clip(drawing *w, const ks_clip *c, ks_error *e)
{
    float *v = NULL;
    int frames = 0, err = ks_index_frame_vectors(&v, &frames, w->dim, w->x, c->id, e);

    if (err == 0 && !v)
        err = add_whole(w, c, e);
    for (int i = 0; i < frames && err == 0; i++)
        err = add_point(w, c->start + (c->end - c->start) * i / frames, cosine_of(v + (size_t)i * (size_t)w->dim, w->q, w->dim), e);
    free(v);
    return err == KS_EDAMAGED ? 0 : err;
}

static int by_time(const void *a, const void *b)
{
    const ks_curve_point *p = a, *r = b;

    if (p->at != r->at)
        return p->at < r->at ? -1 : 1;
    return (p->cosine > r->cosine) - (p->cosine < r->cosine); /* a sum must not hang on the order of clips */
}

/* The same instant is seen by several clips, each with its own surroundings: their mean. */
static void join_times(ks_curve *c)
{
    int n = 0;

    if (c->n)
        qsort(c->at, (size_t)c->n, sizeof *c->at, by_time);
    for (int i = 0, to; i < c->n; i = to) {
        double sum = 0;
        for (to = i; to < c->n && c->at[to].at == c->at[i].at; to++)
            sum += c->at[to].cosine;
        c->at[n++] = (ks_curve_point){c->at[i].at, sum / (to - i), 0};
    }
    c->n = n;
}

static void score_points(ks_curve *c, const ks_scale *s, const float *q, int vector_query)
{
    int words = !vector_query && s->level != NULL;
    double level = words ? ks_scale_level(s, q) : s->pair_mean;

    c->level = level;
    c->unit = words ? s->median : 1 - s->pair_mean;
    c->cut = words ? s->cut : 0;
    for (int i = 0; i < c->n; i++)
        c->at[i].score = ks_scale_score(s, words, ks_scale_value(s, words, c->at[i].cosine, level));
}

int ks_query_curve(ks_curve *out, ks_index *x, const ks_scale *s, const float *q, const ks_curve_part *part, ks_error *e)
{
    drawing w = {.x = x, .q = q, .dim = s->dim, .part = part, .out = out};
    ks_filter f = {.video = part->video};
    ks_cursor *c = NULL;
    ks_video video;
    ks_clip clip;
    int err;

    assert(s->dim > 0 && part->video > 0);
    *out = (ks_curve){0};
    if ((err = ks_index_video(&video, x, part->video, e)) < 0)
        return err;
    out->video = video.id;
    out->tb = video.tb;
    out->duration = video.duration;
    err = ks_index_clips(&c, x, &f, e);
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0)
        if (clip.end > part->from && (!part->to || clip.start < part->to))
            err = add_clip(&w, &clip, e);
    ks_cursor_close(c);
    if (err < 0 && err != KS_EDAMAGED) {
        ks_curve_free(out);
        return err;
    }
    join_times(out);
    score_points(out, s, q, part->vector_query);
    return 0;
}

void ks_curve_free(ks_curve *c)
{
    free(c->at);
    *c = (ks_curve){0};
}
