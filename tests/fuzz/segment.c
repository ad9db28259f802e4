/* segment.c - the header of a search copy, and pages of a database as repair reads them: any
 * bytes, no crash. */
#include "index/salvage.h"
#include "index/segment.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static int each(void *arg, int64_t rowid, const ks_value *v, int n)
{
    uint64_t *sum = arg;
    *sum += (uint64_t)rowid;
    for (int i = 0; i < n; i++) {
        *sum += (uint64_t)v[i].type + (uint64_t)v[i].i;
        /* reads all of it: the sanitizer sees what lies outside */
        if (v[i].n) *sum ^= XXH64(v[i].bytes, v[i].n, 0);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char page[KS_SEGMENT_HEADER];
    ks_segment_header h;
    ks_segment_layout l;
    uint64_t sum = 0;
    if (size < 1) return 0;
    if (data[0] & 1) {
        ks_salvage_pages(data + 1, size - 1, each, &sum);
        return 0;
    }
    memset(page, 0, sizeof page);
    memcpy(page, data + 1, size - 1 < sizeof h ? size - 1 : sizeof h);
    memcpy(&h, page, sizeof h);
    memcpy(h.magic, "KSVECT1\n", 8);
    h.block = KS_SEGMENT_BLOCK;
    /* past the hash, or nothing would be */
    h.self = XXH3_64bits(&h, offsetof(ks_segment_header, self));
    memcpy(page, &h, sizeof h);
    uint64_t bytes = h.bytes;
    if (ks_segment_header_ok(&h, &l, page, sizeof page, bytes)) {
        if (l.bytes != bytes || l.hashes > l.bytes || l.runs > l.hashes || l.ids > l.runs ||
            l.errors > l.ids || l.scales > l.errors || l.codes > l.scales || l.half > l.codes)
            abort();
    }
    return 0;
}
