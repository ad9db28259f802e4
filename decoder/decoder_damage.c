/* decoder_damage.c - which decoded frames can be trusted. */
#include "decoder/decoder_damage.h"

#include <string.h>

/* Without a key frame, pictures are taken again after this: intra blocks have passed over them
 * all. */
static const double HEAL = 12.0;

static ks_mark *mark(ks_damage *d, int64_t seq) { return &d->marks[seq % KS_MARKS]; }

void ks_damage_open(ks_damage *d, double tick)
{
    memset(d, 0, sizeof *d);
    d->tick = tick;
    d->bad_since = INT64_MIN;
}

int64_t ks_damage_packet(ks_damage *d, int64_t pts, int key, int corrupt)
{
    ks_mark before = *mark(d, d->seq), *now;

    /* A broken continuity counter is a loss only if what follows leans on it: where two recordings
     * were joined (corpus 4a) a key packet comes next, or after one more (the parser is late by
     * one). */
    if (key) d->suspect = 0;
    else if (d->suspect > 0 && --d->suspect == 0) {
        ks_damage_at(d, d->seq - 1);
        before = *mark(d, d->seq);
    }
    if (corrupt && !d->suspect) d->suspect = 2;
    now = mark(d, ++d->seq);
    now->seq = d->seq;
    now->key = key;
    now->key_pts = key ? pts : before.key_pts;
    now->before_bad = key ? before.bad : before.before_bad;
    now->bad = key ? 0 : before.bad;
    if (now->bad && pts != INT64_MIN && d->bad_since != INT64_MIN &&
        (double)(pts - d->bad_since) * d->tick > HEAL)
        now->bad = 0;
    if (!now->bad) d->bad_since = INT64_MIN;
    else if (d->bad_since == INT64_MIN) d->bad_since = pts;
    return d->seq;
}

void ks_damage_at(ks_damage *d, int64_t seq)
{
    if (d->seq == 0) return;
    if (seq <= 0 || seq > d->seq || seq <= d->seq - KS_MARKS) seq = d->seq;
    mark(d, seq)->bad = 1;
    while (++seq <= d->seq && !mark(d, seq)->key) mark(d, seq)->bad = 1;
    if (seq <= d->seq) /* the group after it: its leading pictures */
        do mark(d, seq)->before_bad = 1;
        while (++seq <= d->seq && !mark(d, seq)->key);
}

int ks_damage_trusted(const ks_damage *d, int64_t seq, int64_t pts)
{
    const ks_mark *m;
    if (seq <= 0 || seq > d->seq || seq <= d->seq - KS_MARKS) seq = d->seq;
    m = &d->marks[seq % KS_MARKS];
    if (m->bad) return 0;
    return !(m->before_bad && !m->key && pts != INT64_MIN && m->key_pts != INT64_MIN &&
             pts < m->key_pts);
}
