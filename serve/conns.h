/* conns.h - the connections there are, whoever holds them: the front until a head is in,
 * libmicrohttpd from then on. */
#ifndef KS_CONNS_H
#define KS_CONNS_H

#include "ks.h"
#include "serve/gate.h"

/* So many may wait with half a request, and so many be answered; of those that wait the oldest
 * makes room. */
enum { KS_CONNS_WAITING = 256, KS_CONNS_GIVEN = 64 };

typedef enum { KS_CONN_FREE, KS_CONN_HEAD, KS_CONN_DRAIN, KS_CONN_GIVEN } ks_conn_state;
typedef struct {
    int fd;
    ks_conn_state state;
    /* monotonic seconds; deadline of GIVEN: 0 once the request is all there */
    double since, deadline;
    char address[46]; /* of this end, digits; "" a socket of a path */
    char *head;       /* the bytes that request points into; malloc'ed, given ones */
    ks_request request;
    const void *route;
    char *body; /* [got] of request.length */
    int64_t got;
    int served; /* requests that libmicrohttpd showed: never two */
} ks_conn;

typedef struct ks_conns ks_conns;
int ks_conns_open(ks_conns **c, ks_error *e);
void ks_conns_close(ks_conns *c); /* NULL is fine; closes what the front held */
/* A new one in state HEAD; where too many wait the oldest is closed for it. NULL: no memory, fd
 * is closed. */
ks_conn *ks_conns_add(ks_conns *c, int fd, double now);
void ks_conns_drop(ks_conns *c, ks_conn *k, int and_close); /* forgets it */
/* the given one with this descriptor; NULL: none */
ks_conn *ks_conns_given(ks_conns *c, int fd);
int ks_conns_give(ks_conns *c, ks_conn *k); /* HEAD -> GIVEN; 0: too many are given */
void ks_conns_draining(ks_conns *c, ks_conn *k, double deadline); /* HEAD -> DRAIN */
/* of the body; all: no deadline any more */
void ks_conns_arrived(ks_conns *c, ks_conn *k, int64_t bytes, int all);
/* Ends those whose time is up: the front's are closed, given ones are shut down. late: told of a
 * HEAD one before. */
void ks_conns_reap(ks_conns *c, double now, void (*late)(void *arg, ks_conn *k), void *arg);
void ks_conns_shut(ks_conns *c); /* all of them, at the end */
int ks_conns_count(ks_conns *c, ks_conn_state state);

#endif
