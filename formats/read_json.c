/* read_json.c - ActivityNet, FiftyOne, VIA 3 and our own lines, as jansson gives them. */
#include "formats/read.h"

#include "formats/text_out.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- ActivityNet --- */
static int activitynet_spans(ks_reader *r, const char *id, const char *film, const json_t *list)
{
    size_t i;
    json_t *one;
    int err = 0;

    if (!json_is_array(list))
        return ks_fail(r->e, KS_EFORMAT, "%s: %s has no list of segments", r->file, id);
    json_array_foreach(list, i, one) {
        const char *label = json_string_value(json_object_get(one, "label"));
        double start, end;
        if (!label || ks_json_pair(&start, &end, json_object_get(one, "segment")) < 0)
            return ks_fail(r->e, KS_EFORMAT,
                           "%s: number %zu of %s has no label, or no segment of two numbers",
                           r->file, i + 1, id);
        if ((err = ks_add_url_span(r, film, label, start, end, ks_json_score(one, "score"), 1)) < 0)
            break;
    }
    return err;
}

/* Films of subset testing have no annotations in public: that says nothing of them. */
static int activitynet_film(ks_reader *r, const char *id, const char *film, const json_t *one,
                            const json_t *list)
{
    const char *subset = json_string_value(json_object_get(one, "subset"));

    if (json_array_size(list) == 0 && json_is_array(list))
        return subset && strcmp(subset, "testing") == 0 ? 0 : ks_name_url(r, film);
    return activitynet_spans(r, id, film, list);
}

int ks_read_activitynet(ks_reader *r, const json_t *root)
{
    json_t *database = json_object_get(root, "database"),
           *all = database ? database : json_object_get(root, "results"), *one;
    json_t *films = json_object_get(json_object_get(root, "kinoseek"), "films");
    const char *id;
    int err = json_is_object(all) ? 0 : ks_bad_file(r, "its films are no object");

    json_object_foreach(all, id, one) {
        const char *url = json_string_value(database ? json_object_get(one, "url")
                                                     : json_object_get(films, id));
        if (err < 0) break;
        err = activitynet_film(r, id, url && strncmp(url, "file:", 5) == 0 ? url : id, one,
                               database ? json_object_get(one, "annotations") : one);
    }
    return err;
}

/* --- FiftyOne --- */
/* The manifest beside labels.json: id -> path; NULL where there is none. */
static json_t *manifest_of(const ks_reader *r)
{
    const char *slash = strrchr(r->file, '/');
    char *path = NULL;
    json_t *data = NULL;

    if (asprintf(&path, "%.*sdata.json", slash ? (int)(slash - r->file) + 1 : 0, r->file) > 0) {
        data = json_load_file(path, 0, NULL);
        free(path);
    }
    return data;
}

/* Seconds, else first and last frame, counted from 1 (`support`). */
static int fiftyone_times(double *start, double *end, const ks_reader *r, const json_t *one,
                          const char *id)
{
    const json_t *support = json_object_get(one, "support");

    if (!support && ks_json_pair(start, end, json_object_get(one, "timestamps")) == 0) return 0;
    if (ks_json_pair(start, end, support) < 0)
        return ks_fail(r->e, KS_EFORMAT, "%s: a label of %s has neither timestamps nor support",
                       r->file, id);
    if (!(r->fps > 0))
        return ks_fail(r->e, KS_EUSAGE,
                       "%s: it counts frames and does not say at which rate: give it (--fps)",
                       r->file);
    *start = (*start - 1) / r->fps;
    *end /= r->fps;
    return 0;
}

static int fiftyone_film(ks_reader *r, const char *id, const char *film, const json_t *list,
                         const json_t *classes)
{
    size_t i;
    json_t *one;
    int err = 0;

    if (json_is_null(list)) return 0;
    if (!json_is_array(list))
        return ks_fail(r->e, KS_EFORMAT, "%s: %s has no list of labels", r->file, id);
    json_array_foreach(list, i, one) {
        const json_t *name = json_object_get(one, "label");
        const char *label = json_string_value(
            json_is_integer(name) ? json_array_get(classes, (size_t)json_integer_value(name))
                                  : name);
        double start, end;
        if (!label)
            return ks_fail(r->e, KS_EFORMAT, "%s: number %zu of %s has no label", r->file, i + 1,
                           id);
        if ((err = fiftyone_times(&start, &end, r, one, id)) < 0 ||
            (err = ks_add_url_span(r, film, label, start, end, ks_json_score(one, "confidence"),
                                   1)) < 0)
            break;
    }
    return err < 0 ? err : ks_name_url(r, film);
}

int ks_read_fiftyone(ks_reader *r, const json_t *root)
{
    json_t *all = json_object_get(root, "labels"), *classes = json_object_get(root, "classes"),
           *one, *data = manifest_of(r);
    const char *id;
    int err = json_is_object(all) ? 0 : ks_bad_file(r, "its labels are no object");

    json_object_foreach(all, id, one) {
        const char *path = json_string_value(json_object_get(data, id));
        if (err < 0) break;
        err = fiftyone_film(r, id, path ? path : id, one, classes);
    }
    json_decref(data);
    return err;
}

/* --- VIA 3 --- */
static const char *via_name(const json_t *file)
{
    const char *src = json_string_value(json_object_get(file, "src"));

    return src && *src ? src : json_string_value(json_object_get(file, "fname"));
}

static const char *via_film(const json_t *root, const json_t *span)
{
    const char *vid = json_string_value(json_object_get(span, "vid"));
    const json_t *view = vid ? json_object_get(json_object_get(root, "view"), vid) : NULL;
    const json_t *fid = json_array_get(json_object_get(view, "fid_list"), 0);
    char number[64];

    if (json_is_integer(fid))
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(fid));
    else
        snprintf(number, sizeof number, "%s", json_string_value(fid) ? json_string_value(fid) : "");
    return via_name(json_object_get(json_object_get(root, "file"), number));
}

/* A value is the option's number where the attribute has options, several with commas between
 * (check boxes); else text. */
static int via_values(ks_reader *r, const json_t *attribute, const char *value, const char *film,
                      double start, double end)
{
    const json_t *options = json_object_get(attribute, "options");
    int err = 0;

    if (json_object_size(options) == 0)
        return *value ? ks_add_url_span(r, film, value, start, end, (double)NAN, 1) : 0;
    while (*value && err == 0) {
        size_t n = strcspn(value, ",");
        char *number = strndup(value, n);
        const char *label = number ? json_string_value(json_object_get(options, number)) : NULL;
        if (number && *number)
            err = label ? ks_add_url_span(r, film, label, start, end, (double)NAN, 1)
                        : ks_fail(r->e, KS_EFORMAT, "%s: %s is no option of its attribute", r->file,
                                  number);
        free(number);
        value += n + (value[n] == ',');
    }
    return err;
}

int ks_read_via(ks_reader *r, const json_t *root)
{
    json_t *all = json_object_get(root, "metadata"), *one, *value;
    const char *mid, *aid;
    int err = json_is_object(all) ? 0 : ks_bad_file(r, "it has no metadata");

    json_object_foreach(json_object_get(root, "file"), mid, one)
        if (err == 0 && via_name(one)) err = ks_name_url(r, via_name(one));
    json_object_foreach(all, mid, one) {
        double start, end;
        const char *film = via_film(root, one);
        if (err < 0) break;
        if (ks_json_pair(&start, &end, json_object_get(one, "z")) < 0)
            continue; /* a region of one picture, or of the whole file */
        if (!film) return ks_fail(r->e, KS_EFORMAT, "%s: %s is of no file", r->file, mid);
        json_object_foreach(json_object_get(one, "av"), aid, value)
            if (err == 0 && json_is_string(value))
                err = via_values(r, json_object_get(json_object_get(root, "attribute"), aid),
                                 json_string_value(value), film, start, end);
    }
    return err;
}

/* --- our own lines --- */
/* The path's bytes: "path_bytes" in base64 where the path is not UTF-8. malloc'ed; NULL:
 * neither. */
static char *path_of(const json_t *hit)
{
    const char *coded = json_string_value(json_object_get(hit, "path_bytes")),
               *path = json_string_value(json_object_get(hit, "path"));
    char *out;

    if (!coded) return path ? strdup(path) : NULL;
    if ((out = malloc(strlen(coded) + 1)) && ks_read_base64(out, coded) < 0) {
        free(out);
        out = NULL;
    }
    return out;
}

int ks_read_hit(ks_reader *r, const json_t *hit)
{
    const json_t *start = json_object_get(hit, "start"), *end = json_object_get(hit, "end"),
                 *yes = json_object_get(hit, "answer");
    const char *label = json_string_value(json_object_get(hit, "label")),
               *query = json_string_value(json_object_get(hit, "query"));
    char *path = path_of(hit);
    int err;

    if (path && json_is_number(start) && json_is_number(end))
        err = ks_add_span(r, path, label ? label : query, json_number_value(start),
                          json_number_value(end), ks_json_score(hit, "score"), !json_is_false(yes));
    else err = ks_bad_file(r, "an object without path, start and end");
    free(path);
    return err;
}

int ks_read_json_lines(ks_reader *r, const char *text, size_t n)
{
    int line = 1, err = 0;

    for (const char *end = text + n; text < end && err == 0; line++) {
        size_t length = strcspn(text, "\n");
        json_error_t why;
        json_t *hit = json_loadb(text, length, 0, &why);
        if (hit) err = ks_read_hit(r, hit);
        else if (strspn(text, " \t\r") < length)
            err = ks_fail(r->e, KS_EFORMAT, "%s: line %d: not JSON: %s", r->file, line, why.text);
        json_decref(hit);
        text += length + 1;
    }
    return err;
}
