/* npy_io.h - frames from an .npy, arrays to an .npy. */
#ifndef KS_NPY_IO_H
#define KS_NPY_IO_H

#include "ks.h"

typedef struct {
    void *px;          /* [T, side, side, 3], uint8 or float32; malloc'ed */
    int is_float;      /* floats are finite and in [0,1] */
    int T, side;
} ks_npy_frames;

/* uint8 ('|u1') [T,S,S,3] taken as they are, or float32 ('<f4') in [0,1]. KS_ENOTFOUND, KS_EIO,
 * KS_EFORMAT, KS_ESHAPE with the sentence; nothing is allocated before the file's size agrees. */
int ks_npy_read_frames(ks_npy_frames *f, const char *path, ks_error *e);
void ks_npy_free(ks_npy_frames *f);

/* float32, C order, npy 1.0: rank 1 or 2. What fails, f's error flag says. */
void ks_npy_write(FILE *f, const float *x, int rank, const int64_t *dims);

#endif
