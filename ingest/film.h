/* film.h - one running kinoseek-decode and the films it decodes, as the rest of ingest sees them.
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
#ifndef KS_FILM_H
#define KS_FILM_H

#include "ingest/ingest.h"

typedef struct ks_decoder ks_decoder;
typedef struct ks_film ks_film;

typedef struct {
    const char *hwaccel;     /* NULL, "none": software; "auto" or a name of libav's: weaker sandbox */
    int require_sandbox;     /* a kernel without seccomp or landlock is KS_EIO, not a notice */
    int no_sandbox;          /* bench only: neither seccomp nor landlock */
    double patience;         /* seconds without a sign of life before the process is killed; 0: 30 */
} ks_decoder_how;

/* KS_ENOTFOUND: no such program. KS_EIO: it did not start. KS_EUSAGE: libav knows no such hwaccel. */
int ks_decoder_start(ks_decoder **out, const char *program, const ks_decoder_how *how, ks_error *e);
void ks_decoder_stop(ks_decoder *d);                 /* NULL is fine */
const char *ks_decoder_sandbox(const ks_decoder *d); /* "seccomp, landlock", "none", ... valid until stop */

enum { KS_SMALL_W = 64, KS_SMALL_H = 36, KS_SMALL = 3 * KS_SMALL_W * KS_SMALL_H };

typedef enum {
    KS_FRAME_KEY = 1,
    KS_FRAME_BREAK = 2,      /* a gap, a jump of the clock or lost pictures lie before it: no clip spans this */
    KS_FRAME_INFERRED = 4    /* the file had no time for it */
} ks_frame_flag;

typedef struct {
    int64_t number;          /* 0, 1, 2 ... of the frames delivered */
    int64_t ticks;           /* strictly increasing; 0 = the container's start */
    int64_t duration;        /* ticks, > 0; a guess for the last one */
    int width, height;       /* of the picture that ks_film_pixels would give */
    int flags;
    const uint8_t *small;    /* planes Y, U, V, each [36, 64], means of cells of the stored (unturned) picture; until the next call */
} ks_film_frame;

typedef struct {
    size_t hold;             /* bytes of decoded frames kept behind; 0: 256 MiB */
    int stills;              /* 1: still pictures are films of one frame; 0: they are skipped */
    int fast;                /* leave out frames nobody refers to and the loop filter: times are less exact */
    int no_small;            /* frames come without the small picture */
} ks_film_options;

/* The path is opened here (regular files only, never blocking). KS_ENOTFOUND, KS_EIO: the file cannot
 * be opened, or the decoder program is gone (ks_decoder_stop and start again). Everything that is
 * wrong *inside* the file is a verdict: *out is then a film without frames. */
int ks_film_open(ks_film **out, ks_decoder *d, const char *path, const ks_film_options *o, ks_error *e);
void ks_film_close(ks_film *film);                      /* NULL is fine; ends the process of the file */
const ks_media *ks_film_media(const ks_film *film);     /* valid until close; zeros if it never opened */

/* 1: a frame; 0: the end, see the outcome; < 0: the machine failed (KS_EIO). */
int ks_film_next(ks_film_frame *out, ks_film *film, ks_error *e);
const ks_outcome *ks_film_outcome(const ks_film *film); /* valid after next() gave 0 */

/* RGB of a frame, turned as displayed; samples are not stretched to the sample aspect (media.sar).
 * Valid until the next call on this film. KS_ENOTFOUND: released by ks_film_keep, or it cannot be had again. */
int ks_film_pixels(ks_image *out, ks_film *film, int64_t number, ks_error *e);
/* The same frame as a small JPEG (at most 192 wide or high, as displayed); *jpeg until the next call. */
int ks_film_thumbnail(const uint8_t **jpeg, size_t *bytes, ks_film *film, int64_t number, ks_error *e);
/* Frames before `number` are not wanted any more. */
void ks_film_keep(ks_film *film, int64_t number);

#endif
