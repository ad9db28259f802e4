/* search.c - the k nearest clips, exactly; scores of everything. */
#include "index/ann.h"
#include "index/mapped_segments.h"
#include "index/score.h"
#include "index/sweep.h"
#include "index/top.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_index *x;
    const float *q;
    int dim, k;
    const ks_filter *f;
    ks_search how;
    ks_library_row library;
    ks_space space;
    ks_cpu cpu;
    ks_top top;     /* at: [want], owned */
    ks_clip *clips; /* [top.count] once confirmed, owned */
    int64_t searched, damaged, uncopied;
    int approximate, all;
} run;

static int take(void *arg, const ks_vector_row *row)
{
    run *r = arg;
    ks_neighbour n = {row->clip.id, 0};
    ks_score_rows(&n.cosine, r->q, row->half, (size_t)r->dim, r->dim, 1, r->cpu);
    ks_top_add(&r->top, n);
    r->searched++;
    r->uncopied++;
    return 0;
}

/* What the copies do not hold, from SQLite; then the copies, whose bar is the higher for it. */
static int gather(run *r, ks_error *e)
{
    ks_index *x = r->x;
    ks_spans spans = {0};
    int code = ks_segments_load(x, &r->library, &r->space, e);
    for (int i = 0; code >= 0 && i < x->segments->n_gaps; i++) {
        ks_walk walk = {.dim = r->dim,
                        .from = x->segments->gaps[i].from,
                        .to = x->segments->gaps[i].to,
                        .filter = r->f};
        code = x->store->walk(x, &walk, take, r, &r->damaged, e);
    }
    if (code >= 0) code = ks_spans_make(&spans, x, r->f, e);
    if (code >= 0) {
        ks_sweep sweep = {.q = r->q, .dim = r->dim, .threads = x->threads, .cpu = r->cpu};
        r->searched += spans.rows;
        code = r->how == KS_SEARCH_EXACT
                   ? 0
                   : ks_ann_sweep(&r->top, &sweep, &spans, x, r->how == KS_SEARCH_ANN, e);
        if (code > 0) r->approximate = 1;
        if (code >= 0 && ks_sweep_run(&r->top, &sweep, &spans) < 0)
            code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    }
    free(spans.at);
    return code < 0 ? code : 0;
}

typedef struct {
    int64_t clip;
    int at;
} place;

static int by_clip(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return (p->clip > q->clip) - (p->clip < q->clip);
}

/* One hit again from its row in SQLite. 1 = as the copies had it, 0 = not so, < 0: KS_EDAMAGED
 * is a rotten row. */
static int confirm_one(ks_clip *clip, run *r, ks_neighbour n, ks_error *e)
{
    uint16_t half[KS_MAX_DIM];
    float score;
    int dim = 0;
    int code = r->x->store->clip(half, &dim, clip, r->x, n.clip, e);
    if (code == KS_ENOTFOUND) return 0;
    if (code < 0) return code;
    if (dim != r->dim) return 0;
    ks_score_rows(&score, r->q, half, (size_t)dim, dim, 1, r->cpu);
    return memcmp(&score, &n.cosine, sizeof score) == 0;
}

/* Rows lie in the order of ids: so they are read, each page once. Rotten ones get the id 0. */
static int confirm_all(run *r, const place *order, ks_error *e)
{
    for (int i = 0; i < r->top.count; i++) {
        ks_clip *clip = &r->clips[order[i].at];
        int code = confirm_one(clip, r, r->top.at[order[i].at], e);
        if (code == KS_EDAMAGED) clip->id = 0;
        else if (code <= 0) return code;
    }
    return 1;
}

/* Every hit from SQLite. 1 = all as the copies had them (rotten ones are taken out and counted);
 * 0 = a copy had what SQLite has not: copies are not believed any more. */
static int confirm(run *r, int *rotten, ks_error *e)
{
    size_t n = (size_t)r->top.count;
    int kept = 0;
    free(r->clips);
    r->clips = malloc((n + 1) * sizeof *r->clips);
    place *order = malloc((n + 1) * sizeof *order);
    int code = r->clips && order ? 1 : ks_fail(e, KS_ENOMEM, "%s: out of memory", r->x->dir);
    for (size_t i = 0; i < n && code > 0; i++) order[i] = (place){r->top.at[i].clip, (int)i};
    if (code > 0) {
        qsort(order, n, sizeof *order, by_clip);
        code = confirm_all(r, order, e);
    }
    free(order);
    if (code <= 0) return code;
    for (size_t i = 0; i < n; i++)
        if (r->clips[i].id) {
            r->clips[kept] = r->clips[i];
            r->top.at[kept++] = r->top.at[i];
        }
    *rotten = (int)n - kept;
    r->top.count = kept;
    return 1;
}

/* One attempt at `want` neighbours; want grows while rotten rows leave fewer than k. */
static int attempt(run *r, int want, int *rotten, ks_error *e)
{
    free(r->top.at);
    r->top = (ks_top){malloc((size_t)(want ? want : 1) * sizeof(ks_neighbour)), 0, want};
    if (!r->top.at) return ks_fail(e, KS_ENOMEM, "%s: out of memory", r->x->dir);
    r->searched = r->uncopied = r->damaged = r->approximate = 0;
    int code = gather(r, e);
    if (code < 0) return code;
    if (r->x->segments->distrusted && r->x->segments->n > 0)
        return 0; /* a row of `gone` is rotten */
    ks_top_sort(&r->top);
    return confirm(r, rotten, e);
}

static int search(run *r, ks_error *e)
{
    int rotten = 0, want = r->k;
    r->all = 1;
    int code = r->x->store->library(&r->library, r->x, e);
    if (code >= 0) code = r->x->store->space(&r->space, r->x, r->library.space, e);
    if (code < 0 || r->library.space == 0) return code;
    if (r->dim != r->space.dim)
        return ks_fail(e, KS_ESPACE, "%s holds vectors of D %d, the query has %d", r->x->dir,
                       r->space.dim, r->dim);
    /* there is room for k, here and in every thread */
    if (want > r->library.clips) want = r->k = (int)r->library.clips;
    for (;;) {
        code = attempt(r, want, &rotten, e);
        if (code < 0) return code;
        if (code == 0) { /* with the copies closed, gaps cover everything: this happens once */
            if (r->x->segments->n == 0)
                return ks_fail(e, KS_EDAMAGED, "%s/catalog.db is damaged: run kinoseek repair",
                               r->x->dir);
            r->x->segments->distrusted = 1;
            continue;
        }
        r->all = want >= r->library.clips || (!r->approximate && r->top.count + rotten < want);
        if (rotten == 0 || r->top.count >= r->k || r->top.count + rotten < want) break;
        want += 2 * rotten;
    }
    /* Clips of a film whose row is rotten, or that were so when a copy was made, come from
     * nowhere: the count tells. */
    int64_t missing = ks_filter_bounded(r->f) ? 0 : r->library.clips - r->searched - r->damaged;
    if (missing > r->x->missing) r->x->missing = missing;
    r->damaged += rotten + (missing > 0 ? missing : 0);
    return 0;
}

int ks_index_search(ks_found *out, ks_index *x, const float *q, int dim, int k, const ks_filter *f,
                    ks_search how, ks_error *e)
{
    assert(out && x && q && dim > 0 && dim <= KS_MAX_DIM && k >= 0);
    memset(out, 0, sizeof *out);
    for (int d = 0; d < dim; d++)
        if (!isfinite(q[d])) return ks_fail(e, KS_EUSAGE, "the query vector is not finite");
    run r = {.x = x, .q = q, .dim = dim, .k = k, .f = f, .how = how, .cpu = ks_cpu_best()};
    int code = x->store->snapshot(x, e);
    if (code >= 0) code = x->store->end(x, search(&r, e), e);
    if (code < 0) {
        free(r.top.at);
        free(r.clips);
        return code;
    }
    out->at = r.top.at;
    out->clips = r.clips;
    out->all = r.all;
    out->count = r.top.count < k ? r.top.count : k;
    out->searched = r.searched;
    out->uncopied = r.uncopied;
    out->damaged = r.damaged;
    out->approximate = r.approximate;
    return 0;
}

void ks_found_free(ks_found *found)
{
    if (!found) return;
    free(found->at);
    free(found->clips);
    memset(found, 0, sizeof *found);
}
