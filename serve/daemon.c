/* daemon.c - libmicrohttpd, and nobody else sees it: it gets connections whose one request
 * passed gate and guard, reads the body, and writes the answer; a thread each, so that a slow
 * disk or a long question holds up nobody else.
 *
 * A connection carries one request: 0.9.75 would run one that is smuggled behind the first, and
 * what it makes of a second head the gate has not seen. A new connection on this machine costs
 * less than 0.1 ms.
 *
 * By dlopen: it brings GnuTLS and seven more shared objects along, which no search should load. */
#include <assert.h>
#include <microhttpd.h>

#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "serve/server.h"

enum { IDLE_SECONDS = 120, HEAD_MEMORY = 40 << 10, STREAM_BLOCK = 65536 };

typedef struct {
    struct MHD_Daemon *(*start)(unsigned, uint16_t, MHD_AcceptPolicyCallback, void *,
                                MHD_AccessHandlerCallback, void *, ...);
    void (*stop)(struct MHD_Daemon *);
    enum MHD_Result (*add)(struct MHD_Daemon *, MHD_socket, const struct sockaddr *, socklen_t);
    const union MHD_ConnectionInfo *(*info)(struct MHD_Connection *, enum MHD_ConnectionInfoType,
                                            ...);
    struct MHD_Response *(*from_callback)(uint64_t, size_t, MHD_ContentReaderCallback, void *,
                                          MHD_ContentReaderFreeCallback);
    struct MHD_Response *(*from_fd)(uint64_t, int, uint64_t);
    struct MHD_Response *(*from_buffer)(size_t, void *, enum MHD_ResponseMemoryMode);
    enum MHD_Result (*header)(struct MHD_Response *, const char *, const char *);
    enum MHD_Result (*queue)(struct MHD_Connection *, unsigned, struct MHD_Response *);
    void (*drop)(struct MHD_Response *);
    const char *(*version)(void);
} library;

struct ks_daemon {
    library lib;
    ks_server *srv;
    struct MHD_Daemon *mhd;
};

typedef struct {
    ks_server *srv;
    ks_flow flow;
} flowing;

static void at_work(ks_server *srv, int more)
{
    pthread_mutex_lock(&srv->lock);
    srv->working += more;
    pthread_cond_broadcast(&srv->woken);
    pthread_mutex_unlock(&srv->lock);
}

static ssize_t read_flow(void *arg, uint64_t at, char *to, size_t most)
{
    const flowing *f = arg;
    int n;

    (void)at;
    at_work(f->srv, 1);
    n = f->flow.read(f->flow.arg, to, most);
    at_work(f->srv, -1);
    return n <= 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void drop_flow(void *arg)
{
    const flowing *f = arg;

    f->flow.close(f->flow.arg);
    free(arg);
}

static struct MHD_Response *with_flow(const library *lib, ks_server *srv, ks_reply *r)
{
    flowing *f = malloc(sizeof *f);
    struct MHD_Response *m = NULL;

    if (f) {
        *f = (flowing){srv, r->flow};
        m = lib->from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_flow, f, drop_flow);
    }
    if (m) r->flow = (ks_flow){0};
    else free(f);
    return m;
}

/* The body changes hands; NULL: no memory, and it is still the reply's. */
static struct MHD_Response *with_body(const library *lib, ks_server *srv, ks_reply *r)
{
    struct MHD_Response *m;

    if (r->flow.read) {
        m = with_flow(lib, srv, r);
    } else if (r->fd >= 0) {
        if ((m = lib->from_fd(r->bytes, r->fd, (uint64_t)r->from))) r->fd = -1;
    } else if (r->fixed) {
        m = lib->from_buffer(r->bytes, (void *)(uintptr_t)r->fixed, MHD_RESPMEM_PERSISTENT);
    } else {
        if ((m = lib->from_buffer(r->bytes, r->body, MHD_RESPMEM_MUST_FREE))) r->body = NULL;
    }
    return m;
}

static int add_headers(const library *lib, struct MHD_Response *m, const ks_reply *r)
{
    char range[80];
    int ok = 1;

    for (const ks_header *h = ks_fixed_headers; h->name; h++)
        ok &= lib->header(m, h->name, h->value) == MHD_YES;
    ok &= lib->header(m, "Content-Type", r->type) == MHD_YES;
    ok &= lib->header(m, "Cache-Control", r->cache ? r->cache : "no-store") == MHD_YES;
    if (r->fixed) ok &= lib->header(m, "Vary", "Accept-Encoding") == MHD_YES;
    if (r->gzipped) ok &= lib->header(m, "Content-Encoding", "gzip") == MHD_YES;
    if (*r->etag) ok &= lib->header(m, "ETag", r->etag) == MHD_YES;
    if (*r->attachment) ok &= lib->header(m, "Content-Disposition", r->attachment) == MHD_YES;
    if (r->ranges) ok &= lib->header(m, "Accept-Ranges", "bytes") == MHD_YES;
    if (r->shows_to > 0) {
        snprintf(range, sizeof range, "%.3f-%.3f", r->shows_from, r->shows_to);
        ok &= lib->header(m, "X-Kinoseek-Seconds", range) == MHD_YES;
    }
    if (r->status == 206)
        snprintf(range, sizeof range, "bytes %lld-%lld/%lld", (long long)r->from,
                 (long long)r->from + (long long)r->bytes - 1, (long long)r->size);
    if (r->status == 416) snprintf(range, sizeof range, "bytes */%lld", (long long)r->size);
    if (r->status == 206 || r->status == 416)
        ok &= lib->header(m, "Content-Range", range) == MHD_YES;
    return ok;
}

static enum MHD_Result queue(const library *lib, ks_server *srv, struct MHD_Connection *c,
                             ks_reply *r)
{
    struct MHD_Response *m = with_body(lib, srv, r);
    enum MHD_Result done = MHD_NO;

    if (m && add_headers(lib, m, r)) done = lib->queue(c, (unsigned)r->status, m);
    if (m) lib->drop(m);
    ks_reply_drop(r);
    return done;
}

static enum MHD_Result take_body(ks_server *srv, ks_conn *k, const char *bytes, size_t n)
{
    if (!k->body || (int64_t)n > k->request.length - k->got) return MHD_NO;
    memcpy(k->body + k->got, bytes, n);
    ks_conns_arrived(srv->conns, k, (int64_t)n, 0);
    return MHD_YES;
}

/* libmicrohttpd's view of the method must be the gate's, and this the first request. */
static int is_expected(ks_conn *k, const char *method)
{
    static const char *const names[] = {"GET", "HEAD", "POST"};

    return k && k->served++ == 0 && strcmp(method, names[k->request.method]) == 0;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *bytes, size_t *n,
                              void **known)
{
    ks_daemon *d = arg;
    ks_server *srv = d->srv;
    const union MHD_ConnectionInfo *info = d->lib.info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    ks_conn *k = info ? info->socket_context : NULL;
    ks_reply r;

    (void)url, (void)version;
    if (!*known) {
        if (!is_expected(k, method)) return MHD_NO;
        if (k->request.length > 0 && !(k->body = malloc((size_t)k->request.length))) return MHD_NO;
        *known = k;
        return MHD_YES;
    }
    if (*n) {
        enum MHD_Result go_on = take_body(srv, k, bytes, *n);
        *n = 0;
        return go_on;
    }
    ks_conns_arrived(srv->conns, k, 0, 1);
    if (k->request.length > 0 && k->got != k->request.length) return MHD_NO;
    at_work(srv, 1);
    ks_reply_start(&r);
    ks_route_run(&r, srv, k);
    at_work(srv, -1);
    return queue(&d->lib, srv, c, &r);
}

static void connection(void *arg, struct MHD_Connection *c, void **context,
                       enum MHD_ConnectionNotificationCode what)
{
    ks_daemon *d = arg;
    ks_server *srv = d->srv;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = d->lib.info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = info ? ks_conns_given(srv->conns, info->connect_fd) : NULL;
    } else if (*context) {
        ks_conns_drop(srv->conns, *context, 0);
        *context = NULL;
    }
}

static size_t as_it_is(void *arg, struct MHD_Connection *c, char *text)
{
    (void)arg, (void)c;
    return strlen(text);
}

static void say_nothing(void *arg, const char *format, va_list args)
{
    (void)arg, (void)format, (void)args;
}

static void *open_library(void) { return dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL); }

static int load(library *lib, ks_error *e)
{
    static const char *const names[] = {"MHD_start_daemon",
                                        "MHD_stop_daemon",
                                        "MHD_add_connection",
                                        "MHD_get_connection_info",
                                        "MHD_create_response_from_callback",
                                        "MHD_create_response_from_fd_at_offset64",
                                        "MHD_create_response_from_buffer",
                                        "MHD_add_response_header",
                                        "MHD_queue_response",
                                        "MHD_destroy_response",
                                        "MHD_get_version"};
    void *const to[] = {&lib->start,         &lib->stop,    &lib->add,         &lib->info,
                        &lib->from_callback, &lib->from_fd, &lib->from_buffer, &lib->header,
                        &lib->queue,         &lib->drop,    &lib->version};
    void *so = open_library();

    if (!so)
        return ks_fail(e, KS_EIO,
                       "libmicrohttpd is not installed, which serves the page: apt-get install "
                       "libmicrohttpd12");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *symbol = dlsym(so, names[i]);
        if (!symbol) return ks_fail(e, KS_EIO, "libmicrohttpd here has no %s", names[i]);
        memcpy(to[i], &symbol,
               sizeof symbol); /* ISO C has no cast from object to function pointer */
    }
    return 0; /* stays loaded */
}

static int start(ks_daemon *d, ks_error *e)
{
    enum {
        HOW = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
              MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC
    };

    d->mhd = d->lib.start(HOW, 0, NULL, NULL, answer, d, MHD_OPTION_EXTERNAL_LOGGER, say_nothing,
                          NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
                          MHD_OPTION_CONNECTION_LIMIT, 2u * KS_CONNS_GIVEN,
                          MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
                          MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, as_it_is,
                          NULL, MHD_OPTION_NOTIFY_CONNECTION, connection, d, MHD_OPTION_END);
    return d->mhd ? 0 : ks_fail(e, KS_EIO, "libmicrohttpd %s does not start", d->lib.version());
}

int ks_daemon_start(ks_daemon **out, ks_server *srv, ks_error *e)
{
    assert(out && srv);
    ks_daemon *d = *out = calloc(1, sizeof *d);
    int err;

    if (!d) return ks_fail(e, KS_ENOMEM, "no memory");
    d->srv = srv;
    if ((err = load(&d->lib, e)) == 0) err = start(d, e);
    if (err == 0) return 0;
    free(d);
    *out = NULL;
    return err;
}

void ks_daemon_stop(ks_daemon *d)
{
    if (!d) return;
    d->lib.stop(d->mhd);
    free(d);
}

void ks_daemon_take(ks_daemon *d, ks_conn *k)
{
    assert(d && k && k->state == KS_CONN_GIVEN);
    struct sockaddr_in nobody = {.sin_family = AF_INET};

    /* It closes the descriptor where it takes it not. */
    if (d->lib.add(d->mhd, k->fd, (const struct sockaddr *)&nobody, sizeof nobody) != MHD_YES)
        ks_conns_drop(d->srv->conns, k, 0);
}

int ks_serve_about(ks_fact *facts, int max)
{
    library lib;
    ks_error e;

    if (max < 1) return 0;
    facts[0].name = "libmicrohttpd";
    snprintf(facts[0].value, sizeof facts[0].value, "%s",
             load(&lib, &e) < 0 ? "not here (serve needs it)" : lib.version());
    return 1;
}
