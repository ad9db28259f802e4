/* cmd_teach.c - `teach NAME`: a label from examples, and what it is worth. */
#include "cli/hub_library.h"
#include "cli/commands.h"
#include "cli/moment_arg.h"
#include "cli/span_films.h"
#include "cli/teach_file.h"
#include "formats/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_opt_list yes, no;
    const char *from, *fps, *export_to, *import;
    int list, forget, json, force;
} teach_fields;

#define AT(field) offsetof(teach_fields, field)
static const ks_option options[] = {
    {0, "yes", KS_OPT_LIST, AT(yes), "MOMENT", "FILE@A-B, FILE@A or #CLIP that shows it; several"},
    {0, "no", KS_OPT_LIST, AT(no), "MOMENT", "that does not; none: clips of the library stand in"},
    {0, "from", KS_OPT_TEXT, AT(from), "FILE", "examples: CSV, TSV, ELAN ... (label, answer)"},
    {0, "fps", KS_OPT_TEXT, AT(fps), "RATE", "of a FILE that counts frames and does not say it"},
    {0, "list", KS_OPT_FLAG, AT(list), NULL, "what was taught, and its worth"},
    {0, "forget", KS_OPT_FLAG, AT(forget), NULL, "take NAME and its examples out of the library"},
    {0, "export", KS_OPT_TEXT, AT(export_to), "FILE",
     "NAME as JSON, for a library of the same model"},
    {0, "import", KS_OPT_TEXT, AT(import), "FILE", "what --export wrote (as NAME, if given)"},
    {0, "force", KS_OPT_FLAG, AT(force), NULL, "let --export replace a file that is there"},
    {0, "json", KS_OPT_FLAG, AT(json), NULL, "one JSON object a label"},
    {0},
};

typedef struct {
    const ks_globals *g;
    const teach_fields *f;
    const char *name;
    ks_index *x;
    ks_library *library;
    int lost; /* moments of films that are not here */
    ks_error *e;
} teaching;

/* --- examples --- */
static int put(teaching *t, const char *text, int yes)
{
    ks_typed_moment m;
    int err = ks_read_moment(&m, t->x, text, t->e);

    return err < 0 ? err : ks_index_put_example(t->x, t->name, &m.film, m.start, m.end, yes, t->e);
}

/* The word stands behind --yes or --no, as in `--yes a@1 b@2 --no c@3`: 1, 0; -1: behind
 * neither. */
static int side_of(const ks_globals *g, const char *word)
{
    int side = -1;

    for (char **a = g->argv; *a; a++) {
        if (*a == word) return side;
        side = strncmp(*a, "--yes", 5) == 0 ? 1 : strncmp(*a, "--no", 4) == 0 ? 0 : side;
    }
    return -1;
}

static int put_words(teaching *t, int n, char **args)
{
    int err = 0;

    for (int i = 0; i < t->f->yes.n && err == 0; i++) err = put(t, t->f->yes.at[i], 1);
    for (int i = 0; i < t->f->no.n && err == 0; i++) err = put(t, t->f->no.at[i], 0);
    for (int i = 0; i < n && err == 0; i++) {
        int side = side_of(t->g, args[i]);
        err = side < 0 ? ks_fail(t->e, KS_EUSAGE,
                                 "%s: say whether it shows it: --yes or --no before it", args[i])
                       : put(t, args[i], side);
    }
    return err;
}

/* The list knows no NAME: which names it knows. */
static int say_names(const teaching *t, const ks_spans *s)
{
    enum { SAID = 8 };
    char list[300] = "";
    size_t n = 0;
    int said = 0, more = 0;

    for (int i = 0; i < s->n; i++) {
        int seen = 0;
        for (int j = 0; j < i && !seen; j++) seen = strcmp(s->at[j].label, s->at[i].label) == 0;
        if (seen) continue;
        if (said == SAID || n + strlen(s->at[i].label) + 3 > sizeof list) {
            more = 1;
            break;
        }
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", said++ ? ", " : "",
                              s->at[i].label);
    }
    return ks_fail(t->e, KS_ENOTFOUND, "%.120s: none of it is called %.40s; it names %s%s",
                   t->f->from, t->name, said ? list : "others", more ? " ..." : "");
}

static int knows(const teaching *t, const ks_spans *s)
{
    for (int i = 0; i < s->n; i++)
        if (!s->at[i].label[0] || strcmp(s->at[i].label, t->name) == 0) return 1;
    return s->n == 0;
}

/* Spans without a label, and those called so, are what they say; spans of other labels are none
 * of it. */
static int put_file(teaching *t)
{
    ks_spans s = {0};
    int64_t *film = NULL;
    double fps;
    int err = ks_list_rate(&fps, t->f->fps, t->e);

    if (err == 0) err = ks_spans_read(&s, t->f->from, fps, t->e);
    if (err == 0 && !knows(t, &s)) err = say_names(t, &s);
    if (err == 0) err = ks_span_films(&film, t->x, &s, t->f->from, t->e);
    for (int i = 0; i < s.n && err == 0; i++) {
        const ks_span *k = &s.at[i];
        int other = k->label[0] && strcmp(k->label, t->name) != 0;
        ks_typed_moment m;
        if (other && !k->yes) continue;
        if ((err = film[k->of]
                       ? ks_take_span(&m, t->x, film[k->of], k->film, k->start, k->end, t->e)
                       : KS_ENOTFOUND) == 0)
            err = ks_index_put_example(t->x, t->name, &m.film, m.start, m.end, k->yes && !other,
                                       t->e);
        else if (err == KS_ENOTFOUND) err = 0, t->lost++;
    }
    free(film);
    ks_spans_free(&s);
    return err;
}

/* --- what is said of it --- */
static void say(const teach_fields *f, const ks_learnt_row *r, int current)
{
    ks_json j;

    if (!f->json) {
        printf("%s: taught on %lld yes and %lld no in %lld film%s. ", r->name, (long long)r->yes,
               (long long)r->no, (long long)r->films, r->films == 1 ? "" : "s");
        if (r->ap >= 0)
            printf("Average precision %.2f (%.2f to %.2f), by films it was not taught on.", r->ap,
                   r->ap_low, r->ap_high);
        else
            printf("Too few to say how good it is: %d yes in %d films and %d no are needed.",
                   KS_TEACH_LEAST, KS_TEACH_FILMS, KS_TEACH_LEAST);
        puts(current ? "" : " Of another model: teach it again.");
        return;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "name", r->name);
    ks_json_int(&j, "yes", r->yes);
    ks_json_int(&j, "no", r->no);
    ks_json_int(&j, "films", r->films);
    ks_json_number(&j, "average_precision", r->ap < 0 ? (double)NAN : r->ap);
    ks_json_number(&j, "low", r->ap < 0 ? (double)NAN : r->ap_low);
    ks_json_number(&j, "high", r->ap < 0 ? (double)NAN : r->ap_high);
    ks_json_bool(&j, "current", current);
    ks_json_close(&j);
}

static int learn(teaching *t)
{
    ks_teaching how = {0};
    ks_learnt_row row;
    int err = ks_teach_kept(&row, &how, t->x, t->name, t->e);

    if ((t->lost += how.lost))
        fprintf(stderr, "kinoseek: %d example%s of films that are not in the library\n", t->lost,
                t->lost == 1 ? " is" : "s are");
    if (err < 0) return err;
    if (t->f->json || !t->g->quiet) say(t->f, &row, 1);
    if (how.stood_in && !t->g->quiet)
        fprintf(stderr,
                "kinoseek: nobody said what it is not (--no): %lld clips of the library stood in\n",
                (long long)row.no);
    return 0;
}

static int teach(teaching *t, int n, char **args)
{
    int err = ks_index_begin(t->x, t->e);

    if (err < 0) return err;
    if ((err = put_words(t, n, args)) == 0 && t->f->from) err = put_file(t);
    if (err == 0) err = learn(t);
    return ks_index_end(t->x, err, t->e);
}

/* --- the list --- */
typedef struct {
    const teach_fields *f;
    int64_t space;
    int n;
} listing;

static int list_one(void *arg, const ks_learnt_row *row)
{
    listing *l = arg;

    say(l->f, row, row->space == l->space);
    l->n++;
    return 0;
}

static int list(teaching *t)
{
    listing l = {.f = t->f, .space = t->library->space_id};
    int err = ks_index_learnt(t->x, t->name, list_one, &l, t->e);

    if (err == 0 && l.n == 0 && !t->f->json)
        puts("Nothing was taught here: kinoseek teach NAME --yes FILE@A-B --no FILE@C-D");
    return err < 0 ? err : l.n == 0;
}

static int check_fields(const teach_fields *f, int n, char **args, ks_error *e)
{
    int ways = f->list + f->forget + (f->export_to != NULL) + (f->import != NULL);

    if (ways > 1 || (ways && (f->yes.n || f->no.n || f->from || n > 1)))
        return ks_fail(e, KS_EUSAGE, "--list, --forget, --export and --import stand alone");
    if (n == 0 && !f->list && !f->import)
        return ks_fail(e, KS_EUSAGE,
                       "say what is taught: kinoseek teach NAME --yes FILE@A-B --no FILE@C-D");
    if (n > 0 && !*args[0]) return ks_fail(e, KS_EUSAGE, "a label has a name");
    return 0;
}

static int work(teaching *t, int n, char **args)
{
    const teach_fields *f = t->f;
    int err;

    if (f->list) return list(t);
    if (f->export_to)
        return ks_learnt_export(t->x, t->library, t->name, f->export_to, f->force, t->e);
    if (f->import) return ks_learnt_import(t->x, t->library, t->name, f->import, t->e);
    if (!f->forget) return teach(t, n > 0 ? n - 1 : 0, args + 1);
    if ((err = ks_index_drop_learnt(t->x, t->name, t->e)) == 0 && !t->g->quiet)
        printf("Forgot %s and its examples.\n", t->name);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    teaching t = {.g = g, .f = fields, .name = n > 0 ? args[0] : NULL, .e = e};
    int err = check_fields(t.f, n, args, e), reads = t.f->list || t.f->export_to;

    if (err < 0) return err;
    if (!(t.library = malloc(sizeof *t.library))) err = ks_fail(e, KS_ENOMEM, "no memory");
    if (err == 0)
        err = reads ? ks_index_open(&t.x, g->library, KS_READ, e) : ks_keep_open(&t.x, g, e);
    if (err == 0) err = ks_index_library(t.library, t.x, e);
    if (err == 0 && t.library->space.dim == 0)
        err = ks_fail(e, KS_ENOLIBRARY, "%s: nothing was ever ingested here", g->library);
    if (err == 0) err = work(&t, n, args);
    if (t.x) ks_say_damage(t.x, g, err);
    if (reads) ks_index_close(t.x);
    else err = ks_keep_close(t.x, g, err, e);
    free(t.library);
    return err;
}

extern const ks_command ks_cmd_teach;
const ks_command ks_cmd_teach = {
    .name = "teach",
    .usage = "NAME",
    .brief = "Teach a label by examples, and say what it is worth",
    .more = "  kinoseek teach rex --yes a.mov@0:31-0:38 b.mp4@4:12 --no a.mov@1:10\n"
            "  kinoseek label --learnt rex --intervals --store dogs\n"
            "Examples add up over calls; what labels --say said of NAME counts too.",
    .options = options,
    .fields = sizeof(teach_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
