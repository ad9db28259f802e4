/* opts.h - one option table a command: it drives parsing, --help, the man page and shell completion. */
#ifndef KS_OPTS_H
#define KS_OPTS_H

#include "ks.h"

typedef enum {
    KS_OPT_FLAG,   /* int, becomes 1 */
    KS_OPT_TEXT,   /* const char *, borrowed from argv */
    KS_OPT_COUNT,  /* int >= 0 */
    KS_OPT_NUMBER, /* double; also h:mm:ss.mmm and 4h, 30m, 10s */
    KS_OPT_LIST    /* ks_opt_list: may be given again; keeps the order over all lists of the command */
} ks_opt_type;

typedef struct {
    const char **at;  /* values, borrowed from argv */
    int *order;       /* position among all list options of this call */
    int n;
} ks_opt_list;

typedef struct {
    char letter;        /* 0 = none */
    const char *name;   /* long name, without the dashes; NULL ends a table */
    ks_opt_type type;
    size_t at;          /* offsetof(struct of the command, field) */
    const char *arg;    /* "N", "FILE"; a|b|c lists the only values allowed; NULL for flags */
    const char *help;
} ks_option;

/* Parse argv[1..argc) into `fields` (zeroed, or holding defaults) by table, then by `globals`;
 * positional arguments are moved to args (argc of them at most). "--" ends options. KS_EUSAGE says
 * what is wrong and what may have been meant. */
int ks_parse(void *fields, const ks_option *table, void *global_fields, const ks_option *globals,
             int argc, char **argv, char **args, int *n_args, ks_error *e);
void ks_parse_free(void *fields, const ks_option *table); /* what lists allocated */

#endif
