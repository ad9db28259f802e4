/* dnnl_gemm.h - oneDNN's matrix product, as the measure of this machine. The only file that
 * knows oneDNN.
 *
 * It is loaded when asked for and never at the start: its OpenCL and OpenMP would cost every
 * search. The products of the model are our own (kernels.h has the numbers); this says what they
 * are held against. */
#ifndef KS_DNNL_GEMM_H
#define KS_DNNL_GEMM_H

#include "encoder/encoder.h"

typedef struct ks_dnnl ks_dnnl;           /* the library */
typedef struct ks_dnnl_gemm ks_dnnl_gemm; /* one product with its own memory, for one thread */

/* KS_ENOTFOUND: not built in, not installed, or of another major version. */
int ks_dnnl_open(ks_dnnl **dnnl, ks_error *e);
void ks_dnnl_close(ks_dnnl *dnnl); /* NULL is fine; the library itself stays loaded */
/* c[M, N] = a[M, K] b[K, N], b in the layout the library likes best; int8: u8 s8 -> s32. shape:
 * M, K, N. */
int ks_dnnl_gemm_new(ks_dnnl_gemm **g, ks_dnnl *dnnl, ks_precision precision, const int shape[3],
                     ks_error *e);
void ks_dnnl_gemm_free(ks_dnnl_gemm *g);
void ks_dnnl_gemm_run(ks_dnnl_gemm *g); /* on the calling thread alone */
/* "2.6.3, brg:avx512_core_bf16" */
void ks_dnnl_about(char out[96], ks_dnnl *dnnl, const ks_dnnl_gemm *g);

#endif
