/* ingest_tally.h - files that were done with, over all programs of an ingest that had to start anew
 * (fault.h). */
#ifndef KS_INGEST_TALLY_H
#define KS_INGEST_TALLY_H

#include "cli/fault.h"
#include "ingest/ingest.h"

typedef struct {
    long long clips, indexed, partly, skipped, moved, gone;
    double seconds;
    long long since; /* the library's generation when the first one began; -1: not known yet */
} ks_tally;

/* What the programs before this one kept; else zeros. */
void ks_tally_read(ks_tally *t, const ks_fault *before);
/* Once the library is open: what one of them kept and could say no more is counted too. */
int ks_tally_complete(ks_tally *t, ks_index *x, ks_error *e);
/* One file more, kept for the program that may come. */
void ks_tally_count(ks_tally *t, const ks_file_event *v);
void ks_tally_add(ks_ingest_summary *sum, const ks_tally *t);

#endif
