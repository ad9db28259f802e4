/* sweep.c - exact top k with 38 % of the bytes.
 *
 * The scan reads codes, not vectors. A code's dot product plus its bound (score.h) is at least
 * the row's score, so a row whose sum stays below the k-th best score found so far cannot be
 * among the k best and is left out; every other row is scored from its fp16 vector. The answer
 * is the exact one by construction. The k-th best is shared between threads as a bar that only
 * rises.
 *
 * Six bits a dimension, by measurement at 1 M x 768: with eight, 400 rows are scored from fp16,
 * with six a few thousand, which costs less than the quarter of bytes saved. Four bits (bound
 * 0.11, three standard deviations of a random cosine) would leave a seventh of all rows to
 * score. */
#include "index/sweep.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 8192, DOTS = 256, MAX_THREADS = 64 };

typedef struct {
    const ks_segment *s;
    int64_t first, count;
} chunk;

typedef struct {
    const ks_sweep *sweep;
    ks_coded_query coded;
    chunk *chunks;
    int64_t n;
    atomic_llong next; /* chunk */
    _Atomic float bar; /* a score that k rows reach; only rises */
    int k;
} shared;

typedef struct {
    shared *all;
    ks_top top;
    float bar; /* the highest bar seen by this thread */
    int64_t rescored;
    pthread_t thread;
} worker;

static void raise_bar(worker *w)
{
    float mine = w->top.count == w->top.k ? w->top.at[0].cosine : -INFINITY;
    float now = atomic_load_explicit(&w->all->bar, memory_order_relaxed);
    while (mine > now &&
           !atomic_compare_exchange_weak_explicit(&w->all->bar, &now, mine, memory_order_relaxed,
                                                  memory_order_relaxed)) {}
    w->bar = mine > now ? mine : now;
}

static void rescore(worker *w, const ks_segment *s, int64_t row)
{
    const ks_sweep *sweep = w->all->sweep;
    ks_neighbour n = {s->ids[row], 0};
    ks_score_rows(&n.cosine, sweep->q, s->half + (size_t)row * (size_t)sweep->dim,
                  (size_t)sweep->dim, sweep->dim, 1, sweep->cpu);
    w->rescored++;
    ks_top_add(&w->top, n);
    if (w->top.count == w->top.k && w->top.at[0].cosine > w->bar) raise_bar(w);
}

/* At least the score of a row. */
static inline float reach(const ks_coded_query *q, int32_t dot, float scale, float error)
{
    return (float)(dot - (int32_t)q->offset) * (scale * q->scale) +
           (q->slope * error + q->constant);
}

static void scan(worker *w, const chunk *c)
{
    const shared *all = w->all;
    const ks_coded_query *q = &all->coded;
    const size_t stride = ks_code_stride(all->sweep->dim);
    int32_t dots[DOTS];
    for (int64_t at = c->first; at < c->first + c->count; at += DOTS) {
        int m = c->first + c->count - at < DOTS ? (int)(c->first + c->count - at) : DOTS;
        ks_dot_rows(dots, q->q, c->s->codes + (size_t)at * stride, ks_code_dims(all->sweep->dim), m,
                    all->sweep->cpu);
        const float *scales = c->s->scales + at, *errors = c->s->errors + at;
        for (int i = 0; i < m; i++)
            if (reach(q, dots[i], scales[i], errors[i]) >= w->bar) rescore(w, c->s, at + i);
    }
}

static void score_all(worker *w, const chunk *c)
{
    for (int64_t row = c->first; row < c->first + c->count; row++) rescore(w, c->s, row);
}

static void *work(void *arg)
{
    worker *w = arg;
    shared *all = w->all;
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&all->next, 1, memory_order_relaxed);
        if (i >= all->n) return NULL;
        raise_bar(w);
        if (all->sweep->plain) score_all(w, &all->chunks[i]);
        else scan(w, &all->chunks[i]);
    }
}

static int cut(shared *all, const ks_spans *spans)
{
    int64_t n = 0;
    for (int64_t i = 0; i < spans->n; i++) n += (spans->at[i].count + CHUNK - 1) / CHUNK;
    all->chunks = malloc((size_t)(n ? n : 1) * sizeof *all->chunks);
    if (!all->chunks) return KS_ENOMEM;
    for (int64_t i = 0; i < spans->n; i++)
        for (int64_t at = 0; at < spans->at[i].count; at += CHUNK) {
            int64_t left = spans->at[i].count - at;
            all->chunks[all->n++] = (chunk){spans->at[i].s, spans->at[i].first + at,
                                            left < CHUNK ? left : CHUNK};
        }
    return 0;
}

/* Threads are started for the call: 50 us, against milliseconds of scan; a small scan needs
 * none. */
static int run_threads(ks_top *top, ks_sweep *sweep, shared *all, int threads)
{
    worker *workers = calloc((size_t)threads, sizeof *workers);
    ks_neighbour *heaps = malloc((size_t)threads * (size_t)(all->k ? all->k : 1) * sizeof *heaps);
    int started = 0, code = workers && heaps ? 0 : KS_ENOMEM;
    for (int t = 0; t < threads && code >= 0; t++)
        workers[t] = (worker){
            .all = all, .top = {heaps + (size_t)t * (size_t)all->k, 0, all->k}, .bar = -INFINITY};
    for (int t = 1; t < threads && code >= 0; t++, started++) /* fewer do it too */
        if (pthread_create(&workers[t].thread, NULL, work, &workers[t]) != 0) break;
    if (code >= 0) work(&workers[0]);
    for (int t = 1; t <= started; t++) pthread_join(workers[t].thread, NULL);
    for (int t = 0; t <= started && code >= 0; t++) {
        sweep->rescored += workers[t].rescored;
        for (int i = 0; i < workers[t].top.count; i++) ks_top_add(top, workers[t].top.at[i]);
    }
    free(heaps);
    free(workers);
    return code;
}

static int threads_for(const ks_sweep *sweep, int64_t chunks)
{
    long cores = sweep->threads > 0 ? sweep->threads : sysconf(_SC_NPROCESSORS_ONLN);
    if (cores > MAX_THREADS) cores = MAX_THREADS;
    if (cores > (chunks + 1) / 2) cores = (long)((chunks + 1) / 2);
    return cores < 1 ? 1 : (int)cores;
}

int ks_sweep_run(ks_top *top, ks_sweep *sweep, const ks_spans *spans)
{
    shared all = {.sweep = sweep, .k = top->k};
    if (spans->rows == 0 || top->k <= 0) return 0;
    atomic_init(&all.next, 0);
    atomic_init(&all.bar, top->count == top->k ? top->at[0].cosine : -INFINITY);
    int code = ks_coded_make(&all.coded, sweep->q, sweep->dim);
    if (code >= 0) code = cut(&all, spans);
    if (code >= 0) code = run_threads(top, sweep, &all, threads_for(sweep, all.n));
    ks_coded_free(&all.coded);
    free(all.chunks);
    return code;
}

static int lies_in(const ks_span *spans, int64_t n, int64_t row)
{
    int64_t low = 0, high = n;
    while (low < high) { /* first span that starts after the row */
        int64_t mid = (low + high) / 2;
        if (spans[mid].first <= row) low = mid + 1;
        else high = mid;
    }
    return low > 0 && row < spans[low - 1].first + spans[low - 1].count;
}

/* A row is looked for in the filter's spans only when its bound reaches the bar. */
static void scan_list(worker *w, const ks_segment *s, const ks_coded_list *l, const ks_span *within,
                      int64_t n_within)
{
    const ks_sweep *sweep = w->all->sweep;
    const ks_coded_query *q = &w->all->coded;
    int32_t dots[DOTS];
    for (int64_t at = 0; at < l->n; at += DOTS) {
        int m = l->n - at < DOTS ? (int)(l->n - at) : DOTS;
        ks_dot_rows(dots, q->q, l->codes + (size_t)at * ks_code_stride(sweep->dim),
                    ks_code_dims(sweep->dim), m, sweep->cpu);
        for (int i = 0; i < m; i++) {
            int64_t row = l->rows[at + i];
            if (reach(q, dots[i], l->scales[at + i], l->errors[at + i]) >= w->bar &&
                (n_within == 0 || lies_in(within, n_within, row)))
                rescore(w, s, row);
        }
    }
}

int ks_sweep_lists(ks_top *top, ks_sweep *sweep, const ks_segment *s, const ks_coded_list *lists,
                   int n, const ks_span *within, int64_t n_within)
{
    shared all = {.sweep = sweep, .k = top->k};
    worker w = {
        .all = &all, .top = *top, .bar = top->count == top->k ? top->at[0].cosine : -INFINITY};
    if (n == 0 || top->k <= 0) return 0;
    atomic_init(&all.bar, w.bar);
    int code = ks_coded_make(&all.coded, sweep->q, sweep->dim);
    for (int i = 0; i < n && code >= 0; i++) scan_list(&w, s, &lists[i], within, n_within);
    *top = w.top;
    sweep->rescored += w.rescored;
    ks_coded_free(&all.coded);
    return code;
}
