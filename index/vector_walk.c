/* vector_walk.c - the clips that searches see, row by row from SQLite, with their vectors (what copies are made of,
 * and the answer where there is no copy) or without. */
#include "index/catalog.h"

#include <string.h>

#define CLIP "SELECT c.id, c.video, c.space, c.start, c.stop, c.frames, c.reason, c.sum, v.finished"
#define CLIPS "FROM video v CROSS JOIN clip c ON c.video = v.id AND c.space = (SELECT space FROM library) "
#define VECTORS CLIP ", x.half, x.sum " CLIPS "LEFT JOIN vector x ON x.clip = c.id "
#define FILTER "AND (?2 = 0 OR v.film_date >= ?2) AND (?3 = 0 OR v.film_date < ?3) AND (?4 = 0 OR v.id = ?4) " \
               "AND (?1 IS NULL OR EXISTS (SELECT 1 FROM path q WHERE q.video = v.id AND ks_path_match(?1, q.path))) " \
               "AND (?5 = 0 OR (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den > ?5) " \
               "AND (?6 = 0 OR (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den < ?6) "
/* The plus keeps SQLite off the index over `finished` and so from sorting a gigabyte of rows. */
#define SEEN "+v.finished > ?7 AND +v.finished <= ?8 "
#define ORDER "ORDER BY v.id, c.start, c.stop"

/* By index over `finished`: right for the few videos that no copy holds. */
static const char tail[] = VECTORS "WHERE v.finished > ?7 AND v.finished <= ?8 " FILTER;
static const char ordered[] = VECTORS "WHERE " SEEN FILTER ORDER;
static const char bare[] = CLIP " " CLIPS "WHERE " SEEN FILTER ORDER;
/* An equality that the planner sees: else every video is read for the clips of one. */
static const char bare_of_one[] = CLIP " " CLIPS "WHERE v.id = ?4 AND " SEEN FILTER ORDER;

static sqlite3_stmt *walk_statement(ks_index *x, const ks_walk *w, ks_error *e)
{
    if (w->bare) return ks_statement(x, w->filter && w->filter->video ? bare_of_one : bare, e);
    return ks_statement(x, w->ordered ? ordered : tail, e);
}

int ks_walk_vectors(ks_index *x, const ks_walk *w, ks_each_vector *each, void *arg, int64_t *damaged, ks_error *e)
{
    sqlite3_stmt *s = walk_statement(x, w, e);
    if (!s) return e ? e->code : KS_EIO;
    ks_filter_bind(s, w->filter);
    sqlite3_bind_int64(s, 7, w->from);
    sqlite3_bind_int64(s, 8, w->to);
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_vector_row row = { .half = NULL };
        int64_t space;
        int sound = ks_clip_from_row(&row.clip, &space, s, 0);
        if (sound && !w->bare)
            sound = ks_vector_row_ok(s, row.clip.id, space, row.clip.start, row.clip.end, 9) && sqlite3_column_bytes(s, 9) == 2 * w->dim;
        if (!sound) {
            ++*damaged;
            continue;
        }
        row.finished = sqlite3_column_int64(s, 8);
        if (!w->bare) row.half = sqlite3_column_blob(s, 9);
        code = each(arg, &row);
        if (code) break;
    }
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}
