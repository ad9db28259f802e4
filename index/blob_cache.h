/* blob_cache.h - beside a mirror: thumbnails and frame vectors that were asked of its hub, up to so
 * many bytes, the longest unused go first; and those that somebody wants who may not ask a hub
 * himself (`serve` within its walls), for a process that may.
 *
 * A cache: whatever goes wrong, nothing is in it, and a file that is none is made anew. */
#ifndef KS_BLOB_CACHE_H
#define KS_BLOB_CACHE_H

#include "index/catalog.h"

#define KS_BLOBS_MOST ((int64_t)256 << 20)
typedef struct ks_blobs ks_blobs;
typedef struct {
    int64_t tag, clip, frames, sum; /* tag: its table's; sum as the hub has it */
    void *data;                     /* owned, malloc'ed */
    size_t bytes;
} ks_blob;

/* dir: the mirror's folder. NULL: it cannot be written, and nothing is kept. */
ks_blobs *ks_blobs_open(const char *dir, int64_t most);
void ks_blobs_close(ks_blobs *b);            /* NULL is fine */
int ks_blobs_get(ks_blob *out, ks_blobs *b); /* of out->tag, clip: 1, 0 = it is not here */
void ks_blobs_put(ks_blobs *b, const ks_blob *blob);
void ks_blobs_drop(ks_blobs *b, int64_t tag, int64_t clip);
int64_t ks_blobs_bytes(ks_blobs *b);
/* 1, 0 */
int ks_blobs_is_wanted(ks_blobs *b, int64_t tag, int64_t clip);
void ks_blobs_want(ks_blobs *b, int64_t tag, int64_t clip);
int ks_blobs_wanted(int64_t *clip, int most, ks_blobs *b, int64_t tag); /* how many */
void ks_blobs_done(ks_blobs *b, int64_t tag, const int64_t *clip, int n);

#endif
