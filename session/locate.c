/* locate.c - where models, the decoder, shipped data and the default library are.
 *
 * This program's folder decides: build/kinoseek finds build/kinoseek-decode and ../models;
 * PREFIX/bin/kinoseek finds PREFIX/libexec/kinoseek/kinoseek-decode and
 * PREFIX/share/kinoseek/models. */
#include "session/session.h"

#include <assert.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

static int is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static char *join(const char *folder, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* Folder of this program: the link the kernel keeps, else argv[0]. */
static int program_folder(char folder[PATH_MAX], const ks_setup *setup)
{
    ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    char *slash;

    if (n > 0) folder[n] = 0;
    else if (!setup->program || !realpath(setup->program, folder)) return -1;
    slash = strrchr(folder, '/');
    if (!slash) return -1;
    *slash = 0;
    return 0;
}

/* The first of folder/places[i]/name that exists. */
static int beside(char **path, const ks_setup *setup, const char *const *places, const char *name)
{
    char folder[PATH_MAX], *found = NULL;

    if (program_folder(folder, setup) < 0) return 0;
    for (; *places; places++) {
        if (asprintf(&found, "%s/%s%s", folder, *places, name) < 0) return KS_ENOMEM;
        if (is_there(found)) {
            *path = realpath(found, NULL);
            free(found);
            return *path ? 1 : KS_ENOMEM;
        }
        free(found);
    }
    return 0;
}

int ks_locate_decoder(char **path, const ks_setup *setup, ks_error *e)
{
    static const char *const places[] = {"", "../libexec/kinoseek/", NULL};
    int found;

    if (setup->decoder)
        return (*path = strdup(setup->decoder)) ? 0 : ks_fail(e, KS_ENOMEM, "no memory for paths");
    found = beside(path, setup, places, "kinoseek-decode");

    if (found == 0)
        return ks_fail(e, KS_ENOTFOUND,
                       "kinoseek-decode is not beside kinoseek and not in ../libexec/kinoseek");
    return found < 0 ? ks_fail(e, found, "no memory for paths") : 0;
}

int ks_open_decoder(ks_decoder **d, const ks_setup *setup, ks_error *e)
{
    assert(d && setup);
    char *program = NULL;
    int err;

    if (*d && !ks_decoder_gone(*d)) return 0;
    ks_decoder_stop(*d);
    *d = NULL;
    if ((err = ks_locate_decoder(&program, setup, e)) == 0)
        err = ks_decoder_start(d, program, NULL, e);
    free(program);
    return err;
}

int ks_locate_data(char **path, const ks_setup *setup, const char *relative, ks_error *e)
{
    static const char *const places[] = {"../share/kinoseek/", "../", NULL};
    int found = beside(path, setup, places, relative);

    if (found == 0)
        return ks_fail(e, KS_ENOTFOUND, "%s is neither beside the build nor in share/kinoseek",
                       relative);
    return found < 0 ? ks_fail(e, found, "no memory for paths") : 0;
}

/* $XDG_DATA_HOME/kinoseek, else ~/.local/share/kinoseek; malloc'ed. */
static int data_home(char **folder, ks_error *e)
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n;

    if (xdg && *xdg == '/') n = asprintf(folder, "%s/kinoseek", xdg);
    else if (home && *home) n = asprintf(folder, "%s/.local/share/kinoseek", home);
    else return ks_fail(e, KS_EUSAGE, "neither HOME nor XDG_DATA_HOME is set");
    return n < 0 ? ks_fail(e, KS_ENOMEM, "no memory for paths") : 0;
}

static int in_data_home(char **path, const char *below, const char *name, ks_error *e)
{
    char *home = NULL;
    int err = data_home(&home, e);

    if (err < 0) return err;
    err = asprintf(path, "%s/%s%s", home, below, name);
    free(home);
    return err < 0 ? ks_fail(e, KS_ENOMEM, "no memory for paths") : 0;
}

int ks_locate_library(char **folder, ks_error *e)
{
    int err = in_data_home(folder, "default", "", e);

    return err == KS_EUSAGE
               ? ks_fail(e, err, "neither HOME nor XDG_DATA_HOME is set: name the library with -L")
               : err;
}

int ks_locate_pulled(char **folder, const char *name, ks_error *e)
{
    return in_data_home(folder, "models/", name, e);
}

/* The checkpoint in a model's folder, the first by name; NULL if there is none. */
static char *checkpoint_in(const char *folder, const char *const *endings)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char *best = NULL;

    if (!dir) return NULL;
    while ((entry = readdir(dir)))
        for (const char *const *end = endings; *end; end++)
            if (entry->d_name[0] != '.' && ends_with(entry->d_name, *end) &&
                (!best || strcmp(entry->d_name, best) < 0)) {
                free(best);
                best = strdup(entry->d_name);
                break;
            }
    closedir(dir);
    if (best) {
        char *path = join(folder, best);
        free(best);
        best = path;
    }
    return best;
}

static const char *const model_endings[] = {".npz", ".safetensors", NULL};
static const char *const tokenizer_endings[] = {".spm", ".model", NULL};

/* A name: what was pulled, else what ships (models/NAME/). *path NULL: neither. */
static int by_name(char **path, const ks_setup *setup, const char *name, ks_error *e)
{
    char *folder = NULL, *relative = NULL;
    ks_error ignored;

    *path = NULL;
    if (ks_locate_pulled(&folder, name, &ignored) == 0)
        *path = checkpoint_in(folder, model_endings);
    free(folder);
    folder = NULL;
    if (*path) return 0;
    relative = join("models", name);
    if (!relative) return ks_fail(e, KS_ENOMEM, "no memory for paths");
    if (ks_locate_data(&folder, setup, relative, &ignored) == 0)
        *path = checkpoint_in(folder, model_endings);
    free(relative);
    free(folder);
    return 0;
}

char *ks_locate_again(const ks_setup *setup, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash;
    char *found = NULL, *word;
    ks_error ignored;

    while (name > path && name[-1] != '/') name--;
    if (!slash || name == slash || !(word = strndup(name, (size_t)(slash - name)))) return NULL;
    if (by_name(&found, setup, word, &ignored) < 0) found = NULL;
    free(word);
    return found;
}

/* The tokenizer beside a checkpoint: STEM.spm, tokenizer.model, and in the folder of a named
 * model the only one there. *tokenizer stays NULL if there is none: a video-only model needs
 * none. */
static int tokenizer_beside(char **tokenizer, const char *model, int named, ks_error *e)
{
    const char *slash = strrchr(model, '/'), *dot = strrchr(model, '.');
    int folder = slash ? (int)(slash - model) + 1 : 0,
        stem = dot > model + folder ? (int)(dot - model) : (int)strlen(model);
    char *at = NULL;

    if (asprintf(&at, "%.*s.spm", stem, model) < 0)
        return ks_fail(e, KS_ENOMEM, "no memory for paths");
    if (!is_file(at)) {
        free(at);
        if (asprintf(&at, "%.*stokenizer.model", folder, model) < 0)
            return ks_fail(e, KS_ENOMEM, "no memory for paths");
    }
    if (!is_file(at)) {
        free(at);
        at = NULL;
        if (named && slash) {
            char *where = strndup(model, (size_t)(slash - model));
            if (!where) return ks_fail(e, KS_ENOMEM, "no memory for paths");
            at = checkpoint_in(where, tokenizer_endings);
            free(where);
        }
    }
    *tokenizer = at;
    return 0;
}

int ks_locate_model(char **path, char **tokenizer, const ks_setup *setup, const char *name_or_path,
                    ks_error *e)
{
    assert(path && tokenizer && setup);
    static const char *const released[] = {"lvt-base", "lvt-large", "base", "large"};
    int named = 0, err;

    *path = *tokenizer = NULL;
    if (!strchr(name_or_path, '/') && !ends_with(name_or_path, ".npz") &&
        !ends_with(name_or_path, ".safetensors")) {
        if ((err = by_name(path, setup, name_or_path, e)) < 0) return err;
        named = *path != NULL;
        for (int i = 0; !*path && i < 4; i++)
            if (strcmp(name_or_path, released[i]) == 0)
                return ks_fail(e, KS_ENOTFOUND, "%s is not here yet: kinoseek model pull %s",
                               name_or_path, name_or_path);
    }
    if (!*path) {
        if (!is_there(name_or_path))
            return ks_fail(e, KS_ENOTFOUND,
                           "%s: no such model and no such file (kinoseek model list)",
                           name_or_path);
        /* as typed: sentences name it so; who remembers it makes it absolute */
        *path = strdup(name_or_path);
    }
    if (!*path) return ks_fail(e, KS_ENOMEM, "no memory for paths");
    if (setup->tokenizer) {
        *tokenizer = strdup(setup->tokenizer);
        err = *tokenizer ? 0 : ks_fail(e, KS_ENOMEM, "no memory for paths");
    } else {
        err = tokenizer_beside(tokenizer, *path, named, e);
    }
    if (err < 0) {
        free(*path);
        *path = NULL;
    }
    return err;
}

const char *ks_default_model(const ks_setup *setup)
{
    char *path = NULL;
    ks_error ignored;

    if (setup->default_model) return setup->default_model;
    int pulled = by_name(&path, setup, "lvt-base", &ignored) == 0 && path;

    free(path);
    return pulled ? "lvt-base" : "demo";
}

int ks_missing(char *disk, size_t room, const char *path)
{
    static const char *const mounts[] = {"/run/media/", "/media/", "/mnt/", "/Volumes/"};

    *disk = 0;
    if (access(path, F_OK) == 0) return 0;
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        size_t n = strlen(mounts[i]);
        char folder[PATH_MAX];
        const char *name = path + n, *end;
        if (strncmp(path, mounts[i], n) != 0) continue;
        if (i < 2 && (end = strchr(name, '/')) && end[1]) /* /media/USER/DISK */
            name = end + 1;
        end = strchr(name, '/');
        if (!end) continue;
        /* The disk is there if anything on the way below its name is. */
        if ((end = strchr(end + 1, '/'))) {
            snprintf(folder, sizeof folder, "%.*s", (int)(end - path), path);
            if (access(folder, F_OK) == 0) return 1;
        }
        snprintf(disk, room, "%.*s", (int)strcspn(name, "/"), name);
        return 1;
    }
    return 1;
}
