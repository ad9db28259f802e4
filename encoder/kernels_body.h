/* kernels_body.h - what is between the products, in vector words; included once a kind of CPU.
 *
 * Polynomials are our own fits (iterated weighted least squares towards minimax). Error against
 * libm in double over the whole range, as tests/test_ops.c measures it:
 *              exact                                        coarse (bf16 and int8 passes)
 *   e^x        2e-7 relative                                4e-6
 *   GELU       2e-7 max(1, |x|)                             3e-5 |x|
 *   capped     1e-6 relative for |x| <= 25, 6e-6 beyond     2e-5
 * */
#include "encoder/kernels.h"

INLINE float sum_lanes(v a)
{
    float x[LANES], sum = 0;
    v_store(x, a);
    for (int i = 0; i < LANES; i++) sum += x[i];
    return sum;
}

INLINE float max_lanes(v a)
{
    float x[LANES], top = 0;
    v_store(x, a);
    for (int i = 0; i < LANES; i++) top = x[i] > top ? x[i] : top;
    return top;
}

#define FOR_LANES(i, n)                                                                            \
    for (size_t i = 0, left = 0; i < (n) && ((left = (n)-i < LANES ? (n)-i : LANES), 1); i += LANES)
#define LOAD(p, left) ((left) == LANES ? v_load(p) : v_load_n(p, left))

#define HORNER(p, x, ...)                                                                          \
    do {                                                                                           \
        static const float c_[] = {__VA_ARGS__};                                                   \
        p = v_set(c_[0]);                                                                          \
        _Pragma("GCC unroll 20") for (size_t k_ = 1; k_ < sizeof c_ / sizeof *c_; k_++)            \
            p = v_fma(p, x, v_set(c_[k_]));                                                        \
    } while (0)

/* e^(high + low), |low| small against high's precision: what a rounded sum would lose is kept. */
INLINE v expo(v high, v low, int coarse)
{
    v n = v_round(v_mul(v_add(high, low), v_set(1.44269504f))), p;
    v r = v_fma(n, v_set(-0.693359375f), high);
    r = v_add(v_fma(n, v_set(2.12194440e-4f), r), low);
    if (coarse)
        HORNER(p, r, 4.145860708e-02f, 1.679090775e-01f, 5.000435871e-01f, 9.999634045e-01f,
               9.999992614e-01f);
    else
        HORNER(p, r, 1.383684577e-03f, 8.374815931e-03f, 4.166822558e-02f, 1.666642017e-01f,
               4.999999208e-01f, 1.000000036e+00f, 1.000000001e+00f);
    return v_ldexp(p, n);
}

/* e^(50 tanh(x / 50)). Up to |x| = 25 the cap is x plus a small correction x N(x^2), so that
 * rounding
 * 50 tanh(x / 50) costs nothing; beyond, 50 tanh = +-(50 - 100 e / (1 + e)), e = e^(-|x| / 25). */
INLINE v capped(v x, int coarse)
{
    v u = v_mul(x, x), c;
    if (coarse) HORNER(c, u, -2.830674041e-12f, 2.109737885e-08f, -1.333058431e-04f);
    else
        HORNER(c, u, -6.704427488e-20f, 5.435647961e-16f, -3.448597837e-12f, 2.133252109e-08f,
               -1.333332903e-04f);
    v high = x, low = v_mul(v_mul(c, u), x), far = v_abs(x), knee = v_set(25.0f);
    if (__builtin_expect(v_any_above(far, knee), 0)) {
        v e = expo(v_mul(v_min(far, v_set(2000.0f)), v_set(-0.04f)), v_set(0), 0);
        v lost = v_div(v_mul(v_set(100.0f), e), v_add(v_set(1.0f), e)), zero = v_set(0);
        v top = v_pick(x, zero, v_set(50.0f), v_set(-50.0f));
        low = v_pick(far, knee, v_pick(x, zero, v_sub(zero, lost), lost), low);
        high = v_pick(far, knee, top, high);
    }
    return expo(high, low, coarse);
}

/* x (1 + erf(x / sqrt 2)) / 2. Exact: erf(z) = z P(2 z^2 / 3.92^2 - 1) up to |z| = 3.92, where
 * it is 1 - 3e-8. Coarse: erf(x / sqrt 2) / 2 = x P(2 x^2 / 4.2^2 - 1) up to |x| = 4.2, where a
 * half lacks 1.3e-5. */
INLINE v gelu(v x, int coarse)
{
    v z = coarse ? x : v_mul(x, v_set(0.70710678f)), limit = v_set(coarse ? 4.2f : 3.92f), p;
    z = v_max(v_min(z, limit), v_sub(v_set(0), limit));
    v s = v_fma(v_mul(z, z), v_set((float)(coarse ? 2 / (4.2 * 4.2) : 2 / (3.92 * 3.92))),
                v_set(-1.0f));
    if (coarse) {
        HORNER(p, s, 2.196601346e-03f, -5.817574078e-03f, 8.104690241e-03f, -1.367538849e-02f,
               2.500492336e-02f, -3.895562095e-02f, 5.581445366e-02f, -8.148203776e-02f,
               1.678561456e-01f);
        return v_mul(x, v_fma(z, p, v_set(0.5f)));
    }
    HORNER(p, s, 3.278465486e-04f, -9.062681949e-04f, 7.999654909e-04f, -1.160788440e-03f,
           4.004978912e-03f, -8.009597821e-03f, 1.247225722e-02f, -1.973093160e-02f,
           3.049699667e-02f, -4.354319525e-02f, 5.819713765e-02f, -7.399801113e-02f,
           9.062113703e-02f, -1.091811776e-01f, 1.340834434e-01f, -1.801085783e-01f,
           3.607368196e-01f);
    v half = v_mul(x, v_set(0.5f));
    return v_fma(half, v_mul(p, z), half);
}

/* 16 columns (or the `left` of them) of a tile, row by row: what all rows share is loaded once.
 * The sink is copied, so that no store can change it; add, masked and row_scale are tested where
 * they cost nothing. */
INLINE void finish_columns(const ks_sink *sink, const float *c, int rows, size_t at, size_t left,
                           ks_activation activation)
{
    const ks_sink s = *sink;
    v bias = s.bias ? LOAD(s.bias + at, left) : v_set(0),
      scale = s.row_scale ? v_load(s.column_scale + at) : bias;
    c += at;
    for (size_t r = 0; r < (size_t)rows; r++, c += KS_PANEL) {
        if (s.masked && s.masked[r]) continue;
        v x = s.shift ? v_from_i32_less(c, s.shift + at) : v_load(c);
        if (s.row_scale) x = v_mul(x, v_mul(v_set(s.row_scale[r]), scale));
        x = v_add(x, bias);
        x = activation == KS_GELU   ? gelu(x, s.coarse)
            : activation == KS_RELU ? v_max(x, v_set(0))
                                    : x;
        if (s.half) {
            v_store_half((uint16_t *)s.y + r * s.ldy + at, x, left);
            continue;
        }
        float *y = (float *)s.y + r * s.ldy + at;
        if (s.add) x = v_add(x, LOAD(y, left));
        if (left == LANES) v_store(y, x);
        else v_store_n(y, x, left);
    }
}

INLINE void finish_as(const ks_sink *s, const float *c, int rows, int n, ks_activation activation)
{
    for (size_t i = 0; i < (size_t)n; i += LANES)
        if ((size_t)n - i >= LANES) finish_columns(s, c, rows, i, LANES, activation);
        else finish_columns(s, c, rows, i, (size_t)n - i, activation);
}

static void finish(const ks_sink *s, const float *c, int rows, int n)
{
    if (s->activation == KS_GELU) finish_as(s, c, rows, n, KS_GELU);
    else if (s->activation == KS_RELU) finish_as(s, c, rows, n, KS_RELU);
    else finish_as(s, c, rows, n, KS_IDENTITY);
}

static void norm(void *y, size_t ldy, int half, const float *x, size_t ldx, int m, int D,
                 const ks_norm *w)
{
    size_t n = (size_t)D;
    for (int r = 0; r < m; r++, x += ldx) {
        v sum = v_set(0), squares = v_set(0);
        FOR_LANES(i, n) sum = v_add(sum, LOAD(x + i, left));
        float mean = sum_lanes(sum) / (float)D;
        FOR_LANES(i, n)
        {
            v d = v_zero_n(v_sub(LOAD(x + i, left), v_set(mean)), left);
            squares = v_fma(d, d, squares);
        }
        v scale = v_set(1.0f / __builtin_sqrtf(sum_lanes(squares) / (float)D + 1e-6f));
        FOR_LANES(i, n)
        {
            v d = v_mul(v_sub(LOAD(x + i, left), v_set(mean)), scale);
            d = v_fma(d, v_add(v_set(1.0f), LOAD(w->scale + i, left)), LOAD(w->bias + i, left));
            if (half) v_store_half((uint16_t *)y + (size_t)r * ldy + i, d, left);
            else if (left == LANES) v_store((float *)y + (size_t)r * ldy + i, d);
            else v_store_n((float *)y + (size_t)r * ldy + i, d, left);
        }
    }
}

/* e^(50 tanh(x / 50)) from y = x log2 e, in base 2 throughout: a third fewer operations than the
 * exact one. Up to the knee (|x| = 25) the cap is y^3 P(y^2); 2^f is a polynomial on [-1/2,
 * 1/2]. */
INLINE v capped_coarsely(v y)
{
    v u = v_mul(y, y), c, p;
    if (__builtin_expect(v_any_above(u, v_set(1300.855613f)), 0))
        return capped(v_mul(y, v_set(0.69314718f)), 1);
    HORNER(c, u, -3.139368292e-13f, 4.870014977e-09f, -6.404719382e-05f);
    v t = v_fma(v_mul(u, c), y, y), n = v_round(t), f = v_sub(t, n);
    HORNER(p, f, 9.570096662e-03f, 5.591785991e-02f, 2.402474496e-01f, 6.931218148e-01f,
           9.999992614e-01f);
    return v_ldexp(p, n);
}

INLINE void weigh_rows(const ks_weights_sink *s, const float *c, int rows, int half)
{
    v scale = v_set(half ? s->scale * 1.44269504f : s->scale);
    size_t step = s->step, keep_step = s->keep_step;
    const float *keep = s->keep;
    uint32_t *p = s->p;
    float *sums = s->sums;
    for (size_t r = 0; r < (size_t)rows; r++, c += KS_PANEL, p += step) {
        v sum = v_load(sums + r * 16);
        for (size_t i = 0; i < KS_PANEL; i += LANES) {
            v x = v_mul(v_load(c + i), scale), w = half ? capped_coarsely(x) : capped(x, 0);
            if (keep) w = v_mul(w, v_load(keep + r * keep_step + i));
            sum = v_add(sum, w);
            if (half) v_store_half((uint16_t *)p + i, w, LANES);
            else v_store((float *)p + i, w);
        }
        v_store(sums + r * 16, sum);
    }
}

static void weigh(const ks_weights_sink *s, const float *c, int rows)
{
    if (s->half) weigh_rows(s, c, rows, 1);
    else weigh_rows(s, c, rows, 0);
}

static void divide(void *y, int half, const float *x, float divisor, size_t n)
{
    v by = v_set(half ? 1.0f / divisor : divisor);
    FOR_LANES(i, n)
    {
        if (half) v_store_half((uint16_t *)y + i, v_mul(LOAD(x + i, left), by), left);
        else v_store_n((float *)y + i, v_div(LOAD(x + i, left), by), left);
    }
}

static void zip(uint32_t *y, const void *x0, const void *x1, size_t n)
{
    FOR_LANES(i, n)
    v_zip(y + i, (const uint16_t *)x0 + i, x1 ? (const uint16_t *)x1 + i : NULL, left);
}

static void halve(uint16_t *y, const float *x, size_t n)
{
    FOR_LANES(i, n) v_store_half(y + i, LOAD(x + i, left), left);
}

static float quantise(uint8_t *y, const float *x, size_t n)
{
    v top = v_set(0);
    FOR_LANES(i, n) top = v_max(top, v_abs(LOAD(x + i, left)));
    float scale = max_lanes(top) / 127.0f, inverse = scale > 0 ? 1.0f / scale : 0;
    FOR_LANES(i, n)
    v_store_u8(y + i, v_add(v_round(v_mul(LOAD(x + i, left), v_set(inverse))), v_set(128.0f)),
               left);
    return scale;
}

static float quantise16(int16_t *y, const float *x, size_t n)
{
    v top = v_set(0);
    FOR_LANES(i, n) top = v_max(top, v_abs(LOAD(x + i, left)));
    float scale = max_lanes(top) / (float)KS_INT16_TOP, inverse = scale > 0 ? 1.0f / scale : 0;
    FOR_LANES(i, n) v_store_i16(y + i, v_round(v_mul(LOAD(x + i, left), v_set(inverse))), left);
    return scale;
}

static void transpose(void *y, const void *x, size_t ldx, int groups)
{
    uint32_t *to = y;
    const uint32_t *from = x;
    for (size_t g = 0; g < (size_t)groups; g += LANES)
        for (size_t i = 0; i < KS_PANEL; i += LANES)
            v_transpose(to + g * KS_PANEL + i, from + i * ldx + g, ldx,
                        (size_t)groups - g < LANES ? (size_t)groups - g : LANES);
}

static float dot(const float *a, const float *b, size_t n)
{
    v sum = v_set(0), other = v_set(0);
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sum = v_fma(v_load(a + i), v_load(b + i), sum);
        other = v_fma(v_load(a + i + LANES), v_load(b + i + LANES), other);
    }
    for (; i < n; i += LANES) {
        size_t left = n - i < LANES ? n - i : LANES;
        sum = v_fma(LOAD(a + i, left), LOAD(b + i, left), sum);
    }
    return sum_lanes(v_add(sum, other));
}

static void axpy(float *y, float s, const float *x, size_t n)
{
    FOR_LANES(i, n)
    {
        v r = v_fma(v_set(s), LOAD(x + i, left), LOAD(y + i, left));
        if (left == LANES) v_store(y + i, r);
        else v_store_n(y + i, r, left);
    }
}
