/* decoder_cut.c - [from, to) of a film into its own file, written to a descriptor.
 *
 * Copy: packets as they are, from the key frame before `from`. Re-encode: frames of exactly [from, to)
 * through libx264; sound is copied, cut to its packets. The picture is decoded from the film's start,
 * because some films give garbage after a seek. */
#include <errno.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/decoder_jobs.h"
#include "decoder/decoder_source.h"

enum { BUFFER = 1 << 16, STREAMS = 64 };

typedef struct {
    ks_task *task;
    ks_source in;
    AVFormatContext *out;
    AVIOContext *pb;
    AVCodecContext *encoder;
    struct SwsContext *sws;
    AVPacket *packet;
    AVFrame *frame, *scaled;
    int map[STREAMS];        /* stream of in -> stream of out, -1 left out */
    int64_t first[STREAMS];  /* what is taken off the times, in's time base */
    double start;            /* container's start, seconds */
    double from;             /* where the copy really begins */
    double shown_from, shown_to; /* of the film in the piece; from > to: nothing yet */
    int64_t frames, told;
    int unwritten;           /* errno of the output: no fault of the film */
    char reason[200];
} cutter;

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
    cutter *c = opaque;
    int r = write_bytes(c->task->output, p, n);
    if (r < 0) c->unwritten = AVUNERROR(r);
    return r;
}

static int64_t seek_out(void *opaque, int64_t at, int whence)
{
    struct stat st;
    int fd = ((cutter *)opaque)->task->output;
    if (whence & AVSEEK_SIZE) return fstat(fd, &st) ? AVERROR(errno) : (int64_t)st.st_size;
    off_t r = lseek(fd, at, whence & ~AVSEEK_FORCE);
    return r < 0 ? AVERROR(errno) : (int64_t)r;
}

static int fail(cutter *c, const char *what, int err)
{
    char words[96] = "";
    if (err) av_strerror(err, words, sizeof words);
    if (!c->reason[0]) snprintf(c->reason, sizeof c->reason, "%s%s%s", what, err ? ": " : "", words);
    return -1;
}

/* A turned film stays turned: its matrix goes along. */
static int keep_turn(AVStream *to, const AVStream *st)
{
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    const AVPacketSideData *m =
        av_packet_side_data_get(st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    AVPacketSideData *copy = m ? av_packet_side_data_new(&to->codecpar->coded_side_data, &to->codecpar->nb_coded_side_data,
                                                         AV_PKT_DATA_DISPLAYMATRIX, m->size, 0) : NULL;
    if (copy) memcpy(copy->data, m->data, m->size);
    return m && !copy;
#else
    size_t size = 0;
    const uint8_t *m = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &size);
    uint8_t *copy = m ? av_stream_new_side_data(to, AV_PKT_DATA_DISPLAYMATRIX, size) : NULL;
    if (copy) memcpy(copy, m, size);
    return m && !copy;
#endif
}

/* The film and all its sound; subtitles and data stay behind (few containers take each other's). */
static int choose(cutter *c)
{
    AVFormatContext *f = c->in.format;
    for (unsigned i = 0; i < STREAMS; i++) c->map[i] = -1;
    for (unsigned i = 0; i < f->nb_streams && i < STREAMS; i++) {
        AVStream *st = f->streams[i], *to;
        int video = st == c->in.stream, sound = st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && st->codecpar->codec_id != AV_CODEC_ID_NONE;
        st->discard = video || sound ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
        if (!video && !sound) continue;
        if (!(to = avformat_new_stream(c->out, NULL))) return fail(c, "no memory", 0);
        c->map[i] = to->index;
        to->time_base = st->time_base;
        if (video && keep_turn(to, st)) return fail(c, "no memory", 0);
        if (video && c->task->job.reencode) continue;
        if (avcodec_parameters_copy(to->codecpar, st->codecpar) < 0) return fail(c, "no memory", 0);
        to->codecpar->codec_tag = 0;
        to->sample_aspect_ratio = st->sample_aspect_ratio;
    }
    return 0;
}

static int open_encoder(cutter *c)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    AVStream *in = c->in.stream, *to = c->out->streams[c->map[in->index]];
    AVRational rate = in->avg_frame_rate.num > 0 ? in->avg_frame_rate : (AVRational){25, 1};

    if (!codec) codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (!codec || !(c->encoder = avcodec_alloc_context3(codec))) return fail(c, "this libav has no encoder for cuts", 0);
    c->encoder->width = c->in.codec->width & ~1;
    c->encoder->height = c->in.codec->height & ~1;
    c->encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    c->encoder->time_base = in->time_base.den / in->time_base.num > 1000000 ? (AVRational){1, 90000} : in->time_base;
    c->encoder->framerate = rate;
    c->encoder->sample_aspect_ratio = in->sample_aspect_ratio;
    c->encoder->color_range = AVCOL_RANGE_MPEG;
    c->encoder->colorspace = c->in.codec->colorspace;
    c->encoder->color_primaries = c->in.codec->color_primaries;
    c->encoder->color_trc = c->in.codec->color_trc;
    c->encoder->thread_count = 2;
    if (c->out->oformat->flags & AVFMT_GLOBALHEADER) c->encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(c->encoder->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->encoder->priv_data, "crf", "20", 0);
    if (c->encoder->width < 2 || c->encoder->height < 2) return fail(c, "the picture is too small to encode", 0);
    int r = avcodec_open2(c->encoder, codec, NULL);
    if (r < 0) return fail(c, "the encoder does not start", r);
    to->time_base = c->encoder->time_base;
    to->avg_frame_rate = rate;
    return avcodec_parameters_from_context(to->codecpar, c->encoder) < 0 ? fail(c, "no memory", 0) : 0;
}

static int open_output(cutter *c)
{
    uint8_t *buffer = av_malloc(BUFFER);
    if (avformat_alloc_output_context2(&c->out, NULL, c->task->job.muxer, NULL) < 0 || !c->out) {
        av_free(buffer);
        return fail(c, "unknown container for a cut", 0);
    }
    c->pb = buffer ? avio_alloc_context(buffer, BUFFER, 1, c, NULL, write_out, seek_out) : NULL;
    if (!c->pb) return fail(c, "no memory", 0);
    c->out->pb = c->pb;
    c->out->flags |= AVFMT_FLAG_CUSTOM_IO;
    if (choose(c) || (c->task->job.reencode && open_encoder(c))) return -1;
    int r = avformat_write_header(c->out, NULL);
    return r < 0 ? fail(c, "this container does not take these streams", r) : 0;
}

static void tick(cutter *c)
{
    ks_message m;
    if (c->in.bytes.read < c->told + (8 << 20)) return;
    c->told = c->in.bytes.read;
    ks_wire_begin(&m, KS_MSG_TICK);
    m.u.number = c->told;
    if (ks_wire_send(c->task->socket, &m, NULL, 0, 0) != 1) _exit(0);
}

static int put_packet(cutter *c, AVPacket *p, int to, AVRational tb, int64_t off)
{
    if (p->pts != AV_NOPTS_VALUE) p->pts -= off;
    if (p->dts != AV_NOPTS_VALUE) p->dts -= off;
    av_packet_rescale_ts(p, tb, c->out->streams[to]->time_base);
    p->stream_index = to;
    p->pos = -1;
    int r = av_interleaved_write_frame(c->out, p);
    return r < 0 ? fail(c, "does not go into such a file", r) : 0;
}

static int put_encoded(cutter *c, const AVFrame *frame)
{
    int to = c->map[c->in.stream->index], r = avcodec_send_frame(c->encoder, frame);
    AVPacket *p = av_packet_alloc();
    if (!p) return fail(c, "no memory", 0);
    while (r >= 0 && (r = avcodec_receive_packet(c->encoder, p)) >= 0)
        if (put_packet(c, p, to, c->encoder->time_base, 0)) break;
    av_packet_free(&p);
    if (r < 0 && r != AVERROR(EAGAIN) && r != AVERROR_EOF) return fail(c, "the encoder fails", r);
    return c->reason[0] ? -1 : 0;
}

static void show(cutter *c, double from, double to)
{
    if (c->shown_from > c->shown_to || from < c->shown_from) c->shown_from = from;
    if (to > c->shown_to) c->shown_to = to;
}

/* Seconds a frame, where nothing says its own. */
static double usual_length(const cutter *c)
{
    AVRational r = c->in.stream->avg_frame_rate;
    return r.num > 0 && r.den > 0 ? (double)r.den / r.num : 0;
}

/* One decoded frame of the range -> encoder, as 4:2:0 of the first frame's size. */
static int encode_frame(cutter *c, AVFrame *f, double t)
{
    AVFrame *s = c->scaled;
    c->sws = sws_getCachedContext(c->sws, f->width, f->height, (enum AVPixelFormat)f->format, c->encoder->width, c->encoder->height,
                                  AV_PIX_FMT_YUV420P, SWS_BICUBIC, NULL, NULL, NULL);
    if (!c->sws) return fail(c, "the picture cannot be converted", 0);
    av_frame_unref(s);
    s->format = AV_PIX_FMT_YUV420P;
    s->width = c->encoder->width;
    s->height = c->encoder->height;
    if (av_frame_get_buffer(s, 0) < 0) return fail(c, "no memory", 0);
    sws_scale(c->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, s->data, s->linesize);
    int64_t pts = (int64_t)((t - c->task->job.from) / av_q2d(c->encoder->time_base) + 0.5);
    s->pts = pts;
    show(c, t, t + usual_length(c));
    c->frames++;
    return put_encoded(c, s);
}

static int receive(cutter *c)
{
    double tb = av_q2d(c->in.stream->time_base);
    int r;
    while ((r = avcodec_receive_frame(c->in.codec, c->frame)) >= 0) {
        int64_t pts = c->frame->best_effort_timestamp;
        double t = pts == AV_NOPTS_VALUE ? -1 : (double)pts * tb - c->start;
        if (t >= c->task->job.from - 1e-6 && (c->task->job.to < 0 || t < c->task->job.to - 1e-6) && encode_frame(c, c->frame, t)) return -1;
        av_frame_unref(c->frame);
    }
    return 0;
}

/* A film packet before the range's key frame is left out; the copy begins at that key frame. */
static int copy_packet(cutter *c, AVPacket *p, double t)
{
    int i = p->stream_index;
    AVRational tb = c->in.format->streams[i]->time_base;
    if (t < c->from - 1e-6) return 0;
    double end = t + (double)p->duration * av_q2d(tb);
    if (i == c->in.stream->index && end > c->task->job.from + 1e-6) c->frames++; /* the key frame before counts for nothing */
    if (i == c->in.stream->index) show(c, t, p->duration > 0 ? end : t + usual_length(c));
    return put_packet(c, p, c->map[i], tb, (int64_t)((c->from + c->start) / av_q2d(tb) + 0.5));
}

static int take_packet(cutter *c, AVPacket *p)
{
    int i = p->stream_index, video = i == c->in.stream->index;
    if (i >= STREAMS || c->map[i] < 0) return 0;
    double tb = av_q2d(c->in.format->streams[i]->time_base);
    int64_t ts = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
    double t = ts == AV_NOPTS_VALUE ? -1 : (double)ts * tb - c->start;
    if (c->task->job.to >= 0 && t >= c->task->job.to && (!video || !c->task->job.reencode)) return 0;
    if (video && c->task->job.reencode) return avcodec_send_packet(c->in.codec, p) < 0 ? 0 : receive(c);
    return copy_packet(c, p, t);
}

/* Time of the last key packet at or before `from`: a look through the film without decoding. */
static int find_key(cutter *c)
{
    ks_source_how how = {.fd = c->task->file, .hwaccel = ""};
    double tb = av_q2d(c->in.stream->time_base);
    c->from = c->task->job.from;
    if (c->task->job.reencode) return 0;
    c->from = 0;
    while (av_read_frame(c->in.format, c->packet) >= 0) {
        AVPacket *p = c->packet;
        double t = p->pts == AV_NOPTS_VALUE ? -1 : (double)p->pts * tb - c->start;
        int film = p->stream_index == c->in.stream->index;
        if (film && (p->flags & AV_PKT_FLAG_KEY) && t > c->from && t <= c->task->job.from + 1e-6) c->from = t;
        av_packet_unref(p);
        tick(c);
        if (film && t > c->task->job.from + 10) break;
    }
    ks_source_close(&c->in);
    return ks_source_open(&c->in, &how) ? fail(c, c->in.reason, 0) : 0;
}

static int past_the_end(cutter *c, const AVPacket *p)
{
    double t = p->dts == AV_NOPTS_VALUE ? 0 : (double)p->dts * av_q2d(c->in.stream->time_base) - c->start;
    return c->task->job.to >= 0 && p->stream_index == c->in.stream->index && t > c->task->job.to + 2;
}

static int run(cutter *c)
{
    ks_source_how how = {.fd = c->task->file, .hwaccel = ""};
    int r = 0, end;
    if (ks_source_open(&c->in, &how)) return fail(c, c->in.reason, 0);
    if (c->in.format->start_time != AV_NOPTS_VALUE) c->start = (double)c->in.format->start_time / AV_TIME_BASE;
    if (find_key(c) || open_output(c)) return -1;
    while (!r && av_read_frame(c->in.format, c->packet) >= 0) {
        end = past_the_end(c, c->packet);
        r = end ? 0 : take_packet(c, c->packet);
        av_packet_unref(c->packet);
        tick(c);
        if (end) break;
    }
    if (!r && c->encoder) {
        avcodec_send_packet(c->in.codec, NULL);
        r = receive(c);
        if (!r) r = put_encoded(c, NULL);
    }
    if (!r && c->frames == 0) return fail(c, "no frames between these times", 0);
    if (!r) r = av_write_trailer(c->out);
    avio_flush(c->pb);
    if (r < 0 || c->pb->error < 0) return fail(c, "does not go into such a file", r < -1 ? r : c->pb->error);
    return 0;
}

void ks_task_cut(ks_task *task)
{
    static cutter cut; /* one job a process */
    ks_message m;
    cut.task = task;
    cut.shown_from = 1;
    cut.packet = av_packet_alloc();
    cut.frame = av_frame_alloc();
    cut.scaled = av_frame_alloc();
    int r = cut.packet && cut.frame && cut.scaled ? run(&cut) : fail(&cut, "no memory", 0);
    if (r && cut.unwritten) snprintf(cut.reason, sizeof cut.reason, "%s%s", KS_WIRE_UNWRITTEN, strerror(cut.unwritten));
    ks_wire_begin(&m, KS_MSG_END);
    m.u.end.cut_from = cut.shown_from;
    m.u.end.cut_to = cut.shown_to;
    m.u.end.verdict = r ? KS_VERDICT_FAILED : KS_VERDICT_SKIPPED; /* no frames come this way, so never INDEXED */
    snprintf(m.u.end.reason, sizeof m.u.end.reason, "%s", r ? cut.reason : "cut");
    ks_wire_send(task->socket, &m, NULL, 0, 0);
}
