/* npz_write.h - the bytes around arrays that make an .npy or an .npz, as numpy writes them: a part
 * of encoder.h, which includes it.
 *
 * A member is: local header (ks_npz_local), npy header (ks_npy_head), elements. After the last
 * one: a central record a member, then the end. */
#ifndef KS_NPZ_WRITE_H
#define KS_NPZ_WRITE_H

#ifndef KS_ENCODER_H
#error "include encoder/encoder.h"
#endif

enum {
    KS_NPY_HEAD = 128,
    KS_NPZ_LOCAL = 30 + 256 + 20,
    KS_NPZ_CENTRAL = 46 + 256 + 28,
    KS_NPZ_END = 56 + 20 + 22
};

typedef struct {
    const char *name; /* without ".npy"; under 252 characters */
    uint64_t offset;  /* of its local header in the file */
    uint64_t bytes;   /* npy header and elements */
    uint32_t crc;     /* CRC-32 of both */
} ks_npz_member;

/* type: "<f4", "<f2", "<i8", "<U64"; rank 0: one element */
void ks_npy_head(uint8_t head[KS_NPY_HEAD], const char *type, const int64_t *dims, int rank);
/* Each returns how many bytes it wrote to p. */
size_t ks_npz_local_bytes(const char *name);
size_t ks_npz_local(uint8_t p[KS_NPZ_LOCAL], const ks_npz_member *m);
size_t ks_npz_central(uint8_t p[KS_NPZ_CENTRAL], const ks_npz_member *m);
/* n members; the central records lie at directory .. at. */
size_t ks_npz_end(uint8_t p[KS_NPZ_END], int n, uint64_t directory, uint64_t at);

#endif
