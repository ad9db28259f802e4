/* twins.c - near-duplicates among kept vectors, by comparing all of a few and by signed
 * projections of many. */
#include "query/twins.h"

#include "query/calibrate.h"

#include <stdlib.h>
#include <string.h>

/* 48 keys of 16 bits. At the bound the angle about the mean is 0.318 rad: a sign agrees with
 * 0.899, a key with 0.18, none of
 * 48 does in 7e-5 of cases. Strangers share one key in 1,400 pairs: of those, 256 more signs
 * differ in half (128 +- 8), in
 * 26 +- 5 at the bound: what differs in more than FAR is not compared, 3 KiB from memory a pair
 * saved. A chain of a crowded key ends after FULL: what is filed no more may be shown beside its
 * twin, and a library that is one still picture does not cost the square of its clips. */
enum { TABLES = 48, BITS = 16, FULL = 64, WORDS = 4, FAR = 60 };

/* A key has one sign more (the next key's first) whenever as many are kept as two a key, so that
 * a key is not shared by ever more strangers: 400,000 kept took 140 us each with 16 signs alone. Of
 * 19, from 524,288 on, none of 48 keys agrees in 1e-3 of cases at the bound (reckoned as above). */
enum { MOST_BITS = 19 };

typedef struct {
    int32_t first, last, count;
} chain;

typedef struct {
    int64_t film;
    uint64_t signs[WORDS]; /* once there are keys */
} sketch;

struct ks_twins {
    int dim, n, room;
    int width; /* of the transform: a power of two >= dim and the signs asked of it */
    double least;
    float *vectors;   /* [n, dim] */
    sketch *sketches; /* [n] */
    /* [dim] of the first KS_TWINS_PLAIN; NULL: few so far, all are compared */
    float *mean;
    int bits;
    chain *chains; /* [TABLES, 1 << bits] */
    int32_t *next; /* [room, TABLES] within a chain; -1 = its end */
    float *work;   /* [width] */
    /* of the vector that was looked for last: it is mostly the one that is added */
    uint32_t keys[TABLES];
    sketch last;
    /* 1: keys and last are those of the vector that ks_twins_find was asked for */
    int drawn;
    int64_t compared;
};

ks_twins *ks_twins_open(int dim, double least)
{
    ks_twins *t = calloc(1, sizeof *t);

    if (!t) return NULL;
    t->dim = dim;
    t->least = least;
    for (t->width = 1; t->width < dim || t->width < TABLES * BITS + WORDS * 64; t->width *= 2)
        ;
    return t;
}

void ks_twins_close(ks_twins *t)
{
    if (!t) return;
    free(t->vectors);
    free(t->sketches);
    free(t->mean);
    free(t->chains);
    free(t->next);
    free(t->work);
    free(t);
}

int64_t ks_twins_compared(const ks_twins *t) { return t->compared; }

/* --- keys --- */
/* +1 or -1 for place i, the same in every process. */
static float sign_at(uint32_t i)
{
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    return (z >> 40) & 1 ? 1.0f : -1.0f;
}

/* Signs of `width` random directions at once: random signs, then the Walsh-Hadamard transform. A
 * short vector is laid several times side by side, each time with other signs, so that no two
 * directions are the same. */
static void draw(ks_twins *t, const float *v)
{
    float *w = t->work;
    int used = t->width / t->dim * t->dim;

    for (int i = 0; i < t->width; i++)
        w[i] = i < used ? (v[i % t->dim] - t->mean[i % t->dim]) * sign_at((uint32_t)i) : 0;
    for (int half = 1; half < t->width; half *= 2)
        for (int i = 0; i < t->width; i += 2 * half)
            for (int j = i; j < i + half; j++) {
                float a = w[j], b = w[j + half];
                w[j] = a + b;
                w[j + half] = a - b;
            }
    for (int k = 0; k < TABLES; k++) {
        uint32_t key = 0;
        for (int b = 0; b < t->bits; b++)
            key = key << 1 | (w[(k * BITS + b) % (TABLES * BITS)] > 0);
        t->keys[k] = key;
    }
    for (int i = 0; i < WORDS; i++) {
        uint64_t word = 0;
        for (int b = 0; b < 64; b++) word = word << 1 | (w[TABLES * BITS + i * 64 + b] > 0);
        t->last.signs[i] = word;
    }
}

static chain *chain_of(const ks_twins *t, int table)
{
    return &t->chains[((size_t)table << t->bits) + t->keys[table]];
}

/* The vector at `at` under the keys that were drawn of it. */
static void file_under(ks_twins *t, int at)
{
    memcpy(t->sketches[at].signs, t->last.signs, sizeof t->last.signs);
    for (int k = 0; k < TABLES; k++) {
        chain *c = chain_of(t, k);
        t->next[(size_t)at * TABLES + (size_t)k] = -1;
        if (c->count >= FULL) continue;
        if (c->count++) t->next[(size_t)c->last * TABLES + (size_t)k] = at;
        else c->first = at;
        c->last = at;
    }
}

/* All that is kept, under keys of so many signs. */
static int file_all(ks_twins *t, int bits)
{
    free(t->chains);
    t->bits = bits;
    t->chains = calloc((size_t)TABLES << bits, sizeof *t->chains);
    if (!t->chains) return -1;
    for (int i = 0; i < t->n; i++) {
        draw(t, t->vectors + (size_t)i * (size_t)t->dim);
        file_under(t, i);
    }
    return 0;
}

static int begin_filing(ks_twins *t)
{
    t->mean = calloc((size_t)t->dim, sizeof *t->mean);
    t->work = malloc((size_t)t->width * sizeof *t->work);
    t->next = malloc((size_t)t->room * TABLES * sizeof *t->next);
    if (!t->mean || !t->work || !t->next) return -1;
    for (int i = 0; i < t->n; i++)
        for (int d = 0; d < t->dim; d++)
            t->mean[d] += t->vectors[(size_t)i * (size_t)t->dim + (size_t)d] / (float)t->n;
    return file_all(t, BITS);
}

/* --- keeping and finding --- */
static int room_for_one(ks_twins *t)
{
    int room = t->room ? t->room * 2 : 16;
    float *v;
    sketch *sketches;
    int32_t *next = NULL;

    if (t->n < t->room) return 0;
    if (!(v = realloc(t->vectors, (size_t)room * (size_t)t->dim * sizeof *v))) return -1;
    t->vectors = v;
    if (!(sketches = realloc(t->sketches, (size_t)room * sizeof *sketches))) return -1;
    t->sketches = sketches;
    if (t->mean && !(next = realloc(t->next, (size_t)room * TABLES * sizeof *next))) return -1;
    if (t->mean) t->next = next;
    t->room = room;
    return 0;
}

int ks_twins_add(ks_twins *t, const float *v, int64_t film)
{
    if (room_for_one(t) < 0) return -1;
    memcpy(t->vectors + (size_t)t->n * (size_t)t->dim, v, (size_t)t->dim * sizeof *v);
    t->sketches[t->n++].film = film;
    if (t->mean && t->bits < MOST_BITS && t->n > 2 << t->bits) {
        if (file_all(t, t->bits + 1) < 0) return -1;
    } else if (t->mean) {
        if (!t->drawn) draw(t, v);
        file_under(t, t->n - 1);
    } else if (t->n == KS_TWINS_PLAIN && begin_filing(t) < 0) return -1;
    t->drawn = 0;
    return t->n - 1;
}

/* The true sum decides where the quick one is near. */
static int is_twin(ks_twins *t, int at, const float *v)
{
    const float *w = t->vectors + (size_t)at * (size_t)t->dim;

    t->compared++;
    return (double)ks_quick_dot(v, w, t->dim) > t->least - 1e-3 && ks_dot(v, w, t->dim) >= t->least;
}

static int differing(const sketch *a, const sketch *b)
{
    int n = 0;

    for (int i = 0; i < WORDS; i++) n += __builtin_popcountll(a->signs[i] ^ b->signs[i]);
    return n;
}

static int find_plain(ks_twins *t, const float *v, int64_t film)
{
    for (int i = 0; i < t->n; i++)
        if (t->sketches[i].film != film && is_twin(t, i, v)) return i;
    return -1;
}

int ks_twins_find(ks_twins *t, const float *v, int64_t film)
{
    int best = t->n;

    if (!t->mean) return find_plain(t, v, film);
    draw(t, v);
    t->drawn = 1;
    for (int k = 0; k < TABLES; k++) /* 48 places in 36 MiB and more: asked for together */
        __builtin_prefetch(chain_of(t, k));
    for (int k = 0; k < TABLES; k++) {
        const chain *c = chain_of(t, k);
        if (c->count) __builtin_prefetch(&t->sketches[c->first]);
    }
    for (int k = 0; k < TABLES; k++) {
        const chain *c = chain_of(t, k);
        for (int i = c->count ? c->first : -1; i >= 0 && i < best;
             i = t->next[(size_t)i * TABLES + (size_t)k])
            if (t->sketches[i].film != film && differing(&t->sketches[i], &t->last) <= FAR &&
                is_twin(t, i, v))
                best = i;
    }
    return best < t->n ? best : -1;
}

/* --- all of them --- */
static int by_place(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* at[TABLES * FULL]: what shares a key, each once; how many. */
static int sharing(int *at, ks_twins *t, const float *v, int64_t film)
{
    int n = 0, kept = 0;

    draw(t, v);
    t->drawn = 1;
    for (int k = 0; k < TABLES; k++) {
        const chain *c = chain_of(t, k);
        for (int i = c->count ? c->first : -1; i >= 0; i = t->next[(size_t)i * TABLES + (size_t)k])
            if (t->sketches[i].film != film && differing(&t->sketches[i], &t->last) <= FAR)
                at[n++] = i;
    }
    qsort(at, (size_t)n, sizeof *at, by_place);
    for (int i = 0; i < n; i++)
        if (kept == 0 || at[kept - 1] != at[i]) at[kept++] = at[i];
    return kept;
}

int ks_twins_all(int *out, int most, ks_twins *t, const float *v, int64_t film)
{
    int at[TABLES * FULL], n = 0, some = t->mean ? sharing(at, t, v, film) : t->n;

    for (int i = 0; i < some && n < most; i++) {
        int of = t->mean ? at[i] : i;
        if (t->sketches[of].film != film && is_twin(t, of, v)) out[n++] = of;
    }
    return n;
}

const float *ks_twins_vector(const ks_twins *t, int at)
{
    return t->vectors + (size_t)at * (size_t)t->dim;
}
