/* test_timecode.c - timecode against a clock that counts labels one by one. */
#include "formats/formats.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Counts labels as SMPTE 12M says it, frame by frame. */
typedef struct {
    int h, m, s, f, second, drop;
} labels;

static void next(labels *l)
{
    if (++l->f < l->second) return;
    l->f = 0;
    if (++l->s < 60) return;
    l->s = 0;
    if (++l->m == 60) {
        l->m = 0;
        l->h = (l->h + 1) % 24;
    }
    if (l->m % 10 != 0) l->f = l->drop;
}

static void counts(ks_rate rate, int second, int drop, int hours)
{
    labels l = {.second = second, .drop = drop};
    char got[24], want[80];

    for (int64_t frame = 0; frame < (int64_t)hours * 3600 * second; frame++, next(&l)) {
        ks_timecode(got, frame, rate, drop != 0);
        snprintf(want, sizeof want, "%02d:%02d:%02d%c%02d", l.h, l.m, l.s, drop ? ';' : ':', l.f);
        if (strcmp(got, want) != 0)
            ck_abort_msg("frame %lld at %d/%d is %s, counted %s", (long long)frame, rate.num,
                         rate.den, got, want);
    }
}

/* 25 hours of the common drop rate, so the turn of the day is in it; 2 hours of the others. */
START_TEST(every_label_of_a_day)
{
    counts((ks_rate){30000, 1001}, 30, 2, 25);
    counts((ks_rate){60000, 1001}, 60, 4, 2);
    counts((ks_rate){24000, 1001}, 24, 0, 2);
    counts((ks_rate){25, 1}, 25, 0, 2);
    counts((ks_rate){12500, 1000}, 13, 0, 2);
}
END_TEST

/* Published values: 1 h of 29.97 is 107892 frames and reads 01:00:00;00 (SMPTE 12M). */
START_TEST(known_labels)
{
    char tc[24];

    ks_timecode(tc, 107892, (ks_rate){30000, 1001}, 1);
    ck_assert_str_eq(tc, "01:00:00;00");
    ks_timecode(tc, 1800, (ks_rate){30000, 1001}, 1);
    ck_assert_str_eq(tc, "00:01:00;02");
    ks_timecode(tc, 17982, (ks_rate){30000, 1001}, 1);
    ck_assert_str_eq(tc, "00:10:00;00");
}
END_TEST

START_TEST(rates_meant)
{
    static const struct {
        double fps;
        int num, den;
    } cases[] = {
        {29.97, 30000, 1001},
        {29.970029, 30000, 1001},
        {30, 30, 1},
        {23.976, 24000, 1001},
        {24, 24, 1},
        {25, 25, 1},
        {59.94, 60000, 1001},
        {60, 60, 1},
        {12, 12, 1},
        {12.5, 12500, 1000},
        {0, 25, 1},
        {-1, 25, 1},
        {14.985, 14985, 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ks_rate r = ks_rate_of(cases[i].fps);
        ck_assert_msg(r.num == cases[i].num && r.den == cases[i].den, "%g is %d/%d", cases[i].fps,
                      r.num, r.den);
    }
}
END_TEST

/* Frame numbers and back: a frame's own start time gives the frame again, in any time base. */
START_TEST(frames_and_back)
{
    static const ks_rate rates[] = {
        {30000, 1001}, {24000, 1001}, {25, 1}, {60000, 1001}, {12500, 1000}};
    static const ks_timebase bases[] = {{1, 90000}, {1, 12800}, {1, 1000}, {1001, 30000}};

    srandom(7);
    for (int i = 0; i < 200000; i++) {
        ks_rate r = rates[random() % 5];
        ks_timebase tb = bases[random() % 4];
        int64_t frame = random() % 5000000;
        int64_t ticks = (int64_t)(ks_frame_seconds(frame, r) * tb.den / tb.num + 0.5);
        if (tb.num == 1001 && r.num != 30000)
            continue; /* that base cannot hold other rates' frames */
        ck_assert_int_eq(ks_frame_number(ticks, tb, r), frame);
    }
}
END_TEST

START_TEST(clocks)
{
    char c[24];

    ks_clock(c, 252.9);
    ck_assert_str_eq(c, "4:12");
    ks_clock(c, 0);
    ck_assert_str_eq(c, "0:00");
    ks_clock(c, 3723);
    ck_assert_str_eq(c, "1:02:03");
    ks_clock(c, 360000);
    ck_assert_str_eq(c, "100:00:00");
    ks_clock_ms(c, 252.0396);
    ck_assert_str_eq(c, "00:04:12.040");
    ks_clock_ms(c, 59.9996);
    ck_assert_str_eq(c, "00:01:00.000");
}
END_TEST

/* Times that no film has, of a library of somebody else: digits and separators all the same, and
 * in order. */
START_TEST(any_time_at_all)
{
    static const double extremes[] = {0,       1e-300,       1e300, -1e300, 9.3e18,
                                      -9.3e18, 4294967296.0, 1e12,  0.5};
    static const int64_t ticks[] = {0,  1,    INT64_MAX, INT64_MIN, INT64_MAX / 2, (int64_t)1 << 58,
                                    -1, 90000};
    unsigned long long seed = 7;
    char text[24];
    for (int i = 0; i < 4000; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        double x = i < 9 ? extremes[i] : ldexp((double)(int64_t)seed, (int)(seed >> 40 & 127) - 90),
               rate = x;
        int64_t t = i < 8 ? ticks[i] : (int64_t)seed >> (seed & 63);
        ks_timebase tb = {(int32_t)(1 + (seed >> 33)),
                          (int32_t)(1 + (seed >> 9 & 0x7fffffff) % 1000000)};
        ks_rate r = ks_rate_of(i % 3 ? 29.97 : rate);
        ck_assert(r.num > 0 && r.den > 0);
        int64_t frame = ks_frame_number(t, tb, r);
        ck_assert_msg(llabs(frame) <= (int64_t)1 << 53, "%lld", (long long)frame);
        ks_timecode(text, frame, r, i % 2 ? ks_drops(r) : 0);
        ck_assert_uint_ge(strlen(text), 11);
        ck_assert_uint_eq(strspn(text, "0123456789:;"), strlen(text));
        ks_clock(text, x);
        ck_assert_uint_eq(strspn(text, "0123456789:"), strlen(text));
        ks_clock_ms(text, x);
        ck_assert_uint_eq(strspn(text, "0123456789:."), strlen(text));
    }
    ks_clock(text, NAN);
    ck_assert_str_eq(text, "0:00");
    ks_clock_ms(text, INFINITY);
    ck_assert_uint_eq(strspn(text, "0123456789:."), strlen(text));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("timecode");
    TCase *c = tcase_create("timecode");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, every_label_of_a_day);
    tcase_add_test(c, known_labels);
    tcase_add_test(c, rates_meant);
    tcase_add_test(c, frames_and_back);
    tcase_add_test(c, clocks);
    tcase_add_test(c, any_time_at_all);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
