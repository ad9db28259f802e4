/* identity.h - what a file is, by its bytes: its path is only where it was last seen (DESIGN
 * 3.4). */
#ifndef KS_IDENTITY_H
#define KS_IDENTITY_H

#include "ks.h"

#include <stdatomic.h>

enum {
    KS_CONTENT = 24,
    KS_CONTENT_PART = 65536,
    KS_CONTENT_MIXED = 16 /* bytes of it that ks_identity_mix leaves */
};

/* content = size, xxh64 of the first 64 KiB, xxh64 of the middle and the last 64 KiB, each
 * little endian. A pure function of the bytes: a sparse file and its full copy are the same, and
 * no hole is read. fd is read with pread. KS_EIO: a read failed or the file became shorter. */
int ks_identity(uint8_t content[KS_CONTENT], int fd, int64_t size, const char *path, ks_error *e);

/* For what cannot be read or is no regular file: device and inode stand for the content. */
void ks_identity_of_place(uint8_t content[KS_CONTENT], uint64_t device, uint64_t inode);

/* Of two files with the same parts and other bytes elsewhere, the one met later: its last 8
 * bytes take in the hash of all its bytes. */
void ks_identity_mix(uint8_t content[KS_CONTENT], uint64_t full);

/* xxh64 of all bytes; holes are skipped (SEEK_DATA) and count as zeros, of 1 GiB and more as their
 * length: a full copy of such a file is another file. KS_ESTOP once *quit is set (may be NULL). */
int ks_identity_full(uint64_t *hash, int fd, int64_t size, const char *path, const atomic_int *quit,
                     ks_error *e);

#endif
