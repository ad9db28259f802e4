/* test_copy.c - search copies: whatever happens to them, the answer is brute force's. */
#include "index/catalog.h"
#include "index/mapped_segments.h"
#include "index/index.h"
#include "index/top.h"
#include "tests/library_maker.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { D = 72, K = 12 };

static int queries_agree(ks_index *x, const ks_filter *f, uint64_t seed, int *copies)
{
    ks_error e = {0};
    float q[D];
    ks_neighbour want[K];
    for (int i = 0; i < 6; i++) {
        ks_found found;
        int n;
        lib_vector(q, D, i % 3, seed + (uint64_t)i);
        lib_brute(want, &n, x, q, D, K, f);
        MUST(ks_index_search(&found, x, q, D, K, f, KS_SEARCH_EXACT, &e));
        int same = found.count == n && found.damaged == 0;
        for (int j = 0; j < n && same; j++)
            same = want[j].clip == found.at[j].clip &&
                   memcmp(&want[j].cosine, &found.at[j].cosine, sizeof(float)) == 0;
        ks_found_free(&found);
        if (!same) return 0;
    }
    if (copies) *copies = x->segments->n;
    return 1;
}

enum { QUERIES = 3, ROOM = 8000 };
typedef struct {
    ks_neighbour at[QUERIES][ROOM];
    ks_clip last;
    int n, ordered;
} all_scores;

static int keep_scores(void *arg, const ks_clip *clips, const float *scores, int m)
{
    all_scores *a = arg;
    for (int i = 0; i < m; i++, a->n++) {
        const ks_clip *c = &clips[i];
        ck_assert_int_lt(a->n, ROOM);
        a->ordered &= c->video > a->last.video ||
                      (c->video == a->last.video && c->start > a->last.start);
        a->last = *c;
        for (int k = 0; k < QUERIES; k++) a->at[k][a->n] = (ks_neighbour){c->id, scores[k * m + i]};
    }
    return 0;
}

static int by_rank(const void *a, const void *b)
{
    const ks_neighbour *p = a, *q = b;
    return ks_better(*q, *p) - ks_better(*p, *q);
}

/* Every score of every clip that the filter lets through, in the order of the catalog, bit for
 * bit. */
static int scores_agree(ks_index *x, const ks_filter *f, uint64_t seed)
{
    ks_error e = {0};
    float q[QUERIES * D];
    all_scores *a = calloc(1, sizeof *a);
    ks_neighbour *want = malloc(ROOM * sizeof *want);
    int n, same = 1;
    ck_assert(a && want);
    a->ordered = 1;
    for (int k = 0; k < QUERIES; k++) lib_vector(q + k * D, D, k, seed + (uint64_t)k);
    MUST(ks_index_scores(x, q, QUERIES, D, f, keep_scores, a, &e));
    for (int k = 0; k < QUERIES; k++) {
        lib_brute(want, &n, x, q + k * D, D, ROOM, f);
        qsort(a->at[k], (size_t)a->n, sizeof **a->at, by_rank);
        same &= n == a->n;
        for (int j = 0; j < n && same; j++)
            same = want[j].clip == a->at[k][j].clip &&
                   memcmp(&want[j].cosine, &a->at[k][j].cosine, sizeof(float)) == 0;
    }
    same &= a->ordered;
    free(want);
    free(a);
    return same;
}

static int agree(const char *dir, const ks_filter *f, uint64_t seed, int *copies)
{
    ks_error e = {0};
    ks_index *x;
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    int same = queries_agree(x, f, seed, copies) && scores_agree(x, f, seed);
    ks_index_close(x);
    return same;
}

static int files(const char *dir, char name[64])
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        if (strncmp(f->d_name, "vectors.", 8) == 0) {
            n++;
            if (name) snprintf(name, 64, "%.63s", f->d_name);
        }
    if (d) closedir(d);
    return n;
}

static void add_films(ks_index *x, int from, int to, int clips)
{
    ks_error e = {0};
    MUST(ks_index_begin(x, &e)); /* one fsync for all */
    for (int i = from; i < to; i++) {
        char path[64];
        snprintf(path, sizeof path, "/films/%d/f%d.mp4", i % 10, i);
        lib_add(x, path, (uint64_t)i + 1, clips + i % 5, D, i % 3);
    }
    MUST(ks_index_end(x, 0, &e));
}

static ks_index *make(const char *dir)
{
    ks_error e = {0};
    ks_index *x;
    ks_space space = lib_space(D);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, NULL, NULL, &e));
    return x;
}

START_TEST(copies_answer_as_brute_force)
{
    ks_error e = {0};
    char dir[64];
    int copies;
    ks_index *x = make(lib_new_dir(dir));
    add_films(x, 0, 30, 40);
    MUST(ks_index_publish(x, 0, &e));
    ck_assert(agree(dir, NULL, 1, &copies));
    ck_assert_int_eq(copies, 1);
    add_films(x, 30, 34, 10); /* a tail that no copy holds */
    ck_assert(agree(dir, NULL, 2, NULL));
    ck_assert(agree(dir, &(ks_filter){.path_glob = "3/*"}, 3, NULL));
    ck_assert(agree(dir, &(ks_filter){.longer = 3.5, .shorter = 6.5}, 4, NULL));
    ck_assert(agree(dir, &(ks_filter){.after = 1005, .before = 1032, .longer = 2.5}, 5, NULL));
    ck_assert(agree(dir, &(ks_filter){.video = 3}, 6, NULL));
    ck_assert(agree(dir, &(ks_filter){.path_glob = "nothing"}, 7, NULL));
    MUST(ks_index_publish(x, 1, &e)); /* the tail becomes a small second copy */
    ck_assert(agree(dir, NULL, 8, &copies));
    ck_assert_int_eq(copies, 2);
    MUST(ks_index_drop_path(x, "/films/3/f3.mp4", &e));
    MUST(ks_index_drop_path(x, "/films/1/f31.mp4", &e));
    MUST(ks_index_drop_clips(x, (const int64_t[]){7, 90}, 2, &e));
    ck_assert(agree(dir, NULL, 9, &copies));
    ck_assert_int_eq(copies, 2);
    ck_assert(agree(dir, &(ks_filter){.path_glob = "1/*"}, 10, NULL));
    MUST(ks_index_publish(x, 1, &e));
    ck_assert(agree(dir, NULL, 11, NULL));
    add_films(x, 34, 90, 40); /* more than twice the first copy: all merge */
    MUST(ks_index_publish(x, 1, &e));
    ck_assert(agree(dir, NULL, 12, &copies));
    ck_assert_int_eq(copies, 1);
    ck_assert_int_eq(files(dir, NULL), 1);
    ks_index_close(x);
    lib_remove_dir(dir);
}
END_TEST

START_TEST(a_reader_lives_through_publishes)
{
    ks_error e = {0};
    char dir[64];
    ks_index *r, *x = make(lib_new_dir(dir));
    add_films(x, 0, 12, 20);
    MUST(ks_index_open(&r, dir, KS_READ, &e));
    for (int round = 0; round < 6; round++) {
        MUST(ks_index_publish(x, round % 2, &e));
        ck_assert(queries_agree(r, NULL, (uint64_t)round, NULL));
        add_films(x, 12 + 8 * round, 20 + 8 * round, 30);
        ck_assert(queries_agree(r, NULL, 50 + (uint64_t)round, NULL));
    }
    ks_index_close(r);
    ks_index_close(x);
    lib_remove_dir(dir);
}
END_TEST

static int no_vectors(void *arg, int action, const char *table, const char *column, const char *db,
                      const char *view)
{
    (void)arg, (void)column, (void)db, (void)view;
    return action == SQLITE_READ && table && strcmp(table, "vector") == 0 ? SQLITE_DENY : SQLITE_OK;
}

/* What is published is scored from there: SQLite's vectors are not even asked for, until a tail
 * needs them. */
START_TEST(all_scores_come_from_copies)
{
    ks_error e = {0};
    char dir[64];
    ks_index *x = make(lib_new_dir(dir));
    all_scores *a = calloc(1, sizeof *a);
    float q[QUERIES * D];
    ck_assert(a != NULL);
    add_films(x, 0, 30, 40);
    MUST(ks_index_publish(x, 1, &e));
    add_films(x, 30, 60, 10);
    MUST(ks_index_publish(x, 1, &e));
    ck_assert_int_eq(scores_agree(x, NULL, 3), 1);
    ck_assert_int_eq(x->segments->n, 2);
    for (int k = 0; k < QUERIES; k++) lib_vector(q + k * D, D, 0, 77 + (uint64_t)k);
    ks_forget_statements(x);
    ck_assert_int_eq(sqlite3_set_authorizer(x->db, no_vectors, NULL), SQLITE_OK);
    MUST(ks_index_scores(x, q, QUERIES, D, NULL, keep_scores, a, &e));
    ck_assert_int_eq(a->n, 30 * 42 + 30 * 12); /* clips + film % 5 */
    sqlite3_set_authorizer(x->db, NULL, NULL);
    add_films(x, 60, 61, 10);
    ks_forget_statements(x);
    sqlite3_set_authorizer(x->db, no_vectors, NULL);
    ck_assert_int_lt(ks_index_scores(x, q, QUERIES, D, NULL, keep_scores, a, &e), 0);
    ks_index_close(x);
    free(a);
    lib_remove_dir(dir);
}
END_TEST

/* A copy of a file's bytes; caller frees. */
static unsigned char *slurp(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    unsigned char *p = malloc((size_t)st.st_size);
    ck_assert_int_eq(read(fd, p, (size_t)st.st_size), st.st_size);
    close(fd);
    *n = (size_t)st.st_size;
    return p;
}

static void spill(const char *path, const unsigned char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    ck_assert(fd >= 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    close(fd);
}

START_TEST(damaged_copies_change_nothing)
{
    ks_error e = {0};
    char dir[64], name[64], path[200];
    uint64_t seed = 20261123;
    int copies, ignored = 0;
    size_t n;
    ks_index *x = make(lib_new_dir(dir));
    add_films(x, 0, 6, 20);
    MUST(ks_index_publish(x, 1, &e));
    ks_index_close(x);
    ck_assert_int_eq(files(dir, name), 1);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unsigned char *good = slurp(path, &n), *bad = malloc(n + 4096);
    const char *rounds = getenv("KS_MUTANTS");
    int mutants = rounds ? atoi(rounds) : 400;
    for (int i = 0; i < mutants; i++) {
        size_t m = n, at = lib_random(&seed) % n;
        memcpy(bad, good, n);
        switch (i % 6) {
        case 0: bad[at] ^= (unsigned char)(1u << (lib_random(&seed) & 7)); break;
        case 1:
            m = at;
            break; /* cut */
        /* the header */
        case 2:
            at %= 200;
            bad[at] = (unsigned char)(bad[at] + 1 + lib_random(&seed) % 255);
            break;
        case 3:
            memset(bad + n, 0, 4096);
            m = n + 1 + lib_random(&seed) % 4096;
            break; /* longer */
        case 4: m = at / 4096 * 4096; break;
        default:
            for (size_t j = at; j < n && j < at + 300; j++)
                bad[j] = (unsigned char)lib_random(&seed);
        }
        spill(path, bad, m);
        ck_assert_msg(agree(dir, NULL, (uint64_t)i, &copies), "mutant %d", i);
        ignored += copies == 0;
    }
    ck_assert_int_ge(ignored, mutants * 99 / 100); /* random bytes may happen to be the same */
    spill(path, good, n); /* other stat, same bytes: checked in full, then used */
    ck_assert(agree(dir, NULL, 99, &copies));
    ck_assert_int_eq(copies, 1);
    bad[5] ^= 1;
    spill(path, bad, n);
    MUST(ks_index_open(&x, dir, KS_WRITE, &e)); /* the next writer makes it anew */
    MUST(ks_index_publish(x, 1, &e));
    ks_index_close(x);
    ck_assert(agree(dir, NULL, 99, &copies));
    ck_assert_int_eq(copies, 1);
    ck_assert_int_eq(files(dir, NULL), 1);
    free(good);
    free(bad);
    lib_remove_dir(dir);
}
END_TEST

/* Copies of one library laid into others, or of an earlier or later day into the same: never
 * used, never wrong. */
START_TEST(foreign_and_older_copies_are_refused)
{
    ks_error e = {0};
    char a[64], b[64], from[200], to[200], first[64], second[64];
    int copies;
    size_t n, m;
    ks_index *x = make(lib_new_dir(a));
    add_films(x, 0, 6, 20);
    MUST(ks_index_publish(x, 1, &e));
    files(a, first);
    snprintf(from, sizeof from, "%s/%s", a, first);
    unsigned char *old = slurp(from, &n);
    MUST(ks_index_drop_path(x, "/films/3/f3.mp4", &e));
    add_films(x, 6, 12, 20);
    MUST(ks_index_publish(x, 1, &e));
    ck_assert_int_eq(files(a, second), 1);
    ks_index_close(x);
    snprintf(to, sizeof to, "%s/%s", a, second);
    unsigned char *now = slurp(to, &m);
    spill(to, old, n);
    ck_assert(agree(a, NULL, 1, &copies));
    ck_assert_int_eq(copies, 0);
    spill(to, now, m);
    ck_assert(agree(a, NULL, 1, &copies));
    ck_assert_int_eq(copies, 1);
    x = make(lib_new_dir(b));
    add_films(x, 20, 26, 20);
    MUST(ks_index_publish(x, 1, &e));
    ks_index_close(x);
    files(b, first);
    snprintf(to, sizeof to, "%s/%s", b, first);
    spill(to, old, n);
    ck_assert(agree(b, NULL, 2, &copies));
    ck_assert_int_eq(copies, 0);
    unlink(to);
    ck_assert(agree(b, NULL, 2, &copies));
    ck_assert_int_eq(copies, 0);
    free(old);
    free(now);
    lib_remove_dir(a);
    lib_remove_dir(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("copy");
    TCase *t = tcase_create("copies");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, copies_answer_as_brute_force);
    tcase_add_test(t, all_scores_come_from_copies);
    tcase_add_test(t, a_reader_lives_through_publishes);
    tcase_add_test(t, damaged_copies_change_nothing);
    tcase_add_test(t, foreign_and_older_copies_are_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
