/* prog_gpu_sizes.c - a GPU at true sizes: every stage's distance from this CPU's fp32, beside that
 * of this CPU's bf16.
 *
 *   prog_gpu_sizes MODEL.npz [FRAMES]                 of a model (kinoseek model random)
 *   prog_gpu_sizes --thin D H F OUT.npz [FRAMES]      of one layer a stack, made first
 *
 * Exits 1 where the GPU is more than 1.5 times as far as bf16 at any stage, or where it was not
 * used. lavapipe takes half a minute of a core for one frame of LvT-B. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/encoder.h"

enum { STAGES = 160 };
typedef struct {
    char name[STAGES][64];
    float *x[STAGES];
    int64_t count[STAGES];
    int n;
} stages;

static void keep(void *arg, const char *name, const float *x, int64_t rows, int64_t cols)
{
    stages *s = arg;
    if (s->n == STAGES) return;
    snprintf(s->name[s->n], sizeof s->name[0], "%s", name);
    s->count[s->n] = rows * cols;
    s->x[s->n] = malloc((size_t)(rows * cols) * sizeof *x);
    if (!s->x[s->n]) exit(2);
    memcpy(s->x[s->n++], x, (size_t)(rows * cols) * sizeof *x);
}

static int failures;

static void notice(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "%s\n", sentence);
    failures++;
}

static void run(stages *s, const char *model, const char *device, ks_precision precision, int T)
{
    ks_error e = {0};
    ks_encoder *enc;
    ks_encoder_options o = {
        .model = model, .device = device, .precision = precision, .notice = notice};
    if (ks_encoder_open(&enc, &o, &e) < 0) goto failed;
    int side = ks_side(ks_encoder_info(enc));
    size_t bytes = (size_t)T * (size_t)side * (size_t)side * 3;
    uint8_t *px = malloc(bytes);
    float *got = NULL, *v = malloc((size_t)ks_encoder_info(enc)->dim * sizeof *v);
    int64_t dims[2];
    int32_t ids[KS_TEXT_MAX];
    if (!px || !v) exit(2);
    for (size_t i = 0; i < bytes; i++) px[i] = (uint8_t)((i * 2654435761u >> 13) + i / 997);
    for (int i = 0; i < 9; i++) ids[i] = i + 3;
    ks_clip_pixels clip = {.px = px, .T = T, .side = side};
    ks_encoder_tap(enc, keep, s);
    if (ks_features(&got, dims, enc, KS_STAGE_GLOBAL, &clip, &e) < 0) goto failed;
    keep(s, "global", got, dims[0], dims[1]);
    if (ks_ids_vector(v, enc, ids, 9, &e) < 0) goto failed;
    keep(s, "text vector", v, 1, ks_encoder_info(enc)->dim);
    ks_encoder_close(enc);
    free(px);
    free(got);
    free(v);
    return;
failed:
    fprintf(stderr, "%s\n", e.msg);
    exit(2);
}

static double far_of(const float *a, const float *b, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        double far = fabs((double)a[i] - (double)b[i]);
        most = far > most || isnan(far) ? far : most;
    }
    return most;
}

int main(int argc, char **argv)
{
    static stages exact, gpu, narrow;
    const char *model = argc > 1 ? argv[1] : "";
    int T = argc > 2 ? atoi(argv[2]) : 1;
    if (argc >= 6 && strcmp(model, "--thin") == 0) {
        ks_error e = {0};
        ks_info like = {.kind = KS_LVT,
                        .dim = atoi(argv[2]),
                        .heads = atoi(argv[3]),
                        .mlp = atoi(argv[4]),
                        .spatial = 1,
                        .temporal = 1,
                        .auxiliary = 1,
                        .text = 1,
                        .frames = 2,
                        .grid = 16,
                        .patch = 18,
                        .vocabulary = 64,
                        .dtype = "f4"};
        model = argv[5];
        T = argc > 6 ? atoi(argv[6]) : 1;
        if (ks_model_random(model, &like, 1, &e) < 0) {
            fprintf(stderr, "%s\n", e.msg);
            return 2;
        }
    }
    if (argc < 2 || T < 1) return 2;
    run(&exact, model, "cpu", KS_FP32, T);
    run(&narrow, model, "cpu", KS_BF16, T);
    run(&gpu, model, "gpu", KS_AUTO, T);
    for (int i = 0; i < exact.n; i++) {
        double a = far_of(gpu.x[i], exact.x[i], exact.count[i]),
               b = far_of(narrow.x[i], exact.x[i], exact.count[i]);
        printf("%-16s GPU %.3g, bf16 %.3g: %.2f\n", exact.name[i], a, b, a / b);
        failures += !(a <= 1.5 * b) && strcmp(exact.name[i], "patches") != 0 &&
                    strcmp(exact.name[i], "text_embedding") != 0;
    }
    return failures > 0;
}
