/* ann.h - approximate candidates: FAISS chooses, our kernel scores. */
#ifndef KS_ANN_H
#define KS_ANN_H

#include "index/catalog.h"

void ks_ann_close(ks_ann *ann); /* NULL is fine */

#endif
