/* decoder_io.c - bytes of one descriptor for libav, and three looks at a container before
 * libav's. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/decoder_source.h"

/* A packet that is larger is read by itself, so that a seek costs little more than it. */
enum { BUFFER = 64 << 10 };

size_t ks_bytes_at(const ks_bytes *b, int64_t at, uint8_t *out, size_t n)
{
    size_t got = 0;
    if (at < 0 || at >= b->size) return 0;
    if ((int64_t)n > b->size - at) n = (size_t)(b->size - at);
    while (got < n) {
        ssize_t r = pread(b->fd, out + got, n - got, at + (int64_t)got);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) break;
        got += (size_t)r;
    }
    return got;
}

/* How many bytes from `at` on are of one kind, and which: 1 data, 0 hole. A file system that
 * knows no holes has none. */
static int is_data(ks_bytes *b, int64_t at, int64_t *n)
{
    if (at >= b->data && at < b->hole) *n = b->hole - at;
    else if (at >= b->hole && at < b->data) *n = b->data - at;
    else {
        off_t data = lseek(b->fd, (off_t)at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) data = (off_t)b->size; /* a hole to the end */
        off_t hole = data == (off_t)at ? lseek(b->fd, (off_t)at, SEEK_HOLE) : (off_t)at;
        b->data = data < 0 ? at : (int64_t)data;
        b->hole = data < 0 || hole < 0 ? b->size : (int64_t)hole;
        *n = (b->data > at ? b->data : b->hole) - at;
    }
    return at >= b->data;
}

/* Counts n bytes from where we are; 0: the file is over for us. */
static int count(ks_bytes *b, int n)
{
    int64_t run;
    if (is_data(b, b->at, &run)) {
        b->read += n;
        return 1;
    }
    b->holes += n;
    b->gave_up |= b->holes > b->holes_most;
    return !b->gave_up;
}

int64_t ks_bytes_zero_tail(const ks_bytes *b)
{
    static uint8_t look[64 << 10]; /* one job a process */
    for (int64_t zeros = 0; zeros < 64 << 20;) {
        int64_t n = b->size - zeros < (int64_t)sizeof look ? b->size - zeros : (int64_t)sizeof look;
        if (n == 0 || ks_bytes_at(b, b->size - zeros - n, look, (size_t)n) != (size_t)n)
            return zeros;
        int64_t k = n;
        while (k > 0 && !look[k - 1]) k--;
        zeros += n - k;
        if (k) return zeros;
    }
    return 64 << 20;
}

static int read_bytes(void *opaque, uint8_t *out, int n)
{
    ks_bytes *b = opaque;
    if (b->alive) b->alive(b->arg);
    if (n <= 0 || b->at >= b->size) return AVERROR_EOF;
    if (n > b->size - b->at) n = (int)(b->size - b->at);
    if (!count(b, n)) return AVERROR_EOF;
    for (;;) {
        ssize_t r = pread(b->fd, out, (size_t)n, b->at);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return AVERROR(errno);
        if (r == 0) return AVERROR_EOF;
        b->at += r;
        return (int)r;
    }
}

static int64_t seek_bytes(void *opaque, int64_t at, int whence)
{
    ks_bytes *b = opaque;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) return b->size;
    if (whence == SEEK_CUR) at += b->at;
    else if (whence == SEEK_END) at += b->size;
    else if (whence != SEEK_SET) return AVERROR(EINVAL);
    if (at < 0) return AVERROR(EINVAL);
    return b->at = at;
}

int ks_bytes_open(AVIOContext **pb, ks_bytes *b)
{
    uint8_t *buffer = av_malloc(BUFFER);
    b->at = 0;
    *pb = buffer ? avio_alloc_context(buffer, BUFFER, 0, b, read_bytes, NULL, seek_bytes) : NULL;
    if (!*pb) av_free(buffer);
    return *pb ? 0 : -1;
}

void ks_bytes_close(AVIOContext **pb)
{
    if (*pb) av_freep(&(*pb)->buffer);
    avio_context_free(pb);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static uint64_t be64(const uint8_t *p) { return (uint64_t)be32(p) << 32 | be32(p + 4); }

static int is_type(const uint8_t *p)
{
    for (int i = 0; i < 4; i++)
        if (p[i] < 0x20 || (p[i] > 0x7e && p[i] != 0xa9)) return 0;
    return 1;
}

int ks_atoms_walk(ks_atoms *out, const ks_bytes *b)
{
    uint8_t h[16];
    int64_t at = 0;
    memset(out, 0, sizeof *out);
    for (int n = 0; at < b->size; n++) {
        size_t got = ks_bytes_at(b, at, h, sizeof h);
        uint64_t size = got >= 8 ? be32(h) : 0;
        if (got < 8) memcpy(out->cut_type, "....", 4); /* the file ends inside an atom's head */
        if (got < 8 || !is_type(h + 4)) break;
        if (n == 0 && memcmp(h + 4, "ftyp", 4) && memcmp(h + 4, "moov", 4) &&
            memcmp(h + 4, "mdat", 4) && memcmp(h + 4, "wide", 4) && memcmp(h + 4, "free", 4) &&
            memcmp(h + 4, "skip", 4))
            return 0;
        if (size == 1) size = got == 16 ? be64(h + 8) : 0;
        else if (size == 0) size = (uint64_t)(b->size - at); /* to the end of the file */
        if (size < 8) break;
        out->has_ftyp |= !memcmp(h + 4, "ftyp", 4);
        out->has_moov |= !memcmp(h + 4, "moov", 4);
        if (size > (uint64_t)(b->size - at)) {
            out->cut = 1;
            memcpy(out->cut_type, h + 4, 4);
            break;
        }
        out->has_moof |= !memcmp(h + 4, "moof", 4);
        at += (int64_t)size;
        out->whole = at;
    }
    if (out->whole < b->size && !out->cut) out->cut = 1;
    return out->whole > 0 || out->cut_type[0];
}

enum { TS_LOOK = 256 << 10, TS_RUN = 8 };

int ks_is_transport_stream(const ks_bytes *b)
{
    static uint8_t look[TS_LOOK]; /* one job a process */
    size_t n = ks_bytes_at(b, 0, look, sizeof look);
    for (size_t i = 0; i + 188 * TS_RUN < n; i++) {
        int k = 0;
        while (k < TS_RUN && look[i + 188 * (size_t)k] == 0x47) k++;
        if (k == TS_RUN) return 1;
    }
    return 0;
}

/* EBML number of 1 to 8 bytes; returns its length, 0 when there is none. */
static int ebml(const uint8_t *p, size_t n, int keep_marker, uint64_t *value)
{
    int len = 1;
    if (n == 0 || !p[0]) return 0;
    while (!(p[0] & (0x80 >> (len - 1)))) len++;
    if ((size_t)len > n) return 0;
    uint64_t v = keep_marker ? p[0] : p[0] & (0xffu >> len);
    for (int i = 1; i < len; i++) v = v << 8 | p[i];
    *value = v;
    return len;
}

static int segment_is_cut(const ks_bytes *b)
{
    uint8_t h[64];
    uint64_t id, size;
    size_t got = ks_bytes_at(b, 0, h, sizeof h), at;
    int n = ebml(h, got, 1, &id), m;
    if (!n || id != 0x1A45DFA3 || !(m = ebml(h + n, got - (size_t)n, 0, &size)) || size > 1 << 16)
        return 0;
    at = (size_t)n + (size_t)m + (size_t)size;
    got = ks_bytes_at(b, (int64_t)at, h, sizeof h);
    if (!(n = ebml(h, got, 1, &id)) || id != 0x18538067 ||
        !(m = ebml(h + n, got - (size_t)n, 0, &size)))
        return 0;
    if (size == (1ull << (7 * m)) - 1) return 0; /* length not known when it was written */
    return size > (uint64_t)b->size - at - (uint64_t)n - (uint64_t)m;
}

int ks_bytes_are_cut(const ks_bytes *b, const char *container)
{
    uint8_t sync;
    ks_atoms atoms;
    if (strstr(container, "mov") && ks_atoms_walk(&atoms, b))
        return !strcmp(atoms.cut_type, "moof") || !strcmp(atoms.cut_type, "mdat") ||
               (atoms.has_moof && atoms.cut_type[0]);
    if (strstr(container, "matroska")) return segment_is_cut(b);
    /* Whole packets from the first byte on, and then a part of one. */
    if (!strcmp(container, "mpegts") && b->size % 188 && ks_bytes_at(b, 0, &sync, 1) == 1 &&
        sync == 0x47)
        return ks_bytes_at(b, b->size / 188 * 188, &sync, 1) == 1 && sync == 0x47;
    return 0;
}
