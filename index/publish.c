/* publish.c - search copies brought up to date by the writer.
 *
 * Each call writes what no copy holds yet as one more segment. Segments merge when they are no
 * longer much smaller than what follows them (a row is rewritten about log2 of the library's
 * growth times), when one is unusable, or when a quarter of one is dead. Order: file durable,
 * then the commit that names it, then the old files go: a crash anywhere leaves either the old
 * copies or the new ones, and stray files that the next publish removes. */
#include "index/mapped_segments.h"

#include "index/ann.h"

#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEW = 512 }; /* rows that are quicker read from SQLite than published every minute */

typedef struct {
    ks_library_row library;
    ks_space space;
    ks_segment_row *list;
    int n;
    int from; /* list[from .. n) are merged with the tail; n: only the tail */
} plan;

/* Rows of list[i]'s generations that are dead: what `gone` names there, counted in videos for
 * lack of better. */
static int dead_share(int *much, ks_index *x, const ks_segment_row *row, const ks_segment *s,
                      ks_error *e)
{
    int64_t dead = 0;
    int code = x->store->count_dead(&dead, x, row->from, row->to, e);
    *much = dead * 4 > s->header.runs;
    return code;
}

/* Lists that are damaged, or as an older version wrote them: 1, 0. */
static int lists_gone(int *gone, ks_index *x, const ks_segment *s, ks_error *e)
{
    ks_ann ann;
    *gone = 0;
    if (!s->row.ann_file[0]) return 0;
    int code = ks_ann_open(&ann, x->dir, s, e);
    *gone = code == 0;
    if (code > 0) ks_ann_drop(&ann);
    return code < 0 ? code : 0;
}

/* The first segment that must or should be rewritten. A usable one whose stat changed is noted
 * as checked. */
static int choose(plan *p, ks_index *x, int64_t tail, ks_error *e)
{
    int64_t behind = tail;
    p->from = p->n;
    for (int i = p->n - 1; i >= 0; i--) {
        int much = 0, gone = 0;
        const ks_segment *s = NULL;
        for (int j = 0; j < x->segments->n; j++)
            if (x->segments->at[j].row.id == p->list[i].id) s = &x->segments->at[j];
        int code = s ? dead_share(&much, x, &p->list[i], s, e) : 0;
        if (code >= 0 && s) code = lists_gone(&gone, x, s, e);
        if (code < 0) return code;
        if (!s || much || gone || p->list[i].rows < 2 * behind) p->from = i;
        behind += p->list[i].rows;
    }
    return 0;
}

static void remove_strays(ks_index *x, const plan *p, const ks_segment_row *fresh)
{
    char path[4400];
    DIR *d = opendir(x->dir);
    for (struct dirent *f; d && (f = readdir(d));) {
        int named = strncmp(f->d_name, "vectors.", 8) != 0;
        for (int i = 0; i < p->from && !named; i++)
            named = strcmp(f->d_name, p->list[i].file) == 0 ||
                    strcmp(f->d_name, p->list[i].ann_file) == 0;
        if (fresh && !named)
            named = strcmp(f->d_name, fresh->file) == 0 || strcmp(f->d_name, fresh->ann_file) == 0;
        if (named) continue;
        snprintf(path, sizeof path, "%s/%s", x->dir, f->d_name);
        unlink(path);
    }
    if (d) closedir(d);
}

/* The commit that makes the new segment the one to use, in place of those it merged. */
static int name_it(ks_index *x, plan *p, const ks_segment_row *fresh, ks_error *e)
{
    int code = x->store->begin(x, e);
    if (code < 0) return code;
    code = x->store->replace_segments(x, p->list + p->from, p->n - p->from, fresh, e);
    p->library.next_segment = fresh->id + 1;
    if (code >= 0) code = x->store->keep_library(&p->library, x, e);
    return x->store->end(x, code, e);
}

/* A copied or touched file that passed its full check is as good as a new one: remember its
 * stat. */
static int note_checked(ks_index *x, ks_error *e)
{
    int code = 0;
    for (int i = 0; i < x->segments->n && code >= 0; i++)
        if (x->segments->at[i].changed) code = ks_segment_seen(&x->segments->at[i].row, x, e);
    return code;
}

static int count_tail(int64_t *tail, ks_index *x, const plan *p, ks_error *e)
{
    int64_t reached = p->n ? p->list[p->n - 1].to : 0;
    return x->store->clips_after(tail, x, reached, p->library.space, e);
}

/* Lists for a large segment. Without them search is exact: what FAISS cannot do here stops
 * nothing. */
static int add_lists(ks_segment_row *fresh, ks_index *x, const plan *p, ks_error *e)
{
    ks_segment s;
    const char *why;
    ks_error ignored;
    int code = ks_segment_open(&s, &why, x->dir, fresh, p->library.id, &p->space, 0, e);
    if (code <= 0) return code;
    code = ks_ann_build(fresh, &s, x->dir, x->threads, &ignored);
    ks_segment_close(&s);
    if (code == KS_EIO) return ks_fail(e, code, "%s", ignored.msg); /* disk full, fsync */
    if (code < 0) fresh->ann_file[0] = 0;
    return 0;
}

static int publish(plan *p, ks_index *x, int final, ks_error *e)
{
    int64_t tail = 0;
    int code = x->store->library(&p->library, x, e);
    if (code < 0 || p->library.space == 0) return code;
    code = x->store->space(&p->space, x, p->library.space, e);
    if (code >= 0) code = ks_segments_load(x, &p->library, &p->space, e);
    if (code >= 0) code = note_checked(x, e);
    if (code >= 0) code = x->store->segments(&p->list, &p->n, x, p->library.space, e);
    if (code >= 0) code = count_tail(&tail, x, p, e);
    if (code >= 0) code = choose(p, x, tail, e);
    if (code < 0) return code;
    if (p->from == p->n && tail < (final ? 1 : FEW)) return 0;
    ks_segment_row fresh = {.id = p->library.next_segment,
                            .space = p->library.space,
                            .to = p->library.generation,
                            .recall = -1};
    fresh.from = p->from < p->n ? p->list[p->from].from : p->n ? p->list[p->n - 1].to : 0;
    code = ks_segment_write(&fresh, x, &p->library, &p->space, e);
    if (code >= 0 && final && fresh.rows >= (x->ann_rows ? x->ann_rows : KS_ANN_ROWS))
        code = add_lists(&fresh, x, p, e);
    if (code >= 0) code = name_it(x, p, &fresh, e);
    if (code >= 0) remove_strays(x, p, fresh.rows > 0 ? &fresh : NULL);
    return code;
}

int ks_index_publish(ks_index *x, int final, ks_error *e)
{
    assert(x && x->mode != KS_READ && x->inside == 0);
    plan p = {.n = 0};
    if (x->dead) return ks_fail(e, KS_EIO, "%s: nothing is written after a failed fsync", x->dir);
    if (x->segments) x->segments->distrusted = 0; /* judged anew */
    int code = publish(&p, x, final, e);
    free(p.list);
    return code;
}
