/* man_page.c - the man pages (man 7 man), printed from the command tables, the tables of formats
 * and man_notes.c. */
#include "cli/commands.h"
#include "cli/man_page.h"
#include "cli/player.h"
#include "formats/formats.h"

#include <string.h>

/* Text for roff: a line that starts with a dot or quote would be a request, backslash and dash
 * an escape. */
static void roff(FILE *out, const char *s)
{
    int line = 1;

    for (; *s; s++) {
        if (line && (*s == '.' || *s == '\'')) fputs("\\&", out);
        if (*s == '\\') fputs("\\e", out);
        else if (*s == '-') fputs("\\-", out);
        else putc(*s, out);
        line = *s == '\n';
    }
}

static void man_options(FILE *out, const ks_option *options)
{
    for (const ks_option *o = options; o && o->name; o++) {
        fputs(".TP\n", out);
        if (o->letter) fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
        fputs("\\fB\\-\\-", out);
        roff(out, o->name);
        fputs("\\fR", out);
        if (o->arg) {
            fputs(" \\fI", out);
            /* man_formats lists them */
            roff(out, strcmp(o->name, "format") == 0 ? "FORMAT" : o->arg);
            fputs("\\fR", out);
        }
        putc('\n', out);
        roff(out, o->help);
        putc('\n', out);
    }
}

/* What --format takes, from the table of formats. */
static void man_formats(FILE *out, const ks_option *options)
{
    ks_format_facts f;

    while (options && options->name && strcmp(options->name, "format") != 0) options++;
    if (!options || !options->name) return;
    fputs(".SH FORMATS\n", out);
    for (int i = 0; ks_format_about(&f, i); i++) {
        if (!strstr(options->arg, f.name)) continue;
        fputs(".TP\n\\fB", out);
        roff(out, f.name);
        fputs("\\fR\n", out);
        roff(out, f.brief);
        fputs(" (", out);
        roff(out, f.holds);
        fputs(").\n", out);
    }
    fputs(".PP\nA format that counts frames counts from the film's first picture, with its own "
          "timecode where it has one; label-studio counts the player's clock. \\-\\-fps says "
          "another rate.\nWhat a format cannot hold is an error, and nothing is written.\n.PP\n"
          "A path that is not UTF-8 keeps its bytes: in jsonl as path_bytes, in csv and fiftyone "
          "(and wherever a format has URLs) as a file: URL, in mpv-edl as it is; hf refuses it. "
          "Elsewhere, and in words, U+FFFD stands for such a byte.\n.PP\n"
          "Where a format has one line for words, a control character is a blank; in XML, which "
          "has none, it is U+FFFD. srt has no way "
          "to write what players take for tags: < > { } and the backslash become \\(fo \\(fc ( ) "
          "and /. resolve-edl leaves | out, youtube < and >.\n.PP\n"
          "Chapters of ffmetadata may overlap: ffmpeg keeps that in Matroska and NUT, and ends "
          "one where the next begins in MP4; what begins together is one chapter. With "
          "\\-\\-sidecars the file of lake.mov is lake.srt, or lake.mov.srt where another film has "
          "that name but for its ending. xmp keeps what others wrote there, and takes keywords "
          "away that were ours.\n"
          ".PP\nParquet goes through DuckDB:\n.PP\n.nf\n"
          "duckdb \\-c \"COPY (FROM read_json_auto(\\(aqhits.jsonl\\(aq)) TO "
          "\\(aqhits.parquet\\(aq\"\n.fi\n",
          out);
}

/* 1: `name` is one of the list "search,similar". */
static int is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);

    if (*list == 0 || n == 0) return *list == 0 && n == 0;
    for (const char *at = list; (at = strstr(at, name)); at++)
        if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == 0)) return 1;
    return 0;
}

static void item(FILE *out, const char *term, const char *text)
{
    fputs(".TP\n\\fB", out);
    roff(out, term);
    fputs("\\fR\n", out);
    roff(out, text);
    putc('\n', out);
}

/* --print's fields, from the table that reads them. */
static void man_print(FILE *out, const ks_option *options)
{
    ks_print_facts f;

    while (options && options->name && strcmp(options->name, "print") != 0) options++;
    if (!options || !options->name) return;
    fputs(".SH TEMPLATES\nWhat --print takes: text with {field} or {field:form} in it, \\en \\et "
          "\\e0 \\e\\e, and {{ for a brace. A line ends with "
          "a newline, under -0 with a NUL.\n",
          out);
    for (int i = 0; ks_print_about(&f, i); i++) {
        fputs(".TP\n\\fB{", out);
        roff(out, f.name);
        fputs("}\\fR\n", out);
        roff(out, f.brief);
        if (f.forms) {
            fputs("; forms: ", out);
            roff(out, f.forms);
        }
        putc('\n', out);
    }
}

static void man_json(FILE *out, const char *name)
{
    int any = 0;

    for (const ks_man_field *f = ks_man_fields; f->key; f++) {
        if (!is_listed(f->commands, name)) continue;
        if (!any++) fputs(".SH JSON\nA line an object; members are only ever added.\n", out);
        item(out, f->key, f->text);
    }
}

static void man_notes(FILE *out, const char *name)
{
    const char *section = "";

    for (const ks_man_note *n = ks_man_notes; n->section; n++) {
        if (!is_listed(n->commands, name)) continue;
        if (strcmp(n->section, section) != 0) fprintf(out, ".SH %s\n", n->section);
        else if (!n->term) fputs(".PP\n", out);
        section = n->section;
        if (n->term && *n->term) {
            item(out, n->term, n->text);
            continue;
        }
        if (n->term) fputs(".nf\n", out);
        roff(out, n->text);
        fputs(n->term ? "\n.fi\n" : "\n", out);
    }
}

static void man_title(FILE *out, const char *name)
{
    fputs(".TH \"KINOSEEK", out);
    for (const char *s = name; *s; s++) putc(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s, out);
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

static void man_exit(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        fprintf(out, ".TP\n%s\n%s\n", exit_codes[i][0], exit_codes[i][1]);
}

static void man_kinoseek(FILE *out)
{
    man_title(out, "");
    fputs(".SH NAME\nkinoseek \\- finds moments in videos by meaning\n.SH SYNOPSIS\n"
          "\\fBkinoseek\\fR [\\fIoptions\\fR] \\fICOMMAND\\fR ...\n.SH COMMANDS\n",
          out);
    for (const ks_command *const *c = ks_commands; *c; c++) {
        fprintf(out, ".TP\n\\fB%s\\fR\n", (*c)->name);
        roff(out, (*c)->brief);
        putc('\n', out);
    }
    fputs(".SH OPTIONS\nThese work before and after the command.\n", out);
    man_options(out, ks_global_options);
    man_exit(out);
    fputs(".SH ENVIRONMENT\n.TP\nXDG_DATA_HOME, XDG_CACHE_HOME\nlibraries and pulled models; packs "
          "of weights and the vectors of\nlabels (kinoseek/ in it may be deleted at any time)\n"
          ".TP\nXDG_CONFIG_HOME\nthe configuration, kinoseek/config in it\n"
          ".TP\nKINOSEEK_LIBRARY\nthe library without \\-L\n"
          ".TP\nKINOSEEK_PLAYER\nplayer of search \\-\\-open "
          "(" KS_PLAYER
          ")\n.TP\nKINOSEEK_TRANSLATE\nprogram that makes the words of search and curve "
          "English\n.TP\nNO_COLOR\nno colour, no bars in colour\n",
          out);
    man_notes(out, "");
    fputs(".SH SEE ALSO\n\\fBkinoseek\\-search\\fR(1) and the page of every other command, "
          "\\fBkinoseek\\-catalog\\fR(5)\n",
          out);
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
        if (*s == ' ') *s = '-';
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
    man_print(out, c->options);
    man_formats(out, c->options);
    man_json(out, c->name);
    man_notes(out, c->name);
    if (c->more && *c->more) {
        fputs(".SH NOTES\n.nf\n", out);
        roff(out, c->more);
        fputs("\n.fi\n", out);
    }
    man_exit(out);
    fputs(".SH SEE ALSO\n\\fBkinoseek\\fR(1)\n", out);
}
