/* vulkan_stack.c - pre-norm blocks as dispatches. See vulkan_towers.h, transformer.h.
 *
 * No dispatch has more than vk->dispatch_flop: products are cut by rows, attention by sequences or
 * by blocks of queries. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/vulkan_towers.h"

/* --- working memory --- */

int ks_gpu_takes(const ks_encoder *enc, int64_t rows)
{
    return rows * 3 * enc->info.dim * (int64_t)sizeof(float) <= (int64_t)KS_VK_LARGEST;
}

int ks_gpu_grow(ks_gpu *g, int which, size_t count, ks_error *e)
{
    size_t bytes = count * 4;
    ks_vk_buffer *b = &g->scratch[which];
    if (b->bytes >= bytes) return 0;
    int err = ks_vk_finish(g->vk, e);
    if (err) return err;
    ks_vk_buffer_free(g->vk, b);
    return ks_vk_buffer_new(b, g->vk, bytes, KS_VK_OWN, e);
}

static size_t most_hidden(const ks_gpu *g)
{
    const ks_gpu_stack *stacks[] = {&g->spatial, &g->temporal, &g->auxiliary, &g->text};
    int F = 0;
    for (int i = 0; i < 4; i++) F = stacks[i]->like.F > F ? stacks[i]->like.F : F;
    return (size_t)F;
}

int ks_gpu_reserve(ks_gpu *g, int rows, int sequences, size_t extra, ks_error *e)
{
    size_t n = (size_t)rows, chunk = rows < KS_GPU_CHUNK ? n : KS_GPU_CHUNK,
           D = (size_t)(g->spatial.like.D ? g->spatial.like.D : g->text.like.D),
           hidden = chunk * most_hidden(g);
    int err = ks_gpu_grow(g, KS_GPU_X, n * D, e);
    if (!err) err = ks_gpu_grow(g, KS_GPU_NORMED, chunk * D, e);
    if (!err) err = ks_gpu_grow(g, KS_GPU_QKV, n * 3 * D, e);
    if (!err) err = ks_gpu_grow(g, KS_GPU_MIXED, n * D, e);
    if (!err) err = ks_gpu_grow(g, KS_GPU_HIDDEN, hidden > extra ? hidden : extra, e);
    if (!err) err = ks_gpu_grow(g, KS_GPU_MASK, n, e);
    if (!err) err = ks_gpu_grow(g, KS_GPU_SEQUENCES, (size_t)sequences * 4, e);
    if (err != KS_ENOMEM || g->n_kept == 0) return err;
    g->n_kept = 0; /* what stays there for speed alone goes first; nothing is at work on it */
    err = ks_vk_finish(g->vk, e);
    ks_vk_buffer_free(g->vk, &g->scratch[KS_GPU_KEPT]);
    return err ? err : ks_gpu_reserve(g, rows, sequences, extra, e);
}

/* --- products --- */

typedef struct {
    uint32_t rows, N, K, groups, ldx, ldy, first_x, first_y, masked, period;
} product_push;

typedef struct {
    int pipeline;
    ks_vk_part w, bias, extra;
    const ks_matrix *m;
    int to, from; /* scratch */
    uint32_t first_x, first_y;
    int masked;
    uint32_t period;
} product;

static int multiply(ks_gpu *g, const product *p, uint32_t rows, ks_error *e)
{
    const ks_matrix *m = p->m;
    double row = 2.0 * m->K * m->N;
    uint32_t side = 64 * g->tile, most = (uint32_t)fmin(g->vk->dispatch_flop / row, 1 << 20);
    int err = 0;
    most = most < side ? side : most / side * side;
    for (uint32_t at = 0; at < rows && !err; at += most) {
        uint32_t n = rows - at < most ? rows - at : most;
        product_push push = {.rows = n,
                             .N = (uint32_t)m->N,
                             .K = (uint32_t)m->K,
                             .groups = ks_gpu_groups(m, p->pipeline != KS_GPU_PLACE && g->half),
                             .ldx = (uint32_t)m->K,
                             .ldy = (uint32_t)m->N,
                             .first_x = p->first_x + at,
                             .first_y = p->first_y + at,
                             .masked = (uint32_t)p->masked,
                             .period = p->period};
        ks_vk_job job = {.pipeline = g->pipelines[p->pipeline],
                         .parts = {ks_gpu_scratch(g, p->from), p->w, p->bias,
                                   ks_gpu_scratch(g, p->to), p->extra},
                         .push = &push,
                         .push_bytes = sizeof push,
                         .groups = {((uint32_t)m->N + side - 1) / side, (n + side - 1) / side, 1},
                         .flop = row * n,
                         .beside = at > 0};
        err = ks_vk_dispatch(g->vk, &job, e);
    }
    return err;
}

int ks_gpu_place(ks_gpu *g, int rows, int N, ks_error *e)
{
    product p = {.pipeline = KS_GPU_PLACE,
                 .w = {g->common.buffer, 0, ks_gpu_matrix_bytes(&g->patches, 0)},
                 .bias = {g->common.buffer, g->patch_bias, (size_t)g->patches.N * sizeof(float)},
                 .extra = ks_gpu_part(&g->positions, 0, g->positions.bytes),
                 .m = &g->patches,
                 .to = KS_GPU_X,
                 .from = KS_GPU_HIDDEN,
                 .period = (uint32_t)N};
    return multiply(g, &p, (uint32_t)rows, e);
}

/* --- norms --- */

typedef struct {
    uint32_t D, ldx, ldy, first_x, first_y, add, masked;
} norm_push;

enum { GROUPS = 65535 }; /* that every device takes along an axis */

typedef struct {
    ks_vk_part to, from;
    uint32_t first_to, first_from;
    int add, masked;
} normed;

static int norm(ks_gpu *g, const normed *o, const ks_vk_part *by, const int shape[2], ks_error *e)
{
    uint32_t rows = (uint32_t)shape[0], D = (uint32_t)shape[1];
    int err = 0;
    for (uint32_t at = 0; at < rows && !err; at += GROUPS) {
        uint32_t n = rows - at < GROUPS ? rows - at : GROUPS;
        norm_push push = {.D = D,
                          .ldx = D,
                          .ldy = D,
                          .first_x = o->first_from + at,
                          .first_y = o->first_to + at,
                          .add = (uint32_t)o->add,
                          .masked = (uint32_t)o->masked};
        ks_vk_job job = {
            .pipeline = g->pipelines[KS_GPU_NORM],
            .parts = {[0] = o->from, [2] = *by, [3] = o->to, [4] = ks_gpu_scratch(g, KS_GPU_MASK)},
            .push = &push,
            .push_bytes = sizeof push,
            .groups = {n, 1, 1},
            .flop = 10.0 * n * D,
            .beside = at > 0};
        err = ks_vk_dispatch(g->vk, &job, e);
    }
    return err;
}

int ks_gpu_norm(ks_gpu *g, const ks_gpu_normed *n, ks_error *e)
{
    return norm(g, &(normed){.to = n->to, .from = n->from}, &n->by, n->shape, e);
}

/* --- attention --- */

typedef struct {
    uint32_t D, row_step, first_block, first_sequence, causal, masked;
    float scale;
} attend_push;

static int attend(ks_gpu *g, const ks_gpu_stack *s, const ks_rows *rows, ks_error *e)
{
    uint32_t D = (uint32_t)s->like.D, H = (uint32_t)s->like.H, q = g->queries,
             blocks = ((uint32_t)rows->length + q - 1) / q, n = (uint32_t)rows->sequences;
    double block = 4.0 * q * rows->length * D, room = fmax(g->vk->dispatch_flop / block, 1);
    uint32_t wide = room < blocks ? (uint32_t)room : blocks,
             deep = (uint32_t)fmin(fmax(room / blocks, 1), GROUPS);
    int err = 0, first = 1;
    for (uint32_t z = 0; z < n && !err; z += deep)
        for (uint32_t x = 0; x < blocks && !err; x += wide) {
            uint32_t nx = blocks - x < wide ? blocks - x : wide, nz = n - z < deep ? n - z : deep;
            attend_push push = {.D = D,
                                .row_step = (uint32_t)rows->row_step,
                                .first_block = x,
                                .first_sequence = z,
                                .causal = (uint32_t)s->like.causal,
                                .masked = rows->masked != NULL,
                                .scale = 1.0f / sqrtf((float)(D / H))};
            ks_vk_job job = {.pipeline = g->pipelines[KS_GPU_ATTEND],
                             .parts = {[0] = ks_gpu_scratch(g, KS_GPU_QKV),
                                       [1] = ks_gpu_scratch(g, KS_GPU_SEQUENCES),
                                       [3] = ks_gpu_scratch(g, KS_GPU_MIXED),
                                       [4] = ks_gpu_scratch(g, KS_GPU_MASK)},
                             .push = &push,
                             .push_bytes = sizeof push,
                             .groups = {nx, H, nz},
                             .flop = block * nx * nz,
                             .beside = !first};
            err = ks_vk_dispatch(g->vk, &job, e);
            first = 0;
        }
    return err;
}

/* [sequences, 4]: first row, length, whether all its keys are masked (it attends evenly then) */
static void list_sequences(uint32_t *to, const ks_rows *r)
{
    for (int i = 0; i < r->sequences; i++, to += 4) {
        size_t first = r->first ? (size_t)r->first[i] : (size_t)i * r->sequence_step;
        int length = r->first ? r->first[i + 1] - r->first[i] : r->length, even = r->masked != NULL;
        for (int k = 0; k < length && even; k++) even = r->masked[first + (size_t)k * r->row_step];
        memcpy(to, (const uint32_t[4]){(uint32_t)first, (uint32_t)length, (uint32_t)even, 0},
               4 * sizeof *to);
    }
}

static int put_rows(ks_gpu *g, const ks_rows *r, ks_error *e)
{
    size_t bytes = (size_t)r->sequences * 4 * sizeof(uint32_t),
           masks = (size_t)r->rows * sizeof(uint32_t), most = masks > bytes ? masks : bytes;
    uint32_t *list = malloc(most);
    if (!list) return ks_fail(e, KS_ENOMEM, "no memory for %d rows", r->rows);
    list_sequences(list, r);
    int err = ks_vk_put(g->vk, &g->scratch[KS_GPU_SEQUENCES], list, bytes, e);
    for (int i = 0; i < r->rows && r->masked; i++) list[i] = r->masked[i];
    if (!err && r->masked) err = ks_vk_put(g->vk, &g->scratch[KS_GPU_MASK], list, masks, e);
    free(list);
    return err;
}

/* --- blocks --- */

typedef struct {
    ks_gpu *g;
    const ks_gpu_stack *s;
    const ks_rows *rows;
    int layer;
} pass;

static ks_vk_part norm_part(const pass *p, int i)
{
    return (ks_vk_part){p->s->layers[p->layer].buffer, p->s->norm[i],
                        2 * (size_t)p->s->like.D * sizeof(float)};
}

/* Matrix i of the layer: from scratch `from` to `to`. */
static product product_of(const pass *p, int i, int pipeline, int to, int from)
{
    ks_block *b = &p->s->like.blocks[p->layer];
    const ks_matrix *m[KS_BLOCK_MATRICES] = {&b->project, &b->out, &b->feed1, &b->feed2};
    VkBuffer layer = p->s->layers[p->layer].buffer;
    return (product){.pipeline = pipeline,
                     .w = {layer, p->s->matrix[i], ks_gpu_matrix_bytes(m[i], p->g->half)},
                     .bias = {layer, p->s->bias[i], (size_t)m[i]->N * sizeof(float)},
                     .extra = ks_gpu_scratch(p->g, KS_GPU_MASK),
                     .m = m[i],
                     .to = to,
                     .from = from};
}

/* NORMED[0..n-1] = LN of rows first ... of X */
static int norm_rows(const pass *p, int i, uint32_t first, int n, ks_error *e)
{
    ks_vk_part by = norm_part(p, i);
    return norm(p->g,
                &(normed){.to = ks_gpu_scratch(p->g, KS_GPU_NORMED),
                          .from = ks_gpu_scratch(p->g, KS_GPU_X),
                          .first_from = first},
                &by, (const int[]){n, p->s->like.D}, e);
}

/* X += rows, or LN of them where the stack has one behind a sub-layer (then by way of QKV). */
static int add_rows(const pass *p, product *add, int post, int n, ks_error *e)
{
    const ks_block *b = &p->s->like.blocks[p->layer];
    if (!(post == 1 ? b->attention_post.scale : b->feed_post.scale)) {
        add->to = KS_GPU_X;
        add->pipeline = KS_GPU_ADD;
        return multiply(p->g, add, (uint32_t)n, e);
    }
    add->to = KS_GPU_QKV;
    add->pipeline = KS_GPU_PLAIN;
    ks_vk_part by = norm_part(p, post);
    int err = multiply(p->g, add, (uint32_t)n, e);
    return err ? err
               : norm(p->g,
                      &(normed){.to = ks_gpu_scratch(p->g, KS_GPU_X),
                                .from = ks_gpu_scratch(p->g, KS_GPU_QKV),
                                .first_to = add->first_y,
                                .first_from = add->first_y,
                                .add = 1,
                                .masked = add->masked},
                      &by, (const int[]){n, p->s->like.D}, e);
}

static int project(const pass *p, uint32_t first, int n, ks_error *e)
{
    product to = product_of(p, 0, KS_GPU_PLAIN, KS_GPU_QKV, KS_GPU_NORMED);
    to.first_y = first;
    int err = norm_rows(p, 0, first, n, e);
    return err ? err : multiply(p->g, &to, (uint32_t)n, e);
}

static int feed(const pass *p, uint32_t first, int n, ks_error *e)
{
    product out = product_of(p, 1, KS_GPU_ADD, KS_GPU_X, KS_GPU_MIXED),
            feed1 = product_of(p, 2, p->s->like.activation == KS_RELU ? KS_GPU_RELU : KS_GPU_GELU,
                               KS_GPU_HIDDEN, KS_GPU_NORMED),
            feed2 = product_of(p, 3, KS_GPU_ADD, KS_GPU_X, KS_GPU_HIDDEN);
    out.first_x = out.first_y = feed2.first_y = first;
    feed2.masked = p->rows->masked != NULL;
    int err = add_rows(p, &out, 1, n, e);
    if (!err) err = norm_rows(p, 2, first, n, e);
    if (!err) err = multiply(p->g, &feed1, (uint32_t)n, e);
    return err ? err : add_rows(p, &feed2, 3, n, e);
}

static int run_block(const pass *p, ks_error *e)
{
    int rows = p->rows->rows, err = 0;
    for (int at = 0; at < rows && !err; at += KS_GPU_CHUNK)
        err = project(p, (uint32_t)at, rows - at < KS_GPU_CHUNK ? rows - at : KS_GPU_CHUNK, e);
    if (!err) err = attend(p->g, p->s, p->rows, e);
    for (int at = 0; at < rows && !err; at += KS_GPU_CHUNK)
        err = feed(p, (uint32_t)at, rows - at < KS_GPU_CHUNK ? rows - at : KS_GPU_CHUNK, e);
    return err;
}

static int show(ks_encoder *enc, const pass *p, ks_error *e)
{
    void *x;
    size_t bytes = (size_t)p->rows->rows * (size_t)p->s->like.D * sizeof(float);
    ks_run run = ks_run_of(enc);
    if (!enc->tap) return 0;
    int err = ks_vk_staging(&x, p->g->vk, bytes, e);
    if (!err) err = ks_vk_pull(p->g->vk, &p->g->scratch[KS_GPU_X], 0, bytes, e);
    if (!err) ks_tap_call(&run, p->s->like.name, p->layer, x, p->rows->rows, p->s->like.D);
    return err;
}

int ks_gpu_stack_run(ks_encoder *enc, const ks_gpu_stack *s, const ks_rows *rows, ks_error *e)
{
    pass p = {.g = enc->gpu, .s = s, .rows = rows};
    if (s->like.layers == 0) return 0;
    int err = put_rows(p.g, rows, e);
    for (; p.layer < s->like.layers && !err; p.layer++) {
        err = run_block(&p, e);
        if (!err) err = show(enc, &p, e);
    }
    return err;
}
