/* confine.h - what the server may still do once it answers: read, compute, and write its
 * library's locks and its cache. */
#ifndef KS_CONFINE_H
#define KS_CONFINE_H

#include "ks.h"

/* For good, for this thread and all that it starts from now on: no file is written but below
 * writable[n] (paths; NULLs are passed over), no program is started but `program` (may be NULL),
 * no socket is made, no other process is touched. What the kernel lacks is left out: `words`
 * says what is in force, "seccomp, landlock", "none". */
void ks_confine(char *words, size_t room, const char *const *writable, int n, const char *program);

#endif
