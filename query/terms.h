/* terms.h - a question of several terms, as typed and as vectors. A part of query.h, which
 * others include. */
#ifndef KS_TERMS_H
#define KS_TERMS_H

#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- the terms of a question --- what is typed after the options, read from left to right. */
typedef enum {
    KS_OP_BEGIN,
    KS_OP_PLUS,
    KS_OP_MINUS,
    KS_OP_AND,
    KS_OP_OR,
    KS_OP_NOT,
    KS_OP_THEN,
    KS_OP_UNLESS
} ks_op;
typedef enum { KS_TERM_WORDS, KS_TERM_FILE, KS_TERM_PICTURE, KS_TERM_CLIP } ks_term_kind;
typedef struct {
    ks_op op;
    ks_term_kind kind;
    const char *text; /* words as typed; FILE[@T]; a picture file; borrowed */
    int64_t clip;
    double weight; /* > 0, KS_WEIGHT_MAX at most */
    double within; /* of THEN and UNLESS: seconds; < 0: not given */
} ks_term;
enum { KS_TERMS_MAX = 100, KS_WEIGHT_MAX = 1000 };
typedef struct {
    ks_term *at;  /* [n]; ks_terms_free */
    int n, ended; /* ended: an UNLESS stands in it */
} ks_terms;
const char *ks_op_name(ks_op op); /* "plus"; of BEGIN "" */
/* The value of an option, "0.5:fog" of "and": 1 added; 0: not an option with a term. "image" and
 * "like" add up as "plus" does. KS_EUSAGE points at the character. */
int ks_terms_add(ks_terms *terms, const char *option, const char *value, ks_error *e);
/* of the last THEN or UNLESS; KS_EUSAGE: there is none */
int ks_terms_within(ks_terms *terms, double seconds, ks_error *e);
/* nothing stands before them: the first PLUS becomes BEGIN and the first */
int ks_terms_begin(ks_terms *terms, ks_error *e);
void ks_terms_free(ks_terms *terms);

/* A question of several vectors. BEGIN, AND, OR and NOT combine what one clip is worth (least,
 * greatest, no clip where this term passes its own cut-off), THEN begins the next part of a
 * sequence, UNLESS ends it. Exact: bounds, not candidates. */
typedef struct {
    ks_op op; /* of the first BEGIN; no PLUS, no MINUS: those are in the vector */
    int term; /* its number, for ks_hit_part */
    /* 1: chance is what words give; 0: what two clips of the library have in common */
    int words;
    double weight; /* AND: 1 - w + w * score; OR, NOT: w * score */
    double within; /* THEN, UNLESS: seconds */
} ks_query_term;

#ifdef __cplusplus
}
#endif
#endif
