/* query.h - words or a vector in, ranked moments out.
 *
 *   ks_query_words(&q, enc, "a dog jumping", NULL, &e);
 *   ks_query_run(&hits, x, &q, &options, &e);
 *   ks_hits_free(hits);
 */
#ifndef KS_QUERY_H
#define KS_QUERY_H

#include "encoder/encoder.h"
#include "index/index.h"
#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int rank;                 /* from 1 */
    int64_t video;
    ks_timebase tb;
    int64_t start, end, best; /* ticks; best = where the score is highest */
    double score;             /* 0..1: how far above chance in this library */
    double cosine;            /* raw, of the best clip */
    const int64_t *clips;     /* merged ones, best first */
    int n_clips;
    const char *path;         /* bytes; owned by the hits */
    const char *const *copies; int n_copies; /* near-duplicate hits folded into this one */
    int64_t film_date;
} ks_hit;
typedef struct {
    ks_hit *at;               /* [count] */
    int count;
    int below;                /* hits under the cut-off that were left out */
    double best_below;        /* score of the best of them */
    int64_t searched;         /* clips */
    double seconds_searched;  /* of video */
    void *memory;
} ks_hits;

typedef struct {
    int k;                    /* moments; 0: 10 */
    ks_filter filter;
    int per_video;            /* 0: no bound */
    int merge;                /* 1 default */
    int fold;                 /* 1 default: near-duplicate films */
    int all;                  /* 1: no cut-off */
    int vector_query;         /* 1: similar, --image: always k hits, clip-to-clip scale */
    int64_t not_clip;         /* --not-self */
    ks_search how;
} ks_query_options;

int ks_query_run(ks_hits *out, ks_index *x, const float *q /* [dim] */, int dim, const ks_query_options *o, ks_error *e);
void ks_hits_free(ks_hits *hits);

/* q = unit(text vector - weight * unit vector of `without`); without may be NULL. *english 0: it does not look English. */
int ks_query_words(float *q, int *english, ks_encoder *enc, const char *words, const char *without, ks_error *e);

/* Background statistics of this library (DESIGN: a score that means something): made or refreshed by a
 * writer or in memory by a reader; needs the text tower. */
int ks_calibrate(ks_index *x, ks_encoder *enc, int write, ks_error *e);

/* --- zero-shot labels --- */
typedef struct {
    int64_t video;
    ks_timebase tb;
    int64_t start, end;
    int label;                /* index into labels */
    int rank;                 /* 1 = best of its clip */
    double score;             /* softmax at temperature 0.01 */
    double cosine;
    const char *path;
} ks_label_row;
typedef struct {
    const char *const *labels; int n_labels;
    const char *const *templates; int n_templates; /* with "{}"; NULL: the 28 Kinetics templates */
    int k, per_video, merge;
    ks_filter filter;
} ks_label_options;
typedef int ks_on_label(void *arg, const ks_label_row *row); /* non-zero stops */
int ks_label(ks_index *x, ks_encoder *enc, const ks_label_options *o, ks_on_label *row, void *arg, ks_error *e);

#ifdef __cplusplus
}
#endif
#endif
