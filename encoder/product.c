/* product.c - see product.h. Panel by panel: a panel (98 KiB of float for K = 768) stays in the
 * second cache while all rows of the tile meet it; 128 bytes of it are read per 28
 * multiplications of 64, which the first cache need not hold. */
#include "encoder/product.h"

#include <assert.h>

enum { STRIP = KS_TILE_ROWS };

ks_product ks_product_of(const ks_kernels *k, const ks_matrix *w, const void *a, size_t lda, int m)
{
    return (ks_product){.kernels = k,
                        .w = w,
                        .a = a,
                        .lda = lda,
                        .m = m,
                        .panels = (w->N + KS_PANEL - 1) / KS_PANEL,
                        .groups = w->groups};
}

/* The product's groups of panel `panel`. */
static const char *panel_at(const ks_product *p, size_t panel)
{
    return (const char *)p->w->panels + (panel * p->w->groups + p->group) * KS_PANEL * 4;
}

/* Where the rows from `row` on begin to fetch the panel after this one: a strip fetches a line a
 * group, half of the panel, so the first strip begins at its start and the last one in its
 * middle. NULL after the last panel. Of weights that come from memory, on a Zen 5 with both
 * cores busy: fp32 217 -> 250 GFLOP/s a core, bf16 410 -> 490. */
static const char *ahead_of(const ks_product *p, int row, size_t panel)
{
    int rest = p->m - p->kernels->rows[p->w->precision];
    size_t share = rest > 0 ? p->groups * (size_t)row / (size_t)rest : 0;
    if (panel + 1 == (size_t)(p->first + p->panels)) return NULL;
    return panel_at(p, panel + 1) + (share < p->groups ? share : p->groups) * 64;
}

/* c[rows, 32]: rows from `row`, panel `panel`. */
static void strip(float *c, const ks_product *p, int row, int rows, size_t panel, int *shape)
{
    const ks_matrix *w = p->w;
    const char *a = (const char *)p->a + ((size_t)row * p->lda) * 4;
    const char *b = panel_at(p, panel), *ahead = ahead_of(p, row, panel);
    int whole = w->precision == KS_INT8 || (w->precision == KS_BF16 && p->kernels->one_chain);
    size_t chain = whole ? p->groups : w->chain;
    for (size_t g = 0; g < p->groups; g += chain) {
        ks_tile t = {.a = a + g * 4,
                     .lda = p->lda,
                     .b = b + g * KS_PANEL * 4,
                     .rows = rows,
                     .add = g > 0,
                     .groups = p->groups - g < chain ? p->groups - g : chain,
                     .ahead = ahead ? ahead + g * 64 : NULL,
                     .shape = shape};
        p->kernels->tile[w->precision](c, &t);
    }
}

/* Integers: where the sums' scales are, for a row and a panel. */
static void put_scales(ks_sink *s, const ks_product *p, int row, size_t panel)
{
    const ks_matrix *w = p->w;
    size_t columns = ((size_t)w->N + KS_PANEL - 1) / KS_PANEL * KS_PANEL;
    size_t at = p->group / w->block * columns + panel * KS_PANEL;
    s->row_scale = p->row_scale + row;
    s->column_scale = w->scale + at;
    s->shift = w->shift ? w->shift + at : NULL;
}

void ks_product_run(const ks_product *p, const ks_sink *sink)
{
    _Alignas(64) float c[STRIP * KS_PANEL];
    int rows = p->kernels->rows[p->w->precision], shape = 0;
    size_t size = sink->half ? 2 : 4;
    assert(rows > 0 && rows <= STRIP && p->group + p->groups <= p->w->groups);
    for (int i = 0; i < p->panels; i++) {
        int columns = p->w->N - (p->first + i) * KS_PANEL;
        for (int row = 0; row < p->m; row += rows) {
            int n = p->m - row < rows ? p->m - row : rows;
            ks_sink s = *sink;
            s.y = (char *)sink->y + ((size_t)row * sink->ldy + (size_t)i * KS_PANEL) * size;
            s.bias = sink->bias ? sink->bias + i * KS_PANEL : NULL;
            s.masked = sink->masked ? sink->masked + row : NULL;
            if (ks_integers(p->w->precision)) put_scales(&s, p, row, (size_t)(p->first + i));
            strip(c, p, row, n, (size_t)(p->first + i), &shape);
            p->kernels->finish(&s, c, n, columns < KS_PANEL ? columns : KS_PANEL);
        }
    }
    if (p->kernels->leave) p->kernels->leave();
}
