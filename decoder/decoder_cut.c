/* decoder_cut.c - [from, to) of a film into its own file, by the film's clock.
 *
 * Copy: packets as they are, from the key frame before `from`. Re-encode: frames of exactly
 * [from, to) through libx264; sound is copied, cut to its packets. The picture is decoded from
 * the film's start, because some films give garbage after a seek, or from a key frame that
 * kinoseek has proven (cut.c). A first look through the
 * packets finds the key frame, and what clock resets take away. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decoder/decoder_cut.h"
#include "decoder/decoder_film.h"
#include "decoder/decoder_jobs.h"

int ks_cut_fail(ks_cutter *c, const char *what, int err)
{
    char words[96] = "";
    if (err) av_strerror(err, words, sizeof words);
    if (!c->reason[0])
        snprintf(c->reason, sizeof c->reason, "%s%s%s", what, err ? ": " : "", words);
    return -1;
}

static void tick(ks_cutter *c)
{
    ks_message m;
    if (c->in.bytes.read < c->told + (8 << 20)) return;
    c->told = c->in.bytes.read;
    ks_wire_begin(&m, KS_MSG_TICK);
    m.u.number = c->told;
    if (ks_wire_send(c->task->socket, &m, NULL, 0, 0) != 1) _exit(0);
}

static void show(ks_cutter *c, double from, double to)
{
    if (c->shown_from > c->shown_to || from < c->shown_from) c->shown_from = from;
    if (to > c->shown_to) c->shown_to = to;
}

/* Seconds a frame, where nothing says its own. */
static double usual_length(const ks_cutter *c)
{
    AVRational r = c->in.stream->avg_frame_rate;
    return r.num > 0 && r.den > 0 ? (double)r.den / r.num : 0;
}

static int is_film(const ks_cutter *c, const AVPacket *p)
{
    return p->stream_index == c->in.stream->index;
}

static void forget_next(ks_cutter *c)
{
    for (int i = 0; i < KS_CUT_STREAMS; i++) c->next_dts[i] = AV_NOPTS_VALUE;
}

/* Stamps that a container leaves out: AVI has none for the order of showing, a programme stream
 * none for the second picture of a pack. A key picture is shown when those before it are; others
 * only where pictures lie in the order they are shown. */
static void complete(ks_cutter *c, AVPacket *p)
{
    int i = p->stream_index;
    const AVStream *st = c->in.format->streams[i];
    if (i >= KS_CUT_STREAMS) return;
    int64_t step = p->duration > 0 ? p->duration
                   : is_film(c, p) ? (int64_t)(usual_length(c) / av_q2d(st->time_base) + 0.5)
                                   : 0;
    int delay = st->codecpar->video_delay;
    if (p->dts == AV_NOPTS_VALUE && p->pts == AV_NOPTS_VALUE && step > 0) p->dts = c->next_dts[i];
    if (p->pts == AV_NOPTS_VALUE && p->dts != AV_NOPTS_VALUE &&
        (delay == 0 || (p->flags & AV_PKT_FLAG_KEY)))
        p->pts = p->dts + delay * step;
    if (p->dts != AV_NOPTS_VALUE) c->next_dts[i] = p->dts + step;
}

/* --- pictures anew --- */
/* Up to so long a picture is one of a moving film: its start and its end are left as they are. */
static double moving(const ks_cutter *c, double most)
{
    double usual = usual_length(c);
    return usual > 0 && usual < most ? usual : most;
}

/* The picture that is held began before the piece: with more of it left than a film that moves
 * shows, it is the piece's first, else it is none of it. */
static int begin_with_held(ks_cutter *c, double end)
{
    double from = c->task->job.from;
    if (c->held_at >= from - 1e-6) return 1;
    if (end - from <= moving(c, 0.05) + 1e-6) return 0;
    c->held_at = from;
    c->held_length = end - from;
    return 1;
}

/* The picture that is held, shown until `until`, < 0: as long as its file says. One that stands
 * longer than usual ends with the piece. */
static int release(ks_cutter *c, double until)
{
    double usual = moving(c, 0.1), most, length;
    if (!c->holds) return 0;
    if (until < 0) until = c->held_at + (c->held_length > 0 ? c->held_length : usual_length(c));
    if (!begin_with_held(c, until)) {
        av_frame_unref(c->held);
        return c->holds = 0;
    }
    length = until - c->held_at;
    most = c->task->job.to - c->held_at;
    if (c->task->job.to >= 0 && length > most) length = most > usual ? most : fmin(length, usual);
    show(c, c->held_at, c->held_at + length);
    int r = ks_cut_encode(c, c->held, c->held_at, length);
    av_frame_unref(c->held);
    c->holds = 0;
    return r;
}

static int receive(ks_cutter *c)
{
    double tb = av_q2d(c->in.stream->time_base);
    ks_moment m;
    while (avcodec_receive_frame(c->in.codec, c->frame) >= 0) {
        AVFrame *f = c->frame;
        int64_t pts = f->best_effort_timestamp != AV_NOPTS_VALUE ? f->best_effort_timestamp
                                                                 : f->pts;
        int shown = ks_times_next(&m, &c->times,
                                  c->times.untimed || pts == AV_NOPTS_VALUE ? KS_NO_TIME : pts,
                                  ks_frame_duration(f));
        double t = shown ? (double)m.ticks * tb : -1;
        if (shown && release(c, t)) return -1;
        if (shown && (c->task->job.to < 0 || t < c->task->job.to - 1e-6)) {
            c->held_at = t;
            c->held_length = (double)ks_frame_duration(f) * tb;
            c->holds = 1;
            av_frame_move_ref(c->held, f);
        }
        av_frame_unref(f);
    }
    return 0;
}

/* --- packets as they are --- */

/* A film packet before the range's key frame is left out; the copy begins at that key frame. */
static int copy_packet(ks_cutter *c, AVPacket *p, double t, int64_t off)
{
    int i = p->stream_index;
    AVRational tb = c->in.format->streams[i]->time_base;
    if (t < c->from - 1e-6) return 0;
    double end = t + (double)p->duration * av_q2d(tb);
    /* the key frame before counts for nothing */
    if (is_film(c, p) && end > c->task->job.from + 1e-6) c->frames++;
    if (is_film(c, p)) show(c, t, p->duration > 0 ? end : t + usual_length(c));
    return ks_cut_put(c, p, c->map[i], tb, off + (int64_t)(c->from / av_q2d(tb) + 0.5));
}

/* --- the end of a copy --- */
static void forget_later(ks_cutter *c)
{
    for (int i = 0; i < c->n_later; i++) av_packet_free(&c->later[i].packet);
    c->n_later = 0;
}

/* Pictures of the piece come behind these in the order of decoding and may be made of them: they
 * belong to it, and so does all that is shown before the last of them. */
static int put_later(ks_cutter *c)
{
    double tb = av_q2d(c->in.stream->time_base);
    int r = 0;
    for (int i = 0; i < c->n_later && !r; i++) {
        AVPacket *p = c->later[i].packet;
        double length = p->duration > 0 ? (double)p->duration * tb : usual_length(c);
        c->end = fmax(c->end, c->later[i].t + length);
        r = copy_packet(c, p, c->later[i].t, c->later[i].off);
    }
    forget_later(c);
    return r;
}

static int copy_picture(ks_cutter *c, AVPacket *p, double t, int64_t off)
{
    if (t < c->from - 1e-6) return 0;
    if (c->task->job.to < 0 || t < c->end - 1e-6)
        return put_later(c) ? -1 : copy_packet(c, p, t, off);
    if (c->n_later == KS_CUT_LATER) {
        forget_later(c);
        c->over = 1;
    }
    if (c->over) return 0;
    AVPacket *kept = av_packet_alloc();
    if (!kept) return ks_cut_fail(c, "no memory", 0);
    av_packet_move_ref(kept, p);
    c->later[c->n_later].packet = kept;
    c->later[c->n_later].t = t;
    c->later[c->n_later++].off = off;
    return 0;
}

static int take_packet(ks_cutter *c, AVPacket *p, int *past)
{
    int i = p->stream_index, anew = is_film(c, p) && c->task->job.reencode;
    if (i >= KS_CUT_STREAMS || c->map[i] < 0) return 0;
    const AVStream *st = c->in.format->streams[i];
    if (!anew) complete(c, p);
    int64_t ts = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts,
            off = ks_packet_clock_off(&c->clock, st, p);
    double t = ts == AV_NOPTS_VALUE ? -1 : (double)(ts - off) * av_q2d(st->time_base);
    *past = is_film(c, p) && c->task->job.to >= 0 &&
            t > c->task->job.to + fmax(2, 17 * usual_length(c));
    if (anew) return avcodec_send_packet(c->in.codec, p) < 0 ? 0 : receive(c);
    if (ks_cut_is_sound(c, p)) return t < 0 ? 0 : ks_cut_sound_packet(c, p, t, off);
    if (is_film(c, p)) return copy_picture(c, p, t, off);
    return c->task->job.to >= 0 && t >= c->task->job.to ? 0 : copy_packet(c, p, t, off);
}

/* --- the first look --- */
typedef struct {
    int64_t pts;
    int resets; /* seen before it */
} key_packet;

static int note_key(key_packet **keys, int *n, int *room, key_packet k)
{
    if (*n == *room) {
        key_packet *more = realloc(*keys, (size_t)(2 * *room + 64) * sizeof *more);
        if (!more) return -1;
        *keys = more;
        *room = 2 * *room + 64;
    }
    (*keys)[(*n)++] = k;
    return 0;
}

/* The last key packet at or before `from`, else the first frame. */
static double last_key(const ks_cutter *c, const key_packet *keys, int n)
{
    double tb = av_q2d(c->in.stream->time_base), from = 0;
    const ks_packet_clock *k = &c->clock;
    for (int i = 0; i < n; i++) {
        int64_t shift = k->n > 0 ? k->shift[keys[i].resets < k->n ? keys[i].resets : k->n - 1] : 0;
        double t = (double)(keys[i].pts - k->times.start - shift) * tb;
        if (t > from && t <= c->task->job.from + 1e-6) from = t;
    }
    return from;
}

static int look_through(ks_cutter *c)
{
    ks_source_how how = {.fd = c->task->file, .hwaccel = ""};
    double tb = av_q2d(c->in.stream->time_base),
           enough = c->task->job.to < 0 ? 1e18 : c->task->job.to + 10;
    key_packet *keys = NULL;
    int n = 0, room = 0, r = 0;
    if (!c->clock.resets && c->task->job.from + 10 < enough) enough = c->task->job.from + 10;
    while (!r && av_read_frame(c->in.format, c->packet) >= 0) {
        AVPacket *p = c->packet;
        if (!c->task->job.reencode) complete(c, p);
        ks_packet_clock_learn(&c->clock, c->in.format->streams[p->stream_index], p);
        if (is_film(c, p) && (p->flags & AV_PKT_FLAG_KEY) && p->pts != AV_NOPTS_VALUE)
            r = note_key(
                &keys, &n, &room,
                (key_packet){p->pts,
                             c->clock.at[p->stream_index < KS_CUT_STREAMS ? p->stream_index : 0]});
        av_packet_unref(p);
        tick(c);
        if ((double)c->clock.times.last * tb > enough) break;
    }
    ks_packet_clock_ready(&c->clock);
    c->from = c->task->job.reencode ? c->task->job.from : last_key(c, keys, n);
    free(keys);
    forget_next(c);
    ks_source_close(&c->in);
    if (r) return ks_cut_fail(c, "no memory", 0);
    return ks_source_open(&c->in, &how) ? ks_cut_fail(c, c->in.reason, 0) : 0;
}

/* By way of a key frame that was proven: nothing before it is read, and its clock is known. */
static int go_to_key(ks_cutter *c)
{
    const ks_job *job = &c->task->job;
    c->times.start = c->clock.times.start = job->seek_shift;
    c->times.has_start = c->clock.times.has_start = 1;
    c->from = job->reencode ? job->from : (double)job->seek_ticks * av_q2d(c->in.stream->time_base);
    return ks_source_seek(&c->in, job, c->packet, c->frame) ? ks_cut_fail(c, c->in.reason, 0) : 0;
}

static int run(ks_cutter *c)
{
    ks_source_how how = {.fd = c->task->file, .hwaccel = ""};
    int r = 0, past = 0, key = c->task->job.seek_ticks > 0;
    if (ks_source_open(&c->in, &how)) return ks_cut_fail(c, c->in.reason, 0);
    ks_packet_clock_open(&c->clock, &c->in);
    forget_next(c);
    c->end = c->task->job.to;
    if (c->clock.times.untimed && !c->task->job.reencode)
        return ks_cut_fail(c, "a bare stream without times can only be encoded anew (--reencode)",
                           0);
    if (!key && look_through(c)) return -1;
    ks_clock_start(&c->times, &c->in);
    if ((key && go_to_key(c)) || ks_cut_open(c)) return -1;
    while (!r && !past && av_read_frame(c->in.format, c->packet) >= 0) {
        r = take_packet(c, c->packet, &past);
        av_packet_unref(c->packet);
        tick(c);
    }
    if (!r && c->encoder) {
        avcodec_send_packet(c->in.codec, NULL);
        r = receive(c);
        if (!r) r = release(c, -1);
        if (!r) r = ks_cut_drain(c);
    }
    if (!r && c->sound) r = ks_cut_sound_drain(c);
    if (r) return -1;
    if (c->frames == 0) {
        c->unfit = 0;
        return ks_cut_fail(c, "no frames between these times", 0);
    }
    return ks_cut_end(c);
}

void ks_task_cut(ks_task *task)
{
    static ks_cutter cut; /* one job a process */
    ks_message m;
    cut.task = task;
    cut.shown_from = 1;
    cut.packet = av_packet_alloc();
    cut.frame = av_frame_alloc();
    cut.scaled = av_frame_alloc();
    cut.held = av_frame_alloc();
    int r = cut.packet && cut.frame && cut.scaled && cut.held ? run(&cut)
                                                              : ks_cut_fail(&cut, "no memory", 0);
    forget_later(&cut);
    if (r && cut.unwritten)
        snprintf(cut.reason, sizeof cut.reason, "%s%s", KS_WIRE_UNWRITTEN, strerror(cut.unwritten));
    ks_wire_begin(&m, KS_MSG_END);
    m.u.end.cut_from = task->job.fragments ? cut.from : cut.shown_from;
    m.u.end.cut_to = cut.shown_to;
    m.u.end.cut_unfit = r != 0 && cut.unfit;
    m.u.end.cut_sounds_left = cut.sounds_left;
    /* no frames come this way, so never INDEXED */
    m.u.end.verdict = r ? KS_VERDICT_FAILED : KS_VERDICT_SKIPPED;
    snprintf(m.u.end.reason, sizeof m.u.end.reason, "%s", r ? cut.reason : "cut");
    ks_wire_send(task->socket, &m, NULL, 0, 0);
}
