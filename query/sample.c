/* sample.c - clips that show as much of a library as so many can, and clips that are like no
 * others. */
#include "query/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A larger library is drawn from at random first: 20,000 clips are 60 MB at D 768, and a second
 * a hundred samples. */
enum { POOL = 20000, REFERENCE = 512, NEAREST = 5 };

typedef struct {
    ks_clip *clips;
    float *v; /* [n, dim] */
    int n, dim;
} pool;

static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static const float *at(const pool *p, int i) { return p->v + (size_t)i * (size_t)p->dim; }

/* Each clip that passes has the same chance (reservoir); clips whose vectors are rotten go. */
static int fill(pool *p, uint64_t *state, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_clip clip;
    int64_t seen = 0;
    int kept = 0, err = ks_index_clips(&c, x, f, e);

    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0) {
        int64_t to = seen < POOL ? seen : (int64_t)(draw(state) % (uint64_t)(seen + 1));
        seen++;
        if (to < POOL) p->clips[to] = clip;
    }
    ks_cursor_close(c);
    p->n = (int)(seen < POOL ? seen : POOL);
    if (err == 0 && !(p->v = malloc(((size_t)p->n + 1) * (size_t)p->dim * sizeof *p->v)))
        err = ks_fail(e, KS_ENOMEM, "no memory for a sample");
    for (int i = 0; i < p->n && err == 0; i++) {
        p->clips[kept] = p->clips[i];
        err = ks_index_clip_vector(p->v + (size_t)kept * (size_t)p->dim, p->dim, x, p->clips[i].id,
                                   e);
        kept += err == 0;
        err = err == KS_EDAMAGED ? 0 : err;
    }
    p->n = kept;
    return err < 0 ? err : 0;
}

static int open_pool(pool *p, uint64_t *state, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_library *l = malloc(sizeof *l);
    int err = l ? ks_index_library(l, x, e) : ks_fail(e, KS_ENOMEM, "no memory for a sample");

    *p = (pool){.dim = err == 0 ? l->space.dim : 0};
    free(l);
    if (err < 0 || p->dim == 0) return err;
    if (!(p->clips = malloc(POOL * sizeof *p->clips)))
        return ks_fail(e, KS_ENOMEM, "no memory for a sample");
    return fill(p, state, x, f, e);
}

static void close_pool(pool *p)
{
    free(p->clips);
    free(p->v);
}

/* The first at random, then always the one that is farthest from all before; ties by place in
 * the pool. */
static void farthest(ks_clip *out, int *n, const pool *p, int wanted, double *nearest,
                     uint64_t *state)
{
    int next = (int)(draw(state) % (uint64_t)p->n);

    for (int i = 0; i < p->n; i++) nearest[i] = -2;
    for (*n = 0; *n < wanted && *n < p->n; ++*n) {
        int picked = next;
        out[*n] = p->clips[picked];
        nearest[picked] = HUGE_VAL;
        next = -1;
        for (int i = 0; i < p->n; i++) {
            if (nearest[i] == HUGE_VAL) continue;
            nearest[i] = fmax(nearest[i], (double)ks_quick_dot(at(p, i), at(p, picked), p->dim));
            if (next < 0 || nearest[i] < nearest[next]) next = i;
        }
        if (next < 0) {
            ++*n;
            break;
        }
    }
}

int ks_sample(ks_clip *out, int *n, int wanted, uint64_t seed, ks_index *x, const ks_filter *f,
              ks_error *e)
{
    assert(out && n && wanted >= 0 && x);
    pool p;
    double *nearest = NULL;
    uint64_t state = seed;
    int err;

    assert(out && n && wanted >= 0);
    *n = 0;
    if ((err = open_pool(&p, &state, x, f, e)) == 0 && p.n > 0) {
        if ((nearest = malloc((size_t)p.n * sizeof *nearest)))
            farthest(out, n, &p, wanted, nearest, &state);
        else err = ks_fail(e, KS_ENOMEM, "no memory for a sample");
    }
    free(nearest);
    close_pool(&p);
    return err;
}

typedef struct {
    double near;
    int at;
} lonely;

static int by_near(const void *a, const void *b)
{
    const lonely *x = a, *y = b;

    if (x->near != y->near) return x->near < y->near ? -1 : 1;
    return x->at - y->at;
}

/* Mean of the largest cosines with the reference's clips of other films; of a library of one
 * film, that do not overlap. */
static double nearness(const pool *p, int i, const int *reference, int n, int one_film)
{
    double best[NEAREST], sum = 0;
    int kept = 0;

    for (int k = 0; k < n; k++) {
        const ks_clip *a = &p->clips[i], *b = &p->clips[reference[k]];
        double c;
        int to;
        if (one_film ? a->start < b->end && b->start < a->end : a->video == b->video) continue;
        c = (double)ks_quick_dot(at(p, i), at(p, reference[k]), p->dim);
        if (kept == NEAREST && c <= best[NEAREST - 1]) continue;
        for (to = kept < NEAREST ? kept++ : NEAREST - 1; to > 0 && c > best[to - 1]; to--)
            best[to] = best[to - 1];
        best[to] = c;
    }
    for (int k = 0; k < kept; k++) sum += best[k];
    return kept ? sum / kept : 1; /* nothing to compare with: no outlier */
}

static int rank_lonely(ks_outlier *out, int *n, const pool *p, int wanted, uint64_t *state,
                       ks_error *e)
{
    int *reference = malloc((size_t)p->n * sizeof *reference),
        m = p->n < REFERENCE ? p->n : REFERENCE, one_film = 1;
    lonely *rows = malloc((size_t)p->n * sizeof *rows);
    int err = reference && rows ? 0 : ks_fail(e, KS_ENOMEM, "no memory for outliers");

    for (int i = 0; i < p->n && err == 0; i++) {
        reference[i] = i;
        one_film &= p->clips[i].video == p->clips[0].video;
    }
    for (int i = 0; i < m && err == 0; i++) { /* m of them, each as likely */
        int with = i + (int)(draw(state) % (uint64_t)(p->n - i)), kept = reference[i];
        reference[i] = reference[with];
        reference[with] = kept;
    }
    for (int i = 0; i < p->n && err == 0; i++)
        rows[i] = (lonely){nearness(p, i, reference, m, one_film), i};
    if (err == 0) qsort(rows, (size_t)p->n, sizeof *rows, by_near);
    for (*n = 0; err == 0 && *n < wanted && *n < p->n; ++*n)
        out[*n] = (ks_outlier){p->clips[rows[*n].at], rows[*n].near};
    free(rows);
    free(reference);
    return err;
}

int ks_outliers(ks_outlier *out, int *n, int wanted, ks_index *x, const ks_filter *f, ks_error *e)
{
    assert(out && n && wanted >= 0 && x);
    pool p;
    uint64_t state = 1;
    int err;

    assert(out && n && wanted >= 0);
    *n = 0;
    if ((err = open_pool(&p, &state, x, f, e)) == 0 && p.n > 0)
        err = rank_lonely(out, n, &p, wanted, &state, e);
    close_pool(&p);
    return err;
}
