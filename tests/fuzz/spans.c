/* spans.c - fuzz: any bytes are a list of labels or one sentence; what is read is sane. */
#include "formats/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("labels", MFD_CLOEXEC), err;
    char path[40];
    ks_spans s;
    ks_error e = {0};

    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    err = ks_spans_read(&s, path, 25, &e);
    if (err < 0 && (!*e.msg || strchr(e.msg, '\n') || s.n || s.at)) abort();
    for (int i = 0; err == 0 && i < s.n; i++)
        if (!s.at[i].film || !s.at[i].label || !isfinite(s.at[i].start) || s.at[i].start < 0 ||
            (s.at[i].end >= 0 && s.at[i].end < s.at[i].start))
            abort();
    ks_spans_free(&s);
    close(fd);
    return 0;
}
