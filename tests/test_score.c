/* test_score.c - every form of the score gives the same bits, and a code's bound holds. */
#include "index/catalog.h"
#include "index/score.h"
#include "index/sweep.h"
#include "tests/library_maker.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int dims[] = {1, 15, 16, 17, 63, 64, 72, 255, 256, 257, 768, 1024, 1100};
enum { DIMS = sizeof dims / sizeof *dims, ROWS = 37, MAX = 1100 };

START_TEST(half_is_ieee)
{
    for (uint32_t h = 0; h < 0x10000; h++) {
        float f = ks_float_from_half((uint16_t)h);
        if ((h & 0x7c00) == 0x7c00 && (h & 0x3ff)) ck_assert(isnan(f));
        else ck_assert_uint_eq(ks_half_from_float(f), h);
    }
    /* halfway between two halves goes to the even one; a little more goes up */
    ck_assert_uint_eq(ks_half_from_float(1.0f + 0x1p-11f), 0x3c00);
    ck_assert_uint_eq(ks_half_from_float(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01);
    ck_assert_uint_eq(ks_half_from_float(1.0f + 3 * 0x1p-11f), 0x3c02);
    ck_assert_uint_eq(ks_half_from_float(65519.0f), 0x7bff);
    ck_assert_uint_eq(ks_half_from_float(65520.0f), 0x7c00);
    ck_assert_uint_eq(ks_half_from_float(0x1p-24f), 1);
    ck_assert_uint_eq(ks_half_from_float(0x1p-25f), 0);
    ck_assert_uint_eq(ks_half_from_float(-0x1.8p-25f), 0x8001);
}
END_TEST

static void rows(uint16_t *h, int dim, uint64_t seed)
{
    float v[MAX];
    for (int i = 0; i < ROWS; i++) {
        lib_vector(v, dim, i % 2, seed + (uint64_t)i);
        if (i == 5)
            for (int d = 0; d < dim; d++) v[d] = d == dim / 2 ? 1 : 0; /* one axis */
        /* all as large */
        if (i == 6)
            for (int d = 0; d < dim; d++) v[d] = (d % 2 ? 1.0f : -1.0f) / sqrtf((float)dim);
        if (i == 7) memset(v, 0, sizeof v);
        for (int d = 0; d < dim; d++) h[i * dim + d] = ks_half_from_float(v[d]);
    }
}

/* Several queries at once: odd and even counts of queries and rows. */
static void many_agree(const uint16_t *h, int dim, ks_cpu cpu)
{
    enum { MOST = 5 };
    float *q = malloc(sizeof *q * MOST * (size_t)dim), want[ROWS], got[MOST * ROWS];
    for (int i = 0; i < MOST; i++) lib_vector(q + i * dim, dim, i % 3, 40 + (uint64_t)i);
    for (int n = 1; n <= MOST; n++)
        for (int m = ROWS - 2; m <= ROWS; m++) {
            ks_score_many(got, q, n, h, dim, m, cpu);
            for (int i = 0; i < n; i++) {
                ks_score_rows(want, q + i * dim, h, (size_t)dim, dim, m, KS_CPU_PLAIN);
                ck_assert_msg(memcmp(want, got + i * m, sizeof *want * (size_t)m) == 0,
                              "%s, D %d, query %d of %d", ks_cpu_name(cpu), dim, i, n);
            }
        }
    free(q);
}

START_TEST(forms_agree_in_every_bit)
{
    int dim = dims[_i];
    ks_cpu best = ks_cpu_best();
    uint16_t *h = malloc(sizeof *h * ROWS * MAX);
    uint8_t *codes = malloc(ROWS * ks_code_stride(dim));
    float q[MAX], scale, error, plain[ROWS], fast[ROWS];
    int32_t sums[ROWS], fast_sums[ROWS];
    ks_coded_query coded;
    rows(h, dim, 100 + (uint64_t)dim);
    lib_vector(q, dim, 0, 9);
    ck_assert_int_eq(ks_coded_make(&coded, q, dim), 0);
    for (int i = 0; i < ROWS; i++)
        ks_code_row(codes + (size_t)i * ks_code_stride(dim), &scale, &error, h + i * dim, dim);
    ks_score_rows(plain, q, h, (size_t)dim, dim, ROWS, KS_CPU_PLAIN);
    ks_dot_rows(sums, coded.q, codes, ks_code_dims(dim), ROWS, KS_CPU_PLAIN);
    for (ks_cpu cpu = KS_CPU_AVX2; cpu <= best; cpu++) {
        ks_score_rows(fast, q, h, (size_t)dim, dim, ROWS, cpu);
        ck_assert_msg(memcmp(fast, plain, sizeof fast) == 0, "score, %s, D %d", ks_cpu_name(cpu),
                      dim);
        ks_dot_rows(fast_sums, coded.q, codes, ks_code_dims(dim), ROWS, cpu);
        ck_assert_msg(memcmp(fast_sums, sums, sizeof sums) == 0, "dot, %s, D %d", ks_cpu_name(cpu),
                      dim);
        ks_score_rows(fast, q, h, (size_t)dim, dim, 1, cpu); /* one row or many: the same */
        ck_assert(memcmp(fast, plain, sizeof *fast) == 0);
        many_agree(h, dim, cpu);
    }
    ks_coded_free(&coded);
    free(codes);
    free(h);
}
END_TEST

START_TEST(bounds_hold)
{
    int dim = dims[_i];
    uint16_t *h = malloc(sizeof *h * ROWS * MAX);
    uint8_t code[MAX * 2];
    float q[MAX], s, worst = 0;
    for (int round = 0; round < 40; round++) {
        ks_coded_query coded;
        rows(h, dim, 7000 + (uint64_t)(round * ROWS));
        lib_vector(q, dim, round % 2, 500 + (uint64_t)round);
        /* long, and equal to a row */
        for (int d = 0; d < dim && round % 3 == 2; d++) q[d] = ks_float_from_half(h[d]) * 3;
        ck_assert_int_eq(ks_coded_make(&coded, q, dim), 0);
        for (int i = 0; i < ROWS; i++) {
            float scale, error;
            int32_t dot;
            ks_code_row(code, &scale, &error, h + i * dim, dim);
            ks_dot_rows(&dot, coded.q, code, ks_code_dims(dim), 1, KS_CPU_PLAIN);
            ks_score_rows(&s, q, h + i * dim, (size_t)dim, dim, 1, KS_CPU_PLAIN);
            float about = (float)(dot - (int32_t)coded.offset) * (scale * coded.scale),
                  bound = coded.slope * error + coded.constant;
            ck_assert_msg(fabsf(about - s) <= bound, "D %d row %d: %g off by %g, bound %g", dim, i,
                          s, fabsf(about - s), bound);
            worst = fmaxf(worst, fabsf(about - s) / bound);
        }
        ks_coded_free(&coded);
    }
    if (dim > 1) ck_assert_float_gt(worst, 0.001f); /* a bound that is never near is no bound */
    free(h);
}
END_TEST

/* The codes leave out nothing that counts: random, clustered and tied vectors against scoring
 * every row. */
START_TEST(scan_is_exact)
{
    ks_scan_bench b = {.rows = 30000,
                       .dim = 768,
                       .k = 50,
                       .threads = 1 + _i % 3,
                       .clustered = _i % 2,
                       .rounds = 3};
    ks_error e = {0};
    MUST(ks_index_bench_scan(&b, &e));
    ck_assert_int_eq(b.same, 1);
    ck_assert_int_lt(b.rescored, b.rows / 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("score");
    TCase *t = tcase_create("score");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, half_is_ieee);
    tcase_add_loop_test(t, forms_agree_in_every_bit, 0, DIMS);
    tcase_add_loop_test(t, bounds_hold, 0, DIMS);
    tcase_add_loop_test(t, scan_is_exact, 0, 4);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
