/* label_judge.h - whether a clip bears a label: its cosine, and what else the clip might show. */
#ifndef KS_LABEL_JUDGE_H
#define KS_LABEL_JUDGE_H

#include "query/calibrate.h"
#include "query/query.h"

int ks_everyday_count(void); /* everyday.c */
const char *ks_everyday_word(int i);

/* The columns that are scored: the labels, then the everyday words. */
typedef struct {
    int dim, labels, words; /* words 0: all labels were learnt */
    float *q;               /* [labels + words, dim] */
    double *level;          /* [labels + words] of the cosine, in this library */
    double unit;            /* of a z */
    double temperature;
    /* near[first[l] .. first[l + 1]): words that say nearly the same as label l */
    int *near, *first;
    const ks_label_def *defs; /* [labels], or NULL */
} ks_label_judge;

/* labels [o->n_labels, dim]: their vectors. The scale must have a background (KS_ENOTFOUND),
 * unless all were learnt. */
int ks_label_judge_open(ks_label_judge *j, const ks_scale *s, ks_encoder *enc, const float *labels,
                        const ks_label_options *o, ks_error *e);
void ks_label_judge_close(ks_label_judge *j);
/* evidence[labels] of a clip or a frame from cosine[labels + words]; room[words]; rest[labels]:
 * what was taken from each z, 0 of one that was learnt; may be NULL. */
void ks_label_evidence(double *evidence, double *rest, const ks_label_judge *j, const float *cosine,
                       float *room);

/* The evidence is z of the label less what the everyday words together reach on the same clip (a
 * soft maximum of temperature 0.2). 40 films of 5 to 10 minutes (5.2 h, 3,821 clips, 40 things
 * of the demo's world; 30 % of the scenes show two things): mean average precision over the
 * labels 0.761 by the cosine alone, 0.853 so; of the clips that show nothing that is asked, the
 * share that is labelled where 90 % of those that show something are: 41 %, so 12 %. The share
 * of right ones is 0.07 at an evidence of -1, 0.25 at -0.6, 0.64 at -0.1, 0.91 at 0.4: the score
 * is 0.5 where nine in ten are kept, and rises by this width. */
#define KS_LABEL_CUT   (-0.6)
#define KS_LABEL_WIDTH 0.3
double ks_label_score(double evidence);
/* a little less evidence than the one of this score; <= 0: none is too little */
double ks_label_enough(double score);

#endif
