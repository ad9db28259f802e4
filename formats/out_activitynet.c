/* out_activitynet.c - ActivityNet's JSON (Evaluation/eval_detection.py): predictions, and truth.
 *
 * Ids are the films' names without ending; the member "kinoseek" (predictions) and "url" (truth)
 * say which files they are. */
#include "formats/out.h"

#include <string.h>

/* ActivityNet's files are called v_ID.mp4 and its ids are without v_; kept where another film
 * has that id. */
static const char *id_of(const ks_writer *w, int i)
{
    const char *id = w->ids[i];

    if (strncmp(id, "v_", 2) != 0 || !id[2]) return id;
    for (int j = 0; j < w->n; j++)
        if (ks_first_of_film(w, j) && strcmp(w->ids[j], id + 2) == 0) return id;
    return id + 2;
}

static void segment(ks_json *j, const ks_moment *k)
{
    ks_json_open(j, "segment", '[');
    ks_json_seconds(j, NULL, ks_seconds(k->start, k->tb));
    ks_json_seconds(j, NULL, ks_seconds(k->end, k->tb));
    ks_json_close(j);
}

static int results_begin(ks_writer *w)
{
    ks_json *j = &w->json;

    ks_json_open(j, NULL, '{');
    ks_json_text(j, "version", "VERSION 1.3");
    ks_json_open(j, "results", '{');
    return 0;
}

static int results_entry(ks_writer *w, const ks_moment *k)
{
    ks_json *j = &w->json;

    if (ks_first_of_film(w, w->i)) ks_json_open(j, id_of(w, w->i), '[');
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "label", k->title);
    ks_json_number(j, "score", k->score);
    segment(j, k);
    ks_json_close(j);
    if (ks_last_of_film(w, w->i)) ks_json_close(j);
    return 0;
}

static int results_end(ks_writer *w)
{
    ks_json *j = &w->json;
    int err = 0;

    ks_json_close(j);
    ks_json_open(j, "external_data", '{');
    ks_json_bool(j, "used", 1);
    ks_json_text(j, "details", w->options->model ? w->options->model : "kinoseek");
    ks_json_close(j);
    ks_json_open(j, "kinoseek", '{');
    ks_json_open(j, "films", '{');
    for (int i = 0; i < w->n && err == 0; i++)
        if (ks_first_of_film(w, i)) err = ks_json_url(j, id_of(w, i), w->at[i].path, w->e);
    while (j->depth > 0) ks_json_close(j);
    return err;
}

const ks_format ks_format_activitynet = {
    .name = "activitynet",
    .ending = ".json",
    .brief = "ActivityNet predictions",
    .flags = KS_KEEPS | KS_BY_FILM,
    .begin = results_begin,
    .entry = results_entry,
    .end = results_end,
};

static int truth_begin(ks_writer *w)
{
    ks_json *j = &w->json;

    ks_json_open(j, NULL, '{');
    ks_json_text(j, "version", "VERSION 1.3");
    ks_json_open(j, "taxonomy", '[');
    ks_json_close(j);
    ks_json_open(j, "database", '{');
    return 0;
}

static int truth_entry(ks_writer *w, const ks_moment *k)
{
    ks_json *j = &w->json;
    int err = 0;

    if (ks_first_of_film(w, w->i)) {
        ks_json_open(j, id_of(w, w->i), '{');
        ks_json_seconds(j, "duration", k->duration);
        ks_json_text(j, "subset", "validation");
        err = ks_json_url(j, "url", k->path, w->e);
        ks_json_open(j, "annotations", '[');
    }
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "label", k->title);
    segment(j, k);
    ks_json_close(j);
    if (ks_last_of_film(w, w->i)) {
        ks_json_close(j);
        ks_json_close(j);
    }
    return err;
}

const ks_format ks_format_activitynet_truth = {
    .name = "activitynet-truth",
    .ending = ".json",
    .brief = "ActivityNet ground truth",
    .flags = KS_KEEPS | KS_BY_FILM,
    .begin = truth_begin,
    .entry = truth_entry,
    .end = ks_end_json,
};
