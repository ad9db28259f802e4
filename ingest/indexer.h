/* indexer.h - the one thread that has the encoder and the catalog: items -> vectors -> rows. */
#ifndef KS_INDEXER_H
#define KS_INDEXER_H

#include "ingest/jobs.h"

typedef struct {
    ks_index *x;
    const ks_ingest_options *o;
    const ks_embedder *embedder;
    ks_clip_queue *clip_queue;
    ks_triage *triage;
    ks_ingest_summary *sum;
    struct ks_active *active; /* [n_active] jobs that readers are at */
    int n_active, room_active;
    int64_t unproven; /* the first clip that no sample of the GPU's has proven; 0: all are */
    int64_t held;     /* samples that did when it was noted */
    int missed;       /* 1: one did not, and what was to be done about it is done */
    int anew;         /* 1: some jobs are to be done once more, */
    int anew_pass;    /* and are now */
    double began;     /* monotonic seconds */
    double said, progress_at;
    int64_t bytes_done, settled; /* of jobs that are over, however they ended */
} ks_indexer;
int ks_indexer_take(ks_indexer *k, ks_item *p, ks_error *e); /* takes p */
/* Commits what is encoded; the GPU's newest clip is a sample before. */
int ks_indexer_flush(ks_indexer *k, ks_error *e);
/* what was kept of unfinished films, into the summary */
void ks_indexer_count_begun(ks_indexer *k);
void ks_indexer_free(ks_indexer *k);
/* the PROGRESS event, at most five a second */
void ks_indexer_progress(ks_indexer *k, int always);
/* the row for `status`, every few seconds, clips or not */
int ks_indexer_note(ks_indexer *k, ks_error *e);
int ks_indexer_write_progress(ks_indexer *k, ks_error *e);

/* --- doubt.c: what a GPU encoded since the last sample that held --- */
/* What a run left that was killed before its last sample goes. */
int ks_doubt_begin(ks_indexer *k, ks_error *e);
/* In a commit's transaction, before its clips; *first is k->unproven once it is durable. */
int ks_doubt_note(int64_t *first, ks_indexer *k, ks_error *e);
/* 1: a sample did not hold: before anything more is committed, what is at work goes, and */
int ks_doubt_is_due(const ks_indexer *k);
/* ... the clips since the last that did; their jobs are `anew`. */
int ks_doubt_drop(ks_indexer *k, ks_error *e);
/* All there is was committed, and a sample after it held. */
int ks_doubt_end(ks_indexer *k, ks_error *e);

#endif
