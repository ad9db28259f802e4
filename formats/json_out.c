/* json_out.c - JSON to a stream (RFC 8259), strict about UTF-8. */
#include "formats/formats.h"
#include "formats/text_out.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int ks_put_utf8(FILE *f, const char *s)
{
    int n = ks_utf8_length(s);

    if (n) fwrite(s, 1, (size_t)n, f);
    else fputs("\xef\xbf\xbd", f);
    return n ? n : 1;
}

static void string(FILE *out, const char *s)
{
    putc('"', out);
    while (*s) {
        int n = ks_utf8_length(s);
        unsigned char c = (unsigned char)*s;
        if (n == 0) {
            fputs("\\ufffd", out);
            n = 1;
        } else if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c == '\n') {
            fputs("\\n", out);
        } else if (c == '\t') {
            fputs("\\t", out);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\u%04x", c);
        } else {
            fwrite(s, 1, (size_t)n, out);
        }
        s += n;
    }
    putc('"', out);
}

void ks_json_start(ks_json *j, FILE *out)
{
    memset(j, 0, sizeof *j);
    j->out = out;
}

/* The comma and the key that stand before a value. */
static void before(ks_json *j, const char *key)
{
    assert((key != NULL) == (j->depth > 0 && j->ends[j->depth] == '}'));
    if (j->filled >> j->depth & 1) putc(',', j->out);
    if (j->depth > 0) j->filled |= 1 << j->depth;
    if (key) {
        string(j->out, key);
        putc(':', j->out);
    }
}

void ks_json_open(ks_json *j, const char *key, char bracket)
{
    assert((bracket == '{' || bracket == '[') && j->depth + 1 < (int)sizeof j->ends - 1);
    before(j, key);
    putc(bracket, j->out);
    j->ends[++j->depth] = bracket == '{' ? '}' : ']';
    j->filled &= ~(1 << j->depth);
}

void ks_json_close(ks_json *j)
{
    assert(j->depth > 0);
    putc(j->ends[j->depth--], j->out);
    if (j->depth == 0) putc('\n', j->out);
}

void ks_json_text(ks_json *j, const char *key, const char *utf8)
{
    before(j, key);
    if (utf8) string(j->out, utf8);
    else fputs("null", j->out);
}

void ks_json_raw(ks_json *j, const char *key, const char *json)
{
    before(j, key);
    fputs(json, j->out);
}

static void bytes(ks_json *j, const char *key, const char *s)
{
    before(j, key);
    putc('"', j->out);
    ks_put_base64(j->out, s, strlen(s));
    putc('"', j->out);
}

void ks_json_path(ks_json *j, const char *key, const char *path)
{
    char bytes_key[64];

    ks_json_text(j, key, path);
    if (ks_is_utf8(path)) return;
    snprintf(bytes_key, sizeof bytes_key, "%s_bytes", key);
    bytes(j, bytes_key, path);
}

void ks_json_paths(ks_json *j, const char *key, const char *const *paths, int n)
{
    char bytes_key[64];
    int odd = 0;

    ks_json_open(j, key, '[');
    for (int i = 0; i < n; i++) {
        ks_json_text(j, NULL, paths[i]);
        odd |= !ks_is_utf8(paths[i]);
    }
    ks_json_close(j);
    if (!odd) return;
    snprintf(bytes_key, sizeof bytes_key, "%s_bytes", key);
    ks_json_open(j, bytes_key, '[');
    for (int i = 0; i < n; i++) bytes(j, NULL, paths[i]);
    ks_json_close(j);
}

void ks_json_int(ks_json *j, const char *key, int64_t value)
{
    before(j, key);
    fprintf(j->out, "%lld", (long long)value);
}

void ks_json_bool(ks_json *j, const char *key, int value)
{
    before(j, key);
    fputs(value ? "true" : "false", j->out);
}

/* JSON has no NaN and no infinity. */
static int wrote_null(ks_json *j, const char *key, double value)
{
    before(j, key);
    if (isfinite(value)) return 0;
    fputs("null", j->out);
    return 1;
}

void ks_json_seconds(ks_json *j, const char *key, double seconds)
{
    if (!wrote_null(j, key, seconds))
        fprintf(j->out, "%.3f", fabs(seconds) < 0.0005 ? 0.0 : seconds);
}

void ks_json_number(ks_json *j, const char *key, double value)
{
    if (!wrote_null(j, key, value)) fprintf(j->out, "%.6g", value);
}

void ks_json_rate(ks_json *j, const char *key, double value)
{
    if (!wrote_null(j, key, value)) fprintf(j->out, "%.17g", value);
}

void ks_json_floats(ks_json *j, const char *key, const float *v, size_t n)
{
    ks_json_open(j, key, '[');
    for (size_t i = 0; i < n; i++)
        if (!wrote_null(j, NULL, (double)v[i])) fprintf(j->out, "%.9g", (double)v[i]);
    ks_json_close(j);
}
