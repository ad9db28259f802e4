/* bounds.h - what films can be worth at most to a question of several vectors. A part of
 * index.h, which others include. */
#ifndef KS_BOUNDS_H
#define KS_BOUNDS_H

#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ks_index;
struct ks_filter;
typedef struct {
    const float *q; /* [queries, dim], finite */
    int queries, dim, parts;
    const struct ks_filter *filter; /* NULL: all */
    /* worth[parts] of a clip whose cosines lie in low[queries] .. high[queries]: at most that.
     * Called by several threads. */
    void (*worth)(const void *arg, double *worth, const float *low, const float *high);
    const void *arg;
} ks_bounds_ask;
typedef struct {
    int64_t *video; /* [films] ascending: those with a clip that the filter lets through */
    double *most;   /* [films, parts] no clip of it is worth more */
    uint8_t *exact; /* [films] 1: some clip of it is in no copy, and was scored */
    int64_t films, searched, uncopied, damaged; /* as in ks_found, clips */
} ks_film_bounds;
int ks_index_film_bounds(ks_film_bounds *out, struct ks_index *x, const ks_bounds_ask *ask,
                         ks_error *e);
/* (*out)[queries, rows] of all clips of the film that one copy holds, in order of start; how many
 * rows; 0: no copy holds it, or several do. Filters are not asked. KS_ENOMEM. free() */
int64_t ks_index_film_cosines(float **out, struct ks_index *x, const float *q, int queries, int dim,
                              int64_t video);
void ks_film_bounds_free(ks_film_bounds *b); /* zeros are fine */

#ifdef __cplusplus
}
#endif
#endif
