/* clip_input.c - see clip_input.h. A film is decoded twice: its frames must be counted before it is known
 * which ones are wanted, and a container's own count is a guess. */
#include "cli/clip_input.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/npy_io.h"
#include "ingest/ingest.h"

static int no_memory(ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "no memory for frames");
}

ks_fit ks_fit_named(const char *name)
{
    if (name && strcmp(name, "crop") == 0) return KS_CROP;
    return name && strcmp(name, "pad") == 0 ? KS_PAD : KS_SQUASH;
}

void ks_clip_free(ks_clip_pixels *clip)
{
    free((void *)(uintptr_t)clip->px);
    free((void *)(uintptr_t)clip->paddings);
    memset(clip, 0, sizeof *clip);
}

static size_t frame_bytes(int side)
{
    return (size_t)side * (size_t)side * 3;
}

static uint8_t *frames_room(const ks_clip_how *how, ks_error *e)
{
    uint8_t *px = (size_t)how->frames > SIZE_MAX / frame_bytes(how->side) ? NULL : malloc((size_t)how->frames * frame_bytes(how->side));
    if (!px) no_memory(e);
    return px;
}

int ks_clip_image(ks_clip_pixels *clip, const ks_clip_how *how, const char *path, ks_error *e)
{
    char *decoder = NULL;
    uint8_t *source = NULL, *px = NULL;
    ks_image image;
    size_t bytes = frame_bytes(how->side);
    int err = ks_locate_decoder(&decoder, how->g, e);
    if (!err) err = ks_picture(&image, &source, decoder, path, 0, e);
    if (!err && !(px = frames_room(how, e))) err = KS_ENOMEM;
    if (!err) err = ks_resize(px, how->side, &image, how->fit, e);
    for (int i = 1; !err && i < how->frames; i++) memcpy(px + (size_t)i * bytes, px, bytes);
    free(source);
    free(decoder);
    if (err) free(px);
    else *clip = (ks_clip_pixels){.px = px, .T = how->frames, .side = how->side};
    return err;
}

/* --- films --- */
typedef struct {
    const ks_clip_how *how;
    uint8_t *px;
    int got;        /* frames filled */
    int64_t total;  /* frames there are */
    int err;
    ks_error *e;
} sampler;

static int64_t number_of(const sampler *s, int i)
{
    return (int64_t)i * s->total / s->how->frames;
}

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

static int sample(sampler *s, const char *decoder, const char *file, ks_range *range, ks_error *e)
{
    ks_media media;
    ks_outcome outcome;
    int64_t *wanted = malloc((size_t)s->how->frames * sizeof *wanted);
    if (!wanted) return no_memory(e);
    int err = ks_frames(&media, &outcome, decoder, file, range, NULL, NULL, e);
    if (err < 0) goto out;
    s->total = media.frames;
    if (s->total < 1) {
        err = ks_fail(e, KS_EFORMAT, "%s: no frame in the asked time", file);
        goto out;
    }
    if (outcome.verdict == KS_VERDICT_PARTLY && !s->how->g->quiet)
        fprintf(stderr, "kinoseek: %s: only partly readable: %s\n", file, outcome.reason);
    for (int i = 0; i < s->how->frames; i++)
        if (range->n_wanted == 0 || number_of(s, i) != wanted[range->n_wanted - 1]) wanted[range->n_wanted++] = number_of(s, i);
    range->wanted = wanted;
    err = ks_frames(&media, NULL, decoder, file, range, take_frame, s, e);
    if (!err) err = s->err;
    if (!err && s->got < s->how->frames) err = ks_fail(e, KS_EFORMAT, "%s: decoded differently the second time", file);
out:
    free(wanted);
    return err;
}

/* START, or START-END, behind an '@'. */
static int take_times(double *from, double *to, char *times)
{
    char *dash = strchr(times, '-');
    if (dash) *dash = 0;
    if (ks_parse_seconds(from, times) != 0 || (dash && ks_parse_seconds(to, dash + 1) != 0)) {
        if (dash) *dash = '-';
        return -1;
    }
    return 0;
}

int ks_split_times(char *file, double *from, double *to, const char *file_at, ks_error *e)
{
    memcpy(file, file_at, strlen(file_at) + 1);
    *from = 0;
    *to = -1;
    char *at = strrchr(file, '@');
    if (access(file, F_OK) == 0 || !at || at == file) return 0;
    *at = 0;
    if (access(file, F_OK) != 0) { /* neither is there: complain about the name as it was typed */
        *at = '@';
        return 0;
    }
    if (take_times(from, to, at + 1) != 0)
        return ks_fail(e, KS_EUSAGE, "%s: '%s' is no time (seconds or h:mm:ss.mmm, START-END)", file_at, at + 1);
    if (*to >= 0 && *to <= *from) return ks_fail(e, KS_EUSAGE, "%s: the end is not after the start", file_at);
    return 0;
}

int ks_clip_film(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double from, double to, ks_error *e)
{
    char *decoder = NULL;
    sampler s = {.how = how, .e = e};
    ks_range range = {.from = from, .to = to};
    int err = ks_locate_decoder(&decoder, how->g, e);
    if (!err && !(s.px = frames_room(how, e))) err = KS_ENOMEM;
    if (!err) err = sample(&s, decoder, file, &range, e);
    free(decoder);
    if (err) free(s.px);
    else *clip = (ks_clip_pixels){.px = s.px, .T = how->frames, .side = how->side};
    return err;
}

int ks_clip_video(ks_clip_pixels *clip, const ks_clip_how *how, const char *file_at, ks_error *e)
{
    char *file = malloc(strlen(file_at) + 1);
    double from, to;
    int err = file ? ks_split_times(file, &from, &to, file_at, e) : no_memory(e);
    if (!err) err = ks_clip_film(clip, how, file, from, to, e);
    free(file);
    return err;
}

/* --- arrays --- */

/* "0,0,1" -> paddings[T], malloc'ed. */
static int read_paddings(const float **paddings, const char *list, int T, ks_error *e)
{
    float *p = malloc((size_t)T * sizeof *p);
    const char *at = list;
    int n = 0;
    if (!p) return no_memory(e);
    for (; *at == '0' || *at == '1'; n++) {
        if (n < T) p[n] = (float)(*at - '0');
        if (*++at != ',') {
            n++;
            break;
        }
        at++;
    }
    if (*at == 0 && n == T) {
        *paddings = p;
        return 0;
    }
    free(p);
    if (*at) return ks_fail(e, KS_EUSAGE, "--frame-paddings %s: zeros and ones, as in 0,0,1", list);
    return ks_fail(e, KS_EUSAGE, "--frame-paddings names %d frames, the clip has %d", n, T);
}

int ks_clip_npy(ks_clip_pixels *clip, const ks_clip_how *how, const char *path, ks_error *e)
{
    ks_npy_frames f;
    int err = ks_npy_read_frames(&f, path, e);
    if (err) return err;
    *clip = (ks_clip_pixels){.px = f.px, .is_float = f.is_float, .T = f.T, .side = f.side};
    if (how->paddings) err = read_paddings(&clip->paddings, how->paddings, f.T, e);
    if (err) ks_clip_free(clip);
    return err;
}

int ks_clip_encode(float *v, ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e)
{
    ks_tokens **tokens = calloc((size_t)clip->T, sizeof *tokens);
    if (!tokens) return no_memory(e);
    int err = ks_pixels_tokens(tokens, enc, clip, e);
    if (!err) err = ks_clip_vector(v, NULL, enc, tokens, clip->T, e);
    for (int t = 0; t < clip->T; t++) ks_tokens_free(tokens[t]);
    free((void *)tokens);
    return err;
}
