/* The exact rate of a film from its frames' times: standard rates through coarse clocks,
 * telecine, missing frames; what varies. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "decoder/decoder_even.c"

typedef struct {
    int num, den; /* true rate */
    double tick;  /* of the time base, seconds */
    int claim[2][2];
    /* 0 even, 1 every 200th missing, 2 every 3rd missing, 3 telecine 2:3, 4 jitter of 0.8
     * frames, 5 two rates */
    int pattern;
    int want, want_num, want_den;
} film;

static const film films[] = {
    {25, 1, 1.0 / 12800, {{25, 1}, {25, 1}}, 0, 1, 25, 1},
    /* Matroska: 41, 42, 42, 41 ms */
    {24000, 1001, 0.001, {{24000, 1001}, {24000, 1001}}, 0, 1, 24000, 1001},
    {24000, 1001, 0.001, {{23976, 1000}, {24, 1}}, 0, 1, 24000, 1001},
    {30000, 1001, 1.0 / 90000, {{2997, 100}, {30000, 1001}}, 0, 1, 30000, 1001},
    {60000, 1001, 1.0 / 90000, {{5994, 100}, {60, 1}}, 0, 1, 60000, 1001},
    {30, 1, 1.0 / 600, {{30, 1}, {30, 1}}, 0, 1, 30, 1},
    {14709, 1000, 1.0 / 90000, {{14709, 1000}, {15, 1}}, 0, 1, 14709, 1000},
    /* a frame is missing every 8 s */
    {25, 1, 1.0 / 90000, {{2488, 100}, {25, 1}}, 1, 1, 25, 1},
    {25, 1, 1.0 / 90000, {{25, 1}, {25, 1}}, 2, 0, 0, 0},
    {24000, 1001, 1.0 / 90000, {{24000, 1001}, {60000, 1001}}, 3, 1, 24000, 1001},
    {30, 1, 1.0 / 90000, {{2985, 100}, {30, 1}}, 4, 0, 0, 0},
    {30, 1, 1.0 / 90000, {{27, 1}, {30, 1}}, 5, 0, 0, 0},
    {120, 1, 1.0 / 90000, {{120, 1}, {120, 1}}, 0, 1, 120, 1},
    {18, 1, 1.0 / 1000, {{18, 1}, {18, 1}}, 0, 1, 18, 1},
    {25, 1, 1.0 / 90000, {{0, 0}, {0, 0}}, 0, 0, 0, 0},
};

static double time_of(const film *f, int i)
{
    double fps = (double)f->num / f->den;
    if (f->pattern == 3) return (5 * (i / 2) + (i % 2 ? 2 : 0)) * 1001.0 / 60000;
    if (f->pattern == 4) return (i + 0.8 * sin(i * 1.7)) / fps;
    if (f->pattern == 5) return i < 500 ? i / 30.0 : 500 / 30.0 + (i - 500) / 24.0;
    return i / fps;
}

START_TEST(rates)
{
    const film *f = &films[_i];
    ks_even e;
    int num, den, n = 0;
    ks_even_open(&e, f->tick, f->claim);
    for (int i = 0; i < 20000; i++) {
        if ((f->pattern == 1 && i % 200 == 7) || (f->pattern == 2 && i % 3 == 2)) continue;
        ks_even_next(&e, (int64_t)floor(time_of(f, i) / f->tick + 0.5), n++ == 0);
    }
    ck_assert_int_eq(ks_even_rate_of(&num, &den, &e), f->want);
    ck_assert_int_eq(num, f->want_num);
    ck_assert_int_eq(den, f->want_den);
}
END_TEST

/* A hole of an hour says nothing about the rate; two frames say nothing at all. */
START_TEST(gaps_and_few_frames)
{
    const int claims[2][2] = {{25, 1}, {25, 1}};
    ks_even e;
    int num, den;
    ks_even_open(&e, 0.001, claims);
    ks_even_next(&e, 0, 0);
    ks_even_next(&e, 40, 0);
    ck_assert_int_eq(ks_even_rate_of(&num, &den, &e), -1);
    for (int i = 2; i < 100; i++) ks_even_next(&e, 40 * i + (i >= 50 ? 3600017 : 0), i == 50);
    ck_assert_int_eq(ks_even_rate_of(&num, &den, &e), 1);
    ck_assert_int_eq(num, 25);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("even");
    TCase *t = tcase_create("even");
    tcase_add_loop_test(t, rates, 0, (int)(sizeof films / sizeof *films));
    tcase_add_test(t, gaps_and_few_frames);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
