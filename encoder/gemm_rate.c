/* gemm_rate.c - what the best library reaches on this machine at the model's own products.
 *
 * Every thread of the encoder's pool multiplies tiles of its own (M = 512), the library
 * single-threaded: on two CPUs this lost nothing against the library's own threads. A thread's
 * rate is taken from its processor time, so a busy machine does not make the limit look lower
 * than it is; the best tile counts. */
#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "encoder/dnnl_gemm.h"
#include "encoder/tower.h"

enum { SHAPES = 4, M = 512, ROUNDS = 5 };

typedef struct {
    float *a, *b, *c;
    const int *shape;   /* M, K, N */
    ks_dnnl_gemm *dnnl; /* else OpenBLAS */
    double best;        /* seconds */
} bench;

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void multiply(bench *b)
{
    const int *s = b->shape;
    if (b->dnnl) ks_dnnl_gemm_run(b->dnnl);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s[0], s[2], s[1], 1.0f, b->a, s[1],
                    b->b, s[2], 0.0f, b->c, s[2]);
}

static void measure(void *arg, int task, int worker)
{
    bench *b = (bench *)arg + task;
    (void)worker;
    multiply(b);
    for (int i = 0; i < ROUNDS; i++) {
        double start = thread_seconds();
        multiply(b);
        double took = thread_seconds() - start;
        b->best = i == 0 || took < b->best ? took : b->best;
    }
}

static int blas_new(bench *b)
{
    size_t m = (size_t)b->shape[0], k = (size_t)b->shape[1], n = (size_t)b->shape[2];
    b->a = calloc(m * k, sizeof(float));
    b->b = calloc(k * n, sizeof(float));
    b->c = calloc(m * n, sizeof(float));
    return b->a && b->b && b->c;
}

static void bench_free(bench *b)
{
    ks_dnnl_gemm_free(b->dnnl);
    free(b->a);
    free(b->b);
    free(b->c);
}

/* Seconds of the fastest tile of this shape, all threads at work; dnnl NULL: OpenBLAS. 0: it has
 * none. */
static double seconds_of(ks_encoder *enc, ks_dnnl *dnnl, ks_precision precision, const int shape[3])
{
    int threads = ks_pool_threads(enc->pool), ready = 1;
    bench *all = calloc((size_t)threads, sizeof *all);
    double best = 0;
    ks_error ignored;
    for (int i = 0; i < threads && all && ready; i++) {
        all[i].shape = shape;
        ready = dnnl ? ks_dnnl_gemm_new(&all[i].dnnl, dnnl, precision, shape, &ignored) == 0
                     : blas_new(&all[i]);
    }
    if (all && ready) {
        ks_pool_run(enc->pool, threads, measure, all);
        for (int i = 0; i < threads; i++) best = i == 0 || all[i].best < best ? all[i].best : best;
    }
    for (int i = 0; i < threads && all; i++) bench_free(&all[i]);
    free(all);
    return best;
}

static double least(double a, double b) { return a > 0 && (b <= 0 || a < b) ? a : b; }

int ks_gemm_rate(double *gflops, ks_encoder *enc, ks_precision precision, ks_error *e)
{
    int D = enc->info.dim, F = enc->info.mlp, before = openblas_get_num_threads(), missing = 0;
    const int shapes[SHAPES][3] = {{M, D, 3 * D}, {M, D, D}, {M, D, F}, {M, F, D}};
    double work = 0, seconds = 0;
    ks_dnnl *dnnl = NULL;
    ks_error ignored;
    if (precision == KS_INT16) precision = KS_FP32; /* no library has it: what it stands for */
    pthread_mutex_lock(&enc->lock);
    if (ks_dnnl_open(&dnnl, &ignored) != 0) dnnl = NULL;
    openblas_set_num_threads(1); /* the process's; put back below */
    for (int i = 0; i < SHAPES; i++) {
        double took = dnnl ? seconds_of(enc, dnnl, precision, shapes[i]) : 0;
        if (precision == KS_FP32) took = least(seconds_of(enc, NULL, precision, shapes[i]), took);
        missing |= took <= 0;
        work += 2e-9 * M * shapes[i][1] * shapes[i][2];
        seconds += took;
    }
    openblas_set_num_threads(before);
    ks_dnnl_close(dnnl);
    *gflops = missing ? 0 : work / seconds * ks_pool_threads(enc->pool);
    pthread_mutex_unlock(&enc->lock);
    return missing ? ks_fail(e, KS_ENOTFOUND, "no library here multiplies in this precision") : 0;
}
