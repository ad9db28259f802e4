/* kernels_avx512.c - AVX-512; with AVX512_BF16 and AVX512_VNNI where the CPU has them. */
#include "encoder/kernels.h"

#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,fma,avx2"))),  \
    apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,fma,avx2")
#endif
#include "encoder/simd_avx512.h"

#include "encoder/kernels_body.h"

#define TILE_ROWS 14
#include "encoder/tile_body.h"

INLINE v group_f32(v c, const uint32_t *a, v b)
{
    return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_set1_epi32((int)*a)), b, c);
}

INLINE v group_bf16(v c, const uint32_t *a, v b)
{
    return _mm512_dpbf16_ps(c, (__m512bh)_mm512_set1_epi32((int)*a), (__m512bh)b);
}

INLINE v group_int8(v c, const uint32_t *a, v b)
{
    return _mm512_castsi512_ps(_mm512_dpbusd_epi32(
        _mm512_castps_si512(c), _mm512_set1_epi32((int)*a), _mm512_castps_si512(b)));
}

static ks_tile_fn tile_f32, tile_bf16, tile_int8;
TILE(tile_f32, group_f32)
TILE(tile_bf16, group_bf16)
TILE(tile_int8, group_int8)

enum { PLAIN, WITH_BF16, WITH_VNNI, WITH_BOTH, WITH_AMX, AMX_ROWS = 32 };

static const ks_kernels table[] = {
#define ENTRY(name_, bf16_, int8_, rows_, one_chain_, leave_)                                      \
    {                                                                                              \
        .name = name_, .tile = {NULL, tile_f32, bf16_, int8_}, .rows = {0, ROWS, rows_, rows_},    \
        .finish = finish, .norm = norm, .weigh = weigh, .divide = divide, .halve = halve,          \
        .zip = zip, .quantise = quantise, .quantise16 = quantise16, .transpose = transpose,        \
        .dot = dot, .axpy = axpy, .one_chain = one_chain_, .leave = leave_                         \
    }
    [PLAIN] = ENTRY("avx512", NULL, NULL, ROWS, 0, NULL),
    [WITH_BF16] = ENTRY("avx512 bf16", tile_bf16, NULL, ROWS, 0, NULL),
    [WITH_VNNI] = ENTRY("avx512 vnni", NULL, tile_int8, ROWS, 0, NULL),
    [WITH_BOTH] = ENTRY("avx512 bf16 vnni", tile_bf16, tile_int8, ROWS, 0, NULL),
    [WITH_AMX] = ENTRY("amx", ks_tile_amx_bf16, ks_tile_amx_int8, AMX_ROWS, 1, ks_leave_amx),
};

#ifdef __clang__
#pragma clang attribute pop
#endif

static int usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("fma");
}

const ks_kernels *ks_kernels_avx512(void)
{
    return usable() ? &table[(__builtin_cpu_supports("avx512bf16") ? WITH_BF16 : 0) +
                             (__builtin_cpu_supports("avx512vnni") ? WITH_VNNI : 0)]
                    : NULL;
}

const ks_kernels *ks_kernels_avx512_amx(void)
{
    return usable() && __builtin_cpu_supports("avx512bf16") ? &table[WITH_AMX] : NULL;
}
#else
const ks_kernels *ks_kernels_avx512(void) { return NULL; }

const ks_kernels *ks_kernels_avx512_amx(void) { return NULL; }
#endif
