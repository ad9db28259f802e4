/* spool.c - see spool.h. */
#include "cli/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* bytes that must be free; a million clips as JSON take 0.2 */
static const unsigned long long ROOM = 1ull << 30;

static int is_slow(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* A file without a name that has room; -1: there is none. */
static int open_room(void)
{
    const char *folder = getenv("TMPDIR");
    struct statvfs fs;
    if (!folder || !*folder) folder = "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 && fstatvfs(fd, &fs) == 0 && (unsigned long long)fs.f_bavail * fs.f_frsize >= ROOM)
        return fd;
    if (fd >= 0) close(fd);
    return -1;
}

void ks_spool_begin(ks_spool *s)
{
    assert(s);
    *s = (ks_spool){-1};
    if (!is_slow(STDOUT_FILENO) || fflush(stdout) != 0) return;
    int room = open_room();
    if (room < 0) return;
    s->reader = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (s->reader >= 0 && dup2(room, STDOUT_FILENO) < 0) {
        close(s->reader);
        s->reader = -1;
    }
    close(room);
}

/* All of `from` to `to`; 0 or an errno. */
static int pass_on(int to, int from)
{
    static char block[1 << 16];
    if (lseek(from, 0, SEEK_SET) < 0) return errno;
    for (;;) {
        ssize_t n = read(from, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : 0;
        for (ssize_t done = 0; done < n;) {
            ssize_t put = write(to, block + done, (size_t)(n - done));
            if (put < 0 && errno != EINTR) return errno;
            if (put > 0) done += put;
        }
    }
}

int ks_spool_end(ks_spool *s, ks_error *e)
{
    if (s->reader < 0) return 0;
    int why = fflush(stdout) != 0 || ferror(stdout) ? (errno ? errno : EIO) : 0,
        room = dup(STDOUT_FILENO);
    if (!why && room < 0) why = errno;
    dup2(s->reader, STDOUT_FILENO);
    close(s->reader);
    s->reader = -1;
    if (!why) why = pass_on(STDOUT_FILENO, room);
    if (room >= 0) close(room);
    return why && why != EPIPE ? ks_fail(e, KS_EIO, "standard output: %s", strerror(why)) : 0;
}
