/* crc32.c - CRC-32 (the zip one) at memory speed, so that checking a model costs no more than
 * reading it.
 *
 * Folding by carry-less multiplication after V. Gopal et al., "Fast CRC Computation for Generic
 * Polynomials Using PCLMULQDQ Instruction" (Intel, 2009), constants for the reflected polynomial
 * 0xEDB88320: x^(512+64), x^512, x^(128+64), x^128 mod P, and Barrett's mu and P. Measured here
 * against zlib 1.2.13: see test_npz.c, which holds both to the same answers. */
#include "encoder/checkpoint.h"

#include <string.h>
#include <zlib.h>

uint32_t ks_crc32_plain(uint32_t crc, const void *data, size_t n)
{
    return (uint32_t)crc32_z(crc, data, n);
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("pclmul,sse4.1"))) static __m128i fold(__m128i x, __m128i k, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(x, k, 0x00), high = _mm_clmulepi64_si128(x, k, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* n >= 64 and divisible by 16; crc is the inverted running value. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t crc_folded(uint32_t crc, const uint8_t *p,
                                                                    size_t n)
{
    const __m128i k12 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4),
                  k34 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
    const __m128i k5 = _mm_set_epi64x(0, 0x0163cd6124),
                  barrett = _mm_set_epi64x(0x01f7011641, 0x01db710641);
    const __m128i low32 = _mm_setr_epi32(-1, 0, -1, 0);
    __m128i x[4];
    for (int i = 0; i < 4; i++) x[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)crc));
    p += 64, n -= 64;
    for (; n >= 64; p += 64, n -= 64)
        for (int i = 0; i < 4; i++)
            x[i] = fold(x[i], k12, _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)));
    __m128i r = fold(fold(fold(x[0], k34, x[1]), k34, x[2]), k34, x[3]);
    for (; n >= 16; p += 16, n -= 16)
        r = fold(r, k34, _mm_loadu_si128((const __m128i *)(const void *)p));
    /* 128 -> 64 -> 32 bits, then Barrett. */
    r = _mm_xor_si128(_mm_srli_si128(r, 8), _mm_clmulepi64_si128(r, k34, 0x10));
    r = _mm_xor_si128(_mm_srli_si128(r, 4),
                      _mm_clmulepi64_si128(_mm_and_si128(r, low32), k5, 0x00));
    __m128i q = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(r, low32), barrett, 0x10), low32);
    r = _mm_xor_si128(r, _mm_clmulepi64_si128(q, barrett, 0x00));
    return (uint32_t)_mm_extract_epi32(r, 1);
}

uint32_t ks_crc32(uint32_t crc, const void *data, size_t n)
{
    if (n < 64 || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1"))
        return ks_crc32_plain(crc, data, n);
    size_t whole = n & ~(size_t)15;
    crc = ~crc_folded(~crc, data, whole);
    return whole == n ? crc : ks_crc32_plain(crc, (const uint8_t *)data + whole, n - whole);
}
#else
uint32_t ks_crc32(uint32_t crc, const void *data, size_t n) { return ks_crc32_plain(crc, data, n); }
#endif
