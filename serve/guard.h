/* guard.h - who may ask: the host that was meant, where the question comes from, and the token.
 * Pure but for its counters.
 *
 * The order is the defence: the host first (a page of evil.example whose name was turned to
 * 127.0.0.1 gets nothing, not even a refusal that it could tell apart), then the origin, then
 * the token. */
#ifndef KS_GUARD_H
#define KS_GUARD_H

#include "ks.h"
#include "serve/gate.h"

enum { KS_TOKEN = 33, KS_WRONG_MOST = 20 };

typedef struct {
    /* of the address that is printed; also taken as "Authorization: Bearer TOKEN" */
    char token[KS_TOKEN];
    /* of the cookie: the address in a history opens nothing once the server ended */
    char secret[KS_TOKEN];
    char cookie[32]; /* its name: with the port, for cookies know none */
    char name[256];  /* the host that was named to listen on; "" none */
    int wrong;       /* wrong tokens in this minute */
    int64_t minute;
} ks_guard;

/* KS_EIO: the system gives no random bytes. port 0: a socket of a path. */
int ks_guard_start(ks_guard *g, const char *name, int port, ks_error *e);

/* `address`: of this end of the connection, as digits ("127.0.0.1", "::1"); "" for a socket of a
 * path. now: seconds. 0: go on. Else the status to refuse with; 303: the token was right, a
 * cookie is to be set and the address cleaned. */
int ks_guard_judge(ks_guard *g, const ks_request *r, const char *address, int64_t now);

/* 1: equal; the time it takes says nothing of where they differ */
int ks_guard_same(const char *a, const char *b);

#endif
