/* simd_plain.h - the vector words that kernels_body.h is written in, in plain C: 4 floats. */
#include <math.h>
#include <string.h>

typedef float v __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
#define LANES  4
#define INLINE static inline __attribute__((always_inline))

INLINE v v_load(const float *p)
{
    v a;
    memcpy(&a, p, sizeof a);
    return a;
}
INLINE void v_store(float *p, v a) { memcpy(p, &a, sizeof a); }
INLINE v v_set(float x) { return (v){x, x, x, x}; }
INLINE v v_load_n(const float *p, size_t n)
{
    v a = {0};
    memcpy(&a, p, n * sizeof *p);
    return a;
}
INLINE void v_store_n(float *p, v a, size_t n) { memcpy(p, &a, n * sizeof *p); }
INLINE v v_add(v a, v b) { return a + b; }
INLINE v v_sub(v a, v b) { return a - b; }
INLINE v v_mul(v a, v b) { return a * b; }
INLINE v v_div(v a, v b) { return a / b; }
INLINE v v_fma(v a, v b, v c) { return a * b + c; }
INLINE v v_pick(v x, v y, v a, v b)
{
    vi m = x > y;
    return (v)((m & (vi)a) | (~m & (vi)b));
}
INLINE v v_max(v a, v b) { return v_pick(a, b, a, b); }
INLINE v v_min(v a, v b) { return v_pick(a, b, b, a); }
INLINE v v_abs(v a) { return (v)((vi)a & (vi){INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}); }
INLINE v v_round(v a)
{
    v big = v_set(12582912.0f);
    return (a + big) - big;
} /* |a| < 2^22 */
INLINE v v_ldexp(v a, v n)
{
    vi e = {(int32_t)n[0], (int32_t)n[1], (int32_t)n[2], (int32_t)n[3]};
    return a * (v)((e + 127) << 23);
}
INLINE int v_any_above(v a, v b)
{
    vi m = a > b;
    return (m[0] | m[1] | m[2] | m[3]) != 0;
}
INLINE v v_zero_n(v a, size_t n)
{
    v z = {0};
    memcpy(&z, &a, n * sizeof(float));
    return z;
}
INLINE void v_store_half(uint16_t *p, v a, size_t n)
{
    uint32_t u[4];
    memcpy(u, &a, sizeof u);
    for (size_t i = 0; i < n; i++) p[i] = (uint16_t)((u[i] + 0x7FFF + (u[i] >> 16 & 1)) >> 16);
}
INLINE void v_zip(uint32_t *y, const uint16_t *x0, const uint16_t *x1, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = x0[i] | (x1 ? (uint32_t)x1[i] << 16 : 0);
}
INLINE void v_store_u8(uint8_t *p, v a, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)a[i];
}
INLINE void v_store_i16(int16_t *p, v a, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (int16_t)a[i];
}
INLINE v v_from_i32_less(const float *p, const int32_t *q)
{
    int32_t a[4];
    memcpy(a, p, sizeof a);
    return (v){(float)(a[0] - q[0]), (float)(a[1] - q[1]), (float)(a[2] - q[2]),
               (float)(a[3] - q[3])};
}
INLINE void v_transpose(uint32_t *y, const uint32_t *x, size_t ldx, size_t n)
{
    for (size_t g = 0; g < n; g++)
        for (size_t i = 0; i < 4; i++) y[g * 32 + i] = x[i * ldx + g];
}
