/* source_rows.c - table `source_time`: timecode, reel and exact rate of a film, as its makers
 * wrote them. */
#include "index/catalog.h"

#include <stdio.h>

int ks_source_read(ks_video *v, ks_index *x, ks_error *e)
{
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
