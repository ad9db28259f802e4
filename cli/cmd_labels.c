/* cmd_labels.c - `labels [SET]`: the labels that stay, and what a person says of them. */
#include "cli/hub_library.h"
#include "cli/commands.h"
#include "cli/export_to.h"
#include "cli/moment_arg.h"
#include "cli/out_table.h"
#include "cli/span_films.h"
#include "cli/terminal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *label, *path, *in, *say, *read;
    int whole, forget;
    ks_export_fields to;
} labels_fields;

#define AT(field) offsetof(labels_fields, field)
static const ks_option options[] = {
    {0, "label", KS_OPT_TEXT, AT(label), "NAME", "only this one, and those below it"},
    {0, "say", KS_OPT_TEXT, AT(say), "MOMENT", "SET --say FILE@A-B yes|no NAME: a person's word"},
    {0, "read", KS_OPT_TEXT, AT(read), "FILE", "the same from ELAN, VIA, FiftyOne, CSV ..."},
    {0, "whole", KS_OPT_FLAG, AT(whole), NULL, "--read: what FILE lacks of its films is wrong"},
    {0, "forget", KS_OPT_FLAG, AT(forget), NULL, "take SET out of the library"},
    {0, "path", KS_OPT_TEXT, AT(path), "GLOB", "only files that match"},
    {0, "in", KS_OPT_TEXT, AT(in), "VIDEO", "only this file, by path, name or number"},
    KS_EXPORT_JSON(labels_fields, to),
    KS_EXPORT_FORMAT(labels_fields, to),
    KS_EXPORT_MORE(labels_fields, to),
    {0},
};

/* --- the sets --- */
typedef struct {
    const labels_fields *f;
    int n;
} listing;

static int show_set(void *arg, const ks_stored_set *s)
{
    listing *l = arg;
    char labels[64], spans[64], films[64];
    ks_json j;

    l->n++;
    if (!l->f->to.json) {
        printf("%-20s  %s, %s of %s, %lld said by people (%s)\n", s->name,
               ks_counted(labels, s->n, "label"), ks_counted(spans, s->spans, "span"),
               ks_counted(films, s->films, "film"), (long long)s->said, s->how);
        return 0;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "set", s->name);
    ks_json_text(&j, "how", s->how);
    ks_json_int(&j, "labels", s->n);
    ks_json_int(&j, "films", s->films);
    ks_json_int(&j, "spans", s->spans);
    ks_json_int(&j, "said", s->said);
    ks_json_close(&j);
    return 0;
}

static int list_sets(const ks_globals *g, const labels_fields *f, ks_error *e)
{
    listing l = {.f = f};
    ks_index *x = NULL;
    int err = ks_index_open(&x, g->library, KS_READ, e);

    if (err == 0) err = ks_index_sets(x, show_set, &l, e);
    if (err == 0 && l.n == 0 && !f->to.json)
        puts("No labels are kept here: kinoseek label --labels FILE --store SET keeps them.");
    ks_close_library(x, g, err);
    return err < 0 ? err : l.n == 0;
}

/* --- the spans of a set --- */
typedef struct {
    const ks_globals *g;
    const labels_fields *f;
    ks_index *x;
    ks_out *out; /* NULL: for people */
    ks_terminal terminal;
    ks_video film;
    char path[KS_FILM_PATH];
    char *shown; /* the path of the film that --in names */
    int named;   /* 0: no path of it is to be had */
    int rows, err;
    ks_error *e;
} showing;

static int take_film(showing *w, int64_t id)
{
    int err = ks_index_video(&w->film, w->x, id, w->e);

    w->named = err == 0;
    if (err == KS_ENOTFOUND) ks_index_nameless(w->x, id);
    if (err < 0 && err != KS_ENOTFOUND && err != KS_EDAMAGED) return err;
    w->film.id = id;
    *w->path = 0;
    if (err == 0) (void)ks_film_path(w->path, w->x, &w->film, w->f->path, w->shown);
    w->film.path = w->path;
    return 0;
}

static void show_span(showing *w, const ks_moment *k, int fresh)
{
    char path[PATH_MAX + 16], times[64];

    if (fresh) {
        ks_show_path(path, sizeof path, w->path, w->terminal.columns, w->terminal.utf8);
        printf("%s\n", path);
    }
    ks_show_times(times, k, w->terminal.utf8);
    printf("  %s%*s  ", times, 17 - ks_columns_of(times, w->terminal.utf8), "");
    if (k->said) printf(" said  %s\n", k->title);
    else printf("%3.0f %%  %s\n", k->score * 100, k->title);
}

static int take_mark(void *arg, const ks_label_mark *m)
{
    showing *w = arg;
    int fresh = m->video != w->film.id;
    ks_moment k;

    if (fresh && (w->err = take_film(w, m->video)) < 0) return 1;
    if (!w->named) return 0;
    k = (ks_moment){.path = w->path,
                    .title = m->label,
                    .is_label = 1,
                    .said = m->said,
                    .rank = m->rank,
                    .video = m->video,
                    .tb = w->film.tb,
                    .start = m->start,
                    .end = m->end,
                    .best = m->start,
                    .score = m->score,
                    .cosine = m->cosine};
    ks_moment_film(&k, &w->film);
    if (w->out) w->err = ks_out_entry(w->out, &k, w->e);
    else show_span(w, &k, fresh);
    w->rows++;
    return w->err < 0;
}

static int find_set(ks_index *x, const char *name, ks_error *e)
{
    int64_t set;
    uint64_t hash;
    int found = ks_index_find_set(&set, &hash, x, name, e);

    return found ? (found < 0 ? found : 0)
                 : ks_fail(e, KS_ENOTFOUND,
                           "%s: no label set is called so (kinoseek labels lists them)", name);
}

static int show_marks(showing *w, const char *set, ks_error *e)
{
    const labels_fields *f = w->f;
    ks_filter filter = {.path_glob = f->path, .label = f->label};
    int err = ks_index_snapshot(w->x, e);

    if (err < 0) return err;
    if ((err = find_set(w->x, set, e)) == 0 && f->in)
        err = ks_find_film(&filter.video, &w->shown, w->x, f->in, e);
    if (err == 0) err = ks_index_marks(w->x, set, &filter, take_mark, w, e);
    if (err == 0) err = w->err;
    ks_index_release(w->x);
    return err;
}

static int show_spans(const ks_globals *g, const labels_fields *f, const char *set, ks_error *e)
{
    showing *w = calloc(1, sizeof *w);
    ks_out_options out = {.command = "kinoseek labels", .narrow = "--in or --label"};
    int err = w ? 0 : ks_fail(e, KS_ENOMEM, "no memory for labels");

    if (err < 0) return err;
    *w = (showing){.g = g, .f = f, .e = e};
    ks_terminal_of(&w->terminal, stdout);
    if ((err = ks_export_open(&w->out, &f->to, NULL, &out, e)) == 0 &&
        (err = ks_index_open(&w->x, g->library, KS_READ, e)) == 0)
        err = show_marks(w, set, e);
    if (err == 0 && w->out) err = ks_out_end(w->out, e);
    if (err == 0 && w->rows == 0 && !w->out) puts("Nothing is labelled so.");
    ks_out_close(w->out);
    ks_close_library(w->x, g, err);
    err = err < 0 ? err : w->rows == 0;
    free(w->shown);
    free(w);
    return err;
}

/* --- a person's word --- */
static int open_set(ks_index **x, const ks_globals *g, const char *set, ks_error *e)
{
    int err = ks_keep_open(x, g, e);

    return err < 0 ? err : find_set(*x, set, e);
}

/* The words from args[0] on as one; malloc'ed. */
static char *join(int n, char **args)
{
    size_t bytes = 1;
    char *words;

    for (int i = 0; i < n; i++) bytes += strlen(args[i]) + 1;
    if (!(words = calloc(1, bytes))) return NULL;
    for (int i = 0; i < n; i++) strcat(strcat(words, i ? " " : ""), args[i]);
    return words;
}

static int say(const ks_globals *g, const labels_fields *f, int n, char **args, ks_error *e)
{
    int yes = n > 1 && strcmp(args[1], "yes") == 0, err;
    char *name = n > 2 ? join(n - 2, args + 2) : NULL;
    ks_typed_moment m;
    ks_index *x = NULL;

    if (n < 3 || (!yes && strcmp(args[1], "no") != 0)) {
        free(name);
        return ks_fail(e, KS_EUSAGE, "say it so: kinoseek labels SET --say FILE@A-B yes|no NAME");
    }
    err = name ? open_set(&x, g, args[0], e) : ks_fail(e, KS_ENOMEM, "no memory");
    if (err == 0 && (err = ks_read_moment(&m, x, f->say, e)) == 0)
        err = ks_index_say(x, args[0], name, &m.film, m.start, m.end, yes, e);
    err = ks_keep_close(x, g, err, e);
    if (err == 0 && !g->quiet)
        printf("%s: \"%s\" is %s there.\n", f->say, name, yes ? "said to be" : "said not to be");
    free(name);
    return err;
}

typedef struct {
    ks_index *x;
    const char *set;
    ks_label_mark *wrong; /* [n] what the set has of the film; its labels are owned */
    char **labels;        /* [n] */
    int n, room, failed;
} lacking;

static int take_lacking(void *arg, const ks_label_mark *m)
{
    lacking *l = arg;

    if (l->n == l->room) {
        int room = l->room * 2 + 64;
        ks_label_mark *more = realloc(l->wrong, (size_t)room * sizeof *more);
        char **labels = more ? realloc(l->labels, (size_t)room * sizeof *labels) : NULL;
        l->wrong = more ? more : l->wrong;
        l->labels = labels ? labels : l->labels;
        if ((l->failed = !labels)) return 1;
        l->room = room;
    }
    l->wrong[l->n] = *m;
    l->failed = !(l->labels[l->n] = strdup(m->label));
    l->n += !l->failed;
    return l->failed;
}

/* What the set has of one film, by the model or an earlier word, is said to be wrong; what the
 * file has is said after it. */
static int deny(lacking *l, const ks_video *v, ks_error *e)
{
    ks_filter f = {.video = v->id};
    int err = ks_index_marks(l->x, l->set, &f, take_lacking, l, e);

    if (err == 0 && l->failed) err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (int i = 0; i < l->n; i++) {
        if (err == 0)
            err = ks_index_say(l->x, l->set, l->labels[i], v, l->wrong[i].start, l->wrong[i].end, 0,
                               e);
        free(l->labels[i]);
    }
    l->n = 0;
    return err;
}

/* What a file says, in the library's terms. */
typedef struct {
    const char *file, *set;
    ks_spans s;
    int64_t *film;       /* [s.n_films]; 0: not here */
    ks_typed_moment *at; /* [s.n]; film.id 0: not here, or part of another one */
} word;

static int find_spans(word *w, ks_index *x, ks_error *e)
{
    int err = ks_span_films(&w->film, x, &w->s, w->file, e);

    for (int i = 0; i < w->s.n && err == 0; i++) {
        const ks_span *k = &w->s.at[i];
        if (!k->label[0])
            err = ks_fail(e, KS_EFORMAT, "%s: a span of %s has no label", w->file, k->film);
        else if (w->film[k->of])
            err = ks_take_span(&w->at[i], x, w->film[k->of], k->film, k->start, k->end, e);
        if (err == KS_ENOTFOUND) /* not wholly */
            w->film[k->of] = w->at[i].film.id = err = 0;
    }
    return err;
}

/* One label said of one film. */
typedef struct {
    ks_typed_moment *at;
    const char *label;
} yes;

static int by_place(const void *a, const void *b)
{
    const yes *x = a, *y = b;
    int order = strcmp(x->label, y->label);

    if (x->at->film.id != y->at->film.id) return x->at->film.id < y->at->film.id ? -1 : 1;
    if (order) return order;
    return (x->at->start > y->at->start) - (x->at->start < y->at->start);
}

/* Spans of one label that overlap are both true, and a later word would cut the one before it:
 * they are one, from the first start to the last end. */
static int join_spans(word *w, ks_error *e)
{
    yes *all = calloc((size_t)w->s.n + 1, sizeof *all), *open = NULL;
    int n = 0;

    if (!all) return ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (int i = 0; i < w->s.n; i++)
        if (w->at[i].film.id && w->s.at[i].yes) all[n++] = (yes){&w->at[i], w->s.at[i].label};
    qsort(all, (size_t)n, sizeof *all, by_place);
    for (int i = 0; i < n; i++) {
        ks_typed_moment *m = all[i].at;
        if (open && open->at->film.id == m->film.id && strcmp(open->label, all[i].label) == 0 &&
            m->start < open->at->end) {
            if (m->end > open->at->end) open->at->end = m->end;
            m->film.id = 0;
        } else open = &all[i];
    }
    free(all);
    return 0;
}

/* Each film of the file that is here, also those without a span: nothing is left of what the set
 * had. */
static int deny_films(word *w, ks_index *x, ks_error *e)
{
    lacking l = {.x = x, .set = w->set};
    ks_video v;
    int err = 0;

    for (int i = 0; i < w->s.n_films && err == 0; i++) {
        if (!w->film[i]) continue;
        err = ks_index_video(&v, x, w->film[i], e);
        v.path = v.reason = ""; /* they last until the next call */
        if (err == 0) err = deny(&l, &v, e);
        else if (err == KS_ENOTFOUND) err = 0;
    }
    free(l.wrong);
    free(l.labels);
    return err;
}

/* A set that nobody stored begins with what people say. *fresh 1: it did now. */
static int begin_set(int *fresh, ks_index *x, const char *name, ks_error *e)
{
    int64_t set;
    uint64_t hash;
    int err = ks_index_find_set(&set, &hash, x, name, e);

    *fresh = err == 0;
    if (err) return err < 0 ? err : 0;
    return ks_index_put_set(&set, NULL, x, &(ks_stored_set){.name = name, .how = "said"}, e);
}

static int say_spans(word *w, int *fresh, ks_index *x, int whole, ks_error *e)
{
    int err = ks_index_begin(x, e);

    if (err < 0) return err;
    err = begin_set(fresh, x, w->set, e);
    if (err == 0 && whole) err = deny_films(w, x, e);
    for (int i = 0; i < w->s.n && err == 0; i++)
        if (w->at[i].film.id)
            err = ks_index_say(x, w->set, w->s.at[i].label, &w->at[i].film, w->at[i].start,
                               w->at[i].end, w->s.at[i].yes, e);
    return ks_index_end(x, err, e);
}

static int read_word(word *w, const ks_globals *g, int whole, ks_error *e)
{
    ks_index *x = NULL;
    int fresh = 0, lost, here = 0, err = ks_keep_open(&x, g, e);

    if (err == 0) err = find_spans(w, x, e);
    for (int i = 0; err == 0 && i < w->s.n_films; i++) here += w->film[i] != 0;
    if (err == 0) err = join_spans(w, e);
    if (err == 0 && here) err = say_spans(w, &fresh, x, whole, e);
    err = ks_keep_close(x, g, err, e);
    if (err < 0) return err;
    lost = ks_say_lost_spans(w->file, &w->s, w->film);
    if (!here && !lost) fprintf(stderr, "kinoseek: %s: no film of it is in the library\n", w->file);
    if (!g->quiet)
        printf("%s: %d said%s.\n", w->set, w->s.n - lost, fresh ? ", in a set that is new" : "");
    return here ? 0 : 1;
}

static int read_back(const ks_globals *g, const labels_fields *f, const char *set, ks_error *e)
{
    word w = {.file = f->read, .set = set};
    double fps;
    int err = ks_list_rate(&fps, f->to.fps, e);

    if (err < 0 || (err = ks_spans_read(&w.s, f->read, fps, e)) < 0) return err;
    if (!(w.at = calloc((size_t)w.s.n + 1, sizeof *w.at)))
        err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    if (err == 0) err = read_word(&w, g, f->whole, e);
    free(w.at);
    free(w.film);
    ks_spans_free(&w.s);
    return err;
}

static int forget(const ks_globals *g, const char *set, ks_error *e)
{
    ks_index *x = NULL;
    int err = ks_keep_open(&x, g, e);

    if (err == 0) err = ks_index_drop_set(x, set, e);
    err = ks_keep_close(x, g, err, e);
    if (err == 0 && !g->quiet) printf("Forgot the labels of %s.\n", set);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const labels_fields *f = fields;

    if (f->say) return say(g, f, n, args, e);
    if (n > 1 || (n == 0 && (f->read || f->forget || f->label || f->in || f->path || f->to.format ||
                             f->to.csv)))
        return ks_fail(e, KS_EUSAGE, "name one set of labels (kinoseek labels lists them)");
    if ((f->read != NULL) + f->forget > 1 || (f->whole && !f->read))
        return ks_fail(e, KS_EUSAGE,
                       f->whole && !f->read ? "--whole goes with --read"
                                            : "name one of --say, --read, --forget");
    if (n == 0) return list_sets(g, f, e);
    return f->read     ? read_back(g, f, args[0], e)
           : f->forget ? forget(g, args[0], e)
                       : show_spans(g, f, args[0], e);
}

extern const ks_command ks_cmd_labels;
const ks_command ks_cmd_labels = {
    .name = "labels",
    .usage = "[SET]",
    .brief = "Show labels that are kept, and correct them",
    .more = "  kinoseek labels birds --format elan -o birds/\n"
            "  kinoseek labels birds --read birds/lake.eaf --whole\n"
            "  kinoseek labels birds --say lake.mp4@4:12-4:19 no heron\n"
            "A person's word beats the model's, stays, and teaches.",
    .options = options,
    .fields = sizeof(labels_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
