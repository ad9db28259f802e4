/* positions.c - see positions.h. Runs once per size, so plain and in double where that is free. */
#include "encoder/positions.h"

#include <math.h>
#include <string.h>

/* y[D] += weight * x[D] */
static void add_scaled(float *y, const float *x, float weight, int D)
{
    for (int d = 0; d < D; d++) y[d] += weight * x[d];
}

float ks_resample_weight(int in, int out, int o, int i)
{
    double scale = (double)in / out, support = scale > 1 ? scale : 1, sum = 0, mine = 0;
    double centre = (o + 0.5) * scale - 0.5;
    for (int j = 0; j < in; j++) {
        double x = fabs(centre - j) / support, w = x < 1 ? 1 - x : 0;
        sum += w;
        mine = j == i ? w : mine;
    }
    return (float)(mine / sum);
}

void ks_positions_time(float *y, const float *x, int T0, int T, int D)
{
    size_t width = (size_t)D;
    memset(y, 0, (size_t)T * width * sizeof *y);
    for (int t = 0; t < T; t++)
        for (int i = 0; i < T0; i++) {
            float w = T == T0 ? (float)(i == t) : ks_resample_weight(T0, T, t, i);
            if (w != 0) add_scaled(y + (size_t)t * width, x + (size_t)i * width, w, D);
        }
}

void ks_positions_grid(float *y, const float *x, int G0, int G, int D)
{
    size_t width = (size_t)D;
    memset(y, 0, (size_t)G * (size_t)G * width * sizeof *y);
    if (G == G0) {
        memcpy(y, x, (size_t)G * (size_t)G * width * sizeof *y);
        return;
    }
    for (int r = 0; r < G; r++)
        for (int i = 0; i < G0; i++) {
            float wr = ks_resample_weight(G0, G, r, i);
            for (int c = 0; wr != 0 && c < G; c++)
                for (int j = 0; j < G0; j++) {
                    float w = wr * ks_resample_weight(G0, G, c, j);
                    if (w != 0)
                        add_scaled(y + ((size_t)r * (size_t)G + (size_t)c) * width,
                                   x + ((size_t)i * (size_t)G0 + (size_t)j) * width, w, D);
                }
        }
}

void ks_positions_sinusoid(float *y, int n, int D)
{
    int half = D / 2;
    double step = log(10000.0) / (half > 2 ? half - 1 : 1);
    for (int p = 0; p < n; p++) {
        float *row = y + (size_t)p * (size_t)D;
        for (int i = 0; i < half; i++) {
            double angle = p * exp(-step * i);
            row[i] = (float)sin(angle);
            row[half + i] = (float)cos(angle);
        }
        if (D % 2) row[D - 1] = 0;
    }
}
