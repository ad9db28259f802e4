/* cmd_model.c - `model list`, `model info`, `model random`. */
#include "cli/model_table.h"
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const kinds[] = {"encoder", "lvt", "classifier"};

/* --- list --- */

typedef struct {
    int json;
} list_fields;

static const ks_option list_options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(list_fields, json), NULL, "one JSON object a model"},
    {0},
};

/* Where a model of this name lies, or NULL; malloc'ed. */
static char *here(const ks_globals *g, const char *name)
{
    ks_globals plain = *g;
    ks_error ignored;
    char *path = NULL, *tokenizer = NULL;
    plain.setup.tokenizer = NULL;
    if (ks_locate_model(&path, &tokenizer, &plain.setup, name, &ignored) != 0) path = NULL;
    free(tokenizer);
    return path;
}

static void list_one(const list_fields *o, const ks_globals *g, const char *name, int64_t bytes)
{
    ks_json j;
    struct stat st;
    char *path = here(g, name);
    if (path && stat(path, &st) == 0 && bytes == 0) bytes = st.st_size;
    if (o->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_text(&j, "name", name);
        ks_json_int(&j, "bytes", bytes);
        if (path) ks_json_path(&j, "path", path);
        else ks_json_text(&j, "path", NULL);
        ks_json_close(&j);
    } else {
        printf("%-10s %7.1f MB  %s%s\n", name, (double)bytes / 1e6,
               path ? path : "not here yet: kinoseek model pull ", path ? "" : name);
    }
    free(path);
}

static int list(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    ks_releases r;
    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "it takes no words");
    int err = ks_releases_read(&r, &g->setup, e);
    if (err) return err;
    char *demo = here(g, "demo");
    if (demo) list_one(fields, g, "demo", 0);
    free(demo);
    for (int i = 0; i < r.n; i++)
        if (strcmp(r.at[i].part, "model") == 0) list_one(fields, g, r.at[i].name, r.at[i].bytes);
    ks_releases_free(&r);
    return 0;
}

/* --- info --- */

typedef struct {
    int json;
} info_fields;

static const ks_option info_options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(info_fields, json), NULL, "one JSON object"},
    {0},
};

/* hash: of weights and tokenizer, as libraries know the model. */
static void print_json(const ks_info *f, const char *hash, const char *path, const char *tokenizer)
{
    ks_json j;
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_path(&j, "path", path);
    ks_json_text(&j, "kind", kinds[f->kind]);
    ks_json_int(&j, "dim", f->dim);
    ks_json_int(&j, "heads", f->heads);
    ks_json_int(&j, "mlp", f->mlp);
    ks_json_open(&j, "layers", '{');
    ks_json_int(&j, "spatial", f->spatial);
    ks_json_int(&j, "temporal", f->temporal);
    ks_json_int(&j, "auxiliary", f->auxiliary);
    ks_json_int(&j, "text", f->text);
    ks_json_close(&j);
    ks_json_int(&j, "frames", f->frames);
    ks_json_int(&j, "grid", f->grid);
    ks_json_int(&j, "patch", f->patch);
    ks_json_int(&j, "vocabulary", f->vocabulary);
    ks_json_int(&j, "classes", f->classes);
    ks_json_text(&j, "text_norm", f->text ? (f->text_hybrid ? "primer_hybrid" : "pre") : NULL);
    ks_json_int(&j, "parameters", f->parameters);
    ks_json_int(&j, "bytes", f->bytes);
    ks_json_text(&j, "dtype", f->dtype);
    ks_json_text(&j, "hash", hash);
    ks_json_text(&j, "weights_hash", f->hash);
    if (tokenizer) ks_json_path(&j, "tokenizer", tokenizer);
    else ks_json_text(&j, "tokenizer", NULL);
    ks_json_close(&j);
}

static void print_info(const ks_info *f, const char *hash, const char *path, const char *tokenizer)
{
    printf("%s\n", path);
    printf("  kind        %s%s\n", kinds[f->kind],
           f->kind == KS_LVT       ? " (video and text vectors)"
           : f->kind == KS_ENCODER ? " (features only)"
                                   : "");
    printf("  width       D %d, %d heads, mlp %d\n", f->dim, f->heads, f->mlp);
    printf("  layers      spatial %d, temporal %d", f->spatial, f->temporal);
    if (f->kind == KS_LVT)
        printf(", auxiliary %d, text %d%s", f->auxiliary, f->text,
               f->text_hybrid ? " (primer_hybrid)" : "");
    printf("\n  input       %d frames of %d x %d (%d x %d patches of %d)\n", f->frames, ks_side(f),
           ks_side(f), f->grid, f->grid, f->patch);
    if (f->vocabulary) printf("  vocabulary  %d\n", f->vocabulary);
    if (f->classes) printf("  classes     %d\n", f->classes);
    printf("  parameters  %.1f million, %s, %.1f MB\n", (double)f->parameters / 1e6, f->dtype,
           (double)f->bytes / 1e6);
    if (tokenizer) printf("  tokenizer   %s\n", tokenizer);
    printf("  hash        %s\n", hash);
    if (strcmp(hash, f->hash) != 0) printf("  weights     %s (without the tokenizer)\n", f->hash);
}

/* The real world is not in it: said wherever one asks what it is. */
static void print_demo(void)
{
    printf("  knows       drawings alone: 403 things and ten shapes, eleven colours, 37 events, "
           "sixteen grounds (the list:\n"
           "              models/demo/README.md); nothing of the real world. For real films: "
           "kinoseek model pull lvt-base\n");
}

static int info(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const info_fields *o = fields;
    ks_info f;
    char *path = NULL, *tokenizer = NULL, hash[KS_HASH_HEX];
    if (n > 1 || (n == 0 && !g->setup.model))
        return ks_fail(e, KS_EUSAGE, "name one model: a name of `model list` or a file");
    int err = ks_locate_model(&path, &tokenizer, &g->setup, n ? args[0] : g->setup.model, e);
    if (!err) err = ks_model_info(&f, path, e);
    if (!err) err = ks_model_identity(hash, &f, tokenizer, e);
    if (!err && o->json) print_json(&f, hash, path, tokenizer);
    else if (!err) print_info(&f, hash, path, tokenizer);
    if (!err && !o->json && strcmp(n ? args[0] : g->setup.model, "demo") == 0) print_demo();
    free(path);
    free(tokenizer);
    return err;
}

/* --- random --- */

typedef struct {
    const char *like, *out, *dtype;
    int seed;
} random_fields;

static const ks_option random_options[] = {
    {0, "like", KS_OPT_TEXT, offsetof(random_fields, like),
     "lvt-base|lvt-large|lvt-giant|base|large|giant|classifier-base|lvt-toy|lvt-toy-hybrid|toy|"
     "classifier-toy",
     "whose names and shapes (lvt-base)"},
    {0, "seed", KS_OPT_COUNT, offsetof(random_fields, seed), "N", "which weights (0)"},
    {0, "dtype", KS_OPT_TEXT, offsetof(random_fields, dtype), "f4|f2", "type of the elements (f4)"},
    {'o', "output", KS_OPT_TEXT, offsetof(random_fields, out), "FILE", "the .npz to write"},
    {0},
};

static int make_random(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const random_fields *o = fields;
    const char *name = o->like ? o->like : "lvt-base";
    const ks_info *found = ks_like_find(name);
    struct stat st;
    if (n > 0)
        return ks_fail(e, KS_EUSAGE, "%s: it takes no words; -o names the file to write", args[0]);
    if (!o->out) return ks_fail(e, KS_EUSAGE, "name the file to write: -o FILE.npz");
    if (!found) return ks_fail(e, KS_EUSAGE, "--like is one of %s", ks_like_names());
    if (strcmp(o->out, "-") == 0)
        return ks_fail(e, KS_EUSAGE, "a checkpoint cannot go to standard output: -o FILE.npz");
    if (stat(o->out, &st) == 0) return ks_fail(e, KS_EUSAGE, "%s is there already", o->out);
    ks_info like = *found;
    if (o->dtype) snprintf(like.dtype, sizeof like.dtype, "%s", o->dtype);
    int err = ks_model_random(o->out, &like, (uint64_t)o->seed, e);
    if (!err && !g->quiet && stat(o->out, &st) == 0)
        fprintf(stderr, "%s: %s, random weights (seed %d), %.1f MB\n", o->out, name, o->seed,
                (double)st.st_size / 1e6);
    return err;
}

extern const ks_command ks_cmd_model_list, ks_cmd_model_info, ks_cmd_model_random;
const ks_command ks_cmd_model_list = {
    .name = "model list",
    .brief = "List the models that have a name",
    .more = "  demo ships with kinoseek; the others are Google's: `model pull` fetches them.",
    .options = list_options,
    .fields = sizeof(list_fields),
    .alone = 1,
    .run = list,
};
const ks_command ks_cmd_model_info = {
    .name = "model info",
    .usage = "MODEL",
    .brief = "Say what a checkpoint is: kind, sizes, layers, hash",
    .more = "  kinoseek model info flax_lvt_base_f16r288_repeated.npz --json\n"
            "Reads the file's directory and judges every tensor's name and shape;\n"
            "`model verify` reads all of it.",
    .options = info_options,
    .fields = sizeof(info_fields),
    .alone = 1,
    .run = info,
};
const ks_command ks_cmd_model_random = {
    .name = "model random",
    .usage = "-o FILE",
    .brief = "Write a checkpoint with random weights, for tests",
    .more = "  kinoseek model random --like lvt-base --seed 1 -o random.npz\n"
            "True names and shapes, the same bytes for the same seed everywhere;\n"
            "the official code loads it.",
    .options = random_options,
    .fields = sizeof(random_fields),
    .alone = 1,
    .run = make_random,
};
