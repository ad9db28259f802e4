/* publish_file.c - a file that appears under its name only when it is whole and on the disk. */
#include "index/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int ks_new_file_open(ks_new_file *f, const char *dir, const char *name, ks_error *e)
{
    f->dir = dir;
    f->fd = -1;
    if ((size_t)snprintf(f->whole, sizeof f->whole, "%s/%s", dir, name) >= sizeof f->whole ||
        (size_t)snprintf(f->part, sizeof f->part, "%s/%s.part", dir, name) >= sizeof f->part)
        return ks_fail(e, KS_EIO, "%s: the path is too long", dir);
    unlink(f->part);
    f->fd = open(f->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return f->fd < 0 ? ks_fail(e, KS_EIO, "%s: %s", f->part, strerror(errno)) : 0;
}

int ks_new_file_write(ks_new_file *f, const void *data, size_t bytes, uint64_t at, ks_error *e)
{
    const char *p = data;
    while (bytes > 0) {
        ssize_t n = pwrite(f->fd, p, bytes, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return ks_fail(e, KS_EIO, "%s: %s", f->part,
                           n == 0 ? "nothing was written" : strerror(errno));
        p += n;
        at += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return 0;
}

int ks_new_file_publish(ks_new_file *f, ks_error *e)
{
    int why = ks_give_name(f->fd, f->part, f->whole), closed = close(f->fd);
    f->fd = -1;
    if (!why && closed != 0) why = errno;
    return why ? ks_fail(e, KS_EIO, "%s: %s", f->whole, strerror(why)) : 0;
}

void ks_new_file_drop(ks_new_file *f)
{
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
    unlink(f->part);
}
