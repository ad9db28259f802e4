/* test_faiss.c - approximate search: near the exact answer, and never trusted further than its
 * checksum. */
#include "index/ann.h"
#include "index/catalog.h"
#include "index/mapped_segments.h"
#include "query/calibrate.h"
#include "tests/library_maker.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { D = 64, K = 10, FILMS = 24, CLIPS = 150 };
static char dir[64];

static void make(void)
{
    ks_error e = {0};
    ks_index *x;
    ks_space space = lib_space(D);
    lib_new_dir(dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, NULL, NULL, &e));
    MUST(ks_index_begin(x, &e));
    for (int i = 0; i < FILMS; i++) {
        char path[64];
        snprintf(path, sizeof path, "/films/%d/f%d.mp4", i % 3, i);
        lib_add(x, path, (uint64_t)i + 1, CLIPS, D, 1);
    }
    MUST(ks_index_end(x, 0, &e));
    x->ann_rows = 1000;
    MUST(ks_index_publish(x, 1, &e));
    ks_index_close(x);
}

static void remove_it(void) { lib_remove_dir(dir); }

/* recall@10 over queries near the clusters; every score must be the exact one. */
static double recall(int queries, ks_search how, const ks_filter *f, int *approximate)
{
    ks_error e = {0};
    ks_index *x;
    int hit = 0, all = 0;
    float q[D];
    ks_neighbour want[K];
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    for (int i = 0; i < queries; i++) {
        ks_found found;
        int n;
        lib_vector(q, D, 1, 99000 + (uint64_t)i);
        lib_brute(want, &n, x, q, D, K, f);
        MUST(ks_index_search(&found, x, q, D, K, f, how, &e));
        for (int j = 0; j < found.count; j++)
            for (int k = 0; k < n; k++)
                if (found.at[j].clip == want[k].clip) {
                    ck_assert(memcmp(&found.at[j].cosine, &want[k].cosine, sizeof(float)) == 0);
                    hit++;
                }
        all += n;
        *approximate = found.approximate;
        ks_found_free(&found);
    }
    ks_index_close(x);
    return (double)hit / all;
}

START_TEST(near_the_exact_answer)
{
    ks_error e = {0};
    ks_index *x;
    ks_index_state state;
    int approximate;
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    MUST(ks_index_status(&state, x, &e));
    ck_assert_double_ge(state.recall, 0.98);
    ck_assert_str_eq(state.copy, "IVF64");
    ks_index_close(x);
    ck_assert_double_ge(recall(12, KS_SEARCH_AUTO, NULL, &approximate), 0.97);
    ck_assert_int_eq(approximate, 1);
    ck_assert_double_eq(recall(12, KS_SEARCH_EXACT, NULL, &approximate), 1.0);
    ck_assert_int_eq(approximate, 0);
    /* a filter that leaves a third: exact on its own; when forced, only rows that the filter
     * lets through */
    ck_assert_double_eq(recall(12, KS_SEARCH_AUTO, &(ks_filter){.path_glob = "1/*"}, &approximate),
                        1.0);
    ck_assert_int_eq(approximate, 0);
    ck_assert_double_ge(recall(12, KS_SEARCH_ANN, &(ks_filter){.path_glob = "1/*"}, &approximate),
                        0.9);
    ck_assert_int_eq(approximate, 1);
}
END_TEST

/* Nearly all clips of a cluster show the same: ten moments lie in ten lists. Whoever finds too
 * few among the lists at hand has to look at more of them. */
START_TEST(as_many_moments_as_without_lists)
{
    ks_error e = {0};
    ks_scale s = {.dim = D, .median = 1, .pair_mean = 0.02};
    float q[D];
    MUST(ks_index_open(&s.x, dir, KS_READ, &e));
    for (int i = 0; i < 20; i++) {
        ks_query_options o = {.k = 3 + i, .vector_query = 1, .how = KS_SEARCH_EXACT};
        ks_hits exact, lists;
        lib_vector(q, D, 1, 700 + (uint64_t)i);
        MUST(ks_query_run(&exact, s.x, &s, q, D, &o, &e));
        o.how = KS_SEARCH_ANN;
        MUST(ks_query_run(&lists, s.x, &s, q, D, &o, &e));
        ck_assert_msg(lists.count >= exact.count, "-k %d: %d moments by lists, %d exactly", o.k,
                      lists.count, exact.count);
        ks_hits_free(&exact);
        ks_hits_free(&lists);
    }
    ks_index_close(s.x);
}
END_TEST

START_TEST(deleted_and_new_films_count)
{
    ks_error e = {0};
    ks_index *x;
    ks_found found;
    float q[D], v[D];
    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    lib_vector(q, D, 1, 5000015); /* the vector of a clip of film 5 */
    MUST(ks_index_search(&found, x, q, D, 1, NULL, KS_SEARCH_ANN, &e));
    ck_assert_float_gt(found.at[0].cosine, 0.999f);
    ks_found_free(&found);
    MUST(ks_index_drop_path(x, "/films/1/f4.mp4", &e));
    MUST(ks_index_search(&found, x, q, D, 1, NULL, KS_SEARCH_ANN, &e));
    ck_assert_float_lt(found.at[0].cosine, 0.999f);
    ks_found_free(&found);
    lib_add(x, "/films/new.mp4", 5, CLIPS, D, 1);
    MUST(ks_index_search(&found, x, q, D, 1, NULL, KS_SEARCH_ANN, &e));
    ck_assert_float_gt(found.at[0].cosine, 0.999f);
    MUST(ks_index_clip_vector(v, D, x, found.at[0].clip, &e));
    ks_found_free(&found);
    ks_index_close(x);
}
END_TEST

static void path_of_lists(char path[400])
{
    DIR *d = opendir(dir);
    *path = 0;
    for (struct dirent *f; d && (f = readdir(d));)
        if (strstr(f->d_name, ".ann")) snprintf(path, 400, "%s/%s", dir, f->d_name);
    closedir(d);
    ck_assert(*path);
}

static void change_byte(int fd, off_t at, unsigned char by)
{
    unsigned char byte;
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= by;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

/* The ten nearest as the lists give them. */
static void ten_by_lists(ks_found *found)
{
    ks_error e = {0};
    ks_index *x;
    float q[D];
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    lib_vector(q, D, 1, 99000);
    MUST(ks_index_search(found, x, q, D, K, NULL, KS_SEARCH_ANN, &e));
    ks_index_close(x);
}

/* A header or table that is damaged ends the lists; of the lists themselves one that is looked at
 * does, and another changes nothing. */
START_TEST(damaged_lists_are_never_used)
{
    char path[400];
    struct stat st;
    uint64_t seed = 42;
    const char *rounds = getenv("KS_MUTANTS");
    ks_found sound, found;
    int exact = 0, same = 0, approximate;
    ks_ann_header h;
    path_of_lists(path);
    ten_by_lists(&sound);
    int fd = open(path, O_RDWR);
    ck_assert(fstat(fd, &st) == 0 && sound.approximate);
    ck_assert_int_eq(pread(fd, &h, sizeof h, 0), sizeof h);
    off_t lists = st.st_size - (off_t)(h.rows * (int64_t)ks_ann_row_bytes(D));
    for (int i = 0; i < (rounds ? atoi(rounds) : 60); i++) {
        off_t at = (off_t)(lib_random(&seed) % (uint64_t)st.st_size);
        unsigned char by = (unsigned char)(1 + lib_random(&seed) % 255);
        if (i % 3 == 0) at %= (off_t)sizeof(ks_ann_header);
        if (i % 3 == 1) at %= lists;
        change_byte(fd, at, by);
        ten_by_lists(&found);
        if (at < lists) ck_assert_int_eq(found.approximate, 0);
        if (found.approximate) {
            ck_assert_int_eq(found.count, sound.count);
            ck_assert(memcmp(found.at, sound.at, (size_t)sound.count * sizeof *sound.at) == 0);
            same++;
        } else {
            exact++;
            ck_assert_double_eq(recall(1, KS_SEARCH_ANN, NULL, &approximate), 1.0);
        }
        ks_found_free(&found);
        change_byte(fd, at, by);
    }
    ck_assert_msg(exact > 0 && same > 0, "%d exact, %d by lists", exact, same);
    for (int64_t row = 0; row < h.rows; row++) /* no list is left sound */
        change_byte(fd, lists + row * (off_t)ks_ann_row_bytes(D), 1);
    ck_assert_double_eq(recall(12, KS_SEARCH_ANN, NULL, &approximate), 1.0);
    ck_assert_int_eq(approximate, 0);
    ck_assert_int_eq(ftruncate(fd, lists + 1), 0);
    ck_assert_double_eq(recall(1, KS_SEARCH_ANN, NULL, &approximate), 1.0);
    ck_assert_int_eq(approximate, 0);
    close(fd);
    ks_found_free(&sound);
}
END_TEST

static void count_lists(void *arg, int invariant, int64_t clip, const char *sentence)
{
    (void)invariant;
    (void)clip;
    if (strstr(sentence, ".ann cannot be used")) ++*(int *)arg;
}

/* What no search can use the next writer makes anew; check says so until then. */
START_TEST(damaged_lists_are_made_anew)
{
    ks_error e = {0};
    ks_index *x;
    char path[400];
    int said = 0, approximate;
    path_of_lists(path);
    int fd = open(path, O_RDWR);
    change_byte(fd, 0, 3);
    close(fd);
    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    ck_assert_int_ge(ks_index_check(x, count_lists, &said, &e), 0);
    ck_assert_int_eq(said, 1);
    x->ann_rows = 1000;
    MUST(ks_index_publish(x, 1, &e));
    said = 0;
    ck_assert_int_ge(ks_index_check(x, count_lists, &said, &e), 0);
    ck_assert_int_eq(said, 0);
    ks_index_close(x);
    ck_assert_double_ge(recall(12, KS_SEARCH_AUTO, NULL, &approximate), 0.97);
    ck_assert_int_eq(approximate, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("faiss");
    TCase *t = tcase_create("lists");
    tcase_set_timeout(t, 600);
    tcase_add_checked_fixture(t, make, remove_it);
    tcase_add_test(t, near_the_exact_answer);
    tcase_add_test(t, as_many_moments_as_without_lists);
    tcase_add_test(t, deleted_and_new_films_count);
    tcase_add_test(t, damaged_lists_are_never_used);
    tcase_add_test(t, damaged_lists_are_made_anew);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
