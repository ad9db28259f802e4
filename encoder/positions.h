/* positions.h - position embeddings: trained ones at another size, sinusoids for text. */
#ifndef KS_POSITIONS_H
#define KS_POSITIONS_H

#include "ks.h"

/* Weight of input place i for output place o in bilinear resampling from in to out places, as
 * jax.image.resize has it: half-pixel centres, the triangle widened by in/out when shrinking, the
 * weights of one output sum to 1. */
float ks_resample_weight(int in, int out, int o, int i);
/* Temporal: y[T, D] from x[T0, D]. */
void ks_positions_time(float *y, const float *x, int T0, int T, int D);
/* Spatial: y[G*G, D] from x[G0*G0, D]; rows first, then columns, each with ks_resample_weight. */
void ks_positions_grid(float *y, const float *x, int G0, int G, int D);
/* Text: y[n, D] = [sin(p t_i) | cos(p t_i)], t_i = 10000^(-i / (D/2 - 1)), p = 0..n-1. In double:
 * the official code rounds the angles to float, which costs it 4e-6 at position 63. */
void ks_positions_sinusoid(float *y, int n, int D);

#endif
