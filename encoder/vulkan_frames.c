/* vulkan_frames.c - pictures and frames' tokens onto a device. See vulkan_towers.h. */
#include <stdlib.h>
#include <string.h>

#include "encoder/vulkan_towers.h"

enum { GROUPS = 65535 }; /* that every device takes along an axis */

/* --- pictures --- */

typedef struct {
    uint32_t G, P, K, words, floats, first;
} patches_push;

static int cut(ks_gpu *g, const ks_picture *like, int rows, ks_error *e)
{
    uint32_t K = (uint32_t)g->patches.K, G = (uint32_t)like->G, P = (uint32_t)like->P,
             count = G * G * K, words = like->is_float ? count : (count + 3) / 4;
    int err = 0;
    for (uint32_t at = 0; at < (uint32_t)rows && !err; at += GROUPS) {
        uint32_t n = (uint32_t)rows - at < GROUPS ? (uint32_t)rows - at : GROUPS;
        patches_push push = {G, P, K, words, like->is_float != 0, at};
        ks_vk_job job = {
            .pipeline = g->pipelines[KS_GPU_PATCHES],
            .parts =
                {[0] = ks_gpu_scratch(g, KS_GPU_PIXELS), [3] = ks_gpu_scratch(g, KS_GPU_HIDDEN)},
            .push = &push,
            .push_bytes = sizeof push,
            .groups = {(K + 255) / 256, n, 1},
            .flop = (double)n * K,
            .beside = at > 0};
        err = ks_vk_dispatch(g->vk, &job, e);
    }
    return err;
}

int ks_gpu_put_pictures(ks_encoder *enc, const ks_picture *pictures, int n, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    int N = pictures->G * pictures->G;
    size_t count = (size_t)N * (size_t)g->patches.K,
           bytes = pictures->is_float ? count * sizeof(float) : count, step = (bytes + 3) / 4 * 4;
    void *at;
    int err = ks_gpu_grow(g, KS_GPU_PIXELS, (size_t)n * step / 4, e);
    if (!err) err = ks_vk_staging(&at, g->vk, (size_t)n * step, e);
    for (int i = 0; i < n && !err; i++)
        memcpy((char *)at + (size_t)i * step, pictures[i].px, bytes);
    if (!err) err = ks_vk_push(g->vk, &g->scratch[KS_GPU_PIXELS], 0, (size_t)n * step, e);
    if (!err) err = cut(g, pictures, n * N, e);
    return err ? err : ks_gpu_place(g, n * N, N, e);
}

/* --- tokens that stay --- */

static size_t frame_bytes(const ks_encoder *enc, int grid)
{
    return (size_t)grid * (size_t)grid * (size_t)enc->info.dim * sizeof(float);
}

/* Room for as many frames of this size as may stay, or fewer, or none. */
static int make_room(ks_encoder *enc, int grid, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    size_t bytes = frame_bytes(enc, grid), most = KS_VK_LARGEST / bytes;
    if (g->kept_grid == grid) return 0;
    memset(g->kept, 0, sizeof g->kept);
    g->kept_grid = grid;
    g->next_kept = 0;
    g->n_kept = most < KS_GPU_KEPT_MAX ? (int)most : KS_GPU_KEPT_MAX;
    int err = KS_ENOMEM;
    for (; g->n_kept > 0 && err == KS_ENOMEM; g->n_kept /= err ? 2 : 1)
        err = ks_gpu_grow(g, KS_GPU_KEPT, (size_t)g->n_kept * bytes / sizeof(float), e);
    return err == KS_ENOMEM ? 0 : err;
}

int ks_gpu_keep_tokens(ks_encoder *enc, ks_tokens *const *tokens, int n, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    int grid = ks_tokens_grid(tokens[0]), err = make_room(enc, grid, e);
    size_t bytes = frame_bytes(enc, grid);
    for (int i = 0; i < n && g->n_kept > 0 && !err; i++) {
        int to = g->next_kept;
        g->next_kept = (to + 1) % g->n_kept;
        g->kept[to] = 0;
        err = ks_vk_move(g->vk,
                         &(ks_vk_copy){&g->scratch[KS_GPU_MIXED], &g->scratch[KS_GPU_KEPT],
                                       (size_t)i * bytes, (size_t)to * bytes, bytes},
                         e);
        if (!err) g->kept[to] = ks_tokens_serial(tokens[i]);
    }
    return err;
}

static int find(const ks_gpu *g, const ks_tokens *tokens)
{
    for (int i = 0; i < g->n_kept && g->kept_grid == ks_tokens_grid(tokens); i++)
        if (g->kept[i] == ks_tokens_serial(tokens)) return i;
    return -1;
}

/* Those that are not there from the host, side by side in the staging buffer. */
static int bring(ks_encoder *enc, ks_tokens *const *tokens, int T, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    size_t bytes = frame_bytes(enc, ks_tokens_grid(tokens[0]));
    void *at = NULL;
    int absent = 0, err = 0;
    for (int t = 0; t < T; t++) absent += find(g, tokens[t]) < 0;
    if (absent == 0) return 0;
    err = ks_vk_staging(&at, g->vk, (size_t)absent * bytes, e);
    for (int t = 0, i = 0; t < T && !err; t++) {
        if (find(g, tokens[t]) >= 0) continue;
        memcpy((char *)at + (size_t)i * bytes, ks_tokens_x(tokens[t]), bytes);
        err = ks_vk_move(g->vk,
                         &(ks_vk_copy){&g->vk->staging, &g->scratch[KS_GPU_X], (size_t)i++ * bytes,
                                       (size_t)t * bytes, bytes},
                         e);
    }
    return err;
}

typedef struct {
    uint32_t D, N, first;
} stamp_push;

static int stamp(ks_gpu *g, const float *positions, const int shape[2], ks_error *e)
{
    uint32_t D = (uint32_t)g->spatial.like.D, N = (uint32_t)shape[1], rows = (uint32_t)shape[0] * N;
    size_t bytes = (size_t)shape[0] * D * sizeof *positions;
    int err = ks_gpu_grow(g, KS_GPU_TIME, bytes / sizeof *positions, e);
    if (!err) err = ks_vk_put(g->vk, &g->scratch[KS_GPU_TIME], positions, bytes, e);
    for (uint32_t at = 0; at < rows && !err; at += GROUPS) {
        uint32_t n = rows - at < GROUPS ? rows - at : GROUPS;
        stamp_push push = {D, N, at};
        ks_vk_job job = {
            .pipeline = g->pipelines[KS_GPU_STAMP],
            .parts = {[0] = ks_gpu_scratch(g, KS_GPU_TIME), [3] = ks_gpu_scratch(g, KS_GPU_X)},
            .push = &push,
            .push_bytes = sizeof push,
            .groups = {n, 1, 1},
            .flop = (double)n * D,
            .beside = at > 0};
        err = ks_vk_dispatch(g->vk, &job, e);
    }
    return err;
}

int ks_gpu_put_tokens(ks_encoder *enc, ks_tokens *const *tokens, int T, ks_error *e)
{
    ks_gpu *g = enc->gpu;
    int grid = ks_tokens_grid(tokens[0]), err = bring(enc, tokens, T, e);
    size_t bytes = frame_bytes(enc, grid);
    for (int t = 0; t < T && !err; t++) {
        int at = find(g, tokens[t]);
        if (at < 0) continue;
        err = ks_vk_move(g->vk,
                         &(ks_vk_copy){&g->scratch[KS_GPU_KEPT], &g->scratch[KS_GPU_X],
                                       (size_t)at * bytes, (size_t)t * bytes, bytes},
                         e);
    }
    return err ? err : stamp(g, enc->vision.time_positions, (const int[]){T, grid * grid}, e);
}
