/* vulkan_model.c - a model's weights and our shaders onto a device. See vulkan_towers.h. */
#include <stdlib.h>
#include <string.h>

#include "encoder/checkpoint.h"
#include "encoder/vulkan_shaders.h"
#include "encoder/vulkan_towers.h"

static int upload_stack(ks_gpu_stack *s, ks_gpu *g, const ks_pack *pack, ks_error *e)
{
    int err = 0;
    if (s->like.layers == 0) return 0;
    s->layers = calloc((size_t)s->like.layers, sizeof *s->layers);
    if (!s->layers) return ks_fail(e, KS_ENOMEM, "no memory for %d layers", s->like.layers);
    for (int l = 0; l < s->like.layers && !err; l++) {
        err = ks_vk_buffer_new(&s->layers[l], g->vk, s->bytes, KS_VK_OWN, e);
        if (!err)
            err = ks_vk_upload(g->vk, &s->layers[l], 0, pack->data + s->at + (size_t)l * s->bytes,
                               s->bytes, e);
    }
    return err ? err : ks_vk_finish(g->vk, e);
}

static int open_video(ks_gpu *g, ks_encoder *enc, ks_error *e)
{
    const ks_weights *w = enc->weights;
    ks_pack pack = {0};
    ks_gpu_stack *const stacks[] = {&g->spatial, &g->temporal, &g->auxiliary};
    g->patches = ks_matrix_plan(KS_FP32, 3 * w->info.patch * w->info.patch, w->info.dim, 0,
                                &(ks_source){.w = {w->patch_w}, .parts = 1});
    int err = ks_blocks_open(&g->spatial.like, "spatial", &w->spatial, enc, KS_FP32, e);
    if (!err) err = ks_blocks_open(&g->temporal.like, "temporal", &w->temporal, enc, KS_FP32, e);
    if (!err) err = ks_blocks_open(&g->auxiliary.like, "auxiliary", &w->auxiliary, enc, KS_FP32, e);
    if (!err) err = ks_gpu_pack_open(&pack, enc, g, KS_TOWER_VIDEO, e);
    for (int i = 0; i < 3 && !err; i++) err = upload_stack(stacks[i], g, &pack, e);
    if (!err) err = ks_vk_buffer_new(&g->common, g->vk, g->common_bytes, KS_VK_OWN, e);
    if (!err)
        err = ks_vk_upload(g->vk, &g->common, 0, pack.data + g->common_at, g->common_bytes, e);
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
    if (!err) err = ks_gpu_pack_open(&pack, enc, g, KS_TOWER_TEXT, e);
    if (!err) err = upload_stack(&g->text, g, &pack, e);
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
    ks_gpu_facts f = {.is_cpu = ks_vk_is_cpu(v),
                      .place = (int)v->place,
                      .vendor = v->vendor,
                      .device = v->device,
                      .driver = v->driver};
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
