/* decoder_cut_sound.c - sound of a part for a browser, where no browser knows what the film has:
 * AAC in stereo.
 *
 * Packets lie on one grid of 1024 samples from the film's time 0, whatever part is asked for: parts
 * that follow each other have every packet once, no gap and no overlap. The encoder hears the two
 * packets before its first one, so that a part begins as if it had gone on. */
#include <libavutil/audio_fifo.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <math.h>

#include "decoder/decoder_cut.h"

enum { PACKET = 1024, MOST_SILENCE = 30 /* seconds */ };

struct ks_cut_sound {
    AVCodecContext *decoder, *encoder;
    struct SwrContext *swr;
    AVChannelLayout layout; /* of what swr takes */
    int format, rate;
    AVAudioFifo *fifo;
    AVFrame *frame, *block;
    int in, out;        /* streams */
    int64_t at;         /* film sample of the first in the fifo */
    int64_t first;      /* from where the encoder hears */
    int64_t begin, end; /* of the packets that are kept */
    int64_t off;        /* of the stream's stamps, as of the latest packet */
    int started;
};

/* Decoders of sound that films are met with; each is one more that reads a stranger's bytes. */
static int is_decoded(enum AVCodecID id)
{
    static const enum AVCodecID known[] = {
        AV_CODEC_ID_AAC,       AV_CODEC_ID_AAC_LATM,  AV_CODEC_ID_MP1,
        AV_CODEC_ID_MP2,       AV_CODEC_ID_MP3,       AV_CODEC_ID_AC3,
        AV_CODEC_ID_EAC3,      AV_CODEC_ID_DTS,       AV_CODEC_ID_VORBIS,
        AV_CODEC_ID_OPUS,      AV_CODEC_ID_FLAC,      AV_CODEC_ID_ALAC,
        AV_CODEC_ID_WMAV1,     AV_CODEC_ID_WMAV2,     AV_CODEC_ID_WMAPRO,
        AV_CODEC_ID_AMR_NB,    AV_CODEC_ID_AMR_WB,    AV_CODEC_ID_PCM_S16LE,
        AV_CODEC_ID_PCM_S16BE, AV_CODEC_ID_PCM_S24LE, AV_CODEC_ID_PCM_S24BE,
        AV_CODEC_ID_PCM_S32LE, AV_CODEC_ID_PCM_F32LE, AV_CODEC_ID_PCM_U8,
        AV_CODEC_ID_PCM_ALAW,  AV_CODEC_ID_PCM_MULAW, AV_CODEC_ID_PCM_BLURAY,
        AV_CODEC_ID_PCM_DVD,   AV_CODEC_ID_ADPCM_MS,  AV_CODEC_ID_ADPCM_IMA_WAV,
        AV_CODEC_ID_NONE};
    for (const enum AVCodecID *k = known; *k != AV_CODEC_ID_NONE; k++)
        if (*k == id) return 1;
    return 0;
}

int ks_cut_sound_fits(const AVStream *st)
{
    return is_decoded(st->codecpar->codec_id) && avcodec_find_decoder(st->codecpar->codec_id) &&
           avcodec_find_encoder_by_name("aac");
}

static int open_decoder(ks_cut_sound *s, const AVStream *st)
{
    const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
    if (!codec || !(s->decoder = avcodec_alloc_context3(codec))) return -1;
    if (avcodec_parameters_to_context(s->decoder, st->codecpar) < 0) return -1;
    s->decoder->pkt_timebase = st->time_base;
    s->decoder->thread_count = 1;
    return avcodec_open2(s->decoder, codec, NULL) < 0 ? -1 : 0;
}

static int open_encoder(ks_cut_sound *s, const AVStream *st)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("aac");
    if (!codec || !(s->encoder = avcodec_alloc_context3(codec))) return -1;
    s->encoder->sample_rate = st->codecpar->sample_rate == 44100 ? 44100 : 48000;
    s->encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
    s->encoder->time_base = (AVRational){1, s->encoder->sample_rate};
    s->encoder->bit_rate = 128000;
    s->encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&s->encoder->ch_layout, 2);
    return avcodec_open2(s->encoder, codec, NULL) < 0 || s->encoder->frame_size != PACKET ? -1 : 0;
}

static int64_t grid(double seconds, int rate)
{
    return (int64_t)ceil(seconds * rate / PACKET - 1e-9) * PACKET;
}

int ks_cut_sound_open(ks_cutter *c, const AVStream *st, AVStream *to)
{
    const ks_job *job = &c->task->job;
    ks_cut_sound *s = c->sound = av_mallocz(sizeof *s);
    if (!s || open_decoder(s, st) || open_encoder(s, st))
        return ks_cut_fail(c, "the sound cannot be encoded", 0);
    s->in = st->index;
    s->out = to->index;
    s->begin = grid(c->from, s->encoder->sample_rate);
    s->end = job->to < 0 ? INT64_MAX / 2 : grid(job->to, s->encoder->sample_rate);
    s->first = s->begin > 2 * PACKET ? s->begin - 2 * PACKET : 0;
    s->fifo = av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, 2, 16 * PACKET);
    s->frame = av_frame_alloc();
    s->block = av_frame_alloc();
    if (!s->fifo || !s->frame || !s->block) return ks_cut_fail(c, "no memory", 0);
    to->time_base = s->encoder->time_base;
    return avcodec_parameters_from_context(to->codecpar, s->encoder) < 0
               ? ks_cut_fail(c, "no memory", 0)
               : 0;
}

int ks_cut_is_sound(const ks_cutter *c, const AVPacket *p)
{
    return c->sound && p->stream_index == c->sound->in;
}

/* --- what is encoded --- */
static int put_encoded(ks_cutter *c, const AVFrame *f)
{
    ks_cut_sound *s = c->sound;
    const int64_t off = llround(c->from * s->encoder->sample_rate);
    AVPacket *p = av_packet_alloc();
    int r = p ? avcodec_send_frame(s->encoder, f) : AVERROR(ENOMEM);
    while (r >= 0 && (r = avcodec_receive_packet(s->encoder, p)) >= 0) {
        if (p->pts >= s->begin && p->pts < s->end &&
            ks_cut_put(c, p, s->out, s->encoder->time_base, off))
            break;
        av_packet_unref(p);
    }
    av_packet_free(&p);
    if (r < 0 && r != AVERROR(EAGAIN) && r != AVERROR_EOF)
        return ks_cut_fail(c, "the sound cannot be encoded", r);
    return c->reason[0] ? -1 : 0;
}

/* n samples of the fifo, silence behind them up to a packet. */
static int encode_block(ks_cutter *c, int n)
{
    ks_cut_sound *s = c->sound;
    AVFrame *b = s->block;
    av_frame_unref(b);
    b->format = AV_SAMPLE_FMT_FLTP;
    b->nb_samples = PACKET;
    b->sample_rate = s->encoder->sample_rate;
    if (av_channel_layout_copy(&b->ch_layout, &s->encoder->ch_layout) < 0 ||
        av_frame_get_buffer(b, 0) < 0)
        return ks_cut_fail(c, "no memory", 0);
    av_samples_set_silence(b->data, 0, PACKET, 2, AV_SAMPLE_FMT_FLTP);
    if (av_audio_fifo_read(s->fifo, (void **)b->data, n) < n) return ks_cut_fail(c, "no memory", 0);
    b->pts = s->at;
    s->at += PACKET;
    return put_encoded(c, b);
}

static int encode_whole(ks_cutter *c)
{
    ks_cut_sound *s = c->sound;
    int early = s->at < s->first ? (int)FFMIN(s->first - s->at, av_audio_fifo_size(s->fifo)) : 0;
    av_audio_fifo_drain(s->fifo, early);
    s->at += early;
    while (av_audio_fifo_size(s->fifo) >= PACKET && s->at < s->end + PACKET)
        if (encode_block(c, PACKET)) return -1;
    if (s->at >= s->end + PACKET) av_audio_fifo_reset(s->fifo);
    return 0;
}

/* --- what is decoded --- */
static int resampler(ks_cut_sound *s, const AVFrame *f)
{
    AVChannelLayout layout = {0};
    int r;
    if (f->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&layout, f->ch_layout.nb_channels);
    else if (av_channel_layout_copy(&layout, &f->ch_layout) < 0) return -1;
    if (s->swr && s->format == f->format && s->rate == f->sample_rate &&
        av_channel_layout_compare(&layout, &s->layout) == 0) {
        av_channel_layout_uninit(&layout);
        return 0;
    }
    swr_free(&s->swr);
    r = swr_alloc_set_opts2(&s->swr, &s->encoder->ch_layout, AV_SAMPLE_FMT_FLTP,
                            s->encoder->sample_rate, &layout, (enum AVSampleFormat)f->format,
                            f->sample_rate, 0, NULL);
    if (r >= 0) r = swr_init(s->swr);
    av_channel_layout_uninit(&s->layout);
    s->layout = layout;
    s->format = f->format;
    s->rate = f->sample_rate;
    return r < 0 ? -1 : 0;
}

static int silence(ks_cut_sound *s, int64_t n)
{
    float *zeros = av_calloc((size_t)n + 1, sizeof *zeros);
    void *planes[2] = {zeros, zeros};
    int r = zeros ? av_audio_fifo_write(s->fifo, planes, (int)n) : -1;
    av_free(zeros);
    return r < (int)n ? -1 : 0;
}

/* Where the frame lies among the samples that are there: what is missing before it is silence. */
static int place(ks_cut_sound *s, double t)
{
    const int rate = s->encoder->sample_rate;
    const int64_t here = llround(t * rate), most = (int64_t)MOST_SILENCE * rate;
    int64_t gap;
    if (!s->started) {
        s->started = 1;
        s->at = here;
        if (here <= s->first) return 0;
        gap = FFMIN(here - s->first, most);
        s->at = here - gap;
        return silence(s, gap);
    }
    gap = here - (s->at + av_audio_fifo_size(s->fifo) + swr_get_delay(s->swr, rate));
    return gap > rate / 10 ? silence(s, FFMIN(gap, most)) : 0;
}

static int take_frame(ks_cutter *c, double t)
{
    ks_cut_sound *s = c->sound;
    const AVFrame *f = s->frame;
    uint8_t *planes[2] = {NULL, NULL};
    int n, room, bad;
    if (f->nb_samples <= 0 || f->sample_rate <= 0 || f->ch_layout.nb_channels <= 0) return 0;
    if (resampler(s, f)) return ks_cut_fail(c, "the sound cannot be resampled", 0);
    if (t >= 0 && place(s, t)) return ks_cut_fail(c, "no memory", 0);
    if (!s->started) return 0;
    room = swr_get_out_samples(s->swr, f->nb_samples);
    if (room < 0 || av_samples_alloc(planes, NULL, 2, room + 1, AV_SAMPLE_FMT_FLTP, 0) < 0)
        return ks_cut_fail(c, "no memory", 0);
    n = swr_convert(s->swr, planes, room, (const uint8_t **)f->extended_data, f->nb_samples);
    bad = n < 0 || av_audio_fifo_write(s->fifo, (void **)planes, n) < n;
    av_freep(&planes[0]);
    return bad ? ks_cut_fail(c, "no memory", 0) : encode_whole(c);
}

static int receive(ks_cutter *c)
{
    ks_cut_sound *s = c->sound;
    const double tb = av_q2d(s->decoder->pkt_timebase);
    int r = 0;
    while (!r && avcodec_receive_frame(s->decoder, s->frame) >= 0) {
        int64_t pts = s->frame->best_effort_timestamp;
        r = take_frame(c, pts == AV_NOPTS_VALUE ? -1 : (double)(pts - s->off) * tb);
        av_frame_unref(s->frame);
    }
    return r;
}

/* Damage is heard, and no more. */
int ks_cut_sound_packet(ks_cutter *c, const AVPacket *p, double t, int64_t off)
{
    ks_cut_sound *s = c->sound;
    const double rate = s->encoder->sample_rate;
    if (t < (double)s->first / rate - 0.5 || t > (double)s->end / rate + 0.5) return 0;
    s->off = off;
    return avcodec_send_packet(s->decoder, p) < 0 ? 0 : receive(c);
}

int ks_cut_sound_drain(ks_cutter *c)
{
    ks_cut_sound *s = c->sound;
    int n;
    avcodec_send_packet(s->decoder, NULL);
    if (receive(c)) return -1;
    n = av_audio_fifo_size(s->fifo);
    if (s->started && n > 0 && n < PACKET && s->at < s->end && encode_block(c, n)) return -1;
    return put_encoded(c, NULL);
}
