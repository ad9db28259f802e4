/* ignored.c - see ignored.h. */
#include "ingest/ignored.h"

#include "index/index.h"

#include <stdlib.h>
#include <string.h>

int ks_glob_path(const char *pattern, const char *relative, int is_folder)
{
    size_t n = strlen(pattern);
    int folder_only = n > 1 && pattern[n - 1] == '/';
    if (folder_only && !is_folder) return 0;
    char *copy = NULL;
    if (folder_only) {
        copy = strndup(pattern, n - 1);
        if (!copy) return 0;
        pattern = copy;
    }
    int anchored = strchr(pattern, '/') != NULL, found;
    if (anchored) {
        found = ks_glob(pattern[0] == '/' ? pattern + 1 : pattern, relative, 0);
    } else {
        const char *name = strrchr(relative, '/');
        found = ks_glob(pattern, name ? name + 1 : relative, 0);
    }
    free(copy);
    return found;
}
