/* subtitle_rows.c - tables `subtitle_file`, `subtitle` and `subtitle_words`: what is said in films,
 * line by line, and FTS5 over it.
 *
 * A row of subtitle_file is one place that was read: the film itself (path empty), or a file beside
 * it. Its lines go in and out with it, in one transaction. The words are found by subtitle_words,
 * which has no text of its own: a line is taken out by saying it again. */
#include "index/filter.h"
#include "index/kept.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- writing --- */
static int drop_file(ks_index *x, int64_t file, ks_error *e)
{
    int code = ks_run(x, e,
                      "INSERT INTO subtitle_words(subtitle_words, rowid, text) "
                      "SELECT 'delete', id, text FROM subtitle WHERE file = ?1",
                      "l", file);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM subtitle WHERE file = ?1", "l", file);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM subtitle_file WHERE id = ?1", "l", file);
    return code;
}

static int put_lines(ks_index *x, int64_t file, const ks_subtitle_line *line, int n, ks_error *e)
{
    int64_t id = 0;
    int code = ks_integer(&id, x, e, "SELECT coalesce(max(id), 0) FROM subtitle", "");
    for (int i = 0; i < n && code >= 0; i++) {
        id++;
        code = ks_run(x, e,
                      "INSERT INTO subtitle VALUES(?1, ?2, ?3, ?4, ?5, ks_sum(29, ?1, ?2, ?3, ?4, "
                      "?5))",
                      "llllt", id, file, line[i].start_us, line[i].end_us, line[i].text);
        if (code >= 0)
            code = ks_run(x, e, "INSERT INTO subtitle_words(rowid, text) VALUES(?1, ?2)", "lt", id,
                          line[i].text);
    }
    return code;
}

static int file_of(int64_t *file, ks_index *x, int64_t video, const char *path, ks_error *e)
{
    return ks_integer(file, x, e, "SELECT id FROM subtitle_file WHERE video = ?1 AND path = ?2",
                      "lb", video, path, strlen(path));
}

static int put_all(ks_index *x, const ks_subtitle_file *f, const ks_subtitle_line *line, int n,
                   ks_error *e)
{
    int64_t file = 0;
    int code = file_of(&file, x, f->video, f->path, e);
    if (code >= 0 && file) code = drop_file(x, file, e);
    if (code >= 0)
        code = ks_integer(&file, x, e, "SELECT coalesce(max(id), 0) + 1 FROM subtitle_file", "");
    if (code >= 0)
        code = ks_run(x, e,
                      "INSERT INTO subtitle_file VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ks_sum(28, ?1, "
                      "?2, ?3, ?4, ?5, ?6, ?7))",
                      "llblltl", file, f->video, f->path, strlen(f->path), f->stat.size,
                      f->stat.mtime_ns, f->note ? f->note : "", (int64_t)n);
    if (code >= 0) code = put_lines(x, file, line, n, e);
    return code < 0 ? code : ks_kept_subtitles(x, f->video, f->path, f, line, n, e);
}

int ks_index_put_subtitles(ks_index *x, const ks_subtitle_file *f, const ks_subtitle_line *line,
                           int n, ks_error *e)
{
    assert(x && f && f->path && n >= 0);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, put_all(x, f, line, n, e), e);
}

int ks_index_drop_subtitles(ks_index *x, int64_t video, const char *path, ks_error *e)
{
    int64_t file = 0;
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = file_of(&file, x, video, path, e);
    if (code >= 0 && file) code = drop_file(x, file, e);
    if (code >= 0 && file) code = ks_kept_subtitles(x, video, path, NULL, NULL, 0, e);
    return ks_end(x, code, e);
}

int ks_subtitles_drop_film(ks_index *x, int64_t video, ks_error *e)
{
    for (;;) {
        int64_t file = 0;
        int code = ks_integer(&file, x, e, "SELECT min(id) FROM subtitle_file WHERE video = ?1",
                              "l", video);
        if (code < 0 || file == 0) return code;
        if ((code = drop_file(x, file, e)) < 0) return code;
    }
}

/* --- what was read --- */
int ks_index_subtitle_files(ks_index *x, ks_on_subtitle_file *each, void *arg, ks_error *e)
{
    char path[KS_MAX_PATH + 1];
    if (x->version < KS_SUBTITLES_SINCE) return 0;
    sqlite3_stmt *s = ks_statement(
        x, "SELECT id, video, path, size, mtime_ns, note, lines, sum FROM subtitle_file", e);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        size_t n = (size_t)sqlite3_column_bytes(s, 2);
        /* a rotten row is as good as none: it is read again */
        if (n > KS_MAX_PATH || !ks_row_ok(s, KS_T_SUBTITLE_FILE, 0, 7)) continue;
        if (n) memcpy(path, sqlite3_column_blob(s, 2), n);
        path[n] = 0;
        ks_subtitle_file f = {
            .video = sqlite3_column_int64(s, 1),
            .path = path,
            .stat = {.size = sqlite3_column_int64(s, 3), .mtime_ns = sqlite3_column_int64(s, 4)},
            .note = (const char *)sqlite3_column_text(s, 5),
            .lines = sqlite3_column_int64(s, 6)};
        if ((code = each(arg, &f)) == 0) continue;
        sqlite3_reset(s);
        return code < 0 ? ks_fail(e, code, "%s: out of memory", x->dir) : 0;
    }
    return code;
}

int ks_index_has_subtitles(ks_index *x, ks_error *e)
{
    int64_t n = 0;
    if (x->version < KS_SUBTITLES_SINCE) return 0;
    int code = ks_integer(&n, x, e, "SELECT EXISTS(SELECT 1 FROM subtitle)", "");
    return code < 0 ? code : n > 0;
}

/* --- asking --- */
int ks_index_subtitles(ks_index *x, const char *match, const ks_filter *f,
                       const ks_subtitle_part *part, ks_on_subtitle_line *each, void *arg,
                       ks_error *e)
{
    const ks_subtitle_part all = {INT64_MIN, INT64_MAX};
    ks_subtitle_line last = {0};
    char *text = NULL;
    if (x->version < KS_SUBTITLES_SINCE) return 0;
    if (!part) part = &all;
    /* the same line often stands in a film and beside it */
    sqlite3_stmt *s = ks_filter_statement(
        x,
        "SELECT s.id, s.file, s.start_us, s.stop_us, s.text, s.sum, v.id "
        "FROM subtitle_words w JOIN subtitle s ON s.id = w.rowid JOIN subtitle_file b ON b.id = "
        "s.file JOIN video v ON v.id = b.video WHERE w.subtitle_words MATCH ?7 AND s.start_us < "
        "?9 AND s.stop_us > ?8 AND v.finished > 0 ",
        f, KS_WHERE_FILM | KS_WHERE_PATHS,
        "ORDER BY (SELECT min(p.path) FROM path p WHERE p.video = v.id), v.id, s.start_us, s.text, "
        "s.stop_us",
        e);
    if (!s) return e ? e->code : KS_EIO;
    sqlite3_bind_text(s, 7, match, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 8, part->from_us);
    sqlite3_bind_int64(s, 9, part->to_us);
    int code = 0, stop = 0;
    while (!stop && (code = ks_step(s, x, e)) > 0) {
        if (!ks_row_ok(s, KS_T_SUBTITLE, 0, 5)) {
            ks_note_rotten(x, KS_T_SUBTITLE, sqlite3_column_int64(s, 0));
            continue;
        }
        ks_subtitle_line line = {sqlite3_column_int64(s, 6), sqlite3_column_int64(s, 2),
                                 sqlite3_column_int64(s, 3),
                                 (const char *)sqlite3_column_text(s, 4)};
        if (text && line.video == last.video && line.start_us < last.end_us &&
            strcmp(line.text, text) == 0)
            continue;
        last = line;
        free(text);
        text = strdup(line.text);
        stop = text ? each(arg, &line) : KS_ENOMEM;
    }
    sqlite3_reset(s);
    free(text);
    if (stop < 0) return ks_fail(e, stop, "%s: out of memory", x->dir);
    return code < 0 ? code : 0;
}
