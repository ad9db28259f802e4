/* lookup.h - numbers found by the hash of a key: open addressing, at most half full. The keys
 * lie with whoever asks, who compares them: two keys may have one hash.
 *
 *   ks_lookup_put(&t, hash, number);
 *   for (size_t at = 0, n; ks_lookup_next(&n, &at, &t, hash);) if (key of n is the one) ...
 * */
#ifndef KS_LOOKUP_H
#define KS_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    struct {
        uint64_t hash;
        size_t number; /* + 1; 0: free */
    } * slot;
    size_t n, room; /* room: a power of two, or 0 */
} ks_lookup;        /* zeros are an empty one */

/* 0, or -1: no memory, and nothing changed */
int ks_lookup_put(ks_lookup *t, uint64_t hash, size_t number);
/* *at: 0 at first. 1: one more; 0: no more */
int ks_lookup_next(size_t *number, size_t *at, const ks_lookup *t, uint64_t hash);
void ks_lookup_free(ks_lookup *t);

#endif
