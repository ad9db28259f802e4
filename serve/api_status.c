/* api_status.c - how the library is, once or as it changes, and what did not go in. */
#include <stdlib.h>
#include <string.h>

#include "serve/server.h"

/* Server-sent events: one when something changed, a sign of life else. */
typedef struct {
    ks_server *srv;
    char *last, *next; /* status as it was said; the event under way */
    size_t at, bytes;  /* of next */
    double said;       /* when */
} stream;

static int open_stream(ks_flow *flow, ks_server *srv, ks_error *e);

static int write_status(FILE *f, ks_server *srv, ks_error *e)
{
    ks_session_state *all = calloc(1, sizeof *all);
    ks_session *s = NULL;
    ks_json j;
    int err = all ? ks_sessions_take(&s, srv->sessions, KS_FOR_LOOKING, e)
                  : ks_fail(e, KS_ENOMEM, "no memory");

    if (err == 0 && (err = ks_session_status(all, s, e)) == 0) {
        ks_json_start(&j, f);
        ks_json_status(&j, srv->o->library, all);
    }
    ks_sessions_give(srv->sessions, s);
    free(all);
    return err;
}

void ks_api_status(ks_reply *out, ks_call *c)
{
    ks_error e;
    int err = 0;

    if (c->r->accept && strstr(c->r->accept, "text/event-stream")) {
        if ((err = open_stream(&out->flow, c->srv, &e)) < 0) ks_reply_problem(out, err, e.msg);
        out->type = err < 0 ? out->type : "text/event-stream";
        return;
    }
    if (!ks_reply_open(out, "application/json")) return;
    err = write_status(out->f, c->srv, &e);
    ks_reply_end(out, err, &e);
}

/* --- events --- */
static void close_stream(void *arg)
{
    stream *s = arg;

    free(s->last);
    free(s->next);
    free(s);
}

/* "event: status\ndata: {...}\n\n" in s->next where something changed, ":\n\n" where nothing was
 * said for 5 s; 1: there is something to say. */
static int prepare(stream *s)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    ks_error e;
    int err = f ? write_status(f, s->srv, &e) : -1, said = 1;

    if (f && fclose(f) != 0) err = -1;
    free(s->next);
    s->next = NULL;
    s->at = s->bytes = 0;
    if (err == 0 && (!s->last || strcmp(s->last, text) != 0)) {
        int bytes = asprintf(&s->next, "event: status\ndata: %s\n", text);
        if (bytes < 0) s->next = NULL;
        s->bytes = bytes < 0 ? 0 : (size_t)bytes;
        free(s->last);
        s->last = text;
        text = NULL;
    } else if (ks_monotonic() - s->said >= 5) {
        s->next = strdup(":\n\n");
        s->bytes = s->next ? 3 : 0;
    } else {
        said = 0;
    }
    if (said) s->said = ks_monotonic();
    free(text);
    return said && s->bytes > 0;
}

/* A second, or until the end. 1: it goes on. */
static int sleep_or_stop(ks_server *srv)
{
    struct timespec until;
    int stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&srv->lock);
    while (!srv->stopping && pthread_cond_timedwait(&srv->woken, &srv->lock, &until) == 0) continue;
    stopping = srv->stopping;
    pthread_mutex_unlock(&srv->lock);
    return !stopping;
}

static int read_stream(void *arg, char *to, size_t most)
{
    stream *s = arg;
    size_t n;

    while (s->at == s->bytes) {
        if (s->last && !sleep_or_stop(s->srv)) return -1;
        if (!prepare(s) && !s->last && !sleep_or_stop(s->srv)) return -1;
    }
    n = s->bytes - s->at < most ? s->bytes - s->at : most;
    memcpy(to, s->next + s->at, n);
    s->at += n;
    return (int)n;
}

static int open_stream(ks_flow *flow, ks_server *srv, ks_error *e)
{
    stream *s = calloc(1, sizeof *s);

    if (!s) return ks_fail(e, KS_ENOMEM, "no memory");
    s->srv = srv;
    *flow = (ks_flow){read_stream, close_stream, s};
    return 0;
}

/* --- what did not go in --- */
void ks_api_bad(ks_reply *out, ks_call *c)
{
    ks_filter f = {.bad_only = 1};
    ks_cursor *rows = NULL;
    ks_session *s;
    ks_video v;
    ks_error e;
    ks_json *j;
    int err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);

    if (err == 0 && (j = ks_reply_json(out)) &&
        (err = ks_index_files(&rows, ks_session_index(s), &f, &e)) == 0) {
        ks_json_open(j, NULL, '[');
        while ((err = ks_files_next(&v, rows, &e)) > 0) ks_json_bad(j, &v);
        ks_json_close(j);
    }
    ks_cursor_close(rows);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
}
