/* test_amx.c - the AMX products on tiles of plain C: indices, shapes and packing, on any machine.
 *
 * The words below do what the instructions do (Intel SDM, volume 2, TILELOADD and the like) and
 * fail where those raise #UD or #GP: a wrong configuration, shapes that do not fit each other. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/attention.h"
#include "encoder/kernels.h"
#include "encoder/panels.h"
#include "encoder/product.h"

enum { PLACES = 8, ROWS = 16, BYTES = 64 };

static struct {
    int ready, rows[PLACES], bytes[PLACES];
    uint8_t x[PLACES][ROWS][BYTES];
} tiles;
static int configured, multiplied; /* how often: a test that never came here proves nothing */

static void tile_configure(const void *from)
{
    const uint8_t *c = from;
    ck_assert_int_eq(c[0], 1);
    for (int i = 1; i < 16; i++) ck_assert_int_eq(c[i], 0);
    memset(&tiles, 0, sizeof tiles);
    for (int t = 0; t < PLACES; t++) {
        uint16_t bytes;
        memcpy(&bytes, c + 16 + 2 * t, 2);
        tiles.bytes[t] = bytes;
        tiles.rows[t] = c[48 + t];
        ck_assert_int_ge(tiles.rows[t], 1);
        ck_assert_int_le(tiles.rows[t], ROWS);
        ck_assert_int_ge(bytes, 4);
        ck_assert_int_le(bytes, BYTES);
        ck_assert_int_eq(bytes % 4, 0);
    }
    for (int i = 8; i < 16; i++) ck_assert_int_eq(c[16 + 2 * i] | c[17 + 2 * i] | c[48 + i], 0);
    tiles.ready = 1;
    configured++;
}

static void tile_load(int t, const void *at, size_t step)
{
    ck_assert(tiles.ready);
    memset(tiles.x[t], 0, sizeof tiles.x[t]);
    for (int r = 0; r < tiles.rows[t]; r++)
        memcpy(tiles.x[t][r], (const char *)at + (size_t)r * step, (size_t)tiles.bytes[t]);
}

static void tile_store(int t, void *at, size_t step)
{
    ck_assert(tiles.ready);
    for (int r = 0; r < tiles.rows[t]; r++)
        memcpy((char *)at + (size_t)r * step, tiles.x[t][r], (size_t)tiles.bytes[t]);
}

static void tile_zero(int t)
{
    ck_assert(tiles.ready);
    memset(tiles.x[t], 0, sizeof tiles.x[t]);
}

static void tile_release(void) { memset(&tiles, 0, sizeof tiles); }

static void check_shapes(int c, int a, int b)
{
    multiplied++;
    ck_assert(tiles.ready && c != a && c != b && a != b);
    ck_assert_int_eq(tiles.rows[c], tiles.rows[a]);
    ck_assert_int_eq(tiles.bytes[c], tiles.bytes[b]);
    ck_assert_int_eq(tiles.bytes[a] / 4, tiles.rows[b]);
}

static float from_half(const uint8_t *p)
{
    uint32_t u = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 24;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static void tile_bf16(int c, int a, int b)
{
    check_shapes(c, a, b);
    for (int m = 0; m < tiles.rows[c]; m++)
        for (int k = 0; k < tiles.rows[b]; k++)
            for (int n = 0; n < tiles.bytes[c] / 4; n++) {
                float sum;
                memcpy(&sum, &tiles.x[c][m][4 * n], 4);
                for (int i = 0; i < 4; i += 2)
                    sum += from_half(&tiles.x[a][m][4 * k + i]) *
                           from_half(&tiles.x[b][k][4 * n + i]);
                memcpy(&tiles.x[c][m][4 * n], &sum, 4);
            }
}

static void tile_int8(int c, int a, int b)
{
    check_shapes(c, a, b);
    for (int m = 0; m < tiles.rows[c]; m++)
        for (int k = 0; k < tiles.rows[b]; k++)
            for (int n = 0; n < tiles.bytes[c] / 4; n++) {
                int32_t sum;
                memcpy(&sum, &tiles.x[c][m][4 * n], 4);
                for (int i = 0; i < 4; i++)
                    sum += tiles.x[a][m][4 * k + i] * (int8_t)tiles.x[b][k][4 * n + i];
                memcpy(&tiles.x[c][m][4 * n], &sum, 4);
            }
}

#include "encoder/amx_body.h"

static ks_tile_fn emulated_bf16, emulated_int8;
AMX_TILE(emulated_bf16, tile_bf16)
AMX_TILE(emulated_int8, tile_int8)

/* The plain table with AMX's products. */
static ks_kernels table(void)
{
    ks_kernels k = *ks_kernels_plain();
    k.tile[KS_BF16] = emulated_bf16;
    k.tile[KS_INT8] = emulated_int8;
    k.rows[KS_BF16] = k.rows[KS_INT8] = KS_TILE_ROWS;
    k.one_chain = 1;
    k.leave = tile_release;
    return k;
}

static uint32_t state = 20261126;

static uint32_t draw(void) { return state = state * 1664525u + 1013904223u; }

/* bf16: of size 1 to 2 with a sign; int8: anything. */
static void fill(uint32_t *x, size_t n, int precision)
{
    for (size_t i = 0; i < n; i++)
        x[i] = precision == KS_BF16 ? 0x3F803F80u ^ (draw() & 0x807F807Fu) : draw() ^ draw() >> 13;
}

/* shape: as ks_tile has it. */
static void check_tile(int precision, int rows, size_t groups, int add, int *shape)
{
    ks_kernels k = table();
    size_t lda = groups + 5;
    /* no byte more */
    uint32_t *a = malloc(((size_t)rows - 1) * lda * 4 + groups * 4),
             *b = malloc(groups * KS_PANEL * 4);
    float got[(KS_TILE_ROWS + 1) * KS_PANEL], want[KS_TILE_ROWS * KS_PANEL];
    fill(a, ((size_t)rows - 1) * lda + groups, precision);
    fill(b, groups * KS_PANEL, precision);
    for (int i = 0; i < (KS_TILE_ROWS + 1) * KS_PANEL; i++) got[i] = (float)i;
    memcpy(want, got, sizeof want);
    ks_tile t = {
        .a = a, .lda = lda, .b = b, .groups = groups, .rows = rows, .add = add, .shape = shape};
    k.tile[precision](got, &t);
    for (int i = rows * KS_PANEL; i < (KS_TILE_ROWS + 1) * KS_PANEL; i++)
        ck_assert_float_eq(got[i], (float)i); /* rows that are not the tile's stay */
    t.add = 0;
    ks_kernels_plain()->tile[precision](want, &t);
    for (int i = 0; i < rows * KS_PANEL; i++) {
        int32_t g, w;
        float before = (float)i;
        memcpy(&g, &got[i], 4);
        memcpy(&w, &want[i], 4);
        if (precision == KS_INT8) {
            memcpy(&w, &before, 4);
            int32_t sum;
            memcpy(&sum, &want[i], 4);
            ck_assert_int_eq(g, add ? (int32_t)((uint32_t)sum + (uint32_t)w) : sum);
        } else {
            ck_assert_double_le(fabs((double)got[i] - (double)want[i] - (add ? (double)before : 0)),
                                1e-6 * (double)(8 * groups + (size_t)i));
        }
    }
    free(a);
    free(b);
}

START_TEST(tiles_multiply)
{
    configured = 0;
    printf("seed %u\n", state);
    for (int precision = KS_BF16; precision <= KS_INT8; precision++)
        for (int rows = 1; rows <= KS_TILE_ROWS; rows++)
            for (size_t groups = 1; groups <= 70; groups += rows % 5 == 0 ? 1 : 11)
                check_tile(precision, rows, groups, (rows + (int)groups) % 2, NULL);
    ck_assert_int_gt(configured, 1000);
    ck_assert(!tiles.ready);
}
END_TEST

/* Calls that keep the shape: set anew when rows or the rest of the groups change, and only then. */
START_TEST(a_kept_shape_is_set_when_it_changes)
{
    static const struct {
        int rows, groups, sets;
    } calls[] = {
        {32, 32, 1}, {32, 64, 0}, {7, 16, 1},  {7, 21, 1},  {7, 21, 2},
        {7, 5, 0},   {20, 5, 1},  {20, 16, 1}, {32, 16, 1},
    };
    for (int precision = KS_BF16; precision <= KS_INT8; precision++) {
        int shape = 0;
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
            configured = 0;
            check_tile(precision, calls[i].rows, (size_t)calls[i].groups, i % 2, &shape);
            ck_assert_msg(configured == calls[i].sets, "call %zu set the shape %d times", i,
                          configured);
            ck_assert(tiles.ready);
        }
        tile_release();
    }
}
END_TEST

/* y = x W + b over packed weights, N and K that fill no panel and no tile. */
static void check_product(ks_precision precision, int m, int K, int N)
{
    ks_kernels k = table();
    float *w = malloc((size_t)K * (size_t)N * sizeof *w),
          *panel = malloc((size_t)K * KS_PANEL * sizeof *panel);
    for (int i = 0; i < K * N; i++) w[i] = (float)((int)(draw() >> 16) % 1000 - 500) / 500;
    ks_matrix matrix = ks_matrix_plan(precision, K, N, 0, &(ks_source){.w = {w}, .parts = 1});
    void *packed = aligned_alloc(64, ks_matrix_bytes(&matrix));
    ks_matrix_fill(packed, &matrix, panel);
    ks_matrix_point(&matrix, packed);
    size_t lda = ks_group_stride(precision, K);
    uint32_t *a = calloc((size_t)m * lda, 4);
    float *scales = malloc((size_t)m * sizeof *scales),
          *y = malloc((size_t)(2 * m * N) * sizeof *y);
    for (int r = 0; r < m; r++) {
        if (precision == KS_FP32)
            for (int i = 0; i < K; i++)
                ((float *)(void *)a)[(size_t)r * lda + (size_t)i] = (float)(draw() >> 8) * 1e-7f;
        else fill(a + (size_t)r * lda, matrix.groups, precision);
        scales[r] = 0.01f * (float)(r + 1);
    }
    for (int which = 0; which < 2; which++) {
        ks_product p = ks_product_of(which ? &k : ks_kernels_plain(), &matrix, a, lda, m);
        p.row_scale = scales;
        ks_product_run(&p, &(ks_sink){.y = y + which * m * N, .ldy = (size_t)N});
    }
    if (precision == KS_FP32) /* no tile has a part in it */
        ck_assert_mem_eq(y, y + m * N, (size_t)(m * N) * sizeof *y);
    for (int i = 0; i < m * N; i++)
        ck_assert_msg(fabs((double)y[i] - (double)y[m * N + i]) <= 1e-5 * (double)K,
                      "precision %d, %d: %g and %g", precision, i, (double)y[i],
                      (double)y[m * N + i]);
    free(w), free(panel), free(packed), free(a), free(scales), free(y);
}

START_TEST(products_of_packed_weights)
{
    configured = multiplied = 0;
    for (int precision = KS_BF16; precision <= KS_INT8; precision++) {
        check_product(precision, 37, 96, 70);
        check_product(precision, 5, 50, 33);
        check_product(precision, 64, 1100, 64);
    }
    check_product(KS_FP32, 37, 1100, 70);
    /* Two strips of three panels, unlike; one strip; two strips of two panels, alike: a change
     * each, in two precisions. */
    ck_assert_int_eq(configured, 2 * (6 + 1 + 1));
    ck_assert_int_gt(multiplied, 500);
    ck_assert(!tiles.ready);
}
END_TEST

START_TEST(attention_on_tiles)
{
    enum { LENGTH = 300, DH = 24, STEP = 3 * DH };
    ks_kernels k = table();
    uint16_t *qkv = malloc(LENGTH * STEP * sizeof *qkv);
    float *out = calloc(2 * LENGTH * DH, sizeof *out);
    fill((uint32_t *)(void *)qkv, LENGTH * STEP / 2, KS_BF16);
    multiplied = 0;
    for (int which = 0; which < 2; which++) {
        ks_head h = {.kernels = which ? &k : ks_kernels_plain(),
                     .precision = KS_BF16,
                     .q = qkv,
                     .k = qkv + DH,
                     .v = qkv + 2 * DH,
                     .step = STEP,
                     .length = LENGTH,
                     .dh = DH};
        void *packed = aligned_alloc(64, (ks_head_bytes(&h) + 63) / 64 * 64),
             *scratch = aligned_alloc(64, (ks_head_scratch(&h) + 63) / 64 * 64);
        for (int first = 0; first < LENGTH; first += KS_KEY_BLOCK)
            ks_head_pack(packed, &h, first,
                         LENGTH - first < KS_KEY_BLOCK ? LENGTH - first : KS_KEY_BLOCK, scratch);
        for (int first = 0; first < LENGTH; first += KS_QUERY_BLOCK)
            ks_head_attend(&(ks_queries){.out = out + (which * LENGTH + first) * DH,
                                         .ld = DH,
                                         .first = first,
                                         .n = LENGTH - first < KS_QUERY_BLOCK ? LENGTH - first
                                                                              : KS_QUERY_BLOCK},
                           &h, packed, scratch);
        free(packed), free(scratch);
    }
    ck_assert_int_gt(multiplied, 500);
    ck_assert(!tiles.ready);
    for (int i = 0; i < LENGTH * DH; i++)
        ck_assert_double_le(fabs((double)out[i] - (double)out[LENGTH * DH + i]), 2e-3);
    free(qkv), free(out);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("amx");
    TCase *t = tcase_create("amx");
    tcase_add_test(t, tiles_multiply);
    tcase_add_test(t, a_kept_shape_is_set_when_it_changes);
    tcase_add_test(t, products_of_packed_weights);
    tcase_add_test(t, attention_on_tiles);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
