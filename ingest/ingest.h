/* ingest.h - files to clips in the catalog.
 *
 *   ks_ingest(x, enc, &options, &summary, &e);     an archive in, clips with vectors in the catalog
 *
 * All decoding is decoder/'s: `decoder` is the path of its program. */
#ifndef KS_INGEST_H
#define KS_INGEST_H

#include "decoder/decoder.h"
#include "encoder/encoder.h"
#include "index/index.h"
#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "ingest/events.h"

/* With dry_run: what there is to do is not done here but told to somebody who has it done. Each
 * returns 0, or < 0 with the sentence. */
typedef struct {
    /* before the first: bytes of all of them; NULL where nobody asks */
    void (*begin)(void *arg, int64_t bytes);
    /* a film to be decoded; content as in ks_video; once more for each further path of it */
    int (*film)(void *arg, const uint8_t content[24], const ks_video *at, ks_error *e);
    /* at->path is one of film at->id, with this size and time; drop: a path that is no more, or
     * NULL */
    int (*path)(void *arg, const ks_video *at, const char *drop, ks_error *e);
    int (*gone)(void *arg, const char *path, ks_error *e);
    void *arg;
} ks_ingest_queue;

/* A coarse pass over what is new: pictures, a few a minute. First, then the whole pass; or alone;
 * or not at all. */
typedef enum { KS_SURVEY_OFF = 0, KS_SURVEY_FIRST = 1, KS_SURVEY_ONLY = 2 } ks_survey;
#define KS_SURVEY_MUCH ((int64_t)8 << 30) /* bytes of new films: hours of work on two cores */

typedef struct {
    const char *const *paths; /* n files or folders; n 0: all folders named before */
    int n;
    const char *const *excludes, *const *includes; /* globs, NULL-terminated; may be NULL */
    const char *decoder;                           /* path of kinoseek-decode */
    double window, hop; /* seconds; 0: as the library was made, else 8 and half the window */
    int frames;         /* T; 0: as the library was made, else the model's own */
    int short_shots; /* of a shot no longer than the window; 0: as the library was made, else T */
    ks_survey survey;
    /* KS_UNSAID_*: nobody chose these: as the library was made, else on, squash, full, none */
    unsigned unsaid;
    int shots; /* 1: cut at shots (default), 0: --shots off */
    int follow, stills, dry_run, fast_decode, hidden, require_sandbox;
    int workers; /* decoders at once; 0: by cores */
    ks_fit fit;
    const char *hwaccel;                     /* NULL: none */
    const char *model_path, *tokenizer_path; /* remembered by the library; may be NULL */
    /* 1: another model than the library's fills a new space beside the old */
    int switch_space;
    /* seconds between transactions; 0: 5, at most 60; < 0: one a clip (tests) */
    double commit_every;
    double budget;                /* seconds of wall time; 0: none */
    const ks_ingest_queue *queue; /* with dry_run; may be NULL */
    /* set by an atomic store, to 1: stop after this clip, 2: now; may be NULL */
    const volatile int *stop;
    ks_on_event *event;
    void *event_arg;
    /* Called on the thread that begins to work on a film, and with NULL when it is through with
     * it; may be NULL. */
    void (*at_work)(void *arg, const char *path);
    void *at_work_arg;
    /* this film is not read: its verdict is "failed", for that reason; NULL: none */
    const char *faulty;
    const char *faulty_reason;
    /* n_beside further encoders of the same model (ks_encoders_beside): films are shared out */
    ks_encoder *const *beside;
    int n_beside;
} ks_ingest_options;
enum { KS_CARDS_BESIDE = 7 };
enum {
    KS_UNSAID_SHOTS = 1,
    KS_UNSAID_FIT = 2,
    KS_UNSAID_DECODE = 4,
    KS_UNSAID_STILLS = 8,
    KS_UNSAID_HIDDEN = 16,
    KS_UNSAID_FOLLOW = 32,
    KS_UNSAID_SURVEY = 64 /* first, where there is much to do; else off */
};
enum { KS_CLIP_LONGEST = 86400 }; /* seconds; a window is 0.1 s at least, a hop 0.001 s */

typedef struct {
    int64_t files, indexed, partly, unchanged, moved, skipped, failed, gone, other, clips;
    /* of films, and of what was kept of those that were not finished */
    double video_seconds, wall_seconds;
    /* films of which clips were kept that are not finished: among those left */
    int64_t begun;
    int64_t surveyed; /* films of which a survey was kept */
    /* files not begun or not finished: stopped, or the budget is used up */
    int64_t left;
    int interrupted;
} ks_ingest_summary;
/* 0, or KS_EUSAGE: an option is out of its bounds. ks_ingest asks the same; a caller may before
 * it makes a library. */
int ks_ingest_check(const ks_ingest_options *o, ks_error *e);
/* enc NULL: the clock encoder (tests: the bars in the picture are the vector). KS_ESTOP:
 * interrupted, all said is kept. */
int ks_ingest(ks_ingest_summary *out, ks_index *x, ks_encoder *enc, const ks_ingest_options *o,
              ks_error *e);
/* Parts of surveyed films, before the whole pass comes to them, in this order: the clips that
 * overlap them, as the whole pass will have them, which then takes them as they are. A clip of
 * the survey all of which lies in a part goes with the last of them, in one transaction. Of o:
 * decoder, stop, budget, event, workers; how films are cut is as the library was made. A film
 * that changed, is gone or is no longer surveyed is passed over. KS_ESTOP: interrupted, what is
 * encoded is kept. */
typedef struct {
    int64_t video, start, end; /* ticks of the film, half open */
} ks_part;
int ks_ingest_parts(ks_ingest_summary *out, ks_index *x, ks_encoder *enc,
                    const ks_ingest_options *o, const ks_part *parts, int n, ks_error *e);
/* What a running (or killed) ingest last said of itself, for `status` in another process. 1: it
 * said something, 0: no. */
typedef struct {
    int64_t pid, started, updated; /* seconds since 1970 */
    int64_t files, files_total, clips, bytes, bytes_total;
    double video_seconds, wall_seconds;
    char path[4096]; /* the newest file at work, "" if none */
} ks_progress;
int ks_ingest_progress(ks_progress *out, ks_index *x, ks_error *e);
/* In which arithmetic the vectors of a space (ks_library.space_id) were made: "bf16",
 * "fp32+bf16"; "": not known. */
enum { KS_PRECISION_TEXT = 32 };
int ks_ingest_precision(char text[KS_PRECISION_TEXT], ks_index *x, int64_t space, ks_error *e);
/* The folders named to earlier ingests: *text, each with its NUL, bytes in all; the caller
 * frees. */
int ks_ingest_folders(char **text, size_t *bytes, ks_index *x, ks_error *e);
/* Subtitles of films that are in: those inside that nobody looked for, and files beside them that
 * are new, changed or gone. Of o: paths, decoder, require_sandbox, event, stop. KS_ESTOP. */
int ks_ingest_subtitles(ks_index *x, const ks_ingest_options *o, ks_error *e);
/* A file or folder is at another place now: its paths, and the folder if it was named to an
 * ingest. Absolute paths. */
int ks_ingest_relocate(int64_t *changed, ks_index *x, const char *from, const char *to,
                       ks_error *e);
/* *same 1: the open file is the film of this row still, by device, inode, size and time, else by
 * what it holds. KS_EIO. */
struct stat;
int ks_ingest_same_file(int *same, ks_index *x, int fd, const struct stat *st, const ks_video *v,
                        ks_error *e);
/* The next ingest tries films that failed as if it never had; *films: how many. Writer. */
int ks_ingest_retry(int64_t *films, ks_index *x, ks_error *e);
/* a file or all under a folder */
int ks_forget(int64_t *files, ks_index *x, const char *path, ks_error *e);
/* What a file is, by its size and the hashes of its first, middle and last part (DESIGN 3.4), in
 * hex: for work outside a library. KS_ENOTFOUND; KS_EIO: it is no regular file, or cannot be
 * read. */
enum { KS_CONTENT_HEX = 49 };
int ks_content_of(char hex[KS_CONTENT_HEX], const char *path, ks_error *e);
/* 1: what lies at path is a film or a picture, by its name or its first bytes; 0. */
int ks_is_film_file(const char *path);

#ifdef __cplusplus
}
#endif
#endif
