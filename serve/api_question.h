/* api_question.h - parameters of a request as a question to a session. */
#ifndef KS_API_QUESTION_H
#define KS_API_QUESTION_H

#include "serve/server.h"

typedef struct {
    ks_question q;
    ks_terms terms;
} ks_asked_for;

/* What is asked, by the names of the command line's options (session/question.h); `others` (NULL
 * ends) are the caller's own parameters. Borrowed from the call; ks_asked_drop in any case.
 * Terms are words and clips of the library: a request names no file. KS_EUSAGE names a parameter
 * that there is not, or whose value is none. */
int ks_asked_read(ks_asked_for *a, const ks_call *c, const char *const *others, ks_error *e);
/* The same of a question that a picture begins, which is not among the parameters. */
int ks_asked_of_picture(ks_asked_for *a, const ks_call *c, ks_error *e);
void ks_asked_drop(ks_asked_for *a);
int ks_asked_something(const ks_asked_for *a); /* 1: there is something to look for */

#endif
