/* sequence.c - one walk over a film's clips for each part, with a heap of the chains that may
 * still be continued. */
#include "query/sequence.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    const ks_sequence_ask *ask;
    const double *grade, *own; /* [n] chains of the part before; their last clips */
    int *heap;                 /* [count] clips, the best first */
    int count;
} open_chains;

static int better(const open_chains *o, int a, int b)
{
    if (o->grade[a] != o->grade[b]) return o->grade[a] > o->grade[b];
    if (o->own[a] != o->own[b]) return o->own[a] > o->own[b];
    return o->ask->clips[a].id < o->ask->clips[b].id;
}

static void push(open_chains *o, int clip)
{
    int i = o->count++;

    for (; i > 0 && better(o, clip, o->heap[(i - 1) / 2]); i = (i - 1) / 2)
        o->heap[i] = o->heap[(i - 1) / 2];
    o->heap[i] = clip;
}

static void pop(open_chains *o)
{
    int moved = o->heap[--o->count], i = 0;

    for (;;) {
        int child = 2 * i + 1;
        if (child >= o->count) break;
        if (child + 1 < o->count && better(o, o->heap[child + 1], o->heap[child])) child++;
        if (!better(o, o->heap[child], moved)) break;
        o->heap[i] = o->heap[child];
        i = child;
    }
    if (o->count) o->heap[i] = moved;
}

/* Chains of part p from those of part p - 1. What is too old for one clip is so for all later
 * ones. */
static void continue_chains(double *grade, int *before, open_chains *o, int p)
{
    const ks_sequence_ask *a = o->ask;
    const double *own = a->grades + (size_t)p * (size_t)a->n;
    int next = 0;

    o->count = 0;
    for (int i = 0; i < a->n; i++) {
        for (; next < a->n && a->clips[next].start < a->clips[i].start; next++)
            if (o->grade[next] > -INFINITY) push(o, next);
        while (o->count &&
               ks_seconds(a->clips[i].start - a->clips[o->heap[0]].end, a->tb) > a->within[p])
            pop(o);
        before[i] = o->count ? o->heap[0] : -1;
        grade[i] = o->count ? fmin(own[i], o->grade[o->heap[0]]) : -INFINITY;
    }
}

/* Takes out the ends that a bar follows: the next bar that starts later is the first that could. */
static void obey(double *grade, const ks_sequence_ask *a, int u)
{
    int bar = -1; /* the first one that starts after the clips looked at */

    for (int i = a->n - 1, same = a->n - 1; i >= 0; i = same) {
        while (same >= 0 && a->clips[same].start == a->clips[i].start) {
            if (bar >= 0 &&
                ks_seconds(a->clips[bar].start - a->clips[same].end, a->tb) <= a->after[u])
                grade[same] = -INFINITY;
            same--;
        }
        for (int j = i; j > same; j--) bar = a->bars[u][j] ? j : bar;
    }
}

int ks_sequence_run(double *grade, int *before, const ks_sequence_ask *a)
{
    size_t n = (size_t)a->n;
    open_chains o = {.ask = a, .heap = malloc((n + 1) * sizeof *o.heap)};

    if (!o.heap) return KS_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        grade[i] = a->grades[i];
        before[i] = -1;
    }
    for (int p = 1; p < a->parts; p++) {
        size_t at = (size_t)p * n;
        o.grade = grade + at - n;
        o.own = a->grades + at - n;
        continue_chains(grade + at, before + at, &o, p);
    }
    for (int u = 0; u < a->unless; u++) obey(grade + (size_t)(a->parts - 1) * n, a, u);
    free(o.heap);
    return 0;
}
