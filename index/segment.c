/* segment.c - reading a search copy: nothing of it is used before it has passed. */
#include "index/segment.h"

#include "index/score.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

uint64_t ks_space_hash(const ks_space *s)
{
    char text[200];
    int n = snprintf(text, sizeof text, "%s %d %d %d %d %d", s->model, s->dim, s->frames,
                     s->sampler, s->resize, s->precision);
    return XXH3_64bits(text, (size_t)n);
}

static uint64_t page(uint64_t n) { return (n + 4095) / 4096 * 4096; }

int ks_segment_lay(ks_segment_layout *out, int64_t rows, int64_t runs, int64_t dim)
{
    if (rows < 1 || rows > (INT64_C(1) << 40) || runs < 1 || runs > rows || dim < 1 ||
        dim > KS_MAX_DIM)
        return KS_EFORMAT;
    uint64_t n = (uint64_t)rows, d = (uint64_t)dim;
    out->half = KS_SEGMENT_HEADER;
    out->codes = page(out->half + n * d * 2);
    out->scales = page(out->codes + n * ks_code_stride((int)dim));
    out->errors = page(out->scales + n * 4);
    out->ids = page(out->errors + n * 4);
    out->runs = page(out->ids + n * 8);
    out->hashes = page(out->runs + (uint64_t)runs * sizeof(ks_video_run));
    out->blocks = (out->hashes - KS_SEGMENT_HEADER + KS_SEGMENT_BLOCK - 1) / KS_SEGMENT_BLOCK;
    out->bytes = out->hashes + out->blocks * 8;
    return 0;
}

int ks_segment_header_ok(ks_segment_header *out, ks_segment_layout *layout, const void *data,
                         uint64_t have, uint64_t bytes)
{
    const unsigned char *byte = data;
    if (have < KS_SEGMENT_HEADER || bytes < KS_SEGMENT_HEADER) return 0;
    for (size_t i = sizeof *out; i < KS_SEGMENT_HEADER; i++)
        if (byte[i]) return 0;
    memcpy(out, data, sizeof *out);
    if (memcmp(out->magic, "KSVECT1\n", 8) != 0 || out->block != KS_SEGMENT_BLOCK) return 0;
    if (out->self != XXH3_64bits(out, offsetof(ks_segment_header, self))) return 0;
    if (ks_segment_lay(layout, out->rows, out->runs, out->dim) < 0) return 0;
    return layout->bytes == bytes && out->bytes == bytes && out->from < out->to;
}

static int unchanged(const ks_segment_row *row, const struct stat *st)
{
    ks_stat now = ks_stat_of(st);
    return ks_stat_untouched(row->stat, now) && row->stat.inode == now.inode &&
           row->ctime_ns == st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec;
}

/* Every MiB against its hash, then what the numbers say against each other. */
static int whole(const unsigned char *map, const ks_segment_header *h, const ks_segment_layout *l)
{
    for (uint64_t b = 0; b < l->blocks; b++) {
        uint64_t at = KS_SEGMENT_HEADER + b * KS_SEGMENT_BLOCK, left = l->hashes - at, want;
        memcpy(&want, map + l->hashes + 8 * b, 8);
        size_t n = left < KS_SEGMENT_BLOCK ? (size_t)left : KS_SEGMENT_BLOCK;
        if (XXH3_64bits(map + at, n) != want) return 0;
        /* gigabytes are read once: they are not this process's to hold */
        madvise((void *)(uintptr_t)(map + at), n, MADV_DONTNEED);
    }
    const ks_video_run *runs = (const ks_video_run *)(const void *)(map + l->runs);
    int64_t next = 0;
    for (int64_t i = 0; i < h->runs; i++) {
        if (runs[i].first != next || runs[i].count < 1 || runs[i].count > h->rows - next) return 0;
        if (i > 0 && runs[i].video <= runs[i - 1].video) return 0;
        if (runs[i].finished <= h->from || runs[i].finished > h->to) return 0;
        next += runs[i].count;
    }
    return next == h->rows;
}

static const char *judge(ks_segment *s, const struct stat *st, const char *library,
                         const ks_space *space, int full)
{
    ks_segment_layout l;
    const unsigned char *map = s->map;
    ks_segment_header *h = &s->header;
    if (!ks_segment_header_ok(h, &l, map, s->bytes, s->bytes)) return "its header is damaged";
    if (XXH3_64bits(h, sizeof *h) != s->row.header)
        return "it is not the file that the catalog knows";
    if (strncmp(h->library, library, sizeof h->library) != 0)
        return "it belongs to another library";
    if (h->space != ks_space_hash(space) || (int)h->dim != space->dim)
        return "it is of another model";
    if (h->from != s->row.from || h->to != s->row.to || h->rows != s->row.rows)
        return "it is of another generation";
    if (XXH3_64bits(map + l.hashes, l.blocks * 8) != h->hashes) return "its checksums are damaged";
    s->changed = !unchanged(&s->row, st);
    if ((full || s->changed) && !whole(map, h, &l)) return "it is damaged";
    s->half = (const uint16_t *)(const void *)(map + l.half);
    s->codes = map + l.codes;
    s->scales = (const float *)(const void *)(map + l.scales);
    s->errors = (const float *)(const void *)(map + l.errors);
    s->ids = (const int64_t *)(const void *)(map + l.ids);
    s->runs = (const ks_video_run *)(const void *)(map + l.runs);
    return NULL;
}

int ks_segment_open(ks_segment *out, const char **why, const char *dir, const ks_segment_row *row,
                    const char *library, const ks_space *space, int full, ks_error *e)
{
    char path[4200];
    struct stat st;
    memset(out, 0, sizeof *out);
    out->row = *row;
    *why = "it cannot be opened";
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, row->file) >= sizeof path) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        if (errno == ENOMEM || errno == EMFILE || errno == ENFILE)
            return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
        if (errno == ENOENT) *why = "it is not there";
        return 0;
    }
    int code = 0;
    *why = "its size is wrong";
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == row->stat.size &&
        st.st_size >= KS_SEGMENT_HEADER) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) code = ks_fail(e, KS_ENOMEM, "%s: mmap: %s", path, strerror(errno));
        else {
            out->map = map;
            out->bytes = (size_t)st.st_size;
            *why = judge(out, &st, library, space, full);
            if (!*why) code = 1;
            else ks_segment_close(out);
        }
    }
    close(fd);
    return code;
}

void ks_segment_close(ks_segment *s)
{
    if (s->map) munmap(s->map, s->bytes);
    s->map = NULL;
}

const ks_video_run *ks_segment_run(const ks_segment *s, int64_t video)
{
    int64_t low = 0, high = s->header.runs;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (s->runs[middle].video < video) low = middle + 1;
        else high = middle;
    }
    return low < s->header.runs && s->runs[low].video == video ? &s->runs[low] : NULL;
}
