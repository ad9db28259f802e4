/* mapped_segments.h - the search copies that are mapped, and what of them a search may use. */
#ifndef KS_MAPPED_SEGMENTS_H
#define KS_MAPPED_SEGMENTS_H

#include "index/segment.h"

typedef struct {
    int64_t from, to; /* videos with from < finished <= to are read from SQLite */
} ks_gap;

struct ks_segments {
    ks_segment *at; /* usable ones, by generation */
    int n;
    ks_gap *gaps; /* [n + 1] at most; what no usable copy holds */
    int n_gaps;
    /* a hit was not in SQLite as the copy had it: SQLite answers alone from then on */
    int distrusted;
};

/* Inside a snapshot: map what the catalog vouches for now; mappings that are still good are
 * kept. */
int ks_segments_load(ks_index *x, const ks_library_row *library, const ks_space *space,
                     ks_error *e);
void ks_segments_close(ks_segments *mapped); /* NULL is fine */

/* Rows of a copy that a search looks at. */
typedef struct {
    const ks_segment *s;
    int64_t first, count;
} ks_span;
typedef struct {
    ks_span *at;
    int64_t n, room, rows; /* rows in all spans */
} ks_spans;
/* The live rows of all copies that the filter (NULL: all) lets through. Inside a snapshot. */
int ks_spans_make(ks_spans *out, ks_index *x, const ks_filter *f, ks_error *e);
int ks_spans_add(ks_spans *out, const ks_segment *s, int64_t first, int64_t count); /* KS_ENOMEM */

#endif
