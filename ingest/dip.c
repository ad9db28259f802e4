/* dip.c - see dip.h. The grid of lengths and all limits were chosen over films made from 48 real clips
 * (tests/shots_films.py, seeds 7 and 8). */
#include "ingest/dip.h"

#include "ingest/picture.h"

#include <math.h>
#include <stddef.h>

static const double HALVES[] = {0.16, 0.2, 0.24, 0.32, 0.4, 0.48, 0.56, 0.64, 0.72, 0.8, 0.88, KS_DIP_LONGEST};
static const double FLOOR[KS_DIP_ENERGIES] = {30, 10, 5}; /* energies of a picture with little in it */
static const double NOISE = 3e-3;                         /* squares left over that say nothing, of a mean energy of 1 */
static const double FAINTEST = 0.12;                      /* a scene with less of the mean energy is a fade */
enum { LEAST = 5 };                                       /* looks on each side */

void ks_dip_energies(double out[KS_DIP_ENERGIES], const uint8_t *picture)
{
    int64_t steps = 0;
    for (int y = 0; y < KS_PIC_H; y++)
        for (int x = 0; x < KS_PIC_W; x++) {
            const uint8_t *p = picture + y * KS_PIC_W + x;
            int right = x + 1 < KS_PIC_W ? p[1] - p[0] : 0, down = y + 1 < KS_PIC_H ? p[KS_PIC_W] - p[0] : 0;
            steps += right * right + down * down;
        }
    double spread[3];
    for (int i = 0; i < 3; i++) spread[i] = ks_picture_spread(picture + i * KS_PIC_PLANE);
    out[0] = spread[0] * spread[0];
    out[1] = (double)steps / KS_PIC_PLANE;
    out[2] = spread[1] * spread[1] + spread[2] * spread[2];
}

/* Two functions of time, and how they go together with each other and with each energy. */
typedef struct {
    double ff, fg, gg, fz[KS_DIP_ENERGIES], gz[KS_DIP_ENERGIES];
} sums;

static void add(sums *s, double f, double g, const double *z)
{
    s->ff += f * f;
    s->fg += f * g;
    s->gg += g * g;
    for (int e = 0; e < KS_DIP_ENERGIES; e++) {
        s->fz[e] += f * z[e];
        s->gz[e] += g * z[e];
    }
}

/* Squares of energy e, zz in all, that the best a*f + b*g leaves over; *less: the smaller of a and b. */
static double left_over(const sums *s, int e, double zz, double *less)
{
    double det = s->ff * s->gg - s->fg * s->fg;
    if (det < 1e-9) return zz;
    double a = (s->fz[e] * s->gg - s->gz[e] * s->fg) / det, b = (s->gz[e] * s->ff - s->fz[e] * s->fg) / det;
    double left = zz - a * s->fz[e] - b * s->gz[e];
    if (less) *less = a < b ? a : b;
    return left > 0 ? left : 0;
}

/* The gain of looks from .. to as a dissolve against the better of a ramp and a line. */
static double gain_of(const ks_dip_window *w, int from, int to, double half)
{
    sums dip = {0}, ramp = {0}, line = {0};
    double zz[KS_DIP_ENERGIES] = {0}, as_dip = 0, as_none = 0, n = to - from + 1;
    for (int i = from; i <= to; i++) {
        double u = w->t[i] - w->t[w->middle], v = u / (2 * half) + 0.5;
        v = v < 0 ? 0 : v > 1 ? 1 : v;
        add(&dip, (1 - v) * (1 - v), v * v, w->energy[i]);
        add(&ramp, 1 - v, v, w->energy[i]);
        add(&line, 1, u, w->energy[i]);
        for (int e = 0; e < KS_DIP_ENERGIES; e++) zz[e] += w->energy[i][e] * w->energy[i][e];
    }
    for (int e = 0; e < KS_DIP_ENERGIES; e++) {
        double less = 0, mean = line.fz[e] / n, dipped = left_over(&dip, e, zz[e], &less);
        double straight = left_over(&line, e, zz[e], NULL), ramped = left_over(&ramp, e, zz[e], NULL);
        if (mean < FLOOR[e]) mean = FLOOR[e];
        if (less < FAINTEST * mean) return -INFINITY;
        as_dip += dipped / (mean * mean * n);
        as_none += (straight < ramped ? straight : ramped) / (mean * mean * n);
    }
    return log((as_none + NOISE) / (as_dip + NOISE));
}

/* Cheap: is the contrast in the middle at most 0.8 of that at both ends? It should be half. */
static int is_fainter(const ks_dip_window *w, int from, int to)
{
    const double *a = w->energy[from], *m = w->energy[w->middle], *b = w->energy[to];
    return m[0] < 0.4 * (a[0] + b[0]) || m[1] < 0.4 * (a[1] + b[1]);
}

double ks_dip(double *half, const ks_dip_window *w)
{
    double best = -INFINITY, middle = w->t[w->middle];
    *half = 0;
    for (unsigned h = 0; h < sizeof HALVES / sizeof *HALVES; h++) {
        double reach = HALVES[h] + KS_DIP_BESIDE;
        double least = 0.6 * HALVES[h] > 0.24 ? 0.6 * HALVES[h] : 0.24;
        int from = w->middle, to = w->middle;
        while (from > 0 && middle - w->t[from - 1] <= reach) from--;
        while (to + 1 < w->n && w->t[to + 1] - middle <= reach) to++;
        if (w->middle - from < LEAST || to - w->middle < LEAST || !is_fainter(w, from, to)) continue;
        if (middle - w->t[from] < least - 1e-6 || w->t[to] - middle < least - 1e-6) continue;
        double gain = gain_of(w, from, to, HALVES[h]);
        if (gain > best) best = gain, *half = HALVES[h];
    }
    return best;
}

static void block_steps(int64_t out[KS_DIP_BLOCKS], const uint8_t *picture)
{
    for (int i = 0; i < KS_DIP_BLOCKS; i++) out[i] = 0;
    for (int y = 0; y + 1 < KS_PIC_H; y++)
        for (int x = 0; x + 1 < KS_PIC_W; x++) {
            const uint8_t *p = picture + y * KS_PIC_W + x;
            int right = p[1] - p[0], down = p[KS_PIC_W] - p[0];
            out[y / (KS_PIC_H / 3) * 4 + x / (KS_PIC_W / 4)] += right * right + down * down;
        }
}

double ks_dip_share(const uint8_t *a, const uint8_t *middle, const uint8_t *b)
{
    int64_t before[KS_DIP_BLOCKS], then[KS_DIP_BLOCKS], after[KS_DIP_BLOCKS];
    block_steps(before, a);
    block_steps(then, middle);
    block_steps(after, b);
    int fainter = 0;
    for (int i = 0; i < KS_DIP_BLOCKS; i++) fainter += (double)then[i] < 0.4 * (double)(before[i] + after[i]);
    return (double)fainter / KS_DIP_BLOCKS;
}
