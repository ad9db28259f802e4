/* ranks.c - see ranks.h.
 *
 * Eight queries lie side by side, so that every lane is one plain sum in the order of the
 * dimensions: the bits do not depend on the instruction set, on the block a row falls into or on
 * the threads (a GEMM's edge tiles sum in another order than its inner ones, and equal rows
 * would no longer tie). 10,000 x 10,000 x 768: 6 s on two cores. */
#include "eval/ranks.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* BLOCKS x LANES queries of 768: 384 KiB, in the second cache */
enum { LANES = 8, ROWS = 4, BLOCKS = 8, THREADS_MAX = 64 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

double ks_eval_dot(const double *x, const double *y, int64_t dim)
{
    double sum = 0;
    for (int64_t d = 0; d < dim; d++) sum += x[d] * y[d];
    return sum;
}

typedef struct {
    const ks_rank_job *job;
    const double *best; /* [queries] score of the best right one; -Inf: none has a vector */
    /* [queries] candidates that score at least that, that; right ones too */
    int64_t *above, *equal;
    int64_t from, to; /* queries, multiples of LANES but the end */
    double *side;     /* [BLOCKS, dim, LANES] */
} part;

static const double *row(const ks_eval_vectors *v, int64_t i) { return v->x + i * v->dim; }

static void lay_side_by_side(double *side, const ks_eval_vectors *q, int64_t from, int64_t n)
{
    memset(side, 0, (size_t)q->dim * LANES * sizeof *side);
    for (int64_t k = 0; k < n; k++)
        for (int64_t d = 0; d < q->dim; d++) side[d * LANES + k] = row(q, from + k)[d];
}

#define KS_SCORES(name)                                                                            \
    static void name(lanes out[ROWS], const double *side, const double *const x[ROWS],             \
                     int64_t dim)                                                                  \
    {                                                                                              \
        lanes a = {0}, b = {0}, c = {0}, f = {0};                                                  \
        for (int64_t d = 0; d < dim; d++) {                                                        \
            lanes q;                                                                               \
            memcpy(&q, side + d * LANES, sizeof q);                                                \
            a += q * x[0][d];                                                                      \
            b += q * x[1][d];                                                                      \
            c += q * x[2][d];                                                                      \
            f += q * x[3][d];                                                                      \
        }                                                                                          \
        memcpy(out, (lanes[ROWS]){a, b, c, f}, ROWS * sizeof *out);                                \
    }

KS_SCORES(scores_plain)
typedef void ks_scores_of(lanes out[ROWS], const double *side, const double *const x[ROWS],
                          int64_t dim);
#if defined(__x86_64__)
/* Wider registers, the same sums: no FMA is allowed here. Half the time. */
__attribute__((target("avx2"))) KS_SCORES(scores_avx2) __attribute__((target("avx512f")))
KS_SCORES(scores_avx512) static ks_scores_of *pick_scores(void)
{
    if (__builtin_cpu_supports("avx512f")) return scores_avx512;
    return __builtin_cpu_supports("avx2") ? scores_avx2 : scores_plain;
}
#else
static ks_scores_of *pick_scores(void) { return scores_plain; }
#endif

static int is_candidate(const ks_rank_job *job, int64_t i)
{
    return job->gallery->has[i] && !(job->skip && job->skip[i]);
}

static void count(part *p, const lanes *score, int64_t from, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        p->above[from + k] += (*score)[k] >= p->best[from + k] - KS_EVAL_TIE;
        p->equal[from + k] += fabs((*score)[k] - p->best[from + k]) <= KS_EVAL_TIE;
    }
}

/* Rows x[held] against the tile of queries from `from` to `to`. */
static void score_rows(part *p, ks_scores_of *score, const double **x, int held, int64_t from,
                       int64_t to)
{
    int64_t dim = p->job->queries->dim;
    lanes out[ROWS];
    for (int r = held; r < ROWS; r++) x[r] = x[0];
    for (int64_t at = from; at < to; at += LANES) {
        score(out, p->side + (at - from) * dim, x, dim);
        for (int r = 0; r < held; r++) count(p, &out[r], at, to - at < LANES ? to - at : LANES);
    }
}

static void *run_part(void *arg)
{
    part *p = arg;
    const ks_rank_job *job = p->job;
    const ks_eval_vectors *g = job->gallery;
    ks_scores_of *score = pick_scores();
    for (int64_t from = p->from, to; from < p->to; from = to) {
        const double *x[ROWS];
        int held = 0;
        to = p->to - from < BLOCKS * LANES ? p->to : from + BLOCKS * LANES;
        for (int64_t at = from; at < to; at += LANES)
            lay_side_by_side(p->side + (at - from) * g->dim, job->queries, at,
                             to - at < LANES ? to - at : LANES);
        for (int64_t i = 0; i < g->n; i++) {
            if (!is_candidate(job, i)) continue;
            x[held++] = row(g, i);
            if (held < ROWS) continue;
            score_rows(p, score, x, held, from, to);
            held = 0;
        }
        if (held) score_rows(p, score, x, held, from, to);
    }
    return NULL;
}

static int run_parts(const part *like, int64_t queries, ks_error *e)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t blocks = (queries + LANES - 1) / LANES;
    int64_t n = cores < 1             ? 1
                : cores > THREADS_MAX ? THREADS_MAX
                                      : cores,
            dim = like->job->queries->dim;
    n = n > blocks ? blocks : n;
    part parts[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    int64_t began = 0;
    int err = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t to = (i + 1) * blocks / n * LANES;
        parts[i] = *like;
        parts[i].from = i * blocks / n * LANES;
        parts[i].to = to < queries ? to : queries;
        parts[i].side = malloc((size_t)dim * BLOCKS * LANES * sizeof(double));
        if (!parts[i].side)
            err = ks_fail(e, KS_ENOMEM, "no memory to score %lld queries", (long long)queries);
    }
    for (; began < n - 1 && !err; began++)
        if (pthread_create(&threads[began], NULL, run_part, &parts[began]) != 0) break;
    /* what no thread was had for, and the last */
    for (int64_t i = began; i < n && !err; i++) run_part(&parts[i]);
    for (int64_t i = 0; i < began; i++) pthread_join(threads[i], NULL);
    for (int64_t i = 0; i < n; i++) free(parts[i].side);
    return err;
}

/* Right answers were counted with the rest. */
static void take_away_right(part *p)
{
    const ks_rank_job *job = p->job;
    for (int64_t i = 0; i < job->n; i++) {
        int64_t q = job->query[i];
        if (!job->queries->has[q] || !is_candidate(job, job->right[i])) continue;
        double s = ks_eval_dot(row(job->queries, q), row(job->gallery, job->right[i]),
                               job->queries->dim);
        p->above[q] -= s >= p->best[q] - KS_EVAL_TIE;
        p->equal[q] -= fabs(s - p->best[q]) <= KS_EVAL_TIE;
    }
}

int ks_rank_all(int64_t *rank, uint8_t *tied, const ks_rank_job *job, int64_t candidates,
                ks_error *e)
{
    int64_t n = job->queries->n;
    size_t room = (size_t)(n ? n : 1);
    double *best = malloc(room * sizeof *best);
    int64_t *above = calloc(room, sizeof *above), *equal = calloc(room, sizeof *equal);
    int err = best && above && equal
                  ? 0
                  : ks_fail(e, KS_ENOMEM, "no memory to rank %lld queries", (long long)n);
    if (err) goto out;
    memset(rank, 0, (size_t)n * sizeof *rank);
    memset(tied, 0, (size_t)n);
    for (int64_t q = 0; q < n; q++) best[q] = -INFINITY;
    for (int64_t i = 0; i < job->n; i++) {
        int64_t q = job->query[i];
        rank[q] = -candidates;
        if (!job->queries->has[q] || !is_candidate(job, job->right[i])) continue;
        double s = ks_eval_dot(row(job->queries, q), row(job->gallery, job->right[i]),
                               job->queries->dim);
        if (s > best[q]) best[q] = s;
    }
    part p = {.job = job, .best = best, .above = above, .equal = equal};
    err = n ? run_parts(&p, n, e) : 0;
    if (err) goto out;
    take_away_right(&p);
    for (int64_t q = 0; q < n; q++) {
        if (best[q] == -INFINITY) continue;
        rank[q] = 1 + above[q];
        tied[q] = equal[q] > 0;
    }
out:
    free(best);
    free(above);
    free(equal);
    return err;
}
