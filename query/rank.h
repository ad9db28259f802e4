/* rank.h - one query at work: rank.c grows moments from candidates, film_queue.c finds the
 * candidates of several vectors. */
#ifndef KS_RANK_H
#define KS_RANK_H

#include "query/combine.h"
#include "query/film_rows.h"
#include "query/hit_paths.h"
#include "query/twins.h"

typedef struct {
    ks_index *x;
    const ks_scale *s;
    const ks_query_options *o;
    const float *q; /* [queries, dim] of unit length */
    int queries, dim, k;
    double level;            /* ks_scale_level of q, of one query */
    double gain;             /* of a survey's pictures */
    const ks_combination *c; /* NULL: one query */
    ks_films films;
    ks_hits *out;
    int room;
    /* the best clip of each hit, under the hit's number; NULL: nothing is folded */
    ks_twins *twins;
    ks_fold *folds; /* [n_folds] */
    int n_folds, folds_room;
    float *vector; /* [dim] */
} ks_ranking;

/* with grades of part 0 as values, where w->c */
int ks_rank_film(ks_film **out, ks_ranking *w, int64_t id, ks_error *e);
int ks_rank_open_twins(ks_ranking *w, ks_error *e);
/* The moment around a clip becomes a hit, unless it is taken, left out, folded or one too many
 * of its film. A row that it needs is rotten: no hit, and no error. */
int ks_rank_consider(ks_ranking *w, const ks_clip *clip, ks_error *e);
/* Room for a hit of film f in *h, all zeros: 1; 0: folded or one too many. clips[n]: one of each
 * part; the last is looked at first. */
int ks_rank_new_hit(ks_hit **h, ks_ranking *w, ks_film *f, const int64_t *clips, int n,
                    ks_error *e);
/* A clip that stands for part p of a question, and what of its film is shown for it. */
typedef struct {
    int p;
    const ks_scored *clip;
    int64_t start, end;
} ks_part_place;
/* Its terms become h->parts; the weakest of all so far gives the hit's best frame and cosine.
 * *least: its grade, at first INFINITY. */
int ks_rank_add_parts(ks_hit *h, double *least, ks_ranking *w, const ks_film *f,
                      const ks_part_place *at, ks_error *e);
double ks_rank_score(const ks_ranking *w, double value);
int ks_rank_best_frame(int64_t *best, const ks_ranking *w, const ks_scored *c, const float *q,
                       ks_error *e);

/* film_queue.c: hits of several vectors. */
int ks_rank_films(ks_ranking *w, ks_error *e);

#endif
