/* decoder_cut_out.c - the container of a piece: which streams it takes, and packets into it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/decoder_cut.h"

enum { BUFFER = 1 << 16 };

static int write_bytes(int fd, const uint8_t *p, int n)
{
    int left = n;
    while (left > 0) {
        ssize_t r = write(fd, p, (size_t)left);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return AVERROR(errno);
        p += r;
        left -= (int)r;
    }
    return n;
}

#if LIBAVFORMAT_VERSION_MAJOR >= 61
static int write_out(void *opaque, const uint8_t *p, int n)
#else
static int write_out(void *opaque, uint8_t *p, int n)
#endif
{
    ks_cutter *c = opaque;
    int r = write_bytes(c->task->output, p, n);
    if (r < 0) c->unwritten = AVUNERROR(r);
    return r;
}

static int64_t seek_out(void *opaque, int64_t at, int whence)
{
    struct stat st;
    int fd = ((ks_cutter *)opaque)->task->output;
    if (whence & AVSEEK_SIZE) return fstat(fd, &st) ? AVERROR(errno) : (int64_t)st.st_size;
    off_t r = lseek(fd, at, whence & ~AVSEEK_FORCE);
    return r < 0 ? AVERROR(errno) : (int64_t)r;
}

/* --- what a container takes --- */

/* Transport and programme streams take anything, as private data that nobody can play. */
static int plays_in_streams(const char *muxer, enum AVCodecID id)
{
    static const enum AVCodecID both[] = {
        AV_CODEC_ID_H264, AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MP2,
        AV_CODEC_ID_MP3,  AV_CODEC_ID_AC3,        AV_CODEC_ID_DTS,        AV_CODEC_ID_NONE};
    static const enum AVCodecID transport[] = {
        AV_CODEC_ID_HEVC,       AV_CODEC_ID_MPEG4,  AV_CODEC_ID_AAC,  AV_CODEC_ID_AAC_LATM,
        AV_CODEC_ID_EAC3,       AV_CODEC_ID_TRUEHD, AV_CODEC_ID_OPUS, AV_CODEC_ID_S302M,
        AV_CODEC_ID_PCM_BLURAY, AV_CODEC_ID_NONE};
    for (const enum AVCodecID *k = both; *k != AV_CODEC_ID_NONE; k++)
        if (*k == id) return 1;
    if (strcmp(muxer, "mpegts")) return id == AV_CODEC_ID_PCM_DVD;
    for (const enum AVCodecID *k = transport; *k != AV_CODEC_ID_NONE; k++)
        if (*k == id) return 1;
    return 0;
}

static int takes(const AVOutputFormat *f, enum AVCodecID id)
{
    if (!strcmp(f->name, "mpegts") || !strcmp(f->name, "vob")) return plays_in_streams(f->name, id);
    /* written without a word, unreadable */
    if (id == AV_CODEC_ID_EAC3 && (!strcmp(f->name, "mp4") || !strcmp(f->name, "mov"))) return 0;
    /* Matroska takes what AVI and WAV take, but libav says so only to those who ask loosely. */
    return avformat_query_codec(f, id,
                                strcmp(f->name, "matroska") ? FF_COMPLIANCE_NORMAL
                                                            : FF_COMPLIANCE_EXPERIMENTAL) != 0;
}

/* How it is turned and lit goes along. */
static int keep_side_data(AVStream *to, const AVStream *st)
{
    static const enum AVPacketSideDataType kinds[] = {
        AV_PKT_DATA_DISPLAYMATRIX, AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
        AV_PKT_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_SPHERICAL, AV_PKT_DATA_STEREO3D};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
#if LIBAVFORMAT_VERSION_MAJOR >= 61
        const AVPacketSideData *m = av_packet_side_data_get(
            st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, kinds[k]);
        const uint8_t *data = m ? m->data : NULL;
        size_t size = m ? m->size : 0;
        AVPacketSideData *copy = m ? av_packet_side_data_new(&to->codecpar->coded_side_data,
                                                             &to->codecpar->nb_coded_side_data,
                                                             kinds[k], size, 0)
                                   : NULL;
        uint8_t *into = copy ? copy->data : NULL;
#else
        size_t size = 0;
        const uint8_t *data = av_stream_get_side_data(st, kinds[k], &size);
        uint8_t *into = data ? av_stream_new_side_data(to, kinds[k], size) : NULL;
#endif
        if (data && !into) return -1;
        if (data) memcpy(into, data, size);
    }
    return 0;
}

/* The four letters say how samples lie (raw video, Ut Video): kept where the container means the
 * same by them. */
static int keeps_tag(const AVOutputFormat *f, const AVCodecParameters *p)
{
    unsigned tag;
    return !f->codec_tag || av_codec_get_id(f->codec_tag, p->codec_tag) == p->codec_id ||
           !av_codec_get_tag2(f->codec_tag, p->codec_id, &tag);
}

/* AAC of a transport stream says what it is in each packet; an MP4 says it once. The muxer would
 * see to that itself, but not where it writes fragments. */
static int open_adts(ks_cutter *c, const AVStream *st, int to)
{
    const AVBitStreamFilter *f = av_bsf_get_by_name("aac_adtstoasc");
    c->adts_to = to;
    if (!f || av_bsf_alloc(f, &c->adts) < 0 ||
        avcodec_parameters_copy(c->adts->par_in, st->codecpar) < 0)
        return ks_cut_fail(c, "no memory", 0);
    c->adts->time_base_in = st->time_base;
    return av_bsf_init(c->adts) < 0 ? ks_cut_fail(c, "the sound cannot be copied", 0) : 0;
}

static int is_headless_aac(const AVStream *st)
{
    return st->codecpar->codec_id == AV_CODEC_ID_AAC && st->codecpar->extradata_size < 2;
}

static int add_stream(ks_cutter *c, const AVStream *st, int encoded)
{
    AVStream *to = avformat_new_stream(c->out, NULL);
    const AVDictionaryEntry *language = av_dict_get(st->metadata, "language", NULL, 0);
    if (!to) return ks_cut_fail(c, "no memory", 0);
    c->map[st->index] = to->index;
    to->time_base = st->time_base;
    if (language) av_dict_set(&to->metadata, "language", language->value, 0);
    if (encoded && st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
        return ks_cut_sound_open(c, st, to);
    if (encoded) return keep_side_data(to, st) ? ks_cut_fail(c, "no memory", 0) : ks_cut_encoder(c);
    if (avcodec_parameters_copy(to->codecpar, st->codecpar) < 0)
        return ks_cut_fail(c, "no memory", 0);
    if (!keeps_tag(c->out->oformat, st->codecpar)) to->codecpar->codec_tag = 0;
    to->sample_aspect_ratio = st->sample_aspect_ratio;
    /* two that differ are refused (DV) */
    if (to->sample_aspect_ratio.num > 0)
        to->codecpar->sample_aspect_ratio = to->sample_aspect_ratio;
    to->avg_frame_rate = st->avg_frame_rate;
    to->disposition = st->disposition;
    if (c->task->job.fragments && is_headless_aac(st) && open_adts(c, st, to->index)) return -1;
    return keep_side_data(to, st) ? ks_cut_fail(c, "no memory", 0) : 0;
}

/* What browsers know inside an MP4: more than one of them, each since years. */
static int is_watched(enum AVCodecID id)
{
    static const enum AVCodecID known[] = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_VP9,
                                           AV_CODEC_ID_AV1,  AV_CODEC_ID_AAC,  AV_CODEC_ID_MP3,
                                           AV_CODEC_ID_OPUS, AV_CODEC_ID_FLAC, AV_CODEC_ID_NONE};
    for (const enum AVCodecID *k = known; *k != AV_CODEC_ID_NONE; k++)
        if (*k == id) return 1;
    return 0;
}

static int does_not_take(ks_cutter *c, const char *what, enum AVCodecID id)
{
    c->unfit = 1;
    snprintf(c->reason, sizeof c->reason, "%s does not take its %s (%.40s)", c->out->oformat->name,
             what, avcodec_get_name(id));
    return -1;
}

/* Sound of an encoded part is encoded, too, and of one for Media Source Extensions, but where it
 * is AAC in stereo; in an encoded part also that wants its head at once. */
static int encodes_sound(const ks_cutter *c, const AVStream *st)
{
    const AVCodecParameters *p = st->codecpar;
    const ks_job *job = &c->task->job;
    return job->watch && (job->reencode || job->fragments) && ks_cut_sound_fits(st) &&
           !(p->codec_id == AV_CODEC_ID_AAC && p->ch_layout.nb_channels <= 2 &&
             (!job->reencode || !is_headless_aac(st)));
}

/* The film and all its sound; subtitles and data stay behind (few containers take each other's).
 * Sound that even Matroska does not take is left out, and that is said. */
static int choose(ks_cutter *c)
{
    AVFormatContext *f = c->in.format;
    int watch = c->task->job.watch, encoded = c->task->job.reencode, sounds = 0;
    /* watching, one sound is enough, or none */
    int last_resort = watch || !strcmp(c->out->oformat->name, "matroska");
    for (unsigned i = 0; i < KS_CUT_STREAMS; i++) c->map[i] = -1, c->last_dts[i] = AV_NOPTS_VALUE;
    for (unsigned i = 0; i < f->nb_streams && i < KS_CUT_STREAMS; i++) {
        AVStream *st = f->streams[i];
        enum AVCodecID id = st->codecpar->codec_id;
        int video = st == c->in.stream,
            sound = st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && id != AV_CODEC_ID_NONE;
        st->discard = video || sound ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
        if (!video && !sound) continue;
        int anew = sound && sounds == 0 && encodes_sound(c, st);
        if (sound && !anew &&
            (st->codecpar->sample_rate <= 0 || !takes(c->out->oformat, id) ||
             (watch && (sounds > 0 || !is_watched(id))))) {
            if (!last_resort) return does_not_take(c, "sound", id);
            st->discard = AVDISCARD_ALL;
            c->sounds_left++;
            continue;
        }
        if (video && !encoded && (!takes(c->out->oformat, id) || (watch && !is_watched(id))))
            return does_not_take(c, "pictures", id);
        sounds += sound;
        if (add_stream(c, st, anew || (video && encoded))) return -1;
    }
    return 0;
}

int ks_cut_open(ks_cutter *c)
{
    const char *muxer = c->task->job.muxer;
    int blue = !strcmp(muxer, "m2ts"); /* packets of 192 bytes, as camcorders and discs have them */
    AVDictionary *o = NULL;
    uint8_t *buffer = av_malloc(BUFFER);
    if (avformat_alloc_output_context2(&c->out, NULL, blue ? "mpegts" : muxer, NULL) < 0 ||
        !c->out) {
        av_free(buffer);
        c->unfit = 1;
        return ks_cut_fail(c, "unknown container for a cut", 0);
    }
    c->pb = buffer ? avio_alloc_context(buffer, BUFFER, 1, c, NULL, write_out, seek_out) : NULL;
    if (!c->pb) return ks_cut_fail(c, "no memory", 0);
    c->out->pb = c->pb;
    c->out->flags |= AVFMT_FLAG_CUSTOM_IO;
    c->out->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    if (choose(c)) return -1;
    if (blue) av_dict_set(&o, "mpegts_m2ts_mode", "1", 0);
    /* As it is, pictures may be decoded before the time 0: an edit list says so. */
    if (c->task->job.fragments)
        av_dict_set(&o, "movflags",
                    c->task->job.reencode ? "empty_moov+default_base_moof+frag_keyframe"
                                          : "delay_moov+default_base_moof+frag_keyframe",
                    0);
    int r = avformat_write_header(c->out, &o);
    av_dict_free(&o);
    if (r < 0 && !c->unwritten) c->unfit = 1;
    return r < 0 ? ks_cut_fail(c, "this container does not take these streams", r) : 0;
}

int ks_cut_put(ks_cutter *c, AVPacket *p, int to, AVRational tb, int64_t off)
{
    int64_t *last = &c->last_dts[to];
    if (c->adts && to == c->adts_to &&
        (av_bsf_send_packet(c->adts, p) < 0 || av_bsf_receive_packet(c->adts, p) < 0))
        return 0; /* damage is heard */
    if (p->pts != AV_NOPTS_VALUE) p->pts -= off;
    if (p->dts != AV_NOPTS_VALUE) p->dts -= off;
    av_packet_rescale_ts(p, tb, c->out->streams[to]->time_base);
    /* Where recordings were joined the order of decoding overlaps by a picture or two. */
    if (p->dts != AV_NOPTS_VALUE && *last != AV_NOPTS_VALUE && p->dts <= *last) p->dts = *last + 1;
    if (p->dts != AV_NOPTS_VALUE && p->pts != AV_NOPTS_VALUE && p->pts < p->dts) p->pts = p->dts;
    if (p->dts != AV_NOPTS_VALUE) *last = p->dts;
    p->stream_index = to;
    p->pos = -1;
    int r = av_interleaved_write_frame(c->out, p);
    if (r < 0 && !c->unwritten) c->unfit = 1;
    return r < 0 ? ks_cut_fail(c, "does not go into such a file", r) : 0;
}

int ks_cut_end(ks_cutter *c)
{
    int r = av_write_trailer(c->out);
    avio_flush(c->pb);
    return r < 0 || c->pb->error < 0
               ? ks_cut_fail(c, "does not go into such a file", r < 0 ? r : c->pb->error)
               : 0;
}
