/* aide.h - processes beside the server for what it may not do itself: made before its walls stand,
 * each inside narrower ones of its own, and asked over a socket for one thing at a time. */
#ifndef KS_AIDE_H
#define KS_AIDE_H

#include "ks.h"

typedef struct {
    const char *name; /* of the process, at most 15 bytes; and in sentences */
    size_t in, out; /* bytes of a question and of an answer: structs as they are, 64 KiB at most */
    void (*begin)(void *arg); /* in the process, before the first question: its walls */
    /* Fills `out`, which comes as zeros. *fd: a descriptor for the asker, closed here; -1: none.
     * What stands in `in` is the word of a server that may have been taken over. */
    void (*answer)(void *out, int *fd, const void *in, void *arg);
    void *arg;
} ks_aide_how; /* borrowed until the stop, also by the processes */

typedef struct ks_aide ks_aide;
/* n processes (8 at most), by fork: before the first thread of ours. They end with the server. */
int ks_aide_start(ks_aide **a, const ks_aide_how *how, int n, ks_error *e);
/* Waits for one that is free, and for its answer. fd may be NULL: none is wanted. KS_EIO: the
 * process is gone. */
int ks_aide_ask(ks_aide *a, void *out, int *fd, const void *in, ks_error *e);
void ks_aide_stop(ks_aide *a); /* NULL is fine; waits for them */

#endif
