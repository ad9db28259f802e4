/* server.h - what a running server is made of, and what a handler gets; private to serve/. */
#ifndef KS_SERVER_H
#define KS_SERVER_H

#include <pthread.h>

#include "serve/conns.h"
#include "serve/guard.h"
#include "serve/opener.h"
#include "serve/sessions.h"
#include "serve/reply.h"
#include "serve/serve.h"
#include "serve/url.h"
#include "serve/writer.h"

typedef struct {
    const ks_serve_options *o;
    ks_sessions *sessions;
    ks_opener *opener;
    ks_writer *writer; /* NULL: read-only */
    const char *cache; /* a folder that may be written to; NULL: none */
    ks_conns *conns;
    ks_guard guard;
    pthread_mutex_t lock;
    pthread_cond_t woken; /* monotonic; everybody who waits while he answers, at the end */
    int stopping;
    int working; /* handlers at work */
} ks_server;

typedef struct {
    ks_server *srv;
    const ks_request *r;
    const char *tail; /* what stands behind the route's path: "12", "7.jpg"; "" */
    ks_params params;
    int viewer;       /* the connection, to see whether somebody still waits */
    const char *body; /* [body_bytes], of POST */
    size_t body_bytes;
} ks_call;

typedef void ks_handler(ks_reply *out, ks_call *c);
enum { KS_MAY_GET = 1, KS_MAY_POST = 2 };
typedef struct {
    const char *path; /* ends with '/': a tail follows */
    int may;          /* KS_MAY_GET (and HEAD), KS_MAY_POST */
    int writes;       /* changes the library: refused by --read-only */
    int64_t most;     /* bytes of a body */
    ks_handler *run;
} ks_route;

/* The route of a path, which is decoded in place. 0, or 400, 404, 405, 413 (routes.c). */
int ks_route_find(const ks_route **route, ks_request *r);
extern const char ks_read_only_words[];
void ks_route_run(ks_reply *out, ks_server *srv, const ks_conn *k);

ks_handler ks_api_search, ks_api_similar, ks_api_curve, ks_api_videos, ks_api_video, ks_api_clip;
ks_handler ks_api_status, ks_api_bad, ks_api_retry, ks_api_export, ks_api_formats, ks_page,
    ks_thumb, ks_film_bytes, ks_film_part, ks_openapi;
ks_handler ks_api_labels, ks_api_say, ks_api_teach, ks_api_store, ks_api_saved, ks_api_forget_saved;

/* A film of the catalog to be decoded: its row, and the file that is that film still. */
typedef struct {
    ks_video v; /* v.path is where it lies; owned */
    int fd;
    char name[256], path[KS_LENT_PATH]; /* path: of fd, for the decoder */
} ks_watched;
/* 0, < 0, or a status. ks_watched_close in any case (media.c). */
int ks_watched_open(ks_watched *w, ks_server *srv, ks_session *s, int64_t id, ks_error *e);
void ks_watched_close(ks_watched *w);

/* --- reach.c: what lies within the walls --- */
enum { KS_REACH_MODELS = 4 };
/* Before they stand: where models lie, malloc'ed or NULL: the library's own, those that were pulled
 * (a library may be switched to one under us), those that ship. */
void ks_reach_models(char *folders[KS_REACH_MODELS], ks_server *srv);
/* A failure whose cause is that the library or its model lies outside by now becomes one that says
 * so. */
void ks_reach_explain(ks_reply *out, ks_server *srv);

/* The fixed part of every answer's head: "Name: value\r\n" lines; names and values for
 * libmicrohttpd. */
typedef struct {
    const char *name, *value;
} ks_header;
extern const ks_header ks_fixed_headers[]; /* ends with a NULL name */

/* --- daemon.c: the one file that sees libmicrohttpd --- */
typedef struct ks_daemon ks_daemon;
int ks_daemon_start(ks_daemon **d, ks_server *srv, ks_error *e);
void ks_daemon_stop(ks_daemon *d);             /* waits for its threads; NULL is fine */
void ks_daemon_take(ks_daemon *d, ks_conn *k); /* a given connection; it ends it */

/* --- front.c: sockets until a request is known to be one --- */
typedef struct ks_front ks_front;
int ks_front_open(ks_front **f, ks_server *srv, ks_error *e); /* listens, and starts srv->guard */
const char *ks_front_url(const ks_front *f);
int ks_front_run(ks_front *f, ks_daemon *d, ks_error *e); /* until SIGINT or SIGTERM */
void ks_front_close(ks_front *f);                         /* NULL is fine */

#endif
