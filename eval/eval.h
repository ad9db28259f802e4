/* eval.h - figures for a video-text model: lists and vectors in, the measures of the field out.
 *
 *   ks_eval_read_lists(&set, KS_EVAL_RETRIEVAL, videos, texts, map, &e);   or ks_eval_read_protocol
 *   ks_eval_take(&v, &set.videos, &vectors, path, &e);                      rows of a file, or
 *     ks_eval_embed_films
 *   ks_eval_retrieval(&r, &set, &v, &t, &e);
 *   ks_eval_set_free(&set); ks_eval_vectors_free(&v);
 *
 * Scores are cosines: rows are scaled to unit length and multiplied in double, dimension by
 * dimension in order, so equal rows give equal scores on every machine. What differs by rounding
 * alone (1e-12: one direction at two lengths) is a tie. Ties count against the right answer. A
 * row without a vector is missing: what it should have answered counts as wrong, and the gallery
 * never shrinks silently. `missing` counts the rows whose vector the figures would have used. */
#ifndef KS_EVAL_H
#define KS_EVAL_H

#include "encoder/encoder.h"
#include "ks.h"
#include "session/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    KS_EVAL_RETRIEVAL,
    KS_EVAL_CLASSIFY,
    KS_EVAL_MULTILABEL,
    KS_EVAL_CHOICE
} ks_eval_task;

/* --- what is asked of what --- */
typedef struct {
    char *id;
    /* of a text its words; of a video its path or its file's name, NULL: that is its id */
    char *value;
    double from, to;  /* of a video, seconds; to < 0: the end */
    const char *file; /* borrowed: where it stands, for sentences; NULL: nobody knows */
    int64_t line;
} ks_eval_row;
typedef struct {
    ks_eval_row *at;
    int64_t n;
} ks_eval_list; /* [n] in the order of the file */
/* By numbers of rows; of a text_id that stands several times (classes), the first. question,
 * right: of choice; else 0, 1. */
typedef struct {
    int64_t question, video, text;
    int right;
    /* where it stands, for sentences; file NULL: nobody knows */
    const char *file;
    int64_t line;
} ks_eval_pair;
typedef struct {
    ks_eval_task task;
    ks_eval_list videos, texts, questions;
    /* sorted by question, video, text; no pair stands twice */
    ks_eval_pair *pairs;
    int64_t n_pairs;
    int64_t *class_of; /* [texts.n] the first row with the same id */
    int64_t blank;     /* texts of no words that a protocol left out; where the first stands */
    const char *blank_file;
    int64_t blank_line;
} ks_eval_set;

/* TSV without a header, UTF-8, '#' begins a comment line; columns as CLI.md says. KS_EFORMAT
 * names file and line of an id that stands twice, is unknown, or of a line that is none. map
 * NULL: none is read. */
int ks_eval_read_lists(ks_eval_set *set, ks_eval_task task, const char *videos, const char *texts,
                       const char *map, ks_error *e);
void ks_eval_set_free(ks_eval_set *set);

/* --- the protocols of the field (models/protocols/NAME.tsv) --- read from the data sets' own
 * annotation files. */
typedef struct ks_eval_recipe ks_eval_recipe;
/* "LvT-B public", "t2v.r1", 50.1 */
typedef struct {
    char model[32], figure[24];
    double percent;
} ks_eval_published;
typedef struct {
    char *name, *title, *needs; /* needs: which files, for people */
    ks_eval_task task;
    int also_multilabel;             /* the same vectors by mean average precision too */
    int64_t films, texts, questions; /* of the published set; 0: not said */
    char *templates, *prefix;        /* "clip-kinetics", "none"; of ks_eval_how */
    char *other;                     /* a file whose name holds this word is another split's */
    /* what the source leaves open; what is done here */
    char **open, **chosen;
    int n_open, n_chosen;
    ks_eval_published *published;
    int n_published;
    ks_eval_recipe *recipes;
    int n_recipes;
} ks_eval_protocol;
/* KS_EUSAGE: none such */
int ks_eval_protocol_open(ks_eval_protocol *p, const ks_setup *setup, const char *name,
                          ks_error *e);
void ks_eval_protocol_close(ks_eval_protocol *p); /* zeros are fine */
/* The readings of one set that the files allow ("statements"), NULL where there is but one; how
 * many, at most max. */
int ks_eval_variants(const char **variants, int max, const ks_eval_protocol *p,
                     const char *const *files, int n_files, ks_error *e);
/* KS_EFORMAT names file and line: an id that stands twice, a caption of another split, a film of
 * the list without one. */
int ks_eval_read_protocol(ks_eval_set *set, const ks_eval_protocol *p, const char *variant,
                          const char *const *files, int n_files, ks_error *e);

/* --- vectors of the rows of a list --- */
typedef struct {
    double *x;    /* [n, dim] of unit length; zeros where missing */
    uint8_t *has; /* [n] */
    int64_t n, dim, missing;
} ks_eval_vectors;
/* Rows of a file, by its ids, else in the list's order. Of an id that stands several times in
 * the list (a class) the file has as many vectors, in that order, or one for all. KS_ESHAPE: as
 * many rows as the list has are needed. KS_EFORMAT: a vector that is not finite or is zero, by
 * its row's id; an id that stands too often. */
int ks_eval_take(ks_eval_vectors *out, const ks_eval_list *list, const ks_named_rows *vectors,
                 const char *path, ks_error *e);
int ks_eval_room(ks_eval_vectors *out, int64_t n, int64_t dim, ks_error *e); /* all missing */
/* Row i becomes v[dim] at unit length. 0, or -1: not finite, or zero. */
int ks_eval_put(ks_eval_vectors *out, int64_t i, const double *v);
void ks_eval_vectors_free(ks_eval_vectors *v);
/* The rows of one text_id as one: the mean of their unit vectors at unit length, kept at the
 * first; for classify and multilabel. KS_EFORMAT: they cancel out. */
int ks_eval_average_classes(ks_eval_vectors *texts, const ks_eval_set *set, ks_error *e);

/* Rows by name: how many, and the ids of the first ("a, b and 3 more"); UTF-8 as the lists have
 * it. */
typedef struct {
    int64_t n;
    char ids[400];
} ks_eval_names;
/* Rows without a vector: those that a question asks for, which counts as wrong, and those that
 * are a wrong answer the less to others; what is neither is in no name. A class counts once. */
int ks_eval_without_vector(ks_eval_names *asked, ks_eval_names *idle, const ks_eval_set *set,
                           ks_eval_task task, const ks_eval_vectors *videos,
                           const ks_eval_vectors *texts, ks_error *e);
/* Films that no pair has: of a classify set they are not judged. */
int ks_eval_without_class(ks_eval_names *out, const ks_eval_set *set, ks_error *e);

/* --- vectors by a model --- each is kept in the cache as it is made (ks_kept_log), so that a
 * run that was killed goes on where it stood and another measure, map or template costs no film
 * again. A film's vector is known by its content, segment, frames and fit, the model, the
 * precision and the kernels. */
typedef struct {
    int texts;                             /* 1: of texts, 0: of films */
    int64_t done, of, kept, made, missing; /* rows; the last three of those done */
    int64_t cut;                           /* sentences that lost tokens at 64 */
    const char *id, *why;                  /* the row that is missing, and why; else NULL */
} ks_eval_step;
typedef struct {
    const ks_setup *setup;
    ks_encoder *enc;
    const char *media;  /* folder of the films; NULL: the list's paths as they are */
    const char *prefix; /* a film may be called so without it ("v_"); NULL: none */
    int frames;         /* T: frame i is number floor(i * N / T) of the N of the segment */
    ks_fit fit;
    /* of texts, each with "{}": their unit mean; none: the text as it is */
    const char *const *templates;
    int n_templates;
    /* after each row made or missed; may be NULL */
    void (*step)(void *arg, const ks_eval_step *s);
    void *arg;
} ks_eval_how;
/* A film that is not there, or gives no frames, is missing; KS_ENOTFOUND: all of them are.
 * KS_EFORMAT: an id has two films. KS_EIO: no decoder. */
int ks_eval_embed_films(ks_eval_vectors *out, const ks_eval_list *videos, const ks_eval_how *how,
                        ks_error *e);
int ks_eval_embed_texts(ks_eval_vectors *out, const ks_eval_list *texts, const ks_eval_how *how,
                        ks_error *e);

/* --- measures; shares from 0 to 1, low and high: Wilson's interval at 95 % --- */
void ks_wilson(double *low, double *high, int64_t hits, int64_t n);

typedef struct {
    int64_t n; /* queries with a right answer in the map */
    double r1, r5, r10, median_rank, mean_rank, r1_low, r1_high;
} ks_eval_ranks;
typedef struct {
    int64_t videos, texts, missing;
    int64_t ties; /* queries whose best right answer scores exactly as a wrong one */
    ks_eval_ranks t2v, v2t;
} ks_eval_retrieval_figures;
/* Rank: 1 + the wrong ones whose score is at least that of the best right one; a missing one has
 * the gallery's size, and is no hit at any k. */
int ks_eval_retrieval(ks_eval_retrieval_figures *out, const ks_eval_set *set,
                      const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e);

typedef struct {
    int64_t n, classes, missing, ties;
    int64_t without_class; /* films of the list; they are not of n */
    double top1, top5, mean_class_top1, top1_low, top1_high;
} ks_eval_classify_figures;
int ks_eval_classify(ks_eval_classify_figures *out, const ks_eval_set *set,
                     const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e);

typedef struct {
    int64_t n, classes, classes_with_none, missing;
    double map; /* mean over classes with a right video; NaN where there is none */
} ks_eval_multilabel_figures;
int ks_eval_multilabel(ks_eval_multilabel_figures *out, const ks_eval_set *set,
                       const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e);
/* Average precision as scikit-learn's average_precision_score: sum of (recall step) x precision
 * over the distinct scores, best first; of a score of -Inf (no vector) nothing is ever found.
 * right[n] 0 or 1. NaN without a right one. */
int ks_average_precision(double *out, const double *score, const uint8_t *right, int64_t n,
                         ks_error *e);

typedef struct {
    int64_t n, missing, ties;
    double accuracy, low, high;
} ks_eval_choice_figures;
/* Right where a right option scores above all wrong ones, and film and options have vectors. */
int ks_eval_choice(ks_eval_choice_figures *out, const ks_eval_set *set,
                   const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e);

/* --- probes: a head learnt on the tokens of a frozen video encoder --- */
typedef enum { KS_PROBE_LINEAR, KS_PROBE_ATTENTIVE } ks_probe_head;
typedef struct {
    const char *train, *test; /* TSV: film, class; a film is FILE[@START[-END]] */
    const char *media;        /* folder of the films; NULL: as they are named */
    ks_probe_head head;
    int epochs, batch;
    double rate, decay; /* of AdamW, at the peak; of weights alone */
    uint64_t seed;
    ks_encoder *enc;                                 /* with its video tower */
    ks_clip_how how;                                 /* frames, side and fit of a film */
    void (*notice)(void *arg, const char *sentence); /* may be NULL */
    void (*progress)(void *arg, const char *what, int64_t done, int64_t of); /* may be NULL */
    void *arg;
} ks_probe_options;
typedef struct {
    int64_t classes, train, train_missing, test, test_missing;
    int64_t of_one; /* classes that learn from one film */
    /* films of test that were learnt from, by whatever path or copy; the first of them and where
     * it stands */
    int64_t shared;
    char shared_as[600];
    double loss; /* mean over the last epoch */
    /* a missing film counts as wrong, a tie against */
    double top1, top5, mean_class_top1, top1_low, top1_high;
} ks_probe_figures;
typedef struct ks_probe ks_probe;
/* Tokens of all films (kept in $XDG_CACHE_HOME/kinoseek/tokens: a second run computes none),
 * then the training, then test. The same lists, model and options give the same bits at any
 * number of threads. KS_EFORMAT names file and line. */
int ks_probe_train(ks_probe **p, const ks_probe_options *o, ks_error *e);
const ks_probe_figures *ks_probe_result(const ks_probe *p);
/* The official classifier checkpoint, and its classes, a line each. What fails, the files' error
 * flags say. */
int ks_probe_write(FILE *npz, FILE *classes, const ks_probe *p, ks_encoder *enc, ks_error *e);
void ks_probe_free(ks_probe *p); /* NULL is fine */

/* --- one's own library --- sentences and the moments that answer them. */
/* as ks_film_names takes it; seconds, to < 0: to its end */
typedef struct {
    char *film;
    double from, to;
    int64_t line; /* of the list; 0: not known */
    int number;   /* from 0, over all sentences */
} ks_eval_place;
/* any answers; none: nothing here does */
typedef struct {
    char *words;
    ks_eval_place *right;
    int n_right;
} ks_eval_wish;
typedef struct {
    ks_eval_wish *at;
    int n, n_places;
    const char *list; /* borrowed: the file whose names the films have; NULL: none */
} ks_eval_wishes;
/* One more moment of a sentence, which may stand there already; p is copied and numbered, NULL:
 * nothing answers it. KS_EFORMAT: it has no words or too many, p no film. */
int ks_eval_wish_add(ks_eval_wishes *w, const char *words, const ks_eval_place *p, ks_error *e);
/* TSV: a sentence, and where a moment answers it FILE@A-B. *none 1: no line has a moment: it may
 * be another format's.
 * KS_EFORMAT: file and line; a sentence that both has a moment and has none, or ends as a
 * moment does, behind a blank. */
int ks_eval_read_wishes(ks_eval_wishes *w, int *none, const char *tsv, ks_error *e);
void ks_eval_wishes_free(ks_eval_wishes *w);

enum { KS_EVAL_FIRST = 10 }; /* moments asked for a sentence */
typedef struct {
    /* [wishes.n] of the first moment with temporal IoU >= 0.5; 0: not among the first ten */
    int *rank;
    /* [wishes.n] 1: it lies above the cut-off; of a sentence that nothing answers: anything does */
    uint8_t *shown;
    uint8_t *missing; /* [wishes.n] 1: none of its films is in the library */
    uint8_t *gone;    /* [wishes.n_places] 1: its film is not in the library */
    int64_t n_gone;
    int approximate; /* 1: FAISS chose the candidates */
    /* sentences with a moment, without one; of n: missing; with ranks 1, to 5, to 10 */
    int64_t n, absent, lost, hits[3];
    /* of n: the right one is shown; is below the cut-off; of absent: any is */
    int64_t answered, withheld, absent_answered;
} ks_eval_mine_figures;
/* Films that are copies of each other are not folded: each stands for itself. step after each
 * sentence; may be NULL. */
int ks_eval_mine(ks_eval_mine_figures *out, ks_session *s, const ks_eval_wishes *w, ks_search how,
                 void (*step)(void *arg, int done), void *arg, ks_error *e);
void ks_eval_mine_free(ks_eval_mine_figures *m);
/* 95 % of the mean of a[i] - b[i], by 10,000 resamplings of the n pairs drawn from seed: the
 * same everywhere. */
int ks_bootstrap_difference(double *low, double *high, const double *a, const double *b, int64_t n,
                            uint64_t seed, ks_error *e);

#ifdef __cplusplus
}
#endif
#endif
