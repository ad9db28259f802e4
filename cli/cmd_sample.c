/* cmd_sample.c - `sample`, `outliers`: clips that show much of a library, and clips that are
 * like no others. */
#include "cli/commands.h"
#include "cli/export_to.h"
#include "cli/terminal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int n, seed;
    const char *path, *in, *after, *before, *label;
    ks_export_fields to;
} sample_fields;

#define AT(field) offsetof(sample_fields, field)
#define SHARED                                                                                     \
    {0, "path", KS_OPT_TEXT, AT(path), "GLOB", "only files that match"},                           \
        {0, "in", KS_OPT_TEXT, AT(in), "VIDEO", "only this file, by path, name or number"},        \
        {0, "after", KS_OPT_TEXT, AT(after), "DATE", "filmed from 2019, 2019-07, 2019-07-12 on"},  \
        {0, "before", KS_OPT_TEXT, AT(before), "DATE", "filmed before that"},                      \
        {0, "label", KS_OPT_TEXT, AT(label), "NAME", "only what is labelled so (label --store)"},  \
        KS_EXPORT_JSON(sample_fields, to), KS_EXPORT_FORMAT(sample_fields, to),                    \
        KS_EXPORT_MORE(sample_fields, to)
static const ks_option sample_options[] = {
    {'n', "count", KS_OPT_COUNT, AT(n), "N", "clips (20)"},
    {0, "seed", KS_OPT_COUNT, AT(seed), "N", "another number begins elsewhere (1)"},
    SHARED,
    {0},
};
static const ks_option outlier_options[] = {
    {'n', "count", KS_OPT_COUNT, AT(n), "N", "clips (20)"},
    SHARED,
    {0},
};

typedef struct {
    ks_out *out; /* NULL: for people */
    ks_terminal terminal;
    ks_index *x;
    const ks_filter *filter;
    ks_error *e;
} showing;

static void clip_line(const showing *w, const ks_clip *c, const ks_video *v)
{
    char path[PATH_MAX + 16], from[24], to[24];

    ks_show_path(path, sizeof path, v->path, w->terminal.columns ? w->terminal.columns / 2 : 0,
                 w->terminal.utf8);
    ks_clock(from, ks_seconds(c->start, v->tb));
    ks_clock(to, ks_seconds(c->end, v->tb));
    printf("%8lld  %s - %s  %s\n", (long long)c->id, from, to, path);
}

/* near < -1: there is none. */
static int show(showing *w, const ks_clip *c, double near)
{
    char path[KS_FILM_PATH];
    ks_video v;
    ks_moment k;
    int err = ks_index_video(&v, w->x, c->video, w->e);

    if (err == KS_ENOTFOUND || err == KS_EDAMAGED) {
        ks_index_nameless(w->x, c->video);
        return 0;
    }
    if (err < 0) return err;
    (void)ks_film_path(path, w->x, &v, w->filter->path_glob, w->filter->shown);
    v.path = path;
    if (!w->out) {
        clip_line(w, c, &v);
        return 0;
    }
    ks_moment_clip(&k, c, &v);
    k.cosine = near;
    return ks_out_entry(w->out, &k, w->e);
}

static int filter_of(ks_filter *to, ks_session *s, const sample_fields *f, ks_error *e)
{
    ks_question q = {.words = "",
                     .path = f->path,
                     .in = f->in,
                     .after = f->after,
                     .before = f->before,
                     .label = f->label};
    ks_query_options o;
    int err = ks_question_options(&o, s, &q, e);

    *to = o.filter;
    return err;
}

static int choose(showing *w, int *shown, const sample_fields *f, const ks_filter *filter,
                  int outliers)
{
    int wanted = f->n > 0 ? f->n : 20, n = 0, err;
    ks_clip *clips = malloc((size_t)wanted * sizeof *clips);
    ks_outlier *rows = malloc((size_t)wanted * sizeof *rows);

    if (!clips || !rows) err = ks_fail(w->e, KS_ENOMEM, "no memory for so many clips");
    else if (outliers) err = ks_outliers(rows, &n, wanted, w->x, filter, w->e);
    else err = ks_sample(clips, &n, wanted, (uint64_t)(f->seed ? f->seed : 1), w->x, filter, w->e);
    for (int i = 0; i < n && err == 0; i++)
        err = show(w, outliers ? &rows[i].clip : &clips[i], outliers ? rows[i].near : -2);
    *shown = n;
    free(rows);
    free(clips);
    return err;
}

static int run(const ks_globals *g, const sample_fields *f, int n, char **args, int outliers,
               ks_error *e)
{
    showing w = {.e = e};
    ks_out_options out = {.rows = KS_ROWS_CLIPS,
                          .command = outliers ? "kinoseek outliers" : "kinoseek sample",
                          .narrow = "-n"};
    ks_session *s = NULL;
    ks_filter filter;
    int shown = 0, err;

    if (n > 0)
        return ks_fail(e, KS_EUSAGE, "%s: it takes no words; -n says how many, --in names a film",
                       args[0]);
    if (f->n > 1000000) return ks_fail(e, KS_EUSAGE, "-n %d: a million clips at most", f->n);
    ks_terminal_of(&w.terminal, stdout);
    if ((err = ks_export_open(&w.out, &f->to, NULL, &out, e)) == 0 &&
        (err = ks_session_open(&s, g->library, &g->setup, e)) == 0) {
        w.x = ks_session_index(s);
        if ((err = filter_of(&filter, s, f, e)) == 0 && (err = ks_index_snapshot(w.x, e)) == 0) {
            w.filter = &filter;
            err = choose(&w, &shown, f, &filter, outliers);
            ks_index_release(w.x);
        }
    }
    if (err == 0 && w.out) err = ks_out_end(w.out, e);
    ks_out_close(w.out);
    if (s) ks_say_damage(w.x, g, err);
    ks_session_close(s);
    return err < 0 ? err : shown == 0;
}

static int run_sample(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    return run(g, fields, n, args, 0, e);
}

static int run_outliers(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    return run(g, fields, n, args, 1, e);
}

extern const ks_command ks_cmd_sample, ks_cmd_outliers;
const ks_command ks_cmd_sample = {
    .name = "sample",
    .brief = "Choose clips that show as much as so many can",
    .more = "  kinoseek sample -n 200 --json > to_annotate.jsonl\n"
            "Each is as far from those before as there is one; the same seed, the same.",
    .options = sample_options,
    .fields = sizeof(sample_fields),
    .hub = KS_HUB_MIRROR,
    .run = run_sample,
};
const ks_command ks_cmd_outliers = {
    .name = "outliers",
    .brief = "List clips that are like no others",
    .more = "  kinoseek outliers -n 20 --after 2019\n"
            "Least like the clips of other films first: odd takes, test cards, black.",
    .options = outlier_options,
    .fields = sizeof(sample_fields),
    .hub = KS_HUB_MIRROR,
    .run = run_outliers,
};
