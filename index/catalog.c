/* catalog.c - opening and closing a library: the folder, the lock, SQLite's settings.
 *
 * Invariants (DESIGN 3). check.c verifies them under the same numbers.
 *  (1) A clip row exists iff its vector row exists. Every row of every table carries a checksum; a
 *      vector's covers clip id, space, times and vector.
 *  (2) A stored vector is fp16, finite, of unit length +- 1e-3 and of its space's dimension. It
 * is scored
 *      in one fixed order of operations with fp32 accumulation (score.h); ties go by clip id.
 *  (3) Search copies (vectors.*) are listed in table `segment` by the hash of their header.
 * Segment s holds
 *      exactly the videos with from_generation < video.finished <= to_generation, in its space,
 *        less those
 *      in `gone`. Ranges of usable segments do not overlap; what they do not hold is read from
 *        SQLite.
 *  (4) A video is known by its content (24 bytes); a path is an attribute. Two videos never share a
 *      content, every path row names a video.
 *  (5) A video has one verdict; the reason is set where the verdict is not `indexed`.
 *  (6) One writer, by lock; readers never write. Every commit is durable before it is said.
 *  (7) Searches see a video iff finished > 0: then its verdict is indexed or partly, and
 * finished is the
 *      generation at which it was so. Ids are never used again. */
#include "index/blob_cache.h"
#include "index/hub_rows.h"

#include "index/ann.h"
#include "index/mapped_segments.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int sync_folder(const char *dir, ks_error *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ks_fail(e, KS_EIO, "%s: %s", dir, strerror(errno));
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    if (failed && failed != EINVAL)
        return ks_fail(e, KS_EIO, "%s: fsync: %s", dir, strerror(failed));
    return 0;
}

/* dir with its missing parents, 0700; the folder above the first new one is synced. */
static int make_folder(const char *dir, ks_error *e)
{
    char path[PATH_MAX];
    struct stat st;
    if (stat(dir, &st) == 0) {
        if (!S_ISDIR(st.st_mode)) return ks_fail(e, KS_EIO, "%s is not a folder", dir);
        return 0;
    }
    size_t n = strlen(dir);
    if (n >= sizeof path) return ks_fail(e, KS_EIO, "%s: the path is too long", dir);
    memcpy(path, dir, n + 1);
    char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        *slash = 0;
        int code = make_folder(path, e);
        if (code < 0) return code;
    }
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return ks_fail(e, KS_EIO, "%s: %s", dir, strerror(errno));
    return sync_folder(slash ? (slash == path ? "/" : path) : ".", e);
}

static int number(int *out, ks_index *x, const char *pragma, ks_error *e)
{
    sqlite3_stmt *s = NULL;
    *out = 0;
    if (sqlite3_prepare_v2(x->db, pragma, -1, &s, NULL) != SQLITE_OK) return ks_sql_error(x, e);
    int code = ks_step(s, x, e);
    if (code > 0) *out = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return code < 0 ? code : 0;
}

/* An empty database becomes a library in one transaction; until then it counts as none. */
static int create(ks_index *x, ks_error *e)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d", KS_APPLICATION_ID);
    int code = ks_set(
        x, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = WAL", e);
    if (code < 0) return code;
    code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_schema_create(x, e);
    if (code >= 0) code = ks_set(x, sql, e);
    if (code >= 0) {
        ks_library_row row = {.next_video = 1, .next_clip = 1, .next_segment = 1};
        unsigned char random[16];
        sqlite3_randomness(sizeof random, random);
        for (int i = 0; i < 16; i++) snprintf(row.id + 2 * i, 3, "%02x", random[i]);
        int64_t now = 0;
        code = ks_integer(&now, x, e, "SELECT CAST(strftime('%s', 'now') AS INTEGER)", "");
        row.created = now;
        if (code >= 0) code = ks_library_write(&row, x, e);
    }
    return ks_end(x, code, e);
}

static int ready(ks_index *x, ks_error *e)
{
    int version, application;
    int code = number(&version, x, "PRAGMA user_version", e);
    if (code >= 0) code = number(&application, x, "PRAGMA application_id", e);
    /* it was created between the two questions */
    if (code >= 0 && version == 0 && application == KS_APPLICATION_ID)
        code = number(&version, x, "PRAGMA user_version", e);
    if (code < 0) return code;
    if (version == 0 && application == 0) {
        if (x->mode != KS_CREATE) return ks_fail(e, KS_ENOLIBRARY, "%s: no library there", x->dir);
        return create(x, e);
    }
    if (application != KS_APPLICATION_ID)
        return ks_fail(e, KS_EDAMAGED, "%s/catalog.db is not a catalog of kinoseek", x->dir);
    if (x->mode == KS_READ || version == KS_SCHEMA_VERSION) return ks_schema_migrate(x, version, e);
    code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, ks_schema_migrate(x, version, e), e);
}

static int open_all(ks_index *x, ks_error *e)
{
    char path[PATH_MAX];
    struct stat st;
    int code = x->mode == KS_CREATE ? make_folder(x->dir, e) : 0;
    if (code < 0) return code;
    if (snprintf(path, sizeof path, "%s/catalog.db", x->dir) >= PATH_MAX)
        return ks_fail(e, KS_EIO, "%s: the path is too long", x->dir);
    code = ks_plain_files(x->dir, x->mode != KS_READ, e);
    if (code < 0) return code;
    if (code == 0 && x->mode != KS_CREATE)
        return ks_fail(e, KS_ENOLIBRARY, "%s: no library there", x->dir);
    code = 0;
    if (x->mode != KS_READ) code = ks_take_lock(x, e);
    if (code < 0) return code;
    /* made here, so that its mode is 0600 whatever the umask; SQLite's files follow it */
    if (x->mode == KS_CREATE) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
        close(fd);
        code = sync_folder(x->dir, e);
        if (code < 0) return code;
    }
    code = ks_connect(x, path, e);
    if (code >= 0) code = ks_configure(x, stat(path, &st) == 0 ? (int64_t)st.st_size : 0, e);
    if (code >= 0) code = ready(x, e);
    /* A rollback journal is there only while a library is being made (then the log takes its
     * place): half-created. */
    if (code < 0 && x->mode == KS_READ && x->db &&
        sqlite3_extended_errcode(x->db) == SQLITE_READONLY_ROLLBACK)
        return ks_fail(e, KS_ENOLIBRARY, "%s: no library there", x->dir);
    return code;
}

/* What a mirror holds is written where it comes from; here it would be gone with the next pull. */
static int is_nobodys(ks_index *x, ks_error *e)
{
    void *where = NULL;
    size_t bytes = 0;
    int code = ks_index_get(&where, &bytes, x, KS_HUB_WHERE_KEY, e);
    x->keeps = where && x->mode == KS_KEEP;
    if (code >= 0 && where && !x->keeps)
        code = ks_fail(e, KS_EUSAGE, "%s mirrors a hub and is written by sync alone: -L %.200s",
                       x->dir, (const char *)where);
    free(where);
    return code;
}

static int open_as(ks_index **out, const char *dir, ks_mode mode, int mirror, ks_error *e)
{
    *out = NULL;
    ks_index *x = calloc(1, sizeof *x);
    if (x) x->dir = strdup(dir);
    if (!x || !x->dir) {
        free(x);
        return ks_fail(e, KS_ENOMEM, "%s: out of memory", dir);
    }
    for (size_t n = strlen(x->dir); n > 1 && x->dir[n - 1] == '/'; n--) x->dir[n - 1] = 0;
    x->mode = mode;
    x->store = &ks_sqlite_store;
    x->lock = x->folder = -1;
    int code = open_all(x, e);
    if (code >= 0 && mode != KS_READ && !mirror) code = is_nobodys(x, e);
    if (code < 0) {
        ks_index_close(x);
        return code;
    }
    *out = x;
    return 0;
}

int ks_index_open(ks_index **out, const char *dir, ks_mode mode, ks_error *e)
{
    assert(out && dir);
    return open_as(out, dir, mode, 0, e);
}

int ks_hub_open_mirror(ks_index **out, const char *dir, ks_error *e)
{
    assert(out && dir);
    return open_as(out, dir, KS_CREATE, 1, e);
}

void ks_index_close(ks_index *x)
{
    if (!x) return;
    ks_hub_close(x->hub);
    ks_blobs_close(x->blobs);
    ks_ann_close(x->ann);
    ks_segments_close(x->segments);
    ks_cursor_close(x->found);
    ks_forget_statements(x);
    sqlite3_close_v2(x->db);
    ks_drop_lock(x); /* after SQLite's last checkpoint */
    free(x->rotten);
    free(x->dir);
    free(x);
}

void ks_index_threads(ks_index *x, int threads)
{
    assert(x && threads >= 0);
    x->threads = threads;
}
