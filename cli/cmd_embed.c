/* cmd_embed.c - `embed`: vectors of words, pictures, films and arrays, in the order given. */
#include "cli/clip_input.h"
#include "cli/npy_write.h"
#include "formats/formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_opt_list text, ids, image, video, npy;
    const char *out, *paddings, *fit;
    int frames, force;
} embed_fields;

static const ks_option embed_options[] = {
    {0, "text", KS_OPT_LIST, offsetof(embed_fields, text), "WORDS", "a sentence"},
    {0, "ids", KS_OPT_LIST, offsetof(embed_fields, ids), "N,N,...",
     "token ids; an empty list is an empty sentence"},
    {0, "image", KS_OPT_LIST, offsetof(embed_fields, image), "FILE",
     "a picture, as a film that stands still"},
    {0, "video", KS_OPT_LIST, offsetof(embed_fields, video), "FILE[@A[-B]]",
     "a film, or its seconds A to B"},
    {0, "npy", KS_OPT_LIST, offsetof(embed_fields, npy), "FILE",
     "frames [T,S,S,3]: uint8, or float32 in [0,1]"},
    {0, "frame-paddings", KS_OPT_TEXT, offsetof(embed_fields, paddings), "0,0,1",
     "frames of --npy that are padding"},
    {0, "frames", KS_OPT_COUNT, offsetof(embed_fields, frames), "N",
     "frames of a picture or film (the model's own)"},
    {0, "fit", KS_OPT_TEXT, offsetof(embed_fields, fit), KS_FIT_NAMES,
     "how a frame becomes square (squash)"},
    {'o', "output", KS_OPT_TEXT, offsetof(embed_fields, out), "FILE.npy",
     "float32 [n,D] instead of JSON lines"},
    {0, "force", KS_OPT_FLAG, offsetof(embed_fields, force), NULL,
     "let --output replace a file that is there"},
    {0},
};

enum { TEXT, IDS, IMAGE, VIDEO, NPY, KINDS };
static const char *const kind_names[KINDS] = {"text", "ids", "image", "video", "npy"};

typedef struct {
    const char *value;
    int kind;
} input;

typedef struct {
    const ks_globals *g;
    const embed_fields *f;
    ks_encoder *enc;
    ks_decoder *decoder; /* NULL until a picture or film is met */
    input *inputs;
    int n;
    float *vectors; /* [n, D] with -o, else [1, D] */
    ks_user_file to;
} embedding;

/* The lists of all kinds, merged into the order they were typed in. */
static int merge(embedding *m, ks_error *e)
{
    const ks_opt_list *lists[KINDS] = {&m->f->text, &m->f->ids, &m->f->image, &m->f->video,
                                       &m->f->npy};
    for (int k = 0; k < KINDS; k++) m->n += lists[k]->n;
    if (m->n == 0)
        return ks_fail(e, KS_EUSAGE,
                       "nothing to embed: give --text, --ids, --image, --video or --npy");
    m->inputs = calloc((size_t)m->n, sizeof *m->inputs);
    if (!m->inputs) return ks_fail(e, KS_ENOMEM, "no memory");
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < lists[k]->n; i++)
            m->inputs[lists[k]->order[i]] = (input){lists[k]->at[i], k};
    return 0;
}

static int read_ids(ks_sentence *s, const char *list, ks_error *e)
{
    const char *at = list;
    memset(s, 0, sizeof *s);
    while (*at) {
        char *end;
        errno = 0;
        long id = strtol(at, &end, 10);
        if (end == at || *at == ' ' || *at == '+' || (*end && (*end != ',' || !end[1])))
            return ks_fail(e, KS_EUSAGE,
                           "--ids %.80s: whole numbers with commas between, as in 262,266,768",
                           list);
        if (errno || id < 0 || id > INT32_MAX)
            return ks_fail(e, KS_EUSAGE, "--ids: %.*s is no token id", (int)(end - at), at);
        if (s->count == KS_TEXT_MAX)
            return ks_fail(e, KS_EUSAGE, "--ids: more than the %d that the model reads",
                           KS_TEXT_MAX);
        s->ids[s->count++] = (int32_t)id;
        at = *end ? end + 1 : end;
    }
    return 0;
}

static int embed_text(float *v, ks_sentence *s, const embedding *m, const input *in, ks_error *e)
{
    int err = in->kind == IDS ? read_ids(s, in->value, e) : ks_text_tokens(s, m->enc, in->value, e);
    return err ? err : ks_ids_vector(v, m->enc, s->ids, s->count, e);
}

static int embed_clip(float *v, embedding *m, const input *in, ks_error *e)
{
    const ks_info *info = ks_encoder_info(m->enc);
    ks_clip_how how = {.setup = &m->g->setup,
                       .decoder = &m->decoder,
                       .frames = m->f->frames ? m->f->frames : info->frames,
                       .side = ks_side(info),
                       .fit = ks_fit_named(m->f->fit)};
    ks_clip_pixels clip = {0};
    int err = in->kind == IMAGE   ? ks_clip_image(&clip, &how, in->value, e)
              : in->kind == VIDEO ? ks_clip_video(&clip, &how, in->value, e)
                                  : ks_clip_npy(&clip, m->f->paddings, in->value, e);
    if (!err) err = ks_clip_encode(v, m->enc, &clip, e);
    ks_clip_free(&clip);
    return err;
}

static void print_vector(const input *in, const ks_sentence *s, const float *v, int dim)
{
    ks_json j;
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "kind", kind_names[in->kind]);
    if (in->kind <= IDS) ks_json_text(&j, "input", in->value);
    else ks_json_path(&j, "input", in->value);
    if (in->kind <= IDS) {
        ks_json_open(&j, "tokens", '[');
        for (int i = 0; i < s->count; i++) ks_json_int(&j, NULL, s->ids[i]);
        ks_json_close(&j);
    }
    ks_json_int(&j, "dim", dim);
    ks_json_floats(&j, "vector", v, (size_t)dim);
    ks_json_close(&j);
}

static int embed_all(embedding *m, ks_error *e)
{
    int dim = ks_encoder_info(m->enc)->dim, err = 0;
    m->vectors = calloc((size_t)(m->f->out ? m->n : 1) * (size_t)dim, sizeof *m->vectors);
    if (!m->vectors) return ks_fail(e, KS_ENOMEM, "no memory for %d vectors", m->n);
    for (int i = 0; i < m->n && !err; i++) {
        ks_sentence s;
        float *v = m->vectors + (m->f->out ? (size_t)i * (size_t)dim : 0);
        err = m->inputs[i].kind <= IDS ? embed_text(v, &s, m, &m->inputs[i], e)
                                       : embed_clip(v, m, &m->inputs[i], e);
        if (!err && !m->f->out) print_vector(&m->inputs[i], &s, v, dim);
    }
    if (!err && m->f->out) ks_npy_write(m->to.f, m->vectors, 2, (int64_t[]){m->n, dim});
    return err;
}

static int embed(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    embedding m = {.g = g, .f = fields};
    int towers = 0;
    if (n > 0)
        return ks_fail(e, KS_EUSAGE, "%s: say what it is: --text, --image, --video, --npy or --ids",
                       args[0]);
    if (m.f->frames > 4096)
        return ks_fail(e, KS_EUSAGE, "--frames %d is more than this program takes", m.f->frames);
    if (m.f->paddings && m.f->npy.n == 0)
        return ks_fail(e, KS_EUSAGE, "--frame-paddings goes with --npy");
    int err = merge(&m, e);
    /* before the work that fills it */
    if (!err && m.f->out) err = ks_user_file_open(&m.to, m.f->out, m.f->force, e);
    for (int i = 0; i < m.n && !err; i++)
        towers |= m.inputs[i].kind <= IDS ? KS_TOWER_TEXT : KS_TOWER_VIDEO;
    if (!err) err = ks_open_encoder(&m.enc, &g->setup, NULL, towers, KS_FP32, e);
    if (!err && (towers & KS_TOWER_VIDEO) && ks_encoder_info(m.enc)->kind != KS_LVT)
        err = ks_fail(e, KS_EUSAGE,
                      "this model gives no video vector: it is not an LvT model; `features` says "
                      "what its stages give");
    if (!err) err = embed_all(&m, e);
    if (!err && m.f->out) err = ks_user_file_publish(&m.to, e);
    ks_user_file_drop(&m.to);
    free(m.vectors);
    free(m.inputs);
    ks_decoder_stop(m.decoder);
    ks_encoder_close(m.enc);
    return err;
}

const ks_command ks_cmd_embed = {
    .name = "embed",
    .usage = "INPUT...",
    .brief = "Vectors of words, pictures and films",
    .more = "Inputs are taken in the order given; fp32 unless asked otherwise.\n"
            "  kinoseek embed --text \"a dog jumping\" --image cover.jpg\n"
            "  kinoseek embed --video lake.mp4@4:12-4:19 -o lake.npy\n",
    .options = embed_options,
    .fields = sizeof(embed_fields),
    .alone = 1,
    .run = embed,
};
