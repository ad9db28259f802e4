/* device.c - see device.h. */
#include "encoder/device.h"

#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoder/checkpoint.h"
#include "encoder/dispatch.h"
#include "encoder/pack.h"

struct ks_device {
    ks_samples samples;
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
    int err = ks_gpu_towers.text(v, enc, s, &why);
    if (!err && !is_sound(enc, v, s->n))
        err = ks_fail(&why, KS_EIO, "%s: a vector that is none", ks_gpu_is(enc->gpu)->name);
    if (!err) return 0;
    give_up(enc, why.msg, 0);
    return ks_cpu_towers.text(v, enc, s, e);
}

static const ks_towers guarded = {"gpu", tokens, clip, text};

/* --- what is remembered --- */

/* HASH.gpu-KEY of the cache, one line. What a proof holds for: the device and its driver, our
 * shaders, the precision, and the CPU that it was measured against. */
static void key_of(char key[512], const ks_gpu_facts *f, ks_precision precision)
{
    snprintf(key, 512, "%.399s-%s-%08x", f->key, ks_precision_name(precision), ks_gpu_code());
}

static char *proof_path(const ks_cache *cache, const char *hash, const char *key)
{
    char suffix[24];
    snprintf(suffix, sizeof suffix, "gpu-%08x", ks_crc32(0, key, strlen(key)));
    return ks_pack_path(cache, hash, suffix);
}

static void recall(ks_gpu_proof *p, const ks_cache *cache, const char *hash, const char *key)
{
    char line[800] = "", had[512];
    ks_gpu_proof read = {.known = 1};
    char *path = proof_path(cache, hash, key);
    int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    *p = (ks_gpu_proof){0};
    if (f && fgets(line, sizeof line, f) &&
        sscanf(line, "1 %511s %d %lf %lf %lf %63[^\n]", had, &read.good, &read.seconds,
               &read.cpu_seconds, &read.gflops, read.stage) == 6 &&
        strcmp(had, key) == 0)
        *p = read;
    if (f) fclose(f);
    else if (fd >= 0) close(fd);
    free(path);
}

static void remember(const ks_gpu_proof *p, const ks_cache *cache, const char *hash,
                     const char *key)
{
    char line[800], *path = proof_path(cache, hash, key);
    snprintf(line, sizeof line, "1 %s %d %.6g %.6g %.6g %s\n", key, p->good, p->seconds,
             p->cpu_seconds, p->gflops, p->stage[0] ? p->stage : "-");
    if (path) ks_cache_put_text(path, line);
    free(path);
}

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

/* `auto`: the best of those that are no CPU, unless its proof says that it is not worth it. */
static int is_worth_it(int *which, const ks_encoder *enc, ks_precision precision)
{
    ks_gpu_facts all[16];
    ks_gpu_proof proof;
    ks_error none;
    char key[512];
    int n = ks_gpu_list(all, 16, &none), real = 0;
    for (int i = 0; i < n; i++) real += !all[i].is_cpu;
    if (!real) return 0;
    *which = -1;
    if (real > 1) return 1;
    for (int i = 0; i < n; i++) {
        if (all[i].is_cpu) continue;
        *which = i;
        key_of(key, &all[i], precision);
        recall(&proof, enc->weights->cache, enc->weights->info.hash, key);
        if (proof.known && (!proof.good || proof.seconds >= proof.cpu_seconds)) return 0;
    }
    return 1;
}

static int start(ks_encoder *enc, const ks_encoder_options *o, ks_error *e)
{
    enc->device = calloc(1, sizeof *enc->device);
    if (!enc->device) return ks_fail(e, KS_ENOMEM, "no memory for a GPU");
    enc->by = &guarded;
    enc->info.precision = ks_gpu_precision(enc->gpu);
    return ks_samples_open(&enc->device->samples, o->cache, enc->info.dim, e);
}

/* 1: it is good; 0: it is not, and is said so; or an error. */
static int settle(ks_encoder *enc, const ks_encoder_options *o, const wish *w, ks_error *e)
{
    char key[512], text[700];
    ks_gpu_proof p;
    ks_error why = {0};
    const char *hash = enc->weights->info.hash, *name = ks_gpu_is(enc->gpu)->name;
    key_of(key, ks_gpu_is(enc->gpu), ks_gpu_precision(enc->gpu));
    recall(&p, enc->weights->cache, hash, key);
    int fresh = !p.known || (enc->towers & KS_TOWER_VIDEO && p.good && p.seconds <= 0);
    if (fresh) {
        int err = ks_gpu_prove(&p, enc, o, &why);
        if (err) {
            snprintf(text, sizeof text, "%.550s: the GPU is not used, this CPU is", why.msg);
            say(enc, text);
            return 0;
        }
        remember(&p, enc->weights->cache, hash, key);
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
    int err = wish_of(&w, o, e);
    if (err || w.gpu == 0) return err;
    if (w.gpu < 0 && (!(enc->towers & KS_TOWER_VIDEO) || enc->asked == KS_INT8 || !may_have_gpu() ||
                      !is_worth_it(&w.which, enc, enc->asked == KS_FP32 ? KS_FP32 : KS_BF16)))
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
    if (settle(enc, o, &w, e) == 1) return start(enc, o, e);
    ks_gpu_close(enc->gpu);
    enc->gpu = NULL;
    return 0;
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

/* --- said --- */

static void say_proof(char *to, size_t room, const ks_gpu_facts *f, const ks_gpu_proof *p)
{
    if (!p->known)
        snprintf(to, room, "%.80s; %s", f->name,
                 f->is_cpu ? "computes on this CPU: only for --device gpu"
                           : "not tried with this model yet");
    else if (!p->good)
        snprintf(to, room, "%.60s; not the CPU's answers (%.50s): not used", f->name, p->stage);
    else if (p->seconds <= 0) snprintf(to, room, "%.80s; the CPU's answers (sentences)", f->name);
    else
        snprintf(to, room, "%.60s; the CPU's answers, %.3g s a clip, this CPU %.3g s%s", f->name,
                 p->seconds, p->cpu_seconds,
                 f->is_cpu ? ": only for --device gpu"
                           : (p->seconds < p->cpu_seconds ? ": used" : ": not used"));
}

int ks_gpu_about(ks_fact *facts, int max, const char *hash)
{
    static const char *const names[] = {"GPU 0", "GPU 1", "GPU 2", "GPU 3",
                                        "GPU 4", "GPU 5", "GPU 6", "GPU 7"};
    ks_gpu_facts all[8];
    ks_gpu_proof p = {0};
    ks_cache *cache = NULL;
    ks_error e = {0}, none;
    char key[512];
    int n = max < 1 ? 0 : ks_gpu_list(all, max < 8 ? max : 8, &e);
    if (max > 0 && n == 0) {
        facts->name = "GPU";
        snprintf(facts->value, sizeof facts->value, "not here (%.140s)", e.msg);
        return 1;
    }
    if (ks_cache_open(&cache, NULL, NULL, NULL, &none) != 0) cache = NULL;
    for (int i = 0; i < n; i++) {
        key_of(key, &all[i], KS_BF16);
        if (cache && hash) recall(&p, cache, hash, key);
        facts[i].name = names[i];
        say_proof(facts[i].value, sizeof facts[i].value, &all[i], &p);
    }
    ks_cache_close(cache);
    return n;
}
