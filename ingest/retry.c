/* retry.c - films that failed get their attempts back. */
#include "ingest/ingest.h"

#include <assert.h>
#include <stdlib.h>

typedef struct {
    int64_t *at;
    int n, room;
} ids;

static int add(ids *list, int64_t id)
{
    for (int i = 0; i < list->n; i++)
        if (list->at[i] == id) return 0; /* another path of it */
    if (list->n == list->room) {
        int room = list->room * 2 + 64;
        int64_t *more = realloc(list->at, (size_t)room * sizeof *more);
        if (!more) return KS_ENOMEM;
        list->at = more;
        list->room = room;
    }
    list->at[list->n++] = id;
    return 0;
}

/* Read first: rows are not changed under a cursor. */
static int find_failed(ids *list, ks_index *x, ks_error *e)
{
    ks_filter f = {.bad_only = 1};
    ks_cursor *c = NULL;
    ks_video v;
    int err = ks_index_files(&c, x, &f, e);

    if (err < 0) return err;
    while ((err = ks_files_next(&v, c, e)) > 0)
        if (v.verdict == KS_VERDICT_FAILED && add(list, v.id) < 0) {
            err = ks_fail(e, KS_ENOMEM, "no memory for a list of films");
            break;
        }
    ks_cursor_close(c);
    return err;
}

int ks_ingest_retry(int64_t *films, ks_index *x, ks_error *e)
{
    assert(films && x);
    ids list = {0};
    ks_video v;
    char reason[256];
    int err;

    *films = 0;
    if ((err = ks_index_begin(x, e)) < 0) return err;
    err = find_failed(&list, x, e);
    for (int i = 0; i < list.n && err == 0; i++) {
        if ((err = ks_index_video(&v, x, list.at[i], e)) < 0) break;
        snprintf(reason, sizeof reason, "%s", v.reason); /* what is read next takes its place */
        v.reason = reason;
        v.path = NULL;
        v.attempts = 0;
        if ((err = ks_index_end_video(x, &v, e)) == 0) ++*films;
    }
    free(list.at);
    return ks_index_end(x, err, e);
}
