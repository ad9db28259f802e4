/* pixels.c - a picture or a film's seconds as a clip for the encoder. A film is decoded twice:
 * its frames must be counted before it is known which ones are wanted, and a container's own
 * count is a guess. */
#include "session/session.h"

#include "session/open.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for frames"); }

void ks_clip_free(ks_clip_pixels *clip)
{
    free((void *)(uintptr_t)clip->px);
    free((void *)(uintptr_t)clip->paddings);
    memset(clip, 0, sizeof *clip);
}

static size_t frame_bytes(int side) { return (size_t)side * (size_t)side * 3; }

int ks_no_such_second(const char *file, double at, double length, ks_error *e)
{
    return ks_fail(e, KS_ENOTFOUND, "%s: nothing is at %.10g s, the film is %.10g s long", file, at,
                   round(length * 1000) / 1000);
}

static uint8_t *frames_room(const ks_clip_how *how, ks_error *e)
{
    uint8_t *px = (size_t)how->frames > SIZE_MAX / frame_bytes(how->side)
                      ? NULL
                      : malloc((size_t)how->frames * frame_bytes(how->side));
    if (!px) no_memory(e);
    return px;
}

int ks_clip_image(ks_clip_pixels *clip, const ks_clip_how *how, const char *path, ks_error *e)
{
    assert(clip && how && path && how->frames > 0 && how->side > 0);
    uint8_t *source = NULL, *px = NULL;
    ks_image image;
    size_t bytes = frame_bytes(how->side);
    int err = ks_open_decoder(how->decoder, how->setup, e);
    if (!err) err = ks_picture(&image, &source, *how->decoder, path, 0, NULL, e);
    if (!err && !(px = frames_room(how, e))) err = KS_ENOMEM;
    if (!err) err = ks_resize(px, how->side, &image, how->fit, e);
    for (int i = 1; !err && i < how->frames; i++) memcpy(px + (size_t)i * bytes, px, bytes);
    free(source);
    if (err) free(px);
    else *clip = (ks_clip_pixels){.px = px, .T = how->frames, .side = how->side};
    return err;
}

/* --- films --- */
typedef struct {
    const ks_clip_how *how;
    uint8_t *px;
    int got;       /* frames filled */
    int64_t total; /* frames there are */
    double must;   /* the film lasts until this second at least; < 0: no matter */
    int err;
    ks_error *e;
} sampler;

static int64_t number_of(const sampler *s, int i) { return (int64_t)i * s->total / s->how->frames; }

/* The next wanted frame; a film of fewer than T frames gives some of them several times. */
static int take_frame(void *arg, const ks_media *media, const ks_image *image, int64_t ticks)
{
    sampler *s = arg;
    size_t bytes = frame_bytes(s->how->side);
    uint8_t *to = s->px + (size_t)s->got * bytes;
    (void)media;
    (void)ticks;
    if ((s->err = ks_resize(to, s->how->side, image, s->how->fit, s->e)) < 0) return 1;
    while (++s->got < s->how->frames && number_of(s, s->got) == number_of(s, s->got - 1))
        memcpy(s->px + (size_t)s->got * bytes, to, bytes);
    return s->got == s->how->frames;
}

static void remark(const ks_clip_how *how, const char *file, const char *words)
{
    char *sentence = NULL;
    if (how->remark) how->remark(how->remark_arg, words);
    else if (how->setup->notice && asprintf(&sentence, "%s: %s", file, words) >= 0)
        how->setup->notice(how->setup->notice_arg, sentence);
    free(sentence);
}

/* A player's clock rounds: what was asked may end a second behind the film. */
static void say_remarks(const ks_clip_how *how, const char *file, const ks_outcome *outcome,
                        double to, double length)
{
    char words[300];
    if (outcome->verdict == KS_VERDICT_PARTLY) {
        snprintf(words, sizeof words, "only partly readable: %s", outcome->reason);
        remark(how, file, words);
    }
    if (to >= 0 && length > 0 && to > length + 1) {
        snprintf(words, sizeof words, "it ends at %.3f s, and was asked for until %.3f s", length,
                 to);
        remark(how, file, words);
    }
}

static int sample(sampler *s, const char *file, ks_range *range, ks_error *e)
{
    ks_media media;
    ks_outcome outcome;
    int64_t *wanted = malloc((size_t)s->how->frames * sizeof *wanted);
    if (!wanted) return no_memory(e);
    int err = ks_frames(&media, &outcome, *s->how->decoder, file, range, NULL, NULL, e);
    if (err < 0) goto out;
    s->total = media.frames;
    /* 0 where the range ended before the film */
    double length = ks_seconds(outcome.last_end, media.tb);
    if (s->must >= 0 && (s->total < 1 || (length > 0 && s->must > length))) {
        err = ks_no_such_second(file, s->must, length, e);
        goto out;
    }
    if (s->total < 1) {
        err = ks_fail(e, KS_EFORMAT, "%s: no frame in the asked time", file);
        goto out;
    }
    /* a moment around a second (must) may well reach beyond the end */
    say_remarks(s->how, file, &outcome, s->must < 0 ? range->to : -1, length);
    for (int i = 0; i < s->how->frames; i++)
        if (range->n_wanted == 0 || number_of(s, i) != wanted[range->n_wanted - 1])
            wanted[range->n_wanted++] = number_of(s, i);
    range->wanted = wanted;
    err = ks_frames(&media, NULL, *s->how->decoder, file, range, take_frame, s, e);
    if (!err) err = s->err;
    if (!err && s->got < s->how->frames)
        err = ks_fail(e, KS_EFORMAT, "%s: decoded differently the second time", file);
out:
    free(wanted);
    return err;
}

static int clip_film(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double from,
                     double to, double must, ks_error *e)
{
    sampler s = {.how = how, .must = must, .e = e};
    ks_range range = {.from = from, .to = to};
    int err = ks_open_decoder(how->decoder, how->setup, e);
    if (!err && !(s.px = frames_room(how, e))) err = KS_ENOMEM;
    if (!err) err = sample(&s, file, &range, e);
    if (err) free(s.px);
    else *clip = (ks_clip_pixels){.px = s.px, .T = how->frames, .side = how->side};
    return err;
}

int ks_clip_film(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double from,
                 double to, ks_error *e)
{
    assert(clip && how && file && how->frames > 0 && how->side > 0);
    return clip_film(clip, how, file, from, to, -1, e);
}

int ks_clip_around(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double at,
                   double seconds, ks_error *e)
{
    assert(clip && how && file && how->frames > 0 && how->side > 0);
    double from = at > seconds / 2 ? at - seconds / 2 : 0;
    return clip_film(clip, how, file, from, from + seconds, at, e);
}

int ks_clip_encode(float *v, ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e)
{
    assert(v && enc && clip && clip->T > 0);
    ks_tokens **tokens = calloc((size_t)clip->T, sizeof *tokens);
    if (!tokens) return no_memory(e);
    int err = ks_pixels_tokens(tokens, enc, clip, e);
    if (!err) err = ks_clip_vector(v, NULL, enc, tokens, clip->T, e);
    for (int t = 0; t < clip->T; t++) ks_tokens_free(tokens[t]);
    free((void *)tokens);
    return err;
}
