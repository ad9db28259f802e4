/* Two real clips through the real decoder program: pixels, times, ranges, pictures, thumbnails,
 * cuts. */
#include <check.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/decoder.h"

static const char asl[] = "tests/fixtures/clips/asl_thanks.mkv",
                  water[] = "tests/fixtures/clips/stream_of_water.mp4";
static char program[4096], folder[64];
static ks_decoder *shared; /* one decoder for all that a test asks */

static void setup(void)
{
    const char *build = getenv("BUILD");
    snprintf(program, sizeof program, "%s/kinoseek-decode", build ? build : "build");
    snprintf(folder, sizeof folder, "/tmp/kinoseek-frames-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ks_error e;
    ck_assert_msg(ks_decoder_start(&shared, program, NULL, &e) == 0, "%s", e.msg);
}

static void teardown(void)
{
    char command[128];
    ks_decoder_stop(shared);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

typedef struct {
    SHA2_CTX sha;
    int frames, stop_at;
    int64_t first, last;
    uint8_t corner[3];
} sink;

static int take(void *arg, const ks_media *media, const ks_image *image, int64_t ticks)
{
    sink *s = arg;
    ck_assert_int_eq(image->width, media->width);
    for (int y = 0; y < image->height; y++)
        SHA256Update(&s->sha, image->rgb + (size_t)y * image->stride, 3 * (size_t)image->width);
    if (s->frames++ == 0) s->first = ticks, memcpy(s->corner, image->rgb, 3);
    s->last = ticks;
    return s->stop_at && s->frames == s->stop_at;
}

static sink run_by(ks_decoder *d, ks_media *media, ks_outcome *outcome, const char *path,
                   const ks_range *range)
{
    sink s = {.frames = 0};
    ks_error e;
    SHA256Init(&s.sha);
    ck_assert_msg(ks_frames(media, outcome, d, path, range, take, &s, &e) == 0, "%s", e.msg);
    return s;
}

static sink run(ks_media *media, ks_outcome *outcome, const char *path, const ks_range *range)
{
    return run_by(shared, media, outcome, path, range);
}

static const struct {
    const char *path, *sha;
    int frames, width, height;
    double end;
} clips[] = {
    {asl, "ffdf1323d0f6b725ea2b6bc9f3cb99fccdf601882759a3da092f011e861bd62d", 51, 640, 480, 1.700},
    {water, "e8c79257515bd0bf9c1927f7078fb454dc7221b2ea3a88675fe696bc3a8d800a", 90, 480, 360,
     3.002}};

START_TEST(test_pixels_are_the_references)
{
    ks_media m;
    ks_outcome o;
    char hex[KS_HASH_HEX];
    sink s = run(&m, &o, clips[_i].path, NULL);
    ck_assert_int_eq(s.frames, clips[_i].frames);
    ck_assert_str_eq(SHA256End(&s.sha, hex), clips[_i].sha);
    ck_assert_int_eq(m.frames, clips[_i].frames);
    ck_assert_int_eq(m.width, clips[_i].width);
    ck_assert_int_eq(m.height, clips[_i].height);
    ck_assert_int_eq(o.verdict, KS_VERDICT_INDEXED);
    ck_assert_str_eq(o.reason, "");
    ck_assert_double_eq_tol(ks_seconds(o.last_end, m.tb), clips[_i].end, 0.002);
    ck_assert_str_eq(m.codec, "h264");
}
END_TEST

START_TEST(test_ranges)
{
    ks_media m;
    ks_outcome o;
    ks_error e;
    ks_range r = {.from = 0.5, .to = 1.0};
    const int64_t wanted[] = {0, 7, 14};
    sink s = run(&m, &o, asl, &r);
    ck_assert_int_eq(s.frames, 15);
    ck_assert_double_eq_tol(ks_seconds(s.first, m.tb), 0.5, 1e-9);
    ck_assert_int_eq(m.frames, 15);
    r.max_frames = 4;
    ck_assert_int_eq(run(&m, &o, asl, &r).frames, 4);
    r.max_frames = 0;
    r.wanted = wanted;
    r.n_wanted = 3;
    s = run(&m, &o, asl, &r);
    ck_assert_int_eq(s.frames, 3);
    ck_assert_double_eq_tol(ks_seconds(s.last, m.tb), 0.967, 1e-3);
    r.wanted = NULL;
    r.to = -1;
    ck_assert_int_eq(ks_frames(&m, &o, shared, asl, &r, NULL, NULL, &e), 0);
    ck_assert_int_eq(m.frames, 36);
    r.from = 100; /* nothing there is no fault of the file */
    ck_assert_int_eq(ks_frames(&m, &o, shared, asl, &r, NULL, NULL, &e), 0);
    ck_assert_int_eq(m.frames, 0);
}
END_TEST

START_TEST(test_files_that_are_none)
{
    ks_outcome o;
    ks_error e;
    ck_assert_int_eq(ks_frames(NULL, &o, shared, "/nonexistent/film.mp4", NULL, NULL, NULL, &e),
                     KS_ENOTFOUND);
    ck_assert_str_eq(e.msg, "/nonexistent/film.mp4: No such file or directory");
    ck_assert_int_eq(ks_frames(NULL, &o, shared, "/tmp", NULL, NULL, NULL, &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "/tmp: not a regular file");
    ck_assert_int_eq(ks_frames(NULL, &o, shared, "Makefile", NULL, NULL, NULL, &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "Makefile: not a video");
    ck_assert_int_eq(o.verdict, KS_VERDICT_SKIPPED);
    ks_decoder *none;
    ck_assert_int_eq(ks_decoder_start(&none, "/nonexistent/kinoseek-decode", NULL, &e),
                     KS_ENOTFOUND);
}
END_TEST

static ks_decoder *start(void)
{
    ks_decoder *d;
    ks_error e;
    ck_assert_msg(ks_decoder_start(&d, program, NULL, &e) == 0, "%s", e.msg);
    return d;
}

static uint64_t sum_of(const ks_image *p)
{
    uint64_t h = 14695981039346656037u;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < 3 * p->width; x++)
            h = (h ^ p->rgb[(size_t)y * p->stride + (size_t)x]) * 1099511628211u;
    return h;
}

/* Frames that the first process dropped come from the second, the same ones; forwards and
 * backwards. */
START_TEST(test_frames_come_back)
{
    ks_decoder *d = start();
    ks_film *film;
    ks_film_frame f;
    ks_film_options o = {.hold = 1};
    ks_image image;
    ks_error e;
    uint64_t sums[60];
    int n = 0;
    ck_assert_int_eq(ks_film_open(&film, d, asl, NULL, &e), 0);
    while (ks_film_next(&f, film, &e) == 1) {
        ck_assert_int_eq(ks_film_pixels(&image, film, f.number, &e), 0);
        sums[n++] = sum_of(&image);
    }
    ck_assert_int_eq(n, 51);
    ks_film_close(film);
    ck_assert_int_eq(ks_film_open(&film, d, asl, &o, &e), 0);
    while (ks_film_next(&f, film, &e) == 1) {}
    const int64_t order[] = {3, 4, 20, 50, 19, 0};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        ck_assert_msg(ks_film_pixels(&image, film, order[i], &e) == 0, "%s", e.msg);
        ck_assert_uint_eq(sum_of(&image), sums[order[i]]);
    }
    ks_film_keep(film, 30);
    ck_assert_int_eq(ks_film_pixels(&image, film, 29, &e), KS_ENOTFOUND);
    ks_film_close(film);
    ks_decoder_stop(d);
}
END_TEST

START_TEST(test_small_pictures_are_means)
{
    ks_decoder *d = start();
    ks_film *film;
    ks_film_frame f;
    ks_image image;
    ks_error e;
    ck_assert_int_eq(ks_film_open(&film, d, water, NULL, &e), 0);
    for (int i = 0; i < 5; i++) {
        uint8_t small[KS_SMALL];
        ck_assert_int_eq(ks_film_next(&f, film, &e), 1);
        memcpy(small, f.small, sizeof small);
        ck_assert_int_eq(ks_film_pixels(&image, film, f.number, &e), 0);
        double worst = 0, total = 0;
        for (int j = 0; j < KS_SMALL_H; j++)
            for (int k = 0; k < KS_SMALL_W; k++) {
                double y = 0, n = 0;
                for (int v = j * image.height / KS_SMALL_H; v < (j + 1) * image.height / KS_SMALL_H;
                     v++)
                    for (int u = k * image.width / KS_SMALL_W;
                         u < (k + 1) * image.width / KS_SMALL_W; u++, n++) {
                        const uint8_t *s = image.rgb + (size_t)v * image.stride + 3 * (size_t)u;
                        y += 0.299 * s[0] + 0.587 * s[1] + 0.114 * s[2];
                    }
                /* limited range as stored */
                double diff = y / n - (small[j * KS_SMALL_W + k] - 16) * 255 / 219.0;
                total += diff > 0 ? diff : -diff;
                worst = diff > worst ? diff : worst;
            }
        ck_assert_double_lt(total / (KS_SMALL_W * KS_SMALL_H), 4);
        ck_assert_double_lt(worst, 60);
    }
    ks_film_close(film);
    ks_decoder_stop(d);
}
END_TEST

START_TEST(test_thumbnails)
{
    ks_decoder *d = start();
    ks_film *film;
    ks_film_frame f;
    ks_image image, small;
    ks_error e;
    uint8_t *pixels, *copy;
    const uint8_t *jpeg;
    size_t bytes;
    double total = 0;
    ck_assert_int_eq(ks_film_open(&film, d, asl, NULL, &e), 0);
    ck_assert_int_eq(ks_film_next(&f, film, &e), 1);
    ck_assert_int_eq(ks_film_thumbnail(&jpeg, &bytes, film, 0, &e), 0);
    ck_assert_uint_lt(bytes, 10000);
    copy = malloc(bytes);
    memcpy(copy, jpeg, bytes);
    ck_assert_int_eq(ks_film_pixels(&image, film, 0, &e), 0);
    ck_assert_msg(ks_thumbnail_rgb(&small, &pixels, shared, copy, bytes, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(small.width, 192);
    ck_assert_int_eq(small.height, 144);
    for (int y = 0; y < small.height; y++)
        for (int x = 0; x < small.width; x++) {
            const uint8_t *a = small.rgb + (size_t)y * small.stride + 3 * (size_t)x;
            const uint8_t *b = image.rgb + (size_t)(y * 480 / 144 + 1) * image.stride +
                               3 * (size_t)(x * 640 / 192 + 1);
            for (int k = 0; k < 3; k++) total += abs(a[k] - b[k]);
        }
    ck_assert_double_lt(total / (192 * 144 * 3), 6);
    free(pixels);
    ck_assert_int_eq(ks_thumbnail_rgb(&small, &pixels, shared, (const uint8_t *)"no jpeg", 7, &e),
                     KS_EFORMAT);
    free(copy);
    ks_film_close(film);
    ks_decoder_stop(d);
}
END_TEST

START_TEST(test_picture_at_a_second)
{
    ks_image p;
    uint8_t *pixels;
    ks_error e;
    ks_range r = {.from = 0.999, .to = 1.01};
    ks_media m;
    ks_outcome o;
    sink s = run(&m, &o, asl, &r);
    ck_assert_int_eq(ks_picture(&p, &pixels, shared, asl, 1.02, NULL, &e), 0);
    ck_assert_mem_eq(p.rgb, s.corner, 3);
    free(pixels);
    /* past the end: the last one */
    ck_assert_int_eq(ks_picture(&p, &pixels, shared, asl, 1e6, NULL, &e), 0);
    free(pixels);
}
END_TEST

static ks_piece shown; /* of the last cut */

static int cut(const char *path, const char *to, double from, double until, int reencode,
               ks_error *e)
{
    shown = (ks_piece){
        .path = path, .to_file = to, .from = from, .to = until, .reencode = reencode, .force = 1};
    return ks_cut(&shown, NULL, shared, e);
}

START_TEST(test_cuts)
{
    char to[128];
    ks_media m;
    ks_outcome o;
    ks_error e;
    struct stat st, again;
    snprintf(to, sizeof to, "%s/cut.mp4", folder);
    ck_assert_msg(cut(water, to, 1.0, 2.0, 1, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(run(&m, &o, to, NULL).frames, 30);
    ck_assert_double_eq_tol(ks_seconds(o.last_end, m.tb), 1.0, 0.04);
    ck_assert_double_eq_tol(shown.cut_from, 1.001, 1e-4); /* its first frame at 29.97 */
    ck_assert_double_eq_tol(shown.cut_to, 2.002, 1e-4);
    stat(to, &st);
    /* it is there */
    ck_assert_int_eq(
        ks_cut(&(ks_piece){.path = water, .to_file = to, .from = 1, .to = 2}, NULL, shared, &e),
        KS_EUSAGE);
    ck_assert_int_eq(stat(to, &again), 0);
    ck_assert(st.st_ino == again.st_ino && st.st_size == again.st_size &&
              st.st_mtim.tv_nsec == again.st_mtim.tv_nsec);
    ck_assert_msg(cut(water, to, 1.0, 2.0, 0, &e) == 0, "%s", e.msg);
    ck_assert_int_ge(run(&m, &o, to, NULL).frames, 30); /* from the key frame before */
    ck_assert_int_eq(o.verdict, KS_VERDICT_INDEXED);
    ck_assert_int_eq(cut(water, to, 50.0, 60.0, 1, &e), KS_EFORMAT);
    ck_assert_int_eq(stat(to, &st), 0); /* the old one stays */
    ck_assert_int_eq(cut(water, "x.exe", 1.0, 2.0, 1, &e), KS_EUSAGE);
    ck_assert_int_eq(cut(water, to, 2.0, 1.0, 1, &e), KS_EUSAGE);
    ck_assert_int_eq(cut("Makefile", to, 0, 1.0, 1, &e), KS_EFORMAT);
    ck_assert_int_eq(cut(water, "/nonexistent/x.mp4", 1.0, 2.0, 1, &e), KS_EIO);
}
END_TEST

/* A file that is written to while it is decoded has no verdict that counts. */
START_TEST(test_changed_meanwhile)
{
    char path[128], command[256];
    ks_decoder *d = start();
    ks_film *film;
    ks_film_frame f;
    ks_error e;
    int n = 0;
    snprintf(path, sizeof path, "%s/growing.mkv", folder);
    snprintf(command, sizeof command, "cp %s %s", asl, path);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(ks_film_open(&film, d, path, NULL, &e), 0);
    while (ks_film_next(&f, film, &e) == 1)
        if (n++ == 10) {
            FILE *file = fopen(path, "a");
            fputs("more", file);
            fclose(file);
        }
    ck_assert_int_eq(ks_film_outcome(film)->verdict, KS_VERDICT_FAILED);
    ck_assert_str_eq(ks_film_outcome(film)->reason, "changed while it was read");
    ks_film_close(film);
    ks_decoder_stop(d);
}
END_TEST

/* Hardware that is not there: software, the same pixels; a name that nobody knows: wrong use. */
START_TEST(test_hwaccel)
{
    ks_decoder_how how = {.hwaccel = "auto"};
    ks_decoder *d;
    ks_media m;
    ks_outcome o;
    ks_error e;
    sink soft = run(&m, &o, asl, NULL), hard;
    ck_assert_int_eq(ks_decoder_start(&d, program, &how, &e), 0);
    hard = run_by(d, &m, &o, asl, NULL);
    ck_assert_int_eq(soft.frames, hard.frames);
    if (!m.hwaccel) ck_assert_mem_eq(soft.corner, hard.corner, 3);
    ck_assert_msg(strstr(ks_decoder_sandbox(d), "weak") != NULL, "%s", ks_decoder_sandbox(d));
    ks_decoder_stop(d);
    how.hwaccel = "abacus";
    ck_assert_int_eq(ks_decoder_start(&d, program, &how, &e), KS_EUSAGE);
}
END_TEST

START_TEST(test_about)
{
    ks_fact facts[8];
    int n = ks_decoder_about(program, facts, 8), seen = 0;
    for (int i = 0; i < n; i++)
        seen += !strcmp(facts[i].name, "libavcodec") || !strcmp(facts[i].name, "sandbox");
    ck_assert_int_eq(seen, 2);
    ck_assert_int_eq(ks_decoder_about("/nonexistent/x", facts, 8), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("frames");
    TCase *t = tcase_create("clips");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, test_pixels_are_the_references, 0, 2);
    tcase_add_test(t, test_ranges);
    tcase_add_test(t, test_files_that_are_none);
    tcase_add_test(t, test_frames_come_back);
    tcase_add_test(t, test_small_pictures_are_means);
    tcase_add_test(t, test_thumbnails);
    tcase_add_test(t, test_picture_at_a_second);
    tcase_add_test(t, test_cuts);
    tcase_add_test(t, test_changed_meanwhile);
    tcase_add_test(t, test_hwaccel);
    tcase_add_test(t, test_about);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
