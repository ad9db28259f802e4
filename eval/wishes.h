/* wishes.h - one's own library, judged by sentences: a part of eval.h, which includes it. */
#ifndef KS_EVAL_WISHES_H
#define KS_EVAL_WISHES_H

#ifndef KS_EVAL_H
#error "include eval/eval.h"
#endif

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

#endif
