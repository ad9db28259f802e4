/* api_store.c - a taught label stored over the library: asked here, where the vectors are read,
 * and written film by film by the process that may. */
#include <stdlib.h>
#include <string.h>

#include "serve/api_body.h"

typedef struct {
    ks_server *srv;
    ks_index *x;
    ks_wish *w;
    float *v; /* [dim], the taught weights */
    ks_learnt learnt;
    int64_t space;
    uint64_t hash;
    int64_t n, films, spans;
    int err, found;
    ks_error *e;
} storing;

/* FNV-1a: tells a label that was taught anew from the one before, no more. */
static uint64_t hash_of(const void *bytes, size_t n, uint64_t hash)
{
    for (size_t i = 0; i < n; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211ull;
    return hash;
}

static int take_learnt(void *arg, const ks_learnt_row *r)
{
    storing *s = arg;
    const size_t bytes = (size_t)r->dim * sizeof *r->w;

    s->found = 1;
    if (r->space != s->space)
        s->err = ks_fail(s->e, KS_ESPACE, "%s: it was taught on another model: teach it again",
                         r->name);
    else if (!(s->v = malloc(bytes))) s->err = ks_fail(s->e, KS_ENOMEM, "no memory for labels");
    if (s->err < 0) return 1;
    memcpy(s->v, r->w, bytes);
    s->learnt = (ks_learnt){.w = s->v, .bias = r->bias};
    s->hash = hash_of(&r->bias, sizeof r->bias, hash_of(s->v, bytes, 14695981039346656037ull));
    return 1;
}

static int stopping(storing *s)
{
    int stop;

    pthread_mutex_lock(&s->srv->lock);
    stop = s->srv->stopping;
    pthread_mutex_unlock(&s->srv->lock);
    return stop;
}

static int begin_film(void *arg, const ks_video *v)
{
    storing *s = arg;

    (void)v;
    s->n = 0;
    return s->err == 0;
}

static int take_row(void *arg, const ks_label_row *r)
{
    storing *s = arg;
    const ks_wish_mark k = {r->start, r->end, r->score, r->cosine};

    if (s->n == KS_WISH_MARKS_MOST)
        s->err = ks_fail(s->e, KS_EUSAGE,
                         "%s: it has too many spans for the page: kinoseek label "
                         "--learnt stores them",
                         r->path);
    if (s->err < 0) return 1;
    memcpy(s->w->text + sizeof(ks_wish_marks) + (size_t)s->n++ * sizeof k, &k, sizeof k);
    return 0;
}

static int end_film(void *arg, const ks_video *v)
{
    storing *s = arg;
    const ks_wish_marks head = {.hash = s->hash, .finished = v->finished, .n = s->n};
    ks_granted g;

    if (s->err == 0 && stopping(s)) s->err = ks_fail(s->e, KS_ESTOP, "the server is ending");
    if (s->err) return 1;
    memcpy(s->w->text, &head, sizeof head);
    s->w->film = v->id;
    s->err = ks_writer_ask(&g, s->srv->writer, s->w, s->e);
    s->films++;
    s->spans += s->n;
    return s->err != 0;
}

static int label_all(storing *s, ks_session *session)
{
    const char *const name = s->w->label;
    const ks_label_def def = {.name = name, .parent = "", .learnt = &s->learnt};
    ks_label_options o = {.labels = &name,
                          .n_labels = 1,
                          .defs = &def,
                          .each = 1,
                          .intervals = 1,
                          .due = begin_film,
                          .done = end_film};
    ks_encoder *enc;
    int err = ks_session_encoder(&enc, session, KS_TOWER_TEXT, s->e);

    if (err == 0) err = ks_session_scale(&o.scale, session, s->e);
    if (err == 0) err = ks_label(s->x, enc, &o, take_row, s, s->e);
    return err < 0 ? err : s->err;
}

static int store(storing *s, ks_session *session)
{
    ks_library *row = malloc(sizeof *row);
    int err = row ? ks_index_library(row, s->x = ks_session_index(session), s->e)
                  : ks_fail(s->e, KS_ENOMEM, "no memory");

    if (err == 0) {
        s->space = row->space_id;
        err = ks_index_learnt(s->x, s->w->label, take_learnt, s, s->e);
    }
    free(row);
    if (err < 0 || s->err < 0) return err < 0 ? err : s->err;
    if (!s->found) return ks_fail(s->e, KS_ENOTFOUND, "no label was taught under that name");
    return label_all(s, session);
}

/* {"label"}: its spans on every film, in the set of its name. */
void ks_api_store(ks_reply *out, ks_call *c)
{
    ks_error e;
    storing s = {.srv = c->srv, .w = calloc(1, sizeof *s.w), .e = &e};
    json_t *o = ks_body(c, &e);
    ks_session *session = NULL;
    ks_json *j;
    int err = !s.w ? ks_fail(&e, KS_ENOMEM, "no memory") : !o ? KS_EUSAGE : 0;

    if (err == 0 && (err = ks_body_text(s.w->label, sizeof s.w->label, o, "label", 1, &e)) == 0) {
        s.w->kind = KS_WISH_MARKS;
        memcpy(s.w->set, s.w->label, sizeof s.w->set);
        err = ks_sessions_take(&session, c->srv->sessions, KS_FOR_ASKING, &e);
    }
    if (err == 0) err = store(&s, session);
    if (err) ks_reply_problem(out, err, e.msg);
    else if ((j = ks_reply_json(out))) {
        ks_json_open(j, NULL, '{');
        ks_json_text(j, "set", s.w->set);
        ks_json_int(j, "films", s.films);
        ks_json_int(j, "spans", s.spans);
        ks_json_close(j);
        ks_reply_end(out, 0, &e);
    }
    ks_sessions_give(c->srv->sessions, session);
    json_decref(o);
    free(s.v);
    free(s.w);
}
