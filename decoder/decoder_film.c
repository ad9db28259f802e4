/* decoder_film.c - packets to frames to messages; what is damaged is left out and counted.
 *
 * After a sign of damage (an error of demuxer or decoder, a frame marked corrupt, one of the
 * lines of decoder_log.c) frames that lean on it are dropped: libav conceals, and what it shows
 * until the next key frame is an older picture (97 of 165 frames of the corpus' file 24). */
#include "decoder/decoder_film.h"
#include "decoder/decoder_clock.h"
#include "decoder/decoder_jobs.h"
#include "decoder/decoder_pictures.h"

#include <libavutil/display.h>
#include <libavutil/dovi_meta.h>
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>
#include <string.h>
#include <unistd.h>

int64_t ks_frame_duration(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_MAJOR >= 58
    return f->duration;
#else
    return f->pkt_duration;
#endif
}

int ks_frame_is_key(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_MAJOR >= 59
    return (f->flags & AV_FRAME_FLAG_KEY) != 0;
#else
    return f->key_frame;
#endif
}

int ks_frame_is_interlaced(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_MAJOR >= 59
    return (f->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return f->interlaced_frame;
#endif
}

const int32_t *ks_display_matrix(const AVStream *st, const AVFrame *f)
{
    const AVFrameSideData *side = f ? av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX) : NULL;
    if (side && side->size >= 9 * sizeof(int32_t)) return (const int32_t *)(const void *)side->data;
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    const AVPacketSideData *p = av_packet_side_data_get(
        st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return p && p->size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)p->data : NULL;
#else
    size_t size = 0;
    const uint8_t *p = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return p && size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)p : NULL;
#endif
}

/* So many bad blocks in a picture of DV are not seen: one macroblock in a hundred of its 1,350
 * to 1,620. */
enum { BLOCKS = 16 };

int ks_is_ipt(const AVStream *st)
{
    const AVDOVIDecoderConfigurationRecord *d;
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    const AVPacketSideData *p = av_packet_side_data_get(
        st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, AV_PKT_DATA_DOVI_CONF);
    d = p && p->size >= sizeof *d ? (const void *)p->data : NULL;
#else
    size_t size = 0;
    const uint8_t *p = av_stream_get_side_data(st, AV_PKT_DATA_DOVI_CONF, &size);
    d = p && size >= sizeof *d ? (const void *)p : NULL;
#endif
    return d && d->dv_profile == 5;
}

static double seconds(const ks_film_job *f, int64_t ticks) { return (double)ticks * f->times.tick; }

/* Packets are numbered; libav carries the number through the decoder to the frame. */
static void number_packet(ks_film_job *f, int64_t seq)
{
#if LIBAVCODEC_VERSION_MAJOR >= 60
    f->packet->opaque = (void *)(intptr_t)seq;
#else
    f->source.codec->reordered_opaque = seq;
#endif
}

static int64_t number_of(const AVFrame *frame)
{
#if LIBAVCODEC_VERSION_MAJOR >= 60
    return (int64_t)(intptr_t)frame->opaque;
#else
    return frame->reordered_opaque;
#endif
}

/* Something is wrong with packet seq (0: the last one). */
static void damage(ks_film_job *f, int64_t seq)
{
    ks_damage_at(&f->damage, seq);
    f->damaged = 1;
    f->hole = 1;
    if (f->first_damage < 0) f->first_damage = f->times.any ? f->times.last_end : 0;
}

/* 1: this frame is to be shown; 0: it was lost to damage. */
static int is_clean(ks_film_job *f, const AVFrame *frame, int64_t pts)
{
    int64_t seq = number_of(frame);
    if ((frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags) damage(f, seq);
    if (ks_damage_trusted(&f->damage, seq, pts == AV_NOPTS_VALUE ? INT64_MIN : pts)) return 1;
    f->lost++;
    f->lost_last++;
    f->hole = 1;
    return 0;
}

static int64_t packet_of(const ks_film_job *f, const AVFrame *frame)
{
    int64_t seq = number_of(frame);
    return seq > 0 && seq <= f->damage.seq && seq > f->damage.seq - KS_MARKS ? f->at[seq % KS_MARKS]
                                                                             : -1;
}

static void deliver(ks_film_job *f, AVFrame *frame)
{
    ks_moment m;
    int64_t pts = frame->best_effort_timestamp != AV_NOPTS_VALUE ? frame->best_effort_timestamp
                                                                 : frame->pts;

    int fits = ks_wire_size_fits(frame->width, frame->height);
    if (!fits && f->source.still && f->how.shrink)
        fits = ks_scale_down(frame) == 0 && ks_wire_size_fits(frame->width, frame->height);
    if (!fits) {
        f->too_large = 1;
        return;
    }
    if (f->seek_stamp != KS_NO_TIME && (pts == AV_NOPTS_VALUE || pts < f->seek_stamp)) return;
    if (f->loss_seq > 0 && number_of(frame) >= f->loss_seq) f->hole = 1, f->loss_seq = 0;
    if (!is_clean(f, frame, pts)) return;
    int64_t end = f->times.any ? f->times.last_end : 0;
    if (!ks_times_next(&m, &f->times, f->times.untimed || pts == AV_NOPTS_VALUE ? KS_NO_TIME : pts,
                       ks_frame_duration(frame)))
        return;
    double gone = f->hole ? seconds(f, m.ticks - end) : 0;
    int gap = m.gap ||
              (f->hole && f->hold.next > 0 && gone > 1.5 * seconds(f, ks_times_step(&f->times)));
    if (gone > 0 && gone < 1e9) ks_film_missing(f, end, m.ticks);
    ks_even_next(&f->even, m.ticks, gap);
    f->hole = 0;
    f->lost_last = 0;
    f->interlaced |= ks_frame_is_interlaced(frame);
    f->hdr |= ks_is_hdr(frame) || f->converter.ipt;
    if (f->skip > 0) { /* already delivered before the restart */
        f->skip--;
        return;
    }
    f->stamp = pts == AV_NOPTS_VALUE ? KS_NO_TIME : pts;
    f->packet_at = packet_of(f, frame);
    int flags = (ks_frame_is_key(frame) ? KS_FRAME_KEY : 0) | (gap ? KS_FRAME_BREAK : 0) |
                (m.inferred ? KS_FRAME_INFERRED : 0);
    ks_talk_frame(f, &m, frame, flags);
    f->source.bytes.holes = 0;
    if (ks_hold_add(&f->hold, frame, f->seen)) _exit(4);
}

/* A frame that lies in a graphics card comes down first. */
static AVFrame *in_memory(ks_film_job *f, AVFrame *frame)
{
    if (!frame->hw_frames_ctx) return frame;
    av_frame_unref(f->host);
    if (av_hwframe_transfer_data(f->host, frame, 0) < 0 ||
        av_frame_copy_props(f->host, frame) < 0) {
        damage(f, 0);
        return NULL;
    }
    av_frame_unref(frame);
    return f->host;
}

static void receive(ks_film_job *f)
{
    for (;;) {
        int r = avcodec_receive_frame(f->source.codec, f->frame);
        ks_log_news news = ks_log_take();
        if (news.bad || news.blocks > BLOCKS || (r < 0 && r != AVERROR(EAGAIN) && r != AVERROR_EOF))
            damage(f, 0);
        if (r < 0) return;
        f->decoded++;
        if (f->damaged && f->source.threads > 1) {
            f->restart = 1;
            return;
        }
        AVFrame *frame = in_memory(f, f->frame);
        if (frame) deliver(f, frame);
        av_frame_unref(f->frame);
    }
}

static int is_encrypted(const AVPacket *p)
{
    size_t size;
    return av_packet_get_side_data(p, AV_PKT_DATA_ENCRYPTION_INFO, &size) != NULL;
}

/* Bytes were lost before what the demuxer gives next: what leans on them is not shown. */
static void note_loss(ks_film_job *f)
{
    f->loss = 1;
    if (f->first_damage < 0) f->first_damage = f->times.any ? f->times.last_end : 0;
}

/* Of the whole film, or of a stream that it goes on in. */
static void begin_between_keys(ks_film_job *f)
{
    f->hole = 1;
    if (!f->times.any) f->headless = 1;
    else if (f->first_damage < 0) f->first_damage = f->times.last_end;
}

/* The decoder gives what it still holds; another is opened for st. */
static int change_stream(ks_film_job *f, AVStream *st)
{
    avcodec_send_packet(f->source.codec, NULL);
    receive(f);
    if (f->restart) return -1;
    f->first_followed = f->times.last_end;
    ks_damage_open(&f->damage, f->times.tick);
    f->loss_seq = 0;
    if (ks_source_follow(&f->source, st, &f->how, f->time_base) == 0) return 0;
    f->unread = f->hole = 1;
    return -1;
}

static void decode(ks_film_job *f, AVPacket *p)
{
    AVStream *st = f->source.stream;
    if (f->source.opened != st->codecpar->codec_id && change_stream(f, st)) return;
    av_packet_rescale_ts(p, st->time_base, f->time_base);
    int key = (p->flags & AV_PKT_FLAG_KEY) != 0;
    if (!ks_packet_has_picture(p, f->source.stream->codecpar)) return;
    if (f->damage.seq == 0 && !key) begin_between_keys(f);
    number_packet(f, ks_damage_packet(&f->damage, p->pts != AV_NOPTS_VALUE ? p->pts : INT64_MIN,
                                      key, (p->flags & AV_PKT_FLAG_CORRUPT) != 0));
    f->at[f->damage.seq % KS_MARKS] = p->pos >= 0 ? p->pos : -1;
    if (f->loss && !key) damage(f, 0);
    if (f->loss) f->loss_seq = f->damage.seq;
    f->loss = 0;
    int r = avcodec_send_packet(f->source.codec, p);
    if (r < 0 && r != AVERROR(EAGAIN)) damage(f, 0);
    receive(f);
}

static void take_packet(ks_film_job *f, AVPacket *p)
{
    f->encrypted = is_encrypted(p);
    if (!f->encrypted && !f->unread) decode(f, p);
}

/* The picture goes on in the stream of which packets were kept. */
static void take_sequel(ks_film_job *f)
{
    ks_follow kept = f->follow;
    memset(&f->follow, 0, sizeof f->follow);
    f->followed_at = kept.kept[0]->pos;
    /* the last pictures of a PID stay in libav until the file ends, and come too late */
    f->hole = 1;
    change_stream(f, f->source.format->streams[kept.stream]);
    for (int i = 0; i < kept.n && !f->restart && !f->encrypted; i++) take_packet(f, kept.kept[i]);
    f->follow.any = 1;
    ks_follow_reset(&kept);
}

/* "Again" is said by MPEG-TS after 64 KiB without a packet of its own: it goes on as long as the
 * file does. */
static int read_packet(ks_film_job *f)
{
    for (int64_t at = -1;;) {
        int r = av_read_frame(f->source.format, f->packet);
        int64_t now = avio_tell(f->source.format->pb);
        if (r != AVERROR(EAGAIN) || now <= at) return r;
        at = now;
    }
}

/* 1: what lies behind the last packet is zeros, as some cameras leave them, or an index of at
 * most 1 MiB and zeros. */
static int ends_in_zeros(const ks_film_job *f)
{
    int64_t zeros = ks_bytes_zero_tail(&f->source.bytes);
    return zeros >= 64 && f->source.bytes.size - zeros - f->read_to < 1 << 20;
}

/* As step, of a picture reader. */
static int step_reader(ks_film_job *f)
{
    const char *why = NULL;
    int r = f->source.reader->next(f->frame, &why, f->source.reading);
    if (r == 0) return 0;
    int64_t seq = ks_damage_packet(&f->damage, f->frame->pts, 1, 0);
    if (r < 0) {
        damage(f, seq);
        f->lost_end = 1;
        return 0;
    }
    f->frame->best_effort_timestamp = f->frame->pts;
    f->decoded++;
    f->source.bytes.read = f->source.bytes.size;
    deliver(f, f->frame);
    av_frame_unref(f->frame);
    ks_talk_alive(f);
    return !f->too_large;
}

/* 1: go on; 0: the end. */
static int step(ks_film_job *f)
{
    if (f->source.reader) return step_reader(f);
    AVPacket *p = f->packet;
    int r = read_packet(f);
    if (ks_log_take().bad || (r < 0 && r != AVERROR_EOF && r != AVERROR(EAGAIN))) note_loss(f);
    if (r < 0) {
        if (f->loss && !ends_in_zeros(f)) f->lost_end = f->hole = 1;
        if (ks_follow_at_end(&f->follow)) take_sequel(f);
        if (f->restart || f->unread) return 0;
        avcodec_send_packet(f->source.codec, NULL);
        receive(f);
        return 0;
    }
    ks_talk_alive(f);
    if (p->pos + p->size > f->read_to) f->read_to = p->pos + p->size;
    if (p->stream_index == f->source.stream->index) {
        ks_follow_ours(&f->follow);
        take_packet(f, p);
    } else if ((p->pos < 0 || p->pos >= f->followed_at) &&
               ks_follow_other(&f->follow, f->source.format->streams[p->stream_index], p)) {
        take_sequel(f);
    }
    av_packet_unref(p);
    return !f->restart && !f->too_large && !f->encrypted && !f->unread;
}

static void start_clock(ks_film_job *f)
{
    const AVStream *st = f->source.stream;
    double tick = av_q2d(st->time_base);
    ks_damage_open(&f->damage, tick);
    ks_even_open(&f->even, tick,
                 (const int[2][2]){{st->avg_frame_rate.num, st->avg_frame_rate.den},
                                   {st->r_frame_rate.num, st->r_frame_rate.den}});
    ks_clock_start(&f->times, &f->source);
}

static void seek(ks_film_job *f)
{
    const ks_job *job = &f->task->job;
    f->seek_stamp = job->seek_ticks + job->seek_shift;
    f->times.start = job->seek_shift;
    f->times.has_start = 1;
    if (ks_source_seek(&f->source, job, f->packet, f->frame)) ks_source_close(&f->source);
}

static void open_film(ks_film_job *f, int threads)
{
    f->how = (ks_source_how){.fd = f->task->file,
                             .stills = f->task->job.stills,
                             .fast = f->task->job.fast,
                             .threads = threads,
                             .shrink = f->shrink,
                             .hwaccel = f->task->job.hwaccel,
                             .alive = ks_talk_alive,
                             .arg = f};
    ks_follow_reset(&f->follow);
    f->hole = f->loss = f->restart = f->damaged = f->headless = f->unread = f->too_large = 0;
    f->first_damage = -1;
    f->read_to = f->followed_at = f->loss_seq = f->lost_end = 0;
    f->missing = 0;
    f->spans = 0;
    f->lost = f->lost_last = 0;
    if (ks_source_open(&f->source, &f->how)) return;
    f->time_base = f->source.stream->time_base;
    f->converter.ipt = ks_is_ipt(f->source.stream);
    start_clock(f);
    /* a quarter of what may be held, so that a plan made late still finds its frames */
    int64_t area = (int64_t)f->source.codec->width * f->source.codec->height * 2,
            most = (int64_t)f->hold.budget / 4;
    f->ahead = area > 0 && area <= KS_MAX_PIXELS * (int64_t)2 ? most / area : 4;
    if (f->ahead < 2) f->ahead = 2;
    if (f->ahead > 32) f->ahead = 32;
    f->seek_stamp = KS_NO_TIME;
    if (f->task->job.seek_ticks > 0) seek(f);
    ks_log_take();
}

/* 1: a photograph of more points than travel, and there is a smaller way to read it. */
static int is_large_still(const ks_film_job *f)
{
    return f->source.still && f->hold.next == 0 && f->shrink < KS_SHRINK_MOST &&
           (f->too_large || ks_log_take().too_large);
}

static void run_film(ks_film_job *f)
{
    open_film(f, f->task->job.one_thread);
    while (f->source.codec && step(f)) {}
    while (is_large_still(f)) {
        ks_source_close(&f->source);
        ks_log_listen();
        f->shrink++;
        open_film(f, 1);
        while (f->source.codec && step(f)) {}
    }
    if (f->restart) {
        f->skip = f->hold.next;
        ks_source_close(&f->source);
        open_film(f, 1);
        while (f->source.codec && step(f)) {}
    }
}

static void survey(ks_film_job *f)
{
    ks_wire_end *end = &f->out.u.end;
    open_film(f, 1);
    int r = f->source.codec ? ks_film_survey(f) : -1;
    ks_wire_begin(&f->out, KS_MSG_END);
    end->verdict = r == 0 && f->hold.next > 0 ? KS_VERDICT_INDEXED : KS_VERDICT_FAILED;
    end->frames = f->hold.next;
    if (end->verdict == KS_VERDICT_FAILED)
        snprintf(end->reason, sizeof end->reason, "pictures cannot be sought");
}

void ks_task_film(ks_task *task)
{
    static ks_film_job film; /* one job a process; its held frames are a large table */
    ks_film_job *f = &film;

    f->task = task;
    ks_hold_open(&f->hold, task->job.hold);
    f->packet = av_packet_alloc();
    f->frame = av_frame_alloc();
    f->host = av_frame_alloc();
    if (!f->packet || !f->frame || !f->host) _exit(4);
    if (task->job.survey > 0) {
        survey(f);
    } else {
        run_film(f);
        ks_wire_begin(&f->out, KS_MSG_END);
        ks_film_verdict(&f->out.u.end, f);
    }
    ks_talk_send(f);
    /* held frames may still be asked for; ends when kinoseek closes the socket */
    for (;;) ks_talk_serve(f, 1);
}
