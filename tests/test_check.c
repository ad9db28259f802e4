/* test_check.c - every fault is named, every flipped bit is reported or changes nothing, repair saves what can be read. */
#include "index/catalog.h"
#include "index/index.h"
#include "tests/library_maker.h"

#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { D = 40, FILMS = 20, CLIPS = 12 };
static char dir[64], db_path[100];

static void make(void)
{
    ks_error e = { 0 };
    ks_index *x;
    ks_space space = lib_space(D);
    lib_new_dir(dir);
    snprintf(db_path, sizeof db_path, "%s/catalog.db", dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, "/m/model", "/m/spm", &e));
    MUST(ks_index_begin(x, &e));
    for (int i = 0; i < FILMS; i++) {
        char path[64];
        snprintf(path, sizeof path, "/films/f%d.mp4", i);
        lib_add(x, path, (uint64_t)i + 1, CLIPS, D, 0);
    }
    MUST(ks_index_put(x, "folders", "/films", 6, &e));
    MUST(ks_index_set_background(x, (ks_background[]){ { 3, 0.5f, 0.25f } }, 1, &e));
    MUST(ks_index_end(x, 0, &e));
    MUST(ks_index_publish(x, 1, &e));
    ks_index_close(x);
}

static void drop(void)
{
    lib_remove_dir(dir);
}

typedef struct {
    int n, invariant;
    int64_t clip;
    char text[400];
} findings;

static void note(void *arg, int invariant, int64_t clip, const char *sentence)
{
    findings *f = arg;
    if (f->n++ == 0) {
        f->invariant = invariant;
        f->clip = clip;
        snprintf(f->text, sizeof f->text, "%s", sentence);
    }
}

static int check(findings *f)
{
    ks_error e = { 0 };
    ks_index *x;
    memset(f, 0, sizeof *f);
    int code = ks_index_open(&x, dir, KS_READ, &e);
    if (code >= 0) code = ks_index_check(x, note, f, &e);
    if (code >= 0) ck_assert_int_eq(code, f->n);
    ks_index_close(x);
    return code;
}

static void sql(const char *text)
{
    sqlite3 *db;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open(db_path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s: %s", text, why ? why : "");
    sqlite3_close(db);
}

START_TEST(a_good_library_has_no_findings)
{
    findings f;
    ck_assert_msg(check(&f) == 0, "%s", f.text);
}
END_TEST

static const struct {
    const char *sql;
    int invariant;
} faults[] = {
    { "DELETE FROM vector WHERE clip = 5", 1 },
    { "DELETE FROM clip WHERE id = 5", 1 },
    { "UPDATE clip SET start = start + 1 WHERE id = 5", 1 },
    { "UPDATE vector SET half = zeroblob(80) WHERE clip = 5", 1 },
    { "UPDATE video SET film_date = film_date + 1 WHERE id = 5", 1 },
    { "UPDATE path SET size = size + 1 WHERE video = 5", 1 },
    { "UPDATE setting SET value = x'00'", 1 },
    { "UPDATE background SET mean = 0.75", 1 },
    { "UPDATE library SET clips = clips + 1", 1 },
    { "UPDATE segment SET to_generation = to_generation + 1", 1 },
    { "DROP VIEW clips", 1 },
    { "DELETE FROM path WHERE video = 5", 4 },
    { "CREATE TABLE mine(a)", 1 },
};

START_TEST(each_fault_is_named)
{
    findings f;
    sql(faults[_i].sql);
    ck_assert_int_gt(check(&f), 0);
    ck_assert_msg(f.invariant == faults[_i].invariant, "%s: said %d, %s", faults[_i].sql, f.invariant, f.text);
}
END_TEST

START_TEST(a_damaged_copy_is_named)
{
    findings f;
    char path[100];
    snprintf(path, sizeof path, "%s/vectors.000001", dir);
    int fd = open(path, O_RDWR);
    ck_assert(fd >= 0 && pwrite(fd, "!", 1, 9000) == 1);
    close(fd);
    ck_assert_int_eq(check(&f), 1);
    ck_assert_int_eq(f.invariant, 3);
    unlink(path); /* gone is not damaged */
    ck_assert_int_eq(check(&f), 0);
}
END_TEST

/* Everything that can be read from every table, as one number; 0 when reading stops with an error. */
static uint64_t dump(void)
{
    sqlite3 *db;
    uint64_t sum = 1;
    if (sqlite3_open_v2(db_path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        return 0;
    }
    for (const ks_table *t = ks_tables; t->name; t++) {
        char text[400];
        sqlite3_stmt *s = NULL;
        snprintf(text, sizeof text, "SELECT %s, sum FROM %s NOT INDEXED ORDER BY 1, 2", t->columns, t->name);
        int rc = sqlite3_prepare_v2(db, text, -1, &s, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(s); c++) {
                sum = XXH64(sqlite3_column_blob(s, c), (size_t)sqlite3_column_bytes(s, c), sum * 31 + (uint64_t)sqlite3_column_type(s, c));
            }
            rc = SQLITE_OK;
        }
        sqlite3_finalize(s);
        if (rc != SQLITE_DONE) sum = 0;
        if (!sum) break;
    }
    sqlite3_close(db);
    return sum;
}

static unsigned char *slurp(size_t *n)
{
    struct stat st;
    int fd = open(db_path, O_RDONLY);
    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    unsigned char *p = malloc((size_t)st.st_size);
    ck_assert_int_eq(read(fd, p, (size_t)st.st_size), st.st_size);
    close(fd);
    *n = (size_t)st.st_size;
    return p;
}

static void spill(const unsigned char *p, size_t n)
{
    char side[120];
    snprintf(side, sizeof side, "%s-wal", db_path);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", db_path);
    unlink(side);
    int fd = open(db_path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    ck_assert(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
}

START_TEST(flipped_bits_are_reported_or_change_nothing)
{
    const char *env = getenv("KS_FLIPS");
    int flips = env ? atoi(env) : 120, reported = 0, harmless = 0;
    uint64_t seed = 20261124, good;
    size_t n;
    unsigned char *bytes = slurp(&n);
    good = dump();
    ck_assert(good != 0);
    for (int i = 0; i < flips; i++) {
        findings f;
        size_t at = i % 8 == 7 ? lib_random(&seed) % 200 : lib_random(&seed) % n;
        unsigned char bit = (unsigned char)(1u << (lib_random(&seed) & 7));
        bytes[at] ^= bit;
        spill(bytes, n);
        int code = check(&f);
        if (code != 0) reported++; /* findings, or an error that says so */
        else {
            harmless++;
            ck_assert_msg(dump() == good, "flip of bit %d of byte %zu changed a row and was not reported", bit, at);
        }
        bytes[at] ^= bit;
    }
    printf("# %d flips of %zu bytes: %d reported, %d change nothing\n", flips, n, reported, harmless);
    spill(bytes, n);
    findings f;
    ck_assert_int_eq(check(&f), 0);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("check");
    TCase *t = tcase_create("check");
    tcase_set_timeout(t, 600);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, a_good_library_has_no_findings);
    tcase_add_loop_test(t, each_fault_is_named, 0, sizeof faults / sizeof *faults);
    tcase_add_test(t, a_damaged_copy_is_named);
    tcase_add_test(t, flipped_bits_are_reported_or_change_nothing);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
