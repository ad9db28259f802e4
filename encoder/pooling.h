/* pooling.h - attention pooling by one learned query, without ever forming keys or values.
 *
 * The query is a constant, so a head's logit of token x is x . u, u = Wk (scale * (query Wq +
 * bq)) made once (the key's bias shifts all logits alike and drops out of the softmax), and the
 * head's answer is
 * (sum p x) Wv + bv. 39 GFLOP of an LvT-B clip become 0.2. The scale is 1.442695041 softplus(w)
 * / sqrt(p) per dimension; there is no logit cap. Source: layers.py AttenTokenPoolingLayer,
 * PerDimScale. */
#ifndef KS_POOLING_H
#define KS_POOLING_H

#include "encoder/arena.h"
#include "encoder/kernels.h"
#include "encoder/pool.h"
#include "encoder/weights.h"

typedef struct {
    int D, H, hidden; /* hidden = 4D (LvT), D (classifier); hidden / H a head */
    const ks_pooler *w;
    const ks_kernels *kernels;
    float *u; /* [H, D], owned */
    ks_norm norm;
} ks_pooling;

int ks_pooling_open(ks_pooling *pooling, const ks_pooler *w, const ks_kernels *kernels,
                    const int shape[2] /* D, H */, ks_error *e);
void ks_pooling_close(ks_pooling *pooling);

typedef struct {
    const float *x; /* [frames * N, D] */
    int frames, N;
    int each; /* 1: every frame alone too */
} ks_pooled;

/* out[0, D]: pooled over all frames * N rows of x; out[1 + f, D]: over frame f alone, if `each`.
 * After the pooler's LayerNorm, not normalised to length. Scratch of the arena:
 * ks_pooling_scratch. */
size_t ks_pooling_scratch(const ks_pooling *pooling, int frames, int N);
void ks_pooling_run(float *out, const ks_pooling *pooling, ks_pool *pool, ks_arena *arena,
                    const ks_pooled *what);

#endif
