/* kept_walk.c - all that a library keeps beside its films, as the words that make another library
 * the same: for an import into a hub, and a film's subtitles for a worker's. */
#include "index/kept.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_index *x;
    ks_each_kept *each;
    void *arg;
    int64_t space; /* what the library's space is called there */
} walk;

static int tell(walk *w, ks_kept *k, const ks_bytes *at, const ks_bytes *data, ks_error *e)
{
    if ((at && at->bad) || (data && data->bad))
        return ks_fail(e, KS_ENOMEM, "%s: out of memory", w->x->dir);
    if (at) k->at = at->at, k->n_at = at->n;
    if (data) k->data = data->at, k->bytes = data->n;
    return w->each(w->arg, k, e);
}

static const char *text(sqlite3_stmt *s, int column)
{
    const char *t = (const char *)sqlite3_column_text(s, column);
    return t ? t : "";
}

/* Ticks as they were said: they were noted in microseconds, rounded once. */
static int64_t ticks(sqlite3_stmt *s, int us, int num, int den)
{
    return (int64_t)llround((double)sqlite3_column_int64(s, us) / 1e6 * sqlite3_column_int(s, den) /
                            sqlite3_column_int(s, num));
}

/* --- rows of each kind: the bytes are kept_log.c's --- */
typedef int of_row(walk *w, sqlite3_stmt *s, ks_error *e);

static int each_row(walk *w, const char *sql, of_row *of, ks_error *e)
{
    /* a statement of its own: what is asked inside needs the cache */
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(w->x->db, sql, -1, &s, NULL) != SQLITE_OK) return ks_sql_error(w->x, e);
    int code;
    while ((code = ks_step(s, w->x, e)) > 0 && (code = of(w, s, e)) >= 0) continue;
    sqlite3_finalize(s);
    return code;
}

static int put_labels(ks_bytes *b, ks_index *x, int64_t set, ks_error *e)
{
    sqlite3_stmt *s = ks_bound(
        x, e, "SELECT name, parent FROM label WHERE label_set = ?1 ORDER BY id", "l", set);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_bytes_text(b, text(s, 0));
        ks_bytes_text(b, text(s, 1));
    }
    return code;
}

static int of_set(walk *w, sqlite3_stmt *s, ks_error *e)
{
    ks_bytes b = {0};
    ks_kept k = {.kind = KS_KEPT_SET, .name = text(s, 1)};
    ks_bytes_int(&b, sqlite3_column_int64(s, 2));
    ks_bytes_text(&b, text(s, 3));
    ks_bytes_int(&b, sqlite3_column_int64(s, 4));
    int code = put_labels(&b, w->x, sqlite3_column_int64(s, 0), e);
    if (code >= 0) code = tell(w, &k, NULL, &b, e);
    free(b.at);
    return code;
}

static int put_marks(ks_bytes *b, ks_index *x, int64_t set, int64_t video, ks_error *e)
{
    sqlite3_stmt *s = ks_bound(
        x, e,
        "SELECT l.name, n.start, n.stop, n.rank, n.score, n.cosine FROM label_span n JOIN "
        "label l ON l.id = n.label WHERE n.video = ?1 AND l.label_set = ?2 AND n.said = 0 "
        "ORDER BY n.id",
        "ll", video, set);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_bytes_text(b, text(s, 0));
        for (int i = 1; i < 4; i++) ks_bytes_int(b, sqlite3_column_int64(s, i));
        ks_bytes_double(b, sqlite3_column_double(s, 4));
        ks_bytes_double(b, sqlite3_column_double(s, 5));
    }
    return code;
}

static int of_marks(walk *w, sqlite3_stmt *s, ks_error *e)
{
    ks_bytes b = {0};
    ks_kept k = {.kind = KS_KEPT_MARKS, .name = text(s, 2), .content = sqlite3_column_blob(s, 3)};
    ks_bytes_int(&b, sqlite3_column_int64(s, 4));
    ks_bytes_int(&b, sqlite3_column_int64(s, 5));
    int code = put_marks(&b, w->x, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), e);
    if (code >= 0) code = tell(w, &k, NULL, &b, e);
    free(b.at);
    return code;
}

/* name, label, content, from, to, yes, time base; kind is the last column */
static int of_moment(walk *w, sqlite3_stmt *s, ks_error *e)
{
    ks_bytes at = {0}, b = {0};
    ks_kept k = {.kind = sqlite3_column_int64(s, 8),
                 .name = text(s, 0),
                 .content = sqlite3_column_blob(s, 2)};
    ks_bytes_text(&at, text(s, 1));
    ks_bytes_int(&at, ticks(s, 3, 6, 7));
    ks_bytes_int(&at, ticks(s, 4, 6, 7));
    ks_bytes_int(&b, sqlite3_column_int64(s, 5));
    int code = tell(w, &k, &at, &b, e);
    free(at.at);
    free(b.at);
    return code;
}

static int of_learnt(walk *w, sqlite3_stmt *s, ks_error *e)
{
    ks_bytes b = {0};
    ks_kept k = {.kind = KS_KEPT_LEARNT, .name = text(s, 0)};
    ks_bytes_int(&b, sqlite3_column_int64(s, 1) ? w->space : 0);
    ks_bytes_put(&b, sqlite3_column_blob(s, 2), (size_t)sqlite3_column_bytes(s, 2));
    for (int i = 3; i < 7; i++) ks_bytes_double(&b, sqlite3_column_double(s, i));
    for (int i = 7; i < 10; i++) ks_bytes_int(&b, sqlite3_column_int64(s, i));
    int code = tell(w, &k, NULL, &b, e);
    free(b.at);
    return code;
}

static int of_saved(walk *w, sqlite3_stmt *s, ks_error *e)
{
    ks_bytes b = {0};
    ks_kept k = {.kind = KS_KEPT_SAVED, .name = text(s, 0)};
    ks_bytes_text(&b, text(s, 1));
    int code = tell(w, &k, NULL, &b, e);
    free(b.at);
    return code;
}

static int put_lines(ks_bytes *b, ks_index *x, int64_t file, ks_error *e)
{
    sqlite3_stmt *s = ks_bound(
        x, e, "SELECT start_us, stop_us, text FROM subtitle WHERE file = ?1 ORDER BY id", "l",
        file);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_bytes_int(b, sqlite3_column_int64(s, 0));
        ks_bytes_int(b, sqlite3_column_int64(s, 1));
        ks_bytes_text(b, text(s, 2));
    }
    return code;
}

static int of_subtitles(walk *w, sqlite3_stmt *s, ks_error *e)
{
    ks_bytes b = {0};
    char path[KS_MAX_PATH + 1];
    size_t n = (size_t)sqlite3_column_bytes(s, 1);
    ks_kept k = {.kind = KS_KEPT_SUBTITLES, .name = path, .content = sqlite3_column_blob(s, 2)};
    if (n > KS_MAX_PATH) return 0;
    if (n) memcpy(path, sqlite3_column_blob(s, 1), n);
    path[n] = 0;
    ks_bytes_int(&b, sqlite3_column_int64(s, 3));
    ks_bytes_int(&b, sqlite3_column_int64(s, 4));
    ks_bytes_text(&b, text(s, 5));
    ks_bytes_int(&b, sqlite3_column_int64(s, 6));
    int code = put_lines(&b, w->x, sqlite3_column_int64(s, 0), e);
    if (code >= 0) code = tell(w, &k, NULL, &b, e);
    free(b.at);
    return code;
}

/* A row that does not match its sum goes nowhere. */
#define SUBTITLES                                                                                  \
    "SELECT f.id, f.path, v.content, f.size, f.mtime_ns, f.note, (SELECT count(*) FROM subtitle "  \
    "s "                                                                                           \
    "WHERE s.file = f.id) FROM subtitle_file f JOIN video v ON v.id = f.video WHERE f.sum = "      \
    "ks_sum(28, f.id, f.video, f.path, f.size, f.mtime_ns, f.note, f.lines)"

int ks_kept_walk_subtitles(ks_index *x, int64_t video, ks_each_kept *each, void *arg, ks_error *e)
{
    char sql[600];
    walk w = {.x = x, .each = each, .arg = arg};
    if (x->version < KS_SUBTITLES_SINCE) return 0;
    snprintf(sql, sizeof sql, SUBTITLES " AND f.video = %lld ORDER BY f.path", (long long)video);
    return each_row(&w, sql, of_subtitles, e);
}

int ks_kept_walk(ks_index *x, int64_t space, ks_each_kept *each, void *arg, ks_error *e)
{
    static const struct {
        int since;
        const char *sql;
        of_row *of;
    } kinds[] = {
        {KS_LABELS_SINCE,
         "SELECT s.id, s.name, s.hash, s.how, (SELECT count(*) FROM label l WHERE l.label_set = "
         "s.id) FROM label_set s WHERE s.sum = ks_sum(20, s.id, s.name, s.hash, s.how, s.created) "
         "ORDER BY s.id",
         of_set},
        {KS_LABELS_SINCE,
         "SELECT f.label_set, f.video, s.name, v.content, f.hash, (SELECT count(*) FROM label_span "
         "n JOIN label l ON l.id = n.label WHERE n.video = f.video AND l.label_set = f.label_set "
         "AND n.said = 0) FROM label_film f JOIN label_set s ON s.id = f.label_set JOIN video v ON "
         "v.id = f.video WHERE v.finished > 0 AND f.finished = v.finished AND f.sum = ks_sum(22, "
         "f.label_set, f.video, f.finished, f.hash) ORDER BY f.label_set, f.video",
         of_marks},
        {KS_LABELS_SINCE,
         "SELECT d.label_set, d.label, d.content, d.start_us, d.stop_us, d.yes, v.tb_num, v.tb_den,"
         " 5 FROM label_said d JOIN video v ON v.content = d.content WHERE d.sum = ks_sum(24, d.id,"
         " d.label_set, d.label, d.content, d.start_us, d.stop_us, d.yes, d.created) ORDER BY d.id",
         of_moment},
        {KS_LABELS_SINCE,
         "SELECT d.learnt, '', d.content, d.start_us, d.stop_us, d.yes, v.tb_num, v.tb_den, 8 FROM "
         "example d JOIN video v ON v.content = d.content WHERE d.sum = ks_sum(26, d.id, d.learnt, "
         "d.content, d.start_us, d.stop_us, d.yes) ORDER BY d.id",
         of_moment},
        {KS_LABELS_SINCE,
         "SELECT name, space = (SELECT space FROM library), w, bias, ap, ap_low, ap_high, yeses, "
         "noes, films FROM learnt WHERE "
         "sum = ks_sum(25, id, name, space, w, bias, ap, ap_low, ap_high, yeses, noes, films, "
         "created) ORDER BY id",
         of_learnt},
        {KS_SAVED_SINCE,
         "SELECT name, query FROM saved WHERE sum = ks_sum(18, name, query, seen) ORDER BY name",
         of_saved},
        {KS_SUBTITLES_SINCE, SUBTITLES " ORDER BY f.id", of_subtitles}};
    walk w = {x, each, arg, space};
    int code = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && code >= 0; i++)
        if (x->version >= kinds[i].since) code = each_row(&w, kinds[i].sql, kinds[i].of, e);
    return code;
}
