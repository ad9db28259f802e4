/* npy.c (fuzz) - one npy header: what is accepted has a known type and a sane shape. */
#include "encoder/checkpoint.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ks_tensor t = {0};
    ks_error e = {0};
    uint64_t bytes = 0;
    char text[160];
    uint8_t head[KS_NPY_HEADER_MAX];
    size_t n = size < sizeof head - 10 ? size : sizeof head - 10;
    memcpy(head, data, n);
    if (ks_npy_header(&t, "f", "t", head, n, &e) != 0 && strncmp(e.msg, "f: tensor t ", 12) != 0)
        abort();
    /* Once more with a right magic and length, so that the dict is reached. */
    memmove(head + 10, head, n);
    memcpy(head, "\x93NUMPY\1\0", 8);
    head[8] = (uint8_t)(n & 255), head[9] = (uint8_t)(n >> 8);
    t = (ks_tensor){0};
    if (ks_npy_header(&t, "f", "t", head, n + 10, &e) != 0) return 0;
    if (t.dtype != KS_DTYPE_F4 && t.dtype != KS_DTYPE_F2) abort();
    if (t.rank < 0 || t.rank > KS_MAX_RANK || t.header != n + 10) abort();
    for (int i = 0; i < t.rank; i++)
        if (t.shape[i] < 0) abort();
    ks_shape_text(text, t.shape, t.rank);
    if (strlen(text) >= sizeof text) abort();
    ks_tensor_count(&t, 4, &bytes);
    return 0;
}
