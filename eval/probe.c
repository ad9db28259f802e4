/* probe.c - a probe from its lists to its figures and its checkpoint. */
#include "eval/probe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ks_probe {
    ks_probe_lists lists;
    ks_probe_shape shape;
    ks_head head;
    ks_probe_figures figures;
};

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for a probe"); }

static int64_t count_missing(const ks_probe_list *list)
{
    int64_t n = 0;
    for (int64_t i = 0; i < list->n; i++) n += list->at[i].missing;
    return n;
}

static int check_test(const ks_probe_list *test, const char *media, ks_error *e)
{
    if (count_missing(test) < test->n) return 0;
    return ks_fail(e, KS_ENOTFOUND, "%s: no film of the list is to be had%s%.300s", test->file,
                   media ? " in " : "", media ? media : "");
}

enum { TOLD = 5 };

static void say_name(const ks_probe_options *o, const char *class)
{
    char text[160];
    snprintf(text, sizeof text, "class '%.100s' learns from one film", class);
    if (o->notice) o->notice(o->arg, text);
}

static void say_more(const ks_probe_options *o, int64_t n)
{
    char text[80];
    snprintf(text, sizeof text, "%lld classes more learn from one film", (long long)n);
    if (o->notice) o->notice(o->arg, text);
}

/* A class needs a film that is there; one with a single film is counted and named. */
static int judge_classes(ks_probe *p, const ks_probe_options *o, ks_error *e)
{
    const ks_probe_list *train = &p->lists.train;
    int64_t *films = calloc((size_t)p->lists.n_classes, sizeof *films);
    int err = films ? 0 : no_memory(e);
    for (int64_t i = 0; !err && i < train->n; i++)
        films[train->at[i].label] += !train->at[i].missing;
    for (int c = 0; !err && c < p->lists.n_classes; c++) {
        if (films[c] == 0)
            err = ks_fail(e, KS_EFORMAT, "%s: no film of class '%.100s' could be read", train->file,
                          p->lists.classes[c]);
        if (films[c] != 1) continue;
        if (p->figures.of_one++ < TOLD) say_name(o, p->lists.classes[c]);
    }
    if (!err && p->figures.of_one > TOLD) say_more(o, p->figures.of_one - TOLD);
    free(films);
    return err;
}

/* Rank of the right class among C: 1 + the wrong ones that score at least as much. */
static int rank_of(const float *logits, int label, int C)
{
    int rank = 1;
    for (int c = 0; c < C; c++) rank += c != label && !(logits[c] < logits[label]);
    return rank;
}

static int measure(ks_probe *p, const float *logits, ks_error *e)
{
    const ks_probe_list *test = &p->lists.test;
    ks_probe_figures *f = &p->figures;
    int C = p->lists.n_classes;
    int64_t top1 = 0, top5 = 0, classes = 0, *of = calloc((size_t)C, sizeof *of),
            *right = calloc((size_t)C, sizeof *right);
    int err = of && right ? 0 : no_memory(e);
    for (int64_t i = 0; !err && i < test->n; i++) {
        int label = test->at[i].label,
            rank = test->at[i].missing ? C + 5 : rank_of(logits + i * C, label, C);
        of[label]++;
        right[label] += rank == 1;
        top1 += rank == 1;
        top5 += rank <= 5;
    }
    for (int c = 0; !err && c < C; c++) {
        if (of[c] == 0) continue;
        classes++;
        f->mean_class_top1 += (double)right[c] / (double)of[c];
    }
    if (!err) {
        f->mean_class_top1 /= (double)classes;
        f->top1 = (double)top1 / (double)test->n;
        f->top5 = (double)top5 / (double)test->n;
        ks_wilson(&f->top1_low, &f->top1_high, top1, test->n);
    }
    free(of);
    free(right);
    return err;
}

static int test(ks_probe *p, const ks_probe_options *o, ks_error *e)
{
    float *logits = calloc((size_t)p->lists.test.n, (size_t)p->lists.n_classes * sizeof *logits);
    if (!logits) return no_memory(e);
    int err = ks_probe_logits(logits, &p->head, &p->lists.test, &p->shape, o, e);
    if (!err) err = measure(p, logits, e);
    free(logits);
    return err;
}

int ks_probe_train(ks_probe **out, const ks_probe_options *o, ks_error *e)
{
    assert(out && o && o->train && o->test && o->enc && o->epochs > 0 && o->batch > 0);
    const ks_info *info = ks_encoder_info(o->enc);
    *out = NULL;
    ks_probe *p = calloc(1, sizeof *p);
    int err = p ? ks_probe_lists_read(&p->lists, o, e) : no_memory(e);
    if (!err) err = ks_probe_keep(&p->shape, &p->lists, o, e);
    if (!err) err = check_test(&p->lists.test, o->media, e);
    if (!err) err = judge_classes(p, o, e);
    if (!err) err = ks_probe_lists_share(&p->lists, e);
    if (!err) err = ks_head_new(&p->head, info->dim, info->heads, p->lists.n_classes, e);
    if (!err) {
        p->figures.classes = p->lists.n_classes;
        p->figures.train = p->lists.train.n;
        p->figures.test = p->lists.test.n;
        p->figures.train_missing = count_missing(&p->lists.train);
        p->figures.test_missing = count_missing(&p->lists.test);
        p->figures.shared = p->lists.shared;
        if (p->lists.shared)
            snprintf(p->figures.shared_as, sizeof p->figures.shared_as,
                     "%.150s, line %lld of %.150s and line %lld of %.150s",
                     p->lists.shared_film->name, (long long)p->lists.shared_film->line, o->test,
                     (long long)p->lists.shared_with->line, o->train);
        err = ks_probe_fit(&p->head, &p->figures.loss, &p->lists, &p->shape, o, e);
    }
    if (!err) err = test(p, o, e);
    if (err) ks_probe_free(p);
    else *out = p;
    return err;
}

const ks_probe_figures *ks_probe_result(const ks_probe *p) { return &p->figures; }

int ks_probe_write(FILE *npz, FILE *classes, const ks_probe *p, ks_encoder *enc, ks_error *e)
{
    ks_head_tensor tensors[KS_HEAD_TENSORS];
    for (int i = 0; i < KS_HEAD_TENSORS; i++)
        tensors[i] = (ks_head_tensor){ks_head_names[i], p->head.at[i]};
    for (int c = 0; c < p->lists.n_classes; c++) fprintf(classes, "%s\n", p->lists.classes[c]);
    return ks_classifier_write(npz, enc, p->lists.n_classes, tensors, KS_HEAD_TENSORS, e);
}

void ks_probe_free(ks_probe *p)
{
    if (!p) return;
    ks_probe_lists_free(&p->lists);
    ks_head_free(&p->head);
    free(p);
}
