/* guard.c - see guard.h. */
#include "serve/guard.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

static int random_hex(char out[KS_TOKEN], ks_error *e)
{
    uint8_t bytes[(KS_TOKEN - 1) / 2];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return ks_fail(e, KS_EIO, "no random bytes for a token: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

int ks_guard_start(ks_guard *g, const char *name, int port, ks_error *e)
{
    assert(g && port >= 0 && port <= 65535);
    int err;

    *g = (ks_guard){0};
    snprintf(g->name, sizeof g->name, "%s", name ? name : "");
    snprintf(g->cookie, sizeof g->cookie, "kinoseek_%d", port);
    return (err = random_hex(g->token, e)) < 0 ? err : random_hex(g->secret, e);
}

int ks_guard_same(const char *a, const char *b)
{
    assert(a && b);
    size_t n = strlen(a), m = strlen(b);
    unsigned differs = n != m;

    for (size_t i = 0; i < n; i++)
        differs |= (unsigned)((unsigned char)a[i] ^ (unsigned char)b[m ? i % m : 0]);
    return !differs;
}

/* "[::1]:8423", "localhost:8423" -> "::1", "localhost". 0, or -1: none. */
static int host_name(char *out, size_t room, const char *host)
{
    size_t n = host[0] == '[' ? strcspn(host, "]") : strcspn(host, ":");
    const char *rest = host + n + (host[0] == '[' && host[n]);

    if (host[0] == '[') {
        if (host[n] != ']') return -1;
        host++;
        n--;
    }
    if (n == 0 || n >= room) return -1;
    if (*rest && (*rest != ':' || !rest[1] || rest[1 + strspn(rest + 1, "0123456789")])) return -1;
    memcpy(out, host, n);
    out[n] = 0;
    return 0;
}

/* A name that a foreign page cannot bring its visitors to: the very address, localhost, or what
 * --listen was told. The port is not asked for: a forwarded one differs, and no page chooses it
 * under such a name. */
static int is_ours(const ks_guard *g, const char *host, const char *address)
{
    char name[256];
    int local = !*address || strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;

    if (host_name(name, sizeof name, host) < 0) return 0;
    if (strcasecmp(name, address) == 0 || (*g->name && strcasecmp(name, g->name) == 0)) return 1;
    return local && (strcasecmp(name, "localhost") == 0 || strcmp(name, "127.0.0.1") == 0 ||
                     strcmp(name, "::1") == 0);
}

/* Where the browser says it comes from: this page, or nobody (an address typed, a script without
 * a browser). Other ports of this machine are "same-site", and strangers. */
static int is_foreign(const ks_request *r)
{
    if (r->fetch_site && strcmp(r->fetch_site, "same-origin") != 0 &&
        strcmp(r->fetch_site, "none") != 0)
        return 1;
    if (!r->origin) return 0;
    if (strncmp(r->origin, "http://", 7) != 0) return 1;
    return strcasecmp(r->origin + 7, r->host) != 0;
}

/* The cookie of our name; NULL: none. Cuts the header. */
static const char *cookie_of(const ks_guard *g, char *header)
{
    size_t n = strlen(g->cookie);

    for (char *at = header, *next; at; at = next) {
        if ((next = strchr(at, ';'))) *next++ = 0;
        at += strspn(at, " ");
        if (strncmp(at, g->cookie, n) == 0 && at[n] == '=') return at + n + 1;
    }
    return NULL;
}

/* "/?token=..." alone; NULL: not asked so. */
static const char *token_of(const ks_request *r)
{
    if (strcmp(r->path, "/") != 0 || strncmp(r->query, "token=", 6) != 0) return NULL;
    return r->query + 6;
}

/* 128 bits need no lock: the right token opens whatever others tried. */
static int is_wrong(ks_guard *g, int64_t now)
{
    if (g->minute != now / 60) g->wrong = 0;
    g->minute = now / 60;
    return ++g->wrong > KS_WRONG_MOST ? 429 : 401;
}

int ks_guard_judge(ks_guard *g, const ks_request *r, const char *address, int64_t now)
{
    assert(g && r && address);
    const char *token = token_of(r), *bearer = NULL, *cookie;

    if (!is_ours(g, r->host, address)) return 421;
    if (is_foreign(r)) return 403;
    if (r->method == KS_METHOD_POST && !r->own) return 403;
    if (r->authorization && strncasecmp(r->authorization, "Bearer ", 7) == 0)
        bearer = r->authorization + 7;
    if (token || bearer) {
        if (!ks_guard_same(token ? token : bearer, g->token)) return is_wrong(g, now);
        return token ? 303 : 0;
    }
    cookie = r->cookie ? cookie_of(g, r->cookie) : NULL;
    return cookie && ks_guard_same(cookie, g->secret) ? 0 : 401;
}
