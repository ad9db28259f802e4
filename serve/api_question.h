/* api_question.h - parameters of a request as a question to a session. */
#ifndef KS_API_QUESTION_H
#define KS_API_QUESTION_H

#include "serve/server.h"

/* What is asked, by the names of search's options (q: the words, clip: --like). Borrowed from
 * the call. KS_EUSAGE names a parameter that there is not, or whose value is none. */
int ks_question_read(ks_question *q, const ks_call *c, ks_error *e);

#endif
