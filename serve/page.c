/* page.c - the page's own files: out of the program, or with --ui-dir from a folder while
 * somebody works on them. */
#include "serve/page.h"

#include <errno.h>
#include <string.h>

#include "serve/server.h"

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".css", "text/css; charset=utf-8"},
                                           {".js", "text/javascript; charset=utf-8"},
                                           {".svg", "image/svg+xml"},
                                           {".webmanifest", "application/manifest+json"}};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot, types[i][0]) == 0) return types[i][1];
    return "application/octet-stream";
}

static void read_from(ks_reply *out, const char *folder, const char *name)
{
    char path[4096], block[8192];
    ks_error e = {0};
    FILE *from;
    size_t n;
    int err = 0;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!(from = fopen(path, "rbe"))) {
        ks_fail(&e, 404, "%s: %s", path, strerror(errno));
        ks_reply_problem(out, 404, e.msg);
        return;
    }
    if (ks_reply_open(out, type_of(name))) {
        while ((n = fread(block, 1, sizeof block, from)) > 0) fwrite(block, 1, n, out->f);
        if (ferror(from)) err = ks_fail(&e, KS_EIO, "%s: %s", path, strerror(errno));
        ks_reply_end(out, err, &e);
    }
    fclose(from);
}

void ks_page(ks_reply *out, ks_call *c)
{
    const char *name = *c->tail ? c->tail : "index.html", *folder = c->srv->o->ui_dir;
    const ks_page_file *f = ks_page_files;

    while (f->name && strcmp(f->name, name) != 0) f++;
    if (!f->name) {
        ks_reply_problem(out, 404, "the page has no such file");
        return;
    }
    if (folder) {
        read_from(out, folder, name);
        return;
    }
    out->type = type_of(name);
    out->cache = "private, no-cache";
    snprintf(out->etag, sizeof out->etag, "\"%s\"", f->hash);
    if (c->r->if_none_match && strcmp(c->r->if_none_match, out->etag) == 0) {
        out->status = 304;
        return;
    }
    out->gzipped = c->r->accept_encoding && strstr(c->r->accept_encoding, "gzip") != NULL;
    out->fixed = out->gzipped ? f->at : f->plain;
    out->bytes = out->gzipped ? f->bytes : f->plain_bytes;
}

void ks_openapi(ks_reply *out, ks_call *c)
{
    c->tail = "openapi.json";
    ks_page(out, c);
    out->type = out->status == 200 ? "application/json" : out->type;
}
