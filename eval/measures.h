/* measures.h - the figures: a part of eval.h, which includes it. */
#ifndef KS_EVAL_MEASURES_H
#define KS_EVAL_MEASURES_H

#ifndef KS_EVAL_H
#error "include eval/eval.h"
#endif

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

#endif
