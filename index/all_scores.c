/* all_scores.c - n queries against every searchable clip, in blocks (labels, background of scores).
 *
 * Which clips, and in which order, is SQLite's word; their vectors come from the search copies,
 * which hold the same bits (a gigabyte less to read and hash at 1 M clips), and from SQLite
 * where no copy has them. */
#include "index/mapped_segments.h"
#include "index/score.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256, MAX_THREADS = 64 };
typedef struct {
    ks_index *x;
    const float *q; /* [n, dim] */
    int n, dim, m;
    ks_cpu cpu;
    ks_clip clips[BLOCK];
    uint16_t *half;      /* [BLOCK, dim] */
    float *scores;       /* [n, m] */
    const ks_segment *s; /* where the last clip's vector was: the next one mostly follows */
    const ks_video_run *run;
    int64_t row;
    ks_scores *visit;
    void *arg;
    int stopped;
    ks_error *e;
} block;

/* --- scoring a block, the queries shared out among threads --- */
typedef struct {
    const block *b;
    int from, to; /* queries */
    pthread_t thread;
} share;

static void *score_share(void *arg)
{
    const share *w = arg;
    const block *b = w->b;
    ks_score_many(b->scores + (size_t)w->from * (size_t)b->m,
                  b->q + (size_t)w->from * (size_t)b->dim, w->to - w->from, b->half, b->dim, b->m,
                  b->cpu);
    return NULL;
}

/* A thread costs 50 us to start: each gets four million products or more (about a millisecond). */
static int threads_for(const block *b)
{
    int64_t work = (int64_t)b->n * b->m * b->dim / 4000000;
    long cores = b->x->threads > 0 ? b->x->threads : sysconf(_SC_NPROCESSORS_ONLN);
    if (cores > MAX_THREADS) cores = MAX_THREADS;
    if (cores > work) cores = (long)work;
    return cores < 1 ? 1 : (int)cores;
}

static void score_block(const block *b)
{
    share w[MAX_THREADS];
    int threads = threads_for(b), started = 1;
    for (int t = 0; t < threads; t++)
        w[t] = (share){.b = b, .from = b->n * t / threads, .to = b->n * (t + 1) / threads};
    while (started < threads &&
           pthread_create(&w[started].thread, NULL, score_share, &w[started]) == 0)
        started++;
    score_share(&w[0]);
    for (int t = started; t < threads; t++) score_share(&w[t]); /* no thread for them */
    for (int t = 1; t < started; t++) pthread_join(w[t].thread, NULL);
}

static void flush(block *b)
{
    if (b->m == 0) return;
    score_block(b);
    b->stopped = b->visit(b->arg, b->clips, b->scores, b->m) != 0;
    b->m = 0;
}

/* --- the vector of a clip --- */
/* Sets run and row to the video's first row in the copy of its generation; run NULL: no copy has
 * it. */
static void go_to_video(block *b, const ks_vector_row *row)
{
    const ks_segments *mapped = b->x->segments;
    b->run = NULL;
    for (int i = 0; i < mapped->n && !b->run; i++) {
        b->s = &mapped->at[i];
        if (row->finished <= b->s->row.from || row->finished > b->s->row.to) continue;
        b->run = ks_segment_run(b->s, row->clip.video);
        if (b->run && b->run->finished != row->finished) b->run = NULL;
    }
    b->row = b->run ? b->run->first : 0;
}

/* Rows of a copy are in the order of the walk; one that is missing there was rotten when the
 * copy was made. */
static const uint16_t *in_copies(block *b, const ks_vector_row *row)
{
    if (!b->run || b->run->video != row->clip.video) go_to_video(b, row);
    if (!b->run) return NULL;
    int64_t end = b->run->first + b->run->count, at = b->row;
    while (at < end && b->s->ids[at] != row->clip.id) at++;
    if (at == end) return NULL;
    b->row = at + 1;
    return b->s->half + (size_t)at * (size_t)b->dim;
}

static int take(void *arg, const ks_vector_row *row)
{
    block *b = arg;
    uint16_t *to = b->half + (size_t)b->m * (size_t)b->dim, own[KS_MAX_DIM];
    const uint16_t *half = in_copies(b, row);
    if (!half) {
        ks_clip clip;
        int dim = 0, code = b->x->store->clip(own, &dim, &clip, b->x, row->clip.id, b->e);
        /* rotten: left out, as a search does */
        if (code == KS_EDAMAGED || (code >= 0 && dim != b->dim)) return 0;
        if (code < 0) return code;
        half = own;
    }
    memcpy(to, half, (size_t)b->dim * 2);
    b->clips[b->m++] = row->clip;
    if (b->m == BLOCK) flush(b);
    return b->stopped;
}

static int run(block *b, const ks_filter *f)
{
    ks_index *x = b->x;
    ks_library_row library;
    ks_space space;
    int64_t damaged = 0;
    ks_walk walk = {.dim = b->dim, .from = 0, .to = INT64_MAX, .bare = 1, .filter = f};
    int code = x->store->library(&library, x, b->e);
    if (code >= 0) code = x->store->space(&space, x, library.space, b->e);
    if (code < 0 || library.space == 0) return code;
    if (space.dim != b->dim)
        return ks_fail(b->e, KS_ESPACE, "%s holds vectors of D %d, the queries have %d", x->dir,
                       space.dim, b->dim);
    code = ks_segments_load(x, &library, &space, b->e);
    if (code >= 0) code = x->store->walk(x, &walk, take, b, &damaged, b->e);
    if (code >= 0 && !b->stopped) flush(b);
    return code;
}

int ks_index_scores(ks_index *x, const float *q, int n, int dim, const ks_filter *f,
                    ks_scores *visit, void *arg, ks_error *e)
{
    assert(x && q && n > 0 && dim > 0 && dim <= KS_MAX_DIM && visit);
    block *b = calloc(1, sizeof *b);
    uint16_t *half = malloc((size_t)BLOCK * (size_t)dim * sizeof *half);
    float *scores = malloc((size_t)n * BLOCK * sizeof *scores);
    int code = b && half && scores ? x->store->snapshot(x, e)
                                   : ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (code >= 0) {
        *b = (block){.x = x,
                     .q = q,
                     .n = n,
                     .dim = dim,
                     .cpu = ks_cpu_best(),
                     .half = half,
                     .scores = scores,
                     .visit = visit,
                     .arg = arg,
                     .e = e};
        code = x->store->end(x, run(b, f), e);
    }
    free(scores);
    free(half);
    free(b);
    return code;
}
