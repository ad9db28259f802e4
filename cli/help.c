/* help.c - --help, printed from the command tables. */
#include "cli/commands.h"

#include <assert.h>
#include <string.h>

static void label(char *to, size_t room, const ks_option *o)
{
    char letter[8] = "    ";

    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(to, room, "%s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

/* Help stands from column 28 on, or two blanks behind an option that reaches farther, or on a
 * line of its own. Returns the lines; out NULL: only counts them. */
static int print_option(FILE *out, const ks_option *o)
{
    enum { WIDTH = 80 };
    char text[160];
    int lines;

    label(text, sizeof text, o);
    if (strlen(text) > 74) { /* more values than a line holds: the man page has the rest */
        char *last = text + 70;
        while (*last != '|') last--;
        strcpy(last, "|...");
    }
    lines = strlen(text) > 24 && 4 + strlen(text) + strlen(o->help) > WIDTH ? 2 : 1;
    if (out && lines == 2) fprintf(out, "  %s\n%28s%s\n", text, "", o->help);
    else if (out) fprintf(out, "  %-24s  %s\n", text, o->help);
    return lines;
}

/* Words of a paragraph: each goes to the next line where this one is full. */
typedef struct {
    FILE *out;
    int at; /* column */
} paragraph;

static void put_word(paragraph *p, const char *word, const char *after)
{
    enum { WIDTH = 79 };
    int n = (int)(strlen(word) + strlen(after));

    if (p->at + 1 + n > WIDTH) p->at = fprintf(p->out, "\n  ") - 1;
    else if (p->at > 0) p->at += fprintf(p->out, " ");
    p->at += fprintf(p->out, "%s%s", word, after);
}

/* "model list", "model pull" ... are one name here: `kinoseek help model` has the rest. 0: not a
 * group. */
static size_t group_letters(const ks_command *c)
{
    const char *space = strchr(c->name, ' ');

    return space ? (size_t)(space - c->name) : 0;
}

int ks_print_group(FILE *out, const char *word)
{
    size_t n = strlen(word);
    int found = 0;

    for (const ks_command *const *c = ks_commands; *c; c++) {
        if (strncmp((*c)->name, word, n) != 0 || (*c)->name[n] != ' ') continue;
        if (!found++)
            fprintf(out,
                    "usage: kinoseek %s COMMAND ...       (kinoseek help %s COMMAND says more)\n\n",
                    word, word);
        fprintf(out, "  %-12s  %s\n", (*c)->name + n + 1, (*c)->brief);
    }
    return found;
}

/* Commands that one meets in the first hour have a line each; the others are named. */
static int is_rare(const ks_command *c)
{
    static const char *const daily[] = {"ingest", "search", "similar", "label",
                                        "cut",    "serve",  "status",  NULL};

    for (const char *const *d = daily; *d; d++)
        if (strcmp(c->name, *d) == 0) return 0;
    return 1;
}

void ks_print_overview(FILE *out)
{
    assert(out);
    char name[40];
    paragraph p = {out, 0};

    fputs("kinoseek finds moments in your videos by meaning.\n"
          "usage: kinoseek [options] COMMAND ...       (kinoseek help COMMAND says more)\n",
          out);
    for (const ks_command *const *c = ks_commands; *c; c++)
        if (!is_rare(*c)) fprintf(out, "  %-12s  %s\n", (*c)->name, (*c)->brief);
    put_word(&p, "And:", "");
    for (const ks_command *const *c = ks_commands; *c; c++) {
        if (!is_rare(*c)) continue;
        size_t n = group_letters(*c);
        if (n && c != ks_commands && strncmp(c[-1]->name, (*c)->name, n + 1) == 0)
            continue; /* said already */
        snprintf(name, sizeof name, "%.*s%s", n ? (int)n : 30, (*c)->name, n ? " ..." : "");
        put_word(&p, name, ",");
    }
    put_word(&p, "help", "");
    fputs("\nOptions before or after the command:\n", out);
    for (const ks_option *o = ks_global_options; o->name; o++) print_option(out, o);
}

static int count_lines(const char *text)
{
    int n = 0;

    for (; *text; text++) n += *text == '\n' || text[1] == 0;
    return n;
}

/* What did not fit is named; its help stands in the man page. At most 13 letters a name: four a
 * line and more. */
static int lines_of_names(const ks_option *o)
{
    int at = 6, lines = 1;

    for (; o && o->name; o++) {
        int n = (int)strlen(o->name) + 4;
        if (at + n > 79) {
            at = 2;
            lines++;
        }
        at += n;
    }
    return lines;
}

/* How many options stand with their help, if all of `room` lines are theirs. */
static int shown_options(const ks_option *options, int room)
{
    int n = 0, lines = 0;

    for (; options && options[n].name; n++) lines += print_option(NULL, &options[n]);
    while (n > 0 && lines + (options[n].name ? lines_of_names(options + n) : 0) > room)
        lines -= print_option(NULL, &options[--n]);
    return n;
}

static void print_page(FILE *out, const ks_command *c)
{
    for (const char *s = c->name; *s; s++) putc(*s == ' ' ? '-' : *s, out);
}

/* One screen of 24 lines. The table's order is that of importance: the last options are those to
 * be named only. */
void ks_print_help(FILE *out, const ks_command *c)
{
    assert(out && c);
    enum { SCREEN = 24, AROUND = 3 + 2 }; /* usage, brief, blank; blank, last line */
    const char *more = c->more ? c->more : "";
    const ks_option *o = c->options;
    int lines = count_lines(more), n = shown_options(o, SCREEN - AROUND - lines - (lines > 0));
    paragraph p = {out, 0};

    fprintf(out, "usage: kinoseek %s%s%s%s\n%s.\n", c->name, o && o->name ? " [options]" : "",
            c->usage && *c->usage ? " " : "", c->usage ? c->usage : "", c->brief);
    if (o && o->name) putc('\n', out);
    for (; o && o->name && n > 0; o++, n--) print_option(out, o);
    for (int first = 1; o && o->name; o++, first = 0) {
        char name[64];
        snprintf(name, sizeof name, "--%s", o->name);
        if (first) put_word(&p, "  And", "");
        put_word(&p, name, o[1].name ? "," : "\n");
    }
    if (lines) fprintf(out, "\n%s%s", more, more[strlen(more) - 1] == '\n' ? "" : "\n");
    fputs("\nAlso the options of kinoseek --help. More: man kinoseek-", out);
    print_page(out, c);
    putc('\n', out);
}
