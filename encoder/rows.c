/* rows.c - the work between two attentions, a tile of rows at a time, on one thread.
 *
 * A tile is about 98 rows: its normed rows, 768 of its hidden values and its sums take 0.9 MB in
 * float, which fits the second cache of the CPUs of today; half of that in bf16. */
#include "encoder/stack_pass.h"

enum { TILE = 98 };

/* Fewer rows where there would not be four tiles a thread. A row's bits do not depend on it. */
int ks_rows_tile(const ks_run *run, int rows)
{
    int strip = run->kernels->rows[run->precision], most = (TILE + strip - 1) / strip * strip;
    int fair = rows / (4 * ks_pool_threads(run->pool));
    fair = (fair + strip - 1) / strip * strip;
    return fair < strip ? strip : fair > most ? most : fair;
}

static int most_rows(const ks_run *run) { return TILE + run->kernels->rows[run->precision]; }

/* Scratch of a worker. */
typedef struct {
    ks_operand h, f; /* [m, D], [m, KS_FEED_BLOCK] */
    float *y;        /* [m, D] */
    float *wide;     /* [m, KS_FEED_BLOCK] floats before they become integers */
} room;

static size_t plan_room(room *r, const ks_run *run, const ks_blocks *s, char *at)
{
    int m = most_rows(run), block = s->F < KS_FEED_BLOCK ? s->F : KS_FEED_BLOCK,
        wide = block > s->D ? block : s->D;
    size_t h = ks_operand_bytes(run->precision, m, s->D),
           f = ks_operand_bytes(run->precision, m, block);
    size_t y = ks_slice((size_t)m * (size_t)s->D, 4),
           w = ks_integers(run->precision) ? ks_slice((size_t)(m * wide), 4) : 0;
    if (at) {
        r->h = ks_operand_at(at, run->precision, m, s->D);
        r->f = ks_operand_at(at + h, run->precision, m, block);
        r->y = (float *)(void *)(at + h + f);
        r->wide = (float *)(void *)(at + h + f + y);
    }
    return h + f + y + w;
}

size_t ks_rows_scratch(const ks_run *run, const ks_blocks *stack)
{
    return plan_room(NULL, run, stack, NULL);
}

static int tile_of(const ks_pass *p, int task, size_t *first)
{
    int at = task * p->tile, left = p->rows->rows - at;
    *first = (size_t)at;
    return left < p->tile ? left : p->tile;
}

static void multiply(const ks_pass *p, const ks_matrix *w, const ks_operand *o, int m,
                     const ks_sink *sink)
{
    ks_product product = ks_product_of(p->run->kernels, w, o->a, o->lda, m);
    product.row_scale = o->row_scale;
    ks_product_run(&product, sink);
}

void ks_rows_project(void *arg, int task, int worker)
{
    const ks_pass *p = arg;
    size_t D = (size_t)p->stack->D, first;
    int m = tile_of(p, task, &first);
    room r;
    plan_room(&r, p->run, p->stack, p->scratch + (size_t)worker * p->scratch_size);
    ks_operand_norm(&r.h, p, p->rows->x + first * D, m, &p->block->attention_norm, r.wide);
    multiply(p, &p->block->project, &r.h, m,
             &(ks_sink){.bias = p->block->project.bias,
                        .half = p->qkv_half,
                        .y = (char *)p->qkv + first * 3 * D * (p->qkv_half ? 2 : 4),
                        .ldy = 3 * D});
}

/* x[m, D] += y, but for masked rows. */
static void add_rows(const ks_pass *p, float *x, const float *y, int m, const uint8_t *masked)
{
    size_t D = (size_t)p->stack->D;
    for (int r = 0; r < m; r++)
        if (!masked || !masked[r])
            p->run->kernels->axpy(x + (size_t)r * D, 1.0f, y + (size_t)r * D, D);
}

/* x += Attn's `out`, or through y where a norm comes between. */
static void add_attention(const ks_pass *p, const room *r, float *x, size_t first, int m)
{
    size_t D = (size_t)p->stack->D;
    const ks_norm *post = &p->block->attention_post;
    ks_operand o = {.a = (char *)p->mixed + first * p->mixed_step * (p->mixed_half ? 2 : 4),
                    .lda = p->mixed_half ? p->mixed_step / 2 : p->mixed_step};
    if (ks_integers(p->run->precision)) {
        ks_operand_clear(&r->h, m, D * ks_value_bytes(p->run->precision));
        ks_operand_quantise(&r->h, p->run, o.a, p->mixed_step, m, (int)D);
        o = r->h;
    }
    multiply(p, &p->block->out, &o, m,
             &(ks_sink){.bias = p->block->out.bias,
                        .y = post->scale ? r->y : x,
                        .ldy = D,
                        .add = !post->scale});
    if (post->scale) {
        p->run->kernels->norm(r->y, D, 0, r->y, D, m, (int)D, post);
        add_rows(p, x, r->y, m, NULL);
    }
}

/* f = act(h W1 + b1) for columns 32 * panel .. + n */
static void hidden(const ks_pass *p, const room *r, int m, int panel, int n)
{
    const ks_block *b = p->block;
    int integers = ks_integers(p->run->precision), half = p->run->precision == KS_BF16;
    ks_product product = ks_product_of(p->run->kernels, &b->feed1, r->h.a, r->h.lda, m);
    product.row_scale = r->h.row_scale;
    product.first = panel;
    product.panels = (n + KS_PANEL - 1) / KS_PANEL;
    ks_sink sink = {.bias = b->feed1.bias + panel * KS_PANEL,
                    .activation = p->stack->activation,
                    .half = half,
                    .coarse = half || integers,
                    .y = integers ? (void *)r->wide : r->f.a,
                    .ldy = integers ? (size_t)n
                           : half   ? 2 * r->f.lda
                                    : r->f.lda};
    if (half) ks_operand_clear(&r->f, m, (size_t)n * 2);
    ks_product_run(&product, &sink);
    if (!integers) return;
    ks_operand_clear(&r->f, m, (size_t)n * ks_value_bytes(p->run->precision));
    ks_operand_quantise(&r->f, p->run, r->wide, (size_t)n, m, n);
}

void ks_rows_feed(void *arg, int task, int worker)
{
    const ks_pass *p = arg;
    const ks_block *b = p->block;
    size_t D = (size_t)p->stack->D, first;
    int m = tile_of(p, task, &first), F = p->stack->F, group = ks_group_size(p->run->precision);
    float *x = p->rows->x + first * D;
    room r;
    plan_room(&r, p->run, p->stack, p->scratch + (size_t)worker * p->scratch_size);
    add_attention(p, &r, x, first, m);
    ks_operand_norm(&r.h, p, x, m, &b->feed_norm, r.wide);
    for (int at = 0; at < F; at += KS_FEED_BLOCK) {
        int n = F - at < KS_FEED_BLOCK ? F - at : KS_FEED_BLOCK, last = at + n == F;
        hidden(p, &r, m, at / KS_PANEL, n);
        ks_product product = ks_product_of(p->run->kernels, &b->feed2, r.f.a, r.f.lda, m);
        product.row_scale = r.f.row_scale;
        product.group = (size_t)(at / group);
        product.groups = last ? b->feed2.groups - product.group : (size_t)(KS_FEED_BLOCK / group);
        ks_product_run(
            &product,
            &(ks_sink){.bias = last ? b->feed2.bias : NULL, .y = r.y, .ldy = D, .add = at > 0});
    }
    if (b->feed_post.scale) p->run->kernels->norm(r.y, D, 0, r.y, D, m, (int)D, &b->feed_post);
    add_rows(p, x, r.y, m, p->rows->masked ? p->rows->masked + first : NULL);
}
