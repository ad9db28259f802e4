/* listen.h - an address as people write it -> a socket that listens. */
#ifndef KS_LISTEN_H
#define KS_LISTEN_H

#include "ks.h"

typedef struct {
    int fd;
    int port;       /* 0: a socket of a path */
    char name[256]; /* the host as it was given; "" a socket of a path */
    char url[320];  /* "http://127.0.0.1:8423" */
    char path[108]; /* of the socket, to be removed at the end; "" none */
} ks_listener;

/* "HOST:PORT"; NULL: 127.0.0.1:8423 or the next free port. KS_EUSAGE, KS_EIO. */
int ks_listen_at(ks_listener *l, const char *address, ks_error *e);
/* A socket that only this user may use. One that nobody listens on any more is replaced. */
int ks_listen_on_path(ks_listener *l, const char *path, ks_error *e);
void ks_listen_close(ks_listener *l);

#endif
