/* test_check.c - every fault is named, every flipped bit is reported or changes nothing, repair
 * saves what can be read. */
#include "index/catalog.h"
#include "index/index.h"
#include "tests/library_maker.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { D = 40, FILMS = 90, CLIPS = 4 };
static char dir[64], db_path[100];

static void make(void)
{
    ks_error e = {0};
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
    MUST(ks_index_end(x, 0, &e));
    MUST(ks_index_publish(x, 1, &e));
    ks_index_close(x);
}

static void drop(void) { lib_remove_dir(dir); }

typedef struct {
    int n, invariant;
    int64_t clip;
    char text[512];
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
    ks_error e = {0};
    ks_index *x;
    memset(f, 0, sizeof *f);
    int code = ks_index_open(&x, dir, KS_READ, &e);
    if (code == KS_EDAMAGED) { /* the command makes a finding of it, too */
        note(f, 1, 0, e.msg);
        return 1;
    }
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
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s: %s", text,
                  why ? why : "");
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
    {"DELETE FROM vector WHERE clip = 5", 1},
    {"DELETE FROM clip WHERE id = 5", 1},
    {"UPDATE clip SET start = start + 1 WHERE id = 5", 1},
    {"UPDATE vector SET half = zeroblob(80) WHERE clip = 5", 1},
    {"UPDATE video SET film_date = film_date + 1 WHERE id = 5", 1},
    {"UPDATE path SET size = size + 1 WHERE video = 5", 1},
    {"UPDATE setting SET value = x'00'", 1},
    {"UPDATE library SET clips = clips + 1", 1},
    {"UPDATE segment SET to_generation = to_generation + 1", 1},
    {"DROP VIEW clips", 1},
    {"DELETE FROM path WHERE video = 5", 4},
    {"CREATE TABLE mine(a)", 1},
};

START_TEST(each_fault_is_named)
{
    findings f;
    sql(faults[_i].sql);
    ck_assert_int_gt(check(&f), 0);
    ck_assert_msg(f.invariant == faults[_i].invariant, "%s: said %d, %s", faults[_i].sql,
                  f.invariant, f.text);
}
END_TEST

/* Its checksum is right: what is counted on from is no number to count on from. A search made
 * room for -1 neighbours. */
static const struct {
    size_t field;
    int64_t value;
} none[] = {
    {offsetof(ks_library_row, next_clip), INT64_MIN},
    {offsetof(ks_library_row, next_clip), 0},
    {offsetof(ks_library_row, next_clip), INT64_MAX},
    {offsetof(ks_library_row, clips), -1},
    {offsetof(ks_library_row, videos), -1},
    {offsetof(ks_library_row, generation), -1},
    {offsetof(ks_library_row, generation), INT64_MAX},
};

START_TEST(counts_that_are_none_are_no_sound_row)
{
    float q[D] = {1};
    ks_library_row row;
    ks_found found;
    ks_error e = {0};
    findings f;
    ks_index *x;
    ck_assert_msg(ks_index_open(&x, dir, KS_WRITE, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(ks_library_read(&row, x, &e), 0);
    memcpy((char *)&row + none[_i].field, &none[_i].value, sizeof none[_i].value);
    ck_assert_msg(ks_library_write(&row, x, &e) >= 0, "%s", e.msg);
    ks_index_close(x);
    ck_assert_int_gt(check(&f), 0);
    ck_assert_msg(f.invariant == 7, "%s", f.text);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_READ, &e), 0);
    ck_assert_int_eq(ks_library_read(&row, x, NULL), KS_EDAMAGED);
    ck_assert_int_eq(ks_index_search(&found, x, q, D, 5, &(ks_filter){0}, KS_SEARCH_EXACT, &e),
                     KS_EDAMAGED);
    ks_index_close(x);
}
END_TEST

static int no_line(void *arg, const ks_subtitle_line *line)
{
    (void)line;
    ++*(int *)arg;
    return 0;
}

/* FTS5 makes room for as many segments as its root promises: 53,000,000 of them are 1.3 GB. */
START_TEST(a_forged_root_of_words_is_not_handed_on)
{
    static const char *const roots[] = {"0000000001 0080B2FF9401 00",
                                        "00000000 FF000001 01 00 01",
                                        "00000000 01 01 00 00 80B2FF9401",
                                        "00000000 01 01 00 00 01 0101",
                                        "000000",
                                        ""};
    char text[200], hex[100];
    size_t n = 0;
    int lines = 0;
    ks_error e = {0};
    findings f;
    ks_index *x;
    for (const char *c = roots[_i]; *c; c++)
        if (*c != ' ') hex[n++] = *c;
    hex[n] = 0;
    snprintf(text, sizeof text, "UPDATE subtitle_words_data SET block = x'%s' WHERE id = 10", hex);
    sql(text);
    sqlite3_memory_highwater(1);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_READ, &e), 0);
    ck_assert_int_eq(ks_index_subtitles(x, "fox", NULL, NULL, no_line, &lines, &e), KS_EDAMAGED);
    ck_assert_msg(strstr(e.msg, "subtitle_words"), "%s", e.msg);
    ks_index_close(x);
    ck_assert_int_gt(check(&f), 0);
    ck_assert_msg(strstr(f.text, "subtitle_words"), "%s", f.text);
    ck_assert_int_lt(sqlite3_memory_highwater(0), 64 << 20);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_WRITE, &e), 0);
    ks_index_close(x);
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

/* Everything that can be read from every table, as one number; 0 when reading stops with an
 * error. */
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
        snprintf(text, sizeof text, "SELECT %s, sum FROM %s NOT INDEXED ORDER BY 1, 2", t->columns,
                 t->name);
        int rc = sqlite3_prepare_v2(db, text, -1, &s, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(s); c++) {
                sum = XXH64(sqlite3_column_blob(s, c), (size_t)sqlite3_column_bytes(s, c),
                            sum * 31 + (uint64_t)sqlite3_column_type(s, c));
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
            ck_assert_msg(dump() == good,
                          "flip of bit %d of byte %zu changed a row and was not reported", bit, at);
        }
        bytes[at] ^= bit;
    }
    printf("# %d flips of %zu bytes: %d reported, %d change nothing\n", flips, n, reported,
           harmless);
    spill(bytes, n);
    findings f;
    ck_assert_int_eq(check(&f), 0);
    free(bytes);
}
END_TEST

/* A name of the schema that lost a letter, a number of the header: what SQLite then says speaks
 * of no damage. */
START_TEST(a_damaged_schema_is_damage)
{
    static const char *const words[] = {"generation INTEGER", "writing ", "rows INTEGER",
                                        "seconds_missing "};
    size_t n;
    unsigned char *bytes = slurp(&n), *at = bytes + 44;
    findings f;
    if (_i > 0) at = memmem(bytes, n, words[_i - 1], strlen(words[_i - 1]));
    ck_assert_ptr_nonnull(at);
    memcpy(at, _i > 0 ? "q" : "\0\0\0\7", _i > 0 ? 1 : 4);
    spill(bytes, n);
    int code = check(&f);
    ck_assert_msg(code > 0 || code == KS_EDAMAGED, "%d", code);
    free(bytes);
}
END_TEST

/* Whatever SQLite says when a row leads nowhere (of some that the disk is full). */
START_TEST(damage_met_by_compact_is_damage)
{
    size_t n;
    int told = 0;
    unsigned char *bytes = slurp(&n);
    for (size_t p = 1; p < n / 4096; p++)
        for (int cell = 0; cell < 20 && bytes[p * 4096] == 13 && cell < bytes[p * 4096 + 4];
             cell++) {
            unsigned char *at = bytes + p * 4096 + 9 + 2 * cell, was = *at;
            ks_error e = {0};
            ks_index *x;
            *at = 255;
            spill(bytes, n);
            *at = was;
            int code = ks_index_open(&x, dir, KS_WRITE, &e);
            if (code >= 0) code = ks_index_compact(x, &e);
            ks_index_close(x);
            ck_assert_msg(code >= 0 || code == KS_EDAMAGED, "page %zu, cell %d: %s", p + 1, cell,
                          e.msg);
            told += code < 0;
        }
    ck_assert_int_gt(told, 20);
    free(bytes);
}
END_TEST

/* Of a sound one that a full disk is the reason. */
START_TEST(compact_on_a_full_disk_says_so)
{
    struct rlimit was, small = {4096, RLIM_INFINITY};
    ks_error e = {0};
    ks_index *x;
    signal(SIGXFSZ, SIG_IGN);
    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    small.rlim_max = was.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    int code = ks_index_compact(x, &e);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
    ks_index_close(x);
    ck_assert_msg(code == KS_EIO, "%s", e.msg);
}
END_TEST

static int repaired(int64_t *clips, findings *f)
{
    ks_error e = {0};
    ks_index *x;
    ks_library library;
    memset(f, 0, sizeof *f);
    int code = ks_index_repair(dir, note, f, &e);
    ck_assert_msg(code >= 0, "repair: %s", e.msg);
    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    MUST(ks_index_publish(x, 1, &e));
    MUST(ks_index_library(&library, x, &e));
    *clips = library.clips;
    ks_index_close(x);
    return code;
}

START_TEST(repair_leaves_no_finding)
{
    findings f, g;
    int64_t clips;
    /* a table of someone else's is not carried over: covered by the schema */
    if (faults[_i].sql[0] == 'C') return;
    sql(faults[_i].sql);
    ck_assert_int_gt(repaired(&clips, &f), 0);
    ck_assert_msg(check(&g) == 0, "%s: %s", faults[_i].sql, g.text);
    ck_assert_int_ge(clips, FILMS * CLIPS - CLIPS);
}
END_TEST

START_TEST(repair_marks_what_is_to_be_encoded_again)
{
    ks_error e = {0};
    findings f;
    int64_t clips;
    ks_index *x;
    ks_video v;
    void *data;
    size_t n;
    sql("UPDATE vector SET half = zeroblob(80) WHERE clip IN (5, 6)");
    repaired(&clips, &f);
    ck_assert_int_eq(clips, FILMS * CLIPS - 2);
    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    ck_assert_int_eq(ks_index_find(&v, x, "/films/f1.mp4", &e), 1);
    ck_assert(v.flags & KS_VIDEO_LOST);
    ck_assert_int_eq(v.verdict, KS_VERDICT_PARTLY);
    MUST(ks_index_get(&data, &n, x, "folders", &e));
    ck_assert_uint_eq(n, 6);
    free(data);
    lib_add(x, "/films/f1.mp4", 2, CLIPS, D, 0); /* what ingest does then: only the two are new */
    ck_assert_int_eq(ks_index_find(&v, x, "/films/f1.mp4", &e), 1);
    ck_assert_int_eq(v.flags & KS_VIDEO_LOST, 0);
    ks_index_close(x);
    ck_assert_int_eq(check(&f), 0);
}
END_TEST

/* Each page of the file in turn becomes noise: rows of the other pages are all saved. */
START_TEST(any_page_may_be_lost)
{
    uint64_t seed = 77;
    size_t n;
    unsigned char *bytes = slurp(&n), *bad = malloc(n);
    char kept[140];
    for (size_t p = 0; p < n / 4096; p++) {
        findings f;
        int64_t clips;
        memcpy(bad, bytes, n);
        for (size_t i = 0; i < 4096; i++) bad[p * 4096 + i] = (unsigned char)lib_random(&seed);
        spill(bad, n);
        repaired(&clips, &f);
        ck_assert_msg(check(&f) == 0, "page %zu: %s", p + 1, f.text);
        /* a page holds at most 42 vectors, 160 rows of clips, or 60 of films with 4 clips each */
        ck_assert_msg(clips >= FILMS * CLIPS - 240, "page %zu: %d clips left", p + 1, (int)clips);
        if (p == 0) ck_assert_int_eq(clips, FILMS * CLIPS);
        snprintf(kept, sizeof kept, "%s.damaged-1", db_path);
        ck_assert_int_eq(unlink(kept), 0);
    }
    free(bad);
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
    tcase_add_loop_test(t, counts_that_are_none_are_no_sound_row, 0, sizeof none / sizeof *none);
    tcase_add_loop_test(t, a_forged_root_of_words_is_not_handed_on, 0, 6);
    tcase_add_test(t, a_damaged_copy_is_named);
    tcase_add_test(t, flipped_bits_are_reported_or_change_nothing);
    tcase_add_loop_test(t, a_damaged_schema_is_damage, 0, 5);
    tcase_add_test(t, damage_met_by_compact_is_damage);
    tcase_add_test(t, compact_on_a_full_disk_says_so);
    tcase_add_loop_test(t, repair_leaves_no_finding, 0, sizeof faults / sizeof *faults);
    tcase_add_test(t, repair_marks_what_is_to_be_encoded_again);
    tcase_add_test(t, any_page_may_be_lost);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
