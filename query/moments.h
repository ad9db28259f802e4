/* moments.h - clips of one video become moments. Pure: no catalog, no encoder. */
#ifndef KS_MOMENTS_H
#define KS_MOMENTS_H

#include "query/query.h"

/* A clip with what the query gives it. value: what ranks (z, or the scaled cosine). */
typedef struct {
    int64_t id;
    int64_t start, end; /* ticks */
    double value, cosine;
    int taken;  /* belongs to a moment already, or lies on the shoulder of one */
    int row;    /* of its film's cosines */
    int survey; /* 1: of a survey, beside finer ones */
} ks_scored;

typedef struct {
    int64_t start, end;
    /* clips[first..last] of the video joined, those of the kind of the seed (survey or not); all
     * of them are taken */
    int first, last;
} ks_moment;

/* Neighbours join while each overlaps or touches the moment and has at least this share of the best
 * value: half-overlapping windows on one event give about 0.8 of the best, the next event gives
 * less. */
#define KS_MOMENT_SHARE 0.75

/* Grow a moment around clips[seed] of one video; clips[n] sorted by start, then id. Joins
 * neighbours to both sides, marks them taken, and marks as taken too every other clip that lies
 * in the moment by at least half of its own length: it shows the same seconds; so does a clip
 * of the survey in which at least half of a finer moment lies. apart: the seed alone. longest: no
 * clip is longer; the cost is that of the moment's neighbourhood, not of the film. */
void ks_moment_grow(ks_moment *m, ks_scored *clips, int n, int64_t longest, int seed, int apart);
/* The same growth by values [n] of their own, start and end alone: nothing is taken, and what is
 * taken counts. */
void ks_moment_extent(ks_moment *m, const ks_scored *clips, const double *values, int n, int seed);

#endif
