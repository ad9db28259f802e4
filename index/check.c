/* check.c - is the library what catalog.c says it is? Every finding names the invariant it breaks.
 *
 * SQLite's own integrity_check sees structure (pages, order, indexes); the checksums see values;
 * the rest compares rows with each other and search copies with rows. */
#include "index/ann.h"
#include "index/catalog.h"
#include "index/mapped_segments.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_index *x;
    ks_finding *found;
    void *arg;
    int64_t n;
    char unread[512]; /* why a table cannot be read, as it was last said */
} checking;

__attribute__((format(printf, 4, 5))) static void say(checking *c, int invariant, int64_t clip,
                                                      const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->n++;
    if (c->found) c->found(c->arg, invariant, clip, text);
}

/* One rotten page keeps several checks from reading: that is one finding. */
static void unread(checking *c, const ks_error *why)
{
    if (strcmp(c->unread, why->msg) == 0) return;
    snprintf(c->unread, sizeof c->unread, "%s", why->msg);
    say(c, 1, 0, "%s", why->msg);
}

/* Each row of sql is a finding; %s of the format is column 0 as text, column 1 (if any) the
 * clip. Damage that keeps SQLite from answering is a finding too. */
static int rows(checking *c, int invariant, const char *sql, const char *before, const char *after,
                ks_error *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(c->x->db, sql, -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const char *what = (const char *)sqlite3_column_text(s, 0);
        say(c, invariant, sqlite3_column_count(s) > 1 ? sqlite3_column_int64(s, 1) : 0,
            "%s%.200s%s", before, what ? what : "?", after);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(s);
    if (rc == SQLITE_DONE) return 0;
    ks_error local;
    int code = ks_sql_error(c->x, &local);
    if (code == KS_EIO || code == KS_ENOMEM) return ks_fail(e, code, "%s", local.msg);
    unread(c, &local);
    return 0;
}

static int check_structure(checking *c, ks_error *e)
{
    sqlite3_stmt *s = NULL;
    int64_t there = 0, expected = 0;
    if (sqlite3_prepare_v2(c->x->db, "PRAGMA integrity_check(50)", -1, &s, NULL) != SQLITE_OK)
        return rows(c, 1, "SELECT 1 FROM library", "", "", e);
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);
        if (text && strcmp(text, "ok") != 0) say(c, 1, 0, "catalog.db: %.300s", text);
    }
    sqlite3_finalize(s);
    if (rc != SQLITE_DONE) say(c, 1, 0, "catalog.db: %s", sqlite3_errmsg(c->x->db));
    for (const ks_schema_object *o = ks_schema; o->sql; o++) {
        int64_t same = 0;
        if (!ks_schema_has(o, c->x->version)) continue;
        expected++;
        if (sqlite3_prepare_v2(c->x->db, "SELECT count(*) FROM sqlite_schema WHERE sql = ?1", -1,
                               &s, NULL) == SQLITE_OK) {
            sqlite3_bind_text(s, 1, o->sql, -1, SQLITE_STATIC);
            if (sqlite3_step(s) == SQLITE_ROW) same = sqlite3_column_int64(s, 0);
        }
        sqlite3_finalize(s);
        if (same != 1) say(c, 1, 0, "the schema is not the one of this version: %.60s ...", o->sql);
    }
    ks_error local;
    if (ks_integer(&there, c->x, &local, "SELECT count(*) FROM sqlite_schema WHERE sql IS NOT NULL",
                   "") == 0 &&
        there != expected)
        say(c, 1, 0, "the schema holds %lld objects instead of %lld", (long long)there,
            (long long)expected);
    return 0;
}

/* Rows that do not match their checksum, table by table; NOT INDEXED reads the rows, not an
 * index over them. */
static int check_sums(checking *c, ks_error *e)
{
    char sql[1200], before[100];
    int code = 0;
    for (const ks_table *t = ks_tables; t->name && code >= 0; t++) {
        if (t->tag == KS_T_VECTOR || t->since > c->x->version) continue;
        int by_clip = strcmp(t->key, "clip") == 0 || t->tag == KS_T_CLIP;
        snprintf(sql, sizeof sql,
                 "SELECT %s, %s FROM %s NOT INDEXED WHERE sum IS NOT ks_sum(%d, %s)", t->key,
                 by_clip ? t->key : "0", t->name, (int)t->tag, t->columns);
        snprintf(before, sizeof before, "table %s, %s ", t->name, t->key);
        code = rows(c, 1, sql, before, ": the row does not match its checksum", e);
    }
    if (code >= 0)
        code = rows(c, 1,
                    "SELECT v.clip, v.clip FROM vector v NOT INDEXED LEFT JOIN clip c ON c.id = "
                    "v.clip WHERE c.id IS NOT NULL AND "
                    "v.sum IS NOT ks_sum(6, c.id, c.space, c.start, c.stop, v.half)",
                    "the vector of clip ",
                    " does not match its checksum (over id, space, times and vector)", e);
    return code;
}

/* One row a finding: its text, and the clip where there is one (rows). */
static const struct {
    int invariant;
    const char *sql, *before, *after;
} pairs[] = {
    {1, "SELECT id, id FROM clip WHERE id NOT IN (SELECT clip FROM vector)", "clip ",
     " has no vector"},
    {1, "SELECT clip, clip FROM vector WHERE clip NOT IN (SELECT id FROM clip)",
     "the vector of clip ", " has no clip"},
    {4, "SELECT count(*) || ' ' || \"table\" FROM pragma_foreign_key_check GROUP BY \"table\"",
     "rows that name what is not there: ", ""},
    {4, "SELECT id FROM video WHERE length(content) <> 24", "video ",
     ": its content identity is not one"},
    {4, "SELECT id FROM video v WHERE NOT EXISTS (SELECT 1 FROM path p WHERE p.video = v.id)",
     "video ", " has no path"},
    {1,
     "SELECT id, id FROM clip WHERE id < 1 OR video < 1 OR frames < 0 OR stop < "
     "start OR start < -2305843009213693952 OR "
     /* KS_MAX_TICK */
     "stop > 2305843009213693952",
     "clip ", ": its times or numbers are none"},
    {1,
     "SELECT id FROM video WHERE id < 1 OR tb_num < 1 OR tb_den < 1 OR tb_num > "
     "2147483647 OR tb_den > 2147483647",
     "video ", ": its time base is none"},
    {4, "SELECT video FROM path WHERE length(path) > 4096", "video ",
     ": a path of it is too long to be read"},
    {5,
     "SELECT id FROM video WHERE verdict NOT BETWEEN 0 AND 4 OR (verdict > 1 AND "
     "reason = '')",
     "video ", ": no verdict, or one without its reason"},
    {7,
     "SELECT id FROM video WHERE (finished > 0) <> (verdict IN (1, 2)) OR finished "
     "> (SELECT generation FROM library) "
     "OR finished < 0",
     "video ", ": what searches see does not fit its verdict"},
    {7,
     "SELECT id FROM video v WHERE finished > 0 AND flags & 16 = 0 AND clips <> "
     "(SELECT count(*) FROM clip c "
     "WHERE c.video = v.id AND c.space = v.space)",
     "video ", ": the number of its clips is not the one it was finished with"},
    {7, "SELECT finished FROM video WHERE finished > 0 GROUP BY finished HAVING count(*) > 1",
     "two videos were finished at generation ", ""},
    {7,
     "SELECT 'videos or clips' FROM library l WHERE videos <> (SELECT count(*) FROM "
     "video WHERE finished > 0) OR clips <> "
     "(SELECT count(*) FROM clip c JOIN video v ON v.id = c.video WHERE v.finished "
     "> 0 AND c.space = l.space)",
     "the library's own count of ", " is wrong"},
    {7,
     "SELECT 'clip or video' FROM library WHERE next_clip <= (SELECT "
     "coalesce(max(id), 0) FROM clip) OR "
     "next_video <= (SELECT coalesce(max(id), 0) FROM video)",
     "the next id of a ", " is in use"},
    {7,
     "SELECT 'clip, video or segment' FROM library WHERE min(next_clip, next_video, next_segment) "
     "< 1 OR max(next_clip, next_video, next_segment) > 2305843009213693951",
     "the next id of a ", " is none"},
    {7, "SELECT generation FROM library WHERE generation NOT BETWEEN 0 AND 2305843009213693951",
     "the library's generation ", " is none"},
};

static int check_pairs(checking *c, ks_error *e)
{
    int code = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && code >= 0; i++)
        code = rows(c, pairs[i].invariant, pairs[i].sql, pairs[i].before, pairs[i].after, e);
    return code;
}

/* Labels that stay: spans of a film's own times; what was said is of a time, too. */
static int check_labels(checking *c, ks_error *e)
{
    if (c->x->version < KS_LABELS_SINCE) return 0;
    int code = rows(c, 1,
                    "SELECT id FROM label_span WHERE id < 1 OR stop <= start OR start < "
                    "-2305843009213693952 OR stop > 2305843009213693952 "
                    "OR said NOT IN (0, 1)",
                    "label span ", ": its times are none", e);
    if (code >= 0)
        code = rows(c, 1,
                    "SELECT id FROM label_said WHERE stop_us <= start_us OR yes NOT IN (0, 1) OR "
                    "length(content) <> 24",
                    "what was said, ", ": its times or its film are none", e);
    if (code >= 0)
        code = rows(c, 1, "SELECT name FROM learnt WHERE length(w) % 4 <> 0 OR length(w) < 4",
                    "the learnt label ", " has no weights", e);
    return code;
}

/* The sums that are counted along. */
static int check_totals(checking *c, ks_error *e)
{
    ks_totals is, should;
    ks_error local;
    if (c->x->version < 4) return 0;
    int code = ks_totals_walk(&should, c->x, &local);
    int there = code < 0 ? code : ks_totals_stored(&is, c->x, &local);
    /* named above */
    if (code < 0 || there < 0)
        return local.code == KS_EDAMAGED ? 0 : ks_fail(e, local.code, "%s", local.msg);
    if (!there || memcmp(&is, &should, sizeof is) != 0)
        say(c, 7, 0, "the library's own sums (table totals) are wrong");
    return 0;
}

/* Invariant 2 for each stored vector, of unfinished videos and of a space being filled too. */
static int check_vectors(checking *c, ks_error *e)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(c->x->db,
                           "SELECT v.clip, v.half, s.dim FROM vector v JOIN clip c ON c.id = "
                           "v.clip LEFT JOIN space s ON s.id = c.space",
                           -1, &s, NULL) != SQLITE_OK)
        return rows(c, 1, "SELECT 1 FROM vector", "", "", e);
    while (sqlite3_step(s) == SQLITE_ROW) {
        int64_t clip = sqlite3_column_int64(s, 0);
        /* of a forged space: any number */
        int bytes = sqlite3_column_bytes(s, 1), dim = sqlite3_column_int(s, 2);
        const unsigned char *half = sqlite3_column_blob(s, 1);
        double length = 0;
        for (int i = 0; i + 1 < bytes; i += 2) {
            uint16_t h;
            memcpy(&h, half + i, 2);
            double v = (double)ks_float_from_half(h);
            length += v * v;
        }
        if (bytes != 2 * (int64_t)dim)
            say(c, 2, clip, "the vector of clip %lld has %d bytes, its space has D %d",
                (long long)clip, bytes, dim);
        else if (!isfinite(length) || fabs(sqrt(length) - 1) > 1e-3) /* NaN fails the first test */
            say(c, 2, clip, "the vector of clip %lld has length %g instead of 1", (long long)clip,
                sqrt(length));
    }
    sqlite3_finalize(s); /* damage was named by check_structure */
    return 0;
}

/* Does a copy say what SQLite says? Rows of dead videos are none of its business. */
static int compare_copy(checking *c, const ks_segment *s, ks_error *e)
{
    uint16_t half[KS_MAX_DIM];
    int code = 0;
    for (int64_t r = 0; r < s->header.runs && code >= 0; r++) {
        int64_t dead = 0;
        code = ks_integer(&dead, c->x, e,
                          "SELECT count(*) FROM gone WHERE video = ?1 AND finished = ?2", "ll",
                          s->runs[r].video, s->runs[r].finished);
        if (code < 0 || dead) continue;
        for (int64_t i = s->runs[r].first; i < s->runs[r].first + s->runs[r].count && code >= 0;
             i++) {
            ks_clip clip;
            int dim = 0;
            ks_error local;
            code = ks_clip_half(half, &dim, &clip, c->x, s->ids[i], &local);
            if (code == KS_ENOTFOUND)
                say(c, 3, s->ids[i], "%s lists clip %lld, which is not there", s->row.file,
                    (long long)s->ids[i]);
            else if (code >= 0 &&
                     (dim != (int)s->header.dim || clip.video != s->runs[r].video ||
                      memcmp(half, s->half + (size_t)i * (size_t)dim, (size_t)dim * 2) != 0))
                say(c, 3, s->ids[i], "%s has another vector for clip %lld than the catalog",
                    s->row.file, (long long)s->ids[i]);
            /* the latter is a finding already */
            if (code == KS_ENOTFOUND || code == KS_EDAMAGED) code = 0;
            else if (code < 0) return ks_fail(e, code, "%s", local.msg);
        }
    }
    return code;
}

/* What is derived from rows beside: words that are found and stand nowhere, or the other way
 * round. */
static int check_words(checking *c, ks_error *e)
{
    int code = c->x->version < KS_NAMES_SINCE
                   ? 0
                   : rows(c, 4,
                          "SELECT id FROM video WHERE id NOT IN (SELECT video FROM film_name)",
                          "video ", ": its name is not kept", e);
    if (code >= 0 && c->x->version >= KS_SUBTITLES_SINCE)
        code = rows(
            c, 1,
            "SELECT id FROM subtitle_file f WHERE lines <> (SELECT count(*) FROM subtitle s "
            "WHERE s.file = f.id) OR length(path) > 4096",
            "subtitles ", ": some of their lines are not there", e);
    if (code >= 0 && c->x->version >= KS_SUBTITLES_SINCE)
        code = rows(c, 1, "SELECT id FROM subtitle WHERE stop_us <= start_us OR start_us < 0",
                    "line ", " of subtitles: its times are none", e);
    for (const ks_word_table *w = ks_word_tables; w->name && code >= 0; w++) {
        if (w->since > c->x->version) continue;
        ks_error local;
        int agrees = ks_words_agree(c->x, w, &local);
        if (agrees == KS_EIO || agrees == KS_ENOMEM) code = ks_fail(e, agrees, "%s", local.msg);
        else if (agrees < 0) unread(c, &local);
        else if (!agrees)
            say(c, 1, 0,
                "the words of table %s are not those of table %s: kinoseek repair makes "
                "them anew",
                w->name, w->of);
    }
    return code;
}

/* A copy that is gone is no damage (it can be deleted any time); one that is there must be
 * whole. */
static int check_copies(checking *c, ks_error *e)
{
    ks_library_row library;
    ks_space space;
    ks_segment_row *list = NULL;
    int n = 0;
    ks_error local;
    /* named above */
    if (ks_library_read(&library, c->x, &local) < 0 ||
        ks_space_read(&space, c->x, library.space, &local) < 0)
        return 0;
    int code = library.space ? ks_segments_read(&list, &n, c->x, library.space, e) : 0;
    for (int i = 0; i < n && code >= 0; i++) {
        ks_segment s;
        ks_ann ann;
        const char *why;
        code = ks_segment_open(&s, &why, c->x->dir, &list[i], library.id, &space, 1, e);
        if (code == 0 && strcmp(why, "it is not there") != 0)
            say(c, 3, 0,
                "search copy %s cannot be used: %s; searches read the catalog instead, the next "
                "ingest makes it anew",
                list[i].file, why);
        if (code <= 0) continue;
        code = compare_copy(c, &s, e);
        if (code >= 0 && list[i].ann_file[0]) {
            int there = code = ks_ann_open(&ann, c->x->dir, &s, e);
            if (code >= 0 && (!there || !ks_ann_whole(&ann)))
                say(c, 3, 0,
                    "search copy %s cannot be used; searches are exact without it, the next "
                    "ingest makes it anew",
                    list[i].ann_file);
            if (there > 0) ks_ann_drop(&ann);
        }
        ks_segment_close(&s);
    }
    free(list);
    return code;
}

int ks_index_check(ks_index *x, ks_finding *found, void *arg, ks_error *e)
{
    static int (*const parts[])(checking *, ks_error *) = {
        check_structure, check_sums,  check_pairs,   check_labels,
        check_totals,    check_words, check_vectors, check_copies};
    assert(x);
    checking c = {.x = x, .found = found, .arg = arg};
    int code = ks_snapshot(x, e);
    if (code < 0) return code;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && code >= 0; i++)
        /* what can be read besides is looked at, too */
        if ((code = parts[i](&c, e)) == KS_EDAMAGED) {
            unread(&c, e);
            code = 0;
        }
    code = ks_end(x, code, e);
    if (code == KS_EDAMAGED) { /* SQLite does not even end a transaction over some pages */
        unread(&c, e);
        code = 0;
    }
    return code < 0 ? code : c.n > INT32_MAX ? INT32_MAX : (int)c.n;
}
