/* still.h - a picture that does not change is looked at once: of static cameras, slides, pauses.
 *
 * A frame that is bit for bit the one before it has its tokens, and a clip whose frames all are
 * those of the clip before has its vectors: the same input gives the same bits, so both are what
 * would have been computed. */
#ifndef KS_STILL_H
#define KS_STILL_H

#include "ingest/embedder.h"

typedef struct {
    uint8_t *px;         /* [side,side,3] of the frame that came last; NULL: none did */
    ks_frame_code frame; /* its tokens, kept */
    ks_frame_code *clip; /* [T] of the clip before, kept; NULL: there is none */
    int T;
    float *vectors;        /* [1 + T, dim] of that clip */
    int64_t frames, clips; /* that were not computed again */
} ks_still;                /* zeros to begin with */

void ks_still_free(ks_still *s, const ks_embedder *c);
/* As ks_embedder_frames and ks_embedder_clip. */
int ks_still_frames(ks_frame_code *out, ks_still *s, const ks_embedder *c, const uint8_t *const *px,
                    int n, ks_error *e);
int ks_still_clip(float *v, ks_still *s, const ks_embedder *c, const ks_frame_code *const *frames,
                  int T, ks_error *e);

#endif
