/* label_list.h - the labels of `label`: a text file, or the class list of a data set as it is. */
#ifndef KS_LABEL_LIST_H
#define KS_LABEL_LIST_H

#include "ks.h"

typedef struct {
    char **at; /* [n] */
    int n;
    char *text; /* the file; at[] points into it */
} ks_label_list;

/* One label a line; or CSV whose first line names a column "name", "label" or "class" (Kinetics lists
 * are "id,name"). Blank lines and repeats are skipped. KS_ENOTFOUND, KS_EFORMAT: no label in it, not UTF-8. */
int ks_read_labels(ks_label_list *list, const char *file, ks_error *e);
void ks_free_labels(ks_label_list *list);

#endif
