/* ops.c - see ops.h. */
#include "encoder/ops.h"

#include <math.h>
#include <string.h>

void ks_unit(float *v, int D)
{
    double sum = 0;
    for (int d = 0; d < D; d++) sum += (double)v[d] * (double)v[d];
    float length = (float)sqrt(sum + 1e-12);
    for (int d = 0; d < D; d++) v[d] /= length;
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
            if (picture->is_float) memcpy(y + p * line, floats + from, line * sizeof *y);
            else
                for (size_t i = 0; i < line; i++) y[p * line + i] = (float)bytes[from + i] / 255.0f;
        }
}
