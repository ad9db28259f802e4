/* store_sqlite.c - the catalog as a store: what searches ask of the films, and the table of
 * calls. */
#include "index/filter.h"

/* Each row's first two columns from `at`; each may run out of memory. */
static int pairs(sqlite3_stmt *s, ks_index *x, ks_each_pair *each, void *arg, ks_error *e)
{
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        code = each(arg, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
        if (code == 0) continue;
        sqlite3_reset(s);
        return code < 0 ? ks_fail(e, code, "%s: out of memory", x->dir) : 0;
    }
    return code;
}

int ks_dead_read(ks_index *x, ks_each_pair *each, void *arg, int *rotten, ks_error *e)
{
    int code;
    *rotten = 0;
    sqlite3_stmt *s = ks_statement(
        x, "SELECT generation, video, finished, sum FROM gone ORDER BY video, finished", e);
    if (!s) return e ? e->code : KS_EIO;
    while ((code = ks_step(s, x, e)) > 0) {
        if (!ks_row_ok(s, KS_T_GONE, 0, 3)) {
            ks_note_rotten(x, KS_T_GONE, sqlite3_column_int64(s, 1));
            *rotten = 1;
            continue;
        }
        code = each(arg, sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2));
        if (code == 0) continue;
        sqlite3_reset(s);
        return code < 0 ? ks_fail(e, code, "%s: out of memory", x->dir) : 0;
    }
    return code;
}

int ks_dead_count(int64_t *n, ks_index *x, int64_t from, int64_t to, ks_error *e)
{
    return ks_integer(n, x, e, "SELECT count(*) FROM gone WHERE finished > ?1 AND finished <= ?2",
                      "ll", from, to);
}

#define CLIPS                                                                                      \
    "SELECT v.id, c.id FROM video v CROSS JOIN clip c ON c.video = v.id AND c.space = (SELECT "    \
    "space FROM library) "
#define SEEN "WHERE +v.finished > 0 "

int ks_passing(ks_index *x, const ks_filter *f, ks_each_pair *each, void *arg, ks_error *e)
{
    const int films = KS_WHERE_FILM | KS_WHERE_PATHS;
    sqlite3_stmt *s = f->longer > 0 || f->shorter > 0 || f->label || f->said
                          ? ks_filter_statement(x, CLIPS SEEN, f, films | KS_WHERE_CLIP,
                                                "ORDER BY v.id, c.start, c.stop", e)
                          : ks_filter_statement(x, "SELECT v.id, 0 FROM video v " SEEN, f, films,
                                                "ORDER BY v.id", e);
    if (!s) return e ? e->code : KS_EIO;
    return pairs(s, x, each, arg, e);
}

int ks_clips_after(int64_t *n, ks_index *x, int64_t generation, int64_t space, ks_error *e)
{
    return ks_integer(
        n, x, e,
        "SELECT count(*) FROM video v CROSS JOIN clip c ON c.video = v.id AND c.space = ?2 "
        "WHERE v.finished > ?1",
        "ll", generation, space);
}

const ks_store ks_sqlite_store = {
    .begin = ks_begin,
    .snapshot = ks_snapshot,
    .end = ks_end,
    .library = ks_library_read,
    .keep_library = ks_library_write,
    .space = ks_space_read,
    .walk = ks_walk_vectors,
    .clip = ks_clip_half,
    .passing = ks_passing,
    .dead = ks_dead_read,
    .count_dead = ks_dead_count,
    .clips_after = ks_clips_after,
    .segments = ks_segments_read,
    .keep_segment = ks_segment_put,
    .replace_segments = ks_segments_replace,
};
