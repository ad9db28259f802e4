/* dupes.h - what a library has twice: a part of query.h, which includes it.
 *
 * Likeness of two clips: (cosine - m) / (1 - m), m the mean cosine of clips of different films
 * (ks_scale_facts.pair_mean, 0.5 at most: a library that is nothing but copies has no strangers).
 *
 * A film holds another one at an offset d if every clip of that one, moved by d, shares half of
 * the shorter one's length with a clip of the film (its partner: the one that shares most), none
 * of these likenesses is below 0.5, their mean is 0.8, the best 0.95. d is one at which two clips
 * of a likeness of 0.95 begin together. Rendered films, three each: re-encoded at a quarter of
 * the size every clip is at 0.988 or more; a tenth cropped away 0.69 at least, 0.89 in the mean;
 * trimmed off the grid of the clips 0.74 and 0.85; different films 0.25 in the mean at most.
 *
 * Takes of a scene: the films' means (less the library's, of n films n / (n + 8) of it) have a
 * cosine of 0.6, and each clip has one of the other film with a likeness of 0.5. Of 36 pairs of
 * takes (12 drawn scenes, place, size and time of what moves drawn anew) 35 do, the last lies at
 * 0.605; the nearest two different scenes at 0.40. */
#ifndef KS_QUERY_DUPES_H
#define KS_QUERY_DUPES_H

#ifndef KS_QUERY_H
#error "include query/query.h"
#endif

enum { KS_DUPES_EQUAL = 1, KS_DUPES_NEAR = 2, KS_DUPES_TAKES = 4, KS_DUPES_SHARED = 8 };
typedef struct {
    int64_t group; /* from 1; its rows follow one another, the one to keep first */
    int kind; /* equal bytes, near-equal films, takes; shared: moments of films that have more */
    int64_t video;
    ks_timebase tb;
    int64_t start, end; /* ticks: the whole film, or what of it is shared */
    double cosine;      /* mean, with the one to keep; equal bytes: 1 */
    int keep;           /* 0: all of it is in the one to keep (of takes: another one is) */
    const char *path;   /* bytes; valid during the call */
    const char *why;    /* one clause */
} ks_dupe;
typedef int ks_on_dupe(void *arg, const ks_dupe *row); /* non-zero stops */
/* kinds: of the first three, or-ed; near brings shared moments too. Films that are surveyed alone
 * are compared by their bytes only. All vectors are in memory meanwhile. Of rotten rows the film
 * is left out. */
int ks_dupes(ks_index *x, double pair_mean, int kinds, const ks_filter *f, ks_on_dupe *row,
             void *arg, ks_error *e);

#endif
