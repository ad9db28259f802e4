/* hub_blob.c - what a mirror does not keep: frame vectors and thumbnails, nine tenths of a clip's
 * bytes, are asked of the hub when somebody wants one. */
#include "index/hub_rows.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 3 };

/* 1: x is a mirror and its hub answers. One that did not answer is not asked again. */
static int reach(ks_index *x)
{
    void *where = NULL;
    size_t bytes = 0;
    ks_error ignored;
    if (x->hub) return !ks_pq_dead(x->hub->pq);
    if (x->hub_asked) return 0;
    x->hub_asked = 1;
    if (ks_index_get(&where, &bytes, x, KS_HUB_WHERE_KEY, &ignored) == 0 && where)
        ks_hub_open(&x->hub, where, PATIENCE, &ignored);
    free(where);
    return x->hub != NULL;
}

int ks_hub_blob(void **data, size_t *bytes, int64_t *frames, ks_index *x, ks_table_tag table,
                int64_t clip, ks_error *e)
{
    ks_pq_rows r;
    ks_error ignored;
    int64_t sum = 0;
    *data = NULL;
    *bytes = 0;
    *frames = 0;
    if (!reach(x)) return 0;
    int thumbnail = table == KS_T_THUMBNAIL;
    int code = ks_pq_ask(&r, x->hub->pq, &ignored,
                         thumbnail ? "SELECT jpeg, sum, 0::int8 FROM thumbnail WHERE clip = $1"
                                   : "SELECT data, sum, frames FROM frame_vectors WHERE clip = $1",
                         "l", clip);
    if (code <= 0) {
        ks_pq_free(&r);
        return 0;
    }
    const void *at = ks_pq_bytes(bytes, &r, 0, 0);
    *frames = ks_pq_int(&r, 0, 2);
    code = thumbnail ? ks_integer(&sum, x, e, "SELECT ks_sum(8, ?1, ?2)", "lb", clip, at, *bytes)
                     : ks_integer(&sum, x, e, "SELECT ks_sum(7, ?1, ?2, ?3)", "llb", clip, *frames,
                                  at, *bytes);
    if (code >= 0 && sum != ks_pq_int(&r, 0, 1)) code = ks_rotten(x, e, table, clip);
    if (code >= 0 && *bytes > 0 && !(*data = malloc(*bytes)))
        code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (code >= 0 && *data) memcpy(*data, at, *bytes);
    ks_pq_free(&r);
    return code < 0 ? code : *data != NULL;
}
