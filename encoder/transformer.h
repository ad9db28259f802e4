/* transformer.h - pre-norm blocks, repeated; all four stacks of the model are this.
 *
 *   x += Attn(LN(x));  x += W2 act(W1 LN(x) + b1) + b2          (primer_hybrid: a LN after each
 *                      sub-layer too)
 *   Attn: logits q.k / sqrt(dh), capped 50 tanh(l / 50), masked, softmax, times v, times post
 *
 * Source: layers.py Transformer, DotProductAttention, TransformerFeedForward. */
#ifndef KS_TRANSFORMER_H
#define KS_TRANSFORMER_H

#include "encoder/arena.h"
#include "encoder/encoder.h"
#include "encoder/panels.h"
#include "encoder/pool.h"

/* Feed-forward columns made and used at a time, so that a tile's hidden values stay in the
 * second cache; also what shares a scale in int8. */
enum { KS_FEED_BLOCK = 768 };

typedef struct {
    ks_norm attention_norm, attention_post; /* post: scale NULL unless primer_hybrid */
    ks_matrix project, out;                 /* D -> 3D (query, key, value side by side), D -> D */
    ks_norm feed_norm, feed_post;
    ks_matrix feed1, feed2; /* D -> F, F -> D */
} ks_block;

typedef struct {
    const char *name; /* "spatial": the taps are spatial.0, spatial.1, ... */
    int layers, D, H, F;
    ks_activation activation;
    int causal;
    /* few rows: threads share the columns of a product instead of the rows */
    int narrow;
    ks_block *blocks; /* [layers] */
    float *biases;    /* what the blocks' `project` biases point into */
} ks_blocks;

/* Which rows of x form a sequence: row(s, i) = s * sequence_step + i * row_step. Spatial:
 * frames, step 1. Temporal: sequence = place, rows N apart, so that nothing is ever transposed. */
typedef struct {
    float *x; /* [rows, D], changed in place */
    int rows, sequences, length;
    size_t sequence_step, row_step;
    /* [sequences + 1] sequences of several lengths, one after the other, begin at these rows;
     * length is the longest, at most KS_KEY_BLOCK. NULL: all have `length` */
    const int *first;
    const uint8_t *masked; /* [rows] or NULL; 1: no key, and its feed-forward sum is zero */
} ks_rows;

typedef struct {
    const ks_kernels *kernels;
    ks_precision precision; /* of the products with weights */
    ks_pool *pool;
    ks_arena *arena; /* reserved by the caller for ks_stack_scratch more bytes */
    ks_tap *tap;
    void *tap_arg;
} ks_run;

size_t ks_stack_scratch(const ks_run *run, const ks_blocks *stack, const ks_rows *rows);
void ks_stack_run(const ks_run *run, const ks_blocks *stack, const ks_rows *rows);
/* Call the tap, if there is one, with NAME or NAME.INDEX (index >= 0). */
void ks_tap_call(const ks_run *run, const char *name, int index, const float *x, int64_t rows,
                 int64_t cols);
/* Precision of scores and sums: bf16 where products are narrower than float and the CPU has it. */
ks_precision ks_attention_precision(const ks_run *run);

#endif
