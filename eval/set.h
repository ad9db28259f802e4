/* set.h - building a set row by row: what lists and protocols share. */
#ifndef KS_EVAL_SET_H
#define KS_EVAL_SET_H

#include "eval/eval.h"

/* Where a row came from, for sentences. */
typedef struct {
    const char *file;
    int64_t line;
} ks_eval_at;

/* A list that grows, with its ids findable; at[] of the list stays the order of the file. */
typedef struct {
    ks_eval_list list;
    int64_t room;
    void *first;      /* tsearch's: the first row of each id */
    const char *what; /* "video_id", "text_id", "question_id": for sentences */
    int again;        /* an id may stand several times */
    int words;        /* a value is words: blank ones are refused */
} ks_eval_index;

/* value may be NULL; both are copied. *number (may be NULL): the row's. KS_EFORMAT: the id is
 * empty, or stands twice; its words are blank. */
int ks_eval_add(int64_t *number, ks_eval_index *x, const char *id, const char *value, ks_eval_at at,
                ks_error *e);
int ks_eval_is_blank(const char *words);
/* the first row of that id; -1: none */
int64_t ks_eval_find(const ks_eval_index *x, const char *id);
int ks_eval_find_or_say(int64_t *number, const ks_eval_index *x, const char *id, ks_eval_at at,
                        ks_error *e);
void ks_eval_index_free(ks_eval_index *x);

typedef struct {
    ks_eval_task task;
    ks_eval_index videos, texts, questions;
    ks_eval_pair *pairs;
    int64_t n_pairs, pair_room;
    /* 1: a question of choice is about one film and has two options or more, of which one is
     * right; a protocol may make others, and says so */
    int whole_questions;
    struct {
        int64_t n;
        ks_eval_at at; /* the first */
    } blank;           /* texts of no words that were left out */
} ks_eval_builder;

void ks_eval_begin(ks_eval_builder *b, ks_eval_task task);
int ks_eval_pair_add(ks_eval_builder *b, ks_eval_pair pair, ks_error *e);
/* The set; b is empty afterwards. KS_EFORMAT: a pair stands twice, a classify video has two
 * classes, a question is not whole, `file` holds no pair. */
int ks_eval_finish(ks_eval_set *set, ks_eval_builder *b, const char *file, ks_error *e);
void ks_eval_drop(ks_eval_builder *b);

#endif
