/* teach_file.h - a taught label as a file, for another library of the same model. */
#ifndef KS_TEACH_FILE_H
#define KS_TEACH_FILE_H

#include "cli/commands.h"

/* KS_ENOTFOUND: no such label; KS_EUSAGE: the file is there, and no force. */
int ks_learnt_export(ks_index *x, const ks_library *l, const char *name, const char *path,
                     int force, ks_error *e);
/* name NULL: as the file says. KS_EFORMAT; KS_ESPACE: it is of another model. */
int ks_learnt_import(ks_index *x, const ks_library *l, const char *name, const char *path,
                     ks_error *e);

#endif
