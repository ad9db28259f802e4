/* query.h - words or a vector in, ranked moments out.
 *
 *   ks_scale_open(&s, x, enc, &e);                    how far above chance, in this library
 *   ks_query_words(q, NULL, enc, "a dog jumping", &e);           words -> q[D]
 *   ks_query_run(&hits, x, s, q, D, &options, &e);    q[D] -> moments
 *   ks_hits_free(&hits); ks_scale_close(s);
 *
 * A word query ranks clips by cosine, as the reference does, so the index's best are the best
 * and an exact match comes first. The score says how far that is above chance: z = (cosine -
 * 0.85 level) / unit, where the level is the mean cosine of the library's clips with this query,
 * and the unit the deviation that unrelated sentences (background.c) have on a clip, the median
 * over the clips. The cut-off is where sentences held out of the background end. */
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
/* Writer, after an ingest and now and then in it: bring the kept scale up to date. enc as above;
 * another model's is as none.
 * *changed may be NULL. */
int ks_calibrate(int *changed, ks_index *x, ks_encoder *enc, ks_error *e);

typedef struct {
    int sentences, held_out; /* of the background; 0 without one */
    int64_t clips;           /* the cut-off was measured over these */
    double cut;              /* z at which score is 0.5, the default cut-off */
    double false_positives;  /* share of the held-out sentences whose best clip lies above it */
    double pair_mean, pair_deviation; /* cosines between clips of this library */
} ks_scale_facts;
void ks_scale_about(ks_scale_facts *out, const ks_scale *s);

/* --- a query --- */
typedef struct {
    int rank; /* from 1 */
    int64_t video;
    ks_timebase tb;
    int64_t start, end, best; /* ticks; best = the frame where the query fits best */
    /* 0..1; words: 0.5 is the cut-off. vector: 0 = any two clips, 1 = the same */
    double score;
    double cosine;        /* raw, of the best clip */
    const int64_t *clips; /* [n_clips] merged ones, best first */
    int n_clips;
    const char *path; /* bytes; owned by the hits */
    /* [n_copies] paths of the same film, and of near-duplicates folded into this one */
    const char *const *copies;
    int n_copies;        /* KS_HIT_COPIES at most */
    int64_t more_copies; /* those that are not named */
    int64_t film_date;   /* seconds since 1970 UTC */
    int64_t duration;    /* of the film, ticks */
    int64_t first;       /* where its first picture begins, ticks; 0: not known */
    double fps;
    /* exact nominal rate, 0: not known; its frames come unevenly */
    int rate_num, rate_den, variable;
    char timecode[16], reel[64]; /* of time 0; "": none */
    int date_source;             /* KS_DATE_* */
    /* [n_parts] of a question of several terms, in their order; score is the least of theirs */
    const struct ks_hit_part *parts;
    int n_parts;
} ks_hit;
typedef struct ks_hit_part {
    int term;                 /* its number in the question, from 1 */
    int64_t start, end, best; /* ticks */
    double score;
} ks_hit_part;
enum { KS_HIT_COPIES = 16 };
typedef struct {
    ks_hit *at; /* [count + below]; those from count on lie under the cut-off */
    int count;
    int below;
    int64_t searched; /* clips */
    /* of them read from the catalog, for want of a search copy: slow where they are many */
    int64_t uncopied;
    double seconds_searched; /* of video; 0 where a filter makes it unknown */
    int approximate;         /* 1: FAISS chose the candidates */
    int uncut;               /* 1: there was no cut-off: k moments wherever there are so many */
} ks_hits;

typedef struct {
    int k; /* moments; 0: 10 */
    ks_filter filter;
    int per_video;      /* moments of one video; 0: no bound */
    int apart;          /* 1: every clip is a moment of its own (--merge off) */
    int unfolded;       /* 1: near-duplicate films are shown too */
    int all;            /* 1: no cut-off */
    double min_score;   /* moments below it are not shown; 0: no bound */
    int vector_query;   /* 1: similar, --image: always k hits, clip-to-clip scale */
    int64_t not_clip;   /* --not-self: the moment of this clip is left out; 0: none */
    int64_t not_video;  /* --not-self of a whole film: none of its moments; 0: none */
    int64_t first_clip; /* the moment of this clip comes first, whatever its score; 0: none */
    ks_search how;
} ks_query_options;

/* q [dim], unit length. k and the order are exact unless o->how is KS_SEARCH_ANN (or AUTO on a
 * library with a FAISS copy). KS_ESPACE: dim is not the library's. */
int ks_query_run(ks_hits *out, ks_index *x, const ks_scale *s, const float *q, int dim,
                 const ks_query_options *o, ks_error *e);
/* q [n, dim]; KS_EUSAGE: --ann, which knows one vector. */
int ks_query_run_terms(ks_hits *out, ks_index *x, const ks_scale *s, const float *q,
                       const ks_query_term *t, int n, int dim, const ks_query_options *o,
                       ks_error *e);
void ks_hits_free(ks_hits *hits);

/* --- along one film --- */
typedef struct {
    int64_t at;           /* ticks: where the frame begins to be shown */
    double cosine, score; /* of the frame, on the scale of ks_hit */
    /* where asked for: 1 - cosine of the frame before and this one; of the first 0 */
    double change;
    int begins; /* the first frame of every clip that holds it: a shot begins */
} ks_curve_point;
typedef struct {
    ks_curve_point *at; /* [n], by time, each time once */
    int n;
    int64_t video, duration; /* ticks */
    int64_t end;             /* where the last clip of this part ends */
    ks_timebase tb;
    /* cosine of score 0, and what a deviation is, both in cosine; the cut-off's z; 0: a vector's */
    double level, unit, cut;
} ks_curve;
typedef struct {
    int64_t video;
    int64_t from, to; /* ticks, half open; to 0: to the end */
    int vector_query; /* as in ks_query_options */
    int changes;      /* 1: what changes from frame to frame too */
} ks_curve_part;

/* Every kept frame of a film against q [dim]: the mean of the clips that hold it; a clip without
 * frame vectors gives its own cosine at its middle. Rotten rows are left out. KS_ENOTFOUND: no
 * such film. */
int ks_query_curve(ks_curve *out, ks_index *x, const ks_scale *s, const float *q,
                   const ks_curve_part *part, ks_error *e);
void ks_curve_free(ks_curve *c); /* zeros are fine */
/* A moment's start and end by its frames, and its best one, of a curve with changes that reaches
 * well around it. In and out: ticks. 0: no frame of the curve lies in it, nothing is changed. */
int ks_curve_bounds(int64_t *start, int64_t *end, int64_t *best, const ks_curve *c);

/* q[D], unit length. *english (may be NULL) becomes 0 where the words do not look English.
 * KS_EUSAGE: not UTF-8. */
int ks_query_words(float *q, int *english, ks_encoder *enc, const char *words, ks_error *e);

#include "query/labels.h" /* labels: sets, zero-shot, taught */
#include "query/dupes.h"  /* what a library has twice */

#ifdef __cplusplus
}
#endif
#endif
