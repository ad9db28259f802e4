/* video_rows.c - videos (one per content) and their paths. */
#include "index/catalog.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ks_video_read(ks_video_row *out, ks_index *x, int64_t id, ks_error *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = ks_bound(
        x, e,
        "SELECT id, content, space, finished, verdict, reason, attempts, tb_num, tb_den, duration, "
        "seconds_missing, film_date, date_source, width, height, fps, flags, clips, sum FROM video "
        "WHERE id = ?1",
        "l", id);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0) return code;
    if (!ks_video_from_row(out, s, 0)) code = ks_rotten(x, e, KS_T_VIDEO, id);
    sqlite3_reset(s);
    if (code > 0 && ks_source_read(&out->v, x, e) < 0) code = e ? e->code : KS_EIO;
    return code;
}

int ks_video_from_row(ks_video_row *out, sqlite3_stmt *s, int at)
{
    ks_video *v = &out->v;
    if (!ks_row_ok(s, KS_T_VIDEO, at, 18) ||
        sqlite3_column_bytes(s, at + 1) != (int)sizeof v->content)
        return 0;
    v->id = sqlite3_column_int64(s, at);
    memcpy(v->content, sqlite3_column_blob(s, at + 1), sizeof v->content);
    out->space = sqlite3_column_int64(s, at + 2);
    out->finished = sqlite3_column_int64(s, at + 3);
    v->verdict = (ks_verdict)sqlite3_column_int(s, at + 4);
    snprintf(out->reason, sizeof out->reason, "%s", (const char *)sqlite3_column_text(s, at + 5));
    v->reason = out->reason;
    v->attempts = sqlite3_column_int(s, at + 6);
    v->tb.num = sqlite3_column_int(s, at + 7);
    v->tb.den = sqlite3_column_int(s, at + 8);
    v->duration = sqlite3_column_int64(s, at + 9);
    v->seconds_missing = sqlite3_column_double(s, at + 10);
    v->film_date = sqlite3_column_int64(s, at + 11);
    v->date_source = sqlite3_column_int(s, at + 12);
    v->width = sqlite3_column_int(s, at + 13);
    v->height = sqlite3_column_int(s, at + 14);
    v->fps = sqlite3_column_double(s, at + 15);
    v->flags = sqlite3_column_int(s, at + 16);
    out->clips = sqlite3_column_int64(s, at + 17);
    v->path = "";
    return v->id > 0 && v->tb.num > 0 && v->tb.den > 0;
}

/* What the film's row adds to the sums, or takes away. */
static int count_film(ks_index *x, int64_t video, int times, ks_error *e)
{
    ks_totals t;
    int code = ks_film_totals(&t, x, video, e);
    if (code >= 0) ks_totals_add(x, &t, times);
    return code;
}

/* The paths that the last statement deleted, or the one that it brought. */
static void count_paths(ks_index *x, int64_t n) { ks_totals_add(x, &(ks_totals){.paths = n}, 1); }

int ks_video_write(const ks_video_row *r, ks_index *x, ks_error *e)
{
    const ks_video *v = &r->v;
    int num = v->tb.num > 0 ? v->tb.num : 1, den = v->tb.den > 0 ? v->tb.den : 1;
    int code = count_film(x, v->id, -1, e);
    if (code >= 0)
        code = ks_run(x, e,
                      "REPLACE INTO video VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                      "?12, ?13, ?14, ?15, ?16, ?17, ?18, "
                      "ks_sum(3, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
                      "?16, ?17, ?18))",
                      "lbllitiiildliiidil", v->id, v->content, sizeof v->content, r->space,
                      r->finished, (int)v->verdict, v->reason ? v->reason : "", v->attempts, num,
                      den, v->duration, v->seconds_missing, v->film_date, v->date_source, v->width,
                      v->height, v->fps, v->flags, r->clips);
    if (code >= 0) code = ks_source_write(v, x, e);
    return code < 0 ? code : count_film(x, v->id, 1, e);
}

static int visible_clips(int64_t *n, ks_index *x, int64_t video, int64_t space, ks_error *e)
{
    return ks_integer(n, x, e, "SELECT count(*) FROM clip WHERE video = ?1 AND space = ?2", "ll",
                      video, space);
}

int ks_video_hide(ks_index *x, ks_library_row *library, ks_video_row *row, ks_error *e)
{
    int64_t clips = 0;
    if (row->finished == 0) return 0;
    int code = visible_clips(&clips, x, row->v.id, library->space, e);
    if (code < 0) return code;
    library->generation++;
    library->videos--;
    library->clips -= clips;
    code = ks_run(x, e, "REPLACE INTO gone VALUES(?1, ?2, ?3, ks_sum(12, ?1, ?2, ?3))", "lll",
                  library->generation, row->v.id, row->finished);
    row->finished = 0;
    return code;
}

int ks_video_show(ks_index *x, ks_library_row *library, ks_video_row *row, ks_error *e)
{
    int64_t clips = 0;
    assert(row->finished == 0);
    int code = visible_clips(&clips, x, row->v.id, library->space, e);
    if (code >= 0) code = visible_clips(&row->clips, x, row->v.id, row->space, e);
    if (code < 0) return code;
    library->generation++;
    library->videos++;
    library->clips += clips;
    row->finished = library->generation;
    return 0;
}

/* A video without clips in any space and without paths leaves no row. */
int ks_video_drop(ks_index *x, int64_t id, ks_error *e)
{
    ks_library_row library;
    ks_video_row row;
    int code = ks_library_read(&library, x, e);
    if (code < 0) return code;
    code = ks_video_read(&row, x, id, e);
    if (code <= 0) return code;
    code = ks_video_hide(x, &library, &row, e);
    if (code >= 0) code = ks_clips_delete(x, id, 0, e);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM path WHERE video = ?1", "l", id);
    if (code >= 0) count_paths(x, -sqlite3_changes(x->db));
    if (code >= 0) code = ks_run(x, e, "DELETE FROM file_hash WHERE video = ?1", "l", id);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM source_time WHERE video = ?1", "l", id);
    if (code >= 0) code = ks_index_put_keys(x, id, &(ks_keys){0}, e);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM saved_hit WHERE video = ?1", "l", id);
    if (code >= 0) code = ks_labels_drop_film(x, id, e);
    if (code >= 0) code = ks_name_drop(x, id, e);
    if (code >= 0) code = ks_subtitles_drop_film(x, id, e);
    if (code >= 0) code = count_film(x, id, -1, e);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM video WHERE id = ?1", "l", id);
    return code < 0 ? code : ks_library_write(&library, x, e);
}

static int drop_if_pathless(ks_index *x, int64_t video, ks_error *e)
{
    int64_t paths = 0;
    int code = ks_integer(&paths, x, e, "SELECT count(*) FROM path WHERE video = ?1", "l", video);
    if (code < 0) return code;
    return paths > 0 ? ks_name_keep(x, video, e) : ks_video_drop(x, video, e);
}

static int put_path(ks_index *x, const ks_video *v, int64_t video, ks_error *e)
{
    int64_t old = 0;
    size_t n = strlen(v->path);
    if (n > KS_MAX_PATH)
        return ks_fail(e, KS_EUSAGE, "%.200s ...: the path has %zu bytes, more than %d", v->path, n,
                       KS_MAX_PATH);
    int code = ks_integer(&old, x, e, "SELECT video FROM path WHERE path = ?1", "b", v->path, n);
    if (code < 0) return code;
    code = ks_run(
        x, e, "REPLACE INTO path VALUES(?1, ?2, ?3, ?4, ?5, ?6, ks_sum(4, ?1, ?2, ?3, ?4, ?5, ?6))",
        "blllll", v->path, n, video, v->stat.size, v->stat.mtime_ns, (int64_t)v->stat.device,
        (int64_t)v->stat.inode);
    if (code >= 0 && old == 0) count_paths(x, 1);
    if (code >= 0 && old != video) code = ks_name_keep(x, video, e);
    if (code < 0 || old == 0 || old == video) return code;
    return drop_if_pathless(x, old, e);
}

static int add_video(int64_t *id, ks_index *x, const ks_video *v, ks_error *e)
{
    ks_library_row library;
    ks_video_row row;
    int code = ks_integer(id, x, e, "SELECT id FROM video WHERE content = ?1", "b", v->content,
                          sizeof v->content);
    if (code < 0) return code;
    if (*id != 0) return put_path(x, v, *id, e);
    code = ks_library_read(&library, x, e);
    if (code < 0) return code;
    *id = library.next_video++;
    memset(&row, 0, sizeof row);
    row.v = *v;
    row.v.id = *id;
    row.v.verdict = KS_VERDICT_NONE;
    code = ks_video_write(&row, x, e);
    if (code >= 0) code = ks_library_write(&library, x, e);
    return code < 0 ? code : put_path(x, v, *id, e);
}

int ks_index_add_video(int64_t *id, ks_index *x, const ks_video *video, ks_error *e)
{
    assert(id && x && video && video->path);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, add_video(id, x, video, e), e);
}

static int end_video(ks_index *x, const ks_video *v, ks_error *e)
{
    ks_library_row library;
    ks_video_row row;
    int code = ks_library_read(&library, x, e);
    if (code < 0) return code;
    code = ks_video_read(&row, x, v->id, e);
    if (code < 0) return code;
    if (code == 0)
        return ks_fail(e, KS_ENOTFOUND, "%s: video %lld is not there", x->dir, (long long)v->id);
    code = ks_video_hide(x, &library, &row, e);
    if (code < 0) return code;
    row.v = *v;
    row.space = row.clips = 0;
    if (v->verdict == KS_VERDICT_INDEXED || v->verdict == KS_VERDICT_PARTLY) {
        row.space = library.writing;
        code = ks_video_show(x, &library, &row, e);
    } else if (v->verdict != KS_VERDICT_NONE) {
        code = ks_clips_delete(x, v->id, 0, e);
        if (code >= 0) code = ks_index_put_keys(x, v->id, &(ks_keys){0}, e);
        if (code >= 0) code = ks_labels_drop_film(x, v->id, e);
        if (code >= 0) code = ks_subtitles_drop_film(x, v->id, e);
    }
    if (code >= 0) code = ks_video_write(&row, x, e);
    if (code >= 0) code = ks_library_write(&library, x, e);
    if (code >= 0 && v->path && v->path[0]) code = put_path(x, v, v->id, e);
    if (code >= 0 && v->full_hash) code = ks_index_put_full_hash(x, v->id, v->full_hash, e);
    return code;
}

int ks_index_put_full_hash(ks_index *x, int64_t video, uint64_t hash, ks_error *e)
{
    assert(x && video > 0);
    return ks_run(x, e, "REPLACE INTO file_hash VALUES(?1, ?2, ks_sum(13, ?1, ?2))", "ll", video,
                  (int64_t)hash);
}

int ks_index_full_hash(uint64_t *hash, ks_index *x, int64_t video, ks_error *e)
{
    assert(hash && x);
    *hash = 0;
    if (x->version < 2) return 0;
    sqlite3_stmt *s = ks_bound(x, e, "SELECT video, hash, sum FROM file_hash WHERE video = ?1", "l",
                               video);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    /* a rotten row is as good as none: the file says it again */
    if (code > 0 && !ks_row_ok(s, KS_T_FILE_HASH, 0, 2)) code = 0;
    if (code > 0) *hash = (uint64_t)sqlite3_column_int64(s, 1);
    sqlite3_reset(s);
    return code;
}

int ks_index_end_video(ks_index *x, const ks_video *video, ks_error *e)
{
    assert(x && video && video->id > 0);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, end_video(x, video, e), e);
}

int ks_index_set_path(ks_index *x, const ks_video *video, ks_error *e)
{
    assert(x && video && video->id > 0 && video->path);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, put_path(x, video, video->id, e), e);
}

int ks_index_drop_path(ks_index *x, const char *path, ks_error *e)
{
    assert(x && path);
    int64_t video = 0;
    size_t n = strlen(path);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_integer(&video, x, e, "SELECT video FROM path WHERE path = ?1", "b", path, n);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM path WHERE path = ?1", "b", path, n);
    if (code >= 0) count_paths(x, -sqlite3_changes(x->db));
    if (code >= 0 && video) code = drop_if_pathless(x, video, e);
    return ks_end(x, code, e);
}

/* May video take this path? Not from another one that has clips: they would be gone without a
 * word. */
static int is_free(ks_index *x, const char *path, int64_t video, ks_error *e)
{
    int64_t other = 0;
    int code = ks_integer(
        &other, x, e,
        "SELECT video FROM path p WHERE path = ?1 AND video <> ?2 AND EXISTS (SELECT 1 FROM clip c "
        "WHERE c.video = p.video)",
        "bl", path, strlen(path), video);
    if (code < 0 || other == 0) return code;
    return ks_fail(e, KS_EUSAGE,
                   "%s is another film of this library: nothing was relocated (kinoseek forget it "
                   "first, if it is gone)",
                   path);
}

/* from -> to for the path `from` itself and everything below it. One row: to + the rest. */
static int relocate_one(ks_index *x, const char *old, size_t from, const char *to, ks_error *e)
{
    ks_video v;
    size_t n = strlen(to), rest = strlen(old) - from;
    char *path = malloc(n + rest + 1), *kept = strdup(old);
    int code = path && kept ? 1 : ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (code > 0) {
        memcpy(path, to, n);
        memcpy(path + n, old + from, rest + 1);
        code = ks_index_find(&v, x, kept, e);
    }
    if (code > 0) {
        v.path = path;
        code = is_free(x, path, v.id, e);
        if (code >= 0) code = put_path(x, &v, v.id, e);
        if (code >= 0)
            code = ks_run(x, e, "DELETE FROM path WHERE path = ?1", "b", kept, strlen(kept));
        if (code >= 0) count_paths(x, -sqlite3_changes(x->db));
        if (code >= 0) code = ks_name_keep(x, v.id, e);
    }
    free(path);
    free(kept);
    return code < 0 ? code : 0;
}

/* Where one folder lies in the other, a new path may be the old one of a row that is still to be
 * moved: so all rows stand aside first, below a second '/'. */
static int relocate(int64_t *changed, ks_index *x, const char *from, const char *to, ks_error *e)
{
    size_t n = strlen(from), other = strlen(to);
    int aside = strncmp(from, to, n < other ? n : other) == 0;
    char *list = NULL, *p;
    size_t used = 0, room = 0;
    /* '0' follows '/': [from/, from0) is everything below the folder, and the primary key serves
     * it. */
    sqlite3_stmt *s = NULL;
    const char *sql = "SELECT path FROM path WHERE path = ?1 OR (path >= CAST(?1 || x'2f' AS BLOB) "
                      "AND path < CAST(?1 || x'30' AS BLOB))";
    if (sqlite3_prepare_v2(x->db, sql, -1, &s, NULL) != SQLITE_OK) return ks_sql_error(x, e);
    sqlite3_bind_blob(s, 1, from, (int)n, SQLITE_STATIC);
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        size_t bytes = (size_t)sqlite3_column_bytes(s, 0);
        if (used + bytes + 2 > room) {
            room = 2 * (used + bytes + 2) + 4096;
            p = realloc(list, room);
            if (!p) {
                code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
                break;
            }
            list = p;
        }
        list[used] = '/';
        memcpy(list + used + 1, sqlite3_column_blob(s, 0), bytes);
        list[used + 1 + bytes] = 0;
        used += bytes + 2;
    }
    sqlite3_finalize(s);
    for (size_t at = 0; at < used && code >= 0 && aside; at += strlen(list + at) + 1)
        code = relocate_one(x, list + at + 1, 0, "/", e);
    for (size_t at = 0; at < used && code >= 0; at += strlen(list + at) + 1) {
        code = aside ? relocate_one(x, list + at, n + 1, to, e)
                     : relocate_one(x, list + at + 1, n, to, e);
        if (code >= 0) ++*changed;
    }
    free(list);
    return code;
}

int ks_index_relocate(int64_t *changed, ks_index *x, const char *from, const char *to, ks_error *e)
{
    assert(changed && x && from && to);
    *changed = 0;
    if (strcmp(from, to) == 0) return 0;
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, relocate(changed, x, from, to, e), e);
}
