/* ks.h - the vocabulary: how calls fail, and the structs that cross a folder border.
 *
 *   file  --ingest-->  frame [S,S,3]  --encoder-->  float[D]  --index-->  ks_clip row
 *   words --encoder--> float[D]       --index-->    candidates --query--> ks_hit
 *
 * This header includes nothing of ours; everything else may include it. All functions of ours
 * return 0 or a negative ks_err, take out-parameters first and `ks_error *e` last. */
#ifndef KS_H
#define KS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KS_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Wrong use by our own code (NULL handle, wrong dimension) is an assert, not an error.
 * The number behind each is the exit code cli gives it (CLI contract, "Exit codes"). */
typedef enum {
    KS_OK = 0,
    KS_ENOMEM = -1,    /* 5 */
    KS_EIO = -2,       /* 5: the system said no: disk full, no permission; errno text is in msg */
    KS_EFORMAT = -3,   /* 4: the file is not what it claims to be, or damaged */
    KS_ESHAPE = -4,    /* 4: a tensor has another shape than the model needs */
    KS_ENOTFOUND = -5, /* 4: the file or thing named is not there */
    KS_ESPACE = -6,    /* 2: vectors of two different models would be mixed */
    KS_ESTOP = -7,     /* 130: a callback or signal asked to stop */
    /* 2: wrong use by the caller's user (option, text that is not UTF-8, token id) */
    KS_EUSAGE = -8,
    KS_EBUSY = -9,       /* 11: another writer has the library */
    KS_EDAMAGED = -10,   /* 6: the library is damaged */
    KS_ENOLIBRARY = -11, /* 10: no library there */
    KS_ENET = -12,       /* 5: no network */
    KS_EDENIED = -13     /* 5: a server lets this login not do that */
} ks_err;

/* 1: the same but for the case of ASCII letters. No locale is asked: in tr_TR an I is no i, and
 * AVI would be no avi. */
static inline int ks_same_word(const char *a, const char *b)
{
    for (;; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a | 0x20 : *a,
            y = *b >= 'A' && *b <= 'Z' ? *b | 0x20 : *b;
        if (x != y) return 0;
        if (!x) return 1;
    }
}

typedef struct {
    int code;      /* ks_err; 0 while nothing failed */
    char msg[512]; /* one line, no newline; names the file or tensor and what is wrong with it */
} ks_error;

/* Record the sentence and return the code, so that callers write
 * `return ks_fail(e, KS_EFORMAT, "%s: not an npz file", path);`. e may be NULL. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4), unused))
#endif
static int
ks_fail(ks_error *e, int code, const char *format, ...)
{
    if (e) {
        va_list args;
        e->code = code;
        va_start(args, format);
        vsnprintf(e->msg, sizeof e->msg, format, args);
        va_end(args);
    }
    return code;
}

/* A file that is whole gets its name, in place of what had it: fsync, rename, fsync of the
 * folder. 0, or the errno of what failed. A folder that cannot be opened for reading, or a file
 * system that syncs none, is no failure. */
int ks_give_name(int fd, const char *part, const char *whole); /* encoder/give_name.c */

/* Seconds of a clock that nobody sets, from some beginning. */
double ks_monotonic(void); /* encoder/monotonic.c */

/* Media time: integer ticks of `num/den` seconds, 0 = the container's start as players show it.
 * It becomes seconds once, at the border to a person or a file format. */
typedef struct {
    int32_t num, den; /* both > 0, e.g. 1/12800 */
} ks_timebase;

static inline double ks_seconds(int64_t ticks, ks_timebase tb)
{
    return (double)ticks * tb.num / tb.den;
}

/* A picture as the decoder or a caller hands it over. */
typedef struct {
    const uint8_t *rgb; /* [height, width, 3], rows `stride` bytes apart; owned by who fills it */
    int width, height;
    size_t stride; /* bytes; >= 3 * width */
} ks_image;

enum { KS_HASH_HEX = 65 }; /* 64 hex digits of a SHA-256 and the NUL */

/* What vectors may be compared with each other (DESIGN 2). A query must match `model` and `dim`
 * only; stored vectors must match in all fields. */
typedef struct {
    char model[KS_HASH_HEX]; /* model hash */
    int dim;                 /* D */
    int frames;              /* T frames a clip */
    /* version of the window sampler + 10 * frames of a short shot (0: as of any) */
    int sampler;
    int resize;    /* version of the resize, and the fit: 10 * version + ks_fit */
    int precision; /* 0: fp32 and bf16, 1: int8 */
} ks_space;

/* Why a clip ends where it ends; stored as its text (ks_reason_name in index.h). */
typedef enum {
    KS_REASON_WINDOW = 0, /* a full window inside a longer shot */
    KS_REASON_SHOT = 1,   /* a whole shot no longer than the window */
    KS_REASON_TAIL = 2,   /* the last clip of a longer shot: ends with the shot */
    KS_REASON_STILL = 3,  /* a still picture, one frame */
    KS_REASON_SURVEY = 4  /* of a film that is not wholly in yet: what one picture stands for */
} ks_reason;

typedef struct {
    int64_t id;         /* clip id = FAISS id; > 0 */
    int64_t video;      /* video id; > 0 */
    int64_t start, end; /* ticks of the video's time base, half open */
    int frames;         /* frames encoded */
    ks_reason reason;
} ks_clip;

/* A key frame as it was met in order, by which a seek to it is made and proven. */
typedef struct {
    int64_t ticks; /* when it is shown */
    int64_t shift; /* what its own stamp is ahead of ticks */
    /* byte of the file where its packet begins; -1 not known; KS_KEY_BREAK: no key frame, but
     * pictures are missing before this one or its clock jumps: nothing is sought to from here to
     * the next */
    int64_t offset;
    uint32_t look; /* of its small picture (ks_look) */
} ks_key;
typedef struct {
    const ks_key *at; /* [n], ticks ascending; borrowed */
    int n;
    ks_timebase tb;
} ks_keys;
enum { KS_KEY_BREAK = -2 };

/* The verdicts a file can have; every file met has exactly one (DESIGN 3.5). */
typedef enum {
    KS_VERDICT_NONE = 0, /* met, not finished: an interrupted ingest */
    KS_VERDICT_INDEXED = 1,
    KS_VERDICT_PARTLY = 2,
    KS_VERDICT_SKIPPED = 3,
    KS_VERDICT_FAILED = 4
} ks_verdict;

/* One line of an `..._about()`: a library with its version, or a property of this machine. */
typedef struct {
    const char *name; /* static storage */
    char value[160];
} ks_fact;

/* Length of the UTF-8 sequence at s (1..4), 0 where it is not one: overlong forms, surrogates, >
 * U+10FFFF. */
static inline int ks_utf8_length(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;

    if (u[0] < 0x80) return 1;
    if (u[0] >= 0xc2 && u[0] <= 0xdf) return (u[1] & 0xc0) == 0x80 ? 2 : 0;
    if (u[0] >= 0xe0 && u[0] <= 0xef) {
        if ((u[1] & 0xc0) != 0x80 || (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f))
            return 0;
        return (u[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (u[0] >= 0xf0 && u[0] <= 0xf4) {
        if ((u[1] & 0xc0) != 0x80 || (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
            return 0;
        return (u[2] & 0xc0) == 0x80 && (u[3] & 0xc0) == 0x80 ? 4 : 0;
    }
    return 0;
}

static inline int ks_is_utf8(const char *s)
{
    for (int n; *s; s += n)
        if ((n = ks_utf8_length(s)) == 0) return 0;
    return 1;
}

#ifdef __cplusplus
}
#endif
#endif
