/* cmd_bench_accuracy.c - `bench accuracy FILE...`: what bf16 and int8 change, on one's own
 * films. */
#include "cli/clip_input.h"
#include "formats/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int json, clips;
} accuracy_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(accuracy_fields, json), NULL, "one JSON line a precision"},
    {0, "clips", KS_OPT_COUNT, offsetof(accuracy_fields, clips), "N",
     "clips of 8 s that each film gives (1)"},
    {0},
};

static void defaults(void *fields) { ((accuracy_fields *)fields)->clips = 1; }

enum { SECONDS = 8 };

typedef struct {
    float *v; /* [room, D] of each clip, fp32 */
    int n, room, dim;
} vectors;

typedef struct {
    const ks_globals *g;
    const accuracy_fields *f;
    char **files;
    int n_files;
} job;

/* Vectors of all clips; a film that ends before its N-th clip gives fewer, the same in every
 * precision. */
static int encode_all(vectors *out, ks_encoder *enc, const job *j, ks_error *e)
{
    const ks_info *info = ks_encoder_info(enc);
    ks_decoder *decoder = NULL;
    ks_clip_how how = {.setup = &j->g->setup,
                       .decoder = &decoder,
                       .frames = info->frames,
                       .side = ks_side(info),
                       .fit = KS_SQUASH};
    int err = 0;
    out->n = 0;
    for (int i = 0; i < j->n_files && !err; i++)
        for (int c = 0; c < j->f->clips && !err; c++) {
            ks_clip_pixels clip = {0};
            err = ks_clip_film(&clip, &how, j->files[i], SECONDS * c, SECONDS * (c + 1), e);
            if (err && c > 0) {
                err = 0;
                break;
            }
            if (!err)
                err = ks_clip_encode(out->v + (size_t)out->n++ * (size_t)out->dim, enc, &clip, e);
            ks_clip_free(&clip);
        }
    ks_decoder_stop(decoder);
    return err;
}

static double cosine(const float *a, const float *b, int n)
{
    double dot = 0, aa = 0, bb = 0;
    for (int i = 0; i < n; i++) {
        dot += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return dot / sqrt(aa * bb);
}

typedef struct {
    double mean, most; /* of 1 - cosine between a clip's two vectors */
    double between;    /* largest change of a cosine between two clips: what a ranking sees */
} difference;

static difference compare(const vectors *a, const vectors *b)
{
    difference d = {0};
    size_t dim = (size_t)a->dim;
    for (int i = 0; i < a->n; i++) {
        const float *x = a->v + (size_t)i * dim, *y = b->v + (size_t)i * dim;
        double far = 1 - cosine(x, y, a->dim);
        d.mean += far / a->n;
        d.most = fmax(d.most, far);
        for (int k = 0; k < i; k++)
            d.between = fmax(d.between, fabs(cosine(x, a->v + (size_t)k * dim, a->dim) -
                                             cosine(y, b->v + (size_t)k * dim, a->dim)));
    }
    return d;
}

static void report(const job *j, const char *precision, const difference *d, int clips)
{
    ks_json o;
    if (!j->f->json) {
        printf("%s against fp32, %d clips: 1 - cosine %.2g on average, %.2g at most; a cosine "
               "between two clips moved by %.2g at most\n",
               precision, clips, d->mean, d->most, d->between);
        return;
    }
    ks_json_start(&o, stdout);
    ks_json_open(&o, NULL, '{');
    ks_json_text(&o, "bench", "accuracy");
    ks_json_text(&o, "precision", precision);
    ks_json_int(&o, "clips", clips);
    ks_json_number(&o, "mean", d->mean);
    ks_json_number(&o, "max", d->most);
    ks_json_number(&o, "between_max", d->between);
    ks_json_close(&o);
}

static int open_as(ks_encoder **enc, const job *j, const char *precision, ks_error *e)
{
    ks_globals g = *j->g;
    g.setup.precision = precision;
    return ks_open_encoder(enc, &g.setup, NULL, KS_TOWER_VIDEO, KS_FP32, e);
}

static int one_precision(vectors *out, const job *j, const char *precision, ks_error *e)
{
    ks_encoder *enc = NULL;
    int err = open_as(&enc, j, precision, e);
    if (err) return err;
    if (ks_encoder_info(enc)->kind != KS_LVT)
        err = ks_fail(e, KS_EUSAGE, "this model gives no video vector: it is not an LvT model");
    if (!err && !out->v) {
        out->dim = ks_encoder_info(enc)->dim;
        out->v = calloc((size_t)out->room, (size_t)out->dim * sizeof *out->v);
        err = out->v ? 0 : ks_fail(e, KS_ENOMEM, "no memory for %d vectors", out->room);
    }
    if (!err) err = encode_all(out, enc, j, e);
    ks_encoder_close(enc);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    static const char *const narrow[] = {"bf16", "int8"};
    accuracy_fields *f = fields;
    job j = {g, f, args, n};
    f->clips = f->clips < 1 ? 1 : f->clips;
    if (n < 1)
        return ks_fail(e, KS_EUSAGE, "name one film or more: kinoseek bench accuracy lake.mp4");
    if (n > 10000 || f->clips > 1000) return ks_fail(e, KS_EUSAGE, "too many films or clips");
    vectors exact = {.room = n * f->clips}, other = {.room = n * f->clips};
    int err = one_precision(&exact, &j, "fp32", e);
    for (int i = 0; i < 2 && !err; i++) {
        err = one_precision(&other, &j, narrow[i], e);
        if (err == KS_EUSAGE) { /* this CPU has it not: said, and no failure */
            fprintf(stderr, "kinoseek: %s\n", e->msg);
            err = 0;
        } else if (!err) {
            difference d = compare(&exact, &other);
            report(&j, narrow[i], &d, exact.n);
        }
    }
    free(exact.v);
    free(other.v);
    return err;
}

extern const ks_command ks_cmd_bench_accuracy;
const ks_command ks_cmd_bench_accuracy = {
    .name = "bench accuracy",
    .usage = "FILE...",
    .brief = "What the narrow precisions change, on your own films",
    .more = "  kinoseek bench accuracy -m lvt-base --clips 10 ~/Videos/*.mp4\n"
            "Encodes the same clips in fp32, bf16 and int8 and compares their vectors.",
    .options = options,
    .fields = sizeof(accuracy_fields),
    .defaults = defaults,
    .alone = 1,
    .run = run,
};
