/* What is kept beside a mirror of its hub's pictures: a bound, the longest unused first, a file
 * that is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/blob_cache.h"
#include "tests/suite.h"

enum { BYTES = 1000, MOST = 40 * BYTES };
static char dir[] = "/tmp/kinoseek-blobs-XXXXXX";

static void put(ks_blobs *b, int64_t tag, int64_t clip)
{
    char text[BYTES];
    memset(text, (int)(clip % 100), sizeof text);
    ks_blobs_put(b, &(ks_blob){tag, clip, 3, 7 * clip, text, sizeof text});
}

static int has(ks_blobs *b, int64_t tag, int64_t clip)
{
    ks_blob out = {.tag = tag, .clip = clip};
    int there = ks_blobs_get(&out, b);
    if (there) {
        ck_assert_uint_eq(out.bytes, BYTES);
        ck_assert_int_eq(out.frames, 3);
        ck_assert_int_eq(out.sum, 7 * clip);
        ck_assert_int_eq(((char *)out.data)[BYTES - 1], (char)(clip % 100));
    }
    free(out.data);
    return there;
}

/* As long ago as that. */
static void last_used(const char *when, const char *which)
{
    char path[64], sql[200];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/blobs.db", dir);
    snprintf(sql, sizeof sql, "UPDATE blob SET used = %s WHERE %s", when, which);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(test_bound)
{
    ks_blobs *b = ks_blobs_open(dir, MOST);
    ck_assert_ptr_nonnull(b);
    for (int64_t i = 1; i <= 40; i++) put(b, 8, i);
    put(b, 8, 40);
    ck_assert_int_eq(ks_blobs_bytes(b), MOST);
    last_used("1000", "clip > 20");
    last_used("900", "clip <= 20");
    ck_assert_int_eq(has(b, 8, 5), 1); /* used again */
    ck_assert_int_eq(has(b, 7, 5), 0);
    put(b, 7, 5);
    ck_assert_int_le(ks_blobs_bytes(b), MOST - MOST / 8);
    ck_assert_int_eq(has(b, 8, 1) + has(b, 8, 2) + has(b, 8, 3) + has(b, 8, 4), 0);
    ck_assert_int_eq(has(b, 8, 5) + has(b, 7, 5) + has(b, 8, 21) + has(b, 8, 40), 4);
    ks_blobs_close(b);
    b = ks_blobs_open(dir, MOST);
    ck_assert_int_eq(has(b, 8, 5), 1);
    for (int64_t i = 1000; i < 1400; i++) put(b, 8, i);
    ck_assert_int_le(ks_blobs_bytes(b), MOST);
    ck_assert_int_eq(has(b, 8, 1399), 1);
    int64_t before = ks_blobs_bytes(b);
    ks_blobs_drop(b, 8, 1399);
    ks_blobs_drop(b, 8, 1399);
    ck_assert_int_eq(has(b, 8, 1399), 0);
    ck_assert_int_eq(ks_blobs_bytes(b), before - BYTES);
    ks_blobs_close(b);
}
END_TEST

START_TEST(test_wants)
{
    int64_t clip[3];
    ks_blobs *b = ks_blobs_open(dir, MOST);
    for (int64_t i = 1; i < 6; i++) ks_blobs_want(b, 8, i);
    ks_blobs_want(b, 8, 1);
    ck_assert_int_eq(ks_blobs_wanted(clip, 3, b, 7), 0);
    ck_assert_int_eq(ks_blobs_wanted(clip, 3, b, 8), 3);
    ks_blobs_done(b, 8, clip, 3);
    ck_assert_int_eq(ks_blobs_is_wanted(b, 8, clip[0]), 0);
    ck_assert_int_eq(ks_blobs_wanted(clip, 3, b, 8), 2);
    ck_assert_int_eq(ks_blobs_is_wanted(b, 8, clip[0]), 1);
    ks_blobs_done(b, 8, clip, 2);
    ks_blobs_close(b);
}
END_TEST

START_TEST(test_no_cache)
{
    char path[64];
    snprintf(path, sizeof path, "%s/blobs.db", dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 500; i++) fputs("this is no cache of pictures\n", f);
    fclose(f);
    ks_blobs *b = ks_blobs_open(dir, MOST);
    ck_assert_ptr_nonnull(b);
    put(b, 8, 1);
    ck_assert_int_eq(has(b, 8, 1), 1);
    ks_blobs_close(b);
    unlink(path);
    ck_assert_ptr_null(ks_blobs_open("/nonexistent/folder", MOST));
    rmdir(dir);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("blobs");
    if (!mkdtemp(dir)) return 1;
    tcase_add_test(t, test_bound);
    tcase_add_test(t, test_wants);
    tcase_add_test(t, test_no_cache);
    return ks_run_case("blobs", t);
}
