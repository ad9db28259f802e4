/* api_labels.c - labels that stay: what a film or the library has, a person's word, teaching. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api_body.h"

/* --- what is there --- */
typedef struct {
    ks_json *j;
    ks_index *x;
    const ks_video *film; /* NULL: no film is asked about */
    int64_t space;
    ks_error *e;
    int err;
} telling;

static int tell_mark(void *arg, const ks_label_mark *m)
{
    const telling *t = arg;
    ks_moment k = {.path = t->film->path,
                   .title = m->label,
                   .is_label = 1,
                   .said = m->said,
                   .rank = m->rank,
                   .video = m->video,
                   .tb = t->film->tb,
                   .start = m->start,
                   .end = m->end,
                   .best = m->start,
                   .score = m->score,
                   .cosine = m->cosine};

    ks_moment_film(&k, t->film);
    ks_json_entry(t->j, NULL, KS_ROWS_LABELS, &k);
    return 0;
}

static int tell_set(void *arg, const ks_stored_set *s)
{
    telling *t = arg;
    ks_filter f = {.video = t->film ? t->film->id : 0};

    ks_json_open(t->j, NULL, '{');
    ks_json_text(t->j, "set", s->name);
    ks_json_text(t->j, "how", s->how);
    ks_json_int(t->j, "labels", s->n);
    ks_json_int(t->j, "films", s->films);
    ks_json_int(t->j, "spans", s->spans);
    ks_json_int(t->j, "said", s->said);
    if (t->film) {
        ks_json_open(t->j, "marks", '[');
        t->err = ks_index_marks(t->x, s->name, &f, tell_mark, t, t->e);
        ks_json_close(t->j);
    }
    ks_json_close(t->j);
    return t->err < 0;
}

static void taught_json(ks_json *j, const ks_learnt_row *r, int current)
{
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "name", r->name);
    ks_json_int(j, "yes", r->yes);
    ks_json_int(j, "no", r->no);
    ks_json_int(j, "films", r->films);
    ks_json_number(j, "average_precision", r->ap < 0 ? (double)NAN : r->ap);
    ks_json_number(j, "low", r->ap < 0 ? (double)NAN : r->ap_low);
    ks_json_number(j, "high", r->ap < 0 ? (double)NAN : r->ap_high);
    ks_json_bool(j, "current", current);
    ks_json_close(j);
}

static int tell_learnt(void *arg, const ks_learnt_row *r)
{
    const telling *t = arg;

    taught_json(t->j, r, r->space == t->space);
    return 0;
}

static int tell_all(telling *t)
{
    int err;

    ks_json_open(t->j, NULL, '{');
    ks_json_open(t->j, "sets", '[');
    if ((err = ks_index_sets(t->x, tell_set, t, t->e)) == 0) err = t->err;
    ks_json_close(t->j);
    ks_json_open(t->j, "learnt", '[');
    if (err == 0) err = ks_index_learnt(t->x, NULL, tell_learnt, t, t->e);
    ks_json_close(t->j);
    ks_json_close(t->j);
    return err;
}

/* All sets with what they hold; with video= the spans of that film in each. */
void ks_api_labels(ks_reply *out, ks_call *c)
{
    ks_library *row = malloc(sizeof *row);
    ks_session *s = NULL;
    ks_video v = {0};
    char *path = NULL;
    telling t = {.film = NULL};
    ks_error e;
    int64_t id = 0;
    int err = row ? ks_param_int(&id, &c->params, "video", 1, INT64_MAX, &e)
                  : ks_fail(&e, KS_ENOMEM, "no memory");

    if (err == 0) err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);
    if (err == 0) err = ks_index_library(row, t.x = ks_session_index(s), &e);
    if (err == 0 && id && (err = ks_index_video(&v, t.x, id, &e)) == 0) {
        v.path = path = strdup(v.path);
        v.reason = "";
        t.film = &v;
        if (!path) err = ks_fail(&e, KS_ENOMEM, "no memory");
    }
    if (err == 0 && (t.j = ks_reply_json(out))) {
        t.space = row->space_id;
        t.e = &e;
        err = tell_all(&t);
    }
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
    free(path);
    free(row);
}

/* --- what is said --- */
/* {"set","label","video","start","end","yes"}: the set is made where there is none. */
void ks_api_say(ks_reply *out, ks_call *c)
{
    ks_wish *w = calloc(1, sizeof *w);
    ks_granted g;
    ks_error e;
    json_t *o = ks_body(c, &e);
    ks_json *j;
    int err = !w ? ks_fail(&e, KS_ENOMEM, "no memory") : !o ? KS_EUSAGE : 0;

    if (err == 0) {
        w->kind = KS_WISH_SAY;
        if ((err = ks_body_text(w->set, sizeof w->set, o, "set", 1, &e)) == 0 &&
            (err = ks_body_text(w->label, sizeof w->label, o, "label", 1, &e)) == 0)
            err = ks_body_span(w, o, &e);
    }
    if (err == 0) err = ks_writer_ask(&g, c->srv->writer, w, &e);
    if (err) ks_reply_problem(out, err, e.msg);
    else if ((j = ks_reply_json(out))) {
        ks_json_open(j, NULL, '{');
        ks_json_text(j, "set", w->set);
        ks_json_text(j, "label", w->label);
        ks_json_bool(j, "yes", w->yes);
        ks_json_close(j);
        ks_reply_end(out, 0, &e);
    }
    json_decref(o);
    free(w);
}

static int put_examples(ks_wish *w, ks_server *srv, const json_t *items, ks_error *e)
{
    enum { MOST = 1000 };
    const size_t n = json_array_size(items);
    ks_granted g;
    int err = 0;

    if (n > MOST) return ks_fail(e, KS_EUSAGE, "at most %d moments teach at once", MOST);
    w->kind = KS_WISH_EXAMPLE;
    for (size_t i = 0; i < n && err == 0; i++)
        if ((err = ks_body_span(w, json_array_get(items, i), e)) == 0)
            err = ks_writer_ask(&g, srv->writer, w, e);
    return err;
}

/* {"label","items":[{"video","start","end","yes"}]}: examples are added to those that are kept, and
 * to what was said. */
void ks_api_teach(ks_reply *out, ks_call *c)
{
    ks_wish *w = calloc(1, sizeof *w);
    ks_granted g = {0};
    ks_error e;
    json_t *o = ks_body(c, &e);
    ks_json *j;
    int err = !w ? ks_fail(&e, KS_ENOMEM, "no memory") : !o ? KS_EUSAGE : 0;

    if (err == 0 && (err = ks_body_text(w->label, sizeof w->label, o, "label", 1, &e)) == 0)
        err = put_examples(w, c->srv, json_object_get(o, "items"), &e);
    if (err == 0) {
        w->kind = KS_WISH_TEACH;
        err = ks_writer_ask(&g, c->srv->writer, w, &e);
    }
    if (err) ks_reply_problem(out, err, e.msg);
    else if ((j = ks_reply_json(out))) {
        const ks_learnt_row row = {.name = w->label,
                                   .yes = g.yes,
                                   .no = g.no,
                                   .films = g.films,
                                   .ap = g.ap,
                                   .ap_low = g.ap_low,
                                   .ap_high = g.ap_high};
        ks_json_open(j, NULL, '{');
        ks_json_open(j, "learnt", '[');
        taught_json(j, &row, 1);
        ks_json_close(j);
        ks_json_bool(j, "stood_in", g.stood_in);
        ks_json_int(j, "lost", g.lost);
        ks_json_close(j);
        ks_reply_end(out, 0, &e);
    }
    json_decref(o);
    free(w);
}
