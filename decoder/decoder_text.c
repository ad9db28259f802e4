/* decoder_text.c - the words of a film: its subtitles that are text, or a file of them beside it.
 *
 * A film's header says whether there are any; only then is it read to its end, without a picture
 * decoded. A file beside it is read whole, made UTF-8 here (libav's iconv would want files) and
 * then given to libav's SubRip, WebVTT or ASS reader. */
#include <libavutil/mem.h>
#include <string.h>
#include <unistd.h>

#include "decoder/decoder_clock.h"
#include "decoder/decoder_jobs.h"
#include "decoder/decoder_source.h"

/* us: beyond any film, and sums of two stay in range */
#define FAR (INT64_C(1) << 60)
enum { FILE_MOST = 8 << 20, STREAMS = 32, UNKNOWN_US = 2000000 };

typedef struct {
    ks_task *task;
    AVFormatContext *format;
    AVCodecContext *codec[STREAMS]; /* by stream; NULL: no text */
    AVPacket *packet;
    int64_t origin_us; /* of the film's time 0, as the container counts */
    int64_t bytes;     /* of text, sent */
    int lines, latin, cut;
    ks_bytes *read; /* of a film; NULL: of a file beside it */
    int64_t told;
    char line[KS_LINE_BYTES];
} texts;

static int is_text(enum AVCodecID id)
{
    return id == AV_CODEC_ID_SUBRIP || id == AV_CODEC_ID_MOV_TEXT || id == AV_CODEC_ID_ASS ||
           id == AV_CODEC_ID_SSA || id == AV_CODEC_ID_WEBVTT || id == AV_CODEC_ID_TEXT;
}

/* --- characters --- */
static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Latin-1 as people's programs write it: with Windows' quotes and dashes where Latin-1 has
 * controls. */
static unsigned latin(unsigned char c)
{
    static const unsigned short windows[32] = {
        0x20ac, 0x20,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
        0x2039, 0x152,  0x20,   0x17d,  0x20,   0x20,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x20,   0x17e,  0x178};
    return c >= 0x80 && c < 0xa0 ? windows[c - 0x80] : c;
}

static size_t from_latin(char *out, const unsigned char *in, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += put_utf8(out + k, in[i] ? latin(in[i]) : ' ');
    return k;
}

static unsigned unit(const unsigned char *in, int big)
{
    return big ? (unsigned)in[0] << 8 | in[1] : (unsigned)in[1] << 8 | in[0];
}

static size_t from_utf16(char *out, const unsigned char *in, size_t n, int big)
{
    size_t k = 0;
    for (size_t i = 0; i + 1 < n; i += 2) {
        unsigned c = unit(in + i, big), d;
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < n) {
            d = unit(in + i + 2, big);
            if (d >= 0xdc00 && d < 0xe000)
                c = 0x10000 + ((c - 0xd800) << 10) + (d - 0xdc00), i += 2;
        }
        k += put_utf8(out + k, c == 0 ? ' ' : c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    }
    return k;
}

/* in[n] and a NUL behind it -> malloc'ed UTF-8 with room for libav's probing; a NUL in it is a
 * blank. */
static char *as_utf8(size_t *bytes, int *was_latin, unsigned char *in, size_t n)
{
    char *out = av_mallocz(3 * n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!out) return NULL;
    int bom = n >= 3 && in[0] == 0xef && in[1] == 0xbb && in[2] == 0xbf;
    int little = n >= 2 && in[0] == 0xff && in[1] == 0xfe,
        big = n >= 2 && in[0] == 0xfe && in[1] == 0xff;
    if (little || big) *bytes = from_utf16(out, in + 2, n - 2, big);
    else {
        for (size_t i = 0; i < n; i++)
            if (!in[i]) in[i] = ' ';
        const char *text = (const char *)in + 3 * bom;
        *bytes = n - 3 * (size_t)bom;
        if (ks_is_utf8(text)) memcpy(out, text, *bytes);
        else {
            *was_latin = 1;
            *bytes = from_latin(out, (const unsigned char *)text, *bytes);
        }
    }
    return out;
}

/* --- lines --- */
static void tell(texts *t)
{
    ks_message m;
    if (!t->read || t->read->read < t->told + (8 << 20)) return;
    t->told = t->read->read;
    ks_wire_begin(&m, KS_MSG_TICK);
    m.u.number = t->told;
    if (ks_wire_send(t->task->socket, &m, NULL, 0, 0) != 1) _exit(0);
}

static void alive(void *arg) { tell(arg); }

/* What is read of an event's text: no styles, no drawings, one line. In place. */
static void plain(char *text)
{
    char *to = text;
    int drawing = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '{') {
            const char *end = strchr(c, '}');
            if (end) {
                for (const char *p = c; p < end; p++)
                    if (p[0] == '\\' && p[1] == 'p' && p[2] >= '0' && p[2] <= '9')
                        drawing = p[2] != '0';
                c = end;
                continue;
            }
        }
        if (drawing) continue;
        int is_break = *c == '\\' && (c[1] == 'N' || c[1] == 'n' || c[1] == 'h');
        unsigned char u = (unsigned char)*c;
        if (is_break) c++;
        if (is_break || u <= ' ' || u == 0x7f) {
            if (to > text && to[-1] != ' ') *to++ = ' ';
        } else {
            *to++ = *c;
        }
    }
    while (to > text && to[-1] == ' ') to--;
    *to = 0;
}

/* At most n - 1 bytes of it, whole characters. */
static void cut_at(char *text, size_t n)
{
    size_t k = strlen(text);
    if (k < n) return;
    for (k = n - 1; k > 0 && ((unsigned char)text[k] & 0xc0) == 0x80; k--) {}
    text[k] = 0;
}

static void send_line(texts *t, int stream, int64_t start, int64_t end, const char *text)
{
    ks_message m;
    int64_t n = (int64_t)strlen(text);
    if (start < 0) start = 0;
    if (n == 0 || end <= start || (double)end > KS_CLOCK_MAX * 1e6) return;
    if (t->bytes + n > KS_TEXT_MOST || t->lines == KS_LINES_MOST) {
        t->cut = 1;
        return;
    }
    t->bytes += n;
    t->lines++;
    ks_wire_begin(&m, KS_MSG_LINE);
    m.u.line.start_us = start;
    m.u.line.end_us = end;
    m.u.line.stream = stream;
    snprintf(m.u.line.text, sizeof m.u.line.text, "%s", text);
    if (ks_wire_send(t->task->socket, &m, NULL, 0, 0) != 1) _exit(0);
}

/* "ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text": the ninth field is the rest. */
static const char *event_text(const char *ass)
{
    for (int i = 0; i < 8; i++) {
        const char *comma = strchr(ass, ',');
        if (!comma) return "";
        ass = comma + 1;
    }
    return ass;
}

static void take_rect(texts *t, const AVSubtitleRect *r, int64_t start, int64_t end, int stream)
{
    const char *text = r->ass ? event_text(r->ass) : r->text ? r->text : "";
    if (ks_is_utf8(text)) snprintf(t->line, sizeof t->line, "%.*s", KS_LINE_BYTES - 1, text);
    else {
        char wide[3 * KS_LINE_BYTES + 1];
        size_t n = strlen(text);
        n = from_latin(wide, (const unsigned char *)text, n < KS_LINE_BYTES ? n : KS_LINE_BYTES);
        wide[n] = 0;
        cut_at(wide, sizeof t->line);
        memcpy(t->line, wide, strlen(wide) + 1);
        t->latin = 1;
    }
    /* the cut may have gone through a character */
    while (t->line[0] && !ks_is_utf8(t->line)) t->line[strlen(t->line) - 1] = 0;
    plain(t->line);
    send_line(t, stream, start, end, t->line);
}

static void take_packet(texts *t)
{
    const AVPacket *p = t->packet;
    const AVStream *st = t->format->streams[p->stream_index];
    AVCodecContext *c = p->stream_index < STREAMS ? t->codec[p->stream_index] : NULL;
    AVSubtitle sub;
    int got = 0;
    if (!c || p->pts == AV_NOPTS_VALUE ||
        avcodec_decode_subtitle2(c, &sub, &got, (AVPacket *)(uintptr_t)p) < 0 || !got)
        return;
    int64_t start = av_rescale_q(p->pts, st->time_base, AV_TIME_BASE_Q),
            length = p->duration > 0 ? av_rescale_q(p->duration, st->time_base, AV_TIME_BASE_Q)
                                     : UNKNOWN_US;
    if (start > -FAR && start < FAR && length > 0 && length < FAR)
        for (unsigned i = 0; i < sub.num_rects; i++)
            take_rect(t, sub.rects[i], start - t->origin_us, start - t->origin_us + length,
                      p->stream_index);
    avsubtitle_free(&sub);
}

/* How many streams of text there are, opened. */
static int open_codecs(texts *t)
{
    int n = 0;
    for (unsigned i = 0; i < t->format->nb_streams; i++) {
        AVStream *st = t->format->streams[i];
        const AVCodec *codec = is_text(st->codecpar->codec_id)
                                   ? avcodec_find_decoder(st->codecpar->codec_id)
                                   : NULL;
        AVCodecContext *c = codec && i < STREAMS ? avcodec_alloc_context3(codec) : NULL;
        st->discard = AVDISCARD_ALL;
        if (!c) continue;
        /* bytes that are not UTF-8 are ours to read */
        c->sub_charenc_mode = FF_SUB_CHARENC_MODE_IGNORE;
        c->pkt_timebase = st->time_base;
        if (avcodec_parameters_to_context(c, st->codecpar) < 0 ||
            avcodec_open2(c, codec, NULL) < 0) {
            avcodec_free_context(&c);
            continue;
        }
        st->discard = AVDISCARD_DEFAULT;
        t->codec[i] = c;
        n++;
    }
    return n;
}

static void read_lines(texts *t)
{
    while (!t->cut && av_read_frame(t->format, t->packet) >= 0) {
        take_packet(t);
        av_packet_unref(t->packet);
        tell(t);
    }
    for (int i = 0; i < STREAMS; i++) avcodec_free_context(&t->codec[i]);
}

/* --- a film --- */
static int has_text(const AVFormatContext *c)
{
    for (unsigned i = 0; i < c->nb_streams && i < STREAMS; i++)
        if (is_text(c->streams[i]->codecpar->codec_id)) return 1;
    return 0;
}

static const char *of_film(texts *t)
{
    static ks_source s; /* one job a process */
    ks_times times;
    ks_source_how how = {.fd = t->task->file, .hwaccel = "", .alive = alive, .arg = t};
    t->read = &s.bytes;
    if (ks_source_open_bare(&s, &how)) return NULL; /* no film, no words: that is said elsewhere */
    int any = !s.reader && has_text(s.format);
    ks_source_close(&s);
    if (!any || ks_source_open(&s, &how)) return NULL;
    ks_clock_start(&times, &s);
    if (times.has_start)
        t->origin_us = av_rescale_q(times.start, s.stream->time_base, AV_TIME_BASE_Q);
    t->format = s.format;
    if (open_codecs(t)) read_lines(t);
    ks_source_close(&s);
    return NULL;
}

/* --- a file beside it --- */
typedef struct {
    const char *text;
    int64_t n, at;
} memory;

static int read_memory(void *opaque, uint8_t *out, int n)
{
    memory *m = opaque;
    if (n <= 0 || m->at >= m->n) return AVERROR_EOF;
    if (n > m->n - m->at) n = (int)(m->n - m->at);
    memcpy(out, m->text + m->at, (size_t)n);
    m->at += n;
    return n;
}

static int64_t seek_memory(void *opaque, int64_t at, int whence)
{
    memory *m = opaque;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) return m->n;
    if (whence == SEEK_CUR) at += m->at;
    else if (whence == SEEK_END) at += m->n;
    if (at < 0 || at > m->n) return AVERROR(EINVAL);
    return m->at = at;
}

/* By what stands in it: names lie, and libav's own guess knows forty kinds. */
static const char *kind_of(const char *text)
{
    if (strncmp(text, "WEBVTT", 6) == 0) return "webvtt";
    if (strstr(text, "[Script Info]") || strstr(text, "[Events]")) return "ass";
    return strstr(text, "-->") ? "srt" : NULL;
}

static const char *open_memory(texts *t, memory *m, const char *kind)
{
    enum { BUFFER = 32 << 10 };
    uint8_t *buffer = av_malloc(BUFFER);
    AVIOContext *pb = buffer
                          ? avio_alloc_context(buffer, BUFFER, 0, m, read_memory, NULL, seek_memory)
                          : NULL;
    if (!pb) av_free(buffer);
    t->format = pb ? avformat_alloc_context() : NULL;
    if (!t->format) return "no memory";
    t->format->pb = pb;
    t->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    /* frees it where it fails */
    if (avformat_open_input(&t->format, "", (AVInputFormat *)(uintptr_t)av_find_input_format(kind),
                            NULL) < 0)
        return "no subtitles can be read from it";
    if (open_codecs(t)) read_lines(t);
    avformat_close_input(&t->format);
    ks_bytes_close(&pb);
    return t->lines ? NULL : "no subtitles stand in it";
}

static const char *beside(texts *t)
{
    ks_bytes b = {.fd = t->task->file, .size = (int64_t)lseek(t->task->file, 0, SEEK_END)};
    if (b.size > FILE_MOST) return "more than 8 MiB: no subtitles are that long";
    if (b.size <= 0) return "empty file";
    size_t n = (size_t)b.size, bytes = 0;
    unsigned char *in = av_mallocz(n + 1);
    if (!in) return "no memory";
    if (ks_bytes_at(&b, 0, in, n) != n) return "cannot be read";
    char *text = as_utf8(&bytes, &t->latin, in, n);
    if (!text) return "no memory";
    const char *kind = kind_of(text);
    return kind ? open_memory(t, &(memory){.text = text, .n = (int64_t)bytes}, kind)
                : "not SubRip, WebVTT or ASS";
}

void ks_task_text(ks_task *task)
{
    static texts t; /* one job a process */
    ks_message m;
    t.task = task;
    t.packet = av_packet_alloc();
    const char *why = !t.packet ? "no memory" : task->job.beside ? beside(&t) : of_film(&t);
    ks_wire_begin(&m, KS_MSG_END);
    /* no frames come this way, so never INDEXED */
    m.u.end.verdict = why ? KS_VERDICT_FAILED : KS_VERDICT_SKIPPED;
    snprintf(m.u.end.reason, sizeof m.u.end.reason, "%s", why ? why : KS_WIRE_READ);
    if (!why && t.latin) strcat(m.u.end.reason, "; no Unicode: taken for Latin-1");
    if (!why && t.cut) strcat(m.u.end.reason, "; more than 1 MiB of text: the rest is left out");
    ks_wire_send(task->socket, &m, NULL, 0, 0);
}
