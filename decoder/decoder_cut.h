/* decoder_cut.h - what the parts of a cut know of each other: the job (decoder_cut.c), the file
 * that is written
 * (decoder_cut_out.c), and the pictures that are encoded anew (decoder_cut_encode.c). */
#ifndef KS_DECODER_CUT_H
#define KS_DECODER_CUT_H

#include <libavcodec/bsf.h>
#include <libswscale/swscale.h>

#include "decoder/decoder_clock.h"
#include "decoder/decoder_job.h"
#include "decoder/decoder_pixels.h"
#include "decoder/decoder_source.h"

enum { KS_CUT_STREAMS = KS_CLOCK_STREAMS };
enum { KS_CUT_SENT = 256 }; /* more pictures than the encoder ever holds back */
enum {
    KS_CUT_LATER = 32
}; /* more than any codec decodes ahead of what is shown (H.264, HEVC: 16) */

typedef struct ks_cut_sound ks_cut_sound; /* decoder_cut_sound.c */

typedef struct {
    ks_task *task;
    ks_source in;
    ks_times times; /* of the frames that are encoded anew */
    ks_packet_clock clock;
    AVFormatContext *out;
    AVIOContext *pb;
    AVCodecContext *encoder;
    ks_cut_sound *sound; /* encoded anew; NULL: copied, or none */
    ks_tone *tone;       /* of HDR, for a browser */
    AVBSFContext *adts;  /* of sound that is copied and has its head in its packets; or NULL */
    int adts_to;         /* its stream of out */
    struct SwsContext *wide_sws;
    uint16_t *wide; /* [h, w, 3] of the encoder's size */
    struct SwsContext *sws;
    int sws_format, sws_width, sws_height, sws_range;
    AVPacket *packet;
    AVFrame *frame, *scaled, *held; /* held: how long it is shown says the next one */
    double held_at, held_length;    /* seconds into the film; length 0: not known */
    int holds;
    struct {
        int64_t pts, length; /* of pictures in the encoder, in its ticks */
    } sent[KS_CUT_SENT];
    int map[KS_CUT_STREAMS];          /* stream of in -> stream of out, -1 left out */
    int64_t next_dts[KS_CUT_STREAMS]; /* of in's streams: where the next packet would be decoded */
    int64_t last_dts[KS_CUT_STREAMS]; /* of out's streams, in their ticks */
    double from;                      /* where the copy really begins */
    double end;                       /* of the copy: as asked, or where its pictures close */
    struct {
        AVPacket *packet;
        double t;
        int64_t off;
    } later[KS_CUT_LATER]; /* decoded before pictures of the piece, perhaps, and shown behind it */
    int n_later, over;     /* over: more came than can be needed */
    double shown_from, shown_to; /* of the film in the piece; from > to: nothing yet */
    int64_t frames, told;
    int unwritten; /* errno of the output: no fault of the film */
    int unfit;     /* the container does not take these streams */
    int sounds_left;
    char reason[200];
} ks_cutter;

int ks_cut_fail(ks_cutter *c, const char *what, int err); /* keeps the first sentence; -1 */

/* --- decoder_cut_out.c --- */
/* The container with the film and all the sound that it takes; header written. -1: c->reason,
 * c->unfit. */
int ks_cut_open(ks_cutter *c);
/* p's stamps are in tb; off is taken off them. */
int ks_cut_put(ks_cutter *c, AVPacket *p, int to, AVRational tb, int64_t off);
int ks_cut_end(ks_cutter *c);

/* --- decoder_cut_encode.c --- */
int ks_cut_encoder(ks_cutter *c); /* opens it, fills out's stream */
/* one frame, t seconds into the film, shown for `length` */
int ks_cut_encode(ks_cutter *c, const AVFrame *f, double t, double length);
int ks_cut_drain(ks_cutter *c);

/* --- decoder_cut_sound.c --- */
int ks_cut_sound_fits(const AVStream *st); /* 1: it can be decoded and encoded */
/* opens both, fills out's stream */
int ks_cut_sound_open(ks_cutter *c, const AVStream *st, AVStream *to);
int ks_cut_is_sound(const ks_cutter *c, const AVPacket *p);
/* one packet, t seconds into the film; off is taken off its stream's stamps */
int ks_cut_sound_packet(ks_cutter *c, const AVPacket *p, double t, int64_t off);
int ks_cut_sound_drain(ks_cutter *c);

#endif
