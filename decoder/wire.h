/* wire.h - the messages between kinoseek and kinoseek-decode.
 *
 * SOCK_SEQPACKET: one send is one message, so there is no half message. Two sockets: the control
 * socket to the program (fd 3 there), which forks one process a job, and one socket a job. Pixels
 * go through a sealed memory file (fd 4 there). Both ends run on one machine from one build: native
 * byte order, structs as they are. The program is trusted with nothing: every message from it
 * passes ks_wire_accept before a field of it is used. */
#ifndef KS_WIRE_H
#define KS_WIRE_H

#include "decoder/decoder.h"

enum {
    KS_WIRE_FD = 3,           /* control socket in the program */
    KS_WIRE_MEMORY_FD = 4,    /* shared memory in the program */
    KS_WIRE_FDS = 3,          /* most file descriptors in one message */
    KS_MAX_PIXELS = 40 << 20, /* 40 Mi: 8192x4320 is 35.4 M; larger is "picture too large" */
    KS_MAX_SIDE = 65535,
    KS_FRAMES_MAX = 1 << 30,
    KS_TICK_FRAME = 4096
};
/* Rows of the largest picture, each padded to 64 bytes, and 64 for SIMD that writes past the
 * end. */
#define KS_WIRE_MEMORY ((size_t)3 * KS_MAX_PIXELS + (size_t)64 * KS_MAX_SIDE + 64)

/* Seconds: no film is longer. A clock that counts from 1970 stays below it (2106), and what is
 * worked out from it fits int64: microseconds, frame numbers at 1000 a second, hours of a whole
 * library. */
#define KS_CLOCK_MAX 4294967296.0

#define KS_WIRE_NO_HWACCEL "no such hwaccel" /* READY says one of these instead of the sandbox */
#define KS_WIRE_NO_DEVICE  "no such device"
#define KS_WIRE_READ       "read" /* the reason of a text job's END, and more behind it */
#define KS_WIRE_UNWRITTEN  "cannot be written: " /* a cut's output, and why: no fault of the film */

typedef enum {
    /* kinoseek -> program */
    KS_MSG_JOB = 1, /* with fds: file, socket of the job, output of a cut */
    KS_MSG_KILL,
    /* program -> kinoseek */
    KS_MSG_READY,
    KS_MSG_ENDED, /* the job's process is gone */
    /* kinoseek -> job */
    KS_MSG_ACK,
    KS_MSG_PIXELS,
    KS_MSG_THUMB,
    /* job -> kinoseek */
    KS_MSG_MEDIA,
    KS_MSG_FRAME,
    KS_MSG_PICTURE, /* answer to PIXELS: it is in the memory file */
    KS_MSG_JPEG,    /* answer to THUMB: the bytes are in the memory file */
    KS_MSG_GONE,    /* answer to either: not held any more */
    /* alive: bytes of the file read so far, and KS_TICK_FRAME for each frame decoded */
    KS_MSG_TICK,
    KS_MSG_FACT,
    KS_MSG_LINE, /* of a text job */
    KS_MSG_END
} ks_msg_type;

typedef enum { KS_JOB_FILM = 1, KS_JOB_CUT, KS_JOB_ABOUT, KS_JOB_TEXT } ks_job_kind;

typedef struct {
    int32_t kind;
    int32_t stills, fast, no_small;
    int32_t reencode, one_thread;
    int32_t survey;  /* pictures from key frames; 0: a film in order */
    int64_t hold;    /* bytes */
    double from, to; /* of a cut, seconds; to < 0: the end */
    /* from this key frame on (ks_key); ticks 0: from the film's start */
    int64_t seek_ticks, seek_shift, seek_offset;
    char hwaccel[32]; /* "" none */
    char muxer[32];   /* of a cut: mp4, matroska, ... */
    /* of a cut: for a browser that watches it; encoded to so many points on the short side; in
     * fragments, which go on where the part before ended */
    int32_t watch, side, fragments;
    int32_t beside; /* of a text job: the file is subtitles, no film */
} ks_job;

typedef struct {
    int32_t tb_num, tb_den;
    int32_t width, height, sar_num, sar_den, rotation;
    int32_t interlaced, hdr, inferred_times, hwaccel, threads;
    int32_t created_local, created_source;
    int64_t duration, created;
    double fps;
    char timecode[16], reel[64];
    char container[32], codec[32];
} ks_wire_media;

typedef struct {
    int64_t number, ticks, duration, since;
    int64_t shift, offset; /* of a key frame: as in ks_key */
    int32_t width, height, flags, has_small;
    uint8_t small[KS_SMALL];
} ks_wire_frame;

typedef struct {
    int64_t number, bytes; /* bytes of the JPEG, 0 for pixels */
    int32_t width, height;
    int64_t stride;
} ks_wire_picture;

typedef struct {
    int32_t verdict, interlaced, hdr, inferred_times;
    int32_t rate_num, rate_den, variable;
    int64_t frames, last_end;
    double seconds_missing;
    /* the container does not take it; streams of sound that were left out */
    int32_t cut_unfit, cut_sounds_left;
    double cut_from, cut_to; /* of a cut: what the piece shows, seconds of the film */
    char reason[200];
} ks_wire_end;

/* What is said of one film, or of one file: subtitles of three hours have 100 kB and 2,000
 * lines. */
enum { KS_LINE_BYTES = 1000, KS_LINES_MOST = 100000, KS_TEXT_MOST = 1 << 20 };
typedef struct {
    int64_t start_us, end_us; /* of the film's clock */
    int32_t stream;
    char text[KS_LINE_BYTES]; /* UTF-8 without control characters */
} ks_wire_line;

typedef struct {
    int32_t type;
    uint32_t bytes; /* of the body that follows */
    union {
        ks_job job;
        ks_wire_media media;
        ks_wire_frame frame;
        ks_wire_picture picture;
        ks_wire_end end;
        ks_wire_line line;
        struct {
            int64_t seen, keep; /* ACK: frames taken so far; frames before keep are not wanted */
        } ack;
        int64_t number; /* PIXELS, THUMB, GONE: of a frame; TICK: bytes */
        int32_t status; /* ENDED: as waitpid gives it */
        char text[160]; /* READY: the sandbox in words; FACT: "name=value" */
    } u;
} ks_message;
enum { KS_WIRE_HEAD = offsetof(ks_message, u) };

/* Fill type and bytes; the body is zeroed. */
void ks_wire_begin(ks_message *m, ks_msg_type type);
/* 1 sent; 0 would block (only with dont_wait); < 0 the other side is gone. */
int ks_wire_send(int fd, const ks_message *m, const int *fds, int n, int dont_wait);
/* 1 a message of well-formed size; 0 the other side closed; KS_ENOTFOUND: nothing within `ms`
 * (-1 waits for ever); KS_EFORMAT: no message of ours. fds (may be NULL) are CLOEXEC, -1 where
 * none came. */
int ks_wire_recv(int fd, ks_message *m, int fds[KS_WIRE_FDS], int ms);
/* The watchdog of a job. Patience is used up by waiting; time in which this process was itself
 * stopped (Ctrl-Z) does not count. Any message but a TICK gives it back, a TICK only where so
 * much was done meanwhile that it is work: a job that was taken over may say what it likes once
 * a second. */
typedef struct {
    int64_t patience, left; /* ms */
    int64_t step;           /* what gives patience back, as a TICK counts */
    int64_t most;           /* between two messages that are no TICKs */
    /* of a TICK: when patience was given back last, at the last other message */
    int64_t counted, since;
    /* waited through with nothing but TICKs, whose word is no proof: us; ms */
    int64_t alone, alone_most;
    int viewer; /* a socket whose other side waits for what is made; 0: none */
} ks_wire_watch;
/* bytes: of the file on its disk. */
void ks_wire_watch_start(ks_wire_watch *w, double patience, int64_t bytes);
/* As ks_wire_recv, without descriptors; KS_ENOTFOUND: patience is used up; KS_ESTOP: the viewer is
 * gone, noticed within half a second. */
int ks_wire_wait(int fd, ks_message *m, ks_wire_watch *w);

/* What a job has said so far; what it may say next follows from this. */
typedef struct {
    int has_media, ended;
    int64_t next; /* number the next frame must have */
    int64_t last_ticks, last_end;
    int64_t asked; /* number of the frame asked for, -1 none */
    int64_t ticks_read;
    int64_t lines, text; /* of a text job: so far, and their bytes */
    double tick;         /* seconds; 0 before the header */
} ks_wire_state;
void ks_wire_start(ks_wire_state *s);
/* 1: within KS_MAX_SIDE and KS_MAX_PIXELS. Asked by both ends: the decoder calls the rest
 * "picture too large". */
int ks_wire_size_fits(int32_t width, int32_t height);
/* Every field of a message from a job, in its order: 0, or KS_EFORMAT with what is nonsense in
 * it. */
int ks_wire_accept(ks_wire_state *s, const ks_message *m, ks_error *e);
/* Text of the other side becomes printable ASCII or UTF-8 without control characters, cut at n. */
void ks_wire_text(char *out, size_t n, const char *text, size_t max);

#endif
