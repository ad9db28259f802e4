/* vision.c - pictures to tokens, tokens to vectors.
 *
 *   picture [S, S, 3]  -> patches [N, 3PP] -> W + b + grid position [N, D]
 *                      -> spatial blocks, each frame by itself -> LN           = tokens of the
 *                        frame
 *   T frames of tokens -> + time position -> temporal blocks over the T tokens of one place -> LN
 *                      -> auxiliary blocks over all T*N tokens
 *                      -> pooled by frame [T, D] and as a whole [D] -> / length
 *
 * Rows are frame-major [T, N, D] from end to end; the temporal stack reads them N apart. Source:
 * encoders.py FactorizedEncoder, FactorizedVideoCLIP, FactorizedVideoClassifier. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/positions.h"
#include "encoder/product.h"
#include "encoder/tower.h"

/* Rows of one spatial pass: 16 frames of 256 tokens. More frames are cut into passes, to bound
 * memory. */
enum { PASS_ROWS = 4096, PATCH_TILE = 64 };

int ks_vision_open(ks_encoder *enc, ks_error *e)
{
    ks_vision *v = &enc->vision;
    const ks_weights *w = enc->weights;
    int D = w->info.dim, K = 3 * w->info.patch * w->info.patch;
    *v = (ks_vision){
        .patches = ks_matrix_plan(KS_FP32, K, D, 0, &(ks_source){.w = {w->patch_w}, .parts = 1}),
        .patch_bias = w->patch_b,
        .spatial_norm = {w->spatial_ln_scale, w->spatial_ln_bias},
        .temporal_norm = {w->temporal_ln_scale, w->temporal_ln_bias}};
    v->patches.chain = KS_PIXEL_CHAIN;
    ks_precision precision = enc->cpu_precision;
    int err = ks_blocks_open(&v->spatial, "spatial", &w->spatial, enc, precision, e);
    if (!err) err = ks_blocks_open(&v->temporal, "temporal", &w->temporal, enc, precision, e);
    if (!err) err = ks_blocks_open(&v->auxiliary, "auxiliary", &w->auxiliary, enc, precision, e);
    if (!err && w->pooler.hidden > 0)
        err = ks_pooling_open(&v->pooling, &w->pooler, enc->kernels,
                              (const int[]){D, w->info.heads}, e);
    ks_blocks *const stacks[3] = {&v->spatial, &v->temporal, &v->auxiliary};
    if (!err) err = ks_blocks_pack(&v->pack, enc, "video", stacks, &v->patches, e);
    return err;
}

void ks_vision_close(ks_vision *v)
{
    ks_blocks_close(&v->spatial);
    ks_blocks_close(&v->temporal);
    ks_blocks_close(&v->auxiliary);
    ks_pooling_close(&v->pooling);
    ks_pack_close(&v->pack);
    free(v->grid_positions);
    free(v->time_positions);
    v->grid_positions = v->time_positions = NULL;
}

int ks_vision_fit_grid(ks_encoder *enc, int grid, ks_error *e)
{
    ks_vision *v = &enc->vision;
    size_t n = (size_t)grid * (size_t)grid * (size_t)enc->info.dim;
    if (v->grid == grid) return 0;
    float *fresh = malloc(n * sizeof *fresh);
    if (!fresh) return ks_fail(e, KS_ENOMEM, "no memory for %d x %d positions", grid, grid);
    ks_positions_grid(fresh, enc->weights->spatial_pos, enc->info.grid, grid, enc->info.dim);
    free(v->grid_positions);
    v->grid_positions = fresh;
    v->grid = grid;
    return 0;
}

int ks_vision_fit_time(ks_encoder *enc, int T, ks_error *e)
{
    ks_vision *v = &enc->vision;
    if (v->time == T) return 0;
    float *fresh = malloc((size_t)T * (size_t)enc->info.dim * sizeof *fresh);
    if (!fresh) return ks_fail(e, KS_ENOMEM, "no memory for %d positions", T);
    ks_positions_time(fresh, enc->weights->temporal_pos, enc->info.frames, T, enc->info.dim);
    free(v->time_positions);
    v->time_positions = fresh;
    v->time = T;
    return 0;
}

typedef struct {
    ks_encoder *enc;
    const ks_picture *pictures; /* [n] */
    ks_tokens *const *tokens;   /* [n] */
    float *x;                   /* [n, N, D] */
    float *patches;             /* [threads, PATCH_TILE, 3PP] */
    int N, tiles;               /* tokens and tiles a frame */
} spatial_job;

/* x = patches W + b + position, for one tile of one frame. */
static void project(void *arg, int task, int worker)
{
    spatial_job *j = arg;
    const ks_vision *v = &j->enc->vision;
    size_t D = (size_t)v->patches.N, K = ks_group_stride(KS_FP32, v->patches.K);
    int first = task % j->tiles * PATCH_TILE,
        m = j->N - first < PATCH_TILE ? j->N - first : PATCH_TILE;
    float *patches = j->patches + (size_t)worker * PATCH_TILE * K;
    float *x = j->x + ((size_t)(task / j->tiles) * (size_t)j->N + (size_t)first) * D;
    ks_patches(patches, K, &j->pictures[task / j->tiles], first, m);
    ks_product product = ks_product_of(j->enc->kernels, &v->patches, patches, K, m);
    ks_product_run(&product, &(ks_sink){.bias = v->patch_bias, .y = x, .ldy = D});
    for (int r = 0; r < m; r++)
        j->enc->kernels->axpy(x + (size_t)r * D, 1.0f,
                              v->grid_positions + ((size_t)first + (size_t)r) * D, D);
}

static void finish(void *arg, int task, int worker)
{
    spatial_job *j = arg;
    (void)worker;
    size_t D = (size_t)j->enc->info.dim;
    j->enc->kernels->norm(ks_tokens_x(j->tokens[task]), D, 0,
                          j->x + (size_t)task * (size_t)j->N * D, D, j->N, (int)D,
                          &j->enc->vision.spatial_norm);
}

/* One pass over n pictures. masked[n] of frames, or NULL. */
static int spatial_pass(ks_tokens *const *out, ks_encoder *enc, const ks_picture *pictures,
                        const uint8_t *masked, int n, ks_error *e)
{
    ks_vision *v = &enc->vision;
    int N = pictures->G * pictures->G, rows = n * N, threads = ks_pool_threads(enc->pool);
    size_t D = (size_t)enc->info.dim,
           patch = ks_group_stride(KS_FP32, v->patches.K) * sizeof(float);
    size_t patch_bytes = (size_t)threads * PATCH_TILE * patch;
    ks_run run = ks_run_of(enc);
    ks_rows r = {
        .rows = rows, .sequences = n, .length = N, .sequence_step = (size_t)N, .row_step = 1};
    size_t need = ks_slice((size_t)rows * D, sizeof(float)) + ks_slice(patch_bytes, 1) +
                  ks_slice((size_t)rows, 1) + ks_stack_scratch(&run, &v->spatial, &r);
    int err = ks_arena_reserve(&enc->arena, need, e);
    if (err) return err;
    spatial_job j = {.enc = enc,
                     .pictures = pictures,
                     .tokens = out,
                     .N = N,
                     .tiles = (N + PATCH_TILE - 1) / PATCH_TILE};
    j.x = ks_arena_take(&enc->arena, (size_t)rows * D * sizeof(float));
    j.patches = ks_arena_take(&enc->arena, patch_bytes);
    ks_pool_run(enc->pool, n * j.tiles, project, &j);
    ks_tap_call(&run, "patches", -1, j.x, rows, (int64_t)D);
    r.x = j.x;
    if (masked) {
        uint8_t *row_masked = ks_arena_take(&enc->arena, (size_t)rows);
        for (int i = 0; i < rows; i++) row_masked[i] = masked[i / N];
        r.masked = row_masked;
    }
    ks_stack_run(&run, &v->spatial, &r);
    ks_pool_run(enc->pool, n, finish, &j);
    if (enc->tap) { /* the tokens lie apart: shown as one, in x, which is no longer needed */
        for (int i = 0; i < n; i++)
            memcpy(j.x + (size_t)i * (size_t)N * D, ks_tokens_x(out[i]),
                   (size_t)N * D * sizeof(float));
        ks_tap_call(&run, "spatial_ln", -1, j.x, rows, (int64_t)D);
    }
    return 0;
}

int ks_vision_tokens(ks_tokens **out, ks_encoder *enc, const ks_picture *pictures,
                     const uint8_t *masked, int n, ks_error *e)
{
    int grid = pictures->G, N = grid * grid,
        at_once = enc->tap || N >= PASS_ROWS ? n : PASS_ROWS / N, err;
    if (N >= PASS_ROWS && !enc->tap) at_once = 1;
    for (int i = 0; i < n; i++) out[i] = NULL;
    err = ks_vision_fit_grid(enc, grid, e);
    for (int i = 0; i < n && !err; i++) {
        err = ks_tokens_new(&out[i], enc->store, grid, enc->info.dim, e);
        if (!err && masked) ks_tokens_mask(out[i], masked[i]);
    }
    for (int i = 0; i < n && !err; i += at_once)
        err = spatial_pass(out + i, enc, pictures + i, masked ? masked + i : NULL,
                           n - i < at_once ? n - i : at_once, e);
    for (int i = 0; i < n && err; i++) {
        ks_tokens_free(out[i]);
        out[i] = NULL;
    }
    return err;
}

typedef struct {
    ks_encoder *enc;
    ks_tokens *const *frames;
    float *x;
    int N, apart;
} clip_job;

/* x = tokens + time position, one frame. */
static void place(void *arg, int task, int worker)
{
    clip_job *j = arg;
    (void)worker;
    size_t D = (size_t)j->enc->info.dim, N = (size_t)j->N;
    const float *position = j->enc->vision.time_positions + (j->apart ? 0 : (size_t)task * D),
                *from = ks_tokens_x(j->frames[task]);
    float *x = j->x + (size_t)task * N * D;
    for (size_t n = 0; n < N; n++)
        for (size_t d = 0; d < D; d++) x[n * D + d] = from[n * D + d] + position[d];
}

static void normalise(void *arg, int task, int worker)
{
    clip_job *j = arg;
    (void)worker;
    size_t D = (size_t)j->enc->info.dim;
    float *x = j->x + (size_t)task * (size_t)j->N * D;
    j->enc->kernels->norm(x, D, 0, x, D, j->N, (int)D, &j->enc->vision.temporal_norm);
}

static void take_row(float *to, const ks_encoder *enc, const float *pooled)
{
    memcpy(to, pooled, (size_t)enc->info.dim * sizeof *to);
    if (enc->info.kind == KS_LVT) ks_unit(to, enc->info.dim);
}

void ks_vision_finish(const ks_clip_outputs *out, ks_encoder *enc, const float *pooled, int T)
{
    const ks_weights *w = enc->weights;
    size_t D = (size_t)enc->info.dim, classes = (size_t)enc->info.classes;
    if (out->logits) {
        memcpy(out->logits, w->class_b, classes * sizeof(float));
        for (size_t d = 0; d < D; d++)
            enc->kernels->axpy(out->logits, pooled[d], w->class_w + d * classes, classes);
    }
    for (size_t t = 0; t < (size_t)T && out->frames; t++)
        take_row(out->frames + t * D, enc, pooled + (1 + t) * D);
    if (out->global) take_row(out->global, enc, pooled);
}

static void pool_outputs(const ks_clip_outputs *out, ks_encoder *enc, const float *x,
                         const int shape[2])
{
    int T = shape[0];
    float *pooled = ks_arena_take(&enc->arena,
                                  ((size_t)T + 1) * (size_t)enc->info.dim * sizeof(float));
    ks_pooled what = {.x = x, .frames = T, .N = shape[1], .each = out->frames != NULL};
    ks_pooling_run(pooled, &enc->vision.pooling, enc->pool, &enc->arena, &what);
    ks_vision_finish(out, enc, pooled, T);
}

static const uint8_t *row_masks(ks_encoder *enc, ks_tokens *const *frames, int T, int N)
{
    uint8_t *masked = ks_arena_take(&enc->arena, (size_t)T * (size_t)N);
    int any = 0;
    for (int t = 0; t < T; t++) {
        memset(masked + (size_t)t * (size_t)N, ks_tokens_masked(frames[t]), (size_t)N);
        any |= ks_tokens_masked(frames[t]);
    }
    return any ? masked : NULL;
}

static ks_rows by_place(int T, int N)
{
    return (ks_rows){
        .rows = T * N, .sequences = N, .length = T, .sequence_step = 1, .row_step = (size_t)N};
}

/* of n clips of as many rows */
static ks_rows all_rows(int n, int rows)
{
    return (ks_rows){.rows = n * rows,
                     .sequences = n,
                     .length = rows,
                     .sequence_step = (size_t)rows,
                     .row_step = 1};
}

static size_t clip_scratch(ks_encoder *enc, int T, int N, int apart)
{
    const ks_vision *v = &enc->vision;
    ks_rows places = apart ? by_place(1, T * N) : by_place(T, N),
            all = apart ? all_rows(T, N) : all_rows(1, T * N);
    ks_run run = ks_run_of(enc);
    size_t D = (size_t)enc->info.dim, rows = (size_t)T * (size_t)N;
    size_t most = ks_stack_scratch(&run, &v->temporal, &places);
    size_t auxiliary = ks_stack_scratch(&run, &v->auxiliary, &all);
    size_t pooling = v->pooling.hidden ? ks_pooling_scratch(&v->pooling, T, N) : 0;
    most = auxiliary > most ? auxiliary : most;
    return ks_slice(rows * D, sizeof(float)) + ks_slice(rows, 1) +
           ks_slice(((size_t)T + 1) * D, sizeof(float)) + (most > pooling ? most : pooling);
}

int ks_vision_clip(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *frames, int T,
                   ks_error *e)
{
    ks_vision *v = &enc->vision;
    int N = ks_tokens_grid(frames[0]) * ks_tokens_grid(frames[0]), rows = T * N;
    size_t D = (size_t)enc->info.dim, bytes = (size_t)rows * D * sizeof(float);
    ks_run run = ks_run_of(enc);
    int err = ks_vision_fit_time(enc, out->apart ? 1 : T, e);
    if (!err) err = ks_arena_reserve(&enc->arena, clip_scratch(enc, T, N, out->apart), e);
    if (err) return err;
    clip_job j = {.enc = enc,
                  .frames = frames,
                  .N = N,
                  .apart = out->apart,
                  .x = ks_arena_take(&enc->arena, bytes)};
    ks_rows places = out->apart ? by_place(1, rows) : by_place(T, N),
            all = out->apart ? all_rows(T, N) : all_rows(1, rows);
    places.x = all.x = j.x;
    places.masked = row_masks(enc, frames, T, N);
    ks_pool_run(enc->pool, T, place, &j);
    ks_stack_run(&run, &v->temporal, &places);
    ks_pool_run(enc->pool, T, normalise, &j);
    ks_tap_call(&run, "temporal_ln", -1, j.x, rows, (int64_t)D);
    if (out->spatiotemporal) memcpy(out->spatiotemporal, j.x, bytes);
    if (!out->auxiliary && !out->frames && !out->global && !out->logits) return 0;
    ks_stack_run(&run, &v->auxiliary, &all);
    if (out->auxiliary) memcpy(out->auxiliary, j.x, bytes);
    if (out->frames || out->global || out->logits)
        pool_outputs(out, enc, j.x, (const int[2]){T, N});
    return 0;
}
