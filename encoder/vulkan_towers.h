/* vulkan_towers.h - the towers on a GPU: the CPU's panels in the device's memory, and dispatches.
 *
 * Rows between the products are float, sums are float, weights are fp16 (or float where fp32 is
 * asked for): the precision class of bf16. With weights of bf16 some of the fixtures' stages were
 * more than 1.5 times as far from float64 as the CPU's bf16, with fp16 none is 0.4 times as far.
 * A row's bits depend on no other row, so batches may be of any size.
 *
 * Up go pictures as they are, down come tokens and vectors. Tokens of the newest frames stay on the
 * device, too, for the clips that hold them; the host's are there for other frames, for the CPU
 * where the device fails, and for samples. */
#ifndef KS_VULKAN_TOWERS_H
#define KS_VULKAN_TOWERS_H

#include "encoder/gpu.h"
#include "encoder/vulkan_api.h"

enum {
    KS_GPU_PLAIN,
    KS_GPU_GELU,
    KS_GPU_RELU,
    KS_GPU_ADD,
    KS_GPU_PLACE,
    KS_GPU_NORM,
    KS_GPU_ATTEND,
    KS_GPU_PATCHES,
    KS_GPU_STAMP,
    KS_GPU_POOL_GATHER, /* in the order of pool.comp's modes */
    KS_GPU_POOL_MERGE,
    KS_GPU_POOL_VALUES,
    KS_GPU_POOL_OUTPUTS,
    KS_GPU_PIPELINES
};

/* A stack on the device: a buffer a layer, all cut alike. */
typedef struct {
    ks_blocks like; /* shapes, and what is uploaded */
    ks_vk_buffer *layers;
    size_t matrix[KS_BLOCK_MATRICES], bias[KS_BLOCK_MATRICES]; /* offsets; as ks_blocks_matrices */
    size_t norm[4]; /* attention, its post, feed, its post: [2, D]; scale and bias */
    size_t bytes;
    size_t at; /* of the first layer in the pack */
} ks_gpu_stack;

/* Working memory; grows, never shrinks. */
enum {
    KS_GPU_X,         /* [rows, D] the residual stream */
    KS_GPU_NORMED,    /* [chunk, D] */
    KS_GPU_QKV,       /* [rows, 3D]; after attention what a product gives before its norm */
    KS_GPU_MIXED,     /* [rows, D] */
    KS_GPU_HIDDEN,    /* [chunk, F], or [rows, 3PP] */
    KS_GPU_MASK,      /* [rows] */
    KS_GPU_SEQUENCES, /* [sequences, 4] */
    KS_GPU_PIXELS,    /* [n, words] pictures */
    KS_GPU_TIME,      /* [T, D] positions */
    KS_GPU_KEPT,      /* [kept, N, D] tokens */
    KS_GPU_POOLED,    /* what the pooler's steps hand on (vulkan_pool.c) */
    KS_GPU_BUFFERS
};

/* Attention pooling: its weights in one buffer, at these offsets. */
typedef struct {
    int hidden, H; /* 0: this model has no pooler */
    ks_vk_buffer weights;
    size_t u, wv, bv, wo, bo, norm;
} ks_gpu_pooler;

/* Frames whose tokens stay: two LvT-B clips and what a third begins with. */
enum { KS_GPU_KEPT_MAX = 48 };

struct ks_gpu {
    ks_vk *vk;
    ks_gpu_facts facts;
    int half;         /* weights are fp16, else float */
    uint32_t queries; /* of a block of attend.comp */
    uint32_t tile;    /* rows and columns of a tile of product.comp */
    VkPipeline pipelines[KS_GPU_PIPELINES];
    ks_gpu_stack spatial, temporal, auxiliary, text;
    ks_matrix patches;
    ks_vk_buffer common; /* patches W, its bias, spatial and temporal norm */
    size_t patch_bias, spatial_norm, temporal_norm, common_bytes, common_at; /* at: in the pack */
    ks_vk_buffer positions;                                                  /* [N, D] of `grid` */
    int grid;
    ks_vk_buffer scratch[KS_GPU_BUFFERS];
    ks_gpu_pooler pooler;
    uint64_t kept[KS_GPU_KEPT_MAX]; /* [n_kept] whose tokens: ks_tokens_serial; 0: nobody's */
    int n_kept, next_kept, kept_grid;
};

/* Rows whose normed and hidden values are held at a time. */
enum { KS_GPU_CHUNK = 2048 };

/* Offsets of parts in a buffer: no device wants storage aligned to more. */
static inline size_t ks_gpu_take(size_t *used, size_t bytes)
{
    size_t at = *used;
    *used = (at + bytes + 255) / 256 * 256;
    return at;
}

static inline ks_vk_part ks_gpu_part(const ks_vk_buffer *b, size_t at, size_t bytes)
{
    return (ks_vk_part){.buffer = b->buffer, .at = at, .bytes = bytes};
}

static inline ks_vk_part ks_gpu_scratch(const ks_gpu *g, int which)
{
    return ks_gpu_part(&g->scratch[which], 0, g->scratch[which].bytes);
}

/* --- vulkan_pack.c --- */
/* Plans the buffers of the tower's stacks, and gives what goes into them. */
int ks_gpu_pack_open(ks_pack *pack, ks_encoder *enc, ks_gpu *g, ks_tower tower, ks_error *e);
/* Bytes of m on the device, and words of a panel's column. */
size_t ks_gpu_matrix_bytes(const ks_matrix *m, int half);
static inline uint32_t ks_gpu_groups(const ks_matrix *m, int half)
{
    return (uint32_t)(half ? (m->K + 1) / 2 : m->K);
}

/* --- vulkan_pool.c --- */
int ks_gpu_pooler_open(ks_gpu *g, const ks_pooling *pooling, ks_error *e);
/* pooled[1 + T, D] of KS_GPU_X, the first row alone without `each`; valid until the next call;
 * shape: T, N */
int ks_gpu_pool(const float **pooled, ks_gpu *g, const int shape[2], int each, ks_error *e);

/* --- vulkan_frames.c --- */
/* Patches + position of n pictures to KS_GPU_X, by way of KS_GPU_PIXELS and KS_GPU_HIDDEN. */
int ks_gpu_put_pictures(ks_encoder *enc, const ks_picture *pictures, int n, ks_error *e);
/* Of n frames whose tokens are in KS_GPU_MIXED. Best effort. */
int ks_gpu_keep_tokens(ks_encoder *enc, ks_tokens *const *tokens, int n, ks_error *e);
/* Tokens + time position to KS_GPU_X. */
int ks_gpu_put_tokens(ks_encoder *enc, ks_tokens *const *tokens, int T, ks_error *e);

/* --- vulkan_stack.c --- */
/* rows->x is not read: the rows lie in KS_GPU_X. masked, first as on the CPU. */
int ks_gpu_stack_run(ks_encoder *enc, const ks_gpu_stack *s, const ks_rows *rows, ks_error *e);
/* At least so many floats of one scratch; what was there may be gone. */
int ks_gpu_grow(ks_gpu *g, int which, size_t count, ks_error *e);
/* KS_ENOMEM: not so many rows on this device; what was there may be gone. extra: floats that
 * KS_GPU_HIDDEN must hold at least. */
int ks_gpu_reserve(ks_gpu *g, int rows, int sequences, size_t extra, ks_error *e);
/* to = LN(from), [rows, D]; the same part, if need be */
typedef struct {
    ks_vk_part to, from, by; /* by: [2, D] scale and bias */
    int shape[2];            /* rows, D */
} ks_gpu_normed;
int ks_gpu_norm(ks_gpu *g, const ks_gpu_normed *n, ks_error *e);
/* y = patches W + b + position: KS_GPU_HIDDEN to KS_GPU_X, in frames of N rows */
int ks_gpu_place(ks_gpu *g, int rows, int N, ks_error *e);

#endif
