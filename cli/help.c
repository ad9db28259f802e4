/* help.c - --help and the man pages, printed from the command tables. */
#include "cli/commands.h"

#include <string.h>

static void label(char *to, size_t room, const ks_option *o)
{
    char letter[8] = "    ";

    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(to, room, "%s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

/* The help beside an option, from column 28 on; long ones go on below. */
static void print_beside(FILE *out, const char *help)
{
    enum { AT = 28, WIDTH = 80 - AT };

    while (strlen(help) > WIDTH) {
        int n = WIDTH;
        while (n > 20 && help[n] != ' ')
            n--;
        fprintf(out, "%.*s\n%*s", n, help, AT, "");
        help += n + (help[n] == ' ');
    }
    fprintf(out, "%s\n", help);
}

/* --like a|b|c ... of more values than a line holds. */
static void wrap_choices(FILE *out, const ks_option *o)
{
    int at = fprintf(out, "      --%s ", o->name);

    for (const char *s = o->arg; *s;) {
        int n = (int)strcspn(s, "|");
        if (at + n + 1 > 78)
            at = fprintf(out, "\n%10s", "") - 1;
        at += fprintf(out, "%.*s%s", n, s, s[n] ? "|" : "");
        s += n + (s[n] != 0);
    }
    fprintf(out, "\n%28s", "");
}

static void print_options(FILE *out, const ks_option *options)
{
    char text[160];

    for (const ks_option *o = options; o && o->name; o++) {
        label(text, sizeof text, o);
        if (strlen(text) > 74)
            wrap_choices(out, o);
        else if (strlen(text) > 24)
            fprintf(out, "  %s\n%28s", text, "");
        else
            fprintf(out, "  %-24s  ", text);
        print_beside(out, o->help);
    }
}

/* "model list", "model pull" ... take one line here: "model" and its words; their --help says the rest. */
static int is_group(const ks_command *const *c, char *name, char *words, size_t room)
{
    const char *space = strchr((*c)->name, ' ');
    size_t n = space ? (size_t)(space - (*c)->name) + 1 : 0;

    if (!space)
        return 0;
    snprintf(name, room, "%.*s", (int)n - 1, (*c)->name);
    if (c != ks_commands && strncmp(c[-1]->name, (*c)->name, n) == 0)
        name[0] = 0; /* said already */
    snprintf(words, room, "%s", (*c)->name + n);
    while (*++c && strncmp(c[0]->name, c[-1]->name, n) == 0)
        snprintf(words + strlen(words), room - strlen(words), ", %s", (*c)->name + n);
    return 1;
}

void ks_print_overview(FILE *out)
{
    char name[96], words[96];

    fputs("kinoseek finds moments in your videos by meaning.\n\n"
          "usage: kinoseek [options] COMMAND ...\n\n", out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        if (!is_group(c, name, words, sizeof name))
            fprintf(out, "  %-12s  %s\n", (*c)->name, (*c)->brief);
        else if (*name)
            fprintf(out, "  %-12s  %s\n", name, words);
    }
    fputs("\nOptions before or after the command:\n", out);
    print_options(out, ks_global_options);
    fputs("\nkinoseek help COMMAND says more.\n", out);
}

/* Lines of at most 79; the sources may have longer ones. */
static void print_wrapped(FILE *out, const char *text)
{
    enum { WIDTH = 79 };

    while (*text) {
        int n = (int)strcspn(text, "\n");
        if (n > WIDTH)
            for (n = WIDTH; n > 20 && text[n] != ' '; n--)
                ;
        fprintf(out, "%.*s\n", n, text);
        text += n + (text[n] != 0);
    }
}

void ks_print_help(FILE *out, const ks_command *c)
{
    int any = c->options && c->options->name;

    fprintf(out, "usage: kinoseek %s%s%s%s\n%s.\n", c->name, any ? " [options]" : "", c->usage && *c->usage ? " " : "",
            c->usage ? c->usage : "", c->brief);
    if (any) {
        putc('\n', out);
        print_options(out, c->options);
    }
    if (c->more && *c->more) {
        putc('\n', out);
        print_wrapped(out, c->more);
    }
    fputs("\nAlso -L, -m, --tokenizer, --precision, --threads, -q, -v: kinoseek --help.\n", out);
}

/* --- man pages (man 7 man) --- */
/* Text for roff: a line that starts with a dot or quote would be a request, backslash and dash an escape. */
static void roff(FILE *out, const char *s)
{
    int line = 1;

    for (; *s; s++) {
        if (line && (*s == '.' || *s == '\''))
            fputs("\\&", out);
        if (*s == '\\')
            fputs("\\e", out);
        else if (*s == '-')
            fputs("\\-", out);
        else
            putc(*s, out);
        line = *s == '\n';
    }
}

static void man_options(FILE *out, const ks_option *options)
{
    for (const ks_option *o = options; o && o->name; o++) {
        fputs(".TP\n", out);
        if (o->letter)
            fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
        fputs("\\fB\\-\\-", out);
        roff(out, o->name);
        fputs("\\fR", out);
        if (o->arg) {
            fputs(" \\fI", out);
            roff(out, o->arg);
            fputs("\\fR", out);
        }
        putc('\n', out);
        roff(out, o->help);
        putc('\n', out);
    }
}

static void man_title(FILE *out, const char *name)
{
    fputs(".TH \"KINOSEEK", out);
    for (const char *s = name; *s; s++)
        putc(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s, out);
    fputs("\" 1 \"\" \"kinoseek " KS_VERSION "\"\n", out);
}

static const char *const exit_codes[][2] = {
    {"0", "found, done; also when the reader of a pipe went away"},
    {"1", "nothing found"},
    {"2", "wrong use"},
    {"3", "partly: a file went in partly or failed in this run, or check found something"},
    {"4", "bad input: every file named directly is unusable"},
    {"5", "the machine said no: disk full, no memory, no permission, no network"},
    {"6", "the library is damaged"},
    {"10", "no library there"},
    {"11", "library in use by another writer"},
    {"130, 143", "interrupted; everything said is kept"},
};

static void man_kinoseek(FILE *out)
{
    man_title(out, "");
    fputs(".SH NAME\nkinoseek \\- finds moments in videos by meaning\n.SH SYNOPSIS\n"
          "\\fBkinoseek\\fR [\\fIoptions\\fR] \\fICOMMAND\\fR ...\n.SH COMMANDS\n", out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        fprintf(out, ".TP\n\\fB%s\\fR\n", (*c)->name);
        roff(out, (*c)->brief);
        putc('\n', out);
    }
    fputs(".SH OPTIONS\nThese work before and after the command.\n", out);
    man_options(out, ks_global_options);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        fprintf(out, ".TP\n%s\n%s\n", exit_codes[i][0], exit_codes[i][1]);
    fputs(".SH ENVIRONMENT\n.TP\nXDG_DATA_HOME, XDG_CACHE_HOME\nlibraries and pulled models; packs of weights\n"
          ".TP\nKINOSEEK_PLAYER\nplayer of search \\-\\-open (mpv)\n.TP\nNO_COLOR\nno colour, no bars in colour\n"
          ".SH SEE ALSO\n\\fBkinoseek\\-search\\fR(1) and the page of every other command, \\fBkinoseek\\-catalog\\fR(5)\n", out);
}

void ks_print_man(FILE *out, const ks_command *c)
{
    char name[64];

    if (!c) {
        man_kinoseek(out);
        return;
    }
    snprintf(name, sizeof name, "-%s", c->name);
    for (char *s = name; *s; s++)
        if (*s == ' ')
            *s = '-';
    man_title(out, name);
    fputs(".SH NAME\nkinoseek", out);
    roff(out, name);
    fputs(" \\- ", out);
    roff(out, c->brief);
    fprintf(out, "\n.SH SYNOPSIS\n\\fBkinoseek %s\\fR [\\fIoptions\\fR] ", c->name);
    roff(out, c->usage ? c->usage : "");
    putc('\n', out);
    if (c->options && c->options->name) {
        fputs(".SH OPTIONS\n", out);
        man_options(out, c->options);
    }
    fputs(".PP\nThe options of every command are in \\fBkinoseek\\fR(1).\n", out);
    if (c->more && *c->more) {
        fputs(".SH NOTES\n.nf\n", out);
        roff(out, c->more);
        fputs("\n.fi\n", out);
    }
    fputs(".SH SEE ALSO\n\\fBkinoseek\\fR(1)\n", out);
}
