/* label_file.c - see label_file.h. */
#include "cli/label_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int ks_read_label_file(ks_label_set *s, const ks_setup *setup, const char *name_or_file,
                       ks_error *e)
{
    char name[64], *path = NULL;
    ks_error ignored;
    int err;

    *s = (ks_label_set){0};
    if (*name_or_file && !strpbrk(name_or_file, "/.") &&
        snprintf(name, sizeof name, "models/labels/%s.txt", name_or_file) < (int)sizeof name) {
        for (char *c = name; *c; c++) *c = (char)tolower((unsigned char)*c);
        if (ks_locate_data(&path, setup, name, &ignored) < 0) path = NULL;
    }
    err = ks_label_set_read(s, path ? path : name_or_file, e);
    free(path);
    return err;
}
