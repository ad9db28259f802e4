/* eval_figures.c - see eval_figures.h. One table says what a measure has. */
#include "cli/eval_figures.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

typedef enum { COUNT, NUMBER, SHARE } figure_kind;
typedef struct {
    ks_eval_task task;
    const char *group, *name; /* group NULL: at the top */
    figure_kind kind;
    size_t at; /* in ks_figures_of */
    size_t of; /* of a SHARE that has an interval, its count; else 0 */
} figure;

#define AT(field) offsetof(ks_figures_of, field)
#define RANKS(group, way)                                                                          \
    {KS_EVAL_RETRIEVAL, group, "n", COUNT, AT(retrieval.way.n), 0},                                \
        {KS_EVAL_RETRIEVAL, group, "r1", SHARE, AT(retrieval.way.r1), AT(retrieval.way.n)},        \
        {KS_EVAL_RETRIEVAL, group, "r5", SHARE, AT(retrieval.way.r5), AT(retrieval.way.n)},        \
        {KS_EVAL_RETRIEVAL, group, "r10", SHARE, AT(retrieval.way.r10), AT(retrieval.way.n)},      \
        {KS_EVAL_RETRIEVAL, group, "median_rank", NUMBER, AT(retrieval.way.median_rank), 0},       \
        {KS_EVAL_RETRIEVAL, group, "mean_rank", NUMBER, AT(retrieval.way.mean_rank), 0},           \
        {KS_EVAL_RETRIEVAL, group, "r1_low", NUMBER, AT(retrieval.way.r1_low), 0},                 \
    {                                                                                              \
        KS_EVAL_RETRIEVAL, group, "r1_high", NUMBER, AT(retrieval.way.r1_high), 0                  \
    }

static const figure figures[] = {
    {KS_EVAL_RETRIEVAL, NULL, "videos", COUNT, AT(retrieval.videos), 0},
    {KS_EVAL_RETRIEVAL, NULL, "texts", COUNT, AT(retrieval.texts), 0},
    {KS_EVAL_RETRIEVAL, NULL, "missing", COUNT, AT(retrieval.missing), 0},
    {KS_EVAL_RETRIEVAL, NULL, "ties", COUNT, AT(retrieval.ties), 0},
    RANKS("t2v", t2v),
    RANKS("v2t", v2t),
    {KS_EVAL_CLASSIFY, NULL, "n", COUNT, AT(classify.n), 0},
    {KS_EVAL_CLASSIFY, NULL, "classes", COUNT, AT(classify.classes), 0},
    {KS_EVAL_CLASSIFY, NULL, "missing", COUNT, AT(classify.missing), 0},
    {KS_EVAL_CLASSIFY, NULL, "without_class", COUNT, AT(classify.without_class), 0},
    {KS_EVAL_CLASSIFY, NULL, "ties", COUNT, AT(classify.ties), 0},
    {KS_EVAL_CLASSIFY, NULL, "top1", SHARE, AT(classify.top1), AT(classify.n)},
    {KS_EVAL_CLASSIFY, NULL, "top5", SHARE, AT(classify.top5), AT(classify.n)},
    {KS_EVAL_CLASSIFY, NULL, "mean_class_top1", SHARE, AT(classify.mean_class_top1), 0},
    {KS_EVAL_CLASSIFY, NULL, "top1_low", NUMBER, AT(classify.top1_low), 0},
    {KS_EVAL_CLASSIFY, NULL, "top1_high", NUMBER, AT(classify.top1_high), 0},
    {KS_EVAL_MULTILABEL, NULL, "n", COUNT, AT(multilabel.n), 0},
    {KS_EVAL_MULTILABEL, NULL, "classes", COUNT, AT(multilabel.classes), 0},
    {KS_EVAL_MULTILABEL, NULL, "classes_with_none", COUNT, AT(multilabel.classes_with_none), 0},
    {KS_EVAL_MULTILABEL, NULL, "missing", COUNT, AT(multilabel.missing), 0},
    {KS_EVAL_MULTILABEL, NULL, "map", SHARE, AT(multilabel.map), 0},
    {KS_EVAL_CHOICE, NULL, "n", COUNT, AT(choice.n), 0},
    {KS_EVAL_CHOICE, NULL, "missing", COUNT, AT(choice.missing), 0},
    {KS_EVAL_CHOICE, NULL, "ties", COUNT, AT(choice.ties), 0},
    {KS_EVAL_CHOICE, NULL, "accuracy", SHARE, AT(choice.accuracy), AT(choice.n)},
    {KS_EVAL_CHOICE, NULL, "low", NUMBER, AT(choice.low), 0},
    {KS_EVAL_CHOICE, NULL, "high", NUMBER, AT(choice.high), 0},
};
enum { FIGURES = sizeof figures / sizeof *figures };

const char *ks_eval_task_name(ks_eval_task task)
{
    static const char *const names[] = {"retrieval", "classify", "multilabel", "choice"};
    return names[task];
}

int ks_figures_measure(ks_figures_of *out, ks_eval_task task, const ks_eval_set *set,
                       const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e)
{
    assert(out && set);
    out->task = task;
    switch (task) {
    case KS_EVAL_RETRIEVAL: return ks_eval_retrieval(&out->retrieval, set, videos, texts, e);
    case KS_EVAL_CLASSIFY: return ks_eval_classify(&out->classify, set, videos, texts, e);
    case KS_EVAL_MULTILABEL: return ks_eval_multilabel(&out->multilabel, set, videos, texts, e);
    case KS_EVAL_CHOICE: return ks_eval_choice(&out->choice, set, videos, texts, e);
    }
    return 0;
}

static int64_t count_of(const ks_figures_of *f, size_t at)
{
    int64_t n;
    memcpy(&n, (const char *)f + at, sizeof n);
    return n;
}

static double number_of(const ks_figures_of *f, size_t at)
{
    double x;
    memcpy(&x, (const char *)f + at, sizeof x);
    return x;
}

/* "t2v.r1"; NULL: this measure has none of that name. */
static const figure *find(ks_eval_task task, const char *name)
{
    char full[40];
    for (int i = 0; i < FIGURES; i++) {
        snprintf(full, sizeof full, "%s%s%s", figures[i].group ? figures[i].group : "",
                 figures[i].group ? "." : "", figures[i].name);
        if (figures[i].task == task && strcmp(full, name) == 0) return &figures[i];
    }
    return NULL;
}

void ks_figures_json(ks_json *j, const ks_figures_of *f)
{
    assert(j && f);
    const char *group = NULL;
    for (int i = 0; i < FIGURES; i++) {
        const figure *x = &figures[i];
        if (x->task != f->task) continue;
        if (group && (!x->group || strcmp(group, x->group) != 0)) ks_json_close(j);
        if (x->group && (!group || strcmp(group, x->group) != 0)) ks_json_open(j, x->group, '{');
        group = x->group;
        if (x->kind == COUNT) ks_json_int(j, x->name, count_of(f, x->at));
        else ks_json_rate(j, x->name, number_of(f, x->at));
    }
    if (group) ks_json_close(j);
}

static void show_ranks(FILE *out, const char *name, const ks_eval_ranks *r)
{
    fprintf(out,
            "%s  R@1 %5.1f %% (%.1f to %.1f)  R@5 %5.1f %%  R@10 %5.1f %%  median rank %g  mean "
            "rank %.2f  of %lld\n",
            name, 100 * r->r1, 100 * r->r1_low, 100 * r->r1_high, 100 * r->r5, 100 * r->r10,
            r->median_rank, r->mean_rank, (long long)r->n);
}

void ks_figures_show(FILE *out, const ks_figures_of *f)
{
    assert(out && f);
    const ks_eval_retrieval_figures *r = &f->retrieval;
    const ks_eval_classify_figures *c = &f->classify;
    const ks_eval_multilabel_figures *m = &f->multilabel;
    const ks_eval_choice_figures *q = &f->choice;
    switch (f->task) {
    case KS_EVAL_RETRIEVAL:
        fprintf(out, "%lld videos, %lld texts, missing %lld, ties %lld\n", (long long)r->videos,
                (long long)r->texts, (long long)r->missing, (long long)r->ties);
        show_ranks(out, "text to video", &r->t2v);
        show_ranks(out, "video to text", &r->v2t);
        break;
    case KS_EVAL_CLASSIFY:
        fprintf(out, "%lld videos, %lld classes, missing %lld, ties %lld", (long long)c->n,
                (long long)c->classes, (long long)c->missing, (long long)c->ties);
        if (c->without_class) fprintf(out, ", without a class %lld", (long long)c->without_class);
        fputc('\n', out);
        fprintf(out, "top-1 %5.1f %% (%.1f to %.1f)  top-5 %5.1f %%  mean over classes %5.1f %%\n",
                100 * c->top1, 100 * c->top1_low, 100 * c->top1_high, 100 * c->top5,
                100 * c->mean_class_top1);
        break;
    case KS_EVAL_MULTILABEL:
        fprintf(out,
                "mAP %5.1f %% over %lld classes of %lld videos, missing %lld; %lld classes have no "
                "video\n",
                100 * m->map, (long long)(m->classes - m->classes_with_none), (long long)m->n,
                (long long)m->missing, (long long)m->classes_with_none);
        break;
    case KS_EVAL_CHOICE:
        fprintf(out, "%5.1f %% (%.1f to %.1f) of %lld questions, missing %lld, ties %lld\n",
                100 * q->accuracy, 100 * q->low, 100 * q->high, (long long)q->n,
                (long long)q->missing, (long long)q->ties);
        break;
    }
}

/* --- beside what is published --- */

/* The interval of a share; 0 where it has none. */
static int interval(double *low, double *high, const ks_figures_of *f, const figure *x)
{
    if (!x->of) return 0;
    int64_t n = count_of(f, x->of);
    ks_wilson(low, high, llround(number_of(f, x->at) * (double)n), n);
    return n > 0;
}

/* The first entry of the table that has the same model, or the same figure. */
static int is_first(const ks_eval_protocol *p, int i, int by_model)
{
    for (int k = 0; k < i; k++) {
        const ks_eval_published *a = &p->published[k], *b = &p->published[i];
        if (strcmp(by_model ? a->model : a->figure, by_model ? b->model : b->figure) == 0) return 0;
    }
    return 1;
}

static void show_row(FILE *out, const ks_figures_of *f, const ks_eval_protocol *p, const figure *x,
                     const char *name)
{
    char here[64];
    double low, high, is = number_of(f, x->at);
    if (isnan(is)) snprintf(here, sizeof here, "-");
    else if (interval(&low, &high, f, x))
        snprintf(here, sizeof here, "%.1f (%.1f to %.1f)", 100 * is, 100 * low, 100 * high);
    else snprintf(here, sizeof here, "%.1f", 100 * is);
    fprintf(out, "%-9s %-22s", name, here);
    for (int m = 0; m < p->n_published; m++) {
        const ks_eval_published *found = NULL;
        if (!is_first(p, m, 1)) continue;
        for (int k = 0; k < p->n_published; k++)
            if (strcmp(p->published[k].model, p->published[m].model) == 0 &&
                strcmp(p->published[k].figure, name) == 0)
                found = &p->published[k];
        if (found) fprintf(out, " %12.1f", found->percent);
        else fprintf(out, " %12s", "-");
    }
    fputc('\n', out);
}

void ks_figures_beside(FILE *out, const ks_figures_of *f, const ks_eval_protocol *p)
{
    int any = 0;
    for (int i = 0; i < p->n_published; i++) {
        const figure *x = find(f->task, p->published[i].figure);
        if (!x || !is_first(p, i, 0)) continue;
        if (!any++) {
            fprintf(out, "%-9s %-22s", "%", "here (95 %)");
            for (int m = 0; m < p->n_published; m++)
                if (is_first(p, m, 1)) fprintf(out, " %12s", p->published[m].model);
            fputc('\n', out);
        }
        show_row(out, f, p, x, p->published[i].figure);
    }
}

void ks_figures_beside_json(ks_json *j, const ks_figures_of *f, const ks_eval_protocol *p)
{
    ks_json_open(j, "published", '[');
    for (int i = 0; i < p->n_published; i++) {
        double low, high;
        const figure *x = find(f->task, p->published[i].figure);
        if (!x) continue;
        ks_json_open(j, NULL, '{');
        ks_json_text(j, "model", p->published[i].model);
        ks_json_text(j, "figure", p->published[i].figure);
        ks_json_rate(j, "theirs", p->published[i].percent / 100);
        ks_json_rate(j, "here", number_of(f, x->at));
        if (interval(&low, &high, f, x)) {
            ks_json_rate(j, "here_low", low);
            ks_json_rate(j, "here_high", high);
        }
        ks_json_close(j);
    }
    ks_json_close(j);
}
