/* http.c - libcurl by dlopen: 60 shared objects that no search should load. */
#include "cli/http.h"

#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include <assert.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
typedef struct {
    CURL *(*init)(void);
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    const char *(*error)(CURLcode);
    void (*cleanup)(CURL *);
    struct curl_slist *(*append)(struct curl_slist *, const char *);
    void (*free_list)(struct curl_slist *);
} library;

static void *open_curl(void)
{
    void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

    return so ? so : dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
}

void ks_http_about(char *text, size_t n)
{
    void *so = open_curl(), *symbol = so ? dlsym(so, "curl_version_info") : NULL;
    curl_version_info_data *(*info)(CURLversion) = NULL;

    snprintf(text, n, "not here (model pull needs it)");
    if (!symbol) return;
    memcpy(&info, &symbol, sizeof symbol);
    snprintf(text, n, "%s", info(CURLVERSION_NOW)->version);
}

static int load(library *lib, ks_error *e)
{
    static const char *const names[] = {
        "curl_easy_init",     "curl_easy_setopt",  "curl_easy_perform", "curl_easy_getinfo",
        "curl_easy_strerror", "curl_easy_cleanup", "curl_slist_append", "curl_slist_free_all"};
    void *const to[] = {&lib->init,  &lib->setopt,  &lib->perform, &lib->getinfo,
                        &lib->error, &lib->cleanup, &lib->append,  &lib->free_list};
    void *so = open_curl();
    if (!so)
        return ks_fail(e, KS_ENET,
                       "libcurl is not installed, which fetches models: apt-get install libcurl4, "
                       "or use --from FILE");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *symbol = dlsym(so, names[i]);
        if (!symbol) return ks_fail(e, KS_ENET, "libcurl here has no %s", names[i]);
        /* ISO C has no cast from object to function pointer */
        memcpy(to[i], &symbol, sizeof symbol);
    }
    return 0; /* stays loaded: libcurl cannot be unloaded safely */
}

enum { HEADERS_MAX = 256 << 10, PAGE_MAX = 64 << 10, SLOWEST = 512 };

typedef struct {
    ks_http_get *get;
    int fd;
    int64_t at;    /* where the next byte goes */
    int64_t total; /* length of the whole file, as the server says; 0: it does not */
    long status;
    char etag[KS_VALIDATOR_MAX], modified[KS_VALIDATOR_MAX];
    int64_t range_from;    /* Content-Range; -1: none */
    int64_t headers, page; /* bytes of header lines in all; of a body that is none of ours */
    int64_t length;        /* Content-Length; -1: none */
    int started;
    int disk; /* errno of a write that failed */
    int too_long, other_length, other_part;
    time_t shown;
    int64_t first; /* `at` when it began */
    struct timespec began;
} transfer;

static void take_value(char *to, const char *from, size_t n)
{
    while (n > 0 && (*from == ' ' || *from == '\t')) from++, n--;
    while (n > 0 && (from[n - 1] == '\r' || from[n - 1] == '\n' || from[n - 1] == ' ')) n--;
    if (n >= KS_VALIDATOR_MAX) n = 0;
    memcpy(to, from, n);
    to[n] = 0;
}

/* Each response of a chain of redirects starts anew: only the last one's headers count. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    transfer *t = arg;
    n *= size;
    if ((t->headers += (int64_t)n) > HEADERS_MAX) return 0;
    if (n >= 5 && strncmp(line, "HTTP/", 5) == 0) {
        const char *space = memchr(line, ' ', n);
        t->etag[0] = t->modified[0] = 0;
        t->range_from = t->length = -1;
        t->total = 0;
        t->status = space ? strtol(space, NULL, 10) : 0;
    } else if (n > 5 && strncasecmp(line, "etag:", 5) == 0) {
        take_value(t->etag, line + 5, n - 5);
    } else if (n > 14 && strncasecmp(line, "last-modified:", 14) == 0) {
        take_value(t->modified, line + 14, n - 14);
    } else if (n > 15 && strncasecmp(line, "content-length:", 15) == 0) {
        t->length = strtoll(line + 15, NULL, 10);
    } else if (n > 14 && strncasecmp(line, "content-range:", 14) == 0) {
        char value[KS_VALIDATOR_MAX];
        int64_t to = 0;
        take_value(value, line + 14, n - 14);
        if (sscanf(value, "bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64, &t->range_from, &to,
                   &t->total) < 2 ||
            to < t->range_from)
            t->range_from = -1;
    }
    return n;
}

/* Before the first byte of the body: does it continue what is there, or is it all of it? Nothing
 * is touched before that is known, nor where the length that the server says is another than the
 * file's. */
static int start_body(transfer *t)
{
    ks_http_get *get = t->get;
    int over = t->status != 206;
    t->started = 1;
    if (!over && (t->range_from != get->have || get->have == 0)) return t->other_part = 1, -1;
    if (over) t->total = t->length > 0 ? t->length : 0;
    if (get->most > 0 && t->total > 0 && t->total != get->most) return t->other_length = 1, -1;
    t->at = t->first = over ? 0 : get->have;
    /* A weak ETag does not promise the same bytes. */
    snprintf(get->validator, sizeof get->validator, "%s",
             t->etag[0] && strncmp(t->etag, "W/", 2) != 0 ? t->etag : t->modified);
    t->fd = get->starts(get->arg, get->validator, over);
    return t->fd < 0 ? t->disk = errno, -1 : 0;
}

static void show(transfer *t, int last)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (t->get->quiet || !isatty(2) || (now.tv_sec == t->shown && !last)) return;
    t->shown = now.tv_sec;
    double seconds = (double)(now.tv_sec - t->began.tv_sec) +
                     1e-9 * (double)(now.tv_nsec - t->began.tv_nsec);
    double rate = seconds > 0 ? (double)(t->at - t->first) / seconds : 0;
    int64_t total = t->get->most > 0 ? t->get->most : t->total;
    fprintf(stderr, "\r%s  %.0f", t->get->name, (double)t->at / 1e6);
    if (total > 0) fprintf(stderr, " of %.0f", (double)total / 1e6);
    fprintf(stderr, " MB · %.1f MB/s", rate / 1e6);
    if (total > t->at && rate > 0)
        fprintf(stderr, " · %.0f s left", (double)(total - t->at) / rate);
    fprintf(stderr, "\033[K%s", last ? "\n" : "");
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    transfer *t = arg;
    n *= size;
    /* an error page: not ours to keep */
    if (t->status != 200 && t->status != 206) return (t->page += (int64_t)n) > PAGE_MAX ? 0 : n;
    if (!t->started && start_body(t) != 0) return 0;
    if (t->get->most > 0 && t->at + (int64_t)n > t->get->most) return t->too_long = 1, 0;
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(t->fd, data + done, n - done, (off_t)t->at);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return t->disk = put < 0 ? errno : ENOSPC, 0;
        t->at += put;
        t->get->received += put;
        done += (size_t)put;
    }
    if (t->get->grows(t->get->arg, t->at) != 0) return t->disk = errno, 0;
    show(t, 0);
    return n;
}

/* Bodies that nobody is given (of a redirect) have an end too. */
static int on_progress(void *arg, curl_off_t most, curl_off_t now, curl_off_t up_most,
                       curl_off_t up)
{
    transfer *t = arg;
    (void)most, (void)up_most, (void)up;
    return t->get->most > 0 && now > t->get->most + PAGE_MAX ? t->too_long = 1 : 0;
}

/* Only http and https, and never from https back to http. */
static void set_options(const library *lib, CURL *c, transfer *t, struct curl_slist *headers)
{
    int secure = strncasecmp(t->get->url, "https:", 6) == 0;
    lib->setopt(c, CURLOPT_URL, t->get->url);
    /* a libcurl before 7.85 does not know the next */
    lib->setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    lib->setopt(c, CURLOPT_REDIR_PROTOCOLS,
                (long)(secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
    lib->setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    lib->setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    lib->setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    lib->setopt(c, CURLOPT_MAXREDIRS, 10L);
    lib->setopt(c, CURLOPT_NOSIGNAL, 1L);
    lib->setopt(c, CURLOPT_CONNECTTIMEOUT, 20L);
    /* a minute of less is a dead connection */
    lib->setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST);
    lib->setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
    lib->setopt(c, CURLOPT_USERAGENT, "kinoseek/" KS_VERSION);
    lib->setopt(c, CURLOPT_HTTPHEADER, headers);
    lib->setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    lib->setopt(c, CURLOPT_HEADERDATA, t);
    lib->setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    lib->setopt(c, CURLOPT_WRITEDATA, t);
    lib->setopt(c, CURLOPT_NOPROGRESS, 0L);
    lib->setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    lib->setopt(c, CURLOPT_XFERINFODATA, t);
}

static int offline(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
           code == CURLE_COULDNT_RESOLVE_PROXY;
}

/* What the answer itself rules out, however the transfer ended: 0, or the error. */
static int judge_answer(transfer *t, ks_error *e)
{
    ks_http_get *get = t->get;
    if (t->disk) return ks_fail(e, KS_EIO, "%s: %s", get->name, strerror(t->disk));
    if (t->too_long || t->other_length) {
        get->final = 1;
        if (t->other_length)
            return ks_fail(e, KS_ENET,
                           "%s: the server has %" PRId64 " bytes, the file has %" PRId64, get->url,
                           t->total, get->most);
        return ks_fail(e, KS_ENET,
                       "%s: the server sends more than the %" PRId64 " bytes that the file has",
                       get->url, get->most);
    }
    if (t->other_part) get->validator[0] = 0; /* it is not asked for a part again */
    if (t->other_part)
        return ks_fail(e, KS_ENET, "%s: the server sent another part than asked for", get->url);
    return 0;
}

/* An answer that is no file: where it is said in full, or so long that nobody waits for its end. */
static int judge_status(transfer *t, ks_error *e)
{
    ks_http_get *get = t->get;
    get->final = t->status < 500 && t->status != 408 && t->status != 416 && t->status != 429;
    /* what is there continues nothing that the server has */
    if (t->status == 416) get->validator[0] = 0;
    return ks_fail(e, KS_ENET, "%s: the server answers %ld", get->url, t->status);
}

static int judge(const library *lib, CURLcode code, transfer *t, ks_error *e)
{
    ks_http_get *get = t->get;
    int err = judge_answer(t, e);
    if (err) return err;
    if (offline(code)) {
        get->final = code != CURLE_COULDNT_CONNECT;
        return ks_fail(
            e, KS_ENET,
            "no network, or %s is not reachable (%s); %s FILE takes a copy that you have", get->url,
            lib->error(code), get->option);
    }
    if (t->headers > HEADERS_MAX) {
        get->final = 1;
        return ks_fail(e, KS_ENET, "%s: the server does not come to the point (%d kB of headers)",
                       get->url, HEADERS_MAX >> 10);
    }
    if ((code == CURLE_OK || t->page > PAGE_MAX) && t->status != 200 && t->status != 206)
        return judge_status(t, e);
    if (code != CURLE_OK) {
        get->final = code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_UNSUPPORTED_PROTOCOL ||
                     code == CURLE_URL_MALFORMAT || code == CURLE_PEER_FAILED_VERIFICATION;
        return ks_fail(e, KS_ENET, "%s: the transfer broke off (%s)", get->url, lib->error(code));
    }
    if (!t->started && start_body(t) != 0) return judge_answer(t, e);
    if (get->most > 0 && t->at < get->most) {
        /* It ended properly and is too short. Once more from the start would give the same. */
        get->final = t->first == 0;
        return ks_fail(e, KS_ENET, "%s: the server sends %" PRId64 " bytes, the file has %" PRId64,
                       get->url, t->at, get->most);
    }
    return 0;
}

int ks_http_fetch(ks_http_get *get, ks_error *e)
{
    assert(get);
    library lib = {0};
    transfer t = {.get = get, .fd = -1, .range_from = -1, .length = -1};
    struct curl_slist *headers = NULL;
    char range[64], match[KS_VALIDATOR_MAX + 16];
    get->final = 1;
    get->received = 0;
    int err = load(&lib, e);
    if (err) return err;
    CURL *c = lib.init();
    if (!c) return ks_fail(e, KS_ENOMEM, "no memory to fetch %s", get->url);
    get->final = 0;
    if (get->have > 0) {
        snprintf(range, sizeof range, "Range: bytes=%" PRId64 "-", get->have);
        snprintf(match, sizeof match, "If-Range: %s", get->validator);
        headers = lib.append(headers, range);
        headers = headers ? lib.append(headers, match) : NULL;
    }
    clock_gettime(CLOCK_MONOTONIC, &t.began);
    set_options(&lib, c, &t, headers);
    CURLcode code = lib.perform(c);
    if (t.started) show(&t, 1);
    err = judge(&lib, code, &t, e);
    lib.free_list(headers);
    lib.cleanup(c);
    return err;
}
