/* learnt_rows.c - labels that were taught, and the examples that they were taught on. */
#include "index/kept.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t to_us(int64_t ticks, ks_timebase tb)
{
    return (int64_t)llround(ks_seconds(ticks, tb) * 1e6);
}

static int64_t from_us(int64_t us, ks_timebase tb)
{
    return (int64_t)llround((double)us / 1e6 * tb.den / tb.num);
}

int ks_index_put_learnt(ks_index *x, const ks_learnt_row *row, ks_error *e)
{
    int64_t id = 0;
    struct timespec t;
    assert(x && row->name && row->w && row->dim > 0 && row->dim <= KS_MAX_DIM);
    clock_gettime(CLOCK_REALTIME, &t);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_integer(&id, x, e, "SELECT id FROM learnt WHERE name = ?1", "t", row->name);
    if (code >= 0 && id == 0)
        code = ks_integer(&id, x, e, "SELECT coalesce(max(id), 0) + 1 FROM learnt", "");
    if (code >= 0)
        code = ks_run(x, e,
                      "REPLACE INTO learnt VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                      "?12, ks_sum(25, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                      "?10, ?11, ?12))",
                      "ltlbddddllll", id, row->name, row->space, row->w,
                      (size_t)row->dim * sizeof *row->w, row->bias, row->ap, row->ap_low,
                      row->ap_high, row->yes, row->no, row->films, (int64_t)t.tv_sec);
    if (code >= 0) code = ks_kept_learnt(x, row, e);
    return ks_end(x, code, e);
}

int ks_index_learnt(ks_index *x, const char *name, ks_on_learnt *each, void *arg, ks_error *e)
{
    float w[KS_MAX_DIM];
    int code, stop = 0;
    assert(x && each);
    if (x->version < KS_LABELS_SINCE) return 0;
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT id, name, space, w, bias, ap, ap_low, ap_high, yeses, noes, "
                               "films, created, sum FROM learnt "
                               "WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
                               name ? "t" : "z", name);
    if (!s) return e ? e->code : KS_EIO;
    while (!stop && (code = ks_step(s, x, e)) > 0) {
        size_t bytes = (size_t)sqlite3_column_bytes(s, 3);
        if (!ks_row_ok(s, KS_T_LEARNT, 0, 12) || bytes < sizeof *w || bytes > sizeof w ||
            bytes % sizeof *w) {
            ks_note_rotten(x, KS_T_LEARNT, sqlite3_column_int64(s, 0));
            continue;
        }
        memcpy(w, sqlite3_column_blob(s, 3), bytes);
        ks_learnt_row row = {.name = (const char *)sqlite3_column_text(s, 1),
                             .space = sqlite3_column_int64(s, 2),
                             .w = w,
                             .dim = (int)(bytes / sizeof *w),
                             .bias = sqlite3_column_double(s, 4),
                             .ap = sqlite3_column_double(s, 5),
                             .ap_low = sqlite3_column_double(s, 6),
                             .ap_high = sqlite3_column_double(s, 7),
                             .yes = sqlite3_column_int64(s, 8),
                             .no = sqlite3_column_int64(s, 9),
                             .films = sqlite3_column_int64(s, 10)};
        stop = each(arg, &row) != 0;
    }
    sqlite3_reset(s);
    return stop ? 0 : code;
}

int ks_index_drop_learnt(ks_index *x, const char *name, ks_error *e)
{
    int64_t n = 0;
    assert(x && name);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_integer(&n, x, e,
                      "SELECT (SELECT count(*) FROM learnt WHERE name = ?1) + (SELECT count(*) "
                      "FROM example WHERE learnt = ?1)",
                      "t", name);
    if (code >= 0 && n == 0)
        code = ks_fail(e, KS_ENOTFOUND,
                       "%s: no label was taught under that name (kinoseek teach --list)", name);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM learnt WHERE name = ?1", "t", name);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM example WHERE learnt = ?1", "t", name);
    if (code >= 0) code = ks_kept_drop(x, KS_KEPT_DROP_LEARNT, name, e);
    return ks_end(x, code, e);
}

int ks_index_put_example(ks_index *x, const char *name, const ks_video *v, int64_t start,
                         int64_t end, int yes, ks_error *e)
{
    assert(x && name && v && start < end);
    int64_t from = to_us(start, v->tb), to = to_us(end, v->tb);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_run(
        x, e,
        "DELETE FROM example WHERE learnt = ?1 AND content = ?2 AND start_us = ?3 AND stop_us = ?4",
        "tbll", name, v->content, sizeof v->content, from, to);
    if (code >= 0)
        code = ks_run(x, e,
                      "INSERT INTO example SELECT n, ?1, ?2, ?3, ?4, ?5, ks_sum(26, n, ?1, ?2, ?3, "
                      "?4, ?5) FROM "
                      "(SELECT coalesce(max(id), 0) + 1 AS n FROM example)",
                      "tblli", name, v->content, sizeof v->content, from, to, yes != 0);
    if (code >= 0) code = ks_kept_example(x, name, v, start, end, yes, e);
    return ks_end(x, code, e);
}

int ks_index_examples(ks_index *x, const char *name, ks_on_said *each, void *arg, ks_error *e)
{
    int code, stop = 0;
    assert(x && name && each);
    if (x->version < KS_LABELS_SINCE) return 0;
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT d.id, d.learnt, d.content, d.start_us, d.stop_us, d.yes, "
                               "d.sum, v.id, v.tb_num, v.tb_den FROM example d "
                               "JOIN video v ON v.content = d.content WHERE d.learnt = ?1 AND "
                               "v.finished > 0 ORDER BY d.id",
                               "t", name);
    if (!s) return e ? e->code : KS_EIO;
    while (!stop && (code = ks_step(s, x, e)) > 0) {
        ks_timebase tb = {sqlite3_column_int(s, 8), sqlite3_column_int(s, 9)};
        if (!ks_row_ok(s, KS_T_EXAMPLE, 0, 6) || tb.num < 1 || tb.den < 1) {
            ks_note_rotten(x, KS_T_EXAMPLE, sqlite3_column_int64(s, 0));
            continue;
        }
        ks_label_mark m = {.set = "",
                           .label = name,
                           .parent = "",
                           .video = sqlite3_column_int64(s, 7),
                           .start = from_us(sqlite3_column_int64(s, 3), tb),
                           .end = from_us(sqlite3_column_int64(s, 4), tb),
                           .rank = 1,
                           .said = 1,
                           .score = 1};
        stop = each(arg, &m, sqlite3_column_int(s, 5)) != 0;
    }
    sqlite3_reset(s);
    return stop ? 0 : code;
}
