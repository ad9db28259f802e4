/* ranks.h - where the right answers of many queries stand, without keeping a score. */
#ifndef KS_EVAL_RANKS_H
#define KS_EVAL_RANKS_H

#include "eval/eval.h"

/* Cosines that are no farther apart are equal. One direction at two lengths gives cosines of at
 * most some 768 x 2^-53 apart; of 10^8 random ones some 0.001 lie so near to the one asked for. */
#define KS_EVAL_TIE 1e-12

/* One direction of a map: pair i says that gallery[i] is right for query[i]. */
typedef struct {
    const ks_eval_vectors *queries, *gallery;
    const uint8_t *skip; /* [gallery->n] 1: no candidate (later rows of a class); NULL: none */
    const int64_t *query, *right; /* [n] */
    int64_t n;
} ks_rank_job;

/* rank[queries->n]: 1 + the wrong ones that score at least as the best right one; 0: the query
 * has no right answer in the map; -candidates where it or all its right answers are missing.
 * tied[queries->n]: a wrong one has that score. */
int ks_rank_all(int64_t *rank, uint8_t *tied, const ks_rank_job *job, int64_t candidates,
                ks_error *e);

/* x.y, dimension by dimension in order. */
double ks_eval_dot(const double *x, const double *y, int64_t dim);

#endif
