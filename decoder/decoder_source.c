/* decoder_source.c - from bytes to an opened decoder, or a sentence why not. */
#include "decoder/decoder_source.h"
#include "decoder/decoder_pictures.h"

#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

/* Films of people, not everything libav has ever met: less tested demuxers and decoders are where
 * its holes are (reliability: 351 demuxers, 516 decoders in Debian's build). */
static const char *const demuxers[] = {"mov,mp4,m4a,3gp,3g2,mj2",
                                       "matroska,webm",
                                       "mpegts",
                                       "mpeg",
                                       "avi",
                                       "flv",
                                       "asf",
                                       "ogg",
                                       "nut",
                                       "gif",
                                       "h264",
                                       "hevc",
                                       "mxf",
                                       "dv",
                                       "rm",
                                       "wtv",
                                       "mpegvideo",
                                       "m4v",
                                       "ivf",
                                       "live_flv",
                                       "apng",
                                       NULL};
static const char *const playlists[] = {
    "hls", "concat", "dash", "sdp", "rtsp", "imf", "webm_dash_manifest", "applehttp", NULL};
static const char playlist[] = "a playlist, not a video";
static const enum AVCodecID codecs[] = {
    AV_CODEC_ID_H264,      AV_CODEC_ID_HEVC,       AV_CODEC_ID_VP8,        AV_CODEC_ID_VP9,
    AV_CODEC_ID_AV1,       AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4,
    AV_CODEC_ID_MSMPEG4V1, AV_CODEC_ID_MSMPEG4V2,  AV_CODEC_ID_MSMPEG4V3,  AV_CODEC_ID_H263,
    AV_CODEC_ID_H263P,     AV_CODEC_ID_FLV1,       AV_CODEC_ID_MJPEG,      AV_CODEC_ID_PRORES,
    AV_CODEC_ID_DNXHD,     AV_CODEC_ID_FFV1,       AV_CODEC_ID_HUFFYUV,    AV_CODEC_ID_FFVHUFF,
    AV_CODEC_ID_UTVIDEO,   AV_CODEC_ID_RAWVIDEO,   AV_CODEC_ID_GIF,        AV_CODEC_ID_PNG,
    AV_CODEC_ID_APNG,      AV_CODEC_ID_THEORA,     AV_CODEC_ID_VC1,        AV_CODEC_ID_WMV1,
    AV_CODEC_ID_WMV2,      AV_CODEC_ID_WMV3,       AV_CODEC_ID_DVVIDEO,    AV_CODEC_ID_RV30,
    AV_CODEC_ID_RV40,      AV_CODEC_ID_VP6,        AV_CODEC_ID_VP6F,       AV_CODEC_ID_VP6A,
    AV_CODEC_ID_SVQ1,      AV_CODEC_ID_SVQ3,       AV_CODEC_ID_CINEPAK,    AV_CODEC_ID_QTRLE,
    AV_CODEC_ID_CFHD,      AV_CODEC_ID_V210,       AV_CODEC_ID_JPEG2000,   AV_CODEC_ID_WEBP,
    AV_CODEC_ID_BMP,       AV_CODEC_ID_TIFF};

static int among(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(name, *list)) return 1;
    return 0;
}

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && !strcmp(s + n - k, end);
}

static int is_still(const char *name)
{
    return ends_with(name, "_pipe") || !strcmp(name, "image2");
}

static int refuse(ks_source *s, const char *why)
{
    if (!s->reason[0]) snprintf(s->reason, sizeof s->reason, "%s", why);
    return -1;
}

/* Demuxers that open a second file by name (QuickTime references, playlists) get nothing. */
static int no_second_file(AVFormatContext *c, AVIOContext **pb, const char *url, int flags,
                          AVDictionary **o)
{
    (void)c, (void)url, (void)flags, (void)o;
    *pb = NULL;
    return AVERROR(EACCES);
}

static const char *why_no_format(const ks_source *s)
{
    ks_atoms atoms;
    char first[7];
    if (s->bytes.size == 0) return "empty file";
    if (pread(s->bytes.fd, first, sizeof first, 0) == (ssize_t)sizeof first &&
        memcmp(first, "#EXTM3U", sizeof first) == 0)
        return playlist; /* libav 61 knows HLS by its name alone, and names are not asked */
    if (ks_atoms_walk(&atoms, &s->bytes) && (atoms.has_ftyp || atoms.has_moov || atoms.has_moof)) {
        if (!atoms.has_moov) return "truncated: no index (moov)";
        return "damaged header";
    }
    return "not a video";
}

static int probe(const AVInputFormat **format, ks_source *s, const ks_source_how *how)
{
    int score = av_probe_input_buffer2(s->pb, (const AVInputFormat **)format, "", NULL, 0, 1 << 20);
    if (ks_is_transport_stream(&s->bytes) &&
        (score < 0 || !*format || !strcmp((*format)->name, "mpeg") || score <= AVPROBE_SCORE_RETRY))
        /* rubbish before the first packet looks like a program stream */
        *format = av_find_input_format("mpegts");
    else if (score < 0 || !*format) return refuse(s, why_no_format(s));
    const char *name = (*format)->name;
    if (among(name, playlists)) return refuse(s, playlist);
    s->still = is_still(name);
    if (s->still) return how->stills ? 0 : refuse(s, "still image");
    if (among(name, demuxers)) return 0;
    if (score <= AVPROBE_SCORE_RETRY) return refuse(s, "not a video");
    if ((*format)->flags & AVFMT_NOFILE) return refuse(s, "not a video");
    snprintf(s->reason, sizeof s->reason, "not a film format (%.40s)", name);
    return -1;
}

static int open_format(ks_source *s, const AVInputFormat *format)
{
    AVDictionary *o = NULL;
    s->format = avformat_alloc_context();
    if (!s->format) return AVERROR(ENOMEM);
    s->format->pb = s->pb;
    s->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    s->format->io_open = no_second_file;
    av_dict_set(&o, "enable_drefs", "0", 0);
    av_dict_set(&o, "protocol_whitelist", "none", 0);
    av_dict_set(&o, "max_streams", "1000", 0);
    /* frees it where it fails */
    int r = avformat_open_input(&s->format, "", (AVInputFormat *)(uintptr_t)format, &o);
    av_dict_free(&o);
    return r;
}

static void rewind_bytes(ks_source *s)
{
    ks_bytes_close(&s->pb);
    ks_bytes_open(&s->pb, &s->bytes);
}

/* One stream of milliseconds, so that clock, dates and verdict find what they look for. */
static int open_stand_in(ks_source *s, enum AVCodecID codec)
{
    s->format = avformat_alloc_context();
    s->stream = s->format ? avformat_new_stream(s->format, NULL) : NULL;
    s->codec = avcodec_alloc_context3(NULL);
    if (!s->stream || !s->codec) return refuse(s, "no memory");
    s->format->iformat = av_find_input_format("image2pipe");
    s->stream->time_base = (AVRational){1, 1000};
    s->stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    s->stream->codecpar->codec_id = s->codec->codec_id = s->opened = codec;
    s->threads = 1;
    return 0;
}

static int open_reader(ks_source *s, const ks_source_how *how)
{
    enum AVCodecID codec;
    s->still = s->reader->still;
    s->container = s->reader->container;
    if (s->still && !how->stills) return refuse(s, "still image");
    if (s->bytes.size > KS_PICTURE_BYTES) return refuse(s, "picture too large");
    size_t n = (size_t)s->bytes.size;
    s->whole = av_malloc(n);
    if (!s->whole) return refuse(s, "no memory");
    if (ks_bytes_at(&s->bytes, 0, s->whole, n) != n) return refuse(s, "cannot be read");
    const char *why = s->reader->open(&s->reading, &codec, s->whole, n);
    return why ? refuse(s, why) : open_stand_in(s, codec);
}

/* A hole of a terabyte costs nothing to make, and libav looks for the next element in it byte by
 * byte (130 MB/s were measured). What a sample table names is read straight on, of a download in
 * pieces too. */
enum { HOLES = 256 << 20 };
static const int64_t INDEXED_HOLES = (int64_t)4 << 30;

int ks_source_open_bare(ks_source *s, const ks_source_how *how)
{
    const AVInputFormat *format = NULL;
    struct stat st;
    ks_atoms atoms;

    memset(s, 0, sizeof *s);
    if (how->fd < 0 || fstat(how->fd, &st)) return refuse(s, "cannot be read");
    s->bytes = (ks_bytes){.fd = how->fd,
                          .size = (int64_t)st.st_size,
                          .alive = how->alive,
                          .arg = how->arg,
                          .holes_most = HOLES};
    s->reader = ks_picture_reader_of(&s->bytes);
    if (s->reader) return open_reader(s, how);
    if (ks_bytes_open(&s->pb, &s->bytes)) return refuse(s, "no memory");
    if (probe(&format, s, how)) return -1;
    rewind_bytes(s);
    if (!s->pb) return refuse(s, "no memory");
    int r = open_format(s, format);
    /* A fragmented file cut inside a moof cannot be opened at all, though all before it is good. */
    if (r < 0 && ks_atoms_walk(&atoms, &s->bytes) && atoms.has_moov && atoms.cut &&
        atoms.whole < s->bytes.size) {
        s->bytes.size = atoms.whole;
        s->cut = 1;
        rewind_bytes(s);
        r = s->pb ? open_format(s, format) : r;
    }
    if (r < 0) return refuse(s, why_no_format(s));
    s->container = s->format->iformat->name;
    if (strstr(s->container, "mov")) s->bytes.holes_most = INDEXED_HOLES;
    s->cut |= ks_bytes_are_cut(&s->bytes, s->format->iformat->name);
    return 0;
}

static int codec_allowed(enum AVCodecID id)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (codecs[i] == id) return 1;
    return 0;
}

static int find_stream_info(ks_source *s)
{
    unsigned n = s->format->nb_streams;
    AVDictionary **o = n ? av_calloc(n, sizeof *o) : NULL;
    for (unsigned i = 0; o && i < n; i++) {
        av_dict_set(&o[i], "threads", "1", 0);
        av_dict_set_int(&o[i], "max_pixels", KS_MAX_PIXELS, 0);
    }
    s->format->probesize = 5 << 20;
    s->format->max_probe_packets = 500;
    int r = avformat_find_stream_info(s->format, o);
    for (unsigned i = 0; o && i < n; i++) av_dict_free(&o[i]);
    av_free(o);
    return r;
}

/* The film among the streams: no cover, default disposition first, then the largest picture,
 * then the first. */
static int pick(ks_source *s)
{
    int covers = 0, sounds = 0;
    int64_t best_area = -1;
    int best_default = -1;
    for (unsigned i = 0; i < s->format->nb_streams; i++) {
        AVStream *st = s->format->streams[i];
        const AVCodecParameters *p = st->codecpar;
        sounds += p->codec_type == AVMEDIA_TYPE_AUDIO;
        if (p->codec_type != AVMEDIA_TYPE_VIDEO) continue;
        if (st->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) {
            covers++;
            continue;
        }
        int is_default = (st->disposition & AV_DISPOSITION_DEFAULT) != 0;
        int64_t area = (int64_t)p->width * p->height;
        if (is_default > best_default || (is_default == best_default && area > best_area)) {
            s->stream = st;
            best_default = is_default;
            best_area = area;
        }
    }
    if (s->stream) return 0;
    if (covers) return refuse(s, "no picture but a cover (sound only)");
    return refuse(s, sounds ? "no picture (sound only)" : "no video stream");
}

static void fourcc(char out[16], const AVCodecParameters *p)
{
    for (int i = 0; i < 4; i++) {
        unsigned c = p->codec_tag >> (8 * i) & 0xff;
        out[i] = c > 0x20 && c < 0x7f ? (char)c : '?';
    }
    out[4] = 0;
}

/* 4K at 60 is beyond one core in real time; damaged input is not the same twice under frame
 * threads, so the first corrupt frame starts the file again with one (decoder_film.c). */
static int threads_for(const AVStream *st)
{
    double fps = st->avg_frame_rate.den > 0 ? av_q2d(st->avg_frame_rate) : 25;
    double rate = (double)st->codecpar->width * st->codecpar->height *
                  (fps > 0 && fps < 1000 ? fps : 25);
    if (rate < 3840.0 * 2160 * 48) return 1;
    /* 8K: a frame a thread is 53 MB */
    return st->codecpar->width * (int64_t)st->codecpar->height > 16 << 20 ? 2 : 4;
}

/* A still of more points than travel, after it was found to be one. */
static void shrink(ks_source *s, const AVCodec *codec, int by)
{
    int lowers = codec->max_lowres >= by;
    s->codec->max_pixels = lowers ? (int64_t)KS_MAX_PIXELS << 2 * by : KS_PICTURE_BYTES / 4;
    if (lowers) s->codec->lowres = by;
}

static enum AVPixelFormat take_hardware(AVCodecContext *c, const enum AVPixelFormat *offered)
{
    enum AVPixelFormat want = (enum AVPixelFormat)(intptr_t)c->opaque;
    for (const enum AVPixelFormat *p = offered; *p != AV_PIX_FMT_NONE; p++)
        if (*p == want) return *p;
    return offered[0];
}

/* The first device of that name (or any) that this decoder can use; silently software otherwise. */
static void open_hardware(ks_source *s, const AVCodec *codec, const char *name)
{
    for (int i = 0;; i++) {
        const AVCodecHWConfig *c = avcodec_get_hw_config(codec, i);
        if (!c) return;
        if (!(c->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX)) continue;
        const char *type = av_hwdevice_get_type_name(c->device_type);
        if (strcmp(name, "auto") && (!type || strcmp(name, type))) continue;
        if (av_hwdevice_ctx_create(&s->device, c->device_type, NULL, NULL, 0) < 0) continue;
        s->codec->hw_device_ctx = av_buffer_ref(s->device);
        s->codec->opaque = (void *)(intptr_t)c->pix_fmt;
        s->codec->get_format = take_hardware;
        return;
    }
}

static int open_codec(ks_source *s, const ks_source_how *how, AVRational base)
{
    const AVCodecParameters *p = s->stream->codecpar;
    const AVCodec *codec = avcodec_find_decoder(p->codec_id);
    char tag[16];

    fourcc(tag, p);
    if (!strcmp(tag, "encv") || !strcmp(tag, "drmi")) return refuse(s, "encrypted");
    if (p->codec_id == AV_CODEC_ID_NONE) {
        snprintf(s->reason, sizeof s->reason, "no decoder for %s", tag);
        return -1;
    }
    if (!codec || !codec_allowed(p->codec_id)) {
        snprintf(s->reason, sizeof s->reason, "no decoder for %.40s",
                 avcodec_get_name(p->codec_id));
        return -1;
    }
    s->codec = avcodec_alloc_context3(codec);
    if (!s->codec || avcodec_parameters_to_context(s->codec, p) < 0) return refuse(s, "no memory");
    s->threads = how->threads ? how->threads : threads_for(s->stream);
    s->codec->thread_count = s->threads;
    s->codec->thread_type = FF_THREAD_FRAME;
#if LIBAVCODEC_VERSION_MAJOR >= 60
    s->codec->flags |= AV_CODEC_FLAG_COPY_OPAQUE;
#endif
    s->codec->pkt_timebase = base;
    s->opened = p->codec_id;
    s->codec->max_pixels = KS_MAX_PIXELS;
    if (how->shrink) shrink(s, codec, how->shrink);
    if (how->fast) {
        s->codec->skip_frame = AVDISCARD_NONREF;
        s->codec->skip_loop_filter = AVDISCARD_ALL;
    }
    if (how->hwaccel[0] && strcmp(how->hwaccel, "none")) open_hardware(s, codec, how->hwaccel);
    if (avcodec_open2(s->codec, codec, NULL) < 0) {
        snprintf(s->reason, sizeof s->reason, "the %.40s decoder refuses it",
                 avcodec_get_name(p->codec_id));
        return -1;
    }
    return 0;
}

/* Streams that nobody asks for are not even read; where they may begin and end in the middle of
 * the file (MPEG, FLV) other pictures are, for the film may go on there (decoder_follow.c). */
static void discard_others(ks_source *s)
{
    const char *name = s->format->iformat->name;
    int come_and_go = !strcmp(name, "mpegts") || !strcmp(name, "mpeg") || !strcmp(name, "flv");
    for (unsigned i = 0; i < s->format->nb_streams; i++) {
        AVStream *st = s->format->streams[i];
        int may_go_on = come_and_go && st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        if (st != s->stream && !may_go_on) st->discard = AVDISCARD_ALL;
    }
}

int ks_source_open(ks_source *s, const ks_source_how *how)
{
    if (ks_source_open_bare(s, how)) return -1;
    if (s->reader) return 0;
    /* libav's look into the streams decodes a picture, at its full size */
    if (!how->shrink && find_stream_info(s) < 0 && s->format->nb_streams == 0)
        return refuse(s, why_no_format(s));
    if (pick(s)) return -1;
    discard_others(s);
    return open_codec(s, how, s->stream->time_base);
}

int ks_source_follow(ks_source *s, AVStream *st, const ks_source_how *how, AVRational base)
{
    avcodec_free_context(&s->codec);
    av_buffer_unref(&s->device);
    s->stream = st;
    return open_codec(s, how, base);
}

void ks_source_close(ks_source *s)
{
    avcodec_free_context(&s->codec);
    if (s->reader) {
        s->reader->close(s->reading);
        avformat_free_context(s->format); /* no demuxer of libav's was opened */
        s->format = NULL;
        s->reading = NULL;
        av_freep(&s->whole);
    }
    avformat_close_input(&s->format); /* leaves a pb of ours alone */
    ks_bytes_close(&s->pb);
    av_buffer_unref(&s->device);
    s->stream = NULL;
}
