/* identity.c - see identity.h. Three parts, not one: files of one camera share their first 64
 * KiB more often than one would think (equal headers), and an edit of the tail (tags) leaves the
 * rest alone. */
#include "ingest/identity.h"
#include "ingest/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static void put64(uint8_t *to, uint64_t x)
{
    for (int i = 0; i < 8; i++) to[i] = (uint8_t)(x >> (8 * i));
}

static int read_all(uint8_t *to, size_t n, int fd, int64_t at, const char *path, ks_error *e)
{
    while (n > 0) {
        ssize_t got = pread(fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return ks_fail(e, KS_EIO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0) return ks_fail(e, KS_EIO, "%s: became shorter while it was read", path);
        to += got;
        n -= (size_t)got;
        at += got;
    }
    return 0;
}

int ks_identity(uint8_t content[KS_CONTENT], int fd, int64_t size, const char *path, ks_error *e)
{
    uint8_t *part = malloc(2 * KS_CONTENT_PART);
    if (!part) return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
    size_t n = size < KS_CONTENT_PART ? (size_t)size : KS_CONTENT_PART;
    put64(content, (uint64_t)size);
    int err = read_all(part, n, fd, 0, path, e);
    if (err == 0) {
        put64(content + 8, XXH64(part, n, 0));
        err = read_all(part, n, fd, (size - (int64_t)n) / 2, path, e);
    }
    if (err == 0) err = read_all(part + n, n, fd, size - (int64_t)n, path, e);
    if (err == 0) put64(content + 16, XXH64(part, 2 * n, 0));
    free(part);
    return err;
}

void ks_identity_of_place(uint8_t content[KS_CONTENT], uint64_t device, uint64_t inode)
{
    memset(content, 0xff, 8); /* no file is 2^64 - 1 bytes long */
    put64(content + 8, device);
    put64(content + 16, inode);
}

void ks_identity_mix(uint8_t content[KS_CONTENT], uint64_t full)
{
    uint8_t both[16];
    memcpy(both, content + KS_CONTENT_MIXED, 8);
    put64(both + 8, full);
    put64(content + KS_CONTENT_MIXED, XXH64(both, sizeof both, 0));
}

int ks_identity_full(uint64_t *hash, int fd, int64_t size, const char *path, const atomic_int *quit,
                     ks_error *e)
{
    enum { BLOCK = 1 << 20 };
    static const int64_t LONG_HOLE = (int64_t)1 << 30;
    int err = 0;
    uint8_t *block = malloc(BLOCK);
    XXH64_state_t *state = XXH64_createState();
    if (!block || !state) {
        err = ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
        goto out;
    }
    XXH64_reset(state, 0);
    int64_t data = -1; /* next byte that is no hole; -1: ask */
    for (int64_t at = 0; at < size;) {
        if (quit && *quit) {
            err = ks_fail(e, KS_ESTOP, "interrupted");
            goto out;
        }
        if (data < at) {
            off_t found = lseek(fd, (off_t)at, SEEK_DATA);
            data = found >= 0 ? (int64_t)found : errno == ENXIO ? size : at;
        }
        if (data - at >= LONG_HOLE) { /* a terabyte of zeros takes a minute and a half */
            uint8_t length[8];
            put64(length, (uint64_t)(data - at));
            XXH64_update(state, length, sizeof length);
            at = data;
            continue;
        }
        size_t n = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
        if (data >= at + (int64_t)n) memset(block, 0, n);
        else err = read_all(block, n, fd, at, path, e);
        if (err < 0) goto out;
        XXH64_update(state, block, n);
        at += (int64_t)n;
    }
    *hash = XXH64_digest(state);
out:
    XXH64_freeState(state);
    free(block);
    return err;
}

int ks_content_of(char hex[KS_CONTENT_HEX], const char *path, ks_error *e)
{
    uint8_t content[KS_CONTENT];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ks_fail(e, errno == ENOENT || errno == ENOTDIR ? KS_ENOTFOUND : KS_EIO, "%s: %s",
                       path, strerror(errno));
    int err = fstat(fd, &st) != 0    ? ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno))
              : !S_ISREG(st.st_mode) ? ks_fail(e, KS_EIO, "%s: is no file", path)
                                     : ks_identity(content, fd, st.st_size, path, e);
    close(fd);
    for (int i = 0; i < KS_CONTENT && !err; i++) snprintf(hex + 2 * i, 3, "%02x", content[i]);
    return err;
}
