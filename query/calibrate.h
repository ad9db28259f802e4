/* calibrate.h - the scale's inside: background sentences, one deviation a clip, the cut-off. */
#ifndef KS_CALIBRATE_H
#define KS_CALIBRATE_H

#include "query/query.h"

enum { KS_BACKGROUND_VERSION = 2 };

int ks_background_count(int held_out);
const char *ks_background_sentence(int held_out, int i); /* i < count */

/* What clips give to the background, as measured in this process; sorted by id. */
typedef struct {
    int64_t *id;       /* [n] */
    float *mean;       /* [n] */
    float *deviation;  /* [n] > 0 */
    int64_t n, room;
} ks_deviations;

struct ks_scale {
    int dim;
    int sentences, held_out;
    float *vectors;         /* [sentences + held_out, dim]; NULL until needed */
    float *mean;            /* [dim] of the first `sentences` of them; NULL: no background */
    float *level;           /* [dim] mean of clip vector / deviation over (a sample of) the clips; NULL: zeros */
    ks_deviations clips;    /* n 0: the catalog has them */
    double least, median;   /* of the deviations */
    double cut, false_positives;
    int64_t measured;       /* clips when cut was measured */
    double pair_mean, pair_deviation;
    ks_index *x;            /* borrowed: for clips that came after */
};

/* deviation[n] > 0 of these clips; of one that is not kept it is computed. */
int ks_scale_deviations(float *deviation, const ks_scale *s, const int64_t *clips, int n, ks_error *e);

/* What the library as a whole gives to a query, in z: the query's own level. Most of it is taken off: some sentences are
 * near to every clip. Not all of it: in a library of nothing but surfing, "surfing" must still be found.
 * Chosen with the cut-off's share (calibrate.c) on the demo films and eight drawn libraries of 90 clips: half of it at
 * a share of 0.2 keeps 74 % of the true sentences, this 85 %; all of it at 0.22 answers 44 % of those about known things
 * that no clip shows, this 30 %. Left out: deviations damped towards the median (the right clip first 1 to 2 % more often,
 * but in a narrow space an exact match no longer is: tests/cli/search.sh), background sentences near the words alone.
 * centred[dim] = q - mean, as it is ranked by. */
#define KS_LEVEL_SHARE 0.85
double ks_scale_level(const ks_scale *s, const float *centred);

/* Steps of making a scale (calibrate.c), each on what the one before left in s. */
int ks_scale_encode(ks_scale *s, ks_encoder *enc, ks_error *e); /* vectors of all sentences */
int ks_scale_measure(ks_scale *s, ks_error *e);                 /* mean, deviations of all clips, level, cut */
int ks_scale_pairs(ks_scale *s, int64_t clips, ks_error *e);    /* pair_mean and its deviation */
/* Sort by id, find least and median, and lift what is far below the median. < 0: no memory. */
int ks_scale_settle(ks_scale *s);

/* --- pure parts, for tests --- */
double ks_dot(const float *a, const float *b, int n);
/* Cosines between the rows of v[n, dim], of different videos where there are several. */
void ks_pairs_of(double *mean, double *deviation, const float *v, const int64_t *video, int n, int dim);
/* Population deviation of n scores. */
double ks_deviation_of(const float *scores, int n, int stride);
/* The cut-off from the best z of each held-out sentence. Some of these sentences are true of the
 * library, so only the lower part of the distribution is trusted: a Gumbel law (the law of maxima) is
 * laid through its 10 % and 40 % points and read where `share` of it lies above. best[n] is sorted. */
double ks_cut_of(double *best, int n, double share);
/* The k best of n labels, best first, ties by index, with their softmax at temperature 0.01 over all n. */
void ks_label_top(int *label, double *score, int k, const float *cosine, int n);
/* The score of z: 0 at z <= 0, 0.5 at the cut-off, towards 1 above. */
double ks_score_of(double z, double cut);

#endif
