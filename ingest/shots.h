/* shots.h - where a film changes from one shot to the next: hard cuts, dissolves, fades.
 *
 *   ks_shots_open(&shots, decided, arg, &e);
 *   ks_shots_frame(shots, number, seconds, small, broken, &e);   every frame, in order;
 *     decided() follows 2.1 s behind
 *   ks_shots_end(shots, &e);                                      the rest
 *
 * Works on the decoder's small pictures alone and holds at most about four seconds of them.
 * decided() gets every frame once, in order, with the border that lies before it. A flash (also
 * within a dissolve), fast motion and a cut-away shorter than 0.3 s are no borders; a dissolve
 * is one in its middle, a fade one in its darkest part. */
#ifndef KS_SHOTS_H
#define KS_SHOTS_H

#include "ingest/plan.h"

typedef struct ks_shots ks_shots;
/* Seconds that a dissolve or fade lasts before and after its border; zeros for a cut. Negative
 * returned stops. */
typedef struct {
    double before, after;
} ks_shots_blend;
typedef int ks_shots_decided(void *arg, int64_t number, ks_plan_border border, ks_shots_blend blend,
                             ks_error *e);

int ks_shots_open(ks_shots **out, ks_shots_decided *decided, void *arg, ks_error *e);
void ks_shots_close(ks_shots *s); /* NULL is fine */

/* small: planes Y, U, V, each [36, 64]; copied. broken: pictures are missing before it
 * (KS_PLAN_BREAK). */
int ks_shots_frame(ks_shots *s, int64_t number, double seconds, const uint8_t *small, int broken,
                   ks_error *e);
int ks_shots_end(ks_shots *s, ks_error *e);

#endif
