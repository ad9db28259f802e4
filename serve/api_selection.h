/* api_selection.h - moments that a page sent to be exported. */
#ifndef KS_API_SELECTION_H
#define KS_API_SELECTION_H

#include "serve/server.h"

typedef struct {
    char *format, *fps, *title; /* NULL: none */
    ks_moment *at;
    char **titles; /* [n] each's own, NULL: none */
    int n;
} ks_selection;
void ks_selection_drop(ks_selection *s);

#define KS_PIECES_HOLD "at most 100 pieces of 10 minutes each; from the key frame before"
/* The moments as pieces of their films, a stored ZIP that is made while it is sent: one piece lies
 * in the cache at a time. What cannot be cut is a text file that says why. KS_EUSAGE. */
int ks_pieces(ks_reply *out, const ks_call *c, const ks_selection *s, ks_error *e);

#endif
