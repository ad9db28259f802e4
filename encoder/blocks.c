/* blocks.c - one stack's pointers, layer by layer, from the checkpoint's stacked tensors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/dispatch.h"
#include "encoder/tower.h"

static const float *layer(const float *stacked, int l, size_t size)
{
    return stacked ? stacked + (size_t)l * size : NULL;
}

static ks_norm norm_of(const float *scale, const float *bias, int l, size_t D)
{
    return (ks_norm){layer(scale, l, D), layer(bias, l, D)};
}

/* Where the pointer is that p points to, in the model's weights. */
static size_t field_of(const ks_encoder *enc, const float *const *p)
{
    return (size_t)((const char *)p - (const char *)enc->weights);
}

/* of layer l; shape: K, N and the precision */
static ks_matrix matrix_of(const ks_encoder *enc, const float *const *w, const float *bias, int l,
                           const int shape[3])
{
    int K = shape[0], N = shape[1],
        block = K > KS_FEED_BLOCK && K > enc->info.dim ? KS_FEED_BLOCK : 0;
    ks_source source = {
        .field = {field_of(enc, w)}, .from = (size_t)l * (size_t)K * (size_t)N, .parts = 1};
    ks_matrix m = ks_matrix_plan((ks_precision)shape[2], K, N, block, &source);
    m.bias = layer(bias, l, (size_t)N);
    return m;
}

static ks_matrix projection_of(const ks_encoder *enc, const ks_stack *w, int l,
                               ks_precision precision, float *bias)
{
    int D = enc->info.dim;
    size_t width = (size_t)D, size = width * width;
    ks_source source = {
        .field = {field_of(enc, &w->wq), field_of(enc, &w->wk), field_of(enc, &w->wv)},
        .from = (size_t)l * size,
        .parts = 3};
    ks_matrix m = ks_matrix_plan(precision, D, 3 * D, 0, &source);
    memcpy(bias, w->bq + (size_t)l * width, width * sizeof *bias);
    memcpy(bias + width, w->bk + (size_t)l * width, width * sizeof *bias);
    memcpy(bias + 2 * width, w->bv + (size_t)l * width, width * sizeof *bias);
    m.bias = bias;
    return m;
}

int ks_blocks_open(ks_blocks *b, const char *name, const ks_stack *w, const ks_encoder *enc,
                   ks_precision precision, ks_error *e)
{
    int D = enc->info.dim, F = w->mlp, as = (int)precision;
    size_t width = (size_t)D;
    *b = (ks_blocks){.name = name,
                     .layers = w->layers,
                     .D = D,
                     .H = enc->info.heads,
                     .F = F,
                     .activation = KS_GELU};
    if (w->layers == 0) return 0;
    b->blocks = calloc((size_t)w->layers, sizeof *b->blocks);
    b->biases = calloc((size_t)w->layers, 3 * width * sizeof *b->biases);
    if (!b->blocks || !b->biases) {
        ks_blocks_close(b);
        return ks_fail(e, KS_ENOMEM, "no memory for %d layers", w->layers);
    }
    for (int l = 0; l < w->layers; l++) {
        ks_block *k = &b->blocks[l];
        k->attention_norm = norm_of(w->ln1_scale, w->ln1_bias, l, width);
        k->attention_post = norm_of(w->ln1_post_scale, w->ln1_post_bias, l, width);
        k->feed_norm = norm_of(w->ln2_scale, w->ln2_bias, l, width);
        k->feed_post = norm_of(w->ln2_post_scale, w->ln2_post_bias, l, width);
        k->project = projection_of(enc, w, l, precision, b->biases + (size_t)l * 3 * width);
        k->out = matrix_of(enc, &w->wo, w->bo, l, (const int[]){D, D, as});
        k->out.source.transposed = 1;
        k->feed1 = matrix_of(enc, &w->w1, w->b1, l, (const int[]){D, F, as});
        k->feed2 = matrix_of(enc, &w->w2, w->b2, l, (const int[]){F, D, as});
        if (ks_integers(precision)) /* as rows.c and columns.c cut it */
            k->feed2.block = (size_t)(KS_FEED_BLOCK / ks_group_size(precision));
    }
    return 0;
}

void ks_blocks_close(ks_blocks *b)
{
    free(b->blocks);
    free(b->biases);
    b->blocks = NULL;
    b->biases = NULL;
}

int ks_blocks_matrices(ks_matrix **to, ks_blocks *b)
{
    int n = 0;
    for (int l = 0; l < b->layers; l++) {
        to[n++] = &b->blocks[l].project;
        to[n++] = &b->blocks[l].out;
        to[n++] = &b->blocks[l].feed1;
        to[n++] = &b->blocks[l].feed2;
    }
    return n;
}

int ks_blocks_pack(ks_pack *pack, ks_encoder *enc, const char *name, ks_blocks *const stacks[3],
                   ks_matrix *more, ks_error *e)
{
    int n = 1;
    char suffix[64];
    for (int i = 0; i < 3; i++) n += stacks[i] ? stacks[i]->layers * KS_BLOCK_MATRICES : 0;
    ks_matrix **all = calloc((size_t)n, sizeof *all);
    if (!all) return ks_fail(e, KS_ENOMEM, "no memory for %d matrices", n);
    n = 0;
    for (int i = 0; i < 3; i++) n += stacks[i] ? ks_blocks_matrices(all + n, stacks[i]) : 0;
    if (more) all[n++] = more;
    snprintf(suffix, sizeof suffix, "%s.%s", name, ks_precision_name(all[0]->precision));
    int err = ks_matrices_open(pack, all, n, enc->weights, suffix, e);
    free(all);
    return err;
}
