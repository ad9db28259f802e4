/* totals.c - table `totals`: one row of sums. */
#include "index/totals.h"

#include "index/catalog.h"

#include <assert.h>
#include <string.h>

#define MICROSECONDS                                                                               \
    "CAST(round((duration * 1.0 * tb_num / tb_den - seconds_missing) * 1e6) AS INTEGER)"
#define FILMS                                                                                      \
    "(SELECT count(*) FROM path), (SELECT count(*) FROM video WHERE verdict = 0), (SELECT "        \
    "count(*) FROM video WHERE verdict > 1), "                                                     \
    "(SELECT coalesce(sum(" MICROSECONDS "), 0) FROM video WHERE finished > 0)"
static const char all[] =
    "SELECT " FILMS
    ", (SELECT count(*) FROM clip), (SELECT coalesce(sum(length(half)), 0) FROM vector), "
    "(SELECT coalesce(sum(length(data)), 0) FROM frame_vectors), (SELECT "
    "coalesce(sum(length(jpeg)), 0) FROM thumbnail)";

static void take(ks_totals *out, sqlite3_stmt *s, int at)
{
    out->paths = sqlite3_column_int64(s, at);
    out->unfinished = sqlite3_column_int64(s, at + 1);
    out->bad = sqlite3_column_int64(s, at + 2);
    out->microseconds = sqlite3_column_int64(s, at + 3);
    out->clips = sqlite3_column_int64(s, at + 4);
    out->vector_bytes = sqlite3_column_int64(s, at + 5);
    out->frame_bytes = sqlite3_column_int64(s, at + 6);
    out->thumbnail_bytes = sqlite3_column_int64(s, at + 7);
}

static int is_nothing(const ks_totals *t)
{
    static const ks_totals zero = {0};
    return memcmp(t, &zero, sizeof zero) == 0;
}

static void sum_up(ks_totals *to, const ks_totals *d, int times)
{
    to->paths += times * d->paths;
    to->unfinished += times * d->unfinished;
    to->bad += times * d->bad;
    to->microseconds += times * d->microseconds;
    to->clips += times * d->clips;
    to->vector_bytes += times * d->vector_bytes;
    to->frame_bytes += times * d->frame_bytes;
    to->thumbnail_bytes += times * d->thumbnail_bytes;
}

void ks_totals_add(ks_index *x, const ks_totals *rows, int times)
{
    assert(x->inside > 0);
    sum_up(&x->pending, rows, times);
}

int ks_totals_stored(ks_totals *out, ks_index *x, ks_error *e)
{
    sqlite3_stmt *s = ks_statement(x,
                                   "SELECT one, paths, unfinished, bad, microseconds, clips, "
                                   "vector_bytes, frame_bytes, thumbnail_bytes, sum "
                                   "FROM totals",
                                   e);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0) return code;
    code = ks_row_ok(s, KS_T_TOTALS, 0, 9);
    if (code) take(out, s, 1);
    sqlite3_reset(s);
    return code;
}

static int walked(ks_totals *out, ks_index *x, const char *sql, ks_error *e)
{
    sqlite3_stmt *s = ks_statement(x, sql, e);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0)
        return code < 0 ? code
                        : ks_fail(e, KS_EDAMAGED, "%s: the library cannot be counted", x->dir);
    take(out, s, 0);
    sqlite3_reset(s);
    return 0;
}

int ks_totals_walk(ks_totals *out, ks_index *x, ks_error *e) { return walked(out, x, all, e); }

int ks_totals_read(ks_totals *out, ks_index *x, ks_error *e)
{
    memset(out, 0, sizeof *out);
    int code = x->version >= 4 ? ks_totals_stored(out, x, e) : 0;
    if (code == 0) code = walked(out, x, "SELECT " FILMS ", -1, -1, -1, -1", e);
    if (code >= 0) sum_up(out, &x->pending, 1);
    return code < 0 ? code : 0;
}

static int put(ks_index *x, const ks_totals *t, ks_error *e)
{
    return ks_run(x, e,
                  "REPLACE INTO totals VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ks_sum(14, 1, ?1, "
                  "?2, ?3, ?4, ?5, ?6, ?7, ?8))",
                  "llllllll", t->paths, t->unfinished, t->bad, t->microseconds, t->clips,
                  t->vector_bytes, t->frame_bytes, t->thumbnail_bytes);
}

int ks_totals_count(ks_index *x, ks_error *e)
{
    ks_totals t;
    int code = ks_totals_walk(&t, x, e);
    memset(&x->pending, 0, sizeof x->pending); /* what it stands for was walked */
    return code < 0 ? code : put(x, &t, e);
}

/* A rotten row stays as it is, for check to name and repair to count anew: sums on top of it
 * would vouch for it. */
int ks_totals_keep(ks_index *x, ks_error *e)
{
    ks_totals t;
    if (is_nothing(&x->pending)) return 0;
    int code = ks_totals_stored(&t, x, e);
    if (code > 0) {
        sum_up(&t, &x->pending, 1);
        code = put(x, &t, e);
    }
    memset(&x->pending, 0, sizeof x->pending);
    return code < 0 ? code : 0;
}

int ks_film_totals(ks_totals *out, ks_index *x, int64_t video, ks_error *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = ks_bound(
        x, e,
        "SELECT verdict = 0, verdict > 1, CASE WHEN finished > 0 THEN " MICROSECONDS " ELSE 0 END "
        "FROM video WHERE id = ?1",
        "l", video);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code > 0) {
        out->unfinished = sqlite3_column_int64(s, 0);
        out->bad = sqlite3_column_int64(s, 1);
        out->microseconds = sqlite3_column_int64(s, 2);
        sqlite3_reset(s);
    }
    return code < 0 ? code : 0;
}

int ks_clip_bytes(ks_totals *out, ks_index *x, int64_t clip, ks_error *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT (SELECT count(*) FROM clip WHERE id = ?1), (SELECT "
                               "length(half) FROM vector WHERE clip = ?1), "
                               "(SELECT length(data) FROM frame_vectors WHERE clip = ?1), (SELECT "
                               "length(jpeg) FROM thumbnail WHERE clip = ?1)",
                               "l", clip);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code > 0) {
        out->clips = sqlite3_column_int64(s, 0);
        out->vector_bytes = sqlite3_column_int64(s, 1);
        out->frame_bytes = sqlite3_column_int64(s, 2);
        out->thumbnail_bytes = sqlite3_column_int64(s, 3);
        sqlite3_reset(s);
    }
    return code < 0 ? code : 0;
}
