/* operand.c - rows as the products read them. */
#include <string.h>

#include "encoder/stack_pass.h"

size_t ks_operand_bytes(ks_precision precision, int m, int K)
{
    return ks_slice((size_t)m * ks_group_stride(precision, K), 4) +
           ks_slice((size_t)m, sizeof(float));
}

ks_operand ks_operand_at(char *at, ks_precision precision, int m, int K)
{
    size_t stride = ks_group_stride(precision, K);
    return (ks_operand){.a = at,
                        .lda = stride,
                        .row_scale = (float *)(void *)(at + ks_slice((size_t)m * stride, 4))};
}

void ks_operand_clear(const ks_operand *o, int m, size_t from)
{
    for (int r = 0; r < m; r++)
        memset((char *)o->a + (size_t)r * o->lda * 4 + from, 0, o->lda * 4 - from);
}

size_t ks_value_bytes(ks_precision precision) { return (size_t)(4 / ks_group_size(precision)); }

static float quantise(void *to, const ks_run *run, const float *y, size_t n)
{
    return run->precision == KS_INT8 ? run->kernels->quantise(to, y, n)
                                     : run->kernels->quantise16(to, y, n);
}

void ks_operand_quantise(const ks_operand *o, const ks_run *run, const float *y, size_t ldy, int m,
                         int n)
{
    for (int r = 0; r < m; r++)
        o->row_scale[r] = quantise((char *)o->a + (size_t)r * o->lda * 4, run, y + (size_t)r * ldy,
                                   (size_t)n);
}

void ks_operand_norm(const ks_operand *o, const ks_pass *p, const float *x, int m,
                     const ks_norm *norm, float *row)
{
    const ks_kernels *k = p->run->kernels;
    ks_precision precision = p->run->precision;
    int D = p->stack->D;
    size_t width = (size_t)D, value = ks_value_bytes(precision);
    ks_operand_clear(o, m, width * value);
    if (!ks_integers(precision)) {
        k->norm(o->a, o->lda * 4 / value, precision == KS_BF16, x, width, m, D, norm);
        return;
    }
    for (int r = 0; r < m; r++) {
        k->norm(row, width, 0, x + (size_t)r * width, width, 1, D, norm);
        o->row_scale[r] = quantise((char *)o->a + (size_t)r * o->lda * 4, p->run, row, width);
    }
}
