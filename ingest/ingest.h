/* ingest.h - files to clips in the catalog, and pictures out of files.
 *
 *   ks_ingest(x, enc, &options, &summary, &e);     an archive in, clips with vectors in the catalog
 *   ks_frames(decoder, path, &range, visit, arg, &e);  frames of one file, in order
 *
 * All decoding happens in the program kinoseek-decode, started by posix_spawn and sandboxed; nothing
 * here is linked to libav. `decoder` is that program's path. */
#ifndef KS_INGEST_H
#define KS_INGEST_H

#include "encoder/encoder.h"
#include "index/index.h"
#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- frames of one file --- */
typedef struct {
    ks_timebase tb;
    int64_t frames;            /* decoded; known at the end only, else -1 */
    int64_t duration;          /* ticks, as the header says; a guess */
    double fps;                /* average; a guess */
    int width, height;         /* of the pictures: after rotation; samples as stored (see sar) */
    int sar_num, sar_den;      /* a sample is sar_num/sar_den as wide as high when shown; 1/1 where unknown or absurd.
                                * Pictures are never stretched by it: the model's squash undoes it anyway, and
                                * the reference pipeline sees plain samples. Thumbnails are shown right. */
    int rotation;              /* degrees clockwise that were applied: 0, 90, 180, 270; + 1000 if mirrored first */
    int interlaced, hdr, inferred_times, hwaccel;
    int64_t created;           /* container's creation time, seconds since 1970 UTC, 0 = none */
    char container[32], codec[32];
} ks_media;

typedef struct {
    double from, to;           /* seconds; frames with from <= t < to; to < 0: the end */
    int64_t max_frames;        /* 0 = all */
    const int64_t *wanted;     /* numbers within the range (0 = first frame at or after from), ascending; only */
    int n_wanted;              /* these are visited. NULL: all */
    const char *hwaccel;       /* NULL: none */
} ks_range;

/* visit gets frames in presentation order; image valid during the call; non-zero stops (not an error). */
typedef int ks_visit_frame(void *arg, const ks_media *media, const ks_image *image, int64_t ticks);

/* The verdict of one file: what a decoder found at its end. */
typedef struct {
    ks_verdict verdict;        /* INDEXED = whole, PARTLY, SKIPPED, FAILED */
    char reason[200];          /* one sentence, "" when whole */
    double seconds_missing;
    int64_t frames;            /* delivered */
    int64_t last_end;          /* ticks: end of the last frame */
} ks_outcome;
/* Decodes from the film's start, always in order: some files give garbage after a seek. visit NULL counts:
 * media->frames becomes the number of frames in the range. media and outcome may be NULL.
 * KS_EFORMAT: no frame can be had from this file (outcome says why, so does the sentence);
 * KS_ENOTFOUND, KS_EIO: the file or the decoder program cannot be opened. A damaged film that gave
 * frames is 0 with outcome PARTLY. */
int ks_frames(ks_media *media, ks_outcome *outcome, const char *decoder, const char *path,
              const ks_range *range, ks_visit_frame *visit, void *arg, ks_error *e);

/* A picture file or the picture at a second of a film -> malloc'ed RGB. */
int ks_picture(ks_image *out, uint8_t **pixels, const char *decoder, const char *path, double at, ks_error *e);
int ks_thumbnail_rgb(ks_image *out, uint8_t **pixels, const char *decoder, const uint8_t *jpeg, size_t bytes, ks_error *e);
/* [from,to) seconds of a film into its own file: copy (from the key frame before) or re-encode. */
int ks_cut(const char *decoder, const char *path, const char *to_file, double from, double to, int reencode, ks_error *e);

/* How fast films are decoded here, for bench: every frame of n files, one after the other. */
typedef struct {
    int64_t files, frames;
    double video_seconds, wall_seconds;
    double cpu_seconds;        /* of the decoder's processes, its start included: what a busy machine leaves comparable */
    double start_seconds;      /* starting the decoder program, not in wall_seconds */
    char sandbox[160];         /* what was in force */
} ks_decode_rate;
int ks_measure_decode(ks_decode_rate *out, const char *decoder, const char *const *paths, int n, int sandbox,
                      const char *hwaccel, ks_error *e);

/* --- an archive --- */
typedef enum { KS_EVENT_PLAN, KS_EVENT_FILE, KS_EVENT_PROGRESS, KS_EVENT_DONE } ks_event_kind;
typedef struct {
    ks_event_kind kind;
    const char *path;          /* FILE, PROGRESS: the file; borrowed */
    const char *verdict;       /* FILE: indexed partly unchanged moved copied skipped failed gone */
    const char *was;           /* FILE, unchanged: indexed partly skipped */
    const char *reason;
    int64_t clips;             /* of the file; DONE: of the run */
    double seconds, seconds_missing;
    int64_t files, files_total, bytes_total; /* so far, in all */
    double video_seconds, video_seconds_total, wall_seconds, x_realtime; /* PLAN: wall_seconds expected, 0 = unknown */
} ks_event;
typedef void ks_on_event(void *arg, const ks_event *event);

typedef struct {
    const char *const *paths;  /* n files or folders; n 0: all folders named before */
    int n;
    const char *const *excludes, *const *includes; /* globs, NULL-terminated; may be NULL */
    const char *decoder;       /* path of kinoseek-decode */
    double window, hop;        /* seconds; 0: 8 and 4 */
    int frames;                /* T; 0: the model's own */
    int shots;                 /* 1: cut at shots (default), 0: --shots off */
    int follow, stills, dry_run, fast_decode, hidden, require_sandbox;
    int workers;               /* decoders at once; 0: by cores */
    ks_fit fit;
    const char *hwaccel;       /* NULL: none */
    const char *model_path, *tokenizer_path; /* remembered by the library; may be NULL */
    int switch_space;          /* 1: another model than the library's fills a new space beside the old */
    double commit_every;       /* seconds between transactions; 0: 5, at most 60; < 0: one a clip (tests) */
    double budget;             /* seconds of wall time; 0: none */
    const volatile int *stop;  /* set by an atomic store, to 1: stop after this clip, 2: now; may be NULL */
    ks_on_event *event;
    void *event_arg;
} ks_ingest_options;

typedef struct {
    int64_t files, indexed, partly, unchanged, moved, skipped, failed, gone, other, clips;
    double video_seconds, wall_seconds;
    int64_t left;              /* files not begun or not finished: stopped, or the budget is used up */
    int interrupted;
} ks_ingest_summary;
/* enc NULL: the clock encoder (tests: the bars in the picture are the vector). KS_ESTOP: interrupted, all said is kept. */
int ks_ingest(ks_ingest_summary *out, ks_index *x, ks_encoder *enc, const ks_ingest_options *o, ks_error *e);
/* What a running (or killed) ingest last said of itself, for `status` in another process. 1: it said something, 0: no. */
typedef struct {
    int64_t pid, started, updated;        /* seconds since 1970 */
    int64_t files, files_total, clips, bytes, bytes_total;
    double video_seconds, wall_seconds;
    char path[4096];                      /* the newest file at work, "" if none */
} ks_progress;
int ks_ingest_progress(ks_progress *out, ks_index *x, ks_error *e);
/* A file or folder is at another place now: its paths, and the folder if it was named to an ingest. Absolute paths. */
int ks_ingest_relocate(int64_t *changed, ks_index *x, const char *from, const char *to, ks_error *e);
int ks_forget(int64_t *files, ks_index *x, const char *path, ks_error *e); /* a file or all under a folder */

int ks_ingest_about(const char *decoder, ks_fact *facts, int max); /* asks the decoder for libav's versions, sandbox, hwaccels */

#ifdef __cplusplus
}
#endif
#endif
