/* cmd_completion.c - `completion SHELL` and `manual NAME`: what the option tables say, for other
 * readers. */
#include "cli/commands.h"

#include <string.h>

static int completion(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    (void)g;
    (void)fields;
    if (n != 1) return ks_fail(e, KS_EUSAGE, "name one shell: bash, zsh or fish");
    return ks_print_completion(stdout, args[0], e);
}

extern const ks_command ks_cmd_completion, ks_cmd_manual;
const ks_command ks_cmd_completion = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .brief = "Print the shell's completion script",
    .more = "  . <(kinoseek completion bash)          in ~/.bashrc\n"
            "  kinoseek completion fish > ~/.config/fish/completions/kinoseek.fish",
    .alone = 1,
    .run = completion,
};

/* "model-pull" names "model pull"; "kinoseek" the page of the program. */
static int manual(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    (void)g;
    (void)fields;
    if (n == 0) {
        puts("kinoseek");
        for (const ks_command *const *c = ks_commands; *c; c++) {
            fputs("kinoseek-", stdout);
            for (const char *s = (*c)->name; *s; s++) putchar(*s == ' ' ? '-' : *s);
            putchar('\n');
        }
        return 0;
    }
    if (strcmp(args[0], "kinoseek") == 0) {
        ks_print_man(stdout, NULL);
        return 0;
    }
    for (const ks_command *const *c = ks_commands; *c && strncmp(args[0], "kinoseek-", 9) == 0;
         c++) {
        const char *a = (*c)->name, *b = args[0] + 9;
        while (*a && (*a == ' ' ? '-' : *a) == *b) a++, b++;
        if (*a == 0 && *b == 0) {
            ks_print_man(stdout, *c);
            return 0;
        }
    }
    return ks_fail(e, KS_EUSAGE, "there is no page %s (kinoseek manual lists them)", args[0]);
}

const ks_command ks_cmd_manual = {
    .name = "manual",
    .usage = "[PAGE]",
    .brief = "Print a man page as roff, or list the pages",
    .more = "  kinoseek manual kinoseek-search | man -l -",
    .alone = 1,
    .run = manual,
};
