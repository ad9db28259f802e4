/* decoder_talk.c - the job's half of the conversation: frames out, requests for pixels in.
 *
 * We run ahead of kinoseek by a few frames, no more: the socket and the held frames are the only
 * queues, so memory does not depend on the film. */
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "decoder/decoder_film.h"
#include "decoder/decoder_origin.h"

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void gone(void) { _exit(0); }

static void answer(ks_film_job *f, const ks_message *asked)
{
    ks_message m;
    int64_t n = asked->u.number;
    const AVFrame *frame = ks_hold_get(&f->hold, n);
    int r = -1;

    ks_wire_begin(&m, asked->type == KS_MSG_THUMB ? KS_MSG_JPEG : KS_MSG_PICTURE);
    if (frame && asked->type == KS_MSG_THUMB) {
        r = ks_jpeg_of(&f->converter, f->task->memory, KS_WIRE_MEMORY, &m.u.picture, frame,
                       f->turn);
    } else if (frame) {
        r = ks_rgb_of(&f->converter, f->task->memory, KS_WIRE_MEMORY, &m.u.picture, frame, f->turn);
    }
    m.u.picture.number = n;
    if (r) {
        ks_wire_begin(&m, KS_MSG_GONE);
        m.u.number = n;
    }
    if (ks_wire_send(f->task->socket, &m, NULL, 0, 0) != 1) gone();
}

void ks_talk_serve(ks_film_job *f, int wait)
{
    ks_message m;
    for (;;) {
        int r = ks_wire_recv(f->task->socket, &m, NULL, wait ? -1 : 0);
        if (r == KS_ENOTFOUND) return;
        if (r != 1) gone();
        if (m.type == KS_MSG_ACK) {
            f->seen = m.u.ack.seen;
            ks_hold_drop(&f->hold, m.u.ack.keep < f->seen ? m.u.ack.keep : f->seen);
        } else if (m.type == KS_MSG_PIXELS || m.type == KS_MSG_THUMB) {
            answer(f, &m);
        } else {
            gone();
        }
        wait = 0;
    }
}

void ks_talk_send(ks_film_job *f)
{
    for (;;) {
        int r = ks_wire_send(f->task->socket, &f->out, NULL, 0, 1);
        if (r < 0) gone();
        if (r == 1) break;
        struct pollfd p = {f->task->socket, POLLIN | POLLOUT, 0};
        poll(&p, 1, -1);
        if (p.revents & POLLIN) ks_talk_serve(f, 0);
        else if (p.revents & (POLLERR | POLLHUP)) gone();
    }
    f->told_ms = now_ms();
}

void ks_talk_alive(void *film)
{
    ks_film_job *f = film;
    int64_t done = f->source.bytes.read + KS_TICK_FRAME * f->decoded;
    if (done <= f->told || now_ms() < f->told_ms + 1000) return;
    ks_message kept = f->out;
    f->told = done;
    ks_wire_begin(&f->out, KS_MSG_TICK);
    f->out.u.number = done;
    ks_talk_send(f);
    f->out = kept;
}

/* A sample aspect nobody could mean (1/250) is none. */
static AVRational sane_sar(AVRational sar)
{
    AVRational square = {1, 1};
    if (sar.num <= 0 || sar.den <= 0 || av_q2d(sar) < 0.1 || av_q2d(sar) > 10) return square;
    av_reduce(&sar.num, &sar.den, sar.num, sar.den, 1 << 15);
    return sar.num > 0 && sar.den > 0 ? sar : square;
}

static void send_media(ks_film_job *f, const AVFrame *frame, int64_t ticks)
{
    const AVStream *st = f->source.stream;
    AVFormatContext *c = f->source.format;
    AVRational sar = sane_sar(frame->sample_aspect_ratio.num > 0 ? frame->sample_aspect_ratio
                                                                 : st->sample_aspect_ratio);

    /* a photograph's Exif orientation comes with its frame */
    f->turn = ks_turn_of(ks_display_matrix(st, frame));
    int odd = f->turn.quarter & 1;
    ks_wire_begin(&f->out, KS_MSG_MEDIA);
    ks_wire_media *m = &f->out.u.media;
    m->tb_num = st->time_base.num;
    m->tb_den = st->time_base.den;
    m->width = odd ? frame->height : frame->width;
    m->height = odd ? frame->width : frame->height;
    m->sar_num = odd ? sar.den : sar.num;
    m->sar_den = odd ? sar.num : sar.den;
    m->rotation = 90 * f->turn.quarter + (f->turn.mirror ? 1000 : 0);
    m->interlaced = ks_frame_is_interlaced(frame);
    m->hdr = ks_is_hdr(frame) || f->converter.ipt;
    m->inferred_times = f->times.untimed;
    m->hwaccel = f->source.device != NULL;
    m->threads = f->source.threads;
    m->duration = f->times.header_end > 0 ? f->times.header_end : 0;
    ks_origin_of(m, c, st, frame, ticks);
    m->fps = st->avg_frame_rate.num > 0 && st->avg_frame_rate.den > 0 ? av_q2d(st->avg_frame_rate)
                                                                      : 0;
    if (!(m->fps >= 0 && m->fps < 1e6)) m->fps = 0;
    ks_wire_text(m->container, sizeof m->container, f->source.container, sizeof m->container);
    ks_wire_text(m->codec, sizeof m->codec, avcodec_get_name(f->source.codec->codec_id),
                 sizeof m->codec);
    ks_talk_send(f);
    f->has_media = 1;
}

void ks_talk_frame(ks_film_job *f, const ks_moment *m, const AVFrame *frame, int flags)
{
    if (!f->has_media) send_media(f, frame, m->ticks);
    int odd = f->turn.quarter & 1;
    ks_talk_serve(f, 0);
    while (f->hold.next - f->seen >= f->ahead) ks_talk_serve(f, 1);
    ks_wire_begin(&f->out, KS_MSG_FRAME);
    ks_wire_frame *w = &f->out.u.frame;
    w->number = f->hold.next;
    w->ticks = m->ticks;
    w->since = f->task->job.survey ? f->since : m->ticks;
    w->duration = f->times.last_end - m->ticks > 0 ? f->times.last_end - m->ticks : 1;
    w->width = odd ? frame->height : frame->width;
    w->height = odd ? frame->width : frame->height;
    w->flags = flags;
    w->has_small = !f->task->job.no_small || (flags & KS_FRAME_KEY);
    /* a stamp beyond what a clock can say is none, as for ks_times_next */
    w->shift = f->stamp > f->times.most || f->stamp < -f->times.most ? 0 : f->stamp - m->ticks;
    w->offset = flags & KS_FRAME_KEY ? f->packet_at : -1;
    if (w->has_small) ks_small_of(&f->converter, w->small, frame);
    ks_talk_send(f);
}
