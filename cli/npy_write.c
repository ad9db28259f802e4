/* npy_write.c - see npy_write.h. */
#include "cli/npy_write.h"

#include <string.h>

static void npy_head(char head[128], int rank, const int64_t *dims)
{
    memset(head, ' ', 128);
    memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
    int n = rank > 1 ? snprintf(head + 10, 110,
                                "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
                                (long long)dims[0], (long long)dims[1])
                     : snprintf(head + 10, 110,
                                "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld,), }",
                                (long long)dims[0]);
    head[10 + n] = ' ';
    head[127] = '\n';
}

void ks_npy_write(FILE *f, const float *x, int rank, const int64_t *dims)
{
    char head[128];
    npy_head(head, rank, dims);
    fwrite(head, 1, sizeof head, f);
    fwrite(x, sizeof *x, (size_t)dims[0] * (rank > 1 ? (size_t)dims[1] : 1), f);
}
