/* search.c - the k nearest clips, exactly; scores of everything. */
#include "index/catalog.h"
#include "index/score.h"
#include "index/top.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rows that searches see, from SQLite: ?1..?6 the filter, ?7 > finished, ?8 <= finished. */
#define ROWS "SELECT c.id, c.video, c.space, c.start, c.stop, c.frames, c.reason, c.sum, x.half, x.sum FROM video v " \
             "JOIN clip c ON c.video = v.id AND c.space = (SELECT space FROM library) LEFT JOIN vector x ON x.clip = c.id " \
             "WHERE v.finished > ?7 AND v.finished <= ?8 AND " \
             "(?2 = 0 OR v.film_date >= ?2) AND (?3 = 0 OR v.film_date < ?3) AND (?4 = 0 OR v.id = ?4) " \
             "AND (?1 IS NULL OR EXISTS (SELECT 1 FROM path q WHERE q.video = v.id AND ks_path_match(?1, q.path))) " \
             "AND (?5 = 0 OR (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den > ?5) " \
             "AND (?6 = 0 OR (c.stop - c.start) * 1.0 * v.tb_num / v.tb_den < ?6) ORDER BY c.video, c.start, c.stop"

/* Each searchable vector of generations (from, to] in order of video and start. */
typedef int each_vector(void *arg, const ks_clip *clip, const uint16_t *half);

static int walk(ks_index *x, int dim, const ks_filter *f, int64_t from, int64_t to, each_vector *each, void *arg,
                int64_t *damaged, ks_error *e)
{
    sqlite3_stmt *s = ks_statement(x, ROWS, e);
    if (!s) return e ? e->code : KS_EIO;
    ks_filter_bind(s, f);
    sqlite3_bind_int64(s, 7, from);
    sqlite3_bind_int64(s, 8, to);
    int code;
    while ((code = ks_step(s, x, e)) > 0) {
        ks_clip clip;
        int64_t space;
        if (!ks_clip_from_row(&clip, &space, s, 0) || !ks_vector_row_ok(s, clip.id, space, clip.start, clip.end, 8) ||
            sqlite3_column_bytes(s, 8) != 2 * dim) {
            ++*damaged;
            continue;
        }
        code = each(arg, &clip, sqlite3_column_blob(s, 8));
        if (code) break;
    }
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}

typedef struct {
    const float *q;
    int dim;
    ks_top top;
    int64_t seen;
    ks_cpu cpu;
} exact;

static int take(void *arg, const ks_clip *clip, const uint16_t *half)
{
    exact *s = arg;
    ks_neighbour n = { clip->id, 0 };
    ks_score_rows(&n.cosine, s->q, half, (size_t)s->dim, s->dim, 1, s->cpu);
    ks_top_add(&s->top, n);
    s->seen++;
    return 0;
}

static int search(ks_found *out, ks_index *x, const float *q, int dim, const ks_filter *f, int k, ks_error *e)
{
    ks_library_row library;
    ks_space space;
    int code = ks_library_read(&library, x, e);
    if (code >= 0) code = ks_space_read(&space, x, library.space, e);
    if (code < 0 || library.space == 0) return code;
    assert(dim == space.dim);
    exact s = { .q = q, .dim = dim, .top = { out->at, 0, k }, .cpu = ks_cpu_best() };
    code = walk(x, dim, f, 0, INT64_MAX, take, &s, &out->damaged, e);
    ks_top_sort(&s.top);
    out->count = s.top.count;
    out->searched = s.seen;
    return code;
}

int ks_index_search(ks_found *out, ks_index *x, const float *q, int dim, int k, const ks_filter *f, ks_search how, ks_error *e)
{
    assert(out && x && q && dim > 0 && k >= 0);
    (void)how;
    memset(out, 0, sizeof *out);
    out->at = malloc((size_t)(k ? k : 1) * sizeof *out->at);
    if (!out->at) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    int code = ks_snapshot(x, e);
    if (code >= 0) code = ks_end(x, search(out, x, q, dim, f, k, e), e);
    if (code < 0) ks_found_free(out);
    return code;
}

void ks_found_free(ks_found *found)
{
    if (!found) return;
    free(found->at);
    memset(found, 0, sizeof *found);
}

enum { BLOCK = 256 };
typedef struct {
    const float *q;
    int n, dim, m;
    ks_cpu cpu;
    ks_clip clips[BLOCK];
    float *scores; /* [n, m], then the block's rows are laid out anew */
    float *column; /* [n, BLOCK] */
    ks_scores *visit;
    void *arg;
    int stopped;
} all_scores;

static void flush(all_scores *s)
{
    if (s->m == 0) return;
    for (int i = 0; i < s->n; i++) memcpy(s->scores + (size_t)i * (size_t)s->m, s->column + (size_t)i * BLOCK, (size_t)s->m * sizeof(float));
    s->stopped = s->visit(s->arg, s->clips, s->scores, s->m) != 0;
    s->m = 0;
}

static int score_all(void *arg, const ks_clip *clip, const uint16_t *half)
{
    all_scores *s = arg;
    for (int i = 0; i < s->n; i++)
        ks_score_rows(s->column + (size_t)i * BLOCK + s->m, s->q + (size_t)i * (size_t)s->dim, half, (size_t)s->dim, s->dim, 1, s->cpu);
    s->clips[s->m++] = *clip;
    if (s->m == BLOCK) flush(s);
    return s->stopped;
}

int ks_index_scores(ks_index *x, const float *q, int n, int dim, const ks_filter *f, ks_scores *visit, void *arg, ks_error *e)
{
    assert(x && q && n > 0 && dim > 0 && visit);
    int64_t damaged = 0;
    all_scores *s = calloc(1, sizeof *s);
    float *memory = malloc((size_t)n * BLOCK * 2 * sizeof *memory);
    int code = s && memory ? ks_snapshot(x, e) : ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (code >= 0) {
        *s = (all_scores){ .q = q, .n = n, .dim = dim, .cpu = ks_cpu_best(), .scores = memory,
                           .column = memory + (size_t)n * BLOCK, .visit = visit, .arg = arg };
        code = walk(x, dim, f, 0, INT64_MAX, score_all, s, &damaged, e);
        if (code >= 0 && !s->stopped) flush(s);
        code = ks_end(x, code, e);
    }
    free(memory);
    free(s);
    return code;
}
