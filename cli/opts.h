/* opts.h - one option table a command: it drives parsing, --help, the man page and shell
 * completion. */
#ifndef KS_OPTS_H
#define KS_OPTS_H

#include "ks.h"

typedef enum {
    KS_OPT_FLAG,   /* int, becomes 1 */
    KS_OPT_TEXT,   /* const char *, borrowed from argv */
    KS_OPT_COUNT,  /* int >= 0 */
    KS_OPT_NUMBER, /* double; also h:mm:ss.mmm, mm:ss and 4h, 1h30m, 10s (seconds) */
    /* Of these a command takes one each: given again, they are refused, for the last one would
     * silently win. Global ones may stand in an alias and be given again. */
    /* ks_opt_list: may be given again; keeps the order over all lists of the command */
    KS_OPT_LIST
} ks_opt_type;

typedef struct {
    const char **at; /* [n] values, borrowed from argv */
    int *order;      /* [n] position among all list options of this call, from 0 */
    int n;
} ks_opt_list;

typedef struct {
    char letter;      /* 0 = none */
    const char *name; /* long name, without the dashes; NULL ends a table */
    ks_opt_type type;
    size_t at;       /* offsetof(struct of the command, field) */
    const char *arg; /* "N", "FILE"; a|b|c lists the only values allowed; NULL for flags */
    /* one line, at most 52 characters: it stands beside the option on a screen of 80 */
    const char *help;
} ks_option;

/* Parse argv[0..argc) into `fields` (zeroed, or holding defaults) by table, then by `globals`; both
 * tables may be NULL. `-k 5`, `-k5`, `--name VALUE`, `--name=VALUE` and `-qv` all work; "--" ends
 * options, a lone "-" is an argument. Arguments are moved to args (room for argc of them).
 * KS_EUSAGE says what is wrong and what may have been meant; KS_ENOMEM. Call ks_parse_free in
 * any case. */
int ks_parse(void *fields, const ks_option *table, void *global_fields, const ks_option *globals,
             int argc, char **argv, char **args, int *n_args, ks_error *e);
/* Parse only the options in front of the first argument, which is left at argv[*used]. */
int ks_parse_leading(void *fields, const ks_option *table, int argc, char **argv, int *used,
                     ks_error *e);
void ks_parse_free(void *fields, const ks_option *table); /* what lists allocated */

/* The name among names[n] that was most likely meant by `word`: at most a third of its letters
 * wrong, or the only one that starts with it. NULL: none. */
const char *ks_nearest_name(const char *word, const char *const *names, int n);

#endif
