/* Start and end of a moment by its frames: known curves, and every curve against trying all
 * borders. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "query/query.h"
#include "tests/suite.h"

enum { MOST = 60 };
static ks_curve_point points[MOST];
static ks_curve curve;

static void begin(void) { curve = (ks_curve){.at = points, .tb = {1, 10}}; }

static void point(int64_t at, double cosine, double change, int begins)
{
    points[curve.n++] = (ks_curve_point){
        .at = at, .cosine = cosine, .change = change, .begins = begins};
    curve.end = at + 10;
}

START_TEST(a_plateau_ends_where_the_picture_changes)
{
    int64_t start = 30, end = 40, best = -1;

    for (int i = 0; i < 10; i++)
        point(10 * i, i >= 2 && i < 7 ? .5 : .05, i == 2 || i == 7 ? .4 : .01, i == 7);
    ck_assert_int_eq(ks_curve_bounds(&start, &end, &best, &curve), 1);
    ck_assert_int_eq(start, 15); /* between the frames at 10 and 20 */
    ck_assert_int_eq(end, 70);   /* a shot begins: exactly there */
    ck_assert_int_eq(best, 30);
}
END_TEST

START_TEST(a_whole_film_ends_with_it)
{
    int64_t start = 0, end = 10, best = -1;

    for (int i = 0; i < 5; i++) point(10 * i, .5, .01, 0);
    ck_assert_int_eq(ks_curve_bounds(&start, &end, &best, &curve), 1);
    ck_assert(start == 0 && end == 50 && best == 0);
}
END_TEST

START_TEST(no_frame_no_borders)
{
    int64_t start = 11, end = 19, best = 12;

    ck_assert_int_eq(ks_curve_bounds(&start, &end, &best, &curve), 0);
    point(0, .5, 0, 1);
    point(20, .5, .1, 0);
    ck_assert_int_eq(ks_curve_bounds(&start, &end, &best, &curve), 0);
    ck_assert(start == 11 && end == 19 && best == 12);
}
END_TEST

/* The vote of frames a..b and of the border outside, as bounds.c says it, straight. */
static double worth(int k, int last, int step, double least, double mean)
{
    double sum = 0, full = fmax(points[k].cosine - least, 1e-9);
    int border = step > 0 ? last + 1 : last;

    for (int i = k + step; step > 0 ? i <= last : i >= last; i += step)
        sum += (points[i].cosine - least) / full;
    return sum + .75 * (border > 0 && border < curve.n ? points[border].change / mean : 5);
}

static int best_border(int k, int step, double least, double mean)
{
    int best = k;

    for (int i = k; i >= 0 && i < curve.n; i += step)
        if (worth(k, i, step, least, mean) > worth(k, best, step, least, mean) + 1e-12) best = i;
    return best;
}

static double between(double low, double high)
{
    return low + (high - low) * (rand() % 10001) / 10000;
}

START_TEST(every_curve_against_all_borders)
{
    unsigned seed = (unsigned)time(NULL) ^ (unsigned)clock();

    printf("seed %u\n", seed);
    fflush(stdout); /* a check that fails ends the process */
    srand(seed);
    for (int round = 0; round < 2000; round++) {
        int64_t start, end, best = -1;
        int k = -1, first, last;
        double mean = 0, least;
        begin();
        for (int i = 0, n = 2 + rand() % (MOST - 2), at = 0; i < n; i++, at += 1 + rand() % 10)
            point(at, between(-.2, .6), i ? between(0, .5) : 0, rand() % 4 == 0);
        curve.level = between(-.1, .2);
        start = points[rand() % curve.n].at;
        end = start + 1 + rand() % 100;
        for (int i = 0; i < curve.n; i++) {
            mean += i ? points[i].change / (curve.n - 1) : 0;
            if (points[i].at >= start && points[i].at < end &&
                (k < 0 || points[i].cosine > points[k].cosine))
                k = i;
        }
        mean = fmax(mean, 1e-9); /* nothing changes at all: two frames alike, one run in 150 */
        least = curve.level + .6 * (points[k].cosine - curve.level);
        first = best_border(k, -1, least, mean);
        last = best_border(k, 1, least, mean);
        ck_assert_int_eq(ks_curve_bounds(&start, &end, &best, &curve), 1);
        ck_assert_int_eq(best, points[k].at);
        ck_assert(start <= points[first].at &&
                  (first == 0 ? start == 0
                              : start > points[first - 1].at ||
                                    points[first].at - points[first - 1].at == 1));
        ck_assert(end > points[last].at || points[last + 1].at - points[last].at == 1);
        ck_assert(last + 1 < curve.n ? end <= points[last + 1].at : end == curve.end);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("bounds");

    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, a_plateau_ends_where_the_picture_changes);
    tcase_add_test(t, a_whole_film_ends_with_it);
    tcase_add_test(t, no_frame_no_borders);
    tcase_add_test(t, every_curve_against_all_borders);
    return ks_run_case("bounds", t);
}
