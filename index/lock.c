/* lock.c - one writer; and are the files of a library plain files?
 *
 * A library from somebody else may hold a pipe, a device or a link where a file is expected:
 * none of them is opened. */
#include "index/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* One name of the folder: 1 a plain file, 0 nothing. */
static int plain(struct stat *st, const char *dir, const char *name, ks_error *e)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= PATH_MAX)
        return ks_fail(e, KS_EIO, "%s: the path is too long", dir);
    if (lstat(path, st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return 0;
        return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    }
    if (S_ISLNK(st->st_mode))
        return ks_fail(e, KS_EUSAGE, "%s is a link: name the folder that holds the file itself",
                       path);
    if (!S_ISREG(st->st_mode)) return ks_fail(e, KS_EDAMAGED, "%s is no plain file", path);
    return 1;
}

/* Names beside it that a repair gave it before it put another file in its place, and was killed
 * between. */
static nlink_t kept_names(const char *dir, const struct stat *st)
{
    char path[PATH_MAX];
    struct stat kept;
    nlink_t same = 0;
    for (int n = 1; n <= 1000; n++) {
        if (snprintf(path, sizeof path, "%s/catalog.db.damaged-%d", dir, n) >= (int)sizeof path ||
            lstat(path, &kept) != 0)
            break;
        same += kept.st_ino == st->st_ino && kept.st_dev == st->st_dev;
    }
    return same;
}

int ks_plain_files(const char *dir, int write, ks_error *e)
{
    static const char *const beside[] = {"catalog.db-wal", "catalog.db-shm", "catalog.db-journal",
                                         "writer.lock"};
    struct stat st, other;
    int there = plain(&st, dir, "catalog.db", e);
    for (size_t i = 0; i < sizeof beside / sizeof *beside && there >= 0; i++) {
        int code = plain(&other, dir, beside[i], e);
        if (code < 0) return code;
    }
    /* Log and lock lie beside a name: under two names (cp -al) two writers would not know of
     * each other. */
    if (there > 0 && write && st.st_nlink > 1 + kept_names(dir, &st))
        return ks_fail(e, KS_EUSAGE,
                       "%s/catalog.db has a second name (a hard link) and cannot be written "
                       "safely: make it a copy",
                       dir);
    return there;
}

/* Two locks, which die with the process: an open-file-description lock on a file of its own
 * (closing any descriptor of catalog.db would drop SQLite's own locks), which holds the pid for
 * status; and one on the folder itself, whatever it is called and should somebody delete the
 * file. File systems that lock no folders (NFS) have the first alone. */
int ks_take_lock(ks_index *x, ks_error *e)
{
    char path[PATH_MAX], pid[32];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    if (snprintf(path, sizeof path, "%s/writer.lock", x->dir) >= PATH_MAX)
        return ks_fail(e, KS_EIO, "%s: the path is too long", x->dir);
    x->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (x->lock < 0) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    if (fstat(x->lock, &st) != 0 || !S_ISREG(st.st_mode))
        return ks_fail(e, KS_EDAMAGED, "%s is no plain file", path);
    int busy = fcntl(x->lock, F_OFD_SETLK, &lock) != 0;
    if (busy && errno != EAGAIN && errno != EACCES)
        return ks_fail(e, KS_EIO, "%s: lock: %s", path, strerror(errno));
    x->folder = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!busy && x->folder >= 0)
        busy = flock(x->folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (busy)
        return ks_fail(e, KS_EBUSY, "%s: another kinoseek is writing to this library", x->dir);
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    /* only status misses it */
    if (ftruncate(x->lock, 0) == 0 && pwrite(x->lock, pid, (size_t)n, 0) != n) return 0;
    return 0;
}

void ks_drop_lock(ks_index *x)
{
    if (x->lock >= 0) close(x->lock);
    if (x->folder >= 0) close(x->folder);
    x->lock = x->folder = -1;
}

int64_t ks_writer_pid(const char *dir)
{
    char path[PATH_MAX], text[32] = "";
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    if (snprintf(path, sizeof path, "%s/writer.lock", dir) >= PATH_MAX) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return 0;
    int64_t pid = 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
        lock.l_type != F_UNLCK) {
        ssize_t n = pread(fd, text, sizeof text - 1, 0);
        pid = n > 0 ? strtoll(text, NULL, 10) : 0;
        if (pid <= 0) pid = 1; /* held, but by whom was not written */
    }
    close(fd);
    return pid;
}
