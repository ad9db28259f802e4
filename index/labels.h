/* labels.h - labels that stay, and labels that were taught: a part of index.h, which includes
 * it. */
#ifndef KS_INDEX_LABELS_H
#define KS_INDEX_LABELS_H

#ifndef KS_INDEX_H
#error "include index/index.h"
#endif

/* Catalogs older than they have none. A set is known by its name; a film is
 * labelled again when it has changed since, or the hash of all that decides what the set says is
 * another. */
typedef struct {
    const char *set, *label, *parent; /* out; borrowed for the call */
    int64_t id;                       /* of the label in its set */
    int64_t video, start, end;        /* ticks */
    int rank, said;                   /* said: by a person, not by the model */
    double score, cosine;
} ks_label_mark;
typedef struct {
    const char *name, *how; /* how: "which", "each", "intervals" */
    uint64_t hash;
    const char *const *labels, *const *parents; /* [n]; in */
    int64_t n, films, spans, said;              /* out: how many of each */
} ks_stored_set;
typedef int ks_on_mark(void *arg, const ks_label_mark *m); /* non-zero stops */
typedef int ks_on_set(void *arg, const ks_stored_set *s);
typedef int ks_on_said(void *arg, const ks_label_mark *m, int yes);
/* ids[n] of its labels */
int ks_index_put_set(int64_t *set, int64_t *ids, ks_index *x, const ks_stored_set *s, ks_error *e);
/* 1, 0 */
int ks_index_find_set(int64_t *set, uint64_t *hash, ks_index *x, const char *name, ks_error *e);
/* 1: to be labelled, 0: it was */
int ks_index_due(ks_index *x, int64_t set, uint64_t hash, const ks_video *v, ks_error *e);
/* In place of what the set had of the film; what people said is laid over it: wrong spans are
 * cut, right ones stay. */
int ks_index_put_marks(ks_index *x, int64_t set, uint64_t hash, const ks_video *v,
                       const ks_label_mark *m, int n, ks_error *e);
/* labels that are no more in it go, with their spans */
int ks_index_end_set(ks_index *x, int64_t set, const int64_t *ids, int n, ks_error *e);
/* with what was said of it; KS_ENOTFOUND */
int ks_index_drop_set(ks_index *x, const char *name, ks_error *e);
/* A person's word for [start, end) of a film, over any before; a label that the set lacks is
 * added. KS_ENOTFOUND: no such set. */
int ks_index_say(ks_index *x, const char *set, const char *label, const ks_video *v, int64_t start,
                 int64_t end, int yes, ks_error *e);
int ks_index_sets(ks_index *x, ks_on_set *each, void *arg, ks_error *e);
/* set NULL: all */
int ks_index_marks(ks_index *x, const char *set, const ks_filter *f, ks_on_mark *each, void *arg,
                   ks_error *e);
/* of films that are here */
int ks_index_said(ks_index *x, const char *label, ks_on_said *each, void *arg, ks_error *e);
/* 1: stored so, or a parent of one; 0 */
int ks_index_has_label(ks_index *x, const char *label, ks_error *e);

/* --- taught labels and their examples --- (learnt_rows.c) */
typedef struct {
    const char *name; /* out: borrowed for the call */
    int64_t space;    /* the w is of; another than the library's: to be taught again */
    const float *w;   /* [dim] */
    int dim;
    double bias; /* score = 1 / (1 + exp(-(w . v + bias))) */
    /* cross-validated average precision and its 95 % interval; -1: too few to say */
    double ap, ap_low, ap_high;
    int64_t yes, no, films; /* it was taught on */
} ks_learnt_row;
typedef int ks_on_learnt(void *arg, const ks_learnt_row *row); /* non-zero stops */
/* in place of one of that name */
int ks_index_put_learnt(ks_index *x, const ks_learnt_row *row, ks_error *e);
/* name NULL: all, by name */
int ks_index_learnt(ks_index *x, const char *name, ks_on_learnt *each, void *arg, ks_error *e);
/* with its examples; KS_ENOTFOUND */
int ks_index_drop_learnt(ks_index *x, const char *name, ks_error *e);
/* An example, by the film's content: it outlives the film's rows. The newest word for a moment
 * counts. */
int ks_index_put_example(ks_index *x, const char *name, const ks_video *v, int64_t start,
                         int64_t end, int yes, ks_error *e);
/* of films that are here */
int ks_index_examples(ks_index *x, const char *name, ks_on_said *each, void *arg, ks_error *e);

#endif
