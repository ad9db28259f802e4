/* sameness.h - which content a file is where the three hashed parts do not say it: its size and
 * parts are known, its time of change is new. All bytes decide then (DESIGN 3.4). */
#ifndef KS_SAMENESS_H
#define KS_SAMENESS_H

#include "index/index.h"
#include "ingest/identity.h"
#include "ingest/scan.h"

/* A film with mixed content whose twin is gone is known at its own path; a copy of it elsewhere
 * is encoded again.
 *
 * content: as ks_identity says; out: as the catalog knows it, or a new one where the bytes are
 * others than any it knows. known: the row of this path, NULL if there is none. *full: the hash
 * of all bytes, 0 where nobody had to read them. 1: the file cannot be read. */
int ks_sameness(uint8_t content[KS_CONTENT], uint64_t *full, ks_index *x, const ks_place *file,
                const ks_video *known, ks_error *e);
/* xxh64 of the file at path: 0, or KS_EIO, KS_ENOTFOUND, KS_ESTOP once *quit is set (quit may be
 * NULL). */
int ks_sameness_hash(uint64_t *full, const char *path, const atomic_int *quit, ks_error *e);

#endif
