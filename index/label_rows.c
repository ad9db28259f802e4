/* label_rows.c - labels that stay: sets, the films that were labelled, spans, and what people
 * say of them.
 *
 * A person's word is kept by the film's content and in microseconds, so that it outlives the
 * film's rows; table label_span holds what is true with it laid over the model's spans, so that
 * whoever reads spans reads no more than one table. */
#include "index/filter.h"
#include "index/kept.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int has_labels(const ks_index *x) { return x->version >= KS_LABELS_SINCE; }

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

static int64_t to_us(int64_t ticks, ks_timebase tb)
{
    return (int64_t)llround(ks_seconds(ticks, tb) * 1e6);
}

static int64_t from_us(int64_t us, ks_timebase tb)
{
    return (int64_t)llround((double)us / 1e6 * tb.den / tb.num);
}

/* --- sets --- */
int ks_index_find_set(int64_t *set, uint64_t *hash, ks_index *x, const char *name, ks_error *e)
{
    *set = 0;
    *hash = 0;
    if (!has_labels(x)) return 0;
    sqlite3_stmt *s = ks_bound(
        x, e, "SELECT id, name, hash, how, created, sum FROM label_set WHERE name = ?1", "t", name);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0) return code;
    *set = sqlite3_column_int64(s, 0);
    *hash = (uint64_t)sqlite3_column_int64(s, 2);
    if (!ks_row_ok(s, KS_T_LABEL_SET, 0, 5)) {
        ks_note_rotten(x, KS_T_LABEL_SET, *set);
        code = ks_fail(e, KS_EDAMAGED,
                       "%s/catalog.db: the row of label set %s does not match its checksum: run "
                       "kinoseek repair",
                       x->dir, name);
    }
    sqlite3_reset(s);
    return code;
}

int ks_label_put(int64_t *id, ks_index *x, int64_t set, const char *name, const char *parent,
                 ks_error *e)
{
    int code = ks_integer(id, x, e, "SELECT id FROM label WHERE name = ?1 AND label_set = ?2", "tl",
                          name, set);
    if (code >= 0 && *id == 0)
        code = ks_integer(id, x, e, "SELECT coalesce(max(id), 0) + 1 FROM label", "");
    if (code >= 0)
        code = ks_run(x, e,
                      "INSERT INTO label VALUES(?1, ?2, ?3, ?4, ks_sum(21, ?1, ?2, ?3, ?4)) ON "
                      "CONFLICT(id) DO UPDATE SET "
                      "parent = excluded.parent, sum = excluded.sum",
                      "lltt", *id, set, name, parent);
    return code;
}

static int put_set(int64_t *set, int64_t *ids, ks_index *x, const ks_stored_set *s, ks_error *e)
{
    int64_t had = 0, has = 0, same = 0;
    int code = ks_integer(set, x, e, "SELECT id FROM label_set WHERE name = ?1", "t", s->name);
    if (code >= 0 && x->keeps)
        code = ks_integer(
            &same, x, e,
            "SELECT count(*) FROM label_set WHERE name = ?1 AND hash = ?2 AND how = ?3", "tlt",
            s->name, (int64_t)s->hash, s->how);
    if (code >= 0 && x->keeps)
        code = ks_integer(&had, x, e, "SELECT coalesce(max(id), 0) FROM label", "");
    if (code >= 0 && *set == 0)
        code = ks_integer(set, x, e, "SELECT coalesce(max(id), 0) + 1 FROM label_set", "");
    if (code >= 0)
        code = ks_run(x, e,
                      "INSERT INTO label_set VALUES(?1, ?2, ?3, ?4, ?5, ks_sum(20, ?1, ?2, ?3, ?4, "
                      "?5)) ON CONFLICT(id) DO UPDATE SET "
                      "hash = excluded.hash, how = excluded.how, created = excluded.created, sum = "
                      "excluded.sum",
                      "ltltl", *set, s->name, (int64_t)s->hash, s->how, now());
    for (int64_t i = 0; i < s->n && code >= 0; i++)
        code = ks_label_put(&ids[i], x, *set, s->labels[i], s->parents[i], e);
    if (code >= 0 && x->keeps)
        code = ks_integer(&has, x, e, "SELECT coalesce(max(id), 0) FROM label", "");
    /* the same again is no news */
    return code < 0 || (same && has == had) ? code : ks_kept_set(x, s, e);
}

int ks_index_put_set(int64_t *set, int64_t *ids, ks_index *x, const ks_stored_set *s, ks_error *e)
{
    assert(set && x && s->name && s->how && (ids || s->n == 0));
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, put_set(set, ids, x, s, e), e);
}

static int by_id(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

static int drop_label(ks_index *x, int64_t label, ks_error *e)
{
    int code = ks_run(x, e, "DELETE FROM label_span WHERE label = ?1", "l", label);
    return code < 0 ? code : ks_run(x, e, "DELETE FROM label WHERE id = ?1", "l", label);
}

/* Of a label that is no more in its set: one that a person gave stays. (Asked of every label it
 * read a million spans: 0.7 s of the 1.1 that a run with nothing to do took.) */
static int drop_unless_said(ks_index *x, int64_t label, ks_error *e)
{
    int64_t said = 0;
    int code = ks_integer(
        &said, x, e, "SELECT 1 FROM label_span WHERE label = ?1 AND said = 1 LIMIT 1", "l", label);
    return code < 0 || said ? code : drop_label(x, label, e);
}

/* ids[n] is sorted. */
static int end_set(ks_index *x, int64_t set, const int64_t *ids, int n, ks_error *e)
{
    int64_t id = 0, others = 0;
    for (;;) {
        int code = ks_integer(&id, x, e,
                              "SELECT id FROM label WHERE label_set = ?1 AND id > ?2 ORDER BY id "
                              "LIMIT 1",
                              "ll", set, id);
        if (code < 0) return code;
        if (id == 0) return others ? ks_kept_end_set(x, set, ids, n, e) : 0;
        if (n && bsearch(&id, ids, (size_t)n, sizeof id, by_id)) continue;
        others++;
        if ((code = drop_unless_said(x, id, e)) < 0) return code;
    }
}

int ks_index_end_set(ks_index *x, int64_t set, const int64_t *ids, int n, ks_error *e)
{
    assert(x && set > 0 && n >= 0);
    int64_t *sorted = malloc(((size_t)n + 1) * sizeof *sorted);
    if (!sorted) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (n) memcpy(sorted, ids, (size_t)n * sizeof *ids);
    qsort(sorted, (size_t)n, sizeof *sorted, by_id);
    int code = ks_begin(x, e);
    if (code >= 0) code = ks_end(x, end_set(x, set, sorted, n, e), e);
    free(sorted);
    return code;
}

static int drop_set(ks_index *x, const char *name, ks_error *e)
{
    int64_t set = 0, label = 0;
    int code = ks_integer(&set, x, e, "SELECT id FROM label_set WHERE name = ?1", "t", name);
    if (code >= 0 && set == 0)
        return ks_fail(e, KS_ENOTFOUND,
                       "%s: no label set is called so (kinoseek labels lists them)", name);
    while (code >= 0 &&
           (code = ks_integer(&label, x, e, "SELECT id FROM label WHERE label_set = ?1 LIMIT 1",
                              "l", set)) >= 0 &&
           label)
        code = drop_label(x, label, e);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM label_film WHERE label_set = ?1", "l", set);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM label_said WHERE label_set = ?1", "t", name);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM label_set WHERE id = ?1", "l", set);
    return code < 0 ? code : ks_kept_drop(x, KS_KEPT_DROP_SET, name, e);
}

int ks_index_drop_set(ks_index *x, const char *name, ks_error *e)
{
    assert(x && name);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, drop_set(x, name, e), e);
}

/* --- a film's spans --- */
typedef struct {
    ks_label_mark *at;
    int n, room;
} marks;

static int add(marks *to, const ks_label_mark *m)
{
    if (to->n == to->room) {
        int room = to->room * 2 + 64;
        ks_label_mark *more = realloc(to->at, (size_t)room * sizeof *more);
        if (!more) return KS_ENOMEM;
        to->at = more;
        to->room = room;
    }
    to->at[to->n++] = *m;
    return 0;
}

/* What would be left of a span beside a person's word, and is shorter, goes with it: the formats
 * that bring the word back hold milliseconds or frames, so that its borders lie up to half a
 * frame (1/48 s) from those that were sent out. */
enum { SLIVER_US = 21000 };

/* What a person said of the film takes [start, end) from every span of the label; slivers:
 * SLIVER_US in ticks. */
static int cut_out(marks *m, int64_t label, int64_t start, int64_t end, int64_t sliver)
{
    for (int i = 0, n = m->n; i < n; i++) {
        ks_label_mark behind = m->at[i];
        if (behind.id != label || behind.start >= end || behind.end <= start) continue;
        /* what is left before it, or nothing */
        m->at[i].end = start - behind.start > sliver ? start : behind.start;
        behind.start = end;
        if (behind.end - end > sliver && add(m, &behind) < 0) return KS_ENOMEM;
    }
    return 0;
}

/* Rows said of the film in this set are laid over m; `only`: of this label id alone, 0: of all. */
static int lay_said(marks *m, ks_index *x, int64_t set, const ks_video *v, int64_t only,
                    ks_error *e)
{
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT d.id, d.label_set, d.label, d.content, d.start_us, "
                               "d.stop_us, d.yes, d.created, d.sum, l.id FROM label_said d "
                               "JOIN label_set s ON s.name = d.label_set AND s.id = ?1 JOIN label "
                               "l ON l.name = d.label AND l.label_set = ?1 "
                               "WHERE d.content = ?2 ORDER BY d.id",
                               "lb", set, v->content, sizeof v->content);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_label_mark said = {
            .id = sqlite3_column_int64(s, 9), .video = v->id, .rank = 1, .said = 1, .score = 1};
        if (!ks_row_ok(s, KS_T_LABEL_SAID, 0, 8)) {
            ks_note_rotten(x, KS_T_LABEL_SAID, sqlite3_column_int64(s, 0));
            continue;
        }
        if (only && said.id != only) continue;
        said.start = from_us(sqlite3_column_int64(s, 4), v->tb);
        said.end = from_us(sqlite3_column_int64(s, 5), v->tb);
        int failed = cut_out(m, said.id, said.start, said.end, from_us(SLIVER_US, v->tb));
        if (failed == 0 && sqlite3_column_int(s, 6)) failed = add(m, &said);
        if (failed < 0) {
            sqlite3_reset(s);
            return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
        }
    }
    return code;
}

static int put_spans(ks_index *x, const marks *m, int64_t video, ks_error *e)
{
    int64_t next = 0;
    int code = ks_integer(&next, x, e, "SELECT coalesce(max(id), 0) + 1 FROM label_span", "");
    for (int i = 0; i < m->n && code >= 0; i++) {
        const ks_label_mark *k = &m->at[i];
        if (k->end <= k->start) continue;
        code = ks_run(x, e,
                      "INSERT INTO label_span VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                      "ks_sum(23, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
                      "llllliddi", next++, k->id, video, k->start, k->end, k->rank, k->score,
                      k->cosine, k->said);
    }
    return code;
}

static int put_marks(ks_index *x, int64_t set, uint64_t hash, const ks_video *v, marks *all,
                     ks_error *e)
{
    int code = ks_run(x, e,
                      "DELETE FROM label_span WHERE video = ?1 AND label IN (SELECT id FROM label "
                      "WHERE label_set = ?2)",
                      "ll", v->id, set);
    if (code >= 0) code = lay_said(all, x, set, v, 0, e);
    if (code >= 0) code = put_spans(x, all, v->id, e);
    return code < 0
               ? code
               : ks_run(
                     x, e,
                     "REPLACE INTO label_film VALUES(?1, ?2, ?3, ?4, ks_sum(22, ?1, ?2, ?3, ?4))",
                     "llll", set, v->id, v->finished, (int64_t)hash);
}

/* The film may have gone since it was read: then nothing is put. */
static int is_here(ks_index *x, const ks_video *v, ks_error *e)
{
    int64_t here = 0;
    int code = ks_integer(&here, x, e, "SELECT 1 FROM video WHERE id = ?1 AND finished > 0", "l",
                          v->id);
    return code < 0 ? code : here != 0;
}

int ks_index_put_marks(ks_index *x, int64_t set, uint64_t hash, const ks_video *v,
                       const ks_label_mark *m, int n, ks_error *e)
{
    assert(x && set > 0 && v && v->id > 0 && n >= 0);
    marks all = {0};
    for (int i = 0; i < n; i++)
        if (add(&all, &m[i]) < 0) {
            free(all.at);
            return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
        }
    int code = ks_begin(x, e);
    if (code >= 0) {
        code = is_here(x, v, e);
        if (code > 0) code = put_marks(x, set, hash, v, &all, e);
        if (code >= 0) code = ks_kept_marks(x, set, hash, v, m, n, e);
        code = ks_end(x, code, e);
    }
    free(all.at);
    return code < 0 ? code : 0;
}

int ks_index_due(ks_index *x, int64_t set, uint64_t hash, const ks_video *v, ks_error *e)
{
    int64_t done = 0;
    assert(x && v);
    if (!has_labels(x) || set == 0) return 1;
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT label_set, video, finished, hash, sum FROM label_film WHERE "
                               "video = ?1 AND label_set = ?2",
                               "ll", v->id, set);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code > 0) /* a rotten row is as good as none: the film is labelled again */
        done = ks_row_ok(s, KS_T_LABEL_FILM, 0, 4) && sqlite3_column_int64(s, 2) == v->finished &&
               (uint64_t)sqlite3_column_int64(s, 3) == hash;
    sqlite3_reset(s);
    return code < 0 ? code : !done;
}

int ks_labels_drop_film(ks_index *x, int64_t video, ks_error *e)
{
    if (!has_labels(x)) return 0;
    int code = ks_run(x, e, "DELETE FROM label_span WHERE video = ?1", "l", video);
    return code < 0 ? code : ks_run(x, e, "DELETE FROM label_film WHERE video = ?1", "l", video);
}

/* --- a person's word --- */
/* What was said before of [start, end) is taken back; what lies outside stays said. */
static int take_back(ks_index *x, const char *set, const char *label, const ks_video *v,
                     int64_t start, int64_t end, ks_error *e)
{
    for (;;) {
        int64_t id = 0, from = 0, to = 0, yes = 0, made = 0;
        sqlite3_stmt *s = ks_bound(x, e,
                                   "SELECT id, start_us, stop_us, yes, created FROM label_said "
                                   "WHERE content = ?1 AND label_set = ?2 AND label = ?3 AND "
                                   "start_us < ?5 AND stop_us > ?4 LIMIT 1",
                                   "bttll", v->content, sizeof v->content, set, label, start, end);
        if (!s) return e ? e->code : KS_EIO;
        int code = ks_step(s, x, e);
        if (code <= 0) return code;
        id = sqlite3_column_int64(s, 0), from = sqlite3_column_int64(s, 1),
        to = sqlite3_column_int64(s, 2);
        yes = sqlite3_column_int64(s, 3), made = sqlite3_column_int64(s, 4);
        sqlite3_reset(s);
        code = ks_run(x, e, "DELETE FROM label_said WHERE id = ?1", "l", id);
        const int64_t left[2][2] = {{from, start}, {end, to}};
        for (int i = 0; i < 2 && code >= 0; i++)
            if (left[i][1] - left[i][0] > SLIVER_US)
                code = ks_run(x, e,
                              "INSERT INTO label_said SELECT n, ?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                              "ks_sum(24, n, ?1, ?2, ?3, ?4, ?5, ?6, ?7) FROM "
                              "(SELECT coalesce(max(id), 0) + 1 AS n FROM label_said)",
                              "ttblll"
                              "l",
                              set, label, v->content, sizeof v->content, left[i][0], left[i][1],
                              yes, made);
        if (code < 0) return code;
    }
}

/* The model's spans of the label on this film as they stand. */
static int read_spans(marks *out, ks_index *x, int64_t label, int64_t video, ks_error *e)
{
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT id, label, video, start, stop, rank, score, cosine, said, "
                               "sum FROM label_span INDEXED BY label_span_label "
                               "WHERE label = ?1 AND video = ?2 AND said = 0",
                               "ll", label, video);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_label_mark m = {.id = label,
                           .video = video,
                           .start = sqlite3_column_int64(s, 3),
                           .end = sqlite3_column_int64(s, 4),
                           .rank = sqlite3_column_int(s, 5),
                           .score = sqlite3_column_double(s, 6),
                           .cosine = sqlite3_column_double(s, 7)};
        if (ks_row_ok(s, KS_T_LABEL_SPAN, 0, 9) && add(out, &m) < 0) {
            sqlite3_reset(s);
            return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
        }
    }
    return code;
}

static int say(ks_index *x, const char *set, const char *label, const ks_video *v, int64_t start,
               int64_t end, int yes, ks_error *e)
{
    int64_t id = 0, of = 0;
    uint64_t hash;
    marks all = {0};
    int code = ks_index_find_set(&id, &hash, x, set, e);
    if (code == 0)
        return ks_fail(e, KS_ENOTFOUND,
                       "%s: no label set is called so (kinoseek labels lists them)", set);
    if (code >= 0)
        code = ks_integer(&of, x, e, "SELECT id FROM label WHERE name = ?1 AND label_set = ?2",
                          "tl", label, id);
    if (code >= 0 && of == 0) code = ks_label_put(&of, x, id, label, "", e);
    if (code >= 0) code = take_back(x, set, label, v, to_us(start, v->tb), to_us(end, v->tb), e);
    if (code >= 0)
        code = ks_run(x, e,
                      "INSERT INTO label_said SELECT n, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ks_sum(24, n, "
                      "?1, ?2, ?3, ?4, ?5, ?6, ?7) FROM "
                      "(SELECT coalesce(max(id), 0) + 1 AS n FROM label_said)",
                      "ttblli"
                      "l",
                      set, label, v->content, sizeof v->content, to_us(start, v->tb),
                      to_us(end, v->tb), yes, now());
    if (code >= 0) code = read_spans(&all, x, of, v->id, e);
    if (code >= 0) code = lay_said(&all, x, id, v, of, e);
    if (code >= 0)
        code = ks_run(x, e, "DELETE FROM label_span WHERE label = ?1 AND video = ?2", "ll", of,
                      v->id);
    if (code >= 0) code = put_spans(x, &all, v->id, e);
    if (code >= 0) code = ks_kept_say(x, set, label, v, start, end, yes, e);
    free(all.at);
    return code;
}

int ks_index_say(ks_index *x, const char *set, const char *label, const ks_video *v, int64_t start,
                 int64_t end, int yes, ks_error *e)
{
    assert(x && set && label && v && v->id > 0 && start < end);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, say(x, set, label, v, start, end, yes != 0, e), e);
}

/* --- reading --- */
int ks_index_sets(ks_index *x, ks_on_set *each, void *arg, ks_error *e)
{
    assert(x && each);
    if (!has_labels(x)) return 0;
    sqlite3_stmt *s = ks_statement(x,
                                   "SELECT id, name, hash, how, created, sum, (SELECT count(*) "
                                   "FROM label l WHERE l.label_set = s.id), "
                                   "CASE how WHEN 'said' THEN (SELECT count(DISTINCT n.video) "
                                   "FROM label l JOIN label_span n ON n.label = l.id WHERE "
                                   "l.label_set = s.id) ELSE "
                                   "(SELECT count(*) FROM label_film f JOIN video v ON v.id = "
                                   "f.video WHERE f.label_set = s.id AND v.finished > 0) END, "
                                   "(SELECT count(*) FROM label l JOIN label_span n ON n.label = "
                                   "l.id WHERE l.label_set = s.id), "
                                   "(SELECT count(*) FROM label_said d WHERE d.label_set = s.name) "
                                   "FROM label_set s ORDER BY name",
                                   e);
    if (!s) return e ? e->code : KS_EIO;
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_stored_set row = {.name = (const char *)sqlite3_column_text(s, 1),
                             .how = (const char *)sqlite3_column_text(s, 3),
                             .hash = (uint64_t)sqlite3_column_int64(s, 2),
                             .n = sqlite3_column_int64(s, 6),
                             .films = sqlite3_column_int64(s, 7),
                             .spans = sqlite3_column_int64(s, 8),
                             .said = sqlite3_column_int64(s, 9)};
        if (!ks_row_ok(s, KS_T_LABEL_SET, 0, 5)) {
            ks_note_rotten(x, KS_T_LABEL_SET, sqlite3_column_int64(s, 0));
            continue;
        }
        if (each(arg, &row)) break;
    }
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}

static int take_span(ks_label_mark *m, sqlite3_stmt *s, ks_index *x)
{
    *m = (ks_label_mark){.id = sqlite3_column_int64(s, 1),
                         .video = sqlite3_column_int64(s, 2),
                         .start = sqlite3_column_int64(s, 3),
                         .end = sqlite3_column_int64(s, 4),
                         .rank = sqlite3_column_int(s, 5),
                         .score = sqlite3_column_double(s, 6),
                         .cosine = sqlite3_column_double(s, 7),
                         .said = sqlite3_column_int(s, 8),
                         .set = (const char *)sqlite3_column_text(s, 10),
                         .label = (const char *)sqlite3_column_text(s, 11),
                         .parent = (const char *)sqlite3_column_text(s, 12)};
    if (ks_row_ok(s, KS_T_LABEL_SPAN, 0, 9) && m->set && m->label && m->parent &&
        m->start < m->end && m->start >= -KS_MAX_TICK && m->end <= KS_MAX_TICK)
        return 1;
    ks_note_rotten(x, KS_T_LABEL_SPAN, sqlite3_column_int64(s, 0));
    return 0;
}

int ks_index_marks(ks_index *x, const char *set, const ks_filter *f, ks_on_mark *each, void *arg,
                   ks_error *e)
{
    assert(x && each);
    if (!has_labels(x)) return 0;
    sqlite3_stmt *s = ks_filter_statement(
        x,
        "SELECT n.id, n.label, n.video, n.start, n.stop, n.rank, n.score, n.cosine, n.said, n.sum, "
        "s.name, l.name, l.parent "
        "FROM video v CROSS JOIN label_span n ON n.video = v.id CROSS JOIN label l ON l.id = "
        "n.label "
        "CROSS JOIN label_set s ON s.id = l.label_set WHERE v.finished > 0 AND (?7 IS NULL OR "
        "s.name = ?7) ",
        f, KS_WHERE_FILM | KS_WHERE_PATHS | KS_WHERE_SPAN, "ORDER BY v.id, n.start, n.rank, n.id",
        e);
    if (!s) return e ? e->code : KS_EIO;
    if (set) sqlite3_bind_text(s, sqlite3_bind_parameter_index(s, "?7"), set, -1, SQLITE_TRANSIENT);
    ks_label_mark m;
    int code, stop = 0;
    while (!stop && (code = ks_step(s, x, e)) > 0)
        if (take_span(&m, s, x)) stop = each(arg, &m) != 0;
    sqlite3_reset(s);
    return stop ? 0 : code;
}

int ks_index_said(ks_index *x, const char *label, ks_on_said *each, void *arg, ks_error *e)
{
    assert(x && label && each);
    if (!has_labels(x)) return 0;
    sqlite3_stmt *s = ks_bound(x, e,
                               "SELECT d.id, d.label_set, d.label, d.content, d.start_us, "
                               "d.stop_us, d.yes, d.created, d.sum, v.id, v.tb_num, v.tb_den "
                               "FROM label_said d JOIN video v ON v.content = d.content WHERE "
                               "d.label = ?1 AND v.finished > 0 ORDER BY d.id",
                               "t", label);
    if (!s) return e ? e->code : KS_EIO;
    int code, stop = 0;
    while (!stop && (code = ks_step(s, x, e)) > 0) {
        ks_timebase tb = {sqlite3_column_int(s, 10), sqlite3_column_int(s, 11)};
        if (!ks_row_ok(s, KS_T_LABEL_SAID, 0, 8) || tb.num < 1 || tb.den < 1) {
            ks_note_rotten(x, KS_T_LABEL_SAID, sqlite3_column_int64(s, 0));
            continue;
        }
        ks_label_mark m = {.set = (const char *)sqlite3_column_text(s, 1),
                           .label = label,
                           .parent = "",
                           .video = sqlite3_column_int64(s, 9),
                           .start = from_us(sqlite3_column_int64(s, 4), tb),
                           .end = from_us(sqlite3_column_int64(s, 5), tb),
                           .rank = 1,
                           .said = 1,
                           .score = 1};
        stop = each(arg, &m, sqlite3_column_int(s, 6)) != 0;
    }
    sqlite3_reset(s);
    return stop ? 0 : code;
}

int ks_index_has_label(ks_index *x, const char *label, ks_error *e)
{
    int64_t found = 0;
    assert(x && label);
    if (!has_labels(x)) return 0;
    int code = ks_integer(&found, x, e,
                          "SELECT 1 FROM label WHERE name = ?1 OR parent = ?1 LIMIT 1", "t", label);
    return code < 0 ? code : found != 0;
}
