/* rotten.c - rows that are not what they were written as: left out, and counted by the handle
 * that met them.
 *
 * A row may be met by every query of a command and several times by each; it is one row all the
 * same. So the handle remembers which: sorted, and no more of them than a person wants to hear
 * of. */
#include "index/catalog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static int by_row(const void *a, const void *b)
{
    const ks_rotten_row *p = a, *q = b;
    if (p->table != q->table) return p->table < q->table ? -1 : 1;
    return (p->id > q->id) - (p->id < q->id);
}

static int is_noted(const ks_index *x, ks_rotten_row row)
{
    return x->n_rotten && bsearch(&row, x->rotten, (size_t)x->n_rotten, sizeof row, by_row);
}

/* Without memory it goes uncounted; what is wrong is an error's or an answer's business all the
 * same. */
void ks_note_rotten(ks_index *x, int table, int64_t id)
{
    ks_rotten_row row = {table, id};
    if (x->n_rotten == MOST || is_noted(x, row)) return;
    if ((x->n_rotten & (x->n_rotten - 1)) == 0) { /* room for the next power of two */
        ks_rotten_row *more = realloc(x->rotten,
                                      (size_t)(x->n_rotten ? 2 * x->n_rotten : 1) * sizeof *more);
        if (!more) return;
        x->rotten = more;
    }
    int at = x->n_rotten++;
    for (; at > 0 && by_row(&x->rotten[at - 1], &row) > 0; at--) x->rotten[at] = x->rotten[at - 1];
    x->rotten[at] = row;
}

int ks_rotten(ks_index *x, ks_error *e, ks_table_tag table, int64_t id)
{
    static const char *const what[] = {
        [KS_T_LIBRARY] = "library row",
        [KS_T_SPACE] = "the row of space",
        [KS_T_VIDEO] = "the row of video",
        [KS_T_PATH] = "a path of video",
        [KS_T_CLIP] = "clip",
        [KS_T_VECTOR] = "the vector of clip",
        [KS_T_FRAMES] = "the frame vectors of clip",
        [KS_T_THUMBNAIL] = "the thumbnail of clip",
    };
    assert((size_t)table < sizeof what / sizeof *what && what[table]);
    ks_note_rotten(x, (int)table, id);
    return ks_fail(e, KS_EDAMAGED,
                   "%s/catalog.db: %s %lld does not match its checksum: run kinoseek repair",
                   x->dir, what[table], (long long)id);
}

void ks_index_nameless(ks_index *x, int64_t video)
{
    assert(x);
    if (!is_noted(x, (ks_rotten_row){KS_T_VIDEO, video})) ks_note_rotten(x, KS_T_PATH, video);
}

int64_t ks_index_damaged(const ks_index *x)
{
    assert(x);
    return x->n_rotten > x->missing ? x->n_rotten : x->missing;
}
