/* named_rows.c - somebody's vectors: an .npy, or an .npz that names its rows. */
#include "encoder/checkpoint.h"
#include "encoder/encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ks_named_rows_free(ks_named_rows *v)
{
    for (int64_t i = 0; v->ids && i < v->rows; i++) free(v->ids[i]);
    free((void *)v->ids);
    free(v->x);
    *v = (ks_named_rows){0};
}

static int is_matrix(const ks_tensor *t)
{
    return t->rank == 2 &&
           (t->dtype == KS_DTYPE_F2 || t->dtype == KS_DTYPE_F4 || t->dtype == KS_DTYPE_F8);
}

/* The one matrix of the file. */
static int find_matrix(const ks_tensor **out, const ks_checkpoint *cp, ks_error *e)
{
    *out = NULL;
    for (int i = 0; i < cp->n; i++) {
        if (!is_matrix(&cp->tensors[i])) continue;
        if (*out)
            return ks_fail(e, KS_ESHAPE, "%s: holds several matrices (%s, %s), one is wanted",
                           cp->path, (*out)->name, cp->tensors[i].name);
        *out = &cp->tensors[i];
    }
    if (!*out) return ks_fail(e, KS_ESHAPE, "%s: holds no matrix [n, D] of f2, f4 or f8", cp->path);
    if ((*out)->shape[0] < 1 || (*out)->shape[1] < 1 || (*out)->shape[1] > 1 << 20)
        return ks_fail(e, KS_ESHAPE, "%s: its matrix is empty, or wider than any vector", cp->path);
    return 0;
}

static double from_half(const uint8_t *at)
{
    unsigned bits = (unsigned)at[0] | (unsigned)at[1] << 8, exponent = bits >> 10 & 31,
             fraction = bits & 1023;
    double x = exponent == 0    ? ldexp(fraction, -24)
               : exponent == 31 ? (fraction ? NAN : INFINITY)
                                : ldexp(fraction + 1024, (int)exponent - 25);
    return bits >> 15 ? -x : x;
}

static double widen(const uint8_t *at, ks_dtype dtype)
{
    float f;
    double d;
    if (dtype == KS_DTYPE_F2) return from_half(at);
    if (dtype == KS_DTYPE_F4) return memcpy(&f, at, sizeof f), (double)f;
    return memcpy(&d, at, sizeof d), d;
}

/* Columns one after another become rows. */
static int turn(ks_named_rows *v, const ks_checkpoint *cp, ks_error *e)
{
    double *x = malloc((size_t)v->rows * (size_t)v->dim * sizeof *x);
    if (!x) return ks_fail(e, KS_ENOMEM, "%s: no memory for its vectors", cp->path);
    for (int64_t d = 0; d < v->dim; d++)
        for (int64_t i = 0; i < v->rows; i++) x[i * v->dim + d] = v->x[d * v->rows + i];
    free(v->x);
    v->x = x;
    return 0;
}

/* The elements lie at the end of their own room and are widened from its front; NaN and Inf are
 * left for the caller, who can name the row. */
static int read_matrix(ks_named_rows *out, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e)
{
    size_t n = (size_t)t->count, element = (size_t)t->element;
    if (t->count > INT64_MAX / 16 || !(out->x = malloc(n * sizeof *out->x)))
        return ks_fail(e, KS_ENOMEM, "%s: no memory for its vectors", cp->path);
    out->rows = t->shape[0];
    out->dim = t->shape[1];
    uint8_t *raw = (uint8_t *)out->x + n * (sizeof *out->x - element);
    int err = ks_tensor_bytes(raw, cp, t, e);
    for (size_t i = 0; i < n && !err; i++) out->x[i] = widen(raw + i * element, t->dtype);
    return err || !t->fortran ? err : turn(out, cp, e);
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    to[0] = (char)((0xff00 >> (more + 1) & 0xff) | c >> (6 * more));
    for (size_t i = 1; i <= more; i++) to[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

/* One name of `width` bytes, padded with zeros -> malloc'ed UTF-8; NULL: no memory. */
static char *take_name(const uint8_t *at, const ks_tensor *t)
{
    size_t width = (size_t)t->element, n = 0;
    char *name = malloc(width + 24);
    if (!name) return NULL;
    if (t->dtype == KS_DTYPE_I64) {
        int64_t number;
        memcpy(&number, at, sizeof number);
        snprintf(name, width + 24, "%lld", (long long)number);
        return name;
    }
    if (t->dtype == KS_DTYPE_BYTES) {
        memcpy(name, at, width);
        n = strnlen(name, width);
    }
    for (size_t i = 0; t->dtype == KS_DTYPE_UCS4 && i < width; i += 4) {
        uint32_t c;
        memcpy(&c, at + i, sizeof c);
        if (c == 0) break;
        n += put_utf8(name + n, c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c);
    }
    name[n] = 0;
    return name;
}

static int read_names(ks_named_rows *out, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e)
{
    if (t->rank != 1 || t->count != out->rows ||
        (t->dtype != KS_DTYPE_UCS4 && t->dtype != KS_DTYPE_BYTES && t->dtype != KS_DTYPE_I64))
        return ks_fail(e, KS_ESHAPE, "%s: its ids are no list of %lld texts or whole numbers",
                       cp->path, (long long)out->rows);
    int err = 0;
    uint8_t *raw = malloc((size_t)(t->bytes - t->header));
    out->ids = calloc((size_t)out->rows, sizeof *out->ids);
    if (!raw || !out->ids) err = ks_fail(e, KS_ENOMEM, "%s: no memory for its ids", cp->path);
    if (!err) err = ks_tensor_bytes(raw, cp, t, e);
    for (int64_t i = 0; i < out->rows && !err; i++)
        if (!(out->ids[i] = take_name(raw + (size_t)i * (size_t)t->element, t)))
            err = ks_fail(e, KS_ENOMEM, "%s: no memory for its ids", cp->path);
    free(raw);
    return err;
}

/* "video_ids", "key", "Names": whole numbers that are called so are names too. */
static int is_called_so(const char *name)
{
    static const char *const words[] = {"id", "ids", "key", "keys", "name", "names"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t w = strlen(words[i]);
        if (n >= w && strcasecmp(name + n - w, words[i]) == 0 &&
            (n == w || name[n - w - 1] == '_' || name[n - w - 1] == '.'))
            return 1;
    }
    return 0;
}

/* Names under another name would leave the vectors to the order of the list, which nobody
 * promised. */
static int check_unnamed(const ks_checkpoint *cp, int64_t rows, ks_error *e)
{
    for (int i = 0; i < cp->n; i++) {
        const ks_tensor *t = &cp->tensors[i];
        int text = t->dtype == KS_DTYPE_UCS4 || t->dtype == KS_DTYPE_BYTES;
        if (t->count != rows || !(text || (t->dtype == KS_DTYPE_I64 && is_called_so(t->name))))
            continue;
        return ks_fail(e, KS_EFORMAT,
                       "%s: holds '%s', which is not read: the names of its rows are an array "
                       "called 'ids'",
                       cp->path, t->name);
    }
    return 0;
}

int ks_named_rows_read(ks_named_rows *out, const char *path, ks_error *e)
{
    ks_checkpoint *cp = NULL;
    const ks_tensor *matrix = NULL;
    *out = (ks_named_rows){0};
    int err = ks_arrays_open(&cp, path, e);
    if (!err) err = find_matrix(&matrix, cp, e);
    if (!err) err = read_matrix(out, cp, matrix, e);
    const ks_tensor *ids = err ? NULL : ks_checkpoint_find(cp, "ids");
    if (ids) err = read_names(out, cp, ids, e);
    else if (!err) err = check_unnamed(cp, out->rows, e);
    ks_checkpoint_close(cp);
    if (err) ks_named_rows_free(out);
    return err;
}
