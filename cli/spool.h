/* spool.h - output that waits for nobody: what a command prints into a pipe lies in a file
 * without a name until the command has let go of the library. A reader that stands still then
 * holds no snapshot, and the writer's log can shrink. */
#ifndef KS_SPOOL_H
#define KS_SPOOL_H

#include "ks.h"

typedef struct {
    /* where standard output led; -1: it is written directly (no pipe, or no room in TMPDIR) */
    int reader;
} ks_spool;

void ks_spool_begin(ks_spool *s);
/* What was printed goes on to its reader. KS_EIO; a reader that is gone is none. */
int ks_spool_end(ks_spool *s, ks_error *e);

#endif
