/* device.c - see device.h. */
#include "encoder/device.h"

#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "encoder/checkpoint.h"
#include "encoder/dispatch.h"
#include "encoder/pack.h"

/* A clip and a frame of so many are computed on the CPU, too. */
enum { SAMPLE = 1000 };

typedef struct ks_device {
    uint64_t random;
    int clip, frame;   /* how many from now the next one is that is checked */
    int64_t unchecked; /* clips since the last check that held */
    ks_encoder *exact; /* this model on the CPU in fp32, from the first check on */
    char *cache;       /* its folder of packs; NULL: the usual one */
} ks_device;

static void say(const ks_encoder *enc, const char *text)
{
    if (enc->notice) enc->notice(enc->notice_arg, text);
}

/* --- a GPU is not used any more --- */

static void close_device(ks_encoder *enc)
{
    if (!enc->device) return;
    ks_encoder_close(enc->device->exact);
    free(enc->device->cache);
    free(enc->device);
    enc->device = NULL;
}

static void give_up(ks_encoder *enc, const char *why)
{
    char text[700];
    snprintf(text, sizeof text, "%.550s: the GPU is not used any more, this CPU goes on", why);
    enc->by = &ks_cpu_towers;
    ks_gpu_close(enc->gpu);
    enc->gpu = NULL;
    close_device(enc);
    say(enc, text);
}

/* --- sampling --- */

/* 1 to 2 SAMPLE - 1: SAMPLE on the average, and nobody knows which. */
static int draw(ks_device *d)
{
    d->random = d->random * 6364136223846793005u + 1442695040888963407u;
    return 1 + (int)((d->random >> 33) % (2 * SAMPLE - 1));
}

/* Whether the next one is among these n; which of them it is. */
static int is_due(int *which, int *next, ks_device *d, int n)
{
    *which = *next - 1;
    *next -= n;
    if (*next > 0) return 0;
    *next = draw(d);
    return 1;
}

static int open_exact(ks_encoder *enc, ks_error *e)
{
    ks_device *d = enc->device;
    ks_encoder_options o = {.model = enc->model,
                            .towers = KS_TOWER_VIDEO,
                            .precision = KS_FP32,
                            .device = "cpu",
                            .threads = ks_pool_threads(enc->pool),
                            .cache = d->cache};
    return d->exact ? 0 : ks_encoder_open(&d->exact, &o, e);
}

/* 1: it holds; 0: it does not, why says so; or an error of the CPU's. */
static int frame_holds(ks_encoder *enc, ks_tokens *got, const ks_picture *picture, int masked,
                       ks_error *why)
{
    uint8_t mask = (uint8_t)masked;
    ks_tokens *want;
    int err = open_exact(enc, why);
    if (!err)
        err = ks_cpu_towers.tokens(&want, enc->device->exact, picture, masked ? &mask : NULL, 1,
                                   why);
    if (err) return err;
    int64_t n = (int64_t)picture->G * picture->G * enc->info.dim;
    double apart = ks_apart(ks_tokens_x(got), ks_tokens_x(want), n);
    ks_tokens_free(want);
    if (apart <= KS_APART) return 1;
    ks_fail(why, KS_EIO, "%s: a frame that this CPU computed, too, is %.2g from it (1 - cos)",
            ks_gpu_is(enc->gpu)->name, apart);
    return 0;
}

static int clip_holds(const ks_clip_outputs *got, ks_encoder *enc, ks_tokens *const *frames, int T,
                      ks_error *why)
{
    float *want = got->global ? malloc((size_t)enc->info.dim * sizeof *want) : NULL;
    if (!want) return 1; /* stages asked for by hand */
    int err = open_exact(enc, why);
    if (!err)
        err = ks_cpu_towers.clip(&(ks_clip_outputs){.global = want}, enc->device->exact, frames, T,
                                 why);
    double apart = err ? 0 : ks_apart(got->global, want, enc->info.dim);
    free(want);
    if (err || apart <= KS_APART) return err ? err : 1;
    ks_fail(why, KS_EIO,
            "%s: a clip that this CPU computed, too, is %.2g from it (1 - cos), and any of the "
            "%lld before it that were not compared may be wrong",
            ks_gpu_is(enc->gpu)->name, apart, (long long)enc->device->unchecked - 1);
    return 0;
}

static int is_finite(const ks_encoder *enc, const float *x, int64_t rows)
{
    for (int64_t i = 0; x && i < rows * enc->info.dim; i++)
        if (!isfinite(x[i])) return 0;
    return 1;
}

/* --- the calls --- */

static int tokens(ks_tokens **out, ks_encoder *enc, const ks_picture *pictures,
                  const uint8_t *masked, int n, ks_error *e)
{
    ks_error why = {0};
    ks_device *d = enc->device;
    int which, held = 1;
    if (!ks_gpu_takes(enc, (int64_t)pictures->G * pictures->G))
        return ks_cpu_towers.tokens(out, enc, pictures, masked, n, e);
    int err = ks_gpu_towers.tokens(out, enc, pictures, masked, n, &why);
    if (!err && is_due(&which, &d->frame, d, n))
        held = frame_holds(enc, out[which], &pictures[which], masked ? masked[which] : 0, &why);
    if (!err && held == 1) return 0;
    for (int i = 0; i < n && !err; i++) ks_tokens_free(out[i]);
    give_up(enc, why.msg);
    return ks_cpu_towers.tokens(out, enc, pictures, masked, n, e);
}

static int clip(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *frames, int T,
                ks_error *e)
{
    ks_error why = {0};
    ks_device *d = enc->device;
    int which, held = 1, grid = ks_tokens_grid(frames[0]);
    if (!ks_gpu_takes(enc, (int64_t)T * grid * grid))
        return ks_cpu_towers.clip(out, enc, frames, T, e);
    int err = ks_gpu_towers.clip(out, enc, frames, T, &why);
    if (!err && (!is_finite(enc, out->global, 1) || !is_finite(enc, out->frames, T)))
        err = ks_fail(&why, KS_EIO, "%s: a vector that is not finite", ks_gpu_is(enc->gpu)->name);
    d->unchecked++;
    if (!err && is_due(&which, &d->clip, d, 1)) {
        held = clip_holds(out, enc, frames, T, &why);
        if (held == 1) d->unchecked = 0;
    }
    if (!err && held == 1) return 0;
    give_up(enc, why.msg);
    return ks_cpu_towers.clip(out, enc, frames, T, e);
}

static int text(float *v, ks_encoder *enc, const ks_sentences *s, ks_error *e)
{
    ks_error why = {0};
    int err = ks_gpu_towers.text(v, enc, s, &why);
    if (!err && !is_finite(enc, v, s->n))
        err = ks_fail(&why, KS_EIO, "%s: a vector that is not finite", ks_gpu_is(enc->gpu)->name);
    if (!err) return 0;
    give_up(enc, why.msg);
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
    struct timespec now;
    enc->device = calloc(1, sizeof *enc->device);
    if (!enc->device || (o->cache && !(enc->device->cache = strdup(o->cache))))
        return ks_fail(e, KS_ENOMEM, "no memory for a GPU");
    clock_gettime(CLOCK_REALTIME, &now);
    enc->device->random = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)now.tv_sec;
    enc->device->clip = draw(enc->device);
    enc->device->frame = draw(enc->device);
    enc->by = &guarded;
    enc->info.precision = ks_gpu_precision(enc->gpu);
    return 0;
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
