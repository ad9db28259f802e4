/* vector_walk.c - the vectors that searches see, row by row from SQLite: what copies are made of, and the
 * answer where there is no copy. */
#include "index/catalog.h"

#include <string.h>

#define COLUMNS "SELECT c.id, c.video, c.space, c.start, c.stop, c.frames, c.reason, c.sum, x.half, x.sum, v.finished " \
                "FROM video v CROSS JOIN clip c ON c.video = v.id AND c.space = (SELECT space FROM library) " \
                "LEFT JOIN vector x ON x.clip = c.id "
#define FILTER "AND (?2 = 0 OR v.film_date >= ?2) AND (?3 = 0 OR v.film_date < ?3) AND (?4 = 0 OR v.id = ?4) " \
               "AND (?1 IS NULL OR EXISTS (SELECT 1 FROM path q WHERE q.video = v.id AND ks_path_match(?1, q.path))) " \
               "AND (?5 = 0 OR (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den > ?5) " \
               "AND (?6 = 0 OR (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den < ?6) "

/* By index over `finished`: right for the few videos that no copy holds. */
#define TAIL COLUMNS "WHERE v.finished > ?7 AND v.finished <= ?8 " FILTER
/* In the order of copies: the plus keeps SQLite off that index and so from sorting a gigabyte of rows. */
#define ORDERED COLUMNS "WHERE +v.finished > ?7 AND +v.finished <= ?8 " FILTER "ORDER BY v.id, c.start, c.stop"

int ks_walk_vectors(ks_index *x, const ks_walk *w, ks_each_vector *each, void *arg, int64_t *damaged, ks_error *e)
{
    sqlite3_stmt *s = w->ordered ? ks_statement(x, ORDERED, e) : ks_statement(x, TAIL, e);
    if (!s) return e ? e->code : KS_EIO;
    ks_filter_bind(s, w->filter);
    sqlite3_bind_int64(s, 7, w->from);
    sqlite3_bind_int64(s, 8, w->to);
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_vector_row row;
        int64_t space;
        if (!ks_clip_from_row(&row.clip, &space, s, 0) ||
            !ks_vector_row_ok(s, row.clip.id, space, row.clip.start, row.clip.end, 8) || sqlite3_column_bytes(s, 8) != 2 * w->dim) {
            ++*damaged;
            continue;
        }
        row.half = sqlite3_column_blob(s, 8);
        row.finished = sqlite3_column_int64(s, 10);
        code = each(arg, &row);
        if (code) break;
    }
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}
