/* cmd_curve.c - `curve VIDEO WORDS`: how well the words fit along one film. */
#include "cli/commands.h"
#include "cli/curve_plot.h"
#include "cli/search_run.h"
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int json, csv, force;
    const char *svg, *translate;
    ks_opt_list plus, minus;
} curve_fields;

#define AT(field) offsetof(curve_fields, field)
static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, AT(json), NULL, "a JSON line a kept frame: t, score, cosine"},
    {0, "csv", KS_OPT_FLAG, AT(csv), NULL, "the same as a table for spreadsheets"},
    {0, "svg", KS_OPT_TEXT, AT(svg), "FILE", "draw it there; - is standard output"},
    {0, "plus", KS_OPT_LIST, AT(plus), "TERM", "words, @FILE[@T] or #CLIP, added to the words"},
    {0, "minus", KS_OPT_LIST, AT(minus), "TERM", "taken away from them"},
    {0, "translate", KS_OPT_TEXT, AT(translate), "CMD", "a program that makes the words English"},
    {0, "force", KS_OPT_FLAG, AT(force), NULL, "let --svg replace a file that is there"},
    {0},
};

static void print_rows(const ks_curve *c, int csv)
{
    ks_json j;

    ks_json_start(&j, stdout);
    if (csv) puts("t,score,cosine");
    for (int i = 0; i < c->n; i++) {
        const ks_curve_point *p = &c->at[i];
        if (csv) {
            printf("%.3f,%.6g,%.6g\n", ks_seconds(p->at, c->tb), p->score, p->cosine);
            continue;
        }
        ks_json_open(&j, NULL, '{');
        ks_json_seconds(&j, "t", ks_seconds(p->at, c->tb));
        ks_json_number(&j, "score", p->score);
        ks_json_number(&j, "cosine", p->cosine);
        ks_json_close(&j);
    }
}

static int write_svg(const ks_curve *c, const curve_fields *f, const char *title, ks_error *e)
{
    ks_user_file file;
    int err = ks_user_file_open(&file, f->svg, f->force, e);

    if (err < 0) return err;
    ks_curve_svg(file.f, c, title);
    if ((err = ks_user_file_publish(&file, e)) < 0) ks_user_file_drop(&file);
    return err;
}

static int show(const ks_curve *c, const curve_fields *f, const char *title, ks_error *e)
{
    ks_terminal t;
    int err = f->svg ? write_svg(c, f, title, e) : 0;

    if (err == 0 && c->n == 0) fputs("kinoseek: no frame of it is in the library\n", stderr);
    if (err < 0 || c->n == 0) return err;
    if (f->json || f->csv) print_rows(c, f->csv);
    else if (!f->svg) {
        ks_terminal_of(&t, stdout);
        if ((err = ks_plot_curve(stdout, c, &t, e)) == 0) ks_say_peaks(stdout, c, &t);
    }
    return err;
}

/* The words, and the file's own name; malloc'ed. */
static char *title_of(const char *words, ks_index *x, int64_t video)
{
    ks_video v;
    ks_error ignored;
    char *title = NULL;
    const char *path = ks_index_video(&v, x, video, &ignored) == 0 ? v.path : "";

    return asprintf(&title, "%s \xc2\xb7 %s", words, ks_base_name(path)) < 0 ? NULL : title;
}

static int draw(ks_curve *c, const ks_globals *g, const curve_fields *f, const ks_question *q,
                ks_error *e)
{
    ks_session *s = NULL;
    char *title = NULL;
    int err = ks_session_open(&s, g->library, &g->setup, e);

    if (err == 0) err = ks_ask_curve(c, s, q, e);
    if (err == 0 && !(title = title_of(q->words, ks_session_index(s), c->video)))
        err = ks_fail(e, KS_ENOMEM, "no memory for a title");
    if (err == 0) err = show(c, f, title, e);
    free(title);
    ks_say_damage(s ? ks_session_index(s) : NULL, g, err);
    ks_session_close(s);
    return err < 0 ? err : c->n == 0;
}

static int read_terms(ks_terms *terms, const curve_fields *f, ks_error *e)
{
    int err = 0;

    for (int i = 0; i < f->plus.n && err >= 0; i++)
        err = ks_terms_add(terms, "plus", f->plus.at[i], e);
    for (int i = 0; i < f->minus.n && err >= 0; i++)
        err = ks_terms_add(terms, "minus", f->minus.at[i], e);
    return err < 0 ? err : 0;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const curve_fields *f = fields;
    ks_curve c = {0};
    ks_terms terms = {0};
    char *words;
    int err;

    if (n < 2)
        return ks_fail(
            e, KS_EUSAGE,
            "name a film and say what to look for: kinoseek curve lake.mp4 a dog jumping");
    if (!!f->json + !!f->csv + (f->svg && strcmp(f->svg, "-") == 0) > 1)
        return ks_fail(e, KS_EUSAGE, "name one of --json, --csv, --svg -");
    if (!(words = ks_join_words(n - 1, args + 1)))
        return ks_fail(e, KS_ENOMEM, "no memory for a query");
    if (ks_is_blank(words))
        err = ks_fail(e, KS_EUSAGE, "the words are empty: kinoseek curve lake.mp4 a dog jumping");
    else err = read_terms(&terms, f, e);
    if (err == 0)
        err = draw(&c, g, f,
                   &(ks_question){
                       .words = words, .terms = &terms, .translate = f->translate, .in = args[0]},
                   e);
    ks_terms_free(&terms);
    ks_curve_free(&c);
    free(words);
    return err;
}

extern const ks_command ks_cmd_curve;
const ks_command ks_cmd_curve = {
    .name = "curve",
    .usage = "VIDEO WORDS...",
    .brief = "Draw how well words fit along one film",
    .more = "  kinoseek curve lake.mp4 a dog jumping into water\n"
            "  kinoseek curve lake.mp4 sunset --json | jq 'select(.score > 0.5).t'\n"
            "VIDEO is a film of the library, by path, name or number.",
    .options = options,
    .fields = sizeof(curve_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
