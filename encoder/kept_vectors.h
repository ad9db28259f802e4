/* kept_vectors.h - text vectors kept between runs: a part of encoder.h, which includes it. */
#ifndef KS_ENCODER_KEPT_VECTORS_H
#define KS_ENCODER_KEPT_VECTORS_H

#ifndef KS_ENCODER_H
#error "include encoder/encoder.h"
#endif

/* --- vectors kept between runs ---
 * What was made of text vectors alone is kept beside the model's packs, 32 MiB a model, the
 * newest. A vector is known by how it was made and of what (only a digest of them is written),
 * and by all that its bits come from: model, precision, kernels. Best effort: what the cache
 * lacks or has damaged is not found, what it cannot take is not kept. */
typedef struct {
    const char *how; /* one for all: the templates of labels */
    const char *const *what;
    int n; /* [n]: the labels; to put, NULL: not this one */
} ks_kept;
/* v[n, D], found[n]: 1 where v's row was there, else 0 and the row stays as it is. Returns how
 * many. */
int ks_kept_find(float *v, uint8_t *found, ks_encoder *enc, const ks_kept *k);
void ks_kept_put(ks_encoder *enc, const ks_kept *k, const float *v);
/* One by one and without a bound, in the file NAME of the cache: there before the put returns,
 * whatever kills the program. */
typedef struct ks_kept_log ks_kept_log; /* several programs may add to it; enc outlives it */
/* KS_ENOMEM only */
int ks_kept_log_open(ks_kept_log **log, ks_encoder *enc, const char *name, ks_error *e);
void ks_kept_log_close(ks_kept_log *log); /* NULL is fine */
/* 1: v[D]; 0: not there */
int ks_kept_log_find(float *v, ks_kept_log *log, const char *how, const char *what);
/* KS_EIO: not kept */
int ks_kept_log_put(ks_kept_log *log, const char *how, const char *what, const float *v,
                    ks_error *e);

#endif
