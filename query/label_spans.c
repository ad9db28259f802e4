/* label_spans.c - which labels each clip bears, or each: spans of clips that bear a label one
 * after the other. */
#include "query/label_film.h"

#include <math.h>
#include <stdlib.h>

/* sum of exp((cosine - most) / 0.01) */
static double softmax_sum(const float *cosine, int n, float most)
{
    enum { AT_ONCE = 64 };
    double sum = 0;

    for (int i = 0; i < n; i += AT_ONCE) {
        float x[AT_ONCE];
        int some = n - i < AT_ONCE ? n - i : AT_ONCE;
        for (int k = 0; k < some; k++) x[k] = (cosine[i + k] - most) * 100;
        sum += ks_quick_exps(x, some);
    }
    return sum;
}

void ks_label_top(int *label, double *score, int k, const float *cosine, int n)
{
    float most = -2;
    double sum;

    for (int i = 0; i < n; i++) most = cosine[i] > most ? cosine[i] : most;
    sum = softmax_sum(cosine, n, most);
    for (int i = 0, kept = 0; i < n && k > 0; i++) {
        int at;
        if (kept == k && cosine[i] <= cosine[label[k - 1]]) continue;
        for (at = kept < k ? kept++ : k - 1; at > 0 && cosine[i] > cosine[label[at - 1]]; at--)
            label[at] = label[at - 1];
        label[at] = i;
    }
    for (int r = 0; r < k; r++)
        score[r] = exp(((double)cosine[label[r]] - (double)most) / 0.01) / sum;
}

ks_label_span *ks_label_next_span(ks_label_film *f)
{
    if (f->n_spans == f->room_spans) {
        int room = f->room_spans * 2 + 64;
        ks_label_span *s = realloc(f->spans, (size_t)room * sizeof *s);
        if (!s) return NULL;
        f->spans = s;
        f->room_spans = room;
    }
    return &f->spans[f->n_spans++];
}

static double cosine_of(const ks_label_film *f, int i, int label)
{
    const float *row = f->cosines + (size_t)i * (size_t)f->columns;
    double most = -2;

    if (label >= 0) return (double)row[label];
    for (int l = 0; l < f->o->n_labels; l++) most = fmax(most, (double)row[l]);
    return most;
}

/* The label's latest span goes on if it held the clip before at the same rank and touches this
 * one, else a new span begins. Of labels that are there or not the rank says nothing. (Ranks
 * joined, a label that was first once and third beside it, at 1e-8, was said to be first all
 * along: 12 of 31 spans of the demo with -k 3.) */
int ks_label_bear(ks_label_film *f, int i, int label, int rank, double score)
{
    const ks_clip *c = &f->clips[i];
    int *latest = &f->latest[label >= 0 ? label : f->o->n_labels];
    ks_label_span *s = *latest >= 0 ? &f->spans[*latest] : NULL;

    if (!s || f->o->apart || (!f->o->each && s->rank != rank) || s->last != i - 1 ||
        c->start > s->end) {
        if (!(s = ks_label_next_span(f))) return -1;
        *latest = f->n_spans - 1;
        *s = (ks_label_span){.label = label, .rank = rank, .start = c->start, .end = c->end};
    }
    s->end = c->end > s->end ? c->end : s->end;
    s->rank = rank < s->rank ? rank : s->rank;
    s->score += score;
    s->cosine += cosine_of(f, i, label);
    s->clips++;
    s->last = i;
    return 0;
}

double ks_label_least(const ks_label_options *o, int label)
{
    double own = o->defs && label >= 0 ? o->defs[label].threshold : 0;
    return o->least != 0 ? o->least : own > 0 ? own : 0.5;
}

static int out_of_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for labels"); }

/* The best evidence of any label on clip i, as a score. */
static double best_score(const ks_label_film *f, int i)
{
    double most = -HUGE_VAL;

    ks_label_evidence(f->evidence, NULL, f->judge, f->cosines + (size_t)i * (size_t)f->columns,
                      f->words);
    for (int l = 0; l < f->o->n_labels; l++) most = fmax(most, f->evidence[l]);
    return ks_label_score(most);
}

int ks_label_which(ks_label_film *f, ks_error *e)
{
    int labels = f->o->n_labels, k = f->o->k > 0 ? f->o->k : 1, err = 0;
    int *top = malloc(((size_t)labels + 1) * sizeof *top);
    double *score = malloc(((size_t)labels + 1) * sizeof *score);

    k = k > labels ? labels : k;
    if (!top || !score) err = out_of_memory(e);
    for (int i = 0; i < f->n && err == 0; i++) {
        double any = f->o->none ? best_score(f, i) : 1;
        if (any < ks_label_least(f->o, -1)) {
            err = ks_label_bear(f, i, -1, 1, 1 - any);
        } else {
            ks_label_top(top, score, k, f->cosines + (size_t)i * (size_t)f->columns, labels);
            for (int r = 0; r < k && err == 0; r++)
                err = ks_label_bear(f, i, top[r], r + 1, score[r]);
        }
        if (err < 0) err = out_of_memory(e);
    }
    free(top);
    free(score);
    return err;
}

typedef struct {
    double score;
    int label;
} ranked;

static int by_score(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->label - y->label;
}

/* Those of the clip's labels that are there, best first; how many. */
static int there(ranked *at, const ks_label_film *f, int i, double *most)
{
    int n = 0;
    double best = -HUGE_VAL;

    ks_label_evidence(f->evidence, NULL, f->judge, f->cosines + (size_t)i * (size_t)f->columns,
                      f->words);
    for (int l = 0; l < f->o->n_labels; l++) {
        double score;
        best = f->evidence[l] > best ? f->evidence[l] : best;
        if (f->evidence[l] < f->enough[l]) continue;
        score = ks_label_score(f->evidence[l]);
        if (score >= ks_label_least(f->o, l)) at[n++] = (ranked){score, l};
    }
    *most = ks_label_score(best);
    if (n) qsort(at, (size_t)n, sizeof *at, by_score);
    return f->o->k > 0 && n > f->o->k ? f->o->k : n;
}

int ks_label_each(ks_label_film *f, ks_error *e)
{
    ranked *at = malloc(((size_t)f->o->n_labels + 1) * sizeof *at);
    int err = at ? 0 : out_of_memory(e);

    for (int i = 0; i < f->n && err == 0; i++) {
        double most;
        int n = there(at, f, i, &most);
        for (int r = 0; r < n && err == 0; r++)
            err = ks_label_bear(f, i, at[r].label, r + 1, at[r].score);
        if (err == 0 && n == 0 && f->o->none) err = ks_label_bear(f, i, -1, 1, 1 - most);
        if (err < 0) err = out_of_memory(e);
    }
    free(at);
    return err;
}

/* One clip's scores of all labels: their softmax, or whether each. */
static void scores_of(double *score, const ks_label_film *f, int i)
{
    const float *cosine = f->cosines + (size_t)i * (size_t)f->columns;
    int labels = f->o->n_labels;
    double most = -2, sum = 0;

    if (f->o->each) {
        ks_label_evidence(f->evidence, NULL, f->judge, cosine, f->words);
        for (int l = 0; l < labels; l++) score[l] = ks_label_score(f->evidence[l]);
        return;
    }
    for (int l = 0; l < labels; l++) most = fmax(most, (double)cosine[l]);
    for (int l = 0; l < labels; l++) sum += score[l] = exp(((double)cosine[l] - most) / 0.01);
    for (int l = 0; l < labels; l++) score[l] /= sum;
}

typedef struct {
    double *pooled; /* [labels] the largest score of any clip */
    int *best;      /* [labels] that clip */
} pools;

static void pool(pools *p, double *score, const ks_label_film *f)
{
    for (int l = 0; l < f->o->n_labels; l++) p->pooled[l] = -1;
    for (int i = 0; i < f->n; i++) {
        scores_of(score, f, i);
        for (int l = 0; l < f->o->n_labels; l++)
            if (score[l] > p->pooled[l]) {
                p->pooled[l] = score[l];
                p->best[l] = i;
            }
    }
}

/* The next best label of the film as a span; 0: what is left is not there. */
static int take_best(ks_label_film *f, pools *p, int rank, int64_t end)
{
    int top = 0;
    double score;
    ks_label_span *s;

    for (int l = 1; l < f->o->n_labels; l++) top = p->pooled[l] > p->pooled[top] ? l : top;
    score = p->pooled[top];
    p->pooled[top] = -1;
    if (f->o->each && score < ks_label_least(f->o, top) && !(f->o->none && rank == 1)) return 0;
    if (!(s = ks_label_next_span(f))) return -1;
    *s = (ks_label_span){.label = top,
                         .rank = rank,
                         .start = f->clips[0].start,
                         .end = end,
                         .score = score,
                         .clips = 1,
                         .cosine = cosine_of(f, p->best[top], top)};
    if (f->o->each && score < ks_label_least(f->o, top)) {
        s->label = -1;
        s->score = 1 - score;
        return 0;
    }
    return 1;
}

/* A film of many moments bears a label if one of its clips does: the k labels of the largest
 * pooled softmax. Average precision of 44 true labels over the 13 demo films: the mean of the
 * clips' vectors 0.08, the mean of their softmaxes 0.51, the largest cosine 0.54, the largest
 * softmax 0.57. */
int ks_label_whole(ks_label_film *f, ks_error *e)
{
    size_t labels = (size_t)f->o->n_labels;
    int k = f->o->k > 0 && f->o->k < f->o->n_labels ? f->o->k
            : f->o->k > 0 || f->o->each             ? f->o->n_labels
                                                    : 1,
        more = 1;
    pools p = {malloc(labels * sizeof *p.pooled), malloc(labels * sizeof *p.best)};
    double *score = malloc(labels * sizeof *score);
    int64_t end = f->clips[0].end;

    if (!p.pooled || !p.best || !score) more = -1;
    else pool(&p, score, f);
    for (int i = 1; i < f->n; i++) end = f->clips[i].end > end ? f->clips[i].end : end;
    for (int r = 0; r < k && more > 0; r++) more = take_best(f, &p, r + 1, end);
    free(p.pooled);
    free(p.best);
    free(score);
    return more < 0 ? out_of_memory(e) : 0;
}
