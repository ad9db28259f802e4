/* media.c - films as bytes: the file that the catalog means, or none. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/server.h"

int ks_watched_open(ks_watched *w, ks_server *srv, ks_session *s, int64_t id, ks_error *e)
{
    assert(w && srv && s);
    int err;

    *w = (ks_watched){.fd = -1};
    if ((err = ks_open_film(&w->fd, w->name, srv->opener, id, e))) return err;
    ks_lent_path(w->path, w->fd);
    if ((err = ks_index_video(&w->v, ks_session_index(s), id, e)) < 0) {
        w->v.path = NULL;
        return err;
    }
    w->v.reason = "";
    w->v.path = strdup(w->v.path); /* rows that are read later take its place */
    return w->v.path ? 0 : ks_fail(e, KS_ENOMEM, "no memory");
}

void ks_watched_close(ks_watched *w)
{
    if (w->fd >= 0) close(w->fd);
    free((char *)(uintptr_t)w->v.path);
    *w = (ks_watched){.fd = -1};
}

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {"mp4", "video/mp4"},   {"m4v", "video/mp4"},        {"mov", "video/mp4"},
        {"webm", "video/webm"}, {"mkv", "video/x-matroska"}, {"ogv", "video/ogg"},
        {"3gp", "video/3gpp"},  {"gif", "image/gif"},        {"png", "image/png"},
        {"jpg", "image/jpeg"},  {"jpeg", "image/jpeg"},      {"webp", "image/webp"}};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot + 1, types[i][0]) == 0) return types[i][1];
    return "application/octet-stream";
}

static void send_film(ks_reply *out, const ks_request *r, const struct stat *st, const char *name)
{
    int64_t from = 0, to = st->st_size - 1;

    snprintf(out->etag, sizeof out->etag, "\"%llx-%llx-%llx\"", (unsigned long long)st->st_size,
             (unsigned long long)st->st_mtim.tv_sec * 1000000000ull +
                 (unsigned long long)st->st_mtim.tv_nsec,
             (unsigned long long)st->st_ino);
    out->type = type_of(name);
    out->cache = "private, no-cache";
    out->ranges = 1;
    out->size = st->st_size;
    if (r->if_none_match && strcmp(r->if_none_match, out->etag) == 0) {
        out->status = 304;
        return;
    }
    if (r->range && (!r->if_range || strcmp(r->if_range, out->etag) == 0))
        out->status = ks_range_read(&from, &to, r->range, st->st_size);
    if (out->status == 416) return;
    out->from = from;
    out->bytes = (size_t)(to - from + 1);
}

void ks_film_bytes(ks_reply *out, ks_call *c)
{
    const char *rest = strchr(c->tail, '/');
    char name[256] = "";
    struct stat st;
    ks_error e;
    int fd = -1, err;

    if (rest && strcmp(rest, "/part") == 0) {
        ks_film_part(out, c);
        return;
    }
    err = ks_open_film(&fd, name, c->srv->opener, ks_id_read(c->tail), &e);
    if (err == 0 && fstat(fd, &st) < 0) err = ks_fail(&e, KS_EIO, "%s: %s", name, strerror(errno));
    if (err) {
        if (fd >= 0) close(fd);
        ks_reply_problem(out, err, e.msg);
        return;
    }
    send_film(out, c->r, &st, name);
    if (out->status == 200 || out->status == 206) out->fd = fd;
    else close(fd);
}
