/* fault.h - a fault of this program in the middle of a film (a failed assertion, a wild pointer)
 * costs that film, not the run: the program starts anew in its place, with the film named, and
 * `ingest` gives it a verdict unread. */
#ifndef KS_FAULT_H
#define KS_FAULT_H

#include "cli/commands.h"

enum { KS_FAULT_SAID = 160 };
typedef struct {
    /* the film that the run before this one stopped at; NULL: none. Freed by ks_fault_free */
    char *path;
    int signal;
    double began; /* CLOCK_MONOTONIC seconds of the first one's beginning; 0: there was none */
    double spent; /* seconds since then */
    char said[KS_FAULT_SAID]; /* what it kept last (ks_fault_keep); "" nothing */
} ks_fault;

/* What the program that was here before left, and from now on such faults are caught. Once,
 * before any thread. */
int ks_fault_open(ks_fault *before, const ks_globals *g, ks_error *e);
void ks_fault_free(ks_fault *before); /* faults are deadly again */
/* This thread works on that film; NULL: on none, and a fault ends the program as it always did. */
void ks_fault_at_work(void *unused, const char *path);
/* For the program that starts anew: the latest text, without ':'. Of one thread. */
void ks_fault_keep(const char *said);
/* What is left to be read from stdin (bytes of text) is given to stdin again: for the program
 * that starts anew. */
void ks_fault_keep_stdin(const char *text, size_t bytes);

#endif
