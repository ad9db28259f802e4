/* panels.c - see panels.h. */
#include "encoder/panels.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int ks_group_size(ks_precision precision)
{
    return precision == KS_INT8 ? 4 : precision == KS_FP32 ? 1 : 2;
}

size_t ks_groups(ks_precision precision, int K)
{
    /* A tile of AMX takes 16 groups; a panel that ends with zeros costs the others nothing. */
    size_t g = (size_t)ks_group_size(precision), n = ((size_t)K + g - 1) / g;
    return precision == KS_FP32 ? n : (n + 15) / 16 * 16;
}

size_t ks_group_stride(ks_precision precision, int K)
{
    return (ks_groups(precision, K) + 15) / 16 * 16 + 16;
}

static size_t panels_of(const ks_matrix *m) { return ((size_t)m->N + KS_PANEL - 1) / KS_PANEL; }

static size_t blocks_of(const ks_matrix *m)
{
    return ks_integers(m->precision) ? (m->groups + m->block - 1) / m->block : 0;
}

ks_matrix ks_matrix_plan(ks_precision precision, int K, int N, int K_block, const ks_source *source)
{
    ks_matrix m = {.K = K,
                   .N = N,
                   .precision = precision,
                   .groups = ks_groups(precision, K),
                   .source = *source,
                   .chain = precision == KS_INT16 ? KS_INT16_CHAIN : KS_CHAIN};
    assert(precision >= KS_FP32 && precision <= KS_INT16);
    assert(K_block % 64 == 0 && N % source->parts == 0);
    m.block = K_block ? (size_t)(K_block / ks_group_size(precision)) : m.groups;
    return m;
}

static size_t round_line(size_t bytes) { return (bytes + 63) / 64 * 64; }

size_t ks_matrix_bytes(const ks_matrix *m)
{
    return round_line(panels_of(m) * KS_PANEL * (m->groups * 4 + blocks_of(m) * 8));
}

void ks_matrix_point(ks_matrix *m, const void *at)
{
    const char *p = at;
    size_t columns = panels_of(m) * KS_PANEL;
    m->panels = p;
    p += columns * m->groups * 4;
    m->scale = (const float *)(const void *)p;
    m->shift = m->precision == KS_INT8
                   ? (const int32_t *)(const void *)(p + blocks_of(m) * columns * 4)
                   : NULL;
}

/* panel[K, 32] of floats, columns from 32 * index; columns past N are zero. */
static void gather(float *panel, const ks_matrix *m, size_t index)
{
    size_t width = (size_t)(m->N / m->source.parts), K = (size_t)m->K;
    for (size_t c = 0; c < KS_PANEL; c++) {
        size_t n = index * KS_PANEL + c;
        const float *w = n < (size_t)m->N ? m->source.w[n / width] : NULL;
        for (size_t k = 0; k < K; k++)
            panel[k * KS_PANEL + c] = !w                     ? 0
                                      : m->source.transposed ? w[n % width * K + k]
                                                             : w[k * width + n % width];
    }
}

static void fill_half(uint16_t *to, const float *panel, const ks_matrix *m)
{
    const ks_kernels *plain = ks_kernels_plain();
    uint16_t row[KS_PANEL];
    memset(to, 0, m->groups * KS_PANEL * 4);
    for (size_t k = 0; k < (size_t)m->K; k++) {
        plain->halve(row, panel + k * KS_PANEL, KS_PANEL);
        for (size_t c = 0; c < KS_PANEL; c++) to[(k / 2 * KS_PANEL + c) * 2 + k % 2] = row[c];
    }
}

/* One column of one block: its scale, its values, its shift. */
static void fill_column(int8_t *to, float *scale, int32_t *shift, const float *column, size_t n)
{
    float top = 0;
    int32_t sum = 0;
    for (size_t k = 0; k < n; k++)
        top = fabsf(column[k * KS_PANEL]) > top ? fabsf(column[k * KS_PANEL]) : top;
    *scale = top / 127.0f;
    for (size_t k = 0; k < n; k++) {
        int value = top > 0 ? (int)lrintf(column[k * KS_PANEL] / *scale) : 0;
        to[k / 4 * KS_PANEL * 4 + k % 4] = (int8_t)value;
        sum += value;
    }
    *shift = 128 * sum;
}

static void fill_bytes(char *to, size_t index, const float *panel, const ks_matrix *m)
{
    size_t columns = panels_of(m) * KS_PANEL, at = index * KS_PANEL, blocks = blocks_of(m);
    int8_t *values = (int8_t *)to + at * m->groups * 4;
    float *scale = (float *)(void *)(to + columns * m->groups * 4);
    int32_t *shift = (int32_t *)(void *)(scale + blocks * columns);
    memset(values, 0, m->groups * KS_PANEL * 4);
    for (size_t b = 0; b < blocks; b++)
        for (size_t c = 0; c < KS_PANEL; c++) {
            size_t k = b * m->block * 4,
                   n = (size_t)m->K - k < m->block * 4 ? (size_t)m->K - k : m->block * 4;
            fill_column(values + (b * m->block * KS_PANEL + c) * 4, &scale[b * columns + at + c],
                        &shift[b * columns + at + c], panel + k * KS_PANEL + c, n);
        }
}

static void fill_shorts(char *to, size_t index, const float *panel, const ks_matrix *m)
{
    size_t columns = panels_of(m) * KS_PANEL, at = index * KS_PANEL, step = m->block * 2;
    int16_t *values = (int16_t *)(void *)to + at * m->groups * 2;
    float *scales = (float *)(void *)(to + columns * m->groups * 4);
    memset(values, 0, m->groups * KS_PANEL * 4);
    for (size_t b = 0; b < blocks_of(m); b++)
        for (size_t c = 0; c < KS_PANEL; c++) {
            size_t from = b * step, end = (size_t)m->K - from < step ? (size_t)m->K : from + step;
            float top = 0;
            for (size_t k = from; k < end; k++) top = fmaxf(top, fabsf(panel[k * KS_PANEL + c]));
            float scale = top / (float)KS_INT16_TOP;
            scales[b * columns + at + c] = scale;
            for (size_t k = from; k < end; k++)
                values[(k / 2 * KS_PANEL + c) * 2 + k % 2] =
                    (int16_t)(top > 0 ? lrintf(panel[k * KS_PANEL + c] / scale) : 0);
        }
}

void ks_matrix_fill(void *to, const ks_matrix *m, float *panel)
{
    char *at = to;
    size_t size = m->groups * KS_PANEL * 4;
    for (size_t p = 0; p < panels_of(m); p++) {
        gather(panel, m, p);
        if (m->precision == KS_FP32) memcpy(at + p * size, panel, size);
        else if (m->precision == KS_BF16) fill_half((uint16_t *)(void *)(at + p * size), panel, m);
        else if (m->precision == KS_INT16) fill_shorts(at, p, panel, m);
        else fill_bytes(at, p, panel, m);
    }
}

typedef struct {
    ks_matrix *const *matrices;
    int n;
    ks_weights *w;
} layout;

static int put_matrix(ks_pack_sink *sink, const ks_matrix *m, ks_error *e)
{
    size_t bytes = ks_matrix_bytes(m);
    float *panel = malloc((size_t)m->K * KS_PANEL * sizeof *panel);
    void *to = calloc(bytes, 1);
    int err = panel && to ? 0 : ks_fail(e, KS_ENOMEM, "no memory to pack the model's weights");
    if (!err) {
        ks_matrix_fill(to, m, panel);
        err = ks_pack_put(sink, m->at, to, bytes, e);
    }
    free(panel);
    free(to);
    return err;
}

/* m with its sources found: they are loaded, or were given. */
static ks_matrix with_sources(const ks_matrix *m, const ks_weights *w)
{
    ks_matrix found = *m;
    for (int p = 0; p < m->source.parts; p++) {
        const float *x = m->source.w[p];
        if (!x) memcpy(&x, (const char *)w + m->source.field[p], sizeof x), x += m->source.from;
        found.source.w[p] = x;
    }
    return found;
}

static int same_fields(const ks_source *a, const ks_source *b)
{
    return a->parts == b->parts && memcmp(a->field, b->field, sizeof a->field) == 0;
}

/* A stack's tensor holds all its layers: one is loaded once, for all matrices that are made of
 * it. */
static int fill(void *arg, ks_pack_sink *sink, ks_error *e)
{
    layout *l = arg;
    int err = 0;
    for (int i = 0; i < l->n && !err; i++) {
        const ks_source *s = &l->matrices[i]->source;
        int first = i, lazy = !s->w[0];
        for (int k = i; k-- > 0 && lazy;)
            if (same_fields(&l->matrices[k]->source, s)) first = k;
        if (first < i) continue;
        for (int p = 0; p < s->parts && lazy && !err; p++)
            err = ks_weights_load(l->w, s->field[p], e);
        for (int k = i; k < l->n && !err; k++) {
            if (k > i && (!lazy || !same_fields(&l->matrices[k]->source, s))) continue;
            ks_matrix m = with_sources(l->matrices[k], l->w);
            err = put_matrix(sink, &m, e);
        }
        for (int p = 0; p < s->parts && lazy; p++) ks_weights_unload(l->w, s->field[p]);
    }
    return err;
}

int ks_matrices_open(ks_pack *pack, ks_matrix *const *matrices, int n, ks_weights *w,
                     const char *suffix, ks_error *e)
{
    layout l = {matrices, n, w};
    size_t bytes = 0;
    for (int i = 0; i < n; i++) {
        matrices[i]->at = bytes;
        bytes += ks_matrix_bytes(matrices[i]);
    }
    int err = ks_pack_open(pack, &(ks_pack_name){w->cache, w->info.hash, suffix, bytes}, fill, &l,
                           e);
    for (int i = 0; i < n && !err; i++) ks_matrix_point(matrices[i], pack->data + matrices[i]->at);
    return err;
}
