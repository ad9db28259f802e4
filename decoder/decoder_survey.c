/* decoder_survey.c - a few pictures a minute of a film, from key frames, each sought for itself.
 *
 * Nothing is known of the film yet, so its seeks are proven first: its start is decoded in
 * order, and the second key frame met there must look the same after a seek; every PROVE-th
 * picture is decoded once more in order, from the key frame before. A film that fails, or that
 * cannot be sought in, ends without a verdict of ours: kinoseek reads it in order. The clock is
 * the container's: formats whose clock may be set anew in the middle are read in order, too. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "decoder/decoder_film.h"
#include "decoder/decoder_targets.h"

enum {
    IN_ORDER = 1200, /* frames decoded at the start to meet a second key frame */
    PACKETS = 4096,  /* of all streams, read for one picture */
    MOST = 1 << 20,  /* pictures: half a year at 4 a minute */
    PROVE = 160      /* ten minutes at 16 pictures a minute, twenty at 8 */
};

typedef struct {
    int64_t pts;
    uint32_t look;
} known_key;

static uint32_t look_at(ks_film_job *f, const AVFrame *frame)
{
    uint8_t small[KS_SMALL];
    ks_small_of(&f->converter, small, frame);
    return (uint32_t)XXH3_64bits(small, KS_SMALL);
}

static int64_t stamp_of(const AVFrame *frame)
{
    return frame->best_effort_timestamp != AV_NOPTS_VALUE ? frame->best_effort_timestamp
                                                          : frame->pts;
}

/* The next packet of ours: 1, 0. */
static int next_packet(ks_film_job *f)
{
    for (int i = 0; i < PACKETS; i++) {
        ks_talk_alive(f);
        if (av_read_frame(f->source.format, f->packet) < 0) return 0;
        if (f->packet->stream_index == f->source.stream->index) return 1;
        av_packet_unref(f->packet);
    }
    return 0;
}

/* Frames in order until `until` is shown as a key frame (KS_NO_TIME: until the second one): 1
 * and what it is. */
static int in_order(known_key *out, ks_film_job *f, int64_t until)
{
    int met = 0;
    for (int n = 0, end = 0; n < IN_ORDER && !end;) {
        end = !next_packet(f);
        avcodec_send_packet(f->source.codec, end ? NULL : f->packet);
        av_packet_unref(f->packet);
        while (avcodec_receive_frame(f->source.codec, f->frame) >= 0) {
            int64_t pts = stamp_of(f->frame);
            n++;
            f->decoded++;
            if (n == 1 && until == KS_NO_TIME && pts != AV_NOPTS_VALUE &&
                (!f->times.has_start || pts < f->times.start)) {
                f->times.start = pts;
                f->times.has_start = 1;
            }
            if (!ks_frame_is_key(f->frame) || pts == AV_NOPTS_VALUE ||
                ++met < (until == KS_NO_TIME ? 2 : 1) || (until != KS_NO_TIME && pts < until)) {
                av_frame_unref(f->frame);
                continue;
            }
            *out = (known_key){pts, look_at(f, f->frame)};
            av_frame_unref(f->frame);
            return until == KS_NO_TIME || pts == until;
        }
    }
    return 0;
}

/* Where a decoder writes nothing and does not say so (HEVC's, of some damaged slices), the buffer's
 * last picture would pass for this one. */
static int empty_buffer(AVCodecContext *c, AVFrame *frame, int flags)
{
    int r = avcodec_default_get_buffer2(c, frame, flags);
    for (int i = 0; r >= 0 && !frame->hw_frames_ctx && i < AV_NUM_DATA_POINTERS; i++)
        if (frame->buf[i]) memset(frame->buf[i]->data, 0, frame->buf[i]->size);
    return r;
}

static int is_written(const AVFrame *frame)
{
    if (frame->hw_frames_ctx) return 1;
    for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++)
        for (size_t k = 0; k < frame->buf[i]->size; k++)
            if (frame->buf[i]->data[k]) return 1;
    return 0;
}

/* f->frame becomes the key frame at or before stamp: 1; 0: the one that was given last; -1: none
 * can be had. */
static int seek_picture(ks_film_job *f, int64_t stamp, int64_t last)
{
    AVCodecContext *c = f->source.codec;
    int got = 0;
    avcodec_flush_buffers(c);
    if (av_seek_frame(f->source.format, f->source.stream->index, stamp, AVSEEK_FLAG_BACKWARD) < 0)
        return -1;
    do {
        av_packet_unref(f->packet);
        if (!next_packet(f)) return -1;
    } while (!(f->packet->flags & AV_PKT_FLAG_KEY) && f->packet->pts <= stamp);
    int64_t pts = f->packet->pts;
    if (!(f->packet->flags & AV_PKT_FLAG_KEY) || pts == AV_NOPTS_VALUE || pts <= last) {
        av_packet_unref(f->packet);
        return pts != AV_NOPTS_VALUE && pts <= last ? 0 : -1;
    }
    ks_log_take();
    avcodec_send_packet(c, f->packet);
    avcodec_send_packet(c, NULL);
    av_packet_unref(f->packet);
    while (!got && avcodec_receive_frame(c, f->frame) >= 0) {
        got = stamp_of(f->frame) == pts;
        if (!got) av_frame_unref(f->frame);
    }
    f->decoded++;
    int good = got && !ks_log_take().bad && !(f->frame->flags & AV_FRAME_FLAG_CORRUPT) &&
               !f->frame->decode_error_flags && is_written(f->frame);
    if (!good) av_frame_unref(f->frame);
    return good ? 1 : -1;
}

/* The same picture in order, from the key frame before it. */
static int is_proven(ks_film_job *f, int64_t pts, uint32_t look)
{
    known_key k;
    avcodec_flush_buffers(f->source.codec);
    if (av_seek_frame(f->source.format, f->source.stream->index, pts - 1, AVSEEK_FLAG_BACKWARD) < 0)
        return 0;
    return in_order(&k, f, pts) && k.look == look;
}

static int start_is_proven(ks_film_job *f)
{
    known_key second;
    if (!in_order(&second, f, KS_NO_TIME)) return 0;
    int r = seek_picture(f, second.pts, KS_NO_TIME);
    int good = r == 1 && stamp_of(f->frame) == second.pts && look_at(f, f->frame) == second.look;
    av_frame_unref(f->frame);
    return good;
}

/* since, until: ticks, what it stands for */
static int give(ks_film_job *f, int64_t pts, int64_t since, int64_t until)
{
    ks_moment m = {.ticks = pts - f->times.start};
    if (!ks_wire_size_fits(f->frame->width, f->frame->height)) return -1;
    f->stamp = pts;
    f->packet_at = -1;
    f->since = since < m.ticks ? since : m.ticks;
    f->times.last_end = until;
    ks_talk_frame(f, &m, f->frame, KS_FRAME_KEY);
    return ks_hold_add(&f->hold, f->frame, f->seen);
}

/* Seconds of the container's key frames from the first one on; none where its index does not
 * reach over most of the film. */
static int find_keys(double **out, const ks_film_job *f, double length)
{
    AVStream *st = f->source.stream;
    double tick = av_q2d(st->time_base), last = 0;
    int n = 0, entries = avformat_index_get_entries_count(st);
    int64_t first = AV_NOPTS_VALUE;
    *out = malloc(((size_t)entries + 1) * sizeof **out);
    for (int i = 0; *out && i < entries; i++) {
        const AVIndexEntry *at = avformat_index_get_entry(st, i);
        if (first == AV_NOPTS_VALUE) first = at->timestamp;
        last = (double)(at->timestamp - first) * tick;
        if (at->flags & AVINDEX_KEYFRAME && (n == 0 || last > (*out)[n - 1])) (*out)[n++] = last;
    }
    return last < 0.9 * length - 30 ? 0 : n;
}

/* Which pictures, and where one begins to stand, with the film's end behind: how many; < 0: read
 * it in order. */
static int find_targets(ks_survey_target **out, const ks_film_job *f, double length)
{
    double *key, pictures = length / ks_survey_step(length) + 0.5;
    *out = pictures < MOST ? malloc((size_t)(pictures + 2) * sizeof **out) : NULL;
    if (!*out) return -1;
    int keys = find_keys(&key, f, length);
    int n = key ? ks_survey_targets(*out, (int)pictures, key, keys, length) : -1;
    free(key);
    if (n >= 0) (*out)[n] = (ks_survey_target){length, length};
    return n;
}

/* target[n + 1], of which the last is the film's end. */
static int give_targets(ks_film_job *f, const ks_survey_target *target, int n, double length)
{
    double tick = av_q2d(f->source.stream->time_base);
    int64_t last = KS_NO_TIME, late = (int64_t)(ks_survey_step(length) / tick) + 1;
    int every = f->task->job.survey == KS_FILM_GLANCE ? ks_glance_step(length) : 1;
    for (int i = every / 2, given = 0, shown = -1; i < n; i += every) {
        int64_t stamp = f->times.start + (int64_t)(target[i].at / tick);
        int at = av_index_search_timestamp(f->source.stream, stamp, AVSEEK_FLAG_BACKWARD);
        if (at >= 0 && at == shown) continue; /* its bytes were read */
        int r = seek_picture(f, stamp, last);
        if (r < 0) return -1;
        shown = at;
        if (r == 0) continue;
        last = stamp_of(f->frame);
        if (last < f->times.start || last > stamp + late) return -1;
        uint32_t look = look_at(f, f->frame);
        if (give(f, last, (int64_t)(target[i].since / tick + 0.5),
                 (int64_t)(target[i + 1].since / tick + 0.5)))
            return -1;
        if (++given % PROVE == 0 && !is_proven(f, last, look)) return -1;
    }
    return 0;
}

int ks_film_survey(ks_film_job *f)
{
    ks_survey_target *target = NULL;
    double length = (double)f->times.header_end * av_q2d(f->source.stream->time_base);
    if (f->times.resets || f->times.untimed || f->times.header_end <= 0 || f->source.still ||
        f->source.reader)
        return -1;
    f->source.codec->get_buffer2 = empty_buffer;
    if (!start_is_proven(f)) return -1;
    int n = find_targets(&target, f, length);
    int r = n < 0 ? -1 : give_targets(f, target, n, length);
    free(target);
    return r;
}
