/* simd_avx2.h - the vector words that kernels_body.h is written in: 8 floats, FMA. */
#include <immintrin.h>
#include <string.h>

typedef __m256 v;
#define LANES  8
#define INLINE static inline __attribute__((always_inline))

INLINE v v_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void v_store(float *p, v a) { _mm256_storeu_ps(p, a); }
INLINE __m256i first(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE v v_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, first(n)); }
INLINE void v_store_n(float *p, v a, size_t n) { _mm256_maskstore_ps(p, first(n), a); }
INLINE v v_set(float x) { return _mm256_set1_ps(x); }
INLINE v v_add(v a, v b) { return _mm256_add_ps(a, b); }
INLINE v v_sub(v a, v b) { return _mm256_sub_ps(a, b); }
INLINE v v_mul(v a, v b) { return _mm256_mul_ps(a, b); }
INLINE v v_div(v a, v b) { return _mm256_div_ps(a, b); }
INLINE v v_fma(v a, v b, v c) { return _mm256_fmadd_ps(a, b, c); }
INLINE v v_max(v a, v b) { return _mm256_max_ps(a, b); }
INLINE v v_min(v a, v b) { return _mm256_min_ps(a, b); }
INLINE v v_abs(v a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE v v_round(v a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* a 2^n for n in [-126, 127] */
INLINE v v_ldexp(v a, v n)
{
    __m256i e = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)),
                                  23);
    return _mm256_mul_ps(a, _mm256_castsi256_ps(e));
}
INLINE int v_any_above(v a, v b)
{
    return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)) != 0;
}
INLINE v v_pick(v x, v y, v a, v b)
{
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, y, _CMP_GT_OQ));
}
INLINE v v_zero_n(v a, size_t n) { return _mm256_and_ps(a, _mm256_castsi256_ps(first(n))); }
INLINE void v_store_half(uint16_t *p, v a, size_t n)
{
    uint32_t u[8];
    memcpy(u, &a, sizeof u);
    for (size_t i = 0; i < n; i++) p[i] = (uint16_t)((u[i] + 0x7FFF + (u[i] >> 16 & 1)) >> 16);
}
INLINE void v_zip(uint32_t *y, const uint16_t *x0, const uint16_t *x1, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = x0[i] | (x1 ? (uint32_t)x1[i] << 16 : 0);
}
INLINE void v_store_u8(uint8_t *p, v a, size_t n)
{
    float x[8];
    _mm256_storeu_ps(x, a);
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)x[i];
}
INLINE void v_store_i16(int16_t *p, v a, size_t n) /* of 16 bits, rounded already */
{
    __m256i i = _mm256_cvtps_epi32(a);
    __m128i s = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
    if (n == LANES) _mm_storeu_si128((__m128i *)(void *)p, s);
    else memcpy(p, &s, n * sizeof *p);
}
INLINE v v_from_i32_less(const float *p, const int32_t *q)
{
    return _mm256_cvtepi32_ps(
        _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p),
                         _mm256_loadu_si256((const __m256i *)(const void *)q)));
}
/* y[8 rows, 32 apart] = transpose of x[8 rows, ldx apart], n <= 8 dwords each */
INLINE void v_transpose(uint32_t *y, const uint32_t *x, size_t ldx, size_t n)
{
    for (size_t g = 0; g < n; g++)
        for (size_t i = 0; i < 8; i++) y[g * 32 + i] = x[i * ldx + g];
}
