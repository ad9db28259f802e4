/* api_body.h - a POST's JSON, read member by member. */
#ifndef KS_API_BODY_H
#define KS_API_BODY_H

#include <jansson.h>

#include "serve/server.h"

/* The body as an object; NULL: it is none, and e says so. For json_decref. */
json_t *ks_body(const ks_call *c, ks_error *e);
/* A text member -> to[room]; KS_EUSAGE: it is no text, too long, or (must) not there. */
int ks_body_text(char *to, size_t room, const json_t *o, const char *name, int must, ks_error *e);
/* "video", "start", "end", "yes" of an object -> wish. */
int ks_body_span(ks_wish *w, const json_t *o, ks_error *e);

#endif
