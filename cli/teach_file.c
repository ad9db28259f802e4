/* teach_file.c - see teach_file.h. */
#include "cli/teach_file.h"

#include "formats/formats.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char kind[] = "kinoseek learnt label 1";

typedef struct {
    FILE *f;
    const ks_library *l;
    int n;
} writing;

static int write_one(void *arg, const ks_learnt_row *row)
{
    writing *w = arg;
    ks_json j;

    if (row->space != w->l->space_id) return 0;
    ks_json_start(&j, w->f);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "kind", kind);
    ks_json_text(&j, "name", row->name);
    ks_json_text(&j, "model", w->l->space.model);
    ks_json_rate(&j, "bias", row->bias);
    ks_json_rate(&j, "average_precision", row->ap);
    ks_json_rate(&j, "low", row->ap_low);
    ks_json_rate(&j, "high", row->ap_high);
    ks_json_int(&j, "yes", row->yes);
    ks_json_int(&j, "no", row->no);
    ks_json_int(&j, "films", row->films);
    ks_json_floats(&j, "w", row->w, (size_t)row->dim);
    ks_json_close(&j);
    w->n++;
    return 0;
}

int ks_learnt_export(ks_index *x, const ks_library *l, const char *name, const char *path,
                     int force, ks_error *e)
{
    assert(x && l && name && path);
    ks_user_file file;
    writing w = {.l = l};
    int err = ks_user_file_open(&file, path, force, e);

    if (err < 0) return err;
    w.f = file.f;
    err = ks_index_learnt(x, name, write_one, &w, e);
    if (err == 0 && w.n == 0)
        err = ks_fail(
            e, KS_ENOTFOUND,
            "%s: no label was taught under that name on this model (kinoseek teach --list)", name);
    if (err == 0) return ks_user_file_publish(&file, e);
    ks_user_file_drop(&file);
    return err;
}

static int bad(const char *path, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: %s", path, what);
}

/* w[dim] is the caller's, malloc'ed. */
static int take_weights(float **w, const json_t *root, int dim, const char *path, ks_error *e)
{
    const json_t *list = json_object_get(root, "w");

    if (json_array_size(list) != (size_t)dim)
        return bad(path, "its weights are not as many as this model's dimensions", e);
    if (!(*w = malloc((size_t)dim * sizeof **w)))
        return ks_fail(e, KS_ENOMEM, "no memory for a label");
    for (int d = 0; d < dim; d++) {
        double v = json_number_value(json_array_get(list, (size_t)d));
        if (!json_is_number(json_array_get(list, (size_t)d)) || !(fabs(v) < 1e6))
            return bad(path, "a weight is no number", e);
        (*w)[d] = (float)v;
    }
    return 0;
}

static double number_of(const json_t *root, const char *key)
{
    const json_t *n = json_object_get(root, key);
    return json_is_number(n) ? json_number_value(n) : (double)NAN;
}

static int import(ks_index *x, const ks_library *l, const char *name, const json_t *root,
                  const char *path, ks_error *e)
{
    const char *is = json_string_value(json_object_get(root, "kind")),
               *model = json_string_value(json_object_get(root, "model"));
    ks_learnt_row row = {.space = l->space_id,
                         .dim = l->space.dim,
                         .bias = number_of(root, "bias"),
                         .ap = number_of(root, "average_precision"),
                         .ap_low = number_of(root, "low"),
                         .ap_high = number_of(root, "high")};
    float *w = NULL;
    int err;

    row.name = name ? name : json_string_value(json_object_get(root, "name"));
    row.yes = (int64_t)json_integer_value(json_object_get(root, "yes"));
    row.no = (int64_t)json_integer_value(json_object_get(root, "no"));
    row.films = (int64_t)json_integer_value(json_object_get(root, "films"));
    if (!is || strcmp(is, kind) != 0 || !model || !row.name || !*row.name)
        return bad(path, "not a label that kinoseek teach --export wrote", e);
    if (strcmp(model, l->space.model) != 0)
        return ks_fail(e, KS_ESPACE, "%s: it was taught on another model than this library's",
                       path);
    if (!(fabs(row.bias) < 1e9) || !(row.ap <= 1) || !(row.ap_low <= 1) || !(row.ap_high <= 1) ||
        row.yes < 0 || row.no < 0 || row.films < 0)
        return bad(path, "a number of it is none", e);
    if ((err = take_weights(&w, root, row.dim, path, e)) == 0) {
        row.w = w;
        err = ks_index_put_learnt(x, &row, e);
    }
    free(w);
    return err;
}

int ks_learnt_import(ks_index *x, const ks_library *l, const char *name, const char *path,
                     ks_error *e)
{
    assert(x && l && path);
    json_error_t why;
    json_t *root = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &why)
                                          : json_load_file(path, 0, &why);
    int err = root ? import(x, l, name, root, path, e)
                   : ks_fail(e,
                             json_error_code(&why) == json_error_cannot_open_file ? KS_ENOTFOUND
                                                                                  : KS_EFORMAT,
                             "%s: %s", path, why.text);

    json_decref(root);
    return err;
}
