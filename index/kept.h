/* kept.h - what people keep beside films, as words that travel: sets of labels and their spans, a
 * person's word, taught labels and their examples, kept queries; and subtitles.
 *
 * Each is a call of index.h's with its arguments in bytes. Where a mirror is kept in (KS_KEEP), the
 * call notes its word in the same transaction; hub_kept.c sends the words on, the hub puts them in
 * one order, and every mirror does them in that order, its own ones again. So what mirrors hold is
 * what one library would hold, and no two of them differ. */
#ifndef KS_KEPT_H
#define KS_KEPT_H

#include "index/catalog.h"

/* The numbers stand in hubs and never change. */
typedef enum {
    KS_KEPT_SET = 1,
    KS_KEPT_END_SET = 2,
    KS_KEPT_DROP_SET = 3,
    KS_KEPT_MARKS = 4,
    KS_KEPT_SAY = 5,
    KS_KEPT_LEARNT = 6,
    KS_KEPT_DROP_LEARNT = 7,
    KS_KEPT_EXAMPLE = 8,
    KS_KEPT_SAVED = 9,
    KS_KEPT_FORGET_SAVED = 10,
    KS_KEPT_SUBTITLES = 11
} ks_kept_kind;

enum { KS_T_KEPT = 30, KS_KEPT_NAME = KS_MAX_PATH + 80, KS_KEPT_DATA = 32 << 20 };

/* A later word of the same kind, name, content and `at` takes the place of an earlier one; a set
 * and its end take nobody's. */
typedef struct {
    int64_t kind;
    const char *name;    /* of the set, label, query; of subtitles where they lie, "" in the film */
    const void *content; /* [24] of a film; NULL: of none */
    const void *at, *data;
    size_t n_at, bytes;
} ks_kept;

/* --- kept.c --- */
typedef struct {
    unsigned char *at; /* owned */
    size_t n, room;
    int bad; /* there was no memory */
} ks_bytes;
void ks_bytes_int(ks_bytes *b, int64_t v);
void ks_bytes_double(ks_bytes *b, double v);
void ks_bytes_put(ks_bytes *b, const void *data, size_t n);
void ks_bytes_text(ks_bytes *b, const char *text);
typedef struct {
    const unsigned char *at;
    size_t left;
    int bad; /* more was read than there is, or a text that is none */
} ks_reading;
int64_t ks_read_int(ks_reading *r);
double ks_read_double(ks_reading *r); /* finite */
const void *ks_read_bytes(size_t *n, ks_reading *r);
const char *ks_read_text(ks_reading *r); /* UTF-8; "" where it is none */

/* In the transaction of the call: noted where x is a mirror that is kept in, else nothing. */
int ks_kept_note(ks_index *x, const ks_kept *k, const ks_bytes *at, const ks_bytes *data,
                 ks_error *e);
typedef int ks_each_kept(void *arg, const ks_kept *k, ks_error *e);
/* Notes that were not sent on, in order, at most `most`; *last: of the last one. */
int ks_kept_noted(int64_t *last, ks_index *x, int most, ks_each_kept *each, void *arg, ks_error *e);
int ks_kept_sent(ks_index *x, int64_t last, ks_error *e); /* those up to it */

/* --- kept_log.c: after the call, in its transaction --- */
int ks_kept_set(ks_index *x, const ks_stored_set *s, ks_error *e);
int ks_kept_end_set(ks_index *x, int64_t set, const int64_t *ids, int n, ks_error *e);
int ks_kept_drop(ks_index *x, ks_kept_kind kind, const char *name, ks_error *e);
int ks_kept_marks(ks_index *x, int64_t set, uint64_t hash, const ks_video *v,
                  const ks_label_mark *m, int n, ks_error *e);
int ks_kept_say(ks_index *x, const char *set, const char *label, const ks_video *v, int64_t start,
                int64_t end, int yes, ks_error *e);
int ks_kept_learnt(ks_index *x, const ks_learnt_row *row, ks_error *e);
int ks_kept_example(ks_index *x, const char *name, const ks_video *v, int64_t start, int64_t end,
                    int yes, ks_error *e);
int ks_kept_saved(ks_index *x, const char *name, const char *query, ks_error *e);
/* f NULL: nothing is read there any more */
int ks_kept_subtitles(ks_index *x, int64_t video, const char *path, const ks_subtitle_file *f,
                      const ks_subtitle_line *line, int n, ks_error *e);

/* --- kept_walk.c --- */
/* All that a library keeps, as words: what makes another one the same. space: the number that its
 * space has there. */
int ks_kept_walk(ks_index *x, int64_t space, ks_each_kept *each, void *arg, ks_error *e);
/* subtitles of one film */
int ks_kept_walk_subtitles(ks_index *x, int64_t video, ks_each_kept *each, void *arg, ks_error *e);

/* --- kept_apply.c --- */
/* What the word says, done; `path` where the name of subtitles lies here. 1; 0: its bytes are
 * none; what is of a film or a set that is not here is done with nothing. */
int ks_kept_apply(ks_index *x, const ks_kept *k, const char *path, ks_error *e);

/* --- label_rows.c --- */
int ks_label_put(int64_t *id, ks_index *x, int64_t set, const char *name, const char *parent,
                 ks_error *e);

#endif
