/* npy_io.c - the two npy forms that the command line speaks; see npy_io.h. */
#include "cli/npy_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_MAX = 4096 };

static int bad(const char *path, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: %s", path, what);
}

/* The value of 'key' in the header's dict, white space skipped; NULL: not there. */
static const char *value_of(const char *dict, const char *key)
{
    const char *at = strstr(dict, key);
    if (!at) return NULL;
    at += strlen(key);
    while (*at == ' ') at++;
    if (*at++ != ':') return NULL;
    while (*at == ' ') at++;
    return at;
}

static int take_dims(int64_t dims[4], const char *at)
{
    int n = 0;
    if (*at++ != '(') return -1;
    for (;;) {
        while (*at == ' ') at++;
        if (*at == ')') return n;
        char *end;
        if (*at < '0' || *at > '9' || n == 4) return -1;
        errno = 0;
        dims[n++] = strtoll(at, &end, 10);
        if (errno != 0) return -1;
        at = end;
        while (*at == ' ') at++;
        if (*at == ',') at++;
        else if (*at != ')') return -1;
    }
}

/* Header of f's file -> shape and type; *data: where the elements start. */
static int take_header(ks_npy_frames *f, const char *path, int fd, int64_t dims[4], uint64_t *data, ks_error *e)
{
    char head[HEAD_MAX + 1];
    ssize_t n = pread(fd, head, HEAD_MAX, 0);
    if (n < 0) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    if (n < 12 || memcmp(head, "\x93NUMPY", 6) != 0) return bad(path, "not an npy file", e);
    if ((head[6] != 1 && head[6] != 2) || head[7] != 0) return bad(path, "only npy versions 1.0 and 2.0 are known", e);
    size_t start = head[6] == 1 ? 10 : 12, length = (size_t)(uint8_t)head[8] | (size_t)(uint8_t)head[9] << 8;
    if (head[6] == 2) length |= (size_t)(uint8_t)head[10] << 16 | (size_t)(uint8_t)head[11] << 24;
    if (length > (size_t)n - start) return bad(path, "its npy header is damaged", e);
    head[start + length] = 0;
    const char *dict = head + start, *descr = value_of(dict, "'descr'"), *order = value_of(dict, "'fortran_order'"), *shape = value_of(dict, "'shape'");
    if (!descr || !order || !shape) return bad(path, "its npy header is damaged", e);
    if (strncmp(order, "False", 5) != 0) return bad(path, "its frames are in Fortran order", e);
    f->is_float = strncmp(descr, "'<f4'", 5) == 0;
    if (!f->is_float && strncmp(descr, "'|u1'", 5) != 0) return bad(path, "frames are uint8 or float32", e);
    int rank = take_dims(dims, shape);
    if (rank != 4 || dims[3] != 3 || dims[1] != dims[2] || dims[0] < 1 || dims[1] < 1 || dims[0] > 1 << 20 || dims[1] > 1 << 16)
        return ks_fail(e, KS_ESHAPE, "%s: frames are [T, S, S, 3]", path);
    *data = start + length;
    return 0;
}

static int read_elements(ks_npy_frames *f, const char *path, int fd, uint64_t from, size_t bytes, ks_error *e)
{
    f->px = malloc(bytes);
    if (!f->px) return ks_fail(e, KS_ENOMEM, "%s: no memory for its frames", path);
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pread(fd, (char *)f->px + done, bytes - done, (off_t)(from + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
        if (n == 0) return bad(path, "it became shorter while it was read", e);
        done += (size_t)n;
    }
    const float *x = f->px;
    for (size_t i = 0; f->is_float && i < bytes / sizeof *x; i++)
        if (!(x[i] >= 0.0f && x[i] <= 1.0f)) return bad(path, "float32 frames are in [0,1]", e);
    return 0;
}

int ks_npy_read_frames(ks_npy_frames *f, const char *path, ks_error *e)
{
    int64_t dims[4];
    uint64_t data = 0;
    struct stat st;
    *f = (ks_npy_frames){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return ks_fail(e, errno == ENOENT || errno == ENOTDIR ? KS_ENOTFOUND : KS_EIO, "%s: %s", path, strerror(errno));
    int err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? 0 : bad(path, "not a regular file", e);
    if (!err) err = take_header(f, path, fd, dims, &data, e);
    if (!err) {
        uint64_t bytes = (uint64_t)dims[0] * (uint64_t)dims[1] * (uint64_t)dims[1] * 3 * (f->is_float ? sizeof(float) : 1); /* < 2^20 * 2^32 * 12 */
        f->T = (int)dims[0];
        f->side = (int)dims[1];
        err = data + bytes == (uint64_t)st.st_size ? read_elements(f, path, fd, data, (size_t)bytes, e) : bad(path, "its size does not fit its shape", e);
    }
    close(fd);
    if (err) ks_npy_free(f);
    return err;
}

void ks_npy_free(ks_npy_frames *f)
{
    free(f->px);
    *f = (ks_npy_frames){0};
}

static void npy_head(char head[128], int rank, const int64_t *dims)
{
    memset(head, ' ', 128);
    memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
    int n = rank > 1 ? snprintf(head + 10, 110, "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }", (long long)dims[0], (long long)dims[1])
                     : snprintf(head + 10, 110, "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld,), }", (long long)dims[0]);
    head[10 + n] = ' ';
    head[127] = '\n';
}

void ks_npy_write(FILE *f, const float *x, int rank, const int64_t *dims)
{
    char head[128];
    npy_head(head, rank, dims);
    fwrite(head, 1, sizeof head, f);
    fwrite(x, sizeof *x, (size_t)dims[0] * (rank > 1 ? (size_t)dims[1] : 1), f);
}
