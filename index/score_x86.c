/* score_x86.c - AVX2 and AVX-512 forms of score.c. Four rows at a time hide the latency of the
 * 16 fp32 lanes, which is all the parallelism that the fixed order of one row leaves. */
#include "index/score.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2   __attribute__((target("avx2,fma,f16c")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma,f16c")))
#define VNNI   __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")))

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

/* Accumulators are named, not an array: gcc -O2 keeps an array of them in memory (2.3 times
 * slower). */
AVX2 void ks_score_rows_avx2(float *out, const float *q, const uint16_t *h, size_t stride, int dim,
                             int m)
{
    int i = 0;
    for (; i + 2 <= m && dim % 16 == 0; i += 2) {
        const uint16_t *r = h + (size_t)i * stride;
        __m256 l0 = _mm256_setzero_ps(), u0 = l0, l1 = l0, u1 = l0;
        for (int d = 0; d < dim; d += 16) {
            step(&l0, &u0, q + d, r + d);
            step(&l1, &u1, q + d, r + stride + d);
        }
        out[i] = tree(l0, u0);
        out[i + 1] = tree(l1, u1);
    }
    for (; i < m; i++) out[i] = score_avx2(q, h + (size_t)i * stride, dim);
}

/* Scores of queries q, q + dim with rows r, r + dim: every half is made a float once for two
 * queries. */
AVX2 static inline void score_2x2(float *out, int m, const float *q, const uint16_t *r, int dim)
{
    __m256 l00 = _mm256_setzero_ps(), u00 = l00, l01 = l00, u01 = l00, l10 = l00, u10 = l00,
           l11 = l00, u11 = l00;
    for (int d = 0; d < dim; d += 16) {
        __m256 a = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(r + d)));
        __m256 b = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(r + dim + d)));
        __m256 q0 = _mm256_loadu_ps(q + d), q1 = _mm256_loadu_ps(q + dim + d);
        l00 = _mm256_fmadd_ps(q0, a, l00);
        l01 = _mm256_fmadd_ps(q0, b, l01);
        l10 = _mm256_fmadd_ps(q1, a, l10);
        l11 = _mm256_fmadd_ps(q1, b, l11);
        a = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(r + d + 8)));
        b = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(r + dim + d + 8)));
        q0 = _mm256_loadu_ps(q + d + 8);
        q1 = _mm256_loadu_ps(q + dim + d + 8);
        u00 = _mm256_fmadd_ps(q0, a, u00);
        u01 = _mm256_fmadd_ps(q0, b, u01);
        u10 = _mm256_fmadd_ps(q1, a, u10);
        u11 = _mm256_fmadd_ps(q1, b, u11);
    }
    out[0] = tree(l00, u00);
    out[1] = tree(l01, u01);
    out[m] = tree(l10, u10);
    out[m + 1] = tree(l11, u11);
}

/* Sixteen rows at a time stay in the first cache (24 KB at D 768) while all queries pass over
 * them. */
AVX2 void ks_score_many_avx2(float *out, const float *q, int n, const uint16_t *h, int dim, int m)
{
    enum { TILE = 16 };
    const size_t width = (size_t)dim;
    int pairs = dim % 16 == 0 ? n / 2 * 2 : 0, rows = m / 2 * 2;
    for (int at = 0; at < rows; at += TILE)
        for (int i = 0; i < pairs; i += 2)
            for (int r = at; r < at + TILE && r < rows; r += 2)
                score_2x2(out + (size_t)i * (size_t)m + r, m, q + (size_t)i * width,
                          h + (size_t)r * width, dim);
    for (int i = 0; i < pairs && rows < m; i++)
        out[(size_t)i * (size_t)m + (size_t)rows] = score_avx2(q + (size_t)i * width,
                                                               h + (size_t)rows * width, dim);
    for (int i = pairs; i < n; i++)
        ks_score_rows_avx2(out + (size_t)i * (size_t)m, q + (size_t)i * width, h, width, dim, m);
}

AVX512 static inline float tree512(__m512 acc)
{
    __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(acc), 1));
    return tree(_mm512_castps512_ps256(acc), high);
}

AVX512 static inline __m512 step512(__m512 acc, const float *q, const uint16_t *h)
{
    return _mm512_fmadd_ps(_mm512_loadu_ps(q),
                           _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)h)),
                           acc);
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

AVX512 void ks_score_rows_avx512(float *out, const float *q, const uint16_t *h, size_t stride,
                                 int dim, int m)
{
    int i = 0;
    for (; i + 4 <= m && dim % 16 == 0; i += 4) {
        const uint16_t *r = h + (size_t)i * stride;
        __m512 a0 = _mm512_setzero_ps(), a1 = a0, a2 = a0, a3 = a0;
        for (int d = 0; d < dim; d += 16) {
            a0 = step512(a0, q + d, r + d);
            a1 = step512(a1, q + d, r + stride + d);
            a2 = step512(a2, q + d, r + 2 * stride + d);
            a3 = step512(a3, q + d, r + 3 * stride + d);
        }
        out[i] = tree512(a0);
        out[i + 1] = tree512(a1);
        out[i + 2] = tree512(a2);
        out[i + 3] = tree512(a3);
    }
    for (; i < m; i++) out[i] = score_avx512(q, h + (size_t)i * stride, dim);
}

/* One row after the other, without software prefetch. Measured at 700,000 rows in 4 KiB pages,
 * processor time of one thread of a busy Zen 4 in a VM: 36.6 ns a row; with a prefetch of 1 to 8
 * KiB 45-50; four rows at once (eight bits a dimension) were slower than one with either. In the
 * L2 cache a row takes 14.7 ns. */

/* u8 x s8 pairs into 16 bits: 15 * 127 * 2 * 4 and less, so vpmaddubsw does not saturate. */
AVX2 static inline __m256i pair(__m256i codes, int shift, __m256i mask, const int8_t *q)
{
    __m256i part = _mm256_and_si256(_mm256_srli_epi16(codes, shift), mask);
    return _mm256_maddubs_epi16(part, _mm256_loadu_si256((const __m256i *)(const void *)q));
}

/* 32 columns of a group of 256 dimensions: 4 * high + low into 32-bit lanes. */
AVX2 static inline __m256i columns(__m256i acc, const uint8_t *r, const int8_t *q)
{
    const __m256i ones = _mm256_set1_epi16(1), nibble = _mm256_set1_epi8(15),
                  two = _mm256_set1_epi8(3);
    __m256i h0 = _mm256_loadu_si256((const __m256i *)(const void *)r);
    __m256i h1 = _mm256_loadu_si256((const __m256i *)(const void *)(r + 64));
    __m256i l = _mm256_loadu_si256((const __m256i *)(const void *)(r + 128));
    __m256i high = _mm256_add_epi16(
        _mm256_add_epi16(pair(h0, 0, nibble, q), pair(h0, 4, nibble, q + 64)),
        _mm256_add_epi16(pair(h1, 0, nibble, q + 128), pair(h1, 4, nibble, q + 192)));
    __m256i low = _mm256_add_epi16(
        _mm256_add_epi16(pair(l, 0, two, q), pair(l, 2, two, q + 64)),
        _mm256_add_epi16(pair(l, 4, two, q + 128), pair(l, 6, two, q + 192)));
    acc = _mm256_add_epi32(acc, _mm256_slli_epi32(_mm256_madd_epi16(high, ones), 2));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(low, ones));
}

AVX2 void ks_dot_rows_avx2(int32_t *out, const int8_t *q, const uint8_t *codes, size_t dims, int m)
{
    const size_t stride = dims / 4 * 3;
    for (int i = 0; i < m; i++) {
        const uint8_t *r = codes + (size_t)i * stride;
        __m256i a = _mm256_setzero_si256(), b = a;
        for (size_t d = 0; d < dims; d += 256, r += 192) {
            a = columns(a, r, q + d);
            b = columns(b, r + 32, q + d + 32);
        }
        a = _mm256_add_epi32(a, b);
        __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
        out[i] = _mm_cvtsi128_si32(s);
    }
}

VNNI static inline __m512i dot64(__m512i acc, __m512i codes, __m512i mask, const int8_t *q)
{
    __m512i part = _mm512_and_si512(codes, mask);
    return _mm512_dpbusd_epi32(acc, part, _mm512_loadu_si512((const void *)q));
}

VNNI void ks_dot_rows_vnni(int32_t *out, const int8_t *q, const uint8_t *codes, size_t dims, int m)
{
    const size_t stride = dims / 4 * 3;
    const __m512i nibble = _mm512_set1_epi8(15), two = _mm512_set1_epi8(3);
    for (int i = 0; i < m; i++) {
        const uint8_t *r = codes + (size_t)i * stride;
        __m512i high0 = _mm512_setzero_si512(), high1 = high0, low0 = high0, low1 = high0;
        for (size_t d = 0; d < dims; d += 256, r += 192) {
            const int8_t *p = q + d;
            __m512i h0 = _mm512_loadu_si512((const void *)r),
                    h1 = _mm512_loadu_si512((const void *)(r + 64));
            __m512i l = _mm512_loadu_si512((const void *)(r + 128));
            high0 = dot64(high0, h0, nibble, p);
            high1 = dot64(high1, _mm512_srli_epi16(h0, 4), nibble, p + 64);
            high0 = dot64(high0, h1, nibble, p + 128);
            high1 = dot64(high1, _mm512_srli_epi16(h1, 4), nibble, p + 192);
            low0 = dot64(low0, l, two, p);
            low1 = dot64(low1, _mm512_srli_epi16(l, 2), two, p + 64);
            low0 = dot64(low0, _mm512_srli_epi16(l, 4), two, p + 128);
            low1 = dot64(low1, _mm512_srli_epi16(l, 6), two, p + 192);
        }
        __m512i high = _mm512_slli_epi32(_mm512_add_epi32(high0, high1), 2);
        out[i] = _mm512_reduce_add_epi32(_mm512_add_epi32(high, _mm512_add_epi32(low0, low1)));
    }
}
#endif
