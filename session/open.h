/* open.h - what a session holds; session/ alone sees it. */
#ifndef KS_SESSION_OPEN_H
#define KS_SESSION_OPEN_H

#include "session/session.h"

struct ks_session {
    const ks_setup *setup;
    char *path; /* of the library */
    ks_index *x;
    ks_encoder *enc; /* NULL until something has to be encoded; with `towers` */
    int towers;
    char *folder;        /* the pattern that the last question's --path became; NULL */
    char *said;          /* what its --said became; NULL */
    char *shown;         /* the path of the film that it names; NULL */
    ks_decoder *decoder; /* NULL until a picture is wanted */
    ks_scale *scale;     /* NULL until the first question */
    int64_t scale_of;    /* the generation it was read in */
    int scale_texts;     /* 1: a text tower was there to make it with */
};

/* What a question became before it is asked. */
typedef struct {
    float *q; /* [n, dim], malloc'ed */
    int n, dim;
    ks_query_term *terms; /* [n], malloc'ed; NULL: one vector, asked as it is */
    ks_query_options o;
} ks_asked;

/* narrow.c. The pattern of --path, also a folder; the film's length, size and shape; *out: the
 * option that no clip passes, 1 said, 0 none is to blame; hits in another order, their ranks
 * with them. */
int ks_question_path(ks_filter *f, ks_session *s, const char *path, ks_error *e);
int ks_question_shape(ks_filter *f, const ks_question *q, ks_error *e);
int ks_name_empty_filter(char *out, size_t room, ks_index *x, const ks_filter *f, ks_error *e);
void ks_sort_hits(ks_hits *hits, const char *sort);

/* KS_ENOTFOUND, for a second that lies beyond a film's end. */
int ks_no_such_second(const char *file, double at, double length, ks_error *e);

/* The question as vectors, and the options that its kind brings along. q and terms are the
 * caller's on success and failure. */
int ks_question_vectors(ks_asked *a, ks_session *s, const ks_question *question, ks_error *e);
/* All its terms, the one that begins first; for ks_terms_free. Their text is borrowed from it. */
int ks_question_terms(ks_terms *out, const ks_question *question, ks_error *e);
/* "red star --minus red", "clip 7"; malloc'ed, NULL: no memory */
char *ks_question_title(const ks_question *question);
/* What `command` makes of the words, which is told as a notice; malloc'ed. KS_EIO, KS_EFORMAT. */
int ks_translate(char **out, ks_session *s, const char *command, const char *words, ks_error *e);

/* A question in two steps (ask.c): its vectors, and the answer of one state of the library; several
 * where it is asked again. ks_ask_end in any case. */
int ks_ask_begin(ks_asked *a, ks_session *s, const ks_question *q, const ks_query_options *o,
                 ks_error *e);
int ks_ask_look(ks_answer *out, ks_session *s, const ks_asked *a, const ks_question *q,
                ks_error *e);
void ks_ask_end(ks_asked *a);

/* 1: it asks for lines of subtitles alone. */
static inline int ks_question_lines(const ks_question *q)
{
    return q->said && !q->words && !q->image && !q->film && !q->like && !(q->terms && q->terms->n);
}
/* written.c. The words of --said for the filter; all lines that match, into out->more, and those
 * near each hit. Inside the question's snapshot, but for the first. */
int ks_question_said(ks_filter *f, ks_session *s, const char *said, ks_error *e);
int ks_find_lines(ks_answer *out, ks_session *s, const ks_query_options *o, ks_error *e);
int ks_add_lines(ks_answer *out, ks_session *s, const ks_filter *f, ks_error *e);

/* written.c. Films called by the words, into out->more, behind the hits. Inside the question's
 * snapshot. */
int ks_find_named(ks_answer *out, ks_session *s, const ks_question *q, const ks_query_options *o,
                  ks_error *e);

/* Start, end and best of every hit from its frames. Inside the question's snapshot. */
int ks_refine(ks_hits *hits, ks_session *s, const ks_scale *scale, const ks_asked *a, ks_error *e);
/* curves[hits.count + hits.below], zeros: each moment's frames. Inside the question's snapshot. */
int ks_explain(ks_curve *curves, ks_session *s, const ks_scale *scale, const ks_asked *a,
               const ks_hits *hits, ks_error *e);

#endif
