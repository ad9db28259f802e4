/* decoder_small.c - every frame as 64 x 36 means, for shot cuts.
 *
 * Scaling each frame by swscale costs a third of decoding it; a mean over at most 6 x 6 samples a
 * cell is as good for telling shots apart and costs a few per cent. */
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <string.h>

#include "decoder/decoder_pixels.h"

typedef struct {
    const uint8_t *base;
    ptrdiff_t row;
    int step, shift, wide, width, height;
} plane;

static int plane_of(plane *p, const AVFrame *f, const AVPixFmtDescriptor *d, int k)
{
    const AVComponentDescriptor *c = &d->comp[k];
    int chroma = k > 0 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
    if (!f->data[c->plane] || c->depth < 8 || c->depth > 16) return -1;
    p->base = f->data[c->plane] + c->offset;
    p->row = f->linesize[c->plane];
    p->step = c->step;
    p->wide = c->depth > 8 || c->shift > 0;
    p->shift = c->shift + c->depth - 8;
    p->width = chroma ? AV_CEIL_RSHIFT(f->width, d->log2_chroma_w) : f->width;
    p->height = chroma ? AV_CEIL_RSHIFT(f->height, d->log2_chroma_h) : f->height;
    return 0;
}

/* Means of the cells of one plane from at most most x most samples a cell. */
static void means(uint8_t *out, const plane *p, int most)
{
    for (int j = 0; j < KS_SMALL_H; j++) {
        int y0 = (int)((int64_t)j * p->height / KS_SMALL_H),
            y1 = (int)((int64_t)(j + 1) * p->height / KS_SMALL_H);
        if (y1 <= y0) y1 = y0 + 1;
        int ny = y1 - y0 < most ? y1 - y0 : most;
        for (int i = 0; i < KS_SMALL_W; i++) {
            int x0 = (int)((int64_t)i * p->width / KS_SMALL_W),
                x1 = (int)((int64_t)(i + 1) * p->width / KS_SMALL_W);
            if (x1 <= x0) x1 = x0 + 1;
            int nx = x1 - x0 < most ? x1 - x0 : most;
            unsigned sum = 0;
            for (int b = 0; b < ny; b++) {
                const uint8_t *row = p->base + (y0 + b * (y1 - y0) / ny) * p->row;
                for (int a = 0; a < nx; a++) {
                    const uint8_t *s = row + (ptrdiff_t)(x0 + a * (x1 - x0) / nx) * p->step;
                    sum += p->wide ? (unsigned)(s[0] | s[1] << 8) >> p->shift & 0xff : s[0];
                }
            }
            out[j * KS_SMALL_W + i] = (uint8_t)((sum + (unsigned)(nx * ny) / 2) /
                                                (unsigned)(nx * ny));
        }
    }
}

/* Planes R, G, B in place -> Y, U, V (BT.601, full range). */
static void to_yuv(uint8_t *small)
{
    enum { N = KS_SMALL_W * KS_SMALL_H };
    for (int i = 0; i < N; i++) {
        int r = small[i], g = small[N + i], b = small[2 * N + i];
        int y = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;
        small[i] = (uint8_t)y;
        small[N + i] = (uint8_t)av_clip_uint8(128 + ((b - y) * 36962 >> 16));
        small[2 * N + i] = (uint8_t)av_clip_uint8(128 + ((r - y) * 46727 >> 16));
    }
}

/* Palettes, bit streams, big-endian samples: by swscale. */
static void by_swscale(ks_converter *c, uint8_t *small, const AVFrame *f)
{
    enum { N = KS_SMALL_W * KS_SMALL_H };
    uint8_t *planes[4] = {small, small + N, small + 2 * N, NULL};
    int strides[4] = {KS_SMALL_W, KS_SMALL_W, KS_SMALL_W, 0};
    c->small_sws = sws_getCachedContext(c->small_sws, f->width, f->height,
                                        (enum AVPixelFormat)f->format, KS_SMALL_W, KS_SMALL_H,
                                        AV_PIX_FMT_YUV444P, SWS_AREA, NULL, NULL, NULL);
    if (c->small_sws)
        sws_scale(c->small_sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, planes,
                  strides);
}

void ks_small_of(ks_converter *c, uint8_t small[KS_SMALL], const AVFrame *f)
{
    enum { N = KS_SMALL_W * KS_SMALL_H };
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)f->format);
    const uint64_t odd = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                         AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_FLOAT;
    plane p[3];
    int n = d ? (d->nb_components >= 3 ? 3 : 1) : 0;

    memset(small, 128, KS_SMALL);
    if (!d || (d->flags & odd)) {
        by_swscale(c, small, f);
        return;
    }
    for (int k = 0; k < n; k++)
        if (plane_of(&p[k], f, d, k)) {
            by_swscale(c, small, f);
            return;
        }
    for (int k = 0; k < n; k++)
        means(small + k * N, &p[k], k && !(d->flags & AV_PIX_FMT_FLAG_RGB) ? 3 : 6);
    if (d->flags & AV_PIX_FMT_FLAG_RGB) to_yuv(small);
}
