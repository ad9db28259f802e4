/* row_cursor.c - walking over files and clips; the filter as SQL. */
#include "index/filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ks_cursor {
    ks_index *x;
    sqlite3_stmt *s;
    char *sql; /* its text; NULL: no memory for it */
    ks_video_row row;
    char path[KS_MAX_PATH + 1];
    int over; /* the last row was given, or none can be */
};

#define VIDEO                                                                                      \
    "v.id, v.content, v.space, v.finished, v.verdict, v.reason, v.attempts, v.tb_num, v.tb_den, "  \
    "v.duration, "                                                                                 \
    "v.seconds_missing, v.film_date, v.date_source, v.width, v.height, v.fps, v.flags, v.clips, "  \
    "v.sum"
#define PATH "p.path, p.video, p.size, p.mtime_ns, p.device, p.inode, p.sum"
#define CLIP "c.id, c.video, c.space, c.start, c.stop, c.frames, c.reason, c.sum"
enum { AT_PATH = 19 };

/* The same question of another film, thousands of times: its text is not parsed again. */
static int take_spare(ks_cursor *c, const char *sql)
{
    if (!c->x->spare.sql || strcmp(c->x->spare.sql, sql) != 0) return 0;
    c->s = c->x->spare.s;
    c->sql = c->x->spare.sql;
    c->x->spare.s = NULL;
    c->x->spare.sql = NULL;
    return 1;
}

static void leave_spare(ks_cursor *c)
{
    sqlite3_finalize(c->x->spare.s);
    free(c->x->spare.sql);
    sqlite3_reset(c->s);
    sqlite3_clear_bindings(c->s);
    c->x->spare.s = c->s;
    c->x->spare.sql = c->sql;
}

static int start(ks_cursor **out, ks_index *x, const char *before, const ks_filter *f, int where,
                 const char *after, ks_error *e)
{
    char sql[KS_FILTER_SQL];
    *out = NULL;
    ks_cursor *c = calloc(1, sizeof *c);
    if (!c) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    c->x = x;
    ks_filter_sql(sql, before, f, where, after);
    if (!take_spare(c, sql)) {
        if (sqlite3_prepare_v2(x->db, sql, -1, &c->s, NULL) != SQLITE_OK) {
            free(c);
            return ks_sql_error(x, e);
        }
        c->sql = strdup(sql);
    }
    ks_filter_bind(c->s, f);
    *out = c;
    return 0;
}

void ks_cursor_close(ks_cursor *c)
{
    if (!c) return;
    if (c->sql) leave_spare(c);
    else sqlite3_finalize(c->s);
    free(c);
}

int ks_index_files(ks_cursor **c, ks_index *x, const ks_filter *f, ks_error *e)
{
    assert(c && x && !(f && f->video && f->bad_only));
    /* One film: from its row to its paths; else from the paths, which lie in their order. */
    const char *from = f && f->video ? "SELECT " VIDEO ", " PATH
                                       " FROM video v CROSS JOIN path p ON p.video = v.id WHERE 1 "
                       : f && f->bad_only
                           ? "SELECT " VIDEO ", " PATH
                             " FROM path p JOIN video v ON v.id = p.video WHERE v.verdict <> 1 "
                           : "SELECT " VIDEO ", " PATH
                             " FROM path p JOIN video v ON v.id = p.video WHERE 1 ";
    return start(c, x, from, f, KS_WHERE_FILM | KS_WHERE_PATH, "ORDER BY p.path", e);
}

/* The row's video with its path into c's own memory. */
static int take_video(ks_video *out, ks_cursor *c, ks_error *e)
{
    if (!ks_video_from_row(&c->row, c->s, 0))
        return ks_rotten(c->x, e, KS_T_VIDEO, sqlite3_column_int64(c->s, 0));
    size_t n = (size_t)sqlite3_column_bytes(c->s, AT_PATH);
    if (!ks_row_ok(c->s, KS_T_PATH, AT_PATH, 6) || n >= sizeof c->path)
        return ks_rotten(c->x, e, KS_T_PATH, c->row.v.id);
    if (n) memcpy(c->path, sqlite3_column_blob(c->s, AT_PATH), n);
    c->path[n] = 0;
    c->row.v.path = c->path;
    c->row.v.stat.size = sqlite3_column_int64(c->s, AT_PATH + 2);
    c->row.v.stat.mtime_ns = sqlite3_column_int64(c->s, AT_PATH + 3);
    c->row.v.stat.device = (uint64_t)sqlite3_column_int64(c->s, AT_PATH + 4);
    c->row.v.stat.inode = (uint64_t)sqlite3_column_int64(c->s, AT_PATH + 5);
    c->row.v.space = c->row.space;
    c->row.v.finished = c->row.finished;
    int code = ks_source_read(&c->row.v, c->x, e);
    if (code < 0) return code;
    *out = c->row.v;
    return 1;
}

/* SQLite would begin again after an error, and fail at the same page for ever. */
static int next_row(ks_cursor *c, ks_error *e)
{
    if (c->over) return 0;
    int code = ks_step(c->s, c->x, e);
    c->over = code <= 0;
    return code;
}

/* A reader goes on behind a rotten row, which is counted; a writer has to hear of it. */
static int left_out(const ks_cursor *c, int code)
{
    return code == KS_EDAMAGED && !c->over && c->x->mode == KS_READ;
}

int ks_files_next(ks_video *out, ks_cursor *c, ks_error *e)
{
    int code;
    assert(out && c);
    do {
        code = next_row(c, e);
        if (code > 0) code = take_video(out, c, e);
    } while (left_out(c, code));
    return code;
}

int ks_index_clips(ks_cursor **c, ks_index *x, const ks_filter *f, ks_error *e)
{
    assert(c && x);
    const char *from = f && f->unfinished_too
                           ? "SELECT " CLIP " FROM video v CROSS JOIN clip c ON c.video = v.id AND "
                             "c.space = (SELECT writing FROM library) WHERE 1 "
                           : "SELECT " CLIP " FROM video v CROSS JOIN clip c ON c.video = v.id AND "
                             "c.space = (SELECT space FROM library) "
                             "WHERE +v.finished > 0 ";
    return start(c, x, from, f, KS_WHERE_FILM | KS_WHERE_PATHS | KS_WHERE_CLIP,
                 "ORDER BY v.id, c.start, c.stop", e);
}

int ks_clips_next(ks_clip *out, ks_cursor *c, ks_error *e)
{
    int64_t space;
    int code;
    assert(out && c);
    do {
        code = next_row(c, e);
        if (code > 0 && !ks_clip_from_row(out, &space, c->s, 0))
            code = ks_rotten(c->x, e, KS_T_CLIP, sqlite3_column_int64(c->s, 0));
    } while (left_out(c, code));
    return code;
}

/* Where a stretch of ids holds nothing to search, the next one begins behind it: all in all one
 * walk at most. */
static int sample(ks_clip *out, int *n, int max, ks_index *x, ks_error *e)
{
    ks_library_row library;
    int64_t least = 1, space;
    int code = ks_library_read(&library, x, e);
    for (int i = 0; i < max && code >= 0; i++) {
        int64_t from = 1 + (library.next_clip - 1) / max * i +
                       (library.next_clip - 1) % max * i / max;
        sqlite3_stmt *s = ks_bound(
            x, e,
            "SELECT " CLIP " FROM clip c CROSS JOIN video v ON v.id = c.video WHERE c.id >= ?1 AND "
            "c.space = ?2 AND +v.finished > 0 ORDER BY c.id LIMIT 1",
            "ll", from > least ? from : least, library.space);
        if (!s) return e ? e->code : KS_EIO;
        code = ks_step(s, x, e);
        if (code <= 0) return code;
        /* of a forged row: perhaps the last one there is */
        int64_t id = sqlite3_column_int64(s, 0);
        least = id < INT64_MAX ? id + 1 : id;
        *n += ks_clip_from_row(&out[*n], &space, s, 0); /* a rotten one is none of the sample */
        sqlite3_reset(s);
    }
    return code < 0 ? code : 0;
}

int ks_index_sample(ks_clip *out, int *n, int max, ks_index *x, ks_error *e)
{
    assert(out && n && max > 0 && x);
    *n = 0;
    int code = ks_snapshot(x, e);
    return code < 0 ? code : ks_end(x, sample(out, n, max, x, e), e);
}

/* The handle keeps the row of the last single look-up, so that its pointers live until the next
 * one. */
static int single(ks_video *out, ks_index *x, const char *sql, const ks_video *key, ks_error *e)
{
    if (!x->found) x->found = calloc(1, sizeof *x->found);
    if (!x->found) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    x->found->x = x;
    x->found->s = ks_statement(x, sql, e);
    if (!x->found->s) return e ? e->code : KS_EIO;
    if (key->path)
        sqlite3_bind_blob(x->found->s, 1, key->path, (int)strlen(key->path), SQLITE_STATIC);
    else if (key->id) sqlite3_bind_int64(x->found->s, 1, key->id);
    else sqlite3_bind_blob(x->found->s, 1, key->content, sizeof key->content, SQLITE_STATIC);
    int code = 0, found = 0;
    /* a rotten path, then the next */
    while (found <= 0 && (code = ks_step(x->found->s, x, e)) > 0)
        found = take_video(out, x->found, e);
    if (code >= 0) code = found;
    sqlite3_reset(x->found->s);
    x->found->s = NULL; /* the cache owns it */
    return code;
}

int ks_index_video(ks_video *out, ks_index *x, int64_t id, ks_error *e)
{
    assert(out && x);
    int code = single(out, x,
                      "SELECT " VIDEO ", " PATH
                      " FROM video v JOIN path p ON p.video = v.id WHERE v.id = ?1 "
                      "ORDER BY p.path",
                      &(ks_video){.id = id}, e);
    if (code == 0)
        return ks_fail(e, KS_ENOTFOUND, "%s: video %lld is not there", x->dir, (long long)id);
    return code < 0 ? code : 0;
}

int ks_index_find(ks_video *out, ks_index *x, const char *path, ks_error *e)
{
    assert(out && x && path);
    return single(out, x,
                  "SELECT " VIDEO ", " PATH
                  " FROM path p JOIN video v ON v.id = p.video WHERE p.path = ?1",
                  &(ks_video){.path = path}, e);
}

int ks_index_find_content(ks_video *out, ks_index *x, const uint8_t content[24], ks_error *e)
{
    assert(out && x && content);
    ks_video key = {0};
    memcpy(key.content, content, sizeof key.content);
    return single(out, x,
                  "SELECT " VIDEO ", " PATH
                  " FROM video v JOIN path p ON p.video = v.id WHERE v.content = ?1 "
                  "ORDER BY p.path",
                  &key, e);
}
