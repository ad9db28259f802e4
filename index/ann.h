/* ann.h - approximate candidates: FAISS chooses the lists, our kernel scans them. */
#ifndef KS_ANN_H
#define KS_ANN_H

#include "index/sweep.h"

/* For each segment with lists: add what they give to top and take its spans out of *spans. 1 = so done for at least
 * one, 0 = none; force: wanted whatever the size. Segments without lists stay in spans. */
int ks_ann_sweep(ks_top *top, ks_sweep *sweep, ks_spans *spans, ks_index *x, int force, ks_error *e);
void ks_ann_close(ks_ann *ann); /* NULL is fine */

#endif
