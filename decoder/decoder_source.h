/* decoder_source.h - an open film: the bytes, the demuxer, the stream that was chosen, its
 * decoder. */
#ifndef KS_DECODER_SOURCE_H
#define KS_DECODER_SOURCE_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "decoder/decoder_job.h"

/* --- decoder_io.c: libav never gets a path, only this --- */
typedef struct {
    int fd;
    int64_t size, at; /* size may be less than the file's: cut to whole atoms */
    /* bytes read in all: the sign of life; those of holes do not count */
    int64_t read;
    /* [data, hole) was found to be written, [hole, data) not; all zero: nothing is known */
    int64_t data, hole;
    /* bytes of holes read since the last frame; the file ends for us after so many */
    int64_t holes, holes_most;
    int gave_up;              /* 1: it did */
    void (*alive)(void *arg); /* called now and then from inside a read; may be NULL */
    void *arg;
} ks_bytes;
int ks_bytes_open(AVIOContext **pb, ks_bytes *b);
void ks_bytes_close(AVIOContext **pb);
/* how many zeros the file ends with; 64 MiB are looked at */
int64_t ks_bytes_zero_tail(const ks_bytes *b);
size_t ks_bytes_at(const ks_bytes *b, int64_t at, uint8_t *out, size_t n); /* how many were there */

typedef struct {
    int has_ftyp, has_moov, has_moof;
    int cut; /* the last atom reaches past the end of the file */
    char cut_type[5];
    int64_t whole; /* end of the last whole atom */
} ks_atoms;
int ks_atoms_walk(ks_atoms *out, const ks_bytes *b); /* 1: it is made of atoms */
/* 1: packets of 188 bytes somewhere in the first 256 KiB */
int ks_is_transport_stream(const ks_bytes *b);
/* 1: the container says it is longer than the file is (last MP4 atom, Matroska segment, cut TS
 * packet) */
int ks_bytes_are_cut(const ks_bytes *b, const char *container);

/* --- decoder_source.c --- */
typedef struct ks_picture_reader ks_picture_reader; /* decoder_pictures.h */
typedef struct {
    ks_bytes bytes;
    /* it reads the file, not libav; NULL: libav. `format` holds one stream then, in ms */
    const ks_picture_reader *reader;
    void *reading;  /* its state */
    uint8_t *whole; /* the file, for it */
    AVIOContext *pb;
    AVFormatContext *format;
    AVStream *stream;
    AVCodecContext *codec;
    enum AVCodecID opened; /* codec of the stream when `codec` was opened */
    AVBufferRef *device;   /* hardware decoding, or NULL */
    int cut;               /* known to be longer than what is there */
    int threads;
    int still;             /* a picture file of one frame */
    const char *container; /* its name; until close */
    char reason[200];      /* why it cannot be opened */
} ks_source;

/* Photographs have more points than films: a still is opened anew with the next of these where
 * it is too large. JPEG is decoded at 1/2 and 1/4 of its sides (of at most 160 Mi and 640 Mi
 * points; libav takes no more than 256 Mi), the others whole, up to KS_PICTURE_BYTES, and scaled
 * down then. */
enum { KS_SHRINK_MOST = 2 };

typedef struct {
    int fd;
    int stills, fast, threads; /* threads 0: as the film needs */
    int shrink;                /* 0 ... KS_SHRINK_MOST */
    const char *hwaccel;       /* "" none */
    void (*alive)(void *arg);
    void *arg;
} ks_source_how;

/* 0, or -1 with reason filled (a verdict, not an error). Close in either case. */
int ks_source_open(ks_source *s, const ks_source_how *how);
void ks_source_close(ks_source *s);
/* The same film goes on in st: its decoder in place of the old one, times in `base`. 0, or -1
 * with reason filled. */
int ks_source_follow(ks_source *s, AVStream *st, const ks_source_how *how, AVRational base);
/* Demuxer only, all streams kept (for a cut). */
int ks_source_open_bare(ks_source *s, const ks_source_how *how);

/* --- decoder_packet.c --- */
/* 0: nothing in it is to be shown, and a decoder would call it an error: no bytes (AVI's sign
 * for "as before"), or H.264 and HEVC units of parameters, delimiters and supplements alone. */
int ks_packet_has_picture(const AVPacket *p, const AVCodecParameters *of);

/* --- decoder_log.c: what libav's log said since it was last asked --- */
typedef struct {
    /* lines that mean a damaged picture (decoder) or lost bytes (demuxer) */
    int bad;
    int blocks; /* lines that mean one damaged block of a picture */
    int too_large, cut;
} ks_log_news;
void ks_log_listen(void);
ks_log_news ks_log_take(void);

#endif
