/* hub_kept.c - words that people keep (kept.h), to a hub and from it. */
#include "index/hub_pull.h"
#include "index/kept.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, BATCH_BYTES = 8 << 20 };
typedef enum { KIND, NAME, CONTENT, AT, DATA, SUM, COLUMNS } column;

typedef struct {
    ks_hub *h;
    ks_index *x;               /* whose words they are: it computes their sums */
    const ks_hub_roots *roots; /* NULL: subtitles are of the job's root */
    const ks_hub_job *job;     /* NULL: the owner's */
    int64_t known, fresh;      /* the revision they were said at; 1: once is enough */
    ks_pq_column c[COLUMNS];
    int64_t n;
} sending;

static void begin_sending(sending *s)
{
    for (int i = NAME; i <= DATA; i++) s->c[i].wide = 1;
}

static void end_sending(sending *s)
{
    for (int i = 0; i < COLUMNS; i++) ks_pq_column_free(&s->c[i]);
}

static int send(sending *s, ks_error *e)
{
    const ks_hub_job *job = s->job;
    int code = ks_pq_ask(
        NULL, s->h->pq, e, "SELECT put_kept($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        "btllaaaaaal", job ? job->content : NULL, job ? sizeof job->content : (size_t)0,
        job ? job->token : NULL, (int64_t)KS_HUB_SCHEMA, s->known, &s->c[KIND], &s->c[NAME],
        &s->c[CONTENT], &s->c[AT], &s->c[DATA], &s->c[SUM], s->fresh);
    for (int i = 0; i < COLUMNS; i++) ks_pq_column_clear(&s->c[i]);
    s->n = 0;
    return code < 0 ? code : 0;
}

/* "ROOT/REST" of a path here, or of "/ROOT:/REST". 1, 0: it lies in no root */
static int hub_name(char name[KS_KEPT_NAME], const sending *s, const char *path)
{
    const char *rel = NULL, *colon = path[0] == '/' ? strstr(path, ":/") : NULL;
    const ks_hub_root *root = s->roots ? ks_hub_place(&rel, s->roots, path) : NULL;
    size_t n = colon ? (size_t)(colon - path) - 1 : 0;
    if (root) snprintf(name, KS_KEPT_NAME, "%s/%s", root->name, rel);
    else if (colon && ks_hub_is_root_name(path + 1, n) &&
             ks_hub_is_rel(colon + 2, strlen(colon + 2)))
        snprintf(name, KS_KEPT_NAME, "%.*s/%s", (int)n, path + 1, colon + 2);
    else return 0;
    return 1;
}

static int add(void *arg, const ks_kept *k, ks_error *e)
{
    sending *s = arg;
    char name[KS_KEPT_NAME];
    size_t n_content = k->content ? 24 : 0;
    int64_t sum = 0;
    snprintf(name, sizeof name, "%s", k->name);
    if (k->kind == KS_KEPT_SUBTITLES && k->name[0] && !hub_name(name, s, k->name)) return 0;
    const void *content = k->content ? k->content : "", *at = k->n_at ? k->at : "",
               *data = k->bytes ? k->data : "";
    int code = ks_integer(&sum, s->x, e, "SELECT ks_sum(30, ?1, ?2, ?3, ?4, ?5)", "lbbbb", k->kind,
                          name, strlen(name), content, n_content, at, k->n_at, data, k->bytes);
    if (code < 0) return code;
    if (ks_pq_put_int(&s->c[KIND], k->kind) | ks_pq_put_bytes(&s->c[NAME], name, strlen(name)) |
        ks_pq_put_bytes(&s->c[CONTENT], content, n_content) |
        ks_pq_put_bytes(&s->c[AT], at, k->n_at) | ks_pq_put_bytes(&s->c[DATA], data, k->bytes) |
        ks_pq_put_int(&s->c[SUM], sum))
        return ks_fail(e, KS_ENOMEM, "no memory for what is kept");
    s->n++;
    /* of an import; notes are sent as they were read, and a film's at once */
    return s->fresh && (s->n >= BATCH || s->c[DATA].bytes > BATCH_BYTES) ? send(s, e) : 0;
}

int ks_hub_may_keep(ks_hub *h, ks_error *e)
{
    sending s = {.h = h};
    begin_sending(&s);
    return send(&s, e);
}

int ks_hub_push_kept(ks_hub *h, ks_index *x, const ks_hub_roots *roots, ks_error *e)
{
    assert(h && x && x->mode != KS_READ);
    sending s = {.h = h, .x = x, .roots = roots};
    char id[33];
    int code = ks_hub_mirrored(id, &s.known, x, e), n = 1;
    begin_sending(&s);
    while (code >= 0 && n > 0) {
        int64_t last = 0;
        code = n = ks_kept_noted(&last, x, BATCH, add, &s, e);
        if (n > 0) code = send(&s, e);
        if (code >= 0 && n > 0) code = ks_kept_sent(x, last, e);
    }
    end_sending(&s);
    return code < 0 ? code : 0;
}

int ks_hub_import_kept(ks_hub *h, ks_index *x, const ks_hub_roots *roots, ks_error *e)
{
    assert(h && x && roots);
    sending s = {.h = h, .x = x, .roots = roots, .known = INT64_MAX, .fresh = 1};
    ks_space any;
    int64_t space = 0;
    begin_sending(&s);
    int code = ks_hub_writing(&space, &any, h, e);
    if (code >= 0) code = ks_snapshot(x, e);
    if (code >= 0) code = ks_end(x, ks_kept_walk(x, space, add, &s, e), e);
    if (code >= 0) code = send(&s, e);
    end_sending(&s);
    return code;
}

/* A worker's library holds the film at the path that the job gave it, and subtitles beside that. */
int ks_hub_push_subtitles(ks_hub *h, ks_index *x, const ks_video *v, const ks_hub_job *job,
                          const char *path, ks_error *e)
{
    assert(h && x && v && job && path);
    size_t n = strlen(path), rel = strlen(job->rel);
    ks_hub_root root = {.path = strdup(path)};
    ks_hub_roots roots = {&root, 1};
    sending s = {.h = h, .x = x, .roots = &roots, .job = job};
    begin_sending(&s);
    snprintf(root.name, sizeof root.name, "%s", job->root);
    int code = root.path ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");
    if (code >= 0 && n > rel + 1) root.path[n - rel - 1] = 0;
    if (code >= 0) code = ks_kept_walk_subtitles(x, v->id, add, &s, e);
    if (code >= 0) code = send(&s, e);
    end_sending(&s);
    free(root.path);
    return code;
}

/* --- from the hub --- */
typedef struct {
    ks_pull *p;
    char **name; /* [n] kept queries that are new here */
    int64_t *revision;
    int n;
} taking;

/* Where subtitles lie here; NULL: their name is none. malloc'ed */
static char *path_of(const ks_pull *p, const char *name, size_t n)
{
    const char *slash = memchr(name, '/', n);
    char root[KS_HUB_NAME];
    if (n == 0) return strdup("");
    size_t m = slash ? (size_t)(slash - name) : 0;
    if (!slash || !ks_hub_is_root_name(name, m) || !ks_hub_is_rel(slash + 1, n - m - 1))
        return NULL;
    memcpy(root, name, m);
    root[m] = 0;
    char *path = ks_pull_here(p, root, slash + 1, n - m - 1);
    if (path && strlen(path) <= KS_MAX_PATH) return path;
    free(path);
    return NULL;
}

static int note_query(taking *t, const char *name, int64_t revision, ks_error *e)
{
    char **names = reallocarray(t->name, (size_t)t->n + 1, sizeof *names);
    if (names) t->name = names;
    int64_t *revisions = reallocarray(t->revision, (size_t)t->n + 1, sizeof *revisions);
    if (revisions) t->revision = revisions;
    char *copy = names && revisions ? strdup(name) : NULL;
    if (!copy) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    t->name[t->n] = copy;
    t->revision[t->n++] = revision;
    return 0;
}

static int apply(taking *t, const ks_kept *k, const ks_pq_rows *r, const char *path, ks_error *e)
{
    ks_pull *p = t->p;
    int64_t there = 1;
    int code = 0;
    if (k->kind == KS_KEPT_SAVED)
        code = ks_integer(&there, p->x, e, "SELECT count(*) FROM saved WHERE name = ?1", "t",
                          k->name);
    if (code >= 0) code = ks_kept_apply(p->x, k, path, e);
    if (code == 0) ks_pull_refuse(p, "what is kept,", ks_pq_int(r, 0, 6), "its bytes are none");
    if (code > 0 && !there) code = note_query(t, k->name, ks_pq_int(r, 0, 7), e);
    return code < 0 ? code : 0;
}

static int each_kept(void *arg, const ks_pq_rows *r, ks_error *e)
{
    taking *t = arg;
    ks_pull *p = t->p;
    size_t n_name, n_content;
    int64_t sum = 0;
    ks_kept k = {.kind = ks_pq_int(r, 0, 0), .name = ks_pq_bytes(&n_name, r, 0, 1)};
    k.content = ks_pq_bytes(&n_content, r, 0, 2);
    k.at = ks_pq_bytes(&k.n_at, r, 0, 3);
    k.data = ks_pq_bytes(&k.bytes, r, 0, 4);
    if (!k.name || memchr(k.name, 0, n_name) || n_name >= KS_KEPT_NAME || !k.content ||
        (n_content && n_content != 24) || !k.at || !k.data || k.bytes > KS_KEPT_DATA) {
        ks_pull_refuse(p, "what is kept,", ks_pq_int(r, 0, 6), "it is no word");
        return 0;
    }
    int code = ks_integer(&sum, p->x, e, "SELECT ks_sum(30, ?1, ?2, ?3, ?4, ?5)", "lbbbb", k.kind,
                          k.name, n_name, k.content, n_content, k.at, k.n_at, k.data, k.bytes);
    if (code < 0) return code;
    if (sum != ks_pq_int(r, 0, 5)) {
        ks_pull_refuse(p, "what is kept,", ks_pq_int(r, 0, 6), "it does not match its checksum");
        return 0;
    }
    if (n_content == 0) k.content = NULL;
    char *path = k.kind == KS_KEPT_SUBTITLES ? path_of(p, k.name, n_name) : NULL;
    code = apply(t, &k, r, path, e);
    free(path);
    return code;
}

/* A query that is new here is asked of the films that were made after it was kept. */
static int begin_query(ks_pull *p, const char *name, int64_t revision, ks_error *e)
{
    ks_pq_rows r = {0};
    int64_t seen = p->library.generation, at = 0;
    int code = ks_pq_ask(&r, p->h->pq, e, "SELECT id FROM video WHERE made > $1 AND finished = 1",
                         "l", revision);
    for (int i = 0, n = code; i < n && code >= 0; i++) {
        code = ks_integer(&at, p->x, e, "SELECT finished FROM video WHERE id = ?1", "l",
                          ks_pq_int(&r, i, 0));
        if (at > 0 && at - 1 < seen) seen = at - 1;
    }
    ks_pq_free(&r);
    return code < 0 ? code
                    : ks_run(p->x, e,
                             "UPDATE saved SET seen = ?2, sum = ks_sum(18, name, query, ?2) WHERE "
                             "name = ?1",
                             "tl", name, seen);
}

/* Words that are new, and older ones of films that came anew. */
#define WORD "SELECT k.kind, k.name, k.content, k.at, k.data, k.sum, k.id, k.revision FROM "
#define NEW                                                                                        \
    WORD "kept k LEFT JOIN video v ON v.content = k.content WHERE k.revision > $1 AND (k.kind <> " \
         "4 OR v.made = k.made)"
#define AGAIN                                                                                      \
    " UNION ALL " WORD "video v JOIN kept k ON k.content = v.content AND k.content <> '' WHERE "   \
    "v.revision > $1 AND k.revision <= $1 AND (k.kind <> 4 OR v.made = k.made)"

int ks_pull_kept(ks_pull *p, int roots_changed, ks_error *e)
{
    taking t = {.p = p};
    int code = 0;
    if (roots_changed && p->kept > 0) /* each lies elsewhere now */
        code = ks_run(p->x, e, "DELETE FROM subtitle", "");
    if (code >= 0 && roots_changed && p->kept > 0)
        code = ks_run(p->x, e, "INSERT INTO subtitle_words(subtitle_words) VALUES('delete-all')",
                      "");
    if (code >= 0 && roots_changed && p->kept > 0)
        code = ks_run(p->x, e, "DELETE FROM subtitle_file", "");
    if (code >= 0 && roots_changed && p->kept > 0)
        code = ks_pq_walk(p->h->pq, each_kept, &t, e,
                          WORD "kept k WHERE k.kind = 11 AND k.revision <= $1 ORDER BY id", "l",
                          p->kept);
    if (code >= 0)
        code = ks_pq_walk(p->h->pq, each_kept, &t, e, NEW AGAIN " ORDER BY id", "l", p->kept);
    for (int i = 0; i < t.n; i++) {
        if (code >= 0) code = begin_query(p, t.name[i], t.revision[i], e);
        free(t.name[i]);
    }
    free(t.name);
    free(t.revision);
    if (code >= 0) p->kept = p->out->revision;
    return code;
}
