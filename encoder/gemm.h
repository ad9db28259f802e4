/* gemm.h - weight matrices and their products. One thread each: a tile of rows at a time. */
#ifndef KS_GEMM_H
#define KS_GEMM_H

#include "encoder/ops.h"

/* y = x W + bias, x[m, K], W[K, N] as the checkpoint has it, or its transpose (`post` weights). */
typedef struct {
    int K, N;
    int transposed;     /* 1: w is [N, K] */
    const float *w;     /* 64-byte aligned, from the pack */
    const float *bias;  /* [N] */
} ks_matrix;

/* Products added up in one chain before the chain's sum is added to the others: one chain of 972 loses
 * three times what official float32 loses against float64 (it sums in blocks too), 256 stay within. */
enum { KS_CHAIN = 256 };

/* y[m, N] = x[m, K] W, no bias. BLAS must be single-threaded (ks_blas_single). A row's bits may depend
 * on m and on its place among the m rows, so callers cut tiles relative to a frame, never to a batch. */
void ks_gemm_blas(float *y, size_t ldy, const float *x, size_t ldx, int m, const ks_matrix *w);

/* OpenBLAS would start threads of its own under ours. Its thread count belongs to the process, so every
 * encoder sets it when it opens; setting it again is harmless. */
void ks_blas_single(void);

#endif
