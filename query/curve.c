/* curve.c - one question along one film: every kept frame with its cosine and score.
 *
 * Frame vectors lie on the clips' own scale: over the demo films and 138 questions the best
 * frame of the best clip has a cosine of 0.491 where the clip has 0.489, and over all pairs the
 * deviations are 0.114 and 0.116. So a frame's score is read as a clip's. */
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
    double gain;    /* of a survey's pictures */
    float *vectors; /* [n, dim] of the points where changes are asked for; else NULL */
} drawing;

/* Stored frames are rounded to a byte a number: their length is not quite 1. */
static double cosine_of(const float *v, const float *q, int dim)
{
    return ks_dot(v, q, dim) / fmax(sqrt(ks_dot(v, v, dim)), 1e-12);
}

/* v: its vector; unit length, or nearly. */
static int add_point(drawing *w, int64_t at, const float *v, const ks_clip *of, int begins,
                     ks_error *e)
{
    ks_curve *c = w->out;
    float *vectors = NULL;

    if (at < w->part->from || (w->part->to && at >= w->part->to)) return 0;
    if (c->n == w->room) {
        int room = w->room ? w->room * 2 : 256;
        ks_curve_point *more = realloc(c->at, (size_t)room * sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for a curve");
        c->at = more;
        if (w->part->changes &&
            !(vectors = realloc(w->vectors, (size_t)room * (size_t)w->dim * sizeof *vectors)))
            return ks_fail(e, KS_ENOMEM, "no memory for a curve");
        w->vectors = vectors;
        w->room = room;
    }
    if (w->vectors)
        memcpy(w->vectors + (size_t)c->n * (size_t)w->dim, v, (size_t)w->dim * sizeof *v);
    double cosine = cosine_of(v, w->q, w->dim), gain = of->reason == KS_REASON_SURVEY ? w->gain : 1;
    /* score: until all are joined the cosine that counts */
    c->at[c->n] = (ks_curve_point){
        .at = at, .cosine = cosine, .score = cosine * gain, .change = c->n, .begins = begins};
    c->n++;
    return 0;
}

static int add_whole(drawing *w, const ks_clip *c, ks_error *e)
{
    float *v = malloc((size_t)w->dim * sizeof *v);
    int err = v ? ks_index_clip_vector(v, w->dim, w->x, c->id, e)
                : ks_fail(e, KS_ENOMEM, "no memory for a curve");

    if (err == 0) err = add_point(w, c->start + (c->end - c->start) / 2, v, c, 0, e);
    free(v);
    return err;
}

static int add_clip(drawing *w, const ks_clip *c, ks_error *e)
{
    float *v = NULL;
    int frames = 0, err = ks_index_frame_vectors(&v, &frames, w->dim, w->x, c->id, e);

    if (err == 0 && !v) err = add_whole(w, c, e);
    for (int i = 0; i < frames && err == 0; i++)
        err = add_point(w, c->start + (c->end - c->start) * i / frames,
                        v + (size_t)i * (size_t)w->dim, c, i == 0, e);
    free(v);
    if (err == 0 && c->end > w->out->end) w->out->end = c->end;
    return err == KS_EDAMAGED ? 0 : err;
}

static int by_time(const void *a, const void *b)
{
    const ks_curve_point *p = a, *r = b;

    if (p->at != r->at) return p->at < r->at ? -1 : 1;
    /* a sum must not hang on the order of clips */
    return (p->cosine > r->cosine) - (p->cosine < r->cosine);
}

/* The mean vector of the points from..to - 1 into v, and how far it is from the one before,
 * `was`. */
static double change_of(float *v, const float *was, const drawing *w, int from, int to)
{
    memset(v, 0, (size_t)w->dim * sizeof *v);
    for (int i = from; i < to; i++) {
        /* its place until now */
        const float *one = w->vectors + (size_t)w->out->at[i].change * (size_t)w->dim;
        for (int d = 0; d < w->dim; d++) v[d] += one[d];
    }
    return was ? 1 - ks_dot(v, was, w->dim) /
                         fmax(sqrt(ks_dot(v, v, w->dim) * ks_dot(was, was, w->dim)), 1e-12)
               : 0;
}

/* The same instant is seen by several clips, each with its own surroundings: their mean. */
static int join_times(drawing *w, ks_error *e)
{
    ks_curve *c = w->out;
    float *two = w->vectors ? malloc(2 * (size_t)w->dim * sizeof *two) : NULL;
    int n = 0;

    if (w->vectors && !two) return ks_fail(e, KS_ENOMEM, "no memory for a curve");
    if (c->n) qsort(c->at, (size_t)c->n, sizeof *c->at, by_time);
    for (int i = 0, to; i < c->n; i = to) {
        double sum = 0, counts = 0, change = 0;
        int begins = 1;
        for (to = i; to < c->n && c->at[to].at == c->at[i].at; to++) {
            sum += c->at[to].cosine;
            counts += c->at[to].score;
            begins &= c->at[to].begins;
        }
        if (two)
            change = change_of(two + n % 2 * w->dim, n ? two + (n + 1) % 2 * w->dim : NULL, w, i,
                               to);
        c->at[n++] = (ks_curve_point){.at = c->at[i].at,
                                      .cosine = sum / (to - i),
                                      .score = counts / (to - i),
                                      .change = change,
                                      .begins = begins};
    }
    c->n = n;
    free(two);
    return 0;
}

static void score_points(ks_curve *c, const ks_scale *s, const float *q, int vector_query)
{
    int words = !vector_query && s->level != NULL;
    double level = words ? ks_scale_level(s, q) : s->pair_mean;

    c->level = level;
    c->unit = words ? s->median : 1 - s->pair_mean;
    c->cut = words ? s->cut : 0;
    for (int i = 0; i < c->n; i++)
        c->at[i].score = ks_scale_score(s, words, ks_scale_value(s, words, c->at[i].score, level));
}

int ks_query_curve(ks_curve *out, ks_index *x, const ks_scale *s, const float *q,
                   const ks_curve_part *part, ks_error *e)
{
    assert(out && x && s && q);
    drawing w = {.x = x, .q = q, .dim = s->dim, .part = part, .out = out, .gain = 1};
    ks_filter f = {.video = part->video};
    ks_cursor *c = NULL;
    ks_video video;
    ks_clip clip;
    int err;

    assert(s->dim > 0 && part->video > 0);
    if (!part->vector_query && s->level) w.gain = s->gain;
    *out = (ks_curve){0};
    if ((err = ks_index_video(&video, x, part->video, e)) < 0) return err;
    out->video = video.id;
    out->tb = video.tb;
    out->duration = video.duration;
    err = ks_index_clips(&c, x, &f, e);
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0)
        if (clip.end > part->from && (!part->to || clip.start < part->to))
            err = add_clip(&w, &clip, e);
    ks_cursor_close(c);
    err = err < 0 && err != KS_EDAMAGED ? err : join_times(&w, e);
    free(w.vectors);
    if (err < 0) ks_curve_free(out);
    else score_points(out, s, q, part->vector_query);
    return err;
}

void ks_curve_free(ks_curve *c)
{
    free(c->at);
    *c = (ks_curve){0};
}
