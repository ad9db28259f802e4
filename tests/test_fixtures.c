/* test_fixtures.c - the fixtures are what they say: whole, finite, made by a sharp and exact
 * run, and strong enough to tell a wrong reading of the model from a right one. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/fixture_read.h"
#include "tests/suite.h"

static const char *const models[] = {"lvt",   "small",   "small_f2",  "hybrid",
                                     "noaux", "encoder", "classifier"};

START_TEST(references_are_finite_and_official_fp32_is_near)
{
    char path[128], key[256];
    snprintf(path, sizeof path, "tests/fixtures/%s.ref.npz", models[_i]);
    ks_fixture *f = ks_fixture_open(path);
    int stages = 0;
    for (int i = 0; i < f->n; i++) {
        const ks_fixture_array *a = &f->at[i];
        for (int64_t k = 0; k < a->count; k++) ck_assert(isfinite(a->x[k]));
        snprintf(key, sizeof key, "%s.fp32", a->name);
        const ks_fixture_array *distance = ks_fixture_find(f, key);
        if (!distance) continue;
        stages++;
        ck_assert_msg(distance->x[0] > 0, "%s: fp32 cannot be exact", a->name);
        ck_assert_msg(distance->x[0] < 2e-5 * ks_fixture_scale(a),
                      "%s: official fp32 is %g from float64", a->name, distance->x[0]);
    }
    ck_assert_int_ge(stages, 3);
    ks_fixture_close(f);
}
END_TEST

START_TEST(wrong_readings_move_the_vector_far)
{
    ks_fixture *f = ks_fixture_open("tests/fixtures/lvt.ref.npz");
    int wrong = 0;
    for (int i = 0; i < f->n; i++) {
        const char *name = f->at[i].name;
        if (strncmp(name, "wrong/", 6) != 0 || strstr(name, ".fp32")) continue;
        const char *right = strstr(name, "_text") ? "text_seven/vector" : "trained/global";
        const ks_fixture_array *want = ks_fixture_get(f, right);
        double far = 0;
        for (int64_t k = 0; k < want->count; k++) far = fmax(far, fabs(f->at[i].x[k] - want->x[k]));
        ck_assert_msg(far > 1000 * ks_fixture_bound(f, right), "%s is only %g away", name, far);
        wrong++;
    }
    ck_assert_int_eq(wrong, 7);
    ks_fixture_close(f);
}
END_TEST

START_TEST(clips_are_generated_as_the_script_does)
{
    ks_fixture *f = ks_fixture_open("tests/fixtures/lvt.ref.npz");
    ck_assert_int_eq(ks_fixture_clips(f), 11);
    ks_fixture_clip *c = ks_fixture_clip_at(f, 7);
    ck_assert_str_eq(c->name, "padded");
    ck_assert(c->paddings && c->paddings[1] == 0.0f && c->paddings[2] == 1.0f);
    uint64_t sum = 0;
    for (int i = 0; i < c->T * c->side * c->side * 3; i++)
        sum += (uint64_t)c->bytes[i] * (uint64_t)(i % 251 + 1);
    ck_assert_uint_eq(sum, 559769159u); /* from make_fixtures.pixels(107, 4, 54) in Python */
    ks_fixture_clip_free(c);
    ks_fixture_close(f);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("fixtures");
    tcase_add_loop_test(tc, references_are_finite_and_official_fp32_is_near, 0, 7);
    tcase_add_test(tc, wrong_readings_move_the_vector_far);
    tcase_add_test(tc, clips_are_generated_as_the_script_does);
    return ks_run_case("fixtures", tc);
}
