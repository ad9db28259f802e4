/* hub_elsewhere.c - files of a hub that are to be forgotten, or lie elsewhere now. */
#include "cli/hub_library.h"
#include "ingest/ingest.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_hub_spot spot;
    char text[PATH_MAX + 64]; /* what the spot points into */
} place;

/* "/films:/sub/x.mp4", as a mirror calls what is not mounted here. 1, 0: it is none */
static int unmounted(place *p, const char *path)
{
    snprintf(p->text, sizeof p->text, "%s", path + 1);
    size_t n = strlen(p->text);
    if (n > 0 && p->text[n - 1] == ':') memcpy(p->text + n, "/", 2);
    char *colon = strstr(p->text, ":/");
    if (path[0] != '/' || !colon || memchr(p->text, '/', (size_t)(colon - p->text))) return 0;
    *colon = 0;
    p->spot = (ks_hub_spot){p->text, colon + 2};
    return 1;
}

/* Links on the way resolved, also where the file itself is gone. malloc'ed, or NULL */
static char *resolved(const char *path)
{
    char *real = realpath(path, NULL), *parent = real ? NULL : strdup(path), *out = NULL, *slash;
    if (real || !parent) return real;
    slash = strrchr(parent, '/');
    if (slash && slash != parent && slash[1]) {
        *slash = 0;
        real = realpath(parent, NULL);
        if (real && asprintf(&out, "%s/%s", real, slash + 1) < 0) out = NULL;
        free(real);
    }
    free(parent);
    return out;
}

/* `path` is absolute. must_be 1: a place that films are said to be at now, so its root is
 * mounted, and the right one. */
static int find_place(place *p, const ks_hub_roots *roots, const char *path, int must_be,
                      ks_error *e)
{
    char *real = resolved(path), inside[PATH_MAX + 4];
    const char *rel = NULL;
    snprintf(inside, sizeof inside, "%.4095s", real ? real : path);
    free(real);
    size_t n = strlen(inside);
    while (n > 1 && inside[n - 1] == '/') inside[--n] = 0;
    memcpy(inside + n, "/x", 3);
    const ks_hub_root *root = ks_hub_place(&rel, roots, inside);
    if (!root && !must_be && unmounted(p, path)) return 0;
    if (!root)
        return ks_fail(e, KS_EUSAGE, "%s lies in no root of the hub: kinoseek root NAME=FOLDER",
                       path);
    if (must_be && !ks_hub_root_there(root))
        return ks_fail(e, KS_EUSAGE,
                       "%s is not the root %s now (its file .kinoseek-root says so): nothing of it "
                       "is touched",
                       root->path, root->name);
    n = strlen(rel) - 1; /* less the x */
    snprintf(p->text, sizeof p->text, "%.*s", (int)(n > 0 ? n - 1 : 0), rel);
    p->spot = (ks_hub_spot){root->name, p->text};
    return 0;
}

int ks_hub_elsewhere(int64_t *files, const ks_globals *g, const char *from, const char *to,
                     ks_error *e)
{
    char *folder = NULL;
    place old, new;
    ks_hub_roots roots;
    ks_hub *h = NULL;
    int err = ks_hub_here(&folder, &roots, g, e);
    *files = 0;
    if (err < 0) return err;
    err = find_place(&old, &roots, from, 0, e);
    if (err == 0 && to) err = find_place(&new, &roots, to, 1, e);
    if (err == 0) err = ks_reach_hub(&h, g, e);
    if (err == 0) err = ks_hub_place_anew(files, h, &old.spot, to ? &new.spot : NULL, e);
    ks_hub_close(h);
    ks_hub_roots_free(&roots);
    free(folder);
    return err;
}
