/* labels.h - labels: sets of them, which and whether a clip bears them, and what is taught. A
 * part of query.h, which includes it. */
#ifndef KS_QUERY_LABELS_H
#define KS_QUERY_LABELS_H

#ifndef KS_QUERY_H
#error "include query/query.h"
#endif

/* --- label sets --- */
/* a label learnt from examples: score = 1 / (1 + exp(-(w . v + bias))) */
typedef struct {
    const float *w; /* [dim] */
    double bias;
} ks_learnt;
typedef struct {               /* a label as it was asked for; text borrowed */
    const char *name, *parent; /* parent "": none */
    /* sentences in place of the templates; "{}" in one is the name */
    const char *const *prompts;
    int n_prompts;
    /* what it is not: half of their mean is taken away, as --not does */
    const char *const *nots;
    int n_nots;
    double threshold;        /* least score where each is asked; 0: 0.5 */
    const ks_learnt *learnt; /* in place of sentences, where each is asked; NULL: none */
} ks_label_def;
typedef struct {
    const char *name; /* that JSON gives the set; "" */
    const char *const *templates;
    int n_templates; /* its own, each with "{}"; 0: none */
    const ks_label_def *at;
    int n; /* no name twice */
    void *owned;
} ks_label_set;
/* A text file (a label a line), a CSV whose first line names a column name, label or class (and
 * prompts, not, parent, threshold; several prompts between |), or JSON:
 * {"name","templates","labels":[{"name","prompts","not","parent", "threshold"} or "name"]}; "-"
 * is standard input. KS_ENOTFOUND, KS_EIO, KS_EFORMAT name the file. Free in any case. */
int ks_label_set_read(ks_label_set *s, const char *file, ks_error *e);
void ks_label_set_free(ks_label_set *s);

/* --- zero-shot labels --- */
typedef struct {
    int64_t video;
    ks_timebase tb;
    int64_t start, end;
    int label; /* index into labels; -1: nothing fits */
    /* 1 = best of its clip; a span's clips all have it at this rank. Of intervals: 1 */
    int rank;
    /* which: softmax over all labels at temperature 0.01; of a span: mean over its clips; of a
     * whole video: the largest of any clip, so that those of all labels need not sum to 1. each:
     * label_judge.h, 0.5 where it is said to be there; nothing fits: 1 - the best label's */
    double score;
    /* of a span: mean; nothing fits: of the best label; of a learnt one: its margin */
    double cosine;
    const char *path; /* the video's first one where a file is; valid during the call */
} ks_label_row;
typedef struct {
    const char *const *labels;
    int n_labels;
    const ks_label_def *defs; /* [n_labels] their prompts, nots, thresholds; NULL: none */
    const char *const *templates;
    /* each with "{}"; NULL: the 28 of Kinetics; with each, none, intervals the words as they
     * stand */
    int n_templates;
    int k;         /* labels a clip; 0: 1, with each: all */
    int per_video; /* 1: whole videos; a label's score is that of its best clip */
    int apart;     /* 1: spans of equal labels are not merged */
    int each;      /* 1: whether each, not which: any number a clip */
    int none;      /* 1: rows of label -1 where nothing fits */
    /* 1: start and end of each label, smoothed over time; without `each` one at a time */
    int intervals;
    /* each, intervals: the score from which on, in place of 0.5; < 0: all there is */
    double least;
    const ks_scale *scale; /* needed for each, none, intervals */
    ks_filter filter;
    /* With row's own arg, NULL: all, nothing. due: 1 = the film is to be labelled; done: after
     * its last row, non-zero stops. */
    int (*due)(void *arg, const ks_video *v);
    int (*done)(void *arg, const ks_video *v);
} ks_label_options;
typedef int ks_on_label(void *arg, const ks_label_row *row); /* non-zero stops */
int ks_label(ks_index *x, ks_encoder *enc, const ks_label_options *o, ks_on_label *row, void *arg,
             ks_error *e);
const char *ks_label_template(int i); /* of the built-in ones; NULL from 28 on */

/* --- labels that are taught --- logistic regression on clip vectors, both classes of equal
 * weight */
typedef struct {
    const float *v;      /* [n, dim] unit length */
    const int8_t *yes;   /* [n] 1 or 0 */
    const int64_t *film; /* [n] */
    int n, dim;
    const float *centre; /* [dim] mean vector of the library's clips */
} ks_examples;
typedef struct {
    float *w;    /* [dim]; the caller frees */
    double bias; /* score = 1 / (1 + exp(-(w . v + bias))) */
    /* of the penalty, chosen by cross-validation where that was possible */
    double lambda;
    /* average precision over folds of whole films, and its 95 % (bootstrap over films); -1: too
     * few to say */
    double ap, ap_low, ap_high;
} ks_taught;
/* yes and no of each, in so many films: fewer say nothing of its worth */
enum { KS_TEACH_LEAST = 5, KS_TEACH_FILMS = 3 };
int ks_teach(ks_taught *out, const ks_examples *x, ks_error *e); /* KS_EUSAGE: no yes, or no no */
/* v [dim] of a moment: the unit mean of the clips that it shares half of, or the one that it
 * shares most with. 1, or 0: no clip of the film is there. */
int ks_moment_vector(float *v, ks_index *x, int dim, int64_t video, int64_t start, int64_t end,
                     ks_error *e);
/* A label learnt anew from all that is kept of it, its examples and what people said, and stored
 * (writer; one transaction with the caller's). Where nobody said what it is not, clips spread over
 * the library stand in. row: name, counts and worth; its w is not kept. KS_EUSAGE: no example. */
typedef struct {
    int lost;     /* examples of films that are not here */
    int stood_in; /* 1: clips of the library stood in for no */
} ks_teaching;
int ks_teach_kept(ks_learnt_row *row, ks_teaching *how, ks_index *x, const char *name, ks_error *e);
/* [dim] mean of a sample of the library's clips */
int ks_centre(float *centre, ks_index *x, int dim, ks_error *e);

/* --- clips that say much of a library --- of more than 20,000 that pass, so many are drawn
 * first */
/* out[wanted]: diverse ones: always the one farthest from those before, the first by seed. The
 * same seed, the same clips. */
int ks_sample(ks_clip *out, int *n, int wanted, uint64_t seed, ks_index *x, const ks_filter *f,
              ks_error *e);
typedef struct {
    ks_clip clip;
    /* mean cosine of the five nearest clips of other films (of 512 at most) */
    double near;
} ks_outlier;
/* least near first */
int ks_outliers(ks_outlier *out, int *n, int wanted, ks_index *x, const ks_filter *f, ks_error *e);

#endif
