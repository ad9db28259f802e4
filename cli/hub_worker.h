/* hub_worker.h - films of a hub's queue, one after the other. */
#ifndef KS_HUB_WORKER_H
#define KS_HUB_WORKER_H

#include "cli/commands.h"

typedef struct {
    const ks_globals *g;
    double lease;        /* seconds */
    int idle_exit, json; /* idle_exit: when nothing is queued or at work */
    const char *encoder; /* as ingest's; NULL */
} ks_worker_how;
/* Returns the exit code: 0, 3 (some film was partly or failed), 130 or 143; or < 0. */
int ks_work(const ks_worker_how *how, ks_error *e);

#endif
