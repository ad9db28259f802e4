/* segment_write.c - making a search copy from the catalog. */
#include "index/score.h"
#include "index/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* 512 rows at a time: a MiB of writes at D = 768, and memory that does not grow with the
 * library. */
enum { BATCH = 512 };

typedef struct {
    ks_new_file file;
    ks_segment_layout l;
    int dim;
    size_t stride;
    int64_t rows, want; /* written so far, counted before */
    int batch;
    uint16_t *half; /* [BATCH, dim] */
    uint8_t *codes; /* [BATCH, stride] */
    float scales[BATCH], errors[BATCH];
    int64_t ids[BATCH];
    ks_video_run *runs;
    int64_t n_runs, runs_room;
    ks_error *e;
} writing;

static int flush(writing *w)
{
    uint64_t at = (uint64_t)w->rows, n = (uint64_t)w->batch, d = (uint64_t)w->dim;
    int code = ks_new_file_write(&w->file, w->half, n * d * 2, w->l.half + at * d * 2, w->e);
    if (code >= 0)
        code = ks_new_file_write(&w->file, w->codes, n * w->stride, w->l.codes + at * w->stride,
                                 w->e);
    if (code >= 0) code = ks_new_file_write(&w->file, w->scales, n * 4, w->l.scales + at * 4, w->e);
    if (code >= 0) code = ks_new_file_write(&w->file, w->errors, n * 4, w->l.errors + at * 4, w->e);
    if (code >= 0) code = ks_new_file_write(&w->file, w->ids, n * 8, w->l.ids + at * 8, w->e);
    w->rows += w->batch;
    w->batch = 0;
    return code;
}

static int add_row(void *arg, const ks_vector_row *row)
{
    writing *w = arg;
    int i = w->batch;
    if (w->rows + i >= w->want)
        return ks_fail(w->e, KS_EDAMAGED, "%s: more clips than the count says: run kinoseek repair",
                       w->file.dir);
    memcpy(w->half + (size_t)i * (size_t)w->dim, row->half, (size_t)w->dim * 2);
    ks_code_row(w->codes + (size_t)i * w->stride, &w->scales[i], &w->errors[i], row->half, w->dim);
    w->ids[i] = row->clip.id;
    if (w->n_runs == 0 || w->runs[w->n_runs - 1].video != row->clip.video) {
        if (w->n_runs == w->runs_room) {
            w->runs_room = 2 * w->runs_room + 64;
            ks_video_run *more = realloc(w->runs, (size_t)w->runs_room * sizeof *more);
            if (!more) return ks_fail(w->e, KS_ENOMEM, "%s: out of memory", w->file.dir);
            w->runs = more;
        }
        w->runs[w->n_runs++] = (ks_video_run){row->clip.video, row->finished, w->rows + i, 0};
    }
    w->runs[w->n_runs - 1].count++;
    w->batch++;
    return w->batch == BATCH ? flush(w) : 0;
}

typedef struct {
    int64_t rows, runs, video;
} counting;

static int count_row(void *arg, const ks_vector_row *row)
{
    counting *c = arg;
    c->rows++;
    if (c->video != row->clip.video) c->runs++;
    c->video = row->clip.video;
    return 0;
}

/* The block hashes from what is in the file now, read back. */
static int hash_blocks(writing *w, ks_segment_header *h)
{
    uint64_t *hashes = malloc(w->l.blocks * 8);
    unsigned char *block = malloc(KS_SEGMENT_BLOCK);
    int code = hashes && block ? 0 : ks_fail(w->e, KS_ENOMEM, "%s: out of memory", w->file.dir);
    for (uint64_t b = 0; b < w->l.blocks && code >= 0; b++) {
        uint64_t at = KS_SEGMENT_HEADER + b * KS_SEGMENT_BLOCK, left = w->l.hashes - at;
        size_t n = left < KS_SEGMENT_BLOCK ? (size_t)left : KS_SEGMENT_BLOCK, got = 0;
        while (got < n) {
            ssize_t r = pread(w->file.fd, block + got, n - got, (off_t)(at + got));
            if (r <= 0 && !(r < 0 && errno == EINTR)) break;
            if (r > 0) got += (size_t)r;
        }
        if (got < n) code = ks_fail(w->e, KS_EIO, "%s: cannot be read back", w->file.part);
        else hashes[b] = XXH3_64bits(block, n);
    }
    if (code >= 0) code = ks_new_file_write(&w->file, hashes, w->l.blocks * 8, w->l.hashes, w->e);
    if (code >= 0) h->hashes = XXH3_64bits(hashes, w->l.blocks * 8);
    free(hashes);
    free(block);
    return code;
}

static int finish(writing *w, ks_segment_row *row, const ks_library_row *library,
                  const ks_space *space)
{
    ks_segment_header h;
    memset(&h, 0, sizeof h); /* padding is hashed */
    memcpy(h.magic, "KSVECT1\n", 8);
    memcpy(h.library, library->id, sizeof library->id);
    h.space = ks_space_hash(space);
    h.from = row->from;
    h.to = row->to;
    h.rows = w->rows;
    h.runs = w->n_runs;
    h.bytes = w->l.bytes;
    h.dim = (uint32_t)w->dim;
    h.block = KS_SEGMENT_BLOCK;
    int code = w->batch ? flush(w) : 0;
    h.rows = w->rows;
    if (code >= 0 && w->rows != w->want)
        code = ks_fail(w->e, KS_EDAMAGED,
                       "%s: fewer clips than the count says: run kinoseek repair", w->file.dir);
    if (code >= 0)
        code = ks_new_file_write(&w->file, w->runs, (size_t)w->n_runs * sizeof *w->runs, w->l.runs,
                                 w->e);
    if (code >= 0 && ftruncate(w->file.fd, (off_t)w->l.bytes) != 0)
        code = ks_fail(w->e, KS_EIO, "%s: %s", w->file.part, strerror(errno));
    if (code >= 0) code = hash_blocks(w, &h);
    h.self = XXH3_64bits(&h, offsetof(ks_segment_header, self));
    if (code >= 0) code = ks_new_file_write(&w->file, &h, sizeof h, 0, w->e);
    row->rows = h.rows;
    row->header = XXH3_64bits(&h, sizeof h);
    return code;
}

int ks_segment_stat(ks_segment_row *row, const char *path, ks_error *e)
{
    struct stat st;
    if (stat(path, &st) != 0) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    row->stat = ks_stat_of(&st);
    row->ctime_ns = st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec;
    return 0;
}

int ks_segment_seen(ks_segment_row *row, ks_index *x, ks_error *e)
{
    char path[4200];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", x->dir, row->file) >= sizeof path) return 0;
    int code = ks_segment_stat(row, path, e);
    return code < 0 ? code : x->store->keep_segment(row, x, e);
}

int ks_segment_write(ks_segment_row *row, ks_index *x, const ks_library_row *library,
                     const ks_space *space, ks_error *e)
{
    counting c = {0, 0, 0};
    int64_t damaged = 0;
    ks_walk walk = {.dim = space->dim, .from = row->from, .to = row->to, .ordered = 1};
    int code = x->store->walk(x, &walk, count_row, &c, &damaged, e);
    row->rows = c.rows;
    if (code < 0 || c.rows == 0) return code;
    writing *w = calloc(1, sizeof *w);
    if (!w) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    w->dim = space->dim;
    w->stride = ks_code_stride(space->dim);
    w->want = c.rows;
    w->e = e;
    w->half = malloc(BATCH * (size_t)w->dim * 2);
    w->codes = malloc(BATCH * w->stride);
    w->file.fd = -1;
    code = w->half && w->codes ? ks_segment_lay(&w->l, c.rows, c.runs, space->dim) : KS_ENOMEM;
    if (code < 0) code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    snprintf(row->file, sizeof row->file, "vectors.%06lld", (long long)row->id);
    if (code >= 0) code = ks_new_file_open(&w->file, x->dir, row->file, e);
    if (code >= 0) code = x->store->walk(x, &walk, add_row, w, &damaged, e);
    if (code >= 0) code = finish(w, row, library, space);
    if (code >= 0) code = ks_new_file_publish(&w->file, e);
    if (code >= 0) code = ks_segment_stat(row, w->file.whole, e);
    if (code < 0 && w->file.dir) ks_new_file_drop(&w->file);
    free(w->half);
    free(w->codes);
    free(w->runs);
    free(w);
    return code;
}
