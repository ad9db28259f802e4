/* moments.c - one event is seen by several overlapping clips; a person wants it once. */
#include "query/moments.h"

#include <assert.h>

static int joins(const ks_moment *m, const ks_scored *c, double least)
{
    return !c->taken && c->value >= least && c->start <= m->end && c->end >= m->start;
}

static void take(ks_moment *m, ks_scored *c)
{
    c->taken = 1;
    if (c->start < m->start)
        m->start = c->start;
    if (c->end > m->end)
        m->end = c->end;
}

void ks_moment_grow(ks_moment *m, ks_scored *clips, int n, int seed, int apart)
{
    double best = clips[seed].value, least = best * KS_MOMENT_SHARE;

    assert(seed >= 0 && seed < n && !clips[seed].taken);
    *m = (ks_moment){clips[seed].start, clips[seed].end, seed, seed};
    clips[seed].taken = 1;
    if (apart)
        return;
    if (best > 0) {
        while (m->last + 1 < n && joins(m, &clips[m->last + 1], least))
            take(m, &clips[++m->last]);
        while (m->first > 0 && joins(m, &clips[m->first - 1], least))
            take(m, &clips[--m->first]);
    }
    for (int i = 0; i < n; i++) {
        int64_t from = clips[i].start > m->start ? clips[i].start : m->start;
        int64_t to = clips[i].end < m->end ? clips[i].end : m->end;
        if (2 * (to - from) >= clips[i].end - clips[i].start)
            clips[i].taken = 1;
    }
}
