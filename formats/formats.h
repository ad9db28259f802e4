/* formats.h - how moments leave and come back: to the bytes of every format, and what other
 * tools made of them.
 *
 *   ks_out_open(&o, &(ks_out_target){.stream = stdout}, ks_find_format("otio"), &options, &e);
 *   ks_out_entry(o, &entry, &e);  ks_out_end(o, &e);  ks_out_close(o);
 *
 *   ks_spans_read(&s, "labels.eaf", 0, &e);  s.at[0].film, .start, .end, .label;
 *                                            ks_spans_free(&s);
 *
 * A format is a row of a table (out.c): what it is called, what it can hold, how it is written.
 * What it cannot hold
 * (several films, overlaps, a rate, a length) is an error before its first byte, not a bad file. */
#ifndef KS_FORMATS_H
#define KS_FORMATS_H

#include <stdint.h>
#include <stdio.h>

#include "ks.h"
#include "session/session.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "formats/json.h"

/* the character at s, U+FFFD for a byte of none; how many bytes it took */
int ks_put_utf8(FILE *f, const char *s);

/* --- timecode --- the one place where seconds become frame numbers and timecode. */
typedef struct {
    int num, den; /* frames a second */
} ks_rate;

/* The rate meant by a measured average: 24000/1001, 30000/1001, 60000/1001 and whole numbers are
 * recognised within 0.1 %; others are kept to a thousandth. fps <= 0: 25. */
ks_rate ks_rate_of(double fps);
/* "25", "29.97", "30000/1001"; "29.97ndf", "29.97df" say how labels count. *drop: -1 no, 1 yes,
 * 0 not said. 0 or -1. */
int ks_rate_read(ks_rate *rate, int *drop, const char *text);
/* Frame of a film that runs at `rate` shown at this time, counted from 0; rounded to the
 * nearest, bounded to 2^53. */
int64_t ks_frame_number(int64_t ticks, ks_timebase tb, ks_rate rate);
double ks_frame_seconds(int64_t frame, ks_rate rate); /* start of that frame */
/* 1 for 30000/1001 and 60000/1001: timecode may drop labels to stay with the clock. */
int ks_drops(ks_rate rate);
/* "hh:mm:ss:ff"; drop (only where ks_drops): ';' before ff, and 2 (at 60: 4) labels fewer at
 * every minute but each tenth (SMPTE 12M). Wraps at 24 h, both ways. */
void ks_timecode(char out[24], int64_t frame, ks_rate rate, int drop);
/* The frame that bears this label, and whether it is a drop-frame one; 0, or -1: not a label at
 * this rate. */
int ks_timecode_read(int64_t *frame, int *drop, const char *text, ks_rate rate);

/* "4:12", "1:02:03": for people; whole seconds, rounded down */
void ks_clock(char out[24], double seconds);
/* "00:04:12.040": WebVTT, ffmpeg; to the nearest millisecond */
void ks_clock_ms(char out[24], double seconds);

/* --- a file of a user's: whole or not at all, and never over another without force --- */
typedef struct {
    FILE *f; /* write here */
    char *path, *part;
    int force, stream;
} ks_user_file;

/* "-" is standard output. KS_EUSAGE: it is there already (a device or a pipe is written to as it
 * is), or is a film or a picture, over which nothing is written with force either. KS_EIO. */
int ks_user_file_open(ks_user_file *n, const char *path, int force, ks_error *e);
/* synced, under its name; KS_EIO: nothing is left of it */
int ks_user_file_publish(ks_user_file *n, ks_error *e);
/* after an error; nothing to do after publish */
void ks_user_file_drop(ks_user_file *n);
/* Where there is none, with the folders above it. KS_EIO. */
int ks_make_folder(const char *path, ks_error *e);

/* --- formats --- what they take: a moment found, a span with a label, or a clip (ks_moment),
 * all borrowed for the call. */
typedef enum { KS_ROWS_LABELS, KS_ROWS_MOMENTS, KS_ROWS_CLIPS } ks_rows;
/* the object of --json */
void ks_json_entry(ks_json *j, const char *key, ks_rows rows, const ks_moment *k);
/* `status --json` */
void ks_json_status(ks_json *j, const char *library, const ks_session_state *s);
/* a line of `status --bad --json` */
void ks_json_bad(ks_json *j, const ks_video *v);
typedef struct {
    ks_rows rows;
    int raw;             /* cosines too, in what a person reads */
    const char *form;    /* --print */
    int nul;             /* -0 */
    const char *command; /* "search WORDS", for titles inside files */
    const char *model;   /* what found it, where a format says so; NULL: kinoseek */
    /* how to have fewer entries: "-k"; NULL: not said */
    const char *narrow;
    /* --fps: in place of the film's; num 0: the film's. drop as ks_rate_read */
    ks_rate fps;
    int drop;
    /* html: a JPEG of the entry; *jpeg NULL: none; freed by the writer. May be NULL. */
    int (*picture)(void *arg, uint8_t **jpeg, size_t *bytes, const ks_moment *k, ks_error *e);
    void *picture_arg;
} ks_out_options;

typedef struct {
    FILE *stream; /* where path is NULL and not `beside` */
    /* a file; for a format of one film "FOLDER/", or one that is there: a file a film in it */
    const char *path;
    /* a file a film, beside the film: its name with the format's ending in place of its own, or
     * behind it where another film has that name: c.srt; c.mp4.srt, c.mkv.srt */
    int beside;
    int force; /* over what is there */
} ks_out_target;

typedef struct ks_out ks_out;
typedef struct ks_format ks_format;
/* `holds`: what a person has to know of it, "one film; 999 events". */
typedef struct {
    const char *name, *ending, *brief;
    char holds[128];
} ks_format_facts;

/* What --format takes; print and html have options of their own. */
#define KS_FORMAT_NAMES                                                                            \
    "jsonl|csv|vtt|srt|ffmetadata|mkv-chapters|youtube|kodi-edl|mpv-edl|cmx3600|resolve-edl|otio|" \
    "xmeml|fcpxml|"                                                                                \
    "activitynet|activitynet-truth|fiftyone|label-studio|elan|via|cvat|hf|xmp"
const ks_format *ks_find_format(const char *name); /* NULL: no such */
int ks_format_about(ks_format_facts *out, int i);  /* the i-th of the table; 0: no more */

/* Options and target are borrowed until the close. KS_EUSAGE, KS_EIO. */
int ks_out_open(ks_out **o, const ks_out_target *to, const ks_format *format,
                const ks_out_options *options, ks_error *e);
int ks_out_entry(ks_out *o, const ks_moment *entry, ks_error *e);
/* Checks what is kept, writes, publishes. KS_EUSAGE: the format cannot hold it, or a file is
 * there already. */
int ks_out_end(ks_out *o, ks_error *e);
void ks_out_close(ks_out *o); /* NULL is fine; without ks_out_end nothing that has a name is left */

const char *ks_base_name(const char *path); /* last part of a path */
/* KS_EUSAGE: --print names a field that does not exist */
int ks_check_template(const char *form, ks_error *e);
typedef struct {
    const char *name, *brief, *forms; /* forms NULL: none */
} ks_print_facts;
int ks_print_about(ks_print_facts *out, int i); /* the i-th field of --print; 0: no more */

/* A curve as a picture (SVG 1.1, 960 x 240), with the cut-off where there is one. */
void ks_curve_svg(FILE *f, const ks_curve *c, const char *title);

/* --- vectors of clips --- to FILE.npy (with FILE.ids.npy and FILE.json beside it) or to an
 * .npz; half: f2, else f4 */
typedef struct ks_vectors ks_vectors;
int ks_vectors_open(ks_vectors **v, const char *path, int half, int dim, const char *model,
                    int force, ks_error *e);
/* [dim] */
int ks_vectors_add(ks_vectors *v, const ks_clip *clip, ks_timebase tb, const float *vector,
                   ks_error *e);
int ks_vectors_end(ks_vectors *v, ks_error *e);
void ks_vectors_close(ks_vectors *v); /* NULL is fine; without ks_vectors_end nothing is left */

/* --- reading back --- */
typedef struct {
    /* its path where the file says it, else the name or id it uses; bytes */
    char *film;
    int of;            /* its place in films */
    char *label;       /* "" where there is none */
    double start, end; /* seconds; the whole film: 0 and -1 */
    int yes;           /* 0: somebody said that it is not there */
    double score;      /* NaN: none */
} ks_span;
typedef struct {
    ks_span *at; /* [n], in the order of the file */
    int n, room;
    /* [n_films] each once, by its bytes; also those that somebody looked at and found nothing in */
    char **films;
    int n_films;
    const char *format; /* what it was: "activitynet", "csv" ... */
} ks_spans;

/* ActivityNet (truth, predictions), FiftyOne, Label Studio, ELAN, VIA-3, CSV or TSV, JSON lines,
 * told apart by content; the folder of a FiftyOne or Label Studio export; "-" is standard input.
 * fps: frames a second where the file counts frames and does not say it; 0: then KS_EUSAGE.
 * KS_ENOTFOUND, KS_EIO, KS_EFORMAT name the file, and the line or the member. */
int ks_spans_read(ks_spans *out, const char *file, double fps, ks_error *e);
void ks_spans_free(ks_spans *s);

#ifdef __cplusplus
}
#endif
#endif
