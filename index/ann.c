/* ann.c - FAISS. */
#include "index/ann.h"

void ks_ann_close(ks_ann *ann)
{
    (void)ann;
}
