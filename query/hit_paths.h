/* hit_paths.h - the paths of a hit: one names it, the others are copies. */
#ifndef KS_HIT_PATHS_H
#define KS_HIT_PATHS_H

#include "query/query.h"

/* All paths of a video that pass the filter's glob: the first one (of those where a file is) names the hit (path, time
 * base, date), the others are copies. KS_EDAMAGED: it has none. */
int ks_hit_paths(ks_hit *h, ks_index *x, int64_t video, const ks_filter *filter, ks_error *e);
/* The paths of `same` become copies of `h`. < 0: no memory. */
int ks_hit_fold(ks_hit *h, const ks_hit *same);
void ks_hit_clear(ks_hit *h); /* what it owns */

#endif
