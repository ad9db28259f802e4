/* cmd_label.c - `label --labels FILE`: which of these labels each clip bears. */
#include "cli/export_to.h"
#include "cli/label_file.h"
#include "cli/label_store.h"
#include "cli/out_table.h"
#include "cli/commands.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int k, per_video, each, intervals;
    const char *none, *store, *labels, *merge, *path, *in;
    double least;
    ks_opt_list templates, learnt;
    ks_export_fields to;
} label_fields;

#define AT(field) offsetof(label_fields, field)
static const ks_option options[] = {
    {'l', "labels", KS_OPT_TEXT, AT(labels), "FILE",
     "text, CSV or JSON, or k400, ucf101, ssv2 ..."},
    {0, "learnt", KS_OPT_LIST, AT(learnt), "NAME",
     "a label that was taught (teach); implies --each"},
    {0, "each", KS_OPT_FLAG, AT(each), NULL, "whether each: any number of labels a clip"},
    {0, "none", KS_OPT_TEXT, AT(none), "NAME", "say this where none of them fits"},
    {0, "intervals", KS_OPT_FLAG, AT(intervals), NULL, "from when to when, smoothed over time"},
    {0, "store", KS_OPT_TEXT, AT(store), "SET",
     "keep them in the library; only what is new is done"},
    {'k', "top", KS_OPT_COUNT, AT(k), "N", "labels a clip (1; --each: all that are there)"},
    {0, "per-video", KS_OPT_FLAG, AT(per_video), NULL,
     "whole videos: a label's score is its best clip's"},
    {0, "template", KS_OPT_LIST, AT(templates), "TEXT",
     "\"a video of {}.\", in place of 28 (--each: as is)"},
    {0, "least", KS_OPT_NUMBER, AT(least), "SCORE", "leave out scores below (0; --each: 0.5)"},
    {0, "merge", KS_OPT_TEXT, AT(merge), "on|off", "join clips of equal label (on)"},
    {0, "path", KS_OPT_TEXT, AT(path), "GLOB", "only files that match"},
    {0, "in", KS_OPT_TEXT, AT(in), "VIDEO", "only this file, by path, name or number"},
    KS_EXPORT_JSON(label_fields, to),
    KS_EXPORT_FORMAT(label_fields, to),
    KS_EXPORT_MORE(label_fields, to),
    {0},
};

typedef struct {
    const label_fields *f;
    const char *const *labels;
    ks_index *x;
    ks_out *out;           /* NULL: for people */
    ks_label_store *store; /* NULL: they are shown alone */
    ks_terminal terminal;
    char *shown;  /* the path of the film that --in names */
    int64_t last; /* film of the last row */
    ks_video film;
    int rows, left_out, err;
    ks_error *e;
} labelling;

static void show(labelling *l, const ks_label_row *row, const ks_moment *k)
{
    char path[PATH_MAX + 16], times[64];

    if (row->video != l->last) {
        ks_show_path(path, sizeof path, row->path, l->terminal.columns, l->terminal.utf8);
        printf("%s\n", path);
    }
    ks_show_times(times, k, l->terminal.utf8);
    printf("  %s%*s  %3.0f %%  %s\n", times, 17 - ks_columns_of(times, l->terminal.utf8), "",
           row->score * 100, k->title);
}

static int take_row(void *arg, const ks_label_row *row)
{
    labelling *l = arg;
    ks_moment k;

    if (row->score < l->f->least) {
        l->left_out++;
        return 0;
    }
    if (l->store && (l->err = ks_label_store_row(l->store, row, l->e)) < 0) return 1;
    l->rows++;
    if (l->store && !l->out) return 0;
    if (row->video != l->film.id && (l->err = ks_index_video(&l->film, l->x, row->video, l->e)) < 0)
        return 1;
    k = (ks_moment){.path = row->path,
                    .title = row->label < 0 ? l->f->none : l->labels[row->label],
                    .is_label = 1,
                    .rank = row->rank,
                    .video = row->video,
                    .tb = row->tb,
                    .start = row->start,
                    .end = row->end,
                    .best = row->start,
                    .score = row->score,
                    .cosine = row->cosine};
    ks_moment_film(&k, &l->film);
    if (l->out) l->err = ks_out_entry(l->out, &k, l->e);
    else show(l, row, &k);
    l->last = row->video;
    return l->err < 0;
}

static int is_due(void *arg, const ks_video *v)
{
    labelling *l = arg;
    int due = ks_label_store_due(l->store, v, l->e);

    l->err = due < 0 ? due : l->err;
    return due > 0;
}

static int film_done(void *arg, const ks_video *v)
{
    labelling *l = arg;
    return (l->err = ks_label_store_film(l->store, v, l->e)) < 0;
}

static void defaults(void *fields) { ((label_fields *)fields)->least = -1; } /* not given */

static int check_fields(const label_fields *f, int n, char **args, ks_error *e)
{
    if (n > 0)
        return ks_fail(e, KS_EUSAGE,
                       "%s: it takes no words; --labels names the file of labels, --in a film",
                       args[0]);
    if (!f->labels && !f->learnt.n)
        return ks_fail(e, KS_EUSAGE, "say which labels: kinoseek label --labels FILE");
    if (f->intervals && (f->per_video || f->k))
        return ks_fail(
            e, KS_EUSAGE,
            "--intervals are of a film's whole length: --per-video and -k do not go with them");
    if (f->store && (!*f->store || strpbrk(f->store, "\n\t")))
        return ks_fail(e, KS_EUSAGE, "--store takes a name for the set");
    if (f->none && !*f->none)
        return ks_fail(e, KS_EUSAGE, "--none takes a name for what none of the labels fits");
    for (int i = 0; i < f->templates.n; i++)
        if (!strstr(f->templates.at[i], "{}"))
            return ks_fail(e, KS_EUSAGE, "--template \"%s\" has no {} for the label",
                           f->templates.at[i]);
    return 0;
}

/* What is asked: the file's labels, then the taught ones. */
typedef struct {
    ks_label_set set;
    const char **names; /* [n] */
    ks_label_def *defs; /* [n] */
    ks_learnt *learnt;  /* [n_learnt] */
    int n, n_learnt, dim;
    int64_t space;
    ks_error *e;
    int err;
} asked;

static void free_asked(asked *a)
{
    for (int i = 0; i < a->n_learnt; i++) free((float *)(uintptr_t)a->learnt[i].w);
    free(a->learnt);
    free(a->names);
    free(a->defs);
    ks_label_set_free(&a->set);
}

static int take_learnt(void *arg, const ks_learnt_row *row)
{
    asked *a = arg;
    float *w = NULL;

    if (row->space != a->space || row->dim != a->dim)
        a->err = ks_fail(a->e, KS_ESPACE,
                         "%s: it was taught on another model: kinoseek teach %s teaches it again",
                         row->name, row->name);
    else if (!(w = malloc((size_t)row->dim * sizeof *w)))
        a->err = ks_fail(a->e, KS_ENOMEM, "no memory for labels");
    if (a->err < 0) return 1;
    memcpy(w, row->w, (size_t)row->dim * sizeof *w);
    a->learnt[a->n_learnt] = (ks_learnt){.w = w, .bias = row->bias};
    a->defs[a->n].learnt = &a->learnt[a->n_learnt++];
    return 1;
}

static int add_learnt(asked *a, const ks_opt_list *names, const char *library, ks_error *e)
{
    ks_library *row = malloc(sizeof *row);
    ks_index *x = NULL;
    int err = row ? ks_index_open(&x, library, KS_READ, e) : ks_fail(e, KS_ENOMEM, "no memory");

    if (err == 0 && (err = ks_index_library(row, x, e)) == 0) {
        a->space = row->space_id;
        a->dim = row->space.dim;
        a->e = e;
    }
    for (int i = 0; i < names->n && err == 0; i++) {
        int before = a->n_learnt;
        a->defs[a->n] = (ks_label_def){.name = names->at[i], .parent = ""};
        if ((err = ks_index_learnt(x, names->at[i], take_learnt, a, e)) == 0) err = a->err;
        if (err == 0 && a->n_learnt == before)
            err = ks_fail(e, KS_ENOTFOUND,
                          "%s: no label was taught under that name (kinoseek teach --list)",
                          names->at[i]);
        a->names[a->n++] = names->at[i];
    }
    ks_index_close(x);
    free(row);
    return err;
}

static int read_asked(asked *a, const ks_globals *g, const label_fields *f, ks_error *e)
{
    int err = f->labels ? ks_read_label_file(&a->set, &g->setup, f->labels, e) : 0;
    size_t room = (size_t)a->set.n + (size_t)f->learnt.n + 1;

    if (err < 0) return err;
    a->names = calloc(room, sizeof *a->names);
    a->defs = calloc(room, sizeof *a->defs);
    a->learnt = calloc(room, sizeof *a->learnt);
    if (!a->names || !a->defs || !a->learnt) return ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (; a->n < a->set.n; a->n++) {
        a->defs[a->n] = a->set.at[a->n];
        a->names[a->n] = a->set.at[a->n].name;
    }
    return f->learnt.n ? add_learnt(a, &f->learnt, g->library, e) : 0;
}

static void options_of(ks_label_options *o, const label_fields *f, const asked *a)
{
    *o = (ks_label_options){.labels = a->names,
                            .n_labels = a->n,
                            .defs = a->defs,
                            .k = f->k,
                            .per_video = f->per_video,
                            .apart = f->merge && strcmp(f->merge, "off") == 0,
                            .filter = {.path_glob = f->path},
                            .each = f->each || f->learnt.n > 0,
                            .none = f->none != NULL,
                            .intervals = f->intervals,
                            .least = f->least < 0   ? 0
                                     : f->least > 0 ? f->least
                                                    : -1,
                            .templates = f->templates.n ? f->templates.at : a->set.templates,
                            .n_templates = f->templates.n ? f->templates.n : a->set.n_templates};
}

static int label_all(labelling *l, const ks_globals *g, ks_label_options *o, ks_error *e)
{
    ks_session *s = NULL;
    ks_encoder *enc = NULL;
    int err = l->f->store ? ks_label_store_open(&l->store, g, l->f->store, o, l->f->none, e) : 0;

    if (l->store) {
        o->due = is_due;
        o->done = film_done;
    }
    if (err == 0) err = ks_session_open(&s, g->library, &g->setup, e);

    if (err == 0) l->x = ks_session_index(s);
    if (err == 0 && l->f->in) err = ks_find_film(&o->filter.video, &l->shown, l->x, l->f->in, e);
    o->filter.shown = l->shown;
    if (err == 0) err = ks_session_encoder(&enc, s, KS_TOWER_TEXT, e);
    if (err == 0 && (o->each || o->none || o->intervals)) err = ks_session_scale(&o->scale, s, e);
    if (err == 0) err = ks_label(l->x, enc, o, take_row, l, e);
    if (err == 0) err = l->err;
    if (err == 0 && l->store &&
        (err = ks_label_store_end(l->store, !l->f->path && !l->f->in, e)) == 0 && !g->quiet)
        ks_label_store_say(l->out ? stderr : stdout, l->store);
    if (s) ks_say_damage(l->x, g, err);
    ks_session_close(s);
    return ks_label_store_close(l->store, err, e);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const label_fields *f = fields;
    asked a = {0};
    ks_label_options o;
    ks_out_options out = {.command = "kinoseek label", .narrow = "--in or --path"};
    labelling l = {.f = f, .e = e};
    int err = check_fields(f, n, args, e);

    if (err < 0) return err;
    ks_terminal_of(&l.terminal, stdout);
    if ((err = read_asked(&a, g, f, e)) == 0 &&
        (err = ks_export_open(&l.out, &f->to, NULL, &out, e)) == 0) {
        l.labels = a.names;
        options_of(&o, f, &a);
        err = label_all(&l, g, &o, e);
    }
    if (err == 0 && l.out) err = ks_out_end(l.out, e);
    if (err == 0 && l.rows == 0 && !f->store) {
        if (!l.out)
            puts(l.left_out ? "No label scores as high as that." : "Nothing here to label.");
        err = 1;
    }
    ks_out_close(l.out);
    free(l.shown);
    free_asked(&a);
    return err;
}

extern const ks_command ks_cmd_label;
const ks_command ks_cmd_label = {
    .name = "label",
    .usage = "--labels FILE",
    .brief = "Say which of your labels each clip bears",
    .more = "  kinoseek label --labels sports.txt -k 3 --csv > labels.csv\n"
            "  kinoseek label --labels birds.csv --intervals --each --none 'no bird'\n"
            "Scores are a softmax over the labels: which of these. With --each they say\n"
            "whether: 0.5 where it is said to be there.",
    .options = options,
    .spooled = 1,
    .fields = sizeof(label_fields),
    .defaults = defaults,
    .hub = KS_HUB_MIRROR,
    .run = run,
};
