/* decoder_times.c - from a stream's timestamps to the film's clock.
 *
 * t = pts - start of the container, strictly increasing. What real files do instead (reliability
 * 3x):
 * - times that go back by a little (every fifth frame, file 3e): those frames are dropped;
 * - the clock set anew in a transport stream (32, 33, 3i; recordings joined by cat, from the first
 *   frame on: none is lost): the film goes on where it was, a break lies before it, as players
 *     that linearise show it; so a duration is never 5004 s for 8 s of film;
 * - a true gap in a container (35): kept, with a break;
 * - no time at all: leading frames of a timed stream are dropped (30), raw streams count frames
 *   (36),
 *   single frames go on from the last one. */
#include "decoder/decoder_times.h"

#include <string.h>

enum { BEHIND_MAX = 8 }; /* so many frames in a row behind the clock: it was set back */
/* A stamp beyond 2^60 ticks (36 years in nanoseconds) or 2^32 seconds is none: every sum below
 * stays inside int64. */
static const int64_t STAMP_MAX = (int64_t)1 << 60;
/* below KS_CLOCK_MAX, after which kinoseek does not believe us */
static const double SECONDS_MAX = 4.29e9;
/* seconds; further back than any order of pictures: the clock was set back */
static const double BACK = 0.4;
static const double JUMP = 10.0; /* seconds; a jump is this or 20 median steps */
static const double GAP = 1.0;   /* seconds; a gap is this or 10 median steps without a picture */

void ks_times_open(ks_times *t, double tick, int64_t typical, int64_t start)
{
    memset(t, 0, sizeof *t);
    t->tick = tick;
    t->most = tick * (double)STAMP_MAX > SECONDS_MAX ? (int64_t)(SECONDS_MAX / tick) : STAMP_MAX;
    t->typical = typical > 0 && typical < t->most ? typical : 1;
    t->has_start = start >= -t->most && start <= t->most;
    t->start = t->has_start ? start : 0;
    t->last = -1;
    t->first_jump = -1;
}

int64_t ks_times_step(const ks_times *t)
{
    int64_t s[KS_STEPS];
    int n = t->steps < KS_STEPS ? t->steps : KS_STEPS;
    if (n < 3) return t->typical;
    for (int i = 0; i < n; i++) {
        int k = i;
        for (; k > 0 && s[k - 1] > t->step[i]; k--) s[k] = s[k - 1];
        s[k] = t->step[i];
    }
    return s[n / 2];
}

static double larger(double a, double b) { return a > b ? a : b; }

/* 1; 0: it would lie beyond what a clock can say. */
static int deliver(ks_times *t, ks_moment *m, int64_t ticks, int64_t duration)
{
    if (ticks > t->most) return 0;
    if (t->any && !m->gap) t->step[t->steps++ % KS_STEPS] = ticks - t->last;
    if (t->steps == 2 * KS_STEPS) t->steps = KS_STEPS;
    if (!t->any) t->first = ticks;
    t->any = 1;
    t->behind = 0;
    t->last = ticks;
    t->last_end = ticks + (duration > 0 ? duration : ks_times_step(t));
    m->ticks = ticks;
    return 1;
}

/* The clock was set anew: this frame comes one step after the last. */
static int64_t go_on(ks_times *t, ks_moment *m, int64_t raw)
{
    int64_t ticks = t->last + ks_times_step(t);
    t->shift += raw - ticks;
    m->gap = 1;
    t->jumps++;
    if (t->first_jump < 0) t->first_jump = ticks;
    return ticks;
}

static int is_jump(const ks_times *t, int64_t ticks)
{
    double ahead = (double)(ticks - t->last) * t->tick;
    if (ahead <= larger(JUMP, 20 * (double)ks_times_step(t) * t->tick)) return 0;
    return t->resets || (t->header_end > 0 && (double)(ticks - t->header_end) * t->tick > JUMP);
}

/* One stamp of its own (a packet with a flipped bit) sets no clock back: the frame after it goes
 * on by the old one. */
static int64_t old_clock(ks_times *t, int64_t ticks)
{
    int64_t old = ticks + t->shift - t->old_shift;
    t->astray = 0;
    if (old <= t->old_last || old - t->old_last > 4 * ks_times_step(t)) return ticks;
    t->shift = t->old_shift;
    t->jumps--;
    return old;
}

static int64_t set_back(ks_times *t, ks_moment *m, int64_t ticks)
{
    t->astray = 1;
    t->old_shift = t->shift;
    t->old_last = t->last;
    return go_on(t, m, ticks);
}

int ks_times_next(ks_moment *m, ks_times *t, int64_t pts, int64_t duration)
{
    memset(m, 0, sizeof *m);
    if (duration < 0 || duration > t->most) duration = 0;
    if (pts == KS_NO_TIME || pts > t->most || pts < -t->most) {
        if (!t->any && !t->untimed) {
            t->leading_untimed++;
            return 0;
        }
        m->inferred = 1;
        t->inferred++;
        return deliver(t, m, t->any ? t->last + ks_times_step(t) : 0, duration);
    }
    if (!t->has_start || (!t->any && pts < t->start)) {
        t->start = pts;
        t->has_start = 1;
    }
    int64_t ticks = pts - t->start - t->shift;
    if (ticks > t->most) return 0;
    if (!t->any) return deliver(t, m, ticks, duration);
    if (t->astray) ticks = old_clock(t, ticks);
    if (ticks <= t->last) {
        double back = (double)(t->last - ticks) * t->tick;
        if (++t->behind < BEHIND_MAX && !(t->resets && back > BACK)) return 0;
        ticks = t->resets && back > BACK ? set_back(t, m, ticks) : go_on(t, m, ticks);
    } else if (is_jump(t, ticks)) {
        ticks = go_on(t, m, ticks);
    } else if (ticks > t->last_end) {
        double hole = (double)(ticks - t->last_end) * t->tick;
        if (hole > GAP && hole > larger(GAP, 10 * (double)ks_times_step(t) * t->tick)) m->gap = 1;
    }
    return deliver(t, m, ticks, duration);
}

int ks_times_implausible(const ks_times *t, int64_t frames)
{
    return frames >= 8 && (double)(t->last - t->first) * t->tick * 1500 < (double)(frames - 1);
}
