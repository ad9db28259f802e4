/* all_scores.c - n queries against every searchable clip, in blocks (labels, background of scores). */
#include "index/catalog.h"
#include "index/score.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 };
typedef struct {
    const float *q;        /* [n, dim] */
    int n, dim, m;
    ks_cpu cpu;
    ks_clip clips[BLOCK];
    uint16_t *half;        /* [BLOCK, dim] */
    float *scores;         /* [n, m] */
    ks_scores *visit;
    void *arg;
    int stopped;
} block;

static void flush(block *b)
{
    if (b->m == 0) return;
    for (int i = 0; i < b->n; i++)
        ks_score_rows(b->scores + (size_t)i * (size_t)b->m, b->q + (size_t)i * (size_t)b->dim, b->half, (size_t)b->dim, b->dim, b->m, b->cpu);
    b->stopped = b->visit(b->arg, b->clips, b->scores, b->m) != 0;
    b->m = 0;
}

static int take(void *arg, const ks_vector_row *row)
{
    block *b = arg;
    memcpy(b->half + (size_t)b->m * (size_t)b->dim, row->half, (size_t)b->dim * 2);
    b->clips[b->m++] = row->clip;
    if (b->m == BLOCK) flush(b);
    return b->stopped;
}

static int run(block *b, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_library_row library;
    ks_space space;
    int64_t damaged = 0;
    ks_walk walk = { .dim = b->dim, .from = 0, .to = INT64_MAX, .ordered = 1, .filter = f };
    int code = ks_library_read(&library, x, e);
    if (code >= 0) code = ks_space_read(&space, x, library.space, e);
    if (code < 0 || library.space == 0) return code;
    if (space.dim != b->dim) return ks_fail(e, KS_ESPACE, "%s holds vectors of D %d, the queries have %d", x->dir, space.dim, b->dim);
    code = ks_walk_vectors(x, &walk, take, b, &damaged, e);
    if (code >= 0 && !b->stopped) flush(b);
    return code;
}

int ks_index_scores(ks_index *x, const float *q, int n, int dim, const ks_filter *f, ks_scores *visit, void *arg, ks_error *e)
{
    assert(x && q && n > 0 && dim > 0 && dim <= KS_MAX_DIM && visit);
    block *b = calloc(1, sizeof *b);
    uint16_t *half = malloc((size_t)BLOCK * (size_t)dim * sizeof *half);
    float *scores = malloc((size_t)n * BLOCK * sizeof *scores);
    int code = b && half && scores ? ks_snapshot(x, e) : ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (code >= 0) {
        b->q = q;
        b->n = n;
        b->dim = dim;
        b->cpu = ks_cpu_best();
        b->half = half;
        b->scores = scores;
        b->visit = visit;
        b->arg = arg;
        code = ks_end(x, run(b, x, f, e), e);
    }
    free(scores);
    free(half);
    free(b);
    return code;
}
