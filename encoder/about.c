/* about.c - the encoder's libraries and what this machine has. */
#include <cblas.h>
#include <stdarg.h>
#include <stdio.h>

#include "encoder/dispatch.h"
#include "encoder/dnnl_gemm.h"

typedef struct {
    ks_fact *facts;
    int n, max;
} list;

__attribute__((format(printf, 3, 4))) static void say(list *l, const char *name, const char *format, ...)
{
    va_list args;
    if (l->n == l->max)
        return;
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
    if (ks_cache_open(&cache, NULL, NULL, NULL, &e) != 0 || ks_dispatch(&k, &automatic, cache, KS_AUTO, &e) != 0)
        say(l, "CPU path", "%.150s", e.msg);
    else
        say(l, "CPU path", "%s; --precision auto is %s", k->name, ks_precision_name(automatic));
    ks_cache_close(cache);
}

int ks_encoder_about(ks_fact *facts, int max)
{
    list l = {facts, 0, max};
    ks_dnnl *dnnl = NULL;
    ks_error ignored;
    char version[96] = "not here (bench encoder measures against it)";
    kernels(&l);
    say(&l, "OpenBLAS", "%.100s, core %.40s", openblas_get_config(), openblas_get_corename());
    if (ks_dnnl_open(&dnnl, &ignored) == 0)
        ks_dnnl_about(version, dnnl, NULL);
    ks_dnnl_close(dnnl);
    say(&l, "oneDNN", "%.150s", version);
    return l.n;
}
