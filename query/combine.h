/* combine.h - what a clip is worth to a question of several vectors. Pure: no catalog, no encoder.
 *
 * Each vector's cosine becomes a grade: words, u = z / cut-off, u^2 / (1 + u^2) above 0 and u itself below; else the cosine
 * scaled by that of any two clips. 0.5 is the cut-off, the score is the grade cut to 0..1. A grade rises with the cosine, so
 * bounds of cosines are bounds of grades. A part of a question is its terms from the left: the least, the greatest, none. */
#ifndef KS_COMBINE_H
#define KS_COMBINE_H

#include "query/calibrate.h"

typedef struct {
    ks_query_term term;
    int words;          /* and there is a background to measure them with */
    int part;           /* from 0; UNLESS: the last one */
    double level;       /* ks_scale_level, of words */
} ks_graded_term;
typedef struct {
    const ks_scale *s;
    ks_graded_term *at; /* [n] */
    int n;
    int parts;          /* 1 + THENs */
    int unless;         /* terms of UNLESS, the last ones */
    double *within;     /* [parts] seconds after the part before; of 0 unused */
    int has_cut;        /* some BEGIN, AND, OR or THEN asks for words */
} ks_combination;

/* q [n, dim]; t[n] as in ks_query_run_terms. KS_ENOMEM. s is borrowed. ks_combination_free in any case. */
int ks_combination_make(ks_combination *c, const ks_scale *s, const float *q, const ks_query_term *t, int n, int dim, ks_error *e);
void ks_combination_free(ks_combination *c);

double ks_term_grade(const ks_combination *c, int t, double cosine); /* without its weight */
/* Grade of part p on a clip: -INFINITY where NOT leaves it out. cosine[n]; high[n]: each cosine is at most that and low[n]
 * at least: the grade is at most the one given. */
double ks_part_grade(const ks_combination *c, int p, const float *cosine);
double ks_part_reach(const ks_combination *c, int p, const float *low, const float *high);
int ks_is_unless(const ks_combination *c, const float *cosine, int t); /* the clip passes the cut-off of term t, an UNLESS */
/* The terms that the grade of part p is the least of, in terms[n] with their weighted grades; their number. */
int ks_part_terms(int *terms, double *grades, const ks_combination *c, int p, const float *cosine);

#endif
