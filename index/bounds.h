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
    int64_t films, searched, uncopied, damaged; /* as in ks_found, clips */
} ks_film_bounds;
int ks_index_film_bounds(ks_film_bounds *out, struct ks_index *x, const ks_bounds_ask *ask,
                         ks_error *e);
void ks_film_bounds_free(ks_film_bounds *b); /* zeros are fine */

#ifdef __cplusplus
}
#endif
#endif
