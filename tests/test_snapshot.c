/* test_snapshot.c - one state a question, beside a writer that replaces films without pause. */
#include "index/catalog.h"
#include "query/calibrate.h"
#include "tests/library_maker.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { D = 32, FILMS = 12, CLIPS = 40, QUESTIONS = 150 };
static char dir[64];
static atomic_int stop, replaced;

static void put_film(ks_index *x, int film, uint64_t content)
{
    char path[64];
    snprintf(path, sizeof path, "/films/f%d.mp4", film);
    lib_add(x, path, content, CLIPS, D, 1);
}

static void make(void)
{
    ks_error e = {0};
    ks_index *x;
    ks_space space = lib_space(D);

    lib_new_dir(dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, NULL, NULL, &e));
    for (int i = 0; i < FILMS; i++) put_film(x, i, (uint64_t)i + 1);
    MUST(ks_index_publish(x, 1, &e));
    ks_index_close(x);
}

static void remove_it(void) { lib_remove_dir(dir); }

/* A film is forgotten or has other content under its path; every seventh time the search copies
 * follow. */
static void *replace_films(void *unused)
{
    ks_error e = {0};
    ks_index *x = NULL;
    uint64_t seed = 99, content = 1000;
    char path[64];

    (void)unused;
    if (ks_index_open(&x, dir, KS_WRITE, &e) < 0) return (void *)1;
    while (!atomic_load(&stop)) {
        int film = (int)(lib_random(&seed) % FILMS), err = 0;
        snprintf(path, sizeof path, "/films/f%d.mp4", film);
        if (lib_random(&seed) % 3 == 0) err = ks_index_drop_path(x, path, &e);
        else put_film(x, film, content++);
        if (err == 0 && content % 7 == 0) err = ks_index_publish(x, 0, &e);
        if (err < 0) fprintf(stderr, "writer: %s\n", e.msg);
        atomic_fetch_add(&replaced, 1);
    }
    ks_index_close(x);
    return NULL;
}

/* All that a question reads fits: the best by brute force, each one's clip, film, vector and
 * number. */
static void ask_everything(ks_index *x, uint64_t seed)
{
    ks_error e = {0};
    float q[D], v[D];
    ks_neighbour want[20];
    ks_found found;
    ks_library library;
    int n;

    lib_vector(q, D, 1, seed);
    MUST(ks_index_library(&library, x, &e));
    MUST(ks_index_search(&found, x, q, D, 20, NULL, KS_SEARCH_EXACT, &e));
    lib_brute(want, &n, x, q, D, 20, NULL);
    ck_assert_int_eq(found.count, n);
    ck_assert_int_eq(found.searched, library.clips);
    ck_assert_int_eq(found.damaged, 0);
    for (int i = 0; i < n; i++) {
        ks_clip clip;
        ks_video video;
        ck_assert_int_eq(found.at[i].clip, want[i].clip);
        MUST(ks_index_clip(&clip, x, want[i].clip, &e));
        MUST(ks_index_video(&video, x, clip.video, &e));
        MUST(ks_index_clip_vector(v, D, x, clip.id, &e));
    }
    ks_found_free(&found);
    ck_assert_int_eq(ks_index_damaged(x), 0);
}

START_TEST(a_question_is_one_state)
{
    ks_error e = {0};
    ks_index *x;
    ks_scale *scale = NULL;
    pthread_t writer;
    void *failed;

    ck_assert_int_eq(pthread_create(&writer, NULL, replace_films, NULL), 0);
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    for (int i = 0; i < QUESTIONS || atomic_load(&replaced) < 50; i++) {
        ks_hits hits;
        ks_query_options o = {.k = 30, .vector_query = 1, .all = 1};
        float q[D];
        lib_vector(q, D, 1, 777 + (uint64_t)i);
        MUST(ks_index_snapshot(x, &e));
        ask_everything(x, 5000 + (uint64_t)i);
        MUST(ks_scale_open(&scale, x, NULL, &e));
        MUST(ks_query_run(&hits, x, scale, q, D, &o, &e));
        for (int k = 0; k < hits.count; k++) ck_assert_ptr_nonnull(hits.at[k].path);
        ks_hits_free(&hits);
        ks_scale_close(scale);
        ks_index_release(x);
    }
    atomic_store(&stop, 1);
    ck_assert_int_eq(pthread_join(writer, &failed), 0);
    ck_assert_ptr_null(failed);
    ks_index_close(x);
}
END_TEST

static off_t replace_and_measure(ks_index *w, const char *log)
{
    struct stat s;
    for (int i = 0; i < 200; i++) put_film(w, i % FILMS, 20000 + (uint64_t)i);
    ck_assert_int_eq(stat(log, &s), 0);
    return s.st_size;
}

/* SQLite's log starts anew once no question holds it: a library that is asked and written all day
 * does not grow one. A bound on the log beside a running writer is none: on a machine that was
 * late it stood at 78 MiB where 64 had been enough for months. */
START_TEST(the_log_starts_anew)
{
    ks_error e = {0};
    ks_index *x, *w;
    char log[100];

    snprintf(log, sizeof log, "%s/catalog.db-wal", dir);
    MUST(ks_index_open(&w, dir, KS_WRITE, &e));
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    MUST(ks_index_snapshot(x, &e));
    ask_everything(x, 5000);
    off_t held = replace_and_measure(w, log);
    ks_index_release(x);
    off_t free_of_it = replace_and_measure(w, log);
    ck_assert_int_gt(held, 16 << 20);
    ck_assert_int_le(free_of_it, held + (1 << 20)); /* else it were 2 * held */
    ks_index_close(x);
    ks_index_close(w);
}
END_TEST

/* A snapshot that is held sees what it saw, whatever is replaced; let go, it sees the rest. */
START_TEST(a_held_snapshot_stays)
{
    ks_error e = {0};
    ks_index *x, *w;
    ks_library before, held, after;

    MUST(ks_index_open(&x, dir, KS_READ, &e));
    MUST(ks_index_open(&w, dir, KS_WRITE, &e));
    MUST(ks_index_snapshot(x, &e));
    MUST(ks_index_library(&before, x, &e));
    for (int i = 0; i < FILMS; i++) put_film(w, i, 5000 + (uint64_t)i);
    MUST(ks_index_publish(w, 1, &e)); /* the copies that the snapshot knew are gone */
    ask_everything(x, 5000);
    MUST(ks_index_library(&held, x, &e));
    ck_assert_int_eq(held.generation, before.generation);
    ks_index_release(x);
    MUST(ks_index_library(&after, x, &e));
    ck_assert_int_gt(after.generation, before.generation);
    ask_everything(x, 5001);
    ks_index_close(x);
    ks_index_close(w);
}
END_TEST

/* Beside a question that goes on nothing can be given back: said, and nothing has grown. */
START_TEST(compact_waits_for_readers)
{
    ks_error e = {0};
    ks_index *x, *w;
    ks_library library;
    ks_index_state before, after;

    MUST(ks_index_open(&w, dir, KS_WRITE, &e));
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    MUST(ks_index_snapshot(x, &e));
    MUST(ks_index_library(&library, x, &e));
    put_film(w, 0, 7000);
    MUST(ks_index_status(&before, w, &e));
    sqlite3_busy_timeout(w->db, 100); /* 10 s elsewhere */
    ck_assert_int_eq(ks_index_compact(w, &e), KS_EBUSY);
    MUST(ks_index_status(&after, w, &e));
    ck_assert_int_le(after.bytes_catalog, before.bytes_catalog + 8192);
    ks_index_release(x);
    MUST(ks_index_compact(w, &e));
    ask_everything(x, 5000);
    ks_index_close(x);
    ks_index_close(w);
}
END_TEST

/* A dead film's row of table gone is rotten: SQLite answers alone, and the row is counted. */
START_TEST(a_rotten_row_of_gone)
{
    ks_error e = {0};
    ks_index *x;
    sqlite3 *db;
    ks_neighbour want[30];
    ks_found found;
    char path[100];
    float q[D];
    int n;

    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    MUST(ks_index_drop_path(x, "/films/f3.mp4", &e));
    ks_index_close(x);
    snprintf(path, sizeof path, "%s/catalog.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "UPDATE gone SET finished = finished + 1", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    lib_vector(q, D, 1, 4000015); /* a clip of the film that is gone */
    lib_brute(want, &n, x, q, D, 30, NULL);
    MUST(ks_index_search(&found, x, q, D, 30, NULL, KS_SEARCH_AUTO, &e));
    ck_assert_int_eq(found.count, n);
    for (int i = 0; i < n; i++) ck_assert_int_eq(found.at[i].clip, want[i].clip);
    ck_assert_int_eq(ks_index_damaged(x), 1);
    ks_found_free(&found);
    ks_index_close(x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("snapshot");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, make, remove_it);
    tcase_add_test(t, a_question_is_one_state);
    tcase_add_test(t, the_log_starts_anew);
    tcase_add_test(t, a_held_snapshot_stays);
    tcase_add_test(t, compact_waits_for_readers);
    tcase_add_test(t, a_rotten_row_of_gone);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
