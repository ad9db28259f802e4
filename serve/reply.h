/* reply.h - what a handler answers, before it is bytes on a connection. */
#ifndef KS_REPLY_H
#define KS_REPLY_H

#include <stdio.h>

#include "formats/formats.h"
#include "ks.h"

/* A body that is made while it is sent. */
typedef struct {
    /* Up to `most` bytes -> to, waits for them; 0 or less: the end. NULL: no such body. */
    int (*read)(void *arg, char *to, size_t most);
    void (*close)(void *arg);
    void *arg;
} ks_flow;
typedef struct {
    int status;
    const char *type; /* static */
    char *body;       /* [bytes], malloc'ed; the reply's */
    size_t bytes;
    const void *fixed; /* [bytes] static, in place of body */
    int gzipped;
    /* in place of both: [from, from + bytes) of a file; the reply's; -1: none */
    int fd;
    int64_t from, size;            /* size: of the whole, for 206 and 416; < 0: not said */
    ks_flow flow;                  /* in place of all; the reply's */
    char etag[48], attachment[96]; /* "" none */
    const char *cache;             /* Cache-Control, static; NULL: no-store */
    int ranges;                    /* 1: bytes may be asked for */
    double shows_from, shows_to;   /* of a part: seconds of the film; to 0: not said */
    FILE *f;                       /* of ks_reply_open */
    ks_json json;
} ks_reply;

void ks_reply_start(ks_reply *r);
void ks_reply_drop(ks_reply *r); /* frees what it holds */
/* Text that is written becomes the body: FILE, NULL where there is no memory (the reply is a
 * problem then). */
FILE *ks_reply_open(ks_reply *r, const char *type);
ks_json *ks_reply_json(ks_reply *r); /* the same for JSON; NULL likewise */
/* closes what was opened; err < 0: a problem in its place */
void ks_reply_end(ks_reply *r, int err, const ks_error *e);
/* RFC 9457; ks_err or an HTTP status. */
void ks_reply_problem(ks_reply *r, int code, const char *detail);
int ks_reply_status(int code);           /* ks_err -> status; a status as it is */
const char *ks_reply_reason(int status); /* "Not Found" */

#endif
