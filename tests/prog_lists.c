/* prog_lists.c - ROWS DIM DIR [random]: lists over made vectors (bench_scan.c), clustered ones
 * unless told otherwise: build time, recall@10 of fresh queries, and processor time a query
 * beside the exact scan's. */
#include "index/ann.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUERIES = 100, K = 10 };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    ks_error e = {0};
    ks_segment s;
    ks_ann ann;
    float q[KS_MAX_DIM];
    if (argc < 4) return 2;
    int clustered = argc < 5; /* a fifth word: random vectors */
    int dim = atoi(argv[2]);
    if (ks_bench_segment(&s, atoll(argv[1]), dim, clustered) < 0) return 5;
    s.header.dim = (uint32_t)dim;
    snprintf(s.row.file, sizeof s.row.file, "vectors.bench");
    double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    if (ks_ann_build(&s.row, &s, argv[3], 2, &e) < 0 || ks_ann_open(&ann, argv[3], &s, &e) <= 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 5;
    }
    printf("build %.1f s, %.1f s of processor, %lld lists, %lld probes, recall measured by the "
           "build %.3f\n",
           (now(CLOCK_MONOTONIC) - start) / 1e3, (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e3,
           (long long)ann.header.lists, (long long)ann.header.probes, s.row.recall);
    double exact_best = 1e9, near_best = 1e9, exact_sum = 0, near_sum = 0;
    int hit = 0, same = 0;
    for (int i = 0; i < QUERIES; i++) {
        ks_neighbour want[K], got[K];
        ks_top exact = {want, 0, K}, near = {got, 0, K};
        ks_span span = {&s, 0, s.header.rows};
        ks_spans spans = {&span, 1, 1, span.count};
        ks_sweep sweep = {.q = q, .dim = dim, .threads = 2, .cpu = ks_cpu_best()};
        int32_t *rows;
        int64_t n;
        ks_bench_vector(q, dim, clustered, 900000000u + (uint64_t)i * 7);
        double a = now(CLOCK_PROCESS_CPUTIME_ID);
        if (ks_sweep_run(&exact, &sweep, &spans) < 0) return 5;
        double b = now(CLOCK_PROCESS_CPUTIME_ID);
        if (ks_ann_choose(&rows, &n, &ann, q, ann.header.probes, &e) < 0 ||
            ks_sweep_rows(&near, &sweep, &s, rows, n) < 0)
            return 5;
        double c = now(CLOCK_PROCESS_CPUTIME_ID);
        free(rows);
        for (int j = 0; j < exact.count; j++)
            for (int k = 0; k < near.count; k++) hit += want[j].clip == got[k].clip;
        same += exact.count;
        exact_sum += b - a;
        near_sum += c - b;
        if (b - a < exact_best) exact_best = b - a;
        if (c - b < near_best) near_best = c - b;
    }
    printf("recall@10 %.3f; processor ms a query: exact %.2f (best %.2f), lists %.2f (best %.2f): "
           "%.1f times\n",
           (double)hit / same, exact_sum / QUERIES, exact_best, near_sum / QUERIES, near_best,
           exact_sum / near_sum);
    ks_ann_drop(&ann);
    ks_segment_close(&s);
    return 0;
}
