/* cmd_bench_encoder.c - `bench encoder`: a clip and a sentence against what this machine's
 * libraries reach. */
#include "cli/commands.h"
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    int json, rounds, frames;
} bench_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(bench_fields, json), NULL, "one JSON line"},
    {0, "rounds", KS_OPT_COUNT, offsetof(bench_fields, rounds), "N",
     "clips, each of other pictures; the best counts (3)"},
    {0, "frames", KS_OPT_COUNT, offsetof(bench_fields, frames), "N",
     "frames a clip (the model's own)"},
    {0},
};

static void defaults(void *fields) { ((bench_fields *)fields)->rounds = 3; }

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
    double wall, cpu; /* seconds; of one clip, of one sentence */
} span;

typedef struct {
    span clip, text; /* best of the rounds */
    /* GFLOP/s of the best library at this model's products, best of the rounds */
    double limit;
    double work; /* GFLOP of a clip, counted as the reference computes it */
    int T, side, threads;
    ks_gpu_limits gpu; /* name "": this CPU computes */
} figures;

static void keep(span *best, double wall, double cpu)
{
    best->wall = best->wall > 0 && best->wall < wall ? best->wall : wall;
    best->cpu = best->cpu > 0 && best->cpu < cpu ? best->cpu : cpu;
}

/* Noise: pictures that share nothing. */
static void draw(uint8_t *px, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        px[i] = (uint8_t)(seed >> 56);
    }
}

static int clip(figures *f, ks_encoder *enc, uint8_t *px, int round, ks_error *e)
{
    const ks_info *info = ks_encoder_info(enc);
    size_t bytes = (size_t)f->side * (size_t)f->side * 3;
    float *v = malloc((size_t)info->dim * sizeof *v);
    const uint8_t **at = malloc((size_t)f->T * sizeof *at);
    ks_tokens **tokens = calloc((size_t)f->T, sizeof *tokens);
    int err = v && at && tokens ? 0 : ks_fail(e, KS_ENOMEM, "no memory for %d frames", f->T);
    draw(px, bytes * (size_t)f->T, (uint64_t)round);
    for (int i = 0; i < f->T && !err; i++) at[i] = px + (size_t)i * bytes;
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (!err) err = ks_frames_tokens(tokens, enc, at, f->T, f->side, e);
    if (!err) err = ks_clip_vector(v, NULL, enc, tokens, f->T, e);
    if (!err)
        keep(&f->clip, seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    for (int i = 0; i < f->T && tokens; i++) ks_tokens_free(tokens[i]);
    free(tokens);
    free(at);
    free(v);
    return err;
}

enum { SENTENCE = 8, SENTENCES = 20 }; /* 9 rows with the class token */

static int texts(figures *f, ks_encoder *enc, int round, ks_error *e)
{
    const ks_info *info = ks_encoder_info(enc);
    float *v = malloc((size_t)info->dim * sizeof *v);
    int err = v ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a vector");
    for (int i = 0; i < SENTENCES && !err; i++) {
        int32_t ids[SENTENCE];
        for (int k = 0; k < SENTENCE; k++)
            ids[k] = (int32_t)((round * 1009 + i * 131 + k * 17) % info->vocabulary);
        double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        err = ks_ids_vector(v, enc, ids, SENTENCE, e);
        if (!err)
            keep(&f->text, seconds(CLOCK_MONOTONIC) - wall,
                 seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    }
    free(v);
    return err;
}

static int measure(figures *f, ks_encoder *enc, const bench_fields *o, ks_error *e)
{
    const ks_info *info = ks_encoder_info(enc);
    uint8_t *px = malloc((size_t)f->T * (size_t)f->side * (size_t)f->side * 3);
    int err = px ? 0 : ks_fail(e, KS_ENOMEM, "no memory for %d frames", f->T);
    for (int i = 0; i < o->rounds && !err; i++) {
        double limit = 0;
        ks_error none;
        if (i == 0 && ks_gpu_limits_of(&f->gpu, enc, &none) < 0) f->gpu.name[0] = 0;
        if (f->gpu.name[0]) f->limit = f->gpu.gflops;
        else if (ks_gemm_rate(&limit, enc, info->precision, &none) == 0 && limit > f->limit)
            f->limit = limit;
        if (i == 0) err = clip(&(figures){.T = f->T, .side = f->side}, enc, px, 1000, e); /* warm */
        if (!err) err = clip(f, enc, px, i, e);
        if (!err && info->text > 0) err = texts(f, enc, i, e);
    }
    free(px);
    return err;
}

static const char *precision_name(ks_precision p)
{
    static const char *const names[] = {"auto", "fp32", "bf16", "int8", "int16"};
    return names[p];
}

static void print_json(const figures *f, const ks_info *info)
{
    ks_json j;
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "bench", "encoder");
    ks_json_text(&j, "precision", precision_name(info->precision));
    ks_json_text(&j, "device", f->gpu.name[0] ? f->gpu.name : "cpu");
    ks_json_int(&j, "dim", info->dim);
    ks_json_int(&j, "frames", f->T);
    ks_json_int(&j, "side", f->side);
    ks_json_int(&j, "threads", f->threads);
    ks_json_number(&j, "gflop", f->work);
    ks_json_number(&j, "seconds", f->clip.wall);
    ks_json_number(&j, "cpu_seconds", f->clip.cpu);
    ks_json_number(&j, "gflops", f->work / f->clip.wall);
    ks_json_number(&j, "limit_gflops", f->limit);
    if (f->gpu.name[0]) ks_json_number(&j, "limit_gbytes", f->gpu.gbytes);
    ks_json_number(&j, "ratio", f->limit > 0 ? f->work / f->clip.wall / f->limit : 0);
    ks_json_number(&j, "cpu_ratio",
                   f->limit > 0 ? f->work / f->clip.cpu * f->threads / f->limit : 0);
    if (info->text > 0) {
        ks_json_number(&j, "text_seconds", f->text.wall);
        ks_json_number(&j, "text_cpu_seconds", f->text.cpu);
    }
    ks_json_close(&j);
}

static void print_text(const figures *f, const ks_info *info)
{
    printf("a clip of %d frames, %s, %d threads: %.3f s, %.0f GFLOP counted, %.0f GFLOP/s\n", f->T,
           precision_name(info->precision), f->threads, f->clip.wall, f->work,
           f->work / f->clip.wall);
    if (f->gpu.name[0])
        printf("%s: %.0f GFLOP/s in fp32 and %.1f GB/s to it at most; ratio %.2f\n", f->gpu.name,
               f->gpu.gflops, f->gpu.gbytes, f->work / f->clip.wall / f->limit);
    else if (f->limit > 0)
        printf("the best library here, at this model's products: %.0f GFLOP/s; ratio %.2f (%.2f by "
               "processor time: what it is "
               "when nothing else runs)\n",
               f->limit, f->work / f->clip.wall / f->limit,
               f->work / f->clip.cpu * f->threads / f->limit);
    if (info->text > 0)
        printf("a sentence of %d tokens: %.1f ms (%.1f ms of processor)\n", SENTENCE + 1,
               f->text.wall * 1e3, f->text.cpu * 1e3);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    bench_fields *o = fields;
    ks_encoder *enc = NULL;
    figures f = {0};
    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "it takes no words");
    o->rounds = o->rounds < 1 ? 1 : o->rounds;
    int err = ks_open_encoder(&enc, &g->setup, NULL, 0, KS_AUTO, e);
    if (err) return err;
    const ks_info *info = ks_encoder_info(enc);
    if (info->kind != KS_LVT)
        err = ks_fail(e, KS_EUSAGE, "this model gives no video vector: it is not an LvT model");
    f.T = o->frames > 0 ? o->frames : info->frames;
    f.side = ks_side(info);
    f.work = ks_clip_gflop(info, f.T, f.side);
    f.threads = ks_encoder_threads(enc);
    if (!err) err = measure(&f, enc, o, e);
    if (!err && o->json) print_json(&f, info);
    else if (!err) print_text(&f, info);
    ks_encoder_close(enc);
    return err;
}

extern const ks_command ks_cmd_bench_encoder;
const ks_command ks_cmd_bench_encoder = {
    .name = "bench encoder",
    .usage = "",
    .brief = "How fast clips and sentences become vectors here",
    .more = "  kinoseek bench encoder -m lvt-base --precision bf16\n"
            "The limit is the rate of oneDNN or OpenBLAS, whichever is faster, at this\n"
            "model's own products, in the same run; with --device gpu, that of the GPU\n"
            "in fp32.",
    .options = options,
    .fields = sizeof(bench_fields),
    .defaults = defaults,
    .alone = 1,
    .run = run,
};
