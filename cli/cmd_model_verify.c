/* cmd_model_verify.c - `model verify FILE`: is this the released model, bit for bit and figure
 * for figure?
 *
 *   size -> every tensor's CRC, finiteness and fingerprint -> SHA-256 (ten times slower than the
 *     CRCs, so
 *   what they find is said soon) -> figures, stage by stage and block by block, on the official
 *     clip; the
 *   first stage that is wrong is named */
#include "cli/clip_input.h"
#include "cli/figures.h"
#include "cli/model_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    const char *as, *clip, *figures;
} verify_fields;

static const ks_option options[] = {
    {0, "as", KS_OPT_TEXT, offsetof(verify_fields, as), "NAME",
     "which released model it should be (by its layout)"},
    {0, "clip", KS_OPT_TEXT, offsetof(verify_fields, clip), "FILE",
     "the official clip, or its frames as .npy"},
    {0, "figures", KS_OPT_TEXT, offsetof(verify_fields, figures), "FILE",
     "other figures than the published ones"},
    {0},
};

typedef struct {
    const verify_fields *o;
    const ks_globals *g;
    const char *path;    /* of the model */
    const char *input;   /* what the tap is looking at */
    ks_decoder *decoder; /* NULL until the clip is a film */
    ks_info info;
    ks_figures figures;
} verifier;

static void say(const verifier *v, const char *what, const char *result)
{
    if (!v->g->quiet) printf("%-22s %s\n", what, result);
}

/* --- the file --- */

/* The released model of this layout; NULL: none. */
static const char *name_of(const ks_info *f)
{
    static const char *const names[] = {"lvt-base", "lvt-large", "base", "large"};
    for (int i = 0; i < 4; i++) {
        const ks_info *like = ks_like_find(names[i]);
        if (like->kind == f->kind && like->dim == f->dim && like->heads == f->heads &&
            like->spatial == f->spatial && like->frames == f->frames &&
            like->temporal == f->temporal && like->auxiliary == f->auxiliary &&
            like->text == f->text && like->vocabulary == f->vocabulary)
            return names[i];
    }
    return NULL;
}

static int is_npz(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npz") == 0;
}

static int check_size(const verifier *v, const ks_release *row, ks_error *e)
{
    char text[64];
    if (!row || !is_npz(v->path)) return say(v, "size, SHA-256", "not published for this file"), 0;
    if (v->info.bytes != row->bytes)
        return ks_fail(e, KS_EFORMAT, "%s: has %" PRId64 " bytes, the released %s has %" PRId64,
                       v->path, v->info.bytes, row->name, row->bytes);
    snprintf(text, sizeof text, "%" PRId64 " bytes, as released", row->bytes);
    say(v, "size", text);
    return 0;
}

static int check_sha(const verifier *v, const ks_release *row, ks_error *e)
{
    char sha[65], text[200];
    int err = row && is_npz(v->path) ? ks_file_sha256(sha, v->path, e) : 1;
    if (err) return err > 0 ? 0 : err;
    if (row->sha256[0] && strcmp(sha, row->sha256) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: its SHA-256 is %s, the released %s has %s", v->path, sha,
                       row->name, row->sha256);
    snprintf(text, sizeof text, "%s, %s", sha,
             row->sha256[0] ? "as released" : "nobody published what it should be");
    say(v, "SHA-256", text);
    return 0;
}

static int see_tensor(void *arg, const ks_tensor_facts *t)
{
    verifier *v = arg;
    float both[6];
    memcpy(both, t->first, sizeof t->first);
    memcpy(both + 3, t->last, sizeof t->last);
    ks_figures_hold(&v->figures, "weights", t->name, both, 2, 3);
    return 0;
}

static int wrong_figure(const verifier *v, const ks_figure *f, ks_error *e)
{
    const char *name = f->model;
    if (!f->seen)
        return ks_fail(e, KS_EFORMAT, "%s: it has no stage %s, which %s has (%s)", v->path,
                       f->stage, name, f->input);
    if (strcmp(f->input, "weights") == 0)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s %s with %.9g, %s has %.9g there", v->path,
                       f->stage, f->row ? "ends" : "starts", f->got, name, f->v[f->at]);
    return ks_fail(e, KS_EFORMAT,
                   "%s: the first stage that is wrong is %s (%s): element [%" PRId64
                   ", %d] is %.8g, %s gives %.8g +- %.1g",
                   v->path, f->stage, f->input, f->row, f->at, f->got, name, f->v[f->at],
                   f->tolerance);
}

static int count_of(const ks_figures *f, const char *input)
{
    int n = 0;
    for (int i = 0; i < f->n; i++) n += strcmp(f->at[i].input, input) == 0;
    return n;
}

static int check_tensors(verifier *v, ks_error *e)
{
    char text[100];
    int err = ks_model_check(v->path, see_tensor, v, e);
    if (err) return err;
    say(v, "tensors", "every CRC right, every element finite");
    int n = count_of(&v->figures, "weights");
    if (n == 0) return 0;
    const ks_figure *wrong = ks_figures_first_wrong(&v->figures, "weights");
    if (wrong) return wrong_figure(v, wrong, e);
    snprintf(text, sizeof text, "%d of %d right", n, n);
    say(v, "fingerprints", text);
    return 0;
}

/* --- frames --- */

/* The official clip beside the model, or --clip; malloc'ed, NULL if there is none. */
static char *clip_path(const verifier *v, const ks_release *clip)
{
    struct stat st;
    char *path = NULL;
    const char *slash = strrchr(v->path, '/');
    if (v->o->clip) return strdup(v->o->clip);
    if (!clip ||
        asprintf(&path, "%.*s%s", slash ? (int)(slash - v->path) + 1 : 0, v->path, clip->file) < 0)
        return NULL;
    if (stat(path, &st) == 0) return path;
    free(path);
    return NULL;
}

/* The clip as an array, or as a film sampled as the reference does. */
static int frames_for(ks_clip_pixels *out, verifier *v, const char *clip, const char *input,
                      ks_error *e)
{
    int T = atoi(input + 4);
    size_t n = strlen(clip);
    ks_clip_how how = {.setup = &v->g->setup,
                       .decoder = &v->decoder,
                       .frames = T,
                       .side = ks_side(&v->info),
                       .fit = KS_SQUASH};
    if (n <= 4 || strcmp(clip + n - 4, ".npy") != 0) return ks_clip_film(out, &how, clip, 0, -1, e);
    int err = ks_clip_npy(out, NULL, clip, e);
    if (!err && out->T != T)
        err = ks_fail(e, KS_EFORMAT, "%s: it has %d frames, the figures are of %d", clip, out->T,
                      T);
    return err;
}

/* --- figures --- */

static void on_tap(void *arg, const char *name, const float *x, int64_t rows, int64_t cols)
{
    verifier *v = arg;
    ks_figures_hold(&v->figures, v->input, name, x, rows, cols);
}

static int run_clip(verifier *v, ks_encoder *enc, const char *clip, ks_error *e)
{
    ks_clip_pixels pixels = {0};
    float *x = NULL;
    int64_t dims[2];
    int err = frames_for(&pixels, v, clip, v->input, e), lvt = v->info.kind == KS_LVT;
    if (!err)
        err = ks_features(&x, dims, enc, lvt ? KS_STAGE_GLOBAL : KS_STAGE_SPATIOTEMPORAL, &pixels,
                          e);
    if (!err)
        ks_figures_hold(&v->figures, v->input, lvt ? "global" : "spatiotemporal", x,
                        lvt ? 1 : dims[0], lvt ? dims[0] * dims[1] : dims[1]);
    free(x);
    ks_clip_free(&pixels);
    return err;
}

static int run_ids(verifier *v, ks_encoder *enc, ks_error *e)
{
    int32_t ids[KS_TEXT_MAX];
    int n = 0;
    const char *at = v->input + 4;
    for (char *end; *at && n < KS_TEXT_MAX; at = *end == ',' ? end + 1 : end) {
        ids[n++] = (int32_t)strtol(at, &end, 10);
        if (end == at)
            return ks_fail(e, KS_EFORMAT, "the figures' input %s is no list of token ids",
                           v->input);
    }
    float *x = malloc((size_t)v->info.dim * sizeof *x);
    if (!x) return ks_fail(e, KS_ENOMEM, "no memory for a vector");
    int err = ks_ids_vector(x, enc, ids, n, e);
    if (!err) ks_figures_hold(&v->figures, v->input, "vector", x, 1, v->info.dim);
    free(x);
    return err;
}

static int run_input(verifier *v, ks_encoder *enc, const char *clip, ks_error *e)
{
    char text[100];
    int n = count_of(&v->figures, v->input), is_clip = strncmp(v->input, "clip", 4) == 0, err = 0;
    if (is_clip && !clip) {
        say(v, v->input,
            "left out: the official clip is not here (model pull --clip, or --clip FILE)");
        return 0;
    }
    ks_encoder_tap(enc, on_tap, v);
    if (is_clip) err = run_clip(v, enc, clip, e);
    else if (strncmp(v->input, "ids:", 4) == 0) err = run_ids(v, enc, e);
    else err = ks_fail(e, KS_EFORMAT, "the figures have an unknown input %s", v->input);
    ks_encoder_tap(enc, NULL, NULL);
    if (err) return err;
    const ks_figure *wrong = ks_figures_first_wrong(&v->figures, v->input);
    if (wrong) return wrong_figure(v, wrong, e);
    snprintf(text, sizeof text, "%d of %d figures right", n, n);
    say(v, v->input, text);
    return 0;
}

static int check_figures(verifier *v, const ks_release *clip_row, ks_error *e)
{
    ks_encoder *enc = NULL;
    ks_globals g = *v->g;
    int err = 0;
    char *clip = clip_path(v, clip_row);
    g.setup.model = v->path;
    for (int i = 0; !err && i < v->figures.n; i++) {
        v->input = v->figures.at[i].input;
        int first = strcmp(v->input, "weights") != 0;
        for (int k = 0; k < i && first; k++) first = strcmp(v->figures.at[k].input, v->input) != 0;
        if (!first) continue;
        if (!enc) err = ks_open_encoder(&enc, &g.setup, v->path, 0, KS_FP32, e);
        if (!err) err = run_input(v, enc, clip, e);
    }
    ks_decoder_stop(v->decoder);
    v->decoder = NULL;
    ks_encoder_close(enc);
    free(clip);
    return err;
}

static int verify_it(verifier *v, ks_error *e)
{
    ks_releases r = {0};
    char *figures = NULL;
    const char *name = v->o->as;
    int err = ks_model_info(&v->info, v->path, e);
    if (!err) err = ks_releases_read(&r, &v->g->setup, e);
    if (!err && !name) name = name_of(&v->info);
    const ks_release *row = !err && name ? ks_release_find(&r, name, "model") : NULL;
    if (!err && v->o->as && !v->o->figures && !row)
        err = ks_fail(e, KS_EUSAGE,
                      "--as %s: no released model has this name (kinoseek model list)", name);
    if (!err) say(v, "layout", name ? name : "of no released model");
    if (!err) err = check_size(v, row, e);
    if (!err && name && !v->o->figures)
        err = ks_locate_data(&figures, &v->g->setup, "models/figures.tsv", e);
    if (!err && name)
        err = ks_figures_read(&v->figures, v->o->figures ? v->o->figures : figures, name, e);
    if (!err && v->o->as && v->o->figures && v->figures.n == 0)
        err = ks_fail(e, KS_EUSAGE, "%s has no figures of %s", v->o->figures, v->o->as);
    if (!err) err = check_tensors(v, e);
    if (!err) err = check_sha(v, row, e);
    if (!err) err = check_figures(v, ks_release_find(&r, "-", "clip"), e);
    ks_figures_free(&v->figures);
    ks_releases_free(&r);
    free(figures);
    return err;
}

static int verify(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    verifier v = {.o = fields, .g = g};
    char *path = NULL, *tokenizer = NULL;
    if (n > 1 || (n == 0 && !g->setup.model))
        return ks_fail(e, KS_EUSAGE, "name one model: a name of `model list` or a file");
    int err = ks_locate_model(&path, &tokenizer, &g->setup, n ? args[0] : g->setup.model, e);
    v.path = path;
    if (!err) err = verify_it(&v, e);
    free(path);
    free(tokenizer);
    return err;
}

extern const ks_command ks_cmd_model_verify;
const ks_command ks_cmd_model_verify = {
    .name = "model verify",
    .usage = "MODEL",
    .brief = "Check a checkpoint: bytes, CRCs, and figures stage by stage",
    .more = "  kinoseek model verify lvt-base\n"
            "Reads all of the file whatever the cache says, then computes on the\n"
            "official clip and holds every stage and block against figures published for\n"
            "the released weights. The first one that is wrong is named (exit 4).",
    .options = options,
    .fields = sizeof(verify_fields),
    .alone = 1,
    .run = verify,
};
