/* span_films.h - the films of a list of spans, in the library. */
#ifndef KS_SPAN_FILMS_H
#define KS_SPAN_FILMS_H

#include "cli/commands.h"
#include "formats/formats.h"

/* (*id)[s->n_films], malloc'ed; 0: not in the library. KS_EUSAGE: a name that may be two. */
int ks_span_films(int64_t **id, ks_index *x, const ks_spans *s, const char *list, ks_error *e);
/* --fps of a list that counts frames; text NULL: 0, it has to say it. KS_EUSAGE. */
int ks_list_rate(double *fps, const char *text, ks_error *e);
/* How many spans are of films that are not here, said once with the first of those. */
int ks_say_lost_spans(const char *list, const ks_spans *s, const int64_t *id);

#endif
