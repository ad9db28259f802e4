/* question.c - words, pixels or a stored clip become the vector that is asked with. */
#include "session/session.h"

#include "session/open.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One term at work: where its vector goes, and what of its kind the options learn where it is
 * the whole question. */
typedef struct {
    const ks_question *question;
    const ks_term *term;
    float *q; /* [dim] */
    int dim;
    ks_query_options *o; /* NULL: of several terms */
} asking;

static int space_of(ks_space *space, ks_session *s, ks_error *e)
{
    ks_library *library = malloc(sizeof *library);
    int err;

    if (!library) return ks_fail(e, KS_ENOMEM, "no memory");
    if ((err = ks_index_library(library, s->x, e)) == 0) *space = library->space;
    free(library);
    if (err == 0 && space->dim == 0)
        err = ks_fail(e, KS_ENOLIBRARY, "%s: nothing was ever ingested here", s->path);
    return err;
}

static int ask_words(const asking *a, ks_session *s, ks_error *e)
{
    const char *command = a->question->translate ? a->question->translate : s->setup->translate;
    char *english_words = NULL;
    ks_encoder *enc;
    int english, err;

    if ((err = ks_session_encoder(&enc, s, KS_TOWER_TEXT, e)) < 0) return err;
    if (ks_encoder_info(enc)->dim != a->dim)
        return ks_fail(e, KS_ESPACE, "the model makes vectors of D %d, the library holds D %d",
                       ks_encoder_info(enc)->dim, a->dim);
    if (command && (err = ks_translate(&english_words, s, command, a->term->text, e)) < 0)
        return err;
    err = ks_query_words(a->q, &english, enc, command ? english_words : a->term->text, e);
    if (err == 0 && !english && s->setup->notice)
        s->setup->notice(s->setup->notice_arg,
                         "these words do not look English; the model knows English only "
                         "(--translate CMD: a program that translates)");
    free(english_words);
    return err;
}

/* A picture, or with `film` a film that is not in the library, as this library's clips are made.
 * at < 0: all of the film; else 8 s around it, ingest's window. */
static int ask_pixels(const asking *a, ks_session *s, const char *file, int film, double at,
                      ks_error *e)
{
    ks_clip_how how;
    ks_clip_pixels clip = {0};
    ks_encoder *enc;
    ks_space space;
    int err;

    if ((err = space_of(&space, s, e)) < 0 ||
        (err = ks_session_encoder(&enc, s, KS_TOWER_VIDEO, e)) < 0)
        return err;
    how = (ks_clip_how){.setup = s->setup,
                        .decoder = &s->decoder,
                        .frames = space.frames,
                        .side = ks_side(ks_encoder_info(enc)),
                        .fit = (ks_fit)(space.resize % 10)};
    err = !film    ? ks_clip_image(&clip, &how, file, e)
          : at < 0 ? ks_clip_film(&clip, &how, file, 0, -1, e)
                   : ks_clip_around(&clip, &how, file, at, 8, e);
    if (err == 0) err = ks_clip_encode(a->q, enc, &clip, e);
    ks_clip_free(&clip);
    return err;
}

static void about_itself(const asking *a, int64_t clip)
{
    if (a->o && a->question->not_self) a->o->not_clip = clip;
    else if (a->o) a->o->first_clip = clip;
}

static int ask_clip(const asking *a, ks_session *s, ks_error *e)
{
    about_itself(a, a->term->clip);
    return ks_index_clip_vector(a->q, a->dim, s->x, a->term->clip, e);
}

/* at < 0: unit mean of all clips of a film. Else the vector of the clip whose centre is nearest
 * `at` seconds, *nearest. Clips whose vectors are rotten are left out. */
static int film_vector(float *v, int64_t *nearest, ks_session *s, const ks_video *video, double at,
                       int dim, ks_error *e)
{
    ks_filter f = {.video = video->id};
    float *one = malloc((size_t)dim * sizeof *one);
    ks_cursor *c = NULL;
    ks_clip clip;
    double least = HUGE_VAL, length = 0;
    int err = one ? ks_index_clips(&c, s->x, &f, e)
                  : ks_fail(e, KS_ENOMEM, "no memory for a query");

    memset(v, 0, (size_t)dim * sizeof *v);
    *nearest = 0;
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0) {
        double off = fabs(
            (ks_seconds(clip.start, video->tb) + ks_seconds(clip.end, video->tb)) / 2 - at);
        if (at >= 0 && off >= least) continue;
        err = ks_index_clip_vector(one, dim, s->x, clip.id, e);
        for (int d = 0; d < dim && err == 0; d++) v[d] = at >= 0 ? one[d] : v[d] + one[d];
        if (err == 0) {
            least = off;
            *nearest = clip.id;
        }
        err = err == KS_EDAMAGED ? 0 : err;
    }
    ks_cursor_close(c);
    if (err == 0 && !*nearest)
        err = ks_fail(e, KS_ENOTFOUND, "%s: no clip of it is in the library", video->path);
    for (int d = 0; d < dim; d++) length += (double)v[d] * (double)v[d];
    for (int d = 0; d < dim; d++) v[d] = (float)(v[d] / fmax(sqrt(length), 1e-12));
    free(one);
    return err < 0 ? err : 0;
}

/* The film of the library that is meant: by its path, or where no file is called so, by its name
 * (ks_find_film). Its row's text lives until the next call. 1 found, 0 a file that is not in it, or
 * nothing: why in e. */
static int stored_film(ks_video *video, ks_session *s, const char *name, ks_error *e)
{
    char full[PATH_MAX], *path = NULL;
    int64_t id;
    /* A film on a disk that is not here has no real path; its stored one may be what was typed. */
    int found = ks_index_find(video, s->x, realpath(name, full) ? full : name, e);

    if (found != 0 || access(name, F_OK) == 0) return found;
    found = ks_find_film(&id, &path, s->x, name, e);
    if (found == 0) found = ks_index_find(video, s->x, path, e);
    free(path);
    return found == KS_ENOTFOUND ? 0 : found;
}

/* What is called so as a whole first, then the last '@' as time. *at < 0: no time given. */
static int split_at(ks_video *video, double *at, ks_session *s, char *file, ks_error *e)
{
    char *sign = strrchr(file, '@');
    int found = stored_film(video, s, file, e);

    *at = -1;
    /* KS_EDAMAGED: no such film among the rows that can be read */
    if ((found != 0 && found != KS_EDAMAGED) || access(file, F_OK) == 0 || !sign || sign == file ||
        ks_parse_seconds(at, sign + 1) < 0)
        return found;
    *sign = 0;
    return stored_film(video, s, file, e);
}

static int ask_stored(const asking *a, ks_session *s, ks_video *video, double at, ks_error *e)
{
    char *path = strdup(video->path); /* the row's text lives until the next call */
    int64_t nearest;
    int err = path ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query");

    video->path = path;
    if (err == 0 && at > ks_seconds(video->duration, video->tb))
        err = ks_no_such_second(path, at, ks_seconds(video->duration, video->tb), e);
    if (err == 0 && (err = ks_index_snapshot(s->x, e)) == 0) {
        err = film_vector(a->q, &nearest, s, video, at, a->dim, e);
        ks_index_release(s->x);
    }
    if (err == 0 && a->o && !a->o->filter.shown) { /* it is among the hits */
        free(s->shown);
        a->o->filter.shown = s->shown = strdup(path);
    }
    if (err == 0 && at >= 0) about_itself(a, nearest);
    else if (a->o && a->question->not_self) a->o->not_video = video->id;
    free(path);
    return err;
}

static int ask_film(const asking *a, ks_session *s, ks_error *e)
{
    char *file = strdup(a->term->text);
    ks_video video;
    double at;
    int err, found;

    if (!file) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    found = split_at(&video, &at, s, file, e);
    /* a film whose row is rotten is asked about by its pixels, too */
    if ((err = found) >= 0 || err == KS_EDAMAGED)
        err = found > 0 ? ask_stored(a, s, &video, at, e) : ask_pixels(a, s, file, 1, at, e);
    free(file);
    return err;
}

static int ask_term(const asking *a, ks_session *s, ks_error *e)
{
    switch (a->term->kind) {
    case KS_TERM_WORDS: return ask_words(a, s, e);
    case KS_TERM_PICTURE: return ask_pixels(a, s, a->term->text, 0, -1, e);
    case KS_TERM_CLIP: return ask_clip(a, s, e);
    default: return ask_film(a, s, e);
    }
}

/* --- several terms --- */
/* sum[dim] += weight * v[dim] */
static void add_vector(float *sum, const float *v, double weight, int dim)
{
    for (int d = 0; d < dim; d++) sum[d] += (float)weight * v[d];
}

/* The vector of a term with the PLUS and MINUS behind it, unit length in row[dim]; *i moves to
 * the last of them. */
static int add_up(float *row, ks_query_term *out, int *i, const ks_terms *terms, asking *a,
                  ks_session *s, ks_error *e)
{
    const ks_term *first = &terms->at[*i];
    double length = 0;
    int err;

    *out = (ks_query_term){
        .op = first->op, .term = *i + 1, .words = 1, .weight = 1, .within = first->within};
    memset(row, 0, (size_t)a->dim * sizeof *row);
    for (;; ++*i) {
        a->term = &terms->at[*i];
        if ((err = ask_term(a, s, e)) < 0) return err;
        add_vector(row, a->q, a->term->op == KS_OP_MINUS ? -a->term->weight : a->term->weight,
                   a->dim);
        out->words &= a->term->kind == KS_TERM_WORDS;
        if (*i + 1 == terms->n ||
            (terms->at[*i + 1].op != KS_OP_PLUS && terms->at[*i + 1].op != KS_OP_MINUS))
            break;
    }
    if (a->term == first) /* alone: its weight is its say */
        out->weight = first->op == KS_OP_BEGIN ? 1 : first->weight;
    for (int d = 0; d < a->dim; d++) length += (double)row[d] * (double)row[d];
    if (!(length > 1e-8))
        return ks_fail(e, KS_EUSAGE,
                       "nothing is left of the question: what is taken away is all there is");
    for (int d = 0; d < a->dim; d++) row[d] = (float)(row[d] / sqrt(length));
    return 0;
}

/* Times that were not given: 30 s after THEN, and what the last THEN says after UNLESS. */
static void default_times(ks_query_term *terms, int n)
{
    double within = 30;

    for (int i = 0; i < n; i++) {
        if (terms[i].within < 0) terms[i].within = within;
        else if (terms[i].op == KS_OP_THEN) within = terms[i].within;
    }
}

static int add_terms(ks_asked *a, ks_session *s, const ks_question *question, const ks_terms *terms,
                     ks_error *e)
{
    asking one = {.question = question, .dim = a->dim, .q = malloc((size_t)a->dim * sizeof *one.q)};
    int err = one.q ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query"), words = 0;

    for (int i = 0; i < terms->n && err == 0; i++, a->n++) {
        err = add_up(a->q + (size_t)a->n * (size_t)a->dim, &a->terms[a->n], &i, terms, &one, s, e);
        words |= err == 0 && a->terms[a->n].words && a->terms[a->n].op != KS_OP_NOT &&
                 a->terms[a->n].op != KS_OP_UNLESS;
    }
    default_times(a->terms, a->n);
    if (a->n == 1) { /* all of it went into one vector */
        free(a->terms);
        a->terms = NULL;
    }
    a->o.vector_query = !words;
    free(one.q);
    return err;
}

/* Of the library's vectors; while it has none, of those that the model makes of words: nothing
 * is found with them. */
static int dim_of(int *dim, const ks_terms *terms, ks_session *s, ks_error *e)
{
    ks_encoder *enc;
    ks_space space;
    int err = space_of(&space, s, e), pixels = 0;

    for (int i = 0; i < terms->n; i++) pixels |= terms->at[i].kind != KS_TERM_WORDS;
    if (err == KS_ENOLIBRARY && !pixels &&
        (err = ks_session_encoder(&enc, s, KS_TOWER_TEXT, e)) == 0)
        space.dim = ks_encoder_info(enc)->dim;
    *dim = err == 0 ? space.dim : 0;
    return err;
}

int ks_question_vectors(ks_asked *a, ks_session *s, const ks_question *question, ks_error *e)
{
    ks_terms terms = {0};
    int err = ks_question_terms(&terms, question, e);

    if (err == 0 && (err = dim_of(&a->dim, &terms, s, e)) == 0) {
        a->q = malloc((size_t)terms.n * (size_t)a->dim * sizeof *a->q);
        a->terms = terms.n > 1 ? calloc((size_t)terms.n, sizeof *a->terms) : NULL;
        if (!a->q || (terms.n > 1 && !a->terms))
            err = ks_fail(e, KS_ENOMEM, "no memory for a query");
    }
    if (err == 0 && terms.n == 1) {
        asking one = {.question = question, .term = terms.at, .q = a->q, .dim = a->dim, .o = &a->o};
        a->n = 1;
        a->o.vector_query = terms.at->kind != KS_TERM_WORDS;
        err = ask_term(&one, s, e);
    } else if (err == 0) {
        err = add_terms(a, s, question, &terms, e);
    }
    ks_terms_free(&terms);
    return err;
}
