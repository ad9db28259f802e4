/* measures.c - ranks and scores become the figures of the field. */
#include "eval/eval.h"
#include "eval/ranks.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

void ks_wilson(double *low, double *high, int64_t hits, int64_t n)
{
    assert(low && high && hits >= 0 && hits <= n);
    const double z = 1.959963984540054; /* of 95 % */
    *low = *high = NAN;
    if (n == 0) return;
    double p = (double)hits / (double)n, m = (double)n,
           middle = (p + z * z / (2 * m)) / (1 + z * z / m);
    double half = z / (1 + z * z / m) * sqrt(p * (1 - p) / m + z * z / (4 * m * m));
    *low = hits == 0 ? 0 : middle - half;
    *high = hits == n ? 1 : middle + half;
}

/* Both columns of the map, as queries and right answers. */
typedef struct {
    int64_t *query, *right, *rank;
    uint8_t *tied;
} columns;

static int columns_make(columns *c, const ks_eval_set *set, int64_t queries, int from_texts,
                        ks_error *e)
{
    size_t n = (size_t)set->n_pairs, room = (size_t)(queries ? queries : 1);
    *c = (columns){malloc(n * sizeof *c->query), malloc(n * sizeof *c->right),
                   malloc(room * sizeof *c->rank), malloc(room)};
    if (!c->query || !c->right || !c->rank || !c->tied)
        return ks_fail(e, KS_ENOMEM, "no memory for the map");
    for (size_t i = 0; i < n; i++) {
        c->query[i] = from_texts ? set->pairs[i].text : set->pairs[i].video;
        c->right[i] = from_texts ? set->pairs[i].video : set->pairs[i].text;
    }
    return 0;
}

static void columns_free(columns *c)
{
    free(c->query);
    free(c->right);
    free(c->rank);
    free(c->tied);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* rank[n], 0 = no query, below 0 that of a missing one, which is no hit however small the
 * gallery; is sorted on the way. */
static void summarise(ks_eval_ranks *out, int64_t *rank, int64_t n)
{
    int64_t first = 0, hits[3] = {0};
    static const int64_t within[3] = {1, 5, 10};
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) hits[k] += rank[i] > 0 && rank[i] <= within[k];
        if (rank[i] < 0) rank[i] = -rank[i];
    }
    qsort(rank, (size_t)n, sizeof *rank, by_value);
    while (first < n && rank[first] == 0) first++;
    *out = (ks_eval_ranks){
        .n = n - first, .r1 = NAN, .r5 = NAN, .r10 = NAN, .median_rank = NAN, .mean_rank = NAN};
    for (int64_t i = first; i < n; i++) sum += (double)rank[i];
    ks_wilson(&out->r1_low, &out->r1_high, hits[0], out->n);
    if (out->n == 0) return;
    double m = (double)out->n;
    out->r1 = (double)hits[0] / m;
    out->r5 = (double)hits[1] / m;
    out->r10 = (double)hits[2] / m;
    out->mean_rank = sum / m;
    out->median_rank = ((double)rank[first + (out->n - 1) / 2] + (double)rank[first + out->n / 2]) /
                       2;
}

static int one_way(ks_eval_ranks *out, int64_t *ties, const ks_eval_set *set,
                   const ks_eval_vectors *q, const ks_eval_vectors *g, int from_texts, ks_error *e)
{
    columns c;
    int err = columns_make(&c, set, q->n, from_texts, e);
    ks_rank_job job = {q, g, NULL, c.query, c.right, set->n_pairs};
    if (!err) err = ks_rank_all(c.rank, c.tied, &job, g->n, e);
    for (int64_t i = 0; i < q->n && !err; i++) *ties += c.tied[i];
    if (!err) summarise(out, c.rank, q->n);
    columns_free(&c);
    return err;
}

static int same_width(const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e)
{
    if (videos->dim == texts->dim) return 0;
    return ks_fail(e, KS_ESHAPE, "video vectors have %lld numbers, text vectors %lld",
                   (long long)videos->dim, (long long)texts->dim);
}

int ks_eval_retrieval(ks_eval_retrieval_figures *out, const ks_eval_set *set,
                      const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e)
{
    assert(out && set && videos && texts && videos->n == set->videos.n && texts->n == set->texts.n);
    *out = (ks_eval_retrieval_figures){
        .videos = videos->n, .texts = texts->n, .missing = videos->missing + texts->missing};
    int err = same_width(videos, texts, e);
    if (!err) err = one_way(&out->t2v, &out->ties, set, texts, videos, 1, e);
    if (!err) err = one_way(&out->v2t, &out->ties, set, videos, texts, 0, e);
    return err;
}

/* --- classes --- */

static int64_t count_classes(const ks_eval_set *set)
{
    int64_t n = 0;
    for (int64_t i = 0; i < set->texts.n; i++) n += set->class_of[i] == i;
    return n;
}

static int count_missing(int64_t *out, const ks_eval_set *set, ks_eval_task task,
                         const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e)
{
    ks_eval_names asked, idle;
    int err = ks_eval_without_vector(&asked, &idle, set, task, videos, texts, e);
    *out = asked.n + idle.n;
    return err;
}

/* Mean over the classes that have a video, of the share of it whose class came first. Pairs of a
 * classify set are one a video. */
static int mean_over_classes(double *out, const ks_eval_set *set, const int64_t *rank, ks_error *e)
{
    int64_t *hits = calloc((size_t)set->texts.n, sizeof *hits),
            *all = calloc((size_t)set->texts.n, sizeof *all), classes = 0;
    int err = hits && all ? 0 : ks_fail(e, KS_ENOMEM, "no memory for the classes");
    double sum = 0;
    for (int64_t i = 0; i < set->n_pairs && !err; i++) {
        all[set->pairs[i].text]++;
        hits[set->pairs[i].text] += rank[set->pairs[i].video] == 1;
    }
    for (int64_t c = 0; c < set->texts.n && !err; c++) {
        if (all[c] == 0) continue;
        sum += (double)hits[c] / (double)all[c];
        classes++;
    }
    *out = classes ? sum / (double)classes : NAN;
    free(hits);
    free(all);
    return err;
}

int ks_eval_classify(ks_eval_classify_figures *out, const ks_eval_set *set,
                     const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e)
{
    assert(out && set && videos && texts && videos->n == set->videos.n && texts->n == set->texts.n);
    *out = (ks_eval_classify_figures){.n = set->n_pairs,
                                      .classes = count_classes(set),
                                      .without_class = set->videos.n - set->n_pairs};
    columns c = {0};
    int64_t first = 0, five = 0;
    uint8_t *later = malloc((size_t)(texts->n ? texts->n : 1));
    int err = later ? same_width(videos, texts, e)
                    : ks_fail(e, KS_ENOMEM, "no memory for the classes");
    if (!err) err = count_missing(&out->missing, set, KS_EVAL_CLASSIFY, videos, texts, e);
    if (!err) err = columns_make(&c, set, videos->n, 0, e);
    for (int64_t i = 0; i < texts->n && !err; i++) later[i] = set->class_of[i] != i;
    ks_rank_job job = {videos, texts, later, c.query, c.right, set->n_pairs};
    if (!err) err = ks_rank_all(c.rank, c.tied, &job, out->classes, e);
    if (!err) err = mean_over_classes(&out->mean_class_top1, set, c.rank, e);
    for (int64_t i = 0; i < set->n_pairs && !err; i++) {
        int64_t v = set->pairs[i].video;
        first += c.rank[v] == 1;
        five += c.rank[v] > 0 && c.rank[v] <= 5;
        out->ties += c.tied[v];
    }
    if (!err) {
        out->top1 = (double)first / (double)out->n;
        out->top5 = (double)five / (double)out->n;
        ks_wilson(&out->top1_low, &out->top1_high, first, out->n);
    }
    columns_free(&c);
    free(later);
    return err;
}

/* --- average precision --- */

typedef struct {
    double score;
    uint8_t right;
} scored;

static int best_first(const void *a, const void *b)
{
    double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

int ks_average_precision(double *out, const double *score, const uint8_t *right, int64_t n,
                         ks_error *e)
{
    assert(out && score && right && n >= 0);
    scored *s = malloc((size_t)(n ? n : 1) * sizeof *s);
    int64_t all = 0, hits = 0;
    double sum = 0;
    if (!s) return ks_fail(e, KS_ENOMEM, "no memory for %lld scores", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        s[i] = (scored){score[i], right[i]};
        all += right[i];
    }
    qsort(s, (size_t)n, sizeof *s, best_first);
    for (int64_t i = 0; i < n;) {
        int64_t before = hits, j = i;
        if (s[i].score == -INFINITY) break;
        /* equal scores are one step */
        for (; j < n && s[j].score >= s[i].score - KS_EVAL_TIE; j++) hits += s[j].right;
        sum += (double)(hits - before) * ((double)hits / (double)j);
        i = j;
    }
    *out = all ? sum / (double)all : NAN;
    free(s);
    return 0;
}

int ks_eval_multilabel(ks_eval_multilabel_figures *out, const ks_eval_set *set,
                       const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e)
{
    assert(out && set && videos && texts && videos->n == set->videos.n && texts->n == set->texts.n);
    *out = (ks_eval_multilabel_figures){.n = videos->n, .classes = count_classes(set)};
    double *score = malloc((size_t)(videos->n ? videos->n : 1) * sizeof *score), sum = 0, ap;
    uint8_t *right = malloc((size_t)(videos->n ? videos->n : 1));
    int64_t judged = 0;
    int err = score && right
                  ? same_width(videos, texts, e)
                  : ks_fail(e, KS_ENOMEM, "no memory for %lld scores", (long long)videos->n);
    if (!err) err = count_missing(&out->missing, set, KS_EVAL_MULTILABEL, videos, texts, e);
    for (int64_t c = 0; c < texts->n && !err; c++) {
        if (set->class_of[c] != c) continue;
        int64_t rights = 0;
        for (int64_t v = 0; v < videos->n; v++) {
            right[v] = 0;
            score[v] = videos->has[v] && texts->has[c]
                           ? ks_eval_dot(videos->x + v * videos->dim, texts->x + c * texts->dim,
                                         texts->dim)
                           : -INFINITY;
        }
        for (int64_t i = 0; i < set->n_pairs; i++) {
            if (set->pairs[i].text != c) continue;
            right[set->pairs[i].video] = 1;
            rights++;
        }
        out->classes_with_none += rights == 0;
        if (rights == 0) continue;
        err = ks_average_precision(&ap, score, right, videos->n, e);
        sum += ap;
        judged++;
    }
    out->map = judged ? sum / (double)judged : NAN;
    free(score);
    free(right);
    return err;
}

/* --- choice --- */

/* Pairs [from, to) are of one question: the scores of its right and its best wrong option. 0: it
 * is not whole, some option or the film has no vector. */
static int best_options(double *right, double *wrong, const ks_eval_pair *from,
                        const ks_eval_pair *to, const ks_eval_vectors *videos,
                        const ks_eval_vectors *texts)
{
    *right = *wrong = -INFINITY;
    for (const ks_eval_pair *p = from; p < to; p++) {
        double *best = p->right ? right : wrong;
        if (!videos->has[p->video] || !texts->has[p->text]) return 0;
        double s = ks_eval_dot(videos->x + p->video * videos->dim, texts->x + p->text * texts->dim,
                               texts->dim);
        *best = s > *best ? s : *best;
    }
    return 1;
}

int ks_eval_choice(ks_eval_choice_figures *out, const ks_eval_set *set,
                   const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e)
{
    assert(out && set && videos && texts && videos->n == set->videos.n && texts->n == set->texts.n);
    *out = (ks_eval_choice_figures){.n = set->questions.n};
    int err = same_width(videos, texts, e);
    int64_t hits = 0;
    if (!err) err = count_missing(&out->missing, set, KS_EVAL_CHOICE, videos, texts, e);
    for (int64_t i = 0, j; i < set->n_pairs && !err; i = j) {
        double right, wrong;
        for (j = i; j < set->n_pairs && set->pairs[j].question == set->pairs[i].question;) j++;
        if (!best_options(&right, &wrong, set->pairs + i, set->pairs + j, videos, texts)) continue;
        hits += right > wrong + KS_EVAL_TIE;
        out->ties += fabs(right - wrong) <= KS_EVAL_TIE;
    }
    out->accuracy = out->n ? (double)hits / (double)out->n : NAN;
    ks_wilson(&out->low, &out->high, hits, out->n);
    return err;
}
