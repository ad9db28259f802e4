/* schema.c - the tables, the views for other people's SQL, and how an older catalog becomes a
 * newer one.
 *
 * Every table ends in `sum` (row_sum.c). Times are ticks of the video's time base (tb_num / tb_den
 * seconds). man kinoseek-catalog documents all of it; only views are promised to stay as they
 * are. */
#include "index/catalog.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

const ks_table ks_tables[] = {
    {"library", "one",
     "one, id, created, space, writing, generation, next_video, next_clip, next_segment, videos, "
     "clips",
     11, KS_T_LIBRARY, 1},
    {"space", "id",
     "id, model, dim, frames, sampler, resize, precision, model_path, tokenizer_path", 9,
     KS_T_SPACE, 1},
    {"video", "id",
     "id, content, space, finished, verdict, reason, attempts, tb_num, tb_den, duration, "
     "seconds_missing, "
     "film_date, date_source, width, height, fps, flags, clips",
     18, KS_T_VIDEO, 1},
    {"path", "video", "path, video, size, mtime_ns, device, inode", 6, KS_T_PATH, 1},
    {"clip", "id", "id, video, space, start, stop, frames, reason", 7, KS_T_CLIP, 1},
    {"vector", "clip", "clip, half", 2, KS_T_VECTOR, 1},
    {"frame_vectors", "clip", "clip, frames, data", 3, KS_T_FRAMES, 1},
    {"thumbnail", "clip", "clip, jpeg", 2, KS_T_THUMBNAIL, 1},
    {"setting", "rowid", "key, value", 2, KS_T_SETTING, 1},
    {"segment", "id",
     "id, file, space, from_generation, to_generation, rows, header, size, mtime_ns, ctime_ns, "
     "device, inode, "
     "ann_file, ann_hash, recall",
     15, KS_T_SEGMENT, 1},
    {"gone", "video", "generation, video, finished", 3, KS_T_GONE, 1},
    {"file_hash", "video", "video, hash", 2, KS_T_FILE_HASH, 2},
    {"totals", "one",
     "one, paths, unfinished, bad, microseconds, clips, vector_bytes, frame_bytes, thumbnail_bytes",
     9, KS_T_TOTALS, 4},
    {"source_time", "video", "video, timecode, reel, rate_num, rate_den", 5, KS_T_SOURCE_TIME, 5},
    {"key_index", "video", "video, frames", 2, KS_T_KEY_INDEX, 6},
    {"saved", "rowid", "name, query, seen", 3, KS_T_SAVED, KS_SAVED_SINCE},
    {"saved_hit", "id", "id, name, video, start, stop, told, hit", 7, KS_T_SAVED_HIT,
     KS_SAVED_SINCE},
    {"label_set", "id", "id, name, hash, how, created", 5, KS_T_LABEL_SET, KS_LABELS_SINCE},
    {"label", "id", "id, label_set, name, parent", 4, KS_T_LABEL, KS_LABELS_SINCE},
    {"label_film", "video", "label_set, video, finished, hash", 4, KS_T_LABEL_FILM,
     KS_LABELS_SINCE},
    {"label_span", "id", "id, label, video, start, stop, rank, score, cosine, said", 9,
     KS_T_LABEL_SPAN, KS_LABELS_SINCE},
    {"label_said", "id", "id, label_set, label, content, start_us, stop_us, yes, created", 8,
     KS_T_LABEL_SAID, KS_LABELS_SINCE},
    {"learnt", "id", "id, name, space, w, bias, ap, ap_low, ap_high, yeses, noes, films, created",
     12, KS_T_LEARNT, KS_LABELS_SINCE},
    {"example", "id", "id, learnt, content, start_us, stop_us, yes", 6, KS_T_EXAMPLE,
     KS_LABELS_SINCE},
    {"film_name", "video", "video, name", 2, KS_T_FILM_NAME, KS_NAMES_SINCE},
    {"subtitle_file", "id", "id, video, path, size, mtime_ns, note, lines", 7, KS_T_SUBTITLE_FILE,
     KS_SUBTITLES_SINCE},
    {"subtitle", "id", "id, file, start_us, stop_us, text", 5, KS_T_SUBTITLE, KS_SUBTITLES_SINCE},
    {NULL, NULL, NULL, 0, KS_T_LIBRARY, 1}};

#define SINCE(sql, version)                                                                        \
    {                                                                                              \
        sql, version, INT_MAX, 0                                                                   \
    }
#define ALWAYS(sql)          SINCE(sql, 1)
#define SINCE_LABELS(sql)    SINCE(sql, KS_LABELS_SINCE)
#define SINCE_NAMES(sql)     SINCE(sql, KS_NAMES_SINCE)
#define SINCE_SUBTITLES(sql) SINCE(sql, KS_SUBTITLES_SINCE)

/* An FTS5 table over the rows of another, and what FTS5 makes for it, to the letter as every
 * SQLite since 3.9 writes it. */
#define MADE(sql, version)                                                                         \
    {                                                                                              \
        sql, version, INT_MAX, 1                                                                   \
    }
#define WORDS(name, column, of, key, how, version)                                                 \
    SINCE("CREATE VIRTUAL TABLE " name " USING fts5(" column ", content='" of                      \
          "', content_rowid='" key "', tokenize='" how "unicode61 remove_diacritics 2')",          \
          version),                                                                                \
        MADE("CREATE TABLE '" name "_data'(id INTEGER PRIMARY KEY, block BLOB)", version),         \
        MADE("CREATE TABLE '" name "_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT "   \
             "ROWID",                                                                              \
             version),                                                                             \
        MADE("CREATE TABLE '" name "_docsize'(id INTEGER PRIMARY KEY, sz BLOB)", version),         \
        MADE("CREATE TABLE '" name "_config'(k PRIMARY KEY, v) WITHOUT ROWID", version)

#define CLIPS_VIEW(reasons)                                                                        \
    "CREATE VIEW clips AS SELECT c.id AS clip, c.video AS video, c.start * 1.0 * v.tb_num / "      \
    "v.tb_den AS start, "                                                                          \
    "c.stop * 1.0 * v.tb_num / v.tb_den AS \"end\", c.frames AS frames, "                          \
    "CASE c.reason WHEN 0 THEN 'window' WHEN 1 THEN 'shot' WHEN 2 THEN 'tail' " reasons            \
    " AS reason, x.half AS vector_f16 "                                                            \
    "FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id JOIN library l ON " \
    "l.space = c.space "                                                                           \
    "WHERE v.finished > 0"

const ks_schema_object ks_schema[] = {
    ALWAYS("CREATE TABLE library(one INTEGER PRIMARY KEY CHECK(one = 1), id TEXT NOT NULL, created "
           "INTEGER NOT NULL, "
           "space INTEGER NOT NULL, writing INTEGER NOT NULL, generation INTEGER NOT NULL, "
           "next_video INTEGER NOT NULL, "
           "next_clip INTEGER NOT NULL, next_segment INTEGER NOT NULL, videos INTEGER NOT NULL, "
           "clips INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"),

    ALWAYS("CREATE TABLE space(id INTEGER PRIMARY KEY, model TEXT NOT NULL, dim INTEGER NOT NULL, "
           "frames INTEGER NOT NULL, "
           "sampler INTEGER NOT NULL, resize INTEGER NOT NULL, precision INTEGER NOT NULL, "
           "model_path BLOB NOT NULL, "
           "tokenizer_path BLOB NOT NULL, sum INTEGER NOT NULL) STRICT"),

    ALWAYS("CREATE TABLE video(id INTEGER PRIMARY KEY, content BLOB NOT NULL, space INTEGER NOT "
           "NULL, finished INTEGER NOT NULL, "
           "verdict INTEGER NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL, tb_num "
           "INTEGER NOT NULL, "
           "tb_den INTEGER NOT NULL, duration INTEGER NOT NULL, seconds_missing REAL NOT NULL, "
           "film_date INTEGER NOT NULL, "
           "date_source INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, fps "
           "REAL NOT NULL, "
           "flags INTEGER NOT NULL, clips INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"),
    ALWAYS("CREATE UNIQUE INDEX video_content ON video(content)"),
    ALWAYS("CREATE INDEX video_finished ON video(finished)"),

    ALWAYS("CREATE TABLE path(path BLOB PRIMARY KEY NOT NULL, video INTEGER NOT NULL REFERENCES "
           "video, size INTEGER NOT NULL, "
           "mtime_ns INTEGER NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL, sum "
           "INTEGER NOT NULL) STRICT, WITHOUT ROWID"),
    ALWAYS("CREATE INDEX path_video ON path(video)"),

    ALWAYS("CREATE TABLE clip(id INTEGER PRIMARY KEY, video INTEGER NOT NULL REFERENCES video, "
           "space INTEGER NOT NULL REFERENCES space, "
           "start INTEGER NOT NULL, stop INTEGER NOT NULL, frames INTEGER NOT NULL, reason INTEGER "
           "NOT NULL, sum INTEGER NOT NULL) STRICT"),
    ALWAYS("CREATE UNIQUE INDEX clip_video ON clip(video, space, start, stop)"),

    ALWAYS("CREATE TABLE vector(clip INTEGER PRIMARY KEY REFERENCES clip, half BLOB NOT NULL, sum "
           "INTEGER NOT NULL) STRICT"),
    ALWAYS("CREATE TABLE frame_vectors(clip INTEGER PRIMARY KEY REFERENCES clip, frames INTEGER "
           "NOT NULL, data BLOB NOT NULL, "
           "sum INTEGER NOT NULL) STRICT"),
    ALWAYS("CREATE TABLE thumbnail(clip INTEGER PRIMARY KEY REFERENCES clip, jpeg BLOB NOT NULL, "
           "sum INTEGER NOT NULL) STRICT"),
    /* Until version 2: what unrelated sentences give to each clip. Nothing read it: the scale is
     * one number (query). */
    {"CREATE TABLE background(clip INTEGER PRIMARY KEY REFERENCES clip, mean REAL NOT NULL, spread "
     "REAL NOT NULL, "
     "sum INTEGER NOT NULL) STRICT",
     1, 2, 0},
    ALWAYS("CREATE TABLE setting(key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL, sum INTEGER "
           "NOT NULL) STRICT"),

    /* Search copies that this catalog vouches for: `header` is the hash of the file's header,
     * which in turn holds the hashes of all the rest; the stat fields are those of the last full
     * check. */
    ALWAYS("CREATE TABLE segment(id INTEGER PRIMARY KEY, file TEXT NOT NULL, space INTEGER NOT "
           "NULL, from_generation INTEGER NOT NULL, "
           "to_generation INTEGER NOT NULL, rows INTEGER NOT NULL, header INTEGER NOT NULL, size "
           "INTEGER NOT NULL, "
           "mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, device INTEGER NOT NULL, inode "
           "INTEGER NOT NULL, "
           "ann_file TEXT NOT NULL, ann_hash INTEGER NOT NULL, recall REAL NOT NULL, "
           "sum INTEGER NOT NULL) STRICT"),
    ALWAYS("CREATE TABLE gone(generation INTEGER NOT NULL, video INTEGER NOT NULL, finished "
           "INTEGER NOT NULL, sum INTEGER NOT NULL, "
           "PRIMARY KEY(video, finished)) STRICT, WITHOUT ROWID"),

    ALWAYS("CREATE VIEW videos AS SELECT v.id AS video, "
           "(SELECT CAST(p.path AS TEXT) FROM path p WHERE p.video = v.id ORDER BY p.path LIMIT 1) "
           "AS path, "
           "CASE v.verdict WHEN 0 THEN 'unfinished' WHEN 1 THEN 'indexed' WHEN 2 THEN 'partly' "
           "WHEN 3 THEN 'skipped' ELSE 'failed' END AS verdict, "
           "v.reason AS reason, v.duration * 1.0 * v.tb_num / v.tb_den AS seconds, "
           "v.seconds_missing AS seconds_missing, "
           "datetime(v.film_date, 'unixepoch') AS film_date, v.width AS width, v.height AS height, "
           "v.fps AS fps FROM video v"),
    ALWAYS("CREATE VIEW files AS SELECT CAST(p.path AS TEXT) AS path, p.path AS path_bytes, "
           "p.video AS video, p.size AS size, "
           "p.mtime_ns / 1e9 AS mtime, v.verdict AS verdict, v.reason AS reason FROM path p JOIN "
           "videos v ON v.video = p.video"),
    {CLIPS_VIEW("ELSE 'still' END"), 1, 7, 0},
    {CLIPS_VIEW("WHEN 4 THEN 'survey' ELSE 'still' END"), 8, INT_MAX, 0},

    /* Version 2: a hash of all bytes of a file, for the day when only its mtime is another
     * (DESIGN 3.4). */
    {"CREATE TABLE file_hash(video INTEGER PRIMARY KEY REFERENCES video, hash INTEGER NOT NULL, "
     "sum INTEGER NOT NULL) STRICT",
     2, INT_MAX, 0},
    /* Version 4: sums over all rows, so that no command walks the library to print a number. */
    {"CREATE TABLE totals(one INTEGER PRIMARY KEY CHECK(one = 1), paths INTEGER NOT NULL, "
     "unfinished INTEGER NOT NULL, "
     "bad INTEGER NOT NULL, microseconds INTEGER NOT NULL, clips INTEGER NOT NULL, vector_bytes "
     "INTEGER NOT NULL, "
     "frame_bytes INTEGER NOT NULL, thumbnail_bytes INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT",
     4, INT_MAX, 0},
    /* Version 5: what editing programs find a source by; no row for a film that says nothing of
     * it. */
    {"CREATE TABLE source_time(video INTEGER PRIMARY KEY REFERENCES video, timecode TEXT NOT NULL, "
     "reel TEXT NOT NULL, "
     "rate_num INTEGER NOT NULL, rate_den INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT",
     5, INT_MAX, 0},
    /* Version 6: where the key frames of a film lie, and how they look: [[ticks, shift, offset,
     * look], ...] (key_rows.c). */
    {"CREATE TABLE key_index(video INTEGER PRIMARY KEY REFERENCES video, frames TEXT NOT NULL, sum "
     "INTEGER NOT NULL) STRICT",
     6, INT_MAX, 0},
    {"CREATE VIEW key_frames AS SELECT k.video AS video, json_extract(j.value, '$[0]') * 1.0 * "
     "v.tb_num / v.tb_den AS seconds, "
     "json_extract(j.value, '$[2]') AS \"offset\" FROM key_index k JOIN video v ON v.id = k.video, "
     "json_each(k.frames) j "
     "WHERE json_extract(j.value, '$[2]') >= -1",
     6, INT_MAX, 0},
    /* Version 7: kept queries, what each has found of films that came since, and whether it was
     * told. */
    {"CREATE TABLE saved(name TEXT PRIMARY KEY NOT NULL, query TEXT NOT NULL, seen INTEGER NOT "
     "NULL, sum INTEGER NOT NULL) STRICT",
     KS_SAVED_SINCE, INT_MAX, 0},
    {"CREATE TABLE saved_hit(id INTEGER PRIMARY KEY, name TEXT NOT NULL, video INTEGER NOT NULL, "
     "start INTEGER NOT NULL, "
     "stop INTEGER NOT NULL, told INTEGER NOT NULL, hit TEXT NOT NULL, sum INTEGER NOT NULL) "
     "STRICT",
     KS_SAVED_SINCE, INT_MAX, 0},
    {"CREATE INDEX saved_hit_film ON saved_hit(video, name)", KS_SAVED_SINCE, INT_MAX, 0},
    /* Version 8: films that are searched by their survey, to be counted. */
    {"CREATE INDEX video_surveyed ON video(id) WHERE flags & 64", 8, INT_MAX, 0},
    /* Labels that stay: a set, its labels, which films were labelled as of which generation and
     * set, spans, what people said of them (by content and microseconds: it outlives the film's
     * rows), labels that were taught and their examples. */
    SINCE_LABELS("CREATE TABLE label_set(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash "
                 "INTEGER NOT NULL, how TEXT NOT NULL, "
                 "created INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"),
    SINCE_LABELS("CREATE TABLE label(id INTEGER PRIMARY KEY, label_set INTEGER NOT NULL REFERENCES "
                 "label_set, name TEXT NOT NULL, "
                 "parent TEXT NOT NULL, sum INTEGER NOT NULL) STRICT"),
    SINCE_LABELS("CREATE UNIQUE INDEX label_name ON label(name, label_set)"),
    SINCE_LABELS("CREATE TABLE label_film(label_set INTEGER NOT NULL REFERENCES label_set, video "
                 "INTEGER NOT NULL REFERENCES video, "
                 "finished INTEGER NOT NULL, hash INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY "
                 "KEY(video, label_set)) STRICT, WITHOUT ROWID"),
    SINCE_LABELS("CREATE TABLE label_span(id INTEGER PRIMARY KEY, label INTEGER NOT NULL "
                 "REFERENCES label, video INTEGER NOT NULL REFERENCES video, "
                 "start INTEGER NOT NULL, stop INTEGER NOT NULL, rank INTEGER NOT NULL, score REAL "
                 "NOT NULL, cosine REAL NOT NULL, said INTEGER NOT NULL, "
                 "sum INTEGER NOT NULL) STRICT"),
    SINCE_LABELS("CREATE INDEX label_span_video ON label_span(video, start)"),
    SINCE_LABELS("CREATE INDEX label_span_label ON label_span(label, video)"),
    SINCE_LABELS("CREATE TABLE label_said(id INTEGER PRIMARY KEY, label_set TEXT NOT NULL, label "
                 "TEXT NOT NULL, content BLOB NOT NULL, "
                 "start_us INTEGER NOT NULL, stop_us INTEGER NOT NULL, yes INTEGER NOT NULL, "
                 "created INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"),
    SINCE_LABELS("CREATE INDEX label_said_of ON label_said(content, label_set)"),
    SINCE_LABELS("CREATE TABLE learnt(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, space "
                 "INTEGER NOT NULL, w BLOB NOT NULL, bias REAL NOT NULL, "
                 "ap REAL NOT NULL, ap_low REAL NOT NULL, ap_high REAL NOT NULL, yeses INTEGER NOT "
                 "NULL, noes INTEGER NOT NULL, films INTEGER NOT NULL, "
                 "created INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"),
    SINCE_LABELS("CREATE TABLE example(id INTEGER PRIMARY KEY, learnt TEXT NOT NULL, content BLOB "
                 "NOT NULL, start_us INTEGER NOT NULL, "
                 "stop_us INTEGER NOT NULL, yes INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"),
    SINCE_LABELS("CREATE INDEX example_of ON example(learnt)"),
    SINCE_LABELS("CREATE VIEW labels AS SELECT s.name AS label_set, l.name AS label, l.parent AS "
                 "parent, n.video AS video, "
                 "(SELECT CAST(p.path AS TEXT) FROM path p WHERE p.video = n.video ORDER BY p.path "
                 "LIMIT 1) AS path, "
                 "n.start * 1.0 * v.tb_num / v.tb_den AS start, n.stop * 1.0 * v.tb_num / v.tb_den "
                 "AS \"end\", n.rank AS rank, n.score AS score, "
                 "n.cosine AS cosine, n.said AS said FROM label_span n JOIN label l ON l.id = "
                 "n.label JOIN label_set s ON s.id = l.label_set "
                 "JOIN video v ON v.id = n.video WHERE v.finished > 0"),
    SINCE_LABELS("CREATE VIEW label_sets AS SELECT s.name AS label_set, s.how AS how, "
                 "datetime(s.created, 'unixepoch') AS created, "
                 "(SELECT count(*) FROM label l WHERE l.label_set = s.id) AS labels, (SELECT "
                 "count(*) FROM label_film f WHERE f.label_set = s.id) AS films "
                 "FROM label_set s"),
    /* What a film and its folders are called, as words, and FTS5 over them. */
    SINCE_NAMES("CREATE TABLE film_name(video INTEGER PRIMARY KEY REFERENCES video, name TEXT NOT "
                "NULL, sum INTEGER NOT NULL) STRICT"),
    WORDS("film_words", "name", "film_name", "video", "porter ", KS_NAMES_SINCE),
    /* What is said: where it was read (path empty: in the film itself), its lines, FTS5 over
     * them. */
    SINCE_SUBTITLES(
        "CREATE TABLE subtitle_file(id INTEGER PRIMARY KEY, video INTEGER NOT NULL "
        "REFERENCES video, path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT "
        "NULL, note TEXT NOT NULL, lines INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"),
    SINCE_SUBTITLES("CREATE UNIQUE INDEX subtitle_file_of ON subtitle_file(video, path)"),
    SINCE_SUBTITLES(
        "CREATE TABLE subtitle(id INTEGER PRIMARY KEY, file INTEGER NOT NULL REFERENCES "
        "subtitle_file, start_us INTEGER NOT NULL, stop_us INTEGER NOT NULL, text TEXT NOT "
        "NULL, sum INTEGER NOT NULL) STRICT"),
    SINCE_SUBTITLES("CREATE INDEX subtitle_of ON subtitle(file, start_us)"),
    WORDS("subtitle_words", "text", "subtitle", "id", "", KS_SUBTITLES_SINCE),
    SINCE_SUBTITLES(
        "CREATE VIEW subtitles AS SELECT f.video AS video, (SELECT CAST(p.path AS TEXT) "
        "FROM path p WHERE p.video = f.video ORDER BY p.path LIMIT 1) AS path, "
        "s.start_us / 1e6 AS start, s.stop_us / 1e6 AS \"end\", s.text AS text, CAST(f.path "
        "AS TEXT) AS beside FROM subtitle s JOIN subtitle_file f ON f.id = s.file JOIN video "
        "v ON v.id = f.video WHERE v.finished > 0"),
    {NULL, 0, 0, 0}};

#define FOLDED "unicode61 remove_diacritics 2"
const ks_word_table ks_word_tables[] = {
    {"film_words", "film_name", "video", "name", "porter " FOLDED, KS_NAMES_SINCE},
    {"subtitle_words", "subtitle", "id", "text", FOLDED, KS_SUBTITLES_SINCE},
    {NULL, NULL, NULL, NULL, NULL, 0}};

enum { OBJECTS = sizeof ks_schema / sizeof *ks_schema };

int ks_schema_has(const ks_schema_object *o, int version)
{
    return version >= o->since && version <= o->until;
}

/* An FTS5 table's own tables begin with its name. */
static int is_ours(const char *table)
{
    for (const ks_table *t = ks_tables; t->name; t++)
        if (sqlite3_stricmp(table, t->name) == 0) return 1;
    for (const ks_word_table *w = ks_word_tables; w->name; w++)
        if (sqlite3_strnicmp(table, w->name, (int)strlen(w->name)) == 0) return 1;
    return 0;
}

/* May a row of sqlite_schema stand in a catalog? What we ask is asked of our tables: each must
 * be what we make, by name, kind and text, with no index or trigger but ours. Tables of a
 * person's own beside them are theirs. */
static int may_stand(sqlite3_stmt *s, int version, char known[OBJECTS])
{
    const char *type = (const char *)sqlite3_column_text(s, 0),
               *table = (const char *)sqlite3_column_text(s, 1);
    const char *sql = (const char *)sqlite3_column_text(s, 2);
    if (!type || !table) return 0;
    /* of a PRIMARY KEY or UNIQUE, by its table's text */
    if (!sql) return strcmp(type, "index") == 0;
    for (const ks_schema_object *o = ks_schema; o->sql; o++)
        if (ks_schema_has(o, version) && strcmp(o->sql, sql) == 0) {
            char *times = &known[o - ks_schema];
            return !*times && ++*times;
        }
    return (strcmp(type, "table") == 0 || strcmp(type, "index") == 0) && !is_ours(table) &&
           sqlite3_strnicmp(sql, "CREATE VIRTUAL", 14) != 0;
}

int ks_schema_stands(sqlite3 *db, int version)
{
    sqlite3_stmt *s = NULL;
    char known[OBJECTS] = {0};
    int rc, good = 1;
    if (sqlite3_prepare_v2(db, "SELECT type, tbl_name, sql FROM sqlite_schema", -1, &s, NULL) !=
        SQLITE_OK)
        return 0;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) good &= may_stand(s, version, known);
    sqlite3_finalize(s);
    for (const ks_schema_object *o = ks_schema; o->sql; o++)
        good &= !ks_schema_has(o, version) || known[o - ks_schema];
    return rc == SQLITE_DONE && good;
}

int ks_schema_create(ks_index *x, ks_error *e)
{
    char sql[80];
    for (const ks_schema_object *o = ks_schema; o->sql; o++)
        if (!o->made && ks_schema_has(o, KS_SCHEMA_VERSION) &&
            sqlite3_exec(x->db, o->sql, NULL, NULL, NULL) != SQLITE_OK)
            return ks_sql_error(x, e);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", KS_SCHEMA_VERSION);
    if (sqlite3_exec(x->db, sql, NULL, NULL, NULL) != SQLITE_OK) return ks_sql_error(x, e);
    x->version = KS_SCHEMA_VERSION;
    return ks_totals_count(x, e);
}

/* One step a version, each inside the caller's transaction: old or new, never between. A reader
 * takes an older catalog as it is. */
int ks_schema_migrate(ks_index *x, int from, ks_error *e)
{
    char sql[80];
    if (from > KS_SCHEMA_VERSION)
        return ks_fail(e, KS_EFORMAT,
                       "%s/catalog.db was made by a newer kinoseek (schema %d, this one knows %d)",
                       x->dir, from, KS_SCHEMA_VERSION);
    if (from < 1)
        return ks_fail(e, KS_EDAMAGED, "%s/catalog.db: schema version %d never existed", x->dir,
                       from);
    x->version = from;
    if (!ks_schema_stands(x->db, from))
        return ks_fail(e, KS_EDAMAGED,
                       "%s/catalog.db: its tables, indexes and views are not those of a library: "
                       "run kinoseek repair",
                       x->dir);
    if (from == KS_SCHEMA_VERSION || x->mode == KS_READ) return 0;
    if (from < 8 && sqlite3_exec(x->db, "DROP VIEW clips", NULL, NULL, NULL) != SQLITE_OK)
        return ks_sql_error(x, e);
    for (const ks_schema_object *o = ks_schema; o->sql; o++) {
        int was = ks_schema_has(o, from), is = ks_schema_has(o, KS_SCHEMA_VERSION);
        if (is && !was && !o->made && sqlite3_exec(x->db, o->sql, NULL, NULL, NULL) != SQLITE_OK)
            return ks_sql_error(x, e);
    }
    if (from < 3 && sqlite3_exec(x->db, "DROP TABLE background", NULL, NULL, NULL) != SQLITE_OK)
        return ks_sql_error(x, e);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", KS_SCHEMA_VERSION);
    if (sqlite3_exec(x->db, sql, NULL, NULL, NULL) != SQLITE_OK) return ks_sql_error(x, e);
    x->version = KS_SCHEMA_VERSION;
    int code = from < 4 ? ks_totals_count(x, e) : 0;
    return code < 0 || from >= KS_NAMES_SINCE ? code : ks_names_make(x, e);
}
