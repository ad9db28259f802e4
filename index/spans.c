/* spans.c - the filter and table `gone` laid over the rows of search copies. */
#include "index/mapped_segments.h"

#include <stdlib.h>
#include <string.h>

int ks_spans_add(ks_spans *out, const ks_segment *s, int64_t first, int64_t count)
{
    ks_span *last = out->n ? &out->at[out->n - 1] : NULL;
    if (count <= 0) return 0;
    out->rows += count;
    if (last && last->s == s && last->first + last->count == first) {
        last->count += count;
        return 0;
    }
    if (out->n == out->room) {
        out->room = 2 * out->room + 16;
        ks_span *more = realloc(out->at, (size_t)out->room * sizeof *more);
        if (!more) return KS_ENOMEM;
        out->at = more;
    }
    out->at[out->n++] = (ks_span){s, first, count};
    return 0;
}

typedef struct {
    int64_t video, clip; /* clip 0: all of the video */
} allowed;
typedef struct {
    allowed *at;
    int64_t n, room;
} allowed_list;

typedef struct {
    int64_t video, finished;
} gone;
typedef struct {
    gone *at;
    int64_t n, room;
} gone_list;

static int take_gone(void *arg, int64_t video, int64_t finished)
{
    gone_list *out = arg;
    if (out->n == out->room) {
        out->room = 2 * out->room + 64;
        gone *more = realloc(out->at, (size_t)out->room * sizeof *more);
        if (!more) return KS_ENOMEM;
        out->at = more;
    }
    out->at[out->n++] = (gone){video, finished};
    return 0;
}

static int by_gone(const void *a, const void *b)
{
    const gone *p = a, *q = b;
    if (p->video != q->video) return p->video < q->video ? -1 : 1;
    return (p->finished > q->finished) - (p->finished < q->finished);
}

static int is_gone(const gone_list *g, const ks_video_run *run)
{
    gone key = {run->video, run->finished};
    return g->n && bsearch(&key, g->at, (size_t)g->n, sizeof key, by_gone) != NULL;
}

/* Videos that pass, in order of id; where clips are bounded too, their clips in the order of
 * copies. */
static int take_allowed(void *arg, int64_t video, int64_t clip)
{
    allowed_list *out = arg;
    if (out->n == out->room) {
        out->room = 2 * out->room + 1024;
        allowed *more = realloc(out->at, (size_t)out->room * sizeof *more);
        if (!more) return KS_ENOMEM;
        out->at = more;
    }
    out->at[out->n++] = (allowed){video, clip};
    return 0;
}

/* The rows of one run that are allowed; at moves over the list, both ascend by video. */
static int add_run(ks_spans *out, const ks_segment *s, const ks_video_run *run,
                   const allowed_list *list, int64_t *at)
{
    int64_t row = run->first, end = run->first + run->count;
    while (*at < list->n && list->at[*at].video < run->video) ++*at;
    for (; *at < list->n && list->at[*at].video == run->video; ++*at) {
        if (list->at[*at].clip == 0) return ks_spans_add(out, s, run->first, run->count);
        while (row < end && s->ids[row] != list->at[*at].clip) row++;
        if (row == end) break; /* a clip that the copy lacks because its row was rotten then */
        if (ks_spans_add(out, s, row, 1) < 0) return KS_ENOMEM;
        row++;
    }
    return 0;
}

static int lay(ks_spans *out, const ks_segment *s, const gone_list *g, const allowed_list *list)
{
    int64_t at = 0;
    if (!list && g->n == 0) return ks_spans_add(out, s, 0, s->header.rows);
    for (int64_t r = 0; r < s->header.runs; r++) {
        const ks_video_run *run = &s->runs[r];
        if (is_gone(g, run)) continue;
        int code = list ? add_run(out, s, run, list, &at)
                        : ks_spans_add(out, s, run->first, run->count);
        if (code < 0) return code;
    }
    return 0;
}

int ks_spans_make(ks_spans *out, ks_index *x, const ks_filter *f, ks_error *e)
{
    gone_list g = {0};
    allowed_list list = {0};
    int bounded = ks_filter_bounded(f);
    memset(out, 0, sizeof *out);
    if (x->segments->n == 0) return 0;
    int rotten = 0, code = x->store->dead(x, take_gone, &g, &rotten, e);
    if (rotten) x->segments->distrusted = 1;
    if (code >= 0 && bounded) code = x->store->passing(x, f, take_allowed, &list, e);
    for (int i = 0; i < x->segments->n && code >= 0; i++)
        if (lay(out, &x->segments->at[i], &g, bounded ? &list : NULL) < 0)
            code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    free(g.at);
    free(list.at);
    return code;
}
