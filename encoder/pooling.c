/* pooling.c - see pooling.h. One task a frame gathers sum(p x) with the frame's own maximum; the
 * whole clip's answer is merged from the frames', so both cost one pass over the tokens. */
#include "encoder/pooling.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int ks_pooling_open(ks_pooling *g, const ks_pooler *w, const ks_kernels *kernels,
                    const int shape[2], ks_error *e)
{
    int D = shape[0], H = shape[1], p = w->hidden / H;
    size_t I = (size_t)w->hidden;
    *g = (ks_pooling){.D = D,
                      .H = H,
                      .hidden = w->hidden,
                      .w = w,
                      .kernels = kernels,
                      .norm = {w->ln_scale, w->ln_bias}};
    double *q = calloc(I, sizeof *q);
    g->u = malloc((size_t)H * (size_t)D * sizeof *g->u);
    if (!q || !g->u) {
        free(q);
        ks_pooling_close(g);
        return ks_fail(e, KS_ENOMEM, "no memory for the pooler");
    }
    for (size_t d = 0; d < (size_t)D; d++)
        for (size_t i = 0; i < I; i++) q[i] += (double)w->query[d] * w->wq[d * I + i];
    for (size_t i = 0; i < I; i++)
        q[i] = (q[i] + w->bq[i]) * (1.442695041 / sqrt(p)) *
               ks_softplus(w->per_dim_scale[i % (size_t)p]);
    for (size_t h = 0; h < (size_t)H; h++)
        for (size_t d = 0; d < (size_t)D; d++) {
            const float *k = w->wk + d * I + h * (size_t)p;
            double sum = 0;
            for (int i = 0; i < p; i++) sum += k[i] * q[h * (size_t)p + (size_t)i];
            g->u[h * (size_t)D + d] = (float)sum;
        }
    free(q);
    return 0;
}

void ks_pooling_close(ks_pooling *g)
{
    free(g->u);
    g->u = NULL;
}

typedef struct {
    const ks_pooling *g;
    const float *x;      /* [frames, N, D] */
    int frames, N, rows; /* rows of z that are projected: 1, or 1 + frames */
    float *top, *sum;    /* [1 + frames, H]: largest logit, sum of e^(l - top) */
    float *z;            /* [1 + frames, H, D]: sum of e^(l - top) x, then divided by sum */
    float *logits;       /* [frames, H, N] */
    float *heads;        /* [1 + frames, hidden] */
    float *out;
} job;

/* One head of one frame. */
static void gather(void *arg, int task, int worker)
{
    job *j = arg;
    (void)worker;
    size_t D = (size_t)j->g->D, H = (size_t)j->g->H, N = (size_t)j->N, f = (size_t)task / H,
           h = (size_t)task % H;
    const float *x = j->x + f * N * D, *u = j->g->u + h * D;
    float *l = j->logits + (f * H + h) * N, *z = j->z + ((f + 1) * H + h) * D, top = -INFINITY,
          sum = 0;
    for (size_t n = 0; n < N; n++) {
        l[n] = j->g->kernels->dot(x + n * D, u, D);
        top = l[n] > top ? l[n] : top;
    }
    memset(z, 0, D * sizeof *z);
    for (size_t n = 0; n < N; n++) {
        float p = expf(l[n] - top);
        sum += p;
        j->g->kernels->axpy(z, p, x + n * D, D);
    }
    j->top[(f + 1) * H + h] = top;
    j->sum[(f + 1) * H + h] = sum;
}

/* Row 0 from the frames' rows, then every row divided by its sum. One head a task. */
static void merge(void *arg, int task, int worker)
{
    job *j = arg;
    (void)worker;
    size_t D = (size_t)j->g->D, H = (size_t)j->g->H, h = (size_t)task;
    float top = -INFINITY, sum = 0, *z = j->z + h * D;
    for (size_t f = 1; f <= (size_t)j->frames; f++)
        top = j->top[f * H + h] > top ? j->top[f * H + h] : top;
    memset(z, 0, D * sizeof *z);
    for (size_t f = 1; f <= (size_t)j->frames; f++) {
        float *zf = j->z + (f * H + h) * D, weight = expf(j->top[f * H + h] - top),
              own = j->sum[f * H + h];
        sum += weight * own;
        for (size_t d = 0; d < D; d++) {
            z[d] += weight * zf[d];
            zf[d] /= own;
        }
    }
    for (size_t d = 0; d < D; d++) z[d] /= sum;
}

/* heads[r, h, :] = z[r, h, :] Wv[:, h, :] + bv for one head and all rows. */
static void values(void *arg, int task, int worker)
{
    job *j = arg;
    (void)worker;
    size_t D = (size_t)j->g->D, H = (size_t)j->g->H, I = (size_t)j->g->hidden, p = I / H,
           h = (size_t)task;
    for (int r = 0; r < j->rows; r++) {
        const float *z = j->z + ((size_t)r * H + h) * D;
        float *y = j->heads + (size_t)r * I + h * p;
        memcpy(y, j->g->w->bv + h * p, p * sizeof *y);
        for (size_t d = 0; d < D; d++) j->g->kernels->axpy(y, z[d], j->g->w->wv + d * I + h * p, p);
    }
}

enum { OUT_CHUNK = 32 };

/* out[r, d] = heads[r] . Wo[d] + bo[d] for OUT_CHUNK of the d. */
static void outputs(void *arg, int task, int worker)
{
    job *j = arg;
    (void)worker;
    size_t D = (size_t)j->g->D, I = (size_t)j->g->hidden, from = (size_t)task * OUT_CHUNK;
    size_t to = from + OUT_CHUNK < D ? from + OUT_CHUNK : D;
    for (size_t d = from; d < to; d++)
        for (int r = 0; r < j->rows; r++)
            j->out[(size_t)r * D + d] = j->g->kernels->dot(j->heads + (size_t)r * I,
                                                           j->g->w->wo + d * I, I) +
                                        j->g->w->bo[d];
}

size_t ks_pooling_scratch(const ks_pooling *g, int frames, int N)
{
    size_t rows = (size_t)frames + 1, H = (size_t)g->H;
    return 2 * ks_slice(rows * H, sizeof(float)) +
           ks_slice(rows * H * (size_t)g->D, sizeof(float)) +
           ks_slice((size_t)frames * H * (size_t)N, sizeof(float)) +
           ks_slice(rows * (size_t)g->hidden, sizeof(float));
}

void ks_pooling_run(float *out, const ks_pooling *g, ks_pool *pool, ks_arena *arena,
                    const ks_pooled *what)
{
    size_t frames = (size_t)what->frames, N = (size_t)what->N, H = (size_t)g->H, D = (size_t)g->D,
           used = arena->used;
    job j = {.g = g,
             .x = what->x,
             .frames = what->frames,
             .N = what->N,
             .rows = what->each ? what->frames + 1 : 1,
             .out = out};
    assert(frames > 0 && N > 0);
    j.top = ks_arena_take(arena, (frames + 1) * H * sizeof(float));
    j.sum = ks_arena_take(arena, (frames + 1) * H * sizeof(float));
    j.z = ks_arena_take(arena, (frames + 1) * H * D * sizeof(float));
    j.logits = ks_arena_take(arena, frames * H * N * sizeof(float));
    j.heads = ks_arena_take(arena, (frames + 1) * (size_t)g->hidden * sizeof(float));
    ks_pool_run(pool, what->frames * g->H, gather, &j);
    ks_pool_run(pool, g->H, merge, &j);
    ks_pool_run(pool, g->H, values, &j);
    ks_pool_run(pool, (g->D + OUT_CHUNK - 1) / OUT_CHUNK, outputs, &j);
    g->kernels->norm(out, D, 0, out, D, j.rows, g->D, &g->norm);
    arena->used = used;
}
