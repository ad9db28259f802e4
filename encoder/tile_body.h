/* tile_body.h - a product whose sums stay in registers, on the words of simd_avx2.h or
 * simd_avx512.h, which the includer has included. It says TILE_ROWS, 6 or 14, and what a group
 * is multiplied with: a group_fn. */
#include "encoder/kernels.h"

/* Of a panel, 2 registers of columns at a time: with 16 registers 6 rows, which are 12 sums, 2
 * of b, 1 broadcast; with 32 of twice the size 14 rows, 28 sums, and a panel at once. */
enum { ROWS = TILE_ROWS, WIDTH = 2 * LANES };

/* c + a b of a group of a row with LANES columns of b */
typedef v group_fn(v c, const uint32_t *a, v b);

/* Columns `at`, WIDTH of them. rows and group are constants where this is inlined: all sums stay
 * in registers. */
INLINE void tile_columns(float *c, const ks_tile *t, size_t at, int rows, group_fn *group)
{
    v s[ROWS][2];
    const uint32_t *a = t->a;
    const float *b = (const float *)t->b + at;
    const char *ahead = t->ahead ? t->ahead : (const char *)b;
    size_t lda = t->lda;
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++) s[r][0] = s[r][1] = v_set(0);
    for (size_t g = 0; g < t->groups; g++, b += KS_PANEL) {
        v b0 = v_load(b), b1 = v_load(b + LANES);
        _mm_prefetch(ahead + g * 64, _MM_HINT_T1);
#pragma GCC unroll 14
        for (int r = 0; r < rows; r++) {
            const uint32_t *x = a + (size_t)r * lda + g;
            s[r][0] = group(s[r][0], x, b0);
            s[r][1] = group(s[r][1], x, b1);
        }
    }
    c += at;
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++, c += KS_PANEL) {
        if (t->add) {
            s[r][0] = v_add(s[r][0], v_load(c));
            s[r][1] = v_add(s[r][1], v_load(c + LANES));
        }
        v_store(c, s[r][0]);
        v_store(c + LANES, s[r][1]);
    }
}

#define TILE_CASE(n, group)                                                                        \
    case n: tile_columns(c, t, at, n, group); break;
/* clang-format off */
#define TILE_CASES_6(group) \
    TILE_CASE(1, group) TILE_CASE(2, group) TILE_CASE(3, group) TILE_CASE(4, group) \
    TILE_CASE(5, group) TILE_CASE(6, group)
/* clang-format on */
#if TILE_ROWS == 6
#define TILE_CASES TILE_CASES_6
#else
/* clang-format off */
#define TILE_CASES(group) \
    TILE_CASES_6(group) TILE_CASE(7, group) TILE_CASE(8, group) TILE_CASE(9, group) \
    TILE_CASE(10, group) \
    TILE_CASE(11, group) TILE_CASE(12, group) TILE_CASE(13, group) TILE_CASE(14, group)
/* clang-format on */
#endif
#define TILE(name, group)                                                                          \
    void name(float *c, const ks_tile *t)                                                          \
    {                                                                                              \
        for (size_t at = 0; at < KS_PANEL; at += WIDTH) {                                          \
            switch (t->rows) {                                                                     \
                TILE_CASES(group)                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
