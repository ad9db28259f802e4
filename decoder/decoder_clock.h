/* decoder_clock.h - the film's clock for whoever reads the film: frames (decoder_film.c) and
 * pieces (decoder_cut.c). */
#ifndef KS_DECODER_CLOCK_H
#define KS_DECODER_CLOCK_H

#include "decoder/decoder_source.h"
#include "decoder/decoder_times.h"

/* The clock of the chosen stream, as its container counts. */
void ks_clock_start(ks_times *t, const ks_source *s);

/* --- the same clock for packets, of all streams --- */
enum { KS_CLOCK_STREAMS = 64, KS_CLOCK_WAIT = 24 };

/* What clock resets take away, found by a look through the film's packets: before the k-th one
 * (0: before any), in ticks of the film's stream. Each stream counts its own resets, as
 * recordings joined end to end are interleaved apart. */
typedef struct {
    ks_times times;
    AVRational tb;      /* of the film's stream */
    int stream, resets; /* the film's; 0: its container's clock is never set anew */
    int64_t *shift;     /* [n + 1] */
    int n, room;
    int64_t waiting[KS_CLOCK_WAIT]; /* stamps in the order of decoding, sorted */
    int n_waiting;
    int64_t last[KS_CLOCK_STREAMS]; /* dts */
    int at[KS_CLOCK_STREAMS];       /* resets seen of each stream */
} ks_packet_clock;

void ks_packet_clock_open(ks_packet_clock *c, const ks_source *s);
void ks_packet_clock_close(ks_packet_clock *c);
/* first, every packet; -> ..._ready */
void ks_packet_clock_learn(ks_packet_clock *c, const AVStream *st, const AVPacket *p);
void ks_packet_clock_ready(ks_packet_clock *c);
/* Then every packet once more, in the same order: what is to be taken off its stamps, in its
 * stream's ticks, so that 0 is the film's time 0. */
int64_t ks_packet_clock_off(ks_packet_clock *c, const AVStream *st, const AVPacket *p);

#endif
