/* features.c - the answer of any stage, for `features`, `verify` and fixtures. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/tower.h"

static int has_stage(const ks_info *info, ks_stage stage)
{
    switch (stage) {
    case KS_STAGE_SPATIAL:
    case KS_STAGE_SPATIOTEMPORAL: return 1;
    case KS_STAGE_AUXILIARY: return info->auxiliary > 0;
    case KS_STAGE_FRAMES: return info->kind == KS_LVT;
    case KS_STAGE_GLOBAL: return info->kind != KS_ENCODER;
    case KS_STAGE_LOGITS: return info->kind == KS_CLASSIFIER;
    }
    return 0;
}

static void shape_of(int64_t dims[2], const ks_info *info, ks_stage stage,
                     const ks_clip_pixels *clip)
{
    int64_t grid = clip->side / info->patch;
    dims[1] = stage == KS_STAGE_LOGITS ? info->classes : info->dim;
    dims[0] = stage == KS_STAGE_GLOBAL || stage == KS_STAGE_LOGITS ? 1
              : stage == KS_STAGE_FRAMES                           ? clip->T
                                                                   : clip->T * grid * grid;
}

static int fill(float *x, ks_encoder *enc, ks_stage stage, ks_tokens *const *frames, int T,
                ks_error *e)
{
    ks_clip_outputs out = {.spatiotemporal = stage == KS_STAGE_SPATIOTEMPORAL ? x : NULL,
                           .auxiliary = stage == KS_STAGE_AUXILIARY ? x : NULL,
                           .frames = stage == KS_STAGE_FRAMES ? x : NULL,
                           .global = stage == KS_STAGE_GLOBAL ? x : NULL,
                           .logits = stage == KS_STAGE_LOGITS ? x : NULL};
    if (stage != KS_STAGE_SPATIAL) return ks_clip_run(&out, enc, frames, T, e);
    size_t grid = (size_t)ks_tokens_grid(frames[0]), n = grid * grid * (size_t)enc->info.dim;
    for (int t = 0; t < T; t++) memcpy(x + (size_t)t * n, ks_tokens_x(frames[t]), n * sizeof *x);
    return 0;
}

int ks_features(float **out, int64_t dims[2], ks_encoder *enc, ks_stage stage,
                const ks_clip_pixels *clip, ks_error *e)
{
    assert(out && dims && enc && clip);
    static const char *const names[] = {"spatial", "spatiotemporal", "auxiliary",
                                        "frames",  "global",         "logits"};
    *out = NULL;
    if (!has_stage(&enc->info, stage))
        return ks_fail(e, KS_EUSAGE, "this model has no stage `%s`", names[stage]);
    ks_tokens **frames = calloc(clip->T > 0 ? (size_t)clip->T : 1, sizeof *frames);
    if (!frames) return ks_fail(e, KS_ENOMEM, "no memory for %d frames", clip->T);
    int err = ks_pixels_tokens(frames, enc, clip, e);
    if (!err) {
        shape_of(dims, &enc->info, stage, clip);
        *out = malloc((size_t)dims[0] * (size_t)dims[1] * sizeof **out);
        err = *out ? fill(*out, enc, stage, frames, clip->T, e)
                   : ks_fail(e, KS_ENOMEM, "no memory for %lld rows of features",
                             (long long)dims[0]);
    }
    for (int t = 0; t < clip->T && frames; t++) ks_tokens_free(frames[t]);
    free(frames);
    if (err) {
        free(*out);
        *out = NULL;
    }
    return err;
}
