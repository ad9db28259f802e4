/* label_vectors.h - a label as a vector: what several sentences say of it. */
#ifndef KS_LABEL_VECTORS_H
#define KS_LABEL_VECTORS_H

#include "query/query.h"

/* v[o->n_labels, D], unit length: of each label the mean of its sentences' unit vectors, made
 * unit again. */
int ks_label_vectors(float *v, ks_encoder *enc, const ks_label_options *o, ks_error *e);

#endif
