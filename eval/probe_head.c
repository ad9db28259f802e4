/* probe_head.c - the official classifier's head, forwards and backwards, a clip at a time.
 *
 *   q = (query Wq + bq) s       s = 1.442695041 softplus(dims) / sqrt(p), the same for every head
 *   u_h = Wk_h q_h              (the key's bias shifts all logits of a head alike: its gradient
 *                               is 0)
 *   a = softmax over tokens of X u_h;  z_h = a X;  heads_h = z_h Wv_h + bv;  y = heads Wo^T + bo
 *   unit = (y - mean) / sqrt(variance + 1e-6);  g = unit (1 + scale) + bias;  logits = g kernel
 *                                               + bias
 * Tokens are constants, so no gradient goes there, and with dz_h = Wv_h d_heads_h
 *   d(X u_h) = a (X dz_h - z_h dz_h);  du_h = d(X u_h) X.
 * Source of the mathematics: layers.py AttenTokenPoolingLayer, PerDimScale, LayerNorm; encoders.py
 * FactorizedVideoClassifier. Every library call has one thread and a shape that depends on
 * neither threads nor batch's place, so the bits do not either. */
#include "eval/probe.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POOLER    "atten_pooler/"
#define ATTENTION POOLER "pooling_attention/"
const char *const ks_head_names[KS_HEAD_TENSORS] = {POOLER "pooling_attention_query",
                                                    ATTENTION "query/w",
                                                    ATTENTION "query/b",
                                                    ATTENTION "key/w",
                                                    ATTENTION "key/b",
                                                    ATTENTION "value/w",
                                                    ATTENTION "value/b",
                                                    ATTENTION "per_dim_scale/per_dim_scale",
                                                    ATTENTION "post/w",
                                                    ATTENTION "post/b",
                                                    POOLER "pooling_attention_layer_norm/scale",
                                                    POOLER "pooling_attention_layer_norm/bias",
                                                    "projection/linear/kernel",
                                                    "projection/linear/bias"};

static int no_memory(ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "no memory for the head of a probe");
}

static size_t aligned(size_t floats) { return (floats + 15) & ~(size_t)15; }

/* [n] zeros, 64-byte aligned. */
static float *zeros(size_t n)
{
    float *x = n > SIZE_MAX / sizeof *x - 64 ? NULL
                                             : aligned_alloc(64, aligned(n ? n : 1) * sizeof *x);
    if (x) memset(x, 0, aligned(n ? n : 1) * sizeof *x);
    return x;
}

int ks_head_new(ks_head *h, int D, int H, int C, ks_error *e)
{
    size_t d = (size_t)D, p = d / (size_t)H, c = (size_t)C, at = 0;
    *h = (ks_head){.D = D,
                   .H = H,
                   .C = C,
                   .count = {d, d * d, d, d * d, d, d * d, d, p, d * d, d, d, d, d * c, c}};
    for (int i = 0; i < KS_HEAD_TENSORS; i++) h->n += aligned(h->count[i]);
    h->all = zeros(h->n);
    if (!h->all) return no_memory(e);
    for (int i = 0; i < KS_HEAD_TENSORS; i++) {
        h->at[i] = h->all + at;
        at += aligned(h->count[i]);
    }
    return 0;
}

void ks_head_free(ks_head *h)
{
    free(h->all);
    *h = (ks_head){0};
}

int ks_head_batch_new(ks_head_batch *b, const ks_head *w, int B, ks_error *e)
{
    size_t D = (size_t)w->D, HD = (size_t)w->H * D, C = (size_t)w->C, n = (size_t)B, at = 0;
    *b = (ks_head_batch){.B = B};
    float **const part[] = {&b->z,    &b->du, &b->heads, &b->d_heads,  &b->dy,
                            &b->unit, &b->g,  &b->dg,    &b->d_logits, &b->logits};
    const size_t width[] = {HD, HD, D, D, D, D, D, D, C, C};
    b->all = zeros(n * (2 * HD + 6 * D + 2 * C) + 16 * sizeof part / sizeof *part);
    b->loss = calloc(n, sizeof *b->loss);
    if (!b->all || !b->loss) {
        ks_head_batch_free(b);
        return no_memory(e);
    }
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        *part[i] = b->all + at;
        at += aligned(n * width[i]);
    }
    return 0;
}

void ks_head_batch_free(ks_head_batch *b)
{
    free(b->all);
    free(b->loss);
    *b = (ks_head_batch){0};
}

/* --- the query, once a step --- */

int ks_head_ready_new(ks_head_ready *r, const ks_head *w, ks_error *e)
{
    size_t D = (size_t)w->D;
    *r = (ks_head_ready){.w = w};
    r->query = zeros(D);
    r->scaled = zeros(D);
    r->u = zeros((size_t)w->H * D);
    if (r->query && r->scaled && r->u) return 0;
    ks_head_ready_free(r);
    return no_memory(e);
}

void ks_head_ready_free(ks_head_ready *r)
{
    free(r->query);
    free(r->scaled);
    free(r->u);
    *r = (ks_head_ready){0};
}

static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

static double dim_scale(const ks_head *w, int i)
{
    int p = w->D / w->H;
    return 1.442695041 / sqrt(p) * softplus(w->at[KS_HEAD_DIMS][i % p]);
}

void ks_head_ready_set(ks_head_ready *r)
{
    const ks_head *w = r->w;
    int D = w->D, H = w->H, p = D / H;
    memcpy(r->query, w->at[KS_HEAD_BQ], (size_t)D * sizeof *r->query);
    cblas_sgemv(CblasRowMajor, CblasTrans, D, D, 1, w->at[KS_HEAD_WQ], D, w->at[KS_HEAD_QUERY], 1,
                1, r->query, 1);
    for (int i = 0; i < D; i++) r->scaled[i] = (float)(r->query[i] * dim_scale(w, i));
    for (int h = 0; h < H; h++)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, D, p, 1, w->at[KS_HEAD_WK] + h * p, D,
                    r->scaled + h * p, 1, 0, r->u + (size_t)h * (size_t)D, 1);
}

/* --- a clip --- */

/* unit[D] of y[D]; returns 1 / sqrt(variance + 1e-6). */
static double normalise(float *unit, const float *y, int D)
{
    double mean = 0, variance = 0;
    for (int d = 0; d < D; d++) mean += y[d];
    mean /= D;
    for (int d = 0; d < D; d++) variance += (y[d] - mean) * (y[d] - mean);
    double inverse = 1 / sqrt(variance / D + 1e-6);
    for (int d = 0; d < D; d++) unit[d] = (float)((y[d] - mean) * inverse);
    return inverse;
}

void ks_head_pool(float *g, const float *x, int64_t M, int D)
{
    double y;
    for (int d = 0; d < D; d++) {
        y = 0;
        for (int64_t m = 0; m < M; m++) y += x[m * D + d];
        g[d] = (float)(y / (double)M);
    }
    normalise(g, g, D);
}

/* a[M, H] becomes its softmax over M. */
static void soften(float *a, int64_t M, int H)
{
    for (int h = 0; h < H; h++) {
        float top = -INFINITY;
        double sum = 0;
        for (int64_t m = 0; m < M; m++) top = a[m * H + h] > top ? a[m * H + h] : top;
        for (int64_t m = 0; m < M; m++) {
            a[m * H + h] = expf(a[m * H + h] - top);
            sum += a[m * H + h];
        }
        for (int64_t m = 0; m < M; m++) a[m * H + h] = (float)(a[m * H + h] / sum);
    }
}

/* d_logits and loss of a row, of its logits. */
static void judge(ks_head_batch *b, int i, int C, const ks_head_clip *clip)
{
    const float *o = b->logits + (size_t)i * (size_t)C;
    float *d = b->d_logits + (size_t)i * (size_t)C;
    double top = -INFINITY, sum = 0;
    for (int c = 0; c < C; c++) top = o[c] > top ? o[c] : top;
    for (int c = 0; c < C; c++) sum += exp(o[c] - top);
    for (int c = 0; c < C; c++)
        d[c] = (float)(clip->weight * (exp(o[c] - top) / sum - (c == clip->label)));
    b->loss[i] = top + log(sum) - o[clip->label];
}

void ks_head_run_last(ks_head_batch *b, int i, const ks_head *w, const ks_head_clip *clip)
{
    int D = w->D, C = w->C;
    float *o = b->logits + (size_t)i * (size_t)C;
    memcpy(o, w->at[KS_HEAD_BIAS], (size_t)C * sizeof *o);
    cblas_sgemv(CblasRowMajor, CblasTrans, D, C, 1, w->at[KS_HEAD_KERNEL], C,
                b->g + (size_t)i * (size_t)D, 1, 1, o, 1);
    if (clip->label >= 0) judge(b, i, C, clip);
}

/* From d_logits back to dy and d_heads. `inverse`: of the LayerNorm. */
static void back_to_heads(ks_head_batch *b, int i, const ks_head *w, double inverse)
{
    int D = w->D, C = w->C;
    size_t row = (size_t)i * (size_t)D;
    const float *unit = b->unit + row, *scale = w->at[KS_HEAD_LN_SCALE];
    float *dg = b->dg + row, *dy = b->dy + row;
    double mean = 0, along = 0;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, D, C, 1, w->at[KS_HEAD_KERNEL], C,
                b->d_logits + (size_t)i * (size_t)C, 1, 0, dg, 1);
    for (int d = 0; d < D; d++) {
        double du = dg[d] * (1.0 + scale[d]);
        mean += du / D;
        along += du * unit[d] / D;
    }
    for (int d = 0; d < D; d++)
        dy[d] = (float)((dg[d] * (1.0 + scale[d]) - mean - unit[d] * along) * inverse);
    cblas_sgemv(CblasRowMajor, CblasTrans, D, D, 1, w->at[KS_HEAD_WO], D, dy, 1, 0,
                b->d_heads + row, 1);
}

/* du of row i; a[M, H] is the clip's softmax, da[M, H] scratch. */
static void back_to_query(ks_head_batch *b, int i, const ks_head *w, const ks_head_clip *clip)
{
    int D = w->D, H = w->H, p = D / H, M = (int)clip->M;
    size_t HD = (size_t)H * (size_t)D;
    float *du = b->du + (size_t)i * HD, *z = b->z + (size_t)i * HD, *a = clip->scratch,
          *da = a + (size_t)M * (size_t)H;
    for (int h = 0; h < H; h++) /* dz in du's place for now */
        cblas_sgemv(CblasRowMajor, CblasNoTrans, D, p, 1, w->at[KS_HEAD_WV] + h * p, D,
                    b->d_heads + (size_t)i * (size_t)D + h * p, 1, 0, du + (size_t)h * (size_t)D,
                    1);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, M, H, D, 1, clip->x, D, du, D, 0, da, H);
    for (int h = 0; h < H; h++) {
        double all = 0;
        for (int d = 0; d < D; d++) all += (double)z[h * D + d] * du[h * D + d];
        for (int64_t m = 0; m < clip->M; m++)
            da[m * H + h] = (float)(a[m * H + h] * (da[m * H + h] - all));
    }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, H, D, M, 1, da, H, clip->x, D, 0, du, D);
}

void ks_head_run(ks_head_batch *b, int i, const ks_head_ready *r, const ks_head_clip *clip)
{
    const ks_head *w = r->w;
    int D = w->D, H = w->H, p = D / H, M = (int)clip->M;
    size_t row = (size_t)i * (size_t)D;
    float *a = clip->scratch, *z = b->z + row * (size_t)H, *heads = b->heads + row, *y = b->g + row;
    assert(clip->M > 0 && clip->M <= INT32_MAX / H);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, M, H, D, 1, clip->x, D, r->u, D, 0, a, H);
    soften(a, clip->M, H);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, H, D, M, 1, a, H, clip->x, D, 0, z, D);
    memcpy(heads, w->at[KS_HEAD_BV], (size_t)D * sizeof *heads);
    for (int h = 0; h < H; h++)
        cblas_sgemv(CblasRowMajor, CblasTrans, D, p, 1, w->at[KS_HEAD_WV] + h * p, D,
                    z + (size_t)h * (size_t)D, 1, 1, heads + h * p, 1);
    memcpy(y, w->at[KS_HEAD_BO], (size_t)D * sizeof *y);
    cblas_sgemv(CblasRowMajor, CblasNoTrans, D, D, 1, w->at[KS_HEAD_WO], D, heads, 1, 1, y, 1);
    double inverse = normalise(b->unit + row, y, D);
    for (int d = 0; d < D; d++)
        b->g[row + (size_t)d] = b->unit[row + (size_t)d] * (1 + w->at[KS_HEAD_LN_SCALE][d]) +
                                w->at[KS_HEAD_LN_BIAS][d];
    ks_head_run_last(b, i, w, clip);
    if (clip->label < 0) return;
    back_to_heads(b, i, w, inverse);
    back_to_query(b, i, w, clip);
}

/* --- gradients of a batch: sums over its rows --- */

/* out[cols] = the rows of x[n, cols] added up. */
static void add_up(float *out, const float *x, int n, int cols)
{
    for (int c = 0; c < cols; c++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += x[(size_t)i * (size_t)cols + (size_t)c];
        out[c] = (float)sum;
    }
}

static void last_gradient(ks_head *grad, const ks_head_batch *b, int n)
{
    int D = grad->D, C = grad->C;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, C, n, 1, b->g, D, b->d_logits, C, 0,
                grad->at[KS_HEAD_KERNEL], C);
    add_up(grad->at[KS_HEAD_BIAS], b->d_logits, n, C);
}

static void output_gradient(ks_head *grad, const ks_head_batch *b, int n)
{
    int D = grad->D;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, D, n, 1, b->dy, D, b->heads, D, 0,
                grad->at[KS_HEAD_WO], D);
    add_up(grad->at[KS_HEAD_BO], b->dy, n, D);
    add_up(grad->at[KS_HEAD_BV], b->d_heads, n, D);
    add_up(grad->at[KS_HEAD_LN_BIAS], b->dg, n, D);
    for (int d = 0; d < D; d++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += (double)b->dg[i * D + d] * b->unit[i * D + d];
        grad->at[KS_HEAD_LN_SCALE][d] = (float)sum;
    }
}

static void value_gradient(ks_head *grad, int h, const ks_head_batch *b, int n)
{
    int D = grad->D, HD = grad->H * D, p = D / grad->H;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, p, n, 1, b->z + (size_t)h * (size_t)D,
                HD, b->d_heads + h * p, D, 0, grad->at[KS_HEAD_WV] + h * p, D);
}

/* From du of the batch to everything that makes the query. */
static void query_gradient(ks_head *grad, const ks_head_ready *r, const ks_head_batch *b, int n)
{
    const ks_head *w = r->w;
    int D = w->D, H = w->H, p = D / H;
    float *du = b->du, *dq = grad->at[KS_HEAD_BQ]; /* row 0 of du takes the sum */
    add_up(du, b->du, n, H * D);
    memset(dq, 0, (size_t)D * sizeof *dq);
    for (int h = 0; h < H; h++) {
        const float *u = du + (size_t)h * (size_t)D;
        for (int d = 0; d < D; d++)
            for (int i = h * p; i < h * p + p; i++)
                grad->at[KS_HEAD_WK][(size_t)d * (size_t)D + (size_t)i] = u[d] * r->scaled[i];
        cblas_sgemv(CblasRowMajor, CblasTrans, D, p, 1, w->at[KS_HEAD_WK] + h * p, D, u, 1, 0,
                    dq + h * p, 1);
    }
    for (int i = 0; i < p; i++) {
        double sum = 0, x = w->at[KS_HEAD_DIMS][i];
        for (int k = i; k < D; k += p) sum += (double)r->query[k] * dq[k];
        grad->at[KS_HEAD_DIMS][i] = (float)(sum * 1.442695041 / sqrt(p) / (1 + exp(-x)));
    }
    for (int i = 0; i < D; i++) dq[i] = (float)(dq[i] * dim_scale(w, i));
    for (int d = 0; d < D; d++)
        for (int i = 0; i < D; i++)
            grad->at[KS_HEAD_WQ][(size_t)d * (size_t)D + (size_t)i] = w->at[KS_HEAD_QUERY][d] *
                                                                      dq[i];
    cblas_sgemv(CblasRowMajor, CblasNoTrans, D, D, 1, w->at[KS_HEAD_WQ], D, dq, 1, 0,
                grad->at[KS_HEAD_QUERY], 1);
}

int ks_head_pieces(const ks_head *w, int last) { return last ? 1 : 3 + w->H; }

void ks_head_gradient(ks_head *grad, int piece, const ks_head_ready *r, const ks_head_batch *b,
                      int n)
{
    if (piece == 0) last_gradient(grad, b, n);
    else if (piece == 1) output_gradient(grad, b, n);
    else if (piece == 2) query_gradient(grad, r, b, n);
    else value_gradient(grad, piece - 3, b, n);
}
