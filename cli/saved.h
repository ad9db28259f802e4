/* saved.h - kept queries: their text in the catalog, and telling what they find. */
#ifndef KS_SAVED_H
#define KS_SAVED_H

#include "cli/search_run.h"

extern const ks_option ks_search_options[]; /* of ks_search_fields (cmd_search.c) */

/* Words and options as they stand in the catalog: {"words":"a
 * dog","options":["--path","*.mp4"]}; malloc'ed. KS_EUSAGE: an option that says how an answer
 * looks, or a question without a cut-off. */
int ks_saved_write(char **text, const ks_search_fields *f, const char *words, ks_error *e);
typedef struct {
    ks_search_fields f;
    char *words; /* f and it borrow from argv */
    char **argv, **args;
    int argc;
} ks_saved_query;
/* KS_EFORMAT names it */
int ks_saved_read(ks_saved_query *q, const char *name, const char *text, ks_error *e);
void ks_saved_query_free(ks_saved_query *q); /* zeros are fine */

typedef struct {
    const ks_globals *g;
    /* {"event":"saved","name":...,"hit":{...}} a line; else a line for people */
    int json;
    /* a program that gets each hit as JSON on its standard input; NULL: none */
    const char *notify;
} ks_saved_ways;
/* Of ingest and watch, with the handle that writes, after the scale is up to date: asks every
 * kept query about the films that came since it was asked last, keeps its hits, and tells those
 * that wait. A query that cannot be asked is a notice. */
int ks_saved_run(int64_t *told, ks_index *x, const ks_saved_ways *ways, ks_error *e);

/* The same where g names a hub: of what its mirror here got. x is the mirror's own. */
int ks_keep_saved(const ks_globals *g, const ks_saved_ways *ways, ks_error *e);

#endif
