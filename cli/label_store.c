/* label_store.c - see label_store.h. */
#include "cli/label_store.h"

#include "cli/hub_library.h"
#include "cli/terminal.h"

#include <assert.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

enum { COMMIT_SECONDS = 1 }; /* a run that is killed loses no more than what it did since */

struct ks_label_store {
    ks_index *x;
    const ks_globals *g;
    const ks_label_options *o;
    char *name;
    int64_t set, *ids; /* ids[n_labels + 1]: the last one is of none */
    int n;
    uint64_t hash;
    ks_label_mark *marks; /* of the film under way */
    int n_marks, room;
    int inside; /* a transaction is open since `began` */
    double began;
    int64_t films, known, spans;
};

static void hash_text(SHA2_CTX *c, const char *text)
{
    uint64_t n = text ? strlen(text) : UINT64_MAX;

    SHA256Update(c, (const uint8_t *)&n, sizeof n);
    if (text) SHA256Update(c, (const uint8_t *)text, strlen(text));
}

static void hash_texts(SHA2_CTX *c, const char *const *at, int n)
{
    SHA256Update(c, (const uint8_t *)&n, sizeof n);
    for (int i = 0; i < n; i++) hash_text(c, at[i]);
}

static void hash_def(SHA2_CTX *c, const ks_label_def *d, int dim)
{
    hash_text(c, d->name);
    hash_text(c, d->parent);
    hash_texts(c, d->prompts, d->n_prompts);
    hash_texts(c, d->nots, d->n_nots);
    SHA256Update(c, (const uint8_t *)&d->threshold, sizeof d->threshold);
    if (d->learnt) {
        SHA256Update(c, (const uint8_t *)d->learnt->w, (size_t)dim * sizeof *d->learnt->w);
        SHA256Update(c, (const uint8_t *)&d->learnt->bias, sizeof d->learnt->bias);
    }
}

/* All that decides what the set says of a film. */
static uint64_t hash_of(const ks_label_options *o, const char *none, const ks_space *space)
{
    const int ways[] = {2 /* of this hash */, o->k, o->per_video, o->apart, o->each, o->intervals};
    uint8_t digest[SHA256_DIGEST_LENGTH];
    uint64_t hash;
    SHA2_CTX c;

    SHA256Init(&c);
    hash_text(&c, space->model);
    hash_text(&c, none);
    SHA256Update(&c, (const uint8_t *)ways, sizeof ways);
    SHA256Update(&c, (const uint8_t *)&o->least, sizeof o->least);
    hash_texts(&c, o->templates, o->n_templates);
    for (int i = 0; i < o->n_labels; i++) hash_def(&c, &o->defs[i], space->dim);
    SHA256Final(digest, &c);
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

static int put_set(ks_label_store *s, const char *none, ks_error *e)
{
    const ks_label_options *o = s->o;
    size_t n = (size_t)o->n_labels + 1;
    const char **names = malloc(n * sizeof *names), **parents = malloc(n * sizeof *parents);
    ks_stored_set set = {.name = s->name,
                         .hash = s->hash,
                         .labels = names,
                         .parents = parents,
                         .n = o->n_labels + (none != NULL),
                         .how = o->intervals   ? "intervals"
                                : o->each      ? "each"
                                : o->per_video ? "whole"
                                               : "which"};
    int err = 0;

    s->ids = calloc(n, sizeof *s->ids);
    if (!names || !parents || !s->ids) err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (int i = 0; i < o->n_labels && err == 0; i++) {
        names[i] = o->labels[i];
        parents[i] = o->defs[i].parent;
    }
    if (err == 0) {
        names[n - 1] = none;
        parents[n - 1] = "";
        s->n = (int)set.n;
        err = ks_index_put_set(&s->set, s->ids, s->x, &set, e);
    }
    free(names);
    free(parents);
    return err;
}

int ks_label_store_open(ks_label_store **out, const ks_globals *g, const char *set,
                        const ks_label_options *o, const char *none, ks_error *e)
{
    ks_label_store *s = calloc(1, sizeof *s);
    ks_library *row = malloc(sizeof *row);
    int err = s && row && (s->name = strdup(set)) ? 0
                                                  : ks_fail(e, KS_ENOMEM, "no memory for labels");

    *out = s;
    if (err == 0) {
        s->o = o;
        s->g = g;
        err = ks_keep_open(&s->x, g, e);
    }
    if (err == 0 && (err = ks_index_library(row, s->x, e)) == 0) {
        s->hash = hash_of(o, none, &row->space);
        err = put_set(s, none, e);
    }
    free(row);
    return err;
}

int ks_label_store_due(ks_label_store *s, const ks_video *v, ks_error *e)
{
    assert(s && v);
    int due = ks_index_due(s->x, s->set, s->hash, v, e);

    s->known += due == 0;
    s->n_marks = 0;
    return due;
}

int ks_label_store_row(ks_label_store *s, const ks_label_row *row, ks_error *e)
{
    assert(s && row);
    if (s->n_marks == s->room) {
        int room = s->room * 2 + 64;
        ks_label_mark *more = realloc(s->marks, (size_t)room * sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for labels");
        s->marks = more;
        s->room = room;
    }
    s->marks[s->n_marks++] = (ks_label_mark){
        .id = s->ids[row->label < 0 ? s->o->n_labels : row->label],
        .start = row->start,
        .end = row->end,
        .rank = row->rank,
        .score = row->score,
        .cosine = row->cosine};
    return 0;
}

static int commit(ks_label_store *s, int err, ks_error *e)
{
    if (s->inside) err = ks_index_end(s->x, err, e);
    s->inside = 0;
    return err;
}

int ks_label_store_film(ks_label_store *s, const ks_video *v, ks_error *e)
{
    assert(s && v);
    int err = 0;

    if (!s->inside && (err = ks_index_begin(s->x, e)) < 0) return err;
    if (!s->inside) s->began = ks_monotonic();
    s->inside = 1;
    if ((err = ks_index_put_marks(s->x, s->set, s->hash, v, s->marks, s->n_marks, e)) < 0)
        return commit(s, err, e);
    s->films++;
    s->spans += s->n_marks;
    s->n_marks = 0;
    return ks_monotonic() - s->began > COMMIT_SECONDS ? commit(s, 0, e) : 0;
}

int ks_label_store_end(ks_label_store *s, int whole, ks_error *e)
{
    int err = commit(s, 0, e);

    return err == 0 && whole ? ks_index_end_set(s->x, s->set, s->ids, s->n, e) : err;
}

void ks_label_store_say(FILE *f, const ks_label_store *s)
{
    char films[64], spans[64];

    fprintf(f, "%s: labelled %s (%s)", s->name, ks_counted(films, s->films, "film"),
            ks_counted(spans, s->spans, "span"));
    if (s->known) fprintf(f, ", %lld as before", (long long)s->known);
    fputs(".\n", f);
}

int ks_label_store_close(ks_label_store *s, int err, ks_error *e)
{
    if (!s) return err;
    commit(s, KS_ESTOP, NULL);
    err = ks_keep_close(s->x, s->g, err, e);
    free(s->name);
    free(s->ids);
    free(s->marks);
    free(s);
    return err;
}
