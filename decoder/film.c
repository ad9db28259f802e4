/* film.c - one film: its process, the messages that came early, and the watchdog.
 *
 * What the process says is doubted in wire.c. A process that dies, hangs or talks nonsense is the
 * verdict FAILED with the place it happened at; only our own machine failing is an error. */
#include "decoder/decoder.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/spawn.h"

#include <xxhash.h>

/* messages that came while a picture was waited for; the job runs at most 32 frames ahead */
enum { QUEUE = 40 };

struct ks_film {
    ks_decoder *d;
    int fd, socket;
    struct stat at_open;
    ks_film_options options;
    ks_wire_state state;
    ks_wire_watch watch;
    ks_message *queue; /* [QUEUE] */
    int head, queued;
    int64_t given, keep; /* frames that next() gave; released before */
    int over;            /* outcome is final */
    ks_media media;
    ks_outcome outcome;
    int64_t last_ticks;
    ks_decoder *second; /* the follower's program */
    ks_film *follower;
    int64_t follower_at; /* number its next frame will have */
};

/* The process is ended; FAILED with this cause and the place. */
static void fail_film(ks_film *f, const char *what)
{
    double t = f->media.tb.den ? ks_seconds(f->last_ticks > 0 ? f->last_ticks : 0, f->media.tb) : 0;
    long s = t < 1e7 ? (long)t : 0;
    int status;
    ks_job_end(&status, f->d);
    f->outcome.verdict = KS_VERDICT_FAILED;
    snprintf(f->outcome.reason, sizeof f->outcome.reason, "decoder %s at %02ld:%02ld:%02ld", what,
             s / 3600, s / 60 % 60, s % 60);
    f->outcome.frames = f->given;
    f->outcome.last_end = f->state.last_end;
    f->media.frames = f->given;
    f->over = 1;
}

static void died(ks_film *f)
{
    char words[120];
    int status;
    ks_job_end(&status, f->d);
    ks_job_died(words, sizeof words, status);
    fail_film(f, words);
}

static void take_media(ks_film *f, const ks_wire_media *w)
{
    ks_media *m = &f->media;
    m->tb = (ks_timebase){w->tb_num, w->tb_den};
    m->frames = -1;
    m->duration = w->duration;
    m->fps = w->fps;
    m->width = w->width;
    m->height = w->height;
    m->sar_num = w->sar_num;
    m->sar_den = w->sar_den;
    m->rotation = w->rotation;
    m->interlaced = w->interlaced != 0;
    m->hdr = w->hdr != 0;
    m->inferred_times = w->inferred_times != 0;
    m->hwaccel = w->hwaccel != 0;
    m->created = w->created;
    m->created_local = w->created_local != 0;
    m->created_source = w->created_source;
    memcpy(m->timecode, w->timecode, sizeof m->timecode);
    ks_wire_text(m->reel, sizeof m->reel, w->reel, sizeof w->reel);
    ks_wire_text(m->container, sizeof m->container, w->container, sizeof w->container);
    ks_wire_text(m->codec, sizeof m->codec, w->codec, sizeof w->codec);
}

/* One valid message into *m: 1; 0: the film is over. */
static int receive(ks_film *f, ks_message *m)
{
    ks_error why = {0, ""};
    char words[600];
    for (;;) {
        int r = ks_wire_wait(f->socket, m, &f->watch);
        if (r == KS_ENOTFOUND) {
            snprintf(words, sizeof words, "made no progress for %.0f s and was stopped",
                     f->d->patience);
            fail_film(f, words);
            return 0;
        }
        if (r == 0) {
            died(f);
            return 0;
        }
        if (r < 0) ks_fail(&why, KS_EFORMAT, "the decoder answered nonsense (no message)");
        else if (ks_wire_accept(&f->state, m, &why) == 0) {
            if (m->type == KS_MSG_TICK || m->type == KS_MSG_FACT) continue;
            if (m->type != KS_MSG_MEDIA) return 1;
            take_media(f, &m->u.media);
            continue;
        }
        const char *start = strstr(why.msg, "answered");
        fail_film(f, start ? start : "answered nonsense");
        return 0;
    }
}

static void send_number(ks_film *f, ks_msg_type type, int64_t number)
{
    ks_message m;
    ks_wire_begin(&m, type);
    m.u.number = number;
    /* a process that is gone is noticed by the next receive */
    ks_wire_send(f->socket, &m, NULL, 0, 0);
}

static void acknowledge(ks_film *f)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_ACK);
    m.u.ack.seen = f->given;
    m.u.ack.keep = f->keep;
    ks_wire_send(f->socket, &m, NULL, 0, 1);
}

/* The file must be at the end what it was at the beginning. */
static int changed_meanwhile(const ks_film *f)
{
    struct stat now;
    if (fstat(f->fd, &now)) return 1;
    return now.st_size != f->at_open.st_size || now.st_mtim.tv_sec != f->at_open.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != f->at_open.st_mtim.tv_nsec;
}

static void finish(ks_film *f, const ks_wire_end *end)
{
    ks_outcome *o = &f->outcome;
    f->over = 1;
    o->verdict = (ks_verdict)end->verdict;
    ks_wire_text(o->reason, sizeof o->reason, end->reason, sizeof end->reason);
    if (o->verdict == KS_VERDICT_INDEXED) o->reason[0] = 0;
    o->seconds_missing = end->seconds_missing;
    o->frames = end->frames;
    o->last_end = f->state.last_end;
    f->media.frames = end->frames;
    f->media.interlaced |= end->interlaced != 0;
    f->media.hdr |= end->hdr != 0;
    f->media.inferred_times |= end->inferred_times != 0;
    f->media.rate_num = end->rate_num;
    f->media.rate_den = end->rate_den;
    f->media.variable = end->variable != 0;
    if (changed_meanwhile(f)) {
        o->verdict = KS_VERDICT_FAILED;
        snprintf(o->reason, sizeof o->reason, "changed while it was read");
    }
}

static int open_fd(ks_film **out, ks_decoder *d, int fd, const struct stat *st,
                   const ks_film_options *o, ks_error *e)
{
    static const ks_film_options plain;
    ks_film *f = calloc(1, sizeof *f);
    ks_job job = {.kind = KS_JOB_FILM};
    int r;

    if (f) f->queue = calloc(QUEUE, sizeof *f->queue);
    if (!f || !f->queue) {
        free(f);
        close(fd);
        return ks_fail(e, KS_ENOMEM, "no memory for a film");
    }
    f->d = d;
    f->fd = fd;
    f->socket = -1;
    f->at_open = *st;
    f->options = o ? *o : plain;
    ks_wire_start(&f->state);
    ks_wire_watch_start(&f->watch, d->patience, ks_media_bytes(st));
    job.stills = f->options.stills;
    job.fast = f->options.fast;
    job.no_small = f->options.no_small;
    job.survey = f->options.survey;
    job.hold = (int64_t)f->options.hold;
    if (f->options.from) {
        job.seek_ticks = f->options.from->ticks;
        job.seek_shift = f->options.from->shift;
        job.seek_offset = f->options.from->offset;
    }
    r = ks_job_begin(&f->socket, d, &job, fd, -1, e);
    if (r) {
        ks_film_close(f);
        return r;
    }
    /* up to the first frame or the end, so that media is known */
    ks_message *m = &f->queue[0];
    if (receive(f, m)) f->queued = 1;
    *out = f;
    return 0;
}

int ks_film_open(ks_film **out, ks_decoder *d, const char *path, const ks_film_options *o,
                 ks_error *e)
{
    assert(out && d && path);
    struct stat st;
    int fd, r;
    *out = NULL;
    r = ks_media_open(&fd, &st, path, e);
    return r ? r : open_fd(out, d, fd, &st, o, e);
}

uint32_t ks_look(const uint8_t small[KS_SMALL]) { return (uint32_t)XXH3_64bits(small, KS_SMALL); }

/* Its first frame is the key frame that was met in order: at that time, and the same picture. */
static int is_key_frame(const ks_film *f, const ks_key *key, ks_timebase tb)
{
    const ks_message *m = &f->queue[f->head];
    return f->queued > 0 && m->type == KS_MSG_FRAME && f->media.tb.num == tb.num &&
           f->media.tb.den == tb.den && m->u.frame.ticks == key->ticks && m->u.frame.has_small &&
           ks_look(m->u.frame.small) == key->look;
}

/* How many of keys are shown at or before t. */
static int keys_until(const ks_keys *keys, double t)
{
    int low = 0, high = keys ? keys->n : 0;
    while (low < high) {
        int middle = (low + high) / 2;
        if (ks_seconds(keys->at[middle].ticks, keys->tb) <= t) low = middle + 1;
        else high = middle;
    }
    return low;
}

static int breaks_between(const ks_keys *keys, int from, int to)
{
    for (; from < to; from++)
        if (keys->at[from].offset == KS_KEY_BREAK) return 1;
    return 0;
}

int ks_film_open_at(ks_film **out, double *from, ks_decoder *d, const char *path,
                    const ks_film_options *o, const ks_keys *keys, double seconds, double to,
                    ks_error *e)
{
    assert(out && from && d && path);
    enum { TRIES = 2 };
    ks_film_options at = o ? *o : (ks_film_options){0};
    int n = keys_until(keys, seconds), last = keys ? to < 0 ? keys->n : keys_until(keys, to) : 0, r;
    for (int i = n - 1; i > 0 && i >= n - TRIES && !breaks_between(keys, i, last); i--) {
        at.from = &keys->at[i];
        if ((r = ks_film_open(out, d, path, &at, e))) return r;
        *from = ks_seconds(at.from->ticks, keys->tb);
        if (is_key_frame(*out, at.from, keys->tb)) return 0;
        ks_film_close(*out);
    }
    at.from = NULL;
    *from = 0;
    return ks_film_open(out, d, path, &at, e);
}

void ks_film_close(ks_film *f)
{
    int status;
    if (!f) return;
    ks_film_close(f->follower);
    ks_decoder_stop(f->second);
    if (f->socket >= 0) {
        ks_job_end(&status, f->d);
        close(f->socket);
    }
    if (f->fd >= 0) close(f->fd);
    free(f->queue);
    free(f);
}

const ks_media *ks_film_media(const ks_film *f) { return &f->media; }
const ks_outcome *ks_film_outcome(const ks_film *f) { return &f->outcome; }

int ks_film_next(ks_film_frame *out, ks_film *f, ks_error *e)
{
    assert(out && f);
    (void)e;
    ks_message *m = &f->queue[f->head];
    if (f->queued == 0) {
        if (f->over) return 0;
        acknowledge(f);
        if (!receive(f, m)) return 0;
        f->queued = 1;
    }
    if (m->type == KS_MSG_END) {
        if (!f->over) finish(f, &m->u.end);
        return 0;
    }
    if (m->type != KS_MSG_FRAME) { /* a picture that was not asked for does not get here */
        fail_film(f, "answered nonsense");
        f->queued = 0;
        return 0;
    }
    const ks_wire_frame *w = &m->u.frame;
    out->number = w->number;
    out->ticks = w->ticks;
    out->since = w->since;
    out->duration = w->duration;
    out->width = w->width;
    out->height = w->height;
    out->flags = w->flags;
    out->shift = w->shift;
    out->offset = w->offset;
    out->small = w->small;
    f->last_ticks = w->ticks;
    f->given = w->number + 1;
    f->head = (f->head + 1) % QUEUE;
    f->queued--;
    return 1;
}

/* Ask for a frame and take what comes meanwhile into the queue. 1: *m is the answer; 0: film
 * over. */
static int ask(ks_film *f, ks_message *m, ks_msg_type type, int64_t number)
{
    if (f->over && f->outcome.verdict == KS_VERDICT_FAILED) return 0;
    f->state.asked = number;
    send_number(f, type, number);
    for (;;) {
        if (!receive(f, m)) return 0;
        if (m->type == KS_MSG_PICTURE || m->type == KS_MSG_JPEG || m->type == KS_MSG_GONE) return 1;
        if (f->queued == QUEUE - 1) { /* one slot stays free: the frame last given lies there */
            fail_film(f, "answered nonsense (too far ahead)");
            return 0;
        }
        f->queue[(f->head + f->queued++) % QUEUE] = *m;
    }
}

/* A second process that decodes the same film again, to frames the first no longer holds. */
static int follow(ks_film *f, int64_t number, ks_error *e)
{
    ks_film_options o = f->options;
    ks_film_frame at;
    int r;
    if (f->follower && number < f->follower_at - 1) {
        ks_film_close(f->follower);
        f->follower = NULL;
    }
    if (!f->second && (r = ks_decoder_start(&f->second, f->d->program, &f->d->how, e))) return r;
    if (!f->follower) {
        int fd = dup(f->fd);
        if (fd < 0)
            return ks_fail(e, KS_EIO, "no descriptor for a second decoder: %s", strerror(errno));
        o.hold = (size_t)64 << 20;
        o.no_small = 1;
        if ((r = open_fd(&f->follower, f->second, fd, &f->at_open, &o, e))) return r;
        f->follower_at = 0;
    }
    while (f->follower_at <= number) {
        r = ks_film_next(&at, f->follower, e);
        if (r < 0) return r;
        if (r == 0)
            return ks_fail(e, KS_ENOTFOUND, "frame %lld cannot be had again", (long long)number);
        f->follower_at = at.number + 1;
    }
    return 0;
}

static int no_frame(ks_film *f, int64_t number, ks_error *e)
{
    return ks_fail(e, KS_ENOTFOUND, "frame %lld cannot be had (%s)", (long long)number,
                   f->outcome.reason[0] ? f->outcome.reason : "released");
}

int ks_film_pixels(ks_image *out, ks_film *f, int64_t number, ks_error *e)
{
    assert(out && f && number >= 0);
    ks_message m;
    int r;
    assert(number >= 0 && number < f->given);
    if (number < f->keep || !ask(f, &m, KS_MSG_PIXELS, number)) return no_frame(f, number, e);
    if (m.type == KS_MSG_GONE) {
        if ((r = follow(f, number, e))) return r;
        return ks_film_pixels(out, f->follower, number, e);
    }
    if (m.type != KS_MSG_PICTURE) {
        fail_film(f, "answered nonsense");
        return no_frame(f, number, e);
    }
    *out = (ks_image){f->d->memory, m.u.picture.width, m.u.picture.height,
                      (size_t)m.u.picture.stride};
    return 0;
}

int ks_film_thumbnail(const uint8_t **jpeg, size_t *bytes, ks_film *f, int64_t number, ks_error *e)
{
    assert(jpeg && bytes && f && number >= 0);
    ks_message m;
    int r;
    assert(number >= 0 && number < f->given);
    if (number < f->keep || !ask(f, &m, KS_MSG_THUMB, number)) return no_frame(f, number, e);
    if (m.type == KS_MSG_GONE) {
        if ((r = follow(f, number, e))) return r;
        return ks_film_thumbnail(jpeg, bytes, f->follower, number, e);
    }
    if (m.type != KS_MSG_JPEG) {
        fail_film(f, "answered nonsense");
        return no_frame(f, number, e);
    }
    *jpeg = f->d->memory;
    *bytes = (size_t)m.u.picture.bytes;
    return 0;
}

void ks_film_keep(ks_film *f, int64_t number)
{
    assert(f && number >= 0);
    if (number > f->keep) f->keep = number < f->given ? number : f->given;
}
