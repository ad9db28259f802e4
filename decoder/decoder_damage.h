/* decoder_damage.h - which decoded frames can be trusted. No libav in here: the tests drive it.
 *
 * Frames come out in another order than packets go in, so trust is kept by packet: a packet is bad
 * when something was wrong with it or with any packet between it and the key packet before it (in
 * decoding order). Leading pictures of an open group also lean on the group before. */
#ifndef KS_DECODER_DAMAGE_H
#define KS_DECODER_DAMAGE_H

#include <stdint.h>

/* packets between going in and coming out; frame threads and B frames need tens */
enum { KS_MARKS = 512 };

typedef struct {
    int64_t seq;
    int64_t key_pts; /* of the key packet it leans on */
    int bad, key, before_bad;
} ks_mark;

typedef struct {
    double tick; /* seconds a tick, for healing */
    ks_mark marks[KS_MARKS];
    int64_t seq;       /* of the packet that went in last; 0 none */
    int64_t bad_since; /* pts of the first bad packet of this stretch; INT64_MIN unknown */
    int suspect;       /* the transport layer doubts the last packet */
} ks_damage;

void ks_damage_open(ks_damage *d, double tick);
/* A packet goes in: pts INT64_MIN where unknown. Returns its number, to be found again on the
 * frame. */
int64_t ks_damage_packet(ks_damage *d, int64_t pts, int key, int corrupt);
/* Something was wrong with packet seq (0 or too old: the last one). */
void ks_damage_at(ks_damage *d, int64_t seq);
/* 1: a frame of that packet may be shown. */
int ks_damage_trusted(const ks_damage *d, int64_t seq, int64_t pts);

#endif
