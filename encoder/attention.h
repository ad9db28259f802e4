/* attention.h - softmax(cap(q k^T / sqrt(dh)) + mask) v for one head and one block of queries. */
#ifndef KS_ATTENTION_H
#define KS_ATTENTION_H

#include "ks.h"

enum { KS_QUERY_BLOCK = 64 }; /* queries a call: scores stay [64, length], never [length, length] */

/* Sequence rows are `step` floats apart in q, k, v, and `out_step` in out; dh columns each. */
typedef struct {
    const float *q, *k, *v;   /* first row of the sequence, first column of the head */
    float *out;
    size_t step, out_step;
    int length, dh, causal;
    float cap;                /* 50; 0 = none */
    const uint8_t *masked;    /* of key i: masked[i * mask_step]; NULL: none. All masked: uniform */
    size_t mask_step;
} ks_head;

/* out rows first..first+n-1 (n <= KS_QUERY_BLOCK). scores: n * length floats of scratch. */
void ks_attend_plain(const ks_head *head, int first, int n, float *scores);

#endif
