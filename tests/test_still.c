/* test_still.c - vectors that were not computed again are bit for bit those that would have
 * been. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/still.h"
#include "tests/fixture_read.h"
#include "tests/npz_build.h"
#include "tests/suite.h"

enum { N = 60, T = 4 };

static char folder[64];
static ks_encoder *enc;
static ks_embedder embedder;

static void setup(void)
{
    ks_error e = {0};
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .towers = KS_TOWER_VIDEO,
                            .precision = KS_FP32,
                            .threads = 2,
                            .cache = ks_temp_folder(folder)};
    ck_assert_msg(ks_encoder_open(&enc, &o, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(ks_embedder_init(&embedder, enc, T, 0, KS_SQUASH, &e), 0);
}

static void teardown(void)
{
    ks_encoder_close(enc);
    ks_remove_folder(folder);
}

/* A film in which every picture stays for some frames; picture[i]: which one frame i shows. */
static void make_film(uint8_t *px, int picture[N], uint64_t seed, int longest)
{
    size_t bytes = (size_t)embedder.side * (size_t)embedder.side * 3;
    for (int i = 0, left = 0, now = 0; i < N; i++, left--) {
        if (left == 0) {
            left = 1 + (int)(ks_fixture_splitmix(seed + (uint64_t)i) % (uint64_t)longest);
            now = (int)(ks_fixture_splitmix(seed * 31 + (uint64_t)i) % 5);
        }
        picture[i] = now;
        ks_fixture_pixels(px + (size_t)i * bytes, (uint64_t)now, 1, embedder.side);
        /* never quite the same */
        if (now == 4) px[(size_t)(i + 1) * bytes - 1] ^= (uint8_t)(i & 1);
    }
}

/* Frames in items of one to five, a clip of T wherever one can begin; beside it the same
 * without memory. */
static void run_film(ks_still *s, const uint8_t *px, uint64_t seed)
{
    ks_error e = {0};
    ks_frame_code code[N], plain[N];
    const uint8_t *at[N];
    size_t bytes = (size_t)embedder.side * (size_t)embedder.side * 3, dim = (size_t)embedder.dim;
    float *v = malloc(2 * (1 + T) * dim * sizeof *v), *w = v + (1 + T) * dim;
    for (int i = 0; i < N; i++) at[i] = px + (size_t)i * bytes;
    for (int i = 0, n; i < N; i += n) {
        n = 1 + (int)(ks_fixture_splitmix(seed * 7 + (uint64_t)i) % 5);
        n = n < N - i ? n : N - i;
        ck_assert_int_eq(ks_still_frames(code + i, s, &embedder, at + i, n, &e), 0);
        ck_assert_int_eq(ks_embedder_frames(plain + i, &embedder, at + i, n, &e), 0);
        for (int first = i < T ? 0 : i - T + 1; first + T <= i + n; first++) {
            const ks_frame_code *ours[T], *theirs[T];
            for (int t = 0; t < T; t++) ours[t] = &code[first + t], theirs[t] = &plain[first + t];
            ck_assert_int_eq(ks_still_clip(v, s, &embedder, ours, T, &e), 0);
            ck_assert_int_eq(ks_embedder_clip(w, &embedder, theirs, T, &e), 0);
            ck_assert_msg(memcmp(v, w, (1 + T) * dim * sizeof *v) == 0,
                          "seed %llu: the clip at frame %d", (unsigned long long)seed, first);
        }
    }
    for (int i = 0; i < N; i++)
        ks_frame_code_free(&code[i], &embedder), ks_frame_code_free(&plain[i], &embedder);
    free(v);
}

/* Picture 4 comes in two kinds, by the frame's number. All are among the last few. */
static int different(const int picture[N])
{
    int seen[6] = {0}, n = 0;
    for (int i = 0; i < N; i++) {
        int kind = picture[i] == 4 ? 4 + (i & 1) : picture[i];
        n += !seen[kind]++;
    }
    return n;
}

START_TEST(vectors_are_the_same_bits)
{
    uint8_t *px = malloc((size_t)N * (size_t)embedder.side * (size_t)embedder.side * 3);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        int picture[N], repeats = 0;
        ks_still s = {0};
        make_film(px, picture, seed, seed % 3 == 0 ? 1 : 9);
        repeats = N - different(picture);
        run_film(&s, px, seed);
        ck_assert_int_eq(s.frames, repeats);
        ck_assert(seed % 3 == 0 || s.clips > 0);
        ks_still_free(&s, &embedder);
    }
    free(px);
}
END_TEST

START_TEST(a_film_that_stands_still_is_one_clip)
{
    size_t bytes = (size_t)embedder.side * (size_t)embedder.side * 3;
    uint8_t *px = malloc(N * bytes);
    ks_still s = {0};
    for (int i = 0; i < N; i++) ks_fixture_pixels(px + (size_t)i * bytes, 3, 1, embedder.side);
    run_film(&s, px, 5);
    ck_assert_int_eq(s.frames, N - 1);
    ck_assert(s.clips >= N - T && s.clips > 0);
    ks_still_free(&s, &embedder);
    free(px);
}
END_TEST

/* Three pictures that take turns, then more than are remembered, then the three again. */
START_TEST(pictures_that_take_turns_are_known_again)
{
    enum { TURNS = 24, MANY = KS_STILL_PICTURES + 2 };
    size_t bytes = (size_t)embedder.side * (size_t)embedder.side * 3;
    uint8_t *px = malloc(bytes);
    ks_still s = {0};
    ks_error e = {0};
    for (int i = 0; i < 2 * TURNS + MANY; i++) {
        int turn = i < TURNS || i >= TURNS + MANY;
        ks_frame_code code;
        ks_fixture_pixels(px, turn ? (uint64_t)(i % 3) : (uint64_t)(100 + i), 1, embedder.side);
        ck_assert_int_eq(ks_still_frames(&code, &s, &embedder, (const uint8_t *[]){px}, 1, &e), 0);
        ks_frame_code_free(&code, &embedder);
    }
    ck_assert_uint_eq(s.pictures, 3 + MANY + 3);
    ck_assert_int_eq(s.frames, 2 * (TURNS - 3));
    ks_still_free(&s, &embedder);
    free(px);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("still");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, vectors_are_the_same_bits);
    tcase_add_test(t, a_film_that_stands_still_is_one_clip);
    tcase_add_test(t, pictures_that_take_turns_are_known_again);
    return ks_run_case("still", t);
}
