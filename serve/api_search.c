/* api_search.c - questions: search, similar, and what is made of their answers for other
 * programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "serve/api_question.h"
#include "serve/server.h"

/* --- search, similar --- */
static void moments_json(ks_json *j, const char *key, const ks_moment *at, int n)
{
    ks_json_open(j, key, '[');
    for (int i = 0; i < n; i++) ks_json_entry(j, NULL, KS_ROWS_MOMENTS, &at[i]);
    ks_json_close(j);
}

/* Each moment is the object of --json. `below`: the nearest under the cut-off, where nothing
 * lies above it. */
static void answer_json(ks_json *j, const ks_answer *a, const char *notices, int64_t damaged,
                        double took)
{
    const ks_hits *h = &a->hits;

    ks_json_open(j, NULL, '{');
    ks_json_text(j, "query", a->title);
    moments_json(j, "moments", a->at, h->count);
    moments_json(j, "below", a->at + h->count, h->below);
    moments_json(j, a->only_lines ? "lines" : "named", a->more, a->n_more);
    ks_json_int(j, "searched", h->searched);
    ks_json_seconds(j, "seconds_searched", h->seconds_searched);
    ks_json_bool(j, "approximate", h->approximate);
    ks_json_int(j, "damaged", damaged);
    ks_json_text(j, "notice", notices);
    ks_json_seconds(j, "wall_seconds", took);
    ks_json_close(j);
}

/* The name of the file that only this process has means nothing to anybody. */
static void name_picture(char *title, const char *path)
{
    static const char word[] = "picture";
    const size_t n = strlen(path), m = sizeof word - 1;

    if (strncmp(title, path, n) != 0 || n < m) return;
    memcpy(title, word, m);
    memmove(title + m, title + n, strlen(title + n) + 1);
}

static int ask(ks_reply *out, ks_server *srv, ks_session *s, const ks_question *q, ks_error *e)
{
    double began = ks_monotonic();
    ks_answer a;
    ks_json *j;
    int err = ks_ask(&a, s, q, NULL, e);

    if (err < 0) return err;
    if (q->image) name_picture(a.title, q->image); /* the moments' query is the same text */
    if ((j = ks_reply_json(out)))
        answer_json(j, &a, ks_sessions_notices(srv->sessions, s),
                    ks_index_damaged(ks_session_index(s)), ks_monotonic() - began);
    ks_answer_free(&a);
    return 0;
}

/* A picture that was sent, as a file that only this process has. */
static int picture_file(int *fd, char path[40], const ks_call *c, ks_error *e)
{
    size_t done = 0;
    ssize_t n = 0;

    if (c->body_bytes == 0) return ks_fail(e, KS_EUSAGE, "the picture is empty");
    if ((*fd = memfd_create("picture", MFD_CLOEXEC)) < 0)
        return ks_fail(e, KS_EIO, "no room for a picture: %s", strerror(errno));
    while (done < c->body_bytes && (n = write(*fd, c->body + done, c->body_bytes - done)) > 0)
        done += (size_t)n;
    snprintf(path, 40, "/proc/self/fd/%d", *fd);
    return done == c->body_bytes ? 0
                                 : ks_fail(e, KS_EIO, "no room for a picture: %s", strerror(errno));
}

static int ask_with_picture(ks_reply *out, ks_call *c, ks_session *s, ks_asked_for *a, ks_error *e)
{
    char path[40];
    int fd = -1, err;

    if (c->r->method != KS_METHOD_POST) return ask(out, c->srv, s, &a->q, e);
    err = picture_file(&fd, path, c, e);
    a->q.image = path;
    if (err == 0) err = ask(out, c->srv, s, &a->q, e);
    a->q.image = NULL; /* path ends here */
    if (fd >= 0) close(fd);
    if (err == KS_ENOTFOUND || err == KS_EFORMAT) /* the name means nothing to anybody */
        err = ks_fail(e, KS_EFORMAT, "this is no picture that can be decoded");
    return err;
}

void ks_api_search(ks_reply *out, ks_call *c)
{
    ks_asked_for a;
    ks_session *s = NULL;
    ks_error e;
    const int picture = c->r->method == KS_METHOD_POST;
    int err = picture ? ks_asked_of_picture(&a, c, &e) : ks_asked_read(&a, c, NULL, &e);

    if (err == 0 && !picture && !ks_asked_something(&a) && !a.q.said)
        err = ks_fail(&e, KS_EUSAGE, "say what to look for: q, like, plus, said");
    a.q.names = 1;
    if (err == 0 && (err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_ASKING, &e)) == 0)
        err = ask_with_picture(out, c, s, &a, &e);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
    ks_asked_drop(&a);
}

/* "PATH@T" of a film of the catalog; malloc'ed. */
static int film_at(char **film, ks_session *s, const ks_params *p, ks_error *e)
{
    int64_t id = 0;
    double at = -1;
    ks_video v;
    int err, n;

    *film = NULL;
    if ((err = ks_param_int(&id, p, "video", 1, INT64_MAX, e)) < 0 ||
        (err = ks_param_seconds(&at, p, "t", e)) < 0 ||
        (err = ks_index_video(&v, ks_session_index(s), id, e)) < 0)
        return err;
    n = at < 0 ? asprintf(film, "%s", v.path) : asprintf(film, "%s@%s", v.path, ks_param(p, "t"));
    return n < 0 ? ks_fail(e, KS_ENOMEM, "no memory for a query") : 0;
}

void ks_api_similar(ks_reply *out, ks_call *c)
{
    static const char *const own[] = {"video", "t", "clip", NULL};
    const int named = ks_param(&c->params, "video") != NULL;
    int64_t clip = 0;
    ks_asked_for a;
    ks_session *s = NULL;
    ks_error e;
    char *film = NULL;
    int err = ks_asked_read(&a, c, own, &e);

    if (err == 0) err = ks_param_int(&clip, &c->params, "clip", 1, INT64_MAX, &e);
    if (err == 0 && (ks_asked_something(&a) || named + !!clip != 1))
        err = ks_fail(&e, KS_EUSAGE, "name one of clip, video (and t)");
    a.q.like = clip;
    if (err == 0) err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_ASKING, &e);
    if (err == 0 && named) err = film_at(&film, s, &c->params, &e);
    a.q.film = film;
    if (err == 0) err = ask(out, c->srv, s, &a.q, &e);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
    ks_asked_drop(&a);
    free(film);
}

/* --- curve --- */
/* Each point is a line of `curve --json`; where words were asked, 0.5 is the cut-off. */
static void curve_json(ks_json *j, const ks_curve *c)
{
    ks_json_open(j, NULL, '{');
    ks_json_int(j, "video", c->video);
    ks_json_seconds(j, "seconds", ks_seconds(c->duration, c->tb));
    ks_json_open(j, "points", '[');
    for (int i = 0; i < c->n; i++) {
        ks_json_open(j, NULL, '{');
        ks_json_seconds(j, "t", ks_seconds(c->at[i].at, c->tb));
        ks_json_number(j, "score", c->at[i].score);
        ks_json_number(j, "cosine", c->at[i].cosine);
        ks_json_close(j);
    }
    ks_json_close(j);
    ks_json_close(j);
}

void ks_api_curve(ks_reply *out, ks_call *c)
{
    static const char *const own[] = {"video", NULL};
    ks_asked_for a;
    ks_session *s = NULL;
    ks_curve curve = {0};
    ks_error e;
    ks_json *j;
    int err = ks_asked_read(&a, c, own, &e);

    a.q.in = a.q.in ? a.q.in : ks_param(&c->params, "video");
    if (err == 0 && (!ks_asked_something(&a) || !a.q.in))
        err = ks_fail(&e, KS_EUSAGE, "name a film, video, and what to look for: q, like, plus");
    if (err == 0) err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_ASKING, &e);
    if (err == 0 && (err = ks_ask_curve(&curve, s, &a.q, &e)) == 0 && (j = ks_reply_json(out)))
        curve_json(j, &curve);
    ks_reply_end(out, err, &e);
    ks_curve_free(&curve);
    ks_sessions_give(c->srv->sessions, s);
    ks_asked_drop(&a);
}
