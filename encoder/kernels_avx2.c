/* kernels_avx2.c - AVX2 and FMA; float32, int16, and int8 where the CPU has AVX-VNNI. */
#include "encoder/kernels.h"

#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include "encoder/simd_avx2.h"

#include "encoder/kernels_body.h"

#define TILE_ROWS 6
#include "encoder/tile_body.h"

INLINE v group_f32(v c, const uint32_t *a, v b)
{
    return v_fma(_mm256_broadcast_ss((const float *)(const void *)a), b, c);
}

static ks_tile_fn tile_f32;
TILE(tile_f32, group_f32)

/* c[2 registers] += a b of a group: two products, added, and added to the sum: two instructions for
 * what takes two in float, but half of them are of the units that add. In the assembler's words, as
 * gcc 12 adds the products of all rows last and keeps half of the sums in memory (as slow as
 * float). */
INLINE void group_i16(v c[2], const uint32_t *a, v b0, v b1)
{
    v pair, other;
    __asm__("vpbroadcastd %4, %2\n\t"
            "vpmaddwd %5, %2, %3\n\t"
            "vpmaddwd %6, %2, %2\n\t"
            "vpaddd %3, %0, %0\n\t"
            "vpaddd %2, %1, %1"
            : "+x"(c[0]), "+x"(c[1]), "=&x"(pair), "=&x"(other)
            : "m"(*a), "x"(b0), "x"(b1));
}

INLINE void columns_i16(float *c, const ks_tile *t, size_t at, int rows)
{
    v s[ROWS][2];
    const uint32_t *a = t->a;
    const float *b = (const float *)t->b + at;
    const char *ahead = t->ahead ? t->ahead : (const char *)b;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) s[r][0] = s[r][1] = v_set(0);
    for (size_t g = 0; g < t->groups; g++, b += KS_PANEL) {
        v b0 = v_load(b), b1 = v_load(b + LANES);
        _mm_prefetch(ahead + g * 64, _MM_HINT_T1);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) group_i16(s[r], a + (size_t)r * t->lda + g, b0, b1);
    }
    c += at;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++, c += KS_PANEL)
        for (int i = 0; i < 2; i++) {
            v sum = _mm256_cvtepi32_ps(_mm256_castps_si256(s[r][i]));
            v_store(c + i * LANES, t->add ? v_add(sum, v_load(c + i * LANES)) : sum);
        }
}

static void tile_i16(float *c, const ks_tile *t)
{
    for (size_t at = 0; at < KS_PANEL; at += WIDTH) {
        switch (t->rows) {
        case 1: columns_i16(c, t, at, 1); break;
        case 2: columns_i16(c, t, at, 2); break;
        case 3: columns_i16(c, t, at, 3); break;
        case 4: columns_i16(c, t, at, 4); break;
        case 5: columns_i16(c, t, at, 5); break;
        case 6: columns_i16(c, t, at, 6); break;
        }
    }
}

enum { PLAIN, WITH_VNNI };

static const ks_kernels table[] = {
#define ENTRY(name_, int8_, int8_rows_)                                                            \
    {                                                                                              \
        .name = name_, .tile = {NULL, tile_f32, NULL, int8_, tile_i16},                            \
        .rows = {0, ROWS, 0, int8_rows_, ROWS}, .finish = finish, .norm = norm, .weigh = weigh,    \
        .divide = divide, .halve = halve, .zip = zip, .quantise = quantise,                        \
        .quantise16 = quantise16, .transpose = transpose, .dot = dot, .axpy = axpy                 \
    }
    [PLAIN] = ENTRY("avx2", NULL, 0),
    [WITH_VNNI] = ENTRY("avx2 vnni", ks_tile_avxvnni, ROWS),
};

#ifdef __clang__
#pragma clang attribute pop
#endif

const ks_kernels *ks_kernels_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
               ? &table[ks_has_avxvnni() ? WITH_VNNI : PLAIN]
               : NULL;
}
#else
const ks_kernels *ks_kernels_avx2(void) { return NULL; }
#endif
