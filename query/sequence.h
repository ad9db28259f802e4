/* sequence.h - parts in order of time within one film, the best chain that ends at each clip.
 * Pure. */
#ifndef KS_SEQUENCE_H
#define KS_SEQUENCE_H

#include "query/moments.h"

typedef struct {
    const ks_scored *clips; /* [n] by start, then id */
    int n;
    ks_timebase tb;
    int parts;
    const double *grades; /* [parts, n]; -INFINITY: none */
    const double *within; /* [parts] seconds; of part 0 unused */
    int unless;
    const char *const *bars; /* [unless][n] 1: what must not follow */
    const double *after;     /* [unless] seconds */
} ks_sequence_ask;

/* A chain c_0 .. c_last has start(c_p-1) < start(c_p) and start(c_p) - end(c_p-1) <= within[p];
 * no bar may start after c_last started and at most `after` seconds after it ended. Its grade is
 * the least of its clips'. grade[parts, n]: the best chain of parts 0..p that ends at clip i
 * (bars count for the last part); -INFINITY: there is none. before[parts, n]: the clip of part p
 * - 1 of it: the best chain's, of equals the one whose own grade is higher, then of the least
 * id. O(parts n log n). KS_ENOMEM. */
int ks_sequence_run(double *grade, int *before, const ks_sequence_ask *ask);

#endif
