/* decoder_times.h - from a stream's timestamps to the film's clock. No libav in here: the tests
 * drive it. */
#ifndef KS_DECODER_TIMES_H
#define KS_DECODER_TIMES_H

#include <stdint.h>

#define KS_NO_TIME INT64_MIN
enum { KS_STEPS = 32 };

typedef struct {
    /* what is known of the stream; ticks of its time base */
    double tick;        /* seconds a tick */
    int64_t typical;    /* frame duration by the stream's rate, > 0 */
    int resets;         /* a transport format: its clock may be set anew in the middle */
    int untimed;        /* a raw stream: no frame has a time */
    int64_t header_end; /* where the header says the film ends, rebased; 0 unknown */
    /* state */
    int64_t most; /* ticks: a stamp further from 0 is none */
    int has_start, any;
    int64_t start; /* container's start */
    int64_t shift; /* what clock resets took away */
    int64_t last, last_end;
    int64_t step[KS_STEPS]; /* latest steps, a ring */
    int steps;
    int behind; /* frames in a row that were not after the last */
    int astray; /* the last frame was taken for a clock set back: the next one tells */
    int64_t old_shift, old_last; /* of the clock before it */
    /* what happened */
    int64_t leading_untimed, inferred, jumps, first_jump, first;
} ks_times;

typedef struct {
    int64_t ticks; /* rebased, strictly increasing */
    int gap;       /* no clip may span what lies before it */
    int inferred;
} ks_moment;

/* start KS_NO_TIME: the first frame's time. */
void ks_times_open(ks_times *t, double tick, int64_t typical, int64_t start);
/* pts KS_NO_TIME and duration 0 where unknown. 1: deliver at m->ticks; 0: drop this frame. */
int ks_times_next(ks_moment *m, ks_times *t, int64_t pts, int64_t duration);
int64_t ks_times_step(const ks_times *t); /* median of the latest steps, or typical */
int ks_times_implausible(const ks_times *t, int64_t frames); /* more than 1500 frames a second */

#endif
