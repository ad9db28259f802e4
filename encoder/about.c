/* about.c - the encoder's libraries and what this machine has. */
#include <cblas.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistring/version.h>
#include <zlib.h>

#include "encoder/dispatch.h"
#include "encoder/dnnl_gemm.h"

typedef struct {
    ks_fact *facts;
    int n, max;
} list;

__attribute__((format(printf, 3, 4))) static void say(list *l, const char *name, const char *format,
                                                      ...)
{
    va_list args;
    if (l->n == l->max) return;
    l->facts[l->n].name = name;
    va_start(args, format);
    vsnprintf(l->facts[l->n].value, sizeof l->facts[l->n].value, format, args);
    va_end(args);
    l->n++;
}

static void kernels(list *l)
{
    const ks_kernels *k = NULL;
    ks_precision automatic;
    ks_cache *cache = NULL;
    ks_error e = {0};
    if (ks_cache_open(&cache, NULL, NULL, NULL, &e) != 0 ||
        ks_dispatch(&k, &automatic, cache, KS_AUTO, &e) != 0)
        say(l, "CPU path", "%.150s", e.msg);
    else
        say(l, "CPU path", "%s", k->name),
            say(l, "auto precision", "%s", ks_precision_name(automatic));
    ks_cache_close(cache);
}

/* neither can be asked when the program runs: the Makefile says what it saw */
#ifndef KS_SENTENCEPIECE_VERSION
#define KS_SENTENCEPIECE_VERSION "not known"
#endif
#ifndef KS_LIBMD_VERSION
#define KS_LIBMD_VERSION "not known"
#endif

/* Bits of a vector register that a core of OpenBLAS's x86-64 list multiplies with. */
static int core_width(const char *core)
{
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "Sapphirerapids", NULL};
    static const char *const half[] = {"Haswell",    "Zen",       "Excavator",   "Steamroller",
                                       "Piledriver", "Bulldozer", "Sandybridge", NULL};

    for (const char *const *c = wide; *c; c++)
        if (ks_same_word(core, *c)) return 512;
    for (const char *const *c = half; *c; c++)
        if (ks_same_word(core, *c)) return 256;
    return 128;
}

/* OpenBLAS knows a CPU by its model number: one that is newer than the library gets a core that
 * is too narrow. */
static void blas(list *l)
{
    const char *core = openblas_get_corename(), *wider = NULL;
#if defined(__x86_64__)
    int fits = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") ? 512
               : __builtin_cpu_supports("avx2")                                        ? 256
                                                                                       : 128;
    if (core_width(core) < fits) wider = fits == 512 ? "SkylakeX" : "Haswell";
#else
    (void)core_width;
#endif
    say(l, "OpenBLAS", "%.100s", openblas_get_config());
    if (wider)
        say(l, "OpenBLAS core", "%.40s; this CPU could run a wider one: OPENBLAS_CORETYPE=%s", core,
            wider);
    else say(l, "OpenBLAS core", "%.40s; no wider one would fit", core);
}

int ks_encoder_about(ks_fact *facts, int max)
{
    list l = {facts, 0, max};
    ks_dnnl *dnnl = NULL;
    ks_error ignored;
    char version[96] = "not here (bench encoder measures against it)";
    kernels(&l);
    blas(&l);
    if (ks_dnnl_open(&dnnl, &ignored) == 0) ks_dnnl_about(version, dnnl, NULL);
    ks_dnnl_close(dnnl);
    say(&l, "oneDNN", "%.150s", version);
    say(&l, "sentencepiece", "%s", KS_SENTENCEPIECE_VERSION);
    say(&l, "libunistring", "%d.%d.%d", _libunistring_version >> 16,
        _libunistring_version >> 8 & 255, _libunistring_version & 255);
    say(&l, "zlib", "%.40s", zlibVersion());
    say(&l, "jansson", "%.40s", jansson_version_str());
    say(&l, "libmd", "%s", KS_LIBMD_VERSION);
    return l.n;
}
