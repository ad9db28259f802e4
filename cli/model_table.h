/* model_table.h - the layouts that random models can have; a file's hash. */
#ifndef KS_MODEL_TABLE_H
#define KS_MODEL_TABLE_H

#include "cli/commands.h"

/* SHA-256 of a file in hex. KS_ENOTFOUND, KS_EIO. */
int ks_file_sha256(char out[65], const char *path, ks_error *e);

/* Layouts that `model random --like` knows. NULL: no such name. */
const ks_info *ks_like_find(const char *name);
const char *ks_like_names(void); /* for help: "lvt-base|..." */

#endif
