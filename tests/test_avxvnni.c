/* test_avxvnni.c - the int8 tile of AVX2 with its one instruction said in plain C, on any CPU
 * that has AVX2. Where the CPU has AVX-VNNI, test_kernels runs the instruction itself. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "encoder/encoder.h"
#include "encoder/kernels.h"
#include "tests/suite.h"

#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include "encoder/simd_avx2.h"

#define TILE_ROWS 6
#include "encoder/tile_body.h"

static uint32_t state = 20261127;

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state ^ state >> 13;
}

static int words; /* how often: a test that never came here proves nothing */

/* VPDPBUSD: four unsigned bytes times four signed ones, added to a 32-bit sum (Intel SDM, volume
 * 2). */
static v group_in_c(v c, const uint32_t *a, v b)
{
    int32_t sums[LANES];
    uint8_t x[4];
    int8_t y[LANES][4];
    memcpy(sums, &c, sizeof sums);
    memcpy(x, a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < 4; k++) sums[i] += x[k] * y[i][k];
    memcpy(&c, sums, sizeof c);
    words++;
    return c;
}

static ks_tile_fn tile_in_c;
TILE(tile_in_c, group_in_c)

#ifdef __clang__
#pragma clang attribute pop
#endif

START_TEST(int8_is_the_plain_tables)
{
    enum { MOST = 40 };
    static uint32_t a[ROWS * (MOST + 3)], b[MOST * KS_PANEL];
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return; /* then nothing of this file is ever run */
    printf("seed %u\n", state);
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) a[i] = draw();
    for (size_t i = 0; i < sizeof b / sizeof *b; i++) b[i] = draw();
    for (int rows = 1; rows <= ROWS; rows++)
        for (size_t groups = 1; groups <= MOST; groups += 3) {
            float got[(ROWS + 1) * KS_PANEL], want[ROWS * KS_PANEL];
            ks_tile t = {.a = a, .lda = MOST + 3, .b = b, .groups = groups, .rows = rows};
            memset(got, 1, sizeof got);
            tile_in_c(got, &t);
            /* it takes fewer at once */
            for (int r = 0; r < rows; r += ks_kernels_plain()->rows[KS_INT8]) {
                int left = rows - r, most = ks_kernels_plain()->rows[KS_INT8];
                ks_tile part = t;
                part.a = a + (size_t)r * t.lda;
                part.rows = left < most ? left : most;
                ks_kernels_plain()->tile[KS_INT8](want + r * KS_PANEL, &part);
            }
            ck_assert_mem_eq(got, want, (size_t)rows * KS_PANEL * sizeof *want);
            for (int i = rows * KS_PANEL; i < (ROWS + 1) * KS_PANEL; i++) {
                uint32_t bits;
                memcpy(&bits, &got[i], sizeof bits);
                ck_assert_uint_eq(bits, 0x01010101);
            }
        }
    ck_assert_int_gt(words, 1000);
}
END_TEST
#endif

int main(void)
{
    TCase *t = tcase_create("avxvnni");
#if defined(__x86_64__)
    tcase_add_test(t, int8_is_the_plain_tables);
#endif
    return ks_run_case("avxvnni", t);
}
