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

void ks_operand_quantise(const ks_operand *o, const ks_kernels *k, const float *y, size_t ldy,
                         int m, int n)
{
    ks_operand_clear(o, m, (size_t)n);
    for (int r = 0; r < m; r++)
        o->row_scale[r] = k->quantise((uint8_t *)o->a + (size_t)r * o->lda * 4, y + (size_t)r * ldy,
                                      (size_t)n);
}

void ks_operand_norm(const ks_operand *o, const ks_pass *p, const float *x, int m,
                     const ks_norm *norm, float *row)
{
    const ks_kernels *k = p->run->kernels;
    ks_precision precision = p->run->precision;
    int D = p->stack->D;
    size_t width = (size_t)D, value = precision == KS_FP32 ? 4 : precision == KS_BF16 ? 2 : 1;
    ks_operand_clear(o, m, width * value);
    if (precision != KS_INT8) {
        k->norm(o->a, o->lda * 4 / value, precision == KS_BF16, x, width, m, D, norm);
        return;
    }
    for (int r = 0; r < m; r++) {
        k->norm(row, width, 0, x + (size_t)r * width, width, 1, D, norm);
        o->row_scale[r] = k->quantise((uint8_t *)o->a + (size_t)r * o->lda * 4, row, width);
    }
}
