/* score_x86.c - AVX2 and AVX-512 forms of score.c. Four rows at a time hide the latency of the 16 fp32 lanes,
 * which is all the parallelism that the fixed order of one row leaves. */
#include "index/score.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma,f16c")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")))

/* The tree of score.h: lanes j + (j + 8), then + 4, + 2, + 1. */
AVX2 static inline float tree(__m256 low, __m256 high)
{
    __m256 eight = _mm256_add_ps(low, high);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

AVX2 static inline void step(__m256 *low, __m256 *high, const float *q, const uint16_t *h)
{
    __m256 a = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)h));
    __m256 b = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(h + 8)));
    *low = _mm256_fmadd_ps(_mm256_loadu_ps(q), a, *low);
    *high = _mm256_fmadd_ps(_mm256_loadu_ps(q + 8), b, *high);
}

/* The last dim % 16 elements of q and h, zero padded. */
static int pad(float *q16, uint16_t *h16, const float *q, const uint16_t *h, int dim)
{
    int rest = dim % 16;
    if (!rest) return 0;
    memset(q16, 0, 16 * sizeof *q16);
    memset(h16, 0, 16 * sizeof *h16);
    memcpy(q16, q + (dim - rest), (size_t)rest * sizeof *q16);
    memcpy(h16, h + (dim - rest), (size_t)rest * sizeof *h16);
    return rest;
}

AVX2 static float score_avx2(const float *q, const uint16_t *h, int dim)
{
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    float q16[16];
    uint16_t h16[16];
    for (int i = 0; i + 16 <= dim; i += 16) step(&low, &high, q + i, h + i);
    if (pad(q16, h16, q, h, dim)) step(&low, &high, q16, h16);
    return tree(low, high);
}

AVX2 void ks_score_rows_avx2(float *out, const float *q, const uint16_t *h, size_t stride, int dim, int m)
{
    int i = 0;
    for (; i + 4 <= m && dim % 16 == 0; i += 4) {
        const uint16_t *r = h + (size_t)i * stride;
        __m256 l[4], u[4];
        for (int j = 0; j < 4; j++) l[j] = u[j] = _mm256_setzero_ps();
        for (int d = 0; d < dim; d += 16)
            for (int j = 0; j < 4; j++) step(&l[j], &u[j], q + d, r + (size_t)j * stride + d);
        for (int j = 0; j < 4; j++) out[i + j] = tree(l[j], u[j]);
    }
    for (; i < m; i++) out[i] = score_avx2(q, h + (size_t)i * stride, dim);
}

AVX512 static inline float tree512(__m512 acc)
{
    __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(acc), 1));
    return tree(_mm512_castps512_ps256(acc), high);
}

AVX512 static inline __m512 step512(__m512 acc, const float *q, const uint16_t *h)
{
    return _mm512_fmadd_ps(_mm512_loadu_ps(q), _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)h)), acc);
}

AVX512 static float score_avx512(const float *q, const uint16_t *h, int dim)
{
    __m512 acc = _mm512_setzero_ps();
    float q16[16];
    uint16_t h16[16];
    for (int i = 0; i + 16 <= dim; i += 16) acc = step512(acc, q + i, h + i);
    if (pad(q16, h16, q, h, dim)) acc = step512(acc, q16, h16);
    return tree512(acc);
}

AVX512 void ks_score_rows_avx512(float *out, const float *q, const uint16_t *h, size_t stride, int dim, int m)
{
    int i = 0;
    for (; i + 4 <= m && dim % 16 == 0; i += 4) {
        const uint16_t *r = h + (size_t)i * stride;
        __m512 a[4];
        for (int j = 0; j < 4; j++) a[j] = _mm512_setzero_ps();
        for (int d = 0; d < dim; d += 16)
            for (int j = 0; j < 4; j++) a[j] = step512(a[j], q + d, r + (size_t)j * stride + d);
        for (int j = 0; j < 4; j++) out[i + j] = tree512(a[j]);
    }
    for (; i < m; i++) out[i] = score_avx512(q, h + (size_t)i * stride, dim);
}

/* vpmaddubsw would saturate (255 * 127 * 2 > 32767), so bytes widen to 16 bits first. */
AVX2 void ks_dot_rows_avx2(int32_t *out, const int8_t *q, const uint8_t *codes, size_t stride, int m)
{
    for (int i = 0; i < m; i++) {
        const uint8_t *r = codes + (size_t)i * stride;
        __m256i a = _mm256_setzero_si256(), b = _mm256_setzero_si256();
        for (size_t d = 0; d < stride; d += 32) {
            __m256i c0 = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(r + d)));
            __m256i c1 = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(r + d + 16)));
            __m256i q0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(q + d)));
            __m256i q1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(q + d + 16)));
            a = _mm256_add_epi32(a, _mm256_madd_epi16(c0, q0));
            b = _mm256_add_epi32(b, _mm256_madd_epi16(c1, q1));
        }
        a = _mm256_add_epi32(a, b);
        __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
        out[i] = _mm_cvtsi128_si32(s);
    }
}

VNNI void ks_dot_rows_vnni(int32_t *out, const int8_t *q, const uint8_t *codes, size_t stride, int m)
{
    int i = 0;
    for (; i + 4 <= m; i += 4) {
        const uint8_t *r = codes + (size_t)i * stride;
        __m512i a[4];
        for (int j = 0; j < 4; j++) a[j] = _mm512_setzero_si512();
        for (size_t d = 0; d < stride; d += 64) {
            __m512i b = _mm512_loadu_si512((const void *)(q + d));
            for (int j = 0; j < 4; j++)
                a[j] = _mm512_dpbusd_epi32(a[j], _mm512_loadu_si512((const void *)(r + (size_t)j * stride + d)), b);
        }
        for (int j = 0; j < 4; j++) out[i + j] = _mm512_reduce_add_epi32(a[j]);
    }
    for (; i < m; i++) {
        __m512i a = _mm512_setzero_si512();
        for (size_t d = 0; d < stride; d += 64)
            a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512((const void *)(codes + (size_t)i * stride + d)),
                                    _mm512_loadu_si512((const void *)(q + d)));
        out[i] = _mm512_reduce_add_epi32(a);
    }
}
#endif
