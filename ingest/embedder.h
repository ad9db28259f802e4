/* embedder.h - what turns resized frames into vectors: the towers, or in tests the clock in the
 * picture.
 *
 * The clock encoder reads the eight bars that tests/make_hostile.sh draws over the top half (bar
 * i is white when bit i of floor(4 t) is set): a frame's vector is the eight bits as
 * +-1/sqrt(8), a clip's that of its first frame. Search results then prove which second of which
 * file a clip is. */
#ifndef KS_EMBEDDER_H
#define KS_EMBEDDER_H

#include "encoder/encoder.h"

enum { KS_CLOCK_DIM = 8, KS_CLOCK_FRAMES = 16, KS_CLOCK_SIDE = 288 };

typedef struct {
    ks_encoder *enc; /* NULL: the clock */
    int dim, frames, side;
    int short_frames; /* of a shot no longer than the window; 0: as of any */
    ks_fit fit;
} ks_embedder;

typedef struct {
    union {
        ks_tokens *tokens;
        float clock[KS_CLOCK_DIM];
    };
    uint64_t picture; /* of ks_still_frames: equal ones show the same to the bit; else unset */
} ks_frame_code;      /* one frame, ready for clips */

/* frames 0: the model's own; short_frames as many or more: 0. KS_EUSAGE: the model has no video
 * vectors. */
int ks_embedder_init(ks_embedder *c, ks_encoder *enc, int frames, int short_frames, ks_fit fit,
                     ks_error *e);
ks_space ks_embedder_space(const ks_embedder *c);
/* px[n]: [side,side,3] */
int ks_embedder_frames(ks_frame_code *out, const ks_embedder *c, const uint8_t *const *px, int n,
                       ks_error *e);
/* v[1 + T, dim]: the clip's, then its frames' */
int ks_embedder_clip(float *v, const ks_embedder *c, const ks_frame_code *const *frames, int T,
                     ks_error *e);
/* Each of n pictures as a clip of one frame: v[n, dim]. */
int ks_embedder_pictures(float *v, const ks_embedder *c, const uint8_t *const *px, int n,
                         ks_error *e);
void ks_frame_code_free(ks_frame_code *coded, const ks_embedder *c);

/* The eight bits of the bars in a picture [side,side,3]; bit i from bar i. */
int ks_clock_read(const uint8_t *px, int side);

#endif
