/* copies.h - the search copies vectors.* as this handle has them mapped. */
#ifndef KS_COPIES_H
#define KS_COPIES_H

#include "index/catalog.h"

void ks_copies_close(ks_copies *copies); /* NULL is fine */

#endif
