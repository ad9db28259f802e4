/* temporary_folder.c - see temporary_folder.h. */
#include "cli/temporary_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ks_temporary_folder(char **folder, ks_error *e)
{
    assert(folder);
    const char *where = getenv("TMPDIR");
    if (asprintf(folder, "%s/kinoseek-XXXXXX", where && *where ? where : "/tmp") < 0) {
        *folder = NULL;
        return ks_fail(e, KS_ENOMEM, "no memory");
    }
    if (mkdtemp(*folder)) return 0;
    int err = ks_fail(e, KS_EIO, "%s: no temporary folder: %s", *folder, strerror(errno));
    free(*folder);
    *folder = NULL;
    return err;
}

void ks_remove_files(const char *folder)
{
    assert(folder);
    DIR *d = opendir(folder);
    struct dirent *f;

    while (d && (f = readdir(d)))
        if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0)
            unlinkat(dirfd(d), f->d_name, 0);
    if (d) closedir(d);
    rmdir(folder);
}
