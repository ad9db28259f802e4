/* commands.h - every command is one row: its options, its help, its function. */
#ifndef KS_COMMANDS_H
#define KS_COMMANDS_H

#include "cli/opts.h"
#include "cli/settings.h"
#include "encoder/encoder.h"
#include "index/index.h"
#include "ks.h"
#include "session/session.h"

typedef struct {
    /* -L, else the setting, else $XDG_DATA_HOME/kinoseek/default; NULL only where a command is
     * alone */
    const char *library;
    const char *hub; /* -L named it, and `library` is the mirror; else NULL */
    int hub_away;    /* 1: it was not reached, as one notice said */
    ks_setup setup;  /* -m, --tokenizer, --precision, --device, --threads; no notice under -q */
    int quiet, verbose;
    int help, version;
    /* what stands where no option does: setup and library have it already (main.c) */
    const ks_settings *settings;
    char **argv; /* as main got it */
} ks_globals;

/* Refused (it writes films, and a mirror is written by sync alone); answered by the mirror, in
 * which what people keep is written too (ks_keep_open); its own affair. A command that looks at no
 * library is never asked. */
enum { KS_HUB_REFUSED = 0, KS_HUB_MIRROR = 1, KS_HUB_OWN = 2 };

typedef struct {
    const char *name;  /* "search"; two words for "model pull" */
    const char *usage; /* "WORDS..." */
    const char *brief; /* one line, at most 60 characters, no full stop */
    /* examples and notes, lines of at most 79; fits a screen with the options */
    const char *more;
    const ks_option *options; /* ends with a NULL name; NULL: none */
    int alone;                /* looks at no library: works where none can be named */
    /* prints while it walks the library: a pipe gets it when the library is closed (spool.h) */
    int spooled;
    int hub;                        /* KS_HUB_*: what it does where -L names a hub */
    size_t fields;                  /* sizeof the struct that the options fill */
    void (*defaults)(void *fields); /* may be NULL: zeros */
    /* Exit code >= 0, or a negative ks_err with the sentence in e (main prints it). args[n]. */
    int (*run)(const ks_globals *g, void *fields, int n, char **args, ks_error *e);
} ks_command;

/* One object of each cmd_*.c; commands.c lists them in the order of --help. */
extern const ks_command *const ks_commands[]; /* NULL ends */
extern const ks_option ks_global_options[];   /* of ks_globals */

int ks_exit_code(int err); /* ks_err -> exit code of the CLI contract */
/* "search", or "model" + "pull" with *words 2. NULL: no such command; *words 0. */
const ks_command *ks_find_command(const char *first, const char *second, int *words);
const char *ks_meant_command(const char *word); /* "did you mean"; NULL: nothing near */

/* Help from the tables (help.c). */
void ks_print_overview(FILE *out);
/* of `model`: its commands; their number, 0 for any other word */
int ks_print_group(FILE *out, const char *word);
void ks_print_help(FILE *out, const ks_command *c);
void ks_print_man(FILE *out, const ks_command *c); /* roff; NULL: the page of kinoseek itself */
/* kinoseek's version and those of its libraries; returns the exit code (cmd_doctor.c). */
int ks_print_version(FILE *out, const ks_globals *g);
int ks_server_about(ks_fact *facts, int max); /* libmicrohttpd's version (cmd_serve.c) */
/* Close what a command read; rows that it had to leave out are said, unless an error says more.
 * NULL is fine. (close_library.c) */
void ks_close_library(ks_index *x, const ks_globals *g, int err);
/* the same sentence; the library stays open */
void ks_say_damage(const ks_index *x, const ks_globals *g, int err);
/* Prints the completion of "bash", "zsh" or "fish"; KS_EUSAGE for another shell. (completion.c) */
int ks_print_completion(FILE *out, const char *shell, ks_error *e);

#endif
