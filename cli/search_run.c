/* search_run.c - one search from filters to lines on the screen. */
#include "cli/search_run.h"

#include "cli/out_table.h"
#include "cli/player.h"
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_out *out; /* NULL: a table for people */
    ks_out_options options;
    ks_terminal terminal;
    char *open_path; /* what --open will play */
    double open_at;
    char title[160];
} outlet;

/* --- the terms --- */
const char *const ks_term_options[KS_TERM_OPTIONS] = {"plus", "minus",  "and",    "or",    "not",
                                                      "then", "unless", "within", "image", "like"};

/* The option that was typed first among those not read yet; -1: none is left.
 * at[KS_TERM_OPTIONS]: read so far. */
static int next_option(const ks_search_fields *f, const int *at)
{
    int best = -1;

    for (int i = 0; i < KS_TERM_OPTIONS; i++)
        if (at[i] < f->terms[i].n &&
            (best < 0 || f->terms[i].order[at[i]] < f->terms[best].order[at[best]]))
            best = i;
    return best;
}

int ks_search_terms(ks_terms *terms, const ks_search_fields *f, int begun, ks_error *e)
{
    assert(terms && f && begun >= 0);
    int at[KS_TERM_OPTIONS] = {0}, i, err = 0;
    ks_question none = {0};

    *terms = (ks_terms){0};
    while (err >= 0 && (i = next_option(f, at)) >= 0)
        err = ks_question_set(&none, terms, ks_term_options[i], f->terms[i].at[at[i]++], e);
    return err < 0 ? err : begun ? 0 : ks_terms_begin(terms, e);
}

static int choose_format(ks_search_run *r, outlet *w, ks_error *e)
{
    const ks_search_fields *f = r->f;

    w->options = (ks_out_options){.rows = KS_ROWS_MOMENTS,
                                  .raw = f->raw,
                                  .nul = f->nul,
                                  .form = f->print ? f->print : "{path}",
                                  .command = w->title,
                                  .narrow = "-k"};
    if (f->html && strcmp(f->html, "-") == 0 &&
        (f->print || f->nul || f->to.json || f->to.csv || f->to.format))
        return ks_fail(e, KS_EUSAGE,
                       "--html - is a page on standard output: nothing else goes there");
    return ks_export_open(&w->out, &f->to, f->print || f->nul ? ks_find_format("print") : NULL,
                          &w->options, e);
}

int ks_search_open(ks_search_run *r, const ks_globals *g, const ks_search_fields *f,
                   const char *command, ks_error *e)
{
    assert(r && g && f);
    outlet *w = calloc(1, sizeof *w);
    int err;

    *r = (ks_search_run){.g = g,
                         .f = f,
                         .command = command,
                         .began = ks_monotonic(),
                         .several = f->queries != NULL,
                         .out = w};
    if (!w) return ks_fail(e, KS_ENOMEM, "no memory");
    snprintf(w->title, sizeof w->title, "kinoseek %s", command);
    ks_terminal_of(&w->terminal, stdout);
    if ((err = choose_format(r, w, e)) < 0 ||
        (err = ks_session_open(&r->s, g->library, &g->setup, e)) < 0 ||
        (err = ks_question_options(&r->o, r->s, &f->ask, e)) < 0)
        return err;
    if (f->closer && (ks_parse_seconds(&r->closer, f->closer) < 0 || r->closer <= 0))
        return ks_fail(e, KS_EUSAGE, "--closer takes a time such as 30s or 2m, not \"%s\"",
                       f->closer);
    r->o.k = f->ask.k > f->open ? f->ask.k : f->open > 10 ? f->open : f->ask.k;
    return 0;
}

/* --- thumbnails in the terminal --- */
static ks_pictures wanted_pictures(const ks_search_fields *f, const ks_terminal *t)
{
    if (!f->pictures || strcmp(f->pictures, "auto") == 0) return t->pictures;
    return strcmp(f->pictures, "kitty") == 0   ? KS_PICTURES_KITTY
           : strcmp(f->pictures, "sixel") == 0 ? KS_PICTURES_SIXEL
                                               : KS_PICTURES_NONE;
}

/* A picture that cannot be shown is no reason to show no line: errors end here. */
static void show_thumbnail(void *arg, const ks_moment *k)
{
    ks_search_run *r = arg;
    outlet *w = r->out;
    uint8_t *jpeg = NULL, *pixels = NULL;
    size_t bytes = 0;
    ks_image image;
    ks_decoder *d;
    ks_error ignored;

    if (k->n_clips &&
        ks_index_thumbnail(&jpeg, &bytes, ks_session_index(r->s), k->clips[0], &ignored) == 0 &&
        jpeg && ks_session_decoder(&d, r->s, &ignored) == 0 &&
        ks_thumbnail_rgb(&image, &pixels, d, jpeg, bytes, &ignored) == 0)
        ks_show_picture(stdout, wanted_pictures(r->f, &w->terminal), &image, 6);
    free(pixels);
    free(jpeg);
}

/* --- showing --- */
/* What is seen, and below it what is found by words that are written. */
typedef struct {
    ks_moment *at; /* [n]; malloc'ed, they borrow from the answer */
    int n;
} shown;

static int show_all(shown *k, const ks_answer *a, ks_error *e)
{
    k->n = a->hits.count + a->n_more;
    k->at = malloc(((size_t)k->n + 1) * sizeof *k->at);
    if (!k->at) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    if (a->hits.count) memcpy(k->at, a->at, (size_t)a->hits.count * sizeof *k->at);
    if (a->n_more) memcpy(k->at + a->hits.count, a->more, (size_t)a->n_more * sizeof *k->at);
    return 0;
}

/* Where a sentence about the answer goes: beside the moments on a terminal, never among them in
 * a pipe or file. */
static FILE *aside(const ks_search_run *r, const outlet *w)
{
    return r->g->quiet ? NULL : w->terminal.columns ? stdout : stderr;
}

static void say_nothing_found(FILE *f, const outlet *w, const ks_moment *nearest, int named)
{
    char path[PATH_MAX + 16], at[24];

    if (named) {
        fputs("Nothing here clearly looks like that; what is listed is called so.\n", f);
        return;
    }
    if (!nearest) {
        fputs("Nothing here to look through.\n", f);
        return;
    }
    ks_show_path(path, sizeof path, nearest->path,
                 w->terminal.columns ? w->terminal.columns / 2 : 0, w->terminal.utf8);
    ks_clock(at, ks_seconds(nearest->best, nearest->tb));
    fprintf(
        f,
        "Nothing here clearly looks like that. The nearest: %s %s (weak). --all shows the rest.\n",
        path, at);
}

static void say_summary(FILE *f, const ks_search_run *r, const outlet *w, const ks_hits *hits)
{
    char clips[64], hours[32];
    const char *dot = w->terminal.utf8 ? "\xc2\xb7" : "-",
               *dots = w->terminal.utf8 ? "\xe2\x80\xa6" : "...";
    int k = r->o.k > 0 ? r->o.k : 10;

    ks_counted(clips, hits->searched, "clip");
    if (hits->count < k && !hits->uncut) fprintf(f, "Nothing else stands out among %s", clips);
    else if (hits->count < k) fprintf(f, "All of %s", clips);
    else fprintf(f, "The best %d of %s", hits->count, clips);
    if (hits->seconds_searched > 0) fprintf(f, " (%s)", ks_duration(hours, hits->seconds_searched));
    fprintf(f, " %s %.0f ms", dot, (ks_monotonic() - r->began) * 1000);
    if (hits->approximate) fprintf(f, " %s approximate (--exact looks at every clip)", dot);
    if (!r->several)
        fprintf(f, " %s open one with: kinoseek %s %s --open 1", dot, r->command, dots);
    fputc('\n', f);
}

static void say_lines(FILE *f, const ks_answer *a)
{
    char all[64];
    int n = a->n_more + a->more_left;

    if (n == 0) fputs("Nobody says that here.\n", f);
    else if (a->more_left)
        fprintf(f, "The first %d of %s; -k %d shows all.\n", a->n_more, ks_counted(all, n, "line"),
                n);
    else fprintf(f, "%s.\n", ks_counted(all, n, "line"));
}

static void show_table(ks_search_run *r, outlet *w, const ks_answer *a, const shown *k)
{
    ks_table_options o = {.raw = r->f->raw, .picture_arg = r};
    FILE *f = aside(r, w);
    char left[64];

    if (r->several) printf("%s:\n", a->title);
    if (wanted_pictures(r->f, &w->terminal) != KS_PICTURES_NONE) o.picture = show_thumbnail;
    ks_show_moments(stdout, k->at, k->n, &w->terminal, &o);
    if (f && a->only_lines) say_lines(f, a);
    else if (f && a->hits.count == 0)
        say_nothing_found(f, w, a->hits.below ? &a->at[0] : NULL, a->n_more > 0);
    else if (f) say_summary(f, r, w, &a->hits);
    if (f && a->more_left && !a->only_lines)
        fprintf(f, "%s %s called so; -k %d shows %s.\n",
                ks_counted(left, a->more_left, "more film"), a->more_left == 1 ? "is" : "are",
                k->n + a->more_left, a->more_left == 1 ? "it" : "them");
    if (r->several) putchar('\n');
}

typedef struct {
    const char *path;
    int at;
} listed;

static int by_path(const void *a, const void *b)
{
    const listed *p = a, *q = b;
    int order = strcmp(p->path, q->path);

    return order ? order : p->at - q->at;
}

/* -0 alone lists files: each once, where it comes first. seen[n] = 1 where it was listed before. */
static int find_seen(char *seen, const ks_moment *k, int n, ks_error *e)
{
    listed *list = malloc(((size_t)n + 1) * sizeof *list);

    if (!list) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    for (int i = 0; i < n; i++) list[i] = (listed){k[i].path, i};
    qsort(list, (size_t)n, sizeof *list, by_path);
    for (int i = 1; i < n; i++) seen[list[i].at] = strcmp(list[i].path, list[i - 1].path) == 0;
    free(list);
    return 0;
}

/* A film's name is no moment of it: only JSON, which says how it was found, has it. */
static int write_out(outlet *w, const ks_export_fields *to, const shown *k, ks_error *e)
{
    char *seen = calloc((size_t)k->n + 1, 1);
    int err = seen ? 0 : ks_fail(e, KS_ENOMEM, "no memory for hits");
    int json = to->json || (to->format && strcmp(to->format, "jsonl") == 0);

    if (err == 0 && w->options.nul && strcmp(w->options.form, "{path}") == 0)
        err = find_seen(seen, k->at, k->n, e);
    for (int i = 0; i < k->n && err == 0; i++)
        if (!seen[i] && (json || !k->at[i].by || strcmp(k->at[i].by, "name") != 0))
            err = ks_out_entry(w->out, &k->at[i], e);
    free(seen);
    return err;
}

/* Once a run: a library without its copies (a fresh backup) is searched all the same, but
 * slowly. */
static void say_uncopied(ks_search_run *r, const ks_hits *hits)
{
    enum { NOTICED = 20000 }; /* 30 to 300 ms */
    char clips[64];

    if (hits->uncopied < NOTICED || r->g->quiet || r->said_uncopied) return;
    r->said_uncopied = 1;
    fprintf(stderr,
            "kinoseek: %s had to be read from the catalog, for want of a search copy: kinoseek "
            "compact makes one, so does the next ingest\n",
            ks_counted(clips, hits->uncopied, "clip"));
}

/* A rotten picture is none, like one that was forgotten since. */
static int thumbnail_of(void *x, uint8_t **jpeg, size_t *bytes, const ks_moment *k, ks_error *e)
{
    int err = k->n_clips ? ks_index_thumbnail(jpeg, bytes, x, k->clips[0], e) : 0;

    return err == KS_EDAMAGED ? 0 : err;
}

static int write_page(const ks_search_run *r, const ks_answer *a, ks_error *e)
{
    ks_out_target to = {.path = r->f->html, .force = r->f->to.force};
    ks_out_options options = {.rows = KS_ROWS_MOMENTS,
                              .command = a->title,
                              .picture = thumbnail_of,
                              .picture_arg = ks_session_index(r->s)};
    ks_out *page;
    int err = ks_out_open(&page, &to, ks_find_format("html"), &options, e);

    for (int i = 0; i < a->hits.count && err == 0; i++) err = ks_out_entry(page, &a->at[i], e);
    if (err == 0) err = ks_out_end(page, e);
    ks_out_close(page);
    return err;
}

static int remember_open(ks_search_run *r, outlet *w, const shown *k, ks_error *e)
{
    const ks_moment *h;

    if (!r->f->open) return 0;
    if (r->f->open > k->n)
        return k->n ? ks_fail(e, KS_EUSAGE, "--open %d: there are %d moments", r->f->open, k->n)
                    : 0;
    h = &k->at[r->f->open - 1];
    free(w->open_path);
    w->open_at = ks_seconds(h->start, h->tb);
    w->open_path = strdup(h->path);
    return w->open_path ? 0 : ks_fail(e, KS_ENOMEM, "no memory");
}

int ks_search_ask(ks_search_run *r, const ks_question *q, ks_error *e)
{
    assert(r && q);
    outlet *w = r->out;
    ks_answer a;
    shown k = {0};
    int err = r->closer > 0 ? ks_closer_run(&a, r, q, e) : ks_ask(&a, r->s, q, &r->o, e);

    if (err < 0) return err;
    snprintf(w->title, sizeof w->title, "kinoseek %s %s", r->command, a.title);
    err = show_all(&k, &a, e);
    if (err == 0 && w->out) err = write_out(w, &r->f->to, &k, e);
    else if (err == 0 && (!r->f->html || strcmp(r->f->html, "-") != 0)) show_table(r, w, &a, &k);
    if (err == 0 && r->f->html) err = write_page(r, &a, e);
    if (err == 0) err = remember_open(r, w, &k, e);
    r->found += k.n;
    say_uncopied(r, &a.hits);
    free(k.at);
    ks_answer_free(&a);
    return err;
}

int ks_search_finish(ks_search_run *r, ks_error *e)
{
    assert(r);
    outlet *w = r->out;
    int err = w->out ? ks_out_end(w->out, e) : 0;

    if (err < 0) return err;
    if (r->stopped) return ks_fail(e, KS_ESTOP, "interrupted; what was encoded is kept");
    if (w->open_path)
        return ks_open_player(r->g->settings->at[KS_SET_PLAYER].value, w->open_path, w->open_at, e);
    return r->found ? 0 : 1;
}

void ks_search_close(ks_search_run *r, int err)
{
    outlet *w = r->out;

    if (w) {
        ks_out_close(w->out);
        free(w->open_path);
        free(w);
    }
    ks_say_damage(r->s ? ks_session_index(r->s) : NULL, r->g, err);
    ks_session_close(r->s);
}

int ks_is_blank(const char *words) { return words[strspn(words, " \t\r\n")] == 0; }

char *ks_join_words(int n, char **args)
{
    size_t bytes = 1;
    char *words;

    for (int i = 0; i < n; i++) bytes += strlen(args[i]) + 1;
    if (!(words = calloc(1, bytes))) return NULL;
    for (int i = 0; i < n; i++) {
        if (i) strcat(words, " ");
        strcat(words, args[i]);
    }
    return words;
}
