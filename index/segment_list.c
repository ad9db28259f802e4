/* segment_list.c - the search copies that the catalog vouches for. */
#include "index/catalog.h"

#include <stdlib.h>
#include <string.h>

static void take(ks_segment_row *r, sqlite3_stmt *s)
{
    memset(r, 0, sizeof *r);
    r->id = sqlite3_column_int64(s, 0);
    snprintf(r->file, sizeof r->file, "%s", (const char *)sqlite3_column_text(s, 1));
    r->space = sqlite3_column_int64(s, 2);
    r->from = sqlite3_column_int64(s, 3);
    r->to = sqlite3_column_int64(s, 4);
    r->rows = sqlite3_column_int64(s, 5);
    r->header = (uint64_t)sqlite3_column_int64(s, 6);
    r->stat.size = sqlite3_column_int64(s, 7);
    r->stat.mtime_ns = sqlite3_column_int64(s, 8);
    r->ctime_ns = sqlite3_column_int64(s, 9);
    r->stat.device = (uint64_t)sqlite3_column_int64(s, 10);
    r->stat.inode = (uint64_t)sqlite3_column_int64(s, 11);
    snprintf(r->ann_file, sizeof r->ann_file, "%s", (const char *)sqlite3_column_text(s, 12));
    r->ann_hash = (uint64_t)sqlite3_column_int64(s, 13);
    r->recall = sqlite3_column_double(s, 14);
}

/* A rotten row, or one that overlaps the one before it, vouches for nothing and is left out. */
int ks_segments_read(ks_segment_row **out, int *n, ks_index *x, int64_t space, ks_error *e)
{
    int code, room = 0;
    int64_t reached = -1;
    *out = NULL;
    *n = 0;
    sqlite3_stmt *s = ks_bound(
        x, e,
        "SELECT id, file, space, from_generation, to_generation, rows, header, size, mtime_ns, "
        "ctime_ns, "
        "device, inode, ann_file, ann_hash, recall, sum FROM segment WHERE space = ?1 "
        "ORDER BY from_generation, id",
        "l", space);
    if (!s) return e ? e->code : KS_EIO;
    while ((code = ks_step(s, x, e)) > 0) {
        if (!ks_row_ok(s, KS_T_SEGMENT, 0, 15)) continue;
        if (*n == room) {
            room = 2 * room + 8;
            ks_segment_row *more = realloc(*out, (size_t)room * sizeof **out);
            if (!more) {
                code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
                break;
            }
            *out = more;
        }
        take(&(*out)[*n], s);
        if ((*out)[*n].from < reached || strchr((*out)[*n].file, '/')) continue;
        reached = (*out)[(*n)++].to;
    }
    sqlite3_reset(s);
    if (code < 0) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return code < 0 ? code : 0;
}

int ks_segment_put(const ks_segment_row *r, ks_index *x, ks_error *e)
{
    return ks_run(x, e,
                  "REPLACE INTO segment VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
                  "?13, ?14, ?15, "
                  "ks_sum(11, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15))",
                  "ltllllllllllt"
                  "ld",
                  r->id, r->file, r->space, r->from, r->to, r->rows, (int64_t)r->header,
                  r->stat.size, r->stat.mtime_ns, r->ctime_ns, (int64_t)r->stat.device,
                  (int64_t)r->stat.inode, r->ann_file, (int64_t)r->ann_hash, r->recall);
}

int ks_segments_replace(ks_index *x, const ks_segment_row *old, int n, const ks_segment_row *fresh,
                        ks_error *e)
{
    int code = 0;
    for (int i = 0; i < n && code >= 0; i++)
        code = ks_run(x, e, "DELETE FROM segment WHERE id = ?1", "l", old[i].id);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM segment WHERE space <> ?1", "l", fresh->space);
    /* no copy holds them now */
    if (code >= 0) code = ks_run(x, e, "DELETE FROM gone WHERE finished > ?1", "l", fresh->from);
    return code >= 0 && fresh->rows > 0 ? ks_segment_put(fresh, x, e) : code;
}
