/* columns.c - few rows (sentences): every thread reads its own columns of the weights, once.
 *
 * Ten rows of text are bound by reading 170 MB (bf16) of weights, so the rows stay whole and the
 * columns are shared out; what lies between the products is small and the caller does it: 1 % of
 * the work of 256 rows in fp32, 6 % in int8. */
#include <string.h>

#include "encoder/stack_pass.h"

typedef struct {
    ks_operand h, f; /* [rows, D], [rows, F]; integers: f's scales are [blocks, rows] */
    float *y;        /* [rows, D] */
    float *wide;     /* [rows, max(F, D)], integers only */
} room;

static int blocks_of(int F) { return (F + KS_FEED_BLOCK - 1) / KS_FEED_BLOCK; }

static size_t plan_room(room *r, const ks_run *run, const ks_blocks *s, int rows, char *at)
{
    int wide = s->F > s->D ? s->F : s->D, integers = ks_integers(run->precision);
    size_t h = ks_operand_bytes(run->precision, rows, s->D),
           f = ks_operand_bytes(run->precision, rows, s->F);
    size_t scales = ks_slice((size_t)(rows * blocks_of(s->F)), 4),
           y = ks_slice((size_t)rows * (size_t)s->D, 4);
    if (at) {
        r->h = ks_operand_at(at, run->precision, rows, s->D);
        r->f = ks_operand_at(at + h, run->precision, rows, s->F);
        r->f.row_scale = (float *)(void *)(at + h + f);
        r->y = (float *)(void *)(at + h + f + scales);
        r->wide = (float *)(void *)(at + h + f + scales + y);
    }
    return h + f + scales + y + (integers ? ks_slice((size_t)rows * (size_t)wide, 4) : 0);
}

size_t ks_columns_scratch(const ks_run *run, const ks_blocks *stack, int rows)
{
    return plan_room(NULL, run, stack, rows, NULL);
}

typedef struct {
    const ks_product *product; /* all columns */
    const ks_sink *sink;
    int chunk;   /* panels a task */
    int K_block; /* groups, each with row scales of its own; 0: one for all */
} column_job;

static void some_columns(void *arg, int task, int worker)
{
    const column_job *j = arg;
    const ks_product *all = j->product;
    ks_product p = *all;
    ks_sink s = *j->sink;
    (void)worker;
    p.first = task * j->chunk;
    p.panels = all->panels - p.first < j->chunk ? all->panels - p.first : j->chunk;
    s.y = (char *)s.y + (size_t)p.first * KS_PANEL * (s.half ? 2 : 4);
    const float *bias = s.bias ? s.bias + p.first * KS_PANEL : NULL;
    size_t step = j->K_block ? (size_t)j->K_block : all->groups;
    for (size_t g = 0; g < all->groups; g += step) {
        int last = all->groups - g <= step;
        p.group = g;
        p.groups = last ? all->groups - g : step;
        p.a = (const char *)all->a + g * 4;
        p.row_scale = all->row_scale ? all->row_scale + g / step * (size_t)all->m : NULL;
        s.bias = last ? bias : NULL;
        s.add = j->sink->add || g > 0;
        ks_product_run(&p, &s);
    }
}

static void multiply(const ks_pass *p, const ks_matrix *w, const ks_operand *o, const ks_sink *sink)
{
    ks_product product = ks_product_of(p->run->kernels, w, o->a, o->lda, p->rows->rows);
    int threads = ks_pool_threads(p->run->pool), chunk = product.panels / (4 * threads);
    column_job j = {.product = &product, .sink = sink, .chunk = chunk < 1 ? 1 : chunk};
    product.row_scale = o->row_scale;
    if (ks_integers(p->run->precision) && w->block < w->groups) j.K_block = (int)w->block;
    ks_pool_run(p->run->pool, (product.panels + j.chunk - 1) / j.chunk, some_columns, &j);
}

void ks_columns_project(const ks_pass *p, char *scratch)
{
    size_t D = (size_t)p->stack->D;
    room r;
    plan_room(&r, p->run, p->stack, p->rows->rows, scratch);
    ks_operand_norm(&r.h, p, p->rows->x, p->rows->rows, &p->block->attention_norm, r.wide);
    multiply(
        p, &p->block->project, &r.h,
        &(ks_sink){.bias = p->block->project.bias, .half = p->qkv_half, .y = p->qkv, .ldy = 3 * D});
}

/* x += y, normed first where the stack is primer_hybrid. */
static void add(const ks_pass *p, float *y, const ks_norm *post)
{
    size_t D = (size_t)p->stack->D, n = (size_t)p->rows->rows * D;
    if (post->scale) p->run->kernels->norm(y, D, 0, y, D, p->rows->rows, (int)D, post);
    p->run->kernels->axpy(p->rows->x, 1.0f, y, n);
}

/* f = act(h W1 + b1), all F columns. */
static void hidden(const ks_pass *p, const room *r)
{
    const ks_block *b = p->block;
    int integers = ks_integers(p->run->precision), half = p->run->precision == KS_BF16,
        m = p->rows->rows, F = p->stack->F;
    if (half) ks_operand_clear(&r->f, m, (size_t)F * 2);
    multiply(p, &b->feed1, &r->h,
             &(ks_sink){.bias = b->feed1.bias,
                        .activation = p->stack->activation,
                        .half = half,
                        .coarse = half || integers,
                        .y = integers ? (void *)r->wide : r->f.a,
                        .ldy = integers ? (size_t)F
                               : half   ? 2 * r->f.lda
                                        : r->f.lda});
    if (!integers) return;
    size_t value = ks_value_bytes(p->run->precision);
    for (int at = 0; at < F; at += KS_FEED_BLOCK) {
        ks_operand part = {.a = (char *)r->f.a + (size_t)at * value,
                           .lda = r->f.lda,
                           .row_scale = r->f.row_scale + at / KS_FEED_BLOCK * m};
        ks_operand_quantise(&part, p->run, r->wide + at, (size_t)F, m,
                            F - at < KS_FEED_BLOCK ? F - at : KS_FEED_BLOCK);
    }
    ks_operand_clear(&r->f, m, (size_t)F * value);
}

void ks_columns_feed(const ks_pass *p, char *scratch)
{
    size_t D = (size_t)p->stack->D;
    const ks_block *b = p->block;
    int m = p->rows->rows;
    room r;
    plan_room(&r, p->run, p->stack, m, scratch);
    ks_operand o = {.a = p->mixed, .lda = p->mixed_half ? p->mixed_step / 2 : p->mixed_step};
    if (ks_integers(p->run->precision)) {
        ks_operand_clear(&r.h, m, D * ks_value_bytes(p->run->precision));
        ks_operand_quantise(&r.h, p->run, p->mixed, p->mixed_step, m, (int)D);
        o = r.h;
    }
    multiply(p, &b->out, &o, &(ks_sink){.bias = b->out.bias, .y = r.y, .ldy = D});
    add(p, r.y, &b->attention_post);
    ks_operand_norm(&r.h, p, p->rows->x, m, &b->feed_norm, r.wide);
    hidden(p, &r);
    multiply(p, &b->feed2, &r.f, &(ks_sink){.bias = b->feed2.bias, .y = r.y, .ldy = D});
    add(p, r.y, &b->feed_post);
}
