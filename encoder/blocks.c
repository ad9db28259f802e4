/* blocks.c - one stack's pointers, layer by layer, from the checkpoint's stacked tensors. */
#include <stdlib.h>

#include "encoder/tower.h"

static const float *layer(const float *stacked, int l, size_t size)
{
    return stacked ? stacked + (size_t)l * size : NULL;
}

static ks_norm norm_of(const float *scale, const float *bias, int l, size_t D)
{
    return (ks_norm){layer(scale, l, D), layer(bias, l, D)};
}

static ks_matrix matrix_of(const float *w, const float *bias, int l, int K, int N)
{
    return (ks_matrix){.K = K, .N = N, .w = layer(w, l, (size_t)K * (size_t)N), .bias = layer(bias, l, (size_t)N)};
}

int ks_blocks_open(ks_blocks *b, const char *name, const ks_stack *w, const ks_info *info, ks_error *e)
{
    int D = info->dim, F = w->mlp;
    size_t width = (size_t)D;
    *b = (ks_blocks){.name = name, .layers = w->layers, .D = D, .H = info->heads, .F = F, .activation = KS_GELU};
    if (w->layers == 0)
        return 0;
    b->blocks = calloc((size_t)w->layers, sizeof *b->blocks);
    if (!b->blocks)
        return ks_fail(e, KS_ENOMEM, "no memory for %d layers", w->layers);
    for (int l = 0; l < w->layers; l++) {
        ks_block *k = &b->blocks[l];
        k->attention_norm = norm_of(w->ln1_scale, w->ln1_bias, l, width);
        k->attention_post = norm_of(w->ln1_post_scale, w->ln1_post_bias, l, width);
        k->feed_norm = norm_of(w->ln2_scale, w->ln2_bias, l, width);
        k->feed_post = norm_of(w->ln2_post_scale, w->ln2_post_bias, l, width);
        k->query = matrix_of(w->wq, w->bq, l, D, D);
        k->key = matrix_of(w->wk, w->bk, l, D, D);
        k->value = matrix_of(w->wv, w->bv, l, D, D);
        k->out = matrix_of(w->wo, w->bo, l, D, D);
        k->out.transposed = 1;
        k->feed1 = matrix_of(w->w1, w->b1, l, D, F);
        k->feed2 = matrix_of(w->w2, w->b2, l, F, D);
    }
    return 0;
}

void ks_blocks_close(ks_blocks *b)
{
    free(b->blocks);
    b->blocks = NULL;
}
