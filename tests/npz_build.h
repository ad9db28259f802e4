/* npz_build.h - npz files for tests, member by member, each field free to be wrong.
 *
 *   ks_build *b = ks_build_toy(&like, seed);          a valid checkpoint, as ks_model_random
 *                                                     writes it
 *   ks_build_find(b, "params/...")->crc_xor = 1;      one fault
 *   uint8_t *file = ks_build_bytes(b, &n);            malloc'ed
 *   ks_build_free(b);
 *
 * A test helper: what goes wrong in it aborts. */
#ifndef KS_NPZ_BUILD_H
#define KS_NPZ_BUILD_H

#include "encoder/encoder.h"

typedef struct {
    /* in the directory and in the local header; ".npy" comes by itself */
    char name[256], local_name[256];
    char descr[64]; /* as it stands in the header, quotes included */
    int fortran;
    int rank;
    int64_t dims[8];
    char shape[256]; /* "" = from dims; else as it stands in the header */
    int npy_major;   /* 1 or 2 */
    uint8_t *data;
    size_t bytes;
    int method;              /* 0, 8 */
    int flags, local_method; /* local_method -1: the same */
    int descriptor;          /* sizes and CRC follow the data, as streaming writers do */
    uint32_t crc_xor;
    int64_t packed_add, full_add, offset_add; /* to what the directory says */
    int64_t local_size_add;                   /* to what the local header says */
    int dropped;                              /* not written at all */
    int again;                                /* its directory entry stands there twice */
} ks_build_member;

typedef struct {
    ks_build_member *at;
    int n;
    /* zip64 end record, and zip64 fields for all sizes and offsets */
    int zip64;
    int64_t entries_add, directory_add, size_add; /* to what the end record says */
    char comment[64];
} ks_build;

/* a toy: 2 layers a stack, D 16, H 2 */
void ks_build_like(ks_info *like, ks_kind kind, int hybrid);
ks_build *ks_build_toy(const ks_info *like, uint64_t seed);
ks_build *ks_build_load(const char *path); /* all elements become f4 */
ks_build_member *ks_build_find(ks_build *b, const char *name);
ks_build_member *ks_build_add(ks_build *b, const char *name, const float *x, int rank,
                              const int64_t *dims);
uint8_t *ks_build_bytes(const ks_build *b, size_t *n);
void ks_build_free(ks_build *b);
void ks_build_to_half(ks_build *b); /* all members become '<f2' */

void ks_write_file(const char *path, const void *data, size_t n);
uint8_t *ks_read_file(const char *path, size_t *n);
char *ks_temp_folder(char folder[64]);     /* a new folder under $TMPDIR or /tmp; returns it */
void ks_remove_folder(const char *folder); /* and all in it */

#endif
