/* wire.c - sending, receiving, and doubting what came. */
#include "decoder/wire.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static size_t body_of(int type)
{
    const ks_message *m = NULL;
    switch (type) {
    case KS_MSG_JOB: return sizeof m->u.job;
    case KS_MSG_MEDIA: return sizeof m->u.media;
    case KS_MSG_FRAME: return sizeof m->u.frame;
    case KS_MSG_PICTURE:
    case KS_MSG_JPEG: return sizeof m->u.picture;
    case KS_MSG_END: return sizeof m->u.end;
    case KS_MSG_LINE: return sizeof m->u.line;
    case KS_MSG_ENDED: return sizeof m->u.status;
    case KS_MSG_READY:
    case KS_MSG_FACT: return sizeof m->u.text;
    case KS_MSG_ACK: return sizeof m->u.ack;
    case KS_MSG_KILL:
    case KS_MSG_PIXELS:
    case KS_MSG_THUMB:
    case KS_MSG_GONE:
    case KS_MSG_TICK: return sizeof m->u.number;
    default: return 0;
    }
}

void ks_wire_begin(ks_message *m, ks_msg_type type)
{
    memset(m, 0, sizeof *m);
    m->type = (int32_t)type;
    m->bytes = (uint32_t)body_of((int)type);
}

int ks_wire_send(int fd, const ks_message *m, const int *fds, int n, int dont_wait)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * KS_WIRE_FDS)];
    } control;
    struct iovec iov = {(void *)(uintptr_t)m, KS_WIRE_HEAD + m->bytes};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

    assert(n <= KS_WIRE_FDS);
    if (n > 0) {
        memset(&control, 0, sizeof control);
        h.msg_control = control.room;
        h.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)n);
    }
    for (;;) {
        ssize_t sent = sendmsg(fd, &h, MSG_NOSIGNAL | (dont_wait ? MSG_DONTWAIT : 0));
        if (sent >= 0) return 1;
        if (errno == EINTR) continue;
        if (dont_wait && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
        return KS_EIO;
    }
}

/* Take the descriptors out of a message; those beyond our number are closed. */
static void take_fds(struct msghdr *h, int fds[KS_WIRE_FDS])
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (fds && i < KS_WIRE_FDS) fds[i] = fd;
            else close(fd);
        }
    }
}

int ks_wire_recv(int fd, ks_message *m, int fds[KS_WIRE_FDS], int ms)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * KS_WIRE_FDS)];
    } control;
    struct iovec iov = {m, sizeof *m};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    struct pollfd p = {fd, POLLIN, 0};
    ssize_t got;

    for (int i = 0; fds && i < KS_WIRE_FDS; i++) fds[i] = -1;
    if (ms >= 0) {
        int r = poll(&p, 1, ms);
        if (r == 0 || (r < 0 && errno == EINTR)) return KS_ENOTFOUND;
        if (r < 0) return KS_EFORMAT;
    }
    /* He may have ended with something unread: that is said once, before what he had sent. */
    int resets = 0;
    do got = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
    while (got < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return 0;
    if (got < 0) return KS_EFORMAT;
    take_fds(&h, fds);
    if ((size_t)got < KS_WIRE_HEAD || (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return KS_EFORMAT;
    size_t body = body_of(m->type);
    if (body == 0 || m->bytes != body || (size_t)got != KS_WIRE_HEAD + body) return KS_EFORMAT;
    return 1;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

enum {
    /* as a TICK counts, a second: two frames, or a disk that is waited for in vain */
    SLOWEST = 8 << 10,
    /* bytes a second, of a file of which no frame comes; a film decoded again from its start is
     * faster */
    SLOWEST_DISK = 2 << 20,
    /* times the file's bytes: a still screen has 43 bytes a frame, and may be decoded twice
     * unseen */
    MOST = 128
};

void ks_wire_watch_start(ks_wire_watch *w, double patience, int64_t bytes)
{
    memset(w, 0, sizeof *w);
    w->patience = w->left = (int64_t)(patience * 1000);
    w->step = (int64_t)(patience * SLOWEST);
    w->most = (bytes < INT64_MAX / 4 / MOST ? bytes * MOST : INT64_MAX / 4) + ((int64_t)64 << 20);
    w->alone_most = 10 * w->patience + bytes / SLOWEST_DISK * 1000;
}

/* 0: no progress ever again. */
static int watch(ks_wire_watch *w, const ks_message *m)
{
    int64_t read = m->u.number;
    if (m->type != KS_MSG_TICK) {
        w->since = w->counted;
        w->left = w->patience;
        w->alone = 0;
        return 1;
    }
    if (read - w->counted >= w->step) {
        w->counted = read;
        w->left = w->patience;
    }
    return read - w->since <= w->most && w->alone <= 1000 * w->alone_most;
}

static int viewer_left(int viewer)
{
    struct pollfd p = {.fd = viewer, .events = POLLRDHUP};
    return viewer > 0 && poll(&p, 1, 0) == 1;
}

int ks_wire_wait(int fd, ks_message *m, ks_wire_watch *w)
{
    for (;;) {
        if (viewer_left(w->viewer)) return KS_ESTOP;
        int slice = w->left > 500 ? 500 : w->left > 0 ? (int)w->left : 0;
        int64_t begin = now_us();
        int r = ks_wire_recv(fd, m, NULL, slice);
        int64_t us = now_us() - begin, took = us / 1000;
        if (r == 1 && m->type != KS_MSG_TICK) return watch(w, m);
        if (r != KS_ENOTFOUND && r != 1) return r;
        if (w->left <= 0) return KS_ENOTFOUND;
        /* a slice that took longer was no waiting of ours */
        w->left -= took < 1 ? r != 1 : took < slice ? took : slice;
        w->alone += us < 1000 * slice ? us : 1000 * slice;
        if (r == 1) return watch(w, m) ? 1 : KS_ENOTFOUND;
    }
}

void ks_wire_text(char *out, size_t n, const char *text, size_t max)
{
    size_t k = 0;
    for (size_t i = 0; i < max && text[i] && k + 1 < n; i++) {
        unsigned char c = (unsigned char)text[i];
        out[k++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
    }
    out[k] = 0;
}

static int ends_in_time(const char *text, size_t n) { return memchr(text, 0, n) != NULL; }

int ks_wire_size_fits(int32_t w, int32_t h)
{
    return w > 0 && h > 0 && w <= KS_MAX_SIDE && h <= KS_MAX_SIDE &&
           (int64_t)w * h <= KS_MAX_PIXELS;
}

static int bad(ks_error *e, const char *what)
{
    return ks_fail(e, KS_EFORMAT, "the decoder answered nonsense (%s)", what);
}

/* "14:03:22:05" or "" */
static int is_label(const char t[16])
{
    static const char form[] = "00:00:00:00";
    if (!ends_in_time(t, 16)) return 0;
    if (!t[0]) return 1;
    for (int i = 0; i < 11; i++) {
        int digit = t[i] >= '0' && t[i] <= '9';
        if (form[i] == '0' ? !digit : t[i] != ':' && !(i == 8 && t[i] == ';')) return 0;
    }
    return !t[11];
}

static int accept_media(ks_wire_state *s, const ks_wire_media *m, ks_error *e)
{
    if (s->has_media) return bad(e, "a second header");
    if (m->tb_num <= 0 || m->tb_den <= 0) return bad(e, "time base");
    s->tick = (double)m->tb_num / m->tb_den;
    if (!ks_wire_size_fits(m->width, m->height)) return bad(e, "picture size");
    if (m->sar_num <= 0 || m->sar_den <= 0) return bad(e, "sample aspect");
    if (m->rotation < 0 || m->rotation % 1000 % 90 || m->rotation % 1000 > 270 ||
        m->rotation > 1270)
        return bad(e, "rotation");
    if (m->duration < 0 || m->duration > INT64_MAX / 4) return bad(e, "duration");
    if (!(m->fps == 0 || (m->fps > 1e-12 && m->fps < 1e9))) return bad(e, "frame rate");
    if (m->created < -((int64_t)1 << 40) || m->created > (int64_t)1 << 40) return bad(e, "date");
    if (m->created_source < 0 || m->created_source > KS_CREATED_MAKER) return bad(e, "date");
    if (!is_label(m->timecode) || !ends_in_time(m->reel, sizeof m->reel)) return bad(e, "timecode");
    if (!ends_in_time(m->container, sizeof m->container) ||
        !ends_in_time(m->codec, sizeof m->codec))
        return bad(e, "names");
    s->has_media = 1;
    return 0;
}

/* What is added to and multiplied with a time of a film later stays inside int64 (KS_CLOCK_MAX). */
static int in_film(const ks_wire_state *s, int64_t ticks)
{
    return ticks <= INT64_MAX / 4 && (double)ticks * s->tick <= KS_CLOCK_MAX;
}

static int accept_frame(ks_wire_state *s, const ks_wire_frame *f, ks_error *e)
{
    if (!s->has_media) return bad(e, "a frame before the header");
    if (f->number != s->next || f->number >= KS_FRAMES_MAX) return bad(e, "frame number");
    if (f->ticks <= s->last_ticks || !in_film(s, f->ticks) || f->since > f->ticks ||
        f->since < -INT64_MAX / 4)
        return bad(e, "frame time");
    if (f->duration <= 0 || !in_film(s, f->duration)) return bad(e, "frame duration");
    if (!ks_wire_size_fits(f->width, f->height)) return bad(e, "frame size");
    if (f->offset < -1 || f->shift > INT64_MAX / 4 || f->shift < -INT64_MAX / 4)
        return bad(e, "key frame");
    if (f->flags & ~(KS_FRAME_KEY | KS_FRAME_BREAK | KS_FRAME_INFERRED))
        return bad(e, "frame flags");
    s->next++;
    s->last_ticks = f->ticks;
    s->last_end = f->ticks + f->duration;
    return 0;
}

static int accept_picture(ks_wire_state *s, const ks_message *m, ks_error *e)
{
    const ks_wire_picture *p = &m->u.picture;
    if (s->asked < 0 || p->number != s->asked) return bad(e, "a picture nobody asked for");
    if (!ks_wire_size_fits(p->width, p->height)) return bad(e, "picture size");
    if (m->type == KS_MSG_JPEG) {
        if (p->bytes <= 0 || p->bytes > 1 << 20) return bad(e, "thumbnail size");
    } else {
        if (p->stride < 3 * (int64_t)p->width || p->stride > 3 * (int64_t)p->width + 3 * 15 + 64)
            return bad(e, "row length");
        if ((size_t)p->stride * (size_t)p->height > KS_WIRE_MEMORY) return bad(e, "picture size");
    }
    s->asked = -1;
    return 0;
}

static int accept_end(ks_wire_state *s, const ks_wire_end *d, ks_error *e)
{
    if (d->verdict < KS_VERDICT_INDEXED || d->verdict > KS_VERDICT_FAILED) return bad(e, "verdict");
    if (d->frames != s->next) return bad(e, "number of frames");
    if (!(d->seconds_missing >= 0 && d->seconds_missing < 1e12)) return bad(e, "missing seconds");
    if (!ends_in_time(d->reason, sizeof d->reason)) return bad(e, "reason");
    if (d->rate_num < 0 || d->rate_den < 0 || (d->rate_num > 0) != (d->rate_den > 0))
        return bad(e, "frame rate");
    if (d->frames == 0 && d->verdict <= KS_VERDICT_PARTLY) return bad(e, "indexed without a frame");
    if (d->verdict != KS_VERDICT_INDEXED && !d->reason[0]) return bad(e, "verdict without reason");
    s->ended = 1;
    return 0;
}

static int accept_line(ks_wire_state *s, const ks_wire_line *l, ks_error *e)
{
    if (!ends_in_time(l->text, sizeof l->text) || !l->text[0] || !ks_is_utf8(l->text))
        return bad(e, "text");
    for (const char *c = l->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) return bad(e, "text");
    if (l->start_us < 0 || l->end_us <= l->start_us || (double)l->end_us > KS_CLOCK_MAX * 1e6)
        return bad(e, "time of a line");
    s->text += (int64_t)strlen(l->text);
    if (++s->lines > KS_LINES_MOST || s->text > KS_TEXT_MOST) return bad(e, "too much text");
    return 0;
}

void ks_wire_start(ks_wire_state *s)
{
    memset(s, 0, sizeof *s);
    s->last_ticks = -1;
    s->asked = -1;
}

int ks_wire_accept(ks_wire_state *s, const ks_message *m, ks_error *e)
{
    if (s->ended && m->type != KS_MSG_PICTURE && m->type != KS_MSG_JPEG && m->type != KS_MSG_GONE)
        return bad(e, "more after its end");
    switch (m->type) {
    case KS_MSG_MEDIA: return accept_media(s, &m->u.media, e);
    case KS_MSG_FRAME: return accept_frame(s, &m->u.frame, e);
    case KS_MSG_PICTURE:
    case KS_MSG_JPEG: return accept_picture(s, m, e);
    case KS_MSG_END: return accept_end(s, &m->u.end, e);
    case KS_MSG_LINE: return accept_line(s, &m->u.line, e);
    case KS_MSG_GONE:
        if (s->asked < 0 || m->u.number != s->asked) return bad(e, "a picture nobody asked for");
        s->asked = -1;
        return 0;
    case KS_MSG_TICK:
        if (m->u.number <= s->ticks_read) return bad(e, "no progress");
        s->ticks_read = m->u.number;
        return 0;
    case KS_MSG_FACT: return ends_in_time(m->u.text, sizeof m->u.text) ? 0 : bad(e, "text");
    default: return bad(e, "message type");
    }
}
