/* attention.c - see attention.h. The products are BLAS, single-threaded.
 *
 * No maximum is subtracted before exp: the cap keeps every logit in [-50, 50], e^50 = 5e21, and even
 * 2^60 of them sum within float's range; what is lost by e^-50 is zero beside anything. */
#include "encoder/attention.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>

static int all_masked(const ks_head *head)
{
    for (int i = 0; i < head->length; i++)
        if (!head->masked[(size_t)i * head->mask_step])
            return 0;
    return 1;
}

/* p[length] from logits in place; returns the sum. uniform: every key counts the same. */
static float weigh(const ks_head *head, float *p, int query, int uniform)
{
    float sum = 0;
    for (int i = 0; i < head->length; i++) {
        int hidden = (head->causal && i > query) || (head->masked && head->masked[(size_t)i * head->mask_step]);
        p[i] = uniform ? 1.0f : hidden ? 0.0f : (float)exp((double)head->cap * tanh((double)p[i] / (double)head->cap));
        sum += p[i];
    }
    return sum;
}

void ks_attend_plain(const ks_head *head, int first, int n, float *scores)
{
    assert(n > 0 && n <= KS_QUERY_BLOCK && head->cap > 0 && first + n <= head->length);
    float sums[KS_QUERY_BLOCK];
    int uniform = head->masked && all_masked(head);
    blasint step = (blasint)head->step;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, head->length, head->dh, 1.0f / sqrtf((float)head->dh),
                head->q + (size_t)first * head->step, step, head->k, step, 0.0f, scores, head->length);
    for (int r = 0; r < n; r++)
        sums[r] = weigh(head, scores + (size_t)r * (size_t)head->length, first + r, uniform);
    float *out = head->out + (size_t)first * head->out_step;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, head->dh, head->length, 1.0f, scores, head->length,
                head->v, step, 0.0f, out, (blasint)head->out_step);
    for (int r = 0; r < n; r++)
        for (int d = 0; d < head->dh; d++)
            out[(size_t)r * head->out_step + (size_t)d] /= sums[r];
}
