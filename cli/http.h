/* http.h - one GET into a file, through libcurl, which is loaded when the first one starts. */
#ifndef KS_HTTP_H
#define KS_HTTP_H

#include "ks.h"

enum { KS_VALIDATOR_MAX = 256 };

typedef struct {
    const char *url, *name;  /* name: for progress */
    int fd;                  /* grows from `have` on; truncated where the server starts over */
    int64_t have;            /* bytes already there */
    int64_t most;            /* more than this is not taken; 0: not known */
    int quiet;
    const char *option;      /* "--from" */
    char validator[KS_VALIDATOR_MAX]; /* in: of what is there, ""; out: of what comes */
    void (*starts)(void *arg, const char *validator); /* before the first byte is written */
    void *starts_arg;
    int final;               /* out: trying again will not help */
} ks_http_get;

/* KS_ENET (with final where it is), KS_EIO (disk), KS_ENOMEM. */
int ks_http_fetch(ks_http_get *get, ks_error *e);

/* The version of libcurl, or that it is not here, in text[n]; loads it. */
void ks_http_about(char *text, size_t n);

#endif
