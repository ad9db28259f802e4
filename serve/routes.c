/* routes.c - which path is whose, and what each may be sent. */
#include <assert.h>
#include <string.h>

#include "serve/server.h"

enum { LIST = 1 << 20, PICTURE = 32 << 20 };

static const ks_route routes[] = {
    {"/", KS_MAY_GET, 0, 0, ks_page},
    {"/page/", KS_MAY_GET, 0, 0, ks_page},
    {"/openapi.json", KS_MAY_GET, 0, 0, ks_openapi},
    {"/api/v1/search", KS_MAY_GET | KS_MAY_POST, 0, PICTURE, ks_api_search},
    {"/api/v1/similar", KS_MAY_GET, 0, 0, ks_api_similar},
    {"/api/v1/curve", KS_MAY_GET, 0, 0, ks_api_curve},
    {"/api/v1/videos", KS_MAY_GET, 0, 0, ks_api_videos},
    {"/api/v1/videos/", KS_MAY_GET, 0, 0, ks_api_video},
    {"/api/v1/clips/", KS_MAY_GET, 0, 0, ks_api_clip},
    {"/api/v1/status", KS_MAY_GET, 0, 0, ks_api_status},
    {"/api/v1/bad", KS_MAY_GET, 0, 0, ks_api_bad},
    {"/api/v1/retry", KS_MAY_POST, 1, LIST, ks_api_retry},
    {"/api/v1/labels", KS_MAY_GET, 0, 0, ks_api_labels},
    {"/api/v1/labels/say", KS_MAY_POST, 1, LIST, ks_api_say},
    {"/api/v1/labels/teach", KS_MAY_POST, 1, LIST, ks_api_teach},
    {"/api/v1/labels/store", KS_MAY_POST, 1, LIST, ks_api_store},
    {"/api/v1/saved", KS_MAY_GET | KS_MAY_POST, 0, LIST, ks_api_saved},
    {"/api/v1/saved/forget", KS_MAY_POST, 1, LIST, ks_api_forget_saved},
    {"/api/v1/formats", KS_MAY_GET, 0, 0, ks_api_formats},
    {"/api/v1/export", KS_MAY_GET | KS_MAY_POST, 0, LIST, ks_api_export},
    {"/thumb/", KS_MAY_GET, 0, 0, ks_thumb},
    {"/media/", KS_MAY_GET, 0, 0, ks_film_bytes},
};

const ks_header ks_fixed_headers[] = {
    {"Connection", "close"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy", "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
                                "object-src 'none'; base-uri 'none'; "
                                "form-action 'self'; frame-ancestors 'none'"},
    {NULL, NULL},
};

const char ks_read_only_words[] = "this server was started with --read-only: it changes nothing";

static const ks_route *find(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t n = strlen(routes[i].path);
        int tail = n > 1 && routes[i].path[n - 1] == '/';
        if (tail ? strncmp(path, routes[i].path, n) == 0 && path[n]
                 : strcmp(path, routes[i].path) == 0)
            return &routes[i];
    }
    return NULL;
}

int ks_route_find(const ks_route **route, ks_request *r)
{
    assert(route && r && r->path);
    int may = r->method == KS_METHOD_POST ? KS_MAY_POST : KS_MAY_GET;

    if (ks_url_decode(r->path, 0) < 0) return 400;
    for (const unsigned char *c = (const unsigned char *)r->path; *c; c++)
        if (*c < 0x20 || *c == 0x7f || *c == '\\') return 400;
    if (!(*route = find(r->path))) return 404;
    if (!((*route)->may & may)) return 405;
    if (r->method == KS_METHOD_POST && r->length > (*route)->most) return 413;
    return 0;
}

void ks_route_run(ks_reply *out, ks_server *srv, const ks_conn *k)
{
    assert(out && srv && k && k->route);
    const ks_route *route = k->route;
    ks_call c = {.srv = srv,
                 .r = &k->request,
                 .viewer = k->fd,
                 .body = k->body,
                 .body_bytes = (size_t)k->got};

    c.tail = route->path[1] ? k->request.path + strlen(route->path) : "";
    if (ks_params_read(&c.params, k->request.query) < 0)
        ks_reply_problem(out, 400, "the parameters are not well formed");
    else if (route->writes && !srv->writer) ks_reply_problem(out, 403, ks_read_only_words);
    else route->run(out, &c);
    if (out->status == 500) ks_reach_explain(out, srv);
}
