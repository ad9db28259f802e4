/* label_store.h - `label --store SET`: what was labelled stays in the catalog, and only what is
 * new is labelled again. */
#ifndef KS_LABEL_STORE_H
#define KS_LABEL_STORE_H

#include "cli/commands.h"

typedef struct ks_label_store ks_label_store;

/* Opens the library to write, and the set: o says what is asked, none (NULL: none) what nothing
 * fits is called. o is borrowed until the close. Its calls return 0, 1 or a negative ks_err with
 * the sentence in e. */
int ks_label_store_open(ks_label_store **s, const ks_globals *g, const char *set,
                        const ks_label_options *o, const char *none, ks_error *e);
/* 1: the film is to be labelled */
int ks_label_store_due(ks_label_store *s, const ks_video *v, ks_error *e);
int ks_label_store_row(ks_label_store *s, const ks_label_row *row, ks_error *e);
/* its rows are all there */
int ks_label_store_film(ks_label_store *s, const ks_video *v, ks_error *e);
/* All films were looked at (whole: of the library, not of a filter); commits. */
int ks_label_store_end(ks_label_store *s, int whole, ks_error *e);
/* one sentence of what was done */
void ks_label_store_say(FILE *f, const ks_label_store *s);
/* NULL is fine. err, or why a hub did not get what was kept */
int ks_label_store_close(ks_label_store *s, int err, ks_error *e);

#endif
