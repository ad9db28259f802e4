/* query.h - words or a vector in, ranked moments out.
 *
 *   ks_scale_open(&s, x, enc, &e);                    how far above chance, in this library
 *   ks_query_words(q, NULL, enc, "a dog jumping", &e);           words -> q[D]
 *   ks_query_run(&hits, x, s, q, D, &options, &e);    q[D] -> moments
 *   ks_hits_free(&hits); ks_scale_close(s);
 *
 * A word query ranks clips by cosine, as the reference does, so the index's best are the best and an exact match comes
 * first. The score says how far that is above chance: z = (cosine - 0.85 level) / unit, where the level is the mean cosine
 * of the library's clips with this query, and the unit the deviation that unrelated sentences (background.c) have on a
 * clip, the median over the clips. The cut-off is where sentences held out of the background end. */
#ifndef KS_QUERY_H
#define KS_QUERY_H

#include "encoder/encoder.h"
#include "index/index.h"
#include "ks.h"
#include "query/terms.h" /* part of this header: the terms of a question */

#ifdef __cplusplus
extern "C" {
#endif

/* --- the scale: what chance looks like in a library --- */
typedef struct ks_scale ks_scale;

/* Read what the library keeps, and make in memory what is missing or stale. enc (text tower) may be
 * NULL: without a kept background only vector queries have a score then. Never writes. */
int ks_scale_open(ks_scale **s, ks_index *x, ks_encoder *enc, ks_error *e);
void ks_scale_close(ks_scale *s); /* NULL is fine */
/* Writer, after an ingest and now and then in it: bring the kept scale up to date. enc as above; another model's is as none.
 * *changed may be NULL. */
int ks_calibrate(int *changed, ks_index *x, ks_encoder *enc, ks_error *e);

typedef struct {
    int sentences, held_out;     /* of the background; 0 without one */
    int64_t clips;               /* the cut-off was measured over these */
    double cut;                  /* z at which score is 0.5, the default cut-off */
    double false_positives;      /* share of the held-out sentences whose best clip lies above it */
    double pair_mean, pair_deviation; /* cosines between clips of this library */
} ks_scale_facts;
void ks_scale_about(ks_scale_facts *out, const ks_scale *s);

/* --- a query --- */
typedef struct {
    int rank;                 /* from 1 */
    int64_t video;
    ks_timebase tb;
    int64_t start, end, best; /* ticks; best = the frame where the query fits best */
    double score;             /* 0..1; words: 0.5 is the cut-off. vector: 0 = any two clips, 1 = the same */
    double cosine;            /* raw, of the best clip */
    const int64_t *clips;     /* [n_clips] merged ones, best first */
    int n_clips;
    const char *path;         /* bytes; owned by the hits */
    const char *const *copies; /* [n_copies] paths of the same film, and of near-duplicates folded into this one */
    int n_copies;             /* KS_HIT_COPIES at most */
    int64_t more_copies;      /* those that are not named */
    int64_t film_date;        /* seconds since 1970 UTC */
    int64_t duration;         /* of the film, ticks */
    double fps;
    int rate_num, rate_den, variable; /* exact nominal rate, 0: not known; its frames come unevenly */
    char timecode[16], reel[64];      /* of time 0; "": none */
    int date_source;                  /* KS_DATE_* */
    const struct ks_hit_part *parts;  /* [n_parts] of a question of several terms, in their order; score is the least of theirs */
    int n_parts;
} ks_hit;
typedef struct ks_hit_part {
    int term;                 /* its number in the question, from 1 */
    int64_t start, end, best; /* ticks */
    double score;
} ks_hit_part;
enum { KS_HIT_COPIES = 16 };
typedef struct {
    ks_hit *at;               /* [count + below]; those from count on lie under the cut-off */
    int count;
    int below;
    int64_t searched;         /* clips */
    int64_t uncopied;         /* of them read from the catalog, for want of a search copy: slow where they are many */
    double seconds_searched;  /* of video; 0 where a filter makes it unknown */
    int approximate;          /* 1: FAISS chose the candidates */
    int uncut;                /* 1: there was no cut-off: k moments wherever there are so many */
} ks_hits;

typedef struct {
    int k;                    /* moments; 0: 10 */
    ks_filter filter;
    int per_video;            /* moments of one video; 0: no bound */
    int apart;                /* 1: every clip is a moment of its own (--merge off) */
    int unfolded;             /* 1: near-duplicate films are shown too */
    int all;                  /* 1: no cut-off */
    int vector_query;         /* 1: similar, --image: always k hits, clip-to-clip scale */
    int64_t not_clip;         /* --not-self: the moment of this clip is left out; 0: none */
    int64_t not_video;        /* --not-self of a whole film: none of its moments; 0: none */
    int64_t first_clip;       /* the moment of this clip comes first, whatever its score; 0: none */
    ks_search how;
} ks_query_options;

/* q [dim], unit length. k and the order are exact unless o->how is KS_SEARCH_ANN (or AUTO on a library
 * with a FAISS copy). KS_ESPACE: dim is not the library's. */
int ks_query_run(ks_hits *out, ks_index *x, const ks_scale *s, const float *q, int dim, const ks_query_options *o, ks_error *e);
/* q [n, dim]; KS_EUSAGE: --ann, which knows one vector. */
int ks_query_run_terms(ks_hits *out, ks_index *x, const ks_scale *s, const float *q, const ks_query_term *t, int n, int dim,
                       const ks_query_options *o, ks_error *e);
void ks_hits_free(ks_hits *hits);

/* --- along one film --- */
typedef struct {
    int64_t at;               /* ticks: where the frame begins to be shown */
    double cosine, score;     /* of the frame, on the scale of ks_hit */
    double change;            /* where asked for: 1 - cosine of the frame before and this one; of the first 0 */
    int begins;               /* the first frame of every clip that holds it: a shot begins */
} ks_curve_point;
typedef struct {
    ks_curve_point *at;       /* [n], by time, each time once */
    int n;
    int64_t video, duration;  /* ticks */
    int64_t end;              /* where the last clip of this part ends */
    ks_timebase tb;
    double level, unit, cut;  /* cosine of score 0, and what a deviation is, both in cosine; the cut-off's z; 0: a vector's */
} ks_curve;
typedef struct {
    int64_t video;
    int64_t from, to;         /* ticks, half open; to 0: to the end */
    int vector_query;         /* as in ks_query_options */
    int changes;              /* 1: what changes from frame to frame too */
} ks_curve_part;

/* Every kept frame of a film against q [dim]: the mean of the clips that hold it; a clip without frame vectors gives its own
 * cosine at its middle. Rotten rows are left out. KS_ENOTFOUND: no such film. */
int ks_query_curve(ks_curve *out, ks_index *x, const ks_scale *s, const float *q, const ks_curve_part *part, ks_error *e);
void ks_curve_free(ks_curve *c); /* zeros are fine */
/* A moment's start and end by its frames, and its best one, of a curve with changes that reaches well around it. In and out:
 * ticks. 0: no frame of the curve lies in it, nothing is changed. */
int ks_curve_bounds(int64_t *start, int64_t *end, int64_t *best, const ks_curve *c);

/* q[D], unit length. *english (may be NULL) becomes 0 where the words do not look English. KS_EUSAGE: not UTF-8. */
int ks_query_words(float *q, int *english, ks_encoder *enc, const char *words, ks_error *e);


/* --- label sets --- */
typedef struct {                 /* a label learnt from examples: score = 1 / (1 + exp(-(w . v + bias))) */
    const float *w;              /* [dim] */
    double bias;
} ks_learnt;
typedef struct {                 /* a label as it was asked for; text borrowed */
    const char *name, *parent;   /* parent "": none */
    const char *const *prompts; int n_prompts; /* sentences in place of the templates; "{}" in one is the name */
    const char *const *nots; int n_nots;       /* what it is not: half of their mean is taken away, as --not does */
    double threshold;            /* least score where each is asked; 0: 0.5 */
    const ks_learnt *learnt;     /* in place of sentences, where each is asked; NULL: none */
} ks_label_def;
typedef struct {
    const char *name;            /* that JSON gives the set; "" */
    const char *const *templates; int n_templates; /* its own, each with "{}"; 0: none */
    const ks_label_def *at; int n; /* no name twice */
    void *owned;
} ks_label_set;
/* A text file (a label a line), a CSV whose first line names a column name, label or class (and prompts, not, parent,
 * threshold; several prompts between |), or JSON: {"name","templates","labels":[{"name","prompts","not","parent",
 * "threshold"} or "name"]}; "-" is standard input. KS_ENOTFOUND, KS_EIO, KS_EFORMAT name the file. Free in any case. */
int ks_label_set_read(ks_label_set *s, const char *file, ks_error *e);
void ks_label_set_free(ks_label_set *s);

/* --- zero-shot labels --- */
typedef struct {
    int64_t video;
    ks_timebase tb;
    int64_t start, end;
    int label;                /* index into labels; -1: nothing fits */
    int rank;                 /* 1 = best of its clip; a span's clips all have it at this rank. Of intervals: 1 */
    double score;             /* which: softmax over all labels at temperature 0.01; of a span: mean over its clips; of a whole
                               * video: the largest of any clip, so that those of all labels need not sum to 1.
                               * each: label_judge.h, 0.5 where it is said to be there; nothing fits: 1 - the best label's */
    double cosine;            /* of a span: mean; nothing fits: of the best label; of a learnt one: its margin */
    const char *path;         /* the video's first one where a file is; valid during the call */
} ks_label_row;
typedef struct {
    const char *const *labels; int n_labels;
    const ks_label_def *defs; /* [n_labels] their prompts, nots, thresholds; NULL: none */
    const char *const *templates; int n_templates; /* each with "{}"; NULL: the 28 of Kinetics */
    int k;                    /* labels a clip; 0: 1, with each: all */
    int per_video;            /* 1: whole videos; a label's score is that of its best clip */
    int apart;                /* 1: spans of equal labels are not merged */
    int each;                 /* 1: whether each, not which: any number a clip */
    int none;                 /* 1: rows of label -1 where nothing fits */
    int intervals;            /* 1: start and end of each label, smoothed over time; without `each` one at a time */
    double least;             /* each, intervals: the score from which on, in place of 0.5; < 0: all there is */
    const ks_scale *scale;    /* needed for each, none, intervals */
    ks_filter filter;
    /* With row's own arg, NULL: all, nothing. due: 1 = the film is to be labelled; done: after its last row, non-zero stops. */
    int (*due)(void *arg, const ks_video *v);
    int (*done)(void *arg, const ks_video *v);
} ks_label_options;
typedef int ks_on_label(void *arg, const ks_label_row *row); /* non-zero stops */
int ks_label(ks_index *x, ks_encoder *enc, const ks_label_options *o, ks_on_label *row, void *arg, ks_error *e);
const char *ks_label_template(int i); /* of the built-in ones; NULL from 28 on */

#ifdef __cplusplus
}
#endif
#endif
