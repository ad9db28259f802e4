/* film_rows.h - the films that a query meets: each is read once, its paths and its clips with
 * their scores. */
#ifndef KS_FILM_ROWS_H
#define KS_FILM_ROWS_H

#include "query/moments.h"

typedef struct {
    int64_t id;
    ks_timebase tb;
    int64_t film_date, duration; /* seconds since 1970 UTC; ticks */
    double fps;
    int rate_num, rate_den, variable, date_source; /* as in ks_hit, and below */
    int64_t first;
    char timecode[16], reel[64];
    /* [n_paths] that pass the filter's glob; the first one is there, if any is */
    char **paths;
    int n_paths;
    ks_scored *clips; /* [n] sorted by start, then id */
    float *cosines;   /* [n, queries] by ks_scored.row; NULL where there is one query */
    int n;
    int64_t longest; /* ticks of the longest clip */
    int moments;     /* shown of it */
} ks_film;

typedef struct {
    ks_film *at; /* [n] */
    int n, room;
    int32_t *slots; /* [size] open addressing by id: 1 + place in at; 0 = free */
    int size;       /* a power of two, at least twice n */
} ks_films;

/* What one clip is worth to the query: cosine [queries]. */
typedef double ks_worth(const void *arg, const float *cosine, int survey);
typedef struct {
    ks_index *x;
    const float *q; /* [queries, dim] */
    int queries, dim;
    const ks_filter *filter;
    ks_worth *worth;
    const void *arg;
} ks_film_ask;

/* The film `id`, read at the first call; valid until the next one. */
int ks_films_get(ks_film **out, ks_films *films, int64_t id, const ks_film_ask *ask, ks_error *e);
const ks_film *ks_films_read(const ks_films *films, int64_t id); /* one that was read; else NULL */
/* its place in f->clips; -1: not among them */
int ks_film_clip(const ks_film *f, const ks_clip *clip);
void ks_films_free(ks_films *films); /* empty and of use again */

#endif
