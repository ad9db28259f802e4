/* prog_lists.c - ROWS DIM DIR [random] [disk]: lists over made vectors (bench_scan.c), clustered
 * ones unless told otherwise: build time, recall@10 of fresh queries, and processor time a query
 * on one thread beside the exact scan's. A line a figure. disk: the vectors lie in a file below
 * DIR, which is mapped; then what of the files is resident after the queries is said, too. */
#include "index/ann.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { QUERIES = 100, K = 10 };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double resident(void) /* MiB of files */
{
    char line[200];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "RssFile:", 8) == 0) kib = atof(line + 8);
    if (f) fclose(f);
    return kib / 1024;
}

typedef struct {
    double sum, best,
        clock; /* processor ms of all queries, of the fastest; ms on the clock of all */
} times;

static ks_neighbour exact[QUERIES][K], near[QUERIES][K];
static int count[QUERIES];

static int exactly(times *t, const ks_segment *s, int dim, int clustered)
{
    float q[KS_MAX_DIM];
    ks_span span = {s, 0, s->header.rows};
    ks_spans spans = {&span, 1, 1, span.count};
    *t = (times){0, 1e9, 0};
    for (int i = 0; i < QUERIES; i++) {
        ks_top top = {exact[i], 0, K};
        ks_sweep sweep = {.q = q, .dim = dim, .threads = 1, .cpu = ks_cpu_best()};
        ks_bench_vector(q, dim, clustered, 900000000u + (uint64_t)i * 7);
        double a = now(CLOCK_THREAD_CPUTIME_ID);
        if (ks_sweep_run(&top, &sweep, &spans) < 0) return -1;
        double took = now(CLOCK_THREAD_CPUTIME_ID) - a;
        count[i] = top.count;
        t->sum += took;
        if (took < t->best) t->best = took;
    }
    return 0;
}

static int by_lists(times *t, ks_ann *ann, const ks_segment *s, int dim, int clustered)
{
    float q[KS_MAX_DIM];
    ks_error e;
    *t = (times){0, 1e9, 0};
    for (int i = 0; i < QUERIES; i++) {
        ks_top top = {near[i], 0, K};
        ks_sweep sweep = {.q = q, .dim = dim, .threads = 1, .cpu = ks_cpu_best()};
        ks_bench_vector(q, dim, clustered, 900000000u + (uint64_t)i * 7);
        double a = now(CLOCK_THREAD_CPUTIME_ID), clock = now(CLOCK_MONOTONIC);
        if (ks_ann_scan(&top, &sweep, s, ann, ann->header.probes, NULL, 0, &e) <= 0) return -1;
        double took = now(CLOCK_THREAD_CPUTIME_ID) - a;
        t->clock += now(CLOCK_MONOTONIC) - clock;
        t->sum += took;
        if (took < t->best) t->best = took;
    }
    return 0;
}

static double recall(void)
{
    int hit = 0, all = 0;
    for (int i = 0; i < QUERIES; i++, all += K)
        for (int j = 0; j < K; j++)
            for (int k = 0; k < K; k++) hit += exact[i][j].clip == near[i][k].clip;
    return (double)hit / all;
}

int main(int argc, char **argv)
{
    ks_error e = {0};
    ks_segment s;
    ks_ann ann;
    times every, first, warm;
    char path[4096];
    int clustered = 1, fd = -1;
    if (argc < 4) return 2;
    for (int i = 4; i < argc; i++)
        if (strcmp(argv[i], "random") == 0) clustered = 0;
        else if (strcmp(argv[i], "disk") == 0) fd = -2;
        else return 2;
    int dim = atoi(argv[2]);
    snprintf(path, sizeof path, "%s/vectors.bench", argv[3]);
    if (fd == -2 && (fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)) < 0) return 5;
    if (ks_bench_segment(&s, atoll(argv[1]), dim, clustered, fd) < 0) return 5;
    s.header.dim = (uint32_t)dim;
    snprintf(s.row.file, sizeof s.row.file, "vectors.bench");
    double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    if (ks_ann_build(&s.row, &s, argv[3], 2, &e) < 0 || ks_ann_open(&ann, argv[3], &s, &e) <= 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 5;
    }
    printf("lists %lld\nprobes %lld\nbuild_seconds %.1f\nbuild_processor_seconds %.1f\n"
           "recall_measured_by_build %.3f\n",
           (long long)ann.header.lists, (long long)ann.header.probes,
           (now(CLOCK_MONOTONIC) - start) / 1e3, (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e3,
           s.row.recall);
    fflush(stdout);
    if (exactly(&every, &s, dim, clustered) < 0) return 5;
    /* of a file: the process lets go of its pages, the system keeps them */
    if (fd >= 0 && madvise(s.map, s.bytes, MADV_DONTNEED) != 0) return 5;
    double before = resident();
    if (by_lists(&first, &ann, &s, dim, clustered) < 0 ||
        by_lists(&warm, &ann, &s, dim, clustered) < 0)
        return 5;
    printf("recall_at_10 %.3f\nexact_ms %.2f\nexact_best_ms %.2f\nlists_ms %.3f\n"
           "lists_best_ms %.3f\nlists_on_the_clock_ms %.3f\nlists_first_look_ms %.3f\n",
           recall(), every.sum / QUERIES, every.best, warm.sum / QUERIES, warm.best,
           warm.clock / QUERIES, first.sum / QUERIES);
    if (fd >= 0)
        printf("resident_mib %.0f\nresident_before_mib %.0f\nfiles_gib %.1f\n", resident(), before,
               (double)(s.bytes + ann.bytes) / 1024 / 1024 / 1024);
    ks_ann_drop(&ann);
    ks_segment_close(&s);
    if (fd >= 0) unlink(path);
    return 0;
}
