/* dupes.c - groups of what a library has twice, and which of each to keep. */
#include "query/dupe_films.h"

#include "query/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    ks_video v;  /* path owned */
    int missing; /* no file is there */
} copy;

typedef struct {
    ks_dupe_films d;
    copy *copies; /* [n_copies] by film, of each the one to keep first */
    int n_copies, room;
    ks_on_dupe *row;
    void *arg;
    int64_t group;
    int stopped;
} work;

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for dupes"); }

static void show(work *w, const ks_dupe *row)
{
    if (!w->stopped) w->stopped = w->row(w->arg, row);
}

static int64_t end_of(const ks_video *v) { return v->duration; }

/* --- paths of one film --- */
static int by_worth(const copy *x, const copy *y)
{
    size_t a = strlen(x->v.path), b = strlen(y->v.path);

    if (x->missing != y->missing) return x->missing - y->missing;
    if (x->v.stat.mtime_ns != y->v.stat.mtime_ns)
        return x->v.stat.mtime_ns < y->v.stat.mtime_ns ? -1 : 1;
    return a != b ? (a > b) - (a < b) : strcmp(x->v.path, y->v.path);
}

static int by_film(const void *a, const void *b)
{
    const copy *x = a, *y = b;

    if (x->v.id != y->v.id) return x->v.id < y->v.id ? -1 : 1;
    return by_worth(x, y);
}

static const char *why_kept_copy(const copy *best, const copy *next)
{
    if (best->missing != next->missing) return "the other is not where it was";
    if (best->v.stat.mtime_ns != next->v.stat.mtime_ns) return "the oldest of equal files";
    return strlen(best->v.path) != strlen(next->v.path) ? "the shortest path of equal files"
                                                        : "the first path of equal files";
}

static int is_one_file(const copy *a, const copy *b)
{
    return ks_stat_one_file(a->v.stat, b->v.stat) && a->v.stat.inode;
}

static void show_copies(work *w)
{
    for (int i = 0, to; i < w->n_copies; i = to) {
        for (to = i + 1; to < w->n_copies && w->copies[to].v.id == w->copies[i].v.id; to++) {}
        if (to - i < 2) continue;
        w->group++;
        for (int k = i; k < to; k++) {
            const ks_video *v = &w->copies[k].v;
            show(w, &(ks_dupe){.group = w->group,
                               .kind = KS_DUPES_EQUAL,
                               .video = v->id,
                               .tb = v->tb,
                               .end = end_of(v),
                               .cosine = 1,
                               .keep = k == i,
                               .path = v->path,
                               .why = k == i ? why_kept_copy(&w->copies[i], &w->copies[i + 1])
                                      : w->copies[k].missing && !w->copies[i].missing
                                          ? "not where it was"
                                      : is_one_file(&w->copies[i], &w->copies[k])
                                          ? "another name of the same file"
                                          : "the same bytes"});
        }
    }
}

static int read_copies(work *w, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_video v;
    int err = ks_index_files(&c, x, f, e);

    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0) {
        if (v.verdict != KS_VERDICT_INDEXED && v.verdict != KS_VERDICT_PARTLY) continue;
        if (w->n_copies == w->room) {
            int room = w->room * 2 + 64;
            copy *more = realloc(w->copies, (size_t)room * sizeof *more);
            if (!more) err = no_memory(e);
            if (!more) break;
            w->copies = more;
            w->room = room;
        }
        v.path = strdup(v.path);
        v.reason = "";
        w->copies[w->n_copies] = (copy){v, v.path && access(v.path, F_OK) != 0};
        if (!v.path) err = no_memory(e);
        else w->n_copies++;
    }
    ks_cursor_close(c);
    if (w->n_copies) qsort(w->copies, (size_t)w->n_copies, sizeof *w->copies, by_film);
    return err < 0 ? err : 0;
}

/* --- which film to keep --- */
static int64_t pixels(const ks_video *v) { return (int64_t)v->width * v->height; }

static int64_t seconds(const ks_dupe_film *f) { return (int64_t)llround(f->seconds); }

/* What makes a film better, in this order; 0: nothing, they are ordered by their paths. */
static int compare_films(const char **why, const ks_dupe_film *a, const ks_dupe_film *b)
{
    const ks_video *x = &a->video, *y = &b->video;

    if (x->verdict != y->verdict) {
        *why = "whole, where the others are in part";
        return x->verdict == KS_VERDICT_INDEXED ? -1 : 1;
    }
    if (pixels(x) != pixels(y)) {
        *why = "the largest picture";
        return pixels(x) > pixels(y) ? -1 : 1;
    }
    if (seconds(a) != seconds(b)) {
        *why = "the longest";
        return seconds(a) > seconds(b) ? -1 : 1;
    }
    if (x->film_date != y->film_date) {
        *why = "the oldest";
        return x->film_date < y->film_date ? -1 : 1;
    }
    *why = strlen(x->path) != strlen(y->path) ? "the shortest path" : "the first path";
    if (strlen(x->path) != strlen(y->path)) return strlen(x->path) < strlen(y->path) ? -1 : 1;
    return strcmp(x->path, y->path);
}

typedef struct {
    const ks_dupe_film *film;
    int at, within; /* within: another film holds it, and it does not hold that one */
} candidate;

static int by_quality(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    const char *why;

    if (x->within != y->within) return x->within - y->within;
    return compare_films(&why, x->film, y->film);
}

/* The film `of` holds film b. */
static int is_held(const ks_dupe_films *d, int of, int b, double *cosine)
{
    const ks_dupe_pair *p = ks_dupe_pair_of(d, of, b);

    if (!p || !(p->a == of ? p->a_holds : p->b_holds)) return 0;
    *cosine = p->cosine;
    return 1;
}

static void show_film(work *w, int kind, int at, double cosine, int keep, const char *why)
{
    const ks_dupe_film *f = &w->d.at[at];

    show(w, &(ks_dupe){.group = w->group,
                       .kind = kind,
                       .video = f->video.id,
                       .tb = f->video.tb,
                       .end = end_of(&f->video),
                       .cosine = cosine,
                       .keep = keep,
                       .path = f->video.path,
                       .why = why});
}

typedef int related(const void *arg, int of, int b, double *cosine);

/* c[n], by_quality: the first keeps all that it is related to and nobody before is, and so on. */
static void show_stars(work *w, int kind, candidate *c, int n, related *is, const void *arg)
{
    int *star = malloc(((size_t)n + 1) * sizeof *star);
    double *cosine = malloc(((size_t)n + 1) * sizeof *cosine);

    for (int i = 0; star && cosine && i < n; i++) {
        const char *why = "", *other;
        int m = 0;
        if (w->d.at[c[i].at].held) continue;
        for (int k = i + 1; k < n; k++)
            if (!w->d.at[c[k].at].held && is(arg, c[i].at, c[k].at, &cosine[m])) star[m++] = k;
        if (m == 0) continue;
        if (compare_films(&why, c[i].film, c[star[0]].film) > 0) why = "all of the others is in it";
        for (int k = 1; k < m && kind == KS_DUPES_NEAR; k++)
            if (compare_films(&other, c[i].film, c[star[k]].film) > 0)
                why = "all of the others is in it";
        w->group++;
        show_film(w, kind, c[i].at, 1, 1, why);
        for (int k = 0; k < m; k++) {
            double unused;
            w->d.at[c[star[k]].at].held = 1;
            show_film(w, kind, c[star[k]].at, cosine[k], 0,
                      kind == KS_DUPES_TAKES                     ? "another take"
                      : is(arg, c[star[k]].at, c[i].at, &unused) ? "the same pictures"
                                                                 : "a part of the one to keep");
        }
    }
    free(star);
    free(cosine);
}

/* --- what hangs together --- */
static int root_of(int *root, int i)
{
    while (root[i] != i) i = root[i] = root[root[i]];
    return i;
}

typedef struct {
    int root, at;
} member;

static int by_root(const void *a, const void *b)
{
    const member *x = a, *y = b;

    if (x->root != y->root) return x->root < y->root ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* members[n] of the films that are joined to another one, whole by whole; < 0: no memory. */
static int gather(member *members, int *root, const ks_dupe_films *d)
{
    int n = 0;

    for (int i = 0; i < d->n; i++) members[i] = (member){root_of(root, i), i};
    qsort(members, (size_t)d->n, sizeof *members, by_root);
    for (int i = 0; i < d->n; i++)
        if ((i > 0 && members[i - 1].root == members[i].root) ||
            (i + 1 < d->n && members[i + 1].root == members[i].root))
            members[n++] = members[i]; /* i >= n: what is still read stands behind */
    return n;
}

/* Of films that hang together pairs may have been overlooked: a crowded place in the index. */
enum { COMPARE_ALL = 100 };
static int complete(ks_dupe_films *d, const member *m, int n)
{
    int known = d->n_pairs;

    for (int i = 0; i < n && n <= COMPARE_ALL; i++)
        for (int k = i + 1; k < n; k++) {
            ks_dupe_films before = *d;
            before.n_pairs = known; /* sorted so far */
            if (!ks_dupe_pair_of(&before, m[i].at, m[k].at) &&
                ks_dupe_compare(d, m[i].at, m[k].at) < 0)
                return -1;
        }
    ks_dupe_sort(d);
    return 0;
}

static int near_one(const void *arg, int of, int b, double *cosine)
{
    return is_held(arg, of, b, cosine);
}

static int show_component(work *w, const member *m, int n)
{
    candidate *c = malloc((size_t)n * sizeof *c);
    double unused;

    if (!c || complete(&w->d, m, n) < 0) {
        free(c);
        return -1;
    }
    for (int i = 0; i < n; i++) {
        c[i] = (candidate){&w->d.at[m[i].at], m[i].at, 0};
        for (int k = 0; k < n && !c[i].within; k++)
            c[i].within = k != i && is_held(&w->d, m[k].at, m[i].at, &unused) &&
                          !is_held(&w->d, m[i].at, m[k].at, &unused);
    }
    qsort(c, (size_t)n, sizeof *c, by_quality);
    show_stars(w, KS_DUPES_NEAR, c, n, near_one, &w->d);
    free(c);
    return 0;
}

static int show_near(work *w, ks_error *e)
{
    ks_dupe_films *d = &w->d;
    size_t room = (size_t)d->n + 1;
    int *root = malloc(room * sizeof *root), n = 0, failed = 0;
    member *m = malloc(room * sizeof *m);

    for (int i = 0; root && i < d->n; i++) root[i] = i;
    for (int i = 0; root && i < d->n_pairs; i++)
        if (d->pairs[i].a_holds || d->pairs[i].b_holds)
            root[root_of(root, d->pairs[i].a)] = root_of(root, d->pairs[i].b);
    if (root && m && d->n) n = gather(m, root, d);
    for (int i = 0, to; i < n && !failed && !w->stopped; i = to) {
        for (to = i + 1; to < n && m[to].root == m[i].root; to++) {}
        failed = show_component(w, m + i, to - i) < 0;
    }
    failed |= !root || !m;
    free(root);
    free(m);
    return failed ? no_memory(e) : 0;
}

/* --- moments that films share which have more --- */
static int by_moment(const void *a, const void *b)
{
    const ks_dupe_pair *x = *(ks_dupe_pair *const *)a, *y = *(ks_dupe_pair *const *)b;

    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    if (x->a_from != y->a_from) return x->a_from < y->a_from ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static void show_moment(work *w, int film, int64_t from, int64_t to, double cosine)
{
    const ks_video *v = &w->d.at[film].video;

    show(w, &(ks_dupe){.group = w->group,
                       .kind = KS_DUPES_SHARED,
                       .video = v->id,
                       .tb = v->tb,
                       .start = from,
                       .end = to,
                       .cosine = cosine,
                       .keep = 1,
                       .path = v->path,
                       .why = "it has more than what is shared"});
}

static int is_same_moment(const ks_dupe_pair *p, const ks_dupe_pair *q)
{
    int64_t from = p->a_from > q->a_from ? p->a_from : q->a_from,
            to = p->a_to < q->a_to ? p->a_to : q->a_to,
            shorter = p->a_to - p->a_from < q->a_to - q->a_from ? p->a_to - p->a_from
                                                                : q->a_to - q->a_from;
    return p->a == q->a && 2 * (to - from) >= shorter;
}

static int show_shared(work *w, ks_error *e)
{
    ks_dupe_films *d = &w->d;
    const ks_dupe_pair **at = malloc(((size_t)d->n_pairs + 1) * sizeof *at);
    int n = 0;

    if (!at) return no_memory(e);
    for (int i = 0; i < d->n_pairs; i++) {
        const ks_dupe_pair *p = &d->pairs[i];
        if (!p->a_holds && !p->b_holds && p->clips && !d->at[p->a].held && !d->at[p->b].held)
            at[n++] = p;
    }
    if (n) qsort(at, (size_t)n, sizeof *at, by_moment);
    for (int i = 0; i < n; i++) {
        if (i == 0 || !is_same_moment(at[i - 1], at[i])) {
            w->group++;
            show_moment(w, at[i]->a, at[i]->a_from, at[i]->a_to, 1);
        }
        show_moment(w, at[i]->b, at[i]->b_from, at[i]->b_to, at[i]->cosine);
    }
    free(at);
    return 0;
}

/* --- takes --- */
typedef struct {
    int a, b;
    double cosine;
} take;
typedef struct {
    take *at;
    int n, room, failed;
} takes;

static int add_take(void *arg, int a, int b, double cosine)
{
    takes *t = arg;

    if (t->n == t->room) {
        int room = t->room * 2 + 64;
        take *more = realloc(t->at, (size_t)room * sizeof *more);
        if ((t->failed = !more)) return 1;
        t->at = more;
        t->room = room;
    }
    t->at[t->n++] = (take){a, b, cosine};
    return 0;
}

static int by_films(const void *x, const void *y)
{
    const take *a = x, *b = y;

    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static int take_of(const void *arg, int of, int b, double *cosine)
{
    const takes *t = arg;
    take wanted = {of < b ? of : b, of < b ? b : of, 0};
    const take *found = bsearch(&wanted, t->at, (size_t)t->n, sizeof wanted, by_films);

    if (found) *cosine = found->cosine;
    return found != NULL;
}

static int show_takes(work *w, ks_index *x, ks_error *e)
{
    float *centre = malloc(((size_t)w->d.dim + 1) * sizeof *centre);
    candidate *c = malloc(((size_t)w->d.n + 1) * sizeof *c);
    char *of = calloc((size_t)w->d.n + 1, 1); /* 1: there is a take of it */
    takes t = {0};
    int n = 0, err = centre && c && of ? ks_centre(centre, x, w->d.dim, e) : no_memory(e);

    if (err == 0) err = ks_dupe_takes(&w->d, centre, add_take, &t, e);
    if (err == 0 && t.failed) err = no_memory(e);
    for (int i = 0; i < t.n && err == 0; i++) of[t.at[i].a] = of[t.at[i].b] = 1;
    if (err == 0 && t.n) {
        qsort(t.at, (size_t)t.n, sizeof *t.at, by_films);
        for (int i = 0; i < w->d.n; i++)
            if (of[i]) c[n++] = (candidate){&w->d.at[i], i, 0};
        qsort(c, (size_t)n, sizeof *c, by_quality);
        show_stars(w, KS_DUPES_TAKES, c, n, take_of, &t);
    }
    free(t.at);
    free(of);
    free(c);
    free(centre);
    return err;
}

/* --- all --- */
static int longest_first(const void *a, const void *b)
{
    const ks_dupe_film *x = a, *y = b;

    if (x->seconds < y->seconds || x->seconds > y->seconds) return x->seconds > y->seconds ? -1 : 1;
    return (x->video.id > y->video.id) - (x->video.id < y->video.id);
}

static int open_films(work *w, ks_index *x, double pair_mean, ks_error *e)
{
    ks_library *l = malloc(sizeof *l);
    ks_dupe_films *d = &w->d;
    int err = l ? ks_index_library(l, x, e) : no_memory(e);

    d->mean = fmin(pair_mean, 0.5);
    d->dim = err == 0 ? l->space.dim : 0;
    free(l);
    if (err == 0 && !(d->at = calloc((size_t)w->n_copies + 1, sizeof *d->at))) err = no_memory(e);
    for (int i = 0; i < w->n_copies && err == 0; i++) {
        ks_dupe_film *f = &d->at[d->n];
        if (i > 0 && w->copies[i - 1].v.id == w->copies[i].v.id) continue;
        *f = (ks_dupe_film){.video = w->copies[i].v,
                            .seconds = ks_seconds(w->copies[i].v.duration, w->copies[i].v.tb)};
        if (!(f->video.path = strdup(f->video.path))) err = no_memory(e);
        else d->n++;
    }
    if (d->n) qsort(d->at, (size_t)d->n, sizeof *d->at, longest_first);
    return err;
}

int ks_dupes(ks_index *x, double pair_mean, int kinds, const ks_filter *f, ks_on_dupe *row,
             void *arg, ks_error *e)
{
    assert(x && row);
    work w = {.row = row, .arg = arg};
    int near = kinds & (KS_DUPES_NEAR | KS_DUPES_TAKES), err = read_copies(&w, x, f, e);

    if (err == 0 && kinds & KS_DUPES_EQUAL) show_copies(&w);
    if (err == 0 && near && (err = open_films(&w, x, pair_mean, e)) == 0 && w.d.dim)
        err = ks_dupe_find(&w.d, x, e);
    if (err == 0 && w.d.dim && kinds & KS_DUPES_NEAR && !w.stopped && (err = show_near(&w, e)) == 0)
        err = show_shared(&w, e);
    if (err == 0 && w.d.dim && kinds & KS_DUPES_TAKES && !w.stopped) err = show_takes(&w, x, e);
    ks_dupe_close(&w.d);
    for (int i = 0; i < w.n_copies; i++) free((char *)(uintptr_t)w.copies[i].v.path);
    free(w.copies);
    return err;
}
