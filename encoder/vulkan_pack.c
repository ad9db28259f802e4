/* vulkan_pack.c - weights as devices have them: packed once, for every device, and kept in the
 * cache as HASH.TOWER.gpu-PRECISION.LAYOUT (pack.h: sums, checks, memory where there is no room).
 *
 * Stack after stack its layers, each as its buffer will be; then, of the video tower, what is
 * common to them. */
#include <stdlib.h>
#include <string.h>

#include "encoder/dispatch.h"
#include "encoder/pack.h"
#include "encoder/vulkan_towers.h"

/* Grows whenever another program would read the same bytes as something else. */
enum { LAYOUT = 1 };

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

static void put_common(char *to, const ks_gpu *g, const ks_weights *w)
{
    size_t D = (size_t)w->info.dim * sizeof(float);
    put_matrix(to, &g->patches, 0, NULL);
    memcpy(to + g->patch_bias, w->patch_b, D);
    memcpy(to + g->spatial_norm, w->spatial_ln_scale, D);
    memcpy(to + g->spatial_norm + D, w->spatial_ln_bias, D);
    memcpy(to + g->temporal_norm, w->temporal_ln_scale, D);
    memcpy(to + g->temporal_norm + D, w->temporal_ln_bias, D);
}

typedef struct {
    ks_encoder *enc;
    ks_gpu *g;
    int video;
    ks_gpu_stack *stacks[3];
    int n;
    size_t bytes, largest; /* of all, of what is one buffer */
} packing;

static void plan(packing *p)
{
    size_t D = (size_t)p->enc->info.dim * sizeof(float), used = 0;
    ks_gpu *g = p->g;
    for (int i = 0; i < p->n; i++) {
        ks_gpu_stack *s = p->stacks[i];
        if (s->like.layers > 0) plan_layer(s, g->half);
        s->at = ks_gpu_take(&p->bytes, s->bytes * (size_t)s->like.layers);
        p->largest = s->bytes > p->largest ? s->bytes : p->largest;
    }
    if (!p->video) return;
    ks_gpu_take(&used, ks_gpu_matrix_bytes(&g->patches, 0));
    g->patch_bias = ks_gpu_take(&used, D);
    g->spatial_norm = ks_gpu_take(&used, 2 * D);
    g->temporal_norm = ks_gpu_take(&used, 2 * D);
    g->common_bytes = used;
    g->common_at = ks_gpu_take(&p->bytes, used);
    p->largest = used > p->largest ? used : p->largest;
}

static int fill(void *arg, ks_pack_sink *sink, ks_error *e)
{
    packing *p = arg;
    ks_pack panels = {0};
    ks_blocks *stacks[3] = {NULL};
    char *image = malloc(p->largest);
    if (!image) return ks_fail(e, KS_ENOMEM, "no memory to pack weights");
    for (int i = 0; i < p->n; i++) stacks[i] = &p->stacks[i]->like;
    int err = ks_blocks_pack(&panels, p->enc, p->video ? "video" : "text", stacks,
                             p->video ? &p->g->patches : NULL, e);
    for (int i = 0; i < p->n && !err; i++) {
        const ks_gpu_stack *s = p->stacks[i];
        for (int l = 0; l < s->like.layers && !err; l++) {
            memset(image, 0, s->bytes);
            put_layer(image, s, l, p->g->half, p->enc->pool);
            err = ks_pack_put(sink, s->at + (size_t)l * s->bytes, image, s->bytes, e);
        }
    }
    if (!err && p->video) {
        memset(image, 0, p->g->common_bytes);
        put_common(image, p->g, p->enc->weights);
        err = ks_pack_put(sink, p->g->common_at, image, p->g->common_bytes, e);
    }
    ks_pack_close(&panels);
    free(image);
    return err;
}

int ks_gpu_pack_open(ks_pack *pack, ks_encoder *enc, ks_gpu *g, ks_tower tower, ks_error *e)
{
    packing p = {.enc = enc,
                 .g = g,
                 .video = tower == KS_TOWER_VIDEO,
                 .stacks = {&g->spatial, &g->temporal, &g->auxiliary},
                 .n = 3};
    char suffix[24];
    if (!p.video) {
        p.stacks[0] = &g->text;
        p.n = 1;
    }
    plan(&p);
    snprintf(suffix, sizeof suffix, "%s.gpu-%s.%d", p.video ? "video" : "text",
             g->half ? "fp16" : "fp32", LAYOUT);
    const ks_weights *w = enc->weights;
    return ks_pack_open(pack, &(ks_pack_name){w->cache, w->info.hash, suffix, p.bytes}, fill, &p,
                        e);
}
