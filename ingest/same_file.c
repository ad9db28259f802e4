/* same_file.c - whether an open file is the film that the catalog means. */
#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "ingest/identity.h"
#include "ingest/ingest.h"

/* Its parts are hashed where it was only touched, moved to another disk, or restored. A film
 * whose content tells it from one with equal parts is compared by the hash of all its bytes that
 * is kept: the parts alone are read. */
int ks_ingest_same_file(int *same, ks_index *x, int fd, const struct stat *st, const ks_video *v,
                        ks_error *e)
{
    assert(same && x && fd >= 0 && st && v);
    uint8_t content[KS_CONTENT];
    uint64_t full;
    int err;

    *same = 0;
    ks_stat now = ks_stat_of(st);
    if (now.size != v->stat.size) return 0;
    if (ks_stat_untouched(now, v->stat) && ks_stat_one_file(now, v->stat)) return *same = 1, 0;
    if ((err = ks_identity(content, fd, st->st_size, v->path, e)) < 0) return err;
    *same = memcmp(content, v->content, KS_CONTENT) == 0;
    if (*same || memcmp(content, v->content, KS_CONTENT_MIXED) != 0 ||
        (err = ks_index_full_hash(&full, x, v->id, e)) <= 0)
        return err < 0 ? err : 0;
    ks_identity_mix(content, full);
    *same = memcmp(content, v->content, KS_CONTENT) == 0;
    return 0;
}
