/* calibrate.c - how far above chance: what the background gives to each clip, and a cut-off with
 * a measured error.
 *
 * For a sentence q and a clip c: z = (c.q - level(q)) / median over the clips of the deviation
 * of c.b_1..c.b_n, where b are the background sentences. scale.c keeps the result. */
#include "query/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 2048 };                   /* clip pairs behind pair_mean */
static const double wanted_share = 0.22; /* of absent things that may be answered; see ks_cut_of */

/* --- pure parts --- */
double ks_deviation_of(const float *scores, int n, int stride)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < n; i++) sum += (double)scores[(size_t)i * (size_t)stride];
    for (int i = 0; i < n; i++) {
        double d = (double)scores[(size_t)i * (size_t)stride] - sum / n;
        squares += d * d;
    }
    return n ? sqrt(squares / n) : 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Linear between the neighbours; v is sorted. */
static double quantile(const double *v, int n, double p)
{
    double at = p * (n - 1);
    int i = (int)at;

    return i + 1 < n ? v[i] + (at - i) * (v[i + 1] - v[i]) : v[n - 1];
}

double ks_cut_of(double *best, int n, double share)
{
    double low, mid, width;

    if (n == 0) return 3; /* three deviations: only where there are no held-out sentences at all */
    qsort(best, (size_t)n, sizeof *best, by_value);
    low = quantile(best, n, 0.1);
    mid = quantile(best, n, 0.4);
    width = (mid - low) / (log(-log(0.1)) - log(-log(0.4)));
    if (!(width > 1e-6)) width = 1e-6;
    return fmax(low + width * (log(-log(0.1)) - log(-log(1 - share))), 1e-3);
}

double ks_score_of(double z, double cut)
{
    double u = z / cut;

    return u > 0 ? u * u / (1 + u * u) : 0;
}

/* --- making --- */
typedef struct {
    ks_scale *s;
    double *best; /* [held_out] largest cosine so far, with its gain; z at the end */
    int failed;
} measuring;

static int grow(ks_deviations *d, int64_t more)
{
    size_t n = (size_t)(d->n + more);
    int64_t *id;
    float *f;

    if (d->n + more <= d->room) return 0;
    n += n / 2 + 1024;
    if (!(id = realloc(d->id, n * sizeof *id))) return -1;
    d->id = id;
    if (!(f = realloc(d->mean, n * sizeof *f))) return -1;
    d->mean = f;
    if (!(f = realloc(d->deviation, n * sizeof *f))) return -1;
    d->deviation = f;
    d->room = (int64_t)n;
    return 0;
}

static double mean_of(const float *scores, int n, int stride)
{
    double sum = 0;

    for (int i = 0; i < n; i++) sum += (double)scores[(size_t)i * (size_t)stride];
    return n ? sum / n : 0;
}

void ks_scale_row(float *mean, float *deviation, const float *scores, int n, int stride)
{
    *mean = (float)mean_of(scores, n, stride);
    *deviation = (float)fmax(ks_deviation_of(scores, n, stride), 1e-6);
}

/* scores [sentences + held_out, m] */
static int measure_block(void *arg, const ks_clip *clips, const float *scores, int m)
{
    measuring *w = arg;
    ks_deviations *d = &w->s->clips;

    if (grow(d, m) < 0) {
        w->failed = 1;
        return 1;
    }
    for (int i = 0; i < m; i++, d->n++) {
        d->id[d->n] = clips[i].id;
        ks_scale_row(&d->mean[d->n], &d->deviation[d->n], scores + i, w->s->sentences, m);
        double gain = clips[i].reason == KS_REASON_SURVEY ? w->s->gain : 1;
        for (int h = 0; h < w->s->held_out; h++) {
            size_t row = (size_t)(w->s->sentences + h) * (size_t)m + (size_t)i;
            w->best[h] = fmax(w->best[h], gain * (double)scores[row]);
        }
    }
    return 0;
}

typedef struct {
    int64_t id;
    float mean, deviation;
} pair;

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const pair *)a)->id, y = ((const pair *)b)->id;

    return (x > y) - (x < y);
}

static int by_deviation(const void *a, const void *b)
{
    float x = ((const pair *)a)->deviation, y = ((const pair *)b)->deviation;

    return (x > y) - (x < y);
}

int ks_scale_settle(ks_scale *s)
{
    int64_t n = s->clips.n;
    pair *p = malloc((size_t)(n + 1) * sizeof *p);

    if (!p) return -1;
    for (int64_t i = 0; i < n; i++)
        p[i] = (pair){s->clips.id[i], s->clips.mean[i], s->clips.deviation[i]};
    qsort(p, (size_t)n, sizeof *p, by_deviation);
    s->median = n ? (double)p[n / 2].deviation : 1;
    qsort(p, (size_t)n, sizeof *p, by_id);
    for (int64_t i = 0; i < n; i++) {
        s->clips.id[i] = p[i].id;
        s->clips.mean[i] = p[i].mean;
        s->clips.deviation[i] = p[i].deviation;
    }
    free(p);
    return 0;
}

/* Text vectors of all sentences, background first. */
int ks_scale_encode(ks_scale *s, ks_encoder *enc, ks_error *e)
{
    int n = ks_background_count(0), held = ks_background_count(1), err;
    const char **words = malloc((size_t)(n + held) * sizeof *words);

    s->vectors = malloc((size_t)(n + held) * (size_t)s->dim * sizeof *s->vectors);
    if (!s->vectors || !words) {
        free(words);
        return ks_fail(e, KS_ENOMEM, "no memory for background sentences");
    }
    for (int i = 0; i < n + held; i++)
        words[i] = ks_background_sentence(i >= n, i >= n ? i - n : i);
    err = ks_text_vectors(s->vectors, NULL, enc, words, n + held, e);
    free(words);
    if (err < 0) return err;
    s->sentences = n;
    s->held_out = held;
    return 0;
}

double ks_scale_level(const ks_scale *s, const float *q)
{
    return s->level ? ks_dot(q, s->level, s->dim) * KS_LEVEL_SHARE : 0;
}

double ks_scale_z(const ks_scale *s, double cosine, double level)
{
    return (cosine - level) / s->median;
}

double ks_scale_value(const ks_scale *s, int words, double cosine, double level)
{
    return words ? ks_scale_z(s, cosine, level) : (cosine - s->pair_mean) / (1 - s->pair_mean);
}

double ks_scale_score(const ks_scale *s, int words, double value)
{
    return words ? ks_score_of(value, s->cut) : fmin(fmax(value, 0), 1);
}

/* Mean vector of up to 1024 clips, evenly spread over the sorted ids. */
static int find_level(ks_scale *s, ks_error *e)
{
    enum { SAMPLE = 1024 };
    int64_t step = s->clips.n / SAMPLE + 1, n = 0;
    double *sum = calloc((size_t)s->dim, sizeof *sum);
    float *v = malloc((size_t)s->dim * sizeof *v);
    int err = 0;

    free(s->level);
    s->level = malloc((size_t)s->dim * sizeof *s->level);
    if (!sum || !v || !s->level) err = ks_fail(e, KS_ENOMEM, "no memory for calibration");
    for (int64_t i = 0; i < s->clips.n && err == 0; i += step) {
        err = ks_index_clip_vector(v, s->dim, s->x, s->clips.id[i], e);
        for (int d = 0; d < s->dim && err == 0; d++) sum[d] += (double)v[d];
        n += err == 0;
        err = err == KS_EDAMAGED ? 0 : err; /* rotten since: left out */
    }
    for (int d = 0; d < s->dim && err == 0; d++) s->level[d] = (float)(n ? sum[d] / (double)n : 0);
    free(sum);
    free(v);
    return err;
}

/* best[held_out]: cosines in, z out; cut and false_positives from them. */
static void find_cut(ks_scale *s, double *best)
{
    const float *held_out = s->vectors + (size_t)s->sentences * (size_t)s->dim;
    int above = 0, n = s->clips.n ? s->held_out : 0;

    for (int h = 0; h < n; h++)
        best[h] = ks_scale_z(s, best[h], ks_scale_level(s, held_out + (size_t)h * (size_t)s->dim));
    s->cut = ks_cut_of(best, n, wanted_share);
    for (int h = 0; h < n; h++) above += best[h] >= s->cut;
    s->false_positives = n ? (double)above / n : 0;
}

/* Every clip against every sentence: deviations and the cut-off. Needs vectors. */
int ks_scale_measure(ks_scale *s, ks_error *e)
{
    measuring w = {.s = s, .best = malloc((size_t)s->held_out * sizeof *w.best)};
    int err;

    if (!w.best) return ks_fail(e, KS_ENOMEM, "no memory for calibration");
    for (int h = 0; h < s->held_out; h++) w.best[h] = -HUGE_VAL;
    free(s->clips.id);
    free(s->clips.mean);
    free(s->clips.deviation);
    s->clips = (ks_deviations){0};
    err = ks_index_scores(s->x, s->vectors, s->sentences + s->held_out, s->dim, NULL, measure_block,
                          &w, e);
    if (err >= 0 && (w.failed || ks_scale_settle(s) < 0))
        err = ks_fail(e, KS_ENOMEM, "no memory for calibration");
    if (err >= 0 && (err = find_level(s, e)) == 0) {
        s->measured = s->clips.n;
        find_cut(s, w.best);
    }
    free(w.best);
    return err < 0 ? err : 0;
}

/* Sampled cosines between clips, of different videos where there are several. */
int ks_scale_pairs(ks_scale *s, ks_error *e)
{
    enum { SAMPLE = 256 };
    int64_t video[SAMPLE];
    ks_clip clips[SAMPLE];
    size_t dim = (size_t)s->dim;
    float *v = malloc(SAMPLE * dim * sizeof *v);
    int n = 0, kept = 0, err;

    if (!v) return ks_fail(e, KS_ENOMEM, "no memory for calibration");
    err = ks_index_sample(clips, &n, SAMPLE, s->x, e);
    for (int i = 0; i < n && err == 0; i++) {
        err = ks_index_clip_vector(v + (size_t)kept * dim, s->dim, s->x, clips[i].id, e);
        if (err == 0) video[kept++] = clips[i].video;
        if (err == KS_EDAMAGED) err = 0;
    }
    if (err == 0) ks_pairs_of(&s->pair_mean, &s->pair_deviation, v, video, kept, s->dim);
    free(v);
    return err;
}

void ks_pairs_of(double *mean, double *deviation, const float *v, const int64_t *video, int n,
                 int dim)
{
    double sum = 0, squares = 0, weight = 0;
    int several = 0;

    for (int i = 1; i < n; i++) several |= video[i] != video[0];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            double dot;
            if (several && video[i] == video[j]) continue;
            dot = ks_dot(v + (size_t)i * (size_t)dim, v + (size_t)j * (size_t)dim, dim);
            sum += dot;
            squares += dot * dot;
            weight++;
        }
    *mean = weight ? fmin(sum / weight, 0.999) : 0;
    *deviation = weight ? sqrt(fmax(squares / weight - sum / weight * (sum / weight), 0)) : 0;
}

double ks_dot(const float *a, const float *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

float ks_quick_dot(const float *a, const float *b, int n)
{
    float lane[16] = {0}, sum = 0;
    int d = 0;

    for (; d + 16 <= n; d += 16)
        for (int j = 0; j < 16; j++) lane[j] += a[d + j] * b[d + j];
    for (; d < n; d++) sum += a[d] * b[d];
    for (int j = 0; j < 16; j++) sum += lane[j];
    return sum;
}

/* Sixteen at once: 400 labels and 588 words of each clip are half a second a million so, 7 s by
 * the library's. 2^k times a polynomial of the rest (Cephes' expf). */
static void exps(float v[16])
{
    float rest[16], power[16];
    int32_t bits[16];

    for (int i = 0; i < 16; i++) {
        float x = v[i] > -87.0f ? v[i] : -87.0f;
        int32_t k = (int32_t)(x * 1.44269504f - 0.5f);
        bits[i] = (int32_t)((uint32_t)(k + 127) << 23);
        rest[i] = x - (float)k * 0.693359375f + (float)k * 2.12194440e-4f;
    }
    memcpy(power, bits, sizeof power);
    for (int i = 0; i < 16; i++) {
        float r = rest[i];
        float p = (((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r +
                     4.1665795894e-2f) *
                        r +
                    1.6666665459e-1f) *
                       r +
                   5.0000001201e-1f);
        v[i] = (p * r * r + r + 1) * power[i];
    }
}

double ks_quick_exps(float *x, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i += 16) {
        size_t some = (size_t)(n - i < 16 ? n - i : 16) * sizeof *x;
        float v[16] = {0};
        memcpy(v, x + i, some);
        exps(v);
        memcpy(x + i, v, some);
        for (int k = 0; k < 16 && i + k < n; k++) sum += (double)v[k];
    }
    return sum;
}
