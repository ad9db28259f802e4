/* film_names.c - films as a list names them that another tool wrote, perhaps elsewhere. */
#include "session/session.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char *path;
    const char *base; /* within path */
    int64_t id;
} named;

struct ks_film_names {
    ks_index *x;
    char *folder; /* of the list; NULL: standard input */
    named *at;    /* [n] by base name, then path */
    size_t n, room;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int by_base(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int order = strcmp(x->base, y->base);
    return order ? order : strcmp(x->path, y->path);
}

static int add(ks_film_names *f, const ks_video *v, ks_error *e)
{
    if (f->n == f->room) {
        size_t room = f->room * 2 + 256;
        named *more = realloc(f->at, room * sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for the names of films");
        f->at = more;
        f->room = room;
    }
    char *path = strdup(v->path);
    if (!path) return ks_fail(e, KS_ENOMEM, "no memory for the names of films");
    f->at[f->n++] = (named){path, base_of(path), v->id};
    return 0;
}

char *ks_beside_list(const char *list, const char *name)
{
    const char *slash = list ? strrchr(list, '/') : NULL;
    char *path = NULL;
    if (name[0] == '/' || !list || strcmp(list, "-") == 0) return strdup(name);
    return asprintf(&path, "%.*s%s", slash ? (int)(slash - list) + 1 : 0, list, name) < 0 ? NULL
                                                                                          : path;
}

int ks_film_names_open(ks_film_names **out, ks_index *x, const char *list, ks_error *e)
{
    assert(out && x && list);
    ks_filter all = {0};
    ks_cursor *c = NULL;
    ks_video v;
    ks_film_names *f = *out = calloc(1, sizeof *f);
    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for the names of films");
    f->x = x;
    if (strcmp(list, "-") != 0 && !(f->folder = strdup(list)))
        return ks_fail(e, KS_ENOMEM, "no memory for the names of films");
    int err = ks_index_files(&c, x, &all, e);
    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0)
        if (*v.path) err = add(f, &v, e);
    ks_cursor_close(c);
    if (err >= 0 && f->n) qsort(f->at, f->n, sizeof *f->at, by_base);
    return err;
}

void ks_film_names_close(ks_film_names *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->n; i++) free(f->at[i].path);
    free(f->at);
    free(f->folder);
    free(f);
}

/* --- by path --- 1: it is that film, 0: no such path in the library. */
static int by_path(int64_t *id, const ks_film_names *f, const char *path, ks_error *e)
{
    char full[PATH_MAX];
    ks_video v;
    int err = 0;
    if (realpath(path, full)) err = ks_index_find(&v, f->x, full, e);
    if (err == 0 && path[0] == '/') err = ks_index_find(&v, f->x, path, e); /* its disk is away */
    if (err > 0) *id = v.id;
    return err;
}

/* --- by name --- */
/* Of two paths the parts that are the same, from the end: /old/a/x.mp4 and /new/a/x.mp4: 2. */
static int same_tail(const char *a, const char *b)
{
    const char *p = a + strlen(a), *q = b + strlen(b);
    int n = 0;
    while (p > a && q > b && p[-1] == q[-1]) {
        p--, q--;
        n += *p == '/';
    }
    return n + ((p == a || p[-1] == '/') && (q == b || q[-1] == '/') && *p != '/');
}

static size_t first_from(const ks_film_names *f, const char *base)
{
    size_t low = 0, high = f->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(f->at[middle].base, base) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The best of those that a name may mean; `other`: as good, and another film. */
typedef struct {
    const named *best, *other;
    int tail;
} choice;

static void consider(choice *c, const named *n, int tail)
{
    if (!c->best || tail > c->tail) *c = (choice){n, NULL, tail};
    else if (tail == c->tail && n->id != c->best->id && !c->other) c->other = n;
}

/* Films of that base name; of several the one whose folders are the same too. */
static choice of_base(const ks_film_names *f, const char *base, const char *path)
{
    choice c = {0};
    for (size_t i = first_from(f, base); i < f->n && strcmp(f->at[i].base, base) == 0; i++)
        consider(&c, &f->at[i], same_tail(f->at[i].path, path));
    return c;
}

/* Films called STEM.ENDING, whatever the ending. */
static choice of_stem(const ks_film_names *f, const char *stem, size_t n)
{
    choice c = {0};
    char *from = NULL;
    if (n == 0 || asprintf(&from, "%.*s.", (int)n, stem) < 0) return c;
    for (size_t i = first_from(f, from); i < f->n && strncmp(f->at[i].base, from, n + 1) == 0; i++)
        if (!strchr(f->at[i].base + n + 1, '.')) consider(&c, &f->at[i], 0);
    free(from);
    return c;
}

/* A name without its ending, if that is one: letters and digits, five at most. */
static size_t stem_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t n = dot && dot > name ? strlen(dot + 1) : 0;
    for (size_t i = 1; i <= n; i++)
        if (!isalnum((unsigned char)dot[i])) return strlen(name);
    return n > 0 && n <= 5 ? (size_t)(dot - name) : strlen(name);
}

static choice of_any_stem(const ks_film_names *f, const char *base)
{
    choice c = of_stem(f, base, strlen(base));
    size_t n = stem_length(base);
    return c.best || !base[n] ? c : of_stem(f, base, n);
}

/* Label Studio keeps an upload as 8 hex digits, a dash, and the name with blanks as '_' and
 * without what is neither letter, digit, '-', '_' nor '.' (Django's get_valid_filename). */
static int is_kept_as(const char *base, const char *upload)
{
    for (; *base; base++) {
        char c = *base == ' ' ? '_' : *base;
        if (!isalnum((unsigned char)c) && !strchr("-_.", c) && !((unsigned char)c & 0x80)) continue;
        if (*upload++ != c) return 0;
    }
    return *upload == 0;
}

static choice of_upload(const ks_film_names *f, const char *base)
{
    choice c = {0};
    if (strspn(base, "0123456789abcdef") < 8 || base[8] != '-' || !base[9]) return c;
    for (size_t i = 0; i < f->n; i++)
        if (is_kept_as(f->at[i].base, base + 9)) consider(&c, &f->at[i], 0);
    return c;
}

/* ActivityNet's films are called v_ID. */
static choice of_activitynet(const ks_film_names *f, const char *base)
{
    choice c = {0};
    char *name = NULL;
    if (asprintf(&name, "v_%s", base) < 0) return c;
    c = of_any_stem(f, name);
    free(name);
    return c;
}

static choice by_name(const ks_film_names *f, const char *name)
{
    const char *base = base_of(name);
    choice c = of_base(f, base, name);
    if (!c.best) c = of_any_stem(f, base);
    if (!c.best) c = of_upload(f, base);
    if (!c.best) c = of_activitynet(f, base);
    return c;
}

static int by_number(int64_t *id, const ks_film_names *f, const char *name, ks_error *e)
{
    char *end;
    long long number = strtoll(name, &end, 10);
    ks_video v;
    int err = *name && !*end && number > 0 ? ks_index_video(&v, f->x, number, e) : KS_ENOTFOUND;
    if (err == 0) *id = v.id;
    return err;
}

int ks_film_names_find(int64_t *id, const ks_film_names *f, const char *name, ks_error *e)
{
    assert(id && f && name);
    char *beside = f->folder ? ks_beside_list(f->folder, name) : NULL;
    int err = by_path(id, f, name, e);
    if (err == 0 && beside) err = by_path(id, f, beside, e);
    free(beside);
    if (err) return err < 0 ? err : 0;
    choice c = *name ? by_name(f, name) : (choice){0};
    if (c.other)
        return ks_fail(e, KS_EUSAGE, "%s: may be %s or %s: name it by its path", name, c.best->path,
                       c.other->path);
    if (c.best) return *id = c.best->id, 0;
    err = by_number(id, f, name, e);
    if (err != KS_ENOTFOUND) return err;
    if (ks_index_damaged(f->x) > 0)
        return ks_fail(e, KS_EDAMAGED,
                       "%s: not among the readable films of this library, which is damaged: run "
                       "kinoseek repair",
                       name);
    return ks_fail(e, KS_ENOTFOUND, "%s: not in this library", name);
}
