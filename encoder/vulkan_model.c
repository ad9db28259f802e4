/* vulkan_model.c - a model's panels and our shaders onto a device. See vulkan_towers.h. */
#include <stdlib.h>
#include <string.h>

#include "encoder/checkpoint.h"
#include "encoder/vulkan_shaders.h"
#include "encoder/vulkan_towers.h"

size_t ks_gpu_matrix_bytes(const ks_matrix *m, int half)
{
    return ((size_t)m->N + KS_PANEL - 1) / KS_PANEL * KS_PANEL * ks_gpu_groups(m, half) * 4;
}

/* Nearest half, ties to even; what is beyond them becomes infinite, and the proof says so. */
static uint32_t half_of(float x)
{
    uint32_t bits, sign, rest;
    memcpy(&bits, &x, sizeof bits);
    sign = bits >> 16 & 0x8000;
    rest = bits & 0x7fffffff;
    if (rest < 0x38800000) { /* below 2^-14: a multiple of 2^-24, made by float's own rounding */
        float big = 0.5f, small;
        memcpy(&small, &rest, sizeof small);
        small += big;
        memcpy(&rest, &small, sizeof rest);
        return sign | (rest - 0x3f000000);
    }
    rest += 0xfff + (rest >> 13 & 1);
    return sign | (rest < 0x47800000 ? (rest - 0x38000000) >> 13 : 0x7c00);
}

typedef struct {
    uint32_t *to;
    const ks_matrix *m;
} halving;

/* One panel: [K, 32] floats to [(K + 1) / 2, 32] words of two. */
static void halve(void *arg, int task, int worker)
{
    halving *h = arg;
    size_t K = (size_t)h->m->K, groups = ks_gpu_groups(h->m, 1);
    const float *from = (const float *)h->m->panels + (size_t)task * K * KS_PANEL;
    uint32_t *to = h->to + (size_t)task * groups * KS_PANEL;
    (void)worker;
    for (size_t g = 0; g < groups; g++, from += 2 * KS_PANEL, to += KS_PANEL)
        for (size_t c = 0; c < KS_PANEL; c++)
            to[c] = half_of(from[c]) | (2 * g + 1 < K ? half_of(from[KS_PANEL + c]) << 16 : 0);
}

static void put_matrix(char *to, const ks_matrix *m, int half, ks_pool *pool)
{
    int panels = (m->N + KS_PANEL - 1) / KS_PANEL;
    if (half) ks_pool_run(pool, panels, halve, &(halving){(uint32_t *)(void *)to, m});
    else memcpy(to, m->panels, ks_gpu_matrix_bytes(m, 0));
}

static size_t width_of(const ks_gpu_stack *s) { return (size_t)s->like.D * sizeof(float); }

static void plan_layer(ks_gpu_stack *s, int half)
{
    ks_matrix *m[KS_BLOCK_MATRICES];
    ks_blocks one = s->like;
    one.layers = 1;
    ks_blocks_matrices(m, &one);
    s->bytes = 0;
    for (int i = 0; i < KS_BLOCK_MATRICES; i++)
        s->matrix[i] = ks_gpu_take(&s->bytes, ks_gpu_matrix_bytes(m[i], half));
    for (int i = 0; i < KS_BLOCK_MATRICES; i++)
        s->bias[i] = ks_gpu_take(&s->bytes, (size_t)m[i]->N * sizeof(float));
    for (int i = 0; i < 4; i++) s->norm[i] = ks_gpu_take(&s->bytes, 2 * width_of(s));
}

static void put_norm(char *to, const ks_gpu_stack *s, int i, const ks_norm *norm)
{
    if (!norm->scale) return;
    memcpy(to + s->norm[i], norm->scale, width_of(s));
    memcpy(to + s->norm[i] + width_of(s), norm->bias, width_of(s));
}

static void put_layer(char *to, const ks_gpu_stack *s, int l, int half, ks_pool *pool)
{
    ks_block *b = &s->like.blocks[l];
    const ks_matrix *m[KS_BLOCK_MATRICES] = {&b->project, &b->out, &b->feed1, &b->feed2};
    for (int i = 0; i < KS_BLOCK_MATRICES; i++) {
        put_matrix(to + s->matrix[i], m[i], half, pool);
        memcpy(to + s->bias[i], m[i]->bias, (size_t)m[i]->N * sizeof(float));
    }
    put_norm(to, s, 0, &b->attention_norm);
    put_norm(to, s, 1, &b->attention_post);
    put_norm(to, s, 2, &b->feed_norm);
    put_norm(to, s, 3, &b->feed_post);
}

static int upload_stack(ks_gpu_stack *s, ks_gpu *g, ks_pool *pool, ks_error *e)
{
    void *to;
    int err = 0;
    if (s->like.layers == 0) return 0;
    plan_layer(s, g->half);
    s->layers = calloc((size_t)s->like.layers, sizeof *s->layers);
    if (!s->layers) return ks_fail(e, KS_ENOMEM, "no memory for %d layers", s->like.layers);
    for (int l = 0; l < s->like.layers && !err; l++) {
        err = ks_vk_buffer_new(&s->layers[l], g->vk, s->bytes, KS_VK_OWN, e);
        if (!err) err = ks_vk_staging(&to, g->vk, s->bytes, e);
        if (err) break;
        put_layer(to, s, l, g->half, pool);
        err = ks_vk_push(g->vk, &s->layers[l], 0, s->bytes, e);
    }
    return err ? err : ks_vk_finish(g->vk, e);
}

static int upload_common(ks_gpu *g, const ks_weights *w, ks_error *e)
{
    size_t bytes = 0, D = (size_t)w->info.dim * sizeof(float);
    void *to;
    ks_gpu_take(&bytes, ks_gpu_matrix_bytes(&g->patches, 0));
    g->patch_bias = ks_gpu_take(&bytes, D);
    g->spatial_norm = ks_gpu_take(&bytes, 2 * D);
    g->temporal_norm = ks_gpu_take(&bytes, 2 * D);
    int err = ks_vk_buffer_new(&g->common, g->vk, bytes, KS_VK_OWN, e);
    if (!err) err = ks_vk_staging(&to, g->vk, bytes, e);
    if (err) return err;
    char *at = to;
    put_matrix(at, &g->patches, 0, NULL);
    memcpy(at + g->patch_bias, w->patch_b, D);
    memcpy(at + g->spatial_norm, w->spatial_ln_scale, D);
    memcpy(at + g->spatial_norm + D, w->spatial_ln_bias, D);
    memcpy(at + g->temporal_norm, w->temporal_ln_scale, D);
    memcpy(at + g->temporal_norm + D, w->temporal_ln_bias, D);
    err = ks_vk_push(g->vk, &g->common, 0, bytes, e);
    return err ? err : ks_vk_finish(g->vk, e);
}

static int open_video(ks_gpu *g, ks_encoder *enc, ks_error *e)
{
    const ks_weights *w = enc->weights;
    ks_pack pack = {0};
    ks_blocks *const stacks[3] = {&g->spatial.like, &g->temporal.like, &g->auxiliary.like};
    g->patches = ks_matrix_plan(KS_FP32, 3 * w->info.patch * w->info.patch, w->info.dim, 0,
                                &(ks_source){.w = {w->patch_w}, .parts = 1});
    int err = ks_blocks_open(stacks[0], "spatial", &w->spatial, enc, KS_FP32, e);
    if (!err) err = ks_blocks_open(stacks[1], "temporal", &w->temporal, enc, KS_FP32, e);
    if (!err) err = ks_blocks_open(stacks[2], "auxiliary", &w->auxiliary, enc, KS_FP32, e);
    if (!err) err = ks_blocks_pack(&pack, enc, "video", stacks, &g->patches, e);
    if (!err) err = upload_stack(&g->spatial, g, enc->pool, e);
    if (!err) err = upload_stack(&g->temporal, g, enc->pool, e);
    if (!err) err = upload_stack(&g->auxiliary, g, enc->pool, e);
    if (!err) err = upload_common(g, w, e);
    if (!err) err = ks_gpu_pooler_open(g, &enc->vision.pooling, e);
    ks_pack_close(&pack);
    return err;
}

static int open_text(ks_gpu *g, ks_encoder *enc, ks_error *e)
{
    ks_pack pack = {0};
    ks_blocks *text = &g->text.like;
    int err = ks_blocks_open(text, "text", &enc->weights->text, enc, KS_FP32, e);
    text->activation = KS_RELU;
    text->causal = 1;
    if (!err) err = ks_blocks_pack(&pack, enc, "text", (ks_blocks *const[3]){text}, NULL, e);
    if (!err) err = upload_stack(&g->text, g, enc->pool, e);
    ks_pack_close(&pack);
    return err;
}

/* --- shaders --- */

static uint32_t attend_bytes(uint32_t dh, uint32_t block)
{
    uint32_t line = (dh + 3) / 4 + 1;
    return 16 * line * 2 * block + 4 * block * (block + 1);
}

/* What this device has decides the tiles, and so the last bits: it is the same every time. */
static int plan_tiles(ks_gpu *g, uint32_t dh, ks_error *e)
{
    const ks_vk_facts *f = &g->vk->facts;
    const VkPhysicalDeviceLimits *l = &f->limits;
    uint32_t shared = l->maxComputeSharedMemorySize;
    g->tile = shared >= 32768 && !ks_vk_is_cpu(f) ? 2 : 1;
    g->queries = attend_bytes(dh, 32) <= shared ? 32 : 16;
    if (l->maxComputeWorkGroupInvocations < 256 || l->maxComputeWorkGroupSize[0] < 256 ||
        attend_bytes(dh, g->queries) > shared || l->maxPushConstantsSize < KS_VK_PUSH)
        return ks_fail(e, KS_ENOTFOUND, "%s: its work groups are too small for this model",
                       f->name);
    return 0;
}

/* As the pipelines: what they are made of. */
typedef struct {
    const uint32_t *code;
    const size_t *bytes;
    uint32_t constants[4], n;
} shader;

static void list_shaders(shader to[KS_GPU_PIPELINES], const ks_gpu *g, uint32_t dh)
{
#define SHADER(name) ks_shader_##name, &ks_shader_##name##_bytes
    for (uint32_t i = KS_GPU_PLAIN; i <= KS_GPU_PLACE; i++)
        to[i] = (shader){SHADER(product), {g->tile, g->tile, i, i != KS_GPU_PLACE && g->half}, 4};
    to[KS_GPU_NORM] = (shader){SHADER(norm), {0}, 0};
    to[KS_GPU_ATTEND] = (shader){SHADER(attend), {dh, g->queries, g->queries}, 3};
    to[KS_GPU_PATCHES] = (shader){SHADER(patches), {0}, 0};
    to[KS_GPU_STAMP] = (shader){SHADER(stamp), {0}, 0};
    for (uint32_t i = KS_GPU_POOL_GATHER; i <= KS_GPU_POOL_OUTPUTS; i++)
        to[i] = (shader){SHADER(pool), {i - KS_GPU_POOL_GATHER}, 1};
#undef SHADER
}

static int open_shaders(ks_gpu *g, ks_encoder *enc, ks_error *e)
{
    uint32_t dh = (uint32_t)(enc->info.dim / enc->info.heads);
    shader list[KS_GPU_PIPELINES];
    int err = plan_tiles(g, dh, e);
    if (!err) list_shaders(list, g, dh);
    for (int i = 0; i < KS_GPU_PIPELINES && !err; i++)
        err = ks_vk_pipeline_new(&g->pipelines[i], g->vk, list[i].code, *list[i].bytes,
                                 list[i].constants, list[i].n, e);
    return err;
}

uint32_t ks_gpu_code(void)
{
    shader list[KS_GPU_PIPELINES];
    uint32_t crc = 0;
    list_shaders(list, &(ks_gpu){0}, 0);
    for (int i = 0; i < KS_GPU_PIPELINES; i++) crc = ks_crc32(crc, list[i].code, *list[i].bytes);
    return crc;
}

/* --- all of it --- */

static ks_gpu_facts facts_of(const ks_vk_facts *v)
{
    ks_gpu_facts f = {.is_cpu = ks_vk_is_cpu(v)};
    memcpy(f.name, v->name, sizeof f.name);
    memcpy(f.key, v->key, sizeof f.key);
    return f;
}

int ks_gpu_list(ks_gpu_facts *facts, int max, ks_error *e)
{
    ks_vk_facts all[16];
    int n = ks_vk_list(all, max < 16 ? max : 16, e);
    for (int i = 0; i < n; i++) facts[i] = facts_of(&all[i]);
    return n;
}

const ks_gpu_facts *ks_gpu_is(const ks_gpu *g) { return &g->facts; }

ks_precision ks_gpu_precision(const ks_gpu *g) { return g->half ? KS_BF16 : KS_FP32; }

void ks_gpu_set_rate(ks_gpu *g, double gflops)
{
    double flop = gflops * 1e9 * 0.02;
    g->vk->dispatch_flop = flop < 1e8 ? 1e8 : flop > 2e10 ? 2e10 : flop;
}

int ks_gpu_open(ks_gpu **out, ks_encoder *enc, int which, ks_error *e)
{
    *out = NULL;
    ks_gpu *g = calloc(1, sizeof *g);
    if (!g) return ks_fail(e, KS_ENOMEM, "no memory for a GPU");
    g->half = enc->asked != KS_FP32;
    int err = ks_vk_open(&g->vk, which, e);
    if (!err) g->facts = facts_of(&g->vk->facts);
    if (!err) err = open_shaders(g, enc, e);
    if (!err && enc->towers & KS_TOWER_VIDEO) err = open_video(g, enc, e);
    if (!err && enc->towers & KS_TOWER_TEXT) err = open_text(g, enc, e);
    if (err) {
        ks_gpu_close(g);
        return err;
    }
    *out = g;
    return 0;
}

static void close_stack(ks_gpu *g, ks_gpu_stack *s)
{
    for (int l = 0; s->layers && l < s->like.layers; l++) ks_vk_buffer_free(g->vk, &s->layers[l]);
    free(s->layers);
    ks_blocks_close(&s->like);
}

void ks_gpu_close(ks_gpu *g)
{
    if (!g) return;
    ks_gpu_stack *stacks[] = {&g->spatial, &g->temporal, &g->auxiliary, &g->text};
    if (g->vk) ks_vk_settle(g->vk);
    for (int i = 0; i < 4; i++) close_stack(g, stacks[i]);
    if (g->vk) {
        ks_vk_buffer_free(g->vk, &g->common);
        ks_vk_buffer_free(g->vk, &g->positions);
        ks_vk_buffer_free(g->vk, &g->pooler.weights);
        for (int i = 0; i < KS_GPU_BUFFERS; i++) ks_vk_buffer_free(g->vk, &g->scratch[i]);
        for (int i = 0; i < KS_GPU_PIPELINES; i++)
            if (g->pipelines[i] && !g->vk->sent)
                g->vk->call.DestroyPipeline(g->vk->device, g->pipelines[i], NULL);
    }
    ks_vk_close(g->vk);
    free(g);
}
