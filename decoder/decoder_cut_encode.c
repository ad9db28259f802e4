/* decoder_cut_encode.c - pictures of a piece encoded anew, in the colours they had.
 *
 * H.264 in 4:2:0, 8 bits, or 10 where the film is HDR. Range, matrix, primaries and transfer are
 * the film's own; only what is no YCbCr becomes BT.709 in video range. The turn and the light of
 * the display go along as side data. */
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include <string.h>

#include "decoder/decoder_cut.h"

static int is_rgb(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    return d &&
           (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BAYER)) != 0;
}

static int is_full(enum AVPixelFormat format, enum AVColorRange range)
{
    static const enum AVPixelFormat full[] = {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P,
                                              AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVJ440P,
                                              AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_NONE};
    for (const enum AVPixelFormat *f = full; *f != AV_PIX_FMT_NONE; f++)
        if (*f == format) return 1;
    return range == AVCOL_RANGE_JPEG;
}

/* swscale takes grey for full range where nothing is said: so does what we show
 * (decoder_pixels.c). */
static int is_grey(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    return d && d->nb_components <= 2 && !is_rgb(format);
}

static int is_bright(enum AVColorTransferCharacteristic t)
{
    return t == AVCOL_TRC_SMPTE2084 || t == AVCOL_TRC_ARIB_STD_B67;
}

static void set_colours(AVCodecContext *to, const AVCodecParameters *p)
{
    enum AVPixelFormat format = (enum AVPixelFormat)p->format;
    to->pix_fmt = is_bright(p->color_trc) ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
    to->color_primaries = p->color_primaries;
    to->color_trc = p->color_trc;
    to->chroma_sample_location = p->chroma_location;
    if (is_rgb(format) || p->color_space == AVCOL_SPC_RGB) {
        to->color_range = AVCOL_RANGE_MPEG;
        to->colorspace = AVCOL_SPC_BT709;
        if (to->color_primaries == AVCOL_PRI_UNSPECIFIED) to->color_primaries = AVCOL_PRI_BT709;
        if (to->color_trc == AVCOL_TRC_UNSPECIFIED) to->color_trc = AVCOL_TRC_BT709;
    } else {
        to->color_range = is_full(format, p->color_range) && !is_grey(format) ? AVCOL_RANGE_JPEG
                                                                              : AVCOL_RANGE_MPEG;
        to->colorspace = p->color_space;
    }
}

/* Somebody waits for it: soon rather than small, 8 bits, at most job.side points on the short
 * side. */
static void for_watching(AVCodecContext *to, int side)
{
    int least = to->width < to->height ? to->width : to->height;
    if (least > side) {
        to->width = (int)((int64_t)to->width * side / least) & ~1;
        to->height = (int)((int64_t)to->height * side / least) & ~1;
    }
    to->pix_fmt = AV_PIX_FMT_YUV420P;
    if (is_bright(to->color_trc)) { /* tone-mapped: decoder_hdr.c */
        to->color_primaries = AVCOL_PRI_BT709;
        to->color_trc = AVCOL_TRC_BT709;
        to->colorspace = AVCOL_SPC_BT709;
        to->color_range = AVCOL_RANGE_MPEG;
    }
    av_opt_set(to->priv_data, "preset", "ultrafast", 0);
    av_opt_set(to->priv_data, "crf", "24", 0);
}

int ks_cut_encoder(ks_cutter *c)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    AVStream *in = c->in.stream, *to = c->out->streams[c->map[in->index]];
    AVRational rate = in->avg_frame_rate.num > 0 ? in->avg_frame_rate : (AVRational){25, 1};

    if (!codec) codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (!codec || !(c->encoder = avcodec_alloc_context3(codec)))
        return ks_cut_fail(c, "this libav has no encoder for cuts", 0);
    c->encoder->width = c->in.codec->width & ~1;
    c->encoder->height = c->in.codec->height & ~1;
    c->encoder->time_base = in->time_base.den / in->time_base.num > 1000000 ? (AVRational){1, 90000}
                                                                            : in->time_base;
    c->encoder->framerate = rate;
    c->encoder->sample_aspect_ratio = av_guess_sample_aspect_ratio(c->in.format, in, NULL);
    set_colours(c->encoder, in->codecpar);
    c->encoder->thread_count = 2;
    if (c->out->oformat->flags & AVFMT_GLOBALHEADER)
        c->encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(c->encoder->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->encoder->priv_data, "crf", "20", 0);
    /* With a look-ahead of its own thread x264 (0.164) codes a B-frame otherwise in one run of
     * ten: the same cut is to be the same bytes. */
    av_opt_set(c->encoder->priv_data, "x264-params", "sync-lookahead=0", 0);
    if (c->task->job.side > 0) for_watching(c->encoder, c->task->job.side);
    if (c->encoder->width < 2 || c->encoder->height < 2)
        return ks_cut_fail(c, "the picture is too small to encode", 0);
    int r = avcodec_open2(c->encoder, codec, NULL);
    if (r < 0) return ks_cut_fail(c, "the encoder does not start", r);
    to->time_base = c->encoder->time_base;
    to->avg_frame_rate = rate;
    to->sample_aspect_ratio = c->encoder->sample_aspect_ratio;
    return avcodec_parameters_from_context(to->codecpar, c->encoder) < 0
               ? ks_cut_fail(c, "no memory", 0)
               : 0;
}

static const int *matrix_of(enum AVColorSpace space)
{
    return sws_getCoefficients(
        space == AVCOL_SPC_UNSPECIFIED || space == AVCOL_SPC_RGB ? SWS_CS_DEFAULT : (int)space);
}

/* From this frame's samples to the encoder's. (SWS_FAST_BILINEAR writes code into memory where
 * it does not shrink: the sandbox ends that.) */
static int make_scaler(ks_cutter *c, const AVFrame *f)
{
    const AVCodecContext *to = c->encoder;
    enum AVPixelFormat format = (enum AVPixelFormat)f->format;
    int *inverse, *table, from_full, to_full, brightness, contrast, saturation;
    if (c->sws && c->sws_format == f->format && c->sws_width == f->width &&
        c->sws_height == f->height && c->sws_range == (int)f->color_range)
        return 0;
    sws_freeContext(c->sws);
    c->sws = sws_getContext(
        f->width, f->height, format, to->width, to->height, to->pix_fmt,
        c->task->job.side > 0 ? SWS_BILINEAR : SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP,
        NULL, NULL, NULL);
    if (!c->sws) return ks_cut_fail(c, "the picture cannot be converted", 0);
    if (sws_getColorspaceDetails(c->sws, &inverse, &from_full, &table, &to_full, &brightness,
                                 &contrast, &saturation) >= 0) {
        if (f->color_range != AVCOL_RANGE_UNSPECIFIED && !is_rgb(format))
            from_full = is_full(format, f->color_range);
        sws_setColorspaceDetails(c->sws, matrix_of(f->colorspace), from_full,
                                 matrix_of(is_rgb(format) ? to->colorspace : f->colorspace),
                                 to->color_range == AVCOL_RANGE_JPEG, brightness, contrast,
                                 saturation);
    }
    c->sws_format = f->format;
    c->sws_width = f->width;
    c->sws_height = f->height;
    c->sws_range = (int)f->color_range;
    return 0;
}

static int put_encoded(ks_cutter *c, const AVFrame *frame)
{
    int to = c->map[c->in.stream->index], r = avcodec_send_frame(c->encoder, frame);
    AVPacket *p = av_packet_alloc();
    if (!p) return ks_cut_fail(c, "no memory", 0);
    while (r >= 0 && (r = avcodec_receive_packet(c->encoder, p)) >= 0) {
        /* libav 5 loses it on the way; a container ends with its last picture's */
        for (int i = 0; i < KS_CUT_SENT && p->duration <= 0; i++)
            if (c->sent[i].length > 0 && c->sent[i].pts == p->pts) p->duration = c->sent[i].length;
        if (ks_cut_put(c, p, to, c->encoder->time_base, 0)) break;
    }
    av_packet_free(&p);
    if (r < 0 && r != AVERROR(EAGAIN) && r != AVERROR_EOF)
        return ks_cut_fail(c, "the encoder fails", r);
    return c->reason[0] ? -1 : 0;
}

/* HDR as an ordinary screen shows it -> an RGB frame of the encoder's size. Smaller first: the
 * map costs by the pixel. */
static AVFrame *tone_mapped(ks_cutter *c, const AVFrame *f)
{
    const int w = c->encoder->width, h = c->encoder->height;
    const size_t row = ((size_t)w * 6 + 63) / 64 * 64;
    AVFrame size = {.width = w, .height = h, .color_trc = f->color_trc}, *rgb = av_frame_alloc();
    int *inverse, *table, from_full, to_full, brightness, contrast, saturation;
    if (!c->wide) c->wide = av_malloc(row * (size_t)h + 64);
    c->wide_sws = sws_getCachedContext(c->wide_sws, f->width, f->height,
                                       (enum AVPixelFormat)f->format, w, h, AV_PIX_FMT_RGB48,
                                       SWS_BILINEAR, NULL, NULL, NULL);
    if (rgb) rgb->format = AV_PIX_FMT_RGB24, rgb->width = w, rgb->height = h;
    if (!rgb || !c->wide || !c->wide_sws || av_frame_get_buffer(rgb, 0) < 0) {
        av_frame_free(&rgb);
        return NULL;
    }
    if (sws_getColorspaceDetails(c->wide_sws, &inverse, &from_full, &table, &to_full, &brightness,
                                 &contrast, &saturation) >= 0)
        sws_setColorspaceDetails(c->wide_sws, matrix_of(f->colorspace),
                                 f->color_range == AVCOL_RANGE_JPEG, table, to_full, brightness,
                                 contrast, saturation);
    sws_scale(c->wide_sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height,
              (uint8_t *const[]){(uint8_t *)c->wide, NULL, NULL, NULL},
              (const int[]){(int)row, 0, 0, 0});
    for (size_t y = 1; y < (size_t)h && row != 6 * (size_t)w; y++)
        memmove((uint8_t *)c->wide + y * 6 * (size_t)w, (uint8_t *)c->wide + y * row,
                6 * (size_t)w);
    if (ks_tone_map(&c->tone, rgb->data[0], (size_t)rgb->linesize[0], c->wide, &size))
        av_frame_free(&rgb);
    return rgb;
}

static int scale_and_put(ks_cutter *c, const AVFrame *f, double t, double length)
{
    AVFrame *s = c->scaled;
    if (make_scaler(c, f)) return -1;
    av_frame_unref(s);
    s->format = c->encoder->pix_fmt;
    s->width = c->encoder->width;
    s->height = c->encoder->height;
    if (av_frame_get_buffer(s, 0) < 0) return ks_cut_fail(c, "no memory", 0);
    sws_scale(c->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, s->data,
              s->linesize);
    s->color_range = c->encoder->color_range;
    s->colorspace = c->encoder->colorspace;
    s->pts = (int64_t)((t - c->task->job.from) / av_q2d(c->encoder->time_base) + 0.5);
    c->sent[c->frames % KS_CUT_SENT].pts = s->pts;
    c->sent[c->frames % KS_CUT_SENT].length = (int64_t)(length / av_q2d(c->encoder->time_base) +
                                                        0.5);
    c->frames++;
    return put_encoded(c, s);
}

int ks_cut_encode(ks_cutter *c, const AVFrame *f, double t, double length)
{
    AVFrame *plain = c->task->job.side > 0 && is_bright(f->color_trc) ? tone_mapped(c, f) : NULL;
    int r = scale_and_put(c, plain ? plain : f, t, length);
    av_frame_free(&plain);
    return r;
}

int ks_cut_drain(ks_cutter *c) { return put_encoded(c, NULL); }
