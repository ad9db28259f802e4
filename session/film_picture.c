/* film_picture.c - pictures of films of the library, by way of their key frames. */
#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Key frames are of the bytes that were decoded: a file that was written to since is read in
 * order. */
static int is_as_it_was(const ks_video *v)
{
    struct stat st;
    return stat(v->path, &st) == 0 && ks_stat_untouched(ks_stat_of(&st), v->stat);
}

int ks_film_keys(ks_keys *keys, ks_index *x, const ks_video *v, ks_error *e)
{
    assert(keys && x && v);
    ks_key *at = NULL;
    *keys = (ks_keys){.tb = v->tb};
    /* A survey's were sought, not met in order: each part proves them for itself. */
    if (!is_as_it_was(v) || (v->flags & KS_VIDEO_SURVEY)) return 0;
    int err = ks_index_keys(&at, &keys->n, x, v->id, e);
    keys->at = at;
    return err;
}

int ks_film_picture(ks_image *out, uint8_t **pixels, ks_session *s, int64_t video, double at,
                    ks_error *e)
{
    assert(out && pixels && s && at >= 0);
    ks_index *x = ks_session_index(s);
    ks_decoder *d = NULL;
    ks_keys keys = {0};
    ks_video v;
    char *path = NULL;
    *pixels = NULL;
    int err = ks_index_video(&v, x, video, e);
    /* v's text is borrowed */
    if (err >= 0 && !(path = strdup(v.path))) err = ks_fail(e, KS_ENOMEM, "no memory");
    if (err >= 0) err = ks_film_keys(&keys, x, &v, e);
    if (err >= 0) err = ks_session_decoder(&d, s, e);
    if (err >= 0) err = ks_picture(out, pixels, d, path, at, &keys, e);
    free((void *)(uintptr_t)keys.at);
    free(path);
    return err;
}
