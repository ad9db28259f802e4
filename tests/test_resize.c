/* test_resize.c - ks_resize is Pillow's LANCZOS bit for bit (tests/fixtures/resize.tsv: 500
 * sizes), the fast path is the plain one, and the three fits do what they say. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/encoder.h"
#include "encoder/resize.h"
#include "tests/fixture_read.h"
#include "tests/suite.h"

/* The picture of make_resize.py: rgb[height, width, 3], malloc'ed. */
static uint8_t *picture(uint64_t seed, int width, int height)
{
    uint8_t *rgb = malloc((size_t)width * (size_t)height * 3);
    uint64_t w = (uint64_t)width, i = 0, s = seed << 40;
    for (uint64_t y = 0; y < (uint64_t)height; y++)
        for (uint64_t x = 0; x < w; x++)
            for (uint64_t c = 0; c < 3; c++, i++) {
                if (seed % 3 == 0) rgb[i] = (uint8_t)(ks_fixture_splitmix(s + i) >> 56);
                if (seed % 3 == 1)
                    rgb[i] = ks_fixture_splitmix(s + (y / 5 * 4096 + x / 5) * 3 + c) & 1 ? 255 : 0;
                if (seed % 3 == 2)
                    rgb[i] = (uint8_t)(x * 7 + y * 3 + c * 85 + (ks_fixture_splitmix(s + i) >> 60));
            }
    return rgb;
}

static uint64_t hash64(const uint8_t *bytes, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += ks_fixture_splitmix(i * 256 + bytes[i]);
    return sum;
}

static int all_rows(ks_lanczos_path path)
{
    FILE *in = fopen("tests/fixtures/resize.tsv", "r");
    ck_assert_ptr_nonnull(in);
    char line[256];
    int rows = 0;
    while (fgets(line, sizeof line, in)) {
        unsigned long long seed, want;
        int w, h, ow, oh;
        if (line[0] == '#') continue;
        ck_assert_int_eq(sscanf(line, "%llu %d %d %d %d %llx", &seed, &w, &h, &ow, &oh, &want), 6);
        uint8_t *rgb = picture(seed, w, h), *out = malloc((size_t)ow * (size_t)oh * 3);
        ks_image image = {rgb, w, h, (size_t)w * 3};
        ks_lanczos_out to = {out, ow, oh, (size_t)ow * 3};
        ck_assert_int_eq(ks_lanczos(&to, &image, path, NULL), 0);
        ck_assert_msg(hash64(out, (size_t)ow * (size_t)oh * 3) == want,
                      "%d x %d -> %d x %d (seed %llu) is not Pillow's", w, h, ow, oh, seed);
        free(rgb);
        free(out);
        rows++;
    }
    fclose(in);
    return rows;
}

START_TEST(equals_pillow_on_500_sizes_plain)
{
    ck_assert_int_eq(all_rows(KS_LANCZOS_PLAIN), 500);
}
END_TEST

START_TEST(equals_pillow_on_500_sizes_fast)
{
    ck_assert_int_eq(all_rows(ks_lanczos_best()), 500);
}
END_TEST

/* Rows farther apart than 3 * width, and nothing read or written beside the picture (ASan
 * watches). */
START_TEST(strides_are_respected)
{
    enum { W = 37, H = 21, SIDE = 18, GAP = 11 };
    uint8_t *tight = picture(2, W, H), *wide = malloc((3 * W + GAP) * H);
    memset(wide, 0xee, (3 * W + GAP) * H);
    for (int y = 0; y < H; y++) memcpy(wide + (3 * W + GAP) * y, tight + 3 * W * y, 3 * W);
    uint8_t a[SIDE * SIDE * 3], b[SIDE * SIDE * 3];
    for (int fit = KS_SQUASH; fit <= KS_PAD; fit++) {
        ks_image one = {tight, W, H, 3 * W}, two = {wide, W, H, 3 * W + GAP};
        ck_assert_int_eq(ks_resize(a, SIDE, &one, (ks_fit)fit, NULL), 0);
        ck_assert_int_eq(ks_resize(b, SIDE, &two, (ks_fit)fit, NULL), 0);
        ck_assert_mem_eq(a, b, sizeof a);
    }
    free(tight);
    free(wide);
}
END_TEST

/* Crop is the squash of the centred square; pad is the whole picture between black bars. */
START_TEST(crop_and_pad)
{
    enum { W = 90, H = 40, SIDE = 36 };
    uint8_t *rgb = picture(1, W, H), got[SIDE * SIDE * 3], want[SIDE * SIDE * 3];
    ks_image image = {rgb, W, H, 3 * W}, square = {rgb + 3 * ((W - H) / 2), H, H, 3 * W};
    ck_assert_int_eq(ks_resize(got, SIDE, &image, KS_CROP, NULL), 0);
    ck_assert_int_eq(ks_resize(want, SIDE, &square, KS_SQUASH, NULL), 0);
    ck_assert_mem_eq(got, want, sizeof got);

    memset(want, 0, sizeof want);
    ks_lanczos_out middle = {want + 10 * SIDE * 3, SIDE, 16, SIDE * 3};
    ck_assert_int_eq(ks_lanczos(&middle, &image, KS_LANCZOS_PLAIN, NULL), 0);
    ck_assert_int_eq(ks_resize(got, SIDE, &image, KS_PAD, NULL), 0);
    ck_assert_mem_eq(got, want, sizeof got);
    ck_assert(got[(10 * SIDE) * 3] != 0 || got[(12 * SIDE + 9) * 3] != 0);

    ks_image thread = {rgb, 1, H, 3 * W}; /* 1 x 40: the narrow side stays at least one point */
    ck_assert_int_eq(ks_resize(got, SIDE, &thread, KS_PAD, NULL), 0);
    int lit = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++)
                lit |= got[(y * SIDE + x) * 3 + c] && x != 17 ? 2
                                                              : got[(y * SIDE + x) * 3 + c] != 0;
    ck_assert_int_eq(lit, 1);
    free(rgb);
}
END_TEST

START_TEST(an_empty_picture_is_refused)
{
    uint8_t out[18 * 18 * 3], dot[3] = {9, 8, 7};
    ks_error e = {0, ""};
    ks_image none = {dot, 0, 5, 0};
    ck_assert_int_eq(ks_resize(out, 18, &none, KS_SQUASH, &e), KS_EUSAGE);
    ck_assert_ptr_nonnull(strstr(e.msg, "empty picture"));
    ks_image one = {dot, 1, 1, 3};
    ck_assert_int_eq(ks_resize(out, 18, &one, KS_SQUASH, &e), 0);
    for (int i = 0; i < 18 * 18 * 3; i++) ck_assert_int_eq(out[i], dot[i % 3]);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("resize");
    tcase_add_test(tc, equals_pillow_on_500_sizes_plain);
    tcase_add_test(tc, equals_pillow_on_500_sizes_fast);
    tcase_add_test(tc, strides_are_respected);
    tcase_add_test(tc, crop_and_pad);
    tcase_add_test(tc, an_empty_picture_is_refused);
    return ks_run_case("resize", tc);
}
