/* npy_write.c - see npy_write.h. */
#include "cli/npy_write.h"

#include "encoder/encoder.h"

#include <assert.h>

void ks_npy_write(FILE *f, const float *x, int rank, const int64_t *dims)
{
    assert(f && rank >= 1 && rank <= 8 && dims);
    uint8_t head[KS_NPY_HEAD];
    ks_npy_head(head, "<f4", dims, rank);
    fwrite(head, 1, sizeof head, f);
    fwrite(x, sizeof *x, (size_t)dims[0] * (rank > 1 ? (size_t)dims[1] : 1), f);
}
