/* listen.c - see listen.h. */
#include "serve/listen.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { TRIES = 100, BACKLOG = 1024 };

/* "[::1]:8423" -> name "::1", port 8423. */
static int split(char *name, size_t room, int *port, const char *address, ks_error *e)
{
    const char *colon = strrchr(address, ':'), *from = address, *to = colon;
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

    if (colon && address[0] == '[' && colon > address + 1 && colon[-1] == ']') from++, to--;
    else if (colon && memchr(address, ':', (size_t)(colon - address)))
        colon = NULL; /* ::1 without its brackets */
    if (!colon || to == from || digits == 0 || digits > 5 || colon[1 + digits] ||
        (size_t)(to - from) >= room || atoi(colon + 1) > 65535)
        return ks_fail(e, KS_EUSAGE,
                       "--listen takes HOST:PORT, such as 127.0.0.1:8423 or [::1]:8423, not \"%s\"",
                       address);
    memcpy(name, from, (size_t)(to - from));
    name[to - from] = 0;
    *port = atoi(colon + 1);
    return 0;
}

static int listen_one(int *fd, const struct addrinfo *a)
{
    int on = 1;

    *fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (*fd < 0) return -errno;
    setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(*fd, a->ai_addr, a->ai_addrlen) == 0 && listen(*fd, BACKLOG) == 0) return 0;
    int bad = -errno;
    close(*fd);
    *fd = -1;
    return bad;
}

static int port_of(int fd)
{
    struct sockaddr_storage s;
    socklen_t n = sizeof s;

    if (getsockname(fd, (struct sockaddr *)&s, &n) < 0) return 0;
    return ntohs(s.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&s)->sin6_port
                                         : ((struct sockaddr_in *)&s)->sin_port);
}

static int listen_port(int *fd, const char *name, int port, ks_error *e)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    char service[8];
    int bad;

    snprintf(service, sizeof service, "%d", port);
    if ((bad = getaddrinfo(name, service, &want, &found)))
        return ks_fail(e, KS_EUSAGE, "--listen %s: %s", name,
                       bad == EAI_SYSTEM ? strerror(errno) : gai_strerror(bad));
    bad = listen_one(fd, found);
    freeaddrinfo(found);
    return bad;
}

int ks_listen_at(ks_listener *l, const char *address, ks_error *e)
{
    assert(l);
    int port = 0, err, tries = address ? 1 : TRIES;

    *l = (ks_listener){.fd = -1};
    if ((err = split(l->name, sizeof l->name, &port, address ? address : "127.0.0.1:8423", e)) < 0)
        return err;
    *e = (ks_error){0};
    do err = listen_port(&l->fd, l->name, port, e);
    while (err == -EADDRINUSE && --tries > 0 && ++port < 65536);
    if (e->code) return e->code;
    if (err < 0) return ks_fail(e, KS_EIO, "%s port %d: %s", l->name, port, strerror(-err));
    l->port = port_of(l->fd);
    snprintf(l->url, sizeof l->url, strchr(l->name, ':') ? "http://[%s]:%d" : "http://%s:%d",
             l->name, l->port);
    return 0;
}

/* 1: somebody answers there. */
static int is_alive(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
        alive = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) == 0;

    if (fd >= 0) close(fd);
    return alive;
}

int ks_listen_on_path(ks_listener *l, const char *path, ks_error *e)
{
    assert(l && path);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    mode_t before;
    int bad;

    *l = (ks_listener){.fd = -1};
    if (!*path || strlen(path) >= sizeof at.sun_path)
        return ks_fail(e, KS_EUSAGE, "--socket %s: a path of a socket has 1 to %zu bytes", path,
                       sizeof at.sun_path - 1);
    strcpy(at.sun_path, path);
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode))
            return ks_fail(e, KS_EUSAGE, "%s: is there, and no socket", path);
        if (is_alive(&at)) return ks_fail(e, KS_EIO, "%s: somebody listens there already", path);
        unlink(path);
    }
    if ((l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    before = umask(0177);
    bad = bind(l->fd, (struct sockaddr *)&at, sizeof at) < 0 ? errno : 0;
    umask(before);
    if (!bad) strcpy(l->path, path);
    if (!bad && listen(l->fd, BACKLOG) < 0) bad = errno;
    if (bad) {
        ks_listen_close(l);
        return ks_fail(e, KS_EIO, "%s: %s", path, strerror(bad));
    }
    snprintf(l->url, sizeof l->url, "http://localhost");
    return 0;
}

void ks_listen_close(ks_listener *l)
{
    if (l->fd >= 0) close(l->fd);
    if (*l->path) unlink(l->path);
    *l = (ks_listener){.fd = -1};
}
