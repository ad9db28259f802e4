/* search_function.c - kinoseek_search(words, k, library) as a virtual table
 * (sqlite.org/vtab.html, table-valued functions). */
#include "session/session.h"
#include "sql/sql.h"

#include <sqlite3ext.h>
#include <stdlib.h>
#include <string.h>
SQLITE_EXTENSION_INIT1

enum { RANK, SCORE, COSINE, VIDEO, PATH, START, END, BEST, CLIP, WORDS, K, LIBRARY };
static const char schema[] =
    "CREATE TABLE x(rank INTEGER, score REAL, cosine REAL, video INTEGER, path TEXT, start REAL, "
    "\"end\" REAL, "
    "best REAL, clip INTEGER, words TEXT HIDDEN, k INTEGER HIDDEN, library TEXT HIDDEN)";

/* One a connection: the library stays open from one question to the next. */
typedef struct {
    sqlite3_vtab base;
    sqlite3 *db;
    char *library; /* of the session */
    ks_session *session;
    ks_setup setup;
} table;

typedef struct {
    sqlite3_vtab_cursor base;
    ks_answer answer;
    int at;
} cursor;

static int fail(sqlite3_vtab *t, const char *sentence)
{
    sqlite3_free(t->zErrMsg);
    t->zErrMsg = sqlite3_mprintf("%s", sentence);
    return SQLITE_ERROR;
}

static int connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
                   char **why)
{
    table *t;
    int err = sqlite3_declare_vtab(db, schema);

    (void)aux, (void)argc, (void)argv, (void)why;
    if (err != SQLITE_OK) return err;
    if (!(t = calloc(1, sizeof *t))) return SQLITE_NOMEM;
    t->db = db;
    *out = &t->base;
    /* it reads files: not from a schema that somebody sent */
    return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

static int disconnect(sqlite3_vtab *v)
{
    table *t = (table *)v;

    ks_session_close(t->session);
    free(t->library);
    free(t);
    return SQLITE_OK;
}

/* The arguments come as equalities with the hidden columns; idxNum says which there are. */
static int best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
    int of[3] = {-1, -1, -1}, n = 0;

    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        if (column < WORDS || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
        if (!info->aConstraint[i].usable)
            return SQLITE_CONSTRAINT; /* another order of the join gives it */
        of[column - WORDS] = i;
    }
    if (of[0] < 0)
        return fail(v, "kinoseek_search wants words: kinoseek_search('a dog jumping', 10)");
    for (int i = 0; i < 3; i++)
        if (of[i] >= 0) {
            info->aConstraintUsage[of[i]].argvIndex = ++n;
            info->aConstraintUsage[of[i]].omit = 1;
            info->idxNum |= 1 << i;
        }
    if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn == RANK && !info->aOrderBy[0].desc)
        info->orderByConsumed = 1;
    info->estimatedCost = 1e6;
    info->estimatedRows = 10;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
    cursor *c = calloc(1, sizeof *c);

    (void)v;
    *out = c ? &c->base : NULL;
    return c ? SQLITE_OK : SQLITE_NOMEM;
}

static int close_cursor(sqlite3_vtab_cursor *v)
{
    cursor *c = (cursor *)v;

    ks_answer_free(&c->answer);
    free(c);
    return SQLITE_OK;
}

/* The folder of the catalog.db that is open here; malloc'ed, NULL: none. */
static char *open_library(sqlite3 *db)
{
    for (int i = 0; sqlite3_db_name(db, i); i++) {
        const char *file = sqlite3_db_filename(db, sqlite3_db_name(db, i)),
                   *slash = file ? strrchr(file, '/') : NULL;
        if (slash && strcmp(slash, "/catalog.db") == 0)
            return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
    }
    return NULL;
}

static int open_session(table *t, const char *named, ks_error *e)
{
    char *library = named ? strdup(named) : open_library(t->db);
    int err;

    if (!library)
        return ks_fail(e, KS_ENOLIBRARY,
                       "no catalog.db of kinoseek is open here: attach one, or name the library's "
                       "folder as third argument");
    if (t->session && strcmp(library, t->library) == 0) {
        free(library);
        return 0;
    }
    ks_session_close(t->session);
    t->session = NULL;
    free(t->library);
    t->library = library;
    err = ks_session_open(&t->session, library, &t->setup, e);
    return err;
}

static int filter(sqlite3_vtab_cursor *v, int which, const char *name, int argc,
                  sqlite3_value **argv)
{
    cursor *c = (cursor *)v;
    table *t = (table *)v->pVtab;
    ks_question q = {.words = (const char *)sqlite3_value_text(argv[0])};
    const char *library = which & 4 ? (const char *)sqlite3_value_text(argv[argc - 1]) : NULL;
    ks_error e = {0};

    (void)name;
    if (which & 2) q.k = sqlite3_value_int(argv[1]);
    if (!q.words || q.k < 0)
        return fail(
            v->pVtab,
            "kinoseek_search wants words and a number: kinoseek_search('a dog jumping', 10)");
    ks_answer_free(&c->answer);
    c->at = 0;
    if (open_session(t, library, &e) < 0 || ks_ask(&c->answer, t->session, &q, NULL, &e) < 0) {
        c->answer = (ks_answer){0};
        return fail(v->pVtab, e.msg);
    }
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *v)
{
    ((cursor *)v)->at++;
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *v)
{
    const cursor *c = (cursor *)v;

    return c->at >= c->answer.hits.count;
}

static int column(sqlite3_vtab_cursor *v, sqlite3_context *out, int which)
{
    const ks_moment *m = &((cursor *)v)->answer.at[((cursor *)v)->at];

    switch (which) {
    case RANK: sqlite3_result_int(out, m->rank); break;
    case SCORE: sqlite3_result_double(out, m->score); break;
    case COSINE: sqlite3_result_double(out, m->cosine); break;
    case VIDEO: sqlite3_result_int64(out, m->video); break;
    case PATH: sqlite3_result_text(out, m->path, -1, SQLITE_TRANSIENT); break;
    case START: sqlite3_result_double(out, ks_seconds(m->start, m->tb)); break;
    case END: sqlite3_result_double(out, ks_seconds(m->end, m->tb)); break;
    case BEST: sqlite3_result_double(out, ks_seconds(m->best, m->tb)); break;
    case CLIP: sqlite3_result_int64(out, m->n_clips ? m->clips[0] : 0); break;
    default: sqlite3_result_null(out); break;
    }
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *v, sqlite3_int64 *id)
{
    *id = ((cursor *)v)->at + 1;
    return SQLITE_OK;
}

static const sqlite3_module module = {.iVersion = 0,
                                      .xConnect = connect,
                                      .xBestIndex = best_index,
                                      .xDisconnect = disconnect,
                                      .xOpen = open_cursor,
                                      .xClose = close_cursor,
                                      .xFilter = filter,
                                      .xNext = next,
                                      .xEof = at_end,
                                      .xColumn = column,
                                      .xRowid = row_id};

int sqlite3_kinoseek_init(sqlite3 *db, char **why, const sqlite3_api_routines *api);
int sqlite3_kinoseek_init(sqlite3 *db, char **why, const sqlite3_api_routines *api)
{
    SQLITE_EXTENSION_INIT2(api);
    if (sqlite3_sourceid() != ks_own_sqlite()) {
        *why = sqlite3_mprintf("kinoseek: this program brings a SQLite of its own: two of them "
                               "must not open one library");
        return SQLITE_ERROR;
    }
    return sqlite3_create_module(db, "kinoseek_search", &module, NULL);
}
