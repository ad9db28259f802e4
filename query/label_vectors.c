/* label_vectors.c - every label as 28 sentences, averaged as CLIP does, and kept for the next run. */
#include "query/label_vectors.h"

#include "query/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The Kinetics templates of CLIP's data/prompts.md: 4 openings x 7 forms, "a example" included. */
static const char *const kinetics[] = {
    "a photo of {}.", "a photo of a person {}.", "a photo of a person using {}.", "a photo of a person doing {}.",
    "a photo of a person during {}.", "a photo of a person performing {}.", "a photo of a person practicing {}.",
    "a video of {}.", "a video of a person {}.", "a video of a person using {}.", "a video of a person doing {}.",
    "a video of a person during {}.", "a video of a person performing {}.", "a video of a person practicing {}.",
    "a example of {}.", "a example of a person {}.", "a example of a person using {}.", "a example of a person doing {}.",
    "a example of a person during {}.", "a example of a person performing {}.", "a example of a person practicing {}.",
    "a demonstration of {}.", "a demonstration of a person {}.", "a demonstration of a person using {}.",
    "a demonstration of a person doing {}.", "a demonstration of a person during {}.",
    "a demonstration of a person performing {}.", "a demonstration of a person practicing {}.",
};
enum { KINETICS = sizeof kinetics / sizeof *kinetics };
_Static_assert(KINETICS == 28, "as published");

const char *ks_label_template(int i) { return i >= 0 && i < KINETICS ? kinetics[i] : NULL; }

/* "{}" in the template becomes the label; malloc'ed. */
static char *fill(const char *form, const char *label)
{
    const char *hole = strstr(form, "{}");
    char *text = NULL;

    if (!hole)
        return strdup(form);
    return asprintf(&text, "%.*s%s%s", (int)(hole - form), form, label, hole + 2) < 0 ? NULL : text;
}

static int templates_of(const ks_label_options *o)
{
    return o->n_templates > 0 ? o->n_templates : KINETICS;
}

static const char *template_of(const ks_label_options *o, int i)
{
    return o->n_templates > 0 ? o->templates[i] : kinetics[i];
}

/* out[dim] = unit(mean of v[n, dim]) */
static void average(float *out, const float *v, int n, int dim)
{
    double length;

    memset(out, 0, (size_t)dim * sizeof *out);
    for (int t = 0; t < n; t++, v += dim)
        for (int d = 0; d < dim; d++)
            out[d] += v[d] / (float)n;
    length = sqrt(ks_dot(out, out, dim));
    for (int d = 0; d < dim; d++)
        out[d] = (float)(out[d] / fmax(length, 1e-12));
}

/* --- encoding, some labels at a time: so many sentences fill several passes of the encoder and take little room --- */
enum { AT_ONCE = 512 };
/* Seconds: a run that is stopped loses no more. Writing a full file (32 MiB, 41,734 labels of 192) takes 0.16 s. */
enum { KEEP_EVERY = 5 };

typedef struct {
    ks_encoder *enc;
    const ks_label_options *o;
    char **texts;    /* [room] NULL, or a sentence */
    float *vectors;  /* [room, dim] */
    int *cut;        /* [room] */
    int room;
    const ks_kept *kept; /* its what is keep */
    const char **keep; /* [n_labels] NULL: not encoded yet, or a sentence was cut: its notice is due at every run */
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
    int each = templates_of(s->o), err;
    size_t dim = (size_t)ks_encoder_info(s->enc)->dim;

    for (int i = 0; i < n * each; i++)
        if (!(s->texts[i] = fill(template_of(s->o, i % each), s->o->labels[which[i / each]])))
            return ks_fail(e, KS_ENOMEM, "no memory for labels");
    if ((err = ks_text_vectors(s->vectors, s->cut, s->enc, (const char *const *)s->texts, n * each, e)) < 0)
        return err;
    for (int i = 0; i < n; i++)
        s->keep[which[i]] = s->o->labels[which[i]];
    for (int i = 0; i < n * each; i++)
        if (s->cut[i])
            s->keep[which[i / each]] = NULL;
    for (int i = 0; i < n; i++)
        average(v + (size_t)which[i] * dim, s->vectors + (size_t)i * (size_t)each * dim, each, (int)dim);
    free_texts(s);
    return 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void keep(sentences *s, const float *v)
{
    if (s->kept->how)
        ks_kept_put(s->enc, s->kept, v);
}

static int encode(float *v, sentences *s, const int *which, int n, ks_error *e)
{
    double kept_at = now();
    int each = templates_of(s->o), labels = each < AT_ONCE ? AT_ONCE / each : 1, err = 0;
    size_t room = (size_t)(labels * each);

    s->room = labels * each;
    s->texts = calloc(room, sizeof *s->texts);
    s->vectors = malloc(room * (size_t)ks_encoder_info(s->enc)->dim * sizeof *s->vectors);
    s->cut = malloc(room * sizeof *s->cut);
    if (!s->texts || !s->vectors || !s->cut)
        err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (int i = 0; i < n && err == 0; i += labels) {
        err = some(v, s, which + i, n - i < labels ? n - i : labels, e);
        if (err == 0 && (n - i <= labels || now() - kept_at > KEEP_EVERY)) {
            keep(s, v);
            kept_at = now();
        }
    }
    free_texts(s);
    free(s->texts);
    free(s->vectors);
    free(s->cut);
    return err;
}

/* --- what is kept between runs: a label's vector, as made by these templates in this order --- */

/* malloc'ed: every template with its length before it, so that no two lists read alike. NULL: no memory. */
static char *how_made(const ks_label_options *o)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fputs("label 1", out);
    for (int i = 0; i < templates_of(o); i++)
        fprintf(out, " %zu:%s", strlen(template_of(o, i)), template_of(o, i));
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* which[]: the labels whose vectors are not kept; returns how many. */
static int missing(int *which, float *v, ks_encoder *enc, const ks_kept *k)
{
    uint8_t *found = k->how ? malloc((size_t)k->n + 1) : NULL;
    int n = 0;

    if (found)
        ks_kept_find(v, found, enc, k);
    for (int i = 0; i < k->n; i++)
        if (!found || !found[i])
            which[n++] = i;
    free(found);
    return n;
}

int ks_label_vectors(float *v, ks_encoder *enc, const ks_label_options *o, ks_error *e)
{
    char *how = how_made(o);
    size_t labels = (size_t)o->n_labels + 1;
    int *which = malloc(labels * sizeof *which), n = 0, err = 0;
    sentences s = {.enc = enc, .o = o, .keep = calloc(labels, sizeof *s.keep)};
    ks_kept kept = {.how = how, .what = s.keep, .n = o->n_labels};

    s.kept = &kept;
    if (!which || !s.keep) {
        err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    } else {
        for (int i = 0; i < o->n_labels; i++)
            s.keep[i] = o->labels[i];
        n = missing(which, v, enc, &kept);
        for (int i = 0; i < n; i++)
            s.keep[which[i]] = NULL;
    }
    if (n > 0)
        err = encode(v, &s, which, n, e);
    free(which);
    free(s.keep);
    free(how);
    return err;
}
