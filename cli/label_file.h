/* label_file.h - what --labels names: a set that ships, or a file of a person's own. */
#ifndef KS_LABEL_FILE_H
#define KS_LABEL_FILE_H

#include "cli/commands.h"

/* "k400" (of models/labels), else a file; without a '/' or a '.' a name comes first: ./k400 is
 * the file. Errors of ks_label_set_read. Free with ks_label_set_free in any case. */
int ks_read_label_file(ks_label_set *s, const ks_setup *setup, const char *name_or_file,
                       ks_error *e);

#endif
