/* picture_query.c - pixels in place of words. */
#include "cli/picture_query.h"

#include "cli/clip_input.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int space_of(ks_space *space, ks_search_run *r, ks_error *e)
{
    ks_library *library = malloc(sizeof *library);
    int err;

    if (!library)
        return ks_fail(e, KS_ENOMEM, "no memory");
    if ((err = ks_index_library(library, r->x, e)) == 0)
        *space = library->space;
    free(library);
    if (err == 0 && space->dim == 0)
        err = ks_fail(e, KS_ENOLIBRARY, "%s: nothing was ever ingested here", r->g->library);
    return err;
}

/* Ready to encode a clip as this library's clips are: how its pixels come, and v[D]. */
static int begin(ks_clip_how *how, float **v, ks_search_run *r, ks_error *e)
{
    ks_space space;
    int err;

    if ((err = space_of(&space, r, e)) < 0 || (err = ks_search_encoder(r, KS_TOWER_VIDEO, e)) < 0)
        return err;
    *how = (ks_clip_how){.g = r->g, .frames = space.frames, .side = ks_side(ks_encoder_info(r->enc)), .fit = (ks_fit)(space.resize % 10)};
    *v = malloc((size_t)space.dim * sizeof **v);
    return *v ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query");
}

/* A picture (film 0), or the seconds [from, to) of a film that is not in the library. */
static int ask_pixels(ks_search_run *r, const char *file, int film, double from, double to, ks_error *e)
{
    ks_clip_how how;
    ks_clip_pixels clip = {0};
    float *v = NULL;
    int err = begin(&how, &v, r, e);

    if (err == 0)
        err = film ? ks_clip_film(&clip, &how, file, from, to, e) : ks_clip_image(&clip, &how, file, e);
    if (err == 0)
        err = ks_clip_encode(v, r->enc, &clip, e);
    if (err == 0)
        err = ks_search_vector(r, v, ks_encoder_info(r->enc)->dim, file, e);
    ks_clip_free(&clip);
    free(v);
    return err;
}

int ks_ask_picture(ks_search_run *r, const char *file, ks_error *e)
{
    r->o.vector_query = 1;
    return ask_pixels(r, file, 0, 0, -1, e);
}

/* at < 0: all of it; else 8 s around it, ingest's window. */
static int ask_foreign(ks_search_run *r, const char *file, double at, ks_error *e)
{
    double from = at < 0 ? 0 : fmax(at - 4, 0);

    return ask_pixels(r, file, 1, from, at < 0 ? -1 : from + 8, e);
}

static int ask_stored(ks_search_run *r, const float *v, int dim, int64_t clip, const char *title, ks_error *e)
{
    if (r->f->not_self)
        r->o.not_clip = clip;
    else
        r->o.first_clip = clip;
    return ks_search_vector(r, v, dim, title, e);
}

int ks_ask_clip(ks_search_run *r, int64_t clip, ks_error *e)
{
    ks_space space;
    char title[64];
    float *v;
    int err;

    r->o.vector_query = 1;
    if ((err = space_of(&space, r, e)) < 0)
        return err;
    if (!(v = malloc((size_t)space.dim * sizeof *v)))
        return ks_fail(e, KS_ENOMEM, "no memory for a query");
    snprintf(title, sizeof title, "clip %lld", (long long)clip);
    if ((err = ks_index_clip_vector(v, r->x, clip, e)) == 0)
        err = ask_stored(r, v, space.dim, clip, title, e);
    free(v);
    return err;
}

/* Unit mean of all clips of a film; *nearest is the clip whose centre is nearest `at` seconds (at >= 0). */
static int film_vector(float *v, int64_t *nearest, ks_search_run *r, const ks_video *video, double at, int dim, ks_error *e)
{
    ks_filter f = {.video = video->id};
    float *one = malloc((size_t)dim * sizeof *one);
    ks_cursor *c = NULL;
    ks_clip clip;
    double least = HUGE_VAL, length = 0;
    int err = one ? ks_index_clips(&c, r->x, &f, e) : ks_fail(e, KS_ENOMEM, "no memory for a query");

    memset(v, 0, (size_t)dim * sizeof *v);
    *nearest = 0;
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0) {
        double off = fabs((ks_seconds(clip.start, video->tb) + ks_seconds(clip.end, video->tb)) / 2 - at);
        if (off < least) {
            least = off;
            *nearest = clip.id;
        }
        if (at >= 0)
            continue;
        err = ks_index_clip_vector(one, r->x, clip.id, e);
        for (int d = 0; d < dim && err == 0; d++)
            v[d] += one[d];
    }
    ks_cursor_close(c);
    if (err == 0 && !*nearest)
        err = ks_fail(e, KS_ENOTFOUND, "%s: no clip of it is in the library", video->path);
    if (err == 0 && at >= 0)
        err = ks_index_clip_vector(v, r->x, *nearest, e);
    for (int d = 0; d < dim; d++)
        length += (double)v[d] * (double)v[d];
    for (int d = 0; d < dim; d++)
        v[d] = (float)(v[d] / fmax(sqrt(length), 1e-12));
    free(one);
    return err < 0 ? err : 0;
}

/* A file of that whole name first, then the last '@'. *at < 0: no time given. */
static int split_at(char *file, double *at)
{
    char *sign = strrchr(file, '@');

    *at = -1;
    if (access(file, F_OK) == 0 || !sign || sign == file || ks_parse_seconds(at, sign + 1) < 0)
        return 0;
    *sign = 0;
    return 1;
}

int ks_ask_film(ks_search_run *r, const char *file_at, ks_error *e)
{
    char *file = strdup(file_at), full[PATH_MAX], *path = NULL;
    ks_video video;
    ks_space space;
    int64_t nearest;
    double at;
    float *v = NULL;
    int err = file ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query"), found;

    r->o.vector_query = 1;
    if (err < 0 || (err = space_of(&space, r, e)) < 0)
        goto out;
    split_at(file, &at);
    /* A film on a disk that is not here has no real path; its stored one may be what was typed. */
    if ((err = found = ks_index_find(&video, r->x, realpath(file, full) ? full : file, e)) < 0)
        goto out;
    if (!found) {
        err = ask_foreign(r, file, at, e);
        goto out;
    }
    path = strdup(video.path); /* the row's text lives until the next call */
    v = malloc((size_t)space.dim * sizeof *v);
    if (!path || !v) {
        err = ks_fail(e, KS_ENOMEM, "no memory for a query");
        goto out;
    }
    video.path = path;
    if (at < 0 && r->f->not_self)
        r->o.not_video = video.id;
    if ((err = film_vector(v, &nearest, r, &video, at, space.dim, e)) == 0)
        err = at >= 0 ? ask_stored(r, v, space.dim, nearest, file_at, e) : ks_search_vector(r, v, space.dim, file_at, e);
out:
    free(path);
    free(v);
    free(file);
    return err;
}
