/* ann.c - FAISS. */
#include "index/ann.h"

void ks_ann_close(ks_ann *ann)
{
    (void)ann;
}

int ks_ann_sweep(ks_top *top, ks_sweep *sweep, ks_spans *spans, ks_index *x, int force, ks_error *e)
{
    (void)top;
    (void)sweep;
    (void)spans;
    (void)x;
    (void)force;
    (void)e;
    return 0;
}
