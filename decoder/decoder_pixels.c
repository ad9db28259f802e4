/* decoder_pixels.c - a decoded frame as RGB, as it is displayed.
 *
 * The conversion is what `ffmpeg -pix_fmt rgb24` does, bit for bit: swscale's unscaled path with
 * bicubic flags, without ACCURATE_RND (which changes it by up to 24), with the frame's own range
 * and matrix; an unknown matrix is BT.601, whatever the size. The model's reference pipeline
 * decodes so. */
#include "decoder/decoder_pixels.h"

#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <string.h>

ks_turn ks_turn_of(const int32_t *m)
{
    ks_turn none = {0, 0};
    if (!m) return none;
    /* (x, y) goes to (a x + c y, b x + d y), y downwards */
    double a = m[0], b = m[1], c = m[3], d = m[4], n = hypot(a, b), k = hypot(c, d);
    if (!(n > 0 && k > 0)) return none;
    a /= n, b /= n, c /= k, d /= k;
    double flip = a * d - b * c < 0 ? -1 : 1; /* a mirror has a negative determinant */
    a *= flip, b *= flip;                     /* undo the mirror: x before the turn */
    const double near = 0.9998;               /* cosine of 1 degree */
    ks_turn t = {0, flip < 0};
    if (a > near && d > near) t.quarter = 0;
    else if (b > near && c < -near) t.quarter = 1;
    else if (a < -near && d < -near) t.quarter = 2;
    else if (b < -near && c > near) t.quarter = 3;
    else return none;
    return t;
}

static int grow(void **p, size_t *room, size_t need)
{
    if (*room >= need) return 0;
    av_free(*p);
    *p = av_malloc(need);
    *room = *p ? need : 0;
    return *p ? 0 : -1;
}

/* Bytes of a row of w pixels of `bytes` each. swscale's own converters write whole groups of
 * eight pixels (sixteen here, to be safe) where the row has room for them, and leave the last
 * ones undone where it has not: 340 x 256 lost 4 columns. */
static size_t row_of(size_t w, size_t bytes)
{
    return (((w + 15) & ~(size_t)15) * bytes + 63) & ~(size_t)63;
}

static const int *matrix_of(int space)
{
    if (space < 1 || space > 10 || space == 8) space = AVCOL_SPC_BT470BG;
    return sws_getCoefficients(space);
}

static struct SwsContext *context_for(ks_converter *c, const AVFrame *f, enum AVPixelFormat to)
{
    int *inv, *table, full, out_full, brightness, contrast, saturation;
    if (c->sws && c->sws_width == f->width && c->sws_height == f->height &&
        c->sws_format == f->format && c->sws_to == (int)to && c->sws_space == (int)f->colorspace &&
        c->sws_range == (int)f->color_range)
        return c->sws;
    sws_freeContext(c->sws);
    c->sws = sws_getContext(f->width, f->height, (enum AVPixelFormat)f->format, f->width, f->height,
                            to, SWS_BICUBIC, NULL, NULL, NULL);
    if (!c->sws) return NULL;
    if (sws_getColorspaceDetails(c->sws, &inv, &full, &table, &out_full, &brightness, &contrast,
                                 &saturation) >= 0) {
        if (f->color_range != AVCOL_RANGE_UNSPECIFIED) full = f->color_range == AVCOL_RANGE_JPEG;
        if (c->ipt) full = out_full = 1; /* samples as they are */
        sws_setColorspaceDetails(c->sws, matrix_of(f->colorspace), full, table, out_full,
                                 brightness, contrast, saturation);
    }
    c->sws_width = f->width;
    c->sws_height = f->height;
    c->sws_format = f->format;
    c->sws_to = (int)to;
    c->sws_space = (int)f->colorspace;
    c->sws_range = (int)f->color_range;
    return c->sws;
}

static int convert(ks_converter *c, uint8_t *out, int stride, const AVFrame *f,
                   enum AVPixelFormat to)
{
    struct SwsContext *sws = context_for(c, f, to);
    uint8_t *planes[4] = {out, NULL, NULL, NULL};
    int strides[4] = {stride, 0, 0, 0};
    if (!sws) return -1;
    return sws_scale(sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, planes,
                     strides) == f->height
               ? 0
               : -1;
}

static int has_alpha(const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)f->format);
    return d && (d->flags & (AV_PIX_FMT_FLAG_ALPHA | AV_PIX_FMT_FLAG_PAL));
}

/* rgba[h, 4 w] -> rgb over black, in place of the same buffer's size. */
static void over_black(uint8_t *out, size_t stride, const uint8_t *rgba, size_t rgba_stride, int w,
                       int h)
{
    for (int y = 0; y < h; y++) {
        const uint8_t *s = rgba + (size_t)y * rgba_stride;
        uint8_t *d = out + (size_t)y * stride;
        for (int x = 0; x < w; x++, s += 4, d += 3)
            for (int k = 0; k < 3; k++) d[k] = (uint8_t)((s[k] * s[3] + 127) / 255);
    }
}

/* Unturned RGB of f into out. */
static int plain_rgb(ks_converter *c, uint8_t *out, size_t stride, const AVFrame *f)
{
    size_t w = (size_t)f->width, h = (size_t)f->height;
    if (c->ipt) {
        size_t row = row_of(w, 8);
        if (grow((void **)&c->wide, &c->wide_room, row * h + 64)) return -1;
        if (convert(c, (uint8_t *)c->wide, (int)row, f, AV_PIX_FMT_AYUV64)) return -1;
        return ks_dolby_map(&c->tone, out, stride, c->wide, row, f);
    }
    if (ks_is_hdr(f)) {
        size_t row = row_of(w, 6);
        if (grow((void **)&c->wide, &c->wide_room, row * h + 64)) return -1;
        if (convert(c, (uint8_t *)c->wide, (int)row, f, AV_PIX_FMT_RGB48)) return -1;
        for (size_t y = 1; y < h && row != 6 * w; y++)
            memmove((uint8_t *)c->wide + y * 6 * w, (uint8_t *)c->wide + y * row, 6 * w);
        return ks_tone_map(&c->tone, out, stride, c->wide, f);
    }
    if (!has_alpha(f)) return convert(c, out, (int)stride, f, AV_PIX_FMT_RGB24);
    size_t row = row_of(w, 4);
    if (grow((void **)&c->wide, &c->wide_room, row * h + 64)) return -1;
    if (convert(c, (uint8_t *)c->wide, (int)row, f, AV_PIX_FMT_RGBA)) return -1;
    over_black(out, stride, (uint8_t *)c->wide, row, f->width, f->height);
    return 0;
}

/* Each pixel of out comes from in at base + X*right + Y*down (bytes); in tiles, so that both
 * stay in the cache. */
static void turn_pixels(uint8_t *out, const ks_wire_picture *made, const uint8_t *base,
                        ptrdiff_t right, ptrdiff_t down)
{
    enum { TILE = 32 };
    const int w = made->width, h = made->height;
    for (int y0 = 0; y0 < h; y0 += TILE)
        for (int x0 = 0; x0 < w; x0 += TILE)
            for (int y = y0; y < h && y < y0 + TILE; y++) {
                uint8_t *d = out + (size_t)y * (size_t)made->stride + 3 * (size_t)x0;
                const uint8_t *s = base + (ptrdiff_t)y * down + (ptrdiff_t)x0 * right;
                for (int x = x0; x < w && x < x0 + TILE; x++, d += 3, s += right) memcpy(d, s, 3);
            }
}

int ks_rgb_of(ks_converter *c, uint8_t *out, size_t room, ks_wire_picture *made, const AVFrame *f,
              ks_turn turn)
{
    int w = f->width, h = f->height, odd = turn.quarter & 1, W = odd ? h : w, H = odd ? w : h;
    size_t stride = row_of((size_t)W, 3), plain = row_of((size_t)w, 3);

    if (stride * (size_t)H + 64 > room) return -1;
    made->width = W;
    made->height = H;
    made->stride = (int64_t)stride;
    if (turn.quarter == 0 && !turn.mirror) return plain_rgb(c, out, stride, f);
    if (grow((void **)&c->plain, &c->plain_room, plain * (size_t)h + 64) ||
        plain_rgb(c, c->plain, plain, f))
        return -1;
    /* where the corner of the display lies in the stored picture, and one step right and down
     * from there */
    ptrdiff_t px = 3, row = (ptrdiff_t)plain, x0 = 0, y0 = 0, right, down;
    switch (turn.quarter) {
    case 0: right = px, down = row; break;
    case 1: y0 = h - 1, right = -row, down = px; break;
    case 2: x0 = w - 1, y0 = h - 1, right = -px, down = -row; break;
    default: x0 = w - 1, right = row, down = -px; break;
    }
    if (turn.mirror) { /* the stored picture is read from its other side */
        x0 = w - 1 - x0;
        if (odd) down = -down;
        else right = -right;
    }
    turn_pixels(out, made, c->plain + y0 * row + x0 * px, right, down);
    return 0;
}

void ks_converter_free(ks_converter *c)
{
    sws_freeContext(c->sws);
    sws_freeContext(c->small_sws);
    sws_freeContext(c->thumb_sws);
    av_freep(&c->plain);
    av_freep(&c->wide);
    ks_tone_free(c->tone);
    memset(c, 0, sizeof *c);
}
