/* hub_keep.c - what people keep, written into a library or into the mirror of a hub, which hears of
 * it; and kept queries asked of what a mirror got. */
#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "cli/hub_library.h"
#include "cli/saved.h"

/* Another command of this machine may be bringing the mirror up to date: half a minute. */
static int open_kept(ks_index **x, const char *mirror, ks_error *e)
{
    const struct timespec nap = {0, 250000000};
    int err = ks_index_open(x, mirror, KS_KEEP, e);

    for (int i = 0; err == KS_EBUSY && i < 120; i++) {
        nanosleep(&nap, NULL);
        err = ks_index_open(x, mirror, KS_KEEP, e);
    }
    return err;
}

int ks_keep_open(ks_index **x, const ks_globals *g, ks_error *e)
{
    assert(x && g);
    ks_hub *h = NULL;

    *x = NULL;
    if (!g->hub) return ks_index_open(x, g->library, KS_KEEP, e);
    int err = g->hub_away
                  ? ks_fail(e, KS_ENET, "the hub is not there: nothing was kept, here or there")
                  : ks_hub_open(&h, g->hub, KS_HUB_PATIENCE, e);
    if (err == 0) err = ks_hub_may_keep(h, e);
    ks_hub_close(h);
    return err == 0 ? open_kept(x, g->library, e) : err;
}

int ks_keep_close(ks_index *x, const ks_globals *g, int err, ks_error *e)
{
    ks_globals hub = *g;
    ks_error why;
    char *mirror = NULL;

    ks_index_close(x);
    if (!g->hub || !x) return err;
    hub.library = g->hub;
    int sent = ks_hub_sync(&mirror, NULL, &hub, &why);
    free(mirror);
    return err < 0 || sent == 0
               ? err
               : ks_fail(e, sent, "%.400s: it is kept here, and goes to the hub with the next sync",
                         why.msg);
}

int ks_keep_in_mirror(const ks_globals *g, ks_keeping *keep, void *arg, ks_error *e)
{
    char *folder = NULL, *again = NULL;
    ks_index *x = NULL;
    int err = ks_hub_sync(&folder, NULL, g, e), waits = 0;

    if (err == 0) err = open_kept(&x, folder, e);
    if (err == 0) err = keep(arg, x, e);
    if (x) waits = ks_hub_kept_waits(x, NULL);
    ks_index_close(x);
    if (err == 0 && waits > 0) err = ks_hub_sync(&again, NULL, g, e);
    free(again);
    free(folder);
    return err;
}

int ks_keep_saved(const ks_globals *g, const ks_saved_ways *ways, ks_error *e)
{
    assert(g && ways);
    ks_globals mirror = *g;
    ks_saved_ways here = *ways;
    char *folder = NULL;
    ks_index *x = NULL;
    int err = ks_hub_sync(&folder, NULL, g, e);

    mirror.library = folder;
    mirror.hub = g->library;
    here.g = &mirror;
    if (err == 0) err = open_kept(&x, folder, e);
    if (err == 0) err = ks_saved_run(NULL, x, &here, e);
    ks_index_close(x);
    free(folder);
    return err;
}
