/* word_root.c - is the root of an FTS5 table one that SQLite may be handed?
 *
 * FTS5 keeps its list of segments in one row (id 10 of NAME_data) and makes room for as many as
 * that row says before it looks whether they stand there: a forged count of 53,000,000 took
 * 1.3 GB and 0.2 s in each statement that names the table (SQLite 3.40). Format: "Structure
 * records" in SQLite's fts5_index.c. */
#include "index/catalog.h"

#include <stdio.h>
#include <string.h>

enum { ROOT = 10, COOKIE = 4, MARKER = 4, PLAIN = 3, STAMPED = 8 /* numbers a segment takes */ };

/* Bytes that are left of the row; a number of up to nine bytes, seven bits in each but the last. */
typedef struct {
    const unsigned char *at, *end;
} numbers;

static int next(uint64_t *out, numbers *n)
{
    *out = 0;
    for (int i = 0; n->at < n->end && i < 9; i++) {
        unsigned char byte = *n->at++;
        if (i == 8) {
            *out = *out << 8 | byte;
            return 1;
        }
        *out = *out << 7 | (byte & 127);
        if (byte < 128) return 1;
    }
    return 0;
}

/* Every segment that is promised stands there. */
static int stands(numbers n)
{
    static const unsigned char stamped[MARKER] = {0xff, 0, 0, 1};
    uint64_t levels, segments, number, merged, here;
    size_t each = PLAIN;
    if (n.end - n.at < COOKIE) return 0;
    n.at += COOKIE;
    if (n.end - n.at >= MARKER && memcmp(n.at, stamped, MARKER) == 0) {
        n.at += MARKER;
        each = STAMPED;
    }
    if (!next(&levels, &n) || !next(&segments, &n) || !next(&number, &n)) return 0;
    if (levels > (size_t)(n.end - n.at) / 2 || segments > (size_t)(n.end - n.at) / each) return 0;
    for (uint64_t l = 0; l < levels; l++) {
        if (!next(&merged, &n) || !next(&here, &n)) return 0;
        if (here > (size_t)(n.end - n.at) / each) return 0;
        for (uint64_t i = 0; i < here * each; i++)
            if (!next(&number, &n)) return 0;
    }
    return 1;
}

int ks_words_stand(ks_index *x, const ks_word_table *w, ks_error *e)
{
    char sql[100];
    sqlite3_stmt *s = NULL;
    snprintf(sql, sizeof sql, "SELECT block FROM main.%s_data WHERE id = %d", w->name, ROOT);
    if (sqlite3_prepare_v2(x->db, sql, -1, &s, NULL) != SQLITE_OK) return ks_sql_error(x, e);
    int code = ks_step(s, x, e);
    if (code > 0) {
        const unsigned char *row = sqlite3_column_blob(s, 0);
        code = row && stands((numbers){row, row + sqlite3_column_bytes(s, 0)});
    }
    sqlite3_finalize(s);
    if (code != 0) return code < 0 ? code : 0;
    return ks_fail(e, KS_EDAMAGED, "%s/catalog.db: table %s is damaged: run kinoseek repair",
                   x->dir, w->name);
}

int ks_words_stand_in(ks_index *x, const char *sql, ks_error *e)
{
    int code = 0;
    for (const ks_word_table *w = ks_word_tables; w->name && code >= 0; w++)
        if (w->since <= x->version && strstr(sql, w->name)) code = ks_words_stand(x, w, e);
    return code;
}
