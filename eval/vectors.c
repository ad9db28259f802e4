/* vectors.c - rows of a file or of an encoder become the unit vectors of a list. */
#include "eval/eval.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int ks_eval_room(ks_eval_vectors *out, int64_t n, int64_t dim, ks_error *e)
{
    assert(out && n >= 0 && dim > 0);
    *out = (ks_eval_vectors){.n = n, .dim = dim, .missing = n};
    if (n <= INT64_MAX / 8 / dim)
        out->x = calloc((size_t)(n ? n : 1), (size_t)dim * sizeof *out->x);
    out->has = calloc((size_t)(n ? n : 1), 1);
    if (out->x && out->has) return 0;
    ks_eval_vectors_free(out);
    return ks_fail(e, KS_ENOMEM, "no memory for %lld vectors of %lld numbers", (long long)n,
                   (long long)dim);
}

void ks_eval_vectors_free(ks_eval_vectors *v)
{
    free(v->x);
    free(v->has);
    *v = (ks_eval_vectors){0};
}

/* x[dim] to unit length, the sum of squares in order; -1: not finite, or zero. */
static int normalise(double *x, int64_t dim)
{
    double squares = 0, most = 0;
    for (int64_t d = 0; d < dim; d++) most = fabs(x[d]) > most || isnan(x[d]) ? fabs(x[d]) : most;
    if (!isfinite(most) || most == 0) return -1;
    if (most < 1e-100 || most > 1e100) /* squares of these would leave a double's range */
        for (int64_t d = 0; d < dim; d++) x[d] /= most;
    for (int64_t d = 0; d < dim; d++) squares += x[d] * x[d];
    double length = sqrt(squares);
    for (int64_t d = 0; d < dim; d++) x[d] /= length;
    return 0;
}

int ks_eval_put(ks_eval_vectors *out, int64_t i, const double *v)
{
    assert(out && i >= 0 && i < out->n && v);
    double *x = out->x + i * out->dim;
    memcpy(x, v, (size_t)out->dim * sizeof *x);
    if (normalise(x, out->dim) < 0) {
        memset(x, 0, (size_t)out->dim * sizeof *x);
        return -1;
    }
    out->missing -= !out->has[i];
    out->has[i] = 1;
    return 0;
}

static int put_named(ks_eval_vectors *out, int64_t i, const double *v, const char *path,
                     const char *id, ks_error *e)
{
    if (ks_eval_put(out, i, v) == 0) return 0;
    for (int64_t d = 0; d < out->dim; d++)
        if (!isfinite(v[d]))
            return ks_fail(e, KS_EFORMAT, "%s: the vector of '%.200s' holds NaN or Inf", path, id);
    return ks_fail(e, KS_EFORMAT, "%s: the vector of '%.200s' is zero", path, id);
}

typedef struct {
    const char *id;
    int64_t row;
} named;

static int by_id(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int o = strcmp(x->id, y->id);
    return o ? o : (x->row > y->row) - (x->row < y->row);
}

/* Rows by id, equal ids in their order. */
static named *sort_ids(char *const *ids, int64_t n)
{
    named *names = malloc((size_t)(n ? n : 1) * sizeof *names);
    for (int64_t i = 0; i < n && names; i++) names[i] = (named){ids[i], i};
    if (names) qsort(names, (size_t)n, sizeof *names, by_id);
    return names;
}

/* Rows from `at` on with the id of that one. */
static int64_t run_of(const named *names, int64_t at, int64_t n)
{
    int64_t end = at;
    while (end < n && strcmp(names[end].id, names[at].id) == 0) end++;
    return end - at;
}

static int count_fault(const char *path, const char *id, int64_t has, int64_t wants, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: id '%.200s' stands %lld times, in the list %lld time%s",
                   path, id, (long long)has, (long long)wants, wants == 1 ? "" : "s");
}

/* The two in step: rows of one id take as many vectors in order, or all the same one. *met: rows
 * of the list that took any. */
static int merge(ks_eval_vectors *out, int64_t *met, const named *list, const named *names,
                 const ks_named_rows *v, const char *path, ks_error *e)
{
    int err = 0;
    for (int64_t i = 0, k = 0, n, m; i < out->n && k < v->rows && !err;) {
        int o = strcmp(list[i].id, names[k].id);
        n = run_of(list, i, out->n), m = run_of(names, k, v->rows);
        if (o == 0 && m != 1 && m != n) return count_fault(path, names[k].id, m, n, e);
        for (int64_t r = 0; o == 0 && r < n && !err; r++)
            err = put_named(out, list[i + r].row, v->x + names[k + (m > 1 ? r : 0)].row * v->dim,
                            path, list[i].id, e);
        *met += o == 0 ? n : 0;
        i += o <= 0 ? n : 0;
        k += o >= 0 ? m : 0;
    }
    return err;
}

/* Every row of the list takes the vector of its id; rows of the file that nothing asks for are
 * let be. */
static int take_by_id(ks_eval_vectors *out, const ks_eval_list *list, const ks_named_rows *v,
                      const char *path, ks_error *e)
{
    char **ids = malloc((size_t)(list->n ? list->n : 1) * sizeof *ids);
    for (int64_t i = 0; i < list->n && ids; i++) ids[i] = list->at[i].id;
    named *wanted = ids ? sort_ids(ids, list->n) : NULL, *names = sort_ids(v->ids, v->rows);
    int64_t met = 0;
    int err = wanted && names ? merge(out, &met, wanted, names, v, path, e)
                              : ks_fail(e, KS_ENOMEM, "%s: no memory for its ids", path);
    if (!err && !met && list->n && v->rows)
        err = ks_fail(e, KS_EFORMAT,
                      "%s: none of its %lld ids is in the list: it has '%.100s', the list "
                      "'%.100s'; name the vectors as the list does",
                      path, (long long)v->rows, v->ids[0], list->at[0].id);
    free((void *)ids);
    free(wanted);
    free(names);
    return err;
}

int ks_eval_take(ks_eval_vectors *out, const ks_eval_list *list, const ks_named_rows *vectors,
                 const char *path, ks_error *e)
{
    assert(out && list && vectors && path);
    *out = (ks_eval_vectors){0};
    if (!vectors->ids && vectors->rows != list->n)
        return ks_fail(e, KS_ESHAPE, "%s: has %lld vectors without ids, the list has %lld rows",
                       path, (long long)vectors->rows, (long long)list->n);
    int err = ks_eval_room(out, list->n, vectors->dim, e);
    if (!err && vectors->ids) err = take_by_id(out, list, vectors, path, e);
    for (int64_t i = 0; !vectors->ids && i < list->n && !err; i++)
        err = put_named(out, i, vectors->x + i * vectors->dim, path, list->at[i].id, e);
    if (err) ks_eval_vectors_free(out);
    return err;
}

int ks_eval_average_classes(ks_eval_vectors *texts, const ks_eval_set *set, ks_error *e)
{
    assert(texts && set && texts->n == set->texts.n);
    int64_t dim = texts->dim;
    for (int64_t i = 0; i < texts->n; i++) {
        int64_t first = set->class_of[i];
        if (first == i || !texts->has[i]) continue;
        for (int64_t d = 0; d < dim; d++) texts->x[first * dim + d] += texts->x[i * dim + d];
        texts->missing -= !texts->has[first];
        texts->has[first] = 2; /* a sum */
    }
    for (int64_t i = 0; i < texts->n; i++) {
        if (texts->has[i] != 2) continue;
        texts->has[i] = 1;
        if (normalise(texts->x + i * dim, dim) < 0)
            return ks_fail(e, KS_EFORMAT, "the texts of class '%.200s' cancel out",
                           set->texts.at[i].id);
    }
    return 0;
}
