/* probe_train.c - from tokens and classes to a head: AdamW on shuffled batches, at a rate that
 * warms up and then follows a cosine to 0. Everything that is drawn comes from the seed; a
 * batch's clips are computed apart and added up in their order, so the bits depend on no thread.
 * A run that was killed starts anew, with the same bits. */
#include "eval/probe.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what is drawn --- */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Nearly normal, mean 0 and deviation 1, the same everywhere: four uniform 16-bit numbers added
 * up. */
static float draw(uint64_t *state)
{
    uint64_t z = splitmix(state);
    int sum = (int)(z & 0xffff) + (int)(z >> 16 & 0xffff) + (int)(z >> 32 & 0xffff) +
              (int)(z >> 48);
    return (float)(sum - 2 * 65535) * (1.0f / 37837.0f);
}

static void draw_tensor(ks_head *w, ks_head_role role, double deviation, uint64_t *state)
{
    for (size_t i = 0; i < w->count[role]; i++) w->at[role][i] = draw(state) * (float)deviation;
}

/* flax counts as fan-in of a [D, H, p] kernel its last axis but one times the ones before: D H. */
void ks_probe_start(ks_head *w, uint64_t seed)
{
    static const ks_head_role kernels[] = {KS_HEAD_WQ, KS_HEAD_WK, KS_HEAD_WV, KS_HEAD_WO};
    memset(w->all, 0, w->n * sizeof *w->all);
    draw_tensor(w, KS_HEAD_QUERY, 1, &seed);
    for (int i = 0; i < 4; i++) draw_tensor(w, kernels[i], 1 / sqrt((double)w->D * w->H), &seed);
    draw_tensor(w, KS_HEAD_KERNEL, 1 / sqrt(w->D), &seed);
}

/* --- AdamW --- */

int ks_adamw_new(ks_adamw *a, const ks_head *w, ks_error *e)
{
    *a = (ks_adamw){0};
    int err = ks_head_new(&a->m, w->D, w->H, w->C, e);
    if (!err) err = ks_head_new(&a->v, w->D, w->H, w->C, e);
    if (err) ks_adamw_free(a);
    return err;
}

void ks_adamw_free(ks_adamw *a)
{
    ks_head_free(&a->m);
    ks_head_free(&a->v);
}

static int decays(int role)
{
    return role == KS_HEAD_WQ || role == KS_HEAD_WK || role == KS_HEAD_WV || role == KS_HEAD_WO ||
           role == KS_HEAD_KERNEL;
}

void ks_adamw_step(ks_head *w, ks_adamw *a, const ks_head *grad, double rate)
{
    const double beta1 = 0.9, beta2 = 0.999;
    a->t++;
    float first = (float)(1 / (1 - pow(beta1, (double)a->t))),
          second = (float)(1 / (1 - pow(beta2, (double)a->t)));
    for (int role = a->first; role < KS_HEAD_TENSORS; role++) {
        float *x = w->at[role], *m = a->m.at[role], *v = a->v.at[role], r = (float)rate,
              decay = decays(role) ? (float)a->decay : 0;
        const float *g = grad->at[role];
        for (size_t i = 0; i < w->count[role]; i++) {
            m[i] = (float)beta1 * m[i] + (float)(1 - beta1) * g[i];
            v[i] = (float)beta2 * v[i] + (float)(1 - beta2) * g[i] * g[i];
            x[i] -= r * (m[i] * first / (sqrtf(v[i] * second) + 1e-8f) + decay * x[i]);
        }
    }
}

double ks_probe_rate(double peak, int64_t step, int64_t steps)
{
    int64_t warm = steps / 20;
    if (step < warm) return peak * (double)(step + 1) / (double)(warm + 1);
    return peak * 0.5 *
           (1 + cos(3.14159265358979323846 * (double)(step - warm) / (double)(steps - warm)));
}

/* --- clips on several threads --- */

typedef struct {
    float *x, *scratch; /* [M, D], [2 M H] */
    uint16_t *half;     /* [M, D] */
    int err;
    ks_error why;
} worker;

typedef struct {
    const ks_probe_options *o;
    const ks_probe_list *list;
    const ks_probe_shape *shape;
    worker *workers;
    int n_workers, threads_before;
    const int64_t *order; /* films of the task's batch */
    ks_head_ready ready;
    ks_head_batch batch;
    ks_head *grad;
    const float *pooled; /* linear: [list->n, D] */
    float *out;          /* pooled[list->n, D] or logits[list->n, C], to be filled */
    int n;               /* clips of the batch */
    int trains;
} run;

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory to train a probe"); }

static void *lines_of(size_t bytes)
{
    return bytes > SIZE_MAX - 64 ? NULL : aligned_alloc(64, (bytes + 64) & ~(size_t)63);
}

static void run_close(run *r)
{
    for (int i = 0; r->workers && i < r->n_workers; i++) {
        free(r->workers[i].x);
        free(r->workers[i].scratch);
        free(r->workers[i].half);
    }
    free(r->workers);
    ks_head_ready_free(&r->ready);
    ks_head_batch_free(&r->batch);
    openblas_set_num_threads(r->threads_before);
}

/* B clips at once. For run_close in any case. */
static int run_open(run *r, const ks_head *w, int B, ks_error *e)
{
    size_t tokens = (size_t)r->shape->rows * (size_t)r->shape->dim;
    r->threads_before = openblas_get_num_threads();
    openblas_set_num_threads(1); /* the process's; put back by run_close */
    r->n_workers = ks_encoder_threads(r->o->enc);
    r->workers = calloc((size_t)r->n_workers, sizeof *r->workers);
    int err = r->workers ? 0 : no_memory(e);
    for (int i = 0; !err && i < r->n_workers; i++) {
        worker *k = &r->workers[i];
        k->x = lines_of(tokens * sizeof *k->x);
        k->half = lines_of(tokens * sizeof *k->half);
        k->scratch = lines_of(2 * (size_t)r->shape->rows * (size_t)w->H * sizeof *k->scratch);
        if (!k->x || !k->half || !k->scratch) err = no_memory(e);
    }
    if (!err) err = ks_head_ready_new(&r->ready, w, e);
    if (!err) err = ks_head_batch_new(&r->batch, w, B, e);
    if (!err) ks_head_ready_set(&r->ready);
    return err;
}

static void one_clip(void *arg, int task, int number)
{
    run *r = arg;
    worker *k = &r->workers[number];
    int64_t film = r->order[task];
    const ks_head *w = r->ready.w;
    ks_head_clip clip = {.x = k->x,
                         .M = r->shape->rows,
                         .scratch = k->scratch,
                         .weight = 1.0f / (float)r->n,
                         .label = r->trains ? r->list->at[film].label : -1};
    size_t D = (size_t)w->D, C = (size_t)w->C;
    if (k->err) return;
    if (r->pooled) {
        memcpy(r->batch.g + (size_t)task * D, r->pooled + (size_t)film * D, D * sizeof(float));
        ks_head_run_last(&r->batch, task, w, &clip);
    } else {
        k->err = ks_probe_tokens(k->x, k->half, &r->list->at[film], r->shape, &k->why);
        if (!k->err) ks_head_run(&r->batch, task, &r->ready, &clip);
    }
    if (!k->err && r->out)
        memcpy(r->out + (size_t)film * C, r->batch.logits + (size_t)task * C, C * sizeof(float));
}

static void one_pooled(void *arg, int task, int number)
{
    run *r = arg;
    worker *k = &r->workers[number];
    int64_t film = r->order[task];
    size_t D = (size_t)r->shape->dim;
    if (k->err) return;
    k->err = ks_probe_tokens(k->x, k->half, &r->list->at[film], r->shape, &k->why);
    if (!k->err) ks_head_pool(r->out + (size_t)film * D, k->x, r->shape->rows, r->shape->dim);
}

static void one_piece(void *arg, int task, int number)
{
    run *r = arg;
    (void)number;
    ks_head_gradient(r->grad, task, &r->ready, &r->batch, r->n);
}

/* All n films of `order`, on all threads. */
static int spread(run *r, void (*work)(void *, int, int), const int64_t *order, int n, ks_error *e)
{
    r->order = order;
    r->n = n;
    ks_encoder_work(r->o->enc, n, work, r);
    for (int i = 0; i < r->n_workers; i++)
        if (r->workers[i].err) return ks_fail(e, r->workers[i].err, "%s", r->workers[i].why.msg);
    return 0;
}

/* Numbers of the films that are there, malloc'ed; *n of them. */
static int64_t *films_of(int64_t *n, const ks_probe_list *list)
{
    int64_t *order = malloc((size_t)list->n * sizeof *order);
    *n = 0;
    for (int64_t i = 0; order && i < list->n; i++)
        if (!list->at[i].missing) order[(*n)++] = i;
    return order;
}

/* work for every film that is there, `at_once` at a time. */
static int for_all(run *r, void (*work)(void *, int, int), int at_once, ks_error *e)
{
    int64_t n, *order = films_of(&n, r->list);
    int err = order ? 0 : no_memory(e);
    for (int64_t i = 0; !err && i < n; i += at_once)
        err = spread(r, work, order + i, (int)(n - i < at_once ? n - i : at_once), e);
    free(order);
    return err;
}

/* --- the linear head: the mean token --- as an official pooler that looks at all tokens alike.
 * Its LayerNorm's scale and bias make every number of the training films' vectors mean 0 and
 * deviation 1. */

static void look_evenly(ks_head *w)
{
    memset(w->all, 0, w->n * sizeof *w->all);
    for (size_t d = 0; d < (size_t)w->D; d++)
        w->at[KS_HEAD_WV][d * (size_t)w->D + d] = w->at[KS_HEAD_WO][d * (size_t)w->D + d] = 1;
}

static void standardise(ks_head *w, const float *pooled, const ks_probe_list *list)
{
    for (int d = 0; d < w->D; d++) {
        double mean = 0, square = 0, n = 0;
        for (int64_t i = 0; i < list->n; i++) {
            if (list->at[i].missing) continue;
            double x = pooled[i * w->D + d];
            mean += x;
            square += x * x;
            n++;
        }
        mean /= n;
        double scale = 1 / sqrt(fmax(square / n - mean * mean, 0) + 1e-6);
        w->at[KS_HEAD_LN_SCALE][d] = (float)(scale - 1);
        w->at[KS_HEAD_LN_BIAS][d] = (float)(-mean * scale);
    }
}

/* The pooled vectors of the training films, in place of their tokens; malloc'ed. */
static int pool_all(float **pooled, ks_head *w, run *r, ks_error *e)
{
    size_t D = (size_t)w->D;
    *pooled = calloc((size_t)r->list->n, D * sizeof **pooled);
    if (!*pooled) return no_memory(e);
    look_evenly(w);
    r->out = *pooled;
    int err = for_all(r, one_pooled, 4096, e);
    r->out = NULL;
    if (err) return err;
    standardise(w, *pooled, r->list);
    for (size_t i = 0; i < (size_t)r->list->n * D; i++)
        (*pooled)[i] = (*pooled)[i] * (1 + w->at[KS_HEAD_LN_SCALE][i % D]) +
                       w->at[KS_HEAD_LN_BIAS][i % D];
    r->pooled = *pooled;
    return 0;
}

/* --- the loop --- */

static void shuffle(int64_t *order, int64_t n, uint64_t *state)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = (int64_t)(splitmix(state) % (uint64_t)(i + 1)), swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
}

typedef struct {
    ks_head *w;
    ks_head grad;
    ks_adamw adamw;
    int64_t *order, n, batches; /* films; batches an epoch, as even as can be */
    uint64_t state;
} learning;

/* One pass over all films; *loss: their mean. */
static int epoch(double *loss, learning *l, run *r, int number, ks_error *e)
{
    double sum = 0;
    int last = r->pooled != NULL;
    shuffle(l->order, l->n, &l->state);
    for (int64_t k = 0; k < l->batches; k++) {
        int64_t from = k * l->n / l->batches, to = (k + 1) * l->n / l->batches;
        int err = spread(r, one_clip, l->order + from, (int)(to - from), e);
        if (err) return err;
        for (int64_t i = 0; i < to - from; i++) sum += r->batch.loss[i];
        ks_encoder_work(r->o->enc, ks_head_pieces(l->w, last), one_piece, r);
        ks_adamw_step(
            l->w, &l->adamw, &l->grad,
            ks_probe_rate(r->o->rate, number * l->batches + k, r->o->epochs * l->batches));
        if (!last) ks_head_ready_set(&r->ready);
    }
    *loss = sum / (double)l->n;
    if (isfinite(*loss)) return 0;
    return ks_fail(e, KS_EUSAGE, "the training diverged in epoch %d: give a smaller --rate than %g",
                   number + 1, r->o->rate);
}

int ks_probe_fit(ks_head *w, double *loss, const ks_probe_lists *lists, const ks_probe_shape *shape,
                 const ks_probe_options *o, ks_error *e)
{
    run r = {.o = o, .list = &lists->train, .shape = shape, .trains = 1};
    learning l = {.w = w, .state = o->seed ^ 0x6b696e6f7365656bu};
    float *pooled = NULL;
    *loss = 0;
    ks_probe_start(w, o->seed);
    l.order = films_of(&l.n, r.list);
    int err = l.order ? run_open(&r, w, o->batch, e) : no_memory(e);
    if (!err) err = ks_head_new(&l.grad, w->D, w->H, w->C, e);
    if (!err) err = ks_adamw_new(&l.adamw, w, e);
    if (!err && o->head == KS_PROBE_LINEAR) {
        err = pool_all(&pooled, w, &r, e);
        l.adamw.first = KS_HEAD_KERNEL;
    }
    r.grad = &l.grad;
    l.adamw.decay = o->decay;
    l.batches = (l.n + o->batch - 1) / o->batch;
    for (int i = 0; !err && i < o->epochs; i++) {
        err = epoch(loss, &l, &r, i, e);
        if (!err && o->progress) o->progress(o->arg, "epochs", i + 1, o->epochs);
    }
    ks_adamw_free(&l.adamw);
    ks_head_free(&l.grad);
    free(l.order);
    free(pooled);
    run_close(&r);
    return err;
}

int ks_probe_logits(float *logits, const ks_head *w, const ks_probe_list *list,
                    const ks_probe_shape *shape, const ks_probe_options *o, ks_error *e)
{
    run r = {.o = o, .list = list, .shape = shape, .out = logits};
    int err = run_open(&r, w, o->batch, e);
    if (!err) err = for_all(&r, one_clip, o->batch, e);
    run_close(&r);
    return err;
}
