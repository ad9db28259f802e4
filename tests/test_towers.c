/* test_towers.c - every stage of every variant against the official code in float64, and what
 * must not change a bit: threads, batch, sharing, order of calls. Fixtures:
 * tests/fixtures/README.md. */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoder/encoder.h"
#include "tests/fixture_read.h"

static char cache[] = "/tmp/ks-towers-XXXXXX";

static ks_encoder *open_model(const char *path, int threads)
{
    ks_encoder *enc;
    ks_error e = {0};
    ks_encoder_options o = {
        .model = path, .precision = KS_FP32, .threads = threads, .cache = cache};
    ck_assert_msg(ks_encoder_open(&enc, &o, &e) == 0, "%s", e.msg);
    return enc;
}

static ks_clip_pixels pixels_of(const ks_fixture_clip *c)
{
    return (ks_clip_pixels){.px = c->is_float ? (const void *)c->floats : c->bytes,
                            .is_float = c->is_float,
                            .T = c->T,
                            .side = c->side,
                            .paddings = c->paddings};
}

static void near_reference(const ks_fixture *f, const char *name, const float *got, int64_t n)
{
    const ks_fixture_array *want = ks_fixture_get(f, name);
    double far = ks_fixture_far(got, want), bound = ks_fixture_bound(f, name);
    ck_assert_msg(want->count == n, "%s has %lld values, not %lld", name, (long long)want->count,
                  (long long)n);
    ck_assert_msg(far <= bound, "%s is %g from float64, the bound is %g", name, far, bound);
}

static const struct {
    const char *model, *reference;
} models[] = {{"lvt.npz", "lvt"},           {"small.npz", "small"},
              {"small_f2.npz", "small_f2"}, {"hybrid.npz", "hybrid"},
              {"noaux.npz", "noaux"},       {"small_hf/model.safetensors", "small"},
              {"encoder.npz", "encoder"},   {"classifier.npz", "classifier"}};
enum { MODELS = sizeof models / sizeof *models };

static ks_fixture *reference_of(int i)
{
    char path[128];
    snprintf(path, sizeof path, "tests/fixtures/%s.ref.npz", models[i].reference);
    return ks_fixture_open(path);
}

static ks_encoder *model_of(int i, int threads)
{
    char path[128];
    snprintf(path, sizeof path, "tests/fixtures/%s", models[i].model);
    return open_model(path, threads);
}

static int has_stage(const ks_info *info, ks_stage stage)
{
    static const int kinds[] = {
        7, 7, 1 << KS_LVT, 1 << KS_LVT, 1 << KS_LVT | 1 << KS_CLASSIFIER, 1 << KS_CLASSIFIER};
    return kinds[stage] >> info->kind & 1 && (stage != KS_STAGE_AUXILIARY || info->auxiliary > 0);
}

static int every_stage(ks_encoder *enc, const ks_fixture *f, const ks_fixture_clip *clip)
{
    static const char *const names[] = {"spatial", "spatiotemporal", "auxiliary",
                                        "frames",  "global",         "logits"};
    int checked = 0;
    for (int stage = KS_STAGE_SPATIAL; stage <= KS_STAGE_LOGITS; stage++) {
        char name[160];
        float *got = NULL;
        int64_t dims[2];
        ks_error e = {0};
        ks_clip_pixels px = pixels_of(clip);
        snprintf(name, sizeof name, "%s/%s", clip->name, names[stage]);
        int err = ks_features(&got, dims, enc, (ks_stage)stage, &px, &e);
        ck_assert_int_eq(err, has_stage(ks_encoder_info(enc), (ks_stage)stage) ? 0 : KS_EUSAGE);
        if (!ks_fixture_find(f, name)) {
            free(got);
            continue;
        }
        near_reference(f, name, got, dims[0] * dims[1]);
        free(got);
        checked++;
    }
    return checked;
}

START_TEST(stages_are_the_official_ones)
{
    ks_fixture *f = reference_of(_i);
    ks_encoder *enc = model_of(_i, 2);
    int n = ks_fixture_clips(f);
    ck_assert_int_gt(n, 0);
    for (int i = 0; i < n; i++) {
        ks_fixture_clip *clip = ks_fixture_clip_at(f, i);
        ck_assert_int_ge(every_stage(enc, f, clip), 2);
        ks_fixture_clip_free(clip);
    }
    ks_encoder_close(enc);
    ks_fixture_close(f);
}
END_TEST

START_TEST(texts_are_the_official_ones)
{
    ks_fixture *f = reference_of(_i);
    ks_encoder *enc = model_of(_i, 2);
    int checked = 0;
    float v[64];
    ks_error e = {0};
    for (int i = 0; i < f->n; i++) {
        const char *name = f->at[i].name, *slash = strstr(name, "/vector");
        if (strncmp(name, "text_", 5) != 0 || !slash || slash[7] != '\0') continue;
        char key[200];
        int32_t ids[KS_TEXT_MAX];
        snprintf(key, sizeof key, "%.*s/ids", (int)(slash - name), name);
        const ks_fixture_array *a = ks_fixture_get(f, key);
        for (int64_t k = 0; k < a->count; k++) ids[k] = (int32_t)a->x[k];
        ck_assert_msg(ks_ids_vector(v, enc, ids, (int)a->count, &e) == 0, "%s", e.msg);
        near_reference(f, name, v, ks_encoder_info(enc)->dim);
        checked++;
    }
    ck_assert_int_eq(checked > 0, ks_encoder_info(enc)->text > 0);
    ks_encoder_close(enc);
    ks_fixture_close(f);
}
END_TEST

/* --- every block, through the tap --- */

typedef struct {
    const ks_fixture *f;
    int T, N, seen;
} watcher;

static void watch(void *arg, const char *name, const float *x, int64_t rows, int64_t cols)
{
    watcher *w = arg;
    char key[128];
    snprintf(key, sizeof key, "tap/%s", name);
    const ks_fixture_array *want = ks_fixture_find(w->f, key);
    if (!want) return;
    float *y = malloc((size_t)(rows * cols) * sizeof *y);
    int places = strncmp(name, "temporal", 8) == 0; /* the reference has these place-major */
    for (int64_t r = 0; r < rows; r++)
        memcpy(y + (places ? r % w->N * w->T + r / w->N : r) * cols, x + r * cols,
               (size_t)cols * sizeof *y);
    near_reference(w->f, key, y, rows * cols);
    free(y);
    w->seen++;
}

START_TEST(blocks_are_the_official_ones)
{
    ks_fixture *f = reference_of(0);
    ks_encoder *enc = model_of(0, 2);
    ks_fixture_clip *clip = ks_fixture_clip_at(f, 0);
    ks_clip_pixels px = pixels_of(clip);
    watcher w = {.f = f, .T = clip->T, .N = clip->side / 18 * (clip->side / 18)};
    float *got, v[64];
    int64_t dims[2];
    int32_t ids[KS_TEXT_MAX];
    ks_error e = {0};
    ck_assert_str_eq(clip->name, "trained");
    ks_encoder_tap(enc, watch, &w);
    ck_assert_int_eq(ks_features(&got, dims, enc, KS_STAGE_GLOBAL, &px, &e), 0);
    free(got);
    ck_assert_int_eq(w.seen, 3 + 3 + 2); /* blocks, and the norms after two stacks */
    const ks_fixture_array *a = ks_fixture_get(f, "text_seven/ids");
    for (int64_t k = 0; k < a->count; k++) ids[k] = (int32_t)a->x[k];
    ck_assert_int_eq(ks_ids_vector(v, enc, ids, (int)a->count, &e), 0);
    ck_assert_int_eq(w.seen, 8 + 2);
    ks_fixture_clip_free(clip);
    ks_encoder_close(enc);
    ks_fixture_close(f);
}
END_TEST

/* --- same input, same bits --- */

enum { FRAMES = 7, SIDE = 54 };

/* Vectors of a clip of FRAMES frames: all at once, or one at a time. */
static void clip_vectors(float *v, float *frames, ks_encoder *enc, const uint8_t *px, int at_once)
{
    ks_tokens *tokens[FRAMES];
    const uint8_t *at[FRAMES];
    size_t bytes = SIDE * SIDE * 3;
    ks_error e = {0};
    for (int i = 0; i < FRAMES; i++) at[i] = px + (size_t)i * bytes;
    for (int i = 0; i < FRAMES; i += at_once) {
        int n = FRAMES - i < at_once ? FRAMES - i : at_once;
        ck_assert_msg(ks_frames_tokens(tokens + i, enc, at + i, n, SIDE, &e) == 0, "%s", e.msg);
    }
    ck_assert_msg(ks_clip_vector(v, frames, enc, tokens, FRAMES, &e) == 0, "%s", e.msg);
    for (int i = 0; i < FRAMES; i++) ks_tokens_free(tokens[i]);
}

START_TEST(bits_do_not_depend_on_threads_or_batch)
{
    static uint8_t px[FRAMES * SIDE * SIDE * 3];
    float v[16], frames[FRAMES * 16], w[16], other[FRAMES * 16], text[16], text2[16];
    int32_t ids[20];
    ks_error e = {0};
    ks_fixture_pixels(px, 4711, FRAMES, SIDE);
    memcpy(px + 3 * SIDE * SIDE * 3, px, SIDE * SIDE * 3); /* two equal frames: shared or not */
    for (int i = 0; i < 20; i++) ids[i] = i * 2;
    ks_encoder *enc = model_of(0, 1);
    clip_vectors(v, frames, enc, px, FRAMES);
    ck_assert_int_eq(ks_ids_vector(text, enc, ids, 20, &e), 0);
    ks_encoder_close(enc);
    for (int threads = 1; threads <= 5; threads++) {
        enc = model_of(0, threads);
        for (int at_once = 1; at_once <= FRAMES; at_once += 2) {
            clip_vectors(w, other, enc, px, at_once);
            ck_assert_mem_eq(v, w, sizeof v);
            ck_assert_mem_eq(frames, other, sizeof frames);
        }
        ck_assert_int_eq(ks_ids_vector(text2, enc, ids, 20, &e), 0);
        ck_assert_mem_eq(text, text2, sizeof text);
        ks_encoder_close(enc);
    }
}
END_TEST

/* A frame as a clip of its own: alone, or with others. */
START_TEST(frames_that_are_clips)
{
    static uint8_t px[FRAMES * SIDE * SIDE * 3];
    float v[FRAMES * 16], alone[16];
    const uint8_t *at[FRAMES];
    ks_tokens *tokens[FRAMES];
    ks_error e = {0};
    ks_fixture_pixels(px, 4712, FRAMES, SIDE);
    for (int i = 0; i < FRAMES; i++) at[i] = px + (size_t)i * SIDE * SIDE * 3;
    for (int threads = 1; threads <= 3; threads++) {
        ks_encoder *enc = model_of(0, threads);
        ck_assert_int_eq(ks_frames_tokens(tokens, enc, at, FRAMES, SIDE, &e), 0);
        ck_assert_int_eq(ks_frames_vectors(v, enc, tokens, FRAMES, &e), 0);
        for (int i = 0; i < FRAMES; i++) {
            ck_assert_int_eq(ks_clip_vector(alone, NULL, enc, tokens + i, 1, &e), 0);
            ck_assert_mem_eq(v + i * 16, alone, sizeof alone);
            ks_tokens_free(tokens[i]);
        }
        ks_encoder_close(enc);
    }
}
END_TEST

START_TEST(equal_frames_share_tokens)
{
    static uint8_t px[3 * SIDE * SIDE * 3];
    const uint8_t *at[3] = {px, px + SIDE * SIDE * 3, px + 2 * SIDE * SIDE * 3};
    ks_tokens *tokens[3];
    ks_error e = {0};
    ks_encoder *enc = model_of(0, 2);
    ks_fixture_pixels(px, 1, 3, SIDE);
    memcpy(px + 2 * SIDE * SIDE * 3, px, SIDE * SIDE * 3);
    ck_assert_int_eq(ks_frames_tokens(tokens, enc, at, 3, SIDE, &e), 0);
    ck_assert_ptr_eq(tokens[0], tokens[2]);
    ck_assert_ptr_ne(tokens[0], tokens[1]);
    for (int i = 0; i < 3; i++) ks_tokens_free(tokens[i]);
    ks_encoder_close(enc);
}
END_TEST

START_TEST(wrong_use_is_refused)
{
    ks_encoder *enc = model_of(0, 1), *plain = model_of(6, 1);
    ks_error e = {0};
    float v[16];
    uint8_t px[36 * 36 * 3] = {0};
    ks_tokens *t[2];
    ck_assert_int_eq(ks_ids_vector(v, enc, (int32_t[]){3, 40}, 2, &e), KS_EUSAGE);
    ck_assert_str_eq(e.msg, "token id 40 is outside the vocabulary of 40");
    ck_assert_int_eq(ks_ids_vector(v, enc, (int32_t[]){-1}, 1, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_ids_vector(v, enc, (int32_t[65]){0}, 65, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_ids_vector(v, plain, (int32_t[]){1}, 1, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_frame_tokens(t, enc, px, 37, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_frame_tokens(t, enc, px, 0, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_frame_tokens(&t[0], enc, px, 36, &e), 0);
    ck_assert_int_eq(ks_frame_tokens(&t[1], enc, px, 18, &e), 0);
    ck_assert_int_eq(ks_clip_vector(v, NULL, enc, t, 2, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_clip_vector(v, NULL, plain, t, 1, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_frames_vectors(v, plain, t, 1, &e), KS_EUSAGE);
    float padding = 0.5f;
    ck_assert_int_eq(
        ks_pixels_tokens(t, enc,
                         &(ks_clip_pixels){.px = px, .T = 1, .side = 36, .paddings = &padding}, &e),
        KS_EUSAGE);
    ks_encoder_close(enc);
    ks_encoder_close(plain);
    ks_tokens_free(t[0]); /* tokens may outlive their encoder */
    ks_tokens_free(t[1]);
}
END_TEST

/* --- memory --- */

/* Under the sanitizers malloc is theirs; the ordinary build counts. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static _Atomic long allocations;
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}
void *aligned_alloc(size_t align, size_t n)
{
    allocations++;
    return __libc_memalign(align, n);
}

START_TEST(a_warm_pass_allocates_nothing)
{
    static uint8_t px[FRAMES * SIDE * SIDE * 3];
    float v[16], frames[FRAMES * 16];
    int32_t ids[3] = {1, 2, 3};
    ks_error e = {0};
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .precision = (ks_precision)_i,
                            .threads = 3,
                            .cache = cache};
    ks_tokens *tokens[FRAMES];
    const uint8_t *at[FRAMES];
    ks_encoder *enc;
    if (ks_encoder_open(&enc, &o, &e) == KS_EUSAGE) return; /* this CPU has no such precision */
    ck_assert_ptr_nonnull(enc);
    for (int round = 0; round < 3; round++) {
        ks_fixture_pixels(px, (uint64_t)round, FRAMES, SIDE);
        for (int i = 0; i < FRAMES; i++) at[i] = px + (size_t)i * SIDE * SIDE * 3;
        long before = allocations; /* no ck_assert until it is read: those allocate */
        int err = ks_frames_tokens(tokens, enc, at, FRAMES, SIDE, &e);
        err = err ? err : ks_clip_vector(v, frames, enc, tokens, FRAMES, &e);
        for (int i = 0; i < FRAMES; i++) ks_tokens_free(tokens[i]);
        err = err ? err : ks_ids_vector(v, enc, ids, 3, &e);
        long n = allocations - before;
        ck_assert_int_eq(err, 0);
        ck_assert_msg(round == 0 ? n > 0 : n == 0, "round %d: %ld allocations", round, n);
    }
    ks_encoder_close(enc);
}
END_TEST
#define HAVE_COUNTER 1
#endif

/* --- bf16 and int8 --- */

static ks_encoder *open_precision(ks_precision precision, int threads)
{
    ks_encoder *enc;
    ks_error e = {0};
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .precision = precision,
                            .threads = threads,
                            .cache = cache};
    int err = ks_encoder_open(&enc, &o, &e);
    if (err == 0) return enc;
    ck_assert_msg(err == KS_EUSAGE && strstr(e.msg, "this CPU lacks"), "%s", e.msg);
    ck_assert_ptr_null(enc);
    return NULL;
}

static double distance(const float *a, const float *b, int n)
{
    double dot = 0;
    for (int i = 0; i < n; i++) dot += (double)a[i] * (double)b[i];
    return 1 - dot;
}

/* Toy models with sharp attention are harder than real ones; the bounds say "the same vector",
 * no more: a mistake in a layout is at 1. */
START_TEST(narrow_precisions_are_near_and_repeatable)
{
    static uint8_t px[FRAMES * SIDE * SIDE * 3];
    float exact[16], frames[FRAMES * 16], text[16], v[16], w[16], t[16];
    int32_t ids[20];
    ks_error e = {0};
    ks_precision precision = _i ? KS_INT8 : KS_BF16;
    ks_fixture_pixels(px, 99, FRAMES, SIDE);
    for (int i = 0; i < 20; i++) ids[i] = 39 - i;
    ks_encoder *enc = open_precision(precision, 3), *one = open_precision(precision, 1),
               *full = model_of(0, 2);
    clip_vectors(exact, frames, full, px, FRAMES);
    ck_assert_int_eq(ks_ids_vector(text, full, ids, 20, &e), 0);
    if (enc) {
        ck_assert_int_eq(ks_encoder_info(enc)->precision, precision);
        clip_vectors(v, frames, enc, px, FRAMES);
        clip_vectors(w, frames, one, px, 2);
        ck_assert_mem_eq(v, w, sizeof v);
        ck_assert_int_eq(ks_ids_vector(t, enc, ids, 20, &e), 0);
        printf("1 - cos of precision %d: video %.2g, text %.2g\n", (int)precision,
               distance(v, exact, 16), distance(t, text, 16));
        ck_assert_double_lt(distance(v, exact, 16), _i ? 5e-2 : 5e-3);
        ck_assert_double_lt(distance(t, text, 16), _i ? 5e-2 : 5e-3);
    }
    ks_encoder_close(enc);
    ks_encoder_close(one);
    ks_encoder_close(full);
}
END_TEST

int main(void)
{
    if (!mkdtemp(cache)) return 1;
    Suite *suite = suite_create("towers");
    TCase *tc = tcase_create("towers");
    tcase_add_loop_test(tc, stages_are_the_official_ones, 0, MODELS);
    tcase_add_loop_test(tc, texts_are_the_official_ones, 0, MODELS);
    tcase_add_test(tc, blocks_are_the_official_ones);
    tcase_add_test(tc, bits_do_not_depend_on_threads_or_batch);
    tcase_add_test(tc, frames_that_are_clips);
    tcase_add_test(tc, equal_frames_share_tokens);
    tcase_add_test(tc, wrong_use_is_refused);
    tcase_add_loop_test(tc, narrow_precisions_are_near_and_repeatable, 0, 2);
#ifdef HAVE_COUNTER
    tcase_add_loop_test(tc, a_warm_pass_allocates_nothing, KS_FP32, KS_INT8 + 1);
#endif
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", cache);
    return system(command) != 0 || failed ? 1 : 0;
}
