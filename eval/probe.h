/* probe.h - the parts of a probe: lists, tokens that are kept, a head and its gradients, the
 * training.
 *
 *   TSV -> ks_probe_lists -> ks_probe_keep (tokens of every film, on disk) -> ks_probe_fit
 *     (head) -> figures, checkpoint */
#ifndef KS_EVAL_PROBE_H
#define KS_EVAL_PROBE_H

#include "eval/eval.h"

/* --- lists (probe_lists.c) --- */
typedef struct {
    char *name;      /* FILE[@START[-END]], as it was given */
    char *path;      /* of the film, under --media */
    double from, to; /* seconds; to < 0: the end */
    int label;       /* number of its class */
    int64_t line;
    /* what it is, however it is called: device and inode; its content, "": not to be read */
    uint64_t device, inode;
    char content[KS_CONTENT_HEX];
    int missing; /* no tokens of it could be had */
    char *kept;  /* path of its tokens; NULL: missing */
} ks_probe_film;
typedef struct {
    ks_probe_film *at;
    int64_t n;
    const char *file; /* borrowed */
} ks_probe_list;
typedef struct {
    ks_probe_list train, test;
    /* [n_classes] in the order of their bytes: a class's number is its place */
    char **classes;
    int n_classes;
    /* films of test of which train has a part too, whatever path or copy of it; the first: which,
     * and what of train it is */
    int64_t shared;
    const ks_probe_film *shared_film, *shared_with;
} ks_probe_lists;
/* KS_EFORMAT names file and line: no two fields, an empty one, a film twice, a class of test
 * that train lacks; one class alone. Paths are under media, where that is not NULL. */
int ks_probe_lists_read(ks_probe_lists *l, const ks_probe_options *o, ks_error *e);
int ks_probe_lists_share(ks_probe_lists *l, ks_error *e); /* counts films of both that were read */
void ks_probe_lists_free(ks_probe_lists *l);

/* --- tokens (probe_tokens.c) --- kept as f2, [rows, D], a file a film. */
typedef struct {
    int64_t rows;
    int dim;
} ks_probe_shape;
/* Every film's tokens are computed unless they are kept already; shape of them all. Films that
 * cannot be read are marked missing, with a notice. */
int ks_probe_keep(ks_probe_shape *shape, ks_probe_lists *l, const ks_probe_options *o, ks_error *e);
/* x[rows, dim] of a film that is not missing; half[rows * dim]: scratch. KS_EIO, KS_EFORMAT:
 * gone or changed since. */
int ks_probe_tokens(float *x, uint16_t *half, const ks_probe_film *film,
                    const ks_probe_shape *shape, ks_error *e);

/* --- a head (probe_head.c) --- the official attention pooler of width D, then LayerNorm, then D
 * -> C. I = D = H p. */
typedef enum {
    KS_HEAD_QUERY, /* [D] */
    KS_HEAD_WQ,
    KS_HEAD_BQ,
    KS_HEAD_WK,
    KS_HEAD_BK,
    KS_HEAD_WV,
    KS_HEAD_BV,   /* [D, I], [I] */
    KS_HEAD_DIMS, /* [p] per_dim_scale */
    KS_HEAD_WO,
    KS_HEAD_BO, /* [D, I], [D] */
    KS_HEAD_LN_SCALE,
    KS_HEAD_LN_BIAS, /* [D] */
    KS_HEAD_KERNEL,
    KS_HEAD_BIAS, /* [D, C], [C] */
    KS_HEAD_TENSORS
} ks_head_role;
typedef struct {
    int D, H, C;
    float *all; /* [n], 64-byte aligned, owned */
    float *at[KS_HEAD_TENSORS];
    size_t count[KS_HEAD_TENSORS], n; /* n: with what aligns them; zeros there */
} ks_head;
extern const char *const ks_head_names[KS_HEAD_TENSORS]; /* in the checkpoint, after "params/" */
int ks_head_new(ks_head *h, int D, int H, int C, ks_error *e); /* zeros */
void ks_head_free(ks_head *h);

/* A head made ready for clips: keys and values are never formed, a head's logit of token x is x
 * . u. */
typedef struct {
    const ks_head *w;
    float *query;  /* [I] query Wq + bq */
    float *scaled; /* [I] times scale per dimension */
    float *u;      /* [H, D] */
} ks_head_ready;
/* What the clips of a batch leave for the gradients: rows of [B, ...]. */
typedef struct {
    int B;
    float *all;             /* owned */
    float *z, *du;          /* [B, H D] pooled tokens of each head; gradient of u */
    float *heads, *d_heads; /* [B, I] */
    float *dy;              /* [B, D] of the pooler's answer, before LayerNorm */
    /* [B, D] after LayerNorm without and with scale and bias; gradient of g */
    float *unit, *g, *dg;
    float *d_logits; /* [B, C] */
    float *logits;   /* [B, C] */
    double *loss;    /* [B] cross entropy */
} ks_head_batch;
int ks_head_batch_new(ks_head_batch *b, const ks_head *w, int B, ks_error *e);
void ks_head_batch_free(ks_head_batch *b);
int ks_head_ready_new(ks_head_ready *r, const ks_head *w, ks_error *e);
void ks_head_ready_set(ks_head_ready *r); /* anew after w changed */
void ks_head_ready_free(ks_head_ready *r);
/* Row i of b from tokens x[M, D]: logits; with label >= 0 loss and all that gradients need, the
 * loss weighted by `weight`. scratch[2 M H]. */
typedef struct {
    const float *x;
    int64_t M;
    int label;
    float weight;
    float *scratch;
} ks_head_clip;
void ks_head_run(ks_head_batch *b, int i, const ks_head_ready *r, const ks_head_clip *clip);
/* The same from row i of b->g, which is there: the last layer alone. */
void ks_head_run_last(ks_head_batch *b, int i, const ks_head *w, const ks_head_clip *clip);
/* g[D]: the mean token, after LayerNorm without scale and bias */
void ks_head_pool(float *g, const float *x, int64_t M, int D);
/* Gradients of the first n rows, in pieces that do not see each other: 0 <= piece <
 * ks_head_pieces. last: only the last layer's. */
int ks_head_pieces(const ks_head *w, int last);
void ks_head_gradient(ks_head *grad, int piece, const ks_head_ready *r, const ks_head_batch *b,
                      int n);

/* --- training (probe_train.c) --- */
/* One step of AdamW with bias correction, betas 0.9 and 0.999, eps 1e-8; weights decay, biases
 * and scales do not. */
typedef struct {
    ks_head m, v; /* moments */
    int64_t t;    /* steps done */
    double decay;
    int first; /* ks_head_role: those before it stay as they are */
} ks_adamw;
int ks_adamw_new(ks_adamw *a, const ks_head *w, ks_error *e);
void ks_adamw_free(ks_adamw *a);
void ks_adamw_step(ks_head *w, ks_adamw *a, const ks_head *grad, double rate);
/* warm-up over a twentieth, then a cosine to 0 */
double ks_probe_rate(double peak, int64_t step, int64_t steps);
/* as flax starts: lecun normal, query of deviation 1, the others 0 */
void ks_probe_start(ks_head *w, uint64_t seed);
/* *loss: the mean over the last epoch. */
int ks_probe_fit(ks_head *w, double *loss, const ks_probe_lists *l, const ks_probe_shape *shape,
                 const ks_probe_options *o, ks_error *e);
/* logits[n, C] of a list; rows of missing films stay as they are. */
int ks_probe_logits(float *logits, const ks_head *w, const ks_probe_list *list,
                    const ks_probe_shape *shape, const ks_probe_options *o, ks_error *e);

#endif
