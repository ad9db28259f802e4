/* film_queue.c - the hits of a question of several vectors, exactly: films by what they can
 * reach at most, and once one is read its clips (or chains of clips) by what they are worth, in
 * one queue. What comes out first cannot be beaten by what is still in it. */
#include "query/rank.h"
#include "query/sequence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    /* own: of equals the chain whose last clip fits better; clips of one part: 0 */
    double grade, own;
    int64_t id, film; /* of the clip, a chain's last one */
    int clip;         /* its place in the film; below 0: the whole film, not read yet */
    int slot;         /* of its film's chains */
} entry;
enum { BOUNDED = -1, SCORED = -2 }; /* a film's grade: by bounds, by its cosines in the copies */

/* The chains of one film. */
typedef struct {
    double *grades; /* [parts, n] of the parts */
    double *chain;  /* [parts, n] */
    int *before;    /* [parts, n] */
    int64_t *shown; /* [2 * n_shown] start and end of what was shown of it */
    int n_shown;
} chains;

typedef struct {
    ks_ranking *w;
    entry *heap; /* [n] */
    size_t n, room;
    chains *films; /* [n_films] in the order in which they were read */
    int n_films, films_room;
    int64_t *surveyed; /* [n_surveyed] films, ascending, where pictures have a gain */
    int64_t n_surveyed;
} queue;

/* Films of the whole pass alone are bounded as closely as where nothing is surveyed. */
static ks_cosine_of kinds_of(const queue *u, int64_t film)
{
    int64_t low = 0, high = u->n_surveyed;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (u->surveyed[middle] < film) low = middle + 1;
        else high = middle;
    }
    return low < u->n_surveyed && u->surveyed[low] == film ? KS_OF_EITHER : KS_OF_CLIP;
}

static ks_cosine_of kind_of(const ks_scored *c) { return c->survey ? KS_OF_PICTURE : KS_OF_CLIP; }

static int is_chain(const ks_ranking *w) { return w->c->parts > 1 || w->c->unless > 0; }

/* --- the queue --- */
static int first(const entry *a, const entry *b)
{
    if (a->grade != b->grade) return a->grade > b->grade;
    if ((a->clip < 0) != (b->clip < 0))
        return a->clip < 0; /* it may hold a better one among equals */
    if (a->own != b->own) return a->own > b->own;
    return a->id < b->id;
}

static int push(queue *u, const entry *fresh)
{
    size_t i = u->n;

    if (fresh->grade == -INFINITY) return 0;
    if (u->n == u->room) {
        size_t room = u->room ? 2 * u->room : 1024;
        entry *more = realloc(u->heap, room * sizeof *more);
        if (!more) return -1;
        u->heap = more;
        u->room = room;
    }
    for (u->n++; i > 0 && first(fresh, &u->heap[(i - 1) / 2]); i = (i - 1) / 2)
        u->heap[i] = u->heap[(i - 1) / 2];
    u->heap[i] = *fresh;
    return 0;
}

static entry pop(queue *u)
{
    entry top = u->heap[0], moved = u->heap[--u->n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= u->n) break;
        if (child + 1 < u->n && first(&u->heap[child + 1], &u->heap[child])) child++;
        if (!first(&u->heap[child], &moved)) break;
        u->heap[i] = u->heap[child];
        i = child;
    }
    if (u->n) u->heap[i] = moved;
    return top;
}

/* --- what films can reach --- */
/* worth [parts] of clips; with a gain [parts] of either kind follow */
static void reach_of(const void *arg, double *worth, const float *low, const float *high)
{
    const ks_combination *c = arg;

    for (int p = 0; p < c->parts; p++) {
        worth[p] = ks_part_reach(c, p, low, high, KS_OF_CLIP);
        if (c->gain != 1) worth[c->parts + p] = ks_part_reach(c, p, low, high, KS_OF_EITHER);
    }
}

/* Where each part is one term its best cosine says it all, and the grade is worked out once a
 * film. */
static void highest(const void *arg, double *worth, const float *low, const float *high)
{
    const ks_combination *c = arg;

    (void)low;
    for (int p = 0; p < c->parts; p++) worth[p] = (double)high[p];
}

static double film_reach(const ks_combination *c, int plain, const double *most, ks_cosine_of of)
{
    double reach = INFINITY;

    if (plain) {
        float high[KS_TERMS_MAX];
        for (int p = 0; p < c->parts; p++) high[p] = (float)most[p];
        for (int p = 0; p < c->parts; p++) reach = fmin(reach, ks_part_reach(c, p, high, high, of));
        return reach;
    }
    if (of == KS_OF_EITHER) most += c->parts;
    for (int p = 0; p < c->parts; p++) reach = fmin(reach, most[p]);
    return reach;
}

/* A chain is worth no more than the best clip of each part. */
static int bound_films(queue *u, ks_error *e)
{
    const ks_ranking *w = u->w;
    int plain = ks_is_plain(w->c), err,
        parts = !plain && w->c->gain != 1 ? 2 * w->c->parts : w->c->parts;
    /* In plain questions term p is part p, and what UNLESS asks is no bound. */
    ks_bounds_ask ask = {.q = w->q,
                         .queries = plain ? w->c->parts : w->queries,
                         .dim = w->dim,
                         .parts = parts,
                         .filter = &w->o->filter,
                         .worth = plain ? highest : reach_of,
                         .arg = w->c};
    ks_film_bounds bounds;

    if ((err = ks_index_film_bounds(&bounds, w->x, &ask, e)) < 0) return err;
    for (int64_t i = 0; i < bounds.films && err == 0; i++) {
        entry film = {
            .grade = film_reach(w->c, plain, bounds.most + i * parts, kinds_of(u, bounds.video[i])),
            .film = bounds.video[i],
            .id = bounds.video[i],
            .clip = bounds.exact[i] ? SCORED : BOUNDED};
        if (push(u, &film) < 0) err = ks_fail(e, KS_ENOMEM, "no memory for a query");
    }
    w->out->searched = bounds.searched;
    w->out->uncopied = bounds.uncopied;
    ks_film_bounds_free(&bounds);
    return err;
}

/* The best chain whose clips follow each other as rows do: rows lie by start, and a later part
 * starts later. cosine [queries, rows]. Nothing is known of times, so it is a bound. */
static double chain_reach(const ks_combination *c, const float *cosine, int queries, size_t rows,
                          ks_cosine_of of)
{
    double best[KS_TERMS_MAX];
    float one[KS_TERMS_MAX];

    for (int p = 0; p < c->parts; p++) best[p] = -INFINITY;
    for (size_t i = 0; i < rows; i++) {
        for (int t = 0; t < queries; t++) one[t] = cosine[(size_t)t * rows + i];
        for (int p = c->parts - 1; p >= 0; p--) {
            double before = p ? best[p - 1] : INFINITY;
            if (before > best[p])
                best[p] = fmax(best[p], fmin(before, ks_part_grade(c, p, one, of)));
        }
    }
    return best[c->parts - 1];
}

/* Codes bound a film loosely: of ten films that could be among the first one was, once its
 * cosines in the copies were looked at, and those cost a fortieth of reading it. */
static int score_film(queue *u, const entry *top, ks_error *e)
{
    const ks_ranking *w = u->w;
    int queries = ks_is_plain(w->c) ? w->c->parts : w->queries;
    entry scored = *top;
    float *cosine;
    int64_t rows = ks_index_film_cosines(&cosine, w->x, w->q, queries, w->dim, top->film);

    if (rows > 0)
        scored.grade = fmin(
            top->grade, chain_reach(w->c, cosine, queries, (size_t)rows, kinds_of(u, top->film)));
    free(cosine);
    scored.clip = SCORED;
    return rows < 0 || push(u, &scored) < 0 ? ks_fail(e, KS_ENOMEM, "no memory for a query") : 0;
}

/* --- chains of a film --- */
static const float *cosines_at(const ks_ranking *w, const ks_film *f, int i, float *one)
{
    *one = (float)f->clips[i].cosine;
    return f->cosines ? f->cosines + (size_t)f->clips[i].row * (size_t)w->queries : one;
}

/* bars[unless, n]; NULL where there is no UNLESS or no memory. */
static char *find_bars(const ks_ranking *w, const ks_film *f)
{
    size_t n = (size_t)f->n;
    char *bars = calloc((size_t)w->c->unless * n + 1, 1);
    float one;

    for (int u = 0; u < w->c->unless && bars; u++)
        for (int i = 0; i < f->n; i++)
            bars[(size_t)u * n + (size_t)i] = (char)ks_is_unless(
                w->c, cosines_at(w, f, i, &one), w->c->n - w->c->unless + u, kind_of(&f->clips[i]));
    return bars;
}

static int run_chains(chains *c, const ks_ranking *w, const ks_film *f)
{
    const ks_combination *how = w->c;
    const char *at[KS_TERMS_MAX];
    double after[KS_TERMS_MAX];
    char *bars = find_bars(w, f);
    ks_sequence_ask ask = {.clips = f->clips,
                           .n = f->n,
                           .tb = f->tb,
                           .parts = how->parts,
                           .grades = c->grades,
                           .within = how->within,
                           .unless = how->unless,
                           .bars = at,
                           .after = after};
    int err;

    if (!bars) return KS_ENOMEM;
    for (int u = 0; u < how->unless; u++) {
        at[u] = bars + (size_t)u * (size_t)f->n;
        after[u] = how->at[how->n - how->unless + u].term.within;
    }
    err = ks_sequence_run(c->chain, c->before, &ask);
    free(bars);
    return err;
}

static int room_for_chains(queue *u)
{
    int room = u->films_room ? 2 * u->films_room : 16;
    chains *more;

    if (u->n_films < u->films_room) return 0;
    if (!(more = realloc(u->films, (size_t)room * sizeof *more))) return -1;
    u->films = more;
    u->films_room = room;
    return 0;
}

static int push_chains(queue *u, const ks_film *f)
{
    const ks_ranking *w = u->w;
    size_t n = (size_t)f->n, all = n * (size_t)w->c->parts, last = all - n;
    chains *c;
    float one;

    if (room_for_chains(u) < 0) return -1;
    c = &u->films[u->n_films++];
    *c = (chains){.grades = malloc(all * sizeof *c->grades + 1),
                  .chain = malloc(all * sizeof *c->chain + 1),
                  .before = malloc(all * sizeof *c->before + 1)};
    if (!c->grades || !c->chain || !c->before) return -1;
    for (int p = 0; p < w->c->parts; p++)
        for (int i = 0; i < f->n; i++)
            c->grades[(size_t)p * n + (size_t)i] = ks_part_grade(w->c, p, cosines_at(w, f, i, &one),
                                                                 kind_of(&f->clips[i]));
    if (run_chains(c, w, f) < 0) return -1;
    for (int i = 0; i < f->n; i++) {
        entry e = {.grade = c->chain[last + (size_t)i],
                   .own = c->grades[last + (size_t)i],
                   .id = f->clips[i].id,
                   .film = f->id,
                   .clip = i,
                   .slot = u->n_films - 1};
        if (push(u, &e) < 0) return -1;
    }
    return 0;
}

static int push_clips(queue *u, const ks_film *f)
{
    for (int i = 0; i < f->n; i++) {
        entry e = {.grade = f->clips[i].value, .id = f->clips[i].id, .film = f->id, .clip = i};
        if (push(u, &e) < 0) return -1;
    }
    return 0;
}

/* A film whose rows are rotten gives nothing: the index has counted that. */
static int read_film(queue *u, int64_t id, ks_error *e)
{
    ks_film *f;
    int err = ks_rank_film(&f, u->w, id, e);

    if (err < 0) return err == KS_EDAMAGED ? 0 : err;
    return (is_chain(u->w) ? push_chains(u, f) : push_clips(u, f)) < 0
               ? ks_fail(e, KS_ENOMEM, "no memory for a query")
               : 0;
}

/* --- hits --- */
/* The rows that a hit stands on, once more from the catalog: KS_EDAMAGED where one is rotten
 * there. */
static int confirm(ks_ranking *w, const int64_t *clips, int n, ks_error *e)
{
    int err = 0;

    for (int i = 0; i < n && err == 0; i++)
        err = ks_index_clip_vector(w->vector, w->dim, w->x, clips[i], e);
    return err;
}

/* Was at least half of it, or of what was shown, shown before? */
static int is_shown(const chains *c, int64_t start, int64_t end)
{
    for (int i = 0; i < c->n_shown; i++) {
        int64_t a = c->shown[2 * i], b = c->shown[2 * i + 1];
        int64_t from = a > start ? a : start, to = b < end ? b : end,
                shorter = b - a < end - start ? b - a : end - start;
        if (2 * (to - from) >= shorter) return 1;
    }
    return 0;
}

static int remember_shown(chains *c, int64_t start, int64_t end)
{
    int64_t *more = realloc(c->shown, ((size_t)c->n_shown + 1) * 2 * sizeof *more);

    if (!more) return -1;
    c->shown = more;
    more[2 * c->n_shown] = start;
    more[2 * c->n_shown++ + 1] = end;
    return 0;
}

static int fill_chain(ks_hit *h, ks_ranking *w, const ks_film *f, const chains *c, const int *at,
                      ks_error *e)
{
    int parts = w->c->parts,
        err = ks_hit_take(h, f) < 0 ? ks_fail(e, KS_ENOMEM, "no memory for hits") : 0;
    double least = INFINITY;

    for (int p = 0; p < parts && err == 0; p++) {
        const double *grades = c->grades + (size_t)p * (size_t)f->n;
        ks_moment m = {f->clips[at[p]].start, f->clips[at[p]].end, 0, 0};
        if (!w->o->apart) ks_moment_extent(&m, f->clips, grades, f->n, at[p]);
        ks_part_place place = {.p = p, .clip = &f->clips[at[p]], .start = m.start, .end = m.end};
        err = ks_rank_add_parts(h, &least, w, f, &place, e);
        h->start = p == 0 || m.start < h->start ? m.start : h->start;
        h->end = p == 0 || m.end > h->end ? m.end : h->end;
    }
    h->score = ks_rank_score(w, least);
    return err;
}

/* The clips of a chain from its end, and the time from its first to its last. */
static void trace(int *at, int64_t *start, int64_t *end, const chains *c, const ks_film *f,
                  int parts)
{
    for (int p = parts - 1; p > 0; p--)
        at[p - 1] = c->before[(size_t)p * (size_t)f->n + (size_t)at[p]];
    *start = f->clips[at[0]].start;
    *end = f->clips[at[0]].end;
    for (int p = 1; p < parts; p++) *end = f->clips[at[p]].end > *end ? f->clips[at[p]].end : *end;
}

/* ids [parts] of the chain's clips. 1: it becomes a hit, which then owns ids; 0: not. */
static int begin_chain(ks_hit **h, ks_ranking *w, ks_film *f, const int64_t *ids, ks_error *e)
{
    int err;

    for (int p = 0; p < w->c->parts; p++)
        if (w->o->not_clip && ids[p] == w->o->not_clip) return 0;
    if ((err = confirm(w, ids, w->c->parts, e)) < 0 ||
        (err = ks_rank_new_hit(h, w, f, ids, w->c->parts, e)) <= 0)
        return err;
    (*h)->clips = ids;
    (*h)->n_clips = w->c->parts;
    return 1;
}

static int take_chain(queue *u, const entry *top, ks_error *e)
{
    ks_ranking *w = u->w;
    int parts = w->c->parts, at[KS_TERMS_MAX], err;
    chains *c = &u->films[top->slot];
    int64_t *ids, start, end;
    ks_film *f;
    ks_hit *h;

    if ((err = ks_rank_film(&f, w, top->film, e)) < 0) return err;
    at[parts - 1] = top->clip;
    trace(at, &start, &end, c, f, parts);
    if (!w->o->apart && is_shown(c, start, end)) return 0;
    if (!(ids = malloc((size_t)parts * sizeof *ids)))
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    for (int p = 0; p < parts; p++) ids[p] = f->clips[at[p]].id;
    if ((err = begin_chain(&h, w, f, ids, e)) <= 0) free(ids);
    if (err == KS_EDAMAGED) return err;
    if (err >= 0 && remember_shown(c, start, end) < 0)
        return ks_fail(e, KS_ENOMEM, "no memory for hits");
    return err > 0 ? fill_chain(h, w, f, c, at, e) : err;
}

static int take_clip(queue *u, const entry *top, ks_error *e)
{
    const ks_scored *scored;
    ks_film *f;
    int err = ks_rank_film(&f, u->w, top->film, e);

    if (err < 0) return err;
    scored = &f->clips[top->clip];
    if (scored->taken) return 0;
    if ((err = confirm(u->w, &scored->id, 1, e)) < 0) return err;
    return ks_rank_consider(
        u->w,
        &(ks_clip){
            .id = scored->id, .video = top->film, .start = scored->start, .end = scored->end},
        e);
}

static int take(queue *u, ks_error *e)
{
    entry top = pop(u);
    int err;

    if (u->w->o->not_video && top.film == u->w->o->not_video) return 0;
    if (top.clip == BOUNDED) return score_film(u, &top, e);
    if (top.clip == SCORED) return read_film(u, top.film, e);
    err = is_chain(u->w) ? take_chain(u, &top, e) : take_clip(u, &top, e);
    return err == KS_EDAMAGED ? 0 : err;
}

static void close_queue(queue *u)
{
    for (int i = 0; i < u->n_films; i++) {
        free(u->films[i].grades);
        free(u->films[i].chain);
        free(u->films[i].before);
        free(u->films[i].shown);
    }
    free(u->films);
    free(u->heap);
    free(u->surveyed);
}

int ks_rank_films(ks_ranking *w, ks_error *e)
{
    queue u = {.w = w};
    int err = ks_rank_open_twins(w, e);

    if (err == 0 && w->c->gain != 1)
        err = ks_index_surveyed_films(&u.surveyed, &u.n_surveyed, w->x, e);
    if (err == 0) err = bound_films(&u, e);
    while (err == 0 && u.n > 0 && w->out->count < w->k) err = take(&u, e);
    close_queue(&u);
    return err;
}
