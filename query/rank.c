/* rank.c - one query: candidates, moments, folding, cut-off.
 *
 *   ask the index for more candidates than moments are wanted
 *   for each, best first:  read its film once, clips and scores; grow a moment around it; keep it
 *   enough?  else ask for more
 *
 * A clip's value rises with its cosine, so the index's order is the order of values, and the
 * answer is the exact one. Beside clips a survey's pictures have a gain: candidates are ordered
 * anew, and only those count that none which is not among them can beat. */
#include "query/rank.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two moments of different films are the same one if they are this many times nearer to each
 * other than two clips of this library are on average: re-encodes and cuts are 20 to 100 times
 * nearer. */
static const double fold_nearness = 20;

/* Only against chance that words give: a vector query has no cut-off, nor has a library without
 * a background. */
static int has_cut(const ks_ranking *w)
{
    return w->c ? w->c->has_cut : !w->o->vector_query && w->s->level;
}

static double value_of(const ks_ranking *w, double cosine)
{
    return ks_scale_value(w->s, has_cut(w), cosine, w->level);
}

/* Of a question in words where something is surveyed: anywhere else it would only have candidates
 * looked at that cannot matter. */
static int find_gain(double *gain, ks_index *x, const ks_scale *s, ks_error *e)
{
    int64_t surveyed = 0;
    int err = ks_index_surveyed(&surveyed, x, e);

    *gain = surveyed ? s->gain : 1;
    return err;
}

static double worth(const void *arg, const float *cosine, int survey)
{
    const ks_ranking *w = arg;

    return w->c ? ks_part_grade(w->c, 0, cosine, survey ? KS_OF_PICTURE : KS_OF_CLIP)
                : value_of(w, (double)*cosine * (survey ? w->gain : 1));
}

int ks_rank_film(ks_film **out, ks_ranking *w, int64_t id, ks_error *e)
{
    ks_film_ask ask = {w->x, w->q, w->queries, w->dim, &w->o->filter, worth, w};

    return ks_films_get(out, &w->films, id, &ask, e);
}

/* --- hits --- */
static int by_worth(const void *a, const void *b)
{
    const ks_scored *x = a, *y = b;

    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Start of the frame of the clip where the query fits best, from the kept frame vectors; without
 * them the clip's centre. */
int ks_rank_best_frame(int64_t *best, const ks_ranking *w, const ks_scored *c, const float *q,
                       ks_error *e)
{
    float *v = NULL;
    int frames = 0, err = ks_index_frame_vectors(&v, &frames, w->dim, w->x, c->id, e), at = 0;
    double most = -2;

    *best = c->start + (c->end - c->start) / 2;
    if (err == KS_EDAMAGED) return 0;
    if (err < 0 || !v || frames < 1) return err;
    for (int i = 0; i < frames; i++) {
        double dot = ks_dot(v + (size_t)i * (size_t)w->dim, q, w->dim);
        if (dot > most) {
            most = dot;
            at = i;
        }
    }
    free(v);
    *best = c->start + (c->end - c->start) * at / frames;
    return 0;
}

static int room_for_hit(ks_ranking *w)
{
    int room = w->room ? w->room * 2 : 16;
    ks_hit *at;

    if (w->out->count < w->room) return 0;
    if (!(at = realloc(w->out->at, (size_t)room * sizeof *at))) return -1;
    w->out->at = at;
    w->room = room;
    return 0;
}

static int remember_fold(ks_ranking *w, int hit, int64_t film)
{
    int room = w->folds_room ? w->folds_room * 2 : 64;
    ks_fold *folds;

    if (w->n_folds == w->folds_room) {
        if (!(folds = realloc(w->folds, (size_t)room * sizeof *folds))) return -1;
        w->folds = folds;
        w->folds_room = room;
    }
    w->folds[w->n_folds] = (ks_fold){hit, w->n_folds, film};
    w->n_folds++;
    return 0;
}

/* Does the earlier hit show the same in its other parts, too? clips[n]. */
static int same_parts(ks_ranking *w, const ks_hit *h, const int64_t *clips, int n, ks_error *e)
{
    double least = 1 - (1 - w->s->pair_mean) / fold_nearness;
    float *other;
    int err = 0, same = 1;

    if (n == 1 || h->n_clips != n) return n == 1;
    if (!(other = malloc((size_t)w->dim * sizeof *other)))
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    for (int p = 0; p + 1 < n && err == 0 && same; p++)
        if ((err = ks_index_clip_vector(w->vector, w->dim, w->x, clips[p], e)) == 0 &&
            (err = ks_index_clip_vector(other, w->dim, w->x, h->clips[p], e)) == 0)
            same = ks_dot(w->vector, other, w->dim) >= least;
    free(other);
    return err < 0 ? err : same;
}

/* 1: an earlier hit of another film shows the same, and its film is remembered as a copy; 0: it
 * stands on its own. */
static int fold(ks_ranking *w, int64_t film, const int64_t *clips, int n, ks_error *e)
{
    int err, twin;

    if (!w->twins) return 0;
    if ((err = ks_index_clip_vector(w->vector, w->dim, w->x, clips[n - 1], e)) < 0) return err;
    if ((twin = ks_twins_find(w->twins, w->vector, film)) >= 0 &&
        (err = same_parts(w, &w->out->at[twin], clips, n, e)) != 0)
        return err < 0                            ? err
               : remember_fold(w, twin, film) < 0 ? ks_fail(e, KS_ENOMEM, "no memory for hits")
                                                  : 1;
    if (twin >= 0 && (err = ks_index_clip_vector(w->vector, w->dim, w->x, clips[n - 1], e)) < 0)
        return err;
    return ks_twins_add(w->twins, w->vector, film) < 0 ? ks_fail(e, KS_ENOMEM, "no memory for hits")
                                                       : 0;
}

double ks_rank_score(const ks_ranking *w, double value)
{
    return w->c ? fmin(fmax(value, 0), 1) : ks_scale_score(w->s, has_cut(w), value);
}

static int add_part(ks_hit *h, ks_ranking *w, const ks_part_place *at, int term, double grade,
                    ks_error *e)
{
    ks_hit_part *parts = realloc((void *)(uintptr_t)h->parts,
                                 ((size_t)h->n_parts + 1) * sizeof *parts),
                *part;

    if (!parts) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    h->parts = parts;
    part = &parts[h->n_parts++];
    *part = (ks_hit_part){.term = w->c->at[term].term.term,
                          .start = at->start,
                          .end = at->end,
                          .score = ks_rank_score(w, grade)};
    return ks_rank_best_frame(&part->best, w, at->clip, w->q + (size_t)term * (size_t)w->dim, e);
}

int ks_rank_add_parts(ks_hit *h, double *least, ks_ranking *w, const ks_film *f,
                      const ks_part_place *at, ks_error *e)
{
    float one = (float)at->clip->cosine;
    const float *cosine = f->cosines ? f->cosines + (size_t)at->clip->row * (size_t)w->queries
                                     : &one;
    int terms[KS_TERMS_MAX], n = 0, err = 0;
    double grades[KS_TERMS_MAX];

    n = ks_part_terms(
        terms, grades, w->c,
        &(ks_part_clip){at->p, cosine, at->clip->survey ? KS_OF_PICTURE : KS_OF_CLIP});
    for (int i = 0; i < n && err == 0; i++) {
        err = add_part(h, w, at, terms[i], grades[i], e);
        if (err == 0 && grades[i] < *least) {
            *least = grades[i];
            h->best = h->parts[h->n_parts - 1].best;
            h->cosine = (double)cosine[terms[i]];
        }
    }
    return err;
}

/* seed: a clip of the moment */
static int fill_hit(ks_hit *h, ks_ranking *w, const ks_film *f, const ks_moment *m, int seed,
                    ks_error *e)
{
    int n = m->last - m->first + 1;
    ks_scored *joined = malloc((size_t)n * sizeof *joined);
    int64_t *ids = malloc((size_t)n * sizeof *ids);
    double least = INFINITY;
    ks_part_place at;

    h->clips = ids;
    if (!joined || !ids || ks_hit_take(h, f) < 0) {
        free(joined);
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    }
    n = 0;
    for (int i = m->first; i <= m->last; i++)
        if (f->clips[i].survey == f->clips[seed].survey) joined[n++] = f->clips[i];
    qsort(joined, (size_t)n, sizeof *joined, by_worth);
    for (int i = 0; i < n; i++) ids[i] = joined[i].id;
    h->n_clips = n;
    h->start = m->start;
    h->end = m->end;
    h->score = ks_rank_score(w, joined[0].value);
    h->cosine = joined[0].cosine;
    at = (ks_part_place){.clip = &joined[0], .start = h->start, .end = h->end};
    n = w->c ? ks_rank_add_parts(h, &least, w, f, &at, e)
             : ks_rank_best_frame(&h->best, w, &joined[0], w->q, e);
    free(joined);
    return n;
}

int ks_rank_new_hit(ks_hit **h, ks_ranking *w, ks_film *f, const int64_t *clips, int n, ks_error *e)
{
    int err;

    if (w->o->per_video && f->moments >= w->o->per_video) return 0;
    if (room_for_hit(w) < 0) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    if ((err = fold(w, f->id, clips, n, e)) != 0) return err < 0 ? err : 0;
    *h = &w->out->at[w->out->count++];
    **h = (ks_hit){0};
    f->moments++;
    return 1;
}

/* Grow the moment of one clip and keep it unless it is left out, folded or one too many of its
 * film. */
static int grow_hit(ks_ranking *w, const ks_clip *clip, ks_error *e)
{
    ks_film *f;
    ks_moment m;
    ks_hit *h;
    int err, at;

    if (w->o->not_video && clip->video == w->o->not_video) return 0;
    if ((err = ks_rank_film(&f, w, clip->video, e)) < 0) return err;
    if ((at = ks_film_clip(f, clip)) < 0 && clip->id != w->o->first_clip)
        /* its film's row is rotten: it says that searches do not see it */
        ks_index_nameless(w->x, clip->video);
    if (at < 0 || f->clips[at].taken) return 0;
    ks_moment_grow(&m, f->clips, f->n, f->longest, at, w->o->apart);
    for (int i = m.first; w->o->not_clip && i <= m.last; i++)
        if (f->clips[i].id == w->o->not_clip) return 0;
    err = ks_rank_new_hit(&h, w, f, &clip->id, 1, e);
    return err > 0 ? fill_hit(h, w, f, &m, at, e) : err;
}

int ks_rank_consider(ks_ranking *w, const ks_clip *clip, ks_error *e)
{
    int err = grow_hit(w, clip, e);

    return err == KS_EDAMAGED ? 0 : err;
}

/* --- the query --- */
static void forget_hits(ks_ranking *w)
{
    for (int i = 0; i < w->out->count; i++) ks_hit_clear(&w->out->at[i]);
    w->out->count = 0;
    w->n_folds = 0;
    ks_films_free(&w->films);
    ks_twins_close(w->twins);
    w->twins = NULL;
}

/* The moment of the clip asked about, before all others. */
static int consider_first(ks_ranking *w, ks_error *e)
{
    ks_clip clip;
    int err;

    if (!w->o->first_clip) return 0;
    if ((err = ks_index_clip(&clip, w->x, w->o->first_clip, e)) < 0)
        /* forgotten since it was read to be asked with */
        return err == KS_ENOTFOUND || err == KS_EDAMAGED ? 0 : err;
    return ks_rank_consider(w, &clip, e);
}

int ks_rank_open_twins(ks_ranking *w, ks_error *e)
{
    double least = 1 - (1 - w->s->pair_mean) / fold_nearness;

    if (!w->o->unfolded && !(w->twins = ks_twins_open(w->dim, least)))
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    return 0;
}

typedef struct {
    double cosine; /* with the gain */
    int64_t id;
    int at;
} candidate;

static int by_gained(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    if (x->cosine != y->cosine) return x->cosine > y->cosine ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The candidates in the order of their values, as long as none that was not found can lie before
 * them. */
static int consider_kinds(ks_ranking *w, const ks_found *found, ks_error *e)
{
    int n = found->count, err = 0;
    double gain = w->gain, last = n ? (double)found->at[n - 1].cosine : 0;
    double least = found->all ? -INFINITY : fmax(last, last * gain);
    candidate *c = malloc(((size_t)n + 1) * sizeof *c);

    if (!c) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    for (int i = 0; i < n; i++) {
        double own = found->clips[i].reason == KS_REASON_SURVEY ? gain : 1;
        c[i] = (candidate){(double)found->at[i].cosine * own, found->clips[i].id, i};
    }
    qsort(c, (size_t)n, sizeof *c, by_gained);
    for (int i = 0; i < n && err == 0 && w->out->count < w->k && c[i].cosine >= least; i++)
        err = ks_rank_consider(w, &found->clips[c[i].at], e);
    free(c);
    return err;
}

/* Moments from these candidates. 1: as many as wanted, or there are no more; 0: ask for more. */
static int collect(ks_ranking *w, const ks_found *found, ks_error *e)
{
    int err = ks_rank_open_twins(w, e);

    if (err == 0) err = consider_first(w, e);
    int kinds = w->gain != 1;
    if (err == 0 && kinds) err = consider_kinds(w, found, e);
    for (int i = 0; i < found->count && err == 0 && !kinds && w->out->count < w->k; i++)
        err = ks_rank_consider(w, &found->clips[i], e);
    return err < 0 ? err : found->all || w->out->count == w->k;
}

/* Clips asked for: a moment takes several. More than the first thousand moments are asked for in
 * smaller shares, since each candidate's row is read. */
static int64_t first_share(int k)
{
    return k <= 1000 ? (int64_t)k * 16 + 64 : (int64_t)k * 4 + 12064;
}

static int ask(ks_ranking *w, ks_error *e)
{
    int64_t want = first_share(w->k);
    int err;

    for (;; want *= 8) {
        ks_found found = {0};
        want = want > INT32_MAX ? INT32_MAX : want;
        if ((err = ks_index_search(&found, w->x, w->q, w->dim, (int)want, &w->o->filter, w->o->how,
                                   e)) < 0)
            return err;
        err = collect(w, &found, e);
        w->out->searched = found.searched;
        w->out->uncopied = found.uncopied;
        w->out->approximate = found.approximate;
        ks_found_free(&found);
        if (err != 0) break;
        forget_hits(w);
    }
    return err;
}

static void number_hits(ks_ranking *w)
{
    double cut = w->c ? w->c->cut : 0.5;
    ks_hits *out = w->out;
    int n = out->count;

    for (int i = 0; i < n; i++) out->at[i].rank = i + 1;
    while (out->count > 0 && w->o->min_score > 0 && out->at[out->count - 1].score < w->o->min_score)
        out->count--;
    out->below = n - out->count;
    out->uncut = !has_cut(w) || w->o->all;
    if (out->uncut) return;
    while (out->count > 0 && out->at[out->count - 1].score < cut) out->count--;
    out->below = n - out->count;
}

static int searched_seconds(ks_hits *out, ks_index *x, const ks_filter *f, ks_error *e)
{
    return ks_filter_bounded(f) ? 0 : ks_index_seconds(&out->seconds_searched, x, e);
}

/* w: what asks; hits and the sums beside them go to out. */
static int run(ks_ranking *w, int (*find)(ks_ranking *w, ks_error *e), ks_error *e)
{
    ks_hits *out = w->out;
    int err;

    w->vector = malloc((size_t)w->dim * sizeof *w->vector);
    err = w->vector ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query");
    if (err == 0) err = find(w, e);
    if (err >= 0 && w->n_folds && ks_hits_fold(out, w->folds, w->n_folds, &w->films) < 0)
        err = ks_fail(e, KS_ENOMEM, "no memory for hits");
    if (err >= 0) err = searched_seconds(out, w->x, &w->o->filter, e);
    if (err >= 0) number_hits(w);
    ks_films_free(&w->films);
    ks_twins_close(w->twins);
    free(w->folds);
    free(w->vector);
    if (err < 0) ks_hits_free(out);
    return err < 0 ? err : 0;
}

static int fits(const ks_scale *s, int dim, ks_error *e)
{
    return !s->dim || s->dim == dim
               ? 0
               : ks_fail(e, KS_ESPACE, "the query has %d numbers, the library's vectors have %d",
                         dim, s->dim);
}

int ks_query_run(ks_hits *out, ks_index *x, const ks_scale *s, const float *q, int dim,
                 const ks_query_options *o, ks_error *e)
{
    assert(out && x && s && q && o && dim > 0 && o->k >= 0);
    ks_ranking w = {.x = x,
                    .s = s,
                    .o = o,
                    .q = q,
                    .queries = 1,
                    .dim = dim,
                    .k = o->k > 0 ? o->k : 10,
                    .out = out};
    int err;

    memset(out, 0, sizeof *out);
    if (fits(s, dim, e) < 0 || !s->dim) return s->dim ? KS_ESPACE : 0;
    w.level = ks_scale_level(s, q);
    w.gain = 1;
    err = has_cut(&w) ? find_gain(&w.gain, x, s, e) : 0;
    return err < 0 ? err : run(&w, ask, e);
}

int ks_query_run_terms(ks_hits *out, ks_index *x, const ks_scale *s, const float *q,
                       const ks_query_term *t, int n, int dim, const ks_query_options *o,
                       ks_error *e)
{
    assert(out && x && s && q && t && n > 0 && o && dim > 0);
    ks_combination c = {0};
    ks_ranking w = {.x = x,
                    .s = s,
                    .o = o,
                    .q = q,
                    .queries = n,
                    .dim = dim,
                    .k = o->k > 0 ? o->k : 10,
                    .out = out,
                    .c = &c};
    int err;

    memset(out, 0, sizeof *out);
    if (o->how == KS_SEARCH_ANN)
        return ks_fail(e, KS_EUSAGE,
                       "--ann knows questions of one vector; several are looked up exactly");
    if (fits(s, dim, e) < 0 || !s->dim) return s->dim ? KS_ESPACE : 0;
    err = ks_combination_make(&c, s, q, t, n, dim, e);
    for (int i = 0; i < n && err == 0; i++)
        if (c.at[i].words) {
            err = find_gain(&c.gain, x, s, e);
            break;
        }
    if (err == 0) err = run(&w, ks_rank_films, e);
    ks_combination_free(&c);
    return err;
}
