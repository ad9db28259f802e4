/* commands.h - every command is one row: its options, its help, its function. */
#ifndef KS_COMMANDS_H
#define KS_COMMANDS_H

#include "cli/opts.h"
#include "encoder/encoder.h"
#include "index/index.h"
#include "ks.h"

typedef struct {
    const char *library;        /* -L, else $XDG_DATA_HOME/kinoseek/default; NULL only where a command is alone */
    const char *model;          /* -m: a name or a path; NULL if not given */
    const char *tokenizer;      /* --tokenizer */
    const char *precision_name; /* --precision; NULL = the command's own default */
    int threads;                /* --threads; 0 = all */
    int quiet, verbose;
    int help, version;
    const char *program;        /* path of this program, for finding kinoseek-decode and models/ */
} ks_globals;

typedef struct {
    const char *name;        /* "search"; two words for "model pull" */
    const char *usage;       /* "WORDS..." */
    const char *brief;       /* one line, at most 60 characters, no full stop */
    const char *more;        /* examples and notes, lines of at most 79; fits a screen with the options */
    const ks_option *options; /* ends with a NULL name; NULL: none */
    int alone;               /* looks at no library: works where none can be named */
    size_t fields;           /* sizeof the struct that the options fill */
    void (*defaults)(void *fields); /* may be NULL: zeros */
    /* Exit code >= 0, or a negative ks_err with the sentence in e (main prints it). args[n]. */
    int (*run)(const ks_globals *g, void *fields, int n, char **args, ks_error *e);
} ks_command;

/* One object of each cmd_*.c; commands.c lists them in the order of --help. */
extern const ks_command *const ks_commands[]; /* NULL ends */
extern const ks_option ks_global_options[];   /* of ks_globals */

int ks_exit_code(int err);   /* ks_err -> exit code of the CLI contract */
/* "search", or "model" + "pull" with *words 2. NULL: no such command; *words 0. */
const ks_command *ks_find_command(const char *first, const char *second, int *words);
const char *ks_meant_command(const char *word); /* "did you mean"; NULL: nothing near */

/* Help from the tables (help.c). */
void ks_print_overview(FILE *out);
int ks_print_group(FILE *out, const char *word); /* of `model`: its commands; their number, 0 for any other word */
void ks_print_help(FILE *out, const ks_command *c);
void ks_print_man(FILE *out, const ks_command *c); /* roff; NULL: the page of kinoseek itself */
/* kinoseek's version and those of its libraries; returns the exit code (cmd_doctor.c). */
int ks_print_version(FILE *out, const ks_globals *g);
/* Prints the completion of "bash", "zsh" or "fish"; KS_EUSAGE for another shell. (completion.c) */
int ks_print_completion(FILE *out, const char *shell, ks_error *e);

/* Where things are (locate.c); malloc'ed paths, KS_ENOTFOUND with the sentence. */
/* A name of `model list` or a path -> the checkpoint, and the tokenizer that goes with it: --tokenizer,
 * else STEM.spm or tokenizer.model beside the model, else *tokenizer NULL. */
int ks_locate_model(char **path, char **tokenizer, const ks_globals *g, const char *name_or_path, ks_error *e);
/* The checkpoint NAME/FILE is gone from `path`: where a model of that name is now; malloc'ed, NULL: nowhere. */
char *ks_locate_again(const ks_globals *g, const char *path);
int ks_locate_decoder(char **path, const ks_globals *g, ks_error *e);
/* "models/demo": beside the build or in PREFIX/share/kinoseek. */
int ks_locate_data(char **path, const ks_globals *g, const char *relative, ks_error *e);
/* Where `model pull NAME` keeps its files: $XDG_DATA_HOME/kinoseek/models/NAME. KS_ENOMEM, KS_EIO (no home). */
int ks_locate_pulled(char **folder, const char *name, ks_error *e);
int ks_locate_library(char **folder, ks_error *e); /* the default library */
/* The model of a new library: "lvt-base" where it was pulled, else "demo". */
const char *ks_default_model(const ks_globals *g);

/* Open the encoder that -m, else model_or_null (the library's last path), else the default names;
 * notices go to stderr unless -q. towers: ks_tower; fallback: precision without --precision. (open_encoder.c) */
int ks_open_encoder(ks_encoder **enc, const ks_globals *g, const char *model_or_null, int towers, ks_precision fallback, ks_error *e);
/* The encoder of an existing library, for queries; -m must have the library's model hash (KS_ESPACE). */
int ks_open_library_encoder(ks_encoder **enc, const ks_globals *g, ks_index *x, int towers, ks_error *e);

#endif
