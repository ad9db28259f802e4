/* api_export.c - answers, or a selection of moments, in the formats that --format names. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api_question.h"
#include "serve/api_selection.h"

enum { ITEMS = 10000 };

void ks_selection_drop(ks_selection *s)
{
    for (int i = 0; i < s->n; i++) {
        free((char *)(uintptr_t)s->at[i].path);
        free((int64_t *)(uintptr_t)s->at[i].clips);
        free(s->titles[i]);
    }
    free(s->at);
    free((void *)s->titles);
    free(s->format);
    free(s->fps);
    free(s->title);
}

static int take_text(char **to, const json_t *o, const char *name, ks_error *e)
{
    const json_t *v = json_object_get(o, name);

    if (!v) return 0;
    if (!json_is_string(v)) return ks_fail(e, KS_EUSAGE, "%s is no text", name);
    return (*to = strdup(json_string_value(v)))
               ? 0
               : ks_fail(e, KS_ENOMEM, "no memory for a selection");
}

static int64_t ticks_of(double seconds, ks_timebase tb)
{
    return (int64_t)llround(seconds * tb.den / tb.num);
}

/* Times in JSON are rounded to milliseconds: those of a clip that is named are meant to the
 * tick. */
static int take_clips(ks_moment *m, const json_t *list, ks_index *x, ks_error *e)
{
    size_t n = json_array_size(list);
    double start = ks_seconds(m->start, m->tb), end = ks_seconds(m->end, m->tb);
    int64_t *clips = calloc(n + 1, sizeof *clips);
    ks_clip c;
    int err;

    m->clips = clips;
    if (!clips) return ks_fail(e, KS_ENOMEM, "no memory for a selection");
    for (size_t i = 0; i < n; i++) {
        clips[m->n_clips++] = json_integer_value(json_array_get(list, i));
        if ((err = ks_index_clip(&c, x, clips[i], e)) < 0) return err;
        if (c.video != m->video)
            return ks_fail(e, KS_EUSAGE, "clip %lld is of another film", (long long)clips[i]);
        if (fabs(ks_seconds(c.start, m->tb) - start) < 0.001) m->start = c.start;
        if (fabs(ks_seconds(c.end, m->tb) - end) < 0.001) m->end = c.end;
    }
    return 0;
}

/* {"video":7,"start":1.5,"end":3} and where known "clips", "best", "score", "cosine", "query",
 * as in an answer. */
static int take_moment(ks_moment *m, char **title, const json_t *o, ks_index *x, ks_error *e)
{
    double start = json_number_value(json_object_get(o, "start")),
           end = json_number_value(json_object_get(o, "end"));
    const json_t *best = json_object_get(o, "best");
    ks_video v;
    int err;

    if (!(start >= 0 && end > start && end < 1e9))
        return ks_fail(e, KS_EUSAGE, "an item begins at 0 s or later, and ends after that");
    if ((err = ks_index_video(&v, x, json_integer_value(json_object_get(o, "video")), e)) < 0)
        return err;
    m->tb = v.tb;
    m->start = ticks_of(start, v.tb);
    m->end = ticks_of(end, v.tb);
    m->best = ticks_of(best ? json_number_value(best) : start, v.tb);
    m->score = json_number_value(json_object_get(o, "score"));
    m->cosine = json_number_value(json_object_get(o, "cosine"));
    m->video = v.id;
    m->path = strdup(v.path);
    ks_moment_film(m, &v);
    if (!m->path) return ks_fail(e, KS_ENOMEM, "no memory for a selection");
    if ((err = take_text(title, o, "query", e)) < 0) return err;
    if (*title) m->title = *title;
    return take_clips(m, json_object_get(o, "clips"), x, e);
}

static int take_items(ks_selection *s, const json_t *o, ks_index *x, ks_error *e)
{
    const json_t *items = json_object_get(o, "items");
    size_t n = json_array_size(items);
    int err = 0;

    if (n == 0 || n > ITEMS)
        return ks_fail(e, KS_EUSAGE, "items is a list of 1 to %d moments", ITEMS);
    if (!(s->at = calloc(n, sizeof *s->at)) || !(s->titles = calloc(n, sizeof *s->titles)))
        return ks_fail(e, KS_ENOMEM, "no memory for a selection");
    for (size_t i = 0; i < n && err == 0; i++) {
        s->n++;
        s->at[i].rank = (int)i + 1;
        s->at[i].title = s->title ? s->title : "selection";
        err = take_moment(&s->at[i], &s->titles[i], json_array_get(items, i), x, e);
    }
    return err;
}

static int take_selection(ks_selection *s, const ks_call *c, ks_index *x, ks_error *e)
{
    json_error_t bad;
    json_t *o = json_loadb(c->body, c->body_bytes, JSON_REJECT_DUPLICATES, &bad);
    int err;

    if (!json_is_object(o)) {
        json_decref(o);
        return ks_fail(e, KS_EUSAGE, "the body is no JSON object: %.100s", o ? "" : bad.text);
    }
    if ((err = take_text(&s->format, o, "format", e)) == 0 &&
        (err = take_text(&s->fps, o, "fps", e)) == 0 &&
        (err = take_text(&s->title, o, "title", e)) == 0)
        err = take_items(s, o, x, e);
    json_decref(o);
    return err;
}

/* --- out --- */
static int is_listed(ks_format_facts *facts, const char *name)
{
    for (int i = 0; name && ks_format_about(facts, i); i++)
        if (strcmp(facts->name, name) == 0) return 1;
    return 0;
}

static int write_as(ks_reply *out, const ks_format_facts *facts, const ks_out_options *o,
                    const ks_moment *at, int n, ks_error *e)
{
    FILE *f = ks_reply_open(out, strcmp(facts->name, "jsonl") == 0 ? "application/x-ndjson"
                                                                   : "application/octet-stream");
    ks_out_target to = {.stream = f};
    ks_out *w = NULL;
    int err = f ? ks_out_open(&w, &to, ks_find_format(facts->name), o, e)
                : ks_fail(e, KS_ENOMEM, "no memory for an export");

    for (int i = 0; i < n && err == 0; i++) err = ks_out_entry(w, &at[i], e);
    if (err == 0) err = ks_out_end(w, e);
    ks_out_close(w);
    snprintf(out->attachment, sizeof out->attachment, "attachment; filename=\"kinoseek%s\"",
             facts->ending);
    return err;
}

static int export_as(ks_reply *out, const char *format, const char *fps, const char *command,
                     const ks_moment *at, int n, ks_error *e)
{
    ks_out_options o = {.rows = KS_ROWS_MOMENTS, .command = command};
    ks_format_facts facts;

    if (!is_listed(&facts, format))
        return ks_fail(e, KS_EUSAGE, "format takes " KS_FORMAT_NAMES ", not \"%.40s\"",
                       format ? format : "");
    if (fps && *fps && ks_rate_read(&o.fps, &o.drop, fps) < 0)
        return ks_fail(e, KS_EUSAGE, "fps takes 25, 29.97, 30000/1001, 29.97ndf, not \"%.40s\"",
                       fps);
    return write_as(out, &facts, &o, at, n, e);
}

static int export_answer(ks_reply *out, const ks_call *c, ks_session *s, const ks_question *q,
                         ks_error *e)
{
    char title[160];
    ks_answer a;
    int err = ks_ask(&a, s, q, NULL, e);

    if (err < 0) return err;
    snprintf(title, sizeof title, "kinoseek search %s", a.title);
    err = export_as(out, ks_param(&c->params, "format"), ks_param(&c->params, "fps"), title, a.at,
                    a.hits.count, e);
    ks_answer_free(&a);
    return err;
}

void ks_api_export(ks_reply *out, ks_call *c)
{
    static const char *const own[] = {"format", "fps", NULL};
    const int post = c->r->method == KS_METHOD_POST;
    ks_selection chosen = {0};
    ks_asked_for a;
    ks_session *s = NULL;
    ks_error e;
    int err = ks_asked_read(&a, c, own, &e);

    if (err == 0 && !post && !ks_asked_something(&a))
        err = ks_fail(&e, KS_EUSAGE, "say what to look for: q, like, plus; or send a selection");
    if (err == 0)
        err = ks_sessions_take(&s, c->srv->sessions, post ? KS_FOR_LOOKING : KS_FOR_ASKING, &e);
    if (err == 0 && !post) err = export_answer(out, c, s, &a.q, &e);
    if (err == 0 && post) err = take_selection(&chosen, c, ks_session_index(s), &e);
    if (err == 0 && post && chosen.format && strcmp(chosen.format, "zip") == 0)
        err = ks_pieces(out, c, &chosen, &e);
    else if (err == 0 && post)
        err = export_as(out, chosen.format, chosen.fps, "kinoseek selection", chosen.at, chosen.n,
                        &e);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
    ks_asked_drop(&a);
    ks_selection_drop(&chosen);
}

void ks_api_formats(ks_reply *out, ks_call *c)
{
    ks_format_facts f;
    ks_json *j = ks_reply_json(out);
    ks_error e = {0};

    (void)c;
    if (!j) return;
    ks_json_open(j, NULL, '[');
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "name", "zip");
    ks_json_text(j, "ending", ".zip");
    ks_json_text(j, "brief", "the pieces themselves, as kinoseek cut makes them");
    ks_json_text(j, "holds", KS_PIECES_HOLD);
    ks_json_close(j);
    for (int i = 0; ks_format_about(&f, i); i++) {
        ks_json_open(j, NULL, '{');
        ks_json_text(j, "name", f.name);
        ks_json_text(j, "ending", f.ending);
        ks_json_text(j, "brief", f.brief);
        ks_json_text(j, "holds", f.holds);
        ks_json_close(j);
    }
    ks_json_close(j);
    ks_reply_end(out, 0, &e);
}
