/* jobs.h - what the threads of an ingest hand to each other.
 *
 *   triage.c   list of files  -> jobs (one content each), and what became of all others
 *   reader.c   a thread a decoder: job -> frames -> shots, plan -> items of resized frames
 *              (ks_clip_queue)
 *   indexer.c   who has the encoder and the catalog: items -> vectors -> rows; several GPUs have
 *              an encoder and a thread each (cards.c), and take turns at the catalog
 *   pipeline.c starts them, ends them, reports
 *
 * A frame is resized once and goes to the indexer with the first clip that needs it; the indexer
 * holds its tokens until the reader's word (`oldest`) that no later clip needs it. The queue is
 * bounded, so memory is. */
#ifndef KS_JOBS_H
#define KS_JOBS_H

#include <pthread.h>
#include <stdatomic.h>

#include "decoder/decoder.h"
#include "ingest/embedder.h"
#include "ingest/identity.h"
#include "ingest/ingest.h"
#include "ingest/lookup.h"
#include "ingest/plan.h"
#include "ingest/scan.h"

enum { KS_CARDS = 1 + KS_CARDS_BESIDE };

typedef struct ks_jobs_job {
    ks_place place;
    uint8_t content[KS_CONTENT];
    uint64_t full;    /* xxh64 of all bytes, 0: not known yet */
    int64_t video;    /* 0: no row yet */
    int attempts;     /* failed ones before */
    int named, times; /* given by name; how often it was begun in this run */
    ks_place *also;   /* [n_also] further paths of the same content, met in this run */
    int n_also;
    ks_clip *have; /* [n_have] clips of an interrupted ingest, by start */
    char *planned; /* [n_have] 1: the plan of this run has it too */
    int n_have;
    int glance;         /* 1: it is surveyed by a glance alone */
    int in_order;       /* 1: its pictures could not be sought */
    int surveyed;       /* 1: counted as such in this run */
    int over;           /* 1: its verdict is in */
    ks_verdict verdict; /* as it was counted, */
    double seconds;     /* and what of it */
    int anew; /* the pass that did what is to come once more, as not to be believed; 0: none */
    int card; /* of the encoder that has it, one more than its place; 0: none yet */
    const ks_part *part; /* this part alone, of a film that is surveyed; NULL: the film */
    ks_keys keys;        /* malloc'ed; a part is come to by them */
} ks_job_file;

/* One resized frame on its way. */
typedef struct {
    int64_t number;
    uint8_t *px; /* [side, side, 3] */
} ks_item_frame;

typedef enum {
    KS_ITEM_CLIP,
    KS_ITEM_HERE,
    KS_ITEM_ANEW /* survey: what came of the film does not count */,
    KS_ITEM_END
} ks_item_kind;
typedef struct ks_item {
    struct ks_item *next;
    ks_item_kind kind;
    ks_job_file *job;
    /* CLIP */
    int64_t start, end, oldest; /* ticks; numbers below oldest are not needed after this clip */
    ks_timebase tb;             /* of those ticks */
    ks_reason reason;
    int T; /* number[T] */
    int64_t *number;
    ks_item_frame *frame; /* [n] new ones */
    int n;
    uint8_t *jpeg;
    size_t jpeg_bytes;
    /* HERE, CLIP: how far the reader is */
    double seconds, total; /* total: as the header says */
    /* END */
    ks_media media;
    ks_key *key; /* [n_keys] of the film, a second apart at least */
    int n_keys;
    ks_outcome outcome;
    uint64_t full; /* xxh64 of all bytes, of a film that went in; 0: none */
    int through;   /* of a part: all its clips were sent or are there */
    int glance;    /* of a survey: it is no more than one */
    int changed;   /* the file was not the same afterwards: nothing of it counts */
    int error;     /* ks_err that is no verdict: the machine failed */
    ks_error why;
} ks_item;

/* What is done with the films: the survey is a glance at all of them, then all its pictures. */
typedef enum { KS_PASS_WHOLE = 0, KS_PASS_GLANCE, KS_PASS_SURVEY } ks_pass;

/* The bounded queue, and the list of jobs that the readers take from. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t room, news;
    ks_item *first, *last;
    int clips, most; /* CLIPs waiting; bound */
    atomic_int quit; /* 1: everybody stops */
    ks_job_file *jobs;
    size_t n_jobs, next_job;
    ks_job_file **again; /* to be begun again: changed under our hands */
    size_t n_again;
    /* jobs begun whose END the indexer has not settled: they may come again */
    int at_work;
    int idle_ok; /* 1: no job will come any more */
    ks_pass survey;
    int readers;          /* threads alive */
    int cards;            /* encoders that take from it */
    int begun[KS_CARDS];  /* [cards] jobs each has */
    char spare[KS_CARDS]; /* [cards] 1: begins none while another does */
    atomic_int failed;    /* 1: one of them did, and everybody stops */
} ks_clip_queue;

/* takes p; 0, or -1 when everybody stops */
int ks_clip_queue_put(ks_clip_queue *b, ks_item *p);
/* The next of a job that this card has or may begin: all of a job goes to one, and new ones to
 * whoever has fewest. NULL: none came in that time. */
ks_item *ks_clip_queue_take(ks_clip_queue *b, int card, double seconds);
void ks_clip_queue_spare(ks_clip_queue *b, int card, int spare);
void ks_clip_queue_empty(ks_clip_queue *b);       /* once nobody is at it */
int ks_clip_queue_over(ks_clip_queue *b);         /* 1: no reader will send anything more */
ks_job_file *ks_clip_queue_job(ks_clip_queue *b); /* NULL: none left */
void ks_clip_queue_done(ks_clip_queue *b);        /* the indexer settled a job */
void ks_clip_queue_again(ks_clip_queue *b, ks_job_file *job);
void ks_item_free(ks_item *p);

/* What a reader needs; shared by all, read-only. */
typedef struct {
    ks_clip_queue *clip_queue;
    const ks_ingest_options *o;
    const ks_embedder *embedder;
    int64_t window_us, hop_us;
} ks_reader;
void *ks_reader_run(void *reader);
/* Key frames for whoever seeks later: one a second will do; and breaks, over which nobody does. */
typedef struct {
    ks_key *at; /* [n] */
    int n, room;
} ks_key_list;
int ks_key_note(ks_key_list *list, const ks_reader *r, const ks_film *film, const ks_film_frame *f,
                ks_error *e);
/* survey.c: the clips of its coarse pass, in place of those of all its frames; media and outcome
 * into end. */
int ks_survey_film(ks_item *end, const ks_reader *r, ks_decoder *d, ks_error *e);

/* --- triage: who is new, changed, moved, copied, gone --- */
typedef struct {
    ks_index *x;
    const ks_ingest_options *o;
    ks_ingest_summary *sum;
    int64_t space; /* id of the space that is filled */
    ks_job_file *jobs;
    size_t n_jobs, jobs_room;
    struct ks_path_change *change; /* paths to write once all files are looked at */
    size_t n_change, change_room;
    ks_lookup by_content; /* into jobs */
    ks_lookup by_drop;    /* into change, of those that drop a path */
    /* [n_renumbered] devices that files which are still there were on, and are on now */
    uint64_t (*renumbered)[2];
    size_t n_renumbered;
    int64_t bytes; /* of all jobs */
} ks_triage;
int ks_triage_file(ks_triage *t, const ks_met *met, ks_error *e);
int ks_triage_settle(ks_triage *t, ks_error *e); /* writes the paths */
int ks_triage_gone(ks_triage *t, const ks_met_list *all, const char *root, ks_error *e);
/* A root in which there is nothing at all: kept as it is, and said, where the library has films
 * of it. */
int ks_triage_empty(ks_triage *t, const char *root, ks_error *e);
/* to o->queue: paths first, then films */
int ks_triage_hand_over(const ks_triage *t, ks_error *e);
/* (re)loads the clips of an interrupted run */
int ks_triage_have(ks_job_file *job, ks_index *x, ks_error *e);
void ks_triage_free(ks_triage *t);
/* A verdict for what is no readable regular file, or keeps changing. */
int ks_triage_odd(ks_triage *t, const ks_place *place, const char *reason, ks_error *e);

/* Events (progress.c). */
void ks_say(const ks_ingest_options *o, const ks_event *event);
void ks_say_file(const ks_ingest_options *o, const ks_file_event *file);
/* NULL: this thread is through with it */
void ks_at_work(const ks_ingest_options *o, const char *path);

/* --- the date of a film (film_date.c): the maker's, else the container's, else of its name,
 * else mtime; *source KS_DATE_* --- */
int64_t ks_film_date(int *source, const ks_media *m, const char *path, int64_t mtime_ns);
/* date_names.c: 1, 0 = none; seconds since 1970 UTC */
int ks_date_in_name(int64_t *when, const char *path);

/* What `status` reads (progress.c); NULL progress: no ingest is at work. */
int ks_progress_write(ks_index *x, const ks_progress *p, ks_error *e);

/* A run that has something to encode says in which arithmetic; see ks_ingest_precision. */
int ks_precision_note(ks_index *x, int64_t space, const ks_embedder *c, ks_error *e);

#endif
