/* api_saved.c - kept queries with what they found that is new; films that failed, once more. */
#include <stdlib.h>
#include <string.h>

#include "serve/api_body.h"
#include "serve/api_question.h"

/* --- what is kept --- */
enum { HITS = 50 }; /* of each query, the newest */

typedef struct {
    int64_t video, start, end;
    int told;
} found;

typedef struct {
    found at[HITS];
    int n;
} newest;

static int keep_hit(void *arg, const ks_saved_hit *hit, int told)
{
    newest *k = arg;

    k->at[k->n++] = (found){hit->video, hit->start, hit->end, told};
    return k->n == HITS;
}

/* A hit in a film that is not here any more is left out. */
static void hit_json(ks_json *j, ks_index *x, const found *h)
{
    ks_video v;
    ks_error e;

    if (ks_index_video(&v, x, h->video, &e) < 0) return;
    ks_json_open(j, NULL, '{');
    ks_json_int(j, "video", v.id);
    ks_json_path(j, "path", v.path);
    ks_json_seconds(j, "start", ks_seconds(h->start, v.tb));
    ks_json_seconds(j, "end", ks_seconds(h->end, v.tb));
    ks_json_bool(j, "told", h->told);
    ks_json_close(j);
}

static int tell_one(ks_json *j, ks_index *x, const ks_saved *v, ks_error *e)
{
    json_t *query = json_loads(v->query, 0, NULL);
    const json_t *options = json_object_get(query, "options");
    const char *words = json_string_value(json_object_get(query, "words"));
    newest hits = {.n = 0};
    int err = ks_index_saved_hits(x, v->name, HITS, keep_hit, &hits, e);

    ks_json_open(j, NULL, '{');
    ks_json_text(j, "name", v->name);
    ks_json_text(j, "words", words ? words : "");
    ks_json_open(j, "options", '[');
    for (size_t i = 0; i < json_array_size(options); i++)
        ks_json_text(j, NULL, json_string_value(json_array_get(options, i)));
    ks_json_close(j);
    ks_json_int(j, "told", v->told);
    ks_json_int(j, "waiting", v->waiting);
    ks_json_open(j, "hits", '[');
    for (int i = 0; i < hits.n; i++) hit_json(j, x, &hits.at[i]);
    ks_json_close(j);
    ks_json_close(j);
    json_decref(query);
    return err;
}

static void list(ks_reply *out, ks_call *c)
{
    ks_saved_list kept = {0};
    ks_session *s = NULL;
    ks_index *x;
    ks_error e;
    ks_json *j;
    int err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);

    if (err == 0 && (err = ks_index_saved(&kept, x = ks_session_index(s), &e)) == 0 &&
        (j = ks_reply_json(out))) {
        ks_json_open(j, NULL, '[');
        for (int i = 0; i < kept.n && err == 0; i++) err = tell_one(j, x, &kept.at[i], &e);
        ks_json_close(j);
    }
    ks_saved_free(&kept);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
}

/* --- to keep one --- */
/* A parameter of a question -> its option of the command line, where a kept query may have it. */
static int is_kept(const char *name)
{
    static const char *const names[] = {
        "plus",        "minus",        "and",         "or",    "not",        "then",   "unless",
        "within",      "like",         "path",        "after", "before",     "longer", "shorter",
        "film-longer", "per-video",    "in",          "label", "min-height", "merge",  "fold",
        "min-score",   "film-shorter", "orientation", NULL};

    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return 1;
    return 0;
}

static int add_option(json_t *list, const char *name, const char *value, ks_error *e)
{
    char option[64];

    if (strcmp(name, "k") == 0 || strcmp(name, "sort") == 0) return 0; /* how an answer looks */
    if (!is_kept(name)) return ks_fail(e, KS_EUSAGE, "a kept query has no %.40s", name);
    snprintf(option, sizeof option, "--%s", name);
    return json_array_append_new(list, json_string(option)) < 0 ||
                   json_array_append_new(list, json_string(value)) < 0
               ? ks_fail(e, KS_ENOMEM, "no memory for a query")
               : 0;
}

/* As `save` writes it: {"words":...,"options":[...]} (saved_query.c of the command line). */
static int write_query(char *to, size_t room, const ks_params *p, ks_error *e)
{
    const char *words = ks_param(p, "q");
    json_t *list = json_array(), *query = json_object();
    char *text = NULL;
    int err = list && query ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query");

    if (err == 0 && (!words || !*words))
        err = ks_fail(e, KS_EUSAGE, "a kept query begins with words");
    for (int i = 0; i < p->n && err == 0; i++)
        if (strcmp(p->name[i], "q") != 0) err = add_option(list, p->name[i], p->value[i], e);
    if (err == 0 && (json_object_set_new(query, "words", json_string(words)) < 0 ||
                     json_object_set(query, "options", list) < 0 ||
                     !(text = json_dumps(query, JSON_COMPACT | JSON_PRESERVE_ORDER))))
        err = ks_fail(e, KS_ENOMEM, "no memory for a query");
    if (err == 0 && (size_t)snprintf(to, room, "%s", text) >= room)
        err = ks_fail(e, KS_EUSAGE, "the query is too long to be kept");
    free(text);
    json_decref(list);
    json_decref(query);
    return err;
}

/* The answer where there is nothing to say. */
static void done(ks_reply *out, int err, const ks_error *e, const char *name, int64_t n)
{
    ks_json *j;

    if (err) ks_reply_problem(out, err, e->msg);
    else if ((j = ks_reply_json(out))) {
        ks_json_open(j, NULL, '{');
        ks_json_int(j, name, n);
        ks_json_close(j);
        ks_reply_end(out, 0, e);
    }
}

static void keep(ks_reply *out, ks_call *c)
{
    ks_wish *w = calloc(1, sizeof *w);
    ks_asked_for a = {0};
    ks_granted g;
    ks_error e = {0};
    json_t *o = ks_body(c, &e);
    int err = !w ? ks_fail(&e, KS_ENOMEM, "no memory") : !o ? KS_EUSAGE : 0;

    if (err == 0) {
        w->kind = KS_WISH_SAVE;
        err = ks_body_text(w->label, sizeof w->label, o, "name", 1, &e);
    }
    if (err == 0) err = ks_asked_read(&a, c, NULL, &e); /* what is wrong with it is said now */
    if (err == 0) err = write_query(w->text, sizeof w->text, &c->params, &e);
    if (err == 0) err = ks_writer_ask(&g, c->srv->writer, w, &e);
    done(out, err, &e, "kept", 1);
    ks_asked_drop(&a);
    json_decref(o);
    free(w);
}

/* GET: all, with their newest hits. POST: the question of the parameters under {"name"}. */
void ks_api_saved(ks_reply *out, ks_call *c)
{
    if (c->r->method != KS_METHOD_POST) list(out, c);
    else if (!c->srv->writer) ks_reply_problem(out, 403, ks_read_only_words);
    else keep(out, c);
}

static void ask_for(ks_reply *out, ks_call *c, ks_wish_kind kind, const char *said)
{
    ks_wish *w = calloc(1, sizeof *w);
    ks_granted g = {0};
    ks_error e = {0};
    json_t *o = ks_body(c, &e);
    int err = !w ? ks_fail(&e, KS_ENOMEM, "no memory") : !o ? KS_EUSAGE : 0;

    if (err == 0) {
        w->kind = (int32_t)kind;
        err = ks_body_text(w->label, sizeof w->label, o, "name", kind != KS_WISH_RETRY, &e);
    }
    if (err == 0) err = ks_writer_ask(&g, c->srv->writer, w, &e);
    done(out, err, &e, said, g.n);
    json_decref(o);
    free(w);
}

/* {"name"} */
void ks_api_forget_saved(ks_reply *out, ks_call *c)
{
    ask_for(out, c, KS_WISH_FORGET_SAVED, "forgotten");
}

/* {}: what failed is tried again by the next ingest. */
void ks_api_retry(ks_reply *out, ks_call *c) { ask_for(out, c, KS_WISH_RETRY, "films"); }
