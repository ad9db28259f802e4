/* test_gpu.c - the towers on a GPU (here Mesa's lavapipe, which is one in all but speed): every
 * stage of every fixture, bits that depend on no batch, and a device that fails at any call.
 * KS_GPU_FAULTS=all fails every single call instead of each one's first, middle and last. */
#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encoder/encoder.h"
#include "tests/fixture_read.h"
#include "tests/gpu_encoders.h"

/* --- every stage --- */

static const struct {
    const char *model, *reference;
} models[] = {{"lvt.npz", "lvt"},           {"small.npz", "small"},
              {"small_f2.npz", "small_f2"}, {"hybrid.npz", "hybrid"},
              {"noaux.npz", "noaux"},       {"small_hf/model.safetensors", "small"},
              {"encoder.npz", "encoder"},   {"classifier.npz", "classifier"}};
enum { MODELS = sizeof models / sizeof *models };

typedef struct {
    ks_encoder *gpu, *narrow; /* narrow: our bf16 on the CPU; NULL: it has none */
    const ks_fixture *f;
    int exact; /* fp32 weights on the GPU */
    int checked;
    double worst; /* distance over bound */
} judge;

/* The bound of bf16: 1.5 times what ours on the CPU is away; a CPU without it, 2 % of the scale,
 * some three times what it is where there is one. */
static double bound_of(const judge *j, const char *name, const float *narrow)
{
    const ks_fixture_array *want = ks_fixture_get(j->f, name);
    if (j->exact) return 4 * ks_fixture_bound(j->f, name);
    return narrow ? 1.5 * ks_fixture_far(narrow, want) : 0.02 * ks_fixture_scale(want);
}

static void judge_one(judge *j, const char *name, const float *got, const float *narrow)
{
    double far = ks_fixture_far(got, ks_fixture_get(j->f, name)), bound = bound_of(j, name, narrow);
    j->worst = fmax(j->worst, far / bound);
    ck_assert_msg(far <= bound, "%s is %g from float64, the bound is %g", name, far, bound);
    j->checked++;
}

static void judge_stages(judge *j, const ks_fixture_clip *c)
{
    static const char *const names[] = {"spatial", "spatiotemporal", "auxiliary",
                                        "frames",  "global",         "logits"};
    ks_clip_pixels px = {.px = c->is_float ? (const void *)c->floats : c->bytes,
                         .is_float = c->is_float,
                         .T = c->T,
                         .side = c->side,
                         .paddings = c->paddings};
    for (int stage = KS_STAGE_SPATIAL; stage <= KS_STAGE_LOGITS; stage++) {
        char name[160];
        float *got = NULL, *narrow = NULL;
        int64_t dims[2];
        ks_error e = {0};
        snprintf(name, sizeof name, "%s/%s", c->name, names[stage]);
        if (!ks_fixture_find(j->f, name)) continue;
        ck_assert_msg(ks_features(&got, dims, j->gpu, (ks_stage)stage, &px, &e) == 0, "%s", e.msg);
        if (j->narrow)
            ck_assert_int_eq(ks_features(&narrow, dims, j->narrow, (ks_stage)stage, &px, &e), 0);
        judge_one(j, name, got, narrow);
        free(got);
        free(narrow);
    }
}

static void judge_texts(judge *j)
{
    float v[64], narrow[64];
    ks_error e = {0};
    for (int i = 0; i < j->f->n; i++) {
        const char *name = j->f->at[i].name, *slash = strstr(name, "/vector");
        if (strncmp(name, "text_", 5) != 0 || !slash || slash[7] != '\0') continue;
        char key[200];
        int32_t ids[KS_TEXT_MAX];
        snprintf(key, sizeof key, "%.*s/ids", (int)(slash - name), name);
        const ks_fixture_array *a = ks_fixture_get(j->f, key);
        for (int64_t k = 0; k < a->count; k++) ids[k] = (int32_t)a->x[k];
        ck_assert_int_eq(ks_ids_vector(v, j->gpu, ids, (int)a->count, &e), 0);
        if (j->narrow)
            ck_assert_int_eq(ks_ids_vector(narrow, j->narrow, ids, (int)a->count, &e), 0);
        judge_one(j, name, v, j->narrow ? narrow : NULL);
    }
}

/* _i: model, and for the second half fp32 weights */
START_TEST(stages_are_the_official_ones)
{
    char path[160];
    const char *model = models[_i % MODELS].model;
    judge j = {.exact = _i >= MODELS};
    between_reset();
    snprintf(path, sizeof path, "tests/fixtures/%s.ref.npz", models[_i % MODELS].reference);
    ks_fixture *f = ks_fixture_open(path);
    j.f = f;
    j.gpu = gpu_of(model, j.exact ? KS_FP32 : KS_AUTO);
    j.narrow = j.exact ? NULL : cpu_of(model, KS_BF16);
    long before = between.dispatches;
    for (int i = 0; i < ks_fixture_clips(f); i++) {
        ks_fixture_clip *clip = ks_fixture_clip_at(f, i);
        judge_stages(&j, clip);
        ks_fixture_clip_free(clip);
    }
    judge_texts(&j);
    printf("%s, %s: %d stages, at worst %.2f of the bound\n", model, j.exact ? "fp32" : "bf16",
           j.checked, j.worst);
    ck_assert_int_ge(j.checked, 3);
    ck_assert_int_gt(between.dispatches - before, 10 * j.checked / 2);
    ck_assert_msg(notices.n == 0, "%s", notices.last);
    ks_encoder_close(j.gpu);
    ks_encoder_close(j.narrow);
    ks_fixture_close(f);
}
END_TEST

/* --- same input, same bits --- */

enum { FRAMES = 9, D = 16 };

START_TEST(bits_do_not_depend_on_batch_or_order)
{
    static uint8_t px[FRAMES * SIDE * SIDE * 3], back[sizeof px];
    float v[D], frames[FRAMES * D], w[D], other[FRAMES * D];
    size_t bytes = SIDE * SIDE * 3;
    between_reset();
    ks_fixture_pixels(px, 26, FRAMES, SIDE);
    for (int i = 0; i < FRAMES; i++)
        memcpy(back + (size_t)(FRAMES - 1 - i) * bytes, px + (size_t)i * bytes, bytes);
    ks_encoder *enc = gpu_of("lvt.npz", KS_AUTO);
    clip_vectors(v, frames, enc, px, FRAMES, FRAMES);
    for (int at_once = 1; at_once <= FRAMES; at_once++) {
        clip_vectors(w, other, enc, px, FRAMES, at_once);
        ck_assert_mem_eq(v, w, sizeof v);
        ck_assert_mem_eq(frames, other, sizeof frames);
    }
    ks_tokens *ahead[FRAMES], *behind[FRAMES];
    tokens_of(ahead, enc, px, FRAMES, 4);
    tokens_of(behind, enc, back, FRAMES, 5);
    float got[FRAMES * D], turned[FRAMES * D];
    ks_error e = {0};
    for (int i = 0; i < FRAMES; i++) { /* one frame by itself: its tokens decide */
        ck_assert_int_eq(ks_clip_vector(got + i * D, NULL, enc, &ahead[i], 1, &e), 0);
        ck_assert_int_eq(ks_clip_vector(turned + i * D, NULL, enc, &behind[FRAMES - 1 - i], 1, &e),
                         0);
    }
    ck_assert_mem_eq(got, turned, sizeof got);
    for (int i = 0; i < FRAMES; i++) {
        ks_tokens_free(ahead[i]);
        ks_tokens_free(behind[i]);
    }
    ck_assert_int_eq(notices.n, 0);
    ks_encoder_close(enc);
}
END_TEST

static double apart(const float *a, const float *b, int n)
{
    double aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < n; i++) {
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
        ab += (double)a[i] * b[i];
    }
    return 1 - ab / sqrt(aa * bb);
}

/* Every length, against the CPU in fp32; fp32 weights, so that what is left is a mistake. */
START_TEST(clips_of_1_to_64_frames)
{
    static uint8_t px[64 * SIDE * SIDE * 3];
    float v[D], w[D], frames[64 * D], other[64 * D];
    double worst = 0;
    between_reset();
    ks_fixture_pixels(px, 64, 64, SIDE);
    ks_encoder *enc = gpu_of("lvt.npz", KS_FP32), *cpu = cpu_of("lvt.npz", KS_FP32);
    for (int T = 1; T <= 64; T++) {
        clip_vectors(v, frames, enc, px, T, T);
        clip_vectors(w, other, cpu, px, T, T);
        worst = fmax(worst, apart(v, w, D));
        for (int t = 0; t < T; t++) worst = fmax(worst, apart(frames + t * D, other + t * D, D));
    }
    printf("clips of 1 to 64 frames: 1 - cos %.2g at worst\n", worst);
    ck_assert_double_lt(worst, 1e-9);
    ck_assert_int_eq(notices.n, 0);
    ks_encoder_close(enc);
    ks_encoder_close(cpu);
}
END_TEST

/* Odd sizes, and every pattern of paddings, that of nothing but paddings too. */
START_TEST(sizes_and_paddings)
{
    static uint8_t px[4 * 126 * 126 * 3];
    ks_error e = {0};
    double worst = 0;
    between_reset();
    ks_encoder *enc = gpu_of("lvt.npz", KS_FP32), *cpu = cpu_of("lvt.npz", KS_FP32);
    for (int side = 18; side <= 126; side += 18)
        for (int pattern = 0; pattern < 16; pattern += side == 54 ? 1 : 5) {
            float paddings[4], *got, *want;
            int64_t dims[2];
            for (int t = 0; t < 4; t++) paddings[t] = (float)(pattern >> t & 1);
            ks_fixture_pixels(px, (uint64_t)(side + pattern), 4, side);
            ks_clip_pixels clip = {.px = px, .T = 4, .side = side, .paddings = paddings};
            ck_assert_int_eq(ks_features(&got, dims, enc, KS_STAGE_AUXILIARY, &clip, &e), 0);
            ck_assert_int_eq(ks_features(&want, dims, cpu, KS_STAGE_AUXILIARY, &clip, &e), 0);
            for (int64_t r = 0; r < dims[0]; r++)
                worst = fmax(worst, apart(got + r * D, want + r * D, D));
            free(got);
            free(want);
        }
    printf("sizes and paddings: 1 - cos of a row %.2g at worst\n", worst);
    ck_assert_double_lt(worst, 1e-8);
    ck_assert_int_eq(notices.n, 0);
    ks_encoder_close(enc);
    ks_encoder_close(cpu);
}
END_TEST

START_TEST(texts_of_0_to_64_tokens)
{
    float v[D], w[D];
    int32_t ids[KS_TEXT_MAX];
    ks_error e = {0};
    double worst = 0;
    between_reset();
    ks_encoder *enc = gpu_of("lvt.npz", KS_FP32), *cpu = cpu_of("lvt.npz", KS_FP32);
    for (int n = 0; n <= KS_TEXT_MAX; n++) {
        for (int i = 0; i < n; i++) ids[i] = (i * 7 + n) % 40;
        ck_assert_int_eq(ks_ids_vector(v, enc, ids, n, &e), 0);
        ck_assert_int_eq(ks_ids_vector(w, cpu, ids, n, &e), 0);
        worst = fmax(worst, apart(v, w, D));
    }
    printf("texts of 0 to 64 tokens: 1 - cos %.2g at worst\n", worst);
    ck_assert_double_lt(worst, 1e-9);
    ck_assert_int_eq(notices.n, 0);
    ks_encoder_close(enc);
    ks_encoder_close(cpu);
}
END_TEST

/* --- packs --- */

static int is_there(char *path, size_t room, const char *pattern)
{
    char whole[200];
    glob_t found;
    snprintf(whole, sizeof whole, "%s/%s", cache, pattern);
    int n = glob(whole, 0, NULL, &found) == 0 ? (int)found.gl_pathc : 0;
    if (n > 0) snprintf(path, room, "%s", found.gl_pathv[0]);
    globfree(&found);
    return n;
}

static void vectors_of(float v[D], const uint8_t *px, int notices_at_most)
{
    float frames[4 * D];
    ks_encoder *enc;
    ks_error e = {0};
    ck_assert_msg(open_as(&enc, "lvt.npz", "gpu", KS_AUTO, &e) == 0, "%s", e.msg);
    clip_vectors(v, frames, enc, px, 4, 4);
    ck_assert_int_le(notices.n, notices_at_most);
    ks_encoder_close(enc);
}

/* The next open takes what is there, and a pack that rots is made anew. */
START_TEST(weights_are_packed_once)
{
    static uint8_t px[4 * SIDE * SIDE * 3];
    float v[D], w[D];
    char pack[300], byte, usual[sizeof cache], command[64];
    struct stat before, after;
    between_reset();
    memcpy(usual, cache, sizeof cache);
    snprintf(cache, sizeof cache, "/tmp/ks-gpu-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(cache));
    ks_fixture_pixels(px, 11, 4, SIDE);
    vectors_of(v, px, 0);
    ck_assert_int_eq(is_there(pack, sizeof pack, "*.text.gpu-fp16.1"), 1);
    ck_assert_int_eq(is_there(pack, sizeof pack, "*.video.gpu-fp16.1"), 1);
    ck_assert_int_eq(stat(pack, &before), 0);
    vectors_of(w, px, 0);
    ck_assert_mem_eq(v, w, sizeof v);
    ck_assert_int_eq(stat(pack, &after), 0);
    ck_assert(before.st_ino == after.st_ino);
    int fd = open(pack, O_RDWR);
    ck_assert_int_eq(pread(fd, &byte, 1, before.st_size - 5000), 1);
    byte ^= 64;
    ck_assert_int_eq(pwrite(fd, &byte, 1, before.st_size - 5000), 1);
    close(fd);
    vectors_of(w, px, 1);
    ck_assert_mem_eq(v, w, sizeof v);
    ck_assert_int_eq(stat(pack, &after), 0);
    ck_assert(before.st_ino != after.st_ino);
    snprintf(command, sizeof command, "rm -rf %s", cache);
    ck_assert_int_eq(system(command), 0);
    memcpy(cache, usual, sizeof cache);
}
END_TEST

/* --- other devices --- */

/* The least shared memory that Vulkan allows, and half of what attention would like. */
START_TEST(small_shared_memory)
{
    static uint8_t px[4 * SIDE * SIDE * 3];
    float v[D], w[D], frames[4 * D], other[4 * D];
    between_reset();
    ks_fixture_pixels(px, 5, 4, SIDE);
    between.shared = 16384;
    ks_encoder *enc = gpu_of("lvt.npz", KS_FP32), *cpu = cpu_of("lvt.npz", KS_FP32);
    clip_vectors(v, frames, enc, px, 4, 4);
    clip_vectors(w, other, cpu, px, 4, 4);
    ck_assert_double_lt(apart(v, w, D), 1e-9);
    ck_assert_int_eq(notices.n, 0);
    ks_encoder_close(enc);
    between.shared = 2048; /* no device says so: none of our tiles fits */
    ks_error e = {0};
    ck_assert_int_eq(open_as(&enc, "lvt.npz", "gpu", KS_FP32, &e), KS_ENOTFOUND);
    ck_assert_msg(strstr(e.msg, "too small"), "%s", e.msg);
    ks_encoder_close(cpu);
}
END_TEST

/* Less and less memory: smaller batches with the same bits, and at last the CPU. */
START_TEST(little_memory)
{
    static uint8_t px[FRAMES * SIDE * SIDE * 3];
    float v[D], w[D], frames[FRAMES * D], other[FRAMES * D], cpu[D];
    int gpu = 0, given_up = 0;
    between_reset();
    ks_fixture_pixels(px, 6, FRAMES, SIDE);
    ks_encoder *enc = gpu_of("lvt.npz", KS_AUTO), *plain = cpu_of("lvt.npz", KS_FP32);
    clip_vectors(v, frames, enc, px, FRAMES, FRAMES);
    clip_vectors(cpu, other, plain, px, FRAMES, FRAMES);
    ks_encoder_close(enc);
    for (VkDeviceSize room = 4 << 20; room > 4096; room = room * 4 / 5) {
        ks_error e = {0};
        between_reset();
        between.budget = room;
        ck_assert_msg(open_as(&enc, "lvt.npz", "gpu", KS_AUTO, &e) == 0, "%s", e.msg);
        clip_vectors(w, other, enc, px, FRAMES, FRAMES);
        if (notices.n == 0) {
            ck_assert_mem_eq(v, w, sizeof v);
            ck_assert_mem_eq(frames, other, sizeof frames);
            gpu++;
        } else {
            ck_assert_msg(strstr(notices.last, "this CPU"), "%s", notices.last);
            ck_assert_double_lt(apart(w, cpu, D), 5e-3);
            given_up++;
        }
        ks_encoder_close(enc);
    }
    printf("little memory: %d times on the GPU, %d times given up\n", gpu, given_up);
    ck_assert_int_gt(gpu, 2);
    ck_assert_int_gt(given_up, 2);
    ks_encoder_close(plain);
}
END_TEST

/* --- faults --- */

enum { SMALL = 12, SMALL_FRAMES = 3 };

typedef struct {
    float v[SMALL], frames[SMALL_FRAMES * SMALL], text[SMALL];
} answers;

/* A clip and a sentence, twice each; 0 where opening is refused. */
static int answers_of(answers *a, const char *device)
{
    static uint8_t px[SMALL_FRAMES * SIDE * SIDE * 3];
    ks_encoder *enc;
    ks_error e = {0};
    if (open_as(&enc, "small.npz", device, KS_AUTO, &e) != 0) return 0;
    ks_fixture_pixels(px, 7, SMALL_FRAMES, SIDE);
    for (int round = 0; round < 2; round++) {
        clip_vectors(a->v, a->frames, enc, px, SMALL_FRAMES, 2);
        ck_assert_msg(ks_ids_vector(a->text, enc, (int32_t[]){3, 1, 4, 1, 5}, 5, &e) == 0, "%s",
                      e.msg);
    }
    ks_encoder_close(enc);
    return 1;
}

static void near(const answers *a, const answers *b, const char *call, long at)
{
    double far = fmax(apart(a->v, b->v, SMALL), apart(a->text, b->text, SMALL));
    for (int t = 0; t < SMALL_FRAMES; t++)
        far = fmax(far, apart(a->frames + t * SMALL, b->frames + t * SMALL, SMALL));
    ck_assert_msg(far < 5e-3, "%s failed at call %ld: %g from the right answer", call, at, far);
}

static int fail_once(const answers *gpu, const answers *cpu, int call, long at, VkResult with)
{
    answers got;
    between_reset();
    between.fails = call;
    between.at = at;
    between.with = with;
    ck_assert_msg(answers_of(&got, "gpu"), "%s failed at call %ld: nothing was opened",
                  between_names[call], at);
    near(&got, cpu, between_names[call], at);
    if (notices.n == 0) ck_assert_mem_eq(&got, gpu, sizeof got);
    else ck_assert_msg(strstr(notices.last, "this CPU"), "%s", notices.last);
    ck_assert_int_le(notices.n, 1);
    return notices.n;
}

/* Every failure ends in a notice and the right answer, or is not seen at all. */
START_TEST(any_call_may_fail)
{
    const char *every = getenv("KS_GPU_FAULTS");
    long n[CALLS];
    answers gpu, cpu;
    between_reset();
    ck_assert(answers_of(&cpu, "cpu"));
    ck_assert(answers_of(&gpu, "gpu"));
    between_reset();
    ck_assert(answers_of(&gpu, "gpu")); /* proven by now: what is counted is the work alone */
    ck_assert_int_eq(notices.n, 0);
    memcpy(n, between.calls, sizeof n);
    for (int call = 0; call < CALLS; call++) {
        long step = every || n[call] < 3 ? 1 : (n[call] - 1) / 2;
        int said = 0;
        ck_assert_int_gt(n[call], 0);
        for (long at = 1; at <= n[call]; at += step) {
            if (every || at % 2) said += fail_once(&gpu, &cpu, call, at, VK_ERROR_DEVICE_LOST);
            if (every || at % 2 == 0)
                said += fail_once(&gpu, &cpu, call, at, VK_ERROR_OUT_OF_DEVICE_MEMORY);
        }
        printf("%s: %ld calls, %d notices\n", between_names[call], n[call], said);
        fflush(stdout);
        ck_assert_int_gt(said, 0);
    }
}
END_TEST

/* Less memory is asked for where there is none, and no call is made again: a fence that was not
 * reset would say at once that the next work is done. */
START_TEST(no_memory_for_a_fence)
{
    answers gpu, cpu;
    between_reset();
    ck_assert(answers_of(&cpu, "cpu"));
    ck_assert(answers_of(&gpu, "gpu"));
    for (int at = 1; at <= 12; at++) {
        fail_once(&gpu, &cpu, AT_ResetFences, at, VK_ERROR_OUT_OF_DEVICE_MEMORY);
        fail_once(&gpu, &cpu, AT_WaitForFences, at, VK_ERROR_OUT_OF_HOST_MEMORY);
    }
}
END_TEST

/* A fence that is late is waited for once more; one that never comes ends the GPU's part. */
START_TEST(a_device_that_hangs)
{
    answers gpu, cpu, got;
    between_reset();
    ck_assert(answers_of(&cpu, "cpu"));
    ck_assert(answers_of(&gpu, "gpu"));
    for (int times = 1; times <= 2; times++) {
        between_reset();
        between.fails = AT_WaitForFences;
        between.at = 12;
        between.times = times;
        between.with = VK_TIMEOUT;
        ck_assert(answers_of(&got, "gpu"));
        near(&got, &cpu, "vkWaitForFences", 12);
        ck_assert_int_eq(notices.n, times - 1);
        if (times == 1) ck_assert_mem_eq(&got, &gpu, sizeof got);
        else ck_assert_msg(strstr(notices.last, "does not answer"), "%s", notices.last);
    }
}
END_TEST

/* --- wrong shaders --- */

static uint32_t bits_of(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

/* What is wrong, and that the proof says so, and where. */
static const struct {
    const char *what;
    float constant, instead;
    int short_by;
} wrong[] = {{"GELU overflows", 0.5f, 1e38f, 0},
             {"the cap is 30", 50.0f, 30.0f, 0},
             {"a LayerNorm's epsilon is large", 1e-6f, 0.1f, 0},
             {"erf is wrong near 0", 1.061405429f, 0.5f, 0},
             {"one work group is left out", 0, 0, 1}};
enum { WRONG = sizeof wrong / sizeof *wrong };

static void plant(int i)
{
    between.word = wrong[i].constant != 0 ? bits_of(wrong[i].constant) : 0;
    between.by = bits_of(wrong[i].instead);
    between.short_by = wrong[i].short_by;
}

START_TEST(the_proof_catches_a_wrong_shader)
{
    ks_encoder *enc, *cpu;
    static uint8_t px[4 * SIDE * SIDE * 3];
    float v[D], w[D], frames[4 * D];
    char fresh[] = "/tmp/ks-gpu-XXXXXX", command[64];
    ks_error e = {0};
    ks_fixture_pixels(px, 8, 4, SIDE);
    ck_assert_ptr_nonnull(mkdtemp(fresh));
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .device = "gpu",
                            .threads = 2,
                            .cache = fresh,
                            .notice = noticed};
    between_reset();
    plant(_i);
    notices.n = 0;
    ck_assert_msg(ks_encoder_open(&enc, &o, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(notices.n, 1);
    printf("%s: %s\n", wrong[_i].what, notices.last);
    ck_assert_msg(strstr(notices.last, "not the CPU's answers ("), "%s", notices.last);
    /* in the same cache: what this CPU is faster in was measured there */
    o.device = "cpu";
    ck_assert_int_eq(ks_encoder_open(&cpu, &o, &e), 0);
    o.device = "gpu";
    clip_vectors(v, frames, enc, px, 4, 4);
    clip_vectors(w, frames, cpu, px, 4, 4);
    ck_assert_mem_eq(v, w, sizeof v);
    ks_encoder_close(enc);
    ck_assert_int_eq(ks_encoder_open(&enc, &o, &e), 0); /* and it is remembered */
    ck_assert_int_eq(notices.n, 2);
    ks_encoder_close(enc);
    ks_encoder_close(cpu);
    snprintf(command, sizeof command, "rm -rf %s", fresh);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* A device that goes wrong after it was proven: the sample finds it, and says so. */
START_TEST(the_sample_catches_a_device_that_goes_wrong)
{
    static uint8_t px[2 * SIDE * SIDE * 3];
    const uint8_t *at[2] = {px, px + SIDE * SIDE * 3};
    float v[SMALL], w[SMALL], exact[SMALL];
    ks_tokens *tokens[2];
    ks_error e = {0};
    int calls = 0;
    between_reset();
    ks_fixture_pixels(px, 9, 2, SIDE);
    ks_encoder *enc = gpu_of("small.npz", KS_AUTO), *cpu = cpu_of("small.npz", KS_AUTO);
    ck_assert_int_eq(ks_frames_tokens(tokens, enc, at, 2, SIDE, &e), 0);
    ck_assert_int_eq(ks_clip_vector(exact, NULL, enc, tokens, 2, &e), 0);
    between.short_by = 1;
    for (; calls < 2000 && notices.n == 0; calls++)
        ck_assert_int_eq(ks_clip_vector(v, NULL, enc, tokens, 2, &e), 0);
    printf("after %d clips: %s\n", calls, notices.last);
    ck_assert_int_eq(notices.n, 1);
    ck_assert_msg(strstr(notices.last, "a clip that this CPU computed, too"), "%s", notices.last);
    ck_assert_int_eq(ks_clip_vector(w, NULL, cpu, tokens, 2, &e), 0);
    ck_assert_mem_eq(v, w, sizeof v); /* the clip that was found is right, as are those after it */
    ks_tokens_free(tokens[0]);
    ks_tokens_free(tokens[1]);
    ks_encoder_close(enc);
    ks_encoder_close(cpu);
}
END_TEST

/* A sentence's vector is believed once one of its call's is the CPU's. */
START_TEST(a_sentence_of_a_device_that_goes_wrong)
{
    float v[SMALL], w[SMALL];
    ks_error e = {0};
    ks_gpu_trust t;
    between_reset();
    ks_encoder *enc = gpu_of("small.npz", KS_AUTO), *cpu = cpu_of("small.npz", KS_AUTO);
    long before = between.dispatches;
    ck_assert_int_eq(ks_ids_vector(v, enc, (int32_t[]){3, 1, 4}, 3, &e), 0);
    ck_assert_int_gt(between.dispatches, before);
    ck_assert_int_eq(notices.n, 0);
    between.short_by = 1;
    ck_assert_int_eq(ks_ids_vector(v, enc, (int32_t[]){1, 5, 9}, 3, &e), 0);
    ck_assert_int_eq(ks_ids_vector(w, cpu, (int32_t[]){1, 5, 9}, 3, &e), 0);
    ck_assert_mem_eq(v, w, sizeof v);
    ck_assert_int_eq(notices.n, 1);
    printf("%s\n", notices.last);
    ck_assert_msg(strstr(notices.last, "a sentence that this CPU computed, too"), "%s",
                  notices.last);
    ks_gpu_trusted(&t, enc); /* its clips are as little to be believed */
    ck_assert(t.missed && !t.on_gpu);
    ks_encoder_close(enc);
    ks_encoder_close(cpu);
}
END_TEST

int main(void)
{
    if (!mkdtemp(cache)) return 1;
    Suite *suite = suite_create("gpu");
    TCase *tc = tcase_create("stages"), *same = tcase_create("same"),
          *faults = tcase_create("faults"), *wrongs = tcase_create("wrong");
    TCase *const all[] = {tc, same, faults, wrongs};
    tcase_add_loop_test(tc, stages_are_the_official_ones, 0, 2 * MODELS);
    tcase_add_test(same, bits_do_not_depend_on_batch_or_order);
    tcase_add_test(same, clips_of_1_to_64_frames);
    tcase_add_test(same, sizes_and_paddings);
    tcase_add_test(same, texts_of_0_to_64_tokens);
    tcase_add_test(same, weights_are_packed_once);
    tcase_add_test(same, small_shared_memory);
    tcase_add_test(faults, little_memory);
    tcase_add_test(faults, any_call_may_fail);
    tcase_add_test(faults, no_memory_for_a_fence);
    tcase_add_test(faults, a_device_that_hangs);
    tcase_add_loop_test(wrongs, the_proof_catches_a_wrong_shader, 0, WRONG);
    tcase_add_test(wrongs, the_sample_catches_a_device_that_goes_wrong);
    tcase_add_test(wrongs, a_sentence_of_a_device_that_goes_wrong);
    for (int i = 0; i < 4; i++) {
        tcase_set_timeout(all[i], 1200);
        suite_add_tcase(suite, all[i]);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", cache);
    return system(command) != 0 || failed ? 1 : 0;
}
