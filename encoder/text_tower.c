/* text_tower.c - token ids to a unit vector.
 *
 *   rows 0..n-1: embedding[id] sqrt(D) + sinusoid(i);  row n: class_token sqrt(D), no position
 *   causal blocks (ReLU) over the n + 1 rows;  LN of row n;  / length
 *
 * The reference runs 65 rows with the padding masked; padded rows touch no other, so only the rows
 * that matter are run, those of several sentences one after the other. Source: encoders.py
 * TextEncoder. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/positions.h"
#include "encoder/tower.h"

int ks_text_open(ks_encoder *enc, ks_error *e)
{
    ks_text *t = &enc->text;
    const ks_weights *w = enc->weights;
    int D = w->info.dim;
    *t = (ks_text){.norm = {w->text_ln_scale, w->text_ln_bias},
                   .embedding = w->token_emb,
                   .class_token = w->cls_emb};
    ks_precision precision = enc->cpu_precision;
    int err = ks_blocks_open(&t->blocks, "text", &w->text, enc, precision, e);
    if (err) return err;
    t->blocks.activation = KS_RELU;
    t->blocks.causal = t->blocks.narrow = 1;
    err = ks_blocks_pack(&t->pack, enc, "text", (ks_blocks *const[3]){&t->blocks}, NULL, e);
    t->positions = malloc((size_t)KS_TEXT_MAX * (size_t)D * sizeof *t->positions);
    if (!err && !t->positions) err = ks_fail(e, KS_ENOMEM, "no memory for the text tower");
    if (!err) ks_positions_sinusoid(t->positions, KS_TEXT_MAX, D);
    return err;
}

void ks_text_close(ks_text *t)
{
    ks_blocks_close(&t->blocks);
    ks_pack_close(&t->pack);
    free(t->positions);
    t->positions = NULL;
}

/* x[count + 1, D] */
static void embed(float *x, const ks_text *t, const int32_t *ids, int count, int D)
{
    size_t width = (size_t)D;
    float root = sqrtf((float)D);
    for (int i = 0; i < count; i++)
        for (size_t d = 0; d < width; d++)
            x[(size_t)i * width + d] = t->embedding[(size_t)ids[i] * width + d] * root +
                                       t->positions[(size_t)i * width + d];
    for (size_t d = 0; d < width; d++) x[(size_t)count * width + d] = t->class_token[d] * root;
}

ks_rows ks_text_rows(const ks_sentences *s)
{
    ks_rows rows = {.rows = s->first[s->n], .sequences = s->n, .row_step = 1, .first = s->first};
    for (int i = 0; i < s->n; i++)
        rows.length = s->first[i + 1] - s->first[i] > rows.length ? s->first[i + 1] - s->first[i]
                                                                  : rows.length;
    return rows;
}

void ks_text_embed(float *x, const ks_encoder *enc, const ks_sentences *s)
{
    size_t width = (size_t)enc->info.dim;
    for (int i = 0; i < s->n; i++)
        embed(x + (size_t)s->first[i] * width, &enc->text, s->ids + s->first[i],
              s->first[i + 1] - s->first[i] - 1, enc->info.dim);
}

void ks_text_finish(float *v, const ks_encoder *enc, const ks_sentences *s, const float *x)
{
    size_t width = (size_t)enc->info.dim;
    for (int i = 0; i < s->n; i++, v += width) {
        enc->kernels->norm(v, width, 0, x + (size_t)(s->first[i + 1] - 1) * width, width, 1,
                           enc->info.dim, &enc->text.norm);
        ks_unit(v, enc->info.dim);
    }
}

int ks_text_run(float *v, ks_encoder *enc, const ks_sentences *s, ks_error *e)
{
    const ks_text *t = &enc->text;
    int D = enc->info.dim;
    ks_run run = ks_run_of(enc);
    ks_rows rows = ks_text_rows(s);
    size_t bytes = (size_t)rows.rows * (size_t)D * sizeof(float);
    int err = ks_arena_reserve(&enc->arena,
                               ks_slice(bytes, 1) + ks_stack_scratch(&run, &t->blocks, &rows), e);
    if (err) return err;
    rows.x = ks_arena_take(&enc->arena, bytes);
    ks_text_embed(rows.x, enc, s);
    ks_tap_call(&run, "text_embedding", -1, rows.x, rows.rows, D);
    ks_stack_run(&run, &t->blocks, &rows);
    ks_text_finish(v, enc, s, rows.x);
    return 0;
}
