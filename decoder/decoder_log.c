/* decoder_log.c - which lines of libav's log tell of a damaged picture.
 *
 * Most lines at ERROR do not: they speak of a header field, of supplemental data, of what was
 * left out on purpose, and the pictures are whole (tests/cli/odd_films.sh). Where a return code
 * or a flag of the frame tells of damage nothing is read here: every decoder built on libav's
 * error concealment (H.264, MPEG-1/2/4, H.263 and its kin, WMV, VC-1, RealVideo) marks what it
 * concealed, and says so in one sentence at INFO when it does - earlier than the mark comes out,
 * and B pictures that lean on the concealed one come out between the two. The rest say it in
 * words alone, each in its own; a line counts only for the decoder or demuxer it is listed for,
 * and each was seen beside a wrong picture in films with flipped bits
 * (tests/torture/flips.sh). */
#include <stdatomic.h>
#include <string.h>

#include "decoder/decoder_source.h"

typedef struct {
    enum AVCodecID codec;
    const char *words;
} line_of;

static const line_of decoder_lines[] = {
    {AV_CODEC_ID_MSMPEG4V2, "overflow"},
    {AV_CODEC_ID_MSMPEG4V3, "overflow"},
    {AV_CODEC_ID_WMV1, "overflow"},
    {AV_CODEC_ID_WMV2, "overflow"},
    {AV_CODEC_ID_HEVC, "Could not find ref with POC"},
    {AV_CODEC_ID_HEVC, "PPS id out of range"},
    {AV_CODEC_ID_HEVC, "Error parsing NAL unit"},
    {AV_CODEC_ID_HEVC, "Invalid NAL unit"},
    {AV_CODEC_ID_HEVC, "Error splitting the input into NAL units"},
    {AV_CODEC_ID_HEVC, "CABAC"},
    {AV_CODEC_ID_HEVC, "The cu_"},
    {AV_CODEC_ID_HEVC, "cu_qp_delta"},
    {AV_CODEC_ID_HEVC, "The slice_qp"},
    {AV_CODEC_ID_HEVC, "Zero refs"},
    {AV_CODEC_ID_HEVC, "Incorrect MD5"},
    {AV_CODEC_ID_MJPEG, "error dc"},
    {AV_CODEC_ID_MJPEG, "error count"},
    {AV_CODEC_ID_MJPEG, "error y="}, /* not "error decoding EXIF data" */
    {AV_CODEC_ID_MJPEG, "overread"},
    {AV_CODEC_ID_MJPEG, "bad vlc"},
    {AV_CODEC_ID_MJPEG, "huffman table decode error"},
    {AV_CODEC_ID_MJPEG, "decode_sos"},
    {AV_CODEC_ID_JPEG2000, "Coords mismatch"},
    {AV_CODEC_ID_FFV1, "CRC mismatch"},
    {AV_CODEC_ID_FFV1, "slice"},
    {AV_CODEC_ID_GIF, "LZW decode failed"},
    {AV_CODEC_ID_PNG, "inflate returned error"},
    {AV_CODEC_ID_APNG, "inflate returned error"},
    {AV_CODEC_ID_PRORES, "ac tex damaged"},
    {AV_CODEC_ID_PRORES, "error, slice"},
    {AV_CODEC_ID_PRORES, "invalid plane data size"},
    {AV_CODEC_ID_DNXHD, "ac tex damaged"},
    {AV_CODEC_ID_DNXHD, "lines with errors"},
    {AV_CODEC_ID_CFHD, "Escape codeword not found"},
    {AV_CODEC_ID_JPEG2000, "became invalid"},
    {AV_CODEC_ID_UTVIDEO, "ran out of bits"},
    {AV_CODEC_ID_UTVIDEO, "Huffman"},
    {AV_CODEC_ID_UTVIDEO, "Invalid VLC"},
    {AV_CODEC_ID_TIFF, "went out of bounds"},
    {AV_CODEC_ID_SVQ1, "Missing reference frame"},
    {AV_CODEC_ID_SVQ1, "Error in svq1"},
    {AV_CODEC_ID_CINEPAK, "failed"},
};
/* One a block of the picture, which stands for itself. */
static const line_of block_lines[] = {{AV_CODEC_ID_DVVIDEO, "AC EOB marker is absent"}};

typedef struct {
    const char *demuxer, *words;
} line_from;
static const line_from demuxer_lines[] = {
    {"ogg", "CRC mismatch"},
    {"matroska,webm", "EBML number"},
    {"matroska,webm", "Invalid track number"},
    {"matroska,webm", "exceeds"},
    {"flv", "Packet mismatch"},
};

static const char CONCEALED[] = "concealing ";

static atomic_int heard_bad, heard_blocks, heard_too_large, heard_cut;

static void heard_from_decoder(enum AVCodecID id, const char *line)
{
    for (size_t i = 0; i < sizeof decoder_lines / sizeof *decoder_lines; i++)
        if (decoder_lines[i].codec == id && strstr(line, decoder_lines[i].words)) {
            atomic_fetch_add(&heard_bad, 1);
            return;
        }
    for (size_t i = 0; i < sizeof block_lines / sizeof *block_lines; i++)
        if (block_lines[i].codec == id && strstr(line, block_lines[i].words))
            atomic_fetch_add(&heard_blocks, 1);
}

static void heard_from_demuxer(const char *name, const char *line)
{
    for (size_t i = 0; i < sizeof demuxer_lines / sizeof *demuxer_lines; i++)
        if (!strcmp(demuxer_lines[i].demuxer, name) && strstr(line, demuxer_lines[i].words)) {
            atomic_fetch_add(&heard_bad, 1);
            return;
        }
}

static void hear(void *from, int level, const char *format, va_list args)
{
    char line[256];
    if (level == AV_LOG_INFO && !strncmp(format, CONCEALED, sizeof CONCEALED - 1))
        atomic_fetch_add(&heard_bad, 1);
    if (level > AV_LOG_ERROR || !from) return;
    const AVClass *class = *(const AVClass *const *)from;
    vsnprintf(line, sizeof line, format, args);
    if (strstr(line, "exceeds specified max pixel count") || strstr(line, "Picture size"))
        atomic_store(&heard_too_large, 1);
    if (strstr(line, "ended prematurely") || strstr(line, "partial file"))
        atomic_store(&heard_cut, 1);
    if (class && !strcmp(class->class_name, "AVCodecContext")) {
        const AVCodecContext *c = from;
        /* without one it is a parser, and the decoder will see for itself */
        if (c->codec) heard_from_decoder(c->codec_id, line);
    } else if (class && !strcmp(class->class_name, "AVFormatContext")) {
        const AVFormatContext *c = from;
        if (c->iformat) heard_from_demuxer(c->iformat->name, line);
    }
}

void ks_log_listen(void)
{
    ks_log_take();
    atomic_store(&heard_too_large, 0);
    atomic_store(&heard_cut, 0);
    av_log_set_level(AV_LOG_ERROR);
    av_log_set_callback(hear);
}

ks_log_news ks_log_take(void)
{
    ks_log_news news = {atomic_exchange(&heard_bad, 0), atomic_exchange(&heard_blocks, 0),
                        atomic_load(&heard_too_large), atomic_load(&heard_cut)};
    return news;
}
