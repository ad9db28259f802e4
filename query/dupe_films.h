/* dupe_films.h - films side by side: their clips in memory, which hold which, which are takes of
 * one scene. The measures are dupes.h's. */
#ifndef KS_DUPE_FILMS_H
#define KS_DUPE_FILMS_H

#include "query/query.h"
#include "query/twins.h"

typedef struct {
    double start, end; /* seconds */
    int64_t from, to;  /* ticks */
} ks_dupe_clip;
typedef struct {
    ks_video video; /* path: owned, the one to keep of several */
    double seconds;
    int first, n; /* its clips, by start; n 0: by its bytes alone */
    int held;     /* 1: its content is in a film that is kept */
} ks_dupe_film;
/* a before b in the order of films. Where neither holds the other: what b has of a, or nothing
 * (clips 0). */
typedef struct {
    int a, b, a_holds, b_holds;
    double cosine; /* mean over b's clips (a's, where only b holds), or the shared ones */
    int clips;     /* shared, one after the other */
    int64_t a_from, a_to, b_from, b_to;
} ks_dupe_pair;
typedef struct {
    ks_dupe_film *at; /* [n] longest first */
    int n, room;
    ks_dupe_clip *clips;
    int n_clips, clips_room;
    ks_twins *twins; /* all clips' vectors, numbered as clips[] */
    int dim;
    double mean;         /* m */
    ks_dupe_pair *pairs; /* [n_pairs] */
    int n_pairs, pairs_room;
} ks_dupe_films;

double ks_likeness(const ks_dupe_films *d, double cosine);
/* Reads the films' clips and finds the pairs by what clips are twins. */
int ks_dupe_find(ks_dupe_films *d, ks_index *x, ks_error *e);
/* a and b (a < b) are compared at every offset there is, and the pair is kept. 1: one of them
 * holds the other; 0; < 0: no memory. */
int ks_dupe_compare(ks_dupe_films *d, int a, int b);
void ks_dupe_sort(ks_dupe_films *d); /* the pairs, after ks_dupe_compare added to them */
const ks_dupe_pair *ks_dupe_pair_of(const ks_dupe_films *d, int a, int b); /* any order; NULL */
/* takes(arg, a, b, cosine) for each pair (a < b) of films that are not held; non-zero stops. */
int ks_dupe_takes(const ks_dupe_films *d, const float *centre,
                  int (*takes)(void *arg, int a, int b, double cosine), void *arg, ks_error *e);
void ks_dupe_close(ks_dupe_films *d);

#endif
