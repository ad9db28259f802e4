/* totals.h - sums over the whole library, counted along: nobody walks a table to print a number.
 *
 * Whatever writes rows adds its difference to the handle's; the commit of the transaction writes
 * the sums with it, so that they are as durable as the rows and a transaction that is undone
 * counts for nothing. check counts anew. */
#ifndef KS_TOTALS_H
#define KS_TOTALS_H

#include "ks.h"

#include <stdint.h>

typedef struct ks_index ks_index;
typedef struct {
    int64_t paths;
    int64_t unfinished, bad; /* videos without a verdict; with another than "indexed" */
    /* of video that searches see, each video's rounded: sums of integers stay exact */
    int64_t microseconds;
    int64_t clips;                                      /* rows, of every space, finished or not */
    int64_t vector_bytes, frame_bytes, thumbnail_bytes; /* of the blobs */
} ks_totals;

/* The sums of the committed state and of what this handle's transaction has added. A reader of
 * an older catalog (before schema 4) counts what it shows by walking the list of films, and has
 * no bytes (-1). */
int ks_totals_read(ks_totals *out, ks_index *x, ks_error *e);
/* inside a transaction; times 1: came, -1: went */
void ks_totals_add(ks_index *x, const ks_totals *rows, int times);
int ks_totals_keep(ks_index *x, ks_error *e);  /* statement.c, before COMMIT */
int ks_totals_count(ks_index *x, ks_error *e); /* the row anew, by walking all: migration, repair */
int ks_totals_walk(ks_totals *out, ks_index *x, ks_error *e); /* what the row should say */
/* what it says: 1; 0 = rotten or not there */
int ks_totals_stored(ks_totals *out, ks_index *x, ks_error *e);
/* what one film's row adds; 0 without one */
int ks_film_totals(ks_totals *out, ks_index *x, int64_t video, ks_error *e);
/* what one clip's rows add */
int ks_clip_bytes(ks_totals *out, ks_index *x, int64_t clip, ks_error *e);

#endif
