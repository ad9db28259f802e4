/* hit_paths.c - under which paths a hit is shown, and giving hits back. */
#include "query/hit_paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_path(const char *const **list, int *n, const char *path)
{
    char **more;

    for (int i = 0; i < *n; i++)
        if (strcmp((*list)[i], path) == 0)
            return 0;
    more = realloc((void *)*list, (size_t)(*n + 1) * sizeof *more);
    if (!more)
        return -1;
    *list = (const char *const *)more;
    if (!(more[*n] = strdup(path)))
        return -1;
    (*n)++;
    return 0;
}

/* A path that leads nowhere (a disk that is not here) gives way to a copy that is there. */
static void prefer_present(ks_hit *h)
{
    const char **copies = (const char **)h->copies;

    if (h->n_copies == 0 || access(h->path, F_OK) == 0)
        return;
    for (int i = 0; i < h->n_copies; i++)
        if (access(copies[i], F_OK) == 0) {
            const char *there = copies[i];
            copies[i] = h->path;
            h->path = there;
            return;
        }
}

int ks_hit_paths(ks_hit *h, ks_index *x, int64_t video, const ks_filter *filter, ks_error *e)
{
    ks_filter f = {.video = video, .path_glob = filter->path_glob};
    ks_cursor *c = NULL;
    ks_video v;
    int err = ks_index_files(&c, x, &f, e);

    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0) {
        if (!h->path) {
            h->path = strdup(v.path);
            h->tb = v.tb;
            h->film_date = v.film_date;
            if (!h->path)
                err = ks_fail(e, KS_ENOMEM, "no memory for hits");
        } else if (add_path(&h->copies, &h->n_copies, v.path) < 0) {
            err = ks_fail(e, KS_ENOMEM, "no memory for hits");
        }
    }
    ks_cursor_close(c);
    if (err == 0 && !h->path)
        return ks_fail(e, KS_EDAMAGED, "video %lld of a clip has no path", (long long)video);
    if (err == 0)
        prefer_present(h);
    return err < 0 ? err : 0;
}

void ks_hit_clear(ks_hit *h)
{
    for (int i = 0; i < h->n_copies; i++)
        free((void *)h->copies[i]);
    free((void *)h->copies);
    free((void *)h->clips);
    free((void *)h->path);
}

int ks_hit_fold(ks_hit *h, const ks_hit *same)
{
    if (add_path(&h->copies, &h->n_copies, same->path) < 0)
        return -1;
    for (int i = 0; i < same->n_copies; i++)
        if (add_path(&h->copies, &h->n_copies, same->copies[i]) < 0)
            return -1;
    return 0;
}

void ks_hits_free(ks_hits *hits)
{
    for (int i = 0; i < hits->count + hits->below; i++)
        ks_hit_clear(&hits->at[i]);
    free(hits->at);
    memset(hits, 0, sizeof *hits);
}
