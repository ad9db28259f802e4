/* blend.c - see blend.h. */
#include "ingest/blend.h"

#include "ingest/picture.h"

#include <math.h>

double ks_blend_quality(const uint8_t *a, const uint8_t *f, const uint8_t *b)
{
    int64_t off = 0, apart = 0;
    for (int i = 0; i < KS_PIC_BYTES; i++) {
        int u = 2 * f[i] - a[i] - b[i], v = a[i] - b[i];
        off += u * u;
        apart += v * v;
    }
    return apart ? 1 - (double)off / (double)apart : -1;
}

double ks_blend_way(const uint8_t *a, const uint8_t *f, const uint8_t *b)
{
    int64_t along = 0, apart = 0;
    for (int i = 0; i < KS_PIC_BYTES; i++) {
        int u = f[i] - a[i], v = b[i] - a[i];
        along += u * v;
        apart += v * v;
    }
    return apart ? (double)along / (double)apart : 0;
}

double ks_blend_alike(const uint8_t *a, const uint8_t *b)
{
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, n = KS_PIC_PLANE;
    for (int i = 0; i < KS_PIC_PLANE; i++) {
        sa += a[i];
        sb += b[i];
        saa += a[i] * a[i];
        sbb += b[i] * b[i];
        sab += a[i] * b[i];
    }
    double va = saa - sa * sa / n, vb = sbb - sb * sb / n;
    return va > 0 && vb > 0 ? (sab - sa * sb / n) / sqrt(va * vb) : 0;
}

double ks_blend_unlike(const uint8_t *a, const uint8_t *b)
{
    uint8_t same[KS_PIC_BYTES];
    double spread = ks_picture_spread(b), gain = spread > 0 ? ks_picture_spread(a) / spread : 1,
           mean[2] = {0, 0};
    for (int i = 0; i < KS_PIC_PLANE; i++) {
        mean[0] += a[i];
        mean[1] += b[i];
    }
    for (int i = 0; i < KS_PIC_BYTES; i++) {
        double from = i < KS_PIC_PLANE ? mean[1] / KS_PIC_PLANE : 128,
               to = i < KS_PIC_PLANE ? mean[0] / KS_PIC_PLANE : 128;
        double v = (b[i] - from) * gain + to + 0.5;
        same[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    double plain = ks_picture_moved_distance(a, b), fair = ks_picture_moved_distance(a, same);
    return plain < fair ? plain : fair;
}

double ks_blend_ramp(const double *w, const double *t, int n, double middle, double half)
{
    double r = 0, x = 0, y = 0, rr = 0, xx = 0, rx = 0, ry = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        double u = t[i] - middle, v = u / (2 * half) + 0.5;
        v = v < 0 ? 0 : v > 1 ? 1 : v;
        r += v;
        x += u;
        y += w[i];
        rr += v * v;
        xx += u * u;
        rx += v * u;
        ry += v * w[i];
        xy += u * w[i];
    }
    rr -= r * r / n, xx -= x * x / n, rx -= r * x / n, ry -= r * y / n, xy -= x * y / n;
    double own = rr - rx * rx / xx, shared = ry - rx * xy / xx;
    return xx > 0 && own > 1e-3 && shared > 0 ? shared * shared / own : 0;
}
