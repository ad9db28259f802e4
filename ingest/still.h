/* still.h - a picture that was there before is looked at once: of static cameras, slides, pauses.
 *
 * A frame that is bit for bit one of the last few pictures has its tokens, and a clip whose frames
 * all are those of one of the last clips has its vectors: the same input gives the same bits, so
 * both are what would have been computed. More than the newest one of each: a codec shows a scene
 * that stands still by a few pictures that take turns, one set a group of pictures, and clips fall
 * otherwise into each (ten minutes of one picture, a key frame every 5 s: 149 clips, of which seven
 * differ). */
#ifndef KS_STILL_H
#define KS_STILL_H

#include "ingest/embedder.h"

enum { KS_STILL_PICTURES = 24, KS_STILL_CLIPS = 64 };

typedef struct {
    uint8_t *px; /* [side,side,3]; NULL: none here */
    uint64_t hash;
    ks_frame_code code; /* its tokens, kept */
    uint64_t met;       /* when it was met last, by ks_still.now */
} ks_still_picture;

typedef struct {
    uint64_t *picture; /* [T] of its frames; NULL: none here */
    int T;
    float *vectors; /* [1 + T, dim] */
    uint64_t met;
} ks_still_clip_of;

typedef struct {
    ks_still_picture picture[KS_STILL_PICTURES];
    ks_still_clip_of clip[KS_STILL_CLIPS];
    uint64_t now, pictures; /* a clock; how many different ones there were */
    int64_t frames, clips;  /* that were not computed again */
} ks_still;                 /* zeros to begin with */

void ks_still_free(ks_still *s, const ks_embedder *c);
/* As ks_embedder_frames and ks_embedder_clip. */
int ks_still_frames(ks_frame_code *out, ks_still *s, const ks_embedder *c, const uint8_t *const *px,
                    int n, ks_error *e);
int ks_still_clip(float *v, ks_still *s, const ks_embedder *c, const ks_frame_code *const *frames,
                  int T, ks_error *e);

#endif
