/* decoder_even.h - the exact rate of a film whose frames come evenly. No libav in here: the
 * tests drive it. */
#ifndef KS_DECODER_EVEN_H
#define KS_DECODER_EVEN_H

#include <stdint.h>

enum { KS_EVEN_RATES = 4 };

typedef struct {
    int num, den;     /* frames a second; 0: no candidate */
    double low, high; /* frames by which times were off n / rate, within one stretch */
    double n;         /* of the next frame in the stretch */
    int64_t skipped;  /* whole frames that were missing */
} ks_even_rate;

/* A film is even at a rate when its n-th frame stands at n / rate to within half a frame either
 * way (telecined films and coarse time bases do), gaps and whole missing frames (1 % at most)
 * left aside. */
typedef struct {
    double tick;
    ks_even_rate at[KS_EVEN_RATES]; /* likelier ones first */
    int64_t origin, frames;
} ks_even;

/* What the header claims, each maybe 0/0: its average and its lowest rate. The nearest standard
 * rate is tried before each. */
void ks_even_open(ks_even *e, double tick, const int claims[2][2]);
void ks_even_next(ks_even *e, int64_t ticks, int gap);
/* 1: even, *num/ *den; 0: they vary; -1: too few frames to say. */
int ks_even_rate_of(int *num, int *den, const ks_even *e);

#endif
