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
    ks_coarse_free(ann->coarse);
    memset(ann, 0, sizeof *ann);
}

void ks_ann_close(ks_ann *ann)
{
    if (!ann) return;
    ks_ann_drop(ann);
    free(ann);
}

static uint64_t up(uint64_t n) { return (n + 7) / 8 * 8; }

/* Are the bytes the file that belongs to this segment, whole? Then what the lists say must fit
 * the rows. */
static int good(ks_ann *ann, const ks_segment *s)
{
    const unsigned char *p = ann->map;
    ks_ann_header *h = &ann->header;
    memcpy(h, p, sizeof *h);
    for (size_t i = sizeof *h; i < PAGE; i++)
        if (p[i]) return 0;
    if (memcmp(h->magic, "KSLIST1\n", 8) != 0 ||
        h->self != XXH3_64bits(h, offsetof(ks_ann_header, self)))
        return 0;
    if (XXH3_64bits(h, sizeof *h) != s->row.ann_hash || h->segment != s->row.header ||
        h->bytes != ann->bytes)
        return 0;
    if (h->rows != s->header.rows || h->dim != s->header.dim || h->rows > INT32_MAX ||
        h->lists < 1 || h->lists > h->rows)
        return 0;
    if (h->probes < 1 || h->probes > h->lists || h->faiss_bytes > h->bytes) return 0;
    uint64_t first = PAGE + up(h->faiss_bytes), rows = first + 8 * ((uint64_t)h->lists + 1);
    if (rows + 4 * (uint64_t)h->rows != h->bytes) return 0;
    if (XXH3_64bits(p + PAGE, h->bytes - PAGE) != h->rest) return 0;
    ann->first = (const int64_t *)(const void *)(p + first);
    ann->rows = (const int32_t *)(const void *)(p + rows);
    if (ann->first[0] != 0 || ann->first[h->lists] != h->rows) return 0;
    for (int64_t i = 0; i < h->lists; i++)
        if (ann->first[i] > ann->first[i + 1]) return 0;
    for (int64_t i = 0; i < h->rows; i++)
        if (ann->rows[i] < 0 || ann->rows[i] >= h->rows) return 0;
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
            if (code &&
                ks_coarse_read(&ann->coarse, (char *)map + PAGE, (size_t)ann->header.faiss_bytes,
                               (int)ann->header.dim, ann->header.lists, e) < 0)
                code = 0; /* FAISS of another version may not read it: exact search answers */
            if (code) ann->hash = s->row.ann_hash;
        }
    }
    close(fd);
    if (code <= 0) ks_ann_drop(ann);
    return code;
}

int ks_ann_choose(int32_t **rows, int64_t *n, const ks_ann *ann, const float *q, int64_t probes,
                  ks_error *e)
{
    int64_t *near = malloc((size_t)probes * sizeof *near);
    *rows = NULL;
    *n = 0;
    int code = near ? ks_coarse_near(near, ann->coarse, q, 1, probes, e)
                    : ks_fail(e, KS_ENOMEM, "no memory for the nearest lists");
    for (int64_t i = 0; i < probes && code >= 0; i++)
        if (near[i] >= 0 && near[i] < ann->header.lists)
            *n += ann->first[near[i] + 1] - ann->first[near[i]];
    if (code >= 0) *rows = malloc((size_t)(*n ? *n : 1) * sizeof **rows);
    if (code >= 0 && !*rows)
        code = ks_fail(e, KS_ENOMEM, "no memory for the rows of the nearest lists");
    *n = 0;
    for (int64_t i = 0; i < probes && code >= 0; i++) {
        if (near[i] < 0 || near[i] >= ann->header.lists) continue;
        int64_t count = ann->first[near[i] + 1] - ann->first[near[i]];
        if (count)
            memcpy(*rows + *n, ann->rows + ann->first[near[i]], (size_t)count * sizeof **rows);
        *n += count;
    }
    free(near);
    return code;
}

/* Keep the rows that lie in the segment's spans; spans of a segment ascend. */
static int64_t within(int32_t *rows, int64_t n, const ks_span *spans, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t low = 0, high = count;
        while (low < high) { /* first span that starts after the row */
            int64_t mid = (low + high) / 2;
            if (spans[mid].first <= rows[i]) low = mid + 1;
            else high = mid;
        }
        if (low > 0 && rows[i] < spans[low - 1].first + spans[low - 1].count)
            rows[kept++] = rows[i];
    }
    return kept;
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
        int64_t wanted = 0, n;
        int32_t *rows;
        for (end = at; end < spans->n && spans->at[end].s == spans->at[at].s; end++)
            wanted += spans->at[end].count;
        const ks_segment *s = spans->at[at].s;
        if (code >= 0) code = lists_of(x, s, wanted, force, e);
        int64_t probes = code > 0 ? probes_for(x->ann, top->k) : 0;
        if (probes == 0) {
            memmove(spans->at + kept, spans->at + at, (size_t)(end - at) * sizeof *spans->at);
            kept += end - at;
            continue;
        }
        code = ks_ann_choose(&rows, &n, x->ann, sweep->q, probes, e);
        if (code >= 0 && wanted < s->header.rows) n = within(rows, n, spans->at + at, end - at);
        if (code >= 0 && ks_sweep_rows(top, sweep, s, rows, n) < 0)
            code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
        free(rows);
        spans->rows -= wanted;
        done = 1;
    }
    spans->n = kept;
    return code < 0 ? code : done;
}
