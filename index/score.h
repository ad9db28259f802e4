/* score.h - the one score of a stored vector, and its fast forms.
 *
 * score(q, h): D is padded with zeros to a multiple of 16; lane j of 16 does acc = fma(q[i], h[i], acc) over
 * i = j, j + 16, ... in fp32; then lanes are added in pairs: 8 sums j + (j + 8), 4 sums j + (j + 4), 2, 1.
 * Plain C, AVX2 + F16C and AVX-512 give identical bits. */
#ifndef KS_SCORE_H
#define KS_SCORE_H

#include <stddef.h>
#include <stdint.h>

typedef enum { KS_CPU_PLAIN = 0, KS_CPU_AVX2 = 1, KS_CPU_AVX512 = 2, KS_CPU_VNNI = 3 } ks_cpu;
ks_cpu ks_cpu_best(void); /* what this CPU can do */

/* out[m] = score of rows h[m, dim] (fp16, stride elements apart) against q[dim]. */
void ks_score_rows(float *out, const float *q, const uint16_t *h, size_t stride, int dim, int m, ks_cpu cpu);

#endif
