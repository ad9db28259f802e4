/* care.c - status, backup, compact: what keeps a library in shape without changing what it says. */
#include "index/catalog.h"

#include "index/ann.h"
#include "index/mapped_segments.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static int64_t file_bytes(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= PATH_MAX || stat(path, &st) != 0)
        return 0;
    return st.st_size;
}

static int64_t copies_bytes(const char *dir)
{
    int64_t total = 0;
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        if (strncmp(f->d_name, "vectors.", 8) == 0) total += file_bytes(dir, f->d_name);
    if (d) closedir(d);
    return total;
}

static int sums(ks_index_state *out, ks_index *x, ks_error *e)
{
    ks_library_row library;
    ks_totals t;
    int code = ks_library_read(&library, x, e);
    if (code >= 0) code = ks_totals_read(&t, x, e);
    if (code >= 0 && t.vector_bytes < 0) code = ks_totals_walk(&t, x, e); /* an older catalog */
    if (code < 0) return code;
    out->videos = library.videos;
    out->clips = library.clips;
    out->paths = t.paths;
    out->unfinished = t.unfinished;
    out->bad = t.bad;
    out->seconds = (double)t.microseconds / 1e6;
    out->bytes_clips = t.vector_bytes;
    out->bytes_frames = t.frame_bytes;
    out->bytes_thumbnails = t.thumbnail_bytes;
    return ks_index_surveyed(&out->surveyed, x, e);
}

/* By its own index: as many steps as there are such films, and there are none in the end. */
int ks_index_surveyed(int64_t *out, ks_index *x, ks_error *e)
{
    assert(out && x);
    *out = 0;
    return x->version < 8
               ? 0
               : ks_integer(out, x, e, "SELECT count(*) FROM video WHERE flags & 64", "");
}

int ks_index_surveyed_films(int64_t **video, int64_t *n, ks_index *x, ks_error *e)
{
    int64_t room = 0;
    assert(video && n && x);
    *video = NULL;
    *n = 0;
    if (x->version < 8) return 0;
    sqlite3_stmt *s = ks_bound(x, e, "SELECT id FROM video WHERE flags & 64 ORDER BY id", "");
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        int64_t *more = *video;
        if (*n == room) more = reallocarray(*video, (size_t)(room = 2 * room + 64), sizeof *more);
        if (!more) code = ks_fail(e, KS_ENOMEM, "no memory for a list of films");
        if (!more) break;
        *video = more;
        more[(*n)++] = sqlite3_column_int64(s, 0);
    }
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}

int ks_index_seconds(double *out, ks_index *x, ks_error *e)
{
    ks_totals t;
    assert(out && x);
    int code = ks_totals_read(&t, x, e);
    *out = code < 0 ? 0 : (double)t.microseconds / 1e6;
    return code;
}

/* The largest copy's lists, if it has any. */
static int approximate(ks_index_state *out, ks_index *x, ks_error *e)
{
    ks_library_row library;
    ks_segment_row *list = NULL;
    int n = 0, best = -1;
    int code = ks_library_read(&library, x, e);
    if (code >= 0) code = ks_segments_read(&list, &n, x, library.space, e);
    for (int i = 0; i < n; i++)
        if (best < 0 || list[i].rows > list[best].rows) best = i;
    if (best >= 0) snprintf(out->copy, sizeof out->copy, "exact");
    if (best >= 0 && list[best].ann_file[0]) {
        out->recall = list[best].recall;
        snprintf(out->copy, sizeof out->copy, "IVF%d", ks_ann_lists(list[best].rows));
    }
    free(list);
    return code;
}

int ks_index_status(ks_index_state *out, ks_index *x, ks_error *e)
{
    assert(out && x);
    memset(out, 0, sizeof *out);
    out->recall = -1;
    int code = ks_snapshot(x, e);
    if (code < 0) return code;
    code = sums(out, x, e);
    if (code >= 0) code = approximate(out, x, e);
    code = ks_end(x, code, e);
    if (code < 0) return code;
    out->bytes_catalog = file_bytes(x->dir, "catalog.db") + file_bytes(x->dir, "catalog.db-wal");
    out->bytes_copies = copies_bytes(x->dir);
    out->writer_pid = ks_writer_pid(x->dir);
    return 0;
}

static int sync_path(const char *path, int flags, ks_error *e)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failed ? ks_fail(e, KS_EIO, "%s: fsync: %s", path, strerror(failed)) : 0;
}

static int copy_pages(sqlite3 *to, ks_index *x, const char *path, ks_error *e)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", x->db, "main");
    if (!b) return ks_fail(e, KS_EIO, "%s: %s", path, sqlite3_errmsg(to));
    /* All pages under one read lock: with a WAL that keeps no writer waiting, and the copy is of
     * one moment. */
    int rc = sqlite3_backup_step(b, -1);
    sqlite3_backup_finish(b);
    if (rc == SQLITE_DONE) return 0;
    if (rc == SQLITE_FULL) return ks_fail(e, KS_EIO, "%s: the disk is full", path);
    return ks_fail(e, rc == SQLITE_CORRUPT ? KS_EDAMAGED : KS_EIO, "%s: %s", path,
                   sqlite3_errstr(rc));
}

/* Nothing of a library may lie there: a log that was left would be replayed over the copy, and a
 * catalog that is lost may have its last rows in it. */
static int is_empty(const char *to, ks_error *e)
{
    static const char *const names[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm",
                                        "catalog.db-journal"};
    char path[PATH_MAX];
    struct stat st;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (snprintf(path, sizeof path, "%s/%s", to, names[i]) >= PATH_MAX)
            return ks_fail(e, KS_EIO, "%s: the path is too long", to);
        if (lstat(path, &st) == 0)
            return ks_fail(e, KS_EUSAGE,
                           i ? "%s: %s of another library is left there; name an empty folder"
                             : "%s: a library is there already (%s); name an empty folder",
                           to, names[i]);
    }
    return 0;
}

/* All of x into the file part, of one state, whose library row is *row. */
static int write_copy(ks_library_row *row, ks_index *x, const char *part, ks_error *e)
{
    sqlite3 *db = NULL;
    unlink(part);
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return ks_fail(e, KS_EIO, "%s: %s", part, strerror(errno));
    close(fd);
    int code = ks_snapshot(x, e);
    if (code < 0) return code;
    code = ks_library_read(row, x, e);
    if (code >= 0 &&
        sqlite3_open_v2(part, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        code = ks_fail(e, KS_EIO, "%s: %s", part, db ? sqlite3_errmsg(db) : "out of memory");
    if (code >= 0) code = copy_pages(db, x, part, e);
    code = ks_end(x, code, e);
    if (sqlite3_close(db) != SQLITE_OK && code >= 0)
        code = ks_fail(e, KS_EIO, "%s: cannot be closed", part);
    return code < 0 ? code : sync_path(part, O_RDWR, e);
}

/* What is there now, read as anybody will read it, is what was read. */
static int read_back(const char *to, const ks_library_row *row, ks_error *e)
{
    ks_index *copy = NULL;
    ks_library_row there;
    int code = ks_index_open(&copy, to, KS_READ, e);
    if (code >= 0) code = ks_library_read(&there, copy, e);
    if (code >= 0 && (strcmp(there.id, row->id) != 0 || there.generation != row->generation ||
                      there.clips != row->clips))
        code = ks_fail(e, KS_EIO, "%s/catalog.db: another library was written there meanwhile", to);
    ks_index_close(copy);
    return code;
}

static int backup(ks_index *x, const char *to, ks_error *e)
{
    char part[PATH_MAX], whole[PATH_MAX];
    ks_library_row row;
    int code = is_empty(to, e);
    if (code < 0) return code;
    if (snprintf(whole, sizeof whole, "%s/catalog.db", to) >= PATH_MAX ||
        snprintf(part, sizeof part, "%s/catalog.db.part", to) >= PATH_MAX)
        return ks_fail(e, KS_EIO, "%s: the path is too long", to);
    code = write_copy(&row, x, part, e);
    if (code >= 0) code = is_empty(to, e); /* still */
    if (code >= 0 && rename(part, whole) != 0)
        code = ks_fail(e, KS_EIO, "%s: %s", whole, strerror(errno));
    if (code >= 0) code = sync_path(to, O_RDONLY | O_DIRECTORY, e);
    if (code < 0) unlink(part);
    return code < 0 ? code : read_back(to, &row, e);
}

/* to/catalog.db appears under its name only when it is whole and synced. The folder is locked as
 * its writer would: a second backup there, or an ingest, is told so. */
int ks_index_backup(ks_index *x, const char *to, ks_error *e)
{
    assert(x && to);
    ks_index target = {.lock = -1, .folder = -1};
    if (mkdir(to, 0700) != 0 && errno != EEXIST)
        return ks_fail(e, KS_EIO, "%s: %s", to, strerror(errno));
    int code = is_empty(to, e);
    if (code < 0) return code;
    target.dir = strdup(to);
    code = target.dir ? ks_take_lock(&target, e) : ks_fail(e, KS_ENOMEM, "%s: out of memory", to);
    if (code >= 0) code = backup(x, to, e);
    ks_drop_lock(&target);
    free(target.dir);
    return code;
}

/* VACUUM follows a damaged row's page numbers, and calls one that is beyond any file a full
 * disk. */
static int failed_vacuum(ks_index *x, ks_error *e)
{
    sqlite3_stmt *s = NULL;
    int code = ks_sql_error(x, e);
    if (code != KS_EIO || x->dead ||
        sqlite3_prepare_v2(x->db, "PRAGMA integrity_check(1)", -1, &s, NULL) != SQLITE_OK)
        return code;
    const char *found = sqlite3_step(s) == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0)
                                                      : NULL;
    if (found && strcmp(found, "ok") != 0)
        code = ks_fail(e, KS_EDAMAGED, "%s/catalog.db is damaged: run kinoseek repair", x->dir);
    sqlite3_finalize(s);
    return code;
}

static int first_number(void *out, int n, char **values, char **names)
{
    (void)names;
    if (n > 0 && values[0]) *(int *)out = atoi(values[0]);
    return 0;
}

/* The log into the catalog and cut to nothing; SQLite waits 10 s for readers. Past one that
 * holds an older state it cannot go: a catalog written anew would stay in the log, and the
 * library be twice as large as before. */
static int empty_log(ks_index *x, ks_error *e)
{
    int busy = 0;
    if (sqlite3_exec(x->db, "PRAGMA wal_checkpoint(TRUNCATE)", first_number, &busy, NULL) !=
        SQLITE_OK)
        return ks_sql_error(x, e);
    return busy ? ks_fail(e, KS_EBUSY,
                          "%s: a command that reads the library goes on; compact when it has ended",
                          x->dir)
                : 0;
}

int ks_index_compact(ks_index *x, ks_error *e)
{
    assert(x && x->mode != KS_READ && x->inside == 0);
    ks_forget_statements(x);
    int full = empty_log(x, e);
    if (full < 0) return full;
    /* The new catalog is written beside the old one before it takes its place: into a file (of
     * $SQLITE_TMPDIR, $TMPDIR or /var/tmp, unlinked at once), for in memory it needs the whole
     * catalog's size. */
    int rc = sqlite3_exec(x->db, "PRAGMA temp_store = FILE; VACUUM", NULL, NULL, NULL),
        code = rc == SQLITE_OK ? 0 : failed_vacuum(x, e);
    sqlite3_exec(x->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
    if (code < 0) return code;
    code = empty_log(x, e);
    return code < 0 ? code : ks_index_publish(x, 1, e);
}

#ifndef KS_FAISS_VERSION /* its C API cannot be asked: the Makefile reads the header */
#define KS_FAISS_VERSION "not known"
#endif

int ks_index_about(ks_fact *facts, int max)
{
    int n = 0;
    if (n < max) {
        facts[n].name = "SQLite";
        snprintf(facts[n++].value, sizeof facts->value, "%s", sqlite3_libversion());
    }
    if (n < max) {
        facts[n].name = "FAISS";
        snprintf(facts[n++].value, sizeof facts->value, "%s", KS_FAISS_VERSION);
    }
    if (n < max) {
        unsigned v = XXH_versionNumber();
        facts[n].name = "xxHash";
        snprintf(facts[n++].value, sizeof facts->value, "%u.%u.%u", v / 10000, v / 100 % 100,
                 v % 100);
    }
    if (n < max) {
        facts[n].name = "vector scan";
        snprintf(facts[n++].value, sizeof facts->value, "%s", ks_cpu_name(ks_cpu_best()));
    }
    return n;
}
