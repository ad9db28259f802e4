/* product.h - a tile of rows times panels of a matrix, on one thread. */
#ifndef KS_PRODUCT_H
#define KS_PRODUCT_H

#include "encoder/panels.h"

typedef struct {
    const ks_kernels *kernels;
    const ks_matrix *w;
    /* [m, lda] groups of w's precision; K tail of zeros or anything finite */
    const void *a;
    size_t lda;
    const float *row_scale; /* [m], integers only */
    int m;
    int first, panels;    /* columns 32 * first ... */
    size_t group, groups; /* part of K: groups group ... (integers: a whole block) */
} ks_product;

/* Every 32 columns go through the sink, whose y, bias belong to column 32 * first, masked to row
 * 0. */
void ks_product_run(const ks_product *p, const ks_sink *sink);
/* All of K, all of N. */
ks_product ks_product_of(const ks_kernels *k, const ks_matrix *w, const void *a, size_t lda, int m);

#endif
