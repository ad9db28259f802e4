/* spans.c - the filter and table `gone` laid over the rows of search copies. */
#include "index/copies.h"
#include "index/filter.h"

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
    out->at[out->n++] = (ks_span){ s, first, count };
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

static int read_gone(gone_list *out, ks_index *x, ks_error *e)
{
    int code;
    sqlite3_stmt *s = ks_statement(x, "SELECT generation, video, finished, sum FROM gone ORDER BY video, finished", e);
    if (!s) return e ? e->code : KS_EIO;
    while ((code = ks_step(s, x, e)) > 0) {
        if (out->n == out->room) {
            out->room = 2 * out->room + 64;
            gone *more = realloc(out->at, (size_t)out->room * sizeof *more);
            if (!more) {
                sqlite3_reset(s);
                return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
            }
            out->at = more;
        }
        if (!ks_row_ok(s, KS_T_GONE, 0, 3)) { /* which rows are dead is not known any more */
            ks_note_rotten(x, KS_T_GONE, sqlite3_column_int64(s, 1));
            x->copies->distrusted = 1;
            continue;
        }
        out->at[out->n++] = (gone){ sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2) };
    }
    return code;
}

static int by_gone(const void *a, const void *b)
{
    const gone *p = a, *q = b;
    if (p->video != q->video) return p->video < q->video ? -1 : 1;
    return (p->finished > q->finished) - (p->finished < q->finished);
}

static int is_gone(const gone_list *g, const ks_video_run *run)
{
    gone key = { run->video, run->finished };
    return g->n && bsearch(&key, g->at, (size_t)g->n, sizeof key, by_gone) != NULL;
}

/* Videos that pass, in order of id; where clips are bounded too, their clips in the order of copies. */
#define CLIPS "SELECT v.id, c.id FROM video v CROSS JOIN clip c ON c.video = v.id AND c.space = (SELECT space FROM library) "
#define SEEN "WHERE +v.finished > 0 "

static sqlite3_stmt *allowed_statement(ks_index *x, const ks_filter *f, ks_error *e)
{
    const int films = KS_WHERE_FILM | KS_WHERE_PATHS;
    if (f->longer > 0 || f->shorter > 0)
        return ks_filter_statement(x, CLIPS SEEN, f, films | KS_WHERE_CLIP, "ORDER BY v.id, c.start, c.stop", e);
    return ks_filter_statement(x, "SELECT v.id, 0 FROM video v " SEEN, f, films, "ORDER BY v.id", e);
}

static int read_allowed(allowed_list *out, ks_index *x, const ks_filter *f, ks_error *e)
{
    int code;
    sqlite3_stmt *s = allowed_statement(x, f, e);
    if (!s) return e ? e->code : KS_EIO;
    while ((code = ks_step(s, x, e)) > 0) {
        if (out->n == out->room) {
            out->room = 2 * out->room + 1024;
            allowed *more = realloc(out->at, (size_t)out->room * sizeof *more);
            if (!more) {
                sqlite3_reset(s);
                return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
            }
            out->at = more;
        }
        out->at[out->n++] = (allowed){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1) };
    }
    return code;
}

/* The rows of one run that are allowed; at moves over the list, both ascend by video. */
static int add_run(ks_spans *out, const ks_segment *s, const ks_video_run *run, const allowed_list *list, int64_t *at)
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
        int code = list ? add_run(out, s, run, list, &at) : ks_spans_add(out, s, run->first, run->count);
        if (code < 0) return code;
    }
    return 0;
}

int ks_spans_make(ks_spans *out, ks_index *x, const ks_filter *f, ks_error *e)
{
    gone_list g = { 0 };
    allowed_list list = { 0 };
    int bounded = ks_filter_bounded(f);
    memset(out, 0, sizeof *out);
    if (x->copies->n == 0) return 0;
    int code = read_gone(&g, x, e);
    if (code >= 0 && bounded) code = read_allowed(&list, x, f, e);
    for (int i = 0; i < x->copies->n && code >= 0; i++)
        if (lay(out, &x->copies->at[i], &g, bounded ? &list : NULL) < 0) code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    free(g.at);
    free(list.at);
    return code;
}
