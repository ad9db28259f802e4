/* blob_cache.c - see blob_cache.h. An SQLite file without durability: sums say what is good. */
#include "index/blob_cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { USED_EVERY = 60 }; /* seconds: how exactly it is known when something was used */

struct ks_blobs {
    sqlite3 *db;
    int64_t most;
};

static const char schema[] =
    "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;"
    "CREATE TABLE IF NOT EXISTS blob(tag INTEGER NOT NULL, clip INTEGER NOT NULL, frames INTEGER "
    "NOT NULL, sum INTEGER NOT NULL, used INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(tag, clip));"
    "CREATE INDEX IF NOT EXISTS blob_used ON blob(used);"
    "CREATE TABLE IF NOT EXISTS want(tag INTEGER NOT NULL, clip INTEGER NOT NULL, PRIMARY KEY(tag, "
    "clip)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS size(one INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);"
    "INSERT OR IGNORE INTO size VALUES(1, 0);";

static sqlite3 *open_file(const char *path)
{
    sqlite3 *db = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); /* nobody else's */
    if (fd < 0) return NULL;
    close(fd);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(db, 1000);
        if (sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK) return db;
    }
    int code = sqlite3_errcode(db) & 0xff;
    sqlite3_close(db);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) unlink(path);
    return NULL;
}

ks_blobs *ks_blobs_open(const char *dir, int64_t most)
{
    char path[KS_MAX_PATH + 16];
    ks_blobs *b = calloc(1, sizeof *b);
    snprintf(path, sizeof path, "%.*s/blobs.db", KS_MAX_PATH, dir);
    if (b && !(b->db = open_file(path))) b->db = open_file(path); /* what was none is away */
    if (b && b->db) {
        b->most = most;
        return b;
    }
    free(b);
    return NULL;
}

void ks_blobs_close(ks_blobs *b)
{
    if (!b) return;
    sqlite3_close(b->db);
    free(b);
}

/* NULL: it is not to be had */
static sqlite3_stmt *ask(ks_blobs *b, const char *sql, int64_t one, int64_t two)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(b->db, sql, -1, &s, NULL) != SQLITE_OK) return NULL;
    sqlite3_bind_int64(s, 1, one);
    if (sqlite3_bind_parameter_count(s) > 1) sqlite3_bind_int64(s, 2, two);
    return s;
}

static void run(ks_blobs *b, const char *sql, int64_t one, int64_t two)
{
    sqlite3_stmt *s = ask(b, sql, one, two);
    if (s) sqlite3_step(s);
    sqlite3_finalize(s);
}

static int64_t number(ks_blobs *b, const char *sql, int64_t one, int64_t two)
{
    sqlite3_stmt *s = ask(b, sql, one, two);
    int64_t n = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return n;
}

int ks_blobs_get(ks_blob *out, ks_blobs *b)
{
    int64_t now = (int64_t)time(NULL), row = 0, used = 0;
    sqlite3_stmt *s = ask(b,
                          "SELECT rowid, used, frames, sum, data FROM blob WHERE tag = ?1 AND "
                          "clip = ?2",
                          out->tag, out->clip);
    int there = s && sqlite3_step(s) == SQLITE_ROW;
    out->data = NULL;
    if (there) {
        row = sqlite3_column_int64(s, 0);
        used = sqlite3_column_int64(s, 1);
        out->frames = sqlite3_column_int64(s, 2);
        out->sum = sqlite3_column_int64(s, 3);
        out->bytes = (size_t)sqlite3_column_bytes(s, 4);
        out->data = malloc(out->bytes + 1);
        if (out->data && out->bytes) memcpy(out->data, sqlite3_column_blob(s, 4), out->bytes);
    }
    sqlite3_finalize(s);
    if (there && (now - used >= USED_EVERY || now < used))
        run(b, "UPDATE blob SET used = ?2 WHERE rowid = ?1", row, now);
    return out->data != NULL;
}

int64_t ks_blobs_bytes(ks_blobs *b)
{
    return number(b, "SELECT bytes FROM size WHERE one = ?1", 1, 0);
}

/* An eighth more than has to: the next ones find room. */
static void make_room(ks_blobs *b)
{
    int64_t bytes = ks_blobs_bytes(b);
    if (bytes <= b->most) return;
    sqlite3_stmt *s = ask(b, "SELECT rowid, length(data) FROM blob ORDER BY used, rowid", 0, 0);
    int64_t last = -1;
    while (s && bytes > b->most - b->most / 8 && sqlite3_step(s) == SQLITE_ROW) {
        last = sqlite3_column_int64(s, 0);
        bytes -= sqlite3_column_int64(s, 1);
        run(b, "DELETE FROM blob WHERE rowid = ?1", last, 0);
    }
    sqlite3_finalize(s);
    run(b, "UPDATE size SET bytes = ?1", last < 0 ? 0 : bytes, 0);
}

void ks_blobs_put(ks_blobs *b, const ks_blob *blob)
{
    if (sqlite3_exec(b->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) return;
    sqlite3_stmt *s = ask(b, "INSERT OR IGNORE INTO blob VALUES(?1, ?2, ?3, ?4, ?5, ?6)", blob->tag,
                          blob->clip);
    if (s) {
        sqlite3_bind_int64(s, 3, blob->frames);
        sqlite3_bind_int64(s, 4, blob->sum);
        sqlite3_bind_int64(s, 5, (int64_t)time(NULL));
        sqlite3_bind_blob64(s, 6, blob->data, blob->bytes, SQLITE_STATIC);
        sqlite3_step(s);
    }
    sqlite3_finalize(s);
    if (sqlite3_changes(b->db) > 0) {
        run(b, "UPDATE size SET bytes = bytes + ?1", (int64_t)blob->bytes, 0);
        make_room(b);
    }
    if (sqlite3_exec(b->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        sqlite3_exec(b->db, "ROLLBACK", NULL, NULL, NULL);
}

void ks_blobs_drop(ks_blobs *b, int64_t tag, int64_t clip)
{
    if (sqlite3_exec(b->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) return;
    run(b,
        "UPDATE size SET bytes = bytes - coalesce((SELECT length(data) FROM blob WHERE tag = ?1 "
        "AND clip = ?2), 0)",
        tag, clip);
    run(b, "DELETE FROM blob WHERE tag = ?1 AND clip = ?2", tag, clip);
    if (sqlite3_exec(b->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        sqlite3_exec(b->db, "ROLLBACK", NULL, NULL, NULL);
}

/* --- wants --- */
int ks_blobs_is_wanted(ks_blobs *b, int64_t tag, int64_t clip)
{
    return number(b, "SELECT count(*) FROM want WHERE tag = ?1 AND clip = ?2", tag, clip) > 0;
}

void ks_blobs_want(ks_blobs *b, int64_t tag, int64_t clip)
{
    run(b, "INSERT OR IGNORE INTO want VALUES(?1, ?2)", tag, clip);
}

int ks_blobs_wanted(int64_t *clip, int most, ks_blobs *b, int64_t tag)
{
    sqlite3_stmt *s = ask(b, "SELECT clip FROM want WHERE tag = ?1 LIMIT ?2", tag, most);
    int n = 0;
    while (s && n < most && sqlite3_step(s) == SQLITE_ROW) clip[n++] = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

void ks_blobs_done(ks_blobs *b, int64_t tag, const int64_t *clip, int n)
{
    for (int i = 0; i < n; i++)
        run(b, "DELETE FROM want WHERE tag = ?1 AND clip = ?2", tag, clip[i]);
}
