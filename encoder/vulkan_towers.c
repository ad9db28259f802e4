/* vulkan_towers.c - the towers on a GPU, as calls. See vulkan_towers.h, vision.c, text_tower.c. */
#include <stdlib.h>
#include <string.h>

#include "encoder/vulkan_towers.h"

/* --- pictures --- */

static int fit_positions(ks_encoder *enc, int grid, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    size_t bytes = (size_t)grid * (size_t)grid * (size_t)enc->info.dim * sizeof(float);
    int err = ks_vision_fit_grid(enc, grid, e);
    if (err || g->grid == grid) return err;
    err = ks_vk_finish(g->vk, e);
    g->grid = 0;
    ks_vk_buffer_free(g->vk, &g->positions);
    if (!err) err = ks_vk_buffer_new(&g->positions, g->vk, bytes, KS_VK_OWN, e);
    if (!err) err = ks_vk_upload(g->vk, &g->positions, 0, enc->vision.grid_positions, bytes, e);
    if (!err) g->grid = grid;
    return err;
}

/* KS_GPU_X as floats in the staging buffer. */
static int fetch(const float **x, ks_encoder *enc, int from, int rows, ks_error *e)
{
    void *at;
    size_t bytes = (size_t)rows * (size_t)enc->info.dim * sizeof(float);
    int err = ks_vk_staging(&at, enc->gpu->vk, bytes, e);
    if (!err) err = ks_vk_pull(enc->gpu->vk, &enc->gpu->scratch[from], 0, bytes, e);
    *x = at;
    return err;
}

static int show(ks_encoder *enc, const char *name, int from, int rows, ks_error *e)
{
    const float *x;
    ks_run run = ks_run_of(enc);
    if (!enc->tap) return 0;
    int err = fetch(&x, enc, from, rows, e);
    if (!err) ks_tap_call(&run, name, -1, x, rows, enc->info.dim);
    return err;
}

static int norm_of(ks_encoder *enc, size_t at, int to, int rows, ks_error *e)
{
    const ks_gpu *g = enc->gpu;
    int D = enc->info.dim;
    return ks_gpu_norm(enc->gpu,
                       &(ks_gpu_normed){ks_gpu_scratch(g, to),
                                        ks_gpu_scratch(g, KS_GPU_X),
                                        ks_gpu_part(&g->common, at, 2 * (size_t)D * sizeof(float)),
                                        {rows, D}},
                       e);
}

typedef struct {
    ks_tokens *const *out;
    const ks_picture *pictures;
    const uint8_t *masked; /* [n] or NULL */
    int n;
} frames;

static int spatial_pass(ks_encoder *enc, const frames *f, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    int N = f->pictures->G * f->pictures->G, rows = f->n * N;
    size_t count = (size_t)N * (size_t)enc->info.dim;
    uint8_t *masked = f->masked ? malloc((size_t)rows) : NULL;
    ks_rows r = {.rows = rows,
                 .sequences = f->n,
                 .length = N,
                 .sequence_step = (size_t)N,
                 .row_step = 1,
                 .masked = masked};
    const float *x = NULL;
    if (f->masked && !masked) return ks_fail(e, KS_ENOMEM, "no memory for %d rows", rows);
    for (int i = 0; masked && i < rows; i++) masked[i] = f->masked[i / N];
    int err = ks_gpu_put_pictures(enc, f->pictures, f->n, e);
    if (!err) err = show(enc, "patches", KS_GPU_X, rows, e);
    if (!err) err = ks_gpu_stack_run(enc, &g->spatial, &r, e);
    if (!err) err = norm_of(enc, g->spatial_norm, KS_GPU_MIXED, rows, e);
    if (!err) err = show(enc, "spatial_ln", KS_GPU_MIXED, rows, e);
    if (!err) err = ks_gpu_keep_tokens(enc, f->out, f->n, e);
    if (!err) err = fetch(&x, enc, KS_GPU_MIXED, rows, e);
    for (int i = 0; i < f->n && !err; i++)
        memcpy(ks_tokens_x(f->out[i]), x + (size_t)i * count, count * sizeof *x);
    free(masked);
    return err;
}

/* Pictures that go at once: as many as a clip of the reference has, fewer where the device has less
 * room. */
static int fit_batch(int *at_once, ks_encoder *enc, int N, int n, ks_error *e)
{
    int most = N >= 4096 ? 1 : 4096 / N, err;
    *at_once = enc->tap || n < most ? n : most;
    for (;; *at_once = (*at_once + 1) / 2) {
        size_t extra = (size_t)*at_once * (size_t)N * (size_t)enc->gpu->patches.K;
        err = ks_gpu_reserve(enc->gpu, *at_once * N, *at_once, extra, e);
        if (err != KS_ENOMEM || *at_once == 1) return err;
    }
}

static int tokens_gpu(ks_tokens **out, ks_encoder *enc, const ks_picture *pictures,
                      const uint8_t *masked, int n, ks_error *e)
{
    int grid = pictures->G, at_once = 1;
    for (int i = 0; i < n; i++) out[i] = NULL;
    int err = fit_positions(enc, grid, e);
    for (int i = 0; i < n && !err; i++) {
        err = ks_tokens_new(&out[i], enc->store, grid, enc->info.dim, e);
        if (!err && masked) ks_tokens_mask(out[i], masked[i]);
    }
    if (!err) err = fit_batch(&at_once, enc, grid * grid, n, e);
    for (int i = 0; i < n && !err; i += at_once)
        err = spatial_pass(enc,
                           &(frames){out + i, pictures + i, masked ? masked + i : NULL,
                                     n - i < at_once ? n - i : at_once},
                           e);
    for (int i = 0; i < n && err; i++) {
        ks_tokens_free(out[i]);
        out[i] = NULL;
    }
    return err;
}

/* --- clips --- */

static int clip_stacks(const ks_clip_outputs *out, ks_encoder *enc, const ks_rows *places,
                       ks_error *e)
{
    ks_gpu *g = enc->gpu;
    int rows = places->rows, N = places->sequences, T = places->length;
    size_t bytes = (size_t)rows * (size_t)enc->info.dim * sizeof(float);
    const float *x = NULL;
    ks_rows all = {.rows = rows, .sequences = 1, .length = rows, .row_step = 1};
    int err = ks_gpu_stack_run(enc, &g->temporal, places, e);
    if (!err) err = norm_of(enc, g->temporal_norm, KS_GPU_X, rows, e);
    if (!err) err = show(enc, "temporal_ln", KS_GPU_X, rows, e);
    if (!err && out->spatiotemporal) {
        err = fetch(&x, enc, KS_GPU_X, rows, e);
        if (!err) memcpy(out->spatiotemporal, x, bytes);
    }
    if (err || (!out->auxiliary && !out->frames && !out->global && !out->logits)) return err;
    err = ks_gpu_stack_run(enc, &g->auxiliary, &all, e);
    if (!err && out->auxiliary) {
        err = fetch(&x, enc, KS_GPU_X, rows, e);
        if (!err) memcpy(out->auxiliary, x, bytes);
    }
    if (err || (!out->frames && !out->global && !out->logits)) return err;
    err = ks_gpu_pool(&x, g, (const int[]){T, N}, out->frames != NULL, e);
    if (!err) ks_vision_finish(out, enc, x, T);
    return err;
}

/* masks[T * N] of padded frames; 1: there are any */
static int mask_rows(uint8_t *masks, ks_tokens *const *tokens, int T, int N)
{
    int any = 0;
    for (int t = 0; t < T; t++) {
        memset(masks + (size_t)t * (size_t)N, ks_tokens_masked(tokens[t]), (size_t)N);
        any |= ks_tokens_masked(tokens[t]);
    }
    return any;
}

static int clip_gpu(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *tokens, int T,
                    ks_error *e)
{
    int N = ks_tokens_grid(tokens[0]) * ks_tokens_grid(tokens[0]), rows = T * N;
    uint8_t *masks = malloc((size_t)rows);
    ks_rows places = {
        .rows = rows, .sequences = N, .length = T, .sequence_step = 1, .row_step = (size_t)N};
    int err = masks ? ks_vision_fit_time(enc, T, e)
                    : ks_fail(e, KS_ENOMEM, "no memory for %d rows", rows);
    if (!err) err = ks_gpu_reserve(enc->gpu, rows, N, 0, e);
    if (!err) err = ks_gpu_put_tokens(enc, tokens, T, e);
    if (!err && mask_rows(masks, tokens, T, N)) places.masked = masks;
    if (!err) err = clip_stacks(out, enc, &places, e);
    free(masks);
    return err;
}

/* --- sentences --- */

static int text_gpu(float *v, ks_encoder *enc, const ks_sentences *s, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    ks_rows rows = ks_text_rows(s);
    size_t D = (size_t)enc->info.dim, bytes = (size_t)rows.rows * D * sizeof(float);
    const float *x = NULL;
    void *at;
    int err = ks_gpu_reserve(g, rows.rows, s->n, 0, e);
    if (!err) err = ks_vk_staging(&at, g->vk, bytes, e);
    if (err) return err;
    ks_text_embed(at, enc, s);
    err = ks_vk_push(g->vk, &g->scratch[KS_GPU_X], 0, bytes, e);
    if (!err) err = show(enc, "text_embedding", KS_GPU_X, rows.rows, e);
    if (!err) err = ks_gpu_stack_run(enc, &g->text, &rows, e);
    if (!err) err = fetch(&x, enc, KS_GPU_X, rows.rows, e);
    if (!err) ks_text_finish(v, enc, s, x);
    return err;
}

const ks_towers ks_gpu_towers = {"vulkan", tokens_gpu, clip_gpu, text_gpu};
