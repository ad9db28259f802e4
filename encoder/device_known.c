/* device_known.c - what is remembered of the GPUs here, and said of them. See device.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoder/checkpoint.h"
#include "encoder/device.h"
#include "encoder/dispatch.h"
#include "encoder/pack.h"

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

void ks_gpu_recall(ks_gpu_proof *p, const ks_encoder *enc, const ks_gpu_facts *f,
                   ks_precision precision)
{
    char key[512];
    key_of(key, f, precision);
    recall(p, enc->weights->cache, enc->weights->info.hash, key);
}

void ks_gpu_remember(const ks_gpu_proof *p, const ks_encoder *enc)
{
    char key[512], line[800], *path;
    key_of(key, ks_gpu_is(enc->gpu), ks_gpu_precision(enc->gpu));
    path = proof_path(enc->weights->cache, enc->weights->info.hash, key);
    snprintf(line, sizeof line, "1 %s %d %.6g %.6g %.6g %s\n", key, p->good, p->seconds,
             p->cpu_seconds, p->gflops, p->stage[0] ? p->stage : "-");
    if (path) ks_cache_put_text(path, line);
    free(path);
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
