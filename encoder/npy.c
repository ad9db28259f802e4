/* npy.c - the header of an npy file, strictly: one literal dict with three known keys.
 *
 *   \x93NUMPY major minor  length (u16 in 1.0, u32 in 2.0)  {'descr': '<f4', 'fortran_order':
 *                          False,
 *   'shape': (2, 768), }  spaces  \n  elements
 *
 * numpy evaluates the dict with ast.literal_eval; what it writes is always of this form, and
 * nothing else is read here. */
#include "encoder/checkpoint.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *at, *end;
} cursor;

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t')) c->at++;
}

static int take(cursor *c, const char *word)
{
    skip_space(c);
    size_t n = strlen(word);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return 0;
    c->at += n;
    return 1;
}

/* A quoted word without escapes into word[size]. */
static int take_quoted(cursor *c, char *word, size_t size)
{
    skip_space(c);
    if (c->at >= c->end || (*c->at != '\'' && *c->at != '"')) return 0;
    char quote = *c->at++;
    size_t n = 0;
    while (c->at < c->end && *c->at != quote) {
        unsigned char byte = (unsigned char)*c->at++;
        if (n + 1 >= size || byte < 0x20 || byte > 0x7e || byte == '\\') return 0;
        word[n++] = (char)byte;
    }
    if (c->at >= c->end) return 0;
    c->at++;
    word[n] = 0;
    return 1;
}

static int take_number(cursor *c, int64_t *value)
{
    skip_space(c);
    const char *start = c->at;
    int64_t v = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        if (c->at - start >= 18) return 0; /* beyond 10^18 no file is this large */
        v = v * 10 + (*c->at++ - '0');
    }
    *value = v;
    return c->at > start && (c->at - start == 1 || *start != '0');
}

static int take_shape(cursor *c, ks_tensor *t)
{
    if (!take(c, "(")) return 0;
    t->rank = 0;
    while (!take(c, ")")) {
        if (t->rank == KS_MAX_RANK || !take_number(c, &t->shape[t->rank])) return 0;
        t->rank++;
        if (!take(c, ",")) return t->rank > 1 && take(c, ")"); /* "(3)" is no tuple */
    }
    return 1;
}

/* Elements of arrays that hold vectors or their names: doubles, whole numbers, fixed-width
 * texts. */
static int set_other(ks_tensor *t, const char *path, const char *name, const char *descr,
                     ks_error *e)
{
    char *end = NULL;
    long width = descr[0] && descr[1] ? strtol(descr + 2, &end, 10) : 0;
    if (strcmp(descr, "<f8") == 0) t->dtype = KS_DTYPE_F8;
    else if (strcmp(descr, "<i8") == 0) t->dtype = KS_DTYPE_I64;
    else if (strcmp(descr, "|u1") == 0) t->dtype = KS_DTYPE_U8;
    else if (strncmp(descr, "<U", 2) == 0) t->dtype = KS_DTYPE_UCS4;
    else if (strncmp(descr, "|S", 2) == 0) t->dtype = KS_DTYPE_BYTES;
    if (t->dtype == KS_DTYPE_OTHER || !end || *end || width < 1 || width > 4096)
        return ks_fail(
            e, KS_EFORMAT,
            "%s: array %s has elements '%s', known are f2, f4, f8, i8, u1, U and S (little-endian)",
            path, name, descr);
    t->element = (int)width * (t->dtype == KS_DTYPE_UCS4 ? 4 : 1); /* f8, i8, u1: their digit */
    return 0;
}

static int set_dtype(ks_tensor *t, const char *path, const char *name, const char *descr,
                     ks_error *e)
{
    t->dtype = KS_DTYPE_OTHER;
    if (strcmp(descr, "<f4") == 0) t->dtype = KS_DTYPE_F4;
    if (strcmp(descr, "<f2") == 0) t->dtype = KS_DTYPE_F2;
    t->element = t->dtype == KS_DTYPE_F4 ? 4 : 2;
    if (t->dtype != KS_DTYPE_OTHER) return 0;
    if (t->any) return set_other(t, path, name, descr, e);
    const char *why = descr[0] == '>'      ? " (big-endian)"
                      : strchr(descr, 'O') ? " (Python objects)"
                                           : "";
    return ks_fail(e, KS_EFORMAT,
                   "%s: tensor %s has elements '%s'%s, only '<f4' and '<f2' are weights", path,
                   name, descr, why);
}

static int parse_dict(ks_tensor *t, const char *path, const char *name, cursor *c, ks_error *e)
{
    char key[24], descr[24];
    int seen = 0, err;
    if (!take(c, "{")) goto bad;
    while (!take(c, "}")) {
        int bit = 0;
        if (!take_quoted(c, key, sizeof key) || !take(c, ":")) goto bad;
        if (strcmp(key, "descr") == 0) {
            bit = 1;
            skip_space(c);
            if (c->at < c->end && *c->at == '[')
                return ks_fail(
                    e, KS_EFORMAT,
                    "%s: tensor %s has records for elements, only '<f4' and '<f2' are weights",
                    path, name);
            if (!take_quoted(c, descr, sizeof descr)) goto bad;
            err = set_dtype(t, path, name, descr, e);
            if (err) return err;
        } else if (strcmp(key, "fortran_order") == 0) {
            bit = 2;
            t->fortran = take(c, "True");
            if (t->fortran && !t->any)
                return ks_fail(e, KS_EFORMAT,
                               "%s: tensor %s is in Fortran order, weights are in C order", path,
                               name);
            if (!t->fortran && !take(c, "False")) goto bad;
        } else if (strcmp(key, "shape") == 0) {
            bit = 4;
            if (!take_shape(c, t)) goto bad;
        }
        if (bit == 0 || (seen & bit)) goto bad;
        seen |= bit;
        if (!take(c, ",")) {
            if (!take(c, "}")) goto bad;
            break;
        }
    }
    skip_space(c);
    if (seen == 7 && c->at == c->end) return 0;
bad:
    return ks_fail(e, KS_EFORMAT, "%s: tensor %s has a damaged npy header", path, name);
}

int ks_npy_header(ks_tensor *t, const char *path, const char *name, const uint8_t *head, size_t n,
                  ks_error *e)
{
    if (n < 12 || memcmp(head, "\x93NUMPY", 6) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s does not start as an npy file", path, name);
    if ((head[6] != 1 && head[6] != 2) || head[7] != 0)
        return ks_fail(e, KS_EFORMAT,
                       "%s: tensor %s is npy version %d.%d, only 1.0 and 2.0 are known", path, name,
                       head[6], head[7]);
    size_t length = (size_t)head[8] | (size_t)head[9] << 8, from = 10;
    if (head[6] == 2) {
        length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
        from = 12;
    }
    if (length > KS_NPY_HEADER_MAX - 12 || from + length > n)
        return ks_fail(e, KS_EFORMAT,
                       "%s: tensor %s has an npy header of %zu bytes, longer than the member or "
                       "than any weight's",
                       path, name, length);
    cursor c = {(const char *)head + from, (const char *)head + from + length};
    t->header = (uint32_t)(from + length);
    return parse_dict(t, path, name, &c, e);
}
