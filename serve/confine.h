/* confine.h - what the server, and each process beside it, may still do once it answers. */
#ifndef KS_CONFINE_H
#define KS_CONFINE_H

#include "ks.h"

enum { KS_WALLS_PATHS = 12 };
/* Paths of files and folders; NULL and those that are not there are passed over. */
typedef struct {
    const char *write[KS_WALLS_PATHS]; /* read, and files made, changed and removed in them */
    const char *read[KS_WALLS_PATHS];  /* beside the system's own libraries and settings */
    const char *program;               /* may be started, with what it loads; NULL: none */
} ks_walls;

/* For good, for this thread and all that it starts from now on: no file is written but below
 * `write`, none read but what is named and the system's, no program but one is started, nothing is
 * connected to. words: "seccomp, landlock", "none". */
void ks_confine(char *words, size_t room, const ks_walls *w);

#endif
