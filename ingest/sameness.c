/* sameness.c - see sameness.h. */
#include "ingest/sameness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ks_sameness_hash(uint64_t *full, const char *path, const atomic_int *quit, ks_error *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    *full = 0;
    if (fd < 0)
        return ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", path, strerror(errno));
    int err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                  ? 0
                  : ks_fail(e, KS_EIO, "%s: not a regular file", path);
    if (err == 0) err = ks_identity_full(full, fd, st.st_size, path, quit, e);
    close(fd);
    return err;
}

/* The hash of all bytes of a film that the catalog knows. It is not stored of an unfinished one,
 * nor of one that an older program wrote: its file tells, if it still is as written down. path:
 * of film, where its file is. 1, 0: nobody knows. */
static int hash_of(uint64_t *full, ks_index *x, const ks_video *film, const char *path, ks_error *e)
{
    struct stat st;
    ks_error why;
    ks_stat was = film->stat;
    char *at = strdup(path ? path : "");
    if (!at) return ks_fail(e, KS_ENOMEM, "no memory for a path");
    /* the text of film was borrowed until here */
    int r = ks_index_full_hash(full, x, film->id, e);
    if (r == 0 && lstat(at, &st) == 0 && ks_stat_untouched(ks_stat_of(&st), was))
        r = ks_sameness_hash(full, at, NULL, &why) == 0;
    free(at);
    return r;
}

/* The film that has the same parts, at path: as it was written down, with other bytes, or with
 * bytes that nobody knows. */
static int compare(uint8_t content[KS_CONTENT], uint64_t *full, ks_index *x, const ks_place *file,
                   const ks_video *film, const char *path, ks_error *e)
{
    uint64_t want;
    ks_error why;
    int unfinished = film->verdict == KS_VERDICT_NONE;
    if (film->stat.mtime_ns == file->stat.mtime_ns || film->verdict == KS_VERDICT_SKIPPED ||
        film->verdict == KS_VERDICT_FAILED)
        return 0;
    int r = hash_of(&want, x, film, path, e);
    if (r < 0) return r;
    if (ks_sameness_hash(full, file->path, NULL, &why) < 0) return 1;
    if (r == 1 ? want == *full : !unfinished) return 0;
    ks_identity_mix(content, *full);
    return 0;
}

int ks_sameness(uint8_t content[KS_CONTENT], uint64_t *full, ks_index *x, const ks_place *file,
                const ks_video *known, ks_error *e)
{
    ks_video film;
    ks_error why;
    uint8_t mixed[KS_CONTENT];
    *full = 0;
    int r = ks_index_find_content(&film, x, content, e);
    if (r < 0) return r;
    if (r == 1 && known && known->id == film.id)
        return compare(content, full, x, file, known, file->path, e);
    if (r == 1) return compare(content, full, x, file, &film, film.path, e);
    if (!known || known->stat.size != file->stat.size ||
        memcmp(known->content, content, KS_CONTENT_MIXED) != 0)
        return 0;
    /* Perhaps the content of this path is a mixed one, and its twin is gone. */
    if (ks_sameness_hash(full, file->path, NULL, &why) < 0) return 1;
    memcpy(mixed, content, sizeof mixed);
    ks_identity_mix(mixed, *full);
    if (memcmp(mixed, known->content, sizeof mixed) == 0) memcpy(content, mixed, sizeof mixed);
    return 0;
}
