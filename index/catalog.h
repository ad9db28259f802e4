/* catalog.h - the open catalog, for the files of index/ only: handle, statements, rows with
 * checksums. */
#ifndef KS_CATALOG_H
#define KS_CATALOG_H

#include "index/half.h"
#include "index/store.h"
#include "ks.h"

#include <sqlite3.h>

/* The tables whose rows carry a checksum. The number seeds the checksum (a row moved to another
 * table does not pass there), so it never changes. */
typedef enum {
    KS_T_LIBRARY = 1,
    KS_T_SPACE = 2,
    KS_T_VIDEO = 3,
    KS_T_PATH = 4,
    KS_T_CLIP = 5,
    KS_T_VECTOR = 6,
    KS_T_FRAMES = 7,
    KS_T_THUMBNAIL = 8,
    KS_T_SETTING = 9,
    KS_T_SEGMENT = 11 /* 10 was background */,
    KS_T_GONE = 12,
    KS_T_FILE_HASH = 13,
    KS_T_TOTALS = 14,
    KS_T_SOURCE_TIME = 15,
    KS_T_KEY_INDEX = 16,
    KS_T_SAVED = 18,
    KS_T_SAVED_HIT = 19,
    KS_T_LABEL_SET = 20,
    KS_T_LABEL = 21,
    KS_T_LABEL_FILM = 22,
    KS_T_LABEL_SPAN = 23,
    KS_T_LABEL_SAID = 24,
    KS_T_LEARNT = 25,
    KS_T_EXAMPLE = 26,
    KS_T_FILM_NAME = 27,
    KS_T_SUBTITLE_FILE = 28,
    KS_T_SUBTITLE = 29
} ks_table_tag;

typedef struct {
    const char *name;
    const char *key;     /* what names a row to a person */
    const char *columns; /* all but `sum`, in the order they are hashed */
    int n;               /* how many */
    ks_table_tag tag;
    int since; /* schema version that brought it */
} ks_table;
/* ends with name NULL; KS_T_VECTOR is hashed with its clip's space and times */
extern const ks_table ks_tables[];

enum {
    KS_SCHEMA_VERSION = 11,
    KS_SAVED_SINCE = 7,
    KS_LABELS_SINCE = 9,
    KS_NAMES_SINCE = 10,
    KS_SUBTITLES_SINCE = 11,
    KS_APPLICATION_ID = 0x4b534e31 /* "KSN1" */,
    KS_MAX_PATH = 4096
};
#define KS_MAX_TICK (INT64_C(1) << 61) /* sums and differences of two stay in range */

/* --- statement.c --- */
/* A statement from the handle's cache, reset. NULL: e says why. */
sqlite3_stmt *ks_statement(ks_index *x, const char *sql, ks_error *e);
/* Same, with its parameters ?1.. bound by letters: i int, l int64_t, d double, t text, b bytes
 * (pointer, size_t), z NULL. Text and bytes are borrowed until the statement is reset. */
sqlite3_stmt *ks_bound(ks_index *x, ks_error *e, const char *sql, const char *letters, ...);
/* Bind and run to the end; no rows expected. 0 or negative. */
int ks_run(ks_index *x, ks_error *e, const char *sql, const char *letters, ...);
/* 1 = a row, 0 = end (reset), < 0 = error (reset). */
int ks_step(sqlite3_stmt *s, ks_index *x, ks_error *e);
/* One integer of one row; 0 where there is no row. */
int ks_integer(int64_t *out, ks_index *x, ks_error *e, const char *sql, const char *letters, ...);
/* SQLite's last error as one of ours; marks the handle dead after a failed fsync */
int ks_sql_error(ks_index *x, ks_error *e);
int ks_sql_disk_full(const ks_index *x); /* of the call that failed last */
/* Transactions nest by counting; ks_end(x, code, e) commits for code >= 0 at the outermost
 * level, else rolls back, and returns code or the commit's own error. */
int ks_begin(ks_index *x, ks_error *e);    /* writes */
int ks_snapshot(ks_index *x, ks_error *e); /* reads see one state */
int ks_end(ks_index *x, int code, ks_error *e);
void ks_forget_statements(ks_index *x);

/* --- lock.c --- */
int64_t ks_writer_pid(const char *dir);     /* 0 = nobody writes */
int ks_take_lock(ks_index *x, ks_error *e); /* fills x->lock, x->folder; KS_EBUSY */
void ks_drop_lock(ks_index *x);
/* 1 = catalog.db is a file, 0 = it is not there; < 0: it or one that belongs to it is a link, a
 * pipe ...; or `write` and it has a second name. */
int ks_plain_files(const char *dir, int write, ks_error *e);

/* --- connect.c --- */
int ks_connect(ks_index *x, const char *path, ks_error *e); /* x->db on that file */
/* before anything else is asked; bytes of the catalog */
int ks_configure(ks_index *x, int64_t bytes, ks_error *e);
int ks_set(ks_index *x, const char *sql, ks_error *e); /* statements without rows */

/* --- row_sum.c --- */
/* SQL functions ks_sum(tag, ...) and ks_path_match(glob, path) */
int ks_row_sum_register(sqlite3 *db);
/* Does columns [first, first+n) of the current row hash to the one after them? */
int ks_row_ok(sqlite3_stmt *s, ks_table_tag tag, int first, int n);
/* columns at: half, at + 1: sum */
int ks_vector_row_ok(sqlite3_stmt *s, int64_t clip, int64_t space, int64_t start, int64_t stop,
                     int at);
int ks_path_matches(const char *glob, const char *path); /* ks_filter.path_glob */

/* --- rotten.c --- */
/* noted; KS_EDAMAGED with the sentence */
int ks_rotten(ks_index *x, ks_error *e, ks_table_tag table, int64_t id);
/* table 0: a page that SQLite cannot read */
void ks_note_rotten(ks_index *x, int table, int64_t id);

/* --- schema.c --- */
int ks_schema_create(ks_index *x, ks_error *e); /* inside a transaction, on an empty database */
int ks_schema_migrate(ks_index *x, int from, ks_error *e);
/* Tables, indexes and views as they must stand in sqlite_schema of the versions since .. until;
 * sql NULL ends. made: FTS5 makes it with the table before it. */
typedef struct {
    const char *sql;
    int since, until, made;
} ks_schema_object;
extern const ks_schema_object ks_schema[];
/* FTS5 over a column of one of our tables. */
typedef struct {
    const char *name, *of, *key, *column, *tokenize;
    int since;
} ks_word_table;
extern const ks_word_table ks_word_tables[]; /* name NULL ends */
int ks_schema_has(const ks_schema_object *o, int version);
/* 1 = it is the one we make, perhaps with tables of a person's own beside */
int ks_schema_stands(sqlite3 *db, int version);

/* --- check_words.c --- */
/* 1: it holds the words of its rows, each where it stands, and no others; 0: it does not */
int ks_words_agree(ks_index *x, const ks_word_table *w, ks_error *e);

/* --- word_root.c --- 0, or KS_EDAMAGED: what SQLite must not be handed */
int ks_words_stand(ks_index *x, const ks_word_table *w, ks_error *e);
int ks_words_stand_in(ks_index *x, const char *sql, ks_error *e); /* every one that it names */

/* --- library.c --- */
int ks_library_read(ks_library_row *out, ks_index *x, ks_error *e);
int ks_library_write(const ks_library_row *row, ks_index *x, ks_error *e);
int ks_same_space(const ks_space *a, const ks_space *b);
int ks_finish_switch(int *done, ks_index *x, ks_error *e); /* in a transaction */
/* id 0: zeros; a reader takes the second copy of a rotten row */
int ks_space_read(ks_space *out, ks_index *x, int64_t id, ks_error *e);
/* from its second copy, a setting: 1, 0 there is none */
int ks_space_again(ks_space *out, ks_index *x, int64_t id, ks_error *e);

#include "index/rows.h"

/* --- vector_walk.c --- */
/* Rotten rows are left out and counted in *damaged. */
int ks_walk_vectors(ks_index *x, const ks_walk *w, ks_each_vector *each, void *arg,
                    int64_t *damaged, ks_error *e);

/* --- segment_list.c: table `segment` --- */
/* by from_generation; caller frees */
int ks_segments_read(ks_segment_row **out, int *n, ks_index *x, int64_t space, ks_error *e);
int ks_segment_put(const ks_segment_row *row, ks_index *x, ks_error *e);
/* `fresh` (rows 0: none) in place of old[n], and of what is of another space; its generations
 * hold no dead rows any more. */
int ks_segments_replace(ks_index *x, const ks_segment_row *old, int n, const ks_segment_row *fresh,
                        ks_error *e);

/* --- store_sqlite.c: what searches ask of the films --- */
int ks_dead_read(ks_index *x, ks_each_pair *each, void *arg, int *rotten, ks_error *e);
int ks_dead_count(int64_t *n, ks_index *x, int64_t from, int64_t to, ks_error *e);
int ks_passing(ks_index *x, const ks_filter *f, ks_each_pair *each, void *arg, ks_error *e);
int ks_clips_after(int64_t *n, ks_index *x, int64_t generation, int64_t space, ks_error *e);

#endif
