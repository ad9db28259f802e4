/* hub_library.h - a hub from the command line: where it is, and the mirror that answers for it. */
#ifndef KS_HUB_LIBRARY_H
#define KS_HUB_LIBRARY_H

#include <sys/types.h>

#include "cli/commands.h"

enum { KS_HUB_PATIENCE = 8, KS_HUB_READERS = 3 }; /* seconds without a byte */

/* The hub that -L names; KS_EUSAGE where it names a folder. */
int ks_reach_hub(ks_hub **h, const ks_globals *g, ks_error *e);
/* What this machine keeps of it (malloc'ed), and where its roots lie here. */
int ks_hub_here(char **folder, ks_hub_roots *roots, const ks_globals *g, ks_error *e);
/* The mirror (malloc'ed), as the hub is now. A hub that cannot be reached is one notice where there
 * is a mirror. done may be NULL: what was pulled. */
int ks_hub_mirror(char **library, ks_hub_pulled *done, const ks_globals *g, ks_error *e);
/* The same, and what goes wrong is an error. */
int ks_hub_sync(char **library, ks_hub_pulled *done, const ks_globals *g, ks_error *e);
/* The same, and a process beside us that goes on so, until it is killed or we end: a look every
 * `every` seconds, one notice each time the hub goes away. */
int ks_hub_follow(pid_t *child, char **library, const ks_globals *g, double every, ks_error *e);
/* After a pull: the library's scale, from its clips alone. */
void ks_hub_scale(ks_index *x, const ks_globals *g, const ks_library *l);
/* To write what people keep: the library, or the mirror that answers for a hub, which must be there
 * and let us. ks_keep_close sends on what was kept, also after an error (err, which it returns),
 * and brings the mirror up to date. */
int ks_keep_open(ks_index **x, const ks_globals *g, ks_error *e);
int ks_keep_close(ks_index *x, const ks_globals *g, int err, ks_error *e);
/* The same in the mirror of the hub that g->library names: what `keep` does goes to the hub. */
typedef int ks_keeping(void *arg, ks_index *x, ks_error *e);
int ks_keep_in_mirror(const ks_globals *g, ks_keeping *keep, void *arg, ks_error *e);
/* `forget` (to NULL), `relocate` where -L names a hub: paths here, or /ROOT:/REST where a root is
 * not mounted. *files: how many were known there. */
int ks_hub_elsewhere(int64_t *files, const ks_globals *g, const char *from, const char *to,
                     ks_error *e);

#endif
