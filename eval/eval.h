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

#include "eval/lists.h"

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

#include "eval/measures.h"

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

#include "eval/wishes.h"

#ifdef __cplusplus
}
#endif
#endif
