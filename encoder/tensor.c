/* tensor.c - bytes of a file, and what a tensor of one is called: for checkpoint.c and for the
 * directories it opens. */
#include "encoder/checkpoint.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int ks_bytes_read(const ks_bytes *b, const char *path, uint64_t at, void *to, size_t n, ks_error *e)
{
    if (at > b->size || n > b->size - at)
        return ks_fail(e, KS_EFORMAT, "%s: the file ends before byte %llu", path,
                       (unsigned long long)(at + n));
    if (b->fd < 0) {
        if (n > 0) memcpy(to, b->memory + at, n);
        return 0;
    }
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(b->fd, (char *)to + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return ks_fail(e, KS_EIO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return ks_fail(e, KS_EFORMAT, "%s: the file became shorter while it was read", path);
        done += (size_t)got;
    }
    return 0;
}

const char *ks_dtype_name(ks_dtype dtype)
{
    static const char *const names[] = {"f4", "f2", "bf16", "i8", "other", "f8", "U", "S", "u1"};
    return names[dtype];
}

char *ks_shape_text(char text[160], const int64_t *shape, int rank)
{
    size_t at = 0;
    text[at++] = '[';
    for (int i = 0; i < rank && at < 140; i++)
        at += (size_t)snprintf(text + at, 160 - at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    snprintf(text + at, 160 - at, "]");
    return text;
}

int ks_tensor_count(ks_tensor *t, size_t element, uint64_t *bytes)
{
    uint64_t product = 1;
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] < 0 || __builtin_mul_overflow(product, (uint64_t)t->shape[i], &product))
            return -1;
    if (product > INT64_MAX / 8 || __builtin_mul_overflow(product, element, bytes)) return -1;
    t->count = (int64_t)product;
    return 0;
}
