/* simd_avx512.h - the vector words that kernels_body.h is written in: 16 floats. */
#include <immintrin.h>

typedef __m512 v;
#define LANES  16
#define INLINE static inline __attribute__((always_inline))

INLINE v v_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void v_store(float *p, v a) { _mm512_storeu_ps(p, a); }
INLINE __mmask16 first(size_t n) { return (__mmask16)((1u << n) - 1u); }
INLINE v v_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
INLINE void v_store_n(float *p, v a, size_t n) { _mm512_mask_storeu_ps(p, first(n), a); }
INLINE v v_set(float x) { return _mm512_set1_ps(x); }
INLINE v v_add(v a, v b) { return _mm512_add_ps(a, b); }
INLINE v v_sub(v a, v b) { return _mm512_sub_ps(a, b); }
INLINE v v_mul(v a, v b) { return _mm512_mul_ps(a, b); }
INLINE v v_div(v a, v b) { return _mm512_div_ps(a, b); }
INLINE v v_fma(v a, v b, v c) { return _mm512_fmadd_ps(a, b, c); }
INLINE v v_max(v a, v b) { return _mm512_max_ps(a, b); }
INLINE v v_min(v a, v b) { return _mm512_min_ps(a, b); }
INLINE v v_abs(v a) { return _mm512_abs_ps(a); }
INLINE v v_round(v a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE v v_ldexp(v a, v n) { return _mm512_scalef_ps(a, n); }
INLINE int v_any_above(v a, v b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ) != 0; }
/* a where x > y, else b */
INLINE v v_pick(v x, v y, v a, v b)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_GT_OQ), b, a);
}
INLINE v v_zero_n(v a, size_t n) { return _mm512_maskz_mov_ps(first(n), a); }
INLINE void v_store_half(uint16_t *p, v a, size_t n) /* only where the CPU has AVX512_BF16 */
{
    __m256i u = (__m256i)_mm512_cvtneps_pbh(a);
    if (n == LANES) _mm256_storeu_si256((__m256i *)(void *)p, u);
    else _mm256_mask_storeu_epi16(p, first(n), u);
}
INLINE void v_zip(uint32_t *y, const uint16_t *x0, const uint16_t *x1, size_t n)
{
    __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first(n), x0)),
            high = _mm512_setzero_si512();
    if (x1)
        high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first(n), x1)), 16);
    _mm512_mask_storeu_epi32(y, first(n), _mm512_or_si512(low, high));
}
INLINE void v_store_u8(uint8_t *p, v a, size_t n) /* of 0..255, rounded already */
{
    __m128i b = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(a));
    if (n == LANES) _mm_storeu_si128((__m128i *)(void *)p, b);
    else _mm_mask_storeu_epi8(p, first(n), b);
}
INLINE void v_store_i16(int16_t *p, v a, size_t n) /* of 16 bits, rounded already */
{
    __m256i s = _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(a));
    if (n == LANES) _mm256_storeu_si256((__m256i *)(void *)p, s);
    else _mm256_mask_storeu_epi16(p, first(n), s);
}
INLINE v v_from_i32(const int32_t *p) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(p)); }
INLINE v v_from_i32_less(const float *p, const int32_t *q)
{
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(p), _mm512_loadu_si512(q)));
}
/* y[16 rows, 32 apart] = transpose of x[16 rows, ldx apart], 16 dwords each */
INLINE void v_transpose(uint32_t *y, const uint32_t *x, size_t ldx, size_t n)
{
    __m512i r[16], t[16];
    for (int i = 0; i < 16; i++) r[i] = _mm512_maskz_loadu_epi32(first(n), x + (size_t)i * ldx);
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 8; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    }
    for (size_t i = 0; i < n; i++) _mm512_storeu_si512(y + i * 32, r[i]);
}
