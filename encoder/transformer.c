/* transformer.c - see transformer.h.
 *
 * A block is three jobs of the pool, each over tiles of rows that fit a core's cache:
 *   project   LN, q, k, v                                   tile of rows
 *   attend    scores and their sums                         (sequence, head, block of queries)
 *   feed      out, residual, LN, feed-forward, residual     tile of rows */
#include "encoder/transformer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "encoder/attention.h"

enum { TILE = 128 };

typedef struct {
    const ks_blocks *stack;
    const ks_rows *rows;
    const ks_block *block;
    float *qkv;                /* [3, rows, D] */
    float *mixed;              /* [rows, D]: what attention gave, before `out` */
    char *scratch;             /* [threads, scratch_size] */
    size_t scratch_size;
} pass;

static int query_blocks(int length)
{
    return (length + KS_QUERY_BLOCK - 1) / KS_QUERY_BLOCK;
}

static int tiles_a_unit(int unit)
{
    return (unit + TILE - 1) / TILE;
}

/* Rows [first, first + m) of tile t. */
static int tile_rows(const ks_rows *rows, int t, size_t *first)
{
    int a_unit = tiles_a_unit(rows->unit), at = t % a_unit * TILE;
    *first = (size_t)(t / a_unit) * (size_t)rows->unit + (size_t)at;
    return rows->unit - at < TILE ? rows->unit - at : TILE;
}

static size_t scratch_of(const ks_blocks *stack, int length)
{
    size_t tile = ks_slice(TILE * (size_t)(2 * stack->D + stack->F), sizeof(float));
    size_t scores = ks_slice(KS_QUERY_BLOCK * (size_t)length, sizeof(float));
    return tile > scores ? tile : scores;
}

size_t ks_stack_scratch(const ks_blocks *stack, int rows, int length, int threads)
{
    return ks_slice((size_t)rows * (size_t)stack->D, 4 * sizeof(float)) +
           ks_slice(scratch_of(stack, length), (size_t)threads);
}

static void project(void *arg, int task, int worker)
{
    pass *p = arg;
    size_t D = (size_t)p->stack->D, first;
    int m = tile_rows(p->rows, task, &first);
    float *h = (float *)(void *)(p->scratch + (size_t)worker * p->scratch_size); /* [m, D] */
    const ks_matrix *w[3] = {&p->block->query, &p->block->key, &p->block->value};
    ks_layer_norm(h, D, p->rows->x + first * D, D, m, (int)D, &p->block->attention_norm);
    for (int i = 0; i < 3; i++) {
        float *y = p->qkv + ((size_t)i * (size_t)p->rows->rows + first) * D;
        ks_gemm_blas(y, D, h, D, m, w[i]);
        ks_bias_activate(y, D, m, (int)D, w[i]->bias, KS_IDENTITY);
    }
}

static void attend(void *arg, int task, int worker)
{
    pass *p = arg;
    const ks_blocks *s = p->stack;
    const ks_rows *rows = p->rows;
    int blocks = query_blocks(rows->length), dh = s->D / s->H;
    int first = task % blocks * KS_QUERY_BLOCK, head = task / blocks % s->H;
    int n = rows->length - first < KS_QUERY_BLOCK ? rows->length - first : KS_QUERY_BLOCK;
    size_t row = (size_t)(task / blocks / s->H) * rows->sequence_step, D = (size_t)s->D;
    size_t at = row * D + (size_t)head * (size_t)dh, whole = (size_t)rows->rows * D;
    ks_head one = {.q = p->qkv + at, .k = p->qkv + whole + at, .v = p->qkv + 2 * whole + at, .out = p->mixed + at,
                   .step = rows->row_step * D, .out_step = rows->row_step * D, .length = rows->length, .dh = dh,
                   .causal = s->causal, .cap = KS_LOGIT_CAP, .masked = rows->masked ? rows->masked + row : NULL,
                   .mask_step = rows->row_step};
    ks_attend_plain(&one, first, n, (float *)(void *)(p->scratch + (size_t)worker * p->scratch_size));
}

/* x[m, D] += y, but for masked rows. */
static void add_unmasked(float *x, const float *y, int m, size_t D, const uint8_t *masked)
{
    for (int r = 0; r < m; r++)
        if (!masked || !masked[r])
            ks_add(x + (size_t)r * D, D, y + (size_t)r * D, D, 1, (int)D);
}

static void feed(void *arg, int task, int worker)
{
    pass *p = arg;
    const ks_block *b = p->block;
    size_t D = (size_t)p->stack->D, F = (size_t)p->stack->F, first;
    int m = tile_rows(p->rows, task, &first), width = (int)D;
    float *x = p->rows->x + first * D;
    float *h = (float *)(void *)(p->scratch + (size_t)worker * p->scratch_size); /* [m, D] */
    float *y = h + TILE * D, *f = y + TILE * D;                                   /* [m, D], [m, F] */
    ks_gemm_blas(y, D, p->mixed + first * D, D, m, &b->out);
    ks_bias_activate(y, D, m, width, b->out.bias, KS_IDENTITY);
    if (b->attention_post.scale)
        ks_layer_norm(y, D, y, D, m, width, &b->attention_post);
    ks_add(x, D, y, D, m, width);
    ks_layer_norm(h, D, x, D, m, width, &b->feed_norm);
    ks_gemm_blas(f, F, h, D, m, &b->feed1);
    ks_bias_activate(f, F, m, (int)F, b->feed1.bias, p->stack->activation);
    ks_gemm_blas(y, D, f, F, m, &b->feed2);
    ks_bias_activate(y, D, m, width, b->feed2.bias, KS_IDENTITY);
    if (b->feed_post.scale)
        ks_layer_norm(y, D, y, D, m, width, &b->feed_post);
    add_unmasked(x, y, m, D, p->rows->masked ? p->rows->masked + first : NULL);
}

void ks_tap_call(const ks_run *run, const char *name, int index, const float *x, int64_t rows, int64_t cols)
{
    char full[64];
    if (!run->tap)
        return;
    if (index >= 0)
        snprintf(full, sizeof full, "%s.%d", name, index);
    else
        snprintf(full, sizeof full, "%s", name);
    run->tap(run->tap_arg, full, x, rows, cols);
}

void ks_stack_run(const ks_run *run, const ks_blocks *stack, const ks_rows *rows)
{
    int threads = ks_pool_threads(run->pool);
    int tiles = rows->rows / rows->unit * tiles_a_unit(rows->unit);
    int heads = rows->sequences * stack->H * query_blocks(rows->length);
    assert(rows->rows % rows->unit == 0 && rows->rows == rows->sequences * rows->length);
    size_t whole = (size_t)rows->rows * (size_t)stack->D, used = run->arena->used;
    pass p = {.stack = stack, .rows = rows, .scratch_size = scratch_of(stack, rows->length)};
    p.qkv = ks_arena_take(run->arena, 4 * whole * sizeof(float));
    p.mixed = p.qkv + 3 * whole;
    p.scratch = ks_arena_take(run->arena, (size_t)threads * p.scratch_size);
    for (int layer = 0; layer < stack->layers; layer++) {
        p.block = &stack->blocks[layer];
        ks_pool_run(run->pool, tiles, project, &p);
        ks_pool_run(run->pool, heads, attend, &p);
        ks_pool_run(run->pool, tiles, feed, &p);
        ks_tap_call(run, stack->name, layer, rows->x, rows->rows, stack->D);
    }
    run->arena->used = used;
}
