/* transformer.c - see transformer.h.
 *
 * A block is three jobs of the pool, each over pieces that fit a core's second cache:
 *   project   LN, q, k, v                                   tile of rows
 *   attend    scores, weights, sums                         (sequence, head, block of queries)
 *   feed      out, residual, LN, feed-forward, residual     tile of rows
 * Sequences of more than KS_KEY_BLOCK rows have a job before `attend` that packs their keys and
 * values once for all their blocks of queries. */
#include "encoder/transformer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "encoder/stack_pass.h"

static int blocks_of(int length) { return (length + KS_QUERY_BLOCK - 1) / KS_QUERY_BLOCK; }

ks_precision ks_attention_precision(const ks_run *run)
{
    return run->precision != KS_FP32 && run->kernels->tile[KS_BF16] ? KS_BF16 : KS_FP32;
}

static size_t row_of(const ks_rows *r, int sequence)
{
    return r->first ? (size_t)r->first[sequence] : (size_t)sequence * r->sequence_step;
}

static ks_head head_of(const ks_pass *p, int sequence, int head)
{
    const ks_blocks *s = p->stack;
    const ks_rows *r = p->rows;
    size_t D = (size_t)s->D, row = row_of(r, sequence), dh = D / (size_t)s->H;
    int length = r->first ? r->first[sequence + 1] - r->first[sequence] : r->length;
    size_t value = p->qkv_half ? 2 : 4, at = row * 3 * D + (size_t)head * dh;
    const char *q = p->qkv;
    return (ks_head){.kernels = p->run->kernels,
                     .precision = ks_attention_precision(p->run),
                     .q = q ? q + at * value : NULL,
                     .k = q ? q + (at + D) * value : NULL,
                     .v = q ? q + (at + 2 * D) * value : NULL,
                     .step = r->row_step * 3 * D,
                     .length = length,
                     .dh = (int)dh,
                     .causal = s->causal,
                     .masked = r->masked ? r->masked + row : NULL,
                     .mask_step = r->row_step};
}

static void pack(void *arg, int task, int worker)
{
    const ks_pass *p = arg;
    int blocks = blocks_of(p->rows->length), first = task % blocks * KS_KEY_BLOCK,
        head = task / blocks;
    ks_head h = head_of(p, head / p->stack->H, head % p->stack->H);
    int n = h.length - first < KS_KEY_BLOCK ? h.length - first : KS_KEY_BLOCK;
    ks_head_pack(p->packed + (size_t)head * p->packed_size, &h, first, n,
                 p->scratch + (size_t)worker * p->scratch_size);
}

static void attend(void *arg, int task, int worker)
{
    const ks_pass *p = arg;
    const ks_rows *r = p->rows;
    int blocks = blocks_of(r->length), first = task % blocks * KS_QUERY_BLOCK, head = task / blocks;
    ks_head h = head_of(p, head / p->stack->H, head % p->stack->H);
    char *scratch = p->scratch + (size_t)worker * p->scratch_size,
         *packed = p->packed + (size_t)head * p->packed_size;
    if (!p->packed) {
        packed = scratch;
        scratch += p->packed_size;
        ks_head_pack(packed, &h, 0, h.length, scratch);
    }
    size_t row = row_of(r, head / p->stack->H) + (size_t)first * r->row_step;
    size_t at = row * p->mixed_step + (size_t)(head % p->stack->H) * (size_t)h.dh;
    ks_queries q = {.out = (char *)p->mixed + at * (p->mixed_half ? 2 : 4),
                    .ld = r->row_step * p->mixed_step,
                    .half = p->mixed_half,
                    .first = first,
                    .n = h.length - first < KS_QUERY_BLOCK ? h.length - first : KS_QUERY_BLOCK};
    ks_head_attend(&q, &h, packed, scratch);
}

static void plan(ks_pass *p, const ks_run *run, const ks_blocks *stack, const ks_rows *rows)
{
    *p = (ks_pass){.run = run,
                   .stack = stack,
                   .rows = rows,
                   .mixed_half = run->precision == KS_BF16,
                   .qkv_half = ks_attention_precision(run) == KS_BF16};
    p->mixed_step = p->mixed_half ? 2 * ks_group_stride(KS_BF16, stack->D)
                                  : ks_group_stride(KS_FP32, stack->D);
    ks_head h = head_of(p, 0, 0);
    h.length = rows->length;
    size_t work = stack->narrow ? 0 : ks_rows_scratch(run, stack);
    p->packed_size = ks_head_bytes(&h);
    size_t attention = ks_head_scratch(&h) + (rows->length > KS_KEY_BLOCK ? 0 : p->packed_size);
    p->scratch_size = work > attention ? work : attention;
    p->tile = ks_rows_tile(run, rows->rows);
}

static size_t packed_bytes(const ks_pass *p)
{
    return p->rows->length > KS_KEY_BLOCK
               ? ks_slice((size_t)(p->rows->sequences * p->stack->H), p->packed_size)
               : 0;
}

size_t ks_stack_scratch(const ks_run *run, const ks_blocks *stack, const ks_rows *rows)
{
    ks_pass p;
    if (stack->layers == 0) return 0;
    plan(&p, run, stack, rows);
    return ks_slice((size_t)rows->rows * 3 * (size_t)stack->D, p.qkv_half ? 2 : 4) +
           ks_slice((size_t)rows->rows * p.mixed_step, p.mixed_half ? 2 : 4) + packed_bytes(&p) +
           ks_slice(p.scratch_size, (size_t)ks_pool_threads(run->pool)) +
           (stack->narrow ? ks_columns_scratch(run, stack, rows->rows) : 0);
}

void ks_tap_call(const ks_run *run, const char *name, int index, const float *x, int64_t rows,
                 int64_t cols)
{
    char full[64];
    if (!run->tap) return;
    if (index >= 0) snprintf(full, sizeof full, "%s.%d", name, index);
    else snprintf(full, sizeof full, "%s", name);
    run->tap(run->tap_arg, full, x, rows, cols);
}

static void run_block(ks_pass *p, char *columns_scratch)
{
    ks_pool *pool = p->run->pool;
    int tiles = (p->rows->rows + p->tile - 1) / p->tile;
    int heads = p->rows->sequences * p->stack->H * blocks_of(p->rows->length);
    if (p->stack->narrow) ks_columns_project(p, columns_scratch);
    else ks_pool_run(pool, tiles, ks_rows_project, p);
    if (p->packed) ks_pool_run(pool, heads, pack, p);
    ks_pool_run(pool, heads, attend, p);
    if (p->stack->narrow) ks_columns_feed(p, columns_scratch);
    else ks_pool_run(pool, tiles, ks_rows_feed, p);
}

void ks_stack_run(const ks_run *run, const ks_blocks *stack, const ks_rows *rows)
{
    size_t used = run->arena->used, n = (size_t)rows->rows, mixed;
    char *columns = NULL;
    ks_pass p;
    assert(rows->first ? rows->length <= KS_KEY_BLOCK && rows->rows == rows->first[rows->sequences]
                       : rows->rows == rows->sequences * rows->length);
    _Static_assert((int)KS_KEY_BLOCK == (int)KS_QUERY_BLOCK, "one count of blocks serves both");
    if (stack->layers == 0) return;
    plan(&p, run, stack, rows);
    mixed = n * p.mixed_step * (p.mixed_half ? 2 : 4);
    p.qkv = ks_arena_take(run->arena, n * 3 * (size_t)stack->D * (p.qkv_half ? 2 : 4));
    p.mixed = ks_arena_take(run->arena, mixed);
    memset(p.mixed, 0, mixed); /* the groups past D */
    if (packed_bytes(&p)) p.packed = ks_arena_take(run->arena, packed_bytes(&p));
    p.scratch = ks_arena_take(run->arena, (size_t)ks_pool_threads(run->pool) * p.scratch_size);
    if (stack->narrow)
        columns = ks_arena_take(run->arena, ks_columns_scratch(run, stack, rows->rows));
    for (int layer = 0; layer < stack->layers; layer++) {
        p.block = &stack->blocks[layer];
        run_block(&p, columns);
        ks_tap_call(run, stack->name, layer, rows->x, rows->rows, stack->D);
    }
    run->arena->used = used;
}
