/* hub.c - a hub: how it is opened, and what it says of itself. */
#include "index/hub_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int ks_hub_is(const char *where) { return ks_pq_is_server(where); }

int ks_hub_begin(ks_hub *h, ks_error *e) { return ks_pq_script(h->pq, "BEGIN", e); }

int ks_hub_end(ks_hub *h, int code, ks_error *e)
{
    ks_error ignored;
    if (code >= 0) {
        int done = ks_pq_script(h->pq, "COMMIT", e);
        return done < 0 ? done : code;
    }
    if (!ks_pq_dead(h->pq)) ks_pq_script(h->pq, "ROLLBACK", &ignored);
    return code;
}

int ks_hub_connect(ks_hub **out, const char *where, double patience, ks_error *e)
{
    ks_hub *h = calloc(1, sizeof *h);
    *out = NULL;
    if (h) h->where = strdup(where);
    int code = h && h->where ? ks_pq_open(&h->pq, where, patience, e)
                             : ks_fail(e, KS_ENOMEM, "no memory for a hub");
    if (code < 0) ks_hub_close(h);
    else *out = h;
    return code;
}

void ks_hub_close(ks_hub *h)
{
    if (!h) return;
    ks_pq_close(h->pq);
    free(h->where);
    free(h);
}

int ks_hub_version(int64_t *version, ks_hub *h, ks_error *e)
{
    ks_pq_rows r;
    *version = 0;
    int code = ks_pq_ask(&r, h->pq, e,
                         "SELECT 1::int8 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                         " ON n.oid = c.relnamespace WHERE n.nspname = 'kinoseek' AND c.relname ="
                         " 'library'",
                         "");
    ks_pq_free(&r);
    if (code <= 0) return code;
    code = ks_pq_ask(&r, h->pq, e, "SELECT schema FROM kinoseek.library", "");
    if (code > 0) *version = ks_pq_int(&r, 0, 0);
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

static int other_version(ks_hub *h, int64_t version, ks_error *e)
{
    return ks_fail(e, KS_EUSAGE,
                   version < KS_HUB_SCHEMA
                       ? "%s: the hub is of version %lld, this kinoseek wants %d: kinoseek store "
                         "migrate brings it there"
                       : "%s: the hub is of version %lld, this kinoseek knows %d: update kinoseek",
                   ks_pq_name(h->pq), (long long)version, KS_HUB_SCHEMA);
}

int ks_hub_open(ks_hub **out, const char *where, double patience, ks_error *e)
{
    assert(out && where);
    int64_t version = 0;
    int code = ks_hub_connect(out, where, patience, e);
    if (code < 0) return code;
    code = ks_hub_version(&version, *out, e);
    if (code >= 0 && version == 0)
        code = ks_fail(e, KS_ENOLIBRARY, "%s: no hub there (kinoseek store init makes one)",
                       ks_pq_name((*out)->pq));
    if (code >= 0 && version != KS_HUB_SCHEMA) code = other_version(*out, version, e);
    if (code < 0) {
        ks_hub_close(*out);
        *out = NULL;
    }
    return code;
}

int ks_hub_next_revision(int64_t *revision, ks_hub *h, ks_error *e)
{
    ks_pq_rows r;
    int code = ks_pq_ask(&r, h->pq, e, "SELECT next_revision($1)", "l", (int64_t)KS_HUB_SCHEMA);
    if (code > 0) *revision = ks_pq_int(&r, 0, 0);
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

static void copy(char *to, size_t room, const ks_pq_rows *r, int row, int column)
{
    size_t n;
    const char *text = ks_pq_bytes(&n, r, row, column);
    snprintf(to, room, "%s", text ? text : "");
}

static int space_of(int64_t *id, ks_space *space, ks_hub *h, int writing, ks_error *e)
{
    ks_pq_rows r;
    memset(space, 0, sizeof *space);
    *id = 0;
    int code = ks_pq_ask(&r, h->pq, e,
                         "SELECT s.id, s.model, s.dim, s.frames, s.sampler, s.resize, s.precision"
                         " FROM library l JOIN space s ON s.id = CASE $1 WHEN 1 THEN l.writing ELSE"
                         " l.space END",
                         "l", (int64_t)writing);
    if (code > 0) {
        *id = ks_pq_int(&r, 0, 0);
        copy(space->model, sizeof space->model, &r, 0, 1);
        space->dim = (int)ks_pq_int(&r, 0, 2);
        space->frames = (int)ks_pq_int(&r, 0, 3);
        space->sampler = (int)ks_pq_int(&r, 0, 4);
        space->resize = (int)ks_pq_int(&r, 0, 5);
        space->precision = (int)ks_pq_int(&r, 0, 6);
    }
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

int ks_hub_space(int64_t *id, ks_space *space, ks_hub *h, ks_error *e)
{
    return space_of(id, space, h, 0, e);
}

int ks_hub_writing(int64_t *id, ks_space *space, ks_hub *h, ks_error *e)
{
    return space_of(id, space, h, 1, e);
}
