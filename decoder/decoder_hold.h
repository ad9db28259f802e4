/* decoder_hold.h - the latest decoded frames, kept for kinoseek to ask for. */
#ifndef KS_DECODER_HOLD_H
#define KS_DECODER_HOLD_H

#include <libavutil/frame.h>

#include "decoder/decoder_job.h"

enum { KS_HOLD_MOST = 4096 }; /* frames; a power of two */

typedef struct {
    AVFrame *at[KS_HOLD_MOST]; /* frame n at n % KS_HOLD_MOST */
    size_t bytes, budget;
    int64_t first, next; /* held: [first, next) */
} ks_hold;

void ks_hold_open(ks_hold *h, int64_t budget);
void ks_hold_close(ks_hold *h);
/* Takes over what is in f. Frames before `seen` may be dropped to stay in the budget, others
 * not. */
int ks_hold_add(ks_hold *h, AVFrame *f, int64_t seen);
void ks_hold_drop(ks_hold *h, int64_t before);
const AVFrame *ks_hold_get(const ks_hold *h, int64_t number); /* NULL: gone */
size_t ks_frame_bytes(const AVFrame *f);

#endif
