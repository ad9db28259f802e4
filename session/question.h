/* question.h - a question as text: what the command line, a URL and a kept query are read into.
 * A part of session.h, which others include. */
#ifndef KS_QUESTION_H
#define KS_QUESTION_H

#include "query/query.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- a question --- what a person asks, as text; a zero or NULL field is not asked for. */
typedef struct {
    /* One of these four, unless terms begin by themselves (ks_terms_begin): */
    const char *words; /* as typed */
    const char *image; /* a picture file: T equal frames through the video tower */
    int64_t like;      /* a stored clip; its own moment comes first */
    /* FILE or FILE@T. Indexed: the stored clip whose centre is nearest T, without T the mean of
     * all its clips. Not indexed: 8 s around T, or the whole film, by the reference's sampling */
    const char *film;
    const ks_terms *terms; /* what is added to it; borrowed */
    /* a program that makes words English, in place of setup's; never from a URL */
    const char *translate;
    int not_self; /* the moment (or film) that was asked about is left out */
    /* And how to answer: */
    int k, per_video;
    const char *path, *after, *before, *in, *merge, *fold, *label;
    /* words that must be said near it (ks_match_read); alone, without words and terms, the lines
     * themselves are asked for */
    const char *said;
    /* "score", "date" (oldest first), "film"; NULL: score. Which moments: the best k in any case */
    const char *sort;
    double longer, shorter, film_longer, film_shorter;
    double min_score;
    int min_height;
    const char *orientation; /* "landscape", "portrait", "square" */
    int all, exact, ann;
    /* start and end from the frames, not from the clips that were joined */
    int refine;
    int explain;    /* ks_moment.why is wanted */
    int names;      /* films that are called so too, below what is seen (ks_answer.more) */
    uint64_t given; /* of ks_question_set */
} ks_question;
/* One more option by its name without dashes, as typed: what the command line, a URL and a kept
 * query are read by. `words` or "q": the words. Text is borrowed. 1 taken; 0: no option of a
 * question. KS_EUSAGE. Close with ks_terms_begin where q->words and q->film are NULL. */
int ks_question_set(ks_question *q, ks_terms *terms, const char *name, const char *value,
                    ks_error *e);
/* "q=red+star&minus=red&within=10": text[] is decoded in place and borrowed; q->terms = terms.
 * KS_EUSAGE: an unknown name. */
int ks_question_read_url(ks_question *q, ks_terms *terms, char *text, ks_error *e);

#ifdef __cplusplus
}
#endif
#endif
