/* dip.c - see dip.h. The grid of lengths and all limits were chosen over films made from 48 real
 * clips
 * (tests/shots_films.py, seeds 7 and 8). */
#include "ingest/dip.h"

#include "ingest/picture.h"

#include <math.h>
#include <stddef.h>

static const double HALVES[] = {0.16, 0.2,  0.24, 0.32, 0.4,  0.48,
                                0.56, 0.64, 0.72, 0.8,  0.88, KS_DIP_LONGEST};
/* energies of a picture with little in it */
static const double FLOOR[KS_DIP_ENERGIES] = {30, 10, 5};
/* squares left over that say nothing, of a mean energy of 1 */
static const double NOISE = 3e-3;
/* a scene with less of the mean energy is a fade */
static const double FAINTEST = 0.02;
/* of the mean of all blocks: one with less says nothing */
static const double EMPTY = 0.05;
enum { LEAST = 5 }; /* looks on each side */

void ks_dip_measure(ks_dip_energies *out, const uint8_t *picture)
{
    int64_t steps = 0, block[KS_DIP_BLOCKS] = {0};
    for (int y = 0; y < KS_PIC_H; y++)
        for (int x = 0; x < KS_PIC_W; x++) {
            const uint8_t *p = picture + y * KS_PIC_W + x;
            int right = x + 1 < KS_PIC_W ? p[1] - p[0] : 0,
                down = y + 1 < KS_PIC_H ? p[KS_PIC_W] - p[0] : 0;
            block[y / (KS_PIC_H / 3) * 4 + x / (KS_PIC_W / 4)] += right * right + down * down;
        }
    for (int i = 0; i < KS_DIP_BLOCKS; i++) {
        out->block[i] = (double)block[i];
        steps += block[i];
    }
    double spread[3];
    for (int i = 0; i < 3; i++) spread[i] = ks_picture_spread(picture + i * KS_PIC_PLANE);
    out->whole[0] = spread[0] * spread[0];
    out->whole[1] = (double)steps / KS_PIC_PLANE;
    out->whole[2] = spread[1] * spread[1] + spread[2] * spread[2];
}

/* Two functions of time, and how they go together with each other and with an energy. */
typedef struct {
    double ff, fg, gg, fz, gz;
} sums;

static void add(sums *s, double f, double g, double z)
{
    s->ff += f * f;
    s->fg += f * g;
    s->gg += g * g;
    s->fz += f * z;
    s->gz += g * z;
}

/* Squares of an energy, zz in all, that the best a*f + b*g leaves over; *less: the smaller of a
 * and b. */
static double left_over(const sums *s, double zz, double *less)
{
    double det = s->ff * s->gg - s->fg * s->fg;
    if (det < 1e-9) return zz;
    double a = (s->fz * s->gg - s->gz * s->fg) / det, b = (s->gz * s->ff - s->fz * s->fg) / det;
    double left = zz - a * s->fz - b * s->gz;
    if (less) *less = a < b ? a : b;
    return left > 0 ? left : 0;
}

/* What one energy leaves over as a dissolve, and as the better of a ramp and a line; squares. */
typedef struct {
    double mean, less, as_dip, as_none;
} fitted;

static fitted fit(const ks_dip_window *w, int from, int to, double half, int block, int which)
{
    sums dip = {0}, ramp = {0}, line = {0};
    double zz = 0, less = 0;
    for (int i = from; i <= to; i++) {
        double u = w->t[i] - w->t[w->middle], v = u / (2 * half) + 0.5;
        double z = block ? w->energy[i]->block[which] : w->energy[i]->whole[which];
        v = v < 0 ? 0 : v > 1 ? 1 : v;
        add(&dip, (1 - v) * (1 - v), v * v, z);
        add(&ramp, 1 - v, v, z);
        add(&line, 1, u, z);
        zz += z * z;
    }
    double dipped = left_over(&dip, zz, &less), straight = left_over(&line, zz, NULL),
           ramped = left_over(&ramp, zz, NULL);
    return (fitted){line.fz / (to - from + 1), less, dipped, straight < ramped ? straight : ramped};
}

/* The gain of looks from .. to as a dissolve against the better of a ramp and a line. */
static double gain_of(const ks_dip_window *w, int from, int to, double half)
{
    double as_dip = 0, as_none = 0, n = to - from + 1;
    for (int e = 0; e < KS_DIP_ENERGIES; e++) {
        fitted f = fit(w, from, to, half, 0, e);
        double mean = f.mean < FLOOR[e] ? FLOOR[e] : f.mean;
        if (f.less < FAINTEST * mean) return -INFINITY;
        as_dip += f.as_dip / (mean * mean * n);
        as_none += f.as_none / (mean * mean * n);
    }
    return log((as_none + NOISE) / (as_dip + NOISE));
}

/* Cheap: is the contrast in the middle at most 0.8 of that at both ends? It should be half. */
static int is_fainter(const ks_dip_window *w, int from, int to)
{
    const double *a = w->energy[from]->whole, *m = w->energy[w->middle]->whole,
                 *b = w->energy[to]->whole;
    return m[0] < 0.4 * (a[0] + b[0]) || m[1] < 0.4 * (a[1] + b[1]);
}

/* The looks within half of the middle, and as far beyond as is looked at. */
static void reach(int *from, int *to, const ks_dip_window *w, double half)
{
    double middle = w->t[w->middle], most = half + KS_DIP_BESIDE;
    *from = *to = w->middle;
    while (*from > 0 && middle - w->t[*from - 1] <= most) (*from)--;
    while (*to + 1 < w->n && w->t[*to + 1] - middle <= most) (*to)++;
}

double ks_dip(double *half, const ks_dip_window *w)
{
    double best = -INFINITY, middle = w->t[w->middle];
    *half = 0;
    for (unsigned h = 0; h < sizeof HALVES / sizeof *HALVES; h++) {
        double least = 0.6 * HALVES[h] > 0.24 ? 0.6 * HALVES[h] : 0.24;
        int from, to;
        reach(&from, &to, w, HALVES[h]);
        if (w->middle - from < LEAST || to - w->middle < LEAST || !is_fainter(w, from, to))
            continue;
        if (middle - w->t[from] < least - 1e-6 || w->t[to] - middle < least - 1e-6) continue;
        double gain = gain_of(w, from, to, HALVES[h]);
        if (gain > best) best = gain, *half = HALVES[h];
    }
    return best;
}

double ks_dip_of_blocks(const ks_dip_window *w, double half)
{
    fitted f[KS_DIP_BLOCKS];
    double all = 0, gain = 0;
    int from, to, counted = 0;
    reach(&from, &to, w, half);
    for (int i = 0; i < KS_DIP_BLOCKS; i++) {
        f[i] = fit(w, from, to, half, 1, i);
        all += f[i].mean;
    }
    for (int i = 0; i < KS_DIP_BLOCKS; i++) {
        if (f[i].mean < EMPTY * all / KS_DIP_BLOCKS) continue;
        double noise = NOISE * f[i].mean * f[i].mean * (to - from + 1);
        gain += log((f[i].as_none + noise) / (f[i].as_dip + noise));
        counted++;
    }
    return counted ? gain / counted : -INFINITY;
}
