/* text_out.c - see text_out.h. */
#include "formats/text_out.h"

#include "formats/formats.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ks_put_line(FILE *f, const char *s, const char *without)
{
    while (*s) {
        unsigned char c = (unsigned char)*s;
        if (without && strchr(without, c)) s++;
        else s += ks_put_utf8(f, c < 0x20 || c == 0x7f ? " " : s);
    }
}

/* XML 1.0, Char: no control but tab and line ends, no U+FFFE and U+FFFF. */
static int xml_cannot(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;

    if (u[0] < 0x20) return u[0] != '\t' && u[0] != '\n' && u[0] != '\r';
    return u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe;
}

static const char *xml_reference(char c)
{
    static const char *const of[][2] = {{"&", "&amp;"},   {"<", "&lt;"},  {">", "&gt;"},
                                        {"\"", "&quot;"}, {"\t", "&#9;"}, {"\n", "&#10;"},
                                        {"\r", "&#13;"}};

    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (of[i][0][0] == c) return of[i][1];
    return NULL;
}

void ks_put_xml(FILE *f, const char *s)
{
    while (*s) {
        const char *reference = xml_reference(*s);
        int n = ks_utf8_length(s);
        if (reference) fputs(reference, f);
        else if (n == 0 || xml_cannot(s)) fputs("\xef\xbf\xbd", f);
        else fwrite(s, 1, (size_t)n, f);
        s += n ? n : 1;
    }
}

void ks_put_url_path(FILE *f, const char *path)
{
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("/-._~", c))
            putc(c, f);
        else fprintf(f, "%%%02X", c);
    }
}

void ks_put_url(FILE *f, const char *path)
{
    fputs("file://", f);
    ks_put_url_path(f, path);
}

char *ks_url_of_path(const char *path)
{
    size_t size;
    char *url = NULL;
    FILE *f = open_memstream(&url, &size);

    if (!f) return NULL;
    ks_put_url(f, path);
    fclose(f);
    return url;
}

char *ks_text_of_path(const char *path)
{
    return ks_is_utf8(path) ? strdup(path) : ks_url_of_path(path);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ks_put_base64(FILE *f, const void *data, size_t n)
{
    const unsigned char *u = data;

    for (size_t i = 0; i < n; i += 3) {
        unsigned three = (unsigned)u[i] << 16 | (i + 1 < n ? (unsigned)u[i + 1] << 8 : 0) |
                         (i + 2 < n ? u[i + 2] : 0u);
        putc(base64_digits[three >> 18], f);
        putc(base64_digits[three >> 12 & 63], f);
        putc(i + 1 < n ? base64_digits[three >> 6 & 63] : '=', f);
        putc(i + 2 < n ? base64_digits[three & 63] : '=', f);
    }
}

ssize_t ks_read_base64(char *out, const char *s)
{
    char *to = out;
    unsigned bits = 0, n = 0;

    for (; *s && *s != '='; s++) {
        const char *digit = strchr(base64_digits, *s);
        if (!digit) return -1;
        bits = bits << 6 | (unsigned)(digit - base64_digits);
        if ((n += 6) >= 8) *to++ = (char)(bits >> (n -= 8));
    }
    *to = 0;
    return to - out;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* RFC 8089: file:///a, file:/a and file://localhost/a are one path. */
char *ks_path_of_url(const char *url)
{
    char *path = strdup(url), *to = path;
    int http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;

    if (!path || (!http && strncmp(url, "file:", 5) != 0)) return path;
    if (!http) url += 5;
    if (strncmp(url, "//", 2) == 0) {
        url += 2;
        url += strncmp(url, "localhost/", 10) == 0 ? 9 : 0;
    }
    for (; *url && !(http && strchr("?#", *url)); url++) {
        int high = *url == '%' ? hex(url[1]) : -1, low = high >= 0 ? hex(url[2]) : -1;
        if (low >= 0 && high * 16 + low > 0) {
            *to++ = (char)(high * 16 + low);
            url += 2;
        } else {
            *to++ = *url;
        }
    }
    *to = 0;
    return path;
}

/* --- XML --- */
void ks_xml_start(ks_xml *x, FILE *f)
{
    memset(x, 0, sizeof *x);
    x->f = f;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", f);
}

static void indent(const ks_xml *x)
{
    for (int i = 0; i < x->depth; i++) putc(' ', x->f);
}

void ks_xml_open(ks_xml *x, const char *name)
{
    assert(x->depth + 1 < (int)(sizeof x->names / sizeof *x->names));
    if (x->open) fputs(">\n", x->f);
    indent(x);
    fprintf(x->f, "<%s", name);
    x->names[x->depth++] = name;
    x->open = 1;
}

void ks_xml_attribute(ks_xml *x, const char *name, const char *value)
{
    assert(x->open == 1);
    fprintf(x->f, " %s=\"", name);
    ks_put_xml(x->f, value);
    putc('"', x->f);
}

void ks_xml_number(ks_xml *x, const char *name, long long value)
{
    assert(x->open == 1);
    fprintf(x->f, " %s=\"%lld\"", name, value);
}

void ks_xml_text(ks_xml *x, const char *text)
{
    assert(x->open == 1);
    putc('>', x->f);
    ks_put_xml(x->f, text);
    x->open = 2;
}

void ks_xml_close(ks_xml *x)
{
    assert(x->depth > 0);
    x->depth--;
    if (x->open == 1) {
        fputs("/>\n", x->f);
    } else {
        if (!x->open) indent(x);
        fprintf(x->f, "</%s>\n", x->names[x->depth]);
    }
    x->open = 0;
}

void ks_xml_leaf(ks_xml *x, const char *name, const char *text)
{
    ks_xml_open(x, name);
    ks_xml_text(x, text);
    ks_xml_close(x);
}

void ks_xml_leaf_number(ks_xml *x, const char *name, long long value)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", value);
    ks_xml_leaf(x, name, text);
}
