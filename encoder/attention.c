/* attention.c - see attention.h. */
#include "encoder/attention.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "encoder/arena.h"

typedef struct {
    size_t group;   /* values in a 4-byte group */
    size_t width;   /* groups of a head's row */
    size_t keys;    /* length, rounded up to whole panels */
    size_t columns; /* panels of dh */
} sizes;

static sizes sizes_of(const ks_head *h)
{
    size_t g = h->precision == KS_BF16 ? 2 : 1, dh = (size_t)h->dh, length = (size_t)h->length;
    return (sizes){g, (dh + g - 1) / g, (length + KS_PANEL - 1) / KS_PANEL * KS_PANEL,
                   (dh + KS_PANEL - 1) / KS_PANEL};
}

static size_t key_bytes(const sizes *s) { return ks_slice(s->keys * s->width, 4); }

size_t ks_head_bytes(const ks_head *h)
{
    sizes s = sizes_of(h);
    return key_bytes(&s) + ks_slice(s.columns * s.keys / s.group * KS_PANEL, 4);
}

/* Scratch of a block of queries. */
typedef struct {
    uint32_t *q; /* [n, width]; while packing: one panel of keys */
    uint32_t *p; /* [KS_TILE_ROWS, p_step] weights of a strip */
    size_t p_step;
    float *c;    /* [KS_TILE_ROWS, 32] */
    float *o;    /* [columns, n, 32] */
    float *sums; /* [n, 16] */
    float *keep; /* [1, keys], or [n, keys] if causal */
} room;

static size_t plan_room(room *r, const ks_head *h, char *at)
{
    sizes s = sizes_of(h);
    size_t n = KS_QUERY_BLOCK, used = 0, keep_rows = h->causal ? (size_t)h->length : 1;
    r->p_step = KS_KEY_BLOCK / s.group + 16;
#define TAKE(field, count)                                                                         \
    (r->field = at ? (void *)(at + used) : NULL, used += ks_slice((count), 4))
    TAKE(q, n * s.width);
    TAKE(p, KS_TILE_ROWS * r->p_step);
    TAKE(c, KS_TILE_ROWS * KS_PANEL);
    TAKE(o, s.columns * (n + KS_TILE_ROWS) * KS_PANEL);
    TAKE(sums, n * 16);
    TAKE(keep, keep_rows * s.keys);
#undef TAKE
    return used;
}

size_t ks_head_scratch(const ks_head *h)
{
    room r;
    return plan_room(&r, h, NULL);
}

/* Value `at` of q, k or v. */
static const char *value_at(const void *x, const ks_head *h, size_t at)
{
    return (const char *)x + at * (h->precision == KS_BF16 ? 2 : 4);
}

/* A row of the head as groups, the tail of the last one zero. */
static void put_row(uint32_t *to, const ks_head *h, const sizes *s, const char *x)
{
    to[s->width - 1] = 0;
    memcpy(to, x, (size_t)h->dh * (4 / s->group));
}

static void pack_keys(uint32_t *to, const ks_head *h, const sizes *s, int first, uint32_t *rows)
{
    int n = h->length - first < KS_PANEL ? h->length - first : KS_PANEL;
    const char *k = value_at(h->k, h, (size_t)first * h->step);
    to += (size_t)first * s->width;
    if (n == KS_PANEL && (size_t)h->dh % s->group == 0) {
        h->kernels->transpose(to, k, h->step / s->group, (int)s->width);
        return;
    }
    memset(rows, 0, KS_PANEL * s->width * 4);
    for (int i = 0; i < n; i++)
        put_row(rows + (size_t)i * s->width, h, s, value_at(k, h, (size_t)i * h->step));
    h->kernels->transpose(to, rows, s->width, (int)s->width);
}

/* Group g of values: keys g * group ..., every column of every panel. */
static void pack_values(uint32_t *to, const ks_head *h, const sizes *s, size_t g)
{
    for (size_t c = 0; c < s->columns; c++) {
        uint32_t *row = to + (c * s->keys / s->group + g) * KS_PANEL;
        size_t left = (size_t)h->dh - c * KS_PANEL, n = left < KS_PANEL ? left : KS_PANEL,
               key = g * s->group;
        const char *v = value_at(h->v, h, key * h->step + c * KS_PANEL);
        if (n < KS_PANEL || key + s->group > (size_t)h->length) memset(row, 0, KS_PANEL * 4);
        if (key >= (size_t)h->length) continue;
        if (h->precision == KS_FP32) memcpy(row, v, n * 4);
        else
            h->kernels->zip(row, v, key + 1 < (size_t)h->length ? value_at(v, h, h->step) : NULL,
                            n);
    }
}

void ks_head_pack(void *packed, const ks_head *h, int first, int n, void *scratch)
{
    sizes s = sizes_of(h);
    room r;
    uint32_t *keys = packed, *values = (uint32_t *)(void *)((char *)packed + key_bytes(&s));
    assert(first % KS_KEY_BLOCK == 0 && n <= KS_KEY_BLOCK);
    plan_room(&r, h, scratch);
    for (int i = first; i < first + n; i += KS_PANEL) pack_keys(keys, h, &s, i, r.q);
    size_t end = ((size_t)(first + n) + KS_PANEL - 1) / KS_PANEL * KS_PANEL;
    for (size_t g = (size_t)first / s.group; g < end / s.group; g++) pack_values(values, h, &s, g);
}

static int all_masked(const ks_head *h)
{
    for (int i = 0; h->masked && i < h->length; i++)
        if (!h->masked[(size_t)i * h->mask_step]) return 0;
    return h->masked != NULL;
}

/* keep[keys] of every query (or of one query, if causal): 1 or 0. */
static void fill_keep(float *keep, const ks_head *h, const sizes *s, int uniform)
{
    int rows = h->causal ? h->length : 1;
    for (int q = 0; q < rows; q++)
        for (int i = 0; i < (int)s->keys; i++) {
            int hidden = i >= h->length || (h->causal && i > q) ||
                         (h->masked && !uniform && h->masked[(size_t)i * h->mask_step]);
            keep[(size_t)q * s->keys + (size_t)i] = hidden ? 0.0f : 1.0f;
        }
}

typedef struct {
    const ks_head *head;
    const ks_queries *queries;
    sizes s;
    room r;
    const uint32_t *keys, *values;
    float scale;
    int shape; /* of the tiles, see ks_tile */
} job;

/* Queries row..row+n-1 of the block meet keys first..first+count-1. */
static void strip(job *j, int row, int n, size_t first, size_t count)
{
    const ks_head *h = j->head;
    const sizes *s = &j->s;
    ks_tile_fn *tile = h->kernels->tile[h->precision];
    size_t query = (size_t)(j->queries->first + row), keep_step = h->causal ? s->keys : 0;
    /* Keys that every query sees need no multiplication with 1. */
    size_t seen = h->causal || h->masked ? 0 : (size_t)h->length / KS_PANEL * KS_PANEL;
    ks_tile t = {.a = j->r.q + (size_t)row * s->width,
                 .lda = s->width,
                 .groups = s->width,
                 .rows = n,
                 .shape = &j->shape};
    for (size_t k = 0; k < count; k += KS_PANEL) {
        t.b = j->keys + (first + k) * s->width;
        tile(j->r.c, &t);
        ks_weights_sink w = {.p = j->r.p + k / s->group,
                             .step = j->r.p_step,
                             .half = h->precision == KS_BF16,
                             .keep = first + k < seen ? NULL
                                                      : j->r.keep + keep_step * query + first + k,
                             .keep_step = keep_step,
                             .scale = j->scale,
                             .sums = j->r.sums + (size_t)row * 16};
        h->kernels->weigh(&w, j->r.c, n);
    }
    t = (ks_tile){.a = j->r.p,
                  .lda = j->r.p_step,
                  .groups = count / s->group,
                  .rows = n,
                  .add = first > 0,
                  .shape = &j->shape};
    for (size_t c = 0; c < s->columns; c++) {
        t.b = j->values + (c * s->keys + first) / s->group * KS_PANEL;
        tile(j->r.o + (c * KS_QUERY_BLOCK + (size_t)row) * KS_PANEL, &t);
    }
}

static void put_out(const job *j)
{
    const ks_head *h = j->head;
    const ks_queries *q = j->queries;
    for (int i = 0; i < q->n; i++) {
        float sum = 0;
        for (int l = 0; l < 16; l++) sum += j->r.sums[i * 16 + l];
        for (size_t c = 0; c < j->s.columns; c++) {
            float *o = j->r.o + (c * KS_QUERY_BLOCK + (size_t)i) * KS_PANEL;
            size_t at = (size_t)i * q->ld + c * KS_PANEL, left = (size_t)h->dh - c * KS_PANEL;
            size_t n = left < KS_PANEL ? left : KS_PANEL;
            h->kernels->divide((char *)q->out + at * (q->half ? 2 : 4), q->half, o, sum, n);
        }
    }
}

void ks_head_attend(const ks_queries *q, const ks_head *h, const void *packed, void *scratch)
{
    job j = {.head = h, .queries = q, .s = sizes_of(h), .keys = packed};
    int rows = h->kernels->rows[h->precision], uniform = all_masked(h);
    assert(q->n > 0 && q->n <= KS_QUERY_BLOCK && q->first + q->n <= h->length && rows > 0);
    plan_room(&j.r, h, scratch);
    j.values = (const uint32_t *)(const void *)((const char *)packed + key_bytes(&j.s));
    j.scale = uniform ? 0.0f : 1.0f / sqrtf((float)h->dh);
    fill_keep(j.r.keep, h, &j.s, uniform);
    memset(j.r.sums, 0, (size_t)q->n * 16 * sizeof(float));
    for (int i = 0; i < q->n; i++)
        put_row(j.r.q + (size_t)i * j.s.width, h, &j.s,
                value_at(h->q, h, (size_t)(q->first + i) * h->step));
    for (size_t first = 0; first < j.s.keys; first += KS_KEY_BLOCK) {
        size_t count = j.s.keys - first < KS_KEY_BLOCK ? j.s.keys - first : KS_KEY_BLOCK;
        for (int row = 0; row < q->n; row += rows)
            strip(&j, row, q->n - row < rows ? q->n - row : rows, first, count);
    }
    if (h->kernels->leave) h->kernels->leave();
    put_out(&j);
}
