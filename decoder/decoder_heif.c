/* decoder_heif.c - HEIC and AVIF stills by libheif: tiles put together, turned and cut as the
 * file says. */
#include <libavutil/imgutils.h>
#include <libheif/heif.h>
#include <stdlib.h>
#include <string.h>

#include "decoder/decoder_pictures.h"

typedef struct {
    struct heif_context *context;
    struct heif_image_handle *handle;
    int done;
} heif;

static int names_brand(const uint8_t *at, const char *const *brands)
{
    for (; *brands; brands++)
        if (!memcmp(at, *brands, 4)) return 1;
    return 0;
}

/* The major brand says what it is first of all; a sequence (hevc, msf1, avis) is a film of
 * libav's. */
static int is_heif(const uint8_t *head, size_t n)
{
    static const char *const stills[] = {"heic", "heix", "heim", "heis", "mif1", "avif", NULL};
    return n >= 12 && !memcmp(head + 4, "ftyp", 4) && names_brand(head + 8, stills);
}

static int is_av1(const uint8_t *head, size_t n)
{
    static const char *const avif[] = {"avif", NULL};
    for (size_t at = 8; at + 4 <= n && at < KS_PICTURE_HEAD; at += 4)
        if (names_brand(head + at, avif)) return 1;
    return 0;
}

static void close_heif(void *state)
{
    heif *h = state;
    if (!h) return;
    heif_image_handle_release(h->handle);
    heif_context_free(h->context);
    free(h);
}

static const char *open_heif(void **state, enum AVCodecID *codec, const uint8_t *bytes, size_t n)
{
    heif *h = *state = calloc(1, sizeof *h);
    *codec = is_av1(bytes, n) ? AV_CODEC_ID_AV1 : AV_CODEC_ID_HEVC;
    if (!h || !(h->context = heif_context_alloc())) return "no memory";
    heif_context_set_max_decoding_threads(h->context, 0);
    if (heif_context_read_from_memory_without_copy(h->context, bytes, n, NULL).code)
        return "damaged header";
    if (heif_context_get_primary_image_handle(h->context, &h->handle).code) return "damaged header";
    int64_t points = (int64_t)heif_image_handle_get_width(h->handle) *
                     heif_image_handle_get_height(h->handle);
    if (points > KS_PICTURE_BYTES / 4) return "picture too large";
    return NULL;
}

/* As libav calls what libheif decoded; none: it is to be asked for as RGB. */
static enum AVPixelFormat format_of(const struct heif_image *image, int bits)
{
    static const struct {
        enum heif_chroma chroma;
        enum AVPixelFormat of[3]; /* 8, 10, 12 bits */
    } table[] = {
        {heif_chroma_monochrome, {AV_PIX_FMT_GRAY8, AV_PIX_FMT_GRAY10LE, AV_PIX_FMT_GRAY12LE}},
        {heif_chroma_420, {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_YUV420P12LE}},
        {heif_chroma_422, {AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_YUV422P12LE}},
        {heif_chroma_444, {AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV444P10LE, AV_PIX_FMT_YUV444P12LE}}};
    int depth = bits == 8 ? 0 : bits == 10 ? 1 : bits == 12 ? 2 : -1;
    enum heif_chroma chroma = heif_image_get_chroma_format(image);
    for (size_t i = 0; depth >= 0 && i < sizeof table / sizeof *table; i++)
        if (table[i].chroma == chroma) return table[i].of[depth];
    return AV_PIX_FMT_NONE;
}

/* Matrix, range and transfer: of the file's own box, else of the coded picture; without either
 * full range, BT.601 (as ISO/IEC 23008-12 and its readers take it). */
static void set_colours(AVFrame *out, const heif *h, const struct heif_image *image)
{
    struct heif_color_profile_nclx *p = NULL;
    out->color_range = AVCOL_RANGE_JPEG;
    out->colorspace = AVCOL_SPC_BT470BG;
    if (heif_image_handle_get_nclx_color_profile(h->handle, &p).code &&
        heif_image_get_nclx_color_profile(image, &p).code)
        return;
    if (!p) return;
    out->color_range = p->full_range_flag ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    if (p->matrix_coefficients != heif_matrix_coefficients_unspecified)
        out->colorspace = (enum AVColorSpace)p->matrix_coefficients;
    out->color_trc = (enum AVColorTransferCharacteristic)p->transfer_characteristics;
    out->color_primaries = (enum AVColorPrimaries)p->color_primaries;
    heif_nclx_color_profile_free(p);
}

static int copy_planes(AVFrame *out, const struct heif_image *image)
{
    static const enum heif_channel yuv[] = {heif_channel_Y, heif_channel_Cb, heif_channel_Cr},
                                   rgb[] = {heif_channel_interleaved};
    int packed = out->format == AV_PIX_FMT_RGB24 || out->format == AV_PIX_FMT_RGBA,
        planes = av_pix_fmt_count_planes((enum AVPixelFormat)out->format);
    const enum heif_channel *channel = packed ? rgb : yuv;
    if (av_frame_get_buffer(out, 0) < 0) return -1;
    for (int i = 0; i < planes; i++) {
        int stride, w = av_image_get_linesize((enum AVPixelFormat)out->format, out->width, i),
                    h = out->height;
        const uint8_t *from = heif_image_get_plane_readonly(image, channel[i], &stride);
        if (i && heif_image_get_chroma_format(image) == heif_chroma_420) h = (h + 1) / 2;
        if (!from || heif_image_get_height(image, channel[i]) < h || stride < w) return -1;
        av_image_copy_plane(out->data[i], out->linesize[i], from, stride, w, h);
    }
    return 0;
}

/* As it was coded where libav knows that; with alpha, or coded as RGB, as RGB. */
static int decode(struct heif_image **image, AVFrame *out, const heif *h)
{
    int alpha = heif_image_handle_has_alpha_channel(h->handle);
    *image = NULL;
    if (!alpha) {
        if (heif_decode_image(h->handle, image, heif_colorspace_undefined, heif_chroma_undefined,
                              NULL)
                .code)
            return -1;
        set_colours(out, h, *image);
        out->format = format_of(*image,
                                heif_image_get_bits_per_pixel_range(*image, heif_channel_Y));
        if (out->format != AV_PIX_FMT_NONE && out->colorspace != AVCOL_SPC_RGB) return 0;
        heif_image_release(*image);
        *image = NULL;
    }
    out->format = alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24;
    out->colorspace = AVCOL_SPC_RGB;
    out->color_range = AVCOL_RANGE_JPEG;
    out->color_trc = AVCOL_TRC_UNSPECIFIED;
    return heif_decode_image(h->handle, image, heif_colorspace_RGB,
                             alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB,
                             NULL)
                   .code
               ? -1
               : 0;
}

/* Four bytes say how far behind them the block begins (ISO/IEC 23008-12, A.2.1). */
static void set_dates(AVFrame *out, const heif *h)
{
    enum { MOST = 1 << 20 };
    heif_item_id id;
    if (heif_image_handle_get_list_of_metadata_block_IDs(h->handle, "Exif", &id, 1) < 1) return;
    size_t n = heif_image_handle_get_metadata_size(h->handle, id);
    uint8_t *p = n > 4 && n <= MOST ? malloc(n) : NULL;
    if (!p) return;
    if (!heif_image_handle_get_metadata(h->handle, id, p).code) {
        size_t at = 4 + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        if (at < n) ks_exif_dates(&out->metadata, p + at, n - at);
    }
    free(p);
}

static int next_heif(AVFrame *out, const char **why, void *state)
{
    heif *h = state;
    struct heif_image *image;
    if (h->done++) return 0;
    int r = decode(&image, out, h);
    if (r == 0) {
        enum heif_channel first = out->format == AV_PIX_FMT_RGB24 || out->format == AV_PIX_FMT_RGBA
                                      ? heif_channel_interleaved
                                      : heif_channel_Y;
        out->width = heif_image_get_width(image, first);
        out->height = heif_image_get_height(image, first);
        r = copy_planes(out, image);
    }
    heif_image_release(image);
    set_dates(out, h);
    out->pts = 0;
    if (r == 0) return 1;
    *why = "damaged";
    return -1;
}

const ks_picture_reader ks_heif_reader = {"heif_pipe", 1,         is_heif,
                                          open_heif,   next_heif, close_heif};
