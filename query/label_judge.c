/* label_judge.c - see label_judge.h. */
#include "query/label_judge.h"

#include "query/label_vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double temperature = 0.2; /* in z: 0.1 and 0.3 are as good within a point */
static const double sharper = 0.1;     /* of intervals: label_intervals.c */
/* deviations above a label's mean cosine with the words: the same thing, or its kind */
static const double too_near = 3.5;

double ks_label_score(double evidence)
{
    return 1 / (1 + exp(-(evidence - KS_LABEL_CUT) / KS_LABEL_WIDTH));
}

double ks_label_enough(double score)
{
    if (score <= 0) return -HUGE_VAL;
    if (score >= 1) return KS_LABEL_CUT;
    return KS_LABEL_CUT + KS_LABEL_WIDTH * log(score / (1 - score)) - 1e-6;
}

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for labels"); }

static const ks_learnt *learnt_of(const ks_label_judge *j, int label)
{
    return j->defs ? j->defs[label].learnt : NULL;
}

/* The words' vectors behind those of the labels. */
static int add_words(ks_label_judge *j, ks_encoder *enc, ks_error *e)
{
    static const char *const bare[] = {"{}"};
    const char **words = malloc((size_t)j->words * sizeof *words);
    ks_label_options o = {
        .labels = words, .n_labels = j->words, .templates = bare, .n_templates = 1};
    int err;

    if (!words) return no_memory(e);
    for (int i = 0; i < j->words; i++) words[i] = ks_everyday_word(i);
    err = ks_label_vectors(j->q + (size_t)j->labels * (size_t)j->dim, enc, &o, e);
    free(words);
    return err;
}

/* Which words are near to label l; near[] has room for all. */
static int near_words(int *near, const ks_label_judge *j, int l, double *cosine)
{
    const float *label = j->q + (size_t)l * (size_t)j->dim;
    double mean = 0, squares = 0;
    int n = 0;

    for (int w = 0; w < j->words; w++) {
        cosine[w] = ks_dot(label, j->q + (size_t)(j->labels + w) * (size_t)j->dim, j->dim);
        mean += cosine[w] / j->words;
    }
    for (int w = 0; w < j->words; w++)
        squares += (cosine[w] - mean) * (cosine[w] - mean) / j->words;
    for (int w = 0; w < j->words; w++)
        if (cosine[w] - mean > too_near * sqrt(squares) || cosine[w] > 0.999) near[n++] = w;
    return n;
}

static int find_near(ks_label_judge *j, ks_error *e)
{
    double *cosine = malloc(((size_t)j->words + 1) * sizeof *cosine);
    int *one = malloc(((size_t)j->words + 1) * sizeof *one), n = 0, err = 0;

    j->first = calloc((size_t)j->labels + 1, sizeof *j->first);
    if (!cosine || !one || !j->first) err = no_memory(e);
    for (int l = 0; l < j->labels && err == 0; l++) {
        int more = learnt_of(j, l) ? 0 : near_words(one, j, l, cosine);
        int *grown = realloc(j->near, (size_t)(n + more + 1) * sizeof *grown);
        if (!grown) {
            err = no_memory(e);
            break;
        }
        j->near = grown;
        memcpy(j->near + n, one, (size_t)more * sizeof *one);
        j->first[l + 1] = n += more;
    }
    free(cosine);
    free(one);
    return err;
}

int ks_label_judge_open(ks_label_judge *j, const ks_scale *s, ks_encoder *enc, const float *labels,
                        const ks_label_options *o, ks_error *e)
{
    int plain = 0, err = 0;
    size_t all;

    *j = (ks_label_judge){.dim = s->dim,
                          .labels = o->n_labels,
                          .unit = s->median,
                          .temperature = o->intervals ? sharper : temperature,
                          .defs = o->defs};
    for (int l = 0; l < j->labels; l++) plain += !learnt_of(j, l);
    if (plain && !s->level)
        return ks_fail(e, KS_ENOTFOUND,
                       "this library has no measure of chance yet: kinoseek ingest makes it");
    j->words = plain ? ks_everyday_count() : 0;
    all = (size_t)j->labels + (size_t)j->words;
    j->q = malloc((all * (size_t)j->dim + 1) * sizeof *j->q);
    j->level = calloc(all + 1, sizeof *j->level);
    if (!j->q || !j->level) return no_memory(e);
    memcpy(j->q, labels, (size_t)j->labels * (size_t)j->dim * sizeof *labels);
    if (j->words) err = add_words(j, enc, e);
    for (size_t i = 0; i < all && err == 0 && j->words; i++)
        j->level[i] = ks_scale_level(s, j->q + i * (size_t)j->dim);
    return err < 0 ? err : find_near(j, e);
}

void ks_label_judge_close(ks_label_judge *j)
{
    free(j->q);
    free(j->level);
    free(j->near);
    free(j->first);
    *j = (ks_label_judge){0};
}

static int is_near(const ks_label_judge *j, int l, int word)
{
    for (int i = j->first[l]; i < j->first[l + 1]; i++)
        if (j->near[i] == word) return 1;
    return 0;
}

/* sum of exp((z - most) / temperature) over the words but those near to label l; share[] has
 * each word's. Where the near ones are nearly all of it, what is left is added up again. */
static double rest_of(const ks_label_judge *j, int l, const float *share, double sum)
{
    double rest = sum;

    for (int i = j->first[l]; i < j->first[l + 1]; i++) rest -= (double)share[j->near[i]];
    if (rest > sum * 1e-6) return rest;
    rest = 0;
    for (int w = 0; w < j->words; w++)
        if (!is_near(j, l, w)) rest += (double)share[w];
    return fmax(rest, 1e-300);
}

void ks_label_evidence(double *evidence, double *rest, const ks_label_judge *j, const float *cosine,
                       float *room)
{
    const float *word = cosine + j->labels;
    double most = -HUGE_VAL, sum, plain;
    float per = (float)(1 / j->unit), highest = -HUGE_VALF;

    for (int w = 0; w < j->words; w++) {
        room[w] = (word[w] - (float)j->level[j->labels + w]) * per;
        highest = room[w] > highest ? room[w] : highest;
    }
    for (int w = 0; w < j->words; w++) room[w] = (room[w] - highest) / (float)j->temperature;
    sum = ks_quick_exps(room, j->words);
    most = (double)highest;
    plain = j->temperature * log(sum);
    for (int l = 0; l < j->labels; l++) {
        const ks_learnt *learnt = learnt_of(j, l);
        double away = 0;
        if (learnt)
            evidence[l] = KS_LABEL_CUT + KS_LABEL_WIDTH * ((double)cosine[l] + learnt->bias);
        else {
            away = most + (j->first[l] == j->first[l + 1]
                               ? plain
                               : j->temperature * log(rest_of(j, l, room, sum)));
            evidence[l] = ((double)cosine[l] - j->level[l]) / j->unit - away;
        }
        if (rest) rest[l] = away;
    }
}
