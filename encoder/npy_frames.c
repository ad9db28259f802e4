/* npy_frames.c - somebody's frames from an .npy. */
#include "encoder/checkpoint.h"
#include "encoder/encoder.h"

#include <stdlib.h>

static int check_shape(const ks_tensor *t, const char *path, ks_error *e)
{
    if (t->dtype != KS_DTYPE_U8 && t->dtype != KS_DTYPE_F4)
        return ks_fail(e, KS_EFORMAT, "%s: frames are uint8 or float32", path);
    const int64_t *d = t->shape;
    if (t->fortran)
        return ks_fail(e, KS_EFORMAT,
                       "%s: frames in Fortran order; numpy.ascontiguousarray turns them", path);
    if (t->rank != 4 || d[3] != 3 || d[1] != d[2] || d[0] < 1 || d[1] < 1 || d[0] > 1 << 20 ||
        d[1] > 1 << 16)
        return ks_fail(e, KS_ESHAPE, "%s: frames are [T, S, S, 3]", path);
    return 0;
}

static int read_pixels(void **px, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e)
{
    *px = malloc((size_t)(t->bytes - t->header)); /* as long as the file is */
    if (!*px) return ks_fail(e, KS_ENOMEM, "%s: no memory for its frames", cp->path);
    int err = ks_tensor_bytes(*px, cp, t, e);
    const float *x = *px;
    for (int64_t i = 0; !err && t->dtype == KS_DTYPE_F4 && i < t->count; i++)
        if (!(x[i] >= 0.0f && x[i] <= 1.0f))
            err = ks_fail(e, KS_EFORMAT, "%s: float32 frames are in [0,1]", cp->path);
    if (err) free(*px);
    return err;
}

int ks_npy_frames(ks_clip_pixels *clip, const char *path, ks_error *e)
{
    ks_checkpoint *cp = NULL;
    void *px = NULL;
    *clip = (ks_clip_pixels){0};
    int err = ks_npy_open(&cp, path, e);
    if (err) return err;
    const ks_tensor *t = cp->tensors;
    err = check_shape(t, path, e);
    if (!err) err = read_pixels(&px, cp, t, e);
    if (!err)
        *clip = (ks_clip_pixels){.px = px,
                                 .is_float = t->dtype == KS_DTYPE_F4,
                                 .T = (int)t->shape[0],
                                 .side = (int)t->shape[1]};
    ks_checkpoint_close(cp);
    return err;
}
