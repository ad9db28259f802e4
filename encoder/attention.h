/* attention.h - softmax(50 tanh(q k^T / sqrt(dh) / 50) + mask) v, fused: scores never leave the
 * cache.
 *
 * Keys and values of one head of one sequence are first packed as panels (keys by dimension,
 * values by key), then blocks of queries pass over blocks of 256 keys: 14 rows of scores are
 * made, weighted and used at a time. No maximum is subtracted before exp: the cap keeps every
 * logit within 50, e^50 =
 * 5e21, and 2^50 of them sum within float's range. So blocks of keys simply add up. */
#ifndef KS_ATTENTION_H
#define KS_ATTENTION_H

#include "encoder/kernels.h"
#include "encoder/encoder.h"

enum { KS_KEY_BLOCK = 256, KS_QUERY_BLOCK = 256 };

/* q, k, v hold values of the precision: float or bf16. Rows of the sequence are `step` values
 * apart. */
typedef struct {
    const ks_kernels *kernels;
    ks_precision precision; /* KS_FP32 or KS_BF16 */
    const void *q, *k, *v;  /* first row, first column of the head */
    size_t step;            /* values; even for bf16 */
    int length, dh, causal;
    /* key i: masked[i * mask_step] != 0; NULL: none. All masked: all count alike */
    const uint8_t *masked;
    size_t mask_step;
} ks_head;

/* Bytes of the packed keys and values, and of a thread's scratch for a block of queries. */
size_t ks_head_bytes(const ks_head *head);
size_t ks_head_scratch(const ks_head *head);
/* Pack keys first..first+n-1 (first a multiple of KS_KEY_BLOCK; scratch: ks_head_scratch). */
void ks_head_pack(void *packed, const ks_head *head, int first, int n, void *scratch);

/* out rows of queries first..first+n-1 (n <= KS_QUERY_BLOCK), dh columns, `ld` elements apart;
 * half: bf16. */
typedef struct {
    void *out; /* of query `first` */
    size_t ld;
    int half, first, n;
} ks_queries;
void ks_head_attend(const ks_queries *q, const ks_head *head, const void *packed, void *scratch);

#endif
