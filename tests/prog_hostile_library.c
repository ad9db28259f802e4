/* prog_hostile_library.c - libraries made by somebody who knows the format, through everything
 * that reads one.
 *
 *   prog_hostile_library SEED FIRST COUNT     mutants FIRST .. FIRST + COUNT - 1; each depends
 *                                             on SEED and its number alone
 *   prog_hostile_library SEED NUMBER 1 DIR    that one is left in DIR, for commands to meet
 *
 * A mutant is a sound library of 60 clips with one to three things changed: a column of a row, a
 * row gone, an object of the schema, bytes of a page, of a search copy or of its lists; in most
 * of them every checksum is made right again. A child process then asks it all that a reading
 * command asks. No child may die of a signal or take longer than
 * 5 seconds; where a row alone was changed and its checksum was not, check must say so. Prints
 * TAP. */
#include "index/ann.h"
#include "index/catalog.h"
#include "index/mapped_segments.h"
#include "query/query.h"
#include "tests/library_maker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

enum { D = 32, FILMS = 6, CLIPS = 10, FRAMES = 4 };
enum { SECONDS = 5, PATIENCE = 120 }; /* of processor time; of the clock, beside other work */

static char base[64], work[64];

static void fatal(const char *what)
{
    fprintf(stderr, "prog_hostile_library: %s\n", what);
    exit(2);
}

static void must(int code, const ks_error *e)
{
    if (code < 0) fatal(e->msg);
}

/* --- the sound library --- */
static void add_film(ks_index *x, int film)
{
    ks_error e = {0};
    char path[64];
    uint64_t content = (uint64_t)film + 1;
    float vector[D], frames[FRAMES * D];
    snprintf(path, sizeof path, "/films/%d/f%d.mp4", film % 2, film);
    ks_video v = {.path = path,
                  .stat.size = 1,
                  .reason = "",
                  .tb = {1, 1000},
                  .duration = 44000,
                  .film_date = 1000 + film,
                  .width = 16,
                  .height = 9,
                  .fps = 25,
                  .full_hash = 7};
    memcpy(v.content, &content, sizeof content);
    must(ks_index_add_video(&v.id, x, &v, &e), &e);
    for (int i = 0; i < CLIPS; i++) {
        lib_vector(vector, D, 1, content * 1000003 + (uint64_t)i);
        for (int t = 0; t < FRAMES; t++)
            lib_vector(frames + t * D, D, 1, content * 77 + (uint64_t)(i * FRAMES + t));
        ks_clip_data c = {.clip = {.start = i * 4000, .end = i * 4000 + 8000, .frames = FRAMES},
                          .vector = vector,
                          .frame_vectors = frames,
                          .jpeg = (const uint8_t *)"0123456789",
                          .jpeg_bytes = 10};
        must(ks_index_add_clips(x, v.id, &c, 1, &e), &e);
    }
    v.verdict = KS_VERDICT_INDEXED;
    must(ks_index_end_video(x, &v, &e), &e);
    const ks_subtitle_line lines[] = {{0, 1000000, 2000000, "the quick brown fox"},
                                      {0, 7000000, 9000000, "jumps over the lazy dog"},
                                      {0, 30000000, 31000000, path}};
    must(ks_index_put_subtitles(
             x, &(ks_subtitle_file){v.id, film % 2 ? "" : path, {1, 2, 0, 0}, "", 0}, lines, 3, &e),
         &e);
}

static void make_base(void)
{
    ks_error e = {0};
    ks_index *x;
    ks_space space = lib_space(D);
    space.frames = FRAMES;
    lib_new_dir(base);
    must(ks_index_open(&x, base, KS_CREATE, &e), &e);
    must(ks_index_set_space(x, &space, "/m", "/t", &e), &e);
    x->ann_rows = 30;
    for (int i = 0; i < FILMS; i++) add_film(x, i);
    must(ks_index_drop_path(x, "/films/1/f1.mp4", &e), &e);
    must(ks_index_publish(x, 1, &e), &e);
    add_film(x, FILMS); /* a gap that no copy holds */
    ks_index_close(x);
}

static void copy_file(const char *name)
{
    char from[400], to[400], block[65536];
    ssize_t n;
    snprintf(from, sizeof from, "%s/%s", base, name);
    snprintf(to, sizeof to, "%s/%s", work, name);
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while ((n = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)n) != n) fatal("no room");
    close(in);
    close(out);
}

static void fresh_copy(void)
{
    DIR *d = opendir(work);
    char path[400];
    for (struct dirent *f; d && (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%.200s", work, f->d_name);
        if (f->d_name[0] != '.') unlink(path);
    }
    if (d) closedir(d);
    d = opendir(base);
    for (struct dirent *f; d && (f = readdir(d));)
        if (f->d_name[0] != '.' && !strstr(f->d_name, "-wal") && !strstr(f->d_name, "-shm"))
            copy_file(f->d_name);
    if (d) closedir(d);
}

/* --- mutations --- */
typedef struct {
    uint64_t seed;
    sqlite3 *db;
    char what[600];
    /* tables (1 << tag) with a row that was changed and not sealed: check must find it */
    unsigned rot;
} mutant;

static uint64_t roll(mutant *m, uint64_t n) { return lib_random(&m->seed) % n; }

__attribute__((format(printf, 2, 3))) static void note(mutant *m, const char *format, ...)
{
    size_t used = strlen(m->what);
    va_list args;
    va_start(args, format);
    vsnprintf(m->what + used, sizeof m->what - used, format, args);
    va_end(args);
}

static int sql(mutant *m, const char *text) { return sqlite3_exec(m->db, text, NULL, NULL, NULL); }

/* Every checksum of the table made right; a vector's and its clip's go together. */
static void seal(mutant *m, const ks_table *t)
{
    char text[900];
    m->rot &= ~(1u << t->tag);
    if (t->tag != KS_T_VECTOR) {
        snprintf(text, sizeof text, "UPDATE %s SET sum = ks_sum(%d, %s)", t->name, (int)t->tag,
                 t->columns);
        sql(m, text);
    }
    if (t->tag == KS_T_VECTOR || t->tag == KS_T_CLIP)
        sql(m, "UPDATE vector SET sum = (SELECT ks_sum(6, c.id, c.space, c.start, c.stop, half) "
               "FROM clip c WHERE c.id = clip) "
               "WHERE clip IN (SELECT id FROM clip)");
}

static const char *odd_value(mutant *m, char out[400])
{
    static const char *const numbers[] = {"0",
                                          "-1",
                                          "1",
                                          "2",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "2147483647",
                                          "2147483648",
                                          "-2147483649",
                                          "4294967296",
                                          "1000000",
                                          "9e999",
                                          "-9e999",
                                          "1e300",
                                          "0.5"};
    static const char *const texts[] = {"''",
                                        "'x'",
                                        "x''",
                                        "x'00'",
                                        "zeroblob(70000)",
                                        "CAST('/' || char(27) || '[31m' AS BLOB)",
                                        "char(27) || ']0;x'",
                                        "'../../etc/passwd'",
                                        "CAST(hex(zeroblob(3000)) AS BLOB)",
                                        "randomblob(16384)",
                                        "zeroblob(16384)",
                                        "CAST(hex(zeroblob(600)) AS TEXT)",
                                        "x'ff'"};
    if (roll(m, 3)) snprintf(out, 400, "%s", numbers[roll(m, sizeof numbers / sizeof *numbers)]);
    else snprintf(out, 400, "%s", texts[roll(m, sizeof texts / sizeof *texts)]);
    return out;
}

static void change_row(mutant *m)
{
    const ks_table *t = ks_tables;
    char columns[600], *save = NULL, *column, value[400], text[1500];
    int n = 0, which, same = roll(m, 4) == 0, sealed = roll(m, 6) != 0;
    while (t[n].name) n++;
    t += roll(m, (uint64_t)n);
    which = (int)roll(m, (uint64_t)t->n);
    snprintf(columns, sizeof columns, "%s", t->columns);
    column = strtok_r(columns, ", ", &save);
    while (which-- > 0) column = strtok_r(NULL, ", ", &save);
    odd_value(m, value);
    /* near what it was */
    if (same) snprintf(value, sizeof value, "%s + %d", column, (int)roll(m, 7) - 3);
    snprintf(text, sizeof text,
             "UPDATE OR IGNORE %s SET %s = %s WHERE %s IN (SELECT %s FROM %s LIMIT 1 OFFSET %d)",
             t->name, column, value, t->key, t->key, t->name, (int)roll(m, 4));
    int rc = sql(m, text), changed = sqlite3_changes(m->db);
    note(m, "%s.%s = %s%s; ", t->name, column, value, sealed ? "" : " (not sealed)");
    if (sealed) seal(m, t);
    /* That a value which was there before, or the same number in other clothes, is no damage. */
    else if (rc == SQLITE_OK && changed) {
        sqlite3_stmt *s = NULL;
        snprintf(text, sizeof text, "SELECT count(*) FROM %s WHERE sum IS NOT ks_sum(%d, %s)",
                 t->name, (int)t->tag, t->columns);
        if (t->tag != KS_T_VECTOR && sqlite3_prepare_v2(m->db, text, -1, &s, NULL) == SQLITE_OK &&
            sqlite3_step(s) == SQLITE_ROW)
            m->rot |= sqlite3_column_int(s, 0) > 0 ? 1u << t->tag : 0;
        sqlite3_finalize(s);
    }
}

static void drop_row(mutant *m)
{
    const ks_table *t = ks_tables;
    char text[400];
    int n = 0;
    while (t[n].name) n++;
    t += roll(m, (uint64_t)n);
    snprintf(text, sizeof text, "DELETE FROM %s WHERE %s IN (SELECT %s FROM %s LIMIT %d OFFSET %d)",
             t->name, t->key, t->key, t->name, 1 + (int)roll(m, 3), (int)roll(m, 4));
    m->rot &= ~(1u << t->tag);
    sql(m, text);
    note(m, "a row of %s gone; ", t->name);
}

static void scatter(mutant *m, unsigned char *bytes, size_t from, size_t to);

/* FTS5's own rows: its averages and structure, its lists of words, the sizes of rows. */
static void change_words(mutant *m)
{
    static const char *const tables[] = {"data", "docsize", "config", "idx"};
    static const char *const columns[] = {"block", "sz", "v", "pgno"};
    size_t which = roll(m, 8) < 5 ? 0 : roll(m, 4);
    const char *of = roll(m, 2) ? "film_words" : "subtitle_words";
    sqlite3_stmt *s = NULL;
    char text[300];
    snprintf(text, sizeof text, "SELECT rowid, %s FROM %s_%s LIMIT 1 OFFSET %d", columns[which], of,
             tables[which], (int)roll(m, 4));
    if (which >= 2) { /* no rowid, no bytes */
        char value[400];
        snprintf(text, sizeof text, "UPDATE %s_%s SET %s = ", of, tables[which], columns[which]);
        strncat(text, odd_value(m, value), sizeof text - strlen(text) - 1);
        sql(m, text);
    } else if (sqlite3_prepare_v2(m->db, text, -1, &s, NULL) == SQLITE_OK &&
               sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 1) > 0) {
        size_t n = (size_t)sqlite3_column_bytes(s, 1);
        int64_t id = sqlite3_column_int64(s, 0);
        unsigned char *bytes = malloc(n);
        if (!bytes) fatal("out of memory");
        memcpy(bytes, sqlite3_column_blob(s, 1), n);
        scatter(m, bytes, 0, n);
        sqlite3_finalize(s);
        s = NULL;
        snprintf(text, sizeof text, "UPDATE %s_%s SET %s = ?1 WHERE rowid = ?2", of, tables[which],
                 columns[which]);
        if (sqlite3_prepare_v2(m->db, text, -1, &s, NULL) == SQLITE_OK) {
            sqlite3_bind_blob(s, 1, bytes, (int)(roll(m, 4) ? n : roll(m, n)), SQLITE_STATIC);
            sqlite3_bind_int64(s, 2, id);
            sqlite3_step(s);
        }
        free(bytes);
    }
    sqlite3_finalize(s);
    note(m, "%s_%s; ", of, tables[which]);
}

static void change_schema(mutant *m)
{
    static const char *const texts[] = {
        "CREATE TRIGGER t AFTER UPDATE ON library BEGIN DELETE FROM clip; END",
        "ALTER TABLE library RENAME TO l2; CREATE VIEW library AS SELECT l.* FROM l2 l WHERE (WITH "
        "RECURSIVE c(x) AS (SELECT 1 UNION ALL "
        "SELECT x + 1 FROM c) SELECT count(*) FROM c) > 0",
        "ALTER TABLE clip RENAME TO c2; CREATE VIEW clip AS WITH RECURSIVE c(x) AS (SELECT 1 UNION "
        "ALL SELECT x + 1 FROM c) SELECT c2.* FROM c2, c",
        "ALTER TABLE space RENAME TO s2; CREATE VIEW space AS SELECT * FROM s2 WHERE "
        "length(zeroblob(1000000000)) > 0",
        "CREATE INDEX odd ON clip(start) WHERE start > 4000",
        "CREATE INDEX odder ON video(abs(id))",
        "ALTER TABLE setting ADD COLUMN more",
        "ALTER TABLE video ADD COLUMN g INTEGER GENERATED ALWAYS AS (id * 2) VIRTUAL",
        "DROP INDEX path_video",
        "DROP INDEX clip_video",
        "DROP VIEW clips",
        "DROP TABLE gone",
        "DROP TABLE segment",
        "DROP TABLE totals",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE TABLE mine(a)",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'vector'",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2 WHERE name = "
        "'clip_video'",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql || ' ' WHERE name = "
        "'clip'",
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'path'",
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM sqlite_schema",
        "PRAGMA user_version = 1",
        "PRAGMA user_version = 2",
        "PRAGMA user_version = 99",
        "PRAGMA user_version = -1",
        "PRAGMA application_id = 1",
        "PRAGMA journal_mode = DELETE",
    };
    const char *text = texts[roll(m, sizeof texts / sizeof *texts)];
    sql(m, text);
    note(m, "%.60s; ", text);
}

static unsigned char *slurp(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0) fatal(path);
    unsigned char *bytes = malloc((size_t)st.st_size + 1);
    if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size) fatal(path);
    close(fd);
    *n = (size_t)st.st_size;
    return bytes;
}

static void spill(const char *path, const unsigned char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) fatal(path);
    close(fd);
}

static void scatter(mutant *m, unsigned char *bytes, size_t from, size_t to)
{
    static const unsigned char odd[] = {0, 0xff, 0x7f, 0x80, 1};
    int times = 1 + (int)roll(m, 4);
    while (times-- > 0 && to > from) {
        size_t at = from + roll(m, to - from), n = 1 + roll(m, 8);
        for (size_t i = at; i < at + n && i < to; i++)
            bytes[i] = roll(m, 2) ? odd[roll(m, sizeof odd)] : (unsigned char)roll(m, 256);
    }
}

/* A segment's file, sealed again from its blocks to the catalog's row. */
static void change_copy(mutant *m)
{
    char path[400], name[200] = "";
    sqlite3_stmt *s = NULL;
    ks_segment_layout l;
    ks_segment_header h;
    size_t n;
    if (sqlite3_prepare_v2(m->db, "SELECT file FROM segment", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        snprintf(name, sizeof name, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    snprintf(path, sizeof path, "%s/%s", work, name);
    if (!name[0] || strchr(name, '/') || access(path, R_OK) != 0) return;
    unsigned char *bytes = slurp(path, &n);
    int head = roll(m, 3) == 0;
    if (head) scatter(m, bytes, 8, offsetof(ks_segment_header, self));
    else scatter(m, bytes, KS_SEGMENT_HEADER, n);
    memcpy(&h, bytes, sizeof h);
    if (!head && ks_segment_lay(&l, h.rows, h.runs, h.dim) == 0 && l.bytes == n) {
        if (roll(m, 2)) scatter(m, bytes, l.scales, l.hashes); /* numbers rather than vectors */
        for (uint64_t b = 0; b < l.blocks; b++) {
            uint64_t at = KS_SEGMENT_HEADER + b * KS_SEGMENT_BLOCK, left = l.hashes - at;
            uint64_t hash = XXH3_64bits(bytes + at,
                                        left < KS_SEGMENT_BLOCK ? left : KS_SEGMENT_BLOCK);
            memcpy(bytes + l.hashes + 8 * b, &hash, 8);
        }
        h.hashes = XXH3_64bits(bytes + l.hashes, l.blocks * 8);
    }
    h.self = XXH3_64bits(&h, offsetof(ks_segment_header, self));
    memcpy(bytes, &h, sizeof h);
    spill(path, bytes, n);
    free(bytes);
    sqlite3_stmt *u = NULL;
    if (sqlite3_prepare_v2(
            m->db,
            "UPDATE segment SET header = ?1, rows = ?2, from_generation = ?3, to_generation = ?4",
            -1, &u, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(u, 1, (int64_t)XXH3_64bits(&h, sizeof h));
        sqlite3_bind_int64(u, 2, h.rows);
        sqlite3_bind_int64(u, 3, h.from);
        sqlite3_bind_int64(u, 4, h.to);
        sqlite3_step(u);
    }
    sqlite3_finalize(u);
    for (const ks_table *t = ks_tables; t->name; t++)
        if (t->tag == KS_T_SEGMENT) seal(m, t);
    note(m, "%s of the search copy; ", head ? "header" : "bytes");
}

/* The hashes of what the lists hold now; was: the header as it was before this step. One that an
 * earlier step changed does not say any more where they are. */
static uint64_t rehash_lists(unsigned char *bytes, size_t n, const ks_ann_header *was)
{
    size_t each = ks_ann_row_bytes((int)was->dim), lists = n - (size_t)was->rows * each,
           count = (size_t)was->lists, at = lists;
    int64_t first[2];
    if (was->rows <= 0 || was->rows > 1000000 || was->lists <= 0 || was->lists > was->rows ||
        was->dim > KS_MAX_DIM ||
        4096 + (2 * count * was->dim + 7) / 8 * 8 + 8 * (2 * count + 1) +
                (size_t)was->rows * each !=
            n)
        return was->tables;
    for (size_t i = 0; i < count; i++) {
        memcpy(first, bytes + lists - 8 * (2 * count + 1 - i), sizeof first);
        size_t rows = first[1] >= first[0] && first[1] <= was->rows ? (size_t)(first[1] - first[0])
                                                                    : 0;
        if (rows * each > n - at) rows = 0;
        uint64_t hash = XXH3_64bits(bytes + at, rows * each);
        memcpy(bytes + lists - 8 * (count - i), &hash, sizeof hash);
        at += rows * each;
    }
    return XXH3_64bits(bytes + 4096, lists - 4096);
}

static void change_lists(mutant *m)
{
    char path[400], name[200] = "";
    sqlite3_stmt *s = NULL;
    ks_ann_header h, was;
    size_t n;
    int64_t segment = 0;
    if (sqlite3_prepare_v2(m->db, "SELECT ann_file, header FROM segment", -1, &s, NULL) ==
            SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW) {
        snprintf(name, sizeof name, "%s", (const char *)sqlite3_column_text(s, 0));
        segment = sqlite3_column_int64(s, 1);
    }
    sqlite3_finalize(s);
    snprintf(path, sizeof path, "%s/%s", work, name);
    if (!name[0] || strchr(name, '/') || access(path, R_OK) != 0) return;
    unsigned char *bytes = slurp(path, &n);
    int where = (int)roll(m, 3);
    memcpy(&was, bytes, sizeof was);
    scatter(m, bytes, where == 0 ? 8 : 4096,
            where == 0   ? offsetof(ks_ann_header, self)
            : where == 1 ? 4300
                         : n);
    memcpy(&h, bytes, sizeof h);
    h.segment = (uint64_t)segment;
    h.tables = rehash_lists(bytes, n, &was);
    h.self = XXH3_64bits(&h, offsetof(ks_ann_header, self));
    memcpy(bytes, &h, sizeof h);
    spill(path, bytes, n);
    free(bytes);
    char text[200];
    snprintf(text, sizeof text, "UPDATE segment SET recall = 1.0, ann_hash = %lld",
             (long long)XXH3_64bits(&h, sizeof h));
    sql(m, text);
    for (const ks_table *t = ks_tables; t->name; t++)
        if (t->tag == KS_T_SEGMENT) seal(m, t);
    note(m, "lists of the search copy; ");
}

static void change_pages(mutant *m)
{
    char path[400];
    size_t n;
    snprintf(path, sizeof path, "%s/catalog.db", work);
    unsigned char *bytes = slurp(path, &n);
    for (int i = 1 + (int)roll(m, 3); i > 0; i--) {
        size_t page = roll(m, n / 4096) * 4096;
        /* headers, pointers of cells */
        if (roll(m, 2)) scatter(m, bytes, page + (page ? 0 : 100), page + 12 + roll(m, 300));
        else scatter(m, bytes, page + (page ? 0 : 16), page + 4096);
    }
    spill(path, bytes, n);
    free(bytes);
    note(m, "bytes of pages; ");
}

/* A view made one step before may never end; then the step after it changes nothing. */
static int enough(void *arg) { return ++*(int *)arg > 100; }

static void mutate(mutant *m)
{
    char path[400];
    int steps = 0;
    snprintf(path, sizeof path, "%s/catalog.db", work);
    if (sqlite3_open(path, &m->db) != SQLITE_OK || ks_row_sum_register(m->db) != SQLITE_OK)
        fatal("sqlite");
    sqlite3_progress_handler(m->db, 100000, enough, &steps);
    sql(m, "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF");
    int pages = 0;
    for (int i = 1 + (int)roll(m, 3); i > 0; i--) {
        uint64_t kind = roll(m, 23);
        if (kind < 9) change_row(m);
        else if (kind < 10) drop_row(m);
        else if (kind < 12) change_schema(m);
        else if (kind < 15) change_copy(m);
        else if (kind < 18) change_lists(m);
        else if (kind < 21) change_words(m);
        else pages = 1;
    }
    sql(m, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(m->db);
    if (pages) change_pages(m);
}

/* --- everything that reads --- */
static int count(void *arg, const ks_clip *clips, const float *scores, int n)
{
    (void)clips, (void)scores;
    *(int64_t *)arg += n;
    return 0;
}

static void read_rows(ks_index *x)
{
    ks_error e;
    ks_cursor *c = NULL;
    ks_video v;
    ks_clip clip;
    int code;
    for (int i = 0; i < 2; i++) {
        if (ks_index_files(&c, x, &(ks_filter){.bad_only = i}, &e) >= 0)
            while ((code = ks_files_next(&v, c, &e)) > 0 ||
                   (code == KS_EDAMAGED && x->mode != KS_READ))
                if (v.path && v.reason && strlen(v.path) + strlen(v.reason) > 10000) abort();
        ks_cursor_close(c);
        c = NULL;
        if (ks_index_snapshot(x, &e) < 0) return;
        if (ks_index_clips(&c, x, &(ks_filter){.unfinished_too = i}, &e) >= 0)
            while ((code = ks_clips_next(&clip, c, &e)) > 0) {
                uint8_t *jpeg = NULL;
                size_t bytes;
                float *frames = NULL, vector[D];
                int n;
                if (ks_index_clip_vector(vector, D, x, clip.id, &e) == 0 && !(vector[0] < 1e30f))
                    code = 0;
                if (ks_index_thumbnail(&jpeg, &bytes, x, clip.id, &e) == 0) free(jpeg);
                if (ks_index_frame_vectors(&frames, &n, D, x, clip.id, &e) == 0) free(frames);
                ks_index_video(&v, x, clip.video, &e);
            }
        ks_cursor_close(c);
        c = NULL;
        ks_index_release(x);
    }
}

static int sum_lines(void *arg, const ks_subtitle_line *line)
{
    *(int64_t *)arg += (int64_t)strlen(line->text) + (line->end_us > line->start_us);
    return 0;
}

static int count_files(void *arg, const ks_subtitle_file *f)
{
    *(int64_t *)arg += (int64_t)(strlen(f->path) + strlen(f->note));
    return 0;
}

/* Words in names and in what is said: FTS5 over pages that somebody else wrote. */
static void ask_texts(ks_index *x)
{
    static const char *const words[] = {"f3", "f1 OR f2", "films -f2", "\"f f\" 0", "zebra"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ks_error e;
        char *match;
        int64_t video[20];
        int n;
        if (ks_match_read(&match, "words", words[i], &e) < 0) fatal(e.msg);
        ks_index_named(video, &n, 20, x, match, NULL, &e);
        free(match);
    }
    static const char *const said[] = {"fox", "\"lazy dog\" -fox", "the", "f3"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        ks_error e;
        char *match;
        int64_t bytes = 0, n = 0;
        ks_found found;
        float q[D];
        lib_vector(q, D, 1, 5000015);
        if (ks_match_read(&match, "said", said[i], &e) < 0) fatal(e.msg);
        ks_index_subtitles(x, match, NULL, NULL, sum_lines, &bytes, &e);
        if (ks_index_search(&found, x, q, D, 100, &(ks_filter){.said = match}, KS_SEARCH_EXACT,
                            &e) == 0)
            ks_found_free(&found);
        free(match);
        ks_index_subtitle_files(x, count_files, &n, &e);
    }
}

static void ask(ks_index *x)
{
    static const ks_filter filters[] = {{0},          {.path_glob = "*.mp4"},
                                        {.after = 1}, {.longer = 1},
                                        {.video = 3}, {.path_glob = "1/*"}};
    ks_error e;
    float q[D];
    ks_scale *scale = NULL;
    int64_t n = 0;
    lib_vector(q, D, 1, 5000015);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        for (int how = 0; how < 3; how++) {
            ks_found found;
            if (ks_index_search(&found, x, q, D, how ? 1000 : 5, &filters[i], (ks_search)how, &e) ==
                0)
                ks_found_free(&found);
        }
    ks_index_scores(x, q, 1, D, NULL, count, &n, &e);
    if (ks_scale_open(&scale, x, NULL, &e) < 0) return;
    for (int i = 0; i < 8; i++) {
        ks_hits hits;
        ks_query_options o = {.k = i % 2 ? 100 : 3,
                              .all = i & 1,
                              .vector_query = i & 2,
                              .unfolded = i & 4,
                              .first_clip = i == 2 ? 3 : 0,
                              .how = (ks_search)(i % 3)};
        if (ks_index_snapshot(x, &e) < 0) break;
        if (ks_query_run(&hits, x, scale, q, D, &o, &e) == 0) ks_hits_free(&hits);
        ks_index_release(x);
    }
    ks_scale_close(scale);
}

/* Exit code of the child: 0, or 1 = check found nothing where a row is rotten. */
static int read_all(int rot)
{
    ks_error e = {0};
    ks_index *x;
    int said = 1;
    if (ks_index_open(&x, work, KS_READ, &e) == 0) {
        ks_library *library = malloc(sizeof *library);
        ks_index_state state;
        if (library) ks_index_library(library, x, &e);
        ks_index_status(&state, x, &e);
        free(library);
        read_rows(x);
        ask_texts(x);
        ask(x);
        said = ks_index_check(x, NULL, NULL, &e);
        ks_index_close(x);
    }
    return rot && said == 0;
}

static int judge(uint64_t seed, int64_t number, int verbose)
{
    mutant m = {.seed = seed * 1000003 + (uint64_t)number};
    int status = 0;
    fresh_copy();
    mutate(&m);
    if (verbose) fprintf(stderr, "mutant %lld: %s\n", (long long)number, m.what);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS + 1});
        alarm(PATIENCE);
        _exit(read_all(m.rot != 0));
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
    printf("# mutant %lld (%s): %s %d\n", (long long)number, m.what,
           WIFSIGNALED(status) ? WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU
                                     ? "did not end, signal"
                                     : "died by signal"
                               : "called sound, or exit",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return 1;
}

int main(int argc, char **argv)
{
    int bad = 0;
    if (argc < 4) return 2;
    uint64_t seed = strtoull(argv[1], NULL, 10);
    int64_t first = atoll(argv[2]), n = atoll(argv[3]);
    make_base();
    if (argc > 4) {
        mutant m = {.seed = seed * 1000003 + (uint64_t)first};
        snprintf(work, sizeof work, "%s", argv[4]);
        fresh_copy();
        mutate(&m);
        printf("%s\n", m.what);
        lib_remove_dir(base);
        return 0;
    }
    lib_new_dir(work);
    for (int64_t i = first; i < first + n; i++) bad += judge(seed, i, n == 1);
    printf("%s - %lld hostile libraries (seed %llu): %d died, did not end or were called sound\n",
           bad ? "not ok" : "ok", (long long)n, (unsigned long long)seed, bad);
    lib_remove_dir(base);
    lib_remove_dir(work);
    return bad > 0;
}
