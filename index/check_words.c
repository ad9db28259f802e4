/* check_words.c - does an FTS5 table hold the words of its rows, and no others?
 *
 * FTS5's own integrity-check is a write. So the table is made once more from its rows, in memory,
 * and every word of both is compared: which word, in which row, at which place. */
#include "index/catalog.h"

#include <stdio.h>
#include <string.h>

/* -1, 0, 1: which of two rows of fts5vocab's "instance" comes first; they ascend by term, row,
 * place. */
static int order(sqlite3_stmt *a, sqlite3_stmt *b)
{
    const char *s = (const char *)sqlite3_column_text(a, 0),
               *t = (const char *)sqlite3_column_text(b, 0);
    int c = strcmp(s ? s : "", t ? t : "");
    for (int i = 1; i < 3 && c == 0; i++) {
        int64_t p = sqlite3_column_int64(a, i), q = sqlite3_column_int64(b, i);
        c = (p > q) - (p < q);
    }
    return c;
}

/* 1: both walks are the same; 0: they are not; < 0: one cannot be walked. */
static int same(sqlite3_stmt *a, sqlite3_stmt *b, ks_index *x, ks_error *e)
{
    int p, q;
    do {
        p = ks_step(a, x, e);
        q = p < 0 ? p : ks_step(b, x, e);
        if (p < 0 || q < 0) return p < 0 ? p : q;
    } while (p && q && order(a, b) == 0);
    return !p && !q;
}

static int make(ks_index *x, const ks_word_table *w, ks_error *e)
{
    char sql[600];
    snprintf(sql, sizeof sql,
             "CREATE VIRTUAL TABLE temp.fresh USING fts5(t, content='', tokenize='%s'); "
             "INSERT INTO temp.fresh(rowid, t) SELECT %s, %s FROM main.%s NOT INDEXED; "
             "CREATE VIRTUAL TABLE temp.fresh_words USING fts5vocab(temp, fresh, instance); "
             "CREATE VIRTUAL TABLE temp.kept_words USING fts5vocab(main, %s, instance)",
             w->tokenize, w->key, w->column, w->of, w->name);
    return ks_set(x, sql, e);
}

int ks_words_agree(ks_index *x, const ks_word_table *w, ks_error *e)
{
    sqlite3_stmt *a = NULL, *b = NULL;
    int was = x->mode == KS_READ, code = ks_words_stand(x, w, e);
    if (code < 0) return code;
    code = was ? ks_set(x, "PRAGMA query_only = OFF", e) : 0;
    if (code >= 0) code = make(x, w, e);
    if (code >= 0 && (sqlite3_prepare_v2(x->db, "SELECT term, doc, offset FROM temp.kept_words", -1,
                                         &a, NULL) != SQLITE_OK ||
                      sqlite3_prepare_v2(x->db, "SELECT term, doc, offset FROM temp.fresh_words",
                                         -1, &b, NULL) != SQLITE_OK))
        code = ks_sql_error(x, e);
    if (code >= 0) code = same(a, b, x, e);
    sqlite3_finalize(a);
    sqlite3_finalize(b);
    ks_error ignored; /* what went wrong first is said */
    ks_set(x, "DROP TABLE IF EXISTS temp.kept_words", &ignored);
    ks_set(x, "DROP TABLE IF EXISTS temp.fresh_words", &ignored);
    ks_set(x, "DROP TABLE IF EXISTS temp.fresh", &ignored);
    if (was) ks_set(x, "PRAGMA query_only = ON", &ignored);
    return code;
}
