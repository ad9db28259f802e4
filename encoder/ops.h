/* ops.h - the small operations between the multiplications, each row by itself.
 *
 * Shape letters everywhere in encoder/: T frames, N tokens a frame (G*G), D width, H heads, dh =
 * D/H a head, F feed-forward width, m rows of a tile. `ld` counts floats from row to row. */
#ifndef KS_OPS_H
#define KS_OPS_H

#include "ks.h"

/* LayerNorm of the reference: y = x^ * (1 + scale) + bias, x^ = (x - mean) / sqrt(var + 1e-6). */
typedef struct {
    const float *scale, *bias; /* [D] */
} ks_norm;

/* GELU: x (1 + erf(x / sqrt 2)) / 2 */
typedef enum { KS_IDENTITY, KS_GELU, KS_RELU } ks_activation;
/* v[D] / sqrt(sum v^2 + 1e-12) */
void ks_unit(float *v, int D);
float ks_softplus(float x); /* log(1 + e^x) */

/* Patches first..first+m-1 of a picture [G*P, G*P, 3]: y[m, P*P*3], order (row, column, channel).
 * uint8 is divided by 255. */
typedef struct {
    const void *px;
    int is_float, G, P;
} ks_picture;
void ks_patches(float *y, size_t ld, const ks_picture *picture, int first, int m);

#endif
