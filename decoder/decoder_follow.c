/* decoder_follow.c - a picture that goes on in another stream of the file.
 *
 * At programme borders and where recordings were joined, a transport or program stream's picture
 * moves to another PID or stream id; an FLV's picture changes its codec. The stream that was
 * chosen falls silent, another begins. Programmes that run side by side are something else:
 * their packets alternate. So packets of another stream are kept until it is clear: MIXED
 * alternations and the stream is a rival, AGO packets and a second without one of ours and it is
 * the sequel. */
#include <string.h>

#include "decoder/decoder_film.h"

enum { MIXED = 12, AGO = 40, AT_END = 8, BYTES = 32 << 20 };

void ks_follow_reset(ks_follow *w)
{
    for (int i = 0; i < w->n; i++) av_packet_free(&w->kept[i]);
    memset(w, 0, sizeof *w);
}

static void drop_kept(ks_follow *w)
{
    for (int i = 0; i < w->n; i++) av_packet_free(&w->kept[i]);
    w->n = w->ago = w->mixed = 0;
    w->bytes = 0;
}

static int may_follow(const AVStream *st)
{
    return st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && st->index < KS_FOLLOW_STREAMS &&
           !(st->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS));
}

void ks_follow_ours(ks_follow *w)
{
    w->any = 1;
    w->ago = 0;
    if (w->n == 0 || ++w->mixed < MIXED) return;
    w->rival[w->stream] = 1;
    drop_kept(w);
}

static double second_of(const AVStream *st, const AVPacket *p)
{
    return p->dts == AV_NOPTS_VALUE ? -1 : (double)p->dts * av_q2d(st->time_base);
}

int ks_follow_other(ks_follow *w, const AVStream *st, const AVPacket *p)
{
    if (!w->any || !may_follow(st) || w->rival[st->index]) return 0;
    if (w->n > 0 && w->stream != st->index) drop_kept(w);
    if (w->n == KS_FOLLOW_KEPT) { /* alternating slowly: the oldest goes */
        w->bytes -= w->kept[0]->size;
        av_packet_free(&w->kept[0]);
        memmove(w->kept, w->kept + 1, sizeof *w->kept * (size_t)--w->n);
    }
    AVPacket *mine = av_packet_clone(p);
    if (!mine) return 0;
    w->stream = st->index;
    w->kept[w->n++] = mine;
    w->bytes += p->size;
    double now = second_of(st, p);
    if (w->ago++ == 0) w->since = now;
    return w->bytes > BYTES || w->n == KS_FOLLOW_KEPT ||
           (w->ago >= AGO && (now < 0 || now < w->since || now - w->since >= 1));
}

int ks_follow_at_end(const ks_follow *w)
{
    return w->n > 0 && (w->ago >= AT_END || (w->mixed == 0 && w->n > 1));
}
