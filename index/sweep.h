/* sweep.h - the scan over search copies, on threads of its own. */
#ifndef KS_SWEEP_H
#define KS_SWEEP_H

#include "index/mapped_segments.h"
#include "index/score.h"
#include "index/top.h"

typedef struct {
    const float *q; /* [dim] */
    int dim;
    int threads; /* at most; 0: as many as cores */
    ks_cpu cpu;
    int plain; /* 1: no codes, every row is scored (the test of the proof) */
    /* out: rows whose bound could reach the top and that were scored from fp16 */
    int64_t rescored;
} ks_sweep;
/* Add every row of spans to top, which may hold neighbours from elsewhere. The result is that of
 * scoring every row. */
int ks_sweep_run(ks_top *top, ks_sweep *sweep, const ks_spans *spans); /* 0 or KS_ENOMEM */
/* Rows that do not lie in the order of the segment, with their codes. */
typedef struct {
    const uint8_t *codes;         /* [n, stride] */
    const float *scales, *errors; /* [n] */
    const int32_t *rows;          /* [n], of the segment */
    int64_t n;
} ks_coded_list;
/* Same for the rows of some lists; n_within > 0: those that lie in these spans, which ascend. */
int ks_sweep_lists(ks_top *top, ks_sweep *sweep, const ks_segment *s, const ks_coded_list *lists,
                   int n, const ks_span *within, int64_t n_within);

/* bench_scan.c: v[dim], unit length */
void ks_bench_vector(float *v, int dim, int clustered, uint64_t seed);
/* ids 1..rows; fd: a file to lie in, mapped; -1: in memory */
int ks_bench_segment(ks_segment *s, int64_t rows, int dim, int clustered, int fd);

#endif
