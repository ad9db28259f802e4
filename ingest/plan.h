/* plan.h - which clips a film has, and which frames each clip needs (DESIGN 2).
 *
 *   ks_plan_open(&plan, &rule, emit, arg, &e);
 *   for each frame, in order: ks_plan_frame(plan, ordinal, pts, border, &e);   emit() is called
 *     as clips become known
 *   ks_plan_end(plan, end_of_last_frame, &e);
 *   ks_plan_close(plan);
 *
 * Pure: no file, no clock; the clips are a function of (pts, cut) of the frames alone. Memory is
 * bounded by the window, not by the film. A shot is a run of frames without a cut, gap or jump.
 * With W the window, T frames a clip, step = W/T and s, e the shot's start and end:
 *   e - s <= W: one clip [s, e), frame i = own frame floor(i*N/T) of its N (the reference's rule),
 *     with rule.short_frames in the place of T where there are any;
 *   else clips [s + k*hop, +W) while they end before e, frame i = the last one with pts <= start
 *     + i*step,
 *   and one more that starts at the first multiple of step from which W reaches e, and ends at e.
 * hop is rounded to whole steps, at least one: all clips of a shot lie on one grid and share
 * frames. The middle of a clip lies in no dissolve: a short shot leaves out as many of the
 * blended pictures at its start or end as it takes for its middle to be a quarter of the pure
 * ones away from them. (A window shorter than the dissolve can still lie in it.) A shot between
 * two dissolves that leave no frame of it pure is only passed: its pictures belong to the start
 * of the next shot, which if short leaves them out. */
#ifndef KS_PLAN_H
#define KS_PLAN_H

#include "ks.h"

enum {
    KS_PLAN_FRAMES = 256, /* T at most */
    /* frames of a shot that may still prove short; above it every 2nd, 4th ... is kept: exact up
     * to 64 frames a second at the 8 s window, else off by less than 16 ms */
    KS_PLAN_OWN = 512
};

typedef struct {
    ks_timebase tb;
    int64_t window_us, hop_us; /* > 0; microseconds */
    int frames;                /* T, 1 .. KS_PLAN_FRAMES */
    int64_t nominal;           /* ticks between frames as the header says; 0 = unknown */
    int short_frames;          /* of a shot of several frames no longer than W; 0: T */
} ks_plan_rule;

typedef struct {
    int64_t start, end; /* ticks, start < end */
    ks_reason reason;
    int n; /* T, of a short shot short_frames */
    /* frames the shot has, where the reference's rule was used; else 0 */
    int own;
    const int64_t *frame; /* [n] ordinals, not decreasing; valid during the call */
} ks_planned;

typedef struct ks_plan ks_plan;
typedef int ks_plan_emit(void *arg, const ks_planned *clip, ks_error *e); /* negative stops */

int ks_plan_open(ks_plan **plan, const ks_plan_rule *rule, ks_plan_emit *emit, void *arg,
                 ks_error *e);
void ks_plan_close(ks_plan *plan); /* NULL is fine */

typedef enum {
    KS_PLAN_ON = 0,
    /* the frame is the first of a new shot, which starts where the old one ends */
    KS_PLAN_CUT = 1,
    KS_PLAN_SOFT = 3, /* the same, in the middle of a dissolve or fade */
    KS_PLAN_BREAK = 2 /* pictures are missing before it: the old shot ends with its last frame */
} ks_plan_border;

/* Ticks that a dissolve or fade lasts before and after its border, >= 0; zeros for any other. */
typedef struct {
    int64_t before, after;
} ks_plan_blend;

/* One frame more. Ordinals grow. A frame at the time of the one before is ignored; one before
 * it, or after a gap, starts a shot by itself. */
int ks_plan_frame(ks_plan *plan, int64_t ordinal, int64_t pts, ks_plan_border border,
                  ks_plan_blend blend, ks_error *e);
/* In place of the first frame: it lies in a shot that began at `start`, longer before than a
 * window. Clips from the first whole window on that starts at or after it; none that begins
 * before. */
int ks_plan_resume(ks_plan *plan, int64_t start, int64_t ordinal, int64_t pts, ks_error *e);
int ks_plan_end(ks_plan *plan, int64_t end, ks_error *e);

/* 1: a frame shown from pts to next can be part of a clip if the shot goes on. */
int ks_plan_wants(const ks_plan *plan, int64_t pts, int64_t next);
/* 1: a step of the shot's grid lies in [pts, next): this frame is in a clip if the shot lasts
 * longer than the window. */
int ks_plan_on_grid(const ks_plan *plan, int64_t pts, int64_t next);
/* 1: a later clip may need this frame, which was given before. */
int ks_plan_needs(const ks_plan *plan, int64_t ordinal);
/* No later clip needs a frame before this one; grid 0: those on the grid are at hand and do not
 * count. */
int64_t ks_plan_oldest(const ks_plan *plan, int grid);

/* The reference's sampler: frame i of T over n frames. floor(i*n/T) (MODEL.md, "Reference
 * sampling"). */
static inline int64_t ks_reference_frame(int64_t i, int64_t n, int T) { return i * n / T; }

#endif
