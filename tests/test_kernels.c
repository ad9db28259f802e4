/* test_kernels.c - every table of kernels against plain arithmetic in double, over shapes and
 * ranges. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "encoder/kernels.h"
#include "encoder/panels.h"
#include "encoder/product.h"

static uint64_t state = 20261123;

static double draw(void) /* [-1, 1) */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(state >> 11) / 4503599627370496.0 - 1;
}

static float from_half(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static uint16_t to_half(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

/* The tables of this CPU; what it has not is not here, and the plain one always is. */
static const ks_kernels *table_of(int i)
{
    const ks_kernels *all[] = {ks_kernels_plain(), ks_kernels_avx2(), ks_kernels_avx512(),
                               ks_kernels_amx()};
    return all[i];
}
enum { TABLES = 4 };

static int writes_half(const ks_kernels *k) { return k->tile[KS_BF16] != NULL; }

/* value k of a row of groups */
static double value(const uint32_t *row, size_t group_step, int precision, size_t k,
                    int is_unsigned)
{
    const char *p = (const char *)row;
    size_t g = (size_t)ks_group_size((ks_precision)precision);
    p += k / g * group_step * 4;
    if (precision == KS_FP32) return (double)*(const float *)(const void *)p;
    if (precision == KS_BF16) return (double)from_half(((const uint16_t *)(const void *)p)[k % 2]);
    if (precision == KS_INT16) return ((const int16_t *)(const void *)p)[k % 2];
    return is_unsigned ? ((const uint8_t *)p)[k % 4] : ((const int8_t *)p)[k % 4];
}

static uint32_t two_shorts(int low, int high)
{
    return (uint32_t)(uint16_t)(int16_t)low | (uint32_t)(uint16_t)(int16_t)high << 16;
}

static void fill_groups(uint32_t *x, size_t n, int precision)
{
    for (size_t i = 0; i < n; i++) {
        float f = (float)draw();
        if (precision == KS_FP32) memcpy(&x[i], &f, sizeof f);
        else if (precision == KS_BF16) x[i] = to_half(f) | (uint32_t)to_half((float)draw()) << 16;
        else if (precision == KS_INT16) x[i] = two_shorts((int)(f * 4096), (int)(draw() * 4096));
        else x[i] = (uint32_t)(state >> 32);
    }
}

static void check_tile(const ks_kernels *k, int precision, int rows, size_t groups)
{
    enum { MOST = 80 };
    static uint32_t a[KS_TILE_ROWS * MOST], b[MOST * KS_PANEL];
    float c[KS_TILE_ROWS * KS_PANEL];
    size_t lda = groups + 3, values = groups * (size_t)ks_group_size((ks_precision)precision);
    fill_groups(a, sizeof a / 4, precision);
    fill_groups(b, sizeof b / 4, precision);
    int add = precision != KS_INT8 && rows % 2;
    for (int i = 0; i < rows * KS_PANEL; i++) c[i] = 0.5f;
    ks_tile t = {.a = a, .lda = lda, .b = b, .groups = groups, .rows = rows, .add = add};
    k->tile[precision](c, &t);
    for (int r = 0; r < rows; r++)
        for (int n = 0; n < KS_PANEL; n++) {
            double want = add ? 0.5 : 0, size = want;
            for (size_t i = 0; i < values; i++) {
                double product = value(a + (size_t)r * lda, 1, precision, i, 1) *
                                 value(b + n, KS_PANEL, precision, i, 0);
                want += product;
                size += fabs(product);
            }
            int32_t whole;
            memcpy(&whole, &c[r * KS_PANEL + n], sizeof whole);
            double got = precision == KS_INT8 ? whole : (double)c[r * KS_PANEL + n];
            ck_assert_msg(fabs(got - want) <= (precision == KS_INT8 ? 0 : 1e-6 * size + 1e-7),
                          "%s precision %d: %d rows, %zu groups: [%d, %d] is %g, not %g", k->name,
                          precision, rows, groups, r, n, got, want);
        }
}

START_TEST(tiles_multiply)
{
    const ks_kernels *k = table_of(_i);
    for (int precision = KS_FP32; k && precision <= KS_INT16; precision++) {
        if (!k->tile[precision]) continue;
        ck_assert_int_gt(k->rows[precision], 0);
        ck_assert_int_le(k->rows[precision], KS_TILE_ROWS);
        for (int rows = 1; rows <= k->rows[precision]; rows++)
            for (size_t groups = 16; groups <= 64; groups += 16)
                check_tile(k, precision, rows, groups);
        for (size_t groups = 1; groups <= 19 && k != ks_kernels_amx(); groups++)
            check_tile(k, precision, k->rows[precision], groups);
    }
}
END_TEST

/* The greatest sums of a chain are exact, whatever their signs. */
START_TEST(chains_of_shorts_do_not_overflow)
{
    const ks_kernels *k = table_of(_i);
    static uint32_t a[KS_TILE_ROWS * KS_INT16_CHAIN], b[KS_INT16_CHAIN * KS_PANEL];
    float c[KS_TILE_ROWS * KS_PANEL];
    for (int sign = -1; k && k->tile[KS_INT16] && sign <= 1; sign += 2) {
        for (size_t i = 0; i < sizeof a / 4; i++) a[i] = two_shorts(KS_INT16_TOP, KS_INT16_TOP);
        for (size_t i = 0; i < sizeof b / 4; i++)
            b[i] = two_shorts(sign * KS_INT16_TOP, sign * KS_INT16_TOP);
        k->tile[KS_INT16](c, &(ks_tile){.a = a,
                                        .lda = KS_INT16_CHAIN,
                                        .b = b,
                                        .groups = KS_INT16_CHAIN,
                                        .rows = k->rows[KS_INT16]});
        for (int i = 0; i < k->rows[KS_INT16] * KS_PANEL; i++)
            ck_assert_float_eq(c[i],
                               (float)(sign * 2.0 * KS_INT16_CHAIN * KS_INT16_TOP * KS_INT16_TOP));
    }
}
END_TEST

static double true_gelu(double x) { return 0.5 * x * (1 + erf(x / sqrt(2))); }

START_TEST(gelu_is_within_its_stated_error)
{
    const ks_kernels *k = table_of(_i);
    double worst[2] = {0, 0};
    for (int at = -1200000; k && at < 1200000; at += KS_PANEL)
        for (int coarse = 0; coarse < 2; coarse++) {
            float c[KS_PANEL], y[KS_PANEL];
            for (int i = 0; i < KS_PANEL; i++) c[i] = (float)(at + i) * 1e-5f;
            k->finish(&(ks_sink){.activation = KS_GELU, .coarse = coarse, .y = y, .ldy = KS_PANEL},
                      c, 1, KS_PANEL);
            for (int i = 0; i < KS_PANEL; i++) {
                double x = (double)c[i], far = fabs((double)y[i] - true_gelu(x)) /
                                               (coarse ? fabs(x) + 1e-30 : fmax(1, fabs(x)));
                worst[coarse] = fmax(worst[coarse], far);
            }
        }
    if (k)
        printf("%s: GELU errs by %.2g (exact), %.2g |x| (coarse)\n", k->name, worst[0], worst[1]);
    ck_assert_double_le(worst[0], 2e-7);
    ck_assert_double_le(worst[1], 3e-5);
}
END_TEST

/* e^(50 tanh(x / 50)) of one value, and the sum that is kept beside it. */
static void check_weigh(const ks_kernels *k, int half, double worst[2], float first, float step)
{
    float c[2 * KS_PANEL], keep[KS_PANEL], p[2 * KS_PANEL], sums[32] = {0};
    uint16_t h[2 * KS_PANEL];
    for (int i = 0; i < 2 * KS_PANEL; i++) c[i] = first + step * (float)i;
    for (int i = 0; i < KS_PANEL; i++) keep[i] = i % 7 != 3;
    ks_weights_sink s = {.p = half ? (void *)h : p,
                         .step = half ? KS_PANEL / 2 : KS_PANEL,
                         .half = half,
                         .keep = keep,
                         .scale = 0.5f,
                         .sums = sums};
    k->weigh(&s, c, 2);
    for (int i = 0; i < 2 * KS_PANEL; i++) {
        double x = (double)(c[i] * 0.5f), want = exp(50 * tanh(x / 50)),
               got = half ? (double)from_half(h[i]) : (double)p[i];
        if (!keep[i % KS_PANEL]) ck_assert(got == 0);
        else worst[fabs(x) > 25] = fmax(worst[fabs(x) > 25], fabs(got / want - 1));
    }
    for (int r = 0; r < 2; r++) {
        double want = 0, got = 0;
        for (int i = 0; i < 16; i++) got += (double)sums[r * 16 + i];
        for (int i = 0; i < KS_PANEL; i++)
            want += keep[i] > 0 ? exp(50 * tanh((double)(c[r * KS_PANEL + i] * 0.5f) / 50)) : 0;
        ck_assert_double_le(fabs(got / want - 1), half ? 4e-5 : 1e-5);
    }
}

START_TEST(weights_are_within_their_stated_error)
{
    const ks_kernels *k = table_of(_i);
    for (int half = 0; k && half <= writes_half(k); half++) {
        double worst[2] = {0, 0};
        for (int i = -400; i < 400; i++) check_weigh(k, half, worst, (float)i * 0.25f, 0.003f);
        for (int i = -300; i < 300; i++) check_weigh(k, half, worst, (float)i * 20, 0.3f);
        printf("%s: weights err by %.2g relative up to logit 25, %.2g beyond%s\n", k->name,
               worst[0], worst[1], half ? " (as bf16)" : "");
        ck_assert_double_le(worst[0], half ? 4e-3 : 1e-6);
        ck_assert_double_le(worst[1], half ? 4e-3 : 6e-6);
    }
}
END_TEST

START_TEST(sinks_add_mask_and_round)
{
    const ks_kernels *k = table_of(_i);
    float c[3 * KS_PANEL], y[3 * 40], bias[KS_PANEL];
    uint8_t masked[3] = {0, 1, 0};
    for (int i = 0; i < 3 * KS_PANEL; i++) c[i] = (float)draw();
    for (int i = 0; i < KS_PANEL; i++) bias[i] = (float)draw();
    for (int n = 1; k && n <= KS_PANEL; n++) {
        for (int i = 0; i < 3 * 40; i++) y[i] = 2;
        k->finish(
            &(ks_sink){
                .bias = bias, .activation = KS_RELU, .y = y, .ldy = 40, .add = 1, .masked = masked},
            c, 3, n);
        for (int r = 0; r < 3; r++)
            for (int i = 0; i < 40; i++) {
                float want = i >= n || masked[r] ? 2 : fmaxf(c[r * KS_PANEL + i] + bias[i], 0) + 2;
                ck_assert_float_eq(y[r * 40 + i], want);
            }
        if (!writes_half(k)) continue;
        uint16_t h[3 * 40] = {0};
        k->finish(&(ks_sink){.half = 1, .y = h, .ldy = 40}, c, 3, n);
        for (int r = 0; r < 3; r++)
            for (int i = 0; i < 40; i++)
                ck_assert_int_eq(h[r * 40 + i], i < n ? to_half(c[r * KS_PANEL + i]) : 0);
    }
}
END_TEST

START_TEST(norms_are_those_of_the_reference)
{
    const ks_kernels *k = table_of(_i);
    float x[2 * 101], y[2 * 101], scale[101], bias[101];
    for (int D = 1; k && D <= 100; D++) {
        for (int i = 0; i < 2 * D; i++) x[i] = (float)(3 + draw());
        for (int i = 0; i < D; i++) {
            scale[i] = (float)draw();
            bias[i] = (float)draw();
        }
        y[2 * D] = 77;
        k->norm(y, (size_t)D, 0, x, (size_t)D, 2, D, &(ks_norm){scale, bias});
        ck_assert_float_eq(y[2 * D], 77);
        for (int r = 0; r < 2; r++) {
            double mean = 0, var = 0;
            for (int i = 0; i < D; i++) mean += (double)x[r * D + i] / D;
            for (int i = 0; i < D; i++)
                var += ((double)x[r * D + i] - mean) * ((double)x[r * D + i] - mean) / D;
            for (int i = 0; i < D; i++) {
                double want = ((double)x[r * D + i] - mean) / sqrt(var + 1e-6) *
                                  (1 + (double)scale[i]) +
                              (double)bias[i];
                ck_assert_double_le(fabs((double)y[r * D + i] - want), 4e-6 * (1 + fabs(want)));
            }
        }
    }
}
END_TEST

START_TEST(small_words_are_right)
{
    const ks_kernels *k = table_of(_i);
    static uint32_t x[KS_PANEL * 70], y[70 * KS_PANEL];
    for (int groups = 1; k && groups <= 66; groups++) {
        fill_groups(x, sizeof x / 4, KS_INT8);
        k->transpose(y, x, 70, groups);
        for (int g = 0; g < groups; g++)
            for (int i = 0; i < KS_PANEL; i++)
                ck_assert_uint_eq(y[g * KS_PANEL + i], x[i * 70 + g]);
    }
    float a[90], b[90], c[90];
    uint8_t q[90];
    for (size_t n = 1; k && n <= 88; n++) {
        double want = 0, size = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = (float)draw();
            b[i] = c[i] = (float)draw();
            want += (double)a[i] * (double)b[i];
            size += fabs((double)a[i] * (double)b[i]);
        }
        ck_assert_double_le(fabs((double)k->dot(a, b, n) - want), 1e-6 * size);
        k->axpy(c, 3, a, n);
        for (size_t i = 0; i < n; i++)
            ck_assert_double_le(fabs((double)c[i] - ((double)b[i] + 3 * (double)a[i])), 1e-6);
        k->divide(c, 0, a, 3, n);
        for (size_t i = 0; i < n; i++) ck_assert_float_eq(c[i], a[i] / 3);
        float scale = k->quantise(q, a, n);
        for (size_t i = 0; i < n; i++)
            ck_assert_double_le(fabs((q[i] - 128) * (double)scale - (double)a[i]),
                                0.5001 * (double)scale);
        int16_t shorts[90] = {0};
        scale = k->quantise16(shorts, a, n);
        for (size_t i = 0; i < n; i++)
            ck_assert_double_le(fabs(shorts[i] * (double)scale - (double)a[i]),
                                0.502 * (double)scale);
        ck_assert_int_eq(shorts[n], 0);
        if (!writes_half(k)) continue;
        uint16_t h[90], h2[90];
        k->halve(h, a, n);
        k->halve(h2, b, n);
        k->zip(y, h, n % 2 ? h2 : NULL, n);
        for (size_t i = 0; i < n; i++) {
            ck_assert_uint_eq(h[i], to_half(a[i]));
            ck_assert_uint_eq(y[i], to_half(a[i]) | (n % 2 ? (uint32_t)to_half(b[i]) << 16 : 0));
        }
    }
}
END_TEST

/* --- packed matrices, through whole products --- */

static void check_product(const ks_kernels *k, ks_precision precision, const int shape[3],
                          int transposed)
{
    int m = shape[0], K = shape[1], N = shape[2], group = ks_group_size(precision);
    float *w = malloc((size_t)(K * N) * 4), *x = malloc((size_t)(m * K) * 4),
          *y = malloc((size_t)(m * N) * 4);
    float *panel = malloc((size_t)K * KS_PANEL * 4), *scales = malloc((size_t)m * 4);
    for (int i = 0; i < K * N; i++) w[i] = (float)draw();
    for (int i = 0; i < m * K; i++) x[i] = (float)draw();
    ks_matrix matrix = ks_matrix_plan(precision, K, N, 0,
                                      &(ks_source){.w = {w}, .parts = 1, .transposed = transposed});
    void *to = aligned_alloc(64, ks_matrix_bytes(&matrix));
    ks_matrix_fill(to, &matrix, panel);
    ks_matrix_point(&matrix, to);
    size_t lda = ks_group_stride(precision, K);
    uint32_t *a = calloc((size_t)m * lda, 4);
    for (int r = 0; r < m; r++) {
        if (precision == KS_FP32) memcpy(a + (size_t)r * lda, x + r * K, (size_t)K * 4);
        else if (precision == KS_BF16)
            for (int i = 0; i < K; i++)
                ((uint16_t *)(void *)(a + (size_t)r * lda))[i] = to_half(x[r * K + i]);
        else if (precision == KS_INT16)
            scales[r] = k->quantise16((int16_t *)(void *)(a + (size_t)r * lda), x + r * K,
                                      (size_t)K);
        else scales[r] = k->quantise((uint8_t *)(a + (size_t)r * lda), x + r * K, (size_t)K);
    }
    ks_product p = ks_product_of(k, &matrix, a, lda, m);
    p.row_scale = scales;
    ks_product_run(&p, &(ks_sink){.y = y, .ldy = (size_t)N});
    for (int r = 0; r < m; r++)
        for (int n = 0; n < N; n++) {
            double want = 0;
            for (int i = 0; i < K; i++)
                want += (double)x[r * K + i] * (double)(transposed ? w[n * K + i] : w[i * N + n]);
            double bound = sqrt(K) * (precision == KS_INT16 ? 0.0006
                                      : group == 1          ? 1e-6
                                      : group == 2          ? 0.006
                                                            : 0.02);
            ck_assert_msg(fabs((double)y[r * N + n] - want) <= bound,
                          "%s precision %d: %d x %d x %d at [%d, %d]: %g, not %g", k->name,
                          (int)precision, m, K, N, r, n, (double)y[r * N + n], want);
        }
    free(w);
    free(x);
    free(y);
    free(panel);
    free(scales);
    free(to);
    free(a);
}

START_TEST(packed_matrices_multiply)
{
    static const int shapes[][3] = {{1, 1, 1},     {3, 7, 14},    {29, 33, 65},
                                    {15, 300, 96}, {40, 520, 31}, {5, 64, 32}};
    const ks_kernels *k = table_of(_i);
    for (int precision = KS_FP32; k && precision <= KS_INT16; precision++)
        for (size_t i = 0; k->tile[precision] && i < sizeof shapes / sizeof *shapes; i++)
            check_product(k, (ks_precision)precision, shapes[i], (int)i % 2);
}
END_TEST

/* The same row in another place of another tile: the same bits. */
START_TEST(rows_do_not_see_their_neighbours)
{
    enum { M = 37, K = 128 };
    const ks_kernels *k = table_of(_i);
    static uint32_t b[K * KS_PANEL], a[M * K];
    static float all[M * KS_PANEL];
    float one[KS_PANEL];
    fill_groups(b, sizeof b / 4, KS_FP32);
    fill_groups(a, sizeof a / 4, KS_FP32);
    if (!k || !k->tile[KS_FP32]) return;
    for (int r = 0; r < M; r += k->rows[KS_FP32]) {
        int rows = M - r < k->rows[KS_FP32] ? M - r : k->rows[KS_FP32];
        k->tile[KS_FP32](all + r * KS_PANEL,
                         &(ks_tile){.a = a + r * K, .lda = K, .b = b, .groups = K, .rows = rows});
    }
    for (int r = 0; r < M; r++) {
        k->tile[KS_FP32](one, &(ks_tile){.a = a + r * K, .lda = K, .b = b, .groups = K, .rows = 1});
        ck_assert_mem_eq(one, all + r * KS_PANEL, sizeof one);
    }
}
END_TEST

/* What lies ahead is only fetched: it may be no memory at all, and the sums stay the same. */
START_TEST(what_lies_ahead_changes_nothing)
{
    enum { GROUPS = 48 };
    const ks_kernels *k = table_of(_i);
    static uint32_t a[KS_TILE_ROWS * GROUPS], b[GROUPS * KS_PANEL];
    static float alone[KS_TILE_ROWS * KS_PANEL], ahead[KS_TILE_ROWS * KS_PANEL];
    void *forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(forbidden, MAP_FAILED);
    for (int precision = KS_FP32; k && precision <= KS_INT16; precision++) {
        if (!k->tile[precision]) continue;
        fill_groups(a, sizeof a / 4, precision);
        fill_groups(b, sizeof b / 4, precision);
        ks_tile t = {.a = a, .lda = GROUPS, .b = b, .groups = GROUPS, .rows = k->rows[precision]};
        k->tile[precision](alone, &t);
        t.ahead = forbidden;
        k->tile[precision](ahead, &t);
        ck_assert_mem_eq(alone, ahead, (size_t)t.rows * KS_PANEL * sizeof *alone);
    }
    munmap(forbidden, 4096);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernels");
    TCase *tc = tcase_create("kernels");
    tcase_add_loop_test(tc, tiles_multiply, 0, TABLES);
    tcase_add_loop_test(tc, chains_of_shorts_do_not_overflow, 0, TABLES);
    tcase_add_loop_test(tc, what_lies_ahead_changes_nothing, 0, TABLES);
    tcase_add_loop_test(tc, gelu_is_within_its_stated_error, 0, TABLES);
    tcase_add_loop_test(tc, weights_are_within_their_stated_error, 0, TABLES);
    tcase_add_loop_test(tc, sinks_add_mask_and_round, 0, TABLES);
    tcase_add_loop_test(tc, norms_are_those_of_the_reference, 0, TABLES);
    tcase_add_loop_test(tc, small_words_are_right, 0, TABLES);
    tcase_add_loop_test(tc, packed_matrices_multiply, 0, TABLES);
    tcase_add_loop_test(tc, rows_do_not_see_their_neighbours, 0, TABLES);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
