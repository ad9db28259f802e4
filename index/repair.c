/* repair.c - a new catalog from every row of the old one that is what it was written as.
 *
 * Rows come through SQLite where it can read a table to its end, else straight from the pages
 * (salvage.c). A row is taken iff its checksum holds. Then rows that name what is gone are put
 * right, what is lost is said, and the new file takes the old one's place in one rename; the old
 * one stays as catalog.db.damaged-N. */
#include "index/catalog.h"
#include "index/salvage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    ks_index new_one; /* its dir is the library's, its db the new file */
    char old_path[PATH_MAX], new_path[PATH_MAX];
    sqlite3 *old;          /* NULL: SQLite does not open it */
    int old_version;       /* of its schema; as new as can be where nobody knows */
    const ks_table *table; /* being salvaged */
    sqlite3_stmt *insert;
    int64_t seen, taken; /* rows of it */
    ks_finding *did;
    void *arg;
    int64_t said;
} repair;

__attribute__((format(printf, 4, 5))) static void say(repair *r, int invariant, int64_t clip,
                                                      const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->said++;
    if (r->did) r->did(r->arg, invariant, clip, text);
}

/* INSERT ... SELECT of ?1..?n (columns) and ?n+1 (sum) WHERE the checksum holds. REAL columns
 * may be stored as integers. */
static void insert_sql(char *sql, size_t size, const ks_table *t)
{
    static const char *const reals[] = {
        "seconds_missing", "fps", "recall", "score", "cosine", "bias", "ap", "ap_low", "ap_high"};
    char columns[600], list[600] = "", *save = NULL;
    size_t used = 0;
    int i = 0;
    snprintf(columns, sizeof columns, "%s", t->columns);
    for (char *c = strtok_r(columns, ", ", &save); c; c = strtok_r(NULL, ", ", &save)) {
        int real = 0;
        for (size_t j = 0; j < sizeof reals / sizeof *reals; j++) real |= strcmp(c, reals[j]) == 0;
        i++;
        used += (size_t)snprintf(list + used, sizeof list - used,
                                 real ? "%sCAST(?%d AS REAL)" : "%s?%d", i > 1 ? ", " : "", i);
    }
    assert(i == t->n);
    if (t->tag == KS_T_VECTOR) /* its checksum takes in its clip's space and times */
        snprintf(sql, size,
                 "INSERT OR IGNORE INTO vector SELECT ?1, ?2, ?3 FROM clip c WHERE c.id = ?1 AND "
                 "?3 = ks_sum(6, ?1, c.space, c.start, c.stop, ?2)");
    else
        snprintf(sql, size, "INSERT OR IGNORE INTO %s SELECT %s, ?%d WHERE ?%d = ks_sum(%d, %s)%s",
                 t->name, list, t->n + 1, t->n + 1,
                 /* KS_MAX_PATH: no reader takes a longer one */
                 (int)t->tag, list, t->tag == KS_T_PATH ? " AND length(?1) <= 4096" : "");
}

static int put(repair *r, ks_error *e)
{
    int rc = sqlite3_step(r->insert);
    if (rc == SQLITE_DONE) r->taken += sqlite3_changes(r->new_one.db);
    sqlite3_reset(r->insert);
    if (rc == SQLITE_DONE || rc == SQLITE_CONSTRAINT || (rc & 0xff) == SQLITE_MISMATCH) return 0;
    if ((rc & 0xff) == SQLITE_CONSTRAINT) return 0;
    return ks_sql_error(&r->new_one, e);
}

typedef struct {
    repair *r;
    ks_error *e;
} salvaging;

static int each_record(void *arg, int64_t rowid, const ks_value *v, int n)
{
    salvaging *s = arg;
    if (n != s->r->table->n + 1) return 0;
    for (int i = 0; i < n; i++) {
        int rc;
        switch (i == 0 && v[0].type == SQLITE_NULL ? -1 : v[i].type) {
        /* INTEGER PRIMARY KEY is the rowid */
        case -1: rc = sqlite3_bind_int64(s->r->insert, 1, rowid); break;
        case SQLITE_INTEGER: rc = sqlite3_bind_int64(s->r->insert, i + 1, v[i].i); break;
        case SQLITE_FLOAT: rc = sqlite3_bind_double(s->r->insert, i + 1, v[i].d); break;
        case SQLITE_TEXT:
            rc = sqlite3_bind_text64(s->r->insert, i + 1, v[i].bytes, v[i].n, SQLITE_STATIC,
                                     SQLITE_UTF8);
            break;
        case SQLITE_BLOB:
            rc = sqlite3_bind_blob64(s->r->insert, i + 1, v[i].n ? v[i].bytes : "", v[i].n,
                                     SQLITE_STATIC);
            break;
        default: rc = sqlite3_bind_null(s->r->insert, i + 1);
        }
        if (rc != SQLITE_OK) return ks_fail(s->e, KS_ENOMEM, "%s: out of memory", s->r->new_path);
    }
    return put(s->r, s->e);
}

/* Through SQLite: 1 = the table was read to its end, 0 = it was not. */
static int through_sqlite(repair *r, ks_error *e)
{
    char sql[700];
    sqlite3_stmt *s = NULL;
    int code = 0, rc;
    if (!r->old) return 0;
    snprintf(sql, sizeof sql, "SELECT %s, sum FROM %s NOT INDEXED", r->table->columns,
             r->table->name);
    if (sqlite3_prepare_v2(r->old, sql, -1, &s, NULL) != SQLITE_OK) return 0;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && code >= 0) {
        r->seen++;
        for (int i = 0; i <= r->table->n; i++)
            sqlite3_bind_value(r->insert, i + 1, sqlite3_column_value(s, i));
        code = put(r, e);
    }
    sqlite3_finalize(s);
    return code < 0 ? code : rc == SQLITE_DONE;
}

static int take_table(repair *r, const ks_table *t, ks_error *e)
{
    char sql[2000];
    salvaging s = {r, e};
    r->table = t;
    r->seen = r->taken = 0;
    insert_sql(sql, sizeof sql, t);
    if (sqlite3_prepare_v2(r->new_one.db, sql, -1, &r->insert, NULL) != SQLITE_OK)
        return ks_sql_error(&r->new_one, e);
    int code = through_sqlite(r, e);
    if (code == 0) {
        say(r, 1, 0, "table %s cannot be read to its end: its rows are looked for page by page",
            t->name);
        code = ks_salvage_file(r->old_path, each_record, &s, e);
    } else if (code > 0 && r->taken < r->seen)
        say(r, 1, 0,
            "table %s: %lld of %lld rows are not what they were written as and are left out",
            t->name, (long long)(r->seen - r->taken), (long long)r->seen);
    sqlite3_finalize(r->insert);
    r->insert = NULL;
    return code < 0 ? code : 0;
}

/* Each row of the query is something lost, said as before + column 0 + after; column 1 is the
 * clip. Then `then` runs. */
static int put_right(repair *r, const char *query, const char *before, const char *after,
                     const char *then, ks_error *e)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(r->new_one.db, query, -1, &s, NULL) != SQLITE_OK)
        return ks_sql_error(&r->new_one, e);
    int code;
    while ((code = ks_step(s, &r->new_one, e)) > 0)
        say(r, 1, sqlite3_column_int64(s, 1), "%s%s%s", before,
            (const char *)sqlite3_column_text(s, 0), after);
    sqlite3_finalize(s);
    if (code < 0) return code;
    return sqlite3_exec(r->new_one.db, then, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : ks_sql_error(&r->new_one, e);
}

/* A space's row from its second copy among the settings (library.c). */
static int restore_space(repair *r, int64_t id, ks_error *e)
{
    ks_index *x = &r->new_one;
    ks_space s;
    int code = ks_space_again(&s, x, id, e);
    if (code <= 0) return code;
    say(r, 1, 0, "the row of space %lld is lost and was made anew", (long long)id);
    return ks_run(x, e,
                  "INSERT INTO space VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, x'', x'', ks_sum(2, ?1, "
                  "?2, ?3, ?4, ?5, ?6, ?7, x'', x''))",
                  "ltiiiii", id, s.model, s.dim, s.frames, s.sampler, s.resize, s.precision);
}

static int restore_spaces(repair *r, ks_error *e)
{
    int64_t id = 0;
    for (;;) {
        int code = ks_integer(
            &id, &r->new_one, e,
            "SELECT CAST(substr(key, 7) AS INTEGER) FROM setting WHERE key GLOB 'space/[0-9]*' AND "
            "CAST(substr(key, 7) AS INTEGER) > ?1 AND CAST(substr(key, 7) AS INTEGER) NOT IN "
            "(SELECT id FROM space) ORDER BY 1 LIMIT 1",
            "l", id);
        if (code < 0 || id == 0) return code;
        code = restore_space(r, id, e);
        if (code < 0) return code;
    }
}

/* Rows that name what is gone. Search copies are made anew, so their lists start empty. */
static int agree(repair *r, ks_error *e)
{
    static const char no_vector[] = "SELECT id FROM clip WHERE id NOT IN (SELECT clip FROM vector)";
    static const char no_video[] = "SELECT id FROM clip WHERE video NOT IN (SELECT id FROM video) "
                                   "OR space NOT IN (SELECT id FROM space)";
    char then[900];
    int code = 0;
    const struct {
        const char *sql, *after;
    } lost[] = {
        {no_vector, ": its vector is lost; it is to be encoded again"},
        {no_video, ": the row of its video or space is lost; the next ingest makes it anew"},
    };
    for (size_t i = 0; i < 2 && code >= 0; i++) {
        char query[400];
        snprintf(query, sizeof query, "SELECT id, id FROM clip WHERE id IN (%s)", lost[i].sql);
        snprintf(then, sizeof then,
                 "DELETE FROM vector WHERE clip IN (%s); DELETE FROM thumbnail WHERE clip IN (%s); "
                 "DELETE FROM frame_vectors "
                 "WHERE clip IN (%s); DELETE FROM clip WHERE id IN (%s)",
                 lost[i].sql, lost[i].sql, lost[i].sql, lost[i].sql);
        code = put_right(r, query, "clip ", lost[i].after, then, e);
    }
    if (code >= 0)
        code = put_right(
            r, "SELECT 1 WHERE 0", "", "",
            "DELETE FROM vector WHERE clip NOT IN (SELECT id FROM clip); DELETE FROM "
            "thumbnail WHERE clip NOT IN "
            "(SELECT id FROM clip); DELETE FROM frame_vectors WHERE clip NOT IN "
            "(SELECT id FROM clip); "
            "DELETE FROM file_hash WHERE video NOT IN (SELECT id FROM video); "
            "DELETE FROM source_time WHERE video NOT IN (SELECT id FROM video); "
            "DELETE FROM key_index WHERE video NOT IN (SELECT id FROM video); "
            "DELETE FROM saved_hit WHERE video NOT IN (SELECT id FROM video) OR name "
            "NOT IN (SELECT name FROM saved); "
            "DELETE FROM subtitle_file WHERE video NOT IN (SELECT id FROM video); "
            "DELETE FROM subtitle WHERE file NOT IN (SELECT id FROM subtitle_file); "
            /* a place that lost lines is read again */
            "DELETE FROM subtitle WHERE file IN (SELECT f.id FROM subtitle_file f "
            "WHERE f.lines <> (SELECT count(*) FROM subtitle s WHERE s.file = f.id)); "
            "DELETE FROM subtitle_file WHERE lines <> (SELECT count(*) FROM subtitle s "
            "WHERE s.file = subtitle_file.id); "
            "DELETE FROM label WHERE label_set NOT IN (SELECT id FROM label_set); "
            "DELETE FROM label_span WHERE label NOT IN (SELECT id FROM label) OR "
            "video NOT IN (SELECT id FROM video); "
            "DELETE FROM label_film WHERE label_set NOT IN (SELECT id FROM label_set) "
            "OR video NOT IN (SELECT id FROM video); "
            "DELETE FROM gone; DELETE FROM segment",
            e);
    if (code >= 0)
        code = put_right(
            r, "SELECT CAST(path AS TEXT), 0 FROM path WHERE video NOT IN (SELECT id FROM video)",
            "",
            ": the row of its video is lost; "
            "the next ingest reads the file again",
            "DELETE FROM path WHERE video NOT IN (SELECT id FROM video)", e);
    if (code >= 0)
        code = put_right(
            r, "SELECT id, 0 FROM video WHERE id NOT IN (SELECT video FROM path)", "video ",
            ": its path is lost; the next ingest "
            "finds the file by its content",
            "INSERT INTO path SELECT CAST('/lost-path-of-video-' || id AS BLOB), id, 0, 0, 0, 0, "
            "ks_sum(4, CAST('/lost-path-of-video-' || id AS BLOB), id, 0, 0, 0, 0) FROM video "
            "WHERE id NOT IN (SELECT video FROM path)",
            e);
    return code;
}

/* The library row, counted anew from what there is. */
static int recount(repair *r, ks_error *e)
{
    ks_index *x = &r->new_one;
    ks_library_row row;
    ks_error missing;
    int code = 0;
    int64_t top = 0;
    if (ks_library_read(&row, x, &missing) < 0) {
        unsigned char random[16];
        memset(&row, 0, sizeof row);
        sqlite3_randomness(sizeof random, random);
        for (int i = 0; i < 16; i++) snprintf(row.id + 2 * i, 3, "%02x", random[i]);
        code = ks_integer(&row.space, x, e,
                          "SELECT space FROM clip GROUP BY space ORDER BY count(*) DESC LIMIT 1",
                          "");
        row.writing = row.space;
        say(r, 1, 0, "the library's own row is lost; it is counted anew");
    }
    if (code >= 0)
        code = ks_integer(&top, x, e, "SELECT max(coalesce((SELECT max(id) FROM clip), 0) + 1, ?1)",
                          "l", row.next_clip);
    row.next_clip = top;
    if (code >= 0)
        code = ks_integer(&top, x, e,
                          "SELECT max(coalesce((SELECT max(id) FROM video), 0) + 1, ?1)", "l",
                          row.next_video);
    row.next_video = top;
    if (code >= 0)
        code = ks_integer(&top, x, e,
                          "SELECT 1 + max(coalesce((SELECT max(finished) FROM video), 0), ?1)", "l",
                          row.generation);
    row.generation = top;
    if (code >= 0)
        code = ks_integer(
            &row.space, x, e,
            "SELECT coalesce((SELECT id FROM space WHERE id = ?1), (SELECT max(id) FROM space), 0)",
            "l", row.space);
    if (code >= 0)
        code = ks_integer(&row.writing, x, e,
                          "SELECT coalesce((SELECT id FROM space WHERE id = ?1), ?2)", "ll",
                          row.writing, row.space);
    row.next_segment += 1000; /* names of old copies are not used again */
    if (code >= 0)
        code = ks_integer(&row.videos, x, e, "SELECT count(*) FROM video WHERE finished > 0", "");
    if (code >= 0)
        code = ks_integer(&row.clips, x, e,
                          "SELECT count(*) FROM clip c JOIN video v ON v.id = c.video WHERE "
                          "v.finished > 0 AND c.space = ?1",
                          "l", row.space);
    if (code >= 0) code = ks_library_write(&row, x, e);
    return code < 0 ? code : ks_totals_count(x, e);
}

/* Films with fewer clips than they were finished with are partly in, until ingest has encoded
 * the rest again. */
static int mark_lost(repair *r, ks_error *e)
{
    ks_index *x = &r->new_one;
    int code = 0;
    for (;;) {
        int64_t id = 0;
        ks_video_row row;
        code = ks_integer(&id, x, e,
                          "SELECT v.id FROM video v WHERE v.finished > 0 AND v.flags & 16 = 0 AND "
                          "v.clips <> (SELECT count(*) FROM clip c "
                          "WHERE c.video = v.id AND c.space = v.space) LIMIT 1",
                          "");
        if (code < 0 || id == 0) return code;
        code = ks_video_read(&row, x, id, e);
        if (code <= 0) return code;
        row.v.flags |= KS_VIDEO_LOST;
        row.v.verdict = KS_VERDICT_PARTLY;
        row.v.reason = "clips were lost to damage; the next ingest encodes them again";
        code = ks_video_write(&row, x, e);
        if (code < 0) return code;
        say(r, 7, 0, "video %lld lost clips; the next ingest encodes them again", (long long)id);
    }
}

static int fill(repair *r, ks_error *e)
{
    ks_index *x = &r->new_one;
    char sql[64];
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_schema_create(x, e);
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d", KS_APPLICATION_ID);
    if (code >= 0 && sqlite3_exec(x->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        code = ks_sql_error(x, e);
    for (const ks_table *t = ks_tables; t->name && code >= 0; t++) /* clip comes before vector */
        /* sums are counted anew, names are made of paths */
        if (t->since <= r->old_version && t->tag != KS_T_TOTALS && t->tag != KS_T_FILM_NAME)
            code = take_table(r, t, e);
    if (code >= 0) code = restore_spaces(r, e);
    if (code >= 0) code = agree(r, e);
    if (code >= 0) code = mark_lost(r, e);
    if (code >= 0) code = recount(r, e);
    if (code >= 0) code = ks_names_make(x, e);
    if (code >= 0)
        code = ks_run(x, e, "INSERT INTO subtitle_words(subtitle_words) VALUES('rebuild')", "");
    return ks_end(x, code, e);
}

static int sync_path(const char *path, int flags, ks_error *e)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failed ? ks_fail(e, KS_EIO, "%s: fsync: %s", path, strerror(failed)) : 0;
}

/* The old files keep a second name; its log must be gone before the new file has its name
 * (SQLite would replay it). */
static int swap(repair *r, const char *dir, ks_error *e)
{
    char kept[PATH_MAX + 32], side[PATH_MAX + 8], kept_side[PATH_MAX + 40];
    int n = 1;
    do snprintf(kept, sizeof kept, "%s.damaged-%d", r->old_path, n);
    while (access(kept, F_OK) == 0 && n++ < 1000);
    int code = sync_path(r->new_path, O_RDWR, e);
    if (code < 0) return code;
    if (link(r->old_path, kept) != 0) return ks_fail(e, KS_EIO, "%s: %s", kept, strerror(errno));
    snprintf(side, sizeof side, "%s-wal", r->old_path);
    snprintf(kept_side, sizeof kept_side, "%s-wal", kept);
    if (rename(side, kept_side) != 0 && errno != ENOENT)
        return ks_fail(e, KS_EIO, "%s: %s", side, strerror(errno));
    snprintf(side, sizeof side, "%s-shm", r->old_path);
    unlink(side);
    code = sync_path(dir, O_RDONLY | O_DIRECTORY, e);
    if (code >= 0 && rename(r->new_path, r->old_path) != 0)
        code = ks_fail(e, KS_EIO, "%s: %s", r->old_path, strerror(errno));
    if (code >= 0) code = sync_path(dir, O_RDONLY | O_DIRECTORY, e);
    if (code >= 0) say(r, 0, 0, "the old catalog is kept as %s; delete it when all is well", kept);
    return code;
}

static int old_version(sqlite3 *old)
{
    sqlite3_stmt *s = NULL;
    int version = KS_SCHEMA_VERSION;
    if (old && sqlite3_prepare_v2(old, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return version;
}

static int open_files(repair *r, ks_error *e)
{
    unlink(r->new_path);
    int fd = open(r->new_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return ks_fail(e, KS_EIO, "%s: %s", r->new_path, strerror(errno));
    close(fd);
    if (sqlite3_open_v2(r->new_path, &r->new_one.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        ks_row_sum_register(r->new_one.db) != SQLITE_OK ||
        sqlite3_exec(r->new_one.db,
                     "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = "
                     "FULL; PRAGMA foreign_keys = OFF",
                     NULL, NULL, NULL) != SQLITE_OK)
        return ks_fail(e, KS_EIO, "%s: %s", r->new_path,
                       r->new_one.db ? sqlite3_errmsg(r->new_one.db) : "out of memory");
    /* Its log goes into the file first, if SQLite can do that; what it cannot open is read page
     * by page. */
    if (sqlite3_open_v2(r->old_path, &r->old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(r->old, "PRAGMA cell_size_check = ON; PRAGMA wal_checkpoint(TRUNCATE)", NULL,
                     NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(r->old, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) != SQLITE_OK) {
        sqlite3_close(r->old);
        r->old = NULL;
    }
    r->old_version = old_version(r->old);
    /* a view may be in a table's place, and never end */
    if (r->old && !ks_schema_stands(r->old, r->old_version)) {
        say(r, 1, 0, "the schema is not the one of version %d: rows are looked for page by page",
            r->old_version);
        sqlite3_close(r->old);
        r->old = NULL;
    }
    return 0;
}

int ks_index_repair(const char *dir, ks_finding *did, void *arg, ks_error *e)
{
    assert(dir);
    repair *r = calloc(1, sizeof *r);
    char *name = strdup(dir);
    if (!r || !name) {
        free(r);
        free(name);
        return ks_fail(e, KS_ENOMEM, "%s: out of memory", dir);
    }
    ks_index *x = &r->new_one;
    *x = (ks_index){
        .store = &ks_sqlite_store, .dir = name, .mode = KS_WRITE, .lock = -1, .folder = -1};
    r->did = did;
    r->arg = arg;
    int code = 0;
    if (snprintf(r->old_path, sizeof r->old_path, "%s/catalog.db", dir) >= PATH_MAX - 8)
        code = ks_fail(e, KS_EIO, "%s: the path is too long", dir);
    snprintf(r->new_path, sizeof r->new_path, "%.4000s/catalog.db.new", dir);
    if (code >= 0) code = ks_plain_files(dir, 0, e);
    if (code == 0) code = ks_fail(e, KS_ENOLIBRARY, "%s: no library there", dir);
    if (code >= 0) code = ks_take_lock(x, e);
    if (code >= 0) code = open_files(r, e);
    if (code >= 0) code = fill(r, e);
    ks_forget_statements(x);
    if (x->db && sqlite3_close(x->db) != SQLITE_OK && code >= 0)
        code = ks_fail(e, KS_EIO, "%s: cannot be closed", r->new_path);
    sqlite3_close(r->old);
    if (code >= 0) code = swap(r, dir, e);
    if (code < 0) unlink(r->new_path);
    ks_drop_lock(x);
    free(x->rotten);
    int said = (int)(r->said > INT_MAX ? INT_MAX : r->said);
    free(name);
    free(r);
    return code < 0 ? code : said;
}
