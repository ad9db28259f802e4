/* hub_pull.c - a hub's films into a library: a mirror, a backup, or what a worker goes on with.
 *
 * All of it is read in one snapshot of the server; a film comes in one transaction of the library.
 * A hub may hold what somebody wrote there by hand: every row has to match its sum and be what it
 * says, else it is counted, named and left out. */
#include "index/hub_pull.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 4096 }; /* clips a transaction, and more where one film has more */

void ks_pull_refuse(ks_pull *p, const char *what, int64_t id, const char *why)
{
    if (p->out->refused++ == 0)
        snprintf(p->out->first, sizeof p->out->first, "%s %lld: %s", what, (long long)id, why);
}

int ks_pull_is_int(const ks_pq_rows *r, int i, int column, int64_t least)
{
    int64_t v = ks_pq_int(r, i, column);
    return v >= least && v <= INT32_MAX;
}

int ks_pull_text(char *to, size_t room, const ks_pq_rows *r, int i, int column)
{
    size_t n;
    const char *text = ks_pq_bytes(&n, r, i, column);
    if (!text || n >= room || memchr(text, 0, n)) return 0;
    memcpy(to, text, n);
    to[n] = 0;
    return 1;
}

/* --- spaces, settings --- */
static int each_space(void *arg, const ks_pq_rows *r, ks_error *e)
{
    ks_pull *p = arg;
    ks_space s = {0};
    char key[40], text[160], model[4096], tokenizer[4096];
    int64_t id = ks_pq_int(r, 0, 0);
    if (id <= 0 || !ks_pull_text(s.model, sizeof s.model, r, 0, 1) || !ks_pull_is_int(r, 0, 2, 1) ||
        ks_pq_int(r, 0, 2) > KS_MAX_DIM || !ks_pull_is_int(r, 0, 3, 1) ||
        !ks_pull_is_int(r, 0, 4, 0) || !ks_pull_is_int(r, 0, 5, 0) || !ks_pull_is_int(r, 0, 6, 0) ||
        !ks_pull_text(model, sizeof model, r, 0, 7) ||
        !ks_pull_text(tokenizer, sizeof tokenizer, r, 0, 8) ||
        strspn(s.model, "0123456789abcdefghijklmnopqrstuvwxyz") != strlen(s.model))
        return ks_fail(e, KS_EDAMAGED, "%s: its space is none", ks_pq_name(p->h->pq));
    s.dim = (int)ks_pq_int(r, 0, 2);
    s.frames = (int)ks_pq_int(r, 0, 3);
    s.sampler = (int)ks_pq_int(r, 0, 4);
    s.resize = (int)ks_pq_int(r, 0, 5);
    s.precision = (int)ks_pq_int(r, 0, 6);
    snprintf(key, sizeof key, "space/%lld", (long long)id);
    int n = snprintf(text, sizeof text, "%s %d %d %d %d %d", s.model, s.dim, s.frames, s.sampler,
                     s.resize, s.precision);
    int code = ks_index_put(p->x, key, text, (size_t)n, e);
    if (p->what & KS_PULL_SPACES ? ks_pq_int(r, 0, 9) : p->job || !p->library.space)
        p->library.space = id;
    if (!(p->what & KS_PULL_SPACES) || ks_pq_int(r, 0, 10)) {
        p->space = s;
        p->library.writing = id;
    }
    return code < 0 ? code
                    : ks_run(p->x, e,
                             "INSERT OR IGNORE INTO space VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                             "?9, ks_sum(2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
                             "ltiiiiibb", id, s.model, s.dim, s.frames, s.sampler, s.resize,
                             s.precision, model, strlen(model), tokenizer, strlen(tokenizer));
}

static int each_setting(void *arg, const ks_pq_rows *r, ks_error *e)
{
    ks_pull *p = arg;
    char key[64];
    size_t n;
    const void *value = ks_pq_bytes(&n, r, 0, 1);
    if (!ks_pull_text(key, sizeof key, r, 0, 0) || !value || n > 4096 ||
        (strcmp(key, "ingest.made") != 0 && strncmp(key, "precision/", 10) != 0)) {
        ks_pull_refuse(p, "a setting", 0, "it is none that a hub keeps");
        return 0;
    }
    return ks_index_put(p->x, key, value, n, e);
}

/* A mirror of an older kinoseek has nothing of what people keep. */
static int mirrored(char id[33], int64_t *revision, int64_t *kept, ks_index *x, ks_error *e)
{
    void *data = NULL;
    size_t bytes = 0;
    long long n = 0, m = 0;
    *revision = *kept = 0;
    id[0] = 0;
    int code = ks_index_get(&data, &bytes, x, KS_HUB_REVISION_KEY, e);
    if (code < 0 || !data) return code;
    code = sscanf(data, "%32s %lld %lld", id, &n, &m) >= 2;
    *revision = n;
    *kept = m;
    free(data);
    return code;
}

/* The library's row becomes the hub's where x is new; x may be a mirror of this hub, and no other
 * library. */
static int take_library(ks_pull *p, ks_error *e)
{
    ks_pq_rows r;
    char id[33] = "", mine[33];
    int mirror = mirrored(mine, &p->had, &p->kept, p->x, e);
    int code = mirror < 0 ? mirror : ks_library_read(&p->library, p->x, e);
    if (code < 0) return code;
    code = ks_pq_ask(&r, p->h->pq, e, "SELECT id, revision, created FROM library", "");
    if (code > 0 && ks_pull_text(id, sizeof id, &r, 0, 0) && strspn(id, "0123456789abcdef") == 32) {
        p->out->revision = ks_pq_int(&r, 0, 1);
        if (!mirror && !p->job && p->library.next_video > 1)
            code = ks_fail(e, KS_ESPACE, "%s is a library of its own, no mirror of a hub",
                           p->x->dir);
        else if (mirror && strcmp(mine, id) != 0)
            code = ks_fail(e, KS_ESPACE, "%s mirrors another hub", p->x->dir);
        if (code >= 0 && !p->job) memcpy(p->library.id, id, sizeof id);
    } else if (code >= 0)
        code = ks_fail(e, KS_EDAMAGED, "%s: its library row is none", ks_pq_name(p->h->pq));
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

static int begin(ks_pull *p, ks_error *e)
{
    int code = ks_run(p->x, e,
                      "CREATE TEMP TABLE was_path(path BLOB PRIMARY KEY, video, size, mtime_ns, "
                      "device, inode) WITHOUT ROWID",
                      "");
    if (code >= 0) code = take_library(p, e);
    if (code >= 0)
        code = ks_pq_walk(
            p->h->pq, each_space, p, e,
            "SELECT s.id, s.model, s.dim, s.frames, s.sampler, s.resize, "
            "s.precision, s.model_path, s.tokenizer_path, (s.id = l.space)::int4::int8, "
            "(s.id = l.writing)::int4::int8 FROM library l JOIN space s ON s.id = l.space "
            "AND $1 <> 1 OR s.id = l.writing AND $1 <> 0",
            "l",
            (int64_t)(p->job                     ? 1
                      : p->what & KS_PULL_SPACES ? 2
                                                 : 0));
    if (code >= 0)
        code = ks_pq_walk(p->h->pq, each_setting, p, e,
                          "SELECT key, value FROM setting WHERE revision > $1", "l", p->had);
    return code < 0 ? code : ks_library_write(&p->library, p->x, e);
}

static int keep_revision(ks_pull *p, int64_t revision, ks_error *e)
{
    char text[96]; /* an id and two numbers */
    int n = snprintf(text, sizeof text, "%s %lld %lld", p->library.id, (long long)revision,
                     (long long)p->kept);
    return ks_index_put(p->x, KS_HUB_REVISION_KEY, text, (size_t)n, e);
}

int ks_hub_mirrored(char id[33], int64_t *revision, ks_index *x, ks_error *e)
{
    int64_t kept;
    return mirrored(id, revision, &kept, x, e);
}

/* --- all of it --- */
static int pull_gone(ks_pull *p, ks_error *e)
{
    ks_pq_rows r;
    int code = ks_pq_ask(&r, p->h->pq, e, "SELECT video FROM gone WHERE revision > $1", "l",
                         p->had);
    for (int i = 0, n = code; i < n && code >= 0; i++)
        code = ks_pull_drop_film(p, ks_pq_int(&r, i, 0), e);
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

/* Between two revisions: what a reader sees then is whole, and the next pull goes on from there. */
static int commit(ks_pull *p, int64_t revision, ks_error *e)
{
    int code = keep_revision(p, revision, e);
    code = ks_end(p->x, code, e);
    if (code >= 0) code = ks_begin(p->x, e);
    p->unwritten = 0;
    return code;
}

static int is_switching(const ks_pull *p) { return p->library.space != p->library.writing; }

/* A list of films first (a film's clips are a question of their own on the same connection). */
static int pull_films(ks_pull *p, ks_error *e)
{
    ks_pq_rows r = {0};
    int64_t from = p->had, id = INT64_MAX, last = p->had;
    int code = 1;
    while (code > 0) {
        code = ks_pq_ask(&r, p->h->pq, e,
                         KS_PULL_FILM
                         "video WHERE revision > 0 AND (revision, id) > ($1, $2) ORDER BY "
                         "revision, id LIMIT 1000",
                         "ll", from, id);
        for (int i = 0, n = code; i < n && code >= 0; i++) {
            from = ks_pq_int(&r, i, 26);
            id = ks_pq_int(&r, i, 0);
            if (from > last && p->unwritten >= AT_ONCE && !is_switching(p))
                code = commit(p, last, e);
            if (code >= 0) code = ks_pull_film(p, &r, i, e);
            last = from;
            if (code >= 0) code = 1;
        }
        ks_pq_free(&r);
    }
    return code;
}

/* The hub has another model than x had: what is not in it, as its row is none, goes; then the new
 * space is the only one. */
static int end_switch(ks_pull *p, ks_error *e)
{
    ks_library_row *l = &p->library;
    int64_t id = 0;
    int done = 0, code = ks_library_write(l, p->x, e);
    while (code >= 0 &&
           (code = ks_integer(&id, p->x, e,
                              "SELECT coalesce((SELECT id FROM video WHERE finished > "
                              "0 AND space <> ?1 LIMIT 1), 0)",
                              "l", l->writing)) >= 0 &&
           id)
        code = ks_pull_drop_film(p, id, e);
    if (code >= 0) code = ks_finish_switch(&done, p->x, e);
    return code < 0 ? code : ks_library_read(l, p->x, e);
}

static int pull_all(ks_pull *p, ks_error *e)
{
    int code = begin(p, e), other = 0;
    if (code >= 0) code = other = ks_pull_note_roots(p, e);
    if (code >= 0) code = ks_index_put(p->x, KS_HUB_WHERE_KEY, p->h->where, strlen(p->h->where), e);
    if (code >= 0) code = ks_pull_note_folders(p, e);
    if (code >= 0) code = pull_gone(p, e);
    if (code >= 0) code = pull_films(p, e);
    if (code >= 0 && is_switching(p)) code = end_switch(p, e);
    if (code >= 0 && other > 0 && p->had > 0) code = ks_pull_all_paths(p, e);
    if (code >= 0) code = ks_library_write(&p->library, p->x, e);
    if (code >= 0) code = ks_pull_kept(p, other > 0, e);
    return code < 0 ? code : keep_revision(p, p->out->revision, e);
}

static const char snapshot[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

int ks_hub_pull(ks_hub_pulled *out, ks_index *x, ks_hub *h, const ks_hub_roots *roots, int what,
                ks_error *e)
{
    assert(out && x && h && x->mode != KS_READ);
    ks_pull *p = calloc(1, sizeof *p);
    memset(out, 0, sizeof *out);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a mirror");
    *p = (ks_pull){.x = x, .h = h, .roots = roots, .what = what & KS_HUB_BLOBS, .out = out};
    int code = ks_pq_script(h->pq, snapshot, e);
    if (code >= 0) {
        code = ks_begin(x, e);
        if (code >= 0) {
            code = pull_all(p, e);
            /* a commit on the way may have failed and left none open */
            if (x->inside > 0) code = ks_end(x, code, e);
        }
        code = ks_hub_end(h, code, e);
    }
    free(p);
    return code;
}

int ks_hub_pull_film(ks_index *x, ks_hub *h, const ks_hub_job *job, const char *path, ks_error *e)
{
    assert(x && h && job && path);
    ks_hub_pulled out = {0};
    ks_pq_rows r = {0};
    ks_pull *p = calloc(1, sizeof *p);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a film");
    *p = (ks_pull){.x = x,
                   .h = h,
                   .what = KS_HUB_BLOBS | KS_HUB_UNFINISHED,
                   .out = &out,
                   .path = path,
                   .job = job};
    int code = ks_pq_script(h->pq, snapshot, e);
    if (code >= 0) {
        code = ks_begin(x, e);
        if (code >= 0) {
            code = begin(p, e);
            if (code >= 0 && !job->survey) /* which begins with nothing */
                code = ks_pq_ask(&r, h->pq, e, KS_PULL_FILM "job_film($1, $2, $3)", "btl",
                                 job->content, sizeof job->content, job->token,
                                 (int64_t)KS_HUB_SCHEMA);
            if (code >= 0 && r.n > 0) code = ks_pull_film(p, &r, 0, e);
            code = ks_end(x, code, e);
        }
        code = ks_hub_end(h, code, e);
    }
    ks_pq_free(&r);
    free(p);
    return code < 0 ? code : 0;
}

int ks_hub_pull_spaces(ks_index *x, ks_hub *h, ks_error *e)
{
    assert(x && h && x->mode != KS_READ);
    ks_hub_pulled out = {0};
    ks_pull *p = calloc(1, sizeof *p);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a space");
    *p = (ks_pull){.x = x, .h = h, .what = KS_PULL_SPACES, .out = &out};
    int code = ks_pq_script(h->pq, snapshot, e);
    if (code >= 0) {
        code = ks_begin(x, e);
        if (code >= 0) code = ks_end(x, begin(p, e), e);
        code = ks_hub_end(h, code, e);
    }
    free(p);
    return code < 0 ? code : 0;
}

int ks_hub_behind(ks_index *x, ks_hub *h, const ks_hub_roots *roots, ks_error *e)
{
    ks_pq_rows r = {0};
    char id[33];
    ks_pull p = {.x = x, .h = h, .roots = roots};
    int mirror = ks_hub_mirrored(id, &p.had, x, e);
    if (mirror <= 0) return mirror < 0 ? mirror : 1;
    int code = ks_pq_ask(&r, h->pq, e, "SELECT revision FROM library WHERE id = $1", "t", id);
    int behind = code != 1 || ks_pq_int(&r, 0, 0) != p.had;
    ks_pq_free(&r);
    if (code >= 0 && !behind) code = behind = ks_pull_other_roots(&p, NULL, e);
    return code < 0 ? code : behind;
}

int ks_hub_let_go(ks_index *x, ks_error *e)
{
    static const char *const keys[] = {KS_HUB_REVISION_KEY, KS_HUB_WHERE_KEY, KS_HUB_ROOTS_KEY};
    int code = ks_begin(x, e);
    if (code < 0) return code;
    for (int i = 0; i < 3 && code >= 0; i++) code = ks_index_put(x, keys[i], NULL, 0, e);
    return ks_end(x, code, e);
}
