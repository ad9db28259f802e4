/* plan.c - the streaming planner. See plan.h for the rule.
 *
 * Two lists of ordinals are kept: `own`, every frame of a shot that may still prove no longer
 * than the window, and `grid`, for each grid step the frame shown at it, from the oldest step a
 * later clip can start at. A grid step is filed when the first frame after it arrives, so a clip
 * is known as soon as a frame lies past its end. */
#include "ingest/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide; /* ticks * timebase * microseconds * T stay below 2^126 */

enum {
    INTERVALS = 32,
    /* a clip's middle is that part of the pure pictures away from a dissolve: lengths are not
     * exact */
    MARGIN = 4
};

struct ks_plan {
    ks_plan_rule rule;
    ks_plan_emit *emit;
    void *arg;
    int hop_steps;
    int in_shot;
    int64_t s; /* start of the shot, ticks */
    /* where its own dissolve has its middle: s, but for pictures only passed */
    int64_t entered;
    int64_t pure;           /* end of the dissolve that it starts in; s if there is none */
    int64_t last, last_pts; /* the newest frame of the shot */
    int64_t n;              /* frames of the shot so far */
    /* every stride-th of them; empty once the shot is longer than the window */
    int64_t own[KS_PLAN_OWN];
    int64_t own_pts[KS_PLAN_OWN];
    int own_n, stride;
    int64_t next_start; /* step at which the next whole window starts */
    int64_t known;      /* step of the shot from which its frames were given; else 0 */
    int64_t grid_base;  /* step of grid[0] */
    int grid_n, grid_room;
    int64_t *grid;               /* [grid_room] ordinals */
    int64_t interval[INTERVALS]; /* of frames, the newest ones; for the typical one */
    int64_t intervals;
    int64_t chosen[KS_PLAN_FRAMES];
};

/* Compares t - s with m grid steps, exactly: < 0, 0, > 0. */
static int against(const ks_plan *p, int64_t t, int64_t m)
{
    wide time = ((wide)t - p->s) * p->rule.tb.num * 1000000 * p->rule.frames;
    wide grid = (wide)m * p->rule.window_us * p->rule.tb.den;
    return time < grid ? -1 : time > grid;
}

/* Ticks of m grid steps after the shot's start, rounded down. */
static int64_t step_ticks(const ks_plan *p, int64_t m)
{
    wide unit = (wide)p->rule.tb.num * 1000000 * p->rule.frames;
    return p->s + (int64_t)((wide)m * p->rule.window_us * p->rule.tb.den / unit);
}

/* Compares dt ticks with the window, exactly: > 0 is longer. A tick itself can be (an AVI of a
 * frame an hour). */
static int against_window(const ks_plan *p, int64_t dt)
{
    wide time = (wide)dt * p->rule.tb.num * 1000000,
         window = (wide)p->rule.window_us * p->rule.tb.den;
    return time < window ? -1 : time > window;
}

/* The window in whole ticks, at least one: no clip is shorter. */
static int64_t window_ticks(const ks_plan *p)
{
    wide unit = (wide)p->rule.tb.num * 1000000;
    int64_t ticks = (int64_t)((wide)p->rule.window_us * p->rule.tb.den / unit);
    return ticks > 0 ? ticks : 1;
}

/* The first step m with m*step + W >= t - s. */
static int64_t tail_step(const ks_plan *p, int64_t t)
{
    wide unit = (wide)p->rule.window_us * p->rule.tb.den;
    wide time = ((wide)t - p->s) * p->rule.tb.num * 1000000 * p->rule.frames;
    wide over = time - unit * p->rule.frames;
    return over <= 0 ? 0 : (int64_t)((over + unit - 1) / unit);
}

int ks_plan_open(ks_plan **plan, const ks_plan_rule *rule, ks_plan_emit *emit, void *arg,
                 ks_error *e)
{
    assert(rule->frames >= 1 && rule->frames <= KS_PLAN_FRAMES && rule->window_us > 0 &&
           rule->hop_us > 0 && rule->short_frames >= 0 && rule->short_frames <= rule->frames);
    assert(rule->tb.num > 0 && rule->tb.den > 0 && emit);
    *plan = NULL;
    ks_plan *p = calloc(1, sizeof *p);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for the clip plan");
    p->rule = *rule;
    p->emit = emit;
    p->arg = arg;
    int64_t hop = (rule->hop_us * rule->frames + rule->window_us / 2) / rule->window_us;
    p->hop_steps = hop < 1 ? 1 : hop > INT32_MAX ? INT32_MAX : (int)hop;
    p->grid_room = 4 * KS_PLAN_FRAMES;
    p->grid = malloc((size_t)p->grid_room * sizeof *p->grid);
    if (!p->grid) {
        free(p);
        return ks_fail(e, KS_ENOMEM, "no memory for the clip plan");
    }
    *plan = p;
    return 0;
}

void ks_plan_close(ks_plan *p)
{
    if (!p) return;
    free(p->grid);
    free(p);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Ticks a frame usually lasts: the median of the newest intervals, else what the header says,
 * else 0. */
static int64_t typical(const ks_plan *p)
{
    int64_t sorted[INTERVALS];
    int n = p->intervals < INTERVALS ? (int)p->intervals : INTERVALS;
    if (n == 0) return p->rule.nominal;
    memcpy(sorted, p->interval, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    return sorted[n / 2];
}

/* A gap is more than two grid steps without a frame where frames usually come faster; frames
 * further apart than the window never share a clip. */
static int is_gap(const ks_plan *p, int64_t dt)
{
    if (against_window(p, dt) > 0) return 1;
    wide time = (wide)dt * p->rule.tb.num * 1000000 * p->rule.frames;
    if (time <= (wide)2 * p->rule.window_us * p->rule.tb.den) return 0;
    int64_t usual = typical(p);
    return usual > 0 && dt / 8 > usual;
}

/* End of the newest frame where nothing follows at once: a frame's usual length, never more than
 * the window. */
static int64_t end_alone(const ks_plan *p, int64_t wish)
{
    int64_t most = window_ticks(p), usual = typical(p), length = wish - p->last_pts;
    if (wish <= p->last_pts) length = usual > 0 ? usual : 1;
    else if (usual > 0 && length > 2 * usual) length = usual;
    return p->last_pts + (length < most ? length : most);
}

static void keep_own(ks_plan *p, int64_t ordinal, int64_t pts)
{
    if (p->own_n == KS_PLAN_OWN) {
        for (int i = 0; i < KS_PLAN_OWN / 2; i++) {
            p->own[i] = p->own[2 * i];
            p->own_pts[i] = p->own_pts[2 * i];
        }
        p->own_n /= 2;
        p->stride *= 2;
    }
    if (p->n % p->stride) return;
    p->own_pts[p->own_n] = pts;
    p->own[p->own_n++] = ordinal;
}

/* Steps before `from` can start no later clip. */
static void drop_grid(ks_plan *p, int64_t from)
{
    int64_t gone = from - p->grid_base;
    if (gone <= 0) return;
    if (gone > p->grid_n) gone = p->grid_n;
    memmove(p->grid, p->grid + gone, (size_t)(p->grid_n - gone) * sizeof *p->grid);
    p->grid_n -= (int)gone;
    p->grid_base += gone;
}

static int emit_grid(ks_plan *p, int64_t from, int64_t end, ks_reason reason, ks_error *e)
{
    ks_planned clip = {step_ticks(p, from), end, reason, p->rule.frames, 0, p->chosen};
    if (from < p->known) return 0;
    for (int i = 0; i < p->rule.frames; i++) {
        int64_t at = from + i - p->grid_base;
        if (at < 0 || at >= p->grid_n)
            return ks_fail(e, KS_EFORMAT, "its clips cannot be planned (no frame at step %lld)",
                           (long long)(from + i));
        p->chosen[i] = p->grid[at];
    }
    if (clip.start >= end)
        return ks_fail(e, KS_EFORMAT, "its clips cannot be planned (one ends where it starts)");
    return p->emit(p->arg, &clip, e);
}

/* The next whole window; those that would start in the same tick as this one are the same clip. */
static void next_window(ks_plan *p)
{
    int64_t start = step_ticks(p, p->next_start);
    do p->next_start += p->hop_steps;
    while (step_ticks(p, p->next_start) == start);
}

/* File the newest frame under every step it is shown at before `until`; emit the windows that
 * end there or earlier and before the shot's end. */
static int extend_grid(ks_plan *p, int64_t until, ks_error *e)
{
    for (;;) {
        int64_t m = p->grid_base + p->grid_n;
        int64_t window_end = p->next_start + p->rule.frames;
        if (m >= window_end && against(p, until, window_end) >= 0) {
            int err = emit_grid(p, p->next_start, step_ticks(p, window_end), KS_REASON_WINDOW, e);
            if (err < 0) return err;
            p->own_n = 0;
            next_window(p);
            continue;
        }
        if (against(p, until, m) <= 0) break;
        int64_t tail = tail_step(p, until < p->last_pts ? until : p->last_pts);
        if (p->grid_n == p->grid_room) drop_grid(p, tail < p->next_start ? tail : p->next_start);
        /* a hop far longer than the window: only the tail is kept */
        if (p->grid_n == p->grid_room) {
            memmove(p->grid, p->grid + 1, (size_t)(p->grid_n - 1) * sizeof *p->grid);
            p->grid_n--;
            p->grid_base++;
        }
        p->grid[p->grid_n++] = p->last;
    }
    int64_t tail = tail_step(p, until);
    if (tail > 0) tail--; /* the shot may end anywhere in this step */
    drop_grid(p, tail < p->next_start ? tail : p->next_start);
    return 0;
}

/* First kept frame at or after t. */
static int own_from(const ks_plan *p, int64_t t)
{
    int i = 0;
    while (i < p->own_n && p->own_pts[i] < t) i++;
    return i;
}

/* A shot no longer than the window: one clip, without as many blended pictures as would put its
 * middle in a dissolve, or so near to one that a length which is a bit off would. */
static int emit_short(ks_plan *p, int64_t end, int64_t blend, ks_error *e)
{
    int64_t start = p->entered, stop = end, pure = p->pure, pure_end = end - blend,
            margin = (pure_end - pure) / MARGIN;
    /* no frame is left: nine tenths are taken for dissolve */
    if (pure >= pure_end || own_from(p, pure) == own_from(p, pure_end)) {
        /* one dissolve: beside two the shot is only passed */
        if (blend > 0) pure_end = start + (stop - start) / 10;
        else pure = stop - (stop - start) / 10;
        margin = 0;
    }
    if (start + stop < 2 * (pure + margin)) start = 2 * (pure + margin) - stop;
    if (start + stop > 2 * (pure_end - margin)) stop = 2 * (pure_end - margin) - start;
    int first = own_from(p, start), past = own_from(p, stop);
    if (past <= first) { /* so few frames that none is left */
        start = p->s;
        stop = end;
        first = 0;
        past = p->own_n;
    }
    if (first > 0) start = p->own_pts[first];
    int64_t n = (past < p->own_n ? (int64_t)past * p->stride : p->n) - (int64_t)first * p->stride;
    /* a picture alone stays what a picture that is asked for is: T equal frames */
    int T = p->rule.short_frames && n > 1 ? p->rule.short_frames : p->rule.frames;
    ks_planned clip = {start,    stop, KS_REASON_SHOT, T, n > INT32_MAX ? INT32_MAX : (int)n,
                       p->chosen};
    for (int i = 0; i < T; i++) {
        int64_t at = first + ks_reference_frame(i, n, T) / p->stride;
        p->chosen[i] = p->own[at < past ? at : past - 1];
    }
    return p->emit(p->arg, &clip, e);
}

static int end_shot(ks_plan *p, int64_t end, int64_t blend, ks_error *e)
{
    p->in_shot = 0;
    if (p->n == 1 || against(p, end, p->rule.frames) <= 0) return emit_short(p, end, blend, e);
    /* Windows that end before the shot does come first; extend_grid may not take the one that
     * ends with it. */
    int64_t tail = tail_step(p, end);
    int err = extend_grid(p, end - 1 > p->last_pts ? end - 1 : p->last_pts, e);
    if (err < 0) return err;
    while (p->grid_base + p->grid_n < tail + p->rule.frames) {
        if (p->grid_n == p->grid_room) drop_grid(p, p->grid_base + 1);
        p->grid[p->grid_n++] = p->last;
    }
    for (; p->next_start < tail; next_window(p)) {
        err = emit_grid(p, p->next_start, step_ticks(p, p->next_start + p->rule.frames),
                        KS_REASON_WINDOW, e);
        if (err < 0) return err;
    }
    return emit_grid(p, tail, end, KS_REASON_TAIL, e);
}

/* A shot between two dissolves that leave no frame of it pure: it is a part of the way from the
 * scene before to the one after, and its pictures belong to the latter. */
static int is_only_passed(const ks_plan *p, int64_t end, int64_t blend)
{
    return p->pure > p->s && blend > 0 && p->own_n > 0 &&
           own_from(p, p->pure) >= own_from(p, end - blend);
}

static void start_shot(ks_plan *p, int64_t pts, int64_t blend)
{
    p->in_shot = 1;
    p->s = p->entered = pts;
    p->pure = pts + blend;
    p->n = 0;
    p->own_n = 0;
    p->stride = 1;
    p->next_start = 0;
    p->known = 0;
    p->grid_base = 0;
    p->grid_n = 0;
}

int ks_plan_frame(ks_plan *p, int64_t ordinal, int64_t pts, ks_plan_border border,
                  ks_plan_blend blend, ks_error *e)
{
    int err = 0;
    if (p->in_shot) {
        if (pts == p->last_pts) return 0;
        int64_t dt = pts > p->last_pts ? pts - p->last_pts : -1;
        if (dt < 0 || border == KS_PLAN_BREAK || is_gap(p, dt))
            err = end_shot(p, end_alone(p, dt < 0 ? p->last_pts : pts), 0, e);
        else if (border == KS_PLAN_SOFT && is_only_passed(p, pts, blend.before)) {
            p->entered = pts;
            p->pure = pts + blend.after;
            err = extend_grid(p, pts, e);
        } else if (border != KS_PLAN_ON) err = end_shot(p, pts, blend.before, e);
        else err = extend_grid(p, pts, e);
        if (err < 0) return err;
        if (dt > 0 && border != KS_PLAN_BREAK && !(is_gap(p, dt) && p->intervals))
            p->interval[p->intervals++ % INTERVALS] = dt;
    }
    if (!p->in_shot) start_shot(p, pts, border == KS_PLAN_SOFT ? blend.after : 0);
    if (against(p, pts, p->rule.frames) < 0) keep_own(p, ordinal, pts);
    else p->own_n = 0;
    p->n++;
    p->last = ordinal;
    p->last_pts = pts;
    return 0;
}

int ks_plan_resume(ks_plan *p, int64_t start, int64_t ordinal, int64_t pts, ks_error *e)
{
    start_shot(p, start, 0);
    if (against(p, pts, p->rule.frames) < 0)
        return ks_fail(e, KS_EFORMAT, "its clips cannot be planned (too near to its start)");
    wide unit = (wide)p->rule.window_us * p->rule.tb.den;
    wide time = ((wide)pts - p->s) * p->rule.tb.num * 1000000 * p->rule.frames;
    p->next_start = (int64_t)(time / unit) / p->hop_steps * p->hop_steps;
    while (against(p, pts, p->next_start) > 0) next_window(p);
    p->grid_base = p->known = p->next_start;
    p->n = 2; /* whatever it is, it is not its only one */
    p->last = ordinal;
    p->last_pts = pts;
    return 0;
}

int ks_plan_end(ks_plan *p, int64_t end, ks_error *e)
{
    return p->in_shot ? end_shot(p, end_alone(p, end), 0, e) : 0;
}

int ks_plan_wants(const ks_plan *p, int64_t pts, int64_t next)
{
    if (!p->in_shot || pts < p->last_pts) return 1;
    return against(p, pts, p->rule.frames) < 0 || ks_plan_on_grid(p, pts, next);
}

int ks_plan_on_grid(const ks_plan *p, int64_t pts, int64_t next)
{
    if (!p->in_shot || next <= pts) return 1;
    /* Is there a step m with pts <= g(m) < next? The first one at or after pts decides. */
    wide unit = (wide)p->rule.window_us * p->rule.tb.den;
    wide time = ((wide)pts - p->s) * p->rule.tb.num * 1000000 * p->rule.frames;
    int64_t m = (int64_t)((time + unit - 1) / unit);
    return against(p, next, m) > 0;
}

int64_t ks_plan_oldest(const ks_plan *p, int grid)
{
    int64_t oldest = p->last;
    if (p->in_shot && p->own_n > 0 && p->own[0] < oldest) oldest = p->own[0];
    if (p->in_shot && grid && p->grid_n > 0 && p->grid[0] < oldest) oldest = p->grid[0];
    return oldest;
}

int ks_plan_needs(const ks_plan *p, int64_t ordinal)
{
    if (!p->in_shot) return 0;
    if (ordinal == p->last) return 1;
    int low = 0, high = p->own_n;
    while (low < high) {
        int middle = (low + high) / 2;
        if (p->own[middle] < ordinal) low = middle + 1;
        else high = middle;
    }
    if (low < p->own_n && p->own[low] == ordinal) return 1;
    low = 0;
    high = p->grid_n;
    while (low < high) {
        int middle = (low + high) / 2;
        if (p->grid[middle] < ordinal) low = middle + 1;
        else high = middle;
    }
    return low < p->grid_n && p->grid[low] == ordinal;
}
