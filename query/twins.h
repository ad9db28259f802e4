/* twins.h - which of the vectors kept so far shows the same as a new one: near-duplicates of
 * other films.
 *
 * The first KS_TWINS_PLAIN are compared one by one: exact. From there on each vector (less the
 * mean of the first) is signed along random directions and filed under TABLES keys of 16
 * signs, of up to 19 where very many are kept; only what shares a key is compared. Two vectors at
 * the bound itself (cosine 0.95 about the mean) share none in 1 of 15,000 cases (of 900 with 19
 * signs), re-encodes (0.99) never in practice; the time is linear
 * in what is kept, where comparing all took 154 s for 100,000. */
#ifndef KS_TWINS_H
#define KS_TWINS_H

#include <stdint.h>

enum { KS_TWINS_PLAIN = 512 };

typedef struct ks_twins ks_twins;
ks_twins *ks_twins_open(int dim, double least); /* NULL: no memory. Twins have a cosine >= least */
void ks_twins_close(ks_twins *t);               /* NULL is fine */
/* the first kept one of another film; -1: none */
int ks_twins_find(ks_twins *t, const float *v, int64_t film);
/* out[most]: the kept ones of other films, how many; in the order in which they were kept. */
int ks_twins_all(int *out, int most, ks_twins *t, const float *v, int64_t film);
const float *ks_twins_vector(const ks_twins *t, int at); /* [dim]; until the next is kept */
/* Keeps a copy of v[dim], which was just looked for; its number, from 0; -1: no memory. */
int ks_twins_add(ks_twins *t, const float *v, int64_t film);
int64_t ks_twins_compared(const ks_twins *t); /* pairs so far: what the tests bound */

#endif
