/* commands.h - every command is one row: its options, its help, its function. */
#ifndef KS_COMMANDS_H
#define KS_COMMANDS_H

#include "cli/opts.h"
#include "encoder/encoder.h"
#include "index/index.h"
#include "ks.h"

typedef struct {
    const char *library;    /* -L; never NULL: $XDG_DATA_HOME/kinoseek/default otherwise */
    const char *model;      /* -m: a name or a path; NULL if not given */
    const char *tokenizer;  /* --tokenizer */
    const char *precision_name; /* --precision; NULL = the command's own default */
    int threads;            /* --threads; 0 = all */
    int quiet, verbose;
    int help;
    const char *program;    /* argv[0], for finding kinoseek-decode and models/ */
} ks_globals;

typedef struct {
    const char *name;        /* "search"; two words for "model pull" */
    const char *usage;       /* "WORDS..." */
    const char *brief;       /* one line */
    const char *more;        /* examples and notes; fits a screen with the options */
    const ks_option *options;
    size_t fields;           /* sizeof the struct that the options fill */
    void (*defaults)(void *fields); /* may be NULL: zeros */
    /* Exit code >= 0, or a negative ks_err with the sentence in e. */
    int (*run)(const ks_globals *g, void *fields, int n, char **args, ks_error *e);
} ks_command;

/* One object of each cmd_*.c; commands.c lists them in the order of --help. */
extern const ks_command *const ks_commands[]; /* NULL ends */

int ks_exit_code(int err);   /* ks_err -> exit code of the CLI contract */

/* Where things are (locate.c); malloc'ed paths, KS_ENOTFOUND with the sentence. */
int ks_locate_model(char **path, char **tokenizer, const ks_globals *g, const char *name_or_path, ks_error *e);
int ks_locate_decoder(char **path, const ks_globals *g, ks_error *e);
int ks_locate_data(char **path, const ks_globals *g, const char *relative, ks_error *e); /* models/..., beside the build or in PREFIX/share/kinoseek */
/* Open the encoder that -m (or the library, or the default) names; notices go to stderr. */
int ks_open_encoder(ks_encoder **enc, const ks_globals *g, const char *model_or_null, int towers, ks_precision fallback, ks_error *e);

#endif
