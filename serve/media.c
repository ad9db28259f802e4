/* media.c - films as bytes: the file that the catalog means, or none. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "serve/server.h"

/* No part of the path may be a link, and no pipe or device keeps us. */
static int open_plain(const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW,
                           .resolve = RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW); /* before 5.6 */
    return (int)fd;
}

/* One path of a film: 0 it is the film, else the status and why. */
static int open_path(int *fd, struct stat *st, ks_index *x, const ks_video *v, ks_error *e)
{
    int same = 0, err;

    if ((*fd = open_plain(v->path)) < 0 && errno == ELOOP)
        return ks_fail(e, 409, "the file of film %lld is a symbolic link now", (long long)v->id),
               409;
    if (*fd < 0) return ks_fail(e, 404, "film %lld: %s", (long long)v->id, strerror(errno)), 404;
    err = fstat(*fd, st) < 0 || !S_ISREG(st->st_mode)
              ? 0
              : ks_ingest_same_file(&same, x, *fd, st, v, e);
    if (err == 0 && same) return 0;
    close(*fd);
    *fd = -1;
    return ks_fail(e, 409,
                   "the file of film %lld is another one now: kinoseek ingest looks at it again",
                   (long long)v->id),
           409;
}

/* The first of a film's paths that is it still. 0, or < 0, or the status of the last one that
 * was tried. */
static int open_film(int *fd, struct stat *st, char *name, size_t room, ks_index *x, int64_t id,
                     ks_error *e)
{
    ks_filter f = {.video = id};
    ks_cursor *c = NULL;
    ks_video v;
    int err, status = 404;

    *fd = -1;
    ks_fail(e, 404, "there is no film of this number");
    if (id == 0 || (err = ks_index_files(&c, x, &f, e)) < 0) return id == 0 ? 404 : err;
    while (*fd < 0 && (err = ks_files_next(&v, c, e)) > 0) {
        if (v.id != id) continue;
        status = open_path(fd, st, x, &v, e);
        snprintf(name, room, "%s", ks_base_name(v.path));
    }
    ks_cursor_close(c);
    return err < 0 ? err : *fd >= 0 ? 0 : status;
}

int ks_watchable(ks_video *v, char **path, ks_index *x, int64_t id, ks_error *e)
{
    struct stat st;
    char name[256];
    int fd, status;

    *path = NULL;
    if ((status = open_film(&fd, &st, name, sizeof name, x, id, e))) return status;
    close(fd);
    if ((status = ks_index_video(v, x, id, e)) < 0) return status;
    return (*path = strdup(v->path)) ? 0 : ks_fail(e, KS_ENOMEM, "no memory");
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
    ks_session *s;
    ks_error e;
    int fd = -1, err;

    if (rest && strcmp(rest, "/part") == 0) {
        ks_film_part(out, c);
        return;
    }
    err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_LOOKING, &e);

    if (err == 0)
        err = open_film(&fd, &st, name, sizeof name, ks_session_index(s), ks_id_read(c->tail), &e);
    ks_sessions_give(c->srv->sessions, s);
    if (err) {
        ks_reply_problem(out, err, e.msg);
        return;
    }
    send_film(out, c->r, &st, name);
    if (out->status == 200 || out->status == 206) out->fd = fd;
    else close(fd);
}
