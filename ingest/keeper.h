/* keeper.h - the one thread that has the encoder and the catalog: parcels -> vectors -> rows. */
#ifndef KS_KEEPER_H
#define KS_KEEPER_H

#include "ingest/jobs.h"

typedef struct {
    ks_index *x;
    const ks_ingest_options *o;
    const ks_coder *coder;
    ks_belt *belt;
    ks_triage *triage;
    ks_ingest_summary *sum;
    struct ks_active *active; /* [n_active] jobs that readers are at */
    int n_active, room_active;
    double began; /* monotonic seconds */
    double said, progress_at;
    int64_t bytes_done, settled; /* of jobs that are over, however they ended */
} ks_keeper;
int ks_keeper_take(ks_keeper *k, ks_parcel *p, ks_error *e); /* takes p */
int ks_keeper_flush(ks_keeper *k, ks_error *e);              /* commits what is encoded */
/* what was kept of unfinished films, into the summary */
void ks_keeper_count_begun(ks_keeper *k);
void ks_keeper_free(ks_keeper *k);
/* the PROGRESS event, at most five a second */
void ks_keeper_progress(ks_keeper *k, int always);
/* the row for `status`, every few seconds, clips or not */
int ks_keeper_note(ks_keeper *k, ks_error *e);

#endif
