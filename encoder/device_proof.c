/* device_proof.c - a GPU against this CPU in fp32, stage by stage. See device.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/device.h"

double ks_apart(const float *a, const float *b, int64_t n)
{
    double aa = 0, bb = 0, ab = 0;
    for (int64_t i = 0; i < n; i++) {
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
        ab += (double)a[i] * b[i];
    }
    return aa > 0 && bb > 0 && isfinite(aa) && isfinite(bb) ? 1 - ab / sqrt(aa * bb) : 2;
}

/* --- stages, by the tap --- */

enum { STAGES = 160, FRAMES = 2 };

typedef struct {
    char name[64];
    float *x;
    int64_t rows, cols;
} stage;

typedef struct {
    stage at[STAGES];
    int n, seen; /* kept of the CPU; seen of the GPU */
    char failed[64];
} stages;

static void keep(void *arg, const char *name, const float *x, int64_t rows, int64_t cols)
{
    stages *s = arg;
    if (s->n == STAGES) return;
    stage *to = &s->at[s->n++];
    size_t bytes = (size_t)rows * (size_t)cols * sizeof *x;
    snprintf(to->name, sizeof to->name, "%s", name);
    to->x = malloc(bytes);
    to->rows = rows;
    to->cols = cols;
    if (to->x) memcpy(to->x, x, bytes);
}

static void compare(void *arg, const char *name, const float *x, int64_t rows, int64_t cols)
{
    stages *s = arg;
    const stage *want = s->seen < s->n ? &s->at[s->seen] : NULL;
    s->seen++;
    if (s->failed[0]) return;
    int same = want && want->x && strcmp(want->name, name) == 0 && want->rows == rows &&
               want->cols == cols;
    for (int64_t r = 0; r < rows && same; r++)
        same = ks_apart(x + r * cols, want->x + r * cols, cols) <= KS_APART;
    if (!same) snprintf(s->failed, sizeof s->failed, "%s", name);
}

static void drop(stages *s)
{
    for (int i = 0; i < s->n; i++) free(s->at[i].x);
    free(s);
}

/* --- what is computed --- */

typedef struct {
    ks_encoder *enc, *exact; /* exact: fp32 on the CPU */
    ks_gpu_proof *proof;
    uint8_t *px; /* [T, side, side, 3] */
    int T, side;
    ks_error *e;
} trial;

static int fail_at(trial *t, const char *name)
{
    t->proof->good = 0;
    snprintf(t->proof->stage, sizeof t->proof->stage, "%s", name);
    return 1;
}

/* Noise, and shades: pictures whose patches differ. */
static void draw(uint8_t *px, size_t n)
{
    uint64_t state = 26;
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        px[i] = (uint8_t)(((state >> 57) + i / 401) & 255);
    }
}

static ks_stage last_stage(const ks_info *info)
{
    return info->kind == KS_ENCODER ? KS_STAGE_SPATIOTEMPORAL
           : info->kind == KS_LVT   ? KS_STAGE_GLOBAL
                                    : KS_STAGE_LOGITS;
}

static int features(float **x, int64_t dims[2], const trial *t, ks_encoder *enc, int T)
{
    ks_clip_pixels clip = {.px = t->px, .T = T, .side = t->side};
    return ks_features(x, dims, enc, last_stage(&enc->info), &clip, t->e);
}

/* 0; 1 with the proof's stage; or an error. */
static int try_stages(trial *t)
{
    float *want = NULL, *got = NULL;
    int64_t dims[2];
    stages *s = calloc(1, sizeof *s);
    if (!s) return ks_fail(t->e, KS_ENOMEM, "no memory to prove a GPU");
    ks_encoder_tap(t->exact, keep, s);
    int err = features(&want, dims, t, t->exact, FRAMES);
    ks_encoder_tap(t->exact, NULL, NULL);
    ks_encoder_tap(t->enc, compare, s);
    if (!err) err = features(&got, dims, t, t->enc, FRAMES);
    ks_encoder_tap(t->enc, NULL, NULL);
    if (!err && (s->failed[0] || s->seen != s->n))
        err = fail_at(t, s->failed[0] ? s->failed : "number of stages");
    for (int64_t r = 0; r < dims[0] && !err; r++)
        if (ks_apart(want + r * dims[1], got + r * dims[1], dims[1]) > KS_APART)
            err = fail_at(t, "the clip's vector");
    free(want);
    free(got);
    drop(s);
    return err;
}

/* Who computes. */
typedef struct {
    ks_encoder *enc;
    const ks_towers *by;
} worker;

static int pictures_tokens(ks_tokens **to, const trial *t, const worker *w, int first, int n)
{
    ks_picture *pictures = calloc((size_t)n, sizeof *pictures);
    if (!pictures) return ks_fail(t->e, KS_ENOMEM, "no memory to prove a GPU");
    for (int i = 0; i < n; i++)
        pictures[i] = (ks_picture){.px = t->px + (size_t)(first + i) * (size_t)t->side *
                                                     (size_t)t->side * 3,
                                   .G = t->side / t->enc->info.patch,
                                   .P = t->enc->info.patch};
    int err = w->by->tokens(to, w->enc, pictures, NULL, n, t->e);
    free(pictures);
    return err;
}

static void free_tokens(ks_tokens **tokens, int n)
{
    for (int i = 0; i < n; i++) ks_tokens_free(tokens[i]);
    free(tokens);
}

/* A clip of T frames as v[D] (or, without a pooler, its tokens' first row); frames `at_once`. */
static int clip_of(float *v, const trial *t, const worker *w, int at_once)
{
    const ks_info *info = &t->enc->info;
    size_t D = (size_t)info->dim, grid = (size_t)(t->side / info->patch);
    ks_tokens **tokens = calloc((size_t)t->T, sizeof *tokens);
    float *all = info->kind == KS_ENCODER ? malloc((size_t)t->T * grid * grid * D * sizeof *all)
                                          : NULL;
    int err = tokens && (all || info->kind != KS_ENCODER)
                  ? 0
                  : ks_fail(t->e, KS_ENOMEM, "no memory to prove a GPU");
    for (int i = 0; i < t->T && !err; i += at_once)
        err = pictures_tokens(tokens + i, t, w, i, t->T - i < at_once ? t->T - i : at_once);
    if (!err)
        err = w->by->clip(&(ks_clip_outputs){.global = all ? NULL : v, .spatiotemporal = all},
                          w->enc, tokens, t->T, t->e);
    if (!err && all) memcpy(v, all, D * sizeof *v);
    free(all);
    if (tokens) free_tokens(tokens, t->T);
    return err;
}

/* The same bits again and in another batch size; and how long both take. */
static int try_clip(trial *t)
{
    ks_encoder *enc = t->enc;
    size_t D = (size_t)enc->info.dim;
    float *v = malloc(3 * D * sizeof *v);
    int err = v ? 0 : ks_fail(t->e, KS_ENOMEM, "no memory to prove a GPU");
    double start = ks_monotonic(), took = 0;
    const worker gpu = {enc, &ks_gpu_towers}, cpu = {enc, &ks_cpu_towers},
                 exact = {t->exact, &ks_cpu_towers};
    if (!err) err = clip_of(v, t, &gpu, t->T);
    for (int i = 0; i < 2 && !err; i++) {
        start = ks_monotonic();
        err = clip_of(v + D, t, &gpu, i ? t->T : 1);
        took = ks_monotonic() - start;
        if (!err && memcmp(v, v + D, D * sizeof *v) != 0)
            err = fail_at(t, i ? "a second run" : "another batch size");
    }
    t->proof->seconds = took;
    for (int i = 0; i < 2 && !err; i++) {
        start = ks_monotonic();
        err = clip_of(v + 2 * D, t, &cpu, t->T);
        took = ks_monotonic() - start;
        if (took > 4) break;
    }
    t->proof->cpu_seconds = took;
    t->proof->gflops = ks_clip_gflop(&enc->info, t->T, t->side) / t->proof->seconds;
    if (!err) err = clip_of(v + 2 * D, t, &exact, t->T);
    if (!err && ks_apart(v, v + 2 * D, (int64_t)D) > KS_APART)
        err = fail_at(t, "a whole clip's vector");
    free(v);
    return err;
}

/* Five sentences of 1 to 64 ids, one by one, all at once, and on the CPU. */
static int try_texts(trial *t)
{
    static const int counts[] = {1, 5, 9, 33, KS_TEXT_MAX};
    enum { N = sizeof counts / sizeof *counts };
    ks_sentences all = {.n = 0}, one;
    size_t D = (size_t)t->enc->info.dim;
    float *v = malloc((2 * N + 1) * D * sizeof *v);
    if (!v) return ks_fail(t->e, KS_ENOMEM, "no memory to prove a GPU");
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < counts[i]; k++)
            all.ids[all.first[i] + k] = (i * 7919 + k * 104729) % t->enc->info.vocabulary;
        all.first[++all.n] = all.first[i] + counts[i] + 1;
    }
    int err = ks_gpu_towers.text(v, t->enc, &all, t->e);
    if (!err) err = ks_cpu_towers.text(v + N * D, t->exact, &all, t->e);
    for (size_t i = 0; i < N && !err; i++) {
        one = (ks_sentences){.n = 1, .first = {0, counts[i] + 1}};
        memcpy(one.ids, all.ids + all.first[i], (size_t)counts[i] * sizeof *one.ids);
        err = ks_gpu_towers.text(v + 2 * N * D, t->enc, &one, t->e);
        if (!err && memcmp(v + 2 * N * D, v + i * D, D * sizeof *v) != 0)
            err = fail_at(t, "a sentence by itself");
        if (!err && ks_apart(v + i * D, v + (N + i) * D, (int64_t)D) > KS_APART)
            err = fail_at(t, "a sentence");
    }
    free(v);
    return err;
}

int ks_gpu_prove(ks_gpu_proof *proof, ks_encoder *enc, const ks_encoder_options *o, ks_error *e)
{
    ks_encoder_options exact = *o;
    trial t = {.enc = enc, .proof = proof, .side = ks_side(&enc->info), .e = e};
    /* a device that is a CPU is used where it is asked for, however slow: no full clip of it */
    t.T = ks_gpu_is(enc->gpu)->is_cpu || enc->info.frames < FRAMES ? FRAMES : enc->info.frames;
    size_t bytes = (size_t)t.T * (size_t)t.side * (size_t)t.side * 3;
    *proof = (ks_gpu_proof){.known = 1, .good = 1};
    exact.precision = KS_FP32;
    exact.device = "cpu";
    exact.notice = NULL;
    int err = ks_encoder_open(&t.exact, &exact, e);
    if (!err && !(t.px = malloc(bytes))) err = ks_fail(e, KS_ENOMEM, "no memory to prove a GPU");
    if (!err) draw(t.px, bytes);
    const ks_towers *by = enc->by;
    enc->by = &ks_gpu_towers;
    if (!err && enc->towers & KS_TOWER_VIDEO) err = try_stages(&t);
    if (!err && enc->towers & KS_TOWER_TEXT) err = try_texts(&t);
    if (!err && enc->towers & KS_TOWER_VIDEO) err = try_clip(&t);
    enc->by = by;
    ks_encoder_close(t.exact);
    free(t.px);
    return err > 0 ? 0 : err;
}
