/* half.c - float to IEEE binary16 and back, in plain C: what is stored does not depend on the
 * CPU. */
#include "index/half.h"

#include <string.h>

uint16_t ks_half_from_float(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    uint32_t sign = (u >> 16) & 0x8000u;
    uint32_t rest = u & 0x7fffffffu;
    if (rest >= 0x7f800000u) return (uint16_t)(sign | 0x7c00u | (rest > 0x7f800000u ? 0x200u : 0));
    /* 65520 and above round to infinity */
    if (rest >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);
    if (rest < 0x33000001u) return (uint16_t)sign;   /* 2^-25 and below round to zero */
    uint32_t shift = 13, value = rest - 0x38000000u; /* normal: exponent bias 127 - 15 */
    if (rest < 0x38800000u) {                        /* subnormal half: below 2^-14 */
        shift = 126 - (rest >> 23);
        value = (rest & 0x7fffffu) | 0x800000u;
    }
    uint32_t kept = value >> shift;
    uint32_t lost = value & ((1u << shift) - 1), tie = 1u << (shift - 1);
    if (lost > tie || (lost == tie && (kept & 1u))) kept++;
    return (uint16_t)(sign | kept);
}

float ks_float_from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = h & 0x7fffu, u;
    float f;
    if (rest >= 0x7c00u) u = sign | 0x7f800000u | ((rest & 0x3ffu) << 13);
    else if (rest >= 0x400u) u = sign | ((rest << 13) + 0x38000000u);
    else {
        float tiny = (float)rest * 0x1p-24f; /* exact */
        memcpy(&u, &tiny, sizeof u);
        u |= sign;
    }
    memcpy(&f, &u, sizeof f);
    return f;
}
