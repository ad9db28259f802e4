/* score.h - the one score of a stored vector, its quantised stand-in, and the fast forms of both.
 *
 * score(q, h): D is padded with zeros to a multiple of 16; lane j of 16 does acc = fma(q[i],
 * h[i], acc) over i = j, j + 16, ... in fp32; then lanes are added in pairs: 8 sums j + (j + 8),
 * 4 sums j + (j + 4), 2, 1. Plain C, AVX2 + F16C and AVX-512 give identical bits.
 *
 * code(v): c[d] = 32 + round(v[d] / scale), six bits a dimension, scale = max |v| / 31. The dot
 * product of codes and an int8 query is an exact integer on every path. How far it may lie from
 * the score: ks_coded_query. */
#ifndef KS_SCORE_H
#define KS_SCORE_H

#include <stddef.h>
#include <stdint.h>

typedef enum { KS_CPU_PLAIN = 0, KS_CPU_AVX2 = 1, KS_CPU_AVX512 = 2, KS_CPU_VNNI = 3 } ks_cpu;
ks_cpu ks_cpu_best(void); /* the widest that this CPU has; every narrower one works too */
const char *ks_cpu_name(ks_cpu cpu);

/* out[m] = score of rows h[m, dim] (fp16, stride elements apart) against q[dim]. */
void ks_score_rows(float *out, const float *q, const uint16_t *h, size_t stride, int dim, int m,
                   ks_cpu cpu);

/* out[n, m]: the same for n queries q[n, dim] and rows without gaps, each fp16 read once for
 * several queries. */
void ks_score_many(float *out, const float *q, int n, const uint16_t *h, int dim, int m,
                   ks_cpu cpu);

/* Bytes of a coded row. 256 dimensions are 192 bytes: 128 of high nibbles (c >> 2; byte j of the
 * first 64 holds dimensions j and j + 64, of the second 128 + j and 192 + j), then 64 of low
 * pairs (c & 3; byte j holds dimensions j, 64 + j, 128 + j, 192 + j from bit 0 up). dim is
 * padded with c = 32, that is zero. */
static inline size_t ks_code_dims(int dim) { return ((size_t)dim + 255) / 256 * 256; }
static inline size_t ks_code_stride(int dim) { return ks_code_dims(dim) / 4 * 3; }

/* code[ks_code_stride(dim)], scale and error of one stored vector h[dim]: |v - scale (code -
 * 32)| <= error. */
void ks_code_row(uint8_t *code, float *scale, float *error, const uint16_t *h, int dim);

/* A query as the coded scan needs it. With dot = sum code[i] * q[i] - offset and s = dot * scale
 * * q_scale, |score - s| <= slope * error + constant, rounding of score and of s included
 * (derived in quantise.c). */
typedef struct {
    int8_t *q;      /* [ks_code_dims(dim)], zero padded; owned, ks_coded_free */
    int64_t offset; /* 32 * sum q */
    float scale;
    float slope, constant;
} ks_coded_query;
int ks_coded_make(ks_coded_query *out, const float *q, int dim); /* 0, or KS_ENOMEM */
void ks_coded_free(ks_coded_query *out);

/* out[m] = sum of c[d] * q[d] for m rows, dims = ks_code_dims(dim); exact. */
void ks_dot_rows(int32_t *out, const int8_t *q, const uint8_t *codes, size_t dims, int m,
                 ks_cpu cpu);

/* score_x86.c */
#if defined(__x86_64__)
void ks_score_rows_avx2(float *out, const float *q, const uint16_t *h, size_t stride, int dim,
                        int m);
void ks_score_many_avx2(float *out, const float *q, int n, const uint16_t *h, int dim, int m);
void ks_score_rows_avx512(float *out, const float *q, const uint16_t *h, size_t stride, int dim,
                          int m);
void ks_dot_rows_avx2(int32_t *out, const int8_t *q, const uint8_t *codes, size_t dims, int m);
void ks_dot_rows_vnni(int32_t *out, const int8_t *q, const uint8_t *codes, size_t dims, int m);
#endif

#endif
