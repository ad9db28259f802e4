/* indexer.h - who has the encoder and the catalog: items -> vectors -> rows. With several encoders
 * each has a thread, and one of them at a time everything here but its own encoder: the turn. */
#ifndef KS_INDEXER_H
#define KS_INDEXER_H

#include "ingest/jobs.h"

/* An encoder, and what a GPU's is worth. */
typedef struct {
    ks_embedder embedder;
    int64_t unproven; /* the first clip that no sample of the GPU's has proven; 0: all are */
    int64_t held;     /* samples that did when it was noted */
    int missed;       /* 1: one did not, and what was to be done about it is done */
} ks_card;

typedef struct {
    ks_index *x;
    const ks_ingest_options *o;
    ks_card card[KS_CARDS]; /* [cards] */
    int cards;
    pthread_mutex_t turn;
    ks_clip_queue *clip_queue;
    ks_triage *triage;
    ks_ingest_summary *sum;
    struct ks_active **active; /* [n_active] jobs that readers are at */
    int n_active, room_active;
    int pass;     /* from 1 on */
    int anew;     /* 1: some jobs of this pass are to be done once more */
    double began; /* monotonic seconds */
    double said, progress_at;
    int64_t bytes_done, settled; /* of jobs that are over, however they ended */
} ks_indexer;
int ks_indexer_take(ks_indexer *k, ks_card *card, ks_item *p, ks_error *e); /* takes p */
/* Commits what is encoded; each GPU's newest clip is a sample before. Alone. */
int ks_indexer_flush(ks_indexer *k, ks_error *e);
/* what was kept of unfinished films, into the summary */
void ks_indexer_count_begun(ks_indexer *k);
void ks_indexer_free(ks_indexer *k);
/* The PROGRESS event, at most five a second; the row for `status`, every few seconds, clips or
 * not: both in a turn. */
void ks_indexer_progress(ks_indexer *k, int always);
int ks_indexer_note(ks_indexer *k, ks_error *e);
int ks_indexer_write_progress(ks_indexer *k, ks_error *e);

/* --- cards.c: an encoder's thread --- */
typedef struct {
    ks_indexer *k;
    int card; /* its place */
    pthread_t thread;
    int err;
    ks_error why;
} ks_card_thread;
/* The next item, if one comes in this time. */
int ks_card_work(ks_indexer *k, int card, double seconds, ks_error *e);
/* Of all but the first, whose thread is the caller's. */
int ks_cards_start(ks_card_thread threads[KS_CARDS], ks_indexer *k, ks_error *e);
/* Once the queue is over, or all are to quit. The first error of theirs. */
int ks_cards_join(ks_card_thread threads[KS_CARDS], ks_error *e);

/* --- doubt.c: what a GPU encoded since the last sample that held --- */
/* What a run left that was killed before its last sample goes. */
int ks_doubt_begin(ks_indexer *k, ks_error *e);
/* In a commit's transaction, before its clips; *first is c->unproven once it is durable. */
int ks_doubt_note(int64_t *first, ks_indexer *k, ks_card *c, ks_error *e);
/* 1: a sample did not hold: before anything more is committed, what is at work goes, and */
int ks_doubt_is_due(const ks_card *c);
/* ... the clips since the last that did, the other cards' among them; their jobs are `anew`. */
int ks_doubt_drop(ks_indexer *k, ks_card *c, ks_error *e);
/* All there is was committed, and a sample of each card's after it held. */
int ks_doubt_end(ks_indexer *k, ks_error *e);

#endif
