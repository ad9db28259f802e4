/* kernels_plain.c - plain C: for CPUs without AVX2, for other architectures, and as the
 * reference of the others, bf16 and int8 included. */
#include "encoder/kernels.h"

#include "encoder/simd_plain.h"

#include "encoder/kernels_body.h"

/* 4 rows of 2 registers of 4: 8 sums, 2 of b, of the 16 that SSE2 has. */
enum { ROWS = 4, PART = 2 * LANES };

INLINE void part_tile(float *c, const ks_tile *t, const float *b, int rows)
{
    v s[ROWS][2];
    const float *a = t->a;
    for (int r = 0; r < rows; r++) s[r][0] = s[r][1] = v_set(0);
    for (size_t g = 0; g < t->groups; g++, b += KS_PANEL) {
        v b0 = v_load(b), b1 = v_load(b + LANES);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            v x = v_set(a[(size_t)r * t->lda + g]);
            s[r][0] = v_fma(x, b0, s[r][0]);
            s[r][1] = v_fma(x, b1, s[r][1]);
        }
    }
    for (int r = 0; r < rows; r++, c += KS_PANEL) {
        v_store(c, t->add ? v_add(s[r][0], v_load(c)) : s[r][0]);
        v_store(c + LANES, t->add ? v_add(s[r][1], v_load(c + LANES)) : s[r][1]);
    }
}

static void tile_f32(float *c, const ks_tile *t)
{
    for (size_t at = 0; at < KS_PANEL; at += PART) {
        const float *b = (const float *)t->b + at;
        switch (t->rows) {
        case 1: part_tile(c + at, t, b, 1); break;
        case 2: part_tile(c + at, t, b, 2); break;
        case 3: part_tile(c + at, t, b, 3); break;
        case 4: part_tile(c + at, t, b, 4); break;
        }
    }
}

static float from_half(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static void tile_bf16(float *c, const ks_tile *t)
{
    const uint16_t *a = t->a, *b = t->b;
    for (int r = 0; r < t->rows; r++)
        for (size_t n = 0; n < KS_PANEL; n++) {
            float sum = 0;
            for (size_t g = 0; g < t->groups; g++)
                for (size_t k = 0; k < 2; k++)
                    sum += from_half(a[((size_t)r * t->lda + g) * 2 + k]) *
                           from_half(b[(g * KS_PANEL + n) * 2 + k]);
            float *at = c + (size_t)r * KS_PANEL + n;
            *at = t->add ? *at + sum : sum;
        }
}

static void tile_int8(float *c, const ks_tile *t)
{
    const uint8_t *a = t->a;
    const int8_t *b = t->b;
    for (int r = 0; r < t->rows; r++)
        for (size_t n = 0; n < KS_PANEL; n++) {
            int32_t sum = 0;
            for (size_t g = 0; g < t->groups; g++)
                for (size_t k = 0; k < 4; k++)
                    sum += a[((size_t)r * t->lda + g) * 4 + k] * b[(g * KS_PANEL + n) * 4 + k];
            memcpy(c + (size_t)r * KS_PANEL + n, &sum, sizeof sum);
        }
}

static void tile_i16(float *c, const ks_tile *t)
{
    const int16_t *a = t->a, *b = t->b;
    for (int r = 0; r < t->rows; r++)
        for (size_t n = 0; n < KS_PANEL; n++) {
            int32_t sum = 0;
            for (size_t g = 0; g < t->groups; g++)
                for (size_t k = 0; k < 2; k++)
                    sum += a[((size_t)r * t->lda + g) * 2 + k] * b[(g * KS_PANEL + n) * 2 + k];
            float *at = c + (size_t)r * KS_PANEL + n;
            *at = t->add ? *at + (float)sum : (float)sum;
        }
}

static const ks_kernels table = {.name = "plain",
                                 .tile = {NULL, tile_f32, tile_bf16, tile_int8, tile_i16},
                                 .rows = {0, ROWS, ROWS, ROWS, ROWS},
                                 .finish = finish,
                                 .norm = norm,
                                 .weigh = weigh,
                                 .divide = divide,
                                 .halve = halve,
                                 .zip = zip,
                                 .quantise = quantise,
                                 .quantise16 = quantise16,
                                 .transpose = transpose,
                                 .dot = dot,
                                 .axpy = axpy};

const ks_kernels *ks_kernels_plain(void) { return &table; }
