/* vulkan_pool.c - attention pooling by one learned query, on a device. See pooling.h, pool.comp. */
#include <math.h>
#include <string.h>

#include "encoder/vulkan_towers.h"

int ks_gpu_pooler_open(ks_gpu *g, const ks_pooling *pooling, ks_error *e)
{
    ks_gpu_pooler *p = &g->pooler;
    const ks_pooler *w = pooling->w;
    size_t D = (size_t)pooling->D, I = (size_t)pooling->hidden, f = sizeof(float), bytes = 0;
    void *to;
    if (pooling->hidden == 0) return 0;
    p->H = pooling->H;
    p->u = ks_gpu_take(&bytes, (size_t)p->H * D * f);
    p->wv = ks_gpu_take(&bytes, D * I * f);
    p->bv = ks_gpu_take(&bytes, I * f);
    p->wo = ks_gpu_take(&bytes, D * I * f);
    p->bo = ks_gpu_take(&bytes, D * f);
    p->norm = ks_gpu_take(&bytes, 2 * D * f);
    int err = ks_vk_buffer_new(&p->weights, g->vk, bytes, KS_VK_OWN, e);
    if (!err) err = ks_vk_staging(&to, g->vk, bytes, e);
    if (err) return err;
    char *at = to;
    memcpy(at + p->u, pooling->u, (size_t)p->H * D * f);
    memcpy(at + p->wv, w->wv, D * I * f);
    memcpy(at + p->bv, w->bv, I * f);
    memcpy(at + p->wo, w->wo, D * I * f);
    memcpy(at + p->bo, w->bo, D * f);
    memcpy(at + p->norm, pooling->norm.scale, D * f);
    memcpy(at + p->norm + D * f, pooling->norm.bias, D * f);
    err = ks_vk_push(g->vk, &p->weights, 0, bytes, e);
    if (!err) err = ks_vk_finish(g->vk, e);
    if (!err) p->hidden = pooling->hidden;
    return err;
}

typedef struct {
    uint32_t D, H, I, N, frames, first;
} pool_push;

/* One step: pieces of `row` floating point operations each along y, as many as a dispatch may. */
typedef struct {
    int pipeline;
    ks_vk_part parts[KS_VK_BINDINGS];
    uint32_t wide, pieces;
    double row;
} step;

static int run_step(ks_gpu *g, const step *s, pool_push push, ks_error *e)
{
    double most = fmax(g->vk->dispatch_flop / s->row, 1);
    uint32_t deep = most < 65535 ? (uint32_t)most : 65535;
    int err = 0;
    for (push.first = 0; push.first < s->pieces && !err; push.first += deep) {
        uint32_t n = s->pieces - push.first < deep ? s->pieces - push.first : deep;
        ks_vk_job job = {.pipeline = g->pipelines[s->pipeline],
                         .push = &push,
                         .push_bytes = sizeof push,
                         .groups = {s->wide, n, 1},
                         .flop = s->row * n,
                         .beside = push.first > 0};
        memcpy(job.parts, s->parts, sizeof job.parts);
        err = ks_vk_dispatch(g->vk, &job, e);
    }
    return err;
}

/* What the steps hand on, in KS_GPU_POOLED: [1 + T, H, D], [1 + T, H, 2], [T, H, N], [1 + T, I],
 * [1 + T, D]. */
typedef struct {
    ks_vk_part z, top_sum, logits, heads, out;
} handed;

static int hand(handed *h, ks_gpu *g, const int shape[2], ks_error *e)
{
    size_t T = (size_t)shape[0], N = (size_t)shape[1], D = (size_t)g->spatial.like.D,
           H = (size_t)g->pooler.H, I = (size_t)g->pooler.hidden, used = 0;
    size_t counts[] = {(1 + T) * H * D, (1 + T) * H * 2, T * H * N, (1 + T) * I, (1 + T) * D};
    ks_vk_part *parts[] = {&h->z, &h->top_sum, &h->logits, &h->heads, &h->out};
    for (int i = 0; i < 5; i++) {
        parts[i]->bytes = counts[i] * sizeof(float);
        parts[i]->at = ks_gpu_take(&used, parts[i]->bytes);
    }
    int err = ks_gpu_grow(g, KS_GPU_POOLED, used / sizeof(float), e);
    for (int i = 0; i < 5; i++) parts[i]->buffer = g->scratch[KS_GPU_POOLED].buffer;
    return err;
}

int ks_gpu_pool(const float **pooled, ks_gpu *g, const int shape[2], int each, ks_error *e)
{
    const ks_gpu_pooler *p = &g->pooler;
    uint32_t T = (uint32_t)shape[0], D = (uint32_t)g->spatial.like.D, H = (uint32_t)p->H,
             I = (uint32_t)p->hidden, rows = each ? 1 + T : 1;
    size_t f = sizeof(float), bytes = (size_t)rows * D * f;
    pool_push push = {.D = D, .H = H, .I = I, .N = (uint32_t)shape[1], .frames = T};
    handed h;
    void *at = NULL;
    int err = hand(&h, g, shape, e);
    if (err) return err;
    const ks_vk_buffer *w = &p->weights;
    const step steps[] = {{KS_GPU_POOL_GATHER,
                           {ks_gpu_scratch(g, KS_GPU_X), ks_gpu_part(w, p->u, (size_t)H * D * f),
                            h.logits, h.z, h.top_sum},
                           H,
                           T,
                           4.0 * H * D * push.N},
                          {KS_GPU_POOL_MERGE, {[3] = h.z, [4] = h.top_sum}, H, 1, 4.0 * H * D * T},
                          {KS_GPU_POOL_VALUES,
                           {h.z, ks_gpu_part(w, p->wv, (size_t)D * I * f),
                            ks_gpu_part(w, p->bv, (size_t)I * f), h.heads},
                           (I + 127) / 128,
                           rows,
                           2.0 * I * D},
                          {KS_GPU_POOL_OUTPUTS,
                           {h.heads, ks_gpu_part(w, p->wo, (size_t)D * I * f),
                            ks_gpu_part(w, p->bo, (size_t)D * f), h.out},
                           D,
                           rows,
                           2.0 * I * D}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !err; i++)
        err = run_step(g, &steps[i], push, e);
    const ks_vk_part by = ks_gpu_part(w, p->norm, 2 * (size_t)D * f);
    const ks_gpu_normed what = {h.out, h.out, by, {(int)rows, (int)D}};
    if (!err) err = ks_gpu_norm(g, &what, e);
    if (!err) err = ks_vk_staging(&at, g->vk, bytes, e);
    if (!err) err = ks_vk_pull(g->vk, &g->scratch[KS_GPU_POOLED], h.out.at, bytes, e);
    *pooled = at;
    return err;
}
