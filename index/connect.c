/* connect.c - SQLite on catalog.db: its settings, and how a reader gets there who may not write
 * the folder.
 *
 * A library may come from somebody else: SQLite is told to trust nothing of it (no triggers, no
 * functions of ours in its schema, no row much longer than the file), and a question ends when
 * it has taken more steps than the file can be worth. */
#include "index/catalog.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

int ks_set(ks_index *x, const char *sql, ks_error *e)
{
    return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ks_sql_error(x, e);
}

/* --- a budget of steps --- */
enum { STEPS = 100000 };

static int spend(void *arg)
{
    ks_index *x = arg;
    x->steps += STEPS;
    return x->steps > x->most_steps;
}

/* A row takes 20 bytes and more; the dearest reader (check: some twenty walks) takes 20 steps a
 * byte. Pages that form a circle, or a view that never ends, take any number. */
static void bound(ks_index *x, int64_t bytes)
{
    int64_t length = bytes < 4 << 20 ? 4 << 20 : bytes > 64 << 20 ? 64 << 20 : bytes;
    x->most_steps = 30000000 + 64 * bytes;
    sqlite3_progress_handler(x->db, STEPS, spend, x);
    sqlite3_limit(x->db, SQLITE_LIMIT_LENGTH, (int)length);
    sqlite3_limit(x->db, SQLITE_LIMIT_SQL_LENGTH, 32768);
    sqlite3_limit(x->db, SQLITE_LIMIT_COLUMN, 64);
    sqlite3_limit(x->db, SQLITE_LIMIT_ATTACHED, 0);
}

int ks_configure(ks_index *x, int64_t bytes, ks_error *e)
{
    int on = 0;
    sqlite3_extended_result_codes(x->db, 1);
    sqlite3_db_config(x->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on);
    sqlite3_db_config(x->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &on);
    sqlite3_db_config(x->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &on);
    sqlite3_busy_timeout(x->db, 10000);
    if (x->mode == KS_READ) bound(x, bytes);
    if (ks_row_sum_register(x->db) != SQLITE_OK) return ks_sql_error(x, e);
    int code = ks_set(
        x,
        "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; "
        "PRAGMA cache_size = -16384; PRAGMA foreign_keys = ON",
        e);
    if (code < 0) return code;
    if (x->mode == KS_READ) {
        /* SQLite before 3.51.3 can corrupt a catalog when two connections checkpoint: only the
         * writer does. */
        sqlite3_db_config(x->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &on);
        return ks_set(x, "PRAGMA wal_autocheckpoint = 0; PRAGMA query_only = ON", e);
    }
    return ks_set(
        x, "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA wal_autocheckpoint = 1000", e);
}

static int open_path(ks_index *x, const char *path, int immutable, ks_error *e)
{
    char uri[3 * PATH_MAX + 64], *p = uri + 5;
    static const char hex[] = "0123456789ABCDEF";
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                (x->mode == KS_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    memcpy(uri, "file:", 5);
    /* any byte but a few is escaped: a path is bytes, a URI is not */
    for (const char *c = path; *c; c++) {
        if (strchr("/.-_", *c) || (*c >= '0' && *c <= '9') ||
            ((*c | 32) >= 'a' && (*c | 32) <= 'z'))
            *p++ = *c;
        else {
            *p++ = '%';
            *p++ = hex[(unsigned char)*c >> 4];
            *p++ = hex[(unsigned char)*c & 15];
        }
    }
    *p = 0;
    if (immutable) memcpy(p, "?immutable=1", 13);
    if (sqlite3_open_v2(uri, &x->db, flags, NULL) == SQLITE_OK) return 0;
    if (!x->db) return ks_fail(e, KS_ENOMEM, "%s: out of memory", path);
    return ks_sql_error(x, e);
}

/* --- a reader who may not write the folder ---
 * SQLite needs the log's index beside the catalog; where it is there, it is read like anybody's.
 * Where it is not, nobody writes now, but somebody may at any moment, and could not see that we
 * read ("immutable" reads what is half written). So a copy is read, taken between two writes:
 * the log alone grows with a commit, the catalog changes in a checkpoint. */
typedef struct {
    char catalog[PATH_MAX], log[PATH_MAX + 8], index[PATH_MAX + 8]; /* of the library */
    char folder[PATH_MAX], copy[PATH_MAX + 16], copy_log[PATH_MAX + 24], copy_index[PATH_MAX + 24];
} foreign;

static int copy_file(const char *to, const char *from, ks_error *e)
{
    enum { BLOCK = 1 << 20 };
    char *block = malloc(BLOCK);
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK),
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int code = block ? 0 : ks_fail(e, KS_ENOMEM, "%s: out of memory", from);
    ssize_t n = 0;
    if (code >= 0 && in < 0) code = ks_fail(e, KS_EIO, "%s: %s", from, strerror(errno));
    if (code >= 0 && out < 0) code = ks_fail(e, KS_EIO, "%s: %s", to, strerror(errno));
    while (code >= 0 && (n = read(in, block, BLOCK)) > 0)
        if (write(out, block, (size_t)n) != n)
            code = ks_fail(e, KS_EIO, "%s: no room to read a library that cannot be written", to);
    if (code >= 0 && n < 0) code = ks_fail(e, KS_EIO, "%s: %s", from, strerror(errno));
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    free(block);
    return code;
}

static int64_t nanoseconds(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

/* 1: as it was at `before`, and no write may hide behind the file system's coarse clock. */
static int at_rest(const struct stat *before, const char *path)
{
    struct stat st;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return stat(path, &st) == 0 && st.st_ino == before->st_ino &&
           ks_stat_untouched(ks_stat_of(&st), ks_stat_of(before)) &&
           nanoseconds(st.st_ctim) == nanoseconds(before->st_ctim) &&
           (nanoseconds(st.st_mtim) > nanoseconds(now) ||
            nanoseconds(now) - nanoseconds(st.st_mtim) > 100000000);
}

static ks_stat look_at(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? ks_stat_of(&st) : (ks_stat){0};
}

int ks_index_outdated(const ks_index *x)
{
    static const char *const names[] = {"catalog.db", "catalog.db-wal"};
    char path[PATH_MAX];
    int outdated = 0;

    for (int i = 0; x->is_copy && i < 2; i++) {
        snprintf(path, sizeof path, "%.4000s/%s", x->dir, names[i]);
        const ks_stat now = look_at(path), was = x->copied[i];
        if (now.size == 0 && was.size == 0) continue; /* a log of nothing comes and goes */
        outdated |= !ks_stat_untouched(now, was) || now.inode != was.inode;
    }
    return outdated;
}

/* 1 = taken, 0 = somebody wrote meanwhile. */
static int take_copy(ks_index *x, const foreign *f, ks_error *e)
{
    struct stat st, log;
    sqlite3 *db = NULL;
    x->is_copy = 1;
    /* before it is copied: what changes meanwhile is seen at the next look */
    x->copied[0] = look_at(f->catalog);
    x->copied[1] = look_at(f->log);
    if (stat(f->catalog, &st) != 0)
        return ks_fail(e, KS_EIO, "%s: %s", f->catalog, strerror(errno));
    if (!at_rest(&st, f->catalog)) return 0;
    int has_log = stat(f->log, &log) == 0 && log.st_size > 0;
    int code = copy_file(f->copy, f->catalog, e);
    if (code >= 0 && has_log) code = copy_file(f->copy_log, f->log, e);
    if (code < 0 || !at_rest(&st, f->catalog)) return code;
    if (!has_log) return 1;
    int bad = sqlite3_open_v2(f->copy, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
                  SQLITE_OK ||
              sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) != SQLITE_OK;
    sqlite3_close(db);
    return bad ? ks_fail(e, KS_EDAMAGED, "%s is damaged: run kinoseek repair", f->catalog) : 1;
}

static void wait_a_little(void) { nanosleep(&(struct timespec){0, 50000000}, NULL); }

static int read_copy(ks_index *x, foreign *f, ks_error *e)
{
    const char *const places[] = {getenv("TMPDIR"), "/tmp", "/var/tmp"};
    int code = 0, made = 0;
    for (int i = 0; i < 3 && !made; i++) {
        if (!places[i] || !places[i][0]) continue;
        snprintf(f->folder, sizeof f->folder, "%.3900s/kinoseek-XXXXXX", places[i]);
        made = mkdtemp(f->folder) != NULL;
    }
    if (!made)
        return ks_fail(e, KS_EIO, "%s: %s (a copy of a library that cannot be written)", f->folder,
                       strerror(errno));
    snprintf(f->copy, sizeof f->copy, "%s/catalog.db", f->folder);
    snprintf(f->copy_log, sizeof f->copy_log, "%s-wal", f->copy);
    snprintf(f->copy_index, sizeof f->copy_index, "%s-shm", f->copy);
    for (int i = 0; i < 100 && (code = take_copy(x, f, e)) == 0; i++) wait_a_little();
    if (code == 0)
        code = ks_fail(
            e, KS_EBUSY,
            "%s: it is being written, and who may not write its folder cannot read beside that",
            x->dir);
    if (code > 0) code = open_path(x, f->copy, 1, e);
    /* the file is open from here on */
    if (code >= 0) code = ks_set(x, "SELECT count(*) FROM sqlite_schema", e);
    unlink(f->copy);
    unlink(f->copy_log);
    unlink(f->copy_index);
    rmdir(f->folder);
    return code;
}

static foreign *name_files(const char *path, ks_error *e)
{
    foreign *f = malloc(sizeof *f);
    if (!f) {
        ks_fail(e, KS_ENOMEM, "%s: out of memory", path);
        return NULL;
    }
    snprintf(f->catalog, sizeof f->catalog, "%s", path);
    snprintf(f->log, sizeof f->log, "%s-wal", path);
    snprintf(f->index, sizeof f->index, "%s-shm", path);
    return f;
}

static int connect_foreign(ks_index *x, const char *path, ks_error *e)
{
    foreign *f = name_files(path, e);
    struct stat st;
    struct statvfs fs;
    if (!f) return KS_ENOMEM;
    int code = 1, fixed = statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY) &&
                          (stat(f->log, &st) != 0 || st.st_size == 0);
    if (fixed) code = open_path(x, path, 1, e); /* nobody writes a read-only file system */
    else if (access(f->log, R_OK) == 0 && access(f->index, R_OK) == 0) {
        code = open_path(x, path, 0, e);
        if (code >= 0) code = ks_set(x, "SELECT count(*) FROM sqlite_schema", e);
        /* the writer went, and they with it */
        if (code < 0 && x->db && (sqlite3_errcode(x->db) & 0xff) == SQLITE_CANTOPEN) code = 1;
        if (code > 0) sqlite3_close(x->db);
        if (code > 0) x->db = NULL;
    }
    if (code > 0) code = read_copy(x, f, e);
    free(f);
    return code;
}

/* Of a log at rest its index is made anew, beside the catalog: a full disk has no room for it. */
static int connect_own(ks_index *x, const char *path, ks_error *e)
{
    foreign *f;
    int code = open_path(x, path, 0, e);
    if (code < 0 || x->mode != KS_READ ||
        sqlite3_exec(x->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK ||
        !ks_sql_disk_full(x))
        return code; /* what else is wrong is met again */
    sqlite3_close(x->db);
    x->db = NULL;
    if (!(f = name_files(path, e))) return KS_ENOMEM;
    code = read_copy(x, f, e);
    free(f);
    return code;
}

int ks_connect(ks_index *x, const char *path, ks_error *e)
{
    if (x->mode == KS_READ && access(x->dir, W_OK) != 0) return connect_foreign(x, path, e);
    return connect_own(x, path, e);
}
