/* read_labelstudio.c - Label Studio's JSON export: what people said, else what was predicted.
 *
 * Where an annotation was made from our predictions (its regions bear their ids), a predicted
 * region that is gone from it is a no: a person looked at it and took it away. */
#include "formats/read.h"

#include "formats/text_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_reader *r;
    char *film;
    double fps; /* of the task; 0: not known */
} task;

/* data.video: a file of Label Studio's (/data/local-files/?d=PATH), a URL, a path. malloc'ed. */
static char *film_of(const json_t *data)
{
    static const char local[] = "/data/local-files/?d=";
    const char *video = json_string_value(json_object_get(data, "video")), *key, *at;
    json_t *value;
    char *url = NULL, *path;

    if (!video) /* the interface may call it otherwise: the first text */
        json_object_foreach((json_t *)data, key, value)
            if (!video && json_is_string(value)) video = json_string_value(value);
    if (!video) return NULL;
    at = strstr(video, local);
    if (!at) return ks_path_of_url(video); /* an upload: ks_film_names knows how they are called */
    at += sizeof local - 1;
    path = asprintf(&url, "file:%s%s", *at == '/' ? "" : "/", at) < 0 ? NULL : ks_path_of_url(url);
    free(url);
    return path;
}

static int add(const task *t, const json_t *region, const json_t *labels, double start, double end,
               int yes)
{
    size_t i;
    json_t *label;
    int err = 0;

    json_array_foreach(labels, i, label)
        if (err == 0 && json_is_string(label))
            err = ks_add_span(t->r, t->film, json_string_value(label), start, end,
                              ks_json_score(region, "score"), yes);
    return err;
}

/* Frames from `start` to `end`, both in it, counted from 1. */
static int add_ranges(const task *t, const json_t *region, const json_t *value, int yes)
{
    size_t i;
    json_t *range;
    int err = 0;

    if (!(t->fps > 0))
        return ks_fail(t->r->e, KS_EUSAGE,
                       "%s: its ranges count frames, and %s does not say at which rate (data.fps): "
                       "give it (--fps)",
                       t->r->file, t->film);
    json_array_foreach(json_object_get(value, "ranges"), i, range) {
        const json_t *from = json_object_get(range, "start"), *to = json_object_get(range, "end");
        if (!json_is_number(from) || !json_is_number(to))
            return ks_bad_file(t->r, "a range without start and end");
        if ((err = add(t, region, json_object_get(value, "timelinelabels"),
                       (json_number_value(from) - 1) / t->fps, json_number_value(to) / t->fps,
                       yes)) < 0)
            break;
    }
    return err;
}

static int add_region(const task *t, const json_t *region, int yes)
{
    const json_t *value = json_object_get(region, "value"), *from = json_object_get(value, "start"),
                 *to = json_object_get(value, "end");

    if (json_object_get(value, "ranges")) return add_ranges(t, region, value, yes);
    if (json_is_number(from) && json_is_number(to)) /* a region of the sound, in seconds */
        return add(t, region, json_object_get(value, "labels"), json_number_value(from),
                   json_number_value(to), yes);
    return 0;
}

static int has_region(const json_t *result, const char *id)
{
    size_t i;
    json_t *region;

    json_array_foreach((json_t *)result, i, region) {
        const char *other = json_string_value(json_object_get(region, "id"));
        if (id && other && strcmp(other, id) == 0) return 1;
    }
    return 0;
}

/* Predicted regions that the annotation `said` has no more; known: it was made from them. */
static int add_refused(const task *t, const json_t *predictions, const json_t *said, int known)
{
    size_t i, j;
    json_t *prediction, *region;
    int err = 0;

    json_array_foreach((json_t *)predictions, i, prediction)
        json_array_foreach(json_object_get(prediction, "result"), j, region)
            known |= has_region(said, json_string_value(json_object_get(region, "id")));
    json_array_foreach((json_t *)predictions, i, prediction)
        json_array_foreach(json_object_get(prediction, "result"), j, region)
            if (known && err == 0 &&
                !has_region(said, json_string_value(json_object_get(region, "id"))))
                err = add_region(t, region, 0);
    return err;
}

static int add_result(const task *t, const json_t *result)
{
    size_t i;
    json_t *region;
    int err = 0;

    json_array_foreach((json_t *)result, i, region)
        if (err == 0) err = add_region(t, region, 1);
    return err;
}

static int read_task(const task *t, const json_t *from)
{
    const json_t *annotations = json_object_get(from, "annotations"),
                 *predictions = json_object_get(from, "predictions");
    size_t i;
    json_t *one;
    int err = 0, said = 0;

    if (!annotations)
        annotations = json_object_get(from, "completions"); /* Label Studio before 1.0 */
    json_array_foreach((json_t *)annotations, i, one) {
        const json_t *parent = json_object_get(one, "parent_prediction"),
                     *result = json_object_get(one, "result");
        if (json_is_true(json_object_get(one, "was_cancelled"))) continue;
        said = 1;
        if (err == 0) err = add_result(t, result);
        if (err == 0) err = add_refused(t, predictions, result, parent && !json_is_null(parent));
    }
    json_array_foreach((json_t *)predictions, i, one)
        if (err == 0 && !said) err = add_result(t, json_object_get(one, "result"));
    if (said && err == 0) err = ks_name_film(t->r, t->film);
    return err;
}

int ks_read_label_studio(ks_reader *r, const json_t *tasks)
{
    size_t i;
    json_t *one;
    int err = 0;

    json_array_foreach((json_t *)tasks, i, one) {
        const json_t *data = json_object_get(one, "data"), *fps = json_object_get(data, "fps");
        task t = {r, film_of(data), json_is_number(fps) ? json_number_value(fps) : r->fps};
        if (!t.film)
            return ks_fail(r->e, KS_EFORMAT, "%s: task %zu has no data with a video", r->file,
                           i + 1);
        err = read_task(&t, one);
        free(t.film);
        if (err < 0) break;
    }
    return err;
}
