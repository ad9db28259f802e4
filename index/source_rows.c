/* source_rows.c - table `source_time`: timecode, reel and exact rate of a film, as its makers
 * wrote them. */
#include "index/catalog.h"

#include <stdio.h>

/* Every picture is of some clip: the film's first clip begins with its first picture. So much is
 * known of films that went through ingest (they have a key frame) and lost no clip since; a
 * survey's pictures begin with the film's time. */
static int read_first(ks_video *v, ks_index *x, ks_error *e)
{
    v->first = 0;
    if (v->flags & KS_VIDEO_LOST || x->version < 6) return 0;
    return ks_integer(&v->first, x, e,
                      "SELECT coalesce(min(start), 0) FROM clip WHERE video = ?1 AND space = "
                      "(SELECT space FROM video WHERE id = ?1) AND EXISTS (SELECT 1 FROM key_index "
                      "WHERE video = ?1)",
                      "l", v->id);
}

int ks_source_read(ks_video *v, ks_index *x, ks_error *e)
{
    int err = read_first(v, x, e);
    if (err < 0) return err;
    v->timecode[0] = v->reel[0] = 0;
    v->rate_num = v->rate_den = 0;
    if (x->version < 5) return 0;
    sqlite3_stmt *s = ks_bound(
        x, e,
        "SELECT video, timecode, reel, rate_num, rate_den, sum FROM source_time WHERE video = ?1",
        "l", v->id);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    /* a rotten row is as good as none; check names it */
    if (code > 0 && ks_row_ok(s, KS_T_SOURCE_TIME, 0, 5)) {
        snprintf(v->timecode, sizeof v->timecode, "%s", (const char *)sqlite3_column_text(s, 1));
        snprintf(v->reel, sizeof v->reel, "%s", (const char *)sqlite3_column_text(s, 2));
        v->rate_num = sqlite3_column_int(s, 3);
        v->rate_den = sqlite3_column_int(s, 4);
    }
    if (code > 0) sqlite3_reset(s);
    return code < 0 ? code : 0;
}

int ks_source_write(const ks_video *v, ks_index *x, ks_error *e)
{
    if (!v->timecode[0] && !v->reel[0] && !v->rate_num)
        return ks_run(x, e, "DELETE FROM source_time WHERE video = ?1", "l", v->id);
    return ks_run(
        x, e, "REPLACE INTO source_time VALUES(?1, ?2, ?3, ?4, ?5, ks_sum(15, ?1, ?2, ?3, ?4, ?5))",
        "lttii", v->id, v->timecode, v->reel, v->rate_num, v->rate_den);
}

const char *ks_date_source_name(int source)
{
    static const char *const names[] = {"mtime", "name", "container", "maker"};
    return source >= 0 && source <= KS_DATE_MAKER ? names[source] : "mtime";
}
