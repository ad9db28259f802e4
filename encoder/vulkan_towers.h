/* vulkan_towers.h - the towers on a GPU: the CPU's panels in the device's memory, and dispatches.
 *
 * Rows between the products are float, sums are float, weights are fp16 (or float where fp32 is
 * asked for): the precision class of bf16. With weights of bf16 some of the fixtures' stages were
 * more than 1.5 times as far from float64 as the CPU's bf16, with fp16 none is 0.4 times as far.
 * A row's bits depend on no other row, so batches may be of any size. Pictures are cut into
 * patches, and tokens pooled, by the CPU: a copy, and 0.02 % of the work. */
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
    KS_GPU_PIPELINES
};

/* A stack on the device: a buffer a layer, all cut alike. */
typedef struct {
    ks_blocks like; /* shapes, and what is uploaded */
    ks_vk_buffer *layers;
    size_t matrix[KS_BLOCK_MATRICES], bias[KS_BLOCK_MATRICES]; /* offsets; as ks_blocks_matrices */
    size_t norm[4]; /* attention, its post, feed, its post: [2, D]; scale and bias */
    size_t bytes;
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
    KS_GPU_BUFFERS
};

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
    size_t patch_bias, spatial_norm, temporal_norm;
    ks_vk_buffer positions; /* [N, D] of `grid` */
    int grid;
    ks_vk_buffer scratch[KS_GPU_BUFFERS];
};

/* Rows whose normed and hidden values are held at a time. */
enum { KS_GPU_CHUNK = 2048 };

/* --- vulkan_stack.c --- */
/* rows->x is not read: the rows lie in KS_GPU_X. masked, first as on the CPU. */
int ks_gpu_stack_run(ks_encoder *enc, const ks_gpu_stack *s, const ks_rows *rows, ks_error *e);
/* KS_ENOMEM: not so many rows on this device; what was there may be gone. extra: floats that
 * KS_GPU_HIDDEN must hold at least. */
int ks_gpu_reserve(ks_gpu *g, int rows, int sequences, size_t extra, ks_error *e);
/* Bytes of m on the device, and words of a panel's column. */
size_t ks_gpu_matrix_bytes(const ks_matrix *m, int half);
static inline uint32_t ks_gpu_groups(const ks_matrix *m, int half)
{
    return (uint32_t)(half ? (m->K + 1) / 2 : m->K);
}
/* y = LN(x) of rows floats [rows, D]; buffers of scratch */
int ks_gpu_norm(ks_gpu *g, int to, int from, const ks_vk_part *norm, const int shape[2],
                ks_error *e);
/* y = patches W + b + position: KS_GPU_HIDDEN to KS_GPU_X, in frames of N rows */
int ks_gpu_place(ks_gpu *g, int rows, int N, ks_error *e);

#endif
