/* test_pack.c - the cache of packs: what it hands out is right whatever happened to its files. */
#include "encoder/pack.h"
#include "encoder/weights.h"
#include "tests/npz_build.h"
#include "tests/suite.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 100000 };
static const char HASH[] = "00000000000000000000000000000000000000000000000000000000000000aa";
static char folder[64], cache[80], model[96];
static int notices, fills;

static void notice(void *arg, const char *sentence)
{
    (void)arg;
    ck_assert(strchr(sentence, '\n') == NULL);
    notices++;
}

static void setup(void)
{
    snprintf(model, sizeof model, "%s/m.npz", ks_temp_folder(folder));
    snprintf(cache, sizeof cache, "%s/a/b/cache", folder);
    notices = fills = 0;
}

static void teardown(void) { ks_remove_folder(folder); }

static uint8_t expected(size_t i) { return (uint8_t)(i * 7 + i / 251); }

/* Out of order, in odd pieces, as towers do. */
static int fill(void *arg, ks_pack_sink *s, ks_error *e)
{
    uint8_t piece[977];
    int err = 0;
    (void)arg;
    fills++;
    for (size_t k = (BYTES + 976) / 977; !err && k-- > 0;) {
        size_t at = k * 977, n = BYTES - at < 977 ? BYTES - at : 977;
        for (size_t i = 0; i < n; i++) piece[i] = expected(at + i);
        err = ks_pack_put(s, at, piece, n, e);
    }
    return err;
}

static void is_right(const ks_pack *p)
{
    ck_assert_uint_eq(p->bytes, BYTES);
    ck_assert_uint_eq((uintptr_t)p->data % 64, 0);
    for (size_t i = 0; i < BYTES; i++) ck_assert_uint_eq(p->data[i], expected(i));
}

static void open_once(ks_pack *p, ks_cache **c)
{
    ks_error e = {0};
    ck_assert_int_eq(ks_cache_open(c, cache, notice, NULL, &e), 0);
    ck_assert_msg(ks_pack_open(p, &(ks_pack_name){*c, HASH, "t", BYTES}, fill, NULL, &e) == 0, "%s",
                  e.msg);
    is_right(p);
}

static void shut(ks_pack *p, ks_cache *c)
{
    ks_pack_close(p);
    ks_cache_close(c);
}

static char *pack_file(void)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s.t", cache, HASH);
    return path;
}

static int count_files(const char *ending)
{
    DIR *dir = opendir(cache);
    struct dirent *d;
    int n = 0;
    while (dir && (d = readdir(dir))) {
        size_t l = strlen(d->d_name), m = strlen(ending);
        n += l >= m && strcmp(d->d_name + l - m, ending) == 0;
    }
    if (dir) closedir(dir);
    return n;
}

START_TEST(made_once_then_mapped)
{
    ks_pack p;
    ks_cache *c;
    for (int i = 0; i < 3; i++) {
        open_once(&p, &c);
        ck_assert_int_eq(p.in_memory, 0);
        ck_assert_int_eq(fills, 1);
        shut(&p, c);
    }
    ck_assert_int_eq(count_files(".part"), 0);
    ck_assert_int_eq(notices, 0);
}
END_TEST

START_TEST(damage_is_seen)
{
    for (int kind = 0; kind < 7; kind++) {
        ks_pack p;
        ks_cache *c;
        size_t n;
        fills = 0;
        open_once(&p, &c);
        shut(&p, c);
        int before = fills;
        uint8_t *file = ks_read_file(pack_file(), &n);
        if (kind == 0) file[4096 + 50000] ^= 1; /* a bit of the payload */
        if (kind == 1) n -= 1;                  /* cut */
        if (kind == 2) memset(file, 0, 4096);   /* header gone */
        if (kind == 3) n = 0;
        if (kind == 4) file[16] ^= 1; /* length in the header */
        if (kind == 5) file[30] ^= 1; /* somebody else's hash */
        if (kind == 6) file[12] ^= 1; /* its CRC */
        ks_write_file(pack_file(), file, n);
        free(file);
        open_once(&p, &c); /* right again, made anew */
        ck_assert_msg(fills == before + 1, "kind %d: %d fills", kind, fills - before);
        shut(&p, c);
    }
}
END_TEST

/* A pipe where a file was: opening it must not wait for somebody who writes. */
START_TEST(pipe_of_that_name_holds_nobody)
{
    static const char *const suffixes[] = {"t", "t.ok.files"};
    char path[300];
    alarm(60);
    for (int i = 0; i < 2; i++) {
        ks_pack p;
        ks_cache *c;
        snprintf(path, sizeof path, "%s/%s.%s", cache, HASH, suffixes[i]);
        open_once(&p, &c);
        shut(&p, c);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        open_once(&p, &c);
        ck_assert_int_eq(p.in_memory, 0);
        shut(&p, c);
    }
    alarm(0);
}
END_TEST

START_TEST(copied_pack_is_checked_and_kept)
{
    ks_pack p;
    ks_cache *c;
    size_t n;
    open_once(&p, &c);
    shut(&p, c);
    uint8_t *file = ks_read_file(pack_file(), &n);
    unlink(pack_file());
    /* another inode, the same bytes: no need to make it again */
    ks_write_file(pack_file(), file, n);
    free(file);
    open_once(&p, &c);
    ck_assert_int_eq(fills, 1);
    shut(&p, c);
}
END_TEST

static int fails_inside(void *arg, ks_pack_sink *s, ks_error *e)
{
    (void)arg;
    int err = ks_pack_put(s, 0, "x", 1, e);
    return err ? err : ks_fail(e, KS_EFORMAT, "tensor x holds NaN");
}

START_TEST(failed_fill_leaves_nothing)
{
    ks_pack p;
    ks_cache *c;
    ks_error e = {0};
    ck_assert_int_eq(ks_cache_open(&c, cache, notice, NULL, &e), 0);
    ck_assert_int_eq(ks_pack_open(&p, &(ks_pack_name){c, HASH, "t", BYTES}, fails_inside, NULL, &e),
                     KS_EFORMAT);
    ck_assert_str_eq(e.msg, "tensor x holds NaN");
    ck_assert_int_eq(count_files(""), 2); /* . and .. */
    ck_assert_int_eq(ks_pack_find(&p, &(ks_pack_name){c, HASH, "t", BYTES}, &e), KS_ENOTFOUND);
    ks_cache_close(c);
}
END_TEST

/* Somebody who prepares the same weights and was stopped (Ctrl-Z) holds the others for two
 * seconds and no more. */
START_TEST(a_stopped_one_holds_nobody)
{
    ks_pack p;
    ks_cache *c;
    ks_error e = {0};
    char part[160];
    struct timespec from, to;
    ck_assert_int_eq(ks_cache_open(&c, cache, notice, NULL, &e), 0);
    char *path = ks_pack_path(c, HASH, "f32");
    snprintf(part, sizeof part, "%s.part", path);
    ks_cache_vouch(c, "x", &(struct stat){0}, ""); /* makes the folder */
    int fd = open(part, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    clock_gettime(CLOCK_MONOTONIC, &from);
    ck_assert_int_eq(ks_pack_open(&p, &(ks_pack_name){c, HASH, "f32", BYTES}, fill, NULL, &e), 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    ck_assert_int_ge(to.tv_sec - from.tv_sec, 1);
    ck_assert_int_le(to.tv_sec - from.tv_sec, 20);
    ck_assert_int_eq(notices, 1);
    ck_assert(p.in_memory);
    is_right(&p);
    ks_pack_close(&p);
    ck_assert_int_eq(access(part, F_OK), 0);
    close(fd);
    free(path);
    ks_cache_close(c);
}
END_TEST

/* What lies where a pack grows is not written through: a link, a pipe, a folder, a file with
 * another name too. */
START_TEST(nothing_is_written_through)
{
    ks_pack p;
    ks_cache *c;
    ks_error e = {0};
    char part[160], precious[128], said[8] = "";
    ck_assert_int_eq(ks_cache_open(&c, cache, notice, NULL, &e), 0);
    char *path = ks_pack_path(c, HASH, "f32");
    snprintf(part, sizeof part, "%s.part", path);
    snprintf(precious, sizeof precious, "%s/precious", folder);
    ks_cache_vouch(c, "x", &(struct stat){0}, "");
    int fd = open(precious, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, "kept", 4), 4);
    ck_assert_int_eq(_i == 0   ? symlink(precious, part)
                     : _i == 1 ? mkfifo(part, 0600)
                     : _i == 2 ? mkdir(part, 0700)
                               : link(precious, part),
                     0);
    ck_assert_int_eq(ks_pack_open(&p, &(ks_pack_name){c, HASH, "f32", BYTES}, fill, NULL, &e), 0);
    is_right(&p);
    ck_assert(p.in_memory);
    ck_assert_int_eq(notices, 1);
    ks_pack_close(&p);
    ck_assert_int_eq(pread(fd, said, 7, 0), 4);
    ck_assert_str_eq(said, "kept");
    close(fd);
    free(path);
    ks_cache_close(c);
}
END_TEST

START_TEST(no_room_means_memory)
{
    ks_pack p;
    ks_cache *c;
    for (int kind = 0; kind < 3; kind++) {
        struct rlimit small = {20000, 20000};
        notices = fills = 0;
        /* not a folder */
        if (kind == 0)
            ks_write_file(folder[0] ? strcat(strcpy(cache, folder), "/file") : "", "x", 1),
                strcat(cache, "/cache");
        /* too large a file */
        if (kind == 1)
            snprintf(cache, sizeof cache, "%s/small", folder), signal(SIGXFSZ, SIG_IGN),
                setrlimit(RLIMIT_FSIZE, &small);
        if (kind == 2) cache[0] = 0; /* nowhere */
        open_once(&p, &c);
        ck_assert_int_eq(p.in_memory, 1);
        ck_assert_int_eq(notices, 1);
        if (kind == 1) ck_assert_int_eq(count_files(".part"), 0);
        shut(&p, c);
    }
}
END_TEST

static void *open_in_thread(void *arg)
{
    ks_pack p;
    ks_cache *c = NULL;
    ks_error e = {0};
    (void)arg;
    if (ks_cache_open(&c, cache, NULL, NULL, &e) != 0 ||
        ks_pack_open(&p, &(ks_pack_name){c, HASH, "t", BYTES}, fill, NULL, &e) != 0)
        return "failed";
    for (size_t i = 0; i < BYTES; i++)
        if (p.data[i] != expected(i)) return "wrong";
    ks_pack_close(&p);
    ks_cache_close(c);
    return NULL;
}

START_TEST(many_at_once)
{
    for (int round = 0; round < 5; round++) {
        pid_t child[6];
        unlink(pack_file());
        for (int i = 0; i < 6; i++) {
            child[i] = fork();
            if (child[i] == 0) _exit(open_in_thread(NULL) ? 1 : 0);
        }
        for (int i = 0; i < 6; i++) {
            int status;
            ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
            ck_assert_int_eq(status, 0);
        }
        ck_assert_int_eq(count_files(".part"), 0);
    }
}
END_TEST

START_TEST(killed_half_way)
{
    ks_pack p;
    ks_cache *c;
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            for (;;) {
                unlink(pack_file());
                open_in_thread(NULL);
            }
        }
        usleep((useconds_t)(500 + 700 * round));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        open_once(&p, &c);
        shut(&p, c);
    }
    open_once(&p, &c);
    shut(&p, c);
}
END_TEST

/* --- which files a pack vouches for --- */

static int open_model(ks_weights **w, ks_error *e)
{
    return ks_weights_open(
        w, &(ks_weights_options){.model = model, .cache = cache, .notice = notice}, e);
}

START_TEST(vouches_only_for_checked_files)
{
    ks_info like;
    ks_error e = {0};
    ks_weights *w;
    size_t n, good_n;
    ks_build_like(&like, KS_LVT, 0);
    ks_build *b = ks_build_toy(&like, 9);
    uint8_t *good = ks_build_bytes(b, &good_n);
    ks_write_file(model, good, good_n);
    ck_assert_msg(open_model(&w, &e) == 0, "%s", e.msg);
    float was = w->patch_w[5];
    ks_weights_close(w);
    /* The same directory (so the same hash), one element changed: a new file, or the old one in
     * place. */
    uint8_t *bad = ks_build_bytes(b, &n);
    ks_build_member *m = ks_build_find(b, "params/vision_encoder/patch_projection/linear/kernel");
    uint8_t *at = memmem(bad, n, m->data, 64);
    ck_assert_ptr_nonnull(at);
    at[20] ^= 4;
    for (int in_place = 0; in_place < 2; in_place++) {
        if (!in_place) unlink(model);
        ks_write_file(model, bad, n);
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(open_model(&w, &e), KS_EFORMAT);
            ck_assert_msg(strstr(e.msg, "patch_projection/linear/kernel is damaged: its CRC-32") !=
                              NULL,
                          "%s", e.msg);
        }
        ks_write_file(model, good, good_n);
        ck_assert_msg(open_model(&w, &e) == 0, "%s", e.msg);
        ck_assert(w->patch_w[5] == was && !w->pack.in_memory);
        ks_weights_close(w);
    }
    ck_assert_int_eq(count_files(".f32"), 1);
    free(good);
    free(bad);
    ks_build_free(b);
}
END_TEST

START_TEST(mtime_set_back_fools_nobody)
{
    ks_info like;
    ks_error e = {0};
    ks_weights *w;
    struct stat st;
    size_t n;
    ks_build_like(&like, KS_ENCODER, 0);
    ck_assert_int_eq(ks_model_random(model, &like, 1, &e), 0);
    ck_assert_int_eq(open_model(&w, &e), 0);
    ks_weights_close(w);
    stat(model, &st);
    uint8_t *file = ks_read_file(model, &n);
    file[n / 2] ^= 1; /* in the middle of some tensor */
    int fd = open(model, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, file, n, 0), (ssize_t)n);
    const struct timespec times[2] = {st.st_atim, st.st_mtim};
    futimens(fd, times);
    close(fd);
    ck_assert_int_eq(open_model(&w, &e), KS_EFORMAT);
    free(file);
}
END_TEST

START_TEST(list_of_files_is_bounded)
{
    ks_cache *c;
    ks_error e = {0};
    struct stat st = {.st_size = 5};
    char note[96], path[200];
    ck_assert_int_eq(ks_cache_open(&c, cache, NULL, NULL, &e), 0);
    for (int i = 0; i < 300; i++) {
        st.st_ino = (ino_t)i;
        snprintf(note, sizeof note, "n%d", i);
        ks_cache_vouch(c, "k", &st, note);
    }
    ck_assert(ks_cache_vouches(c, "k", &st, note));
    ck_assert_str_eq(note, "n299");
    st.st_ino = 0;
    ck_assert(!ks_cache_vouches(c, "k", &st, note));
    st.st_ino = 280, st.st_size = 6;
    ck_assert(!ks_cache_vouches(c, "k", &st, note));
    snprintf(path, sizeof path, "%s/k.files", cache);
    struct stat list;
    ck_assert_int_eq(stat(path, &list), 0);
    ck_assert_int_lt(list.st_size, 16384);
    uint8_t garbage[5000];
    for (size_t i = 0; i < sizeof garbage; i++) garbage[i] = (uint8_t)(i * 31);
    ks_write_file(path, garbage, sizeof garbage); /* vouches for nothing, breaks nothing */
    st.st_ino = 299, st.st_size = 5;
    ck_assert(!ks_cache_vouches(c, "k", &st, note));
    ks_cache_vouch(c, "k", &st, "again");
    ck_assert(ks_cache_vouches(c, "k", &st, note));
    ks_cache_close(c);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("pack");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, made_once_then_mapped);
    tcase_add_test(t, damage_is_seen);
    tcase_add_test(t, pipe_of_that_name_holds_nobody);
    tcase_add_test(t, copied_pack_is_checked_and_kept);
    tcase_add_test(t, failed_fill_leaves_nothing);
    tcase_add_test(t, no_room_means_memory);
    tcase_add_test(t, a_stopped_one_holds_nobody);
    tcase_add_loop_test(t, nothing_is_written_through, 0, 4);
    tcase_add_test(t, many_at_once);
    tcase_add_test(t, killed_half_way);
    tcase_add_test(t, vouches_only_for_checked_files);
    tcase_add_test(t, mtime_set_back_fools_nobody);
    tcase_add_test(t, list_of_files_is_bounded);
    return ks_run_case("pack", t);
}
