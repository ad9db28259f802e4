/* bounds.c - what each film can be worth at most to a question of several vectors, with 38 % of
 * the bytes.
 *
 * The codes of a row and the proof of sweep.c give bounds of its cosine with each vector; what a
 * clip can be worth with such cosines is the caller's word. A row that no copy holds is scored:
 * its bounds are its cosines. */
#include "index/mapped_segments.h"
#include "index/score.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 8192, DOTS = 128, MAX_THREADS = 64 };

/* Films met so far, one after the other; one film may come again. */
typedef struct {
    int64_t *video; /* [n] */
    double *most;   /* [n, parts] */
    int64_t n, room;
} found;

typedef struct {
    const ks_bounds_ask *ask;
    ks_cpu cpu;
    ks_coded_query *coded; /* [queries] */
    ks_span *chunks;       /* [n_chunks] of CHUNK rows at most */
    int64_t n_chunks;
    atomic_llong next;
    atomic_int failed;
} shared;

typedef struct {
    shared *all;
    found found;
    int32_t *dots;     /* [queries, DOTS] */
    float *low, *high; /* [queries] */
    double *worth;     /* [parts] */
    pthread_t thread;
} worker;

static int grow(found *f, int parts)
{
    int64_t room = f->room ? 2 * f->room : 256;
    int64_t *video;
    double *most;

    if (f->n < f->room) return 0;
    if (!(video = realloc(f->video, (size_t)room * sizeof *video))) return -1;
    f->video = video;
    if (!(most = realloc(f->most, (size_t)room * (size_t)parts * sizeof *most))) return -1;
    f->most = most;
    f->room = room;
    return 0;
}

static int add(found *f, int64_t video, const double *worth, int parts)
{
    double *most;

    if (f->n == 0 || f->video[f->n - 1] != video) {
        if (grow(f, parts) < 0) return -1;
        f->video[f->n] = video;
        most = f->most + (size_t)f->n++ * (size_t)parts;
        memcpy(most, worth, (size_t)parts * sizeof *most);
        return 0;
    }
    most = f->most + (size_t)(f->n - 1) * (size_t)parts;
    for (int p = 0; p < parts; p++) most[p] = worth[p] > most[p] ? worth[p] : most[p];
    return 0;
}

/* --- rows of copies --- */
static int bound_row(worker *w, const ks_segment *s, int64_t row, int i, int64_t video)
{
    const ks_bounds_ask *ask = w->all->ask;

    for (int t = 0; t < ask->queries; t++) {
        const ks_coded_query *q = &w->all->coded[t];
        float middle = (float)(w->dots[t * DOTS + i] - (int32_t)q->offset) *
                       (s->scales[row] * q->scale);
        float off = q->slope * s->errors[row] + q->constant;
        w->low[t] = middle - off;
        w->high[t] = middle + off;
    }
    ask->worth(ask->arg, w->worth, w->low, w->high);
    return add(&w->found, video, w->worth, ask->parts);
}

static const ks_video_run *run_of(const ks_segment *s, int64_t row)
{
    int64_t low = 0, high = s->header.runs;

    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (s->runs[middle].first <= row) low = middle;
        else high = middle;
    }
    return &s->runs[low];
}

static int scan(worker *w, const ks_span *chunk)
{
    const shared *all = w->all;
    const ks_segment *s = chunk->s;
    int64_t first = chunk->first, count = chunk->count;
    const size_t stride = ks_code_stride(all->ask->dim), dims = ks_code_dims(all->ask->dim);
    const ks_video_run *run = run_of(s, first);

    for (int64_t at = first; at < first + count; at += DOTS) {
        int m = first + count - at < DOTS ? (int)(first + count - at) : DOTS;
        for (int t = 0; t < all->ask->queries; t++)
            ks_dot_rows(w->dots + t * DOTS, all->coded[t].q, s->codes + (size_t)at * stride, dims,
                        m, all->cpu);
        for (int i = 0; i < m; i++) {
            while (at + i >= run->first + run->count) run++;
            if (bound_row(w, s, at + i, i, run->video) < 0) return -1;
        }
    }
    return 0;
}

static void *work(void *arg)
{
    worker *w = arg;
    shared *all = w->all;

    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&all->next, 1, memory_order_relaxed);
        if (i >= all->n_chunks) return NULL;
        if (scan(w, &all->chunks[i]) < 0) {
            atomic_store(&all->failed, 1);
            return NULL;
        }
    }
}

static int open_worker(worker *w, shared *all)
{
    size_t n = (size_t)all->ask->queries;

    *w = (worker){.all = all,
                  .dots = malloc(n * DOTS * sizeof *w->dots),
                  .low = malloc(n * sizeof *w->low),
                  .high = malloc(n * sizeof *w->high),
                  .worth = malloc((size_t)all->ask->parts * sizeof *w->worth)};
    return w->dots && w->low && w->high && w->worth ? 0 : KS_ENOMEM;
}

static void close_worker(worker *w)
{
    free(w->dots);
    free(w->low);
    free(w->high);
    free(w->worth);
    free(w->found.video);
    free(w->found.most);
}

static int append(found *to, const found *from, int parts)
{
    for (int64_t i = 0; i < from->n; i++)
        if (add(to, from->video[i], from->most + (size_t)i * (size_t)parts, parts) < 0)
            return KS_ENOMEM;
    return 0;
}

static int run_threads(found *out, shared *all, int threads)
{
    worker *w = calloc((size_t)threads, sizeof *w);
    int started = 1, code = w ? 0 : KS_ENOMEM;

    for (int t = 0; t < threads && code >= 0; t++) code = open_worker(&w[t], all);
    if (code >= 0) {
        while (started < threads &&
               pthread_create(&w[started].thread, NULL, work, &w[started]) == 0)
            started++;
        work(&w[0]);
        for (int t = 1; t < started; t++) pthread_join(w[t].thread, NULL);
        if (atomic_load(&all->failed)) code = KS_ENOMEM;
    }
    for (int t = 0; t < threads && code >= 0; t++) code = append(out, &w[t].found, all->ask->parts);
    for (int t = 0; w && t < threads; t++) close_worker(&w[t]);
    free(w);
    return code;
}

static int threads_for(const ks_index *x, int64_t chunks)
{
    long cores = x->threads > 0 ? x->threads : sysconf(_SC_NPROCESSORS_ONLN);
    if (cores > MAX_THREADS) cores = MAX_THREADS;
    if (cores > (chunks + 1) / 2) cores = (long)((chunks + 1) / 2);
    return cores < 1 ? 1 : (int)cores;
}

static int cut(shared *all, const ks_spans *spans)
{
    int64_t n = 0;

    for (int64_t i = 0; i < spans->n; i++) n += (spans->at[i].count + CHUNK - 1) / CHUNK;
    if (!(all->chunks = malloc(((size_t)n + 1) * sizeof *all->chunks))) return KS_ENOMEM;
    for (int64_t i = 0; i < spans->n; i++)
        for (int64_t at = 0; at < spans->at[i].count; at += CHUNK) {
            int64_t left = spans->at[i].count - at;
            all->chunks[all->n_chunks++] = (ks_span){spans->at[i].s, spans->at[i].first + at,
                                                     left < CHUNK ? left : CHUNK};
        }
    return 0;
}

static int sweep(found *out, ks_index *x, const ks_spans *spans, const ks_bounds_ask *ask)
{
    shared all = {
        .ask = ask, .cpu = ks_cpu_best(), .coded = calloc((size_t)ask->queries, sizeof *all.coded)};
    int code = all.coded ? cut(&all, spans) : KS_ENOMEM;

    atomic_init(&all.next, 0);
    atomic_init(&all.failed, 0);
    for (int t = 0; t < ask->queries && code >= 0; t++)
        code = ks_coded_make(&all.coded[t], ask->q + (size_t)t * (size_t)ask->dim, ask->dim);
    if (code >= 0 && all.n_chunks > 0) code = run_threads(out, &all, threads_for(x, all.n_chunks));
    for (int t = 0; all.coded && t < ask->queries; t++) ks_coded_free(&all.coded[t]);
    free(all.coded);
    free(all.chunks);
    return code;
}

/* --- rows of the catalog --- */
typedef struct {
    const ks_bounds_ask *ask;
    found *out;
    float *cosine;
    double *worth;
    int64_t rows;
} gap;

static int take(void *arg, const ks_vector_row *row)
{
    gap *g = arg;
    const ks_bounds_ask *ask = g->ask;

    ks_score_many(g->cosine, ask->q, ask->queries, row->half, ask->dim, 1, ks_cpu_best());
    ask->worth(ask->arg, g->worth, g->cosine, g->cosine);
    g->rows++;
    return add(g->out, row->clip.video, g->worth, ask->parts) < 0 ? KS_ENOMEM : 0;
}

static int walk_gaps(found *out, ks_film_bounds *sums, ks_index *x, const ks_bounds_ask *ask,
                     ks_error *e)
{
    gap g = {.ask = ask,
             .out = out,
             .cosine = malloc((size_t)ask->queries * sizeof *g.cosine),
             .worth = malloc((size_t)ask->parts * sizeof *g.worth)};
    int code = g.cosine && g.worth ? 0 : ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);

    for (int i = 0; code >= 0 && i < x->segments->n_gaps; i++) {
        ks_walk walk = {.dim = ask->dim,
                        .from = x->segments->gaps[i].from,
                        .to = x->segments->gaps[i].to,
                        .filter = ask->filter};
        code = x->store->walk(x, &walk, take, &g, &sums->damaged, e);
        if (code == KS_ENOMEM) ks_fail(e, code, "%s: out of memory", x->dir);
    }
    sums->searched += g.rows;
    sums->uncopied = g.rows;
    free(g.cosine);
    free(g.worth);
    return code < 0 ? code : 0;
}

/* --- all of it --- */
typedef struct {
    int64_t video;
    int64_t at;
} place;

static int by_video(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return (p->video > q->video) - (p->video < q->video);
}

/* Each film once. The first `scored` entries are of rows that no copy holds. */
static int merge(ks_film_bounds *out, const found *f, int64_t scored, int parts)
{
    place *order = malloc(((size_t)f->n + 1) * sizeof *order);
    found once = {0};
    int code = order ? 0 : KS_ENOMEM;

    out->exact = calloc((size_t)f->n + 1, 1);
    if (!out->exact) code = KS_ENOMEM;
    for (int64_t i = 0; i < f->n && code >= 0; i++) order[i] = (place){f->video[i], i};
    if (code >= 0) qsort(order, (size_t)f->n, sizeof *order, by_video);
    for (int64_t i = 0; i < f->n && code >= 0; i++)
        if (add(&once, order[i].video, f->most + (size_t)order[i].at * (size_t)parts, parts) < 0)
            code = KS_ENOMEM;
        else out->exact[once.n - 1] |= order[i].at < scored;
    free(order);
    out->video = once.video;
    out->most = once.most;
    out->films = once.n;
    return code;
}

/* 1; 0: copies are not believed any more, again without them. */
static int attempt(ks_film_bounds *out, ks_index *x, const ks_library_row *library,
                   const ks_space *space, const ks_bounds_ask *ask, ks_error *e)
{
    found f = {0};
    ks_spans spans = {0};
    int64_t scored;
    int code = ks_segments_load(x, library, space, e);

    *out = (ks_film_bounds){0};
    if (code >= 0) code = walk_gaps(&f, out, x, ask, e);
    scored = f.n;
    if (code >= 0) code = ks_spans_make(&spans, x, ask->filter, e);
    if (code >= 0 && x->segments->distrusted && x->segments->n > 0) code = 1;
    else if (code >= 0) {
        out->searched += spans.rows;
        code = sweep(&f, x, &spans, ask) < 0 || merge(out, &f, scored, ask->parts) < 0
                   ? ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir)
                   : 0;
    }
    free(spans.at);
    free(f.video);
    free(f.most);
    return code < 0 ? code : code == 0;
}

static int run(ks_film_bounds *out, ks_index *x, const ks_bounds_ask *ask, ks_error *e)
{
    ks_library_row library;
    ks_space space;
    int code = x->store->library(&library, x, e);

    if (code >= 0) code = x->store->space(&space, x, library.space, e);
    if (code < 0 || library.space == 0) return code;
    if (ask->dim != space.dim)
        return ks_fail(e, KS_ESPACE, "%s holds vectors of D %d, the query has %d", x->dir,
                       space.dim, ask->dim);
    while ((code = attempt(out, x, &library, &space, ask, e)) == 0)
        if (x->segments->n == 0)
            return ks_fail(e, KS_EDAMAGED, "%s/catalog.db is damaged: run kinoseek repair", x->dir);
    if (code < 0) return code;
    int64_t missing = ks_filter_bounded(ask->filter) ? 0
                                                     : library.clips - out->searched - out->damaged;
    if (missing > x->missing) x->missing = missing; /* as a search says */
    return 0;
}

int ks_index_film_bounds(ks_film_bounds *out, ks_index *x, const ks_bounds_ask *ask, ks_error *e)
{
    assert(out && x && ask->q && ask->queries > 0 && ask->parts > 0 && ask->dim > 0 &&
           ask->dim <= KS_MAX_DIM && ask->worth);
    memset(out, 0, sizeof *out);
    for (int d = 0; d < ask->queries * ask->dim; d++)
        if (!isfinite(ask->q[d])) return ks_fail(e, KS_EUSAGE, "the query vector is not finite");
    int code = x->store->snapshot(x, e);
    if (code >= 0) code = x->store->end(x, run(out, x, ask, e), e);
    if (code < 0) ks_film_bounds_free(out);
    return code;
}

void ks_film_bounds_free(ks_film_bounds *b)
{
    free(b->video);
    free(b->most);
    free(b->exact);
    memset(b, 0, sizeof *b);
}
