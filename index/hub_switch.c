/* hub_switch.c - another model for a hub: its space is filled beside the one that mirrors have, and
 * takes its place when every film of that is through. The functions are hub_roles.c's: a worker
 * that ends the last film ends the switch. */
#include "index/hub_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Films to be made, at one of their places. */
#define QUEUE                                                                                      \
    "INSERT INTO job(content, root, rel, size, mtime_ns) SELECT DISTINCT ON (v.id) v.content, "    \
    "p.root, p.rel, p.size, p.mtime_ns FROM video v JOIN path p ON p.video = v.id WHERE "

static int script(ks_hub *h, const char *const *steps, int n, ks_error *e)
{
    int code = 0;
    for (int i = 0; i < n && code >= 0; i++) code = ks_pq_script(h->pq, steps[i], e);
    return code;
}

/* What was made for a space that comes to nothing is not looked at again; who is at a film writes
 * nothing more. */
static const char *const begin_steps[] = {
    "DELETE FROM next_video",
    "UPDATE job SET state = 0, token = NULL, lease = NULL, reason = '' WHERE state = 1"};

static int call_off(ks_hub *h, ks_error *e)
{
    static const char *const steps[] = {
        "UPDATE library SET writing = space",
        "DELETE FROM job j USING video v WHERE v.content = j.content AND v.finished = 1 AND v.flags"
        " & 80 = 0",
        QUEUE "v.verdict = 0 ORDER BY v.id, p.root, p.rel ON CONFLICT DO NOTHING"};
    _Static_assert((KS_VIDEO_LOST | KS_VIDEO_SURVEY) == 80, "flags of what is to be made again");
    return script(h, steps, 3, e);
}

static int fill(ks_hub *h, const ks_library *l, ks_error *e)
{
    static const char *const steps[] = {
        "UPDATE library SET writing = (SELECT max(id) FROM space)",
        QUEUE "v.finished = 1 ORDER BY v.id, p.root, p.rel ON CONFLICT DO NOTHING"};
    const ks_space *s = &l->next;
    const char *m = l->next_model_path, *t = l->next_tokenizer_path;
    int code = ks_pq_ask(
        NULL, h->pq, e,
        "INSERT INTO space SELECT (SELECT max(id) + 1 FROM space), $1, $2, $3, $4, $5, "
        "$6, $7, $8",
        "tlllllbb", s->model, (int64_t)s->dim, (int64_t)s->frames, (int64_t)s->sampler,
        (int64_t)s->resize, (int64_t)s->precision, m, strlen(m), t, strlen(t));
    return code < 0 ? code : script(h, steps, 2, e);
}

static int change(ks_hub *h, const ks_library *l, ks_error *e)
{
    ks_space had, filled;
    int64_t id, filling, revision;
    int code = ks_hub_next_revision(&revision, h, e);
    if (code >= 0) code = ks_hub_space(&id, &had, h, e);
    if (code >= 0) code = ks_hub_writing(&filling, &filled, h, e);
    if (code >= 0 && id == 0)
        code = ks_fail(e, KS_EUSAGE, "%s: nothing is in the hub yet", ks_pq_name(h->pq));
    if (code < 0 || ks_same_space(&filled, &l->next)) return code < 0 ? code : 0;
    code = script(h, begin_steps, 2, e);
    int back = ks_same_space(&had, &l->next);
    if (code >= 0) code = back ? call_off(h, e) : fill(h, l, e);
    return code < 0 ? code : back ? 2 : 1;
}

int ks_hub_switch(ks_hub *h, ks_index *x, ks_error *e)
{
    assert(h && x);
    ks_library *l = malloc(sizeof *l);
    int code = l ? ks_index_library(l, x, e) : ks_fail(e, KS_ENOMEM, "no memory for a space");
    if (code >= 0) code = ks_hub_begin(h, e);
    if (code >= 0) code = ks_hub_end(h, change(h, l, e), e);
    free(l);
    return code;
}

/* --- its end --- */
static int finish(ks_hub *h, ks_error *e)
{
    ks_pq_rows r;
    int64_t revision, done, all;
    char model[65];
    int code = ks_hub_switching(&done, &all, model, h, e);
    if (code <= 0 || done < all) return code;
    code = ks_hub_next_revision(&revision, h, e);
    if (code >= 0) code = ks_pq_ask(&r, h->pq, e, "SELECT finish_switch($1)", "l", revision);
    if (code >= 0) ks_pq_free(&r);
    return code;
}

#define NEITHER(space)                                                                             \
    space " <> ALL (SELECT space FROM library UNION ALL SELECT writing FROM library)"

/* Some films a statement: each answers within anybody's patience. *last: where to go on, 0: over */
static int sweep_some(int64_t *last, ks_hub *h, ks_error *e)
{
    enum { FILMS = 50 };
    ks_pq_rows r = {0};
    ks_pq_column id = {0};
    int code = ks_pq_ask(&r, h->pq, e, "SELECT id FROM video WHERE id > $1 ORDER BY id LIMIT $2",
                         "ll", *last, (int64_t)FILMS);
    int n = code;
    *last = n > 0 ? ks_pq_int(&r, n - 1, 0) : 0;
    for (int i = 0; i < n && code >= 0; i++)
        if (ks_pq_put_int(&id, ks_pq_int(&r, i, 0)))
            code = ks_fail(e, KS_ENOMEM, "no memory for a list of films");
    if (code >= 0 && n > 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "DELETE FROM clip WHERE video = ANY ($1) AND " NEITHER("space"), "a", &id);
    ks_pq_free(&r);
    ks_pq_column_free(&id);
    return code < 0 ? code : 0;
}

int ks_hub_tidy(ks_hub *h, ks_error *e)
{
    assert(h);
    int64_t last = 0;
    int code = ks_hub_begin(h, e);
    if (code >= 0) code = ks_hub_end(h, finish(h, e), e);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "SELECT 1::int8 FROM space WHERE swept = 0 AND " NEITHER("id"), "");
    if (code <= 0) return code;
    do code = sweep_some(&last, h, e);
    while (code >= 0 && last > 0);
    if (code >= 0) code = ks_pq_script(h->pq, "UPDATE space SET swept = 1 WHERE " NEITHER("id"), e);
    return code < 0 ? code : 0;
}

int ks_hub_switching(int64_t *done, int64_t *all, char model[65], ks_hub *h, ks_error *e)
{
    assert(done && all && model && h);
    ks_pq_rows r = {0};
    size_t n;
    int code = ks_pq_ask(&r, h->pq, e,
                         "SELECT (SELECT count(*) FROM video v WHERE v.finished = 1 AND EXISTS "
                         "(SELECT 1 FROM next_video n WHERE n.id = v.id)), (SELECT count(*) FROM "
                         "video WHERE finished = 1), s.model FROM library l JOIN space s ON s.id = "
                         "l.writing WHERE l.writing <> l.space",
                         "");
    if (code > 0) {
        *done = ks_pq_int(&r, 0, 0);
        *all = ks_pq_int(&r, 0, 1);
        const char *name = ks_pq_bytes(&n, &r, 0, 2);
        snprintf(model, 65, "%s", name ? name : "");
    }
    ks_pq_free(&r);
    return code;
}
