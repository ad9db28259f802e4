/* find_video.c - which film a person means: by path, by name or by number. */
#include "session/session.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAID = 3 };
typedef struct {
    int64_t id; /* one of them */
    int n;
    char *path[SAID]; /* of the first; malloc'ed */
} candidates;

static void forget(candidates *c)
{
    for (int i = 0; i < SAID; i++) free(c->path[i]);
    *c = (candidates){0};
}

/* Videos of that name or path. */
static int find_candidates(candidates *to, ks_index *x, const char *glob, ks_error *e)
{
    ks_filter f = {.path_glob = glob};
    ks_cursor *c = NULL;
    ks_video v;
    int err;

    if ((err = ks_index_files(&c, x, &f, e)) < 0) return err;
    while ((err = ks_files_next(&v, c, e)) > 0) {
        if (to->n && v.id == to->id) continue;
        to->id = v.id;
        if (to->n < SAID) to->path[to->n] = strdup(v.path);
        to->n++;
    }
    ks_cursor_close(c);
    return err;
}

static int say_candidates(const candidates *c, const char *name, ks_error *e)
{
    char list[360] = "";
    size_t n = 0;

    for (int i = 0; i < SAID && c->path[i]; i++) {
        size_t length = strlen(c->path[i]);
        if (n + length + 2 >= sizeof list) break;
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", c->path[i]);
    }
    return ks_fail(e, KS_EUSAGE, "%.100s: %d videos are called so%s%s%s; name one by its path",
                   name, c->n, n ? ": " : "", list, n && c->n > SAID ? " ..." : "");
}

/* The pattern that matches these bytes alone. */
static void literal(char *glob, const char *name)
{
    for (; *name; name++) {
        if (strchr("*?[\\", *name)) *glob++ = '\\';
        *glob++ = *name;
    }
    *glob = 0;
}

int ks_find_video(int64_t *id, ks_index *x, const char *name, ks_error *e)
{
    assert(id && x && name);
    char full[PATH_MAX], *end, *glob;
    candidates c = {0};
    ks_video v;
    int err;
    long long number = strtoll(name, &end, 10);

    if (realpath(name, full) && (err = ks_index_find(&v, x, full, e)) != 0) {
        *id = v.id;
        return err < 0 ? err : 0;
    }
    /* a disk that is not here */
    if (name[0] == '/' && (err = ks_index_find(&v, x, name, e)) != 0) {
        *id = v.id;
        return err < 0 ? err : 0;
    }
    if (*name && !*end && number > 0)
        return (err = ks_index_video(&v, x, number, e)) < 0 ? err : (*id = v.id, 0);
    if (!(glob = malloc(2 * strlen(name) + 1)))
        return ks_fail(e, KS_ENOMEM, "no memory for a name");
    literal(glob, name);
    err = find_candidates(&c, x, glob, e);
    free(glob);
    if (err == 0 && c.n == 0) err = find_candidates(&c, x, name, e);
    *id = c.id;
    if (err == 0 && c.n > 1) err = say_candidates(&c, name, e);
    else if (err == 0 && c.n == 0 && ks_index_damaged(x) > 0)
        err = ks_fail(e, KS_EDAMAGED,
                      "%s: not among the readable films of this library, which is damaged: run "
                      "kinoseek repair",
                      name);
    else if (err == 0 && c.n == 0) err = ks_fail(e, KS_ENOTFOUND, "%s: not in this library", name);
    forget(&c);
    return err;
}

static char *path_of_name(ks_index *x, const ks_video *film, const char *name)
{
    char *glob = malloc(2 * strlen(name) + 1), path[KS_FILM_PATH], full[PATH_MAX];

    if (!glob) return NULL;
    literal(glob, name);
    if (realpath(name, full)) (void)ks_film_path(path, x, film, NULL, name);
    else if (!ks_film_path(path, x, film, glob, NULL))
        (void)ks_film_path(path, x, film, name, NULL);
    free(glob);
    return strdup(path);
}

int ks_find_film(int64_t *id, char **path, ks_index *x, const char *name, ks_error *e)
{
    assert(id && path && x && name);
    char first[KS_FILM_PATH];
    ks_video v;
    int err = ks_find_video(id, x, name, e);

    *path = NULL;
    if (err < 0 || (err = ks_index_video(&v, x, *id, e)) < 0) return err;
    snprintf(first, sizeof first, "%s", v.path); /* the row's text lives until the next call */
    v.path = first;
    *path = path_of_name(x, &v, name);
    return *path ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");
}

int ks_film_path(char path[KS_FILM_PATH], ks_index *x, const ks_video *film, const char *glob,
                 const char *named)
{
    ks_filter f = {.video = film->id, .path_glob = glob, .unfinished_too = 1};
    char full[PATH_MAX];
    const char *wanted = named ? realpath(named, full) : NULL;
    ks_cursor *c = NULL;
    ks_video v;
    int there = 0, n = 0;

    snprintf(path, KS_FILM_PATH, "%s", film->path);
    if (!glob && !wanted && access(path, F_OK) == 0) return 1;
    if (ks_index_files(&c, x, &f, NULL) < 0) return 0;
    while (there < 2 && ks_files_next(&v, c, NULL) > 0) {
        int now = access(v.path, F_OK) == 0 ? 1 + (wanted && strcmp(v.path, wanted) == 0) : 0;
        if (n++ == 0 || now > there) snprintf(path, KS_FILM_PATH, "%s", v.path);
        if (now > there) there = now;
    }
    ks_cursor_close(c);
    return there > 0;
}
