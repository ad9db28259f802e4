/* avx2_tile.h - a product on the 16 registers of AVX2, written in one word, a group_fn: kernels_avx2.c says it for
 * float, kernels_avxvnni.c for int8. Needs simd_avx2.h. */
#include "encoder/kernels.h"

/* 6 rows of 2 registers: 12 sums, 2 of b, 1 broadcast of 16. A panel is two halves of 16 columns. */
enum { ROWS = 6, HALF = 2 * LANES };

/* c + a b of a group of a row with 8 columns of b */
typedef v group_fn(v c, const uint32_t *a, v b);

/* rows and group are constants where this is inlined: all sums stay in registers. */
INLINE void half_tile(float *c, const ks_tile *t, size_t at, int rows, group_fn *group)
{
    v s[ROWS][2];
    const uint32_t *a = t->a;
    const float *b = (const float *)t->b + at;
    const char *ahead = t->ahead ? t->ahead : (const char *)b;
    size_t lda = t->lda;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
        s[r][0] = s[r][1] = v_set(0);
    for (size_t g = 0; g < t->groups; g++, b += KS_PANEL) {
        v b0 = v_load(b), b1 = v_load(b + LANES);
        _mm_prefetch(ahead + g * 64, _MM_HINT_T1);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            const uint32_t *x = a + (size_t)r * lda + g;
            s[r][0] = group(s[r][0], x, b0);
            s[r][1] = group(s[r][1], x, b1);
        }
    }
    c += at;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++, c += KS_PANEL) {
        if (t->add) {
            s[r][0] = v_add(s[r][0], v_load(c));
            s[r][1] = v_add(s[r][1], v_load(c + LANES));
        }
        v_store(c, s[r][0]);
        v_store(c + LANES, s[r][1]);
    }
}

#define AVX2_TILE(name, group) \
    void name(float *c, const ks_tile *t) \
    { \
        for (size_t at = 0; at < KS_PANEL; at += HALF) { \
            switch (t->rows) { \
            case 1: half_tile(c, t, at, 1, group); break; \
            case 2: half_tile(c, t, at, 2, group); break; \
            case 3: half_tile(c, t, at, 3, group); break; \
            case 4: half_tile(c, t, at, 4, group); break; \
            case 5: half_tile(c, t, at, 5, group); break; \
            case 6: half_tile(c, t, at, 6, group); break; \
            } \
        } \
    }
