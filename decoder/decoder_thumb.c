/* decoder_thumb.c - a frame as a small JPEG. 900 clips an hour of 5 kB are 4.5 MB of the 20 MB
 * an hour may cost. */
#include <string.h>
#include <turbojpeg.h>

#include "decoder/decoder_pixels.h"

enum { LONG_SIDE = 192, QUALITY = 60 };

/* Size as displayed, at most 192 on the long side, never enlarged beyond it. */
static void thumb_size(int *w, int *h, const ks_wire_picture *p, double sar)
{
    /* 1/250 is nobody's aspect */
    double shown_w = p->width * (sar > 0.1 && sar < 10 ? sar : 1), shown_h = p->height;
    double k = LONG_SIDE / (shown_w > shown_h ? shown_w : shown_h);
    if (k > 1) k = 1;
    *w = (int)(shown_w * k + 0.5);
    *h = (int)(shown_h * k + 0.5);
    if (*w < 1) *w = 1;
    if (*h < 1) *h = 1;
    if (*w > LONG_SIDE) *w = LONG_SIDE;
    if (*h > LONG_SIDE) *h = LONG_SIDE;
}

int ks_jpeg_of(ks_converter *c, uint8_t *out, size_t room, ks_wire_picture *made, const AVFrame *f,
               ks_turn turn)
{
    static uint8_t small[LONG_SIDE * LONG_SIDE * 3 + 64]; /* one job a process */
    const AVRational aspect = f->sample_aspect_ratio;
    double sar = aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1;
    int w, h, r = -1;
    unsigned char *jpeg = NULL;
    unsigned long bytes = 0;

    /* out is free until the JPEG is put there */
    if (ks_rgb_of(c, out, room, made, f, turn)) return -1;
    thumb_size(&w, &h, made, turn.quarter & 1 ? 1 / sar : sar);
    c->thumb_sws = sws_getCachedContext(c->thumb_sws, made->width, made->height, AV_PIX_FMT_RGB24,
                                        w, h, AV_PIX_FMT_RGB24, SWS_AREA, NULL, NULL, NULL);
    const uint8_t *from[4] = {out, NULL, NULL, NULL};
    uint8_t *to[4] = {small, NULL, NULL, NULL};
    int from_stride[4] = {(int)made->stride, 0, 0, 0}, to_stride[4] = {3 * w, 0, 0, 0};
    if (!c->thumb_sws ||
        sws_scale(c->thumb_sws, from, from_stride, 0, made->height, to, to_stride) != h)
        return -1;
    tjhandle t = tjInitCompress();
    if (t &&
        tjCompress2(t, small, w, 3 * w, h, TJPF_RGB, &jpeg, &bytes, TJSAMP_420, QUALITY,
                    TJFLAG_ACCURATEDCT) == 0 &&
        bytes <= room) {
        memcpy(out, jpeg, bytes);
        made->bytes = (int64_t)bytes;
        made->width = w;
        made->height = h;
        r = 0;
    }
    tjFree(jpeg);
    if (t) tjDestroy(t);
    return r;
}
