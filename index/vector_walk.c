/* vector_walk.c - the clips that searches see, row by row from SQLite, with their vectors (what
 * copies are made of, and the answer where there is no copy) or without. */
#include "index/filter.h"

#include <string.h>

#define CLIP "SELECT c.id, c.video, c.space, c.start, c.stop, c.frames, c.reason, c.sum, v.finished"
#define CLIPS                                                                                      \
    "FROM video v CROSS JOIN clip c ON c.video = v.id AND c.space = (SELECT space FROM library) "
#define VECTORS CLIP ", x.half, x.sum " CLIPS "LEFT JOIN vector x ON x.clip = c.id "
/* The plus keeps SQLite off the index over `finished` and so from sorting a gigabyte of rows. */
#define SEEN    "WHERE +v.finished > ?7 AND +v.finished <= ?8 "
/* By index over `finished`: right for the few videos that no copy holds. */
#define TAIL    "WHERE v.finished > ?7 AND v.finished <= ?8 "
#define ORDER   "ORDER BY v.id, c.start, c.stop"

static sqlite3_stmt *walk_statement(ks_index *x, const ks_walk *w, ks_error *e)
{
    const char *from = w->bare                                         ? CLIP " " CLIPS SEEN
                       : w->ordered || (w->filter && w->filter->video) ? VECTORS SEEN
                                                                       : VECTORS TAIL;
    return ks_filter_statement(x, from, w->filter, KS_WHERE_FILM | KS_WHERE_PATHS | KS_WHERE_CLIP,
                               w->bare || w->ordered ? ORDER : "", e);
}

int ks_walk_vectors(ks_index *x, const ks_walk *w, ks_each_vector *each, void *arg,
                    int64_t *damaged, ks_error *e)
{
    sqlite3_stmt *s = walk_statement(x, w, e);
    if (!s) return e ? e->code : KS_EIO;
    sqlite3_bind_int64(s, 7, w->from);
    sqlite3_bind_int64(s, 8, w->to);
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_vector_row row = {.half = NULL};
        int64_t space;
        int sound = ks_clip_from_row(&row.clip, &space, s, 0), bad_clip = !sound;
        if (sound && !w->bare)
            sound = ks_vector_row_ok(s, row.clip.id, space, row.clip.start, row.clip.end, 9) &&
                    sqlite3_column_bytes(s, 9) == 2 * w->dim;
        if (!sound) {
            ks_note_rotten(x, bad_clip ? KS_T_CLIP : KS_T_VECTOR, sqlite3_column_int64(s, 0));
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
