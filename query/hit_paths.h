/* hit_paths.h - the paths of a hit: one names it, the others are copies, the first KS_HIT_COPIES
 * of them by name. */
#ifndef KS_HIT_PATHS_H
#define KS_HIT_PATHS_H

#include "query/film_rows.h"

/* The film's first path names the hit, its others are copies; its facts become the hit's. < 0:
 * no memory. */
int ks_hit_take(ks_hit *h, const ks_film *f);
/* Film `film` shows the same as hit number `hit`: its paths become copies of it, once a film. */
typedef struct {
    int hit, order; /* order: as they were met */
    int64_t film;
} ks_fold;
/* < 0: no memory. folds[n] is sorted anew; every film was read already. */
int ks_hits_fold(ks_hits *hits, ks_fold *folds, int n, const ks_films *films);
void ks_hit_clear(ks_hit *h); /* what it owns */

#endif
