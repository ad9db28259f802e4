/* dupe_films.c - see dupe_films.h. */
#include "query/dupe_films.h"

#include "query/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double alike = 0.95, mean_alike = 0.8, least_alike = 0.5, takes_alike = 0.6;
/* OFFSETS: a pair of films is laid over each other at the most frequent of them, of a tenth of a
 * second; TWINS: of one clip */
enum { OFFSETS = 64, TWINS = 256, FEW_FILMS = 8 };

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for so many clips"); }

double ks_likeness(const ks_dupe_films *d, double cosine)
{
    return (cosine - d->mean) / (1 - d->mean);
}

static double cosine_of(const ks_dupe_films *d, int clip, int other)
{
    return (double)ks_quick_dot(ks_twins_vector(d->twins, clip), ks_twins_vector(d->twins, other),
                                d->dim);
}

/* --- one film over another --- */
static double shared(const ks_dupe_clip *a, const ks_dupe_clip *b, double offset)
{
    return fmin(a->end, b->end + offset) - fmax(a->start, b->start + offset);
}

/* The clip of film f that shares most with b, moved by the offset; -1: none shares half. */
static int partner(const ks_dupe_films *d, const ks_dupe_film *f, const ks_dupe_clip *b,
                   double offset)
{
    const ks_dupe_clip *at = d->clips + f->first;
    int low = 0, high = f->n, best = -1;
    double most = 0;

    while (low < high) { /* the first that begins behind b's end */
        int middle = low + (high - low) / 2;
        if (at[middle].start < b->end + offset) low = middle + 1;
        else high = middle;
    }
    for (int i = low - 1; i >= 0 && at[i].start > b->start + offset - 2 * (b->end - b->start) - 60;
         i--) {
        double s = shared(&at[i], b, offset),
               shorter = fmin(at[i].end - at[i].start, b->end - b->start);
        if (s < shorter / 2 - 1e-6 || s < most) continue;
        most = s;
        best = f->first + i;
    }
    return best;
}

typedef struct {
    double likeness, cosine; /* sums over the clips, partnerless ones at 0 */
    double least, best;
    int from, n; /* of a run: its first clip, how many */
    double run;  /* its sum */
} laid;

/* A run is over: is it the longest that is one? */
static void end_run(laid *l, int from, int n, double sum, double best, double cosine)
{
    if (n < 2 || sum < mean_alike * n || best < alike || n <= l->n) return;
    l->from = from;
    l->n = n;
    l->run = cosine;
}

/* Film b over film a at the offset. */
static void lay(laid *l, const ks_dupe_films *d, const ks_dupe_film *a, const ks_dupe_film *b,
                double offset)
{
    int from = 0, n = 0;
    double sum = 0, best = 0, cosines = 0;

    *l = (laid){.least = 1};
    for (int i = b->first; i < b->first + b->n; i++) {
        int p = partner(d, a, &d->clips[i], offset);
        double c = p < 0 ? d->mean : cosine_of(d, i, p), k = fmax(0, ks_likeness(d, c));
        l->likeness += k;
        l->cosine += c;
        l->least = fmin(l->least, k);
        l->best = fmax(l->best, k);
        if (k < least_alike) {
            end_run(l, from, n, sum, best, cosines);
            n = 0;
            continue;
        }
        if (n == 0) {
            from = i;
            sum = best = cosines = 0;
        }
        n++;
        sum += k;
        cosines += c;
        best = fmax(best, k);
    }
    end_run(l, from, n, sum, best, cosines);
}

static int holds(const laid *l, const ks_dupe_film *b)
{
    return l->least >= least_alike && l->likeness >= mean_alike * b->n && l->best >= alike;
}

/* What of film f shows [from, to) seconds: no more than its clips do. */
static void cut_to(int64_t *from, int64_t *to, const ks_dupe_film *f, double start, double end)
{
    ks_timebase tb = f->video.tb;
    int64_t first = (int64_t)llround(start * tb.den / tb.num),
            last = (int64_t)llround(end * tb.den / tb.num);

    *from = first > *from ? first : *from;
    *to = last < *to ? last : *to;
}

static void share_run(ks_dupe_pair *p, const ks_dupe_films *d, const laid *l, double offset)
{
    double start = d->clips[l->from].start, end = start;

    p->clips = l->n;
    p->cosine = l->run / l->n;
    p->b_from = d->clips[l->from].from;
    p->a_from = INT64_MAX;
    p->a_to = p->b_to = INT64_MIN;
    for (int i = l->from; i < l->from + l->n; i++) {
        const ks_dupe_clip *b = &d->clips[i], *a = &d->clips[partner(d, &d->at[p->a], b, offset)];
        end = fmax(end, b->end);
        p->b_to = b->to > p->b_to ? b->to : p->b_to;
        p->a_from = a->from < p->a_from ? a->from : p->a_from;
        p->a_to = a->to > p->a_to ? a->to : p->a_to;
    }
    cut_to(&p->a_from, &p->a_to, &d->at[p->a], start + offset, end + offset);
}

/* offsets[n]. What it finds goes into *p: holding both ways before one, one before a part. */
static void compare(ks_dupe_pair *p, const ks_dupe_films *d, const double *offsets, int n)
{
    const ks_dupe_film *a = &d->at[p->a], *b = &d->at[p->b];
    double best = -1;

    for (int i = 0; i < n; i++) {
        laid over, under;
        int a_holds, b_holds;
        lay(&over, d, a, b, offsets[i]);
        lay(&under, d, b, a, -offsets[i]);
        a_holds = holds(&over, b), b_holds = holds(&under, a);
        if (a_holds + b_holds > p->a_holds + p->b_holds ||
            (a_holds + b_holds && a_holds + b_holds == p->a_holds + p->b_holds &&
             over.likeness > best)) {
            p->a_holds = a_holds, p->b_holds = b_holds;
            p->cosine = a_holds ? over.cosine / b->n : under.cosine / a->n;
            best = over.likeness;
        } else if (!p->a_holds && !p->b_holds && over.n > p->clips)
            share_run(p, d, &over, offsets[i]);
    }
}

/* --- offsets --- */
typedef struct {
    int film;
    int64_t tenths;
    int count;
} vote;

static int by_film(const void *x, const void *y)
{
    const vote *a = x, *b = y;

    if (a->film != b->film) return a->film < b->film ? -1 : 1;
    return (a->tenths > b->tenths) - (a->tenths < b->tenths);
}

static int by_count(const void *x, const void *y)
{
    const vote *a = x, *b = y;

    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    return (a->tenths > b->tenths) - (a->tenths < b->tenths);
}

typedef struct {
    vote *at;
    int n, room;
} votes;

static int add_vote(votes *v, const ks_dupe_films *d, int film, int clip, int of)
{
    if (v->n == v->room) {
        int room = v->room * 2 + 256;
        vote *more = realloc(v->at, (size_t)room * sizeof *more);
        if (!more) return -1;
        v->at = more;
        v->room = room;
    }
    v->at[v->n++] = (vote){film, (int64_t)llround((d->clips[clip].start - d->clips[of].start) * 10),
                           1};
    return 0;
}

/* Equal ones become one, of their number; how many are left of at[n], sorted by_film. */
static int count_votes(vote *at, int n)
{
    int kept = 0;

    for (int i = 0; i < n; i++) {
        if (kept && at[kept - 1].film == at[i].film && at[kept - 1].tenths == at[i].tenths)
            at[kept - 1].count++;
        else at[kept++] = at[i];
    }
    return kept;
}

static int keep_pair(ks_dupe_films *d, const ks_dupe_pair *p)
{
    if (d->n_pairs == d->pairs_room) {
        int room = d->pairs_room * 2 + 64;
        ks_dupe_pair *more = realloc(d->pairs, (size_t)room * sizeof *more);
        if (!more) return -1;
        d->pairs = more;
        d->pairs_room = room;
    }
    d->pairs[d->n_pairs++] = *p;
    return 0;
}

/* at[n]: the votes for one pair of films. < 0: no memory. */
static int judge(ks_dupe_films *d, int a, int b, vote *at, int n)
{
    ks_dupe_pair p = {.a = a, .b = b};
    double offsets[OFFSETS];
    int some = n < OFFSETS ? n : OFFSETS;

    qsort(at, (size_t)n, sizeof *at, by_count);
    for (int i = 0; i < some; i++) offsets[i] = (double)at[i].tenths / 10;
    compare(&p, d, offsets, some);
    if (!p.a_holds && !p.b_holds && !p.clips) return 0;
    return keep_pair(d, &p) < 0 ? -1 : p.a_holds || p.b_holds;
}

int ks_dupe_compare(ks_dupe_films *d, int a, int b)
{
    const ks_dupe_film *f = &d->at[a], *g = &d->at[b];
    votes v = {0};
    int failed = 0;

    for (int i = f->first; i < f->first + f->n && !failed; i++)
        for (int k = g->first; k < g->first + g->n && !failed; k++)
            if (ks_likeness(d, cosine_of(d, i, k)) >= alike) failed = add_vote(&v, d, a, i, k) < 0;
    if (!failed && v.n) {
        qsort(v.at, (size_t)v.n, sizeof *v.at, by_film);
        failed = judge(d, a, b, v.at, count_votes(v.at, v.n));
    }
    free(v.at);
    return failed;
}

static int by_pair(const void *x, const void *y)
{
    const ks_dupe_pair *a = x, *b = y;

    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

void ks_dupe_sort(ks_dupe_films *d)
{
    if (d->n_pairs) qsort(d->pairs, (size_t)d->n_pairs, sizeof *d->pairs, by_pair);
}

const ks_dupe_pair *ks_dupe_pair_of(const ks_dupe_films *d, int a, int b)
{
    ks_dupe_pair wanted = {.a = a < b ? a : b, .b = a < b ? b : a};

    if (!d->n_pairs) return NULL;
    return bsearch(&wanted, d->pairs, (size_t)d->n_pairs, sizeof wanted, by_pair);
}

/* --- reading --- */
static int room_for_clip(ks_dupe_films *d)
{
    if (d->n_clips == d->clips_room) {
        int room = d->clips_room * 2 + 256;
        ks_dupe_clip *more = realloc(d->clips, (size_t)room * sizeof *more);
        if (!more) return -1;
        d->clips = more;
        d->clips_room = room;
    }
    return 0;
}

/* Which film a clip is of: the last that begins at or before it. */
static int film_of(const ks_dupe_films *d, int clip, int films)
{
    int low = 0, high = films;

    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (d->at[middle].first <= clip) low = middle;
        else high = middle;
    }
    return low;
}

static int take_clip(ks_dupe_films *d, votes *v, int film, const ks_clip *c, const float *vector)
{
    int twins[TWINS], n = ks_twins_all(twins, TWINS, d->twins, vector, film);
    ks_timebase tb = d->at[film].video.tb;

    if (room_for_clip(d) < 0 || ks_twins_add(d->twins, vector, film) < 0) return -1;
    d->clips[d->n_clips++] = (ks_dupe_clip){ks_seconds(c->start, tb), ks_seconds(c->end, tb),
                                            c->start, c->end};
    d->at[film].n++;
    for (int i = 0; i < n; i++)
        if (add_vote(v, d, film_of(d, twins[i], film), twins[i], d->n_clips - 1) < 0) return -1;
    return 0;
}

/* A film of which a row is rotten has no clips here: what holds it cannot be said. */
static int read_film(ks_dupe_films *d, votes *v, ks_index *x, int film, float *vector, ks_error *e)
{
    ks_filter f = {.video = d->at[film].video.id};
    ks_cursor *c = NULL;
    ks_clip clip;
    int err, rotten = 0;

    d->at[film].first = d->n_clips;
    if (d->at[film].video.flags & KS_VIDEO_SURVEY) return 0;
    err = ks_index_clips(&c, x, &f, e);
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) != 0) {
        if (err > 0) err = ks_index_clip_vector(vector, d->dim, x, clip.id, e);
        rotten |= err == KS_EDAMAGED;
        err = err == KS_EDAMAGED ? 0 : err;
        if (err == 0 && !rotten && take_clip(d, v, film, &clip, vector) < 0) err = no_memory(e);
        if (err < 0) break;
    }
    ks_cursor_close(c);
    if (rotten) d->at[film].n = 0, v->n = 0;
    return err < 0 ? err : 0;
}

int ks_dupe_find(ks_dupe_films *d, ks_index *x, ks_error *e)
{
    float *vector = malloc((size_t)d->dim * sizeof *vector);
    votes v = {0};
    int err = 0;

    d->twins = ks_twins_open(d->dim, d->mean + alike * (1 - d->mean));
    if (!vector || !d->twins) err = no_memory(e);
    for (int b = 0; b < d->n && err == 0; b++) {
        v.n = 0;
        if ((err = read_film(d, &v, x, b, vector, e)) < 0) break;
        if (v.n) qsort(v.at, (size_t)v.n, sizeof *v.at, by_film);
        v.n = count_votes(v.at, v.n);
        for (int i = 0, to; i < v.n && err == 0; i = to) {
            int a = v.at[i].film;
            for (to = i; to < v.n && v.at[to].film == a; to++) {}
            if (d->at[a].n && judge(d, a, b, v.at + i, to - i) < 0) err = no_memory(e);
        }
    }
    ks_dupe_sort(d);
    free(v.at);
    free(vector);
    return err;
}

/* --- takes --- */
static int each_has_one(const ks_dupe_films *d, const ks_dupe_film *a, const ks_dupe_film *b)
{
    for (int i = a->first; i < a->first + a->n; i++) {
        int has = 0;
        for (int k = b->first; k < b->first + b->n && !has; k++)
            has = ks_likeness(d, cosine_of(d, i, k)) >= least_alike;
        if (!has) return 0;
    }
    return 1;
}

/* v[dim] = unit(the film's mean - share of centre) */
static void middle(float *v, const ks_dupe_films *d, const ks_dupe_film *f, const float *centre,
                   float share)
{
    double length;

    for (int k = 0; k < d->dim; k++) v[k] = -share * centre[k];
    for (int i = f->first; i < f->first + f->n; i++)
        for (int k = 0; k < d->dim; k++) v[k] += ks_twins_vector(d->twins, i)[k] / (float)f->n;
    length = sqrt(ks_dot(v, v, d->dim));
    for (int k = 0; k < d->dim; k++) v[k] = (float)(v[k] / fmax(length, 1e-12));
}

int ks_dupe_takes(const ks_dupe_films *d, const float *centre,
                  int (*takes)(void *arg, int a, int b, double cosine), void *arg, ks_error *e)
{
    size_t dim = (size_t)d->dim;
    int *of = malloc(((size_t)d->n + 1) * sizeof *of), n = 0, stop = 0;
    float *v = malloc(((size_t)d->n + 1) * dim * sizeof *v);

    for (int i = 0; of && v && i < d->n; i++)
        if (d->at[i].n && !d->at[i].held) of[n++] = i;
    for (int i = 0; i < n; i++)
        middle(v + (size_t)i * dim, d, &d->at[of[i]], centre, (float)n / (float)(n + FEW_FILMS));
    for (int i = 0; i < n && !stop; i++)
        for (int k = i + 1; k < n && !stop; k++) {
            double c = (double)ks_quick_dot(v + (size_t)i * dim, v + (size_t)k * dim, d->dim);
            const ks_dupe_film *a = &d->at[of[i]], *b = &d->at[of[k]];
            if (c >= takes_alike && each_has_one(d, a, b) && each_has_one(d, b, a))
                stop = takes(arg, of[i], of[k], c);
        }
    stop = of && v ? 0 : no_memory(e);
    free(v);
    free(of);
    return stop;
}

void ks_dupe_close(ks_dupe_films *d)
{
    for (int i = 0; i < d->n; i++) free((char *)(uintptr_t)d->at[i].video.path);
    free(d->at);
    free(d->clips);
    free(d->pairs);
    ks_twins_close(d->twins);
    *d = (ks_dupe_films){0};
}
