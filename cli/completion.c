/* completion.c - scripts for bash, zsh and fish, from the tables that also drive parsing.
 *
 * Options that take FILE, DIR, PATH or LIBRARY complete file names; a|b|c lists complete their
 * values. */
#include "cli/commands.h"

#include <string.h>

static int wants_file(const ks_option *o)
{
    static const char *const words[] = {"FILE", "DIR", "PATH", "LIBRARY", "MODEL", "VIDEO", NULL};

    for (const char *const *w = words; o->arg && *w; w++)
        if (strncmp(o->arg, *w, strlen(*w)) == 0) return 1;
    return 0;
}

/* The names of `model list`, asked for when they are needed: what was pulled meanwhile is among
 * them. */
static int wants_model(const char *usage)
{
    return usage && (strcmp(usage, "NAME") == 0 || strcmp(usage, "MODEL") == 0);
}

static int is_choice(const ks_option *o) { return o->arg && strchr(o->arg, '|'); }

static void words(FILE *out, const char *choices)
{
    for (; *choices; choices++) putc(*choices == '|' ? ' ' : *choices, out);
}

/* --- bash --- */
static void bash_names(FILE *out, const ks_option *options)
{
    for (const ks_option *o = options; o && o->name; o++) {
        fprintf(out, " --%s", o->name);
        if (o->letter) fprintf(out, " -%c", o->letter);
    }
}

static void bash_values(FILE *out, const ks_option *options, const char *command)
{
    for (const ks_option *o = options; o && o->name; o++) {
        if (o->type == KS_OPT_FLAG) continue;
        fprintf(out, "    \"%s:--%s\"", command, o->name);
        if (o->letter) fprintf(out, "|\"%s:-%c\"", command, o->letter);
        fputs(") ", out);
        if (is_choice(o)) {
            fputs("COMPREPLY=($(compgen -W \"", out);
            words(out, o->arg);
            fputs("\" -- \"$cur\")); return ;;\n", out);
        } else {
            fputs(wants_file(o) ? "compopt -o default; return ;;\n" : "return ;;\n", out);
        }
    }
}

/* What stands at the start: commands, or the second word of "model". */
static void bash_commands(FILE *out)
{
    fputs("  case \"$cmd\" in\n  \"\") COMPREPLY=($(compgen -W \"help", out);
    for (const ks_command *const *c = ks_commands; *c; c++)
        fprintf(out, " %.*s", (int)strcspn((*c)->name, " "), (*c)->name);
    bash_names(out, ks_global_options);
    fputs("\" -- \"$cur\")); return ;;\n", out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        size_t n = strcspn((*c)->name, " ");
        if ((*c)->name[n] == 0 ||
            (c != ks_commands && strncmp(c[-1]->name, (*c)->name, n + 1) == 0))
            continue;
        fprintf(out, "  %.*s) COMPREPLY=($(compgen -W \"", (int)n, (*c)->name);
        for (const ks_command *const *d = c; *d; d++)
            if (strncmp((*d)->name, (*c)->name, n + 1) == 0)
                fprintf(out, " %s", (*d)->name + n + 1);
        fputs("\" -- \"$cur\")); return ;;\n", out);
    }
    fputs("  esac\n", out);
}

static void bash(FILE *out)
{
    fputs("# bash completion of kinoseek; made by: kinoseek completion bash\n"
          "_kinoseek() {\n"
          "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd= skip= w i\n"
          "  COMPREPLY=()\n"
          "  [[ $cur == = ]] && cur=\n" /* bash makes three words of --format=vtt */
          "  [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
          "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "    w=${COMP_WORDS[i]}\n"
          "    [[ $w == = ]] && { skip=1; continue; }\n"
          "    [[ -n $skip ]] && { skip=; continue; }\n"
          "    case \"$w\" in\n",
          out);
    fputs("    ", out);
    for (const ks_option *o = ks_global_options; o->name; o++)
        if (o->type != KS_OPT_FLAG) {
            fprintf(out, "%s--%s", o == ks_global_options ? "" : "|", o->name);
            if (o->letter) fprintf(out, "|-%c", o->letter);
        }
    fputs(") skip=1 ;;\n    -*) ;;\n"
          "    *) case \"$cmd\" in\n       \"\") cmd=$w ;;\n",
          out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        size_t n = strcspn((*c)->name, " ");
        if ((*c)->name[n] == ' ' &&
            (c == ks_commands || strncmp(c[-1]->name, (*c)->name, n + 1) != 0))
            fprintf(out, "       %.*s) cmd=\"$cmd $w\" ;;\n", (int)n, (*c)->name);
    }
    fputs("       esac ;;\n    esac\n  done\n"
          "  case \"$cmd:$prev\" in\n",
          out);
    for (const ks_command *const *c = ks_commands; *c; c++)
        bash_values(out, (*c)->options, (*c)->name);
    fputs("  esac\n  case \":$prev\" in\n", out);
    bash_values(out, ks_global_options, "");
    fputs("  esac\n", out);
    bash_commands(out);
    fputs("  if [[ $cur == -* ]]; then\n    case \"$cmd\" in\n", out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        fprintf(out, "    \"%s\") COMPREPLY=($(compgen -W \"", (*c)->name);
        bash_names(out, (*c)->options);
        bash_names(out, ks_global_options);
        fputs("\" -- \"$cur\")) ;;\n", out);
    }
    fputs("    esac\n    return\n  fi\n  case \"$cmd\" in\n", out);
    for (const ks_command *const *c = ks_commands; *c; c++)
        if (wants_model((*c)->usage))
            fprintf(out,
                    "    \"%s\") COMPREPLY=($(compgen -W \"$(kinoseek model list 2>/dev/null | cut "
                    "-d' ' -f1)\" -- \"$cur\")) ;;\n",
                    (*c)->name);
    fputs("  esac\n  compopt -o default\n}\ncomplete -F _kinoseek kinoseek\n", out);
}

/* --- zsh: a shell-quoted 'text' in which zsh's own brackets and colons are escaped --- */
static void zsh_quoted(FILE *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\'') fputs("'\\''", out);
        else if (strchr("[]:\\", *s)) fprintf(out, "\\%c", *s);
        else putc(*s, out);
    }
}

static void zsh_option(FILE *out, const ks_option *o, const char *name)
{
    fprintf(out, "      '%s%s", o->type == KS_OPT_LIST ? "*" : "", name);
    putc('[', out);
    zsh_quoted(out, o->help);
    putc(']', out);
    if (o->type != KS_OPT_FLAG) {
        putc(':', out);
        zsh_quoted(out, is_choice(o) || !o->arg ? "value" : o->arg);
        putc(':', out);
        if (is_choice(o)) {
            putc('(', out);
            words(out, o->arg);
            putc(')', out);
        } else if (wants_file(o)) {
            fputs("_files", out);
        }
    }
    fputs("' \\\n", out);
}

static void zsh_options(FILE *out, const ks_option *options)
{
    char name[64];

    for (const ks_option *o = options; o && o->name; o++) {
        snprintf(name, sizeof name, "--%s", o->name);
        zsh_option(out, o, name);
        if (o->letter) {
            snprintf(name, sizeof name, "-%c", o->letter);
            zsh_option(out, o, name);
        }
    }
}

/* The first of "model list", "model info" ...: length of the group's name, 0 for every other
 * command. */
static size_t begins_group(const ks_command *const *c)
{
    size_t n = strcspn((*c)->name, " ");

    return (*c)->name[n] && (c == ks_commands || strncmp(c[-1]->name, (*c)->name, n + 1) != 0) ? n
                                                                                               : 0;
}

static void zsh_groups(FILE *out)
{
    for (const ks_command *const *c = ks_commands; *c; c++) {
        size_t n = begins_group(c);
        if (n == 0) continue;
        fprintf(out, "  %.*s)\n    names=(\n", (int)n, (*c)->name);
        for (const ks_command *const *d = c; *d; d++)
            if (strncmp((*d)->name, (*c)->name, n + 1) == 0) {
                fprintf(out, "      '%s:", (*d)->name + n + 1);
                zsh_quoted(out, (*d)->brief);
                fputs("'\n", out);
            }
        fprintf(out, "    )\n    _describe '%.*s command' names\n    ;;\n", (int)n, (*c)->name);
    }
}

static void zsh(FILE *out)
{
    const char *between = "";

    fputs("#compdef kinoseek\n# zsh completion of kinoseek; made by: kinoseek completion zsh\n"
          "_kinoseek() {\n  local cmd= w i skip=\n  local -a names\n"
          "  for ((i = 2; i < CURRENT; i++)); do\n    w=${words[i]}\n"
          "    if [[ -n $skip ]]; then skip=; continue; fi\n"
          "    if [[ -n $cmd ]]; then cmd=\"$cmd $w\"; break; fi\n"
          "    case $w in\n    -L|-m|--library|--model|--tokenizer|--precision|--device|--threads) "
          "skip=1 ;;\n    -*) ;;\n    ",
          out);
    for (const ks_command *const *c = ks_commands; *c; c++)
        if (begins_group(c)) {
            fprintf(out, "%s%.*s", between, (int)begins_group(c), (*c)->name);
            between = "|";
        }
    fputs(") cmd=$w ;;\n    *) cmd=$w; break ;;\n    esac\n  done\n  case $cmd in\n  '')\n    "
          "names=(\n",
          out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        size_t n = strcspn((*c)->name, " ");
        if ((*c)->name[n] && !begins_group(c)) continue;
        fprintf(out, "      '%.*s:", (int)n, (*c)->name);
        zsh_quoted(out, (*c)->name[n] ? "more commands" : (*c)->brief);
        fputs("'\n", out);
    }
    fputs("    )\n    _describe command names\n    _arguments -s \\\n", out);
    zsh_options(out, ks_global_options);
    fputs("      '*:: :'\n    ;;\n", out);
    zsh_groups(out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        fprintf(out, "  '%s')\n    _arguments -s \\\n", (*c)->name);
        zsh_options(out, (*c)->options);
        zsh_options(out, ks_global_options);
        if (wants_model((*c)->usage))
            fputs("      '1:model:{ compadd -- $(kinoseek model list 2>/dev/null | cut -d\" \" "
                  "-f1) }' \\\n",
                  out);
        fputs("      '*:file:_files'\n    ;;\n", out);
    }
    fputs("  esac\n}\nif [[ $funcstack[1] == _kinoseek ]]; then _kinoseek \"$@\"; else compdef "
          "_kinoseek kinoseek; fi\n",
          out);
}

/* --- fish --- */
static void fish_quoted(FILE *out, const char *s)
{
    putc('\'', out);
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\') putc('\\', out);
        putc(*s, out);
    }
    putc('\'', out);
}

static void fish_options(FILE *out, const ks_option *options, const char *when)
{
    for (const ks_option *o = options; o && o->name; o++) {
        fprintf(out, "complete -c kinoseek %s-l %s", when, o->name);
        if (o->letter) fprintf(out, " -s %c", o->letter);
        if (is_choice(o)) {
            fputs(" -x -a '", out);
            words(out, o->arg);
            putc('\'', out);
        } else if (o->type != KS_OPT_FLAG) {
            fputs(wants_file(o) ? " -r -F" : " -x", out);
        }
        fputs(" -d ", out);
        fish_quoted(out, o->help);
        putc('\n', out);
    }
}

/* Words of a group's other commands: once one of them stands there, none of them is offered. */
static void fish_group_members(FILE *out, const ks_command *const *c, size_t n, const char *lead)
{
    fputs(lead, out);
    for (const ks_command *const *d = ks_commands; *d; d++)
        if (strncmp((*d)->name, (*c)->name, n + 1) == 0) fprintf(out, " %s", (*d)->name + n + 1);
}

static void fish(FILE *out)
{
    char when[160];

    fputs("# fish completion of kinoseek; made by: kinoseek completion fish\n", out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        size_t n = strcspn((*c)->name, " ");
        if ((*c)->name[n] == 0 || begins_group(c)) {
            fprintf(out, "complete -c kinoseek -n __fish_use_subcommand -f -a %.*s -d ", (int)n,
                    (*c)->name);
            fish_quoted(out, (*c)->name[n] ? "more commands" : (*c)->brief);
            putc('\n', out);
        }
        if ((*c)->name[n] == 0) continue;
        fprintf(out, "complete -c kinoseek -n '__fish_seen_subcommand_from %.*s", (int)n,
                (*c)->name);
        fish_group_members(out, c, n, "; and not __fish_seen_subcommand_from");
        fprintf(out, "' -f -a %s -d ", (*c)->name + n + 1);
        fish_quoted(out, (*c)->brief);
        putc('\n', out);
    }
    fish_options(out, ks_global_options, "");
    for (const ks_command *const *c = ks_commands; *c; c++) {
        size_t n = strcspn((*c)->name, " ");
        if ((*c)->name[n] == 0)
            snprintf(when, sizeof when, "-n '__fish_seen_subcommand_from %s' ", (*c)->name);
        else
            snprintf(when, sizeof when,
                     "-n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s' ",
                     (int)n, (*c)->name, (*c)->name + n + 1);
        fish_options(out, (*c)->options, when);
        if (wants_model((*c)->usage))
            fprintf(out,
                    "complete -c kinoseek %s-f -a '(kinoseek model list 2>/dev/null | string "
                    "replace -r \" .*\" \"\")'\n",
                    when);
    }
}

int ks_print_completion(FILE *out, const char *shell, ks_error *e)
{
    if (strcmp(shell, "bash") == 0) bash(out);
    else if (strcmp(shell, "zsh") == 0) zsh(out);
    else if (strcmp(shell, "fish") == 0) fish(out);
    else return ks_fail(e, KS_EUSAGE, "no completion for %s: bash, zsh or fish", shell);
    return 0;
}
