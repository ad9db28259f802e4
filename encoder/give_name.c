/* give_name.c - a whole file gets its name: for every room (ks.h). */
#include "ks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int ks_give_name(int fd, const char *part, const char *whole)
{
    char folder[4200] = ".";
    const char *slash = strrchr(whole, '/');
    size_t n = slash ? (size_t)(slash - whole) + (slash == whole) : 0;
    if (n >= sizeof folder) return ENAMETOOLONG;
    if (fsync(fd) != 0 || rename(part, whole) != 0) return errno;
    if (n > 0) memcpy(folder, whole, n), folder[n] = 0;
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), why = 0;
    if (dir >= 0 && fsync(dir) != 0 && errno != EINVAL) why = errno;
    if (dir >= 0) close(dir);
    return why;
}
