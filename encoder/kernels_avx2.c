/* kernels_avx2.c - AVX2 and FMA; float32 only. */
#include "encoder/kernels.h"

#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include "encoder/simd_avx2.h"

#include "encoder/kernels_body.h"

/* 6 rows of 2 registers: 12 sums, 2 of b, 1 broadcast of 16. A panel is two halves of 16 columns. */
enum { ROWS = 6, HALF = 2 * LANES };

INLINE void half_tile(float *c, const ks_tile *t, const float *b, int rows)
{
    v s[ROWS][2];
    const float *a = t->a;
    const char *ahead = t->ahead ? t->ahead : t->b;
    size_t lda = t->lda;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
        s[r][0] = s[r][1] = v_set(0);
    for (size_t g = 0; g < t->groups; g++, b += KS_PANEL) {
        v b0 = v_load(b), b1 = v_load(b + LANES);
        _mm_prefetch(ahead + g * 64, _MM_HINT_T1);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            v x = _mm256_broadcast_ss(a + (size_t)r * lda + g);
            s[r][0] = v_fma(x, b0, s[r][0]);
            s[r][1] = v_fma(x, b1, s[r][1]);
        }
    }
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

static void tile_f32(float *c, const ks_tile *t)
{
    for (size_t at = 0; at < KS_PANEL; at += HALF) {
        const float *b = (const float *)t->b + at;
        switch (t->rows) {
        case 1: half_tile(c + at, t, b, 1); break;
        case 2: half_tile(c + at, t, b, 2); break;
        case 3: half_tile(c + at, t, b, 3); break;
        case 4: half_tile(c + at, t, b, 4); break;
        case 5: half_tile(c + at, t, b, 5); break;
        case 6: half_tile(c + at, t, b, 6); break;
        }
    }
}

static const ks_kernels table = {.name = "avx2", .tile = {NULL, tile_f32, NULL, NULL}, .rows = {0, ROWS, 0, 0},
                                 .finish = finish, .norm = norm, .weigh = weigh, .divide = divide, .halve = halve, .zip = zip, .quantise = quantise,
                                 .transpose = transpose, .dot = dot, .axpy = axpy};

#ifdef __clang__
#pragma clang attribute pop
#endif

const ks_kernels *ks_kernels_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table : NULL;
}
#else
const ks_kernels *ks_kernels_avx2(void)
{
    return NULL;
}
#endif
