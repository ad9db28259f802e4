/* decoder_webp.c - animated WebP, which libav reads no frame of: by libwebp's own composing
 * reader. */
#include <libavutil/imgutils.h>
#include <stdlib.h>
#include <string.h>
#include <webp/demux.h>

#include "decoder/decoder_pictures.h"

typedef struct {
    WebPAnimDecoder *decoder;
    WebPAnimInfo info;
    WebPData bytes;
    int before; /* ms: end of the frame before */
} webp;

static void set_dates(AVFrame *out, const webp *w)
{
    WebPDemuxer *d = WebPDemux(&w->bytes);
    WebPChunkIterator exif;
    if (d && WebPDemuxGetChunk(d, "EXIF", 1, &exif)) {
        size_t skip = exif.chunk.size > 6 && !memcmp(exif.chunk.bytes, "Exif\0", 6) ? 6 : 0;
        ks_exif_dates(&out->metadata, exif.chunk.bytes + skip, exif.chunk.size - skip);
        WebPDemuxReleaseChunkIterator(&exif);
    }
    WebPDemuxDelete(d);
}

/* "VP8X" and its bit for animation */
static int is_animated(const uint8_t *head, size_t n)
{
    return n >= 21 && !memcmp(head, "RIFF", 4) && !memcmp(head + 8, "WEBPVP8X", 8) &&
           (head[20] & 2);
}

static void close_webp(void *state)
{
    webp *w = state;
    if (w) WebPAnimDecoderDelete(w->decoder);
    free(w);
}

static const char *open_webp(void **state, enum AVCodecID *codec, const uint8_t *bytes, size_t n)
{
    WebPData data = {bytes, n};
    WebPAnimDecoderOptions how;
    WebPBitstreamFeatures features;
    webp *w;
    *codec = AV_CODEC_ID_WEBP;
    *state = NULL;
    if (WebPGetFeatures(bytes, n, &features) != VP8_STATUS_OK) return "damaged header";
    if (!ks_wire_size_fits(features.width, features.height)) return "picture too large";
    w = *state = calloc(1, sizeof *w);
    if (!w || !WebPAnimDecoderOptionsInit(&how)) return "no memory";
    how.color_mode = MODE_RGBA;
    how.use_threads = 0;
    w->bytes = data;
    w->decoder = WebPAnimDecoderNew(&data, &how);
    if (!w->decoder || !WebPAnimDecoderGetInfo(w->decoder, &w->info)) return "damaged header";
    return NULL;
}

static int next_webp(AVFrame *out, const char **why, void *state)
{
    webp *w = state;
    uint8_t *canvas;
    int end;
    if (!WebPAnimDecoderHasMoreFrames(w->decoder)) return 0;
    if (!WebPAnimDecoderGetNext(w->decoder, &canvas, &end)) {
        *why = "damaged";
        return -1;
    }
    out->width = (int)w->info.canvas_width;
    out->height = (int)w->info.canvas_height;
    out->format = AV_PIX_FMT_RGBA;
    if (av_frame_get_buffer(out, 0) < 0) return -1;
    av_image_copy_plane(out->data[0], out->linesize[0], canvas, 4 * out->width, 4 * out->width,
                        out->height);
    if (w->before == 0) set_dates(out, w); /* of a film the first frame's are asked for */
    out->pts = w->before;
    int lasts = end - w->before;
    w->before = end > w->before ? end : w->before + 1; /* some frames last 0 ms */
    if (lasts < 1) lasts = 1;
#if LIBAVUTIL_VERSION_MAJOR >= 58
    out->duration = lasts;
#else
    out->pkt_duration = lasts;
#endif
    return 1;
}

const ks_picture_reader ks_webp_reader = {"webp_anim", 0,         is_animated,
                                          open_webp,   next_webp, close_webp};
