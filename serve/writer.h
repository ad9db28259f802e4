/* writer.h - the few things that the page changes in the library: another process does them, the
 * only one that may. Everything asked is checked there again. */
#ifndef KS_WRITER_H
#define KS_WRITER_H

#include "serve/aide.h"

typedef enum {
    KS_WISH_SAY = 1,      /* a person's word: set (made where there is none), label, span, yes */
    KS_WISH_EXAMPLE,      /* of a taught label: label, span, yes */
    KS_WISH_TEACH,        /* label, from what is kept of it */
    KS_WISH_MARKS,        /* spans of a taught label on a film, in place of what was stored: text */
    KS_WISH_SAVE,         /* a kept query: label is its name, text what the catalog keeps */
    KS_WISH_FORGET_SAVED, /* label: its name */
    KS_WISH_RETRY         /* what failed: the next ingest tries it again */
} ks_wish_kind;

/* text of MARKS: a head, and its n spans. */
typedef struct {
    int64_t start, end; /* ticks */
    double score, cosine;
} ks_wish_mark;
typedef struct {
    uint64_t hash;    /* of all that decides what the set says of a film */
    int64_t finished; /* ks_video.finished of the film that was labelled */
    int64_t n;
} ks_wish_marks;

enum {
    KS_WISH_TEXT = 48 << 10,
    KS_WISH_MARKS_MOST = (KS_WISH_TEXT - sizeof(ks_wish_marks)) / sizeof(ks_wish_mark)
};
typedef struct {
    int32_t kind, yes;
    int64_t film;
    double start, end; /* seconds of it */
    char set[128], label[128];
    _Alignas(8) char text[KS_WISH_TEXT];
} ks_wish;

typedef struct {
    int32_t status; /* 0, ks_err, or a status */
    char why[sizeof((ks_error *)0)->msg];
    /* of TEACH */
    int64_t yes, no, films;
    double ap, ap_low, ap_high; /* ap < 0: too few to say */
    int32_t stood_in, lost;
    int64_t n; /* of RETRY: films; of FORGET_SAVED: 1, 0 there was none */
} ks_granted;

typedef struct ks_writer ks_writer;
int ks_writer_start(ks_writer **w, const char *library, const char *cache, ks_error *e);
void ks_writer_stop(ks_writer *w); /* NULL is fine */
/* 0, < 0 or a status. */
int ks_writer_ask(ks_granted *g, ks_writer *w, const ks_wish *wish, ks_error *e);

#endif
