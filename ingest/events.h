/* events.h - what an ingest says of itself while it runs: a part of ingest.h, which includes
 * it. */
#ifndef KS_INGEST_EVENTS_H
#define KS_INGEST_EVENTS_H

#ifndef KS_INGEST_H
#error "include ingest/ingest.h"
#endif

/* What an ingest says of itself while it runs; text is borrowed for the call. */
typedef enum {
    KS_FILE_INDEXED,
    KS_FILE_PARTLY,
    KS_FILE_UNCHANGED,
    KS_FILE_MOVED,
    KS_FILE_COPIED,
    KS_FILE_SKIPPED,
    KS_FILE_FAILED,
    KS_FILE_GONE
} ks_file_verdict;
const char *ks_file_verdict_name(ks_file_verdict verdict); /* "indexed", "partly" ... */
typedef struct {                /* before the first film: what there is to do */
    int64_t files, jobs, bytes; /* looked at; to be decoded, and their size */
    double wall_seconds;        /* expected; 0: not known */
} ks_plan_event;
typedef struct { /* one file's end */
    const char *path;
    ks_file_verdict verdict;
    ks_verdict was;     /* UNCHANGED, MOVED, COPIED: of the film itself; else NONE */
    const char *reason; /* "" where there is none */
    int64_t clips;
    double seconds, seconds_missing;
} ks_file_event;
typedef struct {                  /* now and then */
    const char *path;             /* the newest film at work; NULL: none, */
    double seconds, seconds_left; /* how far it is, and what its header says is left */
    int64_t files, jobs, clips;
    double video_seconds, video_seconds_total; /* total: guessed from the bytes, 0 at first */
    double wall_seconds, x_realtime;
} ks_progress_event;
typedef struct { /* the end of a run that was not interrupted */
    int64_t files, clips;
    int64_t left; /* not begun or not finished: stopped, or the budget is used up */
    double video_seconds, wall_seconds, x_realtime;
} ks_done_event;
typedef struct { /* what is said in a film, or stands in a file beside it, was read */
    const char *path;
    const char *note; /* "", or what is to be said of it; failed: why it cannot be read */
    int64_t lines;
    int failed;
} ks_subtitles_event;
typedef struct { /* a GPU's, after which no sample held: they are encoded again */
    int64_t clips;
} ks_doubted_event;
typedef struct {
    enum {
        KS_EVENT_PLAN,
        KS_EVENT_FILE,
        KS_EVENT_PROGRESS,
        KS_EVENT_DONE,
        KS_EVENT_SUBTITLES,
        KS_EVENT_DOUBTED
    } kind;
    union {
        ks_plan_event plan;
        ks_file_event file;
        ks_progress_event progress;
        ks_done_event done;
        ks_subtitles_event subtitles;
        ks_doubted_event doubted;
    } u;
} ks_event;
typedef void ks_on_event(void *arg, const ks_event *event);

#endif
