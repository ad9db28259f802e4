/* decoder_large.c - which reader a picture has, and pictures of more points than travel made
 * smaller. */
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>

#include "decoder/decoder_pictures.h"

const ks_picture_reader *ks_picture_reader_of(const ks_bytes *b)
{
    static const ks_picture_reader *const all[] = {&ks_heif_reader, &ks_webp_reader};
    uint8_t head[KS_PICTURE_HEAD];
    size_t n = ks_bytes_at(b, 0, head, sizeof head);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->is(head, n)) return all[i];
    return NULL;
}

/* Palettes and bit streams have no means. */
static enum AVPixelFormat written_as(enum AVPixelFormat f)
{
    return f != AV_PIX_FMT_PAL8 && sws_isSupportedOutput(f) ? f : AV_PIX_FMT_RGBA;
}

static int scale(AVFrame *to, const AVFrame *from)
{
    struct SwsContext *sws = sws_getContext(
        from->width, from->height, (enum AVPixelFormat)from->format, to->width, to->height,
        (enum AVPixelFormat)to->format, SWS_AREA, NULL, NULL, NULL);
    if (!sws) return -1;
    int *inv, *table, full, out_full, brightness, contrast, saturation;
    if (sws_getColorspaceDetails(sws, &inv, &full, &table, &out_full, &brightness, &contrast,
                                 &saturation) >= 0)
        /* samples keep their range */
        sws_setColorspaceDetails(sws, inv, full, inv, full, brightness, contrast, saturation);
    int rows = sws_scale(sws, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
                         to->data, to->linesize);
    sws_freeContext(sws);
    return rows == to->height ? 0 : -1;
}

int ks_scale_down(AVFrame *frame)
{
    AVFrame *small = av_frame_alloc();
    int k = 2, r = -1;
    if (!small) return -1;
    while (!ks_wire_size_fits(frame->width / k, frame->height / k) && k < 64) k++;
    small->width = frame->width / k;
    small->height = frame->height / k;
    small->format = written_as((enum AVPixelFormat)frame->format);
    if (av_frame_get_buffer(small, 0) >= 0 && av_frame_copy_props(small, frame) >= 0 &&
        scale(small, frame) == 0) {
        av_frame_unref(frame);
        av_frame_move_ref(frame, small);
        r = 0;
    }
    av_frame_free(&small);
    return r;
}
