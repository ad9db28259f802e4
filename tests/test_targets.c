/* test_targets.c - which pictures a survey looks at, by the key frames that the container names. */
#include <check.h>

#include "decoder/decoder_targets.c"

enum { MOST = 1000 };

/* Each lies in its part, parts ascend from 0. */
static int targets(ks_survey_target *out, int most, const double *key, int n, double length)
{
    int k = ks_survey_targets(out, most, key, n, length);
    ck_assert_int_ge(k, 1);
    ck_assert_int_le(k, most);
    ck_assert(out[0].since == 0);
    for (int i = 0; i < k; i++) {
        ck_assert(out[i].at >= out[i].since && out[i].at < length);
        ck_assert(i == 0 || (out[i].since > out[i - 1].since && out[i].since > out[i - 1].at));
    }
    return k;
}

START_TEST(without_shots_they_lie_evenly)
{
    static double key[600];
    ks_survey_target t[MOST];
    for (int i = 0; i < 600; i++) key[i] = i + 0.03 * ((i * 7) % 3); /* a phone's clock swings */
    for (int n = 0; n <= 600; n += 600)
        for (int most = 1; most < 130; most++) {
            int k = targets(t, most, key, n, 600);
            ck_assert_int_eq(k, most);
            for (int i = 0; i < k; i++)
                ck_assert(fabs(t[i].at - (i + 0.5) * 600 / most) < 1e-6 &&
                          fabs(t[i].since - i * 600.0 / most) < 1e-6);
        }
}
END_TEST

/* A key frame every 10 s and at cuts. */
static int with_cuts(double *key, const double *cut, int cuts, double length)
{
    int n = 0, c = 0;
    for (double t = 0; t < length;) {
        key[n++] = t;
        while (c < cuts && cut[c] <= t) c++;
        t = c < cuts && cut[c] < t + 10 ? cut[c] : t + 10;
    }
    return n;
}

START_TEST(a_shot_has_its_own)
{
    static const double cut[] = {31, 33.5, 62, 64, 67, 71, 133};
    double key[MOST];
    ks_survey_target t[MOST];
    int n = with_cuts(key, cut, 7, 400), k = targets(t, 80, key, n, 400);
    for (int c = 0; c < 7; c++) {
        int found = 0;
        for (int i = 0; i < k; i++) found |= t[i].since == cut[c];
        ck_assert_msg(found, "the shot at %g s has no picture", cut[c]);
        for (int i = 0; i < k; i++)
            ck_assert(t[i].since >= cut[c] || i + 1 == k || t[i + 1].since <= cut[c]);
    }
    ck_assert_int_ge(k, 70);
    /* more shots than pictures: the long ones */
    k = targets(t, 6, key, n, 400);
    ck_assert_int_ge(k, 3);
    ck_assert(t[k - 1].at > 133);
}
END_TEST

START_TEST(odd_lists)
{
    static double key[MOST];
    ks_survey_target t[MOST];
    targets(t, 5, (const double[]){0}, 1, 30);
    targets(t, 5, (const double[]){0, 1}, 2, 30);
    targets(t, 5, (const double[]){0, 1, 50, 70}, 4, 30);
    for (int i = 0; i < MOST; i++) key[i] = i + (i & 1 ? 0.5 : 0); /* 1.5 and 0.5 s in turns */
    for (int most = 1; most <= MOST; most *= 10)
        ck_assert_int_ge(targets(t, most, key, MOST, MOST), most / 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("targets");
    TCase *t = tcase_create("targets");
    tcase_add_test(t, without_shots_they_lie_evenly);
    tcase_add_test(t, a_shot_has_its_own);
    tcase_add_test(t, odd_lists);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
