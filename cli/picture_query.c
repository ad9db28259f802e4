/* picture_query.c - pixels in place of words. */
#include "cli/picture_query.h"

#include "ingest/ingest.h"

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

/* --- frames of one clip, sampled as the reference does --- */
typedef struct {
    uint8_t *px;      /* [T, side, side, 3] */
    int T, side, got;
    ks_fit fit;
    int64_t total;    /* frames there are */
    ks_error *e;
    int err;
} sampler;

static size_t frame_bytes(const sampler *s) { return (size_t)s->side * (size_t)s->side * 3; }
static int64_t number_of(const sampler *s, int i) { return (int64_t)i * s->total / s->T; }

/* Takes the next wanted frame; a film of fewer than T frames gives some of them twice. */
static int sample(void *arg, const ks_media *media, const ks_image *image, int64_t ticks)
{
    sampler *s = arg;
    uint8_t *to = s->px + (size_t)s->got * frame_bytes(s);

    (void)media;
    (void)ticks;
    if ((s->err = ks_resize(to, s->side, image, s->fit, s->e)) < 0)
        return 1;
    while (++s->got < s->T && number_of(s, s->got) == number_of(s, s->got - 1))
        memcpy(s->px + (size_t)s->got * frame_bytes(s), to, frame_bytes(s));
    return s->got == s->T;
}

/* Frame i of T is number floor(i * N / T) of the N frames in the range. */
static int sample_film(sampler *s, const char *decoder, const char *file, ks_range *range, ks_error *e)
{
    ks_media media;
    int64_t *wanted = malloc((size_t)s->T * sizeof *wanted);
    int err;

    if (!wanted)
        return ks_fail(e, KS_ENOMEM, "no memory for frames");
    if ((err = ks_frames(&media, NULL, decoder, file, range, NULL, NULL, e)) < 0)
        goto out;
    s->total = media.frames;
    if (s->total < 1) {
        err = ks_fail(e, KS_EFORMAT, "%s: no frame there", file);
        goto out;
    }
    for (int i = 0; i < s->T; i++)
        if (range->n_wanted == 0 || number_of(s, i) != wanted[range->n_wanted - 1])
            wanted[range->n_wanted++] = number_of(s, i);
    range->wanted = wanted;
    if ((err = ks_frames(&media, NULL, decoder, file, range, sample, s, e)) == 0)
        err = s->err;
    if (err == 0 && s->got < s->T)
        err = ks_fail(e, KS_EFORMAT, "%s: decoded differently the second time", file);
out:
    free(wanted);
    return err;
}

static int encode(float *v, ks_encoder *enc, const sampler *s, ks_error *e)
{
    const uint8_t **px = calloc((size_t)s->T, sizeof *px);
    ks_tokens **tokens = calloc((size_t)s->T, sizeof *tokens);
    int err = KS_ENOMEM;

    if (px && tokens) {
        for (int i = 0; i < s->T; i++)
            px[i] = s->px + (size_t)i * frame_bytes(s);
        err = ks_frames_tokens(tokens, enc, px, s->T, s->side, e);
        if (err == 0)
            err = ks_clip_vector(v, NULL, enc, tokens, s->T, e);
    } else {
        ks_fail(e, KS_ENOMEM, "no memory for frames");
    }
    for (int i = 0; tokens && i < s->T; i++)
        ks_tokens_free(tokens[i]);
    free((void *)tokens);
    free((void *)px);
    return err;
}

/* Start: encoder with the video tower, room for T frames, v[D]. */
static int begin(sampler *s, float **v, char **decoder, ks_search_run *r, ks_error *e)
{
    ks_space space;
    int err;

    if ((err = ks_locate_decoder(decoder, r->g, e)) < 0 || (err = space_of(&space, r, e)) < 0 ||
        (err = ks_search_encoder(r, KS_TOWER_VIDEO, e)) < 0)
        return err;
    *s = (sampler){.T = space.frames, .side = ks_side(ks_encoder_info(r->enc)), .fit = (ks_fit)(space.resize % 10), .e = e};
    s->px = malloc((size_t)s->T * frame_bytes(s));
    *v = malloc((size_t)space.dim * sizeof **v);
    return s->px && *v ? 0 : ks_fail(e, KS_ENOMEM, "no memory for frames");
}

int ks_ask_picture(ks_search_run *r, const char *file, ks_error *e)
{
    sampler s = {0};
    char *decoder = NULL;
    float *v = NULL;
    uint8_t *pixels = NULL;
    ks_image image;
    int err;

    r->o.vector_query = 1;
    if ((err = begin(&s, &v, &decoder, r, e)) < 0 || (err = ks_picture(&image, &pixels, decoder, file, 0, e)) < 0 ||
        (err = ks_resize(s.px, s.side, &image, s.fit, e)) < 0)
        goto out;
    for (int i = 1; i < s.T; i++)
        memcpy(s.px + (size_t)i * frame_bytes(&s), s.px, frame_bytes(&s));
    if ((err = encode(v, r->enc, &s, e)) == 0)
        err = ks_search_vector(r, v, ks_encoder_info(r->enc)->dim, file, e);
out:
    free(pixels);
    free(s.px);
    free(v);
    free(decoder);
    return err;
}

/* A film that is not in the library; at < 0: all of it. */
static int ask_foreign(ks_search_run *r, const char *file, double at, ks_error *e)
{
    ks_range range = {.from = at < 0 ? 0 : fmax(at - 4, 0), .to = at < 0 ? -1 : fmax(at - 4, 0) + 8}; /* 8 s: ingest's window */
    sampler s = {0};
    char *decoder = NULL;
    float *v = NULL;
    int err;

    if ((err = begin(&s, &v, &decoder, r, e)) == 0 && (err = sample_film(&s, decoder, file, &range, e)) == 0 &&
        (err = encode(v, r->enc, &s, e)) == 0)
        err = ks_search_vector(r, v, ks_encoder_info(r->enc)->dim, file, e);
    free(s.px);
    free(v);
    free(decoder);
    return err;
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
    if ((err = film_vector(v, &nearest, r, &video, at, space.dim, e)) == 0)
        err = at >= 0 ? ask_stored(r, v, space.dim, nearest, file_at, e) : ks_search_vector(r, v, space.dim, file_at, e);
out:
    free(path);
    free(v);
    free(file);
    return err;
}
