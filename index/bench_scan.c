/* bench_scan.c - how fast the scan is on this machine, beside what the memory gives and beside
 * itself without codes. The vectors are made, not read: rows x dim of unit length, random or
 * clustered
 * (4,096 centres, seeded; a vector is unit(centre + 0.75 noise), both of unit variance). */
#include "index/sweep.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CENTRES = 4096 };

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* v[dim] += weight * noise; four bytes a value, near enough to normal for this. */
static void noise(float *v, int dim, uint64_t seed, float weight)
{
    for (int d = 0; d < dim; d += 2) {
        uint64_t r = next(&seed);
        for (int j = 0; j < 2 && d + j < dim; j++, r >>= 32) {
            int sum = (int)(r & 255) + (int)(r >> 8 & 255) + (int)(r >> 16 & 255) +
                      (int)(r >> 24 & 255) - 510;
            v[d + j] += weight * (float)sum / 147.8f;
        }
    }
}

void ks_bench_vector(float *v, int dim, int clustered, uint64_t seed)
{
    double length = 0;
    memset(v, 0, (size_t)dim * sizeof *v);
    noise(v, dim, seed * 2654435761u + 12345, clustered ? 0.75f : 1);
    if (clustered) noise(v, dim, 0x5eed0000u + seed % CENTRES, 1);
    for (int d = 0; d < dim; d++) length += (double)v[d] * v[d];
    for (int d = 0; d < dim; d++) v[d] = (float)(v[d] / sqrt(length));
}

/* The arrays of a segment, without its header and hashes. */
int ks_bench_segment(ks_segment *s, int64_t rows, int dim, int clustered, int fd)
{
    ks_segment_layout l;
    uint16_t *half;
    float v[KS_MAX_DIM];
    memset(s, 0, sizeof *s);
    if (ks_segment_lay(&l, rows, 1, dim) < 0) return KS_EUSAGE;
    s->bytes = l.bytes;
    if (fd >= 0 && ftruncate(fd, (off_t)s->bytes) != 0) return KS_EIO;
    s->map = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE,
                  fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        return KS_ENOMEM;
    }
    unsigned char *map = s->map, *codes = map + l.codes;
    float *scales = (float *)(void *)(map + l.scales), *errors = (float *)(void *)(map + l.errors);
    int64_t *ids = (int64_t *)(void *)(map + l.ids);
    half = (uint16_t *)(void *)(map + l.half);
    for (int64_t i = 0; i < rows; i++) {
        uint16_t *h = half + (size_t)i * (size_t)dim;
        ks_bench_vector(v, dim, clustered, (uint64_t)i + 1);
        for (int d = 0; d < dim; d++) h[d] = ks_half_from_float(v[d]);
        ks_code_row(codes + (size_t)i * ks_code_stride(dim), &scales[i], &errors[i], h, dim);
        ids[i] = i + 1;
    }
    s->header.rows = rows;
    s->half = half;
    s->codes = codes;
    s->scales = scales;
    s->errors = errors;
    s->ids = ids;
    return 0;
}

/* Best of `rounds`: seconds of one query; the neighbours of the last go to at. */
static int time_sweep(double *seconds, ks_neighbour *at, ks_sweep *sweep, const ks_segment *s,
                      const ks_scan_bench *b, int plain)
{
    ks_span span = {s, 0, s->header.rows};
    ks_spans spans = {&span, 1, 1, span.count};
    *seconds = 1e9;
    for (int i = 0; i < b->rounds; i++) {
        float q[KS_MAX_DIM];
        ks_top top = {at, 0, b->k};
        ks_bench_vector(q, b->dim, b->clustered, 1000000007u + (uint64_t)i);
        sweep->q = q;
        sweep->plain = plain;
        double start = ks_monotonic();
        int code = ks_sweep_run(&top, sweep, &spans);
        double took = ks_monotonic() - start;
        if (code < 0) return code;
        if (took < *seconds) *seconds = took;
        ks_top_sort(&top);
    }
    return 0;
}

typedef struct {
    const unsigned char *at;
    size_t bytes;
    uint64_t sum;
    pthread_t thread;
} reading;

static void *read_all(void *arg)
{
    reading *r = arg;
    uint64_t a = 0, b = 0, v, w;
    for (size_t i = 0; i + 128 <= r->bytes; i += 128) { /* a word of each cache line */
        memcpy(&v, r->at + i, 8);
        memcpy(&w, r->at + i + 64, 8);
        a += v;
        b ^= w;
    }
    r->sum = a ^ b;
    return NULL;
}

/* Bytes a second of the fp16 matrix, read by the scan's number of threads and nothing done with
 * them. */
static double read_rate(const ks_segment *s, const ks_scan_bench *b)
{
    enum { MOST = 64 };
    reading r[MOST];
    long cores = b->threads > 0 ? b->threads : sysconf(_SC_NPROCESSORS_ONLN);
    int n = cores < 1 ? 1 : cores > MOST ? MOST : (int)cores, started = 0;
    size_t part = (size_t)b->rows * (size_t)b->dim * 2 / (size_t)n / 128 * 128;
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        double start = ks_monotonic();
        started = 0;
        for (int t = 0; t < n; t++) {
            r[t] = (reading){.at = (const unsigned char *)s->half + (size_t)t * part,
                             .bytes = part};
            if (pthread_create(&r[t].thread, NULL, read_all, &r[t]) != 0) break;
            started++;
        }
        for (int t = 0; t < started; t++) pthread_join(r[t].thread, NULL);
        double took = ks_monotonic() - start;
        if (started == n && took < best) best = took;
    }
    return (double)part * n / best;
}

int ks_index_bench_scan(ks_scan_bench *b, ks_error *e)
{
    assert(b && b->rows > 0 && b->dim > 0 && b->dim <= KS_MAX_DIM && b->k > 0 && b->rounds > 0);
    ks_segment s;
    ks_sweep sweep = {.dim = b->dim, .threads = b->threads, .cpu = ks_cpu_best()};
    ks_neighbour *fast = calloc((size_t)b->k * 2, sizeof *fast), *all = fast ? fast + b->k : NULL;
    int code = fast ? ks_bench_segment(&s, b->rows, b->dim, b->clustered, -1) : KS_ENOMEM;
    if (code >= 0) code = time_sweep(&b->seconds_plain, all, &sweep, &s, b, 1);
    sweep.rescored = 0;
    if (code >= 0) code = time_sweep(&b->seconds, fast, &sweep, &s, b, 0);
    if (code >= 0) {
        b->same = memcmp(fast, all, (size_t)b->k * sizeof *fast) == 0;
        b->rescored = sweep.rescored / b->rounds;
        b->limit = read_rate(&s, b);
        b->bytes = (double)b->rows * (double)(ks_code_stride(b->dim) + 8);
        b->bytes_plain = (double)b->rows * b->dim * 2;
        snprintf(b->cpu, sizeof b->cpu, "%s", ks_cpu_name(sweep.cpu));
    }
    if (code >= 0 || fast) ks_segment_close(&s);
    free(fast);
    return code < 0
               ? ks_fail(e, code, "no memory for %lld vectors of D %d", (long long)b->rows, b->dim)
               : 0;
}
