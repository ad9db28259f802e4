/* quantise.c - six bits a dimension, and how wrong that can be.
 *
 * Let v be a stored vector, v' = scale (code - 32) its code, q the query, q' its int8 form. Then
 *   q.v - q'.v' = q.(v - v') + (q - q').v'    so    |q.v - q'.v'| <= |q| error + |q - q'| (|v| +
 *                                             error)
 * by Cauchy-Schwarz, with error >= |v - v'| stored beside the code and |v| <= 1.001 (invariant 2).
 * The fp32 score differs from the real q.v by at most gamma |q| |v|, gamma = (D/16 + 5) 2^-24
 * (each lane has D/16 roundings, the tree 4); s = dot * scale * q_scale has three roundings
 * more. Twice that is added. */
#include "index/score.h"

#include "index/catalog.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Dimension d's place: group, byte and bits as score.h lays them out. */
static void put(uint8_t *code, int d, int c)
{
    uint8_t *group = code + (size_t)(d / 256) * 192;
    int j = d % 64, quarter = d % 256 / 64;
    group[64 * (quarter / 2) + j] |= (uint8_t)((c >> 2) << (4 * (quarter % 2)));
    group[128 + j] |= (uint8_t)((c & 3) << (2 * quarter));
}

void ks_code_row(uint8_t *code, float *scale, float *error, const uint16_t *h, int dim)
{
    float top = 0;
    double wrong = 0;
    for (int d = 0; d < dim; d++) top = fmaxf(top, fabsf(ks_float_from_half(h[d])));
    *scale = top > 0 ? top / 31 : 1;
    memset(code, 0, ks_code_stride(dim));
    for (int d = 0; d < dim; d++) {
        float v = ks_float_from_half(h[d]);
        float c = fmaxf(-31, fminf(31, rintf(v / *scale)));
        double off = (double)v - (double)*scale * (double)c;
        put(code, d, 32 + (int)c);
        wrong += off * off;
    }
    for (int d = dim; d < (int)ks_code_dims(dim); d++) put(code, d, 32);
    *error = (float)(sqrt(wrong) * (1 + 1e-6)) + 1e-9f; /* rounded up */
}

int ks_coded_make(ks_coded_query *out, const float *q, int dim)
{
    float top = 0;
    double length = 0, wrong = 0;
    memset(out, 0, sizeof *out);
    out->q = calloc(1, ks_code_dims(dim));
    if (!out->q) return KS_ENOMEM;
    for (int d = 0; d < dim; d++) top = fmaxf(top, fabsf(q[d]));
    out->scale = top > 0 ? top / 127 : 1;
    for (int d = 0; d < dim; d++) {
        float c = fmaxf(-127, fminf(127, rintf(q[d] / out->scale)));
        double off = (double)q[d] - (double)out->scale * (double)c;
        out->q[d] = (int8_t)c;
        out->offset += 32 * (int64_t)c;
        length += (double)q[d] * q[d];
        wrong += off * off;
    }
    length = sqrt(length);
    wrong = sqrt(wrong) * (1 + 1e-6);
    double gamma = (dim / 16.0 + 16) * 0x1p-23;
    out->slope = (float)((length + wrong) * (1 + 1e-6));
    out->constant = (float)((wrong * 1.001 + gamma * length * 1.001 * 1.1) * (1 + 1e-6)) + 1e-30f;
    return 0;
}

void ks_coded_free(ks_coded_query *out)
{
    free(out->q);
    out->q = NULL;
}
