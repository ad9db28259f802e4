/* test_catalog.c - rows in, rows out, and what searches see of them. */
#include "index/catalog.h"
#include "tests/library_maker.h"
#include "index/index.h"
#include "ingest/ingest.h"

#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { D = 48, T = 3 };
static const ks_space space_a = {
    .model = "aaaa", .dim = D, .frames = T, .sampler = 1, .resize = 10};

static char *new_dir(void)
{
    static char dir[64];
    strcpy(dir, "/tmp/ks_catalog_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    return dir;
}

static void remove_dir(const char *dir)
{
    char path[600];
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
        if (f->d_name[0] != '.') unlink(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        int code_ = (call);                                                                        \
        ck_assert_msg(code_ >= 0, "%s: %d %s", #call, code_, e.msg);                               \
    } while (0)

static void unit(float *v, unsigned seed)
{
    double length = 0;
    for (int d = 0; d < D; d++) {
        seed = seed * 1664525u + 1013904223u;
        v[d] = (float)(seed >> 8) / 8388608.0f - 1.0f;
        length += (double)v[d] * v[d];
    }
    for (int d = 0; d < D; d++) v[d] = (float)(v[d] / sqrt(length));
}

static ks_video video_named(const char *path, unsigned content)
{
    ks_video v = {.path = path,
                  .stat = {1000, 7, 1, content},
                  .reason = "",
                  .tb = {1, 1000},
                  .duration = 60000,
                  .film_date = 1000 + content,
                  .width = 640,
                  .height = 360,
                  .fps = 25};
    memcpy(v.content, &content, sizeof content);
    return v;
}

/* A video of n clips of 8 s, one every 4 s; vectors are of seed content * 1000 + clip. */
static int64_t add(ks_index *x, const char *path, unsigned content, int n, ks_verdict verdict)
{
    ks_error e = {0};
    ks_video v = video_named(path, content);
    float vector[D], frames[T * D];
    OK(ks_index_add_video(&v.id, x, &v, &e));
    for (int i = 0; i < n; i++) {
        unit(vector, content * 1000 + (unsigned)i);
        for (int t = 0; t < T; t++) unit(frames + t * D, content * 7000 + (unsigned)(i * T + t));
        ks_clip_data c = {.clip = {.start = i * 4000,
                                   .end = i * 4000 + 8000,
                                   .frames = T,
                                   .reason = KS_REASON_WINDOW},
                          .vector = vector,
                          .frame_vectors = frames,
                          .jpeg = (const uint8_t *)"jpeg",
                          .jpeg_bytes = 4};
        OK(ks_index_add_clips(x, v.id, &c, 1, &e));
    }
    v.verdict = verdict;
    if (verdict != KS_VERDICT_NONE) OK(ks_index_end_video(x, &v, &e));
    return v.id;
}

static int64_t count_clips(ks_index *x, const ks_filter *f)
{
    ks_error e = {0};
    ks_cursor *c;
    ks_clip clip;
    int64_t n = 0;
    int code;
    OK(ks_index_clips(&c, x, f, &e));
    while ((code = ks_clips_next(&clip, c, &e)) > 0) n++;
    OK(code);
    ks_cursor_close(c);
    return n;
}

static int64_t searched(ks_index *x)
{
    ks_error e = {0};
    ks_found found;
    float q[D];
    unit(q, 1);
    OK(ks_index_search(&found, x, q, D, 5, NULL, KS_SEARCH_EXACT, &e));
    int64_t n = found.searched;
    ks_found_free(&found);
    return n;
}

START_TEST(rows_come_back)
{
    ks_error e = {0};
    ks_index *x;
    char *dir = new_dir();
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, "/m/model.npz", "/m/model.spm", &e));
    int64_t id = add(x, "/films/a.mp4", 1, 5, KS_VERDICT_INDEXED);
    ks_video v;
    ck_assert_int_eq(ks_index_find(&v, x, "/films/a.mp4", &e), 1);
    ck_assert_int_eq(v.id, id);
    ck_assert_str_eq(v.path, "/films/a.mp4");
    ck_assert_int_eq(v.duration, 60000);
    ck_assert_int_eq(v.verdict, KS_VERDICT_INDEXED);
    ck_assert_int_gt(v.finished, 0);
    ck_assert_int_eq(ks_index_find(&v, x, "/films/b.mp4", &e), 0);
    ck_assert_int_eq(ks_index_video(&v, x, 99, &e), KS_ENOTFOUND);
    uint8_t *jpeg;
    size_t bytes;
    float *frames, want[D], got[D];
    int t;
    OK(ks_index_thumbnail(&jpeg, &bytes, x, 2, &e));
    ck_assert_uint_eq(bytes, 4);
    ck_assert_mem_eq(jpeg, "jpeg", 4);
    free(jpeg);
    OK(ks_index_frame_vectors(&frames, &t, D, x, 2, &e));
    ck_assert_int_eq(t, T);
    unit(want, 7000 + T + 1); /* clip 2 is i = 1, its frame 1 */
    for (int d = 0; d < D; d++) ck_assert_float_eq_tol(frames[D + d], want[d], 0.5f / 127 + 1e-6f);
    free(frames);
    unit(want, 1001);
    OK(ks_index_clip_vector(got, D, x, 2, &e));
    for (int d = 0; d < D; d++)
        ck_assert_float_eq_tol(got[d], want[d], fabsf(want[d]) / 2048 + 6e-8f);
    ks_library library;
    OK(ks_index_library(&library, x, &e));
    ck_assert_int_eq(library.clips, 5);
    ck_assert_int_eq(library.videos, 1);
    ck_assert_str_eq(library.model_path, "/m/model.npz");
    ks_index_close(x);
    struct stat st;
    char path[200];
    snprintf(path, sizeof path, "%s/catalog.db", dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    remove_dir(dir);
}
END_TEST

static int attempts_of(ks_index *x, int64_t id)
{
    ks_error e = {0};
    ks_video v;
    OK(ks_index_video(&v, x, id, &e));
    return v.attempts;
}

/* Two paths of one film count once; what did not fail keeps its attempts. */
START_TEST(failed_films_get_their_attempts_back)
{
    ks_error e = {0};
    ks_index *x;
    ks_video v;
    int64_t id[3], n = 9;
    char *dir = new_dir();
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    for (int i = 0; i < 3; i++) {
        char path[40];
        snprintf(path, sizeof path, "/films/%d.mp4", i);
        id[i] = add(x, path, (unsigned)i + 1, 2, i < 2 ? KS_VERDICT_FAILED : KS_VERDICT_PARTLY);
        v = video_named(path, (unsigned)i + 1);
        v.id = id[i], v.verdict = i < 2 ? KS_VERDICT_FAILED : KS_VERDICT_PARTLY, v.attempts = 2;
        v.reason = "decoder crashed (signal 11) at 00:00:02";
        OK(ks_index_end_video(x, &v, &e));
    }
    v = video_named("/films/0b.mp4", 1);
    v.id = id[0];
    OK(ks_index_set_path(x, &v, &e));
    OK(ks_ingest_retry(&n, x, &e));
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq(attempts_of(x, id[0]) + attempts_of(x, id[1]), 0);
    ck_assert_int_eq(attempts_of(x, id[2]), 2);
    OK(ks_index_video(&v, x, id[1], &e));
    ck_assert_int_eq(v.verdict, KS_VERDICT_FAILED);
    ck_assert_str_eq(v.reason, "decoder crashed (signal 11) at 00:00:02");
    ck_assert_str_eq(v.path, "/films/1.mp4");
    ck_assert_int_eq(ks_index_check(x, NULL, NULL, &e), 0);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

/* A walk whose statement is the cache's last goes on while others take every place there is. */
START_TEST(a_walk_keeps_its_statement)
{
    ks_error e;
    ks_index *x;
    char sql[64], *dir = new_dir();
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    for (int i = 0; i < KS_STATEMENTS - 1; i++) {
        snprintf(sql, sizeof sql, "SELECT %d", i);
        ck_assert_ptr_nonnull(ks_statement(x, sql, &e));
    }
    sqlite3_stmt *walk = ks_statement(x, "VALUES(7), (8), (9)", &e);
    for (int row = 7; row < 10; row++) {
        int64_t other = 0;
        ck_assert_int_eq(ks_step(walk, x, &e), 1);
        ck_assert_int_eq(sqlite3_column_int(walk, 0), row);
        for (int i = 0; i < 2 * KS_STATEMENTS; i++) {
            snprintf(sql, sizeof sql, "SELECT %d + %d", row, i);
            OK(ks_integer(&other, x, &e, sql, ""));
            ck_assert_int_eq(other, row + i);
        }
    }
    ck_assert_int_eq(ks_step(walk, x, &e), 0);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

START_TEST(only_finished_videos_are_seen)
{
    ks_error e = {0};
    ks_index *x, *reader;
    char *dir = new_dir();
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    add(x, "/films/a.mp4", 1, 5, KS_VERDICT_INDEXED);
    int64_t open_id = add(x, "/films/b.mp4", 2, 3, KS_VERDICT_NONE);
    OK(ks_index_open(&reader, dir, KS_READ, &e));
    ck_assert_int_eq(searched(reader), 5);
    ck_assert_int_eq(count_clips(reader, NULL), 5);
    ck_assert_int_eq(count_clips(reader, &(ks_filter){.unfinished_too = 1}), 8);
    ck_assert_int_eq(count_clips(reader, &(ks_filter){.unfinished_too = 1, .video = open_id}), 3);
    /* resumed: 3 are in already */
    ck_assert_int_eq(add(x, "/films/b.mp4", 2, 4, KS_VERDICT_PARTLY), open_id);
    ck_assert_int_eq(searched(reader), 9);
    add(x, "/films/c.mp4", 3, 2, KS_VERDICT_FAILED);
    ck_assert_int_eq(searched(reader), 9);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.unfinished_too = 1}), 9);
    OK(ks_index_drop_clips(x, (const int64_t[]){2}, 1, &e));
    ck_assert_int_eq(searched(reader), 8);
    ks_video v;
    ck_assert_int_eq(ks_index_find(&v, reader, "/films/a.mp4", &e), 1);
    ck_assert_int_eq(v.verdict, KS_VERDICT_PARTLY);
    ck_assert(v.flags & KS_VIDEO_LOST);
    ks_library library;
    OK(ks_index_library(&library, reader, &e));
    ck_assert_int_eq(library.clips, 8);
    ks_index_close(reader);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

START_TEST(paths_are_attributes)
{
    ks_error e = {0};
    ks_index *x;
    char *dir = new_dir();
    int64_t changed;
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    int64_t id = add(x, "/films/a.mp4", 1, 2, KS_VERDICT_INDEXED);
    add(x, "/films/sub/b\xff.mp4", 2, 3, KS_VERDICT_INDEXED);
    add(x, "/filmsy/c.mp4", 3, 4, KS_VERDICT_INDEXED);
    ks_video v = video_named("/films/copy.mp4", 1);
    v.id = id;
    OK(ks_index_set_path(x, &v, &e));
    OK(ks_index_drop_path(x, "/films/a.mp4", &e));
    ck_assert_int_eq(searched(x), 9); /* the copy still names it */
    OK(ks_index_relocate(&changed, x, "/films", "/new/place", &e));
    ck_assert_int_eq(changed, 2);
    ck_assert_int_eq(ks_index_find(&v, x, "/new/place/sub/b\xff.mp4", &e), 1);
    ck_assert_int_eq(ks_index_find(&v, x, "/filmsy/c.mp4", &e), 1);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.path_glob = "*.mp4"}), 9);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.path_glob = "c.*"}), 4);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.path_glob = "place/*"}), 5);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.path_glob = "/new/place/sub/*"}), 3);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.after = 1002, .before = 1003}), 3);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.longer = 8.0}), 0);
    ck_assert_int_eq(count_clips(x, &(ks_filter){.longer = 7.9}), 9);
    OK(ks_index_drop_path(x, "/new/place/copy.mp4", &e));
    ck_assert_int_eq(searched(x), 7);
    v = video_named("/filmsy/c.mp4", 4); /* the file was replaced by another content */
    OK(ks_index_add_video(&v.id, x, &v, &e));
    ck_assert_int_eq(searched(x), 3);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

START_TEST(spaces_do_not_mix)
{
    ks_error e = {0};
    ks_index *x;
    char *dir = new_dir();
    ks_space b = space_a;
    int done;
    strcpy(b.model, "bbbb");
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    int64_t id = add(x, "/films/a.mp4", 1, 2, KS_VERDICT_INDEXED);
    add(x, "/films/b.mp4", 2, 2, KS_VERDICT_INDEXED);
    ck_assert_int_eq(ks_index_set_space(x, &b, NULL, NULL, &e), KS_ESPACE);
    OK(ks_index_switch_space(x, &b, NULL, NULL, &e));
    ck_assert_int_eq(add(x, "/films/a.mp4", 1, 3, KS_VERDICT_INDEXED), id);
    ck_assert_int_eq(searched(x), 4);
    OK(ks_index_finish_switch(&done, x, &e));
    ck_assert_int_eq(done, 0);
    add(x, "/films/b.mp4", 2, 3, KS_VERDICT_INDEXED);
    OK(ks_index_finish_switch(&done, x, &e));
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(searched(x), 6);
    ks_library library;
    OK(ks_index_library(&library, x, &e));
    ck_assert_str_eq(library.space.model, "bbbb");
    ck_assert_int_eq(library.clips, 6);
    ck_assert_int_eq(ks_index_set_space(x, &space_a, NULL, NULL, &e), KS_ESPACE);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

START_TEST(one_writer)
{
    ks_error e = {0};
    ks_index *x, *second;
    char *dir = new_dir();
    ck_assert_int_eq(ks_index_open(&x, dir, KS_READ, &e), KS_ENOLIBRARY);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_WRITE, &e), KS_ENOLIBRARY);
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    ck_assert_int_eq(ks_index_open(&second, dir, KS_WRITE, &e), KS_EBUSY);
    ck_assert_ptr_null(second);
    OK(ks_index_open(&second, dir, KS_READ, &e));
    ks_index_state state;
    OK(ks_index_status(&state, second, &e));
    ck_assert_int_eq(state.writer_pid, getpid());
    ks_index_close(second);
    ks_index_close(x);
    OK(ks_index_open(&x, dir, KS_WRITE, &e));
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

/* Created in one transaction, and so seen: as no library, or as a whole one. */
START_TEST(a_reader_never_meets_half_a_library)
{
    enum { ROUNDS = 300 };
    ks_error e = {0, ""};
    const char *dir = new_dir();
    for (int round = 0; round < ROUNDS; round++) {
        pid_t reader = fork();
        if (reader == 0) {
            ks_index *x = NULL;
            int code;
            while ((code = ks_index_open(&x, dir, KS_READ, &e)) == KS_ENOLIBRARY)
                ;
            if (code < 0) fprintf(stderr, "round %d: %d %s\n", round, code, e.msg);
            ks_index_close(x);
            _exit(code < 0);
        }
        ks_index *x = NULL;
        int status;
        usleep((useconds_t)(round % 10) * 100);
        OK(ks_index_open(&x, dir, KS_CREATE, &e));
        ks_index_close(x);
        ck_assert_int_eq(waitpid(reader, &status, 0), reader);
        ck_assert_int_eq(status, 0);
        remove_dir(dir);
    }
}
END_TEST

START_TEST(settings_are_kept)
{
    ks_error e = {0};
    ks_index *x;
    char *dir = new_dir();
    void *data;
    size_t bytes;
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_get(&data, &bytes, x, "folders", &e));
    ck_assert_ptr_null(data);
    OK(ks_index_put(x, "folders", "/a\0/b", 5, &e));
    OK(ks_index_get(&data, &bytes, x, "folders", &e));
    ck_assert_uint_eq(bytes, 5);
    ck_assert_mem_eq(data, "/a\0/b", 5);
    free(data);
    OK(ks_index_put(x, "folders", NULL, 0, &e));
    OK(ks_index_get(&data, &bytes, x, "folders", &e));
    ck_assert_ptr_null(data);
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    add(x, "/films/a.mp4", 1, 2, KS_VERDICT_INDEXED);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

START_TEST(bad_vectors_are_refused)
{
    ks_error e = {0};
    ks_index *x;
    char *dir = new_dir();
    float v[D];
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    int64_t id = add(x, "/films/a.mp4", 1, 0, KS_VERDICT_NONE);
    ks_clip_data c = {.clip = {.start = 0, .end = 10, .frames = 1}, .vector = v};
    unit(v, 3);
    v[5] = NAN;
    ck_assert_int_eq(ks_index_add_clips(x, id, &c, 1, &e), KS_EFORMAT);
    unit(v, 3);
    for (int d = 0; d < D; d++) v[d] *= 1.01f;
    ck_assert_int_eq(ks_index_add_clips(x, id, &c, 1, &e), KS_EFORMAT);
    memset(v, 0, sizeof v);
    ck_assert_int_eq(ks_index_add_clips(x, id, &c, 1, &e), KS_EFORMAT);
    unit(v, 3);
    OK(ks_index_add_clips(x, id, &c, 1, &e));
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

START_TEST(a_transaction_is_all_or_nothing)
{
    ks_error e = {0};
    ks_index *x;
    char *dir = new_dir();
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    OK(ks_index_begin(x, &e));
    add(x, "/films/a.mp4", 1, 2, KS_VERDICT_INDEXED);
    ck_assert_int_eq(ks_index_end(x, KS_ESTOP, &e), KS_ESTOP);
    ck_assert_int_eq(searched(x), 0);
    OK(ks_index_begin(x, &e));
    add(x, "/films/a.mp4", 1, 2, KS_VERDICT_INDEXED);
    OK(ks_index_end(x, 0, &e));
    ck_assert_int_eq(searched(x), 2);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

START_TEST(backup_opens_as_the_same)
{
    ks_error e = {0};
    ks_index *x, *copy;
    char *dir = new_dir(), to[80];
    snprintf(to, sizeof to, "%s.backup", dir);
    OK(ks_index_open(&x, dir, KS_CREATE, &e));
    OK(ks_index_set_space(x, &space_a, NULL, NULL, &e));
    add(x, "/films/a.mp4", 1, 4, KS_VERDICT_INDEXED);
    OK(ks_index_backup(x, to, &e));
    ck_assert_int_eq(ks_index_backup(x, to, &e), KS_EUSAGE);
    OK(ks_index_open(&copy, to, KS_READ, &e));
    ck_assert_int_eq(searched(copy), 4);
    ks_index_close(copy);
    OK(ks_index_compact(x, &e));
    ck_assert_int_eq(searched(x), 4);
    ks_index_close(x);
    remove_dir(to);
    remove_dir(dir);
}
END_TEST

/* A catalog as an older version left it: readers take it, a writer brings it up to date, both
 * find nothing wrong. */
START_TEST(older_versions_are_read_and_brought_up_to_date)
{
    char *dir = new_dir(), path[4200];
    ks_error e;
    ks_index *x;
    ks_index_state now, then;
    uint64_t hash = 0;
    int64_t video = 0;
    ck_assert_int_eq(ks_index_open(&x, dir, KS_CREATE, &e), 0);
    OK(ks_index_set_space(x, &space_a, "m", "t", &e));
    video = add(x, "/v/a.mp4", 1, 3, KS_VERDICT_INDEXED);
    OK(ks_index_status(&now, x, &e));
    ks_index_close(x);
    snprintf(path, sizeof path, "%s/catalog.db", dir);
    lib_make_older(path, _i);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_READ, &e), 0);
    ck_assert_int_eq(ks_index_check(x, NULL, NULL, &e), 0);
    ck_assert_int_eq(ks_index_full_hash(&hash, x, video, &e), 0);
    OK(ks_index_status(&then, x, &e)); /* counted by walking, once more */
    ck_assert(then.paths == 1 && then.seconds == now.seconds && then.seconds > 59 &&
              then.bytes_clips == now.bytes_clips && then.bytes_clips == 3 * 2 * D);
    ks_index_close(x);
    /* the old one is kept as ...: nothing else is said */
    ck_assert_int_eq(ks_index_repair(dir, NULL, NULL, &e), 1);
    lib_make_older(path, _i);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_WRITE, &e), 0);
    ck_assert_int_eq(ks_index_put_full_hash(x, video, 0xfedcba9876543210u, &e), 0);
    ks_index_close(x);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_READ, &e), 0);
    ck_assert_int_eq(ks_index_check(x, NULL, NULL, &e), 0);
    ck_assert_int_eq(ks_index_full_hash(&hash, x, video, &e), 1);
    ck_assert_uint_eq(hash, 0xfedcba9876543210u);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

/* Written, read by each way to a film, changed, repaired, and gone with the film. */
START_TEST(source_time_is_kept)
{
    char *dir = new_dir();
    ks_error e = {0};
    ks_index *x;
    ks_video v = video_named("/v/a.mov", 1), out;
    ks_cursor *c;
    int64_t left = -1;
    ck_assert_int_eq(ks_index_open(&x, dir, KS_CREATE, &e), 0);
    OK(ks_index_set_space(x, &space_a, "m", "t", &e));
    OK(ks_index_add_video(&v.id, x, &v, &e));
    v.verdict = KS_VERDICT_INDEXED;
    v.rate_num = 30000, v.rate_den = 1001, v.date_source = KS_DATE_MAKER, v.flags = KS_VIDEO_VFR;
    strcpy(v.timecode, "14:09:42;10");
    strcpy(v.reel, "A001");
    OK(ks_index_end_video(x, &v, &e));
    ks_index_close(x);
    ck_assert_int_eq(ks_index_repair(dir, NULL, NULL, &e), 1);
    ck_assert_int_eq(ks_index_open(&x, dir, KS_WRITE, &e), 0);
    for (int way = 0; way < 4; way++) {
        memset(&out, 0, sizeof out);
        if (way == 0) OK(ks_index_video(&out, x, v.id, &e));
        if (way == 1) ck_assert_int_eq(ks_index_find(&out, x, v.path, &e), 1);
        if (way == 2) ck_assert_int_eq(ks_index_find_content(&out, x, v.content, &e), 1);
        if (way == 3) {
            OK(ks_index_files(&c, x, NULL, &e));
            ck_assert_int_eq(ks_files_next(&out, c, &e), 1);
            ks_cursor_close(c);
        }
        ck_assert_str_eq(out.timecode, "14:09:42;10");
        ck_assert_str_eq(out.reel, "A001");
        ck_assert(out.rate_num == 30000 && out.rate_den == 1001 &&
                  out.date_source == KS_DATE_MAKER && out.flags == KS_VIDEO_VFR);
    }
    v.timecode[0] = v.reel[0] = 0, v.rate_num = v.rate_den = 0;
    OK(ks_index_end_video(x, &v, &e));
    OK(ks_integer(&left, x, &e, "SELECT count(*) FROM source_time", ""));
    ck_assert_int_eq(left, 0);
    strcpy(v.reel, "B");
    OK(ks_index_end_video(x, &v, &e));
    OK(ks_index_drop_path(x, v.path, &e));
    OK(ks_integer(&left, x, &e, "SELECT count(*) FROM source_time", ""));
    ck_assert_int_eq(left, 0);
    ck_assert_int_eq(ks_index_check(x, NULL, NULL, &e), 0);
    ks_index_close(x);
    remove_dir(dir);
}
END_TEST

/* man/kinoseek-catalog.5 names every column of every table and view. */
START_TEST(the_man_page_knows_the_schema)
{
    char *page = calloc(1, 1 << 16);
    FILE *f = fopen("man/kinoseek-catalog.5", "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_gt(fread(page, 1, (1 << 16) - 1, f), 1000);
    fclose(f);
    for (const ks_table *t = ks_tables; t->name; t++) {
        char columns[600], section[80], *save = NULL;
        snprintf(section, sizeof section, ".B %s \\fR(%d)", t->name, (int)t->tag);
        char *at = strstr(page, section);
        ck_assert_msg(at != NULL, "no section %s", section);
        char *end = strstr(at, "\n.TP");
        if (!end) end = strstr(at, "\n.SH");
        char kept = *end;
        *end = 0;
        snprintf(columns, sizeof columns, "%s", t->columns);
        for (char *c = strtok_r(columns, ", ", &save); c; c = strtok_r(NULL, ", ", &save))
            ck_assert_msg(strstr(at, c) != NULL, "%s.%s is not in the man page", t->name, c);
        *end = kept;
    }
    free(page);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("catalog");
    TCase *t = tcase_create("rows");
    tcase_add_test(t, rows_come_back);
    tcase_add_loop_test(t, older_versions_are_read_and_brought_up_to_date, 1, KS_SCHEMA_VERSION);
    tcase_add_test(t, failed_films_get_their_attempts_back);
    tcase_add_test(t, a_walk_keeps_its_statement);
    tcase_add_test(t, only_finished_videos_are_seen);
    tcase_add_test(t, paths_are_attributes);
    tcase_add_test(t, spaces_do_not_mix);
    tcase_add_test(t, one_writer);
    tcase_add_test(t, a_reader_never_meets_half_a_library);
    tcase_add_test(t, settings_are_kept);
    tcase_add_test(t, bad_vectors_are_refused);
    tcase_add_test(t, a_transaction_is_all_or_nothing);
    tcase_add_test(t, backup_opens_as_the_same);
    tcase_add_test(t, source_time_is_kept);
    tcase_add_test(t, the_man_page_knows_the_schema);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
