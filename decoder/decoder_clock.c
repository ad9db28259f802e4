/* decoder_clock.c - one clock for frames and for packets. */
#include "decoder/decoder_clock.h"

#include <stdlib.h>
#include <string.h>

/* seconds: as decoder_times.c takes a clock for one set anew */
static const double BACK = 0.4, AHEAD = 10.0;

static int64_t rescale_start(const AVFormatContext *c, const AVStream *st)
{
    if (c->start_time == AV_NOPTS_VALUE) return KS_NO_TIME;
    return av_rescale_q(c->start_time, AV_TIME_BASE_Q, st->time_base);
}

void ks_clock_start(ks_times *t, const ks_source *s)
{
    const AVStream *st = s->stream;
    const AVFormatContext *c = s->format;
    double tick = av_q2d(st->time_base),
           fps = st->avg_frame_rate.num > 0 && st->avg_frame_rate.den > 0
                     ? av_q2d(st->avg_frame_rate)
                     : 0;
    if (!(fps > 0.001 && fps < 1e5))
        fps = st->r_frame_rate.num > 0 && st->r_frame_rate.den > 0 ? av_q2d(st->r_frame_rate) : 25;
    if (!(fps > 0.001 && fps < 1e5)) fps = 25;
    const char *name = c->iformat->name;
    double typical = 1 / (fps * tick);

    ks_times_open(t, tick, typical >= 1 && typical < 1e12 ? (int64_t)(typical + 0.5) : 1,
                  rescale_start(c, st));
    t->resets = !strcmp(name, "mpegts") || !strcmp(name, "mpeg") || strstr(name, "flv") != NULL;
    t->untimed = !strcmp(name, "h264") || !strcmp(name, "hevc") || !strcmp(name, "m4v") ||
                 !strcmp(name, "mpegvideo");
    if (c->duration > 0 && !t->resets)
        t->header_end = av_rescale_q(c->duration, AV_TIME_BASE_Q, st->time_base);
}

static void forget_stamps(ks_packet_clock *c)
{
    for (int i = 0; i < KS_CLOCK_STREAMS; i++) c->last[i] = KS_NO_TIME;
    memset(c->at, 0, sizeof c->at);
}

void ks_packet_clock_open(ks_packet_clock *c, const ks_source *s)
{
    memset(c, 0, sizeof *c);
    ks_clock_start(&c->times, s);
    c->tb = s->stream->time_base;
    c->stream = s->stream->index;
    c->resets = c->times.resets;
    forget_stamps(c);
}

void ks_packet_clock_close(ks_packet_clock *c)
{
    free(c->shift);
    c->shift = NULL;
    c->n = c->room = 0;
}

/* 1: this packet is the first one behind a clock that was set anew. */
static int is_reset(ks_packet_clock *c, const AVStream *st, const AVPacket *p)
{
    int i = st->index;
    int64_t stamp = p->dts != AV_NOPTS_VALUE ? p->dts : p->pts, before;
    if (!c->resets || i >= KS_CLOCK_STREAMS || stamp == AV_NOPTS_VALUE) return 0;
    before = c->last[i];
    c->last[i] = stamp;
    if (before == KS_NO_TIME) return 0;
    double step = (double)(stamp - before) * av_q2d(st->time_base);
    if (step >= -BACK && step <= AHEAD) return 0;
    c->at[i]++;
    return 1;
}

static void next_waiting(ks_packet_clock *c)
{
    ks_moment m;
    ks_times_next(&m, &c->times, c->waiting[0], 0);
    memmove(c->waiting, c->waiting + 1, (size_t)--c->n_waiting * sizeof *c->waiting);
}

static void keep_shift(ks_packet_clock *c, int64_t shift)
{
    if (c->n == c->room) {
        int room = 2 * c->room + 16;
        int64_t *more = realloc(c->shift, (size_t)room * sizeof *more);
        if (!more) return;
        c->shift = more;
        c->room = room;
    }
    c->shift[c->n++] = shift;
}

void ks_packet_clock_learn(ks_packet_clock *c, const AVStream *st, const AVPacket *p)
{
    int reset = is_reset(c, st, p), i;
    int64_t stamp = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
    if (st->index != c->stream || stamp == AV_NOPTS_VALUE) return;
    if (reset) { /* pictures of the old clock are all shown before those of the new one */
        while (c->n_waiting > 0) next_waiting(c);
        keep_shift(c, c->times.shift);
    }
    if (c->n_waiting == KS_CLOCK_WAIT) next_waiting(c);
    for (i = c->n_waiting++; i > 0 && c->waiting[i - 1] > stamp; i--)
        c->waiting[i] = c->waiting[i - 1];
    c->waiting[i] = stamp;
}

void ks_packet_clock_ready(ks_packet_clock *c)
{
    while (c->n_waiting > 0) next_waiting(c);
    keep_shift(c, c->times.shift);
    forget_stamps(c);
}

int64_t ks_packet_clock_off(ks_packet_clock *c, const AVStream *st, const AVPacket *p)
{
    is_reset(c, st, p);
    int at = st->index < KS_CLOCK_STREAMS ? c->at[st->index] : 0;
    int64_t shift = c->n > 0 ? c->shift[at < c->n ? at : c->n - 1] : 0;
    return av_rescale_q(c->times.start + shift, c->tb, st->time_base);
}
