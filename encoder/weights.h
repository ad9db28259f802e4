/* weights.h - a checkpoint as one struct of pointers: every tensor by its role, fp32, 64-byte
 * aligned.
 *
 *   ks_weights *w;
 *   ks_weights_open(&w, &(ks_weights_options){.model = "lvt.npz"}, &e);
 *   w->spatial.wq + layer * D * D ...              [L, D, H, D/H], as the checkpoint has it
 *   ks_pack_open(&p, &name, fill, arg, &e);           derived packs beside it: pack.h
 *   ks_weights_close(w);
 *
 * The pointers go into a mapped pack (or into memory where there was no room for one) and are valid
 * until close. Values are the checkpoint's own: kernels [in, out], LayerNorm scales minus 1. */
#ifndef KS_WEIGHTS_H
#define KS_WEIGHTS_H

#include "encoder/checkpoint.h"
#include "encoder/encoder.h"
#include "encoder/pack.h"

/* One stack of L transformer blocks. D width, H heads, h = D/H, F mlp (text: 4D). */
typedef struct {
    int layers, mlp;                   /* L (0: the model has no such stack), F */
    const float *ln1_scale, *ln1_bias; /* [L, D] before attention */
    /* [L, D] after attention; primer_hybrid only, else NULL */
    const float *ln1_post_scale, *ln1_post_bias;
    const float *wq, *wk, *wv;         /* [L, D, H, h] */
    const float *bq, *bk, *bv;         /* [L, H, h] */
    const float *wo, *bo;              /* [L, D, H, h] used as Hh -> D; [L, D] */
    const float *ln2_scale, *ln2_bias; /* [L, D] before the mlp */
    /* [L, D] after the mlp; primer_hybrid only, else NULL */
    const float *ln2_post_scale, *ln2_post_bias;
    const float *w1, *b1; /* [L, D, F], [L, F] */
    const float *w2, *b2; /* [L, F, D], [L, D] */
} ks_stack;

/* Attention pooling by one learned query. I = hidden = 4D (LvT) or D (classifier), p = I/H. */
typedef struct {
    int hidden;                      /* I; 0: the model has no pooler */
    const float *query;              /* [D] */
    const float *wq, *wk, *wv;       /* [D, H, p] */
    const float *bq, *bk, *bv;       /* [H, p] */
    const float *per_dim_scale;      /* [p] */
    const float *wo, *bo;            /* [D, H, p] used as Hp -> D; [D] */
    const float *ln_scale, *ln_bias; /* [D] */
} ks_pooler;

typedef struct {
    /* precision is KS_AUTO; hash is of the weights alone */
    ks_info info;
    /* [3*patch*patch, D] rows (row, column, channel); [D] */
    const float *patch_w, *patch_b;
    const float *spatial_pos;                          /* [G*G, D] */
    const float *temporal_pos;                         /* [T, D] */
    const float *spatial_ln_scale, *spatial_ln_bias;   /* [D] */
    const float *temporal_ln_scale, *temporal_ln_bias; /* [D] */
    ks_stack spatial, temporal, auxiliary, text;
    ks_pooler pooler;
    const float *token_emb;                    /* [V, D] */
    const float *cls_emb;                      /* [D] */
    const float *text_ln_scale, *text_ln_bias; /* [D] unimodal_ln */
    const float *class_w, *class_b;            /* [D, classes], [classes] */

    ks_pack pack;                 /* what the pointers point into */
    ks_cache *cache;              /* where further packs of this model belong */
    struct ks_weights_file *file; /* the checkpoint, open */
} ks_weights;

typedef struct {
    const char *model; /* path */
    const char *cache; /* folder of packs; NULL = $XDG_CACHE_HOME/kinoseek */
    void (*notice)(void *arg, const char *sentence); /* may be NULL */
    void *notice_arg;
} ks_weights_options;

/* The whole file is judged; unless a pack vouches for just this file, every byte of it is read. */
int ks_weights_open(ks_weights **w, const ks_weights_options *o, ks_error *e);
void ks_weights_close(ks_weights *w); /* NULL is fine */

/* A stack's matrices are no part of the pack: towers have them in panels, and the same floats
 * twice would double the cache. Their pointers are NULL but between these two. field:
 * offsetof(ks_weights, spatial.wq), ...; what the pack holds is there already. KS_EFORMAT: the
 * file was changed since it was opened. */
int ks_weights_load(ks_weights *w, size_t field, ks_error *e);
void ks_weights_unload(ks_weights *w, size_t field);

/* Hash of the model as vectors know it (DESIGN 2): weights and tokenizer. tokenizer: SHA-256 of its
 * file in hex, NULL or "" = none, then it is the weights' own hash. */
void ks_model_hash(char out[KS_HASH_HEX], const char *weights, const char *tokenizer);

/* --- binding: from a directory to roles (bind.c, slots.h) --- */

/* Whose piece a tensor of the file is. */
typedef struct {
    int slot;  /* -1: checked, then ignored */
    int layer; /* piece of the slot */
} ks_owner;

typedef struct {
    struct ks_slot *slots;
    int n;
    ks_owner *owners; /* [cp->n] */
    size_t bytes;     /* of the payload */
    int pooler_hidden, text_mlp;
    ks_info info; /* without hash */
} ks_binding;

/* Judge cp against the table. KS_ESHAPE or KS_EFORMAT with one sentence naming file and tensor. */
int ks_bind(ks_binding *b, const ks_checkpoint *cp, ks_error *e);
void ks_binding_free(ks_binding *b);
/* Every element of every tensor of cp, in file order, checked and put to its place (sink NULL:
 * checked only; with a sink matrices that go into panels are left alone). crcs[cp->n] receives
 * each tensor's CRC-32; may be NULL. */
int ks_bind_read(const ks_binding *b, const ks_checkpoint *cp, ks_pack_sink *sink, uint32_t *crcs,
                 ks_error *e);
/* All pieces of one slot, checked, into out[slot->count]. */
int ks_bind_load(float *out, const ks_binding *b, const ks_checkpoint *cp,
                 const struct ks_slot *slot, ks_error *e);
/* safetensors: the head count from config.json beside the file, or the known widths. */
int ks_config_heads(int *heads, const ks_checkpoint *cp, int width, ks_error *e);
/* SHA-256 over the sorted (name, dtype, shape, CRC-32). crcs[cp->n]: for safetensors, whose
 * directory has none; NULL for npz. */
void ks_weights_hash(char out[KS_HASH_HEX], const ks_checkpoint *cp, const uint32_t *crcs);

#endif
