/* hub_moves.c - paths of films that are others now, or none: what a walk found, what a person
 * forgets, what was moved elsewhere. A film without paths goes, and leaves a tombstone. */
#include "index/hub_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* 1: the hub has it so */
static int stands(ks_hub *h, const ks_hub_move *m, ks_error *e)
{
    ks_pq_rows r;
    int code = ks_pq_ask(&r, h->pq, e,
                         "SELECT video, size, mtime_ns FROM path WHERE root = $1 AND rel = $2",
                         "tb", m->root, m->rel, strlen(m->rel));
    int same = code > 0 ? ks_pq_int(&r, 0, 0) == m->video && ks_pq_int(&r, 0, 1) == m->stat.size &&
                              ks_pq_int(&r, 0, 2) == m->stat.mtime_ns
                        : m->video == 0;
    ks_pq_free(&r);
    return code < 0 ? code : same;
}

/* Whoever gives or takes the path is marked with the revision. */
static int move_one(ks_hub *h, const ks_hub_move *m, int64_t revision, ks_error *e)
{
    size_t n = strlen(m->rel);
    int code = ks_pq_ask(NULL, h->pq, e,
                         "UPDATE video SET revision = $3 WHERE id = $4 OR id = (SELECT video FROM "
                         "path WHERE root = $1 AND rel = $2)",
                         "tbll", m->root, m->rel, n, revision, m->video);
    if (code >= 0 && m->video == 0)
        code = ks_pq_ask(NULL, h->pq, e, "DELETE FROM path WHERE root = $1 AND rel = $2", "tb",
                         m->root, m->rel, n);
    else if (code >= 0) /* of a film that somebody dropped meanwhile there is no path */
        code = ks_pq_ask(NULL, h->pq, e,
                         "INSERT INTO path SELECT $1, $2, v.id, $4, $5 FROM video v WHERE v.id = $3"
                         " ON CONFLICT (root, rel) DO UPDATE SET video = $3, size = $4, mtime_ns = "
                         "$5",
                         "tblll", m->root, m->rel, n, m->video, m->stat.size, m->stat.mtime_ns);
    return code;
}

/* *revision 0: none was taken yet */
static int move_all(int64_t *revision, ks_hub *h, const ks_hub_move *move, int n, ks_error *e)
{
    int code = 0, other = 0;
    for (int i = 0; i < n && code >= 0; i++) {
        code = stands(h, &move[i], e);
        if (code > 0) continue;
        if (code == 0 && !other++ && !*revision) code = ks_hub_next_revision(revision, h, e);
        if (code >= 0) code = move_one(h, &move[i], *revision, e);
    }
    if (code < 0 || !other) return code < 0 ? code : 0;
    code = ks_pq_ask(NULL, h->pq, e,
                     "WITH d AS (DELETE FROM video v WHERE v.revision = $1 AND NOT EXISTS (SELECT 1"
                     " FROM path p WHERE p.video = v.id) RETURNING v.id) INSERT INTO gone SELECT "
                     "d.id, $1 FROM d",
                     "l", *revision);
    return code < 0 ? code : 0;
}

int ks_hub_move_paths(ks_hub *h, const ks_hub_move *move, int n, ks_error *e)
{
    assert(h && (move || n == 0));
    int64_t revision = 0;
    if (n == 0) return 0;
    int code = ks_hub_begin(h, e);
    return code < 0 ? code : ks_hub_end(h, move_all(&revision, h, move, n, e), e);
}

/* --- a file, or all below a folder --- */
#define BELOW                                                                                      \
    "root = $1 AND ($2 = '' OR rel = $2 OR substring(rel FROM 1 FOR octet_length($2) + 1) = $2 "   \
    "|| "                                                                                          \
    "'/'::bytea)"

/* The rest of a path below `from`, put below `to`; malloc'ed. */
static char *below(const ks_hub_spot *to, const char *rest)
{
    char *rel = NULL;
    while (*rest == '/') rest++;
    int n = !*rest        ? asprintf(&rel, "%s", to->rel)
            : !to->rel[0] ? asprintf(&rel, "%s", rest)
                          : asprintf(&rel, "%s/%s", to->rel, rest);
    return n < 0 ? NULL : rel;
}

/* What stands at `rows` goes (to NULL), or is to be found below `to`. move[2 n]; rel[n] is owned */
static int list_moves(ks_hub_move *move, char **rel, const ks_pq_rows *rows,
                      const ks_hub_spot *from, const ks_hub_spot *to, ks_error *e)
{
    int n = 0;
    for (int i = 0; i < rows->n; i++) {
        size_t bytes;
        const char *old = ks_pq_bytes(&bytes, rows, i, 1);
        move[n++] = (ks_hub_move){.root = from->root, .rel = old};
        if (!to) continue;
        rel[i] = below(to, old + strlen(from->rel));
        if (!rel[i]) return ks_fail(e, KS_ENOMEM, "no memory for a path");
        if (!ks_hub_is_rel(rel[i], strlen(rel[i])))
            return ks_fail(e, KS_EUSAGE, "%s: no file can have that path in a root", rel[i]);
        move[n++] = (ks_hub_move){ks_pq_int(rows, i, 0), to->root, rel[i], ks_hub_stat(rows, i, 2)};
    }
    return n;
}

/* Films still to be done: at another of their paths, or not at all. */
static int move_jobs(ks_hub *h, const ks_hub_spot *from, ks_error *e)
{
    size_t n = strlen(from->rel);
    int code = ks_pq_ask(NULL, h->pq, e,
                         "UPDATE job j SET root = p.root, rel = p.rel, size = p.size, mtime_ns = "
                         "p.mtime_ns FROM video v JOIN path p ON p.video = v.id WHERE v.content = "
                         "j.content AND j.content IN (SELECT content FROM job WHERE " BELOW
                         ") AND NOT EXISTS (SELECT 1 FROM path q WHERE q.root = j.root AND q.rel ="
                         " j.rel)",
                         "tb", from->root, from->rel, n);
    if (code >= 0)
        code = ks_pq_ask(
            NULL, h->pq, e,
            "DELETE FROM job j WHERE j.content IN (SELECT content FROM job WHERE " BELOW
            ") AND NOT EXISTS (SELECT 1 FROM path q WHERE q.root = j.root AND q.rel ="
            " j.rel)",
            "tb", from->root, from->rel, n);
    return code < 0 ? code : 0;
}

static int place_anew(int64_t *files, ks_hub *h, const ks_hub_spot *from, const ks_hub_spot *to,
                      ks_error *e)
{
    ks_pq_rows r = {0};
    int64_t revision = 0;
    /* nobody else moves anything meanwhile */
    int code = ks_hub_next_revision(&revision, h, e);
    if (code >= 0)
        code = ks_pq_ask(&r, h->pq, e, "SELECT video, rel, size, mtime_ns FROM path WHERE " BELOW,
                         "tb", from->root, from->rel, strlen(from->rel));
    if (code < 0) return code;
    size_t n = (size_t)code;
    ks_hub_move *move = calloc(2 * n + 1, sizeof *move);
    char **rel = calloc(n + 1, sizeof *rel);
    *files = code;
    code = move && rel ? list_moves(move, rel, &r, from, to, e)
                       : ks_fail(e, KS_ENOMEM, "no memory for the list of files");
    if (code >= 0) code = move_all(&revision, h, move, code, e);
    if (code >= 0) code = move_jobs(h, from, e);
    for (size_t i = 0; rel && i < n; i++) free(rel[i]);
    free(rel);
    free(move);
    ks_pq_free(&r);
    return code;
}

int ks_hub_place_anew(int64_t *files, ks_hub *h, const ks_hub_spot *from, const ks_hub_spot *to,
                      ks_error *e)
{
    assert(files && h && from);
    *files = 0;
    int code = ks_hub_begin(h, e);
    return code < 0 ? code : ks_hub_end(h, place_anew(files, h, from, to, e), e);
}
