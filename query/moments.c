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
    if (c->start < m->start) m->start = c->start;
    if (c->end > m->end) m->end = c->end;
}

/* Does it show the same seconds? */
static void shoulder(const ks_moment *m, ks_scored *c, int survey)
{
    int64_t from = c->start > m->start ? c->start : m->start;
    int64_t to = c->end < m->end ? c->end : m->end;

    if (2 * (to - from) >= c->end - c->start) c->taken = 1;
    if (c->survey && !survey && 2 * (to - from) >= m->end - m->start) c->taken = 1;
}

void ks_moment_grow(ks_moment *m, ks_scored *clips, int n, int64_t longest, int seed, int apart)
{
    double best = clips[seed].value, least = best * KS_MOMENT_SHARE;
    int survey = clips[seed].survey;

    assert(seed >= 0 && seed < n && !clips[seed].taken);
    *m = (ks_moment){clips[seed].start, clips[seed].end, seed, seed};
    clips[seed].taken = 1;
    if (apart) return;
    for (int i = seed + 1; best > 0 && i < n; i++) {
        if (clips[i].survey != survey) continue;
        if (!joins(m, &clips[i], least)) break;
        take(m, &clips[m->last = i]);
    }
    for (int i = seed - 1; best > 0 && i >= 0; i--) {
        if (clips[i].survey != survey) continue;
        if (!joins(m, &clips[i], least)) break;
        take(m, &clips[m->first = i]);
    }
    for (int i = m->first; i > 0 && clips[i - 1].start > m->start - longest; i--)
        shoulder(m, &clips[i - 1], survey);
    for (int i = m->first; i < n && clips[i].start < m->end; i++) shoulder(m, &clips[i], survey);
}

static int touches(const ks_moment *m, const ks_scored *c)
{
    return c->start <= m->end && c->end >= m->start;
}

void ks_moment_extent(ks_moment *m, const ks_scored *clips, const double *values, int n, int seed)
{
    double least = values[seed] * KS_MOMENT_SHARE;

    *m = (ks_moment){clips[seed].start, clips[seed].end, seed, seed};
    if (!(values[seed] > 0)) return;
    for (int i = seed + 1; i < n; i++) {
        if (clips[i].survey != clips[seed].survey) continue;
        if (values[i] < least || !touches(m, &clips[i])) break;
        m->last = i;
        m->end = clips[i].end > m->end ? clips[i].end : m->end;
    }
    for (int i = seed - 1; i >= 0; i--) {
        if (clips[i].survey != clips[seed].survey) continue;
        if (values[i] < least || !touches(m, &clips[i])) break;
        m->first = i;
        m->start = clips[i].start;
        m->end = clips[i].end > m->end ? clips[i].end : m->end;
    }
}
