/* decoder_hold.c - the latest decoded frames, kept for kinoseek to ask for. */
#include "decoder/decoder_hold.h"

#include <libavutil/imgutils.h>
#include <string.h>

size_t ks_frame_bytes(const AVFrame *f)
{
    size_t n = 0;
    for (int i = 0; i < AV_NUM_DATA_POINTERS && f->buf[i]; i++) n += (size_t)f->buf[i]->size;
    return n;
}

void ks_hold_open(ks_hold *h, int64_t budget)
{
    memset(h, 0, sizeof *h);
    h->budget = budget > 0 ? (size_t)budget : (size_t)256 << 20;
}

void ks_hold_drop(ks_hold *h, int64_t before)
{
    for (; h->first < before && h->first < h->next; h->first++) {
        AVFrame **f = &h->at[h->first % KS_HOLD_MOST];
        h->bytes -= ks_frame_bytes(*f);
        av_frame_free(f);
    }
}

void ks_hold_close(ks_hold *h) { ks_hold_drop(h, h->next); }

int ks_hold_add(ks_hold *h, AVFrame *f, int64_t seen)
{
    AVFrame *mine = av_frame_alloc();
    if (!mine) return -1;
    av_frame_move_ref(mine, f);
    size_t bytes = ks_frame_bytes(mine);
    while (h->first < h->next && h->first < seen &&
           (h->bytes + bytes > h->budget || h->next - h->first == KS_HOLD_MOST))
        ks_hold_drop(h, h->first + 1);
    if (h->next - h->first == KS_HOLD_MOST) {
        av_frame_free(&mine);
        return -1;
    }
    h->at[h->next++ % KS_HOLD_MOST] = mine;
    h->bytes += bytes;
    return 0;
}

const AVFrame *ks_hold_get(const ks_hold *h, int64_t number)
{
    return number >= h->first && number < h->next ? h->at[number % KS_HOLD_MOST] : NULL;
}
