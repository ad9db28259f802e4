/* formats.h - how results leave: moments and labels to the bytes of every format, one row of a table each.
 *
 *   ks_out o; ks_out_begin(&o, stdout, ks_find_format("otio"), &options, &e);
 *   ks_out_entry(&o, &entry, &e);  ks_out_end(&o, &e);
 */
#ifndef KS_FORMATS_H
#define KS_FORMATS_H

#include <stdint.h>
#include <stdio.h>

#include "ks.h"
#include "session/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- JSON --- JSON to a stream, one object a line; nothing is kept, nothing allocated.
 *
 *   ks_json j; ks_json_start(&j, stdout);
 *   ks_json_open(&j, NULL, '{'); ks_json_text(&j, "path", p); ks_json_close(&j);   one line
 *
 * `key` is the member's name inside an object and NULL inside an array or at the top. */
typedef struct {
    FILE *out;
    int depth;
    int filled;       /* bit d: something stands already at depth d */
    char ends[32];    /* the bracket that closes each depth */
} ks_json;

void ks_json_start(ks_json *j, FILE *out);
void ks_json_open(ks_json *j, const char *key, char bracket); /* '{' or '[' */
void ks_json_close(ks_json *j);                               /* at the top also ends the line */
void ks_json_text(ks_json *j, const char *key, const char *utf8); /* NULL: null; bad UTF-8 becomes U+FFFD */
/* A path as "key", and where it is not UTF-8 its bytes in base64 as "key_bytes" beside it. */
void ks_json_path(ks_json *j, const char *key, const char *path);
/* Paths as the array "key"; where any is not UTF-8 the bytes of all of them as "key_bytes", in the same order. */
void ks_json_paths(ks_json *j, const char *key, const char *const *paths, int n);
void ks_json_int(ks_json *j, const char *key, int64_t value);
void ks_json_bool(ks_json *j, const char *key, int value);
void ks_json_seconds(ks_json *j, const char *key, double seconds); /* milliseconds */
void ks_json_number(ks_json *j, const char *key, double value);    /* 6 digits; null where not finite */
void ks_json_rate(ks_json *j, const char *key, double value);      /* 17 digits: 24000/1001 must not drift */
void ks_json_floats(ks_json *j, const char *key, const float *v, size_t n); /* 9 digits: reads back the same */

/* Length of the UTF-8 sequence at s (1..4), 0 where it is not one: overlong forms, surrogates, > U+10FFFF. */
int ks_utf8_length(const char *s);
int ks_is_utf8(const char *s);
int ks_put_utf8(FILE *f, const char *s); /* the character at s, U+FFFD for a byte of none; how many bytes it took */

/* --- timecode --- the one place where seconds become frame numbers and timecode. */
typedef struct {
    int num, den; /* frames a second */
} ks_rate;

/* The rate meant by a measured average: 24000/1001, 30000/1001, 60000/1001 and whole numbers are
 * recognised within 0.1 %; others are kept to a thousandth. fps <= 0: 25. */
ks_rate ks_rate_of(double fps);
/* Frame of a film that runs at `rate` shown at this time, counted from 0; rounded to the nearest. */
int64_t ks_frame_number(int64_t ticks, ks_timebase tb, ks_rate rate);
/* Start of that frame in seconds. */
double ks_frame_seconds(int64_t frame, ks_rate rate);
/* 1 for 30000/1001 and 60000/1001: timecode drops labels to stay with the clock. */
int ks_drops(ks_rate rate);
/* "hh:mm:ss:ff", with ';' before ff where labels are dropped (SMPTE 12M): 2 (at 60: 4) labels at every
 * minute but each tenth. Wraps at 24 h. frame >= 0. */
void ks_timecode(char out[24], int64_t frame, ks_rate rate);

/* "4:12", "1:02:03": for people; whole seconds, rounded down. */
void ks_clock(char out[24], double seconds);
/* "00:04:12.040": WebVTT and ffmpeg. Rounded to the nearest millisecond. */
void ks_clock_ms(char out[24], double seconds);

/* --- formats --- */
typedef ks_moment ks_entry;  /* a moment found, or a span with a label; all borrowed for the call */

typedef struct {
    int raw;                 /* cosines too, in what a person reads */
    int several;             /* several queries: each line says which */
    int has_clips;           /* search: best, video, clips; label: label */
    const char *form;        /* --print */
    int nul;                 /* -0 */
    const char *command;     /* "search WORDS", for titles inside files */
} ks_out_options;

typedef struct ks_out ks_out;
typedef struct {
    const char *name;
    int one_film;            /* entries are kept, put in order of time, and must be of one film */
    int keep;                /* entries are kept until the end (the format needs to know them all) */
    void (*begin)(ks_out *o);
    void (*entry)(ks_out *o, const ks_entry *entry); /* for kept ones: called from ks_out_end */
    void (*end)(ks_out *o);
} ks_out_format;

struct ks_out {
    FILE *f;
    const ks_out_format *format;
    const ks_out_options *options;
    ks_json json;
    ks_entry *kept;          /* [n] deep copies */
    int n, room;
    int count;               /* entries written so far */
    ks_rate rate;            /* cmx3600, otio: of the whole file */
    int64_t record;          /* cmx3600: next record frame */
};

extern const ks_out_format *const ks_out_formats[]; /* NULL ends */
const ks_out_format *ks_find_format(const char *name); /* NULL: no such */
int ks_out_begin(ks_out *o, FILE *f, const ks_out_format *format, const ks_out_options *options, ks_error *e);
int ks_out_entry(ks_out *o, const ks_entry *entry, ks_error *e); /* KS_ENOMEM */
int ks_out_end(ks_out *o, ks_error *e);   /* KS_EUSAGE: more films than the format can describe; frees */

void ks_out_drop(ks_out *o);              /* in place of ks_out_end after an error: writes nothing */

extern const ks_out_format ks_format_jsonl, ks_format_csv, ks_format_print, ks_format_vtt, ks_format_ffmetadata, ks_format_mpv_edl,
    ks_format_cmx3600, ks_format_otio;

/* Last part of a path. */
const char *ks_base_name(const char *path);
/* KS_EUSAGE where a --print template names a field that does not exist (out_print.c). */
int ks_check_template(const char *form, ks_error *e);

#ifdef __cplusplus
}
#endif
#endif
