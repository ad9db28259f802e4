/* test_attention.c - fused attention against the formula in double: lengths, masks, both
 * precisions. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/attention.h"
#include "tests/suite.h"

static uint64_t state = 7;

static float draw(double size)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(((double)(int64_t)(state >> 11) / 4503599627370496.0 - 1) * size);
}

typedef struct {
    int length, dh, causal, masks, row_step; /* masks: 0 none, 1 every third, 2 all */
} shape;

static double at(const ks_head *h, const void *x, int row, int d)
{
    size_t i = (size_t)row * h->step + (size_t)d;
    if (h->precision == KS_FP32) return (double)((const float *)x)[i];
    uint32_t u = (uint32_t)((const uint16_t *)x)[i] << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return (double)f;
}

static double logit(const ks_head *h, int q, int k)
{
    double sum = 0;
    for (int d = 0; d < h->dh; d++) sum += at(h, h->q, q, d) * at(h, h->k, k, d);
    return 50 * tanh(sum / sqrt(h->dh) / 50);
}

static void reference(double *out, const ks_head *h, int q, int all)
{
    double sum = 0;
    memset(out, 0, (size_t)h->dh * sizeof *out);
    for (int k = 0; k < h->length; k++) {
        if (h->causal && k > q) continue;
        if (!all && h->masked && h->masked[(size_t)k * h->mask_step]) continue;
        double p = all ? 1 : exp(logit(h, q, k));
        sum += p;
        for (int d = 0; d < h->dh; d++) out[d] += p * at(h, h->v, k, d);
    }
    for (int d = 0; d < h->dh; d++) out[d] /= sum;
}

static void check_shape(const ks_kernels *k, ks_precision precision, const shape *s)
{
    size_t row = 3 * (size_t)s->dh + 6 + (size_t)s->dh % 2, value = precision == KS_FP32 ? 4 : 2,
           dh = (size_t)s->dh, step = row * (size_t)s->row_step, n = (size_t)s->length * step;
    float *qkv = malloc(n * sizeof *qkv), *out = malloc((size_t)(s->length * s->dh) * sizeof *out);
    uint8_t *masked = calloc((size_t)(s->length * s->row_step), 1);
    for (size_t i = 0; i < n; i++) qkv[i] = draw(3);
    if (precision == KS_BF16)
        for (size_t i = 0; i < n; i++) /* in place: i shorts lie before i floats */
            ks_kernels_plain()->halve((uint16_t *)(void *)qkv + i, qkv + i, 1);
    const char *x = (const char *)qkv;
    for (int i = 0; i < s->length; i++)
        masked[i * s->row_step] = s->masks == 2 || (s->masks == 1 && i % 3 == 1);
    ks_head h = {.kernels = k,
                 .precision = precision,
                 .q = x,
                 .k = x + dh * value,
                 .v = x + 2 * dh * value,
                 .step = step,
                 .length = s->length,
                 .dh = s->dh,
                 .causal = s->causal,
                 .masked = s->masks ? masked : NULL,
                 .mask_step = (size_t)s->row_step};
    void *packed = aligned_alloc(64, ks_head_bytes(&h)),
         *scratch = aligned_alloc(64, ks_head_scratch(&h));
    memset(packed, 0xFF, ks_head_bytes(&h)); /* NaN wherever nothing is written */
    for (int i = 0; i < s->length; i += KS_KEY_BLOCK)
        ks_head_pack(packed, &h, i, s->length - i < KS_KEY_BLOCK ? s->length - i : KS_KEY_BLOCK,
                     scratch);
    for (int i = 0; i < s->length; i += KS_QUERY_BLOCK) {
        ks_queries q = {.out = out + i * s->dh,
                        .ld = (size_t)s->dh,
                        .first = i,
                        .n = s->length - i < KS_QUERY_BLOCK ? s->length - i : KS_QUERY_BLOCK};
        ks_head_attend(&q, &h, packed, scratch);
    }
    double want[128], bound = precision == KS_FP32 ? 3e-5 : 0.03;
    for (int q = 0; q < s->length; q += 1 + s->length / 40) {
        reference(want, &h, q, s->masks == 2);
        for (int d = 0; d < s->dh; d++)
            ck_assert_msg(
                fabs((double)out[q * s->dh + d] - want[d]) <= bound,
                "%s precision %d: length %d, dh %d, causal %d, masks %d: [%d, %d] is %g, not %g",
                k->name, (int)precision, s->length, s->dh, s->causal, s->masks, q, d,
                (double)out[q * s->dh + d], want[d]);
    }
    free(qkv);
    free(out);
    free(masked);
    free(packed);
    free(scratch);
}

static const shape shapes[] = {{1, 1, 0, 0, 1},    {2, 7, 0, 0, 1},    {16, 64, 0, 0, 9},
                               {16, 64, 0, 1, 9},  {9, 33, 1, 0, 1},   {65, 64, 1, 0, 1},
                               {33, 88, 0, 2, 2},  {256, 64, 0, 0, 1}, {257, 16, 0, 1, 1},
                               {600, 64, 0, 0, 1}, {31, 5, 0, 1, 1},   {64, 3, 1, 0, 1},
                               {300, 7, 0, 2, 1},  {512, 32, 0, 0, 1}};

START_TEST(attention_is_the_formula)
{
    const ks_kernels *all[] = {ks_kernels_plain(), ks_kernels_avx2(), ks_kernels_avx512(),
                               ks_kernels_amx()};
    const ks_kernels *k = all[_i];
    for (size_t i = 0; k && i < sizeof shapes / sizeof *shapes; i++) {
        check_shape(k, KS_FP32, &shapes[i]);
        if (k->tile[KS_BF16]) check_shape(k, KS_BF16, &shapes[i]);
    }
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("attention");
    tcase_add_loop_test(tc, attention_is_the_formula, 0, 4);
    return ks_run_case("attention", tc);
}
