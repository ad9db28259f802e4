/* cmd_cut.c - `cut`: moments into files of their own. */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const char *to, *list;
    double pad;
    int reencode, json;
} cut_fields;

static const ks_option options[] = {
    {0, "to", KS_OPT_TEXT, offsetof(cut_fields, to), "DIR", "folder for the pieces (made if absent)"},
    {0, "hits", KS_OPT_TEXT, offsetof(cut_fields, list), "FILE", "lines of search --json; - for standard input"},
    {0, "pad", KS_OPT_NUMBER, offsetof(cut_fields, pad), "SECONDS", "this much before and after too (0)"},
    {0, "reencode", KS_OPT_FLAG, offsetof(cut_fields, reencode), NULL, "exact to the frame; else from the key frame before"},
    {0, "json", KS_OPT_FLAG, offsetof(cut_fields, json), NULL, "one JSON object a piece"},
    {0},
};

typedef struct {
    const ks_globals *g;
    const cut_fields *f;
    ks_decoder *decoder;
    int made, failed;
} cutting;

/* DIR/03-lake-0h04m12s.mp4: sorts as the hits did. A copy stays in the film's own container. */
static void name_piece(char *out, size_t room, const cutting *c, const char *path, double from)
{
    const char *name = ks_base_name(path), *dot = strrchr(name, '.');
    int stem = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
    int s = (int)fmin(floor(from), 1e6);
    size_t folder = strlen(c->f->to);

    for (stem = stem > 150 ? 150 : stem; stem > 0 && ((unsigned char)name[stem] & 0xc0) == 0x80;)
        stem--; /* not within a character */

    snprintf(out, room, "%s%s%02d-%.*s-%dh%02dm%02ds%s", c->f->to, folder && c->f->to[folder - 1] == '/' ? "" : "/", c->made + c->failed + 1,
             stem, name, s / 3600, s / 60 % 60, s % 60, c->f->reencode ? ".mp4" : dot && dot > name ? dot : ".mkv");
}

/* Times as they are written are whole milliseconds: the first frame of a moment may lie half of one before, or behind,
 * and so may the first frame that is no more of it. A copy looks for the key frame at or before the start. */
static const double rounding = 0.0005;

static int cut_one(cutting *c, const char *path, double start, double end, ks_error *e)
{
    double from = fmax(start - c->f->pad, 0), to = end + c->f->pad;
    char piece[PATH_MAX], shown[PATH_MAX + 16], *real;
    int err;
    ks_json j;

    name_piece(piece, sizeof piece, c, path, from);
    err = ks_cut(c->decoder, path, piece, fmax(from + (c->f->reencode ? -rounding : rounding), 0), to - rounding, c->f->reencode, e);
    if (err < 0) {
        if (err == KS_EIO || err == KS_ENOMEM || err == KS_ESTOP) /* the next one would fail likewise */
            return err;
        fprintf(stderr, "kinoseek: %s\n", e->msg);
        c->failed++;
        return 0;
    }
    c->made++;
    if (!c->f->json) {
        ks_show_path(shown, sizeof shown, piece, 0, 1);
        puts(shown);
        return 0;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_path(&j, "file", piece);
    real = realpath(path, NULL);
    ks_json_path(&j, "path", real ? real : path);
    free(real);
    ks_json_seconds(&j, "start", from);
    ks_json_seconds(&j, "end", to);
    ks_json_close(&j);
    return 0;
}

/* FILE@START-END: a file of that whole name is not what is meant, there must be times. */
static int cut_word(cutting *c, const char *word, ks_error *e)
{
    char *file = strdup(word), *at = file ? strrchr(file, '@') : NULL, *dash = at ? strchr(at, '-') : NULL;
    double start, end;
    int err;

    if (!file)
        return ks_fail(e, KS_ENOMEM, "no memory");
    if (dash)
        *dash = 0;
    if (!dash || ks_parse_seconds(&start, at + 1) < 0 || ks_parse_seconds(&end, dash + 1) < 0 || end <= start) {
        err = ks_fail(e, KS_EUSAGE, "%s: say from when to when: lake.mp4@4:12-4:19", word);
    } else {
        *at = 0;
        err = access(file, R_OK) == 0 ? cut_one(c, file, start, end, e) : ks_fail(e, KS_ENOTFOUND, "%s: %s", file, strerror(errno));
    }
    free(file);
    return err;
}

/* The path's bytes: "path_bytes" in base64 where the path is not UTF-8. Returns malloc'ed, NULL: neither. */
static char *path_of(const json_t *hit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *coded = json_string_value(json_object_get(hit, "path_bytes")), *plain = json_string_value(json_object_get(hit, "path"));
    char *path, *to;
    unsigned bits = 0, n = 0;

    if (!coded)
        return plain ? strdup(plain) : NULL;
    if (!(path = to = malloc(strlen(coded) + 1)))
        return NULL;
    for (; *coded && *coded != '='; coded++) {
        const char *digit = strchr(digits, *coded);
        if (!digit) {
            free(path);
            return NULL;
        }
        bits = bits << 6 | (unsigned)(digit - digits);
        if ((n += 6) >= 8)
            *to++ = (char)(bits >> (n -= 8));
    }
    *to = 0;
    return path;
}

static int cut_lines(cutting *c, const char *list, ks_error *e)
{
    FILE *f = strcmp(list, "-") == 0 ? stdin : fopen(list, "r");
    char *line = NULL;
    size_t room = 0;
    int err = 0;

    if (!f)
        return ks_fail(e, KS_ENOTFOUND, "%s: %s", list, strerror(errno));
    while (err == 0 && getline(&line, &room, f) > 0) {
        json_t *hit = json_loads(line, 0, NULL);
        json_t *start = json_object_get(hit, "start"), *end = json_object_get(hit, "end");
        char *path = path_of(hit);
        if (path && json_is_number(start) && json_is_number(end))
            err = cut_one(c, path, json_number_value(start), json_number_value(end), e);
        else
            err = ks_fail(e, KS_EFORMAT, "%s: not a line of search --json: %.*s", list, (int)strcspn(line, "\n"), line);
        free(path);
        json_decref(hit);
    }
    free(line);
    if (f != stdin)
        fclose(f);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    cutting c = {.g = g, .f = fields};
    int err;

    if (!c.f->to || (n == 0) == (c.f->list == NULL))
        return ks_fail(e, KS_EUSAGE, "say what and where to: kinoseek cut lake.mp4@4:12-4:19 --to pieces");
    if (mkdir(c.f->to, 0777) < 0 && errno != EEXIST)
        return ks_fail(e, KS_EIO, "%s: %s", c.f->to, strerror(errno));
    if ((err = ks_open_decoder(&c.decoder, &g->setup, e)) < 0)
        return err;
    if (c.f->list)
        err = cut_lines(&c, c.f->list, e);
    for (int i = 0; i < n && err == 0; i++)
        err = cut_word(&c, args[i], e);
    ks_decoder_stop(c.decoder);
    if (err < 0)
        return err;
    if (c.made + c.failed == 0)
        return 1;
    return c.failed == 0 ? 0 : c.made ? 3 : 4;
}

extern const ks_command ks_cmd_cut;
const ks_command ks_cmd_cut = {
    .name = "cut",
    .usage = "FILE@START-END... --to DIR",
    .brief = "Cut moments into files of their own",
    .more = "  kinoseek search goal --json | kinoseek cut --hits - --pad 1.5 --to goals\n"
            "Without --reencode the pictures are copied, from the key frame before the start.",
    .options = options,
    .fields = sizeof(cut_fields),
    .alone = 1,
    .run = run,
};
