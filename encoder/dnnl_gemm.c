/* dnnl_gemm.c - see dnnl_gemm.h. oneDNN 2.6 (Debian 12) and 3.x (Debian 13) differ in how a
 * primitive is described; the rest is one code. */
#include "encoder/dnnl_gemm.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(KS_HAVE_DNNL)
#include <dlfcn.h>
#include <dnnl.h>

#if defined(KS_DNNL_SO)
#define LIBRARY KS_DNNL_SO /* as the build found it: Debian 12 libdnnl.so.2, 13 libdnnl.so.3.6 */
#elif DNNL_VERSION_MAJOR >= 3
#define LIBRARY "libdnnl.so.3"
#else
#define LIBRARY "libdnnl.so.2"
#endif
#if DNNL_VERSION_MAJOR >= 3
#define DESCRIBE(X)                                                                                \
    X(memory_desc_create_with_tag) X(memory_desc_destroy) X(matmul_primitive_desc_create)
#else
#define DESCRIBE(X) X(memory_desc_init_by_tag) X(matmul_desc_init) X(primitive_desc_create)
#endif
/* clang-format off */
#define COMMON(X) \
    X(engine_create) X(engine_destroy) X(stream_create) X(stream_destroy) X(stream_wait) \
    X(primitive_desc_query_md) \
    X(primitive_desc_query) X(primitive_desc_destroy) X(primitive_create) X(primitive_destroy) \
    X(primitive_execute) \
    X(memory_create) X(memory_destroy) X(memory_desc_get_size) X(memory_get_data_handle) \
    X(version)
/* clang-format on */

struct ks_dnnl {
    void *handle;
    dnnl_engine_t engine;
    void (*set_threads)(int); /* OpenMP's, of the calling thread; NULL: the library has no OpenMP */
#define FIELD(name) __typeof__(&dnnl_##name) name;
    DESCRIBE(FIELD) COMMON(FIELD)
#undef FIELD
};

struct ks_dnnl_gemm {
    ks_dnnl *d;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t plan;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[3];
};

int ks_dnnl_open(ks_dnnl **out, ks_error *e)
{
    ks_dnnl *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d) return ks_fail(e, KS_ENOMEM, "no memory for oneDNN");
    d->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    int missing = d->handle == NULL;
#define LOAD(name)                                                                                 \
    if (!missing) {                                                                                \
        void *symbol = dlsym(d->handle, "dnnl_" #name);                                            \
        memcpy(&d->name, &symbol, sizeof symbol);                                                  \
        missing = symbol == NULL;                                                                  \
    }
    DESCRIBE(LOAD)
    COMMON(LOAD)
#undef LOAD
    if (!missing) {
        void *symbol = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
        memcpy(&d->set_threads, &symbol, sizeof symbol);
        missing = d->engine_create(&d->engine, dnnl_cpu, 0) != dnnl_success;
    }
    if (missing) {
        free(d);
        return ks_fail(e, KS_ENOTFOUND, "oneDNN (%s) is not here", LIBRARY);
    }
    *out = d;
    return 0;
}

void ks_dnnl_close(ks_dnnl *d)
{
    if (d) d->engine_destroy(d->engine);
    free(d); /* the handle stays: OpenMP's threads run in it */
}

static const dnnl_data_type_t types[][3] = {[KS_FP32] = {dnnl_f32, dnnl_f32, dnnl_f32},
                                            [KS_BF16] = {dnnl_bf16, dnnl_bf16, dnnl_bf16},
                                            [KS_INT8] = {dnnl_u8, dnnl_s8, dnnl_s32}};

static int describe(ks_dnnl_gemm *g, ks_precision precision, const int shape[3])
{
    ks_dnnl *d = g->d;
    dnnl_dims_t dims[3] = {{shape[0], shape[1]}, {shape[1], shape[2]}, {shape[0], shape[2]}};
    dnnl_memory_desc_t desc[3] = {0};
    int ok = 1;
#if DNNL_VERSION_MAJOR >= 3
    for (int i = 0; i < 3; i++)
        ok &= d->memory_desc_create_with_tag(&desc[i], 2, dims[i], types[precision][i],
                                             i == 1 ? dnnl_format_tag_any : dnnl_ab) ==
              dnnl_success;
    ok = ok && d->matmul_primitive_desc_create(&g->plan, d->engine, desc[0], desc[1], NULL, desc[2],
                                               NULL) == dnnl_success;
    for (int i = 0; i < 3; i++) d->memory_desc_destroy(desc[i]);
#else
    dnnl_matmul_desc_t matmul;
    for (int i = 0; i < 3; i++)
        ok &= d->memory_desc_init_by_tag(&desc[i], 2, dims[i], types[precision][i],
                                         i == 1 ? dnnl_format_tag_any : dnnl_ab) == dnnl_success;
    ok = ok && d->matmul_desc_init(&matmul, &desc[0], &desc[1], NULL, &desc[2]) == dnnl_success &&
         d->primitive_desc_create(&g->plan, &matmul, NULL, d->engine, NULL) == dnnl_success;
#endif
    return ok;
}

static int fill(ks_dnnl_gemm *g)
{
    static const dnnl_query_t queries[3] = {dnnl_query_src_md, dnnl_query_weights_md,
                                            dnnl_query_dst_md};
    for (int i = 0; i < 3; i++) {
        void *x = NULL;
        size_t bytes;
#if DNNL_VERSION_MAJOR >= 3
        const_dnnl_memory_desc_t desc = g->d->primitive_desc_query_md(g->plan, queries[i], 0);
#else
        const dnnl_memory_desc_t *desc = g->d->primitive_desc_query_md(g->plan, queries[i], 0);
#endif
        if (!desc ||
            g->d->memory_create(&g->memory[i], desc, g->d->engine, DNNL_MEMORY_ALLOCATE) !=
                dnnl_success ||
            g->d->memory_get_data_handle(g->memory[i], &x) != dnnl_success)
            return 0;
        bytes = g->d->memory_desc_get_size(desc);
        memset(x, 1, bytes);
    }
    return 1;
}

int ks_dnnl_gemm_new(ks_dnnl_gemm **out, ks_dnnl *d, ks_precision precision, const int shape[3],
                     ks_error *e)
{
    ks_dnnl_gemm *g = calloc(1, sizeof *g);
    assert(precision == KS_FP32 || precision == KS_BF16 || precision == KS_INT8);
    *out = NULL;
    if (!g) return ks_fail(e, KS_ENOMEM, "no memory for oneDNN");
    g->d = d;
    if (!describe(g, precision, shape) || !fill(g) ||
        d->primitive_create(&g->primitive, g->plan) != dnnl_success ||
        d->stream_create(&g->stream, d->engine, dnnl_stream_default_flags) != dnnl_success) {
        ks_dnnl_gemm_free(g);
        return ks_fail(e, KS_ENOTFOUND, "oneDNN has no such product on this CPU");
    }
    *out = g;
    return 0;
}

void ks_dnnl_gemm_free(ks_dnnl_gemm *g)
{
    if (!g) return;
    for (int i = 0; i < 3; i++)
        if (g->memory[i]) g->d->memory_destroy(g->memory[i]);
    if (g->stream) g->d->stream_destroy(g->stream);
    if (g->primitive) g->d->primitive_destroy(g->primitive);
    if (g->plan) g->d->primitive_desc_destroy(g->plan);
    free(g);
}

void ks_dnnl_gemm_run(ks_dnnl_gemm *g)
{
    dnnl_exec_arg_t args[3] = {{DNNL_ARG_SRC, g->memory[0]},
                               {DNNL_ARG_WEIGHTS, g->memory[1]},
                               {DNNL_ARG_DST, g->memory[2]}};
    if (g->d->set_threads) g->d->set_threads(1);
    g->d->primitive_execute(g->primitive, g->stream, 3, args);
    g->d->stream_wait(g->stream);
}

void ks_dnnl_about(char out[96], ks_dnnl *d, const ks_dnnl_gemm *g)
{
    const dnnl_version_t *v = d->version();
    const char *path = "";
    if (g) d->primitive_desc_query(g->plan, dnnl_query_impl_info_str, 0, &path);
    snprintf(out, 96, "%d.%d.%d%s%.60s", v->major, v->minor, v->patch, *path ? ", " : "", path);
}

#else

int ks_dnnl_open(ks_dnnl **out, ks_error *e)
{
    *out = NULL;
    return ks_fail(e, KS_ENOTFOUND, "this build knows no oneDNN");
}
void ks_dnnl_close(ks_dnnl *d) { (void)d; }
int ks_dnnl_gemm_new(ks_dnnl_gemm **g, ks_dnnl *d, ks_precision precision, const int shape[3],
                     ks_error *e)
{
    (void)d, (void)precision, (void)shape;
    *g = NULL;
    return ks_fail(e, KS_ENOTFOUND, "this build knows no oneDNN");
}
void ks_dnnl_gemm_free(ks_dnnl_gemm *g) { (void)g; }
void ks_dnnl_gemm_run(ks_dnnl_gemm *g) { (void)g; }
void ks_dnnl_about(char out[96], ks_dnnl *d, const ks_dnnl_gemm *g)
{
    (void)d, (void)g;
    snprintf(out, 96, "%s", "none");
}

#endif
