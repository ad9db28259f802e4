/* kernels.h - the inner loops, one table for each kind of CPU, chosen at run time (dispatch.c).
 *
 * All tables compute the same things from the same layouts; kernels_plain.c is the reference
 * that the others are tested against. A row's result never depends on the rows beside it.
 *
 * A panel holds KS_PANEL columns of a matrix: b[groups][KS_PANEL] of 4-byte groups, a group being 1
 * float, 2 bf16, 2 int16 or 4 int8 consecutive along K (panels.h packs them). The rows it is
 * multiplied with hold the same groups: a[rows][groups], `lda` groups apart. */
#ifndef KS_KERNELS_H
#define KS_KERNELS_H

#include "encoder/ops.h"

enum { KS_PANEL = 32 };
/* Groups added up in one chain before the chain's sum joins the others. Pixels are all positive,
 * so their sums grow and round most: one chain of 972 put a fixture stage 3.8 times as far from
 * float64 as the official float32 is, chains of 256 two stages 1.6 times past the bound, 64
 * none. */
enum { KS_CHAIN = 256, KS_PIXEL_CHAIN = 64 };
enum { KS_TILE_ROWS = 32 }; /* no table takes more rows at once */
/* int16 holds 13 bits: 64 groups of two products of 4095 x 4095 are 2^31 - 2^20 and a half, so that
 * a chain of them is exact in 32 bits. */
enum { KS_INT16_TOP = 4095, KS_INT16_CHAIN = 64 };

/* c[rows, KS_PANEL] = a b, or += where `add`. rows <= table's rows. int8: c is int32, a
 * unsigned. int16: groups <= KS_INT16_CHAIN. */
typedef struct {
    const void *a;
    size_t lda; /* groups */
    const void *b;
    size_t groups; /* K / group size, rounded up */
    int rows, add;
    /* what comes next: a line of it a group is fetched into the second cache, if at all (AMX and
     * plain C do not). NULL: nothing */
    const void *ahead;
    /* what a loop's earlier calls left the unit set to, 0 before the first; the loop ends with
     * the table's `leave`. NULL: a call sets and leaves by itself. AMX only */
    int *shape;
} ks_tile;
typedef void ks_tile_fn(float *c, const ks_tile *t);

/* What becomes of a tile c[rows, n]: y = act(c + bias), or y += c + bias. */
typedef struct {
    const float *bias; /* [n] or NULL */
    ks_activation activation;
    int add;
    int half;   /* 1: y is bf16 */
    int coarse; /* 1: what follows is bf16 or int8, so GELU may err by 3e-5 */
    void *y;
    size_t ldy;            /* elements */
    const uint8_t *masked; /* [rows] or NULL: rows that stay as they are */
    /* int8 (shift not NULL): c is int32, and c' = (c - shift[n]) row_scale[row] column_scale[n] is
     * what comes in its place; int16 (row_scale not NULL): the same of float c without shift.
     * Columns are there up to a whole panel. */
    const float *row_scale, *column_scale;
    const int32_t *shift;
} ks_sink;

/* What becomes of a tile of scores c[rows, KS_PANEL]: p = keep e^(50 tanh(c scale / 50)), and
 * its sums. */
typedef struct {
    void *p; /* [rows] `step` groups apart; half: bf16 */
    size_t step;
    int half;
    const float *keep; /* [rows, KS_PANEL], keep_step apart: 1 or 0; NULL: all 1 */
    size_t keep_step;
    float scale;
    float *sums; /* [rows, 16], added to: partial sums of p */
} ks_weights_sink;

typedef struct {
    const char *name;
    ks_tile_fn *tile[5]; /* by ks_precision; NULL: this CPU has no such instructions */
    int rows[5];         /* rows it takes at once */
    /* 1: bf16 sums are one chain even across calls, so cutting K gains nothing (AMX) */
    int one_chain;
    /* after the last tile of a loop that keeps a shape; NULL: nothing to do */
    void (*leave)(void);
    void (*finish)(const ks_sink *s, const float *c, int rows, int n);
    /* y[m, D] = LN(x[m, D]); half: y is bf16 */
    void (*norm)(void *y, size_t ldy, int half, const float *x, size_t ldx, int m, int D,
                 const ks_norm *norm);
    void (*weigh)(const ks_weights_sink *s, const float *c, int rows);
    /* y[n] = x[n] / divisor; half: y is bf16 */
    void (*divide)(void *y, int half, const float *x, float divisor, size_t n);
    /* y[n] = x[n] rounded to bf16 */
    void (*halve)(uint16_t *y, const float *x, size_t n);
    /* y[n] = x0[i] | x1[i] << 16, two rows of bf16; x1 NULL: zeros */
    void (*zip)(uint32_t *y, const void *x0, const void *x1, size_t n);
    /* y[n] = round(x / scale) + 128 with scale = max |x| / 127; returns the scale */
    float (*quantise)(uint8_t *y, const float *x, size_t n);
    /* y[n] = round(x / scale) with scale = max |x| / KS_INT16_TOP; returns the scale */
    float (*quantise16)(int16_t *y, const float *x, size_t n);
    /* y[groups, 32] = transpose of x[32, groups], 4-byte groups, rows ldx apart */
    void (*transpose)(void *y, const void *x, size_t ldx, int groups);
    /* sum of a[n] b[n]; y[n] += s x[n] */
    float (*dot)(const float *a, const float *b, size_t n);
    void (*axpy)(float *y, float s, const float *x, size_t n);
} ks_kernels;

const ks_kernels *ks_kernels_plain(void);
const ks_kernels *ks_kernels_avx2(void); /* NULL where the build or this CPU has none */
const ks_kernels *ks_kernels_avx512(void);
const ks_kernels *ks_kernels_amx(void);

/* Between kernels_avxvnni.c and kernels_avx2.c. */
ks_tile_fn ks_tile_avxvnni;
int ks_has_avxvnni(void);

/* Between kernels_amx.c and kernels_avx512.c. */
ks_tile_fn ks_tile_amx_bf16, ks_tile_amx_int8;
void ks_leave_amx(void);
const ks_kernels *ks_kernels_avx512_amx(void); /* not asking whether the CPU has AMX */

#endif
