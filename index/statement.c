/* statement.c - prepared statements, transactions and SQLite's errors as ours. */
#include "index/catalog.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ks_sql_disk_full(const ks_index *x)
{
    const int code = sqlite3_errcode(x->db) & 0xff, os = sqlite3_system_errno(x->db);

    return code == SQLITE_FULL || (code == SQLITE_IOERR && (os == ENOSPC || os == EDQUOT));
}

int ks_sql_error(ks_index *x, ks_error *e)
{
    int extended = sqlite3_extended_errcode(x->db);
    const char *text = sqlite3_errmsg(x->db);
    switch (extended & 0xff) {
    case SQLITE_NOMEM: return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ks_fail(e, KS_EBUSY, "%s: another process holds the catalog", x->dir);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    /* every statement is ours and fits the version: a column of the schema has lost its name */
    case SQLITE_ERROR:
        ks_note_rotten(x, 0, 0);
        return ks_fail(e, KS_EDAMAGED, "%s/catalog.db is damaged (%s): run kinoseek repair", x->dir,
                       text);
    case SQLITE_INTERRUPT: /* by spend() in connect.c alone */
        ks_note_rotten(x, 0, 0);
        return ks_fail(
            e, KS_EDAMAGED,
            "%s/catalog.db is damaged (a question to it does not end): run kinoseek repair",
            x->dir);
    case SQLITE_READONLY:
        return ks_fail(e, KS_EIO, "%s/catalog.db cannot be written (%s)", x->dir, text);
    case SQLITE_CANTOPEN:
        return ks_fail(e, KS_EIO, "%s/catalog.db cannot be opened (%s)", x->dir, text);
    default: break;
    }
    if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC) {
        /* After a failed fsync the kernel calls the pages clean: a retry would "succeed" without
         * data. */
        x->dead = 1;
        return ks_fail(e, KS_EIO,
                       "%s/catalog.db: the disk did not keep what was written (fsync failed)",
                       x->dir);
    }
    return ks_fail(e, KS_EIO, "%s/catalog.db: %s", x->dir,
                   ks_sql_disk_full(x) ? "the disk is full" : text);
}

static void forget_statement(ks_index *x, int at)
{
    sqlite3_finalize(x->cache[at].s);
    free(x->cache[at].sql);
    x->cache[at].s = NULL;
    x->cache[at].sql = NULL;
}

/* The cache is full: a place whose statement is not being stepped through. Each in its turn, so
 * that one which was just asked for stays. */
static int place_again(ks_index *x)
{
    for (int i = 0; i < KS_STATEMENTS; i++) {
        int at = x->next_place;
        x->next_place = (at + 1) % KS_STATEMENTS;
        if (sqlite3_stmt_busy(x->cache[at].s)) continue;
        forget_statement(x, at);
        return at;
    }
    return -1;
}

sqlite3_stmt *ks_statement(ks_index *x, const char *sql, ks_error *e)
{
    int at = 0;
    if (x->inside == 0) x->steps = 0;
    while (at < KS_STATEMENTS && x->cache[at].sql && strcmp(x->cache[at].sql, sql) != 0) at++;
    if (at == KS_STATEMENTS) at = place_again(x);
    assert(at >= 0); /* so many at once are a loop of ours */
    if (!x->cache[at].sql) {
        /* the writer makes such a table anew */
        if (x->mode == KS_READ && ks_words_stand_in(x, sql, e) < 0) return NULL;
        if (sqlite3_prepare_v3(x->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &x->cache[at].s, NULL) !=
            SQLITE_OK) {
            ks_sql_error(x, e);
            return NULL;
        }
        x->cache[at].sql = strdup(sql);
        if (!x->cache[at].sql) {
            forget_statement(x, at);
            ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
            return NULL;
        }
    }
    sqlite3_reset(x->cache[at].s);
    sqlite3_clear_bindings(x->cache[at].s);
    return x->cache[at].s;
}

void ks_forget_statements(ks_index *x)
{
    for (int i = 0; i < KS_STATEMENTS; i++) forget_statement(x, i);
    sqlite3_finalize(x->spare.s);
    free(x->spare.sql);
    x->spare.s = NULL;
    x->spare.sql = NULL;
}

static int bind_all(sqlite3_stmt *s, const char *letters, va_list args)
{
    int rc = SQLITE_OK;
    for (int i = 1; *letters && rc == SQLITE_OK; letters++, i++) {
        switch (*letters) {
        case 'i': rc = sqlite3_bind_int(s, i, va_arg(args, int)); break;
        case 'l': rc = sqlite3_bind_int64(s, i, va_arg(args, int64_t)); break;
        case 'd': rc = sqlite3_bind_double(s, i, va_arg(args, double)); break;
        case 't':
            rc = sqlite3_bind_text(s, i, va_arg(args, const char *), -1, SQLITE_STATIC);
            break;
        case 'b': {
            const void *bytes = va_arg(args, const void *);
            size_t n = va_arg(args, size_t);
            rc = sqlite3_bind_blob64(s, i, n ? bytes : "", n, SQLITE_STATIC);
            break;
        }
        default: assert(*letters == 'z'); rc = sqlite3_bind_null(s, i);
        }
    }
    return rc;
}

static sqlite3_stmt *bound(ks_index *x, ks_error *e, const char *sql, const char *letters,
                           va_list args)
{
    sqlite3_stmt *s = ks_statement(x, sql, e);
    if (!s) return NULL;
    if (bind_all(s, letters, args) != SQLITE_OK) {
        ks_sql_error(x, e);
        return NULL;
    }
    return s;
}

sqlite3_stmt *ks_bound(ks_index *x, ks_error *e, const char *sql, const char *letters, ...)
{
    va_list args;
    va_start(args, letters);
    sqlite3_stmt *s = bound(x, e, sql, letters, args);
    va_end(args);
    return s;
}

int ks_step(sqlite3_stmt *s, ks_index *x, ks_error *e)
{
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) return 1;
    int code = rc == SQLITE_DONE ? 0 : ks_sql_error(x, e);
    sqlite3_reset(s);
    return code;
}

int ks_run(ks_index *x, ks_error *e, const char *sql, const char *letters, ...)
{
    va_list args;
    va_start(args, letters);
    sqlite3_stmt *s = bound(x, e, sql, letters, args);
    va_end(args);
    if (!s) return e ? e->code : KS_EIO;
    if (x->dead) return ks_fail(e, KS_EIO, "%s: nothing is written after a failed fsync", x->dir);
    int code = ks_step(s, x, e);
    sqlite3_reset(s);
    return code > 0 ? 0 : code;
}

int ks_integer(int64_t *out, ks_index *x, ks_error *e, const char *sql, const char *letters, ...)
{
    va_list args;
    *out = 0;
    va_start(args, letters);
    sqlite3_stmt *s = bound(x, e, sql, letters, args);
    va_end(args);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code > 0) *out = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}

static int plain(ks_index *x, const char *sql, ks_error *e)
{
    return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ks_sql_error(x, e);
}

int ks_begin(ks_index *x, ks_error *e)
{
    assert(x->mode != KS_READ);
    if (x->dead) return ks_fail(e, KS_EIO, "%s: nothing is written after a failed fsync", x->dir);
    if (x->inside == 0) {
        int code = plain(x, "BEGIN IMMEDIATE", e);
        if (code < 0) return code;
    }
    x->inside++;
    return 0;
}

int ks_snapshot(ks_index *x, ks_error *e)
{
    if (x->inside == 0) {
        x->steps = 0;
        int code = plain(x, "BEGIN", e);
        if (code < 0) return code;
    }
    x->inside++;
    return 0;
}

int ks_end(ks_index *x, int code, ks_error *e)
{
    assert(x->inside > 0);
    x->inside--;
    if (x->inside > 0) return code;
    if (code >= 0) {
        int failed = ks_totals_keep(x, e);
        if (failed >= 0) failed = plain(x, "COMMIT", e);
        if (failed >= 0) return code;
        code = failed;
    }
    memset(&x->pending, 0, sizeof x->pending);
    sqlite3_exec(x->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

int ks_index_snapshot(ks_index *x, ks_error *e) { return ks_snapshot(x, e); }

void ks_index_release(ks_index *x) { ks_end(x, 0, NULL); }

int ks_index_begin(ks_index *x, ks_error *e) { return ks_begin(x, e); }

int ks_index_end(ks_index *x, int code, ks_error *e) { return ks_end(x, code, e); }
