/* user_file.c - a file grows without a name (nothing is left of it however the writing ends) and
 * gets its name whole.
 * */
#include "formats/formats.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *path, ks_error *e)
{
    return ks_fail(e, KS_EUSAGE, "%s: it is there already (--force replaces it)", path);
}

/* A name for it while it grows, in its folder; its own may be as long as names can be.
 * malloc'ed. */
static char *part_name(const char *path, const char *ending)
{
    const char *slash = strrchr(path, '/');
    char *part = NULL;

    return asprintf(&part, "%.*s.kinoseek.%s", slash ? (int)(slash + 1 - path) : 0, path, ending) <
                   0
               ? NULL
               : part;
}

/* A file without a name in the folder of n->path; where the file system has none, one under
 * n->part. */
static int open_part(ks_user_file *n, int mode)
{
    char *folder = strdup(n->path), *slash = folder ? strrchr(folder, '/') : NULL;
    int fd;

    n->part = part_name(n->path, "XXXXXX");
    if (!folder || !n->part) {
        free(folder);
        errno = ENOMEM;
        return -1;
    }
    if (slash) slash[slash == folder] = 0;
    fd = open(slash ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
    free(folder);
    if (fd >= 0) {
        free(n->part);
        n->part = NULL;
        return fd;
    }
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return -1;
    fd = mkostemp(n->part, O_CLOEXEC);
    if (fd >= 0) fchmod(fd, mode == 0666 ? 0644 : (mode_t)mode);
    return fd;
}

/* "-": what stdout has buffered goes out first, and nothing else may be written there meanwhile. */
static int open_stdout(ks_user_file *n, ks_error *e)
{
    int fd = fflush(stdout) == 0 ? dup(STDOUT_FILENO) : -1;

    *n = (ks_user_file){.stream = 1};
    if (fd >= 0 && (n->path = strdup("standard output")) && (n->f = fdopen(fd, "wb"))) return 0;
    ks_fail(e, KS_EIO, "standard output: %s", strerror(errno));
    if (fd >= 0) close(fd);
    ks_user_file_drop(n);
    return KS_EIO;
}

int ks_user_file_open(ks_user_file *n, const char *path, int force, ks_error *e)
{
    assert(n && path);
    if (strcmp(path, "-") == 0) return open_stdout(n, e);

    struct stat st;
    int there = stat(path, &st) == 0, fd;

    *n = (ks_user_file){.force = force,
                        .stream = there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)};
    if (there && S_ISDIR(st.st_mode)) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(EISDIR));
    if (!n->stream && !force && (there || lstat(path, &st) == 0)) return refuse(path, e);
    if (there && !n->stream && ks_is_film_file(path))
        return ks_fail(e, KS_EUSAGE, "%s: it is a film: nothing is written over one", path);
    n->path =
        /* what a link names is replaced, not the link */
        there && !n->stream ? realpath(path, NULL) : strdup(path);
    if (!n->path) return ks_fail(e, KS_ENOMEM, "%s: no memory to write it", path);
    fd = n->stream ? open(path, O_WRONLY | O_CLOEXEC)
                   : open_part(n, there ? (int)(st.st_mode & 0777) : 0666);
    if (fd >= 0 && (n->f = fdopen(fd, "wb"))) return 0;
    ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    ks_user_file_drop(n);
    return KS_EIO;
}

/* Gives the bytes of n->f a name of their own: n->part, made here. */
static int name_part(ks_user_file *n, const char *self)
{
    for (unsigned i = 0; i < 100; i++) {
        char ending[8];
        free(n->part);
        snprintf(ending, sizeof ending, "%06x", ((unsigned)getpid() * 100 + i) & 0xffffff);
        if (!(n->part = part_name(n->path, ending))) return -1;
        if (linkat(AT_FDCWD, self, AT_FDCWD, n->part, AT_SYMLINK_FOLLOW) == 0) return 0;
        if (errno != EEXIST) break;
    }
    free(n->part);
    n->part = NULL;
    return -1;
}

/* Over nothing unless force. Returns 0 or an errno. */
static int give_name(ks_user_file *n)
{
    char self[40];

    snprintf(self, sizeof self, "/proc/self/fd/%d", fileno(n->f));
    if (!n->part && !n->force)
        return linkat(AT_FDCWD, self, AT_FDCWD, n->path, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
    if (!n->part && name_part(n, self) < 0) return errno;
    if (n->force) return rename(n->part, n->path) == 0 ? 0 : errno;
    if (renameat2(AT_FDCWD, n->part, AT_FDCWD, n->path, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL) return errno;
    return access(n->path, F_OK) == 0      ? EEXIST
           : rename(n->part, n->path) == 0 ? 0
                                           : errno; /* a file system that has neither */
}

int ks_user_file_publish(ks_user_file *n, ks_error *e)
{
    assert(n && n->f);
    int why = fflush(n->f) != 0 || ferror(n->f) ? (errno ? errno : EIO) : 0;
    int err = 0;

    if (!why && !n->stream) why = fsync(fileno(n->f)) != 0 ? errno : give_name(n);
    if (why == EEXIST) err = refuse(n->path, e);
    else if (why) err = ks_fail(e, KS_EIO, "%s: %s", n->path, strerror(why));
    if (!err) {
        free(n->part); /* it has the name now */
        n->part = NULL;
    }
    ks_user_file_drop(n);
    return err;
}

void ks_user_file_drop(ks_user_file *n)
{
    if (n->part) unlink(n->part);
    if (n->f) fclose(n->f);
    free(n->path);
    free(n->part);
    *n = (ks_user_file){0};
}

int ks_make_folder(const char *path, ks_error *e)
{
    char *part = strdup(path), *slash = part;
    int err = part ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");

    while (err == 0 && slash && *slash) {
        if ((slash = strchr(slash + 1, '/'))) *slash = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            err = ks_fail(e, KS_EIO, "%s: %s", part, strerror(errno));
        if (slash) *slash = '/';
    }
    free(part);
    return err;
}
