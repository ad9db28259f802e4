/* timecode.h - the one place where seconds become frame numbers and timecode. */
#ifndef KS_TIMECODE_H
#define KS_TIMECODE_H

#include "ks.h"

typedef struct {
    int num, den; /* frames a second */
} ks_rate;

/* The rate meant by a measured average: 24000/1001, 30000/1001, 60000/1001 and whole numbers are
 * recognised within 0.1 %; others are kept to a thousandth. fps <= 0: 25. */
ks_rate ks_rate_of(double fps);
/* Frame of a film that runs at `rate` shown at this time, counted from 0; rounded to the nearest. */
int64_t ks_frame_number(int64_t ticks, ks_timebase tb, ks_rate rate);
/* Start of that frame in seconds. */
double ks_frame_seconds(int64_t frame, ks_rate rate);
/* 1 for 30000/1001 and 60000/1001: timecode drops labels to stay with the clock. */
int ks_drops(ks_rate rate);
/* "hh:mm:ss:ff", with ';' before ff where labels are dropped (SMPTE 12M): 2 (at 60: 4) labels at every
 * minute but each tenth. Wraps at 24 h. frame >= 0. */
void ks_timecode(char out[24], int64_t frame, ks_rate rate);

/* "4:12", "1:02:03": for people; whole seconds, rounded down. */
void ks_clock(char out[24], double seconds);
/* "00:04:12.040": WebVTT and ffmpeg. Rounded to the nearest millisecond. */
void ks_clock_ms(char out[24], double seconds);

#endif
