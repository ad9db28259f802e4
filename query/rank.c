/* rank.c - one query: candidates, moments, folding, cut-off.
 *
 *   ask the index for more candidates than moments are wanted
 *   for each, best first:  read its film once, clips and scores; grow a moment around it; keep it
 *   enough?  else ask for more
 *
 * A clip's value rises with its cosine, so the index's order is the order of values, and the answer is the exact one. */
#include "query/calibrate.h"
#include "query/hit_paths.h"
#include "query/moments.h"
#include "query/twins.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two moments of different films are the same one if they are this many times nearer to each other than
 * two clips of this library are on average: re-encodes and cuts are 20 to 100 times nearer. */
static const double fold_nearness = 20;

typedef struct {
    ks_index *x;
    const ks_scale *s;
    const ks_query_options *o;
    const float *q;       /* [dim] of unit length */
    double level;         /* ks_scale_level of q */
    int dim, k;
    ks_films films;
    ks_hits *out;
    int room;
    ks_twins *twins;      /* the best clip of each hit, under the hit's number; NULL: nothing is folded */
    ks_fold *folds;       /* [n_folds] */
    int n_folds, folds_room;
    float *vector;        /* [dim] */
} search_state;

/* Only against chance that words give: a vector query has no cut-off, nor has a library without a background. */
static int has_cut(const search_state *w)
{
    return !w->o->vector_query && w->s->level;
}

static double value_of(const search_state *w, double cosine)
{
    return ks_scale_value(w->s, has_cut(w), cosine, w->level);
}

static double worth(const void *arg, double cosine) { return value_of(arg, cosine); }

static int film_of(ks_film **out, search_state *w, int64_t id, ks_error *e)
{
    ks_film_ask ask = {w->x, w->q, w->dim, &w->o->filter, worth, w};

    return ks_films_get(out, &w->films, id, &ask, e);
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
    int frames = 0, err = ks_index_frame_vectors(&v, &frames, w->dim, w->x, c->id, e), at = 0;
    double most = -2;

    *best = c->start + (c->end - c->start) / 2;
    if (err == KS_EDAMAGED)
        return 0;
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

static int room_for_hit(search_state *w)
{
    int room = w->room ? w->room * 2 : 16;
    ks_hit *at;

    if (w->out->count < w->room)
        return 0;
    if (!(at = realloc(w->out->at, (size_t)room * sizeof *at)))
        return -1;
    w->out->at = at;
    w->room = room;
    return 0;
}

static int remember_fold(search_state *w, int hit, int64_t film)
{
    int room = w->folds_room ? w->folds_room * 2 : 64;
    ks_fold *folds;

    if (w->n_folds == w->folds_room) {
        if (!(folds = realloc(w->folds, (size_t)room * sizeof *folds)))
            return -1;
        w->folds = folds;
        w->folds_room = room;
    }
    w->folds[w->n_folds] = (ks_fold){hit, w->n_folds, film};
    w->n_folds++;
    return 0;
}

/* 1: an earlier hit of another film shows the same, and its film is remembered as a copy; 0: it stands on its own. */
static int fold(search_state *w, const ks_clip *clip, ks_error *e)
{
    int err, twin;

    if (!w->twins)
        return 0;
    if ((err = ks_index_clip_vector(w->vector, w->dim, w->x, clip->id, e)) < 0)
        return err;
    if ((twin = ks_twins_find(w->twins, w->vector, clip->video)) >= 0)
        return remember_fold(w, twin, clip->video) < 0 ? ks_fail(e, KS_ENOMEM, "no memory for hits") : 1;
    return ks_twins_add(w->twins, w->vector, clip->video) < 0 ? ks_fail(e, KS_ENOMEM, "no memory for hits") : 0;
}

static int fill_hit(ks_hit *h, search_state *w, const ks_film *f, const ks_moment *m, ks_error *e)
{
    int n = m->last - m->first + 1;
    ks_scored *joined = malloc((size_t)n * sizeof *joined);
    int64_t *ids = malloc((size_t)n * sizeof *ids);

    h->clips = ids;
    if (!joined || !ids || ks_hit_take(h, f) < 0) {
        free(joined);
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    }
    memcpy(joined, f->clips + m->first, (size_t)n * sizeof *joined);
    qsort(joined, (size_t)n, sizeof *joined, by_worth);
    for (int i = 0; i < n; i++)
        ids[i] = joined[i].id;
    h->n_clips = n;
    h->start = m->start;
    h->end = m->end;
    h->score = ks_scale_score(w->s, has_cut(w), joined[0].value);
    h->cosine = joined[0].cosine;
    n = best_frame(&h->best, w, &joined[0], e);
    free(joined);
    return n;
}

/* Grow the moment of one clip and keep it unless it is left out, folded or one too many of its film. */
static int grow_hit(search_state *w, const ks_clip *clip, ks_error *e)
{
    ks_film *f;
    ks_moment m;
    ks_hit *h;
    int err, at;

    if (w->o->not_video && clip->video == w->o->not_video)
        return 0;
    if ((err = film_of(&f, w, clip->video, e)) < 0)
        return err;
    if ((at = ks_film_clip(f, clip)) < 0 && clip->id != w->o->first_clip)
        ks_index_nameless(w->x, clip->video); /* its film's row is rotten: it says that searches do not see it */
    if (at < 0 || f->clips[at].taken)
        return 0;
    ks_moment_grow(&m, f->clips, f->n, f->longest, at, w->o->apart);
    for (int i = m.first; w->o->not_clip && i <= m.last; i++)
        if (f->clips[i].id == w->o->not_clip)
            return 0;
    if (w->o->per_video && f->moments >= w->o->per_video)
        return 0;
    if (room_for_hit(w) < 0)
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    if ((err = fold(w, clip, e)) != 0)
        return err < 0 ? err : 0;
    h = &w->out->at[w->out->count++];
    *h = (ks_hit){0};
    f->moments++;
    return fill_hit(h, w, f, &m, e);
}

/* A candidate gives no moment where a row that it needs is rotten: the index has counted that. */
static int consider(search_state *w, const ks_clip *clip, ks_error *e)
{
    int err = grow_hit(w, clip, e);

    return err == KS_EDAMAGED ? 0 : err;
}

/* --- the query --- */
static void forget_hits(search_state *w)
{
    for (int i = 0; i < w->out->count; i++)
        ks_hit_clear(&w->out->at[i]);
    w->out->count = 0;
    w->n_folds = 0;
    ks_films_free(&w->films);
    ks_twins_close(w->twins);
    w->twins = NULL;
}

/* The moment of the clip asked about, before all others. */
static int consider_first(search_state *w, ks_error *e)
{
    ks_clip clip;
    int err;

    if (!w->o->first_clip)
        return 0;
    if ((err = ks_index_clip(&clip, w->x, w->o->first_clip, e)) < 0)
        return err == KS_ENOTFOUND || err == KS_EDAMAGED ? 0 : err; /* forgotten since it was read to be asked with */
    return consider(w, &clip, e);
}

/* Moments from these candidates. 1: as many as wanted, or there are no more; 0: ask for more. */
static int collect(search_state *w, const ks_found *found, ks_error *e)
{
    double least = 1 - (1 - w->s->pair_mean) / fold_nearness;
    int err;

    if (!w->o->unfolded && !(w->twins = ks_twins_open(w->dim, least)))
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    err = consider_first(w, e);
    for (int i = 0; i < found->count && err == 0 && w->out->count < w->k; i++)
        err = consider(w, &found->clips[i], e);
    return err < 0 ? err : found->all || w->out->count == w->k;
}

/* Clips asked for: a moment takes several. More than the first thousand moments are asked for in smaller shares, since
 * each candidate's row is read. */
static int64_t first_share(int k) { return k <= 1000 ? (int64_t)k * 16 + 64 : (int64_t)k * 4 + 12064; }

static int ask(search_state *w, ks_error *e)
{
    int64_t want = first_share(w->k);
    int err;

    for (;; want *= 8) {
        ks_found found = {0};
        want = want > INT32_MAX ? INT32_MAX : want;
        if ((err = ks_index_search(&found, w->x, w->q, w->dim, (int)want, &w->o->filter, w->o->how, e)) < 0)
            return err;
        err = collect(w, &found, e);
        w->out->searched = found.searched;
        w->out->uncopied = found.uncopied;
        w->out->approximate = found.approximate;
        ks_found_free(&found);
        if (err != 0)
            break;
        forget_hits(w);
    }
    if (err > 0 && ks_hits_fold(w->out, w->folds, w->n_folds, &w->films) < 0)
        err = ks_fail(e, KS_ENOMEM, "no memory for hits");
    return err;
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
    return is_filtered(f) ? 0 : ks_index_seconds(&out->seconds_searched, x, e);
}

int ks_query_run(ks_hits *out, ks_index *x, const ks_scale *s, const float *q, int dim, const ks_query_options *o, ks_error *e)
{
    search_state w = {.x = x, .s = s, .o = o, .q = q, .dim = dim, .k = o->k > 0 ? o->k : 10, .out = out};
    int err;

    memset(out, 0, sizeof *out);
    if (s->dim && s->dim != dim)
        return ks_fail(e, KS_ESPACE, "the query has %d numbers, the library's vectors have %d", dim, s->dim);
    if (!s->dim)
        return 0;
    w.level = ks_scale_level(s, q);
    w.vector = malloc((size_t)dim * sizeof *w.vector);
    err = w.vector ? ask(&w, e) : ks_fail(e, KS_ENOMEM, "no memory for a query");
    if (err >= 0)
        err = searched_seconds(out, x, &o->filter, e);
    if (err >= 0)
        number_hits(&w);
    ks_films_free(&w.films);
    ks_twins_close(w.twins);
    free(w.folds);
    free(w.vector);
    if (err < 0)
        ks_hits_free(out);
    return err < 0 ? err : 0;
}
