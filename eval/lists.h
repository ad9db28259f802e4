/* lists.h - what is asked of what, and the protocols of the field: a part of eval.h, which
 * includes it. */
#ifndef KS_EVAL_LISTS_H
#define KS_EVAL_LISTS_H

#ifndef KS_EVAL_H
#error "include eval/eval.h"
#endif

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

#endif
