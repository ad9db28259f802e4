/* The clock of a film and the trust in its frames, driven without a film. */
#include <check.h>
#include <stdlib.h>

#include "decoder/decoder_damage.c"
#include "decoder/decoder_times.c"

enum { TICK = 1000 }; /* ticks a second */

static ks_times clock_at(int64_t start)
{
    ks_times t;
    ks_times_open(&t, 1.0 / TICK, 40, start);
    return t;
}

static int next(ks_times *t, int64_t pts, int64_t *ticks, int *gap)
{
    ks_moment m;
    int r = ks_times_next(&m, t, pts, 40);
    *ticks = m.ticks;
    *gap = m.gap;
    return r;
}

START_TEST(test_rebased)
{
    ks_times t = clock_at(1400);
    int64_t ticks;
    int gap;
    for (int64_t i = 0; i < 200; i++) {
        ck_assert_int_eq(next(&t, 1400 + 40 * i, &ticks, &gap), 1);
        ck_assert_int_eq(ticks, 40 * i);
        ck_assert_int_eq(gap, 0);
    }
    ck_assert_int_eq(t.last_end, 8000);
}
END_TEST

START_TEST(test_starts_before_the_container)
{
    ks_times t = clock_at(0);
    int64_t ticks;
    int gap;
    ck_assert_int_eq(next(&t, -80, &ticks, &gap), 1);
    ck_assert_int_eq(ticks, 0);
    next(&t, -40, &ticks, &gap);
    ck_assert_int_eq(ticks, 40);
}
END_TEST

START_TEST(test_small_steps_back_are_dropped)
{
    ks_times t = clock_at(0);
    int64_t ticks;
    int gap, delivered = 0;
    int64_t last = -1;
    for (int64_t i = 0; i < 100; i++)
        if (next(&t, 40 * i - (i % 5 == 4 ? 300 : 0), &ticks, &gap)) {
            ck_assert_int_gt(ticks, last);
            last = ticks;
            delivered++;
        }
    ck_assert_int_eq(delivered, 80);
    ck_assert_int_eq(t.jumps, 0);
}
END_TEST

START_TEST(test_clock_set_back_for_good)
{
    ks_times t = clock_at(0);
    int64_t ticks, last = -1;
    int gap, gaps = 0;
    for (int64_t i = 0; i < 100; i++) next(&t, 40 * i, &last, &gap);
    for (int64_t i = 0; i < 100; i++)
        if (next(&t, 1000 + 40 * i, &ticks, &gap)) {
            ck_assert_int_eq(ticks, last + 40);
            last = ticks;
            gaps += gap;
        }
    ck_assert_int_eq(gaps, 1);
    ck_assert_int_eq(t.jumps, 1);
}
END_TEST

START_TEST(test_jump_of_a_transport_stream)
{
    ks_times t = clock_at(0);
    int64_t ticks;
    int gap;
    t.resets = 1;
    for (int64_t i = 0; i < 100; i++) next(&t, 40 * i, &ticks, &gap);
    ck_assert_int_eq(next(&t, 5000000, &ticks, &gap), 1);
    ck_assert_int_eq(ticks, 4000);
    ck_assert_int_eq(gap, 1);
    next(&t, 5000040, &ticks, &gap);
    ck_assert_int_eq(ticks, 4040);
    ck_assert_int_eq(gap, 0);
    ck_assert_int_eq(t.first_jump, 4000);
}
END_TEST

START_TEST(test_true_gap_stays)
{
    ks_times t = clock_at(0);
    int64_t ticks;
    int gap;
    t.header_end = 61000;
    next(&t, 0, &ticks, &gap);
    next(&t, 1000, &ticks, &gap);
    ck_assert_int_eq(next(&t, 60000, &ticks, &gap), 1);
    ck_assert_int_eq(ticks, 60000);
    ck_assert_int_eq(gap, 1);
    ck_assert_int_eq(t.jumps, 0);
}
END_TEST

START_TEST(test_time_lapse_has_no_gaps)
{
    ks_times t = clock_at(0);
    ks_moment m;
    for (int64_t i = 0; i < 12; i++) {
        ck_assert_int_eq(ks_times_next(&m, &t, 5000 * i, 5000), 1);
        ck_assert_int_eq(m.gap, 0);
    }
}
END_TEST

START_TEST(test_frames_without_time)
{
    ks_times t = clock_at(0), raw = clock_at(KS_NO_TIME);
    ks_moment m;
    for (int i = 0; i < 50; i++) ck_assert_int_eq(ks_times_next(&m, &t, KS_NO_TIME, 40), 0);
    ck_assert_int_eq(t.leading_untimed, 50);
    ck_assert_int_eq(ks_times_next(&m, &t, 0, 40), 1);
    ck_assert_int_eq(ks_times_next(&m, &t, KS_NO_TIME, 40), 1);
    ck_assert_int_eq(m.ticks, 40);
    ck_assert_int_eq(m.inferred, 1);
    raw.untimed = 1;
    for (int64_t i = 0; i < 100; i++) {
        ck_assert_int_eq(ks_times_next(&m, &raw, KS_NO_TIME, 0), 1);
        ck_assert_int_eq(m.ticks, 40 * i);
    }
}
END_TEST

/* Whatever comes in: strictly increasing, never negative, counters that add up. */
START_TEST(test_any_times_at_all)
{
    uint64_t s = (uint64_t)_i * 2654435761u + 88172645463325252u;
    ks_times t = clock_at(_i % 3 ? 0 : KS_NO_TIME);
    ks_moment m;
    int64_t last = -1, pts = 0;
    t.resets = _i % 2;
    for (int i = 0; i < 2000; i++) {
        s ^= s << 13, s ^= s >> 7, s ^= s << 17;
        switch (s >> 8 & 15) {
        case 0: pts = (int64_t)s; break;
        case 1: pts = KS_NO_TIME; break;
        case 2: pts = INT64_MAX; break;
        case 3:
            pts = pts > INT64_MAX / 16 || pts < -(INT64_MAX / 16) ? 0 : pts;
            pts -= (int64_t)(s >> 20 & 0xfff);
            break;
        default: pts = (pts > INT64_MAX / 16 || pts < -(INT64_MAX / 16) ? 0 : pts) + 40;
        }
        if (!ks_times_next(&m, &t, pts, (int64_t)(s >> 3))) continue;
        ck_assert_msg(m.ticks > last, "seed %d, frame %d: %lld after %lld", _i, i,
                      (long long)m.ticks, (long long)last);
        last = m.ticks;
    }
}
END_TEST

/* A tick of years (a damaged header): no frame lies beyond the clock, with a time of its own or
 * without. */
START_TEST(test_ticks_of_years)
{
    for (int how = 0; how < 4; how++) {
        ks_times t;
        ks_moment m;
        int delivered = 0;
        ks_times_open(&t, 4e8, 1, 0);
        for (int64_t i = 0; i < 60; i++) {
            int64_t pts = how == 0 ? i : how == 1 && i > 0 ? KS_NO_TIME : how == 2 ? i % 9 : 2 * i;
            if (!ks_times_next(&m, &t, pts, 1)) continue;
            ck_assert_msg((double)m.ticks * 4e8 <= SECONDS_MAX, "way %d, frame %lld: tick %lld",
                          how, (long long)i, (long long)m.ticks);
            delivered++;
        }
        ck_assert_int_gt(delivered, 4);
    }
}
END_TEST

START_TEST(test_implausible_rate)
{
    ks_times t = clock_at(0);
    ks_moment m;
    t.tick = 1.0 / 12800;
    for (int64_t i = 0; i < 200; i++) ks_times_next(&m, &t, i, 1);
    ck_assert_int_eq(ks_times_implausible(&t, 200), 1);
    t.tick = 1.0 / 1000; /* 1000 frames a second exist */
    ck_assert_int_eq(ks_times_implausible(&t, 200), 0);
}
END_TEST

/* Groups of five packets, key first; display order = decoding order. */
START_TEST(test_damage_lasts_to_the_next_key)
{
    ks_damage d;
    ks_damage_open(&d, 0.04);
    for (int i = 1; i <= 20; i++) {
        ck_assert_int_eq(ks_damage_packet(&d, i, i % 5 == 1, 0), i);
        if (i == 8) ks_damage_at(&d, 8);
    }
    for (int i = 1; i <= 20; i++) ck_assert_int_eq(ks_damage_trusted(&d, i, i), i < 8 || i > 10);
}
END_TEST

/* The damage is found late, when a key packet is in already: it stays clean, its leading
 * pictures do not. */
START_TEST(test_damage_found_late)
{
    ks_damage d;
    ks_damage_open(&d, 0.04);
    ks_damage_packet(&d, 1, 1, 0);
    ks_damage_packet(&d, 2, 0, 0);
    ks_damage_packet(&d, 6, 1, 0);
    ks_damage_packet(&d, 5, 0, 0); /* leading: before the key in time, after it in the file */
    ks_damage_packet(&d, 7, 0, 0);
    ks_damage_at(&d, 2);
    ck_assert_int_eq(ks_damage_trusted(&d, 1, 1), 1);
    ck_assert_int_eq(ks_damage_trusted(&d, 2, 2), 0);
    ck_assert_int_eq(ks_damage_trusted(&d, 3, 6), 1);
    ck_assert_int_eq(ks_damage_trusted(&d, 4, 5), 0);
    ck_assert_int_eq(ks_damage_trusted(&d, 5, 7), 1);
}
END_TEST

START_TEST(test_doubt_at_a_joint_is_none)
{
    ks_damage d;
    ks_damage_open(&d, 0.04);
    ks_damage_packet(&d, 1, 1, 0);
    ks_damage_packet(&d, 2, 0, 1);
    ks_damage_packet(&d, 3, 0, 0);
    ks_damage_packet(&d, 4, 1, 0);
    for (int i = 1; i <= 4; i++) ck_assert_int_eq(ks_damage_trusted(&d, i, i), 1);
    ks_damage_packet(&d, 5, 0, 1);
    ks_damage_packet(&d, 6, 0, 0);
    ks_damage_packet(&d, 7, 0, 0);
    ck_assert_int_eq(ks_damage_trusted(&d, 4, 4), 1);
    ck_assert_int_eq(ks_damage_trusted(&d, 6, 6), 0);
}
END_TEST

START_TEST(test_healing_without_keys)
{
    ks_damage d;
    int64_t seq = 0;
    ks_damage_open(&d, 0.04);
    ks_damage_packet(&d, 0, 1, 0);
    ks_damage_at(&d, 1);
    for (int64_t i = 1; i < 1000; i++) seq = ks_damage_packet(&d, i, 0, 0);
    ck_assert_int_eq(ks_damage_trusted(&d, seq, 999), 1);
    ck_assert_int_eq(ks_damage_trusted(&d, seq - 400, 599), 1);
}
END_TEST

/* Recordings of so many frames joined by cat, each of whose clocks starts anew (or is anywhere):
 * no frame is lost at a join. */
START_TEST(test_joined)
{
    static const struct {
        int frames, origin, step;
    } kinds[] = {{50, 0, 0},         {100, 1400, 0}, {25, 0, 0},         {250, 500, 0},
                 {1000, 0, 0},       {15, 9, 0},     {100, 1400, 20000}, {100, 100000, -11000},
                 {100, 1400, 90000}, {40, 0, -1},    {12, 700, 0}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ks_times t = clock_at(kinds[k].origin);
        int64_t ticks, want = 0;
        int gap, joins = 0;
        t.resets = 1;
        for (int piece = 0; piece < 5; piece++)
            for (int i = 0; i < kinds[k].frames; i++, want += 40) {
                int64_t pts = kinds[k].origin + piece * kinds[k].step + 40 * i;
                ck_assert_msg(next(&t, pts, &ticks, &gap) == 1 && ticks == want,
                              "kind %zu, piece %d, frame %d", k, piece, i);
                joins += gap;
            }
        ck_assert_int_eq(joins, 4);
        ck_assert_int_eq(t.jumps, 4);
    }
}
END_TEST

/* One stamp gone astray is no clock set back: what follows stands where it stood. */
START_TEST(test_astray)
{
    for (int away = 500; away < 100000; away += 777) {
        ks_times t = clock_at(0);
        int64_t ticks;
        int gap;
        t.resets = 1;
        for (int i = 0; i < 3000; i++) {
            int r = next(&t, i == 2600 ? 40 * i - away : 40 * i, &ticks, &gap);
            if (i != 2600)
                ck_assert_msg(r == 1 && ticks == 40 * i, "away %d, frame %d: %lld", away, i,
                              (long long)ticks);
        }
        ck_assert_int_eq(t.jumps, 0);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("film clock");
    TCase *t = tcase_create("times");
    tcase_add_test(t, test_joined);
    tcase_add_test(t, test_astray);
    tcase_add_test(t, test_rebased);
    tcase_add_test(t, test_starts_before_the_container);
    tcase_add_test(t, test_small_steps_back_are_dropped);
    tcase_add_test(t, test_clock_set_back_for_good);
    tcase_add_test(t, test_jump_of_a_transport_stream);
    tcase_add_test(t, test_true_gap_stays);
    tcase_add_test(t, test_time_lapse_has_no_gaps);
    tcase_add_test(t, test_frames_without_time);
    tcase_add_loop_test(t, test_any_times_at_all, 0, 200);
    tcase_add_test(t, test_ticks_of_years);
    tcase_add_test(t, test_implausible_rate);
    suite_add_tcase(s, t);
    t = tcase_create("damage");
    tcase_add_test(t, test_damage_lasts_to_the_next_key);
    tcase_add_test(t, test_damage_found_late);
    tcase_add_test(t, test_doubt_at_a_joint_is_none);
    tcase_add_test(t, test_healing_without_keys);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
