/* prog_gpu_sizes.c - a GPU at true sizes: every stage's distance from this CPU's fp32, beside that
 * of this CPU's bf16.
 *
 *   prog_gpu_sizes MODEL.npz [FRAMES]                 of a model (kinoseek model random)
 *   prog_gpu_sizes --thin D H F OUT.npz [FRAMES]      of one layer a stack, made first
 *
 * A stage's distance is its largest one, and 1 - cos of its worst row. Exits 1 where the GPU is
 * more than 1.5 times as far as bf16 at any stage by either, or where it was not used. lavapipe
 * takes half a minute of a core for one frame of LvT-B, and the proof of a first run eight. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/encoder.h"

enum { STAGES = 160 };
typedef struct {
    char name[STAGES][64];
    float *x[STAGES];
    int64_t rows[STAGES], cols[STAGES];
    int n;
} stages;

static void keep(void *arg, const char *name, const float *x, int64_t rows, int64_t cols)
{
    stages *s = arg;
    if (s->n == STAGES) return;
    snprintf(s->name[s->n], sizeof s->name[0], "%s", name);
    s->rows[s->n] = rows;
    s->cols[s->n] = cols;
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
    int lvt = ks_encoder_info(enc)->kind == KS_LVT;
    ks_stage last = lvt ? KS_STAGE_GLOBAL : KS_STAGE_SPATIOTEMPORAL;
    if (ks_features(&got, dims, enc, last, &clip, &e) < 0) goto failed;
    keep(s, lvt ? "global" : "spatiotemporal", got, dims[0], dims[1]);
    if (lvt && ks_ids_vector(v, enc, ids, 9, &e) < 0) goto failed;
    if (lvt) keep(s, "text vector", v, 1, ks_encoder_info(enc)->dim);
    ks_encoder_close(enc);
    free(px);
    free(got);
    free(v);
    return;
failed:
    fprintf(stderr, "%s\n", e.msg);
    exit(2);
}

typedef struct {
    double most, apart; /* largest distance; 1 - cos of the worst row */
} distance;

static double apart(const float *a, const float *b, int64_t n)
{
    double aa = 0, bb = 0, ab = 0;
    for (int64_t i = 0; i < n; i++) {
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
        ab += (double)a[i] * b[i];
    }
    return aa > 0 && bb > 0 ? 1 - ab / sqrt(aa * bb) : 2;
}

/* Stage i of both; what is not finite is the farthest of all. */
static distance far_of(const stages *a, const stages *b, int i)
{
    distance d = {0, 0};
    for (int64_t r = 0; r < b->rows[i]; r++) {
        const float *x = a->x[i] + r * b->cols[i], *y = b->x[i] + r * b->cols[i];
        double own = apart(x, y, b->cols[i]);
        d.apart = own > d.apart || isnan(own) ? own : d.apart;
        for (int64_t k = 0; k < b->cols[i]; k++) {
            double far = fabs((double)x[k] - (double)y[k]);
            d.most = far > d.most || isnan(far) ? far : d.most;
        }
    }
    return d;
}

/* Where both compute in float, nothing of bf16 is to be compared with. */
static int in_float(const char *name)
{
    return strcmp(name, "patches") == 0 || strcmp(name, "text_embedding") == 0;
}

static void judge(const stages *exact, const stages *gpu, const stages *narrow)
{
    double worst = 0, rows = 0;
    if (gpu->n != exact->n || narrow->n != exact->n) {
        printf("not the same stages: %d, %d, %d\n", exact->n, gpu->n, narrow->n);
        failures++;
        return;
    }
    for (int i = 0; i < exact->n; i++) {
        distance a = far_of(gpu, exact, i), b = far_of(narrow, exact, i);
        printf("%-16s GPU %.3g, bf16 %.3g: %.2f; 1 - cos GPU %.2g, bf16 %.2g: %.2f\n",
               exact->name[i], a.most, b.most, a.most / b.most, a.apart, b.apart,
               a.apart / b.apart);
        if (in_float(exact->name[i])) continue;
        failures += !(a.most <= 1.5 * b.most) + !(a.apart <= 1.5 * b.apart);
        worst = fmax(worst, a.most / b.most);
        rows = fmax(rows, a.apart / b.apart);
    }
    printf("%d stages; GPU over bf16 at worst %.2f, 1 - cos of a row %.2f\n", exact->n, worst,
           rows);
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
    judge(&exact, &gpu, &narrow);
    return failures > 0;
}
