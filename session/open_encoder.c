/* open_encoder.c - which encoder a command gets: -m, else the library's, else the default. */
#include "session/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ks_precision precision(const ks_setup *setup, ks_precision fallback)
{
    static const char *const names[] = {"auto", "fp32", "bf16", "int8"};

    for (int i = 0; setup->precision && i < 4; i++)
        if (strcmp(setup->precision, names[i]) == 0) return (ks_precision)i;
    return fallback;
}

static void say_default(const ks_setup *setup, const char *name)
{
    char sentence[128];

    snprintf(sentence, sizeof sentence, "using the model %s%s", name,
             strcmp(name, "demo") == 0
                 ? ", small and made for trying; the real one: kinoseek model pull lvt-base"
                 : "");
    setup->notice(setup->notice_arg, sentence);
}

int ks_open_encoder(ks_encoder **enc, const ks_setup *setup, const char *model_or_null, int towers,
                    ks_precision fallback, ks_error *e)
{
    assert(enc && setup);
    const char *name = setup->model                      ? setup->model
                       : model_or_null && *model_or_null ? model_or_null
                                                         : ks_default_model(setup);
    char *model = NULL, *tokenizer = NULL;
    int err;
    ks_encoder_options o = {.towers = towers,
                            .device = setup->device,
                            .threads = setup->threads,
                            .notice = setup->notice,
                            .notice_arg = setup->notice_arg};

    *enc = NULL;
    if ((err = ks_locate_model(&model, &tokenizer, setup, name, e)) < 0) return err;
    if (!setup->model && !setup->default_model && !(model_or_null && *model_or_null) &&
        setup->notice)
        say_default(setup, name);
    o.precision = precision(setup, fallback);
    o.model = model;
    o.tokenizer = tokenizer;
    err = ks_encoder_open(enc, &o, e);
    free(model);
    free(tokenizer);
    return err;
}

/* The model where the library last had it, else of the same name where models are now: the
 * program, the home or the library itself may have moved. Whether it is the same one its hash
 * says. */
static int find_again(char **moved, ks_setup *with, const ks_library *library, ks_error *e)
{
    if (with->model || !library->model_path[0] || access(library->model_path, R_OK) == 0) return 0;
    with->model = *moved = ks_locate_again(with, library->model_path);
    return *moved
               ? 0
               : ks_fail(e, KS_ENOTFOUND,
                         "%.400s: the model of this library is not there any more; name it with -m",
                         library->model_path);
}

int ks_open_library_encoder(ks_encoder **enc, const ks_setup *setup, ks_index *x, int towers,
                            ks_error *e)
{
    ks_library *library = malloc(sizeof *library); /* 8 KiB of paths: not on the stack */
    ks_setup with = *setup;
    char *moved = NULL;
    int err;

    *enc = NULL;
    if (!library) return ks_fail(e, KS_ENOMEM, "no memory");
    if ((err = ks_index_library(library, x, e)) < 0) goto out;
    if ((err = find_again(&moved, &with, library, e)) < 0) goto out;
    if (!with.tokenizer && !with.model && library->tokenizer_path[0])
        with.tokenizer = library->tokenizer_path;
    if ((err = ks_open_encoder(enc, &with, library->model_path, towers, KS_AUTO, e)) < 0) goto out;
    if (library->space.dim && strcmp(ks_encoder_info(*enc)->hash, library->space.model) != 0) {
        err = ks_fail(
            e, KS_ESPACE,
            "%.300s: the library was made with another model (%.12s..., this one is %.12s...)",
            with.model ? with.model : library->model_path, library->space.model,
            ks_encoder_info(*enc)->hash);
        ks_encoder_close(*enc);
        *enc = NULL;
    }
out:
    free(moved);
    free(library);
    return err;
}
