/* serve.h - a library as a web page: one address, a JSON interface, pictures and films by
 * number.
 *
 *   ks_serve(&(ks_serve_options){.library = dir, .setup = &setup, .listening = say}, &e);
 *     until SIGINT or SIGTERM
 *
 *   bytes --front--> gate (head) --> guard (host, origin, token) --> libmicrohttpd --> a handler
 *     --> reply
 *
 * Nothing that has not passed gate and guard reaches libmicrohttpd, and no connection carries a
 * second request. */
#ifndef KS_SERVE_H
#define KS_SERVE_H

#include "ks.h"
#include "session/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *library;   /* its folder */
    const ks_setup *setup; /* of every session; notice goes into answers, too */
    const char *listen;    /* "HOST:PORT"; NULL: 127.0.0.1:8423, or the next free port */
    const char *socket;    /* in place of listen: a socket of this path, mode 0600; NULL: none */
    /* the page's files are read from there at every request; NULL: those in the program */
    const char *ui_dir;
    int read_only; /* nothing in the library is changed */
    /* Called once, when connections are taken: the address with its token, for one person's
     * eyes. */
    void (*listening)(void *arg, const char *url);
    void *arg;
} ks_serve_options; /* all borrowed */

/* Serves until SIGINT or SIGTERM, then ends every connection within a second. 0, or before the
 * first connection: KS_EUSAGE (an address that is none), KS_EIO (it is taken), errors of
 * ks_session_open. Of the main thread alone; changes the process' handling of both and of
 * SIGPIPE for good. */
int ks_serve(const ks_serve_options *o, ks_error *e);
int ks_serve_about(ks_fact *facts, int max); /* libmicrohttpd's version */

#ifdef __cplusplus
}
#endif
#endif
