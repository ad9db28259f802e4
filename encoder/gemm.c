/* gemm.c - see gemm.h. */
#include "encoder/gemm.h"

#include <assert.h>
#include <cblas.h>

void ks_blas_single(void)
{
    openblas_set_num_threads(1);
}

void ks_gemm_blas(float *y, size_t ldy, const float *x, size_t ldx, int m, const ks_matrix *w)
{
    assert(m > 0 && w->K > 0 && w->N > 0 && ldx >= (size_t)w->K && ldy >= (size_t)w->N);
    for (int k = 0; k < w->K; k += KS_CHAIN) {
        int n = w->K - k < KS_CHAIN ? w->K - k : KS_CHAIN;
        const float *rows = w->transposed ? w->w + k : w->w + (size_t)k * (size_t)w->N;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, w->transposed ? CblasTrans : CblasNoTrans, m, w->N, n, 1.0f, x + k,
                    (blasint)ldx, rows, w->transposed ? w->K : w->N, k ? 1.0f : 0.0f, y, (blasint)ldy);
    }
}
