/* hub_films.c - films of a library into the hub: clips in batches that may come twice, then the
 * film's own row, its paths and its revision in one transaction. */
#include "index/hub_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, BATCH_BYTES = 16 << 20 };

/* $1, $2, $3 of the functions that a worker may call ("btl"); job NULL: the owner's */
#define FENCE(job)                                                                                 \
    (job) ? (job)->content : NULL, (job) ? sizeof(job)->content : (size_t)0,                       \
        (job) ? (job)->token : NULL, (int64_t)KS_HUB_SCHEMA

static int no_memory(ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "no memory for a batch of clips");
}

/* --- the space, and how clips are made --- */
/* "window 8 hop 4 shots 1 stills ...": what comes after is about which files are looked at. */
static size_t of_clips(const char *made, size_t n)
{
    const char *end = made ? memmem(made, n, " stills", 7) : NULL;
    return end ? (size_t)(end - made) : n;
}

static int setting_of(void **data, size_t *bytes, ks_index *x, const char *key, ks_error *e)
{
    *data = NULL;
    *bytes = 0;
    return ks_index_get(data, bytes, x, key, e);
}

static int fix_space(ks_hub *h, ks_index *x, const ks_library *l, const ks_hub_job *job,
                     ks_error *e)
{
    const int64_t number[] = {l->next.dim, l->next.frames, l->next.sampler, l->next.resize,
                              l->next.precision};
    ks_pq_column numbers = {0};
    void *made = NULL, *precision = NULL;
    size_t n_made, n_precision;
    char key[40];
    snprintf(key, sizeof key, "precision/%lld", (long long)l->next_id);
    int code = setting_of(&made, &n_made, x, "ingest.made", e);
    if (code >= 0) code = setting_of(&precision, &n_precision, x, key, e);
    for (int i = 0; i < 5 && code >= 0; i++)
        if (ks_pq_put_int(&numbers, number[i])) code = no_memory(e);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e, "SELECT put_space($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                         "btltabbbb", FENCE(job), l->next.model, &numbers, l->next_model_path,
                         strlen(l->next_model_path), l->next_tokenizer_path,
                         strlen(l->next_tokenizer_path), made, n_made, precision, n_precision);
    ks_pq_column_free(&numbers);
    free(precision);
    free(made);
    return code < 0 ? code : 0;
}

static int same_made(ks_hub *h, ks_index *x, ks_error *e)
{
    ks_pq_rows r;
    void *mine = NULL;
    size_t n = 0, bytes = 0;
    int code = ks_pq_ask(&r, h->pq, e, "SELECT value FROM setting WHERE key = 'ingest.made'", "");
    if (code > 0) {
        const char *made = ks_pq_bytes(&n, &r, 0, 0);
        code = ks_index_get(&mine, &bytes, x, "ingest.made", e);
        if (code >= 0 && mine &&
            (of_clips(mine, bytes) != of_clips(made, n) ||
             memcmp(mine, made, of_clips(made, n)) != 0))
            code = ks_fail(e, KS_ESPACE, "%s: its clips are made with %.*s, these with %.*s",
                           ks_pq_name(h->pq), (int)of_clips(made, n), made,
                           (int)of_clips(mine, bytes), (const char *)mine);
        free(mine);
    }
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

int ks_hub_push_space(ks_hub *h, ks_index *x, const ks_hub_job *job, ks_error *e)
{
    assert(h && x);
    ks_space have;
    int64_t id = 0;
    ks_library *l = malloc(sizeof *l);
    int code = l ? ks_index_library(l, x, e) : no_memory(e);
    if (code >= 0 && l->next.dim == 0)
        code = ks_fail(e, KS_EUSAGE, "%s: nothing was ingested there yet", x->dir);
    if (code >= 0) code = ks_hub_writing(&id, &have, h, e);
    /* two at once: the second finds the first's */
    if (code >= 0 && (id == 0 || (job && ks_same_space(&have, &l->next)))) {
        code = fix_space(h, x, l, job, e);
        if (code >= 0) code = ks_hub_writing(&id, &have, h, e);
    }
    if (code >= 0 && !ks_same_space(&have, &l->next))
        code = ks_fail(e, KS_ESPACE,
                       "%s holds vectors of model %.12s (D %d, %d frames, %s), these are of model "
                       "%.12s (D %d, %d frames, %s)",
                       ks_pq_name(h->pq), have.model, have.dim, have.frames,
                       have.precision ? "int8" : "fp32/bf16", l->next.model, l->next.dim,
                       l->next.frames, l->next.precision ? "int8" : "fp32/bf16");
    if (code >= 0) code = same_made(h, x, e);
    free(l);
    return code;
}

/* --- clips --- */
typedef struct {
    int64_t start, stop, reason;
} span;

static int by_span(const void *a, const void *b)
{
    const span *x = a, *y = b;
    if (x->start != y->start) return (x->start > y->start) - (x->start < y->start);
    if (x->stop != y->stop) return (x->stop > y->stop) - (x->stop < y->stop);
    return (x->reason > y->reason) - (x->reason < y->reason);
}

typedef struct {
    ks_hub *h;
    ks_index *x;
    const ks_video *v;
    const ks_hub_job *job; /* NULL: the owner's */
    int64_t video, space;  /* in the hub */
    int64_t own_space;     /* in x */
    span *have;            /* [n_have] sorted */
    int n_have;
    int64_t *local; /* [n_local] clips of x that the hub lacks */
    int64_t n_local;
} film;

typedef enum {
    C_ID,
    C_START,
    C_STOP,
    C_FRAMES,
    C_REASON,
    C_SUM,
    V_CLIP,
    V_HALF,
    V_SUM,
    F_CLIP,
    F_FRAMES,
    F_DATA,
    F_SUM,
    T_CLIP,
    T_JPEG,
    T_SUM,
    COLUMNS
} column;

/* The functions know a film by its content: with a job the job's, which is this film's. */
#define FILM(f)                                                                                    \
    (f)->v->content, sizeof(f)->v->content, (f)->job ? (f)->job->token : NULL,                     \
        (int64_t)KS_HUB_SCHEMA

static int hub_film(film *f, const char *maker, ks_error *e)
{
    ks_pq_rows r;
    int code = ks_pq_ask(&r, f->h->pq, e, "SELECT film_of($1, $2, $3, $4)", "btlt", FILM(f),
                         maker ? maker : "");
    if (code > 0) f->video = ks_pq_int(&r, 0, 0);
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

static int read_have(film *f, ks_error *e)
{
    ks_pq_rows r;
    int code = ks_pq_ask(&r, f->h->pq, e,
                         "SELECT start, stop, reason FROM film_spans($1, $2, $3, $4)", "btll",
                         FILM(f), f->space);
    if (code < 0) return code;
    f->n_have = code;
    f->have = calloc((size_t)code + 1, sizeof *f->have);
    for (int i = 0; f->have && i < code; i++)
        f->have[i] = (span){ks_pq_int(&r, i, 0), ks_pq_int(&r, i, 1), ks_pq_int(&r, i, 2)};
    ks_pq_free(&r);
    return f->have ? 0 : no_memory(e);
}

/* all 1: those that the hub has as well */
static int read_local(film *f, int all, span *spans, int64_t *n_spans, ks_error *e)
{
    int64_t n = 0;
    int code = ks_integer(&n, f->x, e, "SELECT count(*) FROM clip WHERE video = ?1 AND space = ?2",
                          "ll", f->v->id, f->own_space);
    if (code < 0) return code;
    f->local = calloc((size_t)n + 1, sizeof *f->local);
    if (!f->local) return no_memory(e);
    sqlite3_stmt *s = ks_bound(
        f->x, e,
        "SELECT id, start, stop, reason FROM clip WHERE video = ?1 AND space = ?2 "
        "ORDER BY id LIMIT ?3",
        "lll", f->v->id, f->own_space, n);
    if (!s) return e ? e->code : KS_EIO;
    while ((code = ks_step(s, f->x, e)) > 0) {
        span key = {sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2),
                    sqlite3_column_int64(s, 3)};
        if (spans) spans[(*n_spans)++] = key;
        if (!all && bsearch(&key, f->have, (size_t)f->n_have, sizeof key, by_span)) continue;
        f->local[f->n_local++] = sqlite3_column_int64(s, 0);
    }
    return code;
}

static int put_blob(ks_pq_column *c, sqlite3_stmt *s, int at)
{
    const void *data = sqlite3_column_blob(s, at);
    return ks_pq_put_bytes(c, data ? data : "", (size_t)sqlite3_column_bytes(s, at));
}

/* The rows of one clip with the hub's numbers, and sums anew; what does not match its own sum here
 * goes nowhere. */
static int put_clip(ks_pq_column *c, film *f, int64_t local, int64_t id, ks_error *e)
{
    sqlite3_stmt *s = ks_bound(
        f->x, e,
        "SELECT c.start, c.stop, c.frames, c.reason, ks_sum(5, ?2, ?3, ?4, c.start, c.stop, "
        "c.frames, c.reason), v.half, ks_sum(6, ?2, ?4, c.start, c.stop, v.half), f.frames, "
        "f.data, ks_sum(7, ?2, f.frames, f.data), t.jpeg, ks_sum(8, ?2, t.jpeg), "
        "ks_sum(5, c.id, c.video, c.space, c.start, c.stop, c.frames, c.reason) = c.sum AND "
        "ks_sum(6, c.id, c.space, c.start, c.stop, v.half) = v.sum, "
        "f.clip IS NULL OR ks_sum(7, f.clip, f.frames, f.data) = f.sum, "
        "t.clip IS NULL OR ks_sum(8, t.clip, t.jpeg) = t.sum, f.clip, t.clip "
        "FROM clip c JOIN vector v ON v.clip = c.id LEFT JOIN frame_vectors f ON f.clip = c.id "
        "LEFT JOIN thumbnail t ON t.clip = c.id WHERE c.id = ?1",
        "llll", local, id, f->video, f->space);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, f->x, e), bad = 0;
    if (code < 0) return code;
    if (code == 0 || !sqlite3_column_int(s, 12)) code = ks_rotten(f->x, e, KS_T_CLIP, local);
    else if (!sqlite3_column_int(s, 13)) code = ks_rotten(f->x, e, KS_T_FRAMES, local);
    else if (!sqlite3_column_int(s, 14)) code = ks_rotten(f->x, e, KS_T_THUMBNAIL, local);
    for (int i = 0; i < 5 && code > 0; i++)
        bad |= ks_pq_put_int(&c[C_START + i], sqlite3_column_int64(s, i));
    if (code > 0) {
        bad |= ks_pq_put_int(&c[C_ID], id) | ks_pq_put_int(&c[V_CLIP], id) |
               put_blob(&c[V_HALF], s, 5) | ks_pq_put_int(&c[V_SUM], sqlite3_column_int64(s, 6));
        if (sqlite3_column_type(s, 15) != SQLITE_NULL)
            bad |= ks_pq_put_int(&c[F_CLIP], id) |
                   ks_pq_put_int(&c[F_FRAMES], sqlite3_column_int64(s, 7)) |
                   put_blob(&c[F_DATA], s, 8) |
                   ks_pq_put_int(&c[F_SUM], sqlite3_column_int64(s, 9));
        if (sqlite3_column_type(s, 16) != SQLITE_NULL)
            bad |= ks_pq_put_int(&c[T_CLIP], id) | put_blob(&c[T_JPEG], s, 10) |
                   ks_pq_put_int(&c[T_SUM], sqlite3_column_int64(s, 11));
    }
    sqlite3_reset(s);
    return code < 0 ? code : bad ? no_memory(e) : 0;
}

static int send_batch(const ks_pq_column *c, film *f, ks_error *e)
{
    int code = ks_pq_ask(
        NULL, f->h->pq, e,
        "SELECT put_clips($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
        "$17, $18, $19, $20)",
        "btllaaaaaaaaaaaaaaaa", FILM(f), f->space, &c[C_ID], &c[C_START], &c[C_STOP], &c[C_FRAMES],
        &c[C_REASON], &c[C_SUM], &c[V_CLIP], &c[V_HALF], &c[V_SUM], &c[F_CLIP], &c[F_FRAMES],
        &c[F_DATA], &c[F_SUM], &c[T_CLIP], &c[T_JPEG], &c[T_SUM]);
    return code < 0 ? code : 0;
}

/* Clips from local[at] on, as many as a batch holds; *at: the next. */
static int fill_batch(ks_pq_column *c, film *f, int64_t *at, ks_error *e)
{
    ks_pq_rows r;
    size_t bytes = 0;
    int64_t n = f->n_local - *at < BATCH ? f->n_local - *at : BATCH;
    int code = ks_pq_ask(&r, f->h->pq, e, "SELECT i FROM clip_ids($1, $2, $3, $4) AS i", "btll",
                         FILM(f), n);
    for (int i = 0; i < n && code >= 0 && bytes < BATCH_BYTES; i++) {
        code = put_clip(c, f, f->local[*at], ks_pq_int(&r, i, 0), e);
        bytes = c[V_HALF].bytes + c[F_DATA].bytes + c[T_JPEG].bytes;
        if (code >= 0) ++*at;
    }
    ks_pq_free(&r);
    return code;
}

static void end_film(film *f)
{
    free(f->have);
    free(f->local);
}

static int begin_film(film *f, ks_hub *h, ks_index *x, const ks_video *v, const ks_hub_job *job,
                      ks_error *e)
{
    ks_library_row row;
    ks_space space, own;
    *f = (film){.h = h, .x = x, .v = v, .job = job};
    int code = ks_library_read(&row, x, e);
    f->own_space = row.writing;
    if (code >= 0) code = ks_space_read(&own, x, row.writing, e);
    if (code >= 0) code = ks_hub_writing(&f->space, &space, h, e);
    if (code >= 0 && f->space && row.writing && !ks_same_space(&space, &own))
        code = ks_fail(e, job ? KS_EBUSY : KS_ESPACE, "%s: the hub has another model now",
                       ks_pq_name(h->pq));
    return code;
}

int ks_hub_push_clips(int64_t *clips, ks_hub *h, ks_index *x, const ks_video *v,
                      const ks_hub_job *job, const char *maker, ks_error *e)
{
    assert(clips && h && x && v && v->id > 0);
    ks_pq_column c[COLUMNS] = {0};
    film f;
    int64_t at = 0;
    c[V_HALF].wide = c[F_DATA].wide = c[T_JPEG].wide = 1;
    *clips = 0;
    int code = ks_snapshot(x, e);
    if (code < 0) return code;
    code = begin_film(&f, h, x, v, job, e);
    /* the film's row alone first: its number is in every clip's sum */
    if (code >= 0) code = hub_film(&f, maker, e);
    if (code >= 0) code = read_have(&f, e);
    if (code >= 0) code = read_local(&f, 0, NULL, NULL, e);
    while (code >= 0 && at < f.n_local) {
        int64_t from = at;
        for (int i = 0; i < COLUMNS; i++) ks_pq_column_clear(&c[i]);
        code = fill_batch(c, &f, &at, e);
        if (code >= 0) code = send_batch(c, &f, e);
        if (code >= 0) *clips += at - from;
    }
    for (int i = 0; i < COLUMNS; i++) ks_pq_column_free(&c[i]);
    end_film(&f);
    return ks_end(x, code, e);
}

/* --- the film's own row --- */
int ks_hub_put_path(ks_hub *h, int64_t video, int64_t revision, const char *root, const char *rel,
                    const ks_stat *stat, ks_error *e)
{
    int code = ks_pq_ask(NULL, h->pq, e, "SELECT put_path($1, $2, $3, $4, $5, $6)", "lltbll", video,
                         revision, root, rel, strlen(rel), stat->size, stat->mtime_ns);
    return code < 0 ? code : 0;
}

/* The sum over the row as the catalog has it, as of no generation: that is each mirror's own. */
static int row_sum(int64_t *sum, film *f, const ks_video_row *r, ks_error *e)
{
    const ks_video *v = &r->v;
    return ks_integer(sum, f->x, e,
                      "SELECT ks_sum(3, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                      "?14, ?15, ?16, ?17, ?18)",
                      "lbllitiiildliiidil", f->video, v->content, sizeof v->content, r->space,
                      (int64_t)0, (int)v->verdict, v->reason, v->attempts, v->tb.num, v->tb.den,
                      v->duration, v->seconds_missing, v->film_date, v->date_source, v->width,
                      v->height, v->fps, v->flags, r->clips);
}

static int keys_of(char **text, ks_index *x, int64_t video, ks_error *e)
{
    *text = NULL;
    sqlite3_stmt *s = ks_bound(x, e, "SELECT video, frames, sum FROM key_index WHERE video = ?1",
                               "l", video);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code > 0 && ks_row_ok(s, KS_T_KEY_INDEX, 0, 2) &&
        !(*text = strdup((const char *)sqlite3_column_text(s, 1))))
        code = no_memory(e);
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}

/* What hub_roles.c's end_film wants of the row, in its order. */
static int numbers_of(ks_pq_column *c, film *f, ks_video_row *r, ks_error *e)
{
    const ks_video *v = &r->v;
    uint64_t hash = 0;
    int64_t sum = 0, seen = r->space != 0;
    r->space = seen ? f->space : 0;
    int code = row_sum(&sum, f, r, e), bad = 0;
    if (code >= 0) code = ks_index_full_hash(&hash, f->x, v->id, e);
    if (code < 0) return code;
    const int64_t number[] = {
        r->space,    seen,         v->verdict,     v->attempts, v->tb.num,  v->tb.den,
        v->duration, v->film_date, v->date_source, v->width,    v->height,  v->flags,
        r->clips,    sum,          (int64_t)hash,  v->rate_num, v->rate_den};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) bad |= ks_pq_put_int(c, number[i]);
    return bad ? no_memory(e) : 0;
}

/* All its clips in x. */
static int spans_of(ks_pq_column of[3], film *f, const ks_video_row *row, ks_error *e)
{
    int64_t n = 0, there = 0;
    int code = ks_integer(&there, f->x, e,
                          "SELECT count(*) FROM clip WHERE video = ?1 AND space = ?2", "ll",
                          f->v->id, f->own_space);
    if (code < 0 || row->space == 0) return code;
    if (there != row->clips) return ks_rotten(f->x, e, KS_T_VIDEO, f->v->id);
    span *spans = calloc((size_t)there + 1, sizeof *spans);
    code = spans ? read_local(f, 1, spans, &n, e) : no_memory(e);
    for (int64_t i = 0; i < n && code >= 0; i++)
        if (ks_pq_put_int(&of[0], spans[i].start) | ks_pq_put_int(&of[1], spans[i].stop) |
            ks_pq_put_int(&of[2], spans[i].reason))
            code = no_memory(e);
    free(spans);
    return code;
}

static int end_row(int64_t *revision, film *f, ks_video_row *row, const char *maker, ks_error *e)
{
    const ks_video *v = &row->v;
    ks_pq_column of[3] = {0}, number = {0};
    ks_pq_rows r = {0};
    char *keys = NULL;
    int code = spans_of(of, f, row, e);
    if (code >= 0) code = numbers_of(&number, f, row, e);
    if (code >= 0) code = keys_of(&keys, f->x, v->id, e);
    if (code >= 0)
        code = ks_pq_ask(&r, f->h->pq, e,
                         "SELECT end_film($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
                         "$14, $15)",
                         "btllaaaaddbbbbt", FILM(f), f->space, &of[0], &of[1], &of[2], &number,
                         v->seconds_missing, v->fps, v->reason, strlen(v->reason), v->timecode,
                         strlen(v->timecode), v->reel, strlen(v->reel), keys,
                         keys ? strlen(keys) : (size_t)0, maker ? maker : "");
    if (code > 0) *revision = ks_pq_int(&r, 0, 0);
    ks_pq_free(&r);
    free(keys);
    for (int i = 0; i < 3; i++) ks_pq_column_free(&of[i]);
    ks_pq_column_free(&number);
    return code < 0 ? code : 0;
}

/* Those of its paths in x that lie in a root. */
static int put_paths(film *f, int64_t revision, const ks_hub_roots *roots, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_filter one = {.video = f->v->id};
    ks_video at;
    const char *rel;
    int code = ks_index_files(&c, f->x, &one, e), n = 0;
    while (code >= 0 && (code = ks_files_next(&at, c, e)) > 0) {
        const ks_hub_root *root = ks_hub_place(&rel, roots, at.path);
        if (!root) continue;
        code = ks_hub_put_path(f->h, f->video, revision, root->name, rel, &at.stat, e);
        n++;
    }
    ks_cursor_close(c);
    if (code >= 0 && n == 0)
        code = ks_fail(e, KS_EUSAGE, "%s lies in no root of the hub: kinoseek root NAME=FOLDER",
                       f->v->path && f->v->path[0] ? f->v->path : "a film");
    return code < 0 ? code : 0;
}

static int push_end(film *f, const ks_hub_roots *roots, const char *maker, ks_error *e)
{
    ks_video_row row;
    int64_t revision = 0;
    int code = hub_film(f, maker, e);
    if (code >= 0) code = ks_video_read(&row, f->x, f->v->id, e);
    if (code == 0) code = ks_rotten(f->x, e, KS_T_VIDEO, f->v->id);
    if (code >= 0) code = end_row(&revision, f, &row, maker, e);
    return code < 0 || f->job ? code : put_paths(f, revision, roots, e);
}

int ks_hub_push_end(ks_hub *h, ks_index *x, const ks_video *v, const ks_hub_roots *roots,
                    const ks_hub_job *job, const char *maker, ks_error *e)
{
    assert(h && x && v && v->id > 0 && (roots || job));
    film f;
    int code = ks_snapshot(x, e);
    if (code < 0) return code;
    code = begin_film(&f, h, x, v, job, e);
    if (code >= 0) code = ks_hub_begin(h, e);
    if (code >= 0) code = ks_hub_end(h, push_end(&f, roots, maker, e), e);
    end_film(&f);
    return ks_end(x, code, e);
}

int ks_hub_has(ks_hub *h, ks_index *x, const ks_video *v, ks_error *e)
{
    ks_pq_rows r;
    ks_video_row row;
    int code = ks_video_read(&row, x, v->id, e);
    if (code <= 0) return code;
    code = ks_pq_ask(
        &r, h->pq, e,
        "SELECT 1::int8 FROM filled WHERE content = $1 AND verdict = $2 AND clips = $3 "
        "AND finished = $4 AND flags = $5 AND made > 0",
        "bllll", v->content, sizeof v->content, (int64_t)v->verdict, row.clips,
        (int64_t)(row.space != 0), (int64_t)row.v.flags);
    ks_pq_free(&r);
    return code;
}
