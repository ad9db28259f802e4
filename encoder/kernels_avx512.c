/* kernels_avx512.c - AVX-512; with AVX512_BF16 and AVX512_VNNI where the CPU has them. */
#include "encoder/kernels.h"

#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,fma,avx2"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,fma,avx2")
#endif
#include "encoder/simd_avx512.h"

#include "encoder/kernels_body.h"

/* 14 rows of 2 registers: 28 sums, 2 of b, 1 broadcast, 1 spare. */
enum { ROWS = 14 };

INLINE v group_f32(v c, uint32_t a, v b)
{
    return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_set1_epi32((int)a)), b, c);
}

INLINE v group_bf16(v c, uint32_t a, v b)
{
    return _mm512_dpbf16_ps(c, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
}

INLINE v group_int8(v c, uint32_t a, v b)
{
    return _mm512_castsi512_ps(
        _mm512_dpbusd_epi32(_mm512_castps_si512(c), _mm512_set1_epi32((int)a), _mm512_castps_si512(b)));
}

typedef v group_fn(v c, uint32_t a, v b);

/* rows and group are constants where this is inlined: all sums stay in registers. */
INLINE void tile(float *c, const ks_tile *t, int rows, group_fn *group)
{
    v s[ROWS][2];
    const uint32_t *a = t->a;
    const float *b = t->b;
    const char *ahead = t->ahead ? t->ahead : t->b;
    size_t lda = t->lda;
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++)
        s[r][0] = s[r][1] = v_set(0);
    for (size_t g = 0; g < t->groups; g++, b += KS_PANEL) {
        v b0 = v_load(b), b1 = v_load(b + LANES);
        _mm_prefetch(ahead + g * 64, _MM_HINT_T1);
#pragma GCC unroll 14
        for (int r = 0; r < rows; r++) {
            uint32_t x = a[(size_t)r * lda + g];
            s[r][0] = group(s[r][0], x, b0);
            s[r][1] = group(s[r][1], x, b1);
        }
    }
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

#define CASE(n, group) \
    case n: \
        tile(c, t, n, group); \
        break;
#define TILE(name, group) \
    static void name(float *c, const ks_tile *t) \
    { \
        switch (t->rows) { \
            CASE(1, group) CASE(2, group) CASE(3, group) CASE(4, group) CASE(5, group) CASE(6, group) CASE(7, group) \
            CASE(8, group) CASE(9, group) CASE(10, group) CASE(11, group) CASE(12, group) CASE(13, group) \
            CASE(14, group) \
        } \
    }

TILE(tile_f32, group_f32)
TILE(tile_bf16, group_bf16)
TILE(tile_int8, group_int8)

enum { PLAIN, WITH_BF16, WITH_VNNI, WITH_BOTH, WITH_AMX, AMX_ROWS = 32 };

static const ks_kernels table[] = {
#define ENTRY(name_, bf16_, int8_, rows_, one_chain_, leave_) \
    {.name = name_, .tile = {NULL, tile_f32, bf16_, int8_}, .rows = {0, ROWS, rows_, rows_}, .finish = finish, .norm = norm, \
     .weigh = weigh, .divide = divide, .halve = halve, .zip = zip, .quantise = quantise, \
     .transpose = transpose, .dot = dot, .axpy = axpy, \
     .one_chain = one_chain_, .leave = leave_}
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
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
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
const ks_kernels *ks_kernels_avx512(void)
{
    return NULL;
}

const ks_kernels *ks_kernels_avx512_amx(void)
{
    return NULL;
}
#endif
