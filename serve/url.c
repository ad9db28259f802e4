/* url.c - see url.h. */
#include "serve/url.h"

#include <assert.h>
#include <string.h>

#include "session/session.h"

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int ks_url_decode(char *text, int plus_is_blank)
{
    char *to = text;

    for (; *text; text++) {
        if (*text == '+' && plus_is_blank) {
            *to++ = ' ';
        } else if (*text == '%') {
            int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);
            if (low < 0 || high * 16 + low == 0) return -1;
            *to++ = (char)(high * 16 + low);
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = 0;
    return 0;
}

int ks_params_read(ks_params *p, char *query)
{
    assert(p);
    p->n = 0;
    while (query && *query) {
        char *next = strchr(query, '&'), *value;
        if (next) *next++ = 0;
        if (*query) {
            if (p->n == KS_PARAMS_MOST) return -1;
            if ((value = strchr(query, '='))) *value++ = 0;
            if (ks_url_decode(query, 1) < 0 || (value && ks_url_decode(value, 1) < 0)) return -1;
            p->name[p->n] = query;
            p->value[p->n++] = value ? value : "";
        }
        query = next;
    }
    return 0;
}

const char *ks_param(const ks_params *p, const char *name)
{
    for (int i = p->n - 1; i >= 0; i--)
        if (strcmp(p->name[i], name) == 0) return p->value[i];
    return NULL;
}

/* Digits alone, at most 18 of them: no sign, no blank, no overflow. -1: none. */
static int64_t whole(const char *text)
{
    size_t n = strspn(text, "0123456789");
    int64_t v = 0;

    if (n == 0 || n > 18 || text[n]) return -1;
    for (; *text; text++) v = v * 10 + (*text - '0');
    return v;
}

int64_t ks_id_read(const char *text)
{
    assert(text);
    int64_t v = whole(text);

    return v > 0 ? v : 0;
}

int ks_param_int(int64_t *value, const ks_params *p, const char *name, int64_t least, int64_t most,
                 ks_error *e)
{
    assert(value && p && name && least <= most);
    const char *text = ks_param(p, name);
    int64_t v;

    if (!text) return 0;
    if ((v = whole(text)) < least || v > most)
        return ks_fail(e, KS_EUSAGE, "%s takes a whole number from %lld to %lld, not \"%.40s\"",
                       name, (long long)least, (long long)most, text);
    *value = v;
    return 0;
}

int ks_param_seconds(double *value, const ks_params *p, const char *name, ks_error *e)
{
    assert(value && p && name);
    const char *text = ks_param(p, name);

    if (text && ks_parse_seconds(value, text) < 0)
        return ks_fail(e, KS_EUSAGE, "%s takes seconds or h:mm:ss, not \"%.40s\"", name, text);
    return 0;
}

int ks_range_read(int64_t *from, int64_t *to, const char *text, int64_t size)
{
    assert(from && to && text && size >= 0);
    char first[20] = "", last[20] = "";
    size_t n;
    int64_t a, b;

    *from = 0;
    *to = size - 1;
    if (strncmp(text, "bytes=", 6) != 0) return 200;
    text += 6;
    if ((n = strspn(text, "0123456789")) >= sizeof first || text[n] != '-') return 200;
    memcpy(first, text, n);
    text += n + 1;
    if ((n = strspn(text, "0123456789")) >= sizeof last || text[n]) return 200;
    memcpy(last, text, n);
    a = *first ? whole(first) : -1;
    b = *last ? whole(last) : -1;
    if ((*first && a < 0) || (*last && b < 0) || (a < 0 && b < 0) || (a >= 0 && b >= 0 && b < a))
        return 200;
    if (a >= size || (a < 0 && b == 0) || size == 0) return 416;
    if (a < 0) { /* the last b bytes */
        *from = b < size ? size - b : 0;
        return 206;
    }
    *from = a;
    if (b >= 0 && b < size) *to = b;
    return 206;
}
