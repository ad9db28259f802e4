/* decoder_follow.h - a picture that goes on in another stream of the file. */
#ifndef KS_DECODER_FOLLOW_H
#define KS_DECODER_FOLLOW_H

#include <libavformat/avformat.h>

enum { KS_FOLLOW_KEPT = 128, KS_FOLLOW_STREAMS = 1024 };

typedef struct {
    AVPacket *kept[KS_FOLLOW_KEPT]; /* of one other stream */
    int n, stream;
    int64_t bytes;
    int any;        /* the stream we show has begun */
    int ago, mixed; /* kept packets since one of ours; ours between them */
    double since;   /* time of the first of them */
    uint8_t rival[KS_FOLLOW_STREAMS];
} ks_follow;

void ks_follow_reset(ks_follow *w);
void ks_follow_ours(ks_follow *w); /* a packet of the stream we show */
/* A packet of another stream. 1: that one is the sequel, what was kept of it comes first. */
int ks_follow_other(ks_follow *w, const AVStream *st, const AVPacket *p);
int ks_follow_at_end(const ks_follow *w); /* 1: what was kept is the sequel */

#endif
