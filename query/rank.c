/* rank.c - one query: candidates, moments, folding, cut-off.
 *
 *   ask the index for more candidates than moments are wanted
 *   for each, best first:  load its video's clips and their scores; grow a moment around it; keep it
 *   enough?  else ask for more
 *
 * A clip's value rises with its cosine, so the index's order is the order of values, and the answer is the exact one. */
#include "query/calibrate.h"
#include "query/hit_paths.h"
#include "query/moments.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two moments of different films are the same one if they are this many times nearer to each other than
 * two clips of this library are on average: re-encodes and cuts are 20 to 100 times nearer. */
static const double fold_nearness = 20;

typedef struct {
    int64_t id;
    ks_scored *clips; /* [n] sorted by start, then id */
    int n;
    int moments;      /* shown of it */
} loaded_video;

typedef struct {
    ks_index *x;
    const ks_scale *s;
    const ks_query_options *o;
    const float *q;       /* [dim] of unit length */
    double level;         /* ks_scale_level of q */
    int dim, k;
    loaded_video *videos;
    int n_videos;
    ks_hits *out;
    int room;
    float *vectors;       /* [room, dim] of the best clips, for folding */
} search_state;

/* Only against chance that words give: a vector query has no cut-off, nor has a library without a background. */
static int has_cut(const search_state *w)
{
    return !w->o->vector_query && w->s->level;
}

static double value_of(const search_state *w, double cosine)
{
    return has_cut(w) ? ks_scale_z(w->s, cosine, w->level) : (cosine - w->s->pair_mean) / (1 - w->s->pair_mean);
}

static int by_start(const void *a, const void *b)
{
    const ks_scored *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

typedef struct {
    const search_state *w;
    loaded_video *v;
    int failed;
} loading;

static int load_block(void *arg, const ks_clip *clips, const float *scores, int m)
{
    loading *l = arg;
    ks_scored *more = realloc(l->v->clips, (size_t)(l->v->n + m) * sizeof *more);

    if (!more)
        return l->failed = 1;
    l->v->clips = more;
    for (int i = 0; i < m; i++)
        more[l->v->n++] = (ks_scored){clips[i].id, clips[i].start, clips[i].end, value_of(l->w, (double)scores[i]), (double)scores[i], 0};
    return 0;
}

/* The clips of one video with their scores, loaded once a query. */
static int video_of(loaded_video **out, search_state *w, int64_t id, ks_error *e)
{
    ks_filter f = w->o->filter;
    loaded_video *more, *v;
    loading l = {.w = w};
    int err;

    for (int i = 0; i < w->n_videos; i++)
        if (w->videos[i].id == id) {
            *out = &w->videos[i];
            return 0;
        }
    if (!(more = realloc(w->videos, (size_t)(w->n_videos + 1) * sizeof *more)))
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    w->videos = more;
    v = l.v = &w->videos[w->n_videos++];
    *v = (loaded_video){.id = id};
    f.video = id;
    if ((err = ks_index_scores(w->x, w->q, 1, w->dim, &f, load_block, &l, e)) < 0)
        return err;
    if (l.failed)
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    qsort(v->clips, (size_t)v->n, sizeof *v->clips, by_start);
    *out = v;
    return 0;
}

/* --- hits --- */
static int by_worth(const void *a, const void *b)
{
    const ks_scored *x = a, *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Start of the frame of the clip where the query fits best, from the kept frame vectors; without them
 * the clip's centre. */
static int best_frame(int64_t *best, const search_state *w, const ks_scored *c, ks_error *e)
{
    float *v = NULL;
    int frames = 0, err = ks_index_frame_vectors(&v, &frames, w->x, c->id, e), at = 0;
    double most = -2;

    *best = c->start + (c->end - c->start) / 2;
    if (err < 0 || !v || frames < 1)
        return err;
    for (int i = 0; i < frames; i++) {
        double dot = ks_dot(v + (size_t)i * (size_t)w->dim, w->q, w->dim);
        if (dot > most) {
            most = dot;
            at = i;
        }
    }
    free(v);
    *best = c->start + (c->end - c->start) * at / frames;
    return 0;
}

/* The earlier hit of another film that shows the same; NULL: none. */
static ks_hit *same_film(const search_state *w, const float *v, int64_t video)
{
    double least = 1 - (1 - w->s->pair_mean) / fold_nearness;

    for (int i = 0; i < w->out->count && !w->o->unfolded; i++)
        if (w->out->at[i].video != video && ks_dot(v, w->vectors + (size_t)i * (size_t)w->dim, w->dim) >= least)
            return &w->out->at[i];
    return NULL;
}

static int room_for_hit(search_state *w)
{
    int room = w->room ? w->room * 2 : 16;
    ks_hit *at;
    float *v;

    if (w->out->count < w->room)
        return 0;
    if (!(at = realloc(w->out->at, (size_t)room * sizeof *at)))
        return -1;
    w->out->at = at;
    if (!(v = realloc(w->vectors, (size_t)room * (size_t)w->dim * sizeof *v)))
        return -1;
    w->vectors = v;
    w->room = room;
    return 0;
}

static double score_of(const search_state *w, double value)
{
    return has_cut(w) ? ks_score_of(value, w->s->cut) : fmin(fmax(value, 0), 1);
}

static int fill_hit(ks_hit *h, search_state *w, loaded_video *v, const ks_moment *m, ks_error *e)
{
    int n = m->last - m->first + 1, err;
    ks_scored *joined = malloc((size_t)n * sizeof *joined);
    int64_t *ids = malloc((size_t)n * sizeof *ids);

    h->clips = ids;
    if (!joined || !ids) {
        free(joined);
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    }
    memcpy(joined, v->clips + m->first, (size_t)n * sizeof *joined);
    qsort(joined, (size_t)n, sizeof *joined, by_worth);
    for (int i = 0; i < n; i++)
        ids[i] = joined[i].id;
    h->n_clips = n;
    h->video = v->id;
    h->start = m->start;
    h->end = m->end;
    h->score = score_of(w, joined[0].value);
    h->cosine = joined[0].cosine;
    err = best_frame(&h->best, w, &joined[0], e);
    free(joined);
    return err < 0 ? err : ks_hit_paths(h, w->x, v->id, &w->o->filter, e);
}

/* Grow the moment of one clip and keep it unless it is left out, folded or one too many of its film. */
static int consider(search_state *w, int64_t clip, ks_error *e)
{
    ks_clip row;
    loaded_video *v = NULL;
    ks_moment m;
    ks_hit *h, *twin;
    float *vector;
    int err, at;

    if ((err = ks_index_clip(&row, w->x, clip, e)) < 0)
        return err;
    if (w->o->not_video && row.video == w->o->not_video)
        return 0;
    if ((err = video_of(&v, w, row.video, e)) < 0)
        return err;
    for (at = 0; at < v->n && v->clips[at].id != clip; at++)
        ;
    if (at == v->n || v->clips[at].taken)
        return 0;
    ks_moment_grow(&m, v->clips, v->n, at, w->o->apart);
    for (int i = m.first; w->o->not_clip && i <= m.last; i++)
        if (v->clips[i].id == w->o->not_clip)
            return 0;
    if (w->o->per_video && v->moments >= w->o->per_video)
        return 0;
    if (room_for_hit(w) < 0)
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    vector = w->vectors + (size_t)w->out->count * (size_t)w->dim;
    if ((err = ks_index_clip_vector(vector, w->x, clip, e)) < 0)
        return err;
    h = &w->out->at[w->out->count];
    *h = (ks_hit){0};
    if ((twin = same_film(w, vector, v->id))) {
        err = ks_hit_paths(h, w->x, v->id, &w->o->filter, e);
        if (err == 0 && ks_hit_fold(twin, h) < 0)
            err = ks_fail(e, KS_ENOMEM, "no memory for hits");
        ks_hit_clear(h);
        return err;
    }
    w->out->count++;
    v->moments++;
    return fill_hit(h, w, v, &m, e);
}

/* --- the query --- */
static void forget_hits(search_state *w)
{
    for (int i = 0; i < w->out->count; i++)
        ks_hit_clear(&w->out->at[i]);
    w->out->count = 0;
    for (int i = 0; i < w->n_videos; i++)
        free(w->videos[i].clips);
    w->n_videos = 0;
}

/* Moments from these candidates. 1: as many as wanted, or all clips were asked for; 0: ask for more. */
static int collect(search_state *w, const ks_found *found, ks_error *e)
{
    int n = found->count, err = 0;

    if (w->o->first_clip)
        err = consider(w, w->o->first_clip, e);
    for (int i = 0; i < n && err == 0 && w->out->count < w->k; i++)
        err = consider(w, found->at[i].clip, e);
    return err < 0 ? err : n == 0 || n >= found->searched || found->approximate || w->out->count == w->k;
}

static void number_hits(search_state *w)
{
    ks_hits *out = w->out;
    int n = out->count;

    for (int i = 0; i < n; i++)
        out->at[i].rank = i + 1;
    if (!has_cut(w) || w->o->all)
        return;
    while (out->count > 0 && out->at[out->count - 1].score < 0.5)
        out->count--;
    out->below = n - out->count;
}

static int is_filtered(const ks_filter *f)
{
    return f->path_glob || f->after || f->before || f->longer > 0 || f->shorter > 0 || f->video;
}

static int searched_seconds(ks_hits *out, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_index_state state;
    int err;

    if (is_filtered(f))
        return 0;
    if ((err = ks_index_status(&state, x, e)) == 0)
        out->seconds_searched = state.seconds;
    return err;
}

int ks_query_run(ks_hits *out, ks_index *x, const ks_scale *s, const float *q, int dim, const ks_query_options *o, ks_error *e)
{
    search_state w = {.x = x, .s = s, .o = o, .q = q, .dim = dim, .k = o->k > 0 ? o->k : 10, .out = out};
    int64_t want = (int64_t)w.k * 16 + 64;
    int err;

    memset(out, 0, sizeof *out);
    if (s->dim && s->dim != dim)
        return ks_fail(e, KS_ESPACE, "the query has %d numbers, the library's vectors have %d", dim, s->dim);
    if (!s->dim)
        return 0;
    w.level = ks_scale_level(s, q);
    for (;; want *= 8) {
        ks_found found = {0};
        want = want > INT32_MAX ? INT32_MAX : want;
        if ((err = ks_index_search(&found, x, q, dim, (int)want, &o->filter, o->how, e)) < 0)
            break;
        err = collect(&w, &found, e);
        out->searched = found.searched;
        out->approximate = found.approximate;
        ks_found_free(&found);
        if (err != 0)
            break;
        forget_hits(&w);
    }
    if (err >= 0)
        err = searched_seconds(out, x, &o->filter, e);
    if (err >= 0)
        number_hits(&w);
    for (int i = 0; i < w.n_videos; i++)
        free(w.videos[i].clips);
    free(w.videos);
    free(w.vectors);
    if (err < 0)
        ks_hits_free(out);
    return err < 0 ? err : 0;
}
