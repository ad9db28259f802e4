/* ops.c - see ops.h. */
#include "encoder/ops.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 }; /* partial sums: one order of additions, and short chains of rounding */

static float sum_of(const float *x, int n)
{
    float part[LANES] = {0}, sum = 0;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            part[l] += x[i + l];
    for (; i < n; i++)
        part[i % LANES] += x[i];
    for (int l = 0; l < LANES; l++)
        sum += part[l];
    return sum;
}

static float square_sum(const float *x, int n, float mean)
{
    float part[LANES] = {0}, sum = 0;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            part[l] += (x[i + l] - mean) * (x[i + l] - mean);
    for (; i < n; i++)
        part[i % LANES] += (x[i] - mean) * (x[i] - mean);
    for (int l = 0; l < LANES; l++)
        sum += part[l];
    return sum;
}

void ks_layer_norm(float *y, size_t ldy, const float *x, size_t ldx, int m, int D, const ks_norm *norm)
{
    for (int r = 0; r < m; r++, x += ldx, y += ldy) {
        float mean = sum_of(x, D) / (float)D;
        float inverse = 1.0f / sqrtf(square_sum(x, D, mean) / (float)D + 1e-6f);
        for (int d = 0; d < D; d++)
            y[d] = (x[d] - mean) * inverse * (1.0f + norm->scale[d]) + norm->bias[d];
    }
}

static float gelu(float x)
{
    return 0.5f * x * (1.0f + erff(x * 0.70710678f));
}

void ks_bias_activate(float *y, size_t ld, int m, int n, const float *bias, ks_activation activation)
{
    for (int r = 0; r < m; r++, y += ld) {
        for (int i = 0; i < n; i++)
            y[i] += bias[i];
        if (activation == KS_GELU)
            for (int i = 0; i < n; i++)
                y[i] = gelu(y[i]);
        if (activation == KS_RELU)
            for (int i = 0; i < n; i++)
                y[i] = y[i] > 0 ? y[i] : 0;
    }
}

void ks_add(float *x, size_t ldx, const float *y, size_t ldy, int m, int n)
{
    for (int r = 0; r < m; r++, x += ldx, y += ldy)
        for (int i = 0; i < n; i++)
            x[i] += y[i];
}

void ks_unit(float *v, int D)
{
    float length = sqrtf(square_sum(v, D, 0) + 1e-12f);
    for (int d = 0; d < D; d++)
        v[d] /= length;
}

float ks_softplus(float x)
{
    return (float)(x > 0 ? x + log1p(exp(-(double)x)) : log1p(exp((double)x)));
}

void ks_patches(float *y, size_t ld, const ks_picture *picture, int first, int m)
{
    const uint8_t *bytes = picture->px;
    const float *floats = picture->px;
    size_t P = (size_t)picture->P, G = (size_t)picture->G, line = P * 3, row = G * line;
    for (size_t n = (size_t)first; n < (size_t)(first + m); n++, y += ld)
        for (size_t p = 0; p < P; p++) {
            size_t from = (n / G * P + p) * row + n % G * line;
            if (picture->is_float)
                memcpy(y + p * line, floats + from, line * sizeof *y);
            else
                for (size_t i = 0; i < line; i++)
                    y[p * line + i] = (float)bytes[from + i] / 255.0f;
        }
}
