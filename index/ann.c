/* ann.c - opening the lists of a segment, and searching them. */
#include "index/ann.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PAGE = 4096 };

void ks_ann_drop(ks_ann *ann)
{
    if (ann->map) munmap(ann->map, ann->bytes);
    free(ann->seen);
    memset(ann, 0, sizeof *ann);
}

void ks_ann_close(ks_ann *ann)
{
    if (!ann) return;
    ks_ann_drop(ann);
    free(ann);
}

/* Are the bytes the file that belongs to this segment, its tables whole? Then the lists must make
 * up the rows. */
static int good(ks_ann *ann, const ks_segment *s)
{
    const unsigned char *p = ann->map;
    ks_ann_header *h = &ann->header;
    memcpy(h, p, sizeof *h);
    for (size_t i = sizeof *h; i < PAGE; i++)
        if (p[i]) return 0;
    if (memcmp(h->magic, "KSLIST2\n", 8) != 0 ||
        h->self != XXH3_64bits(h, offsetof(ks_ann_header, self)))
        return 0;
    if (XXH3_64bits(h, sizeof *h) != s->row.ann_hash || h->segment != s->row.header ||
        h->bytes != ann->bytes)
        return 0;
    if (h->rows != s->header.rows || h->dim != s->header.dim || h->rows > INT32_MAX ||
        h->lists < 1 || h->lists > h->rows || h->probes < 1 || h->probes > h->lists)
        return 0;
    uint64_t n = (uint64_t)h->lists, first = PAGE + (2 * n * h->dim + 7) / 8 * 8,
             hashes = first + 8 * (n + 1), lists = hashes + 8 * n;
    if (lists + (uint64_t)h->rows * ks_ann_row_bytes((int)h->dim) != h->bytes) return 0;
    if (XXH3_64bits(p + PAGE, lists - PAGE) != h->tables) return 0;
    ann->centroids = (const uint16_t *)(const void *)(p + PAGE);
    ann->first = (const int64_t *)(const void *)(p + first);
    ann->hashes = (const uint64_t *)(const void *)(p + hashes);
    ann->lists = p + lists;
    if (ann->first[0] != 0 || ann->first[h->lists] != h->rows) return 0;
    for (int64_t i = 0; i < h->lists; i++)
        if (ann->first[i] > ann->first[i + 1]) return 0;
    return 1;
}

static ks_coded_list list_at(const ks_ann *ann, int64_t i)
{
    int dim = (int)ann->header.dim;
    size_t n = (size_t)(ann->first[i + 1] - ann->first[i]);
    const unsigned char *codes = ann->lists + (size_t)ann->first[i] * ks_ann_row_bytes(dim);
    const float *scales = (const float *)(const void *)(codes + n * ks_code_stride(dim));

    return (ks_coded_list){codes, scales, scales + n,
                           (const int32_t *)(const void *)(scales + 2 * n), (int64_t)n};
}

/* A list is hashed once a handle, when it is first wanted: at 10 M x 768 all of them are 5.9 GB. */
static int list_good(ks_ann *ann, int64_t i)
{
    if (ann->seen[i]) return 1;
    ks_coded_list l = list_at(ann, i);
    if (XXH3_64bits(l.codes, (size_t)l.n * ks_ann_row_bytes((int)ann->header.dim)) !=
        ann->hashes[i])
        return 0;
    for (int64_t j = 0; j < l.n; j++)
        if (l.rows[j] < 0 || l.rows[j] >= ann->header.rows) return 0;
    ann->seen[i] = 1;
    return 1;
}

int ks_ann_whole(ks_ann *ann)
{
    for (int64_t i = 0; i < ann->header.lists; i++)
        if (!list_good(ann, i)) return 0;
    return 1;
}

int ks_ann_open(ks_ann *ann, const char *dir, const ks_segment *s, ks_error *e)
{
    char path[4300];
    struct stat st;
    memset(ann, 0, sizeof *ann);
    if (!s->row.ann_file[0] || strchr(s->row.ann_file, '/')) return 0;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, s->row.ann_file) >= sizeof path) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), code = 0;
    if (fd < 0)
        return errno == ENOMEM || errno == EMFILE
                   ? ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno))
                   : 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > PAGE) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) code = ks_fail(e, KS_ENOMEM, "%s: mmap: %s", path, strerror(errno));
        else {
            ann->map = map;
            ann->bytes = (size_t)st.st_size;
            code = good(ann, s);
            if (code && !(ann->seen = calloc(1, (size_t)ann->header.lists)))
                code = ks_fail(e, KS_ENOMEM, "%s: out of memory", path);
            if (code > 0) ann->hash = s->row.ann_hash;
        }
    }
    close(fd);
    if (code <= 0) ks_ann_drop(ann);
    return code;
}

/* The lists whose centroids are nearest, the nearest first: near->at[i].clip is a list. */
static void choose(ks_top *near, const ks_ann *ann, const ks_sweep *sweep)
{
    enum { AT_ONCE = 256 };
    float scores[AT_ONCE];
    int dim = sweep->dim;
    for (int64_t at = 0; at < ann->header.lists; at += AT_ONCE) {
        int n = ann->header.lists - at < AT_ONCE ? (int)(ann->header.lists - at) : AT_ONCE;
        ks_score_rows(scores, sweep->q, ann->centroids + (size_t)at * (size_t)dim, (size_t)dim, dim,
                      n, sweep->cpu);
        for (int i = 0; i < n; i++) ks_top_add(near, (ks_neighbour){at + i, scores[i]});
    }
    ks_top_sort(near);
}

/* The rows that a list sends for lie far from each other. Read as any file is, each comes with all
 * that the system reads around it, up to 8 MiB a row, and pushes out what the next question needs;
 * films are read along, so that is said for the time of a question alone. */
static void expect_far_rows(const ks_segment *s, int far)
{
    size_t bytes = (size_t)s->header.rows * s->header.dim * sizeof *s->half;
    if (s->map) madvise((void *)(uintptr_t)s->half, bytes, far ? MADV_RANDOM : MADV_NORMAL);
}

int ks_ann_scan(ks_top *top, ks_sweep *sweep, const ks_segment *s, ks_ann *ann, int64_t probes,
                const ks_span *within, int64_t n_within, ks_error *e)
{
    ks_neighbour *at = malloc((size_t)probes * sizeof *at);
    ks_coded_list *lists = malloc((size_t)probes * sizeof *lists);
    ks_top near = {at, 0, (int)probes};
    int code = at && lists ? 1 : ks_fail(e, KS_ENOMEM, "no memory for the nearest lists");
    if (code > 0) choose(&near, ann, sweep);
    for (int i = 0; i < near.count && code > 0; i++) {
        code = list_good(ann, at[i].clip);
        lists[i] = list_at(ann, at[i].clip);
    }
    expect_far_rows(s, 1);
    if (code > 0 && ks_sweep_lists(top, sweep, s, lists, near.count, within, n_within) < 0)
        code = ks_fail(e, KS_ENOMEM, "no memory for the nearest lists");
    expect_far_rows(s, 0);
    free(lists);
    free(at);
    return code;
}

/* Lists of segment s if there are any that may be used; opened once a handle. */
static int lists_of(ks_index *x, const ks_segment *s, int64_t wanted, int force, ks_error *e)
{
    if (!s->row.ann_file[0]) return 0;
    if (!force && (s->row.recall < 0.98 || wanted * 2 < s->header.rows)) return 0;
    if (!x->ann) x->ann = calloc(1, sizeof *x->ann);
    if (!x->ann) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (x->ann->hash == s->row.ann_hash) return 1;
    ks_ann_drop(x->ann);
    return ks_ann_open(x->ann, x->dir, s, e);
}

/* The probes were measured for the ten nearest, asked for among MEASURED candidates: whoever
 * asks for more looks at more lists, in proportion, and in the end at all of them (0): then
 * nothing is chosen and the scan is exact. */
static int64_t probes_for(const ks_ann *ann, int k)
{
    enum { MEASURED = 256 };
    int64_t times = (k + MEASURED - 1) / MEASURED, probes = ann->header.probes;
    if (times > 1) probes = probes > ann->header.lists / times ? ann->header.lists : probes * times;
    return probes >= ann->header.lists || k > ann->header.rows / 4 ? 0 : probes;
}

int ks_ann_sweep(ks_top *top, ks_sweep *sweep, ks_spans *spans, ks_index *x, int force, ks_error *e)
{
    int64_t kept = 0;
    int done = 0, code = 0;
    for (int64_t at = 0, end; at < spans->n; at = end) {
        int64_t wanted = 0;
        for (end = at; end < spans->n && spans->at[end].s == spans->at[at].s; end++)
            wanted += spans->at[end].count;
        const ks_segment *s = spans->at[at].s;
        if (code >= 0) code = lists_of(x, s, wanted, force, e);
        int64_t probes = code > 0 ? probes_for(x->ann, top->k) : 0;
        if (probes > 0)
            code = ks_ann_scan(top, sweep, s, x->ann, probes, spans->at + at,
                               wanted < s->header.rows ? end - at : 0, e);
        if (probes == 0 || code <= 0) {
            memmove(spans->at + kept, spans->at + at, (size_t)(end - at) * sizeof *spans->at);
            kept += end - at;
            continue;
        }
        spans->rows -= wanted;
        done = 1;
    }
    spans->n = kept;
    return code < 0 ? code : done;
}
