/* filter.h - ks_filter as SQL, in this one place: a new field of it is one line in filter.c and
 * one in index.h.
 *
 * The text holds only what the filter asks for, so that the planner sees an equality where there
 * is one: what concerns one film reads that film's rows and no others. The film is `v`, a clip
 * `c`, a row of table path `p`. */
#ifndef KS_FILTER_H
#define KS_FILTER_H

#include "index/catalog.h"

typedef enum {
    KS_WHERE_FILM = 1,  /* its id and dates */
    KS_WHERE_PATHS = 2, /* some path of it matches the glob */
    KS_WHERE_PATH = 4,  /* this row of table path does */
    KS_WHERE_CLIP =
        8, /* the clip's length; half of it, or of a span, is labelled so; a line near it */
    KS_WHERE_SPAN = 16 /* the span `n` of table label_span is */
} ks_where;

enum { KS_FILTER_SQL = 6144 };
/* out[KS_FILTER_SQL] = before, "AND ..." for each thing asked (before ends in a WHERE clause),
 * after. ?1 .. ?6, ?20 and more, :label and :said are the filter's; a statement may use ?7 to
 * ?19. f may be NULL. */
void ks_filter_sql(char *out, const char *before, const ks_filter *f, int where, const char *after);
/* The cached statement of that text, bound. NULL: e says why. */
sqlite3_stmt *ks_filter_statement(ks_index *x, const char *before, const ks_filter *f, int where,
                                  const char *after, ks_error *e);
void ks_filter_bind(sqlite3_stmt *s, const ks_filter *f);

#endif
