/* pattern.c - the text that a pattern of a recipe makes of a record. */
#include "eval/film_folder.h"
#include "eval/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *text;
    size_t n, room;
} buffer;

static int put(buffer *b, const char *text, size_t n)
{
    if (b->room - b->n <= n) {
        size_t room = 2 * (b->n + n + 1);
        char *grown = realloc(b->text, room);
        if (!grown) return KS_ENOMEM;
        b->text = grown;
        b->room = room;
    }
    memcpy(b->text + b->n, text, n);
    b->n += n;
    b->text[b->n] = 0;
    return 0;
}

static int put_stem(buffer *b, const char *value)
{
    const char *slash = strrchr(value, '/'), *base = slash ? slash + 1 : value;
    return put(b, base, ks_stem_length(base));
}

static int put_padded(buffer *b, const char *value, int digits)
{
    char text[40], *end;
    long long number = strtoll(value, &end, 10);
    if (end == value || number < 0 || (*end && *end != '.')) return -1;
    snprintf(text, sizeof text, "%0*lld", digits > 20 ? 20 : digits, number);
    return put(b, text, strlen(text));
}

static int put_quoted(buffer *b, const char *value)
{
    const char *first = strchr(value, '"'), *last = strrchr(value, '"');
    return first == last ? -1 : put(b, first + 1, (size_t)(last - first - 1));
}

/* 0; KS_ENOMEM; -1: the value is no such thing. */
static int put_value(buffer *b, const char *value, const char *how)
{
    if (*how == 0) return put(b, value, strlen(value));
    if (strcmp(how, "stem") == 0) return put_stem(b, value);
    return strcmp(how, "quoted") == 0 ? put_quoted(b, value) : put_padded(b, value, atoi(how));
}

static int split_field(char name[64], char how[16], const char **pattern)
{
    const char *from = *pattern + 1, *end = strchr(from, '}'), *colon = strchr(from, ':');
    if (!end) return -1;
    if (!colon || colon > end) colon = end;
    snprintf(name, 64, "%.*s", (int)(colon - from), from);
    snprintf(how, 16, "%.*s", colon < end ? (int)(end - colon - 1) : 0, colon + 1);
    *pattern = end + 1;
    return 0;
}

int ks_pattern_fill(char **out, const char *pattern, const ks_record *r, int which,
                    const char *option, ks_error *e)
{
    buffer b = {0};
    char name[64], how[16];
    int err = put(&b, "", 0);
    *out = NULL;
    while (*pattern && err == 0) {
        size_t plain = strcspn(pattern, "{");
        err = put(&b, pattern, plain);
        pattern += plain;
        if (*pattern != '{' || err) continue;
        if (split_field(name, how, &pattern) < 0) break;
        const ks_record_field *f = ks_record_find(r, name);
        const char *value = strcmp(name, "@option") == 0 ? option
                            : !f || f->n == 0            ? NULL
                                                         : f->at[which < f->n ? which : 0];
        if (!value || (err = put_value(&b, value, how)) == -1) {
            free(b.text);
            return ks_fail(e, KS_EFORMAT,
                           value ? "%s:%lld: '%s' is not what is expected there"
                                 : "%s:%lld: no '%s'",
                           r->at.file, (long long)r->at.line, name);
        }
    }
    *out = b.text;
    if (!err) return 0;
    free(b.text);
    *out = NULL;
    return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", r->at.file);
}

int ks_pattern_values(const char *pattern, const ks_record *r)
{
    char name[64], how[16];
    int most = 1;
    while ((pattern = strchr(pattern, '{')) && split_field(name, how, &pattern) == 0) {
        const ks_record_field *f = ks_record_find(r, name);
        if (f && f->n != 1) most = f->n;
    }
    return most;
}
