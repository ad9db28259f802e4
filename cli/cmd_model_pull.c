/* cmd_model_pull.c - `model pull NAME`: a released model and its tokenizer into the data folder. */
#include "cli/download.h"
#include "cli/model_table.h"
#include "formats/formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    const char *from, *tokenizer_from;
    int clip;
} pull_fields;

static const ks_option options[] = {
    {0, "from", KS_OPT_TEXT, offsetof(pull_fields, from), "SOURCE",
     "an address, a file, or a folder with all parts"},
    {0, "tokenizer-from", KS_OPT_TEXT, offsetof(pull_fields, tokenizer_from), "SOURCE",
     "the same for the tokenizer alone"},
    {0, "clip", KS_OPT_FLAG, offsetof(pull_fields, clip), NULL,
     "also the official clip, for `model verify`"},
    {0},
};

static int is_folder(const char *from)
{
    struct stat st;
    size_t n = strlen(from);
    return (n > 0 && from[n - 1] == '/') ||
           (!ks_is_address(from) && stat(from, &st) == 0 && S_ISDIR(st.st_mode));
}

static int is_tokenizer(const ks_release *row) { return strcmp(row->part, "tokenizer") == 0; }

/* Where a part comes from; malloc'ed. One file named by --from is the model. */
static char *source_of(const pull_fields *o, const ks_release *row)
{
    const char *from = is_tokenizer(row) && o->tokenizer_from ? o->tokenizer_from : o->from;
    char *source = NULL;
    if (from && is_folder(from))
        return asprintf(&source, "%s%s%s", from, from[strlen(from) - 1] == '/' ? "" : "/",
                        row->file) < 0
                   ? NULL
                   : source;
    if (from && (strcmp(row->part, "model") == 0 || from == o->tokenizer_from)) return strdup(from);
    return strdup(row->url);
}

static int check_model(void *arg, const char *part, ks_error *e)
{
    const ks_globals *g = arg;
    if (!g->quiet) fprintf(stderr, "Checking every tensor of it.\n");
    return ks_model_check(part, NULL, NULL, e);
}

/* What has the name is looked at in full, and replaced where it is something else. */
static int is_here(const ks_download *d, int quiet)
{
    ks_error why;
    int err = ks_download_is_right(d, &why);
    if (err == 0 && !quiet) fprintf(stderr, "%s is here already, and is right\n", d->path);
    if (err != 0 && !quiet) fprintf(stderr, "kinoseek: %s; it is fetched anew\n", why.msg);
    return err == 0;
}

static int pull_part(const pull_fields *o, const ks_globals *g, const char *folder,
                     const ks_release *row, ks_error *e)
{
    struct stat st;
    char *path = NULL, *source = source_of(o, row);
    int err = 0;
    if (!source || asprintf(&path, "%s/%s", folder, row->file) < 0) {
        free(source);
        return ks_fail(e, KS_ENOMEM, "no memory for paths");
    }
    ks_download d = {.from = source,
                     .path = path,
                     .bytes = row->bytes,
                     .sha256 = row->sha256,
                     .quiet = g->quiet,
                     .check_arg = (void *)(uintptr_t)g,
                     .option = is_tokenizer(row) ? "--tokenizer-from" : "--from"};
    if (strcmp(row->part, "model") == 0) d.check = check_model;
    if (lstat(path, &st) != 0 || !is_here(&d, g->quiet)) {
        err = ks_download_file(&d, e);
        if (!err) puts(path);
    }
    free(path);
    free(source);
    return err;
}

/* A copy of one's own that is not there is said before anything is fetched. */
static int look_for(const pull_fields *o, const ks_release *row, ks_error *e)
{
    struct stat st;
    char *source = source_of(o, row);
    int err = !source ? ks_fail(e, KS_ENOMEM, "no memory for paths")
              : ks_is_address(source) || stat(source, &st) == 0
                  ? 0
                  : ks_fail(e, KS_ENOTFOUND, "%s: %s", source, strerror(errno));
    free(source);
    return err;
}

static int names(const ks_releases *r, const char *given, ks_error *e)
{
    char list[256] = "";
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->at[i].part, "model") == 0)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", list[0] ? ", " : "",
                     r->at[i].name);
    if (given && strcmp(given, "demo") == 0)
        return ks_fail(e, KS_EUSAGE, "demo ships with kinoseek; to be pulled are: %s", list);
    return ks_fail(e, KS_EUSAGE, "name one model: %s", list);
}

static int pull(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    /* the small one first: it fails first */
    static const char *const parts[] = {"tokenizer", "model"};
    const pull_fields *o = fields;
    ks_releases r;
    char *folder = NULL;
    int err = ks_releases_read(&r, &g->setup, e);
    if (err) return err;
    if (n != 1 || !ks_release_find(&r, args[0], "model")) err = names(&r, n ? args[0] : NULL, e);
    for (int i = 0; !err && i < 2; i++)
        if (ks_release_find(&r, args[0], parts[i]))
            err = look_for(o, ks_release_find(&r, args[0], parts[i]), e);
    if (!err) err = ks_locate_pulled(&folder, args[0], e);
    if (!err) err = ks_make_folder(folder, e);
    for (int i = 0; !err && i < 2; i++) {
        const ks_release *row = ks_release_find(&r, args[0], parts[i]);
        if (row) err = pull_part(o, g, folder, row, e);
    }
    if (!err && o->clip) err = pull_part(o, g, folder, ks_release_find(&r, "-", "clip"), e);
    free(folder);
    ks_releases_free(&r);
    return err;
}

extern const ks_command ks_cmd_model_pull;
const ks_command ks_cmd_model_pull = {
    .name = "model pull",
    .usage = "NAME",
    .brief = "Fetch a released model into the data folder",
    .more = "  kinoseek model pull lvt-base\n"
            "  kinoseek model pull lvt-large --from ~/Downloads/\n"
            "Interrupted, the same command goes on where it stopped. http_proxy and\n"
            "https_proxy are respected.\n"
            "The weights are Google's (Apache-2.0), at huggingface.co/google.",
    .options = options,
    .fields = sizeof(pull_fields),
    .alone = 1,
    .run = pull,
};
