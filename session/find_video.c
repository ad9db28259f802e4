/* find_video.c - which film a person means: by path, by name or by number. */
#include "session/session.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many videos of that name or path there are; *id: one of them. */
static int count_videos(int64_t *id, ks_index *x, const char *glob, ks_error *e)
{
    ks_filter f = {.path_glob = glob};
    ks_cursor *c = NULL;
    ks_video v;
    int err, found = 0;

    if ((err = ks_index_files(&c, x, &f, e)) < 0) return err;
    while ((err = ks_files_next(&v, c, e)) > 0)
        if (!found || v.id != *id) {
            *id = v.id;
            found++;
        }
    ks_cursor_close(c);
    return err < 0 ? err : found;
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
    char full[PATH_MAX], *end, *glob;
    ks_video v;
    int err, found;
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
    found = count_videos(id, x, glob, e);
    free(glob);
    if (found == 0) found = count_videos(id, x, name, e);
    if (found < 0) return found;
    if (found == 0 && ks_index_damaged(x) > 0)
        return ks_fail(e, KS_EDAMAGED,
                       "%s: not among the readable films of this library, which is damaged: run "
                       "kinoseek repair",
                       name);
    if (found == 0) return ks_fail(e, KS_ENOTFOUND, "%s: not in this library", name);
    return found > 1 ? ks_fail(e, KS_EUSAGE, "%s: %d videos are called so; name one by its path",
                               name, found)
                     : 0;
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
