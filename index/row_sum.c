/* row_sum.c - the checksum that every row carries, and both as SQL functions: it, and the filter
 * by path.
 *
 * sum = xxh64, seeded by the table's number, over each column: type byte, 8-byte length (text,
 * bytes), value. SQLite does not see bit rot inside a value (12 of 1,500 flipped bits found);
 * this does. */
#include "index/catalog.h"

#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* the state on the stack; its layout is frozen since 0.7.3 */
#include <xxhash.h>

typedef struct {
    int type;
    int64_t i;
    double d;
    const void *bytes;
    size_t n;
} value;

static void feed(XXH64_state_t *h, const value *v)
{
    unsigned char type = (unsigned char)v->type;
    XXH64_update(h, &type, 1);
    if (v->type == SQLITE_INTEGER) XXH64_update(h, &v->i, sizeof v->i);
    if (v->type == SQLITE_FLOAT) {
        double d = v->d + 0.0; /* SQLite stores -0.0 as 0 */
        XXH64_update(h, &d, sizeof d);
    }
    if (v->type == SQLITE_TEXT || v->type == SQLITE_BLOB) {
        uint64_t n = v->n;
        XXH64_update(h, &n, sizeof n);
        if (v->n) XXH64_update(h, v->bytes, v->n);
    }
}

static value of_column(sqlite3_stmt *s, int c)
{
    value v = {sqlite3_column_type(s, c), 0, 0, NULL, 0};
    if (v.type == SQLITE_INTEGER) v.i = sqlite3_column_int64(s, c);
    if (v.type == SQLITE_FLOAT) v.d = sqlite3_column_double(s, c);
    if (v.type == SQLITE_TEXT) v.bytes = sqlite3_column_text(s, c);
    if (v.type == SQLITE_BLOB) v.bytes = sqlite3_column_blob(s, c);
    if (v.type == SQLITE_TEXT || v.type == SQLITE_BLOB) v.n = (size_t)sqlite3_column_bytes(s, c);
    return v;
}

static value of_argument(sqlite3_value *a)
{
    value v = {sqlite3_value_type(a), 0, 0, NULL, 0};
    if (v.type == SQLITE_INTEGER) v.i = sqlite3_value_int64(a);
    if (v.type == SQLITE_FLOAT) v.d = sqlite3_value_double(a);
    if (v.type == SQLITE_TEXT) v.bytes = sqlite3_value_text(a);
    if (v.type == SQLITE_BLOB) v.bytes = sqlite3_value_blob(a);
    if (v.type == SQLITE_TEXT || v.type == SQLITE_BLOB) v.n = (size_t)sqlite3_value_bytes(a);
    return v;
}

static void sql_sum(sqlite3_context *c, int n, sqlite3_value **a)
{
    XXH64_state_t h;
    XXH64_reset(&h, n > 0 ? (XXH64_hash_t)sqlite3_value_int64(a[0]) : 0);
    for (int i = 1; i < n; i++) {
        value v = of_argument(a[i]);
        feed(&h, &v);
    }
    sqlite3_result_int64(c, (sqlite3_int64)XXH64_digest(&h));
}

int ks_row_ok(sqlite3_stmt *s, ks_table_tag tag, int first, int n)
{
    XXH64_state_t h;
    XXH64_reset(&h, (XXH64_hash_t)tag);
    for (int i = 0; i < n; i++) {
        value v = of_column(s, first + i);
        feed(&h, &v);
    }
    return sqlite3_column_type(s, first + n) == SQLITE_INTEGER &&
           sqlite3_column_int64(s, first + n) == (int64_t)XXH64_digest(&h);
}

int ks_vector_row_ok(sqlite3_stmt *s, int64_t clip, int64_t space, int64_t start, int64_t stop,
                     int at)
{
    const int64_t numbers[4] = {clip, space, start, stop};
    XXH64_state_t h;
    XXH64_reset(&h, (XXH64_hash_t)KS_T_VECTOR);
    for (int i = 0; i < 4; i++) {
        value v = {SQLITE_INTEGER, numbers[i], 0, NULL, 0};
        feed(&h, &v);
    }
    value half = of_column(s, at);
    feed(&h, &half);
    return sqlite3_column_type(s, at + 1) == SQLITE_INTEGER &&
           sqlite3_column_int64(s, at + 1) == (int64_t)XXH64_digest(&h);
}

static void sql_path_match(sqlite3_context *c, int n, sqlite3_value **a)
{
    char path[4097];
    (void)n;
    const char *glob = (const char *)sqlite3_value_text(a[0]);
    const void *bytes = sqlite3_value_blob(a[1]);
    size_t length = (size_t)sqlite3_value_bytes(a[1]);
    if (!glob || !bytes || length >= sizeof path) {
        sqlite3_result_int(c, 0);
        return;
    }
    memcpy(path, bytes, length);
    path[length] = 0;
    sqlite3_result_int(c, ks_path_matches(glob, path));
}

int ks_row_sum_register(sqlite3 *db)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int rc = sqlite3_create_function(db, "ks_sum", -1, flags, NULL, sql_sum, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(db, "ks_path_match", 2, flags, NULL, sql_path_match, NULL,
                                     NULL);
    return rc;
}
