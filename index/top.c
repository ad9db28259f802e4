/* top.c - a heap of the k best. */
#include "index/top.h"

#include <stdlib.h>

static void sink(ks_neighbour *at, int count, int i)
{
    ks_neighbour moved = at[i];
    for (;;) {
        int child = 2 * i + 1;
        if (child >= count) break;
        if (child + 1 < count && ks_better(at[child], at[child + 1])) child++;
        if (!ks_better(moved, at[child])) break; /* moved is already the worst here */
        at[i] = at[child];
        i = child;
    }
    at[i] = moved;
}

void ks_top_add(ks_top *top, ks_neighbour n)
{
    if (top->k <= 0) return;
    if (top->count < top->k) {
        int i = top->count++;
        while (i > 0 && ks_better(top->at[(i - 1) / 2], n)) {
            top->at[i] = top->at[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        top->at[i] = n;
        return;
    }
    if (!ks_better(n, top->at[0])) return;
    top->at[0] = n;
    sink(top->at, top->count, 0);
}

static int by_rank(const void *a, const void *b)
{
    const ks_neighbour *p = a, *q = b;
    return ks_better(*q, *p) - ks_better(*p, *q);
}

void ks_top_sort(ks_top *top) { qsort(top->at, (size_t)top->count, sizeof *top->at, by_rank); }
