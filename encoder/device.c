/* device.c - see device.h. */
#include "encoder/device.h"

#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ks_device {
    ks_samples samples;
    int any; /* no one GPU was asked for: others may work beside it */
};

static void say(const ks_encoder *enc, const char *text)
{
    if (enc->notice) enc->notice(enc->notice_arg, text);
}

/* --- a GPU is not used any more --- */

static void close_device(ks_encoder *enc)
{
    if (!enc->device) return;
    ks_samples_close(&enc->device->samples);
    free(enc->device);
    enc->device = NULL;
}

/* missed: a sample did not hold. Else what there was before the GPU failed may well be right: the
 * newest of it tells, though the GPU does not answer any more. */
static void give_up(ks_encoder *enc, const char *why, int missed)
{
    char text[700];
    ks_error miss = {0};
    ks_samples *s = &enc->device->samples;
    int held = missed ? 0 : ks_sample_holds(enc, s, 1, &miss) == 1;
    snprintf(text, sizeof text, "%.550s: the GPU is not used any more, this CPU goes on", why);
    if (!held && !missed)
        snprintf(text, sizeof text,
                 "%.250s; %.300s: the GPU is not used any more, this CPU goes on", why, miss.msg);
    enc->trust = (ks_gpu_trust){
        .missed = !held, .held = s->held + held, .unproven = held ? 0 : s->unproven};
    enc->by = &ks_cpu_towers;
    ks_gpu_close(enc->gpu);
    enc->gpu = NULL;
    close_device(enc);
    say(enc, text);
}

void ks_gpu_trusted(ks_gpu_trust *t, ks_encoder *enc)
{
    pthread_mutex_lock(&enc->lock);
    *t = enc->trust;
    if (enc->device) {
        const ks_samples *s = &enc->device->samples;
        *t = (ks_gpu_trust){.on_gpu = 1, .held = s->held, .unproven = s->unproven};
    }
    pthread_mutex_unlock(&enc->lock);
}

int ks_gpu_sample(ks_encoder *enc, ks_error *e)
{
    ks_error why = {0};
    pthread_mutex_lock(&enc->lock);
    ks_samples *s = enc->device ? &enc->device->samples : NULL;
    int held = s && s->unproven > 0 ? ks_sample_holds(enc, s, 1, &why) : 1;
    if (held == 0) give_up(enc, why.msg, 1);
    pthread_mutex_unlock(&enc->lock);
    return held < 0 ? ks_fail(e, held, "%s", why.msg) : 0;
}

/* --- the calls --- */

/* x[rows, D]: finite, and of unit length where vectors are. */
static int is_sound(const ks_encoder *enc, const float *x, int64_t rows)
{
    int64_t D = enc->info.dim;
    for (int64_t r = 0; x && r < rows; r++, x += D) {
        double sum = 0;
        for (int64_t d = 0; d < D; d++) sum += (double)x[d] * x[d];
        if (!isfinite(sum) || (enc->info.kind == KS_LVT && fabs(sqrt(sum) - 1) > 1e-3)) return 0;
    }
    return 1;
}

static int tokens(ks_tokens **out, ks_encoder *enc, const ks_picture *pictures,
                  const uint8_t *masked, int n, ks_error *e)
{
    ks_error why = {0};
    ks_samples *s = &enc->device->samples;
    int held = 1;
    if (!ks_gpu_takes(enc, (int64_t)pictures->G * pictures->G))
        return ks_cpu_towers.tokens(out, enc, pictures, masked, n, e);
    int err = ks_gpu_towers.tokens(out, enc, pictures, masked, n, &why);
    int due = err ? 0 : ks_sample_frames(s, out, pictures, masked, n, &why);
    if (due == 1) held = ks_sample_holds(enc, s, 0, &why);
    if (!err && due >= 0 && held == 1) return 0;
    for (int i = 0; i < n && !err; i++) ks_tokens_free(out[i]);
    give_up(enc, why.msg, held == 0);
    return ks_cpu_towers.tokens(out, enc, pictures, masked, n, e);
}

static int clip(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *frames, int T,
                ks_error *e)
{
    ks_error why = {0};
    ks_samples *s = &enc->device->samples;
    int held = 1, due = 0, grid = ks_tokens_grid(frames[0]);
    if (!ks_gpu_takes(enc, (int64_t)T * grid * grid))
        return ks_cpu_towers.clip(out, enc, frames, T, e);
    int err = ks_gpu_towers.clip(out, enc, frames, T, &why);
    if (!err && (!is_sound(enc, out->global, 1) || !is_sound(enc, out->frames, T)))
        err = ks_fail(&why, KS_EIO, "%s: a vector that is none", ks_gpu_is(enc->gpu)->name);
    if (!err && out->global) /* else stages asked for by hand */
        due = ks_sample_clip(s, frames, T, out->global, enc->info.dim, &why);
    if (due == 1) held = ks_sample_holds(enc, s, 1, &why);
    if (!err && due >= 0 && held == 1) return 0;
    give_up(enc, why.msg, held == 0);
    return ks_cpu_towers.clip(out, enc, frames, T, e);
}

static int text(float *v, ks_encoder *enc, const ks_sentences *s, ks_error *e)
{
    ks_error why = {0};
    int err = ks_gpu_towers.text(v, enc, s, &why), held = 1;
    if (!err && !is_sound(enc, v, s->n))
        err = ks_fail(&why, KS_EIO, "%s: a vector that is none", ks_gpu_is(enc->gpu)->name);
    /* nobody would ask for the sentences again, so it is in every call */
    if (!err) held = ks_sample_text(enc, &enc->device->samples, s, v, &why);
    if (!err && held == 1) return 0;
    give_up(enc, why.msg, held == 0);
    return ks_cpu_towers.text(v, enc, s, e);
}

static const ks_towers guarded = {"gpu", tokens, clip, text};

/* --- choosing --- */

typedef struct {
    int gpu;   /* 0: the CPU; 1: asked for; -1: if it is worth it */
    int which; /* -1: the best */
} wish;

static int wish_of(wish *w, const ks_encoder_options *o, ks_error *e)
{
    const char *env = getenv("KINOSEEK_DEVICE"), *word = o->device     ? o->device
                                                         : env && *env ? env
                                                                       : "auto";
    char *end = NULL;
    *w = (wish){.which = -1};
    if (strcmp(word, "cpu") == 0) return 0;
    w->gpu = strcmp(word, "auto") == 0 ? -1 : 1;
    if (w->gpu < 0 || strcmp(word, "gpu") == 0) return 0;
    if (strncmp(word, "gpu:", 4) == 0 && word[4] >= '0' && word[4] <= '9') {
        long n = strtol(word + 4, &end, 10);
        w->which = n < 1000 ? (int)n : 1000;
        if (!*end) return 0;
    }
    return ks_fail(e, KS_EUSAGE, "the device `%.60s` is none of auto, cpu, gpu, gpu:N", word);
}

/* Whether a kernel driver of a GPU is here: without one, what Vulkan lists computes on this CPU,
 * and its libraries need not be loaded to find that out. */
static int may_have_gpu(void)
{
    static const char *const nodes[] = {"/dev/nvidiactl", "/dev/dxg", "/dev/mali0"};
    glob_t found = {0};
    int any = glob("/dev/dri/renderD*", GLOB_NOSORT, NULL, &found) == 0;
    globfree(&found);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes && !any; i++)
        any = access(nodes[i], F_OK) == 0;
    return any;
}

/* One that is no CPU: not known, or good and faster than this CPU. */
static int is_worth_it(const ks_encoder *enc, const ks_gpu_facts *f, ks_precision precision)
{
    ks_gpu_proof p;
    ks_gpu_recall(&p, enc, f, precision);
    return !p.known || (p.good && (f->is_cpu || p.seconds < p.cpu_seconds));
}

/* `auto`: the best of those that are no CPU, unless its proof says that it is not worth it. */
static int find_one(int *which, const ks_encoder *enc, ks_precision precision)
{
    ks_gpu_facts all[16];
    ks_error none;
    int n = ks_gpu_list(all, 16, &none), real = 0, last = -1;
    for (int i = 0; i < n; i++)
        if (!all[i].is_cpu) last = i, real++;
    *which = real == 1 ? last : -1;
    return real > 1 || (real == 1 && is_worth_it(enc, &all[last], precision));
}

static int start(ks_encoder *enc, const ks_encoder_options *o, int any, ks_error *e)
{
    enc->device = calloc(1, sizeof *enc->device);
    if (!enc->device) return ks_fail(e, KS_ENOMEM, "no memory for a GPU");
    enc->device->any = any;
    enc->by = &guarded;
    enc->info.precision = ks_gpu_precision(enc->gpu);
    return ks_samples_open(&enc->device->samples, o->cache, enc->info.dim, e);
}

/* 1: it is good; 0: it is not, and is said so; or an error. */
static int settle(ks_encoder *enc, const ks_encoder_options *o, const wish *w, ks_error *e)
{
    char text[700];
    ks_gpu_proof p;
    ks_error why = {0};
    const char *name = ks_gpu_is(enc->gpu)->name;
    ks_gpu_recall(&p, enc, ks_gpu_is(enc->gpu), ks_gpu_precision(enc->gpu));
    int fresh = !p.known || (enc->towers & KS_TOWER_VIDEO && p.good && p.seconds <= 0);
    if (fresh) {
        int err = ks_gpu_prove(&p, enc, o, &why);
        if (err) {
            snprintf(text, sizeof text, "%.550s: the GPU is not used, this CPU is", why.msg);
            say(enc, text);
            return 0;
        }
        ks_gpu_remember(&p, enc);
    }
    (void)e;
    if (!p.good && (fresh || w->gpu > 0)) {
        snprintf(text, sizeof text,
                 "%.255s: not the CPU's answers (%.63s): the GPU is not used, this CPU is", name,
                 p.stage);
        say(enc, text);
    }
    if (p.good && p.gflops > 0) ks_gpu_set_rate(enc->gpu, p.gflops);
    return p.good && (w->gpu > 0 || p.seconds < p.cpu_seconds);
}

int ks_device_open(ks_encoder *enc, const ks_encoder_options *o, ks_error *e)
{
    wish w;
    char text[700];
    ks_error why = {0};
    int err = wish_of(&w, o, e), any = w.which < 0;
    if (err || w.gpu == 0) return err;
    if (w.gpu < 0 && (!(enc->towers & KS_TOWER_VIDEO) || enc->asked == KS_INT8 || !may_have_gpu() ||
                      !find_one(&w.which, enc, enc->asked == KS_FP32 ? KS_FP32 : KS_BF16)))
        return 0;
    if (enc->asked == KS_INT8)
        return ks_fail(e, KS_EUSAGE, "precision int8 is the CPU's alone: --device cpu");
    err = ks_gpu_open(&enc->gpu, enc, w.which, &why);
    if (err == KS_ENOTFOUND && w.gpu > 0) return ks_fail(e, err, "%s", why.msg);
    if (err) {
        snprintf(text, sizeof text, "%.550s: the GPU is not used, this CPU is", why.msg);
        say(enc, text);
        return 0;
    }
    if (settle(enc, o, &w, e) == 1) return start(enc, o, any, e);
    ks_gpu_close(enc->gpu);
    enc->gpu = NULL;
    return 0;
}

/* --- several --- */

/* Not the same card by another of its drivers, and of the same kind: a CPU that says it is a GPU
 * helps none that is one. */
static int is_another(const ks_gpu_facts *a, const ks_gpu_facts *b)
{
    int same = a->vendor == b->vendor && a->device == b->device,
        driver = a->driver == b->driver && strcmp(a->name, b->name) == 0;
    return a->place != b->place && a->is_cpu == b->is_cpu && (!same || driver);
}

static ks_encoder *open_beside(ks_encoder *enc, const ks_gpu_facts *f)
{
    char device[24], text[700];
    ks_error e = {0};
    ks_encoder *more = NULL;
    ks_encoder_options o = {.model = enc->model,
                            .towers = KS_TOWER_VIDEO,
                            .precision = enc->asked,
                            .device = device,
                            .threads = ks_pool_threads(enc->pool),
                            .cache = enc->device->samples.cache,
                            .notice = enc->notice,
                            .notice_arg = enc->notice_arg};
    snprintf(device, sizeof device, "gpu:%d", f->place);
    if (ks_encoder_open(&more, &o, &e) != 0) {
        snprintf(text, sizeof text, "%.550s: GPU %d is not used", e.msg, f->place);
        say(enc, text);
    } else if (more->device && is_worth_it(more, f, ks_gpu_precision(more->gpu))) {
        return more;
    }
    ks_encoder_close(more);
    return NULL;
}

int ks_encoders_beside(ks_encoder **more, int max, ks_encoder *enc)
{
    ks_gpu_facts all[16];
    ks_error none;
    int n = 0, here = enc->device && enc->device->any ? ks_gpu_list(all, 16, &none) : 0;
    for (int i = 0; i < here && n < max; i++) {
        int is = is_another(&all[i], ks_gpu_is(enc->gpu)) &&
                 is_worth_it(enc, &all[i], ks_gpu_precision(enc->gpu));
        for (int k = 0; k < n && is; k++) is = is_another(&all[i], ks_gpu_is(more[k]->gpu));
        if (is && (more[n] = open_beside(enc, &all[i]))) n++;
    }
    return n;
}

void ks_device_close(ks_encoder *enc)
{
    ks_gpu_close(enc->gpu);
    close_device(enc);
}

const char *ks_device_name(const ks_encoder *enc)
{
    return enc->gpu ? ks_gpu_is(enc->gpu)->key : "";
}

int ks_gpu_limits_of(ks_gpu_limits *limits, ks_encoder *enc, ks_error *e)
{
    *limits = (ks_gpu_limits){0};
    pthread_mutex_lock(&enc->lock);
    int err = enc->gpu ? ks_gpu_measure(limits, enc->gpu, e)
                       : ks_fail(e, KS_ENOTFOUND, "this CPU computes, no GPU");
    if (enc->gpu) snprintf(limits->name, sizeof limits->name, "%s", ks_gpu_is(enc->gpu)->name);
    pthread_mutex_unlock(&enc->lock);
    return err;
}
