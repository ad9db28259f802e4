/* test_growth.c - what a question costs as a library grows, in pages that SQLite looks at: what
 * concerns one film costs as one film, and a number that is shown was counted along. Pages, not
 * seconds: they are the same on every machine. */
#include "index/catalog.h"
#include "tests/library_maker.h"

#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { D = 16, CLIPS = 20, FEW = 10, MANY = 500 };
static ks_error e;

typedef struct {
    char dir[64];
    ks_index *x;
    int films;
} made;

static void make(made *m, int films)
{
    ks_space space = lib_space(D);
    m->films = films;
    lib_new_dir(m->dir);
    MUST(ks_index_open(&m->x, m->dir, KS_CREATE, &e));
    MUST(ks_index_set_space(m->x, &space, NULL, NULL, &e));
    MUST(ks_index_begin(m->x, &e));
    for (int i = 0; i < films; i++) {
        char path[64];
        snprintf(path, sizeof path, "/films/%d/f%d.mp4", i % 7, i);
        lib_add(m->x, path, (uint64_t)i + 1, CLIPS, D, 0);
    }
    MUST(ks_index_end(m->x, 0, &e));
    MUST(ks_index_publish(m->x, 1, &e));
}

static void unmake(made *m)
{
    ks_index_close(m->x);
    lib_remove_dir(m->dir);
}

/* Pages looked at so far, in memory or not. */
static int64_t pages(ks_index *x)
{
    int hit, miss, high;
    ck_assert_int_eq(sqlite3_db_status(x->db, SQLITE_DBSTATUS_CACHE_HIT, &hit, &high, 0),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_db_status(x->db, SQLITE_DBSTATUS_CACHE_MISS, &miss, &high, 0),
                     SQLITE_OK);
    return (int64_t)hit + miss;
}

/* --- the questions --- */
static void search_one_film(ks_index *x)
{
    ks_filter f = {.video = 5};
    ks_found found;
    float q[D];
    lib_vector(q, D, 0, 3);
    MUST(ks_index_search(&found, x, q, D, 10, &f, KS_SEARCH_AUTO, &e));
    ck_assert_int_eq(found.count, 10);
    ck_assert_int_eq(found.searched, CLIPS);
    for (int i = 0; i < found.count; i++)
        ck_assert(found.clips[i].id == found.at[i].clip && found.clips[i].video == 5);
    ks_found_free(&found);
}

static void walk_clips(ks_index *x, const ks_filter *f)
{
    ks_cursor *c;
    ks_clip clip;
    int n = 0;
    MUST(ks_index_clips(&c, x, f, &e));
    while (ks_clips_next(&clip, c, &e) > 0) n++;
    ks_cursor_close(c);
    ck_assert_int_eq(n, CLIPS);
}

static void clips_of_one_film(ks_index *x)
{
    walk_clips(x, &(ks_filter){.video = 5});
    walk_clips(x, &(ks_filter){.video = 5, .unfinished_too = 1});
}

static void clips_by_name(ks_index *x)
{
    walk_clips(x, &(ks_filter){.path_glob = "f5.mp4"});
    walk_clips(x, &(ks_filter){.path_glob = "f5.mp4", .unfinished_too = 1});
}

static int count_block(void *arg, const ks_clip *clips, const float *scores, int m)
{
    (void)clips, (void)scores;
    *(int *)arg += m;
    return 0;
}

static void scores_of_one_film(ks_index *x)
{
    int n = 0;
    float q[D];
    lib_vector(q, D, 0, 3);
    MUST(ks_index_scores(x, q, 1, D, &(ks_filter){.video = 5}, count_block, &n, &e));
    ck_assert_int_eq(n, CLIPS);
}

static void sample(ks_index *x)
{
    ks_clip clips[16];
    int n = 0;
    MUST(ks_index_sample(clips, &n, 16, x, &e));
    ck_assert_int_eq(n, 16);
    for (int i = 1; i < n; i++) ck_assert_int_gt(clips[i].id, clips[i - 1].id);
    ck_assert_int_gt(clips[15].id - clips[0].id, clips[0].id + 13 * (clips[1].id - clips[0].id));
}

static void forget_one_film(ks_index *x) { MUST(ks_index_drop_path(x, "/films/4/f4.mp4", &e)); }

static void relocate_one_film(ks_index *x)
{
    int64_t changed;
    MUST(ks_index_relocate(&changed, x, "/films/6/f6.mp4", "/films/6/g6.mp4", &e));
    ck_assert_int_eq(changed, 1);
}

static void search_all(ks_index *x)
{
    ks_found found;
    double seconds;
    float q[D];
    lib_vector(q, D, 0, 3);
    MUST(ks_index_search(&found, x, q, D, 10, NULL, KS_SEARCH_AUTO, &e));
    ck_assert_int_eq(found.count, 10);
    ks_found_free(&found);
    MUST(ks_index_seconds(&seconds, x, &e));
    ck_assert_double_gt(seconds, 1);
}

static void status(ks_index *x)
{
    ks_index_state s;
    MUST(ks_index_status(&s, x, &e));
    ck_assert_int_ge(s.clips, (FEW - 1) * CLIPS);
    ck_assert_int_eq(s.bytes_clips, s.clips * D * 2);
}

static void open_again(ks_index *x)
{
    ks_index *y;
    ks_library *l = malloc(sizeof *l);
    int64_t cost;
    MUST(ks_index_open(&y, x->dir, KS_READ, &e));
    MUST(ks_index_library(l, y, &e));
    search_all(y);
    cost = pages(y);
    ck_assert_int_lt(cost, 120);
    ks_index_close(y);
    free(l);
}

/* `more`: pages that a library of MANY may cost beside twice those of FEW, where it walks the
 * list of paths. */
static const struct {
    const char *what;
    void (*ask)(ks_index *x);
    int more;
} questions[] = {
    {"search --in one film", search_one_film, 10},
    {"clips of one film", clips_of_one_film, 10},
    {"clips --in NAME", clips_by_name, 2 * MANY / 20},
    {"scores of one film", scores_of_one_film, 10},
    {"a sample of clips", sample, 32},
    {"search the whole library", search_all, 20},
    {"status", status, 10},
    {"opening", open_again, 10},
    {"forget one film", forget_one_film, 20},
    {"relocate one film", relocate_one_film, 20},
};

START_TEST(costs_do_not_grow)
{
    made few, many;
    make(&few, FEW);
    make(&many, MANY);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        int64_t before = pages(few.x), little, much;
        questions[i].ask(few.x);
        little = pages(few.x) - before;
        before = pages(many.x);
        questions[i].ask(many.x);
        much = pages(many.x) - before;
        ck_assert_msg(much <= 2 * little + questions[i].more,
                      "%s: %lld pages of %d films, %lld of %d", questions[i].what,
                      (long long)little, FEW, (long long)much, MANY);
    }
    unmake(&few);
    unmake(&many);
}
END_TEST

/* What is read from the catalog for want of a copy is counted, so that it can be said. */
START_TEST(what_has_no_copy_is_said)
{
    made m;
    ks_found found;
    float q[D];
    make(&m, FEW);
    lib_vector(q, D, 0, 3);
    lib_add(m.x, "/films/new.mp4", 1000, CLIPS, D, 0);
    MUST(ks_index_search(&found, m.x, q, D, 10, NULL, KS_SEARCH_AUTO, &e));
    ck_assert_int_eq(found.searched, (FEW + 1) * CLIPS);
    ck_assert_int_eq(found.uncopied, CLIPS);
    ks_found_free(&found);
    MUST(ks_index_publish(m.x, 1, &e));
    MUST(ks_index_search(&found, m.x, q, D, 10, NULL, KS_SEARCH_AUTO, &e));
    ck_assert_int_eq(found.uncopied, 0);
    ks_found_free(&found);
    unmake(&m);
}
END_TEST

static void peak_of_compacting(const char *dir)
{
    struct rusage before, after;
    ks_index *x;
    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    getrusage(RUSAGE_SELF, &before);
    sqlite3_memory_highwater(1);
    MUST(ks_index_compact(x, &e));
    getrusage(RUSAGE_SELF, &after);
    /* bytes, KiB */
    sqlite3_int64 most = sqlite3_memory_highwater(0), grown = after.ru_maxrss - before.ru_maxrss;
    ks_index_close(x);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    grown = 0; /* a sanitizer keeps what was freed; SQLite's own count stays exact */
#endif
    /* SQLite's own cache is 16 MiB a file */
    _exit(most > 0 && most < 40 << 20 && grown < 40 * 1024 ? 0 : 1);
}

/* The new catalog is not made in memory. */
START_TEST(compacting_takes_no_memory_of_the_catalog)
{
    enum { PICTURES = 64, MIB = 1 << 20 };
    made m;
    int status;
    unsigned char *jpeg = malloc(MIB);
    uint64_t seed = 4;
    ks_clip_data c = {.clip = {.start = 1 << 30, .frames = 1}, .jpeg = jpeg, .jpeg_bytes = MIB};
    float v[D];
    make(&m, FEW);
    for (size_t i = 0; i < MIB; i++) jpeg[i] = (unsigned char)lib_random(&seed);
    lib_vector(v, D, 0, 8);
    c.vector = v;
    MUST(ks_index_begin(m.x, &e));
    for (int i = 0; i < PICTURES; i++) {
        c.clip.end = ++c.clip.start + 5;
        MUST(ks_index_add_clips(m.x, 1, &c, 1, &e));
    }
    MUST(ks_index_end(m.x, 0, &e));
    ks_index_close(m.x);
    free(jpeg);
    pid_t child = fork();
    if (child == 0) peak_of_compacting(m.dir);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "compact took the catalog's size of memory (%d)", status);
    MUST(ks_index_open(&m.x, m.dir, KS_READ, &e));
    unmake(&m);
}
END_TEST

/* --- sums that are counted along --- */
static void sums_are_right(ks_index *x, const char *after)
{
    ks_totals is, should;
    MUST(ks_snapshot(x, &e));
    MUST(ks_totals_walk(&should, x, &e));
    MUST(ks_totals_read(&is, x, &e));
    MUST(ks_end(x, 0, &e));
    ck_assert_msg(
        memcmp(&is, &should, sizeof is) == 0,
        "after %s: %lld paths, %lld unfinished, %lld bad, %lld us, %lld clips, %lld bytes; "
        "walked: %lld, %lld, %lld, %lld, %lld, %lld",
        after, (long long)is.paths, (long long)is.unfinished, (long long)is.bad,
        (long long)is.microseconds, (long long)is.clips, (long long)is.vector_bytes,
        (long long)should.paths, (long long)should.unfinished, (long long)should.bad,
        (long long)should.microseconds, (long long)should.clips, (long long)should.vector_bytes);
}

/* One random thing that a writer does. */
static const char *disturb(ks_index *x, uint64_t *seed)
{
    char path[64], other[64];
    int film = (int)(lib_random(seed) % 30), what = (int)(lib_random(seed) % 7);
    ks_video v = {.path = path,
                  .stat.size = 1,
                  .reason = "r",
                  .tb = {1, 1 + (int)(lib_random(seed) % 90000)},
                  .duration = 1000 + film,
                  .seconds_missing = (double)(lib_random(seed) % 100) / 7,
                  .fps = 25};
    int64_t changed, clip;
    snprintf(path, sizeof path, "/a/%d.mp4", film);
    snprintf(other, sizeof other, "/b/%d.mp4", film);
    v.content[0] = (uint8_t)(lib_random(seed) % 20);
    switch (what) {
    case 0: lib_add(x, path, lib_random(seed) % 20, 1 + film % 4, D, 0); return "add";
    case 1: MUST(ks_index_drop_path(x, path, &e)); return "drop_path";
    case 2: /* refused where another film lies, and then nothing of it is counted */
        what = ks_index_relocate(&changed, x, "/a", "/b", &e);
        ck_assert_msg(what == 0 || what == KS_EUSAGE, "%s", e.msg);
        return "relocate";
    case 3: MUST(ks_index_add_video(&v.id, x, &v, &e)); return "add_video";
    case 4:
        if (ks_index_find(&v, x, path, &e) <= 0) return "nothing";
        v.verdict = (ks_verdict)(lib_random(seed) % 5);
        v.path = path;
        v.seconds_missing = 0.1;
        v.reason = "r";
        MUST(ks_index_end_video(x, &v, &e));
        return "end_video";
    case 5:
        MUST(ks_integer(&clip, x, &e, "SELECT coalesce(max(id), 0) FROM clip", ""));
        if (clip) MUST(ks_index_drop_clips(x, &clip, 1, &e));
        return "drop_clips";
    default:
        if (ks_index_find(&v, x, path, &e) <= 0) return "nothing";
        v.path = other;
        MUST(ks_index_set_path(x, &v, &e));
        return "set_path";
    }
}

START_TEST(sums_are_counted_along)
{
    made m;
    uint64_t seed = 16;
    make(&m, FEW);
    for (int i = 0; i < 600; i++) {
        const char *what;
        int undone = lib_random(&seed) % 5 == 0;
        if (undone) MUST(ks_index_begin(m.x, &e));
        what = disturb(m.x, &seed);
        sums_are_right(m.x, what);
        if (undone) ck_assert_int_eq(ks_index_end(m.x, KS_EUSAGE, &e), KS_EUSAGE);
        sums_are_right(m.x, what);
    }
    ck_assert_int_eq(ks_index_check(m.x, NULL, NULL, &e), 0);
    unmake(&m);
}
END_TEST

static void note(void *arg, int invariant, int64_t clip, const char *sentence)
{
    (void)invariant, (void)clip;
    *(int *)arg += strstr(sentence, "totals") != NULL;
}

/* Wrong sums are found, and counted anew; a transaction does not vouch for a rotten row by
 * adding to it. */
START_TEST(wrong_sums_are_found_and_put_right)
{
    static const char *const rot[] = {"UPDATE totals SET bad = 3", "DELETE FROM totals",
                                      "UPDATE totals SET clips = 1, sum = ks_sum(14, 1, paths, "
                                      "unfinished, bad, microseconds, 1, vector_bytes, "
                                      "frame_bytes, thumbnail_bytes)"};
    for (size_t i = 0; i < sizeof rot / sizeof *rot; i++) {
        made m;
        ks_index_state was, is;
        int said = 0;
        make(&m, FEW);
        MUST(ks_index_status(&was, m.x, &e));
        ck_assert_int_eq(sqlite3_exec(m.x->db, rot[i], NULL, NULL, NULL), SQLITE_OK);
        MUST(ks_index_drop_path(m.x, "/films/4/f4.mp4", &e));
        ck_assert_int_ge(ks_index_check(m.x, note, &said, &e), 1);
        ck_assert_int_ge(said, 1);
        ks_index_close(m.x);
        MUST(ks_index_repair(m.dir, NULL, NULL, &e));
        MUST(ks_index_open(&m.x, m.dir, KS_READ, &e));
        ck_assert_int_eq(ks_index_check(m.x, NULL, NULL, &e), 0);
        MUST(ks_index_status(&is, m.x, &e));
        ck_assert_int_eq(is.paths, was.paths - 1);
        ck_assert_int_eq(is.bytes_clips, was.bytes_clips - CLIPS * D * 2);
        unmake(&m);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("growth");
    TCase *t = tcase_create("growth");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, costs_do_not_grow);
    tcase_add_test(t, what_has_no_copy_is_said);
    tcase_add_test(t, compacting_takes_no_memory_of_the_catalog);
    tcase_add_test(t, sums_are_counted_along);
    tcase_add_test(t, wrong_sums_are_found_and_put_right);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
