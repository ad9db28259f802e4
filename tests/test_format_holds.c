/* test_format_holds.c - what a format cannot hold: frames that a film does not have, rates that
 * timecode does not count, text that players take for tags. */
#include "formats/formats.h"
#include "tests/read_formats.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What formats/ writes of at[n]; malloc'ed. */
static char *written(int *err, const char *format, const ks_moment *at, int n, ks_out_options *o,
                     ks_error *e)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    ks_out *out;

    *err = ks_out_open(&out, &(ks_out_target){.stream = f}, ks_find_format(format), o, e);
    for (int i = 0; i < n && *err == 0; i++) *err = ks_out_entry(out, &at[i], e);
    if (*err == 0) *err = ks_out_end(out, e);
    ks_out_close(out);
    fclose(f);
    return text;
}

static ks_moment moment(const char *title, int64_t start, int64_t end)
{
    return (ks_moment){.path = "/a.mov",
                       .title = title,
                       .video = 1,
                       .tb = {1, 1000},
                       .start = start,
                       .end = end,
                       .best = start,
                       .rate_num = 25,
                       .rate_den = 1};
}

/* What lies behind the last frame's middle is of the last frame; the first is the first picture. */
START_TEST(no_frame_behind_the_last)
{
    static const char *const counting[] = {"cmx3600", "resolve-edl", "otio",
                                           "xmeml",   "fcpxml",      "cvat"};
    static const struct {
        int64_t start, end;
        double from, to;
    } of[] = {
        {5399, 5400, 3.96, 4}, {5400, 5400, 3.96, 4}, {5080, 9000, 3.68, 4}, {1000, 1440, 0, 0.04}};

    for (size_t f = 0; f < sizeof counting / sizeof *counting; f++)
        for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
            ks_out_options o = {.rows = KS_ROWS_MOMENTS};
            ks_error e = {0};
            char why[200] = "", *text;
            rf_span got[8];
            ks_moment k = moment("x", of[i].start, of[i].end);
            int err, n;
            k.first = 1400;
            k.duration = 5.4;
            text = written(&err, counting[f], &k, 1, &o, &e);
            ck_assert_msg(err == 0, "%s: %s", counting[f], e.msg);
            n = rf_read(got, 8, counting[f], text, "", 25, 1, why);
            ck_assert_msg(n == 1 && fabs(got[0].start - of[i].from) < 1e-6 &&
                              fabs(got[0].end - of[i].to) < 1e-6,
                          "%s: %d, %.3f to %.3f %s", counting[f], n, got[0].start, got[0].end, why);
            free(text);
        }
}
END_TEST

/* hh:mm:ss:ff has two digits for the frame. */
START_TEST(timecode_has_two_digits)
{
    static const char *const labelled[] = {"cmx3600", "resolve-edl", "xmeml"};
    static const struct {
        const char *fps;
        int refused;
    } of[] = {{"120", 1}, {"119.88", 1}, {"101", 1}, {"100", 0}, {"59.94df", 0}};

    for (size_t f = 0; f < sizeof labelled / sizeof *labelled; f++)
        for (size_t i = 0; i < sizeof of / sizeof *of; i++)
            for (int own = 0; own < 2; own++) { /* asked for, or the film's */
                ks_out_options o = {.rows = KS_ROWS_MOMENTS};
                ks_error e = {0};
                ks_moment k = moment("x", 1000, 2000);
                ks_rate rate;
                int err, drop;
                char *text;
                ck_assert_int_eq(ks_rate_read(&rate, &drop, of[i].fps), 0);
                if (own) k.rate_num = rate.num, k.rate_den = rate.den;
                else o.fps = rate, o.drop = drop;
                text = written(&err, labelled[f], &k, 1, &o, &e);
                ck_assert_msg((err == KS_EUSAGE) == of[i].refused && (*text == 0) == of[i].refused,
                              "%s at %s: %d %s", labelled[f], of[i].fps, err, e.msg);
                ck_assert(!of[i].refused || strstr(e.msg, "timecode does not count"));
                free(text);
            }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("format_holds");
    TCase *c = tcase_create("format_holds");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, no_frame_behind_the_last);
    tcase_add_test(c, timecode_has_two_digits);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
