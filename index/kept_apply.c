/* kept_apply.c - a word that came from a hub, done here. Somebody may have written it by hand: what
 * its bytes say is judged before anything is written. */
#include "index/kept.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAME = 400 };

typedef struct {
    ks_index *x;
    const ks_kept *k;
    ks_reading at, data;
    ks_video_row film; /* id 0: it is not here */
    int64_t set;       /* 0: there is none of that name */
} word;

static int no_memory(const word *w, ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "%s: out of memory", w->x->dir);
}

static int is_over(const ks_reading *r) { return !r->bad && r->left == 0; }

/* A count of things of at least `least` bytes each; -1: they cannot be there. */
static int64_t read_count(ks_reading *r, size_t least)
{
    int64_t n = ks_read_int(r);
    if (n >= 0 && (uint64_t)n <= r->left / least && n <= INT32_MAX) return n;
    r->bad = 1;
    return -1;
}

static int find_film(word *w, ks_error *e)
{
    int64_t id = 0;
    if (!w->k->content) return 0;
    int code = ks_integer(&id, w->x, e, "SELECT id FROM video WHERE content = ?1", "b",
                          w->k->content, (size_t)24);
    if (code >= 0 && id) code = ks_video_read(&w->film, w->x, id, e);
    w->film.v.path = w->film.v.reason = "";
    w->film.v.finished = w->film.finished;
    return code;
}

static int find_set(word *w, ks_error *e)
{
    int code = ks_integer(&w->set, w->x, e, "SELECT id FROM label_set WHERE name = ?1", "t",
                          w->k->name);
    return code < 0 ? code : 0;
}

/* --- sets --- */
static int apply_set(word *w, ks_error *e)
{
    ks_stored_set s = {.name = w->k->name, .hash = (uint64_t)ks_read_int(&w->data)};
    s.how = ks_read_text(&w->data);
    s.n = read_count(&w->data, 18);
    if (s.n < 0) return 0;
    const char **names = calloc((size_t)s.n + 1, sizeof *names),
               **parents = calloc((size_t)s.n + 1, sizeof *parents);
    int64_t *ids = calloc((size_t)s.n + 1, sizeof *ids), set;
    int code = names && parents && ids ? 1 : no_memory(w, e);
    for (int64_t i = 0; i < s.n && code > 0; i++) {
        names[i] = ks_read_text(&w->data);
        parents[i] = ks_read_text(&w->data);
    }
    s.labels = names;
    s.parents = parents;
    if (code > 0) code = is_over(&w->data);
    if (code > 0) {
        code = ks_index_put_set(&set, ids, w->x, &s, e);
        code = code < 0 ? code : 1;
    }
    free(ids);
    free((void *)names);
    free((void *)parents);
    return code;
}

static int label_of(int64_t *id, word *w, const char *name, ks_error *e)
{
    int code = ks_integer(id, w->x, e, "SELECT id FROM label WHERE name = ?1 AND label_set = ?2",
                          "tl", name, w->set);
    return code < 0 || *id ? code : ks_label_put(id, w->x, w->set, name, "", e);
}

static int apply_end(word *w, ks_error *e)
{
    int64_t n = read_count(&w->data, 9), kept = 0;
    if (n < 0) return 0;
    int64_t *ids = calloc((size_t)n + 1, sizeof *ids);
    int code = ids ? find_set(w, e) : no_memory(w, e);
    for (int64_t i = 0; i < n && code >= 0; i++) {
        code = ks_integer(&ids[kept], w->x, e,
                          "SELECT id FROM label WHERE name = ?1 AND label_set = ?2", "tl",
                          ks_read_text(&w->data), w->set);
        kept += ids[kept] != 0;
    }
    int good = is_over(&w->data);
    if (code >= 0 && good && w->set) code = ks_index_end_set(w->x, w->set, ids, (int)kept, e);
    free(ids);
    return code < 0 ? code : good;
}

/* --- spans --- */
static int read_mark(ks_label_mark *m, const char **label, ks_reading *r)
{
    *label = ks_read_text(r);
    m->start = ks_read_int(r);
    m->end = ks_read_int(r);
    int64_t rank = ks_read_int(r);
    m->rank = (int)rank;
    m->score = ks_read_double(r);
    m->cosine = ks_read_double(r);
    return !r->bad && m->start < m->end && m->start >= -KS_MAX_TICK && m->end <= KS_MAX_TICK &&
           rank >= 0 && rank <= INT32_MAX;
}

static int apply_marks(word *w, ks_error *e)
{
    uint64_t hash = (uint64_t)ks_read_int(&w->data);
    int64_t n = read_count(&w->data, 49);
    if (n < 0 || !w->k->content) return 0;
    ks_label_mark *m = calloc((size_t)n + 1, sizeof *m);
    const char **names = calloc((size_t)n + 1, sizeof *names);
    int code = m && names ? find_set(w, e) : no_memory(w, e), good = 1;
    for (int64_t i = 0; i < n && good; i++) good = read_mark(&m[i], &names[i], &w->data);
    good = good && is_over(&w->data);
    if (code >= 0 && good && w->set && w->film.finished) {
        for (int64_t i = 0; i < n && code >= 0; i++) code = label_of(&m[i].id, w, names[i], e);
        if (code >= 0) code = ks_index_put_marks(w->x, w->set, hash, &w->film.v, m, (int)n, e);
    }
    free((void *)names);
    free(m);
    return code < 0 ? code : good;
}

static int apply_moment(word *w, ks_error *e)
{
    const char *label = ks_read_text(&w->at);
    int64_t start = ks_read_int(&w->at), end = ks_read_int(&w->at), yes = ks_read_int(&w->data);
    if (!is_over(&w->at) || !is_over(&w->data) || start >= end || start < -KS_MAX_TICK ||
        end > KS_MAX_TICK || yes < 0 || yes > 1 || !w->k->content)
        return 0;
    if (w->film.v.id == 0) return 1;
    int code = find_set(w, e);
    if (code < 0) return code;
    if (w->k->kind == KS_KEPT_EXAMPLE)
        code = ks_index_put_example(w->x, w->k->name, &w->film.v, start, end, (int)yes, e);
    else if (w->set && strlen(label) <= MOST_NAME)
        code = ks_index_say(w->x, w->k->name, label, &w->film.v, start, end, (int)yes, e);
    return code < 0 ? code : 1;
}

/* --- taught labels, queries --- */
static int apply_learnt(word *w, ks_error *e)
{
    size_t bytes;
    float weight[KS_MAX_DIM];
    ks_learnt_row row = {.name = w->k->name, .space = ks_read_int(&w->data), .w = weight};
    const void *from = ks_read_bytes(&bytes, &w->data);
    row.bias = ks_read_double(&w->data);
    row.ap = ks_read_double(&w->data);
    row.ap_low = ks_read_double(&w->data);
    row.ap_high = ks_read_double(&w->data);
    row.yes = ks_read_int(&w->data);
    row.no = ks_read_int(&w->data);
    row.films = ks_read_int(&w->data);
    if (!is_over(&w->data) || bytes < sizeof *weight || bytes > sizeof weight ||
        bytes % sizeof *weight)
        return 0;
    memcpy(weight, from, bytes);
    row.dim = (int)(bytes / sizeof *weight);
    for (int i = 0; i < row.dim; i++)
        if (!isfinite(weight[i])) return 0;
    int code = ks_index_put_learnt(w->x, &row, e);
    return code < 0 ? code : 1;
}

/* What was found and told is each mirror's own affair: a query that is here stays as it is. */
static int apply_saved(word *w, ks_error *e)
{
    int64_t same = 0, there = 0;
    const char *query = ks_read_text(&w->data);
    if (!is_over(&w->data)) return 0;
    int code = ks_integer(&same, w->x, e,
                          "SELECT count(*) FROM saved WHERE name = ?1 AND query = ?2", "tt",
                          w->k->name, query);
    if (code < 0 || same) return code < 0 ? code : 1;
    code = ks_integer(&there, w->x, e, "SELECT count(*) FROM saved WHERE name = ?1", "t",
                      w->k->name);
    if (code >= 0 && there) code = ks_index_forget_saved(w->x, w->k->name, e);
    if (code >= 0) code = ks_index_save(w->x, w->k->name, query, e);
    return code < 0 ? code : 1;
}

/* Away with it; a name that is not there is no error. */
static int apply_drop(word *w, ks_error *e)
{
    ks_error none;
    const char *name = w->k->name;
    int code = w->k->kind == KS_KEPT_DROP_SET      ? ks_index_drop_set(w->x, name, &none)
               : w->k->kind == KS_KEPT_DROP_LEARNT ? ks_index_drop_learnt(w->x, name, &none)
                                                   : ks_index_forget_saved(w->x, name, &none);
    return code >= 0 || code == KS_ENOTFOUND ? 1 : ks_fail(e, code, "%s", none.msg);
}

/* --- subtitles --- */
static int apply_subtitles(word *w, const char *path, ks_error *e)
{
    ks_subtitle_file f = {.video = w->film.v.id, .path = path};
    if (!w->k->content || !path) return 0;
    if (w->film.v.id == 0) return 1;
    if (w->k->bytes == 0) {
        int code = ks_index_drop_subtitles(w->x, w->film.v.id, path, e);
        return code < 0 ? code : 1;
    }
    f.stat.size = ks_read_int(&w->data);
    f.stat.mtime_ns = ks_read_int(&w->data);
    f.note = ks_read_text(&w->data);
    int64_t n = read_count(&w->data, 25);
    if (n < 0) return 0;
    ks_subtitle_line *line = calloc((size_t)n + 1, sizeof *line);
    int code = line ? 0 : no_memory(w, e), good = line != NULL;
    for (int64_t i = 0; i < n && good; i++) {
        line[i].start_us = ks_read_int(&w->data);
        line[i].end_us = ks_read_int(&w->data);
        line[i].text = ks_read_text(&w->data);
        good = line[i].start_us >= 0 && line[i].start_us < line[i].end_us;
    }
    good = good && is_over(&w->data);
    if (code >= 0 && good) code = ks_index_put_subtitles(w->x, &f, line, (int)n, e);
    free(line);
    return code < 0 ? code : good;
}

int ks_kept_apply(ks_index *x, const ks_kept *k, const char *path, ks_error *e)
{
    word w = {.x = x, .k = k, .at = {k->at, k->n_at, 0}, .data = {k->data, k->bytes, 0}};
    if (k->kind != KS_KEPT_SUBTITLES &&
        (!*k->name || strlen(k->name) > MOST_NAME || !ks_is_utf8(k->name)))
        return 0;
    int code = find_film(&w, e);
    if (code < 0) return code;
    switch ((ks_kept_kind)k->kind) {
    case KS_KEPT_SET: return apply_set(&w, e);
    case KS_KEPT_END_SET: return apply_end(&w, e);
    case KS_KEPT_MARKS: return apply_marks(&w, e);
    case KS_KEPT_SAY:
    case KS_KEPT_EXAMPLE: return apply_moment(&w, e);
    case KS_KEPT_LEARNT: return apply_learnt(&w, e);
    case KS_KEPT_SAVED: return apply_saved(&w, e);
    case KS_KEPT_DROP_SET:
    case KS_KEPT_DROP_LEARNT:
    case KS_KEPT_FORGET_SAVED: return apply_drop(&w, e);
    case KS_KEPT_SUBTITLES: return apply_subtitles(&w, path, e);
    }
    return 0;
}
