/* label_vectors.c - every label as it stands, or as 28 sentences (or its own), averaged as CLIP
 * does, and kept for the next run. */
#include "query/label_vectors.h"

#include "query/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The Kinetics templates of CLIP's data/prompts.md: 4 openings x 7 forms, "a example" included. */
static const char *const kinetics[] = {
    "a photo of {}.",
    "a photo of a person {}.",
    "a photo of a person using {}.",
    "a photo of a person doing {}.",
    "a photo of a person during {}.",
    "a photo of a person performing {}.",
    "a photo of a person practicing {}.",
    "a video of {}.",
    "a video of a person {}.",
    "a video of a person using {}.",
    "a video of a person doing {}.",
    "a video of a person during {}.",
    "a video of a person performing {}.",
    "a video of a person practicing {}.",
    "a example of {}.",
    "a example of a person {}.",
    "a example of a person using {}.",
    "a example of a person doing {}.",
    "a example of a person during {}.",
    "a example of a person performing {}.",
    "a example of a person practicing {}.",
    "a demonstration of {}.",
    "a demonstration of a person {}.",
    "a demonstration of a person using {}.",
    "a demonstration of a person doing {}.",
    "a demonstration of a person during {}.",
    "a demonstration of a person performing {}.",
    "a demonstration of a person practicing {}.",
};
enum { KINETICS = sizeof kinetics / sizeof *kinetics };
_Static_assert(KINETICS == 28, "as published");

const char *ks_label_template(int i) { return i >= 0 && i < KINETICS ? kinetics[i] : NULL; }

/* "{}" in the template becomes the label; malloc'ed. */
static char *fill(const char *form, const char *label)
{
    const char *hole = strstr(form, "{}");
    char *text = NULL;

    if (!hole) return strdup(form);
    return asprintf(&text, "%.*s%s%s", (int)(hole - form), form, label, hole + 2) < 0 ? NULL : text;
}

/* Whether a label is there is asked as search asks, in the words as they stand, and so are the
 * everyday things that it is held against (label_judge.c). By the templates its level and theirs
 * are two: on 24 drawn films (2,271 clips, 40 things) mean average precision of the intervals at
 * 0.5 0.249, as they stand 0.761, "a {}" 0.770, "a video of {}." 0.735. Which of these is as good
 * either way: 86.7 and 86.5 % of 981 clips right. */
static int as_it_stands(const ks_label_options *o)
{
    return o->n_templates == 0 && (o->each || o->none || o->intervals);
}

static int templates_of(const ks_label_options *o)
{
    return o->n_templates > 0 ? o->n_templates : as_it_stands(o) ? 1 : KINETICS;
}

static const char *template_of(const ks_label_options *o, int i)
{
    return o->n_templates > 0 ? o->templates[i] : as_it_stands(o) ? "{}" : kinetics[i];
}

/* --- a label's sentences: its prompts or the templates filled in, then what it is not --- */
static const ks_label_def *def_of(const ks_label_options *o, int label)
{
    static const ks_label_def plain = {0};
    return o->defs ? &o->defs[label] : &plain;
}

static int said_of(const ks_label_options *o, int label)
{
    int own = def_of(o, label)->n_prompts;
    return own ? own : templates_of(o);
}

static int sentences_of(const ks_label_options *o, int label)
{
    return said_of(o, label) + def_of(o, label)->n_nots;
}

/* malloc'ed */
static char *sentence_of(const ks_label_options *o, int label, int i)
{
    const ks_label_def *d = def_of(o, label);
    int said = said_of(o, label);

    if (i >= said) return fill(d->nots[i - said], o->labels[label]);
    return fill(d->n_prompts ? d->prompts[i] : template_of(o, i), o->labels[label]);
}

/* sum[dim] += share of the mean of v[n, dim] */
static void add_mean(float *sum, const float *v, int n, int dim, float share)
{
    for (int t = 0; t < n; t++, v += dim)
        for (int d = 0; d < dim; d++) sum[d] += v[d] / (float)n * share;
}

/* out[dim] = unit(mean of what is said - half the mean of what it is not); v[said + nots, dim] */
static void average(float *out, const float *v, int said, int nots, int dim)
{
    double length;

    memset(out, 0, (size_t)dim * sizeof *out);
    add_mean(out, v, said, dim, 1);
    add_mean(out, v + (size_t)said * (size_t)dim, nots, dim, -0.5f);
    length = sqrt(ks_dot(out, out, dim));
    for (int d = 0; d < dim; d++) out[d] = (float)(out[d] / fmax(length, 1e-12));
}

/* --- encoding, some labels at a time: so many sentences fill several passes of the encoder and
 * take little room --- */
enum { AT_ONCE = 512 };
/* Seconds: a run that is stopped loses no more. Writing a full file (32 MiB, 41,734 labels of
 * 192) takes 0.16 s. */
enum { KEEP_EVERY = 5 };

typedef struct {
    ks_encoder *enc;
    const ks_label_options *o;
    char **texts;   /* [room] NULL, or a sentence */
    float *vectors; /* [room, dim] */
    int *cut;       /* [room] */
    int room;
    const ks_kept *kept; /* its what is keep */
    char **names;        /* [n_labels] what a label is kept under; owned */
    /* [n_labels] NULL: not encoded yet, or a sentence was cut: its notice is due at every run */
    const char **keep;
} sentences;

static void free_texts(sentences *s)
{
    for (int i = 0; i < s->room && s->texts; i++) {
        free(s->texts[i]);
        s->texts[i] = NULL;
    }
}

/* The rows of v[n_labels, dim] of the n labels at which[]; s has room for their sentences. */
static int some(float *v, sentences *s, const int *which, int n, ks_error *e)
{
    size_t dim = (size_t)ks_encoder_info(s->enc)->dim;
    int all = 0, at = 0, err;

    for (int i = 0; i < n; i++)
        for (int t = 0; t < sentences_of(s->o, which[i]); t++)
            if (!(s->texts[all++] = sentence_of(s->o, which[i], t)))
                return ks_fail(e, KS_ENOMEM, "no memory for labels");
    if ((err = ks_text_vectors(s->vectors, s->cut, s->enc, (const char *const *)s->texts, all, e)) <
        0)
        return err;
    for (int i = 0; i < n; i++) {
        int label = which[i], said = said_of(s->o, label), each = sentences_of(s->o, label);
        s->keep[label] = s->names[label];
        for (int t = 0; t < each; t++)
            if (s->cut[at + t]) s->keep[label] = NULL;
        average(v + (size_t)label * dim, s->vectors + (size_t)at * dim, said, each - said,
                (int)dim);
        at += each;
    }
    free_texts(s);
    return 0;
}

static void keep(sentences *s, const float *v)
{
    if (s->kept->how) ks_kept_put(s->enc, s->kept, v);
}

/* How many labels from which[from] on are encoded at once: AT_ONCE sentences, or one label of
 * more. */
static int batch(const ks_label_options *o, const int *which, int from, int n, int *room)
{
    int labels = 0, sum = 0;

    while (from + labels < n &&
           (labels == 0 || sum + sentences_of(o, which[from + labels]) <= AT_ONCE))
        sum += sentences_of(o, which[from + labels++]);
    *room = sum;
    return labels;
}

static int make_room(sentences *s, const int *which, int n, ks_error *e)
{
    size_t room;

    s->room = 0;
    for (int i = 0, sum; i < n;) {
        i += batch(s->o, which, i, n, &sum);
        s->room = sum > s->room ? sum : s->room;
    }
    room = (size_t)s->room;
    s->texts = calloc(room, sizeof *s->texts);
    s->vectors = malloc(room * (size_t)ks_encoder_info(s->enc)->dim * sizeof *s->vectors);
    s->cut = malloc(room * sizeof *s->cut);
    return s->texts && s->vectors && s->cut ? 0 : ks_fail(e, KS_ENOMEM, "no memory for labels");
}

static int encode(float *v, sentences *s, const int *which, int n, ks_error *e)
{
    double kept_at = ks_monotonic();
    int err = make_room(s, which, n, e);

    for (int i = 0, labels, room; i < n && err == 0; i += labels) {
        labels = batch(s->o, which, i, n, &room);
        err = some(v, s, which + i, labels, e);
        if (err == 0 && (n - i <= labels || ks_monotonic() - kept_at > KEEP_EVERY)) {
            keep(s, v);
            kept_at = ks_monotonic();
        }
    }
    free_texts(s);
    free(s->texts);
    free(s->vectors);
    free(s->cut);
    return err;
}

/* --- what is kept between runs: a label's vector, as made by these templates in this order --- */

/* malloc'ed: every template with its length before it, so that no two lists read alike. NULL: no
 * memory. */
static char *how_made(const ks_label_options *o)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out) return NULL;
    fputs("label 1", out);
    for (int i = 0; i < templates_of(o); i++)
        fprintf(out, " %zu:%s", strlen(template_of(o, i)), template_of(o, i));
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

/* which[]: the labels whose vectors are not kept; returns how many. */
static int missing(int *which, float *v, ks_encoder *enc, const ks_kept *k)
{
    uint8_t *found = k->how ? malloc((size_t)k->n + 1) : NULL;
    int n = 0;

    if (found) ks_kept_find(v, found, enc, k);
    for (int i = 0; i < k->n; i++)
        if (!found || !found[i]) which[n++] = i;
    free(found);
    return n;
}

/* What a label is kept under: its name, or with sentences of its own all of them, each with its
 * length before it, behind a byte that no name begins with. malloc'ed. NULL: no memory. */
static char *known_as(const ks_label_options *o, int label)
{
    const ks_label_def *d = def_of(o, label);
    char *text = NULL;
    size_t size;
    FILE *out;

    if (!d->n_prompts && !d->n_nots) return strdup(o->labels[label]);
    if (!(out = open_memstream(&text, &size))) return NULL;
    fprintf(out, "\1%zu:%s %d", strlen(o->labels[label]), o->labels[label], d->n_prompts);
    for (int i = 0; i < d->n_prompts; i++)
        fprintf(out, " %zu:%s", strlen(d->prompts[i]), d->prompts[i]);
    for (int i = 0; i < d->n_nots; i++) fprintf(out, " not %zu:%s", strlen(d->nots[i]), d->nots[i]);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

static int name_all(char **names, const ks_label_options *o)
{
    for (int i = 0; i < o->n_labels; i++)
        if (!(names[i] = known_as(o, i))) return -1;
    return 0;
}

/* What was learnt has its vector already; how many of which[n] are left. */
static int without_learnt(int *which, int n, float *v, ks_encoder *enc, const ks_label_options *o)
{
    size_t dim = (size_t)ks_encoder_info(enc)->dim;
    int left = 0;

    for (int i = 0; i < o->n_labels; i++)
        if (def_of(o, i)->learnt)
            memcpy(v + (size_t)i * dim, def_of(o, i)->learnt->w, dim * sizeof *v);
    for (int i = 0; i < n; i++)
        if (!def_of(o, which[i])->learnt) which[left++] = which[i];
    return left;
}

int ks_label_vectors(float *v, ks_encoder *enc, const ks_label_options *o, ks_error *e)
{
    char *how = how_made(o);
    size_t labels = (size_t)o->n_labels + 1;
    int *which = malloc(labels * sizeof *which), n = 0, err = 0;
    char **names = calloc(labels, sizeof *names);
    sentences s = {.enc = enc, .o = o, .names = names, .keep = calloc(labels, sizeof *s.keep)};
    ks_kept kept = {.how = how, .what = s.keep, .n = o->n_labels};

    s.kept = &kept;
    if (!which || !s.keep || !names || name_all(names, o) < 0) {
        err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    } else {
        memcpy(s.keep, names, (labels - 1) * sizeof *names);
        n = missing(which, v, enc, &kept);
        for (int i = 0; i < n; i++) s.keep[which[i]] = NULL;
        n = without_learnt(which, n, v, enc, o);
    }
    if (n > 0) err = encode(v, &s, which, n, e);
    for (int i = 0; names && i < o->n_labels; i++) free(names[i]);
    free(names);
    free(which);
    free(s.keep);
    free(how);
    return err;
}
