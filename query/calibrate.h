/* calibrate.h - the scale's inside: background sentences, what they give to each clip, the
 * cut-off. */
#ifndef KS_CALIBRATE_H
#define KS_CALIBRATE_H

#include "query/query.h"

enum { KS_BACKGROUND_VERSION = 3 };

int ks_background_count(int held_out);
const char *ks_background_sentence(int held_out, int i); /* i < count */

/* What clips give to the background, as measured in this process; sorted by id. */
typedef struct {
    int64_t *id;      /* [n] */
    float *mean;      /* [n] */
    float *deviation; /* [n] > 0 */
    int64_t n, room;
} ks_deviations;

struct ks_scale {
    int dim;
    int sentences, held_out;
    float *vectors;      /* [sentences + held_out, dim]; NULL until needed */
    float *level;        /* [dim] mean vector of (a sample of) the clips; NULL: no background */
    ks_deviations clips; /* n 0: not measured in this process */
    double median;       /* > 0: of the clips' deviations, the unit of z */
    double cut, false_positives;
    int64_t measured; /* clips when cut was measured */
    double gain;      /* > 0: a cosine of a survey's picture, so many times, is one of a clip */
    double pair_mean, pair_deviation;
    ks_index *x; /* borrowed: for clips that came after */
};

/* A sentence's own level, in cosine: what the library as a whole gives to it. Most of it is
 * taken off: some sentences are near to every clip. Not all of it: in a library of nothing but
 * surfing, "surfing" must still be found. */
#define KS_LEVEL_SHARE 0.85
double ks_scale_level(const ks_scale *s, const float *q); /* q [dim] */
/* One frame says less than a clip: without a gain clips bury the pictures of surveyed films. Drawn
 * films, every second one surveyed (46.4 % of the true answers of 867 questions): of the first ten
 * 28.8 % are of them without, 42 with 1.15; the film is first in 77.4 and 80.6 %.
 * What chance gives to both kinds does not tell: the held-out sentences, which say little of
 * motion, ask for 1.02 to 1.05, other questions of this kind for 1.15 to 1.17. By the question's
 * own spread over each kind: 38 to 40 % of ten, 76 to 79 first. */
#define KS_SURVEY_GAIN 1.15
/* z of a clip with this cosine: how far above the sentence's level, in the deviation that the
 * background has on a clip of this library (the median one). One unit and one level for all
 * clips: the rank is the cosine's, so an exact match comes first, as in the reference. Measured
 * on the demo films (138 true, 40 absent sentences) and eight drawn libraries of
 * 90 clips (right clip first; true ones kept; answers to known things that no clip shows),
 * cut-off share 0.22:
 *   each clip's own mean and deviation   first 88.4 and 91.5 %, kept 89.1 and 89.0 %, absent 2.5
 *                                        and 29.5 %
 *   own mean, one deviation              first 90.6 and 93.5 %, kept 93.5 and 93.9 %, absent 0
 *                                        and 27.9 %
 *   neither (this)                       first 90.6 and 94.4 %, kept 95.7 and 93.2 %, absent 0
 *                                        and 24.9 % */
double ks_scale_z(const ks_scale *s, double cosine, double level);

/* The value of a cosine, which ranks, and its score. words: 1 where the question is a sentence
 * and there is a background. */
double ks_scale_value(const ks_scale *s, int words, double cosine, double level);
double ks_scale_score(const ks_scale *s, int words, double value);

/* Steps of making a scale (calibrate.c), each on what the one before left in s. */
int ks_scale_encode(ks_scale *s, ks_encoder *enc, ks_error *e); /* vectors of all sentences */
/* means and deviations of all clips, level, cut */
int ks_scale_measure(ks_scale *s, ks_error *e);
int ks_scale_pairs(ks_scale *s, ks_error *e); /* pair_mean and its deviation */
/* Sort by id and find the median. < 0: no memory. */
int ks_scale_settle(ks_scale *s);

/* --- pure parts, for tests --- */
double ks_dot(const float *a, const float *b, int n);
/* in sixteen sums at once, in one fixed order; within 1e-5 */
float ks_quick_dot(const float *a, const float *b, int n);
/* exp of each of x[n] <= 0 in place, within 3e-7 of it; their sum */
double ks_quick_exps(float *x, int n);
/* Cosines between the rows of v[n, dim], of different videos where there are several. */
void ks_pairs_of(double *mean, double *deviation, const float *v, const int64_t *video, int n,
                 int dim);
/* Population deviation of n scores; the row of a clip: their mean, and the deviation lifted to
 * 1e-6. */
double ks_deviation_of(const float *scores, int n, int stride);
void ks_scale_row(float *mean, float *deviation, const float *scores, int n, int stride);
/* The cut-off from the best z of each held-out sentence. Some of these sentences are true of the
 * library, so only the lower part of the distribution is trusted: a Gumbel law (the law of
 * maxima) is laid through its 10 % and 40 % points and read where `share` of it lies above.
 * best[n] is sorted. */
double ks_cut_of(double *best, int n, double share);
/* The k best of n labels, best first, ties by index, with their softmax at temperature 0.01 over
 * all n. */
void ks_label_top(int *label, double *score, int k, const float *cosine, int n);
/* The score of z: 0 at z <= 0, 0.5 at the cut-off, towards 1 above. */
double ks_score_of(double z, double cut);

#endif
