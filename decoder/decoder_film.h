/* decoder_film.h - one film being decoded: packets in, messages out. */
#ifndef KS_DECODER_FILM_H
#define KS_DECODER_FILM_H

#include "decoder/decoder_damage.h"
#include "decoder/decoder_even.h"
#include "decoder/decoder_follow.h"
#include "decoder/decoder_hold.h"
#include "decoder/decoder_pixels.h"
#include "decoder/decoder_source.h"
#include "decoder/decoder_times.h"

enum { KS_SPANS = 4 };

typedef struct {
    ks_task *task;
    ks_source_how how;
    ks_source source;
    ks_follow follow;     /* what may be the sequel in another stream */
    AVRational time_base; /* of the film: of the stream it begins in */
    ks_times times;
    ks_even even;
    ks_hold hold;
    ks_converter converter;
    ks_turn turn;
    AVPacket *packet;
    AVFrame *frame, *host; /* as decoded; in main memory, where hardware decoded it */
    /* conversation */
    int64_t seen;    /* frames that kinoseek has taken */
    int64_t ahead;   /* frames we may be ahead of it */
    int64_t told_ms; /* when we last said anything */
    int64_t told;    /* the last TICK's number */
    int64_t decoded; /* frames, shown or not */
    int has_media;
    ks_message out;
    /* damage */
    ks_damage damage;
    int damaged;             /* anything was ever wrong */
    int headless;            /* the first packet is no key packet */
    int hole;                /* frames were lost before the next one */
    int loss;                /* the demuxer lost bytes before the next packet */
    int64_t loss_seq;        /* number of that packet once it came; 0 none */
    int lost_end;            /* and there was no next packet, though the file goes on */
    int64_t read_to;         /* end of the furthest packet in the file */
    int64_t first_damage;    /* ticks, -1 none */
    int64_t lost, lost_last; /* frames: in all, since the last good one */
    double missing;          /* seconds */
    struct {
        /* seconds: where they are missing; what lies within a second is one span */
        double from, to;
    } span[KS_SPANS];
    int spans;              /* in all; the first KS_SPANS are kept */
    int unread;             /* it goes on in a stream that cannot be decoded */
    int64_t followed_at;    /* byte where the stream we show goes on from another */
    int64_t first_followed; /* ticks: where the last change of streams was */
    int too_large, encrypted, interlaced, hdr;
    int64_t skip; /* frames already delivered before a restart */
    int restart;  /* begin again with one thread */
    /* how the picture is read, of a still that is too large otherwise */
    int shrink;
    int64_t at[KS_MARKS]; /* byte of each packet that went in, by its number; a ring */
    int64_t packet_at;    /* of the frame being delivered; -1 not known */
    int64_t stamp;        /* of the frame being delivered; KS_NO_TIME none */
    int64_t since;        /* of a survey's picture: ticks from where it stands */
    int64_t seek_stamp;   /* frames before it are not shown; KS_NO_TIME: all are */
} ks_film_job;

/* decoder_talk.c: each answers what has been asked meanwhile; a kinoseek that is gone ends the
 * process. */
void ks_talk_alive(void *film);               /* at most once a second: how far we are */
void ks_talk_serve(ks_film_job *f, int wait); /* answer requests; wait: until one came */
void ks_talk_send(ks_film_job *f);            /* f->out */
void ks_talk_frame(ks_film_job *f, const ks_moment *m, const AVFrame *frame, int flags);

/* decoder_seek.c: from the first packet to the job's key frame. packet and frame: of the caller,
 * to work with. -1: nothing of this source is to be had. */
int ks_source_seek(ks_source *s, const ks_job *job, AVPacket *packet, AVFrame *frame);

/* decoder_survey.c: pictures from key frames; -1: this film is to be read in order */
int ks_film_survey(ks_film_job *f);

/* decoder_verdict.c */
/* ticks that have no picture because of damage */
void ks_film_missing(ks_film_job *f, int64_t from, int64_t to);
void ks_film_verdict(ks_wire_end *end, ks_film_job *f);

/* Version differences of libav in one place. */
int64_t ks_frame_duration(const AVFrame *f);
int ks_frame_is_key(const AVFrame *f);
int ks_frame_is_interlaced(const AVFrame *f);
int ks_is_ipt(const AVStream *st); /* Dolby Vision profile 5 */
const int32_t *ks_display_matrix(const AVStream *st, const AVFrame *f);

#endif
