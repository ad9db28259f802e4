/* ann_build.c - lists for a large segment: train, assign, measure.
 *
 * Recall@10 is measured against the exact scan of the same segment with 100 queries of two
 * kinds: stored vectors, and the middle of two stored vectors (harder: between clusters, as
 * words lie). The fewest probes that reach 0.98 are stored; where a quarter of all lists does
 * not reach it, the recall is stored as it is and only --ann uses the lists. */
#include "index/ann.h"

#include <math.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

enum {
    PAGE = 4096,
    BATCH = 4096,
    QUERIES = 100,
    K = 10,
    POINTS = 40 /* a centroid; FAISS warns below 39 */
};

int ks_ann_lists(int64_t rows)
{
    int lists = 16;
    /* about the square root */
    while (lists < 4096 && (int64_t)lists * lists * 2 < rows) lists *= 2;
    return lists;
}

static void widen(float *out, const ks_segment *s, int64_t row)
{
    const uint16_t *h = s->half + (size_t)row * s->header.dim;
    for (uint32_t d = 0; d < s->header.dim; d++) out[d] = ks_float_from_half(h[d]);
}

static int train(void **coarse, const ks_segment *s, int lists, ks_error *e)
{
    int64_t rows = s->header.rows,
            n = (int64_t)POINTS * lists < rows ? (int64_t)POINTS * lists : rows;
    size_t dim = s->header.dim;
    float *x = malloc((size_t)n * dim * sizeof *x);
    if (!x) return ks_fail(e, KS_ENOMEM, "no memory to train the lists");
    /* evenly over all films */
    for (int64_t i = 0; i < n; i++) widen(x + (size_t)i * dim, s, i * rows / n);
    int code = ks_coarse_train(coarse, x, n, (int)dim, lists, e);
    free(x);
    return code;
}

static int assign(int32_t *list, const ks_segment *s, const void *coarse, ks_error *e)
{
    size_t dim = s->header.dim;
    float *x = malloc(BATCH * dim * sizeof *x);
    int64_t *near = malloc(BATCH * sizeof *near);
    int code = x && near ? 0 : ks_fail(e, KS_ENOMEM, "no memory to fill the lists");
    for (int64_t at = 0; at < s->header.rows && code >= 0; at += BATCH) {
        int64_t n = s->header.rows - at < BATCH ? s->header.rows - at : BATCH;
        for (int64_t i = 0; i < n; i++) widen(x + (size_t)i * dim, s, at + i);
        code = ks_coarse_nearest(near, coarse, x, n, e);
        for (int64_t i = 0; i < n && code >= 0; i++)
            list[at + i] = near[i] < 0 ? 0 : (int32_t)near[i];
    }
    free(near);
    free(x);
    return code;
}

/* Counting sort: rows by list, ascending within one. first has lists + 1 places. */
static void fill(int64_t *first, int32_t *rows, const int32_t *list, int64_t n, int64_t lists)
{
    memset(first, 0, (size_t)(lists + 1) * sizeof *first);
    for (int64_t i = 0; i < n; i++) first[list[i] + 1]++;
    for (int64_t i = 0; i < lists; i++) first[i + 1] += first[i];
    for (int64_t i = 0; i < n; i++) rows[first[list[i]]++] = (int32_t)i;
    for (int64_t i = lists; i > 0; i--) first[i] = first[i - 1];
    first[0] = 0;
}

static void query(float *q, float *other, const ks_segment *s, int i)
{
    int64_t rows = s->header.rows;
    double length = 0;
    widen(q, s, (int64_t)i * rows / QUERIES);
    widen(other, s, ((int64_t)i * 7919 + 31) * 104729 % rows);
    for (uint32_t d = 0; d < s->header.dim; d++) {
        if (i % 2) q[d] += other[d];
        length += (double)q[d] * q[d];
    }
    for (uint32_t d = 0; d < s->header.dim; d++)
        q[d] = (float)(q[d] / sqrt(length > 0 ? length : 1));
}

typedef struct {
    float q[KS_MAX_DIM], other[KS_MAX_DIM];
    ks_neighbour exact[QUERIES][K], near[K];
    int count[QUERIES];
} trial;

static int exact_answers(trial *t, const ks_segment *s, ks_sweep *sweep)
{
    ks_span span = {s, 0, s->header.rows};
    ks_spans spans = {&span, 1, 1, span.count};
    for (int i = 0; i < QUERIES; i++) {
        ks_top top = {t->exact[i], 0, K};
        query(t->q, t->other, s, i);
        sweep->q = t->q;
        if (ks_sweep_run(&top, sweep, &spans) < 0) return KS_ENOMEM;
        t->count[i] = top.count;
    }
    return 0;
}

static int recall_at(double *recall, trial *t, ks_ann *ann, const ks_segment *s, ks_sweep *sweep,
                     int64_t probes, ks_error *e)
{
    int64_t hit = 0, all = 0;
    for (int i = 0; i < QUERIES; i++) {
        ks_top top = {t->near, 0, K};
        query(t->q, t->other, s, i);
        sweep->q = t->q;
        int code = ks_ann_scan(&top, sweep, s, ann, probes, NULL, 0, e);
        if (code < 0) return code;
        for (int j = 0; j < t->count[i]; j++)
            for (int k = 0; k < top.count; k++) hit += t->exact[i][j].clip == t->near[k].clip;
        all += t->count[i];
    }
    *recall = all ? (double)hit / (double)all : 1;
    return 0;
}

static int measure(double *recall, ks_ann *ann, const ks_segment *s, int threads, ks_error *e)
{
    ks_sweep sweep = {.dim = (int)s->header.dim, .threads = threads, .cpu = ks_cpu_best()};
    trial *t = malloc(sizeof *t);
    int code = t && exact_answers(t, s, &sweep) >= 0
                   ? 0
                   : ks_fail(e, KS_ENOMEM, "no memory to measure recall");
    for (int64_t probes = 1; code >= 0 && probes <= ann->header.lists; probes += (probes + 3) / 4) {
        code = recall_at(recall, t, ann, s, &sweep, probes, e);
        ann->header.probes = probes;
        /* a margin over 0.98: 100 queries are a sample */
        if (*recall >= 0.985 || probes * 4 > ann->header.lists) break;
    }
    free(t);
    return code;
}

/* One list as it stands in the file. */
static void gather(unsigned char *list, const ks_segment *s, const int32_t *rows, size_t n)
{
    size_t stride = ks_code_stride((int)s->header.dim);
    float *scales = (float *)(void *)(list + n * stride), *errors = scales + n;
    for (size_t i = 0; i < n; i++) {
        size_t row = (size_t)rows[i];
        memcpy(list + i * stride, s->codes + row * stride, stride);
        scales[i] = s->scales[row];
        errors[i] = s->errors[row];
    }
    memcpy(errors + n, rows, n * sizeof *rows);
}

/* Writes list by list and notes their hashes. */
static int write_lists(ks_new_file *f, uint64_t *hashes, const ks_segment *s, const int64_t *first,
                       const int32_t *rows, int64_t lists, uint64_t at, ks_error *e)
{
    size_t each = ks_ann_row_bytes((int)s->header.dim), most = 1;
    int code = 0;
    for (int64_t i = 0; i < lists; i++)
        if ((size_t)(first[i + 1] - first[i]) > most) most = (size_t)(first[i + 1] - first[i]);
    unsigned char *list = malloc(most * each);
    if (!list) return ks_fail(e, KS_ENOMEM, "no memory for a list");
    for (int64_t i = 0; i < lists && code >= 0; i++) {
        size_t n = (size_t)(first[i + 1] - first[i]);
        gather(list, s, rows + first[i], n);
        hashes[i] = XXH3_64bits(list, n * each);
        code = ks_new_file_write(f, list, n * each, at + (uint64_t)first[i] * each, e);
    }
    free(list);
    return code;
}

/* The tables of a file in one block of memory. */
typedef struct {
    unsigned char *at;
    size_t bytes;
    uint16_t *centroids; /* [lists, dim] */
    int64_t *first;      /* [lists + 1] */
    uint64_t *hashes;    /* [lists] */
} tables;

static int lay_tables(tables *t, const void *coarse, int64_t lists, int dim, ks_error *e)
{
    size_t n = (size_t)lists, values = n * (size_t)dim, first = (2 * values + 7) / 8 * 8;
    float *centroids = malloc(values * sizeof *centroids);
    t->bytes = first + 8 * (n + 1) + 8 * n;
    t->at = calloc(1, t->bytes);
    int code = t->at && centroids ? ks_coarse_centroids(centroids, coarse, lists, e)
                                  : ks_fail(e, KS_ENOMEM, "no memory for the lists");
    if (code >= 0) {
        t->centroids = (uint16_t *)(void *)t->at;
        t->first = (int64_t *)(void *)(t->at + first);
        t->hashes = (uint64_t *)(void *)(t->first + n + 1);
        for (size_t i = 0; i < values; i++) t->centroids[i] = ks_half_from_float(centroids[i]);
    }
    free(centroids);
    return code;
}

/* The lists are searched where they lie, in the file that has no name yet. */
static int measure_file(double *recall, ks_ann *ann, const ks_new_file *f, const tables *t,
                        const ks_segment *s, int threads, ks_error *e)
{
    ann->bytes = ann->header.bytes;
    ann->map = mmap(NULL, ann->bytes, PROT_READ, MAP_SHARED, f->fd, 0);
    if (ann->map == MAP_FAILED) {
        ann->map = NULL;
        return ks_fail(e, KS_ENOMEM, "%s: mmap: %s", f->part, strerror(errno));
    }
    ann->seen = calloc(1, (size_t)ann->header.lists);
    if (!ann->seen) return ks_fail(e, KS_ENOMEM, "no memory for the lists");
    ann->centroids = t->centroids;
    ann->first = t->first;
    ann->hashes = t->hashes;
    ann->lists = (unsigned char *)ann->map + PAGE + t->bytes;
    return measure(recall, ann, s, threads, e);
}

static int write_file(ks_segment_row *row, ks_ann *ann, tables *t, const int32_t *rows,
                      const ks_segment *s, const char *dir, int threads, ks_error *e)
{
    static const char zero[PAGE];
    ks_ann_header *h = &ann->header;
    ks_new_file f = {.fd = -1};
    uint64_t lists = PAGE + t->bytes;
    snprintf(row->ann_file, sizeof row->ann_file, "%.40s.ann", row->file);
    h->bytes = lists + (uint64_t)h->rows * ks_ann_row_bytes((int)h->dim);
    int code = ks_new_file_open(&f, dir, row->ann_file, e);
    if (code >= 0) code = write_lists(&f, t->hashes, s, t->first, rows, h->lists, lists, e);
    if (code >= 0) code = measure_file(&row->recall, ann, &f, t, s, threads, e);
    if (code >= 0) code = ks_new_file_write(&f, zero, PAGE, 0, e);
    if (code >= 0) code = ks_new_file_write(&f, t->at, t->bytes, PAGE, e);
    h->tables = XXH3_64bits(t->at, t->bytes);
    h->self = XXH3_64bits(h, offsetof(ks_ann_header, self));
    row->ann_hash = XXH3_64bits(h, sizeof *h);
    if (code >= 0) code = ks_new_file_write(&f, h, sizeof *h, 0, e);
    if (code >= 0) code = ks_new_file_publish(&f, e);
    if (code < 0) ks_new_file_drop(&f);
    return code;
}

int ks_ann_build(ks_segment_row *row, const ks_segment *s, const char *dir, int threads,
                 ks_error *e)
{
    ks_ann ann = {0};
    tables t = {0};
    void *coarse = NULL;
    int lists = ks_ann_lists(s->header.rows), dim = (int)s->header.dim;
    if (s->header.rows > INT32_MAX) return 0;
    int32_t *list = malloc((size_t)s->header.rows * sizeof *list),
            *rows = malloc((size_t)s->header.rows * sizeof *rows);
    int code = list && rows ? train(&coarse, s, lists, e)
                            : ks_fail(e, KS_ENOMEM, "no memory for the lists");
    if (code >= 0) code = assign(list, s, coarse, e);
    if (code >= 0) code = lay_tables(&t, coarse, lists, dim, e);
    if (code >= 0) {
        fill(t.first, rows, list, s->header.rows, lists);
        ann.header = (ks_ann_header){
            .segment = row->header, .rows = s->header.rows, .lists = lists, .dim = (uint32_t)dim};
        memcpy(ann.header.magic, "KSLIST2\n", 8);
        code = write_file(row, &ann, &t, rows, s, dir, threads, e);
    }
    if (code < 0) row->ann_file[0] = 0;
    ks_ann_drop(&ann);
    free(t.at);
    free(rows);
    free(list);
    ks_coarse_free(coarse);
    return code;
}
