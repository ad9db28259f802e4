/* encoder.c - the public face: arguments are judged here, calls are served one at a time. */
#include "encoder/encoder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/device.h"
#include "encoder/dispatch.h"
#include "encoder/tower.h"

static void unlock(ks_encoder *enc) { pthread_mutex_unlock(&enc->lock); }

static void lock(ks_encoder *enc) { pthread_mutex_lock(&enc->lock); }

static int towers_of(const ks_info *info)
{
    return KS_TOWER_VIDEO | (info->text > 0 ? KS_TOWER_TEXT : 0);
}

static int open_towers(ks_encoder *enc, const ks_encoder_options *o, ks_error *e)
{
    int has = towers_of(&enc->weights->info);
    enc->towers = o->towers ? o->towers : has;
    if (enc->towers & ~has)
        return ks_fail(e, KS_EUSAGE, "%s: this model has no text tower", o->model);
    return ks_cpu_open(enc, enc->towers, e);
}

/* A tokenizer belongs to who the model is, whichever tower is asked for. */
static int open_tokenizer(ks_encoder *enc, const ks_encoder_options *o, ks_error *e)
{
    char *path;
    if (enc->info.text == 0) return 0;
    int err = ks_tokenizer_find(&path, o->tokenizer, o->model, e);
    if (!err && path) err = ks_tokenizer_open(&enc->tokenizer, path, enc->info.vocabulary, e);
    if (!err && path)
        ks_model_hash(enc->info.hash, enc->info.hash, ks_tokenizer_hash(enc->tokenizer));
    free(path);
    return err;
}

int ks_model_identity(char hash[KS_HASH_HEX], const ks_info *info, const char *tokenizer,
                      ks_error *e)
{
    ks_tokenizer *t = NULL;
    int err = info->text && tokenizer ? ks_tokenizer_open(&t, tokenizer, info->vocabulary, e) : 0;
    if (!err) ks_model_hash(hash, info->hash, t ? ks_tokenizer_hash(t) : NULL);
    ks_tokenizer_close(t);
    return err;
}

int ks_encoder_open(ks_encoder **out, const ks_encoder_options *o, ks_error *e)
{
    assert(out && o && o->model && o->threads >= 0);
    *out = NULL;
    ks_encoder *enc = calloc(1, sizeof *enc);
    if (!enc) return ks_fail(e, KS_ENOMEM, "no memory for an encoder");
    pthread_mutex_init(&enc->lock, NULL);
    enc->by = &ks_cpu_towers;
    enc->notice = o->notice;
    enc->notice_arg = o->notice_arg;
    enc->model = strdup(o->model);
    ks_precision precision;
    ks_weights_options wo = {
        .model = o->model, .cache = o->cache, .notice = o->notice, .notice_arg = o->notice_arg};
    int err = enc->model ? ks_weights_open(&enc->weights, &wo, e)
                         : ks_fail(e, KS_ENOMEM, "no memory for an encoder");
    if (!err) err = ks_dispatch(&enc->kernels, &precision, enc->weights->cache, o->precision, e);
    if (!err) {
        enc->info = enc->weights->info;
        enc->info.precision = enc->cpu_precision = precision;
        enc->asked = o->precision;
    }
    if (!err) err = ks_token_store_open(&enc->store, e);
    if (!err) err = ks_pool_open(&enc->pool, o->threads, e);
    if (!err) err = open_towers(enc, o, e);
    if (!err) err = open_tokenizer(enc, o, e);
    if (!err) err = ks_device_open(enc, o, e);
    if (err) {
        ks_encoder_close(enc);
        return err;
    }
    *out = enc;
    return 0;
}

ks_run ks_run_of(ks_encoder *enc)
{
    return (ks_run){.kernels = enc->kernels,
                    .precision = enc->cpu_precision,
                    .pool = enc->pool,
                    .arena = &enc->arena,
                    .tap = enc->tap,
                    .tap_arg = enc->tap_arg};
}

void ks_encoder_close(ks_encoder *enc)
{
    if (!enc) return;
    ks_device_close(enc);
    ks_cpu_close(enc);
    ks_pool_close(enc->pool);
    ks_arena_free(&enc->arena);
    ks_frame_set_free(&enc->frames);
    ks_token_store_close(enc->store);
    ks_tokenizer_close(enc->tokenizer);
    ks_weights_close(enc->weights);
    pthread_mutex_destroy(&enc->lock);
    free(enc->model);
    free(enc);
}

const ks_info *ks_encoder_info(const ks_encoder *enc) { return &enc->info; }

int ks_encoder_threads(const ks_encoder *enc) { return ks_pool_threads(enc->pool); }

void ks_encoder_work(ks_encoder *enc, int tasks, void (*work)(void *arg, int task, int worker),
                     void *arg)
{
    lock(enc);
    ks_pool_run(enc->pool, tasks, work, arg);
    unlock(enc);
}

int ks_side(const ks_info *info) { return info->grid * info->patch; }

void ks_encoder_tap(ks_encoder *enc, ks_tap *tap, void *arg)
{
    lock(enc);
    enc->tap = tap;
    enc->tap_arg = arg;
    unlock(enc);
}

static int check_side(const ks_encoder *enc, int side, ks_error *e)
{
    if (!(enc->towers & KS_TOWER_VIDEO))
        return ks_fail(e, KS_EUSAGE, "the model's video tower is not open");
    if (side <= 0 || side % enc->info.patch != 0)
        return ks_fail(e, KS_EUSAGE, "a picture side of %d is not a multiple of the patch, %d",
                       side, enc->info.patch);
    if (side / enc->info.patch > 1024)
        return ks_fail(e, KS_EUSAGE, "a picture side of %d is more than this program takes", side);
    return 0;
}

static int pictures_tokens(ks_tokens **out, ks_encoder *enc, const ks_picture *pictures,
                           const float *paddings, int n, ks_error *e)
{
    lock(enc);
    ks_frame_set *s = &enc->frames;
    int err = ks_frame_set_start(s, n, e);
    for (int i = 0; i < n && !err; i++)
        ks_frame_set_add(s, &pictures[i], paddings && paddings[i] > 0, !enc->tap);
    if (!err) err = enc->by->tokens(s->tokens, enc, s->pictures, s->masked, s->unique, e);
    for (int i = 0; i < n; i++) out[i] = err ? NULL : ks_tokens_keep(s->tokens[s->which[i]]);
    for (int k = 0; k < s->unique && !err; k++) ks_tokens_free(s->tokens[k]);
    unlock(enc);
    return err;
}

enum { FRAMES_A_CALL = 64 }; /* equal frames are looked for among so many */

int ks_frames_tokens(ks_tokens **out, ks_encoder *enc, const uint8_t *const *px, int n, int side,
                     ks_error *e)
{
    assert(out && enc && px && n >= 0);
    ks_picture pictures[FRAMES_A_CALL];
    int err = check_side(enc, side, e);
    for (int i = 0; i < n; i++) out[i] = NULL;
    for (int i = 0; i < n && !err; i += FRAMES_A_CALL) {
        int m = n - i < FRAMES_A_CALL ? n - i : FRAMES_A_CALL;
        for (int k = 0; k < m; k++)
            pictures[k] = (ks_picture){
                .px = px[i + k], .G = side / enc->info.patch, .P = enc->info.patch};
        err = pictures_tokens(out + i, enc, pictures, NULL, m, e);
    }
    for (int i = 0; i < n && err; i++) {
        ks_tokens_free(out[i]);
        out[i] = NULL;
    }
    return err;
}

int ks_frame_tokens(ks_tokens **out, ks_encoder *enc, const uint8_t *px, int side, ks_error *e)
{
    return ks_frames_tokens(out, enc, &px, 1, side, e);
}

static int check_clip(const ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e)
{
    if (clip->T < 1) return ks_fail(e, KS_EUSAGE, "a clip of %d frames", clip->T);
    for (int t = 0; clip->paddings && t < clip->T; t++)
        if (clip->paddings[t] != 0.0f && clip->paddings[t] != 1.0f)
            return ks_fail(e, KS_EUSAGE, "the padding of frame %d is %g: it is 0 or 1", t,
                           (double)clip->paddings[t]);
    return check_side(enc, clip->side, e);
}

int ks_pixels_tokens(ks_tokens **out, ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e)
{
    assert(out && enc && clip && clip->px);
    int err = check_clip(enc, clip, e), T = clip->T;
    if (err) return err;
    size_t bytes = (size_t)clip->side * (size_t)clip->side * 3 *
                   (clip->is_float ? sizeof(float) : 1);
    ks_picture *pictures = calloc((size_t)T, sizeof *pictures);
    if (!pictures) return ks_fail(e, KS_ENOMEM, "no memory for %d frames", T);
    for (int t = 0; t < T; t++)
        pictures[t] = (ks_picture){.px = (const char *)clip->px + (size_t)t * bytes,
                                   .is_float = clip->is_float,
                                   .G = clip->side / enc->info.patch,
                                   .P = enc->info.patch};
    err = pictures_tokens(out, enc, pictures, clip->paddings, T, e);
    free(pictures);
    return err;
}

static int check_tokens(const ks_encoder *enc, ks_tokens *const *frames, int T, ks_error *e)
{
    assert(T >= 1 && frames);
    int grid = ks_tokens_grid(frames[0]);
    for (int t = 0; t < T; t++) {
        assert(frames[t] && ks_tokens_dim(frames[t]) == enc->info.dim);
        if (ks_tokens_grid(frames[t]) != grid)
            return ks_fail(e, KS_EUSAGE, "frames of two sizes (%d and %d) in one clip",
                           grid * enc->info.patch, ks_tokens_grid(frames[t]) * enc->info.patch);
    }
    if ((int64_t)T * grid * grid > 1 << 20)
        return ks_fail(e, KS_EUSAGE,
                       "a clip of %d frames of %d x %d places is more than this program takes", T,
                       grid, grid);
    return 0;
}

/* Frames that are clips: together where this CPU computes, one by one elsewhere. */
static int run_apart(float *v, ks_encoder *enc, ks_tokens *const *frames, int n, ks_error *e)
{
    int err = 0;
    if (enc->by == &ks_cpu_towers)
        return ks_clip_run(&(ks_clip_outputs){.frames = v, .apart = 1}, enc, frames, n, e);
    for (int i = 0; i < n && !err; i++)
        err = ks_clip_run(&(ks_clip_outputs){.global = v + (size_t)i * (size_t)enc->info.dim}, enc,
                          frames + i, 1, e);
    return err;
}

int ks_clip_run(const ks_clip_outputs *out, ks_encoder *enc, ks_tokens *const *frames, int T,
                ks_error *e)
{
    int err = check_tokens(enc, frames, T, e);
    if (err) return err;
    lock(enc);
    err = enc->by->clip(out, enc, frames, T, e);
    unlock(enc);
    return err;
}

int ks_vectors_judge(const ks_encoder *enc, const float *v, int n, ks_error *e)
{
    for (int i = 0; i < n && !enc->tap; i++, v += enc->info.dim) {
        double sum = 0;
        for (int d = 0; d < enc->info.dim; d++) sum += (double)v[d] * (double)v[d];
        if (!(fabs(sqrt(sum) - 1) <= 1e-3)) /* NaN is not */
            return ks_fail(
                e, KS_EFORMAT, "%s: this model gives a vector %s, its weights cannot be right",
                enc->model, isfinite(sum) ? "without a direction" : "that is not finite");
    }
    return 0;
}

static int has_vectors(const ks_encoder *enc, ks_error *e)
{
    return enc->info.kind == KS_LVT
               ? 0
               : ks_fail(e, KS_EUSAGE, "this model gives no video vector: it is not an LvT model");
}

int ks_clip_vector(float *v, float *frame_vectors, ks_encoder *enc, ks_tokens *const *frames, int T,
                   ks_error *e)
{
    assert(v && enc);
    int err = has_vectors(enc, e);
    if (!err)
        err = ks_clip_run(&(ks_clip_outputs){.global = v, .frames = frame_vectors}, enc, frames, T,
                          e);
    return err ? err : ks_vectors_judge(enc, v, 1, e);
}

int ks_frames_vectors(float *v, ks_encoder *enc, ks_tokens *const *frames, int n, ks_error *e)
{
    assert(v && enc && n >= 1);
    int err = has_vectors(enc, e);
    if (!err) err = run_apart(v, enc, frames, n, e);
    return err ? err : ks_vectors_judge(enc, v, n, e);
}
