/* resize_avx2.c - the two passes of resize.c with AVX2: 16-bit multiply-adds on the split weights
 * (high * 2048 + low), whose 32-bit sums are the exact ones. */
#include "encoder/resize.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
enum { ROUND = 1 << 21, FRACTION_BITS = 22, LOW_BITS = 11 };

AVX2 static inline int32_t across(__m256i v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
}

static inline uint8_t clip8(int32_t sum)
{
    sum >>= FRACTION_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

AVX2 static inline __m256i load16(const uint8_t *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
}

AVX2 void ks_lanczos_row_avx2(uint8_t *out, const ks_lanczos_axis *axis, const uint8_t *line,
                              size_t plane)
{
    for (int i = 0; i < axis->outputs; i++) {
        size_t row = (size_t)i * (size_t)axis->taps;
        const uint8_t *r = line + axis->first[i];
        __m256i high[3], low[3];
        for (int c = 0; c < 3; c++) high[c] = low[c] = _mm256_setzero_si256();
        for (int k = 0; k < axis->count[i]; k += KS_LANCZOS_TAP_PAD) {
            __m256i wh = _mm256_loadu_si256((const __m256i *)(axis->high + row + k));
            __m256i wl = _mm256_loadu_si256((const __m256i *)(axis->low + row + k));
            for (size_t c = 0; c < 3; c++) {
                __m256i x = load16(r + c * plane + k);
                high[c] = _mm256_add_epi32(high[c], _mm256_madd_epi16(x, wh));
                low[c] = _mm256_add_epi32(low[c], _mm256_madd_epi16(x, wl));
            }
        }
        for (int c = 0; c < 3; c++)
            out[3 * i + c] = clip8(
                ROUND + across(_mm256_add_epi32(_mm256_slli_epi32(high[c], LOW_BITS), low[c])));
    }
}

/* 16 bytes of two rows at once: a[j] * w0 + b[j] * w1 for j in 0..7 and 8..15. */
AVX2 static inline void two_rows(__m256i sum[2], __m128i a, __m128i b, __m256i w)
{
    __m256i first = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)),
            second = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
    sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(first, w));
    sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(second, w));
}

static inline int pair(int16_t a, int16_t b)
{
    return (int)((uint32_t)(uint16_t)a | (uint32_t)(uint16_t)b << 16);
}

AVX2 static void columns16(uint8_t *out, const ks_lanczos_axis *axis, int y, const uint8_t *from,
                           size_t stride)
{
    size_t row = (size_t)y * (size_t)axis->taps;
    __m256i high[2], low[2];
    for (int h = 0; h < 2; h++) high[h] = low[h] = _mm256_setzero_si256();
    for (int k = 0; k < axis->count[y]; k += 2) {
        const uint8_t *p = from + (size_t)k * stride;
        __m128i a = _mm_loadu_si128((const __m128i *)p);
        /* an odd last row goes with itself: its second weight is 0 */
        __m128i b = k + 1 < axis->count[y] ? _mm_loadu_si128((const __m128i *)(p + stride)) : a;
        const int16_t *wh = axis->high + row + k, *wl = axis->low + row + k;
        two_rows(high, a, b, _mm256_set1_epi32(pair(wh[0], wh[1])));
        two_rows(low, a, b, _mm256_set1_epi32(pair(wl[0], wl[1])));
    }
    __m256i s[2];
    for (int h = 0; h < 2; h++) {
        s[h] = _mm256_add_epi32(_mm256_slli_epi32(high[h], LOW_BITS), low[h]);
        s[h] = _mm256_srai_epi32(_mm256_add_epi32(s[h], _mm256_set1_epi32(ROUND)), FRACTION_BITS);
    }
    /* packs works within 128-bit halves: (0-3, 8-11 | 4-7, 12-15) -> put the quarters back in
     * order */
    __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(s[0], s[1]), 0xd8);
    _mm_storeu_si128((__m128i *)out, _mm_packus_epi16(_mm256_castsi256_si128(words),
                                                      _mm256_extracti128_si256(words, 1)));
}

AVX2 void ks_lanczos_columns_avx2(uint8_t *out, const ks_lanczos_axis *axis, int y,
                                  const uint8_t *rows, size_t stride, size_t bytes)
{
    const uint8_t *from = rows + (size_t)axis->first[y] * stride;
    if (bytes < 16) {
        ks_lanczos_columns_plain(out, axis, y, rows, stride, bytes);
        return;
    }
    for (size_t x = 0; x + 16 <= bytes; x += 16) columns16(out + x, axis, y, from + x, stride);
    /* overlaps: same values */
    if (bytes % 16) columns16(out + bytes - 16, axis, y, from + bytes - 16, stride);
}

AVX2 void ks_lanczos_planes_avx2(uint8_t *line, size_t plane, const uint8_t *rgb, int width)
{
    /* 16 points = 48 bytes in three loads; each colour gathers its bytes from each load. */
    const __m128i pick[3][3] = {
        {_mm_setr_epi8(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
         _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1),
         _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13)},
        {_mm_setr_epi8(1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
         _mm_setr_epi8(-1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1),
         _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14)},
        {_mm_setr_epi8(2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
         _mm_setr_epi8(-1, -1, -1, -1, -1, 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1),
         _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15)}};
    int x = 0;
    for (; x + 16 <= width; x += 16) {
        __m128i part[3];
        for (int i = 0; i < 3; i++)
            part[i] = _mm_loadu_si128((const __m128i *)(rgb + 3 * x + 16 * i));
        for (int c = 0; c < 3; c++) {
            __m128i v = _mm_shuffle_epi8(part[0], pick[c][0]);
            v = _mm_or_si128(v, _mm_shuffle_epi8(part[1], pick[c][1]));
            v = _mm_or_si128(v, _mm_shuffle_epi8(part[2], pick[c][2]));
            _mm_storeu_si128((__m128i *)(line + (size_t)c * plane + x), v);
        }
    }
    for (; x < width; x++)
        for (size_t c = 0; c < 3; c++) line[c * plane + (size_t)x] = rgb[3 * (size_t)x + c];
}
#endif
