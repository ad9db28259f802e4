/* tower.h - an open encoder, and the two towers on it. */
#ifndef KS_TOWER_H
#define KS_TOWER_H

#include <pthread.h>

#include "encoder/arena.h"
#include "encoder/encoder.h"
#include "encoder/frame_set.h"
#include "encoder/pool.h"
#include "encoder/pooling.h"
#include "encoder/token.h"
#include "encoder/tokens.h"
#include "encoder/transformer.h"
#include "encoder/weights.h"

typedef struct {
    /* 3PP -> D; always float: 0.5 % of the work, and pixels keep their bits */
    ks_matrix patches;
    const float *patch_bias;
    ks_norm spatial_norm, temporal_norm;
    ks_blocks spatial, temporal, auxiliary;
    ks_pooling pooling; /* hidden 0: this model has no pooler */
    /* Position embeddings at the size last used, so that a warm pass computes none. */
    float *grid_positions; /* [G*G, D] */
    float *time_positions; /* [T, D] */
    int grid, time;        /* 0: none yet */
    ks_pack pack;          /* what the matrices point into */
} ks_vision;

typedef struct {
    ks_blocks blocks;
    ks_norm norm;
    const float *embedding, *class_token; /* [V, D], [D] */
    float *positions;                     /* [KS_TEXT_MAX, D] */
    ks_pack pack;
} ks_text;

/* What a clip gives, as far as asked for: buffers of the caller, or NULL. */
typedef struct {
    float *spatiotemporal, *auxiliary; /* [T*N, D] */
    float *frames;                     /* [T, D], unit length */
    float *global;                     /* [D], unit length (LvT), as pooled (classifier) */
    float *logits;                     /* [classes] */
    int apart; /* 1: each frame is a clip of its own, and `frames` alone is asked for (CPU only) */
} ks_clip_outputs;

/* Sentences of one pass. Its rows bound the memory, and are what one reading of the weights
 * serves (LvT-B, 40 labels of 28 sentences, processor seconds: 96 rows fp32 12.4, bf16 6.4; 256
 * 11.9, 6.1; 512 12.1, 6.1). */
enum { KS_TEXT_ROWS = 256 };
typedef struct {
    int n;
    /* [n + 1] rows where they begin; the last row of each is the class token's */
    int first[KS_TEXT_ROWS + 1];
    int32_t ids[KS_TEXT_ROWS]; /* of every row but those */
} ks_sentences;

/* The towers as calls: whatever computes them (this CPU; a device beside it) is one of these.
 * All are called with the lock held; arguments were judged before (encoder.c, sentence.c). */
typedef struct {
    const char *name;
    /* Spatial tokens of n pictures of one side; masked[i]: picture i is a padded frame (NULL:
     * none). */
    int (*tokens)(ks_tokens **out, ks_encoder *enc, const ks_picture *pictures,
                  const uint8_t *masked, int n, ks_error *e);
    int (*clip)(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *frames, int T,
                ks_error *e);
    /* v[s->n, D]; the ids are in the vocabulary. A sentence's bits do not depend on the others. */
    int (*text)(float *v, ks_encoder *enc, const ks_sentences *s, ks_error *e);
} ks_towers;
/* cpu_towers.c: always open; kernels, pool, arena, vision and text below are its own */
extern const ks_towers ks_cpu_towers;
int ks_cpu_open(ks_encoder *enc, int towers,
                ks_error *e); /* ks_cpu_close also after a failed one */
void ks_cpu_close(ks_encoder *enc);

struct ks_encoder {
    pthread_mutex_t lock;     /* calls are served one after the other */
    const ks_towers *by;      /* what computes */
    struct ks_device *device; /* the GPU in use; NULL: none (device.h) */
    struct ks_gpu *gpu;       /* its towers (vulkan_towers.h) */
    ks_gpu_trust trust;       /* what a GPU's answers are worth that was used; on_gpu is not kept */
    ks_weights *weights;
    char *model; /* its path, for sentences about it */
    ks_info info;
    int towers;         /* ks_tower, or-ed: what is open */
    ks_precision asked; /* as in the options */
    ks_precision cpu_precision;
    const ks_kernels *kernels;
    ks_pool *pool;
    ks_arena arena;
    ks_vision vision;
    ks_text text;
    ks_token_store *store;
    ks_tokenizer *tokenizer; /* NULL: none was named and none lies beside the model */
    ks_frame_set frames;     /* of the call being served */
    void (*notice)(void *arg, const char *sentence); /* may be NULL */
    void *notice_arg;
    ks_tap *tap;
    void *tap_arg;
};

/* --- the CPU's (vision.c, text_tower.c), through ks_cpu_towers --- */
int ks_vision_open(ks_encoder *enc, ks_error *e);
void ks_vision_close(ks_vision *v);
int ks_vision_tokens(ks_tokens **out, ks_encoder *enc, const ks_picture *pictures,
                     const uint8_t *masked, int n, ks_error *e);
int ks_vision_clip(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *frames, int T,
                   ks_error *e);
int ks_vision_fit_grid(ks_encoder *enc, int grid, ks_error *e); /* vision.grid_positions */
int ks_vision_fit_time(ks_encoder *enc, int T, ks_error *e);    /* vision.time_positions */
/* frames, global and logits of pooled[1 + T, D] (without `frames`, its first row) */
void ks_vision_finish(const ks_clip_outputs *out, ks_encoder *enc, const float *pooled, int T);
int ks_text_open(ks_encoder *enc, ks_error *e);
void ks_text_close(ks_text *t);
/* The text tower's rows, what stands in them before the blocks, and what becomes of them behind. */
ks_rows ks_text_rows(const ks_sentences *s);
void ks_text_embed(float *x, const ks_encoder *enc, const ks_sentences *s);
void ks_text_finish(float *v, const ks_encoder *enc, const ks_sentences *s, const float *x);
int ks_text_run(float *v, ks_encoder *enc, const ks_sentences *s, ks_error *e);

/* clip, with the arguments judged and the lock taken (encoder.c). */
int ks_clip_run(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *frames, int T,
                ks_error *e);

/* v[n, D] that leave the encoder are of unit length, or it is the weights that are wrong:
 * KS_EFORMAT. Not while a tap listens, which is there to see where. (encoder.c) */
int ks_vectors_judge(const ks_encoder *enc, const float *v, int n, ks_error *e);

/* One stack of the checkpoint's stacked tensors, layer by layer; its matrices still without panels.
 * (blocks.c) */
int ks_blocks_open(ks_blocks *b, const char *name, const ks_stack *w, const ks_encoder *enc,
                   ks_precision precision, ks_error *e);
void ks_blocks_close(ks_blocks *b);
enum { KS_BLOCK_MATRICES = 4 };
/* Lists the stack's matrices: to[layers * KS_BLOCK_MATRICES]; returns how many. */
int ks_blocks_matrices(ks_matrix **to, ks_blocks *b);
/* Panels of all stacks (and one matrix more, or NULL) in one pack of the first stack's precision:
 * NAME.PRECISION. */
int ks_blocks_pack(ks_pack *pack, ks_encoder *enc, const char *name, ks_blocks *const stacks[3],
                   ks_matrix *more, ks_error *e);
ks_run ks_run_of(ks_encoder *enc);

#endif
