/* combine.h - what a clip is worth to a question of several vectors. Pure: no catalog, no encoder.
 *
 * Each vector's cosine becomes a grade: words, u = z / cut-off, u^2 / (1 + u^2) above 0 and u
 * itself below; else the cosine scaled by that of any two clips. 0.5 is the cut-off, the score
 * is the grade cut to 0..1. A grade rises with the cosine, so bounds of cosines are bounds of
 * grades. A part of a question is its terms from the left: the least, the greatest, none. */
#ifndef KS_COMBINE_H
#define KS_COMBINE_H

#include "query/calibrate.h"

typedef struct {
    ks_query_term term;
    int words;    /* and there is a background to measure them with */
    int part;     /* from 0; UNLESS: the last one */
    double level; /* ks_scale_level, of words */
    double bar;   /* of UNLESS: the grade from which on it is there */
} ks_graded_term;
typedef struct {
    const ks_scale *s;
    ks_graded_term *at; /* [n] */
    int n;
    int parts;      /* 1 + THENs */
    int unless;     /* terms of UNLESS, the last ones */
    double *within; /* [parts] seconds after the part before; of 0 unused */
    int has_cut;    /* some BEGIN, AND, OR or THEN asks for words */
    double gain;    /* > 0: of a survey's pictures, in words; 1 where nothing is surveyed */
    double cut;     /* the score that is shown: 0.5, of a sequence less (ks_sequence_cut) */
} ks_combination;

/* Where the cut-off of a chain lies, as a grade. One clip passes its cut-off by chance in Q(cut)
 * of cases, with Q the normal tail and the cut-off in deviations; a chain of parts needs as many
 * such chances at once, among the clips that may follow:
 *   product of following[1 ..] * Q(z)^parts = half of Q(cut)
 * Measured on 100 drawn films, 2,186 moments, 100 true and 100 false questions (right order and
 * near or not): at 0.5 for all
 * 56 % of the true ones are shown and none of the false; at this 93 %, and 1 % of the false. */
double ks_sequence_cut(const ks_scale *s, const double *following, int parts);
/* Of one clip with an UNLESS: 1.25 * Q(cut). A bar at 0.03 and a cut-off of 0.5 answered fewest
 * of the false ones of the three kinds of question, and fewest of the true ones
 * (models/demo/README.md). */
double ks_unless_cut(const ks_scale *s);
/* clips that begin in that many seconds after one of 8 s, on ingest's grid of 4 s */
double ks_following(double within);

/* q [n, dim]; t[n] as in ks_query_run_terms. KS_ENOMEM. s is borrowed. ks_combination_free in
 * any case. */
int ks_combination_make(ks_combination *c, const ks_scale *s, const float *q,
                        const ks_query_term *t, int n, int dim, ks_error *e);
void ks_combination_free(ks_combination *c);

double ks_term_grade(const ks_combination *c, int t, double cosine); /* without its weight */
/* What a cosine is of: a clip, a survey's picture, or one of the two. */
typedef enum { KS_OF_CLIP, KS_OF_PICTURE, KS_OF_EITHER } ks_cosine_of;
/* Grade of part p on a clip: -INFINITY where NOT leaves it out. cosine[n]; high[n]: each cosine
 * is at most that and low[n] at least: the grade is at most the one given. */
double ks_part_grade(const ks_combination *c, int p, const float *cosine, ks_cosine_of of);
double ks_part_reach(const ks_combination *c, int p, const float *low, const float *high,
                     ks_cosine_of of);
/* The clip shows term t, an UNLESS. Looked for among those that may follow alone, it is there
 * where chance would show it in one of a hundred cases: following * Q(z) = 0.01. */
/* every part is one term: ks_part_reach rises with its high alone */
int ks_is_plain(const ks_combination *c);
int ks_is_unless(const ks_combination *c, const float *cosine, int t, ks_cosine_of of);
/* A clip that stands for part p. */
typedef struct {
    int p;
    const float *cosine; /* [n] */
    ks_cosine_of of;
} ks_part_clip;
/* The terms that the grade of a part is the least of, in terms[n] with their weighted grades;
 * their number. */
int ks_part_terms(int *terms, double *grades, const ks_combination *c, const ks_part_clip *at);

#endif
