/* device_sample.c - frames and clips of a GPU that this CPU computes, too. See device.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "encoder/device.h"

/* A clip and a frame of so many are. */
enum { SAMPLE = 1000 };

static uint64_t any(ks_samples *s)
{
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    return s->random >> 33;
}

/* 1 to 2 SAMPLE - 1: SAMPLE on the average, and nobody knows which. */
static int draw(ks_samples *s) { return 1 + (int)(any(s) % (2 * SAMPLE - 1)); }

int ks_samples_open(ks_samples *s, const char *cache, int dim, ks_error *e)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *s = (ks_samples){.random = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)now.tv_sec,
                      .vector = malloc((size_t)dim * sizeof(float)),
                      .cache = cache ? strdup(cache) : NULL};
    s->clip = draw(s);
    s->frame = draw(s);
    return s->vector && (s->cache || !cache) ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a GPU");
}

static void forget_frame(ks_samples *s)
{
    ks_tokens_free(s->tokens);
    s->tokens = NULL;
    s->picture.px = NULL;
}

static void forget_clip(ks_samples *s)
{
    for (int t = 0; t < s->T; t++) ks_tokens_free(s->clip_frames[t]);
    s->T = 0;
}

void ks_samples_close(ks_samples *s)
{
    forget_frame(s);
    forget_clip(s);
    ks_encoder_close(s->exact);
    free(s->clip_frames);
    free(s->pixels);
    free(s->vector);
    free(s->cache);
    *s = (ks_samples){0};
}

/* One of the n, so that each place of a batch has its turn: of those that are due the very one,
 * else any. */
static int which_of(int *due, ks_samples *s, int n)
{
    int which = s->frame - 1;
    s->frame -= n;
    *due = s->frame <= 0;
    if (*due) s->frame = draw(s);
    return *due ? which : (int)(((s->random >> 33) + (uint64_t)s->frame) % (uint64_t)n);
}

int ks_sample_frames(ks_samples *s, ks_tokens *const *tokens, const ks_picture *pictures,
                     const uint8_t *masked, int n, ks_error *e)
{
    int due, which = which_of(&due, s, n);
    const ks_picture *p = &pictures[which];
    size_t side = (size_t)p->G * (size_t)p->P,
           bytes = side * side * 3 * (p->is_float ? sizeof(float) : 1);
    forget_frame(s);
    if (bytes > s->room) {
        void *more = realloc(s->pixels, bytes);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for a frame");
        s->pixels = more;
        s->room = bytes;
    }
    memcpy(s->pixels, p->px, bytes);
    s->picture = *p;
    s->picture.px = s->pixels;
    s->masked = masked ? masked[which] : 0;
    s->tokens = ks_tokens_keep(tokens[which]);
    return due;
}

int ks_sample_clip(ks_samples *s, ks_tokens *const *frames, int T, const float *v, int dim,
                   ks_error *e)
{
    int due = --s->clip <= 0;
    if (due) s->clip = draw(s);
    forget_clip(s);
    s->unproven++;
    if (T > s->room_clip) {
        ks_tokens **more = reallocarray(s->clip_frames, (size_t)T, sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
        s->clip_frames = more;
        s->room_clip = T;
    }
    for (s->T = 0; s->T < T; s->T++) s->clip_frames[s->T] = ks_tokens_keep(frames[s->T]);
    memcpy(s->vector, v, (size_t)dim * sizeof *v);
    return due;
}

static int open_exact(ks_encoder *enc, ks_samples *s, ks_error *e)
{
    ks_encoder_options o = {.model = enc->model,
                            .towers = enc->towers,
                            .precision = KS_FP32,
                            .device = "cpu",
                            .threads = ks_pool_threads(enc->pool),
                            .cache = s->cache};
    return s->exact ? 0 : ks_encoder_open(&s->exact, &o, e);
}

static int frame_holds(ks_encoder *enc, ks_samples *s, ks_error *why)
{
    uint8_t mask = (uint8_t)s->masked;
    ks_tokens *want;
    int64_t n = (int64_t)s->picture.G * s->picture.G * enc->info.dim;
    int err = ks_cpu_towers.tokens(&want, s->exact, &s->picture, mask ? &mask : NULL, 1, why);
    if (err) return err;
    double apart = ks_apart(ks_tokens_x(s->tokens), ks_tokens_x(want), n);
    ks_tokens_free(want);
    if (apart <= KS_APART) return 1;
    ks_fail(why, KS_EIO, "%s: a frame that this CPU computed, too, is %.2g from it (1 - cos)",
            ks_gpu_is(enc->gpu)->name, apart);
    return 0;
}

static int clip_holds(ks_encoder *enc, ks_samples *s, ks_error *why)
{
    float *want = malloc((size_t)enc->info.dim * sizeof *want);
    int err = want ? ks_cpu_towers.clip(&(ks_clip_outputs){.global = want}, s->exact,
                                        s->clip_frames, s->T, why)
                   : ks_fail(why, KS_ENOMEM, "no memory for a clip");
    double apart = err ? 0 : ks_apart(s->vector, want, enc->info.dim);
    free(want);
    if (err || apart <= KS_APART) return err ? err : 1;
    ks_fail(why, KS_EIO, "%s: a clip that this CPU computed, too, is %.2g from it (1 - cos)",
            ks_gpu_is(enc->gpu)->name, apart);
    return 0;
}

int ks_sample_holds(ks_encoder *enc, ks_samples *s, int clip, ks_error *why)
{
    int held = 1;
    if (!s->picture.px && !(clip && s->T)) return 1; /* nothing is new */
    int err = open_exact(enc, s, why);
    if (err) return err;
    if (s->picture.px) held = frame_holds(enc, s, why);
    if (held == 1 && clip && s->T) held = clip_holds(enc, s, why);
    if (held != 1) return held;
    forget_frame(s);
    if (!clip) return 1;
    s->held += s->T > 0;
    s->unproven = 0;
    forget_clip(s);
    return 1;
}

int ks_sample_text(ks_encoder *enc, ks_samples *s, const ks_sentences *t, const float *v,
                   ks_error *why)
{
    size_t which = (size_t)(any(s) % (uint64_t)t->n), D = (size_t)enc->info.dim;
    int rows = t->first[which + 1] - t->first[which];
    ks_sentences one = {.n = 1, .first = {0, rows}};
    float *want = malloc(D * sizeof *want);
    int err = want ? open_exact(enc, s, why) : ks_fail(why, KS_ENOMEM, "no memory for a sentence");
    memcpy(one.ids, t->ids + t->first[which], (size_t)(rows - 1) * sizeof *one.ids);
    if (!err) err = ks_cpu_towers.text(want, s->exact, &one, why);
    double apart = err ? 0 : ks_apart(v + which * D, want, enc->info.dim);
    free(want);
    if (err || apart <= KS_APART) return err ? err : 1;
    ks_fail(why, KS_EIO, "%s: a sentence that this CPU computed, too, is %.2g from it (1 - cos)",
            ks_gpu_is(enc->gpu)->name, apart);
    return 0;
}
