/* hit_paths.c - under which paths a hit is shown, and giving hits back. */
#include "query/hit_paths.h"

#include <stdlib.h>
#include <string.h>

/* The paths of the film from the given one on. */
static int add_paths(ks_hit *h, const ks_film *f, int from)
{
    for (int i = from; i < f->n_paths; i++) {
        const char **more;
        if (h->n_copies == KS_HIT_COPIES) {
            h->more_copies += f->n_paths - i;
            break;
        }
        if (!(more = realloc((void *)h->copies, (size_t)(h->n_copies + 1) * sizeof *more)))
            return -1;
        h->copies = (const char *const *)more;
        if (!(more[h->n_copies] = strdup(f->paths[i]))) return -1;
        h->n_copies++;
    }
    return 0;
}

int ks_hit_take(ks_hit *h, const ks_film *f)
{
    h->video = f->id;
    h->tb = f->tb;
    h->film_date = f->film_date;
    h->duration = f->duration;
    h->first = f->first;
    h->fps = f->fps;
    h->rate_num = f->rate_num;
    h->rate_den = f->rate_den;
    h->variable = f->variable;
    h->date_source = f->date_source;
    memcpy(h->timecode, f->timecode, sizeof h->timecode);
    memcpy(h->reel, f->reel, sizeof h->reel);
    h->path = strdup(f->paths[0]);
    return h->path ? add_paths(h, f, 1) : -1;
}

static int by_pair(const void *a, const void *b)
{
    const ks_fold *p = a, *q = b;

    if (p->hit != q->hit) return p->hit < q->hit ? -1 : 1;
    if (p->film != q->film) return p->film < q->film ? -1 : 1;
    return p->order < q->order ? -1 : p->order > q->order;
}

static int by_order(const void *a, const void *b)
{
    const ks_fold *p = a, *q = b;

    return p->order < q->order ? -1 : p->order > q->order;
}

int ks_hits_fold(ks_hits *hits, ks_fold *folds, int n, const ks_films *films)
{
    int kept = 0;

    if (n == 0) return 0;
    qsort(folds, (size_t)n, sizeof *folds, by_pair);
    for (int i = 0; i < n; i++)
        if (i == 0 || folds[i].hit != folds[i - 1].hit || folds[i].film != folds[i - 1].film)
            folds[kept++] = folds[i];
    qsort(folds, (size_t)kept, sizeof *folds, by_order);
    for (int i = 0; i < kept; i++)
        if (add_paths(&hits->at[folds[i].hit], ks_films_read(films, folds[i].film), 0) < 0)
            return -1;
    return 0;
}

void ks_hit_clear(ks_hit *h)
{
    for (int i = 0; i < h->n_copies; i++) free((void *)h->copies[i]);
    free((void *)h->copies);
    free((void *)h->clips);
    free((void *)h->parts);
    free((void *)h->path);
}

void ks_hits_free(ks_hits *hits)
{
    for (int i = 0; i < hits->count + hits->below; i++) ks_hit_clear(&hits->at[i]);
    free(hits->at);
    memset(hits, 0, sizeof *hits);
}
