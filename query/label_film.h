/* label_film.h - one film while it is labelled: its clips, what each column gives to each, and
 * the spans that come of it. */
#ifndef KS_LABEL_FILM_H
#define KS_LABEL_FILM_H

#include "query/label_judge.h"

typedef struct {
    int label; /* -1: nothing fits */
    int rank;
    int64_t start, end;
    double score, cosine; /* sums over its clips */
    int clips, last;      /* how many; index of the last one */
} ks_label_span;

typedef struct {
    ks_index *x;
    ks_video video;
    ks_clip *clips;       /* [n] by start */
    float *cosines;       /* [n, columns] */
    int n, room, columns; /* columns: the labels, and with a judge the everyday words */
    ks_label_span *spans;
    int n_spans, room_spans;
    /* [labels + 1] the latest span of each label (the last one: of none), -1: none in this film */
    int *latest;
    double *evidence; /* [labels], room for one clip */
    /* [labels] whose score is below what is asked below this: no logistic of 400 labels a clip */
    double *enough;
    float *words; /* [words], room for one clip */
    const ks_label_options *o;
    const ks_label_judge *judge; /* NULL: only which of these is asked */
} ks_label_film;

ks_label_span *ks_label_next_span(ks_label_film *f); /* one more, not yet set; NULL: no memory */
/* Clip i bears the label (-1: none of them) at this rank: the label's latest span goes on, or a
 * new one begins. < 0: no memory. */
int ks_label_bear(ks_label_film *f, int i, int label, int rank, double score);
double ks_label_least(const ks_label_options *o, int label); /* score from which on it is there */

/* The ways; each adds the film's spans. */
int ks_label_which(ks_label_film *f, ks_error *e);
int ks_label_whole(ks_label_film *f, ks_error *e);
int ks_label_each(ks_label_film *f, ks_error *e);
int ks_label_intervals(ks_label_film *f, ks_error *e);

#endif
