/* safetensors.c - the header of a safetensors file: u64 length, JSON, then the elements.
 *
 *   {"__metadata__": {...}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
 *     ...}
 *
 * The format's own rules are enforced: offsets are in bounds, agree with dtype and shape, do not
 * overlap and leave no gap. There are no checksums; the hash is over the data. */
#include "encoder/checkpoint.h"
#include "encoder/json_read.h"

#include <stdlib.h>
#include <string.h>

static int bad_header(const ks_checkpoint *cp, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: not a whole safetensors file: %s", cp->path, what);
}

static int set_dtype(ks_tensor *t, size_t *element, const char *name)
{
    static const struct {
        const char *name;
        ks_dtype dtype;
        size_t bytes;
    } known[] = {{"F32", KS_DTYPE_F4, 4},       {"F16", KS_DTYPE_F2, 2},
                 {"BF16", KS_DTYPE_BF16, 2},    {"I64", KS_DTYPE_I64, 8},
                 {"F64", KS_DTYPE_OTHER, 8},    {"I32", KS_DTYPE_OTHER, 4},
                 {"I16", KS_DTYPE_OTHER, 2},    {"I8", KS_DTYPE_OTHER, 1},
                 {"U8", KS_DTYPE_OTHER, 1},     {"U16", KS_DTYPE_OTHER, 2},
                 {"U32", KS_DTYPE_OTHER, 4},    {"U64", KS_DTYPE_OTHER, 8},
                 {"BOOL", KS_DTYPE_OTHER, 1},   {"F8_E4M3", KS_DTYPE_OTHER, 1},
                 {"F8_E5M2", KS_DTYPE_OTHER, 1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) {
            t->dtype = known[i].dtype;
            *element = known[i].bytes;
            return 0;
        }
    return -1;
}

static int take_shape(ks_tensor *t, const json_t *shape)
{
    if (!json_is_array(shape) || json_array_size(shape) > KS_MAX_RANK) return -1;
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        const json_t *n = json_array_get(shape, (size_t)i);
        if (!json_is_integer(n) || json_integer_value(n) < 0) return -1;
        t->shape[i] = json_integer_value(n);
    }
    return 0;
}

static int take_offsets(ks_tensor *t, const json_t *offsets, uint64_t data, uint64_t length)
{
    const json_t *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !json_is_integer(from) ||
        !json_is_integer(to))
        return -1;
    if (json_integer_value(from) < 0 || json_integer_value(to) < json_integer_value(from))
        return -1;
    if ((uint64_t)json_integer_value(to) > length) return -1;
    t->offset = data + (uint64_t)json_integer_value(from);
    t->stored = t->bytes = (uint64_t)(json_integer_value(to) - json_integer_value(from));
    return 0;
}

static int take_tensor(ks_checkpoint *cp, const char *name, const json_t *value, uint64_t data,
                       ks_error *e)
{
    uint64_t bytes = 0;
    size_t length = strlen(name), element = 1;
    char shape[160];
    if (length == 0 || length > KS_NAME_MAX)
        return bad_header(cp, "a tensor has no name or an endless one", e);
    for (size_t i = 0; i < length; i++)
        if (name[i] < 0x20 || name[i] > 0x7e)
            return bad_header(cp, "a tensor's name is not plain ASCII", e);
    ks_tensor *t = &cp->tensors[cp->n];
    t->name = strdup(name);
    if (!t->name) return ks_fail(e, KS_ENOMEM, "%s: no memory to read its header", cp->path);
    cp->n++;
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    if (!dtype || json_object_size(value) != 3 ||
        take_shape(t, json_object_get(value, "shape")) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s has a damaged entry in the header", cp->path,
                       name);
    if (set_dtype(t, &element, dtype) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s has elements of an unknown type", cp->path,
                       name);
    if (take_offsets(t, json_object_get(value, "data_offsets"), data, cp->bytes.size - data) != 0)
        return ks_fail(
            e, KS_EFORMAT,
            "%s: tensor %s lies outside the file (a download that stopped early looks like this)",
            cp->path, name);
    if (ks_tensor_count(t, element, &bytes) != 0 || bytes != t->bytes)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s is %s of %s, the header gives it %llu bytes",
                       cp->path, name, ks_shape_text(shape, t->shape, t->rank), dtype,
                       (unsigned long long)t->bytes);
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const ks_tensor *x = a, *y = b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return (x->stored > y->stored) - (x->stored < y->stored);
}

static int check_cover(ks_checkpoint *cp, uint64_t data, ks_error *e)
{
    uint64_t at = data;
    qsort(cp->tensors, (size_t)cp->n, sizeof *cp->tensors, by_offset);
    for (int i = 0; i < cp->n; i++) {
        const ks_tensor *t = &cp->tensors[i];
        if (t->offset != at)
            return ks_fail(e, KS_EFORMAT, "%s: tensor %s %s", cp->path, t->name,
                           t->offset < at ? "overlaps the one before it" : "comes after a gap");
        at += t->stored;
    }
    if (at != cp->bytes.size)
        return ks_fail(e, KS_EFORMAT, "%s: %llu bytes follow its last tensor %s", cp->path,
                       (unsigned long long)(cp->bytes.size - at),
                       cp->n ? cp->tensors[cp->n - 1].name : "");
    return 0;
}

static int take_header(ks_checkpoint *cp, json_t *root, uint64_t data, ks_error *e)
{
    const char *name;
    json_t *value;
    int err = 0;
    if (!json_is_object(root)) return bad_header(cp, "its header is no JSON object", e);
    cp->tensors = calloc(json_object_size(root) + 1, sizeof *cp->tensors);
    if (!cp->tensors) return ks_fail(e, KS_ENOMEM, "%s: no memory to read its header", cp->path);
    json_object_foreach(root, name, value) {
        if (strcmp(name, "__metadata__") == 0) continue;
        err = take_tensor(cp, name, value, data, e);
        if (err) return err;
    }
    if (cp->n == 0) return bad_header(cp, "it has no tensors", e);
    return check_cover(cp, data, e);
}

int ks_safetensors_directory(ks_checkpoint *cp, ks_error *e)
{
    uint8_t head[8];
    uint64_t length = 0;
    json_t *root = NULL;
    int err = ks_bytes_read(&cp->bytes, cp->path, 0, head, sizeof head, e);
    if (err) return err;
    for (int i = 7; i >= 0; i--) length = length << 8 | head[i];
    if (length > cp->bytes.size - 8) return bad_header(cp, "its header is longer than the file", e);
    if (length > KS_DIRECTORY_MAX) return bad_header(cp, "its header has an impossible size", e);
    err = ks_json_read(&root, &cp->bytes, cp->path, 8, (size_t)length, e);
    if (!err) err = take_header(cp, root, 8 + length, e);
    json_decref(root);
    return err;
}
