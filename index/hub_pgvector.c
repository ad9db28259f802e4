/* hub_pgvector.c - a table for other people's SQL and for clients without a mirror: vectors as
 * pgvector's halfvec, worked out from the hub's own rows, which stay the truth. */
#include "index/hub_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 500 };

/* The extension's types lie where it was installed; that is looked through last. */
static int find_extension(ks_hub *h, ks_error *e)
{
    int code = ks_pq_ask(NULL, h->pq, e,
                         "SELECT set_config('search_path', 'pg_catalog, kinoseek, ' || "
                         "quote_ident(n.nspname) || ', pg_temp', false) FROM pg_extension x JOIN "
                         "pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector'",
                         "");
    if (code != 0) return code < 0 ? code : 0;
    return ks_fail(e, KS_EUSAGE,
                   "%s: the extension vector is not installed there: an administrator installs "
                   "pgvector on the server and says CREATE EXTENSION vector in this database",
                   ks_pq_name(h->pq));
}

/* Another model's vectors, perhaps of another length: away with them. */
static int drop_others(ks_hub *h, int dim, int64_t space, ks_error *e)
{
    int code = ks_pq_ask(NULL, h->pq, e,
                         "SELECT 1::int8 FROM pg_attribute WHERE attrelid = "
                         "to_regclass('kinoseek.pgvector') AND attname = 'v' AND atttypmod <> $1",
                         "l", (int64_t)dim);
    if (code != 0) return code < 0 ? code : ks_pq_script(h->pq, "DROP TABLE kinoseek.pgvector", e);
    code = ks_pq_ask(NULL, h->pq, e,
                     "SELECT 1::int8 FROM pg_class WHERE oid = "
                     "to_regclass('kinoseek.pgvector')",
                     "");
    if (code > 0)
        code = ks_pq_ask(
            NULL, h->pq, e,
            "DELETE FROM pgvector p USING clip c WHERE c.id = p.clip AND c.space <> $1", "l",
            space);
    return code < 0 ? code : 0;
}

static int make_table(ks_hub *h, int dim, ks_error *e)
{
    char sql[600];
    snprintf(
        sql, sizeof sql,
        "CREATE TABLE IF NOT EXISTS kinoseek.pgvector(clip bigint PRIMARY KEY REFERENCES "
        "kinoseek.clip ON DELETE CASCADE, v halfvec(%d) NOT NULL);"
        "ALTER TABLE kinoseek.pgvector ALTER v SET STORAGE PLAIN;"
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'kinoseek_reader') THEN "
        "GRANT SELECT ON kinoseek.pgvector TO kinoseek_reader; END IF; END $$",
        dim);
    return ks_pq_script(h->pq, sql, e);
}

/* "[0.5,-0.25, ...]": five digits name a half. 0, -1: no memory */
static int put_text(ks_pq_column *c, const unsigned char *half, int dim)
{
    size_t room = 16 * (size_t)dim + 4, n = 0;
    char *text = malloc(room);
    if (!text) return -1;
    for (int d = 0; d < dim; d++) {
        uint16_t u;
        memcpy(&u, half + 2 * d, sizeof u);
        n += (size_t)snprintf(text + n, room - n, "%c%.5g", d ? ',' : '[',
                              (double)ks_float_from_half(u));
    }
    n += (size_t)snprintf(text + n, room - n, "]");
    int bad = ks_pq_put_bytes(c, text, n);
    free(text);
    return bad;
}

/* Clips from *last on that the table lacks; how many, 0: none is left. */
static int fill(int64_t *last, ks_hub *h, int dim, int64_t space, ks_error *e)
{
    ks_pq_column id = {0}, text = {.wide = 1};
    ks_pq_rows r = {0};
    int code = ks_pq_ask(
            &r, h->pq, e,
            "SELECT c.id, x.half FROM clip c JOIN vector x ON x.clip = c.id JOIN video v ON "
            "v.id = c.video WHERE v.finished = 1 AND c.id <= v.top AND c.id > $1 AND c.space = $2 "
            "AND NOT EXISTS (SELECT 1 FROM pgvector p WHERE"
            " p.clip = c.id) ORDER BY c.id LIMIT $3",
            "lll", *last, space, (int64_t)BATCH),
        n = code;
    for (int i = 0; i < n && code >= 0; i++) {
        size_t bytes;
        const void *half = ks_pq_bytes(&bytes, &r, i, 1);
        *last = ks_pq_int(&r, i, 0);
        if (!half || bytes != 2 * (size_t)dim) continue; /* as a mirror leaves it out */
        if (ks_pq_put_int(&id, *last) | put_text(&text, half, dim))
            code = ks_fail(e, KS_ENOMEM, "no memory for vectors");
    }
    if (code >= 0 && n > 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "INSERT INTO pgvector SELECT u.i, convert_from(u.t, 'UTF8')::halfvec FROM "
                         "unnest($1, $2) AS u(i, t) ON CONFLICT DO NOTHING",
                         "aa", &id, &text);
    ks_pq_free(&r);
    ks_pq_column_free(&id);
    ks_pq_column_free(&text);
    return code < 0 ? code : n;
}

int ks_hub_pgvector(int64_t *clips, ks_hub *h, ks_error *e)
{
    assert(clips && h);
    ks_space space;
    int64_t id = 0, last = 0;
    int n = 1, code = find_extension(h, e);
    *clips = 0;
    if (code >= 0) code = ks_hub_space(&id, &space, h, e);
    if (code >= 0 && id == 0)
        code = ks_fail(e, KS_EUSAGE, "%s: nothing is in the hub yet", ks_pq_name(h->pq));
    if (code >= 0) code = drop_others(h, space.dim, id, e);
    if (code >= 0) code = make_table(h, space.dim, e);
    while (code >= 0 && n > 0) {
        code = n = fill(&last, h, space.dim, id, e);
        if (n > 0) *clips += n;
    }
    return code < 0 ? code : 0;
}
