/* kernels_avxvnni.c - int8 products with AVX-VNNI, for CPUs without AVX-512 (Alder Lake of 2021
 * and later, Sierra Forest). Everything else as AVX2 does it. */
#include "encoder/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,avxvnni")
#endif
#include "encoder/simd_avx2.h"

#define TILE_ROWS 6
#include "encoder/tile_body.h"

INLINE v group_int8(v c, const uint32_t *a, v b)
{
    return _mm256_castsi256_ps(_mm256_dpbusd_avx_epi32(
        _mm256_castps_si256(c), _mm256_set1_epi32((int)*a), _mm256_castps_si256(b)));
}

TILE(ks_tile_avxvnni, group_int8)

#ifdef __clang__
#pragma clang attribute pop
#endif

/* Not by __builtin_cpu_supports: clang 14 does not know the name. */
int ks_has_avxvnni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}
#endif
