/* top.h - the k best neighbours seen so far: higher cosine first, ties by smaller clip id. */
#ifndef KS_TOP_H
#define KS_TOP_H

#include "index/index.h"

typedef struct {
    ks_neighbour *at; /* heap, the worst at [0]; room for k; owned by the caller */
    int count, k;
} ks_top;

static inline int ks_better(ks_neighbour a, ks_neighbour b)
{
    return a.cosine > b.cosine || (a.cosine == b.cosine && a.clip < b.clip);
}

void ks_top_add(ks_top *top, ks_neighbour n);
void ks_top_sort(ks_top *top); /* best first; no more adding */

#endif
