/* label_vectors.c - every label as 28 sentences, averaged as CLIP does. */
#include "query/label_vectors.h"

#include "query/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Labels are encoded some at a time: so many sentences fill several passes of the encoder and take little room. */
enum { AT_ONCE = 512 };

static int templates_of(const ks_label_options *o)
{
    return o->templates ? o->n_templates : KINETICS;
}

typedef struct {
    char **texts;    /* [room] NULL, or a sentence */
    float *vectors;  /* [room, dim] */
    int room;
} sentences;

static void free_texts(sentences *s)
{
    for (int i = 0; i < s->room && s->texts; i++) {
        free(s->texts[i]);
        s->texts[i] = NULL;
    }
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

/* v[n, dim] of the labels from `first` on; s has room for their sentences. */
static int some(float *v, sentences *s, ks_encoder *enc, const ks_label_options *o, const int range[2], ks_error *e)
{
    int each = templates_of(o), dim = ks_encoder_info(enc)->dim, n = (range[1] - range[0]) * each, err;

    for (int i = 0; i < n; i++) {
        const char *form = o->templates ? o->templates[i % each] : kinetics[i % each];
        if (!(s->texts[i] = fill(form, o->labels[range[0] + i / each])))
            return ks_fail(e, KS_ENOMEM, "no memory for labels");
    }
    if ((err = ks_text_vectors(s->vectors, enc, (const char *const *)s->texts, n, e)) < 0)
        return err;
    for (int i = range[0]; i < range[1]; i++)
        average(v + (size_t)i * (size_t)dim, s->vectors + (size_t)(i - range[0]) * (size_t)each * (size_t)dim, each, dim);
    free_texts(s);
    return 0;
}

int ks_label_vectors(float *v, ks_encoder *enc, const ks_label_options *o, ks_error *e)
{
    int each = templates_of(o), labels = each < AT_ONCE ? AT_ONCE / each : 1, err = 0;
    sentences s = {.room = labels * each};

    s.texts = calloc((size_t)s.room, sizeof *s.texts);
    s.vectors = malloc((size_t)s.room * (size_t)ks_encoder_info(enc)->dim * sizeof *s.vectors);
    if (!s.texts || !s.vectors)
        err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (int i = 0; i < o->n_labels && err == 0; i += labels) {
        int end = o->n_labels - i < labels ? o->n_labels : i + labels;
        err = some(v, &s, enc, o, (const int[]){i, end}, e);
    }
    free_texts(&s);
    free(s.texts);
    free(s.vectors);
    return err;
}
