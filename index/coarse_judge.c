/* coarse_judge.c - what FAISS is handed: only bytes that say what our own index would say.
 *
 * FAISS believes the sizes, numbers of vectors and links of a file; a file that carries right
 * checksums can still have been made to be read past its end (400 such mutants: 7 died by
 * SIGSEGV, 1 by SIGABRT, 3 never ended). So the bytes are walked first. Layout of
 * faiss_write_index, FAISS 1.7.3, little endian:
 *   header   int32 d · int64 ntotal · int64 x 2 unused · uint8 trained · int32 metric
 *   flat     "IxFI" · header · uint64 floats · float [ntotal, d]
 *   HNSW     "IHNf" · header · assign_probas double [] · links up to a level int32 [] · levels
 *            int32 [n] · offsets uint64 [n+1] ·
 *            links int32 [] · int32 entry, top level, efConstruction, efSearch, upper beam · flat
 * where [] is a uint64 count and its values. */
#include "index/ann.h"

#include <math.h>
#include <string.h>

enum { LINKS = 32, LEVELS = 32 }; /* "HNSW32": 64 links of level 0, 32 of each above */

typedef struct {
    const unsigned char *at, *end;
} reader;

static int take(void *out, reader *r, size_t bytes)
{
    if ((size_t)(r->end - r->at) < bytes) return 0;
    memcpy(out, r->at, bytes);
    r->at += bytes;
    return 1;
}

static int is_word(reader *r, const char *word)
{
    char have[4];
    return take(have, r, sizeof have) && memcmp(have, word, sizeof have) == 0;
}

static int header(reader *r, int dim, int64_t lists)
{
    int32_t d, metric;
    int64_t total, unused[2];
    uint8_t trained;
    return take(&d, r, sizeof d) && take(&total, r, sizeof total) &&
           take(unused, r, sizeof unused) && take(&trained, r, 1) &&
           take(&metric, r, sizeof metric) && d == dim && total == lists && trained == 1 &&
           metric == 0 /* inner product */;
}

/* A vector of `each` bytes a value: where it lies and how many there are. */
static int vector(const unsigned char **values, uint64_t *n, reader *r, size_t each)
{
    if (!take(n, r, sizeof *n) || *n > (uint64_t)(r->end - r->at) / each) return 0;
    *values = r->at;
    r->at += *n * each;
    return 1;
}

static int32_t int_at(const unsigned char *values, uint64_t i)
{
    int32_t v;
    memcpy(&v, values + 4 * i, sizeof v);
    return v;
}

static uint64_t size_at(const unsigned char *values, uint64_t i)
{
    uint64_t v;
    memcpy(&v, values + 8 * i, sizeof v);
    return v;
}

static int flat(reader *r, int dim, int64_t lists)
{
    const unsigned char *values;
    uint64_t n;
    if (!is_word(r, "IxFI") || !header(r, dim, lists) || !vector(&values, &n, r, sizeof(float)))
        return 0;
    if (n != (uint64_t)lists * (uint64_t)dim) return 0;
    for (uint64_t i = 0; i < n; i++) {
        float f;
        memcpy(&f, values + 4 * i, sizeof f);
        if (!isfinite(f)) return 0;
    }
    return 1;
}

static uint64_t links_below(int level)
{
    return level == 0 ? 0 : (uint64_t)LINKS * (uint64_t)(level + 1);
}

typedef struct {
    const unsigned char *levels, *offsets, *links;
    uint64_t n_links;
    int64_t n;
} graph;

/* Links of node i: to nodes that have the level they are followed on, or -1. */
static int node(const graph *g, int64_t i)
{
    int levels = int_at(g->levels, (uint64_t)i);
    uint64_t from = size_at(g->offsets, (uint64_t)i), to = size_at(g->offsets, (uint64_t)i + 1);
    if (levels < 1 || levels > LEVELS || to > g->n_links || from > to ||
        to - from != links_below(levels))
        return 0;
    for (int level = 0; level < levels; level++)
        for (uint64_t j = from + links_below(level); j < from + links_below(level + 1); j++) {
            int32_t other = int_at(g->links, j);
            if (other == -1) continue;
            if (other < 0 || other >= g->n || int_at(g->levels, (uint64_t)other) <= level) return 0;
        }
    return 1;
}

static int hnsw(reader *r, int dim, int64_t lists)
{
    const unsigned char *values;
    uint64_t probabilities, steps, levels, offsets;
    graph g = {.n = lists};
    int32_t last[5]; /* entry, top level, efConstruction, efSearch, upper beam */
    if (!header(r, dim, lists) || !vector(&values, &probabilities, r, sizeof(double)) ||
        !vector(&values, &steps, r, 4))
        return 0;
    if (probabilities > LEVELS || steps < 2 || steps > LEVELS + 1) return 0;
    for (uint64_t i = 0; i < steps; i++)
        if (int_at(values, i) != (int32_t)links_below((int)i)) return 0;
    if (!vector(&g.levels, &levels, r, 4) || !vector(&g.offsets, &offsets, r, 8) ||
        !vector(&g.links, &g.n_links, r, 4))
        return 0;
    if (levels != (uint64_t)lists || offsets != (uint64_t)lists + 1 || size_at(g.offsets, 0) != 0 ||
        !take(last, r, sizeof last))
        return 0;
    for (int64_t i = 0; i < lists; i++)
        if (int_at(g.levels, (uint64_t)i) >= (int32_t)steps || !node(&g, i)) return 0;
    if (last[0] < 0 || last[0] >= lists || last[1] < 0 ||
        last[1] >= int_at(g.levels, (uint64_t)last[0]))
        return 0;
    return last[3] >= 1 && last[3] <= 4096 && last[4] == 1 && flat(r, dim, lists);
}

int ks_coarse_good(const void *bytes, size_t size, int dim, int64_t lists)
{
    reader r = {bytes, (const unsigned char *)bytes + size};
    if (lists < 1 || lists > INT32_MAX || dim < 1) return 0;
    int good = size >= 4 && memcmp(bytes, "IHNf", 4) == 0
                   ? is_word(&r, "IHNf") && hnsw(&r, dim, lists)
                   : flat(&r, dim, lists);
    return good && r.at == r.end;
}
