/* question.c - words, pixels or a stored clip become the vector that is asked with. */
#include "session/session.h"

#include "session/open.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int room_for(ks_asked *a, int dim, ks_error *e)
{
    a->dim = dim;
    a->q = malloc((size_t)dim * sizeof *a->q);
    return a->q ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query");
}

static int space_of(ks_space *space, ks_session *s, ks_error *e)
{
    ks_library *library = malloc(sizeof *library);
    int err;

    if (!library)
        return ks_fail(e, KS_ENOMEM, "no memory");
    if ((err = ks_index_library(library, s->x, e)) == 0)
        *space = library->space;
    free(library);
    if (err == 0 && space->dim == 0)
        err = ks_fail(e, KS_ENOLIBRARY, "%s: nothing was ever ingested here", s->path);
    return err;
}

static int ask_words(ks_asked *a, ks_session *s, const ks_question *question, ks_error *e)
{
    ks_encoder *enc;
    int english, err;

    if ((err = ks_session_encoder(&enc, s, KS_TOWER_TEXT, e)) < 0 || (err = room_for(a, ks_encoder_info(enc)->dim, e)) < 0)
        return err;
    err = ks_query_words(a->q, &english, enc, question->words, question->without, e);
    if (err == 0 && !english && s->setup->notice)
        s->setup->notice(s->setup->notice_arg, "these words do not look English; the model knows English only");
    return err;
}

/* A picture, or with `film` a film that is not in the library, as this library's clips are made. at < 0: all of the film;
 * else 8 s around it, ingest's window. */
static int ask_pixels(ks_asked *a, ks_session *s, const char *file, int film, double at, ks_error *e)
{
    ks_clip_how how;
    ks_clip_pixels clip = {0};
    ks_encoder *enc;
    ks_space space;
    int err;

    if ((err = space_of(&space, s, e)) < 0 || (err = ks_session_encoder(&enc, s, KS_TOWER_VIDEO, e)) < 0 ||
        (err = room_for(a, space.dim, e)) < 0)
        return err;
    how = (ks_clip_how){.setup = s->setup, .decoder = &s->decoder, .frames = space.frames, .side = ks_side(ks_encoder_info(enc)),
                        .fit = (ks_fit)(space.resize % 10)};
    err = !film ? ks_clip_image(&clip, &how, file, e) : at < 0 ? ks_clip_film(&clip, &how, file, 0, -1, e) : ks_clip_around(&clip, &how, file, at, 8, e);
    if (err == 0)
        err = ks_clip_encode(a->q, enc, &clip, e);
    ks_clip_free(&clip);
    return err;
}

static void about_itself(ks_asked *a, int not_self, int64_t clip)
{
    if (not_self)
        a->o.not_clip = clip;
    else
        a->o.first_clip = clip;
}

static int ask_clip(ks_asked *a, ks_session *s, const ks_question *question, ks_error *e)
{
    ks_space space;
    int err;

    if ((err = space_of(&space, s, e)) < 0 || (err = room_for(a, space.dim, e)) < 0)
        return err;
    about_itself(a, question->not_self, question->like);
    return ks_index_clip_vector(a->q, space.dim, s->x, question->like, e);
}

/* at < 0: unit mean of all clips of a film. Else the vector of the clip whose centre is nearest `at` seconds, *nearest.
 * Clips whose vectors are rotten are left out. */
static int film_vector(float *v, int64_t *nearest, ks_session *s, const ks_video *video, double at, int dim, ks_error *e)
{
    ks_filter f = {.video = video->id};
    float *one = malloc((size_t)dim * sizeof *one);
    ks_cursor *c = NULL;
    ks_clip clip;
    double least = HUGE_VAL, length = 0;
    int err = one ? ks_index_clips(&c, s->x, &f, e) : ks_fail(e, KS_ENOMEM, "no memory for a query");

    memset(v, 0, (size_t)dim * sizeof *v);
    *nearest = 0;
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0) {
        double off = fabs((ks_seconds(clip.start, video->tb) + ks_seconds(clip.end, video->tb)) / 2 - at);
        if (at >= 0 && off >= least)
            continue;
        err = ks_index_clip_vector(one, dim, s->x, clip.id, e);
        for (int d = 0; d < dim && err == 0; d++)
            v[d] = at >= 0 ? one[d] : v[d] + one[d];
        if (err == 0) {
            least = off;
            *nearest = clip.id;
        }
        err = err == KS_EDAMAGED ? 0 : err;
    }
    ks_cursor_close(c);
    if (err == 0 && !*nearest)
        err = ks_fail(e, KS_ENOTFOUND, "%s: no clip of it is in the library", video->path);
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

static int ask_stored(ks_asked *a, ks_session *s, const ks_question *question, ks_video *video, double at, ks_error *e)
{
    char *path = strdup(video->path); /* the row's text lives until the next call */
    ks_space space;
    int64_t nearest;
    int err = path ? space_of(&space, s, e) : ks_fail(e, KS_ENOMEM, "no memory for a query");

    video->path = path;
    if (err == 0 && at > ks_seconds(video->duration, video->tb))
        err = ks_no_such_second(path, at, ks_seconds(video->duration, video->tb), e);
    if (err == 0 && (err = room_for(a, space.dim, e)) == 0 && (err = ks_index_snapshot(s->x, e)) == 0) {
        err = film_vector(a->q, &nearest, s, video, at, space.dim, e);
        ks_index_release(s->x);
    }
    if (err == 0 && at >= 0)
        about_itself(a, question->not_self, nearest);
    else if (question->not_self)
        a->o.not_video = video->id;
    free(path);
    return err;
}

static int ask_film(ks_asked *a, ks_session *s, const ks_question *question, ks_error *e)
{
    char *file = strdup(question->film), full[PATH_MAX];
    ks_video video;
    double at;
    int err, found;

    if (!file)
        return ks_fail(e, KS_ENOMEM, "no memory for a query");
    split_at(file, &at);
    /* A film on a disk that is not here has no real path; its stored one may be what was typed. */
    found = ks_index_find(&video, s->x, realpath(file, full) ? full : file, e);
    if ((err = found) >= 0 || err == KS_EDAMAGED) /* a film whose row is rotten is asked about by its pixels, too */
        err = found > 0 ? ask_stored(a, s, question, &video, at, e) : ask_pixels(a, s, file, 1, at, e);
    free(file);
    return err;
}

int ks_question_vector(ks_asked *a, ks_session *s, const ks_question *question, ks_error *e)
{
    a->o.vector_query = !question->words;
    if (question->words)
        return ask_words(a, s, question, e);
    if (question->image)
        return ask_pixels(a, s, question->image, 0, -1, e);
    return question->like ? ask_clip(a, s, question, e) : ask_film(a, s, question, e);
}
