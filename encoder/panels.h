/* panels.h - weight matrices as the kernels read them: panels of 32 columns, packed once per
 * precision.
 *
 * y = x W + bias, W[K, N]. In memory (and in the pack): N/32 panels of [groups, 32] 4-byte
 * groups, then, for int8 and int16, per block of `block` groups along K and per column a scale and
 * a shift: weights are round(w / scale), and rows come as x / row_scale, of int8 + 128, so a
 * product is (sum - shift) scale row_scale with shift = 128 times the column's sum; int16 has no
 * shift. */
#ifndef KS_PANELS_H
#define KS_PANELS_H

#include "encoder/encoder.h"
#include "encoder/kernels.h"
#include "encoder/weights.h"

/* Columns of a matrix come from up to three tensors side by side (query, key, value). */
typedef struct {
    /* [K, width] each, or its transpose; NULL: `from` elements into the model's `field`, which
     * is loaded when panels are made */
    const float *w[3];
    int parts, transposed; /* transposed: w is [width, K] (`post` weights) */
    size_t field[3];       /* of ks_weights_load */
    size_t from;
} ks_source;

typedef struct {
    int K, N;
    ks_precision precision; /* all but KS_AUTO */
    size_t groups;          /* a panel's: K in groups, rounded up */
    size_t block;           /* groups that share a scale (integers) */
    size_t chain;           /* groups added up at a time */
    const void *panels;     /* [N/32 rounded up, groups, 32] groups, 64-byte aligned */
    const float *scale;     /* integers: [blocks, N rounded up to 32] */
    const int32_t *shift;   /* int8: the same; else NULL */
    const float *bias;      /* [N], the checkpoint's; NULL for parts > 1 */
    ks_source source;
    size_t at; /* offset in the pack */
} ks_matrix;

int ks_group_size(ks_precision precision); /* 1, 2, 4 */
/* Rows and columns have scales. */
static inline int ks_integers(ks_precision p) { return p == KS_INT8 || p == KS_INT16; }
/* of a row of K, rounded up to whole tiles of AMX */
size_t ks_groups(ks_precision precision, int K);
/* Groups from row to row of a tile in scratch: a row's groups and one more line, so that rows 4096
 * bytes apart do not fight for one set of the first cache. */
size_t ks_group_stride(ks_precision precision, int K);

/* K_block: K values that share a scale, a multiple of 64, 0 = all. Sets everything but the
 * pointers. */
ks_matrix ks_matrix_plan(ks_precision precision, int K, int N, int K_block,
                         const ks_source *source);
size_t ks_matrix_bytes(const ks_matrix *m);

/* Lay n matrices out in one pack named `suffix` (made if it is missing) and set their pointers. */
int ks_matrices_open(ks_pack *pack, ks_matrix *const *matrices, int n, ks_weights *w,
                     const char *suffix, ks_error *e);
/* The same into memory of the caller's, for tests: to[ks_matrix_bytes]. */
void ks_matrix_fill(void *to, const ks_matrix *m, float *panel /* [K, 32] scratch */);
void ks_matrix_point(ks_matrix *m, const void *at);

#endif
