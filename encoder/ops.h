/* ops.h - the small operations between the multiplications, each row by itself.
 *
 * Shape letters everywhere in encoder/: T frames, N tokens a frame (G*G), D width, H heads, dh = D/H
 * a head, F feed-forward width, m rows of a tile. `ld` counts floats from row to row. */
#ifndef KS_OPS_H
#define KS_OPS_H

#include "ks.h"

/* LayerNorm of the reference: y = x^ * (1 + scale) + bias, x^ = (x - mean) / sqrt(var + 1e-6). */
typedef struct {
    const float *scale, *bias; /* [D] */
} ks_norm;

/* y[m, D] from x[m, D]; y may be x. */
void ks_layer_norm(float *y, size_t ldy, const float *x, size_t ldx, int m, int D, const ks_norm *norm);
/* y[m, n] = y + bias[n], then the activation. */
typedef enum { KS_IDENTITY, KS_GELU, KS_RELU } ks_activation;
void ks_bias_activate(float *y, size_t ld, int m, int n, const float *bias, ks_activation activation);
/* x[m, n] += y[m, n] */
void ks_add(float *x, size_t ldx, const float *y, size_t ldy, int m, int n);
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
