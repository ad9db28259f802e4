/* decoder.h - films to frames: one running kinoseek-decode and the films it decodes.
 *
 *   ks_decoder_start(&d, program, &how, &e);            one program a worker; serves many files
 *   ks_film_open(&film, d, path, &options, &e);         one sandboxed process for this file
 *   while ((r = ks_film_next(&f, film, &e)) == 1)       every frame: time, flags, small picture
 *       ks_film_pixels(&image, film, f.number, &e);     full RGB, only for the frames asked for
 *   ks_film_outcome(film)                               the verdict, once next() gave 0
 *   ks_film_close(film);
 *
 * The decoder runs ahead by a few frames and keeps the latest ones (options.hold bytes of them), so
 * that a plan made a few seconds late still gets its pixels. A frame that is gone from there is
 * fetched by a second process that follows (sequentially, the same frames by number), so every
 * number that next() gave stays good until ks_film_keep says otherwise.
 *
 * A decoder belongs to one thread at a time and decodes one film at a time. */
#ifndef KS_DECODER_H
#define KS_DECODER_H

#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- frames of one file --- */
typedef struct {
    ks_timebase tb;
    int64_t frames;    /* decoded; known at the end only, else -1 */
    int64_t duration;  /* ticks, as the header says; a guess */
    double fps;        /* average; a guess */
    int width, height; /* of the pictures: after rotation; samples as stored (see sar) */
    /* a sample is sar_num/sar_den as wide as high when shown; 1/1 where unknown or absurd.
     * Pictures are never stretched by it: the model's squash undoes it anyway, and the reference
     * pipeline sees plain samples. Thumbnails are shown right. */
    int sar_num, sar_den;
    /* degrees clockwise that were applied: 0, 90, 180, 270; + 1000 if mirrored first */
    int rotation;
    int interlaced, hdr, inferred_times, hwaccel;
    /* seconds since 1970 UTC, 0 = none; local: of the camera's clock, as if it were UTC */
    int64_t created;
    int created_local, created_source;
    /* label at time 0, "14:03:22:05", drop-frame "14:03:22;05"; "" none */
    char timecode[16];
    char reel[64]; /* "" none */
    /* frames a second, exactly; known at the end only; 0: not, or they vary */
    int rate_num, rate_den;
    int variable; /* 1: they vary; known at the end only */
    char container[32], codec[32];
} ks_media;

/* its creation time; the maker's own tag in it */
enum { KS_CREATED_CONTAINER = 1, KS_CREATED_MAKER = 2 };

enum { KS_SMALL_W = 64, KS_SMALL_H = 36, KS_SMALL = 3 * KS_SMALL_W * KS_SMALL_H };

/* two frames with one look are one picture, but for one in 2^32 */
uint32_t ks_look(const uint8_t small[KS_SMALL]);

typedef struct {
    double from, to;    /* seconds; frames with from <= t < to; to < 0: the end */
    int64_t max_frames; /* 0 = all */
    /* numbers within the range (0 = first frame at or after from), ascending; only */
    const int64_t *wanted;
    int n_wanted; /* these are visited. NULL: all */
    /* of an earlier pass over this very file: begin near `from`; NULL: at the film's start */
    const ks_keys *keys;
} ks_range;

/* visit gets frames in presentation order; image valid during the call; non-zero stops (not an
 * error). */
typedef int ks_visit_frame(void *arg, const ks_media *media, const ks_image *image, int64_t ticks);

/* The verdict of one file: what a decoder found at its end. */
typedef struct {
    ks_verdict verdict; /* INDEXED = whole, PARTLY, SKIPPED, FAILED */
    char reason[200];   /* one sentence, "" when whole */
    double seconds_missing;
    int64_t frames;   /* delivered */
    int64_t last_end; /* ticks: end of the last frame */
} ks_outcome;

/* --- a running decoder and its films --- */
typedef struct ks_decoder ks_decoder;
typedef struct ks_film ks_film;

typedef struct {
    /* NULL, "none": software; "auto" or a name of libav's: weaker sandbox */
    const char *hwaccel;
    int require_sandbox; /* a kernel without seccomp or landlock is KS_EIO, not a notice */
    int no_sandbox;      /* bench only: neither seccomp nor landlock */
    /* seconds without a sign of life before the process is killed; 0: 30 */
    double patience;
} ks_decoder_how;

/* KS_ENOTFOUND: no such program. KS_EIO: it did not start. KS_EUSAGE: libav knows no such
 * hwaccel. */
int ks_decoder_start(ks_decoder **out, const char *program, const ks_decoder_how *how, ks_error *e);
void ks_decoder_stop(ks_decoder *d); /* NULL is fine */
/* 1: its program ended; stop it and start another */
int ks_decoder_gone(const ks_decoder *d);
/* "seccomp, landlock", "none", ... valid until stop */
const char *ks_decoder_sandbox(const ks_decoder *d);

typedef enum {
    KS_FRAME_KEY = 1,
    /* a gap, a jump of the clock or lost pictures lie before it: no clip spans this */
    KS_FRAME_BREAK = 2,
    KS_FRAME_INFERRED = 4 /* the file had no time for it */
} ks_frame_flag;

typedef struct {
    int64_t number;   /* 0, 1, 2 ... of the frames delivered */
    int64_t ticks;    /* strictly increasing; 0 = the container's start */
    int64_t since;    /* of a survey's picture: what it stands for begins here; else ticks */
    int64_t duration; /* ticks, > 0; a guess for the last one; of a survey's, until its part ends */
    int width, height; /* of the picture that ks_film_pixels would give */
    int flags;
    int64_t shift, offset; /* of a key frame: as in ks_key */
    /* planes Y, U, V, each [36, 64], means of cells of the stored (unturned) picture; until the
     * next call */
    const uint8_t *small;
} ks_film_frame;

typedef struct {
    size_t hold; /* bytes of decoded frames kept behind; 0: 256 MiB */
    int stills;  /* 1: still pictures are films of one frame; 0: they are skipped */
    /* leave out frames nobody refers to and the loop filter: times are less exact */
    int fast;
    int no_small; /* frames but key frames come without the small picture */
    /* 1: as many pictures as there are ks_survey_steps at most, from proven key frames, shots that
     * show by them first; KS_FILM_GLANCE: every ks_glance_step-th of them. The outcome is FAILED
     * where they cannot be sought: read it in order */
    int survey;
    /* begin at this key frame, once it proved to be it; NULL: at the start. Borrowed until close */
    const ks_key *from;
} ks_film_options;

/* A survey's pictures a minute; of which a glance at a film takes one in so many. */
enum { KS_SURVEY_PICTURES = 12, KS_SURVEY_GLANCE = 60, KS_FILM_GLANCE = 2 };

/* Seconds of film that one of them stands for, on average: equal parts. */
static inline double ks_survey_step(double length)
{
    double whole = length * KS_SURVEY_PICTURES / 60;
    int64_t n = whole < 1e12 ? (int64_t)whole : 1;
    n += (double)n < whole - 1e-9 || n == 0;
    return length / (double)n;
}

/* 1: a film of this length is so short that a glance is the survey. */
static inline int ks_glance_step(double length)
{
    return length < 2 * KS_SURVEY_GLANCE * 60.0 / KS_SURVEY_PICTURES ? 1 : KS_SURVEY_GLANCE;
}

/* The path is opened here (regular files only, never blocking). KS_ENOTFOUND, KS_EIO: the file
 * cannot be opened, or the decoder program is gone (ks_decoder_stop and start again). Everything
 * that is wrong *inside* the file is a verdict: *out is then a film without frames. */
int ks_film_open(ks_film **out, ks_decoder *d, const char *path, const ks_film_options *o,
                 ks_error *e);
/* The same for the frames of [seconds, to), from the last of keys at or before `seconds` that
 * proves to be what it was: its time, and its picture to the bit. Else, or where a break lies on
 * the way, from the start: a picture after a seek is never believed unproven. *from: where it
 * begins, 0 the start. to < 0: the film's end. */
int ks_film_open_at(ks_film **out, double *from, ks_decoder *d, const char *path,
                    const ks_film_options *o, const ks_keys *keys, double seconds, double to,
                    ks_error *e);
/* NULL is fine; ends the process of the file */
void ks_film_close(ks_film *film);
/* valid until close; zeros if it never opened */
const ks_media *ks_film_media(const ks_film *film);

/* 1: a frame; 0: the end, see the outcome; < 0: the machine failed (KS_EIO). */
int ks_film_next(ks_film_frame *out, ks_film *film, ks_error *e);
const ks_outcome *ks_film_outcome(const ks_film *film); /* valid after next() gave 0 */

/* RGB of a frame, turned as displayed; samples are not stretched to the sample aspect (media.sar).
 * Valid until the next call on this film. KS_ENOTFOUND: released by ks_film_keep, or it cannot
 * be had again. */
int ks_film_pixels(ks_image *out, ks_film *film, int64_t number, ks_error *e);
/* The same frame as a small JPEG (at most 192 wide or high, as displayed); *jpeg until the next
 * call. */
int ks_film_thumbnail(const uint8_t **jpeg, size_t *bytes, ks_film *film, int64_t number,
                      ks_error *e);
/* Frames before `number` are not wanted any more. */
void ks_film_keep(ks_film *film, int64_t number);

#include "decoder/whole_films.h"

/* asks the decoder for libav's versions, sandbox, hwaccels */
int ks_decoder_about(const char *decoder, ks_fact *facts, int max);

#ifdef __cplusplus
}
#endif
#endif
