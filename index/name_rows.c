/* name_rows.c - tables `film_name` and `film_words`: what a film and its folders are called, and
 * FTS5 over it.
 *
 * Derived from table `path` and the folders named to ingests, in the transaction that changes a
 * path. A name is the path below the outermost of those folders, without the ending; of a film
 * that was named by itself its folder and file. film_words holds no text of its own: what was
 * written there is taken out by saying it again, which is what film_name is kept for. */
#include "index/filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PATHS = 16, NAME_BYTES = 8192 }; /* of a film with hundreds of copies the first ones */

/* Where the name begins in path[n]. */
static size_t below(const char *path, size_t n, const char *folders, size_t bytes)
{
    size_t best = 0;
    for (size_t at = 0; at < bytes; at += strlen(folders + at) + 1) {
        size_t k = strlen(folders + at);
        while (k > 0 && folders[at + k - 1] == '/') k--;
        if (k < n && (!best || k < best) && memcmp(path, folders + at, k) == 0 && path[k] == '/')
            best = k + 1;
    }
    for (int slashes = 0; best == 0 && n > 0; n--)
        if (path[n - 1] == '/' && ++slashes == 2) best = n;
    return best;
}

static int is_lower(char c) { return c >= 'a' && c <= 'z'; }
static int is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/* One folder or file, as words; of "LakeWalk" also its halves. Bytes that no text has are
 * blanks. A NUL stands somewhere behind part[n]. */
static void put_part(FILE *f, const char *part, size_t n)
{
    int humps = 0;
    for (size_t i = 1; i < n; i++) humps |= is_lower(part[i - 1]) && is_upper(part[i]);
    for (int halves = 0; halves <= humps; halves++) {
        for (size_t i = 0; i < n;) {
            int k = ks_utf8_length(part + i);
            if (halves && i > 0 && is_lower(part[i - 1]) && is_upper(part[i])) putc(' ', f);
            if (k == 0 || (unsigned char)part[i] < ' ') putc(' ', f), i++;
            else fwrite(part + i, 1, (size_t)k, f), i += (size_t)k;
        }
        putc(' ', f);
    }
}

static void put_name(FILE *f, const char *path, size_t n, const char *folders, size_t bytes)
{
    size_t at = below(path, n, folders, bytes), slash = at, dot;
    for (size_t i = at; i < n; i++)
        if (path[i] == '/') slash = i + 1;
    for (dot = n; dot > slash + 1 && path[dot - 1] != '.'; dot--) {}
    if (dot > slash + 1) n = dot - 1;
    for (size_t end; at < n; at = end + 1) {
        for (end = at; end < n && path[end] != '/'; end++) {}
        put_part(f, path + at, end - at);
    }
    putc('\n', f);
}

/* *text malloc'ed, "" where it has no path. */
static int name_of(char **text, ks_index *x, int64_t video, ks_error *e)
{
    char path[KS_MAX_PATH + 1];
    void *folders = NULL;
    size_t bytes = 0, size = 0;
    ks_error ignored;
    *text = NULL;
    /* a rotten list of folders costs a few words, not the film */
    if (ks_index_get(&folders, &bytes, x, KS_FOLDERS_KEY, &ignored) < 0) folders = NULL, bytes = 0;
    if (bytes > 0 && ((char *)folders)[bytes - 1] != 0) bytes = 0;
    FILE *f = open_memstream(text, &size);
    sqlite3_stmt *s = f ? ks_bound(x, e,
                                   "SELECT path FROM path WHERE video = ?1 ORDER BY path LIMIT ?2",
                                   "li", video, PATHS)
                        : NULL;
    int code = !f  ? ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir)
               : s ? 1
               : e ? e->code
                   : KS_EIO;
    while (code > 0 && (code = ks_step(s, x, e)) > 0) {
        size_t n = (size_t)sqlite3_column_bytes(s, 0);
        if (n == 0 || n > KS_MAX_PATH || ftell(f) > NAME_BYTES) continue;
        memcpy(path, sqlite3_column_blob(s, 0), n);
        path[n] = 0;
        put_name(f, path, strlen(path), folders, bytes);
    }
    if (f && fclose(f) != 0 && code >= 0) code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    free(folders);
    return code;
}

/* *text malloc'ed, NULL: there is no row. */
static int kept(char **text, ks_index *x, int64_t video, ks_error *e)
{
    *text = NULL;
    sqlite3_stmt *s = ks_bound(x, e, "SELECT name FROM film_name WHERE video = ?1", "l", video);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0) return code;
    *text = strdup((const char *)sqlite3_column_text(s, 0));
    sqlite3_reset(s);
    return *text ? 0 : ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
}

static int take_out(ks_index *x, int64_t video, const char *name, ks_error *e)
{
    int code = ks_run(x, e,
                      "INSERT INTO film_words(film_words, rowid, name) VALUES('delete', ?1, ?2)",
                      "lt", video, name);
    return code < 0 ? code : ks_run(x, e, "DELETE FROM film_name WHERE video = ?1", "l", video);
}

int ks_name_keep(ks_index *x, int64_t video, ks_error *e)
{
    char *now = NULL, *before = NULL;
    int code = kept(&before, x, video, e);
    if (code >= 0) code = name_of(&now, x, video, e);
    if (code >= 0 && (!before || strcmp(before, now) != 0)) {
        if (before) code = take_out(x, video, before, e);
        if (code >= 0 && *now)
            code = ks_run(x, e, "INSERT INTO film_name VALUES(?1, ?2, ks_sum(27, ?1, ?2))", "lt",
                          video, now);
        if (code >= 0 && *now)
            code = ks_run(x, e, "INSERT INTO film_words(rowid, name) VALUES(?1, ?2)", "lt", video,
                          now);
    }
    free(before);
    free(now);
    return code;
}

int ks_name_drop(ks_index *x, int64_t video, ks_error *e)
{
    char *before = NULL;
    int code = kept(&before, x, video, e);
    if (code >= 0 && before) code = take_out(x, video, before, e);
    free(before);
    return code;
}

/* Of all films, one look-up after the other: their number is not bounded. */
int ks_names_make(ks_index *x, ks_error *e)
{
    int64_t video = 0;
    int code = ks_run(x, e, "DELETE FROM film_name", "");
    if (code >= 0) code = ks_run(x, e, "INSERT INTO film_words(film_words) VALUES('rebuild')", "");
    while (code >= 0) {
        code = ks_integer(&video, x, e, "SELECT min(id) FROM video WHERE id > ?1", "l", video);
        if (code < 0 || video == 0) return code;
        code = ks_name_keep(x, video, e);
    }
    return code;
}

int ks_index_named(int64_t *video, int *n, int most, ks_index *x, const char *match,
                   const ks_filter *f, ks_error *e)
{
    assert(video && n && x && match);
    *n = 0;
    if (x->version < KS_NAMES_SINCE) return 0;
    sqlite3_stmt *s = ks_filter_statement(
        x,
        "SELECT v.id FROM film_words w JOIN video v ON v.id = w.rowid "
        "WHERE w.film_words MATCH ?7 AND v.finished > 0 ",
        f, KS_WHERE_FILM | KS_WHERE_PATHS, "ORDER BY w.rank, v.id LIMIT ?8", e);
    if (!s) return e ? e->code : KS_EIO;
    sqlite3_bind_text(s, 7, match, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 8, most);
    int code = 0;
    while (*n < most && (code = ks_step(s, x, e)) > 0) video[(*n)++] = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}
