/* filter.c - what a filter asks for, as SQL. */
#include "index/filter.h"

#include <assert.h>
#include <string.h>

static const ks_filter everything = {0};

/* The labels called so, and those below them: what is asked of an animal is asked of its dogs. */
#define TREE                                                                                       \
    "(WITH RECURSIVE named(name) AS (SELECT :label UNION SELECT k.name FROM label k JOIN named "   \
    "ON k.parent = named.name) "                                                                   \
    "SELECT k.id FROM label k JOIN named ON k.name = named.name) "

void ks_filter_sql(char *out, const char *before, const ks_filter *f, int where, const char *after)
{
    if (!f) f = &everything;
    const struct {
        int asked;
        const char *sql;
    } parts[] = {
        {where & KS_WHERE_FILM && f->video, "AND v.id = ?4 "},
        {where & KS_WHERE_FILM && f->newer, "AND v.finished > ?20 "},
        {where & KS_WHERE_FILM && f->after, "AND v.film_date >= ?2 "},
        {where & KS_WHERE_FILM && f->before, "AND v.film_date < ?3 "},
        {where & KS_WHERE_FILM && f->film_longer > 0,
         "AND v.duration * 1.0 * v.tb_num / v.tb_den > ?21 "},
        {where & KS_WHERE_FILM && f->film_shorter > 0,
         "AND v.duration * 1.0 * v.tb_num / v.tb_den < ?22 "},
        {where & KS_WHERE_FILM && f->min_height > 0, "AND v.height >= ?23 "},
        {where & KS_WHERE_FILM && f->orientation,
         "AND CASE ?24 WHEN 1 THEN v.width > v.height WHEN 2 THEN v.width < v.height ELSE v.width "
         "= v.height END "},
        /* of one film its paths are looked at; of a library the list of paths is walked once,
         * not each film's clips */
        {where & KS_WHERE_PATHS && f->path_glob && f->video,
         "AND EXISTS (SELECT 1 FROM path q WHERE q.video = v.id AND ks_path_match(?1, q.path)) "},
        {where & KS_WHERE_PATHS && f->path_glob && !f->video,
         "AND v.id IN (SELECT q.video FROM path q WHERE ks_path_match(?1, q.path)) "},
        {where & KS_WHERE_PATH && f->path_glob, "AND ks_path_match(?1, p.path) "},
        {where & KS_WHERE_FILM && f->label,
         "AND v.id IN (SELECT m.video FROM label_span m WHERE m.label IN " TREE ") "},
        {where & KS_WHERE_CLIP && f->label,
         "AND EXISTS (SELECT 1 FROM label_span m WHERE m.video = v.id AND m.label IN " TREE
         "AND 2 * (min(c.stop, m.stop) - max(c.start, m.start)) >= min(c.stop - c.start, m.stop - "
         "m.start)) "},
        {where & KS_WHERE_SPAN && f->label, "AND n.label IN " TREE},
        {where & KS_WHERE_FILM && f->said,
         "AND v.id IN (SELECT b.video FROM subtitle_words w JOIN subtitle s ON s.id = w.rowid JOIN "
         "subtitle_file b ON b.id = s.file WHERE w.subtitle_words MATCH :said) "},
        /* by the lines, once; of each the clips of its film that begin before it ends */
        {where & KS_WHERE_CLIP && f->said,
         "AND c.id IN (SELECT k.id FROM subtitle_words w CROSS JOIN subtitle s ON s.id = w.rowid "
         "CROSS JOIN subtitle_file b ON b.id = s.file CROSS JOIN video o ON o.id = b.video CROSS "
         "JOIN clip k ON k.video = o.id AND k.space = (SELECT space FROM library) AND "
         "k.start < (s.stop_us + 3000000) * 1.0 * o.tb_den / (1000000.0 * o.tb_num) AND "
         "k.stop > (s.start_us - 3000000) * 1.0 * o.tb_den / (1000000.0 * o.tb_num) "
         "WHERE w.subtitle_words MATCH :said) "},
        {where & KS_WHERE_CLIP && f->longer > 0,
         "AND (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den > ?5 "},
        {where & KS_WHERE_CLIP && f->shorter > 0,
         "AND (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den < ?6 "},
    };
    size_t n = strlen(before);
    assert(n < KS_FILTER_SQL);
    memcpy(out, before, n + 1);
    for (size_t i = 0; i <= sizeof parts / sizeof *parts; i++) {
        const char *more = i == sizeof parts / sizeof *parts ? after
                           : parts[i].asked                  ? parts[i].sql
                                                             : "";
        size_t m = strlen(more);
        assert(n + m < KS_FILTER_SQL); /* all texts are ours */
        memcpy(out + n, more, m + 1);
        n += m;
    }
}

/* A parameter that the text does not name is none of this statement's. */
static int place(sqlite3_stmt *s, const char *name)
{
    return sqlite3_bind_parameter_index(s, name);
}

void ks_filter_bind(sqlite3_stmt *s, const ks_filter *f)
{
    if (!f) return;
    if (f->path_glob && place(s, "?1")) sqlite3_bind_text(s, 1, f->path_glob, -1, SQLITE_TRANSIENT);
    if (place(s, "?2")) sqlite3_bind_int64(s, 2, f->after);
    if (place(s, "?3")) sqlite3_bind_int64(s, 3, f->before);
    if (place(s, "?4")) sqlite3_bind_int64(s, 4, f->video);
    if (place(s, "?20")) sqlite3_bind_int64(s, 20, f->newer);
    if (place(s, "?21")) sqlite3_bind_double(s, 21, f->film_longer);
    if (place(s, "?22")) sqlite3_bind_double(s, 22, f->film_shorter);
    if (place(s, "?23")) sqlite3_bind_int(s, 23, f->min_height);
    if (place(s, "?24")) sqlite3_bind_int(s, 24, f->orientation);
    if (place(s, "?5")) sqlite3_bind_double(s, 5, f->longer);
    if (f->label && place(s, ":label"))
        sqlite3_bind_text(s, place(s, ":label"), f->label, -1, SQLITE_TRANSIENT);
    if (f->said && place(s, ":said"))
        sqlite3_bind_text(s, place(s, ":said"), f->said, -1, SQLITE_TRANSIENT);
    if (place(s, "?6")) sqlite3_bind_double(s, 6, f->shorter);
}

sqlite3_stmt *ks_filter_statement(ks_index *x, const char *before, const ks_filter *f, int where,
                                  const char *after, ks_error *e)
{
    char sql[KS_FILTER_SQL];
    ks_filter_sql(sql, before, f, where, after);
    sqlite3_stmt *s = ks_statement(x, sql, e);
    if (s) ks_filter_bind(s, f);
    return s;
}

int ks_filter_bounded(const ks_filter *f)
{
    return f && (f->path_glob || f->after || f->before || f->longer > 0 || f->shorter > 0 ||
                 f->video || f->newer || f->label || f->said || f->film_longer > 0 ||
                 f->film_shorter > 0 || f->min_height > 0 || f->orientation);
}
