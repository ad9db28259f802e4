/* cmd_features.c - `features`: what a stage of the video tower says about one clip, as an array. */
#include "cli/clip_input.h"
#include "cli/npy_write.h"
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *stage, *image, *video, *npy, *out, *paddings, *fit;
    int frames, force;
} features_fields;

#define STAGES "spatial|spatiotemporal|auxiliary|frames|global|logits"

static const ks_option features_options[] = {
    {0, "stage", KS_OPT_TEXT, offsetof(features_fields, stage), STAGES,
     "which (the model's own answer)"},
    {0, "image", KS_OPT_TEXT, offsetof(features_fields, image), "FILE",
     "a picture, as a film that stands still"},
    {0, "video", KS_OPT_TEXT, offsetof(features_fields, video), "FILE[@A[-B]]",
     "a film, or its seconds A to B"},
    {0, "npy", KS_OPT_TEXT, offsetof(features_fields, npy), "FILE",
     "frames [T,S,S,3]: uint8, or float32 in [0,1]"},
    {0, "frame-paddings", KS_OPT_TEXT, offsetof(features_fields, paddings), "0,0,1",
     "frames of --npy that are padding"},
    {0, "frames", KS_OPT_COUNT, offsetof(features_fields, frames), "N",
     "frames of a picture or film (the model's own)"},
    {0, "fit", KS_OPT_TEXT, offsetof(features_fields, fit), KS_FIT_NAMES,
     "how a frame becomes square (squash)"},
    {'o', "output", KS_OPT_TEXT, offsetof(features_fields, out), "FILE.npy",
     "where the array goes"},
    {0, "force", KS_OPT_FLAG, offsetof(features_fields, force), NULL,
     "let --output replace a file that is there"},
    {0},
};

static ks_stage stage_of(const char *name, ks_kind kind)
{
    static const char *const names[] = {"spatial", "spatiotemporal", "auxiliary",
                                        "frames",  "global",         "logits"};
    static const ks_stage stages[] = {KS_STAGE_SPATIAL, KS_STAGE_SPATIOTEMPORAL, KS_STAGE_AUXILIARY,
                                      KS_STAGE_FRAMES,  KS_STAGE_GLOBAL,         KS_STAGE_LOGITS};
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return stages[i];
    return kind == KS_ENCODER ? KS_STAGE_SPATIOTEMPORAL
           : kind == KS_LVT   ? KS_STAGE_GLOBAL
                              : KS_STAGE_LOGITS;
}

static int run_stage(FILE *to, const ks_globals *g, const features_fields *f, ks_encoder *enc,
                     ks_error *e)
{
    const ks_info *info = ks_encoder_info(enc);
    ks_decoder *decoder = NULL;
    ks_clip_how how = {.setup = &g->setup,
                       .decoder = &decoder,
                       .frames = f->frames ? f->frames : info->frames,
                       .side = ks_side(info),
                       .fit = ks_fit_named(f->fit)};
    ks_clip_pixels clip = {0};
    float *x = NULL;
    int64_t dims[2];
    ks_stage stage = stage_of(f->stage, info->kind);
    int err = f->image   ? ks_clip_image(&clip, &how, f->image, e)
              : f->video ? ks_clip_video(&clip, &how, f->video, e)
                         : ks_clip_npy(&clip, f->paddings, f->npy, e);
    ks_decoder_stop(decoder);
    if (err) return err;
    err = ks_features(&x, dims, enc, stage, &clip, e);
    if (!err) {
        int flat = stage == KS_STAGE_GLOBAL || stage == KS_STAGE_LOGITS;
        ks_npy_write(to, x, flat ? 1 : 2, flat ? &dims[1] : dims);
    }
    free(x);
    ks_clip_free(&clip);
    return err;
}

static int features(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const features_fields *f = fields;
    ks_encoder *enc;
    ks_user_file to;
    if (n > 0)
        return ks_fail(e, KS_EUSAGE, "%s: say what it is: --image, --video or --npy", args[0]);
    if ((f->image != NULL) + (f->video != NULL) + (f->npy != NULL) != 1)
        return ks_fail(e, KS_EUSAGE, "it takes one clip: --image, --video or --npy");
    if (!f->out) return ks_fail(e, KS_EUSAGE, "name the array to write with -o FILE.npy");
    if (f->frames > 4096)
        return ks_fail(e, KS_EUSAGE, "--frames %d is more than this program takes", f->frames);
    if (f->paddings && !f->npy) return ks_fail(e, KS_EUSAGE, "--frame-paddings goes with --npy");
    int err = ks_user_file_open(&to, f->out, f->force, e); /* before the work that fills it */
    if (err) return err;
    err = ks_open_encoder(&enc, &g->setup, NULL, KS_TOWER_VIDEO, KS_FP32, e);
    if (!err) err = run_stage(to.f, g, f, enc, e);
    if (!err) err = ks_user_file_publish(&to, e);
    ks_user_file_drop(&to);
    ks_encoder_close(enc);
    return err;
}

const ks_command ks_cmd_features = {
    .name = "features",
    .usage = "INPUT -o FILE.npy",
    .brief = "What one stage of the model says about a clip, as an array",
    .more = "Tokens are [T*N, D] frame by frame, frames [T, D], global [D], logits [classes].\n"
            "  kinoseek features -m base --stage spatiotemporal --video lake.mp4 -o lake.npy\n",
    .options = features_options,
    .fields = sizeof(features_fields),
    .alone = 1,
    .run = features,
};
