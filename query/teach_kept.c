/* teach_kept.c - a label learnt from what the catalog keeps of it: examples, and people's words. */
#include "query/query.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    ks_index *x;
    float *v; /* [n, dim] */
    int8_t *yes;
    int64_t *film;
    int64_t (*span)[2]; /* [n] of the moment, for who stands in */
    int n, room, dim;
    int lost, err;
    ks_error *e;
} teaching;

static int grow(teaching *t)
{
    int room = t->room * 2 + 64;
    float *v = realloc(t->v, (size_t)room * (size_t)t->dim * sizeof *v);
    int8_t *yes = v ? realloc(t->yes, (size_t)room * sizeof *yes) : NULL;
    int64_t *film = yes ? realloc(t->film, (size_t)room * sizeof *film) : NULL;
    int64_t(*span)[2] = film ? realloc(t->span, (size_t)room * sizeof *span) : NULL;

    t->v = v ? v : t->v;
    t->yes = yes ? yes : t->yes;
    t->film = film ? film : t->film;
    t->span = span ? span : t->span;
    if (!span) return ks_fail(t->e, KS_ENOMEM, "no memory for examples");
    t->room = room;
    return 0;
}

/* A moment that was an example already is one: the last word for it counts. */
static int place_of(const teaching *t, const ks_label_mark *m)
{
    for (int i = 0; i < t->n; i++)
        if (t->film[i] == m->video && t->span[i][0] == m->start && t->span[i][1] == m->end)
            return i;
    return t->n;
}

static int take(void *arg, const ks_label_mark *m, int yes)
{
    teaching *t = arg;
    int at = place_of(t, m);

    if (at == t->room && (t->err = grow(t)) < 0) return 1;
    if (at == t->n && (t->err = ks_moment_vector(t->v + (size_t)at * (size_t)t->dim, t->x, t->dim,
                                                 m->video, m->start, m->end, t->e)) <= 0) {
        t->lost += t->err == 0;
        return t->err < 0;
    }
    t->err = 0;
    t->yes[at] = yes != 0;
    t->film[at] = m->video;
    t->span[at][0] = m->start;
    t->span[at][1] = m->end;
    t->n += at == t->n;
    return 0;
}

static int gather(teaching *t)
{
    int err = ks_index_said(t->x, t->name, take, t, t->e);

    if (err == 0 && t->err == 0) err = ks_index_examples(t->x, t->name, take, t, t->e);
    return err < 0 ? err : t->err;
}

static int overlaps_yes(const teaching *t, const ks_clip *c)
{
    for (int i = 0; i < t->n; i++)
        if (t->yes[i] && t->film[i] == c->video && t->span[i][0] < c->end &&
            t->span[i][1] > c->start)
            return 1;
    return 0;
}

/* Nobody said what it is not: clips spread over the library, which mostly are not. */
static int stand_in(teaching *t)
{
    enum { MOST = 200 };
    ks_clip clips[MOST];
    int n = 0, yes = t->n, wanted = 3 * yes < 50 ? 50 : 3 * yes < MOST ? 3 * yes : MOST, err;

    if ((err = ks_index_sample(clips, &n, wanted, t->x, t->e)) < 0) return err;
    for (int i = 0; i < n && t->err == 0; i++)
        if (!overlaps_yes(t, &clips[i]))
            take(t,
                 &(ks_label_mark){
                     .video = clips[i].video, .start = clips[i].start, .end = clips[i].end},
                 0);
    return t->err;
}

static int count_films(const teaching *t)
{
    int films = 0;

    for (int i = 0; i < t->n; i++) {
        int again = 0;
        for (int k = 0; k < i && !again; k++) again = t->film[k] == t->film[i];
        films += !again;
    }
    return films;
}

static int learn(ks_learnt_row *row, ks_teaching *how, teaching *t)
{
    float *centre = malloc((size_t)t->dim * sizeof *centre);
    ks_examples x = {.dim = t->dim, .centre = centre};
    ks_taught taught = {0};
    int no = 0, err = centre ? ks_centre(centre, t->x, t->dim, t->e)
                             : ks_fail(t->e, KS_ENOMEM, "no memory for examples");

    row->films = count_films(t);
    for (int i = 0; i < t->n; i++) no += !t->yes[i];
    if (err == 0 && (how->stood_in = no == 0)) err = stand_in(t);
    x.v = t->v, x.yes = t->yes, x.film = t->film, x.n = t->n;
    for (int i = 0; i < t->n; i++) *(t->yes[i] ? &row->yes : &row->no) += 1;
    if (err == 0) err = ks_teach(&taught, &x, t->e);
    row->w = taught.w, row->bias = taught.bias;
    row->ap = taught.ap, row->ap_low = taught.ap_low, row->ap_high = taught.ap_high;
    if (err == 0) err = ks_index_put_learnt(t->x, row, t->e);
    row->w = NULL;
    free(taught.w);
    free(centre);
    return err;
}

static int teach(ks_learnt_row *row, ks_teaching *how, teaching *t)
{
    ks_library *library = malloc(sizeof *library); /* 16 KiB of paths */
    int err = library ? ks_index_library(library, t->x, t->e)
                      : ks_fail(t->e, KS_ENOMEM, "no memory for examples");

    if (err == 0) {
        t->dim = row->dim = library->space.dim;
        row->space = library->space_id;
        if (t->dim == 0) err = ks_fail(t->e, KS_ENOLIBRARY, "nothing was ever ingested here");
    }
    free(library);
    if (err == 0) err = gather(t);
    how->lost = t->lost;
    if (err == 0 && t->n == 0)
        err = ks_fail(t->e, KS_EUSAGE,
                      "%s: there is no example yet: kinoseek teach %s --yes FILE@A-B --no FILE@C-D",
                      t->name, t->name);
    return err < 0 ? err : learn(row, how, t);
}

int ks_teach_kept(ks_learnt_row *row, ks_teaching *how, ks_index *x, const char *name, ks_error *e)
{
    teaching t = {.name = name, .x = x, .e = e};
    int err;

    *row = (ks_learnt_row){.name = name};
    *how = (ks_teaching){0};
    err = teach(row, how, &t);
    free(t.v);
    free(t.yes);
    free(t.film);
    free(t.span);
    return err;
}
