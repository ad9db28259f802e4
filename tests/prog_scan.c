/* prog_scan.c - ROWS DIM THREADS [plain]: the exact scan over made vectors; one query a line of
 * stdin, seconds on stdout. */
#include "index/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
    enum { K = 10 };
    ks_segment s;
    char line[16];
    float q[KS_MAX_DIM];
    ks_neighbour at[K];
    if (argc < 4) return 2;
    int dim = atoi(argv[2]);
    if (ks_bench_segment(&s, atoll(argv[1]), dim, 0, -1) < 0) return 5;
    puts("ready");
    fflush(stdout);
    for (uint64_t n = 0; fgets(line, sizeof line, stdin); n++) {
        struct timespec from, to;
        ks_top top = {at, 0, K};
        ks_span span = {&s, 0, s.header.rows};
        ks_spans spans = {&span, 1, 1, span.count};
        ks_sweep sweep = {
            .q = q, .dim = dim, .threads = atoi(argv[3]), .cpu = ks_cpu_best(), .plain = argc > 4};
        ks_bench_vector(q, dim, 0, 1000000007u + n);
        clock_gettime(CLOCK_MONOTONIC, &from);
        if (ks_sweep_run(&top, &sweep, &spans) < 0) return 5;
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("%.9f\n",
               (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec));
        fflush(stdout);
    }
    ks_segment_close(&s);
    return 0;
}
