/* temporary_folder.h - a folder of one's own for a while. */
#ifndef KS_TEMPORARY_FOLDER_H
#define KS_TEMPORARY_FOLDER_H

#include "ks.h"

/* Empty, of nobody else's, where TMPDIR says (/tmp). *folder: malloc'ed; NULL after an error. */
int ks_temporary_folder(char **folder, ks_error *e);
/* The files in a folder without folders, and it. */
void ks_remove_files(const char *folder);

#endif
