/* absent.c - the rows of a set that earn nothing, by name: for sentences. */
#include "eval/eval.h"

#include <stdlib.h>
#include <string.h>

enum { NAMED = 5 };

static void add(ks_eval_names *out, const char *id)
{
    size_t n = strlen(out->ids);
    if (out->n++ < NAMED) snprintf(out->ids + n, sizeof out->ids - n, "%s%.60s", n ? ", " : "", id);
}

static void close_names(ks_eval_names *out)
{
    size_t n = strlen(out->ids);
    if (out->n > NAMED)
        snprintf(out->ids + n, sizeof out->ids - n, " and %lld more", (long long)out->n - NAMED);
}

/* [videos.n] and [texts.n] 1: a question is about it. */
typedef struct {
    uint8_t *video, *text;
} marks;

static int mark(marks *m, const ks_eval_set *set, ks_error *e)
{
    *m = (marks){calloc((size_t)set->videos.n + 1, 1), calloc((size_t)set->texts.n + 1, 1)};
    if (!m->video || !m->text) return ks_fail(e, KS_ENOMEM, "no memory for what is missing");
    for (int64_t i = 0; i < set->n_pairs; i++)
        m->video[set->pairs[i].video] = m->text[set->pairs[i].text] = 1;
    return 0;
}

static void marks_free(marks *m)
{
    free(m->video);
    free(m->text);
}

/* idle NULL: what nothing asks for is no matter. */
static void sort_out(ks_eval_names *asked, ks_eval_names *idle, const ks_eval_list *list,
                     const ks_eval_vectors *v, const uint8_t *mark, const int64_t *class_of)
{
    for (int64_t i = 0; i < list->n; i++) {
        if (v->has[i] || (class_of && class_of[i] != i)) continue;
        if (mark[i]) add(asked, list->at[i].id);
        else if (idle) add(idle, list->at[i].id);
    }
}

/* A film without a vector is a candidate the fewer where texts choose among films, a text where
 * films choose among texts. */
int ks_eval_without_vector(ks_eval_names *asked, ks_eval_names *idle, const ks_eval_set *set,
                           ks_eval_task task, const ks_eval_vectors *videos,
                           const ks_eval_vectors *texts, ks_error *e)
{
    int to_films = task == KS_EVAL_RETRIEVAL || task == KS_EVAL_MULTILABEL,
        to_texts = task == KS_EVAL_RETRIEVAL || task == KS_EVAL_CLASSIFY,
        classes = task == KS_EVAL_CLASSIFY || task == KS_EVAL_MULTILABEL;
    marks m;
    *asked = *idle = (ks_eval_names){0};
    int err = mark(&m, set, e);
    if (!err) {
        sort_out(asked, to_films ? idle : NULL, &set->videos, videos, m.video, NULL);
        sort_out(asked, to_texts ? idle : NULL, &set->texts, texts, m.text,
                 classes ? set->class_of : NULL);
    }
    close_names(asked);
    close_names(idle);
    marks_free(&m);
    return err;
}

int ks_eval_without_class(ks_eval_names *out, const ks_eval_set *set, ks_error *e)
{
    marks m;
    *out = (ks_eval_names){0};
    int err = mark(&m, set, e);
    for (int64_t i = 0; i < set->videos.n && !err; i++)
        if (!m.video[i]) add(out, set->videos.at[i].id);
    close_names(out);
    marks_free(&m);
    return err;
}
