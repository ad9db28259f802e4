/* sameness.c - see sameness.h. */
#include "ingest/sameness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ks_sameness_hash(uint64_t *full, const char *path, const atomic_int *quit, ks_error *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    *full = 0;
    if (fd < 0) return ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", path, strerror(errno));
    int err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? 0 : ks_fail(e, KS_EIO, "%s: not a regular file", path);
    if (err == 0) err = ks_identity_full(full, fd, st.st_size, path, quit, e);
    close(fd);
    return err;
}

/* The film that has the same parts: as it was written down, with other bytes, or by an older program without a hash. */
static int compare(uint8_t content[KS_CONTENT], uint64_t *full, ks_index *x, const ks_sameness_file *file, const ks_video *film, ks_error *e)
{
    uint64_t want;
    ks_error why;
    if (film->mtime_ns == file->mtime_ns || film->verdict == KS_VERDICT_SKIPPED || film->verdict == KS_VERDICT_FAILED) return 0;
    int r = ks_index_full_hash(&want, x, film->id, e);
    if (r < 0) return r;
    if (ks_sameness_hash(full, file->path, NULL, &why) < 0) return 1;
    if (r == 1 ? want == *full : film->verdict != KS_VERDICT_NONE) return 0;
    ks_identity_mix(content, *full);
    return 0;
}

int ks_sameness(uint8_t content[KS_CONTENT], uint64_t *full, ks_index *x, const ks_sameness_file *file, const ks_video *known,
                ks_error *e)
{
    ks_video film;
    ks_error why;
    uint8_t mixed[KS_CONTENT];
    *full = 0;
    int r = ks_index_find_content(&film, x, content, e);
    if (r < 0) return r;
    if (r == 1) return compare(content, full, x, file, known && known->id == film.id ? known : &film, e);
    if (!known || known->size != file->size || memcmp(known->content, content, KS_CONTENT_MIXED) != 0) return 0;
    /* Perhaps the content of this path is a mixed one, and its twin is gone. */
    if (ks_sameness_hash(full, file->path, NULL, &why) < 0) return 1;
    memcpy(mixed, content, sizeof mixed);
    ks_identity_mix(mixed, *full);
    if (memcmp(mixed, known->content, sizeof mixed) == 0) memcpy(content, mixed, sizeof mixed);
    return 0;
}
