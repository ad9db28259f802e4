/* score.c - plain C, the definition. */
#include "index/score.h"

#include "index/catalog.h"

#include <math.h>

static float score(const float *q, const uint16_t *h, int dim)
{
    float acc[16] = { 0 };
    for (int i = 0; i < dim; i += 16)
        for (int j = 0; j < 16; j++) {
            float a = i + j < dim ? q[i + j] : 0.0f, b = i + j < dim ? ks_float_from_half(h[i + j]) : 0.0f;
            acc[j] = fmaf(a, b, acc[j]);
        }
    for (int step = 8; step > 0; step /= 2)
        for (int j = 0; j < step; j++) acc[j] += acc[j + step];
    return acc[0];
}

void ks_score_rows(float *out, const float *q, const uint16_t *h, size_t stride, int dim, int m, ks_cpu cpu)
{
    (void)cpu;
    for (int i = 0; i < m; i++) out[i] = score(q, h + (size_t)i * stride, dim);
}

ks_cpu ks_cpu_best(void)
{
    return KS_CPU_PLAIN;
}
