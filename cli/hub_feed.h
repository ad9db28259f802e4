/* hub_feed.h - what is new in a folder, to a hub's queue. */
#ifndef KS_HUB_FEED_H
#define KS_HUB_FEED_H

#include "cli/commands.h"
#include "ingest/ingest.h"

/* `ingest` where -L names a hub: o as for ks_ingest (paths, globs ...). *queued: films that were
 * not in the queue. Folders that are gone, or not the roots they should be, are errors and nothing
 * is touched. */
int ks_feed(int64_t *queued, ks_ingest_summary *sum, const ks_globals *g,
            const ks_ingest_options *o, ks_error *e);

#endif
