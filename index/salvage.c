/* salvage.c - SQLite's file format, read page by page (sqlite.org/fileformat2.html, sections 1.3
 * to 2.1).
 *
 * A leaf page of a table holds cells of (payload size, rowid, payload), a page of an index
 * (tables WITHOUT ROWID are one) cells of (payload size, payload), interior ones with a child
 * page before. A payload that does not fit goes on in a chain of overflow pages. Whether a
 * record is a row of ours is decided by its checksum, not here. */
#include "index/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const unsigned char *file;
    size_t bytes, page, usable;
    unsigned char *payload; /* of a record that overflows */
    size_t room;
    unsigned char *free_pages; /* [pages], 1 = in the freelist */
} reader;

static uint32_t big32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Bytes used (1..9), or 0 when it runs past end. */
static size_t varint(uint64_t *out, const unsigned char *p, const unsigned char *end)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 9; i++) {
        if (p + i >= end) return 0;
        if (i == 8) {
            *out = v << 8 | p[i];
            return 9;
        }
        v = v << 7 | (p[i] & 127u);
        if (!(p[i] & 128)) {
            *out = v;
            return i + 1;
        }
    }
    return 0;
}

static void mark_free(reader *r)
{
    size_t pages = r->bytes / r->page;
    uint32_t trunk = big32(r->file + 32);
    for (size_t seen = 0; trunk >= 2 && trunk <= pages && seen < pages; seen++) {
        const unsigned char *p = r->file + (size_t)(trunk - 1) * r->page;
        uint32_t n = big32(p + 4);
        r->free_pages[trunk - 1] = 1;
        if (n > r->usable / 4 - 2) return;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t leaf = big32(p + 8 + 4 * i);
            if (leaf >= 2 && leaf <= pages) r->free_pages[leaf - 1] = 1;
        }
        trunk = big32(p);
    }
}

/* The whole payload of a cell, joined from its overflow pages if it has any; NULL if it cannot
 * be. */
static const unsigned char *whole(reader *r, const unsigned char *local, const unsigned char *end,
                                  uint64_t size, int index)
{
    uint64_t u = r->usable, most = index ? (u - 12) * 64 / 255 - 23 : u - 35,
             least = (u - 12) * 32 / 255 - 23;
    if (size > r->bytes) return NULL;
    if (size <= most) return (uint64_t)(end - local) >= size ? local : NULL;
    uint64_t here = least + (size - least) % (u - 4);
    if (here > most) here = least;
    if ((uint64_t)(end - local) < here + 4) return NULL;
    if (size > r->room) {
        unsigned char *more = realloc(r->payload, (size_t)size);
        if (!more) return NULL;
        r->payload = more;
        r->room = (size_t)size;
    }
    memcpy(r->payload, local, (size_t)here);
    uint32_t next = big32(local + here);
    for (uint64_t got = here; got < size;) { /* got grows each time: the chain ends */
        if (next < 2 || next > r->bytes / r->page) return NULL;
        const unsigned char *p = r->file + (size_t)(next - 1) * r->page;
        uint64_t n = size - got < u - 4 ? size - got : u - 4;
        memcpy(r->payload + got, p + 4, (size_t)n);
        got += n;
        next = big32(p);
    }
    return r->payload;
}

/* A value of serial type t at p; returns its size or -1. */
static int64_t value(ks_value *out, uint64_t t, const unsigned char *p, const unsigned char *end)
{
    static const signed char sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    memset(out, 0, sizeof *out);
    out->type = SQLITE_NULL;
    if (t == 10 || t == 11) return -1;
    uint64_t n = t < 10 ? (uint64_t)sizes[t] : (t - 12) / 2;
    if (n > (uint64_t)(end - p)) return -1;
    if (t >= 12) {
        out->type = t % 2 ? SQLITE_TEXT : SQLITE_BLOB;
        out->bytes = p;
        out->n = (size_t)n;
    } else if (t > 0) {
        uint64_t v = t == 9 ? 1 : n && (p[0] & 128) ? UINT64_MAX : 0;
        for (uint64_t i = 0; i < n; i++) v = v << 8 | p[i];
        out->type = t == 7 ? SQLITE_FLOAT : SQLITE_INTEGER;
        if (t == 7) memcpy(&out->d, &v, sizeof out->d);
        else memcpy(&out->i, &v, sizeof out->i);
    }
    return (int64_t)n;
}

static int record(ks_each_record *each, void *arg, int64_t rowid, const unsigned char *p,
                  uint64_t size)
{
    ks_value values[KS_VALUES];
    const unsigned char *end = p + size;
    uint64_t header;
    int n = 0;
    size_t used = varint(&header, p, end);
    if (!used || header < used || header > size) return 0;
    const unsigned char *type = p + used, *types_end = p + header, *at = types_end;
    while (type < types_end) {
        uint64_t t;
        used = varint(&t, type, types_end);
        if (!used || n == KS_VALUES) return 0;
        int64_t bytes = value(&values[n], t, at, end);
        if (bytes < 0) return 0;
        n++;
        type += used;
        at += bytes;
    }
    return each(arg, rowid, values, n);
}

static int page(reader *r, size_t number, ks_each_record *each, void *arg)
{
    const unsigned char *start = r->file + number * r->page, *end = start + r->usable;
    const unsigned char *h = start + (number == 0 ? 100 : 0);
    int kind = h[0], index = kind == 0x0a || kind == 0x02;
    if (kind != 0x0d && !index) return 0;
    size_t cells = (size_t)h[3] << 8 | h[4];
    const unsigned char *pointers = h + (kind == 0x02 ? 12 : 8);
    for (size_t i = 0; i < cells && pointers + 2 * i + 2 <= end; i++) {
        size_t offset = (size_t)pointers[2 * i] << 8 | pointers[2 * i + 1], used;
        uint64_t size, rowid = 0;
        if (offset + (kind == 0x02 ? 4u : 0u) >= r->usable) continue;
        const unsigned char *cell = start + offset + (kind == 0x02 ? 4 : 0);
        used = varint(&size, cell, end);
        if (!used) continue;
        cell += used;
        if (!index) {
            used = varint(&rowid, cell, end);
            if (!used) continue;
            cell += used;
        }
        const unsigned char *payload = whole(r, cell, end, size, index);
        int code = payload ? record(each, arg, (int64_t)rowid, payload, size) : 0;
        if (code < 0) return code;
    }
    return 0;
}

int ks_salvage_pages(const unsigned char *file, size_t bytes, ks_each_record *each, void *arg)
{
    reader r = {.file = file, .bytes = bytes};
    if (bytes < 512) return 0;
    r.page = (size_t)file[16] << 8 | file[17];
    if (r.page == 1) r.page = 65536;
    if (r.page < 512 || r.page > 65536 || (r.page & (r.page - 1))) r.page = 4096; /* what we make */
    r.usable = r.page - (file[20] <= 32 ? file[20] : 0);
    size_t pages = bytes / r.page;
    r.free_pages = calloc(pages + 1, 1);
    if (!r.free_pages) return KS_ENOMEM;
    if (pages) mark_free(&r);
    int code = 0;
    for (size_t p = 0; p < pages && code >= 0; p++)
        if (!r.free_pages[p]) code = page(&r, p, each, arg);
    free(r.free_pages);
    free(r.payload);
    return code;
}

int ks_salvage_file(const char *path, ks_each_record *each, void *arg, ks_error *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0) close(fd);
        return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    }
    int code = 0;
    if (st.st_size > 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) code = ks_fail(e, KS_ENOMEM, "%s: mmap: %s", path, strerror(errno));
        else {
            code = ks_salvage_pages(map, (size_t)st.st_size, each, arg);
            munmap(map, (size_t)st.st_size);
        }
    }
    close(fd);
    return code;
}
