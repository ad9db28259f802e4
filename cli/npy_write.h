/* npy_write.h - arrays to an .npy. */
#ifndef KS_NPY_WRITE_H
#define KS_NPY_WRITE_H

#include "ks.h"

/* float32, C order, npy 1.0: rank 1 or 2. What fails, f's error flag says. */
void ks_npy_write(FILE *f, const float *x, int rank, const int64_t *dims);

#endif
