/* decoder_even.c - which of the likely rates do all frames of a film keep to? */
#include "decoder/decoder_even.h"

#include <math.h>
#include <string.h>

/* Rates of standards, cameras and capture programs. */
static const int standard[][2] = {
    {24000, 1001},  {24, 1},  {25, 1},       {30000, 1001}, {30, 1},        {50, 1},  {60000, 1001},
    {60, 1},        {48, 1},  {48000, 1001}, {100, 1},      {120000, 1001}, {120, 1}, {240, 1},
    {240000, 1001}, {15, 1},  {15000, 1001}, {10, 1},       {25, 2},        {20, 1},  {12, 1},
    {18, 1},        {16, 1},  {5, 1},        {8, 1},        {6, 1},         {4, 1},   {2, 1},
    {1, 1},         {200, 1}, {90, 1},       {72, 1}};
static const double NEAR = 0.002, SPREAD = 1.0, SKIP_SHARE = 0.01;

static void candidate(ks_even *e, int num, int den)
{
    for (int i = 0; i < KS_EVEN_RATES; i++) {
        if ((int64_t)e->at[i].num * den == (int64_t)num * e->at[i].den && e->at[i].num) return;
        if (e->at[i].num) continue;
        e->at[i].num = num;
        e->at[i].den = den;
        return;
    }
}

void ks_even_open(ks_even *e, double tick, const int claims[2][2])
{
    memset(e, 0, sizeof *e);
    e->tick = tick;
    for (int c = 0; c < 2; c++) {
        if (claims[c][0] <= 0 || claims[c][1] <= 0) continue;
        double fps = (double)claims[c][0] / claims[c][1], best = NEAR;
        int at = -1;
        if (!(fps > 0.001 && fps < 1000)) continue;
        for (int i = 0; i < (int)(sizeof standard / sizeof *standard); i++) {
            double off = fabs((double)standard[i][0] / standard[i][1] / fps - 1);
            if (off < best) best = off, at = i;
        }
        if (at >= 0) candidate(e, standard[at][0], standard[at][1]);
        candidate(e, claims[c][0], claims[c][1]);
    }
}

static void try_rate(ks_even_rate *r, double t, int fresh)
{
    double x = t * r->num / r->den, off = x - r->n, whole = floor(off + 0.5);
    if (fresh) {
        r->n = 1;
        return;
    }
    /* one or more frames are missing, and this one stands where it should */
    if (whole >= 1 && fabs(off - whole) < 0.1 && whole < 1e6) {
        r->skipped += (int64_t)whole;
        r->n += whole;
        off -= whole;
    }
    if (off < r->low) r->low = off;
    if (off > r->high) r->high = off;
    r->n += 1;
}

void ks_even_next(ks_even *e, int64_t ticks, int gap)
{
    int fresh = gap || e->frames == 0;
    if (fresh) e->origin = ticks;
    e->frames++;
    for (int i = 0; i < KS_EVEN_RATES && e->at[i].num; i++)
        try_rate(&e->at[i], (double)(ticks - e->origin) * e->tick, fresh);
}

int ks_even_rate_of(int *num, int *den, const ks_even *e)
{
    *num = *den = 0;
    if (e->frames < 3) return -1;
    for (int i = 0; i < KS_EVEN_RATES && e->at[i].num; i++) {
        const ks_even_rate *r = &e->at[i];
        double coarse = 2 * e->tick * r->num / r->den; /* times are whole ticks */
        if (r->high - r->low > SPREAD + coarse ||
            (double)r->skipped > SKIP_SHARE * (double)e->frames)
            continue;
        *num = r->num;
        *den = r->den;
        return 1;
    }
    return 0;
}
