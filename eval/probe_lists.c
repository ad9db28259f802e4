/* probe_lists.c - the films of a probe and their classes. */
#include "eval/lines_file.h"
#include "eval/probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int no_memory(const char *file, ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "%s: no memory for its lines", file);
}

/* A film as it was read; its class still by name. */
typedef struct {
    ks_probe_film film;
    char *class;
} line;

typedef struct {
    line *at;
    int64_t n, room;
    const char *file;
} lines;

static char *joined(const char *media, const char *path)
{
    char *out = NULL;
    if (!media || path[0] == '/') return strdup(path);
    return asprintf(&out, "%s/%s", media, path) < 0 ? NULL : out;
}

static int take(lines *l, char *text, int64_t number, const char *media, ks_error *e)
{
    char *tab = strchr(text, '\t');
    if (!tab || tab == text || tab[1] == 0 || strchr(tab + 1, '\t'))
        return ks_fail(e, KS_EFORMAT, "%s:%lld: a line is: film, a tab, its class", l->file,
                       (long long)number);
    *tab = 0;
    if (l->n == l->room) {
        int64_t room = l->room ? 2 * l->room : 256;
        line *more = realloc(l->at, (size_t)room * sizeof *more);
        if (!more) return no_memory(l->file, e);
        l->at = more;
        l->room = room;
    }
    line *new = &l->at[l->n++];
    *new = (line){.film = {.name = strdup(text), .line = number, .to = -1},
                  .class = strdup(tab + 1)};
    char *whole = joined(media, text);
    new->film.path = whole ? malloc(strlen(whole) + 1) : NULL;
    int err = new->film.name &&new->class &&new->film.path ? 0 : no_memory(l->file, e);
    ks_error why = {0};
    if (!err && ks_split_times(new->film.path, &new->film.from, &new->film.to, whole, &why) != 0)
        err = ks_fail(e, KS_EFORMAT, "%s:%lld: %.300s", l->file, (long long)number, why.msg);
    free(whole);
    return err;
}

static int read_lines(lines *l, const char *path, const char *media, ks_error *e)
{
    ks_lines f;
    char *text;
    l->file = path;
    int err = ks_lines_open(&f, path, e);
    while (!err && (err = ks_lines_next(&text, &f, e)) == 1) {
        err = 0;
        if (*text && *text != '#') err = take(l, text, f.line, media, e);
    }
    ks_lines_close(&f);
    if (!err && l->n == 0) err = ks_fail(e, KS_EFORMAT, "%s: it names no film", path);
    return err;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int find_classes(ks_probe_lists *out, const lines *train, ks_error *e)
{
    const char **names = malloc((size_t)train->n * sizeof *names);
    out->classes = calloc((size_t)train->n, sizeof *out->classes);
    int err = names && out->classes ? 0 : no_memory(train->file, e);
    for (int64_t i = 0; !err && i < train->n; i++) names[i] = train->at[i].class;
    if (!err) qsort(names, (size_t)train->n, sizeof *names, by_text);
    for (int64_t i = 0; !err && i < train->n; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0) continue;
        if (out->n_classes == 1 << 20)
            err = ks_fail(e, KS_EFORMAT, "%s: more than a million classes", train->file);
        else if (!(out->classes[out->n_classes++] = strdup(names[i])))
            err = no_memory(train->file, e);
    }
    if (!err && out->n_classes < 2)
        err = ks_fail(e, KS_EFORMAT, "%s: all films are of class '%.100s': two classes are needed",
                      train->file, names[0]);
    free(names);
    return err;
}

static int order(double a, double b) { return (a > b) - (a < b); }

static int by_lines(const ks_probe_film *x, const ks_probe_film *y)
{
    return (x->line > y->line) - (x->line < y->line);
}

/* The same file, by whatever path, and the same part of it; what is not there goes by its name. */
static int same_part(const ks_probe_film *x, const ks_probe_film *y)
{
    int o = (x->inode > y->inode) - (x->inode < y->inode);
    if (!o) o = (x->device > y->device) - (x->device < y->device);
    if (!o && !x->inode) o = strcmp(x->path, y->path);
    if (!o) o = order(x->from, y->from);
    return o ? o : order(x->to, y->to);
}

static int by_part(const void *a, const void *b)
{
    const ks_probe_film *x = *(const ks_probe_film *const *)a,
                        *y = *(const ks_probe_film *const *)b;
    int o = same_part(x, y);
    return o ? o : by_lines(x, y);
}

static int same_film(const ks_probe_film *x, const ks_probe_film *y)
{
    int o = strcmp(x->content, y->content);
    return o || *x->content ? o : strcmp(x->path, y->path);
}

static int by_film(const void *a, const void *b)
{
    const ks_probe_film *x = *(const ks_probe_film *const *)a,
                        *y = *(const ks_probe_film *const *)b;
    int o = same_film(x, y);
    return o ? o : by_lines(x, y);
}

/* The films of a list in order; malloc'ed. */
static const ks_probe_film **sorted(const ks_probe_list *list,
                                    int (*by)(const void *a, const void *b))
{
    const ks_probe_film **at = malloc((size_t)list->n * sizeof *at);
    for (int64_t i = 0; at && i < list->n; i++) at[i] = &list->at[i];
    if (at) qsort(at, (size_t)list->n, sizeof *at, by);
    return at;
}

/* Leakage is of films, not of names: links, ./ and copies are found. */
static int know_films(ks_probe_list *list, ks_error *e)
{
    for (int64_t i = 0; i < list->n; i++) {
        ks_probe_film *film = &list->at[i];
        struct stat st;
        ks_error why;
        if (stat(film->path, &st) != 0) continue;
        film->device = (uint64_t)st.st_dev;
        film->inode = (uint64_t)st.st_ino;
        int err = ks_content_of(film->content, film->path, &why);
        if (err == KS_ENOMEM) return no_memory(list->file, e);
        if (err) film->content[0] = 0;
    }
    return 0;
}

static int film_twice(const ks_probe_list *list, ks_error *e)
{
    const ks_probe_film **at = sorted(list, by_part);
    int err = at ? 0 : no_memory(list->file, e);
    for (int64_t i = 1; !err && i < list->n; i++)
        if (same_part(at[i - 1], at[i]) == 0)
            err = ks_fail(e, KS_EFORMAT,
                          "%s:%lld: film '%.200s' stands in line %lld already%s%.200s", list->file,
                          (long long)at[i]->line, at[i]->name, (long long)at[i - 1]->line,
                          strcmp(at[i]->name, at[i - 1]->name) ? ", as " : "",
                          strcmp(at[i]->name, at[i - 1]->name) ? at[i - 1]->name : "");
    free(at);
    return err;
}

static int overlap(const ks_probe_film *x, const ks_probe_film *y)
{
    return (y->to < 0 || x->from < y->to) && (x->to < 0 || y->from < x->to);
}

static int is_learnt(const ks_probe_film *train, const ks_probe_film *test)
{
    return !train->missing && same_film(train, test) == 0 && overlap(train, test);
}

/* Of what could be read. */
int ks_probe_lists_share(ks_probe_lists *l, ks_error *e)
{
    const ks_probe_film **train = sorted(&l->train, by_film), **test = sorted(&l->test, by_film);
    int err = train && test ? 0 : no_memory(l->train.file, e);
    for (int64_t i = 0, k = 0; !err && i < l->test.n; i++) {
        while (k < l->train.n && same_film(train[k], test[i]) < 0) k++;
        int64_t with = k;
        while (with < l->train.n && same_film(train[with], test[i]) == 0 &&
               !is_learnt(train[with], test[i]))
            with++;
        if (test[i]->missing || with == l->train.n || !is_learnt(train[with], test[i])) continue;
        if (l->shared++ == 0 || test[i]->line < l->shared_film->line) {
            l->shared_film = test[i];
            l->shared_with = train[with];
        }
    }
    free(test);
    free(train);
    return err;
}

/* A film that stands twice in a list is refused. */
static int compare(ks_probe_lists *l, ks_error *e)
{
    int err = know_films(&l->train, e);
    if (!err) err = know_films(&l->test, e);
    if (!err) err = film_twice(&l->train, e);
    if (!err) err = film_twice(&l->test, e);
    return err;
}

/* The films move from `from` to `list`, their classes found. */
static int settle(ks_probe_list *list, const ks_probe_lists *l, lines *from, ks_error *e)
{
    *list = (ks_probe_list){.at = calloc((size_t)from->n, sizeof *list->at), .file = from->file};
    if (!list->at) return no_memory(from->file, e);
    for (int64_t i = 0; i < from->n; i++) {
        char *const *found = bsearch(&from->at[i].class, l->classes, (size_t)l->n_classes,
                                     sizeof *found, by_text);
        if (!found)
            return ks_fail(e, KS_EFORMAT, "%s:%lld: class '%.100s' has no film in %s", from->file,
                           (long long)from->at[i].film.line, from->at[i].class, l->train.file);
        ks_probe_film *film = &list->at[list->n++];
        *film = from->at[i].film;
        film->label = (int)(found - l->classes);
        from->at[i].film = (ks_probe_film){0};
    }
    return 0;
}

static void free_film(ks_probe_film *f)
{
    free(f->name);
    free(f->path);
    free(f->kept);
}

static void free_lines(lines *l)
{
    for (int64_t i = 0; i < l->n; i++) {
        free_film(&l->at[i].film);
        free(l->at[i].class);
    }
    free(l->at);
}

int ks_probe_lists_read(ks_probe_lists *l, const ks_probe_options *o, ks_error *e)
{
    lines train = {0}, test = {0};
    *l = (ks_probe_lists){0};
    int err = read_lines(&train, o->train, o->media, e);
    if (!err) err = read_lines(&test, o->test, o->media, e);
    if (!err) err = find_classes(l, &train, e);
    if (!err) err = settle(&l->train, l, &train, e);
    if (!err) err = settle(&l->test, l, &test, e);
    if (!err) err = compare(l, e);
    free_lines(&train);
    free_lines(&test);
    return err;
}

static void free_list(ks_probe_list *list)
{
    for (int64_t i = 0; i < list->n; i++) free_film(&list->at[i]);
    free(list->at);
}

void ks_probe_lists_free(ks_probe_lists *l)
{
    free_list(&l->train);
    free_list(&l->test);
    for (int i = 0; i < l->n_classes; i++) free(l->classes[i]);
    free(l->classes);
    *l = (ks_probe_lists){0};
}
