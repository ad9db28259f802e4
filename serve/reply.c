/* reply.c - see reply.h. */
#include "serve/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ks_reply_start(ks_reply *r)
{
    *r = (ks_reply){.status = 200, .type = "text/plain; charset=utf-8", .fd = -1, .size = -1};
}

void ks_reply_drop(ks_reply *r)
{
    if (r->f) fclose(r->f);
    free(r->body);
    if (r->fd >= 0) close(r->fd);
    if (r->flow.read) r->flow.close(r->flow.arg);
    ks_reply_start(r);
}

const char *ks_reply_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {{200, "OK"},
                 {206, "Partial Content"},
                 {303, "See Other"},
                 {304, "Not Modified"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {408, "Request Timeout"},
                 {409, "Conflict"},
                 {410, "Gone"},
                 {411, "Length Required"},
                 {413, "Content Too Large"},
                 {414, "URI Too Long"},
                 {415, "Unsupported Media Type"},
                 {416, "Range Not Satisfiable"},
                 {417, "Expectation Failed"},
                 {421, "Misdirected Request"},
                 {422, "Unprocessable Content"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {500, "Internal Server Error"},
                 {503, "Service Unavailable"},
                 {505, "HTTP Version Not Supported"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status) return known[i].reason;
    return "Error";
}

int ks_reply_status(int code)
{
    switch (code) {
    case KS_EUSAGE:
    case KS_ESPACE: return 400;
    case KS_ENOTFOUND: return 404;
    case KS_EFORMAT:
    case KS_ESHAPE: return 422;
    case KS_ENOLIBRARY:
    case KS_EBUSY:
    case KS_ENOMEM: return 503;
    default: return code >= 100 ? code : 500;
    }
}

FILE *ks_reply_open(ks_reply *r, const char *type)
{
    assert(r && type && !r->f);
    r->type = type;
    if (!(r->f = open_memstream(&r->body, &r->bytes)))
        ks_reply_problem(r, KS_ENOMEM, "no memory for an answer");
    return r->f;
}

ks_json *ks_reply_json(ks_reply *r)
{
    if (!ks_reply_open(r, "application/json")) return NULL;
    ks_json_start(&r->json, r->f);
    return &r->json;
}

void ks_reply_end(ks_reply *r, int err, const ks_error *e)
{
    int bad = 0;

    if (r->f) {
        bad = ferror(r->f);
        if (fclose(r->f) != 0) bad = 1;
        r->f = NULL;
    }
    if (err < 0) ks_reply_problem(r, err, e->msg);
    else if (bad) ks_reply_problem(r, KS_ENOMEM, "no memory for an answer");
}

void ks_reply_problem(ks_reply *r, int code, const char *detail)
{
    assert(r && code != 0 && detail);
    int status = ks_reply_status(code);
    ks_json *j;

    ks_reply_drop(r);
    r->status = status;
    if (!(r->f = open_memstream(&r->body, &r->bytes))) return;
    ks_json_start(&r->json, r->f);
    j = &r->json;
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "type", "about:blank");
    ks_json_text(j, "title", ks_reply_reason(status));
    ks_json_int(j, "status", status);
    ks_json_text(j, "detail", detail);
    ks_json_close(j);
    fclose(r->f);
    r->f = NULL;
    r->type = "application/problem+json";
}
