/* front.c - sockets until a request is known to be one: peeks at the head as it comes, lets
 * gate, guard and routes judge it, and either refuses in words of its own or hands the
 * connection, unread, to libmicrohttpd. */
#include <assert.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "serve/listen.h"
#include "serve/server.h"

struct ks_front {
    ks_server *srv;
    ks_daemon *d;
    ks_listener listener;
    int epoll, signals;
    char url[400];
    char head[KS_HEAD_MOST + 1]; /* what was peeked at last */
};

/* After a refusal: what comes is read and dropped, so that the answer is not lost in a reset. */
static const double drain_seconds = 1;

static int watch(const ks_front *f, int fd, uint32_t events, void *what)
{
    struct epoll_event ev = {.events = events, .data.ptr = what};

    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* A thread that a library made before main has no mask of ours: it passes the signal on to the
 * thread that reads them. */
static void pass_on(int number) { syscall(SYS_tgkill, getpid(), getpid(), number); }

static int open_signals(ks_front *f)
{
    struct sigaction act = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads made from now on inherit it */
    return f->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int ks_front_open(ks_front **out, ks_server *srv, ks_error *e)
{
    assert(out && srv);
    const ks_serve_options *o = srv->o;
    ks_front *f = *out = calloc(1, sizeof *f);
    int err;

    if (!f) return ks_fail(e, KS_ENOMEM, "no memory");
    *f = (ks_front){.srv = srv, .listener.fd = -1, .epoll = -1, .signals = -1};
    err = o->socket ? ks_listen_on_path(&f->listener, o->socket, e)
                    : ks_listen_at(&f->listener, o->listen, e);
    if (err == 0 && ((f->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 || open_signals(f) < 0 ||
                     watch(f, f->listener.fd, EPOLLIN, &f->listener) < 0 ||
                     watch(f, f->signals, EPOLLIN, &f->signals) < 0))
        err = ks_fail(e, KS_EIO, "a server cannot wait for connections: %s", strerror(errno));
    if (err == 0) err = ks_guard_start(&srv->guard, f->listener.name, f->listener.port, e);
    if (err == 0)
        snprintf(f->url, sizeof f->url, "%s/?token=%s", f->listener.url, srv->guard.token);
    if (err < 0) {
        ks_front_close(f);
        *out = NULL;
    }
    return err;
}

const char *ks_front_url(const ks_front *f) { return f->url; }

void ks_front_close(ks_front *f)
{
    if (!f) return;
    ks_listen_close(&f->listener);
    if (f->epoll >= 0) close(f->epoll);
    if (f->signals >= 0) close(f->signals);
    free(f);
}

/* --- refusing --- */
static const char lost_words[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>kinoseek</title><h1>This "
    "address needs its token</h1>"
    "<p>Open the address that <code>kinoseek serve</code> printed when it was started: it ends "
    "with <code>?token=...</code>. "
    "A server that was started anew has a new one.\n";

/* The page itself, asked for by a person, says what to do; everything else is told as a problem,
 * or (401) nothing. */
static void fill_refusal(ks_reply *r, int status, const ks_request *q)
{
    static const char *const why[][2] = {{"421", "this server does not answer to that host name"},
                                         {"403", "only this server's own page may ask this"},
                                         {"413", "the body is larger than what is taken here"},
                                         {"429", "too many wrong tokens; wait a minute"}};
    char code[8];

    ks_reply_start(r);
    r->status = status;
    if (status == 401 && q && strcmp(q->path, "/") == 0) {
        r->type = "text/html; charset=utf-8";
        r->fixed = lost_words;
        r->bytes = sizeof lost_words - 1;
    }
    if (status == 401 || status == 303) return;
    snprintf(code, sizeof code, "%d", status);
    for (size_t i = 0; i < sizeof why / sizeof *why; i++)
        if (strcmp(why[i][0], code) == 0) {
            ks_reply_problem(r, status, why[i][1]);
            return;
        }
    ks_reply_problem(r, status, ks_reply_reason(status));
}

static size_t write_head(const ks_front *f, char *to, size_t room, const ks_reply *r)
{
    const ks_guard *g = &f->srv->guard;
    size_t n = (size_t)snprintf(
        to, room,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n",
        r->status, ks_reply_reason(r->status), r->type, r->bytes);

    if (r->status == 303)
        n += (size_t)snprintf(
            to + n, room - n,
            "Location: /\r\nSet-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict\r\n", g->cookie,
            g->secret);
    if (r->status == 405) n += (size_t)snprintf(to + n, room - n, "Allow: GET, HEAD, POST\r\n");
    for (const ks_header *h = ks_fixed_headers; h->name; h++)
        n += (size_t)snprintf(to + n, room - n, "%s: %s\r\n", h->name, h->value);
    return n + (size_t)snprintf(to + n, room - n, "\r\n");
}

static void drain(ks_front *f, ks_conn *k)
{
    ssize_t n;

    for (int i = 0; i < 16; i++)
        if ((n = recv(k->fd, f->head, KS_HEAD_MOST, MSG_DONTWAIT)) == 0 ||
            (n < 0 && errno != EAGAIN && errno != EINTR)) {
            ks_conns_drop(f->srv->conns, k, 1);
            return;
        } else if (n < 0) {
            return;
        }
}

/* The answer fits a socket's empty buffer: who does not read it loses it. */
static void refuse(ks_front *f, ks_conn *k, int status, const ks_request *q)
{
    char text[3072];
    ks_reply r;
    size_t n;

    fill_refusal(&r, status, q);
    n = write_head(f, text, sizeof text, &r);
    if (!(q && q->method == KS_METHOD_HEAD) && n + r.bytes <= sizeof text && r.bytes) {
        memcpy(text + n, r.fixed ? r.fixed : r.body, r.bytes);
        n += r.bytes;
    }
    ks_reply_drop(&r);
    if (send(k->fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 || shutdown(k->fd, SHUT_WR) < 0) {
        ks_conns_drop(f->srv->conns, k, 1);
        return;
    }
    ks_conns_draining(f->srv->conns, k, ks_monotonic() + drain_seconds);
    drain(f, k); /* what is here already wakes nobody again */
}

static void late(void *arg, ks_conn *k)
{
    static const char words[] =
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

    (void)arg;
    if (send(k->fd, words, sizeof words - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        shutdown(k->fd, SHUT_WR);
}

/* --- a connection --- */
/* 0 where the request is to be answered by its route. */
static int judge(ks_front *f, ks_conn *k)
{
    int status = ks_guard_judge(&f->srv->guard, &k->request, k->address, (int64_t)ks_monotonic());
    const ks_route *route = NULL;

    if (status == 0) status = ks_route_find(&route, &k->request);
    k->route = route;
    return status;
}

static void hand_over(ks_front *f, ks_conn *k)
{
    epoll_ctl(f->epoll, EPOLL_CTL_DEL, k->fd, NULL);
    if (ks_conns_give(f->srv->conns, k)) ks_daemon_take(f->d, k);
    else if (watch(f, k->fd, EPOLLIN | EPOLLET, k) < 0) ks_conns_drop(f->srv->conns, k, 1);
    else refuse(f, k, 503, &k->request);
}

static void look(ks_front *f, ks_conn *k)
{
    ssize_t n = recv(k->fd, f->head, KS_HEAD_MOST, MSG_PEEK | MSG_DONTWAIT);
    int end, status;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        ks_conns_drop(f->srv->conns, k, 1);
        return;
    }
    if (n < 0 || (end = ks_gate_end(f->head, (size_t)n)) == 0) return;
    if (end < 0) {
        refuse(f, k, -end, NULL);
        return;
    }
    if (!(k->head = malloc((size_t)end + 1))) {
        refuse(f, k, 503, NULL);
        return;
    }
    memcpy(k->head, f->head, (size_t)end);
    if ((status = ks_gate_read(&k->request, k->head, (size_t)end))) {
        refuse(f, k, status, NULL);
        return;
    }
    if ((status = judge(f, k))) refuse(f, k, status, &k->request);
    else hand_over(f, k);
}

static void own_address(char out[46], int fd)
{
    struct sockaddr_storage s;
    socklen_t n = sizeof s;
    const struct in6_addr *six = &((struct sockaddr_in6 *)&s)->sin6_addr;

    out[0] = 0;
    if (getsockname(fd, (struct sockaddr *)&s, &n) < 0) return;
    if (s.ss_family == AF_INET) inet_ntop(AF_INET, &((struct sockaddr_in *)&s)->sin_addr, out, 46);
    else if (s.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six))
        inet_ntop(AF_INET, six->s6_addr + 12, out, 46);
    else if (s.ss_family == AF_INET6) inet_ntop(AF_INET6, six, out, 46);
}

static void welcome(ks_front *f)
{
    int fd, on = 1;

    for (int i = 0;
         i < 64 && (fd = accept4(f->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;
         i++) {
        ks_conn *k = ks_conns_add(f->srv->conns, fd, ks_monotonic());
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        own_address(k->address, fd);
        if (watch(f, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, k) < 0) ks_conns_drop(f->srv->conns, k, 1);
    }
}

int ks_front_run(ks_front *f, ks_daemon *d, ks_error *e)
{
    assert(f && d);
    struct epoll_event at[64];
    double tick = ks_monotonic();
    int n, stop = 0;

    f->d = d;
    while (!stop) {
        if ((n = epoll_wait(f->epoll, at, 64, 250)) < 0 && errno != EINTR)
            return ks_fail(e, KS_EIO, "a server cannot wait for connections: %s", strerror(errno));
        for (int i = 0; i < n; i++) {
            ks_conn *k = at[i].data.ptr;
            if (at[i].data.ptr == &f->signals) stop = 1;
            else if (at[i].data.ptr == &f->listener) continue;
            else if (k->state == KS_CONN_HEAD) look(f, k);
            else if (k->state == KS_CONN_DRAIN) drain(f, k);
        }
        welcome(f); /* after the others: it may end one of them */
        if (ks_monotonic() - tick < 0.25) continue;
        tick = ks_monotonic();
        ks_conns_reap(f->srv->conns, tick, late, f);
    }
    return 0;
}
