/* mapped_segments.c - which search copies this handle uses. One that is missing, foreign, older or
 * damaged is simply not among them: its generations become a gap, and gaps are read from SQLite. */
#include "index/mapped_segments.h"

#include <stdlib.h>
#include <string.h>

static void release(ks_segments *c)
{
    for (int i = 0; i < c->n; i++) ks_segment_close(&c->at[i]);
    free(c->at);
    free(c->gaps);
    c->at = NULL;
    c->gaps = NULL;
    c->n = c->n_gaps = 0;
}

void ks_segments_close(ks_segments *mapped)
{
    if (!mapped) return;
    release(mapped);
    free(mapped);
}

/* The mapping of `row` from the old set, if it is the same file still. */
static int keep(ks_segment *out, ks_segments *old, const ks_segment_row *row)
{
    for (int i = 0; i < old->n; i++) {
        ks_segment *s = &old->at[i];
        if (!s->map || s->row.header != row->header || strcmp(s->row.file, row->file) != 0)
            continue;
        *out = *s;
        out->row = *row;
        s->map = NULL; /* moved */
        return 1;
    }
    return 0;
}

static void find_gaps(ks_segments *c)
{
    int64_t reached = 0;
    c->n_gaps = 0;
    for (int i = 0; i < c->n; i++) {
        if (c->at[i].row.from > reached)
            c->gaps[c->n_gaps++] = (ks_gap){reached, c->at[i].row.from};
        reached = c->at[i].row.to;
    }
    c->gaps[c->n_gaps++] = (ks_gap){reached, INT64_MAX};
}

int ks_segments_load(ks_index *x, const ks_library_row *library, const ks_space *space, ks_error *e)
{
    ks_segment_row *rows = NULL;
    int n = 0;
    if (!x->segments) x->segments = calloc(1, sizeof *x->segments);
    if (!x->segments) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    int code = x->segments->distrusted ? 0 : x->store->segments(&rows, &n, x, library->space, e);
    if (code < 0) return code;
    ks_segments fresh = {.distrusted = x->segments->distrusted};
    fresh.at = calloc((size_t)n + 1, sizeof *fresh.at);
    fresh.gaps = calloc((size_t)n + 1, sizeof *fresh.gaps);
    if (!fresh.at || !fresh.gaps) code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    for (int i = 0; i < n && code >= 0; i++) {
        const char *why;
        /* from a future that this catalog never had */
        if (rows[i].to > library->generation) continue;
        if (keep(&fresh.at[fresh.n], x->segments, &rows[i])) code = 1;
        else
            code = ks_segment_open(&fresh.at[fresh.n], &why, x->dir, &rows[i], library->id, space,
                                   0, e);
        if (code > 0) fresh.n++;
    }
    free(rows);
    release(x->segments);
    *x->segments = fresh;
    if (code >= 0) find_gaps(x->segments);
    return code < 0 ? code : 0;
}
