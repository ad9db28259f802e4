/* saved_rows.c - tables `saved` and `saved_hit`: kept queries, what each has found, and whether
 * a person was told.
 *
 * A hit is found and its query's place noted in one transaction; it is told in another one,
 * which is open while it is handed over. That one's commit does not wait for the disk (the log
 * is synced by the checkpoint behind the last of them): so a process that is killed has either
 * handed a hit over and noted it, or neither, but for the microseconds between two system calls;
 * only power that fails can make a hit be told twice. Told hits stay, without their text: a film
 * that is encoded anew is no news. */
#include "index/kept.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int ks_index_save(ks_index *x, const char *name, const char *query, ks_error *e)
{
    int64_t there = 0;
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_integer(&there, x, e, "SELECT count(*) FROM saved WHERE name = ?1", "t", name);
    if (code >= 0 && there > 0)
        code = ks_fail(e, KS_EUSAGE,
                       "%s: a query of that name is kept already; kinoseek forget-saved %s", name,
                       name);
    if (code >= 0)
        code = ks_run(x, e,
                      "INSERT INTO saved SELECT ?1, ?2, generation, ks_sum(18, ?1, ?2, generation) "
                      "FROM library",
                      "tt", name, query);
    if (code >= 0) code = ks_kept_saved(x, name, query, e);
    return ks_end(x, code, e);
}

int ks_index_forget_saved(ks_index *x, const char *name, ks_error *e)
{
    int gone = 0, code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_run(x, e, "DELETE FROM saved WHERE name = ?1", "t", name);
    if (code >= 0) gone = sqlite3_changes(x->db) > 0;
    if (code >= 0) code = ks_run(x, e, "DELETE FROM saved_hit WHERE name = ?1", "t", name);
    if (code >= 0 && gone) code = ks_kept_drop(x, KS_KEPT_FORGET_SAVED, name, e);
    code = ks_end(x, code, e);
    return code < 0 ? code : gone;
}

/* One more, by its own copy of the row's text. */
static int take_saved(ks_saved_list *out, sqlite3_stmt *s)
{
    ks_saved *more = realloc(out->at, (size_t)(out->n + 1) * sizeof *more);
    if (!more) return -1;
    out->at = more;
    ks_saved *v = &more[out->n];
    v->name = strdup((const char *)sqlite3_column_text(s, 0));
    v->query = strdup((const char *)sqlite3_column_text(s, 1));
    v->seen = sqlite3_column_int64(s, 2);
    v->told = sqlite3_column_int64(s, 5);
    v->waiting = sqlite3_column_int64(s, 6);
    out->n++; /* freed with the others, also half made */
    return v->name && v->query ? 0 : -1;
}

int ks_index_saved(ks_saved_list *out, ks_index *x, ks_error *e)
{
    *out = (ks_saved_list){0};
    if (x->version < KS_SAVED_SINCE) return 0;
    sqlite3_stmt *s = ks_statement(
        x,
        "SELECT name, query, seen, sum, rowid, "
        "(SELECT count(*) FROM saved_hit h WHERE h.name = s.name AND h.told = 1), "
        "(SELECT count(*) FROM saved_hit h WHERE h.name = s.name AND h.told = 0) FROM saved s "
        "ORDER BY name",
        e);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        if (!ks_row_ok(s, KS_T_SAVED, 0, 3))
            ks_note_rotten(x, KS_T_SAVED, sqlite3_column_int64(s, 4));
        else if (take_saved(out, s) < 0) {
            sqlite3_reset(s);
            code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
            break;
        }
    }
    if (code < 0) ks_saved_free(out);
    return code;
}

void ks_saved_free(ks_saved_list *list)
{
    for (int i = 0; i < list->n; i++) {
        free(list->at[i].name);
        free(list->at[i].query);
    }
    free(list->at);
    *list = (ks_saved_list){0};
}

int ks_index_saved_add(ks_index *x, const char *name, int64_t seen, const ks_saved_hit *hits, int n,
                       ks_error *e)
{
    int64_t first = 0;
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_integer(&first, x, e, "SELECT coalesce(max(id), 0) FROM saved_hit", "");
    /* seconds of a film that were found before are no news */
    for (int i = 0; i < n && code >= 0; i++)
        code = ks_run(x, e,
                      "INSERT INTO saved_hit SELECT t.id, ?1, ?2, ?3, ?4, 0, ?5, ks_sum(19, t.id, "
                      "?1, ?2, ?3, ?4, 0, ?5) FROM "
                      "(SELECT coalesce(max(id), 0) + 1 AS id FROM saved_hit) t WHERE EXISTS "
                      "(SELECT 1 FROM saved WHERE name = ?1) AND "
                      "NOT EXISTS (SELECT 1 FROM saved_hit h WHERE h.video = ?2 AND h.name = ?1 "
                      "AND h.id <= ?6 AND h.start < ?4 AND h.stop > ?3)",
                      "tllltl", name, hits[i].video, hits[i].start, hits[i].end, hits[i].text,
                      first);
    if (code >= 0)
        code = ks_run(
            x, e, "UPDATE saved SET seen = ?2, sum = ks_sum(18, name, query, ?2) WHERE name = ?1",
            "tl", name, seen);
    return ks_end(x, code, e);
}

int ks_index_saved_hits(ks_index *x, const char *name, int most, ks_on_saved_hit *each, void *arg,
                        ks_error *e)
{
    int code, stop = 0;
    if (x->version < KS_SAVED_SINCE) return 0;
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT id, name, video, start, stop, told, hit, sum FROM saved_hit "
                               "WHERE name = ?1 ORDER BY id DESC LIMIT ?2",
                               "tl", name, (int64_t)most);
    if (!s) return e ? e->code : KS_EIO;
    while (!stop && (code = ks_step(s, x, e)) > 0) {
        ks_saved_hit hit = {sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3),
                            sqlite3_column_int64(s, 4), (const char *)sqlite3_column_text(s, 6)};
        if (ks_row_ok(s, KS_T_SAVED_HIT, 0, 7))
            stop = each(arg, &hit, sqlite3_column_int(s, 5)) != 0;
        else ks_note_rotten(x, KS_T_SAVED_HIT, sqlite3_column_int64(s, 0));
    }
    sqlite3_reset(s);
    return stop ? 0 : code;
}

typedef struct {
    int64_t id;
    char *name, *text;
    ks_saved_hit hit;
} waiting_hit;

/* The first that waits behind `after`; 1, 0. A rotten one is passed over and counted. */
static int next_waiting(waiting_hit *w, ks_index *x, int64_t after, ks_error *e)
{
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT id, name, video, start, stop, told, hit, sum FROM saved_hit "
                               "WHERE told = 0 AND id > ?1 ORDER BY id",
                               "l", after);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0 && !ks_row_ok(s, KS_T_SAVED_HIT, 0, 7))
        ks_note_rotten(x, KS_T_SAVED_HIT, sqlite3_column_int64(s, 0));
    if (code <= 0) return code;
    w->id = sqlite3_column_int64(s, 0);
    w->name = strdup((const char *)sqlite3_column_text(s, 1));
    w->text = strdup((const char *)sqlite3_column_text(s, 6));
    w->hit = (ks_saved_hit){sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3),
                            sqlite3_column_int64(s, 4), w->text};
    sqlite3_reset(s);
    return w->name && w->text ? 1 : ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
}

static int tell_one(ks_index *x, const waiting_hit *w, ks_tell *tell, void *arg, ks_error *e)
{
    int code = ks_begin(x, e);
    if (code < 0) return code;
    code = ks_run(x, e,
                  "UPDATE saved_hit SET told = 1, hit = '', sum = ks_sum(19, id, name, video, "
                  "start, stop, 1, '') WHERE id = ?1",
                  "l", w->id);
    if (code >= 0) code = tell(arg, w->name, &w->hit, e);
    return ks_end(x, code, e);
}

int ks_index_saved_tell(ks_index *x, ks_tell *tell, void *arg, ks_error *e)
{
    int64_t after = 0, told = 0;
    int code = ks_set(x, "PRAGMA synchronous = NORMAL", e);
    while (code >= 0) {
        waiting_hit w = {0};
        code = next_waiting(&w, x, after, e);
        if (code > 0 && (code = tell_one(x, &w, tell, arg, e)) >= 0) code = 1;
        after = w.id;
        told += code > 0;
        free(w.name);
        free(w.text);
        if (code == 0) break;
    }
    ks_error ignored; /* what went wrong first is said */
    int end = ks_set(x, "PRAGMA synchronous = FULL", code < 0 ? &ignored : e);
    if (end == 0 && told > 0)
        end = ks_set(x, "PRAGMA wal_checkpoint(PASSIVE)", code < 0 ? &ignored : e);
    return code < 0 ? code : end;
}
