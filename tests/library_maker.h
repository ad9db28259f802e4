/* library_maker.h - libraries of seeded vectors for the tests of index/, and brute force to
 * compare with. */
#ifndef KS_LIBRARY_MAKER_H
#define KS_LIBRARY_MAKER_H

#include "index/index.h"

#define MUST(call)                                                                                 \
    do {                                                                                           \
        int must_ = (call);                                                                        \
        ck_assert_msg(must_ >= 0, "%s: %d %s", #call, must_, e.msg);                               \
    } while (0)

uint64_t lib_random(uint64_t *state); /* splitmix64 */
/* v[dim] of unit length: kind 0 random; 1 in one of 37 tight clusters; 2 one of 5 vectors
 * exactly (ties). */
void lib_vector(float *v, int dim, int kind, uint64_t seed);
char *lib_new_dir(char out[64]);
void lib_remove_dir(const char *dir); /* one level deep */
ks_space lib_space(int dim);
/* A finished video of n clips; vectors are lib_vector(kind, content * 1000003 + clip). */
int64_t lib_add(ks_index *x, const char *path, uint64_t content, int n, int dim, int kind);
/* The catalog in that file becomes one of that version of the schema; what its rows say stays. */
void lib_make_older(const char *catalog, int version);
/* the definition in index/score.h, written down a second time */
float lib_score(const float *q, const float *v, int dim);
/* The k best by score in the defined order, by reading every clip through the public interface. */
void lib_brute(ks_neighbour *out, int *count, ks_index *x, const float *q, int dim, int k,
               const ks_filter *f);

#endif
