/* http.h - one GET into a file, through libcurl, which is loaded when the first one starts. */
#ifndef KS_HTTP_H
#define KS_HTTP_H

#include "ks.h"

enum { KS_VALIDATOR_MAX = 256 };

typedef struct {
    const char *url, *name; /* name: for progress */
    /* what is there, `have` bytes; what continues it is written behind it */
    int fd;
    int64_t have; /* bytes already there */
    /* the file's length: more is not taken, another is refused once it is said; 0: not known */
    int64_t most;
    int quiet;
    const char *option;               /* "--from" */
    char validator[KS_VALIDATOR_MAX]; /* in: of what is there, ""; out: of what comes */
    /* Before the first byte is written. over: it does not continue what is there but is the
     * whole file from its start. Returns the descriptor to write to, or -1 with errno. */
    int (*starts)(void *arg, const char *validator, int over);
    /* so many bytes of the file are written; 0, or -1 with errno */
    int (*grows)(void *arg, int64_t at);
    void *arg;
    int64_t received; /* out: bytes of body that were taken */
    int final;        /* out: trying again will not help */
} ks_http_get;

/* KS_ENET (with final where it is), KS_EIO (disk), KS_ENOMEM. Never endless: less than 512 bytes
 * a second for a minute, more header than 256 KiB, more page than 64 KiB or more body than the
 * file has end it. */
int ks_http_fetch(ks_http_get *get, ks_error *e);

/* The version of libcurl, or that it is not here, in text[n]; loads it. */
void ks_http_about(char *text, size_t n);

#endif
