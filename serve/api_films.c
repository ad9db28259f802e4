/* api_films.c - what the catalog holds: films, clips, thumbnails. */
#include <stdlib.h>
#include <string.h>

#include "serve/server.h"

static void film_members(ks_json *j, const ks_video *v)
{
    char disk[256];

    ks_json_int(j, "video", v->id);
    ks_json_path(j, "path", v->path);
    ks_json_text(j, "verdict", ks_verdict_name(v->verdict));
    ks_json_text(j, "reason", v->reason);
    ks_json_seconds(j, "seconds", ks_seconds(v->duration, v->tb));
    ks_json_seconds(j, "seconds_missing", v->seconds_missing);
    ks_json_int(j, "date", v->film_date);
    ks_json_text(j, "date_source", ks_date_source_name(v->date_source));
    ks_json_int(j, "width", v->width);
    ks_json_int(j, "height", v->height);
    ks_json_rate(j, "fps",
                 v->rate_num > 0 && v->rate_den > 0 ? (double)v->rate_num / v->rate_den : v->fps);
    ks_json_bool(j, "variable", (v->flags & KS_VIDEO_VFR) != 0);
    ks_json_text(j, "timecode", v->timecode);
    ks_json_bool(j, "missing", ks_missing(disk, sizeof disk, v->path));
}

/* Files in the catalog's order, from the from-th on; `more` says that there are. */
static int list_films(ks_json *j, ks_index *x, const ks_params *p, ks_error *e)
{
    int64_t from = 0, k = 200, n = 0;
    ks_filter f = {.path_glob = ks_param(p, "path")};
    ks_cursor *c = NULL;
    ks_video v;
    int err;

    if ((err = ks_param_int(&from, p, "from", 0, INT64_MAX, e)) < 0 ||
        (err = ks_param_int(&k, p, "k", 1, 100000, e)) < 0 ||
        (err = ks_index_files(&c, x, &f, e)) < 0)
        return err;
    ks_json_open(j, NULL, '{');
    ks_json_open(j, "videos", '[');
    while (n <= from + k && (err = ks_files_next(&v, c, e)) > 0) {
        if (n++ < from || n > from + k) continue;
        ks_json_open(j, NULL, '{');
        film_members(j, &v);
        ks_json_close(j);
    }
    ks_cursor_close(c);
    ks_json_close(j);
    ks_json_bool(j, "more", n > from + k);
    ks_json_close(j);
    return err < 0 ? err : 0;
}

void ks_api_videos(ks_reply *out, ks_call *c)
{
    ks_session *s;
    ks_error e;
    ks_json *j;
    int err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);

    if (err == 0 && (j = ks_reply_json(out)))
        err = list_films(j, ks_session_index(s), &c->params, &e);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
}

static void clip_json(ks_json *j, const ks_clip *c, const ks_video *v)
{
    ks_moment k;

    ks_moment_clip(&k, c, v);
    ks_json_entry(j, NULL, KS_ROWS_CLIPS, &k);
}

/* A tail that is a number -> a row; KS_ENOTFOUND. The path is the caller's to free. */
static int film_of(ks_video *v, char **path, ks_index *x, int64_t id, ks_error *e)
{
    int err;

    *path = NULL;
    if (id == 0) return ks_fail(e, KS_ENOTFOUND, "this is no number of a film or a clip");
    if ((err = ks_index_video(v, x, id, e)) < 0) return err;
    v->path = *path = strdup(v->path); /* rows that are read later take its place */
    v->reason = "";
    return *path ? 0 : ks_fail(e, KS_ENOMEM, "no memory");
}

static int one_film(ks_json *j, ks_index *x, int64_t id, ks_error *e)
{
    ks_filter f = {.video = id};
    ks_cursor *c = NULL;
    ks_video v;
    ks_clip clip;
    char *path;
    int err = film_of(&v, &path, x, id, e);

    if (err == 0) err = ks_index_clips(&c, x, &f, e);
    if (err == 0) {
        ks_json_open(j, NULL, '{');
        film_members(j, &v);
        ks_json_open(j, "clips", '[');
        while ((err = ks_clips_next(&clip, c, e)) > 0) clip_json(j, &clip, &v);
        ks_json_close(j);
        ks_json_close(j);
    }
    ks_cursor_close(c);
    free(path);
    return err == KS_EDAMAGED ? 0 : err; /* what could be read is there */
}

void ks_api_video(ks_reply *out, ks_call *c)
{
    ks_session *s;
    ks_error e;
    ks_json *j;
    int err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);

    if (err == 0 && (j = ks_reply_json(out)))
        err = one_film(j, ks_session_index(s), ks_id_read(c->tail), &e);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
}

static int one_clip(ks_json *j, ks_index *x, int64_t id, ks_error *e)
{
    ks_video v;
    ks_clip clip;
    char *path = NULL;
    int err = id ? ks_index_clip(&clip, x, id, e)
                 : ks_fail(e, KS_ENOTFOUND, "this is no number of a clip");

    if (err == 0 && (err = film_of(&v, &path, x, clip.video, e)) == 0) clip_json(j, &clip, &v);
    free(path);
    return err;
}

void ks_api_clip(ks_reply *out, ks_call *c)
{
    ks_session *s;
    ks_error e;
    ks_json *j;
    int err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);

    if (err == 0 && (j = ks_reply_json(out)))
        err = one_clip(j, ks_session_index(s), ks_id_read(c->tail), &e);
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
}

/* "7.jpg"; with ?of=LIBRARY the page says which library it means, so that a browser may keep it. */
void ks_thumb(ks_reply *out, ks_call *c)
{
    char number[24] = "";
    size_t n = strlen(c->tail);
    uint8_t *jpeg = NULL;
    ks_session *s;
    ks_error e;
    int err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);

    if (n > 4 && n < sizeof number && strcmp(c->tail + n - 4, ".jpg") == 0)
        memcpy(number, c->tail, n - 4);
    if (err == 0) {
        int64_t id = ks_id_read(number);
        err = id ? ks_index_thumbnail(&jpeg, &out->bytes, ks_session_index(s), id, &e)
                 : ks_fail(&e, KS_ENOTFOUND, "this is no number of a clip");
        if (err == 0 && !jpeg)
            err = ks_fail(&e, KS_ENOTFOUND, "clip %lld has no picture", (long long)id);
    }
    out->body = (char *)jpeg;
    out->type = "image/jpeg";
    if (ks_param(&c->params, "of")) out->cache = "private, max-age=86400, immutable";
    ks_reply_end(out, err, &e);
    ks_sessions_give(c->srv->sessions, s);
}
