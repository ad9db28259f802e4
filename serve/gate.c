/* gate.c - the head of a request, read strictly (RFC 9112): what two parsers could read
 * differently is refused. */
#include "serve/gate.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static int is_token(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

int ks_gate_end(const char *text, size_t n)
{
    assert(text || n == 0);
    size_t first = 0;

    for (size_t i = 0; i < n && i < KS_HEAD_MOST; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n' && (i == 0 || text[i - 1] != '\r')) return -400;
        if (i > 0 && text[i - 1] == '\r' && c != '\n') return -400;
        if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f) return -400;
        if (!first && i >= KS_TARGET_MOST + 16) return -414;
        if (c != '\n') continue;
        if (!first) {
            if (i == 1) return -400; /* an empty line where a request should begin */
            first = i;
        } else if (text[i - 2] == '\n') {
            return (int)i + 1;
        }
    }
    return n >= KS_HEAD_MOST ? -431 : 0;
}

/* Cuts the line at *at (it ends with CRLF) and moves on. */
static char *next_line(char **at)
{
    char *line = *at, *end = strstr(line, "\r\n");

    *end = 0;
    *at = end + 2;
    return line;
}

static int read_method(ks_request *r, const char *name)
{
    static const char *const known[] = {"GET", "HEAD", "POST"};

    for (int i = 0; i < 3; i++)
        if (strcmp(name, known[i]) == 0) {
            r->method = (ks_method)i;
            return 0;
        }
    for (const char *c = name; *c; c++)
        if (!is_token((unsigned char)*c)) return 400;
    return *name ? 405 : 400;
}

static int read_first(ks_request *r, char *line)
{
    char *target = strchr(line, ' '), *version, *query;
    int bad;

    if (!target) return 400;
    *target++ = 0;
    if (!(version = strchr(target, ' '))) return 400;
    *version++ = 0;
    if ((bad = read_method(r, line))) return bad;
    if (strlen(target) > KS_TARGET_MOST) return 414;
    for (const unsigned char *c = (const unsigned char *)target; *c; c++)
        if (*c <= 0x20 || *c >= 0x7f || *c == '#') return 400;
    if (target[0] != '/') return 400;
    if (strcmp(version, "HTTP/1.1") != 0) return strncmp(version, "HTTP/", 5) == 0 ? 505 : 400;
    r->path = target;
    query = strchr(target, '?');
    if (query) *query++ = 0;
    r->query = query ? query : version + strlen(version);
    return 0;
}

/* What we act on: each may come once. */
static const struct {
    const char *name;
    size_t at;
} fields[] = {
    {"Host", offsetof(ks_request, host)},
    {"Origin", offsetof(ks_request, origin)},
    {"Sec-Fetch-Site", offsetof(ks_request, fetch_site)},
    {"Cookie", offsetof(ks_request, cookie)},
    {"Authorization", offsetof(ks_request, authorization)},
    {"Range", offsetof(ks_request, range)},
    {"If-Range", offsetof(ks_request, if_range)},
    {"If-None-Match", offsetof(ks_request, if_none_match)},
    {"Accept", offsetof(ks_request, accept)},
    {"Accept-Encoding", offsetof(ks_request, accept_encoding)},
    {"Content-Type", offsetof(ks_request, content_type)},
    {"X-Kinoseek", offsetof(ks_request, own)},
};

static int keep(ks_request *r, const char *name, char *value)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char **field = (char **)(void *)((char *)r + fields[i].at);
        if (strcasecmp(name, fields[i].name) != 0) continue;
        if (*field) return 400;
        *field = value;
    }
    return 0;
}

static int read_length(ks_request *r, const char *value)
{
    size_t digits = strspn(value, "0123456789");

    if (r->length >= 0 || digits == 0 || digits > 15 || value[digits]) return 400;
    r->length = 0;
    for (; *value; value++) r->length = r->length * 10 + (*value - '0');
    return 0;
}

static int read_header(ks_request *r, char *line)
{
    char *colon = strchr(line, ':'), *value, *end;

    if (!colon || colon == line) return 400;
    *colon = 0;
    for (const char *c = line; *c; c++)
        if (!is_token((unsigned char)*c)) return 400; /* a blank before the colon, a folded line */
    value = colon + 1 + strspn(colon + 1, " \t");
    for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
        *--end = 0;
    if (strcasecmp(line, "Transfer-Encoding") == 0) return 400;
    if (strcasecmp(line, "Content-Length") == 0) return read_length(r, value);
    if (strcasecmp(line, "Expect") == 0) return strcasecmp(value, "100-continue") == 0 ? 0 : 417;
    return keep(r, line, value);
}

int ks_gate_read(ks_request *r, char *text, size_t n)
{
    assert(r && text && n > 0 && n <= KS_HEAD_MOST);
    char *at = text;
    int bad, lines = 0;

    *r = (ks_request){.length = -1};
    text[n] = 0;
    if ((bad = read_first(r, next_line(&at)))) return bad;
    while (at[0] != '\r') {
        if (++lines > KS_HEADERS_MOST) return 431;
        if ((bad = read_header(r, next_line(&at)))) return bad;
    }
    if (!r->host || !*r->host) return 400;
    if (r->method == KS_METHOD_POST) return r->length < 0 ? 411 : 0;
    return r->length > 0 ? 400 : 0;
}
