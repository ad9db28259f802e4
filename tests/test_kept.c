/* test_kept.c - vectors kept between runs: what is found is right, whatever happened to the
 * file. */
#include "encoder/tower.h"
#include "tests/npz_build.h"
#include "tests/suite.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 4, ROOM = 64 };
static const char *const words[N] = {"red", "green", "a longer label of several words", ""};
static const ks_kept all = {.how = "how", .what = words, .n = N};
static char folder[64], cache[80], file[400];
static ks_encoder *enc;
static int D;

static ks_encoder *opened(const char *model, ks_precision precision)
{
    ks_encoder *o = NULL;
    ks_error e = {0, ""};
    ks_encoder_options how = {.model = model,
                              .towers = KS_TOWER_TEXT,
                              .precision = precision,
                              .threads = 1,
                              .cache = cache};
    ck_assert_msg(ks_encoder_open(&o, &how, &e) == 0 || e.code == KS_EUSAGE, "%s", e.msg);
    return o;
}

/* "H.vectors", or whatever ends so. */
static int find_file(const char *end)
{
    DIR *d = opendir(cache);
    int found = 0;
    for (struct dirent *at; d && !found && (at = readdir(d));) {
        size_t n = strlen(at->d_name), m = strlen(end);
        found = n > m && strcmp(at->d_name + n - m, end) == 0;
        if (found) snprintf(file, sizeof file, "%s/%s", cache, at->d_name);
    }
    if (d) closedir(d);
    return found;
}

static void make(float *v, int i)
{
    for (int d = 0; d < D; d++) v[d] = (float)(i * 100 + d + 1) / 7;
}

static void put(const ks_kept *k)
{
    float *v = malloc((size_t)k->n * (size_t)D * sizeof *v);
    for (int i = 0; i < k->n; i++) make(v + i * D, i);
    ks_kept_put(enc, k, v);
    free(v);
}

/* How many of `all` are found; every one of them is right, the rows of the others untouched. */
static int find_in(ks_encoder *from)
{
    float v[N * ROOM], want[ROOM];
    uint8_t found[N], untouched[sizeof(float) * ROOM];
    int n = 0;
    memset(v, 0x55, sizeof v);
    memset(untouched, 0x55, sizeof untouched);
    int said = ks_kept_find(v, found, from, &all);
    for (int i = 0; i < N; i++) {
        make(want, i);
        ck_assert_mem_eq(v + i * D, found[i] ? (void *)want : untouched, (size_t)D * sizeof *v);
        n += found[i];
    }
    ck_assert_int_eq(said, n);
    return n;
}

static void setup(void)
{
    snprintf(cache, sizeof cache, "%s/cache", ks_temp_folder(folder));
    enc = opened("tests/fixtures/lvt.npz", KS_FP32);
    D = ks_encoder_info(enc)->dim;
    ck_assert_int_le(D, ROOM);
}

static void teardown(void)
{
    ks_encoder_close(enc);
    ks_remove_folder(folder);
}

START_TEST(what_was_put_is_found)
{
    ck_assert_int_eq(find_in(enc), 0);
    put(&all);
    ck_assert_int_eq(find_in(enc), N);
    ck_assert(find_file(".vectors"));
    struct stat st;
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_eq(st.st_mode & 077, 0);
    ck_assert_int_eq(st.st_size, 16 + N * (36 + 4 * D));
    put(&all); /* replaces: does not grow */
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_eq(st.st_size, 16 + N * (36 + 4 * D));
    put(&(ks_kept){.how = "how", .what = (const char *const[]){"blue"}, .n = 1});
    ck_assert_int_eq(find_in(enc), N);
    put(&(ks_kept){.how = "how", .n = 0});
    put(&(ks_kept){.how = "how", .what = (const char *const[]){NULL, "grey", NULL}, .n = 3});
    ck_assert_int_eq(find_in(enc), N);
    ck_assert(!find_file(".part"));
}
END_TEST

START_TEST(another_way_or_name_is_another_vector)
{
    float v[2 * ROOM];
    uint8_t found[2];
    const char *const split[] = {"w red", "re"};
    put(&all);
    ck_assert_int_eq(ks_kept_find(v, found, enc, &(ks_kept){.how = "ho", .what = split, .n = 2}),
                     0);
    ck_assert_int_eq(ks_kept_find(v, found, enc, &(ks_kept){.how = "How", .what = words, .n = 2}),
                     0);
}
END_TEST

/* Every byte of the file, changed, in two ways: one vector is missing, or all of them; none is
 * wrong. */
START_TEST(no_changed_byte_gives_a_wrong_vector)
{
    put(&all);
    ck_assert(find_file(".vectors"));
    int fd = open(file, O_RDWR), whole = 16 + N * (36 + 4 * D);
    for (int at = 0; at < whole; at++)
        for (int bits = 1; bits < 256; bits += 254) {
            uint8_t was, now;
            ck_assert_int_eq(pread(fd, &was, 1, at), 1);
            now = (uint8_t)(was ^ bits);
            ck_assert_int_eq(pwrite(fd, &now, 1, at), 1);
            ck_assert_int_eq(find_in(enc), at < 16 ? 0 : N - 1);
            ck_assert_int_eq(pwrite(fd, &was, 1, at), 1);
        }
    close(fd);
    ck_assert_int_eq(find_in(enc), N);
}
END_TEST

START_TEST(a_damaged_record_is_not_copied)
{
    struct stat st;
    put(&all);
    ck_assert(find_file(".vectors"));
    int fd = open(file, O_RDWR);
    ck_assert_int_eq(pwrite(fd, "x", 1, 16 + 40), 1);
    close(fd);
    put(&(ks_kept){.how = "how", .what = (const char *const[]){"blue"}, .n = 1});
    ck_assert_int_eq(find_in(enc), N - 1);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_eq(st.st_size, 16 + N * (36 + 4 * D));
}
END_TEST

START_TEST(a_file_cut_short_keeps_what_is_whole)
{
    put(&all);
    ck_assert(find_file(".vectors"));
    for (int size = 16 + N * (36 + 4 * D); size >= 0; size--) {
        ck_assert_int_eq(truncate(file, size), 0);
        ck_assert_int_eq(find_in(enc), size < 16 ? 0 : (size - 16) / (36 + 4 * D));
    }
    put(&all);
    ck_assert_int_eq(find_in(enc), N);
}
END_TEST

/* Another model's file under this one's name. */
START_TEST(another_model_finds_nothing)
{
    char path[100], mine[400];
    ks_info info;
    ks_error e = {0, ""};
    float v[N * ROOM] = {0};
    snprintf(path, sizeof path, "%s/other.npz", folder);
    ck_assert_int_eq(ks_model_info(&info, "tests/fixtures/lvt.npz", &e), 0);
    ck_assert_msg(ks_model_random(path, &info, 7, &e) == 0, "%s", e.msg);
    ks_encoder *other = opened(path, KS_FP32);
    put(&all);
    ck_assert(find_file(".vectors"));
    snprintf(mine, sizeof mine, "%s", file);
    ck_assert_int_eq(find_in(other), 0);
    ck_assert_int_eq(unlink(mine), 0);
    ks_kept_put(other, &all, v);
    ck_assert(find_file(".vectors"));
    ck_assert_int_eq(rename(file, mine), 0);
    ck_assert_int_eq(find_in(enc), 0);
    put(&all);
    ck_assert_int_eq(find_in(enc), N);
    ks_encoder_close(other);
}
END_TEST

START_TEST(another_precision_cpu_or_tokenizer_finds_nothing)
{
    char path[100], command[1000];
    ks_encoder *eight = opened("tests/fixtures/lvt.npz", KS_INT8);
    put(&all);
    if (eight) ck_assert_int_eq(find_in(eight), 0);
    setenv("KINOSEEK_CPU", "plain", 1);
    ks_encoder *plain = opened("tests/fixtures/lvt.npz", KS_FP32);
    unsetenv("KINOSEEK_CPU");
    if (enc->kernels != plain->kernels) ck_assert_int_eq(find_in(plain), 0);
    snprintf(path, sizeof path, "%s/bare.npz", folder);
    snprintf(command, sizeof command, "cp tests/fixtures/lvt.npz '%s'", path);
    ck_assert_int_eq(system(command), 0);
    ks_encoder *bare = opened(path, KS_FP32);
    ck_assert_int_eq(find_in(bare), 0);
    ks_encoder_close(bare);
    ks_encoder_close(plain);
    ks_encoder_close(eight);
}
END_TEST

/* What lies in the way is left alone, and nothing hangs on it. */
START_TEST(what_cannot_be_written_is_not_kept)
{
    char part[420];
    struct stat st;
    put(&all);
    ck_assert(find_file(".vectors"));
    snprintf(part, sizeof part, "%s.part", file);
    int fd = open(part, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0); /* somebody else writes */
    ck_assert_int_eq(unlink(file), 0);
    put(&all);
    ck_assert_int_eq(find_in(enc), 0);
    close(fd); /* killed: its file stays, and is used */
    put(&all);
    ck_assert_int_eq(find_in(enc), N);
    ck_assert_int_ne(stat(part, &st), 0);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(mkdir(part, 0700), 0);
    put(&all);
    ck_assert_int_eq(find_in(enc), 0);
    ck_assert_int_eq(rmdir(part), 0);
    ck_assert_int_eq(mkfifo(part, 0600), 0);
    put(&all);
    ck_assert_int_eq(find_in(enc), 0);
    ck_assert_int_eq(unlink(part), 0);
    ck_assert_int_eq(mkfifo(file, 0600), 0);
    ck_assert_int_eq(find_in(enc), 0);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(mkdir(file, 0700), 0);
    put(&all);
    ck_assert_int_eq(find_in(enc), 0);
    ck_assert_int_ne(stat(part, &st), 0);
}
END_TEST

START_TEST(a_full_disk_leaves_what_was_there)
{
    static const char *const blue[] = {"blue"};
    struct rlimit was, small;
    put(&all);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t size = 0; size < (rlim_t)(16 + (N + 1) * (36 + 4 * D)); size += 13) {
        small = (struct rlimit){size, was.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        put(&(ks_kept){.how = "how", .what = blue, .n = 1});
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
        float v[ROOM];
        uint8_t found;
        ck_assert_int_eq(
            ks_kept_find(v, &found, enc, &(ks_kept){.how = "how", .what = blue, .n = 1}), 0);
        ck_assert_int_eq(find_in(enc), N);
        ck_assert(!find_file(".part"));
    }
}
END_TEST

START_TEST(no_folder_no_vectors)
{
    ks_error e = {0, ""};
    ks_encoder *nowhere = NULL;
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .towers = KS_TOWER_TEXT,
                            .precision = KS_FP32,
                            .threads = 1,
                            .cache = ""};
    ck_assert_msg(ks_encoder_open(&nowhere, &o, &e) == 0, "%s", e.msg);
    float v[N * ROOM] = {0};
    ks_kept_put(nowhere, &all, v);
    ck_assert_int_eq(find_in(nowhere), 0);
    ks_encoder_close(nowhere);
    ks_remove_folder(cache); /* behind an open encoder's back */
    put(&all);
    ck_assert_int_eq(find_in(enc), 0);
}
END_TEST

/* 32 MiB at most, the newest: here 335,544 vectors of 16. */
START_TEST(the_file_is_bounded)
{
    enum { MANY = 170000 };
    char *text = malloc(MANY * 16);
    const char **what = malloc(MANY * sizeof *what);
    float *v = malloc((size_t)MANY * (size_t)D * sizeof *v);
    uint8_t *found = malloc(MANY);
    ks_kept k = {.how = "how", .what = what, .n = MANY};
    struct stat st;
    ck_assert(text && what && v && found);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            snprintf(text + i * 16, 16, "%d", round * MANY + i);
            what[i] = text + i * 16;
        }
        put(&k);
        ck_assert_int_eq(ks_kept_find(v, found, enc, &k), MANY);
    }
    ck_assert(find_file(".vectors"));
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_le(st.st_size, 32 << 20);
    ck_assert_int_gt(st.st_size, (32 << 20) - 200);
    free(text);
    free(what);
    free(v);
    free(found);
}
END_TEST

/* --- one by one (ks_kept_log) --- */

static void log_put(ks_kept_log *log, int i)
{
    float v[ROOM];
    ks_error e = {0, ""};
    make(v, i);
    ck_assert_msg(ks_kept_log_put(log, "how", words[i], v, &e) == 0, "%s", e.msg);
}

static int log_has(ks_kept_log *log, int i)
{
    float v[ROOM], want[ROOM];
    make(want, i);
    if (!ks_kept_log_find(v, log, "how", words[i])) return 0;
    ck_assert_mem_eq(v, want, (size_t)D * sizeof *v);
    return 1;
}

static ks_kept_log *log_opened(void)
{
    ks_kept_log *log = NULL;
    ks_error e = {0, ""};
    ck_assert_msg(ks_kept_log_open(&log, enc, "eval", &e) == 0, "%s", e.msg);
    return log;
}

/* Two programs take turns at one file: nothing is lost, and what one put the other has after its
 * own next put. */
START_TEST(two_logs_share_a_file)
{
    float v[ROOM];
    struct stat st;
    ks_kept_log *a = log_opened(), *b = log_opened();
    log_put(a, 0);
    log_put(b, 1);
    log_put(a, 2);
    log_put(b, 3);
    ck_assert(find_file(".eval") && stat(file, &st) == 0);
    ck_assert_int_eq(st.st_size, 16 + N * (36 + 4 * D));
    ck_assert_int_eq(st.st_mode & 077, 0);
    for (int i = 0; i < N; i++) ck_assert(log_has(b, i));
    ck_assert(!log_has(a, 3));
    ck_assert(!ks_kept_log_find(v, b, "another how", words[0]));
    ks_kept_log_close(a);
    a = log_opened();
    for (int i = 0; i < N; i++) ck_assert(log_has(a, i));
    ks_kept_log_close(a);
    ks_kept_log_close(b);
    ks_kept_log_close(NULL);
}
END_TEST

/* Cut at every byte, and every byte changed: what is found is right, and what is lost can be put
 * again. */
START_TEST(a_log_that_was_hurt)
{
    off_t whole = 16 + 2 * (36 + 4 * D);
    for (off_t at = 0; at < whole; at++) {
        for (int cut = 0; cut < 2; cut++) {
            ks_kept_log *log = log_opened();
            struct stat st;
            log_put(log, 0);
            log_put(log, 1);
            ks_kept_log_close(log);
            ck_assert(find_file(".eval"));
            int fd = open(file, O_RDWR);
            uint8_t byte;
            ck_assert(pread(fd, &byte, 1, at) == 1);
            byte ^= 0x10;
            ck_assert(cut ? ftruncate(fd, at) == 0 : pwrite(fd, &byte, 1, at) == 1);
            close(fd);
            log = log_opened();
            int found = log_has(log, 0) + log_has(log, 1);
            ck_assert_int_lt(found, 2);
            ck_assert_int_eq(found, at < 16 ? 0 : cut ? at >= 16 + 36 + 4 * D : 1);
            log_put(log, 0);
            log_put(log, 1);
            ck_assert(log_has(log, 0) && log_has(log, 1));
            ks_kept_log_close(log);
            ck_assert(stat(file, &st) == 0 && (st.st_size - 16) % (36 + 4 * D) == 0);
            unlink(file);
        }
    }
}
END_TEST

START_TEST(a_log_that_cannot_be_written)
{
    float v[ROOM] = {1};
    ks_error e = {0, ""};
    ks_kept_log *log = log_opened();
    struct rlimit limit, old;
    log_put(log, 0);
    ck_assert(find_file(".eval"));
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    limit = old;
    limit.rlim_cur = (rlim_t)(16 + 36 + 4 * D + 20);
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(ks_kept_log_put(log, "how", words[1], v, &e), KS_EIO);
    ck_assert(strstr(e.msg, ".eval: vectors cannot be kept"));
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert(log_has(log, 0) && !log_has(log, 1));
    log_put(log, 1); /* over what was cut short */
    ck_assert(log_has(log, 0) && log_has(log, 1));
    ks_kept_log_close(log);
    unlink(file);
    ck_assert_int_eq(mkdir(file, 0700), 0);
    log = log_opened();
    ck_assert_int_eq(ks_kept_log_put(log, "how", words[1], v, &e), KS_EIO);
    ck_assert(strstr(e.msg, ".eval: vectors cannot be kept: Is a directory"));
    ck_assert(!log_has(log, 1));
    ks_kept_log_close(log);
    rmdir(file);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("kept");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, what_was_put_is_found);
    tcase_add_test(t, another_way_or_name_is_another_vector);
    tcase_add_test(t, no_changed_byte_gives_a_wrong_vector);
    tcase_add_test(t, a_damaged_record_is_not_copied);
    tcase_add_test(t, a_file_cut_short_keeps_what_is_whole);
    tcase_add_test(t, another_model_finds_nothing);
    tcase_add_test(t, another_precision_cpu_or_tokenizer_finds_nothing);
    tcase_add_test(t, what_cannot_be_written_is_not_kept);
    tcase_add_test(t, a_full_disk_leaves_what_was_there);
    tcase_add_test(t, no_folder_no_vectors);
    tcase_add_test(t, the_file_is_bounded);
    tcase_add_test(t, two_logs_share_a_file);
    tcase_add_test(t, a_log_that_was_hurt);
    tcase_add_test(t, a_log_that_cannot_be_written);
    return ks_run_case("kept", t);
}
