/* kernels_avx2.c - AVX2 and FMA; float32, and int8 where the CPU has AVX-VNNI. */
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

enum { PLAIN, WITH_VNNI };

static const ks_kernels table[] = {
#define ENTRY(name_, int8_, int8_rows_)                                                            \
    {                                                                                              \
        .name = name_, .tile = {NULL, tile_f32, NULL, int8_}, .rows = {0, ROWS, 0, int8_rows_},    \
        .finish = finish, .norm = norm, .weigh = weigh, .divide = divide, .halve = halve,          \
        .zip = zip, .quantise = quantise, .transpose = transpose, .dot = dot, .axpy = axpy         \
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
