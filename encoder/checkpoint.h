/* checkpoint.h - a model file's directory of tensors, and their elements as checked floats.
 *
 *   ks_checkpoint *cp;
 *   ks_checkpoint_open(&cp, path, &e);             directory and headers only: no weight is read
 *   ks_tensor_read(cp, t, put, arg, &crc, &e);     CRC, finiteness, f4|f2|bf16 -> float, in order
 *   ks_checkpoint_close(cp);
 *
 * Nothing in a file is believed: every size and offset is held against the file's length before
 * anything is allocated, and no allocation is larger than a directory of this many bytes. */
#ifndef KS_CHECKPOINT_H
#define KS_CHECKPOINT_H

#include "ks.h"

enum { KS_MAX_RANK = 8, KS_NAME_MAX = 255 };
/* bytes of a zip directory or safetensors header; LvT-L: 16 and 90 KB */
enum { KS_DIRECTORY_MAX = 2 << 20 };

typedef enum {
    KS_DTYPE_F4,
    KS_DTYPE_F2,
    KS_DTYPE_BF16,
    KS_DTYPE_I64,
    KS_DTYPE_OTHER,
    KS_DTYPE_F8,
    KS_DTYPE_UCS4,
    KS_DTYPE_BYTES,
    KS_DTYPE_U8
} ks_dtype;
typedef enum { KS_NPZ, KS_SAFETENSORS, KS_NPY } ks_format;

typedef struct {
    char *name; /* as in the file, without ".npy"; printable ASCII */
    ks_dtype dtype;
    int rank;
    int64_t shape[KS_MAX_RANK];
    int64_t count; /* elements */
    /* npz: of the member's first byte (its npy header); else of the elements */
    uint64_t offset;
    uint64_t stored; /* bytes in the file from offset */
    uint64_t bytes;  /* the same after inflating; stored when not deflated */
    uint32_t header; /* bytes of `bytes` before the first element */
    uint32_t crc;    /* CRC-32 of `bytes` as the directory has it (npz), 0 (safetensors) */
    int deflated;
    /* in, for ks_npy_header: an array of vectors or names, not a weight: f8, i8, u1, U and S
     * pass too */
    int any;
    int element; /* bytes of an element */
    int fortran; /* of `any`: the first index runs fastest; others are refused so */
} ks_tensor;

/* The bytes of a file, by pread, so that a file that shrinks is an error and no signal. Fuzzers and
 * tests hand over memory instead (fd < 0). */
typedef struct {
    int fd;
    const uint8_t *memory;
    uint64_t size;
} ks_bytes;

typedef struct {
    char *path; /* as given: the name in every sentence */
    ks_format format;
    ks_bytes bytes;
    ks_tensor *tensors; /* sorted by name */
    int n;
    int arrays; /* no model: members of any kind (ks_arrays_open) */
} ks_checkpoint;

/* KS_ENOTFOUND, KS_EIO, KS_EFORMAT, KS_ENOMEM. */
int ks_checkpoint_open(ks_checkpoint **cp, const char *path, ks_error *e);
int ks_checkpoint_open_memory(ks_checkpoint **cp, const char *path, const uint8_t *data,
                              size_t size, ks_error *e);
/* The same for an .npz or .npy of somebody's vectors, whose elements need not be weights. */
int ks_arrays_open(ks_checkpoint **cp, const char *path, ks_error *e);
int ks_npy_open(ks_checkpoint **cp, const char *path, ks_error *e); /* an .npy alone */
void ks_checkpoint_close(ks_checkpoint *cp);                        /* NULL is fine */
/* NULL: not there */
const ks_tensor *ks_checkpoint_find(const ks_checkpoint *cp, const char *name);

/* Receives consecutive elements x[n] of a tensor. */
typedef int ks_put(void *arg, const float *x, size_t n, ks_error *e);
/* All elements of t in order. KS_EFORMAT: wrong CRC, damaged deflate stream, NaN or Inf. put may be
 * NULL (a check only). *crc (unless NULL) receives the CRC-32 of what was read. */
int ks_tensor_read(const ks_checkpoint *cp, const ks_tensor *t, ks_put *put, void *arg,
                   uint32_t *crc, ks_error *e);
/* The elements' bytes as they are into out[count * element]; KS_EFORMAT as above. */
int ks_tensor_bytes(uint8_t *out, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e);
/* The whole tensor into out[count]. */
int ks_tensor_load(float *out, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e);

const char *ks_dtype_name(ks_dtype dtype);                           /* "f4", ...; static */
char *ks_shape_text(char text[160], const int64_t *shape, int rank); /* "[2, 768]"; returns text */

/* --- for npz.c, npy.c, safetensors.c --- */
int ks_bytes_read(const ks_bytes *b, const char *path, uint64_t at, void *to, size_t n,
                  ks_error *e);
int ks_npz_directory(ks_checkpoint *cp, ks_error *e);
int ks_safetensors_directory(ks_checkpoint *cp, ks_error *e);
/* Parse the npy header at head[n] (its start; n may be less than the header): dtype, shape,
 * count and header of t. `name` is the tensor's in sentences. */
int ks_npy_header(ks_tensor *t, const char *path, const char *name, const uint8_t *head, size_t n,
                  ks_error *e);
enum { KS_NPY_HEADER_MAX = 4096 }; /* numpy writes 128 for our tensors */
/* product of shape; -1 on overflow */
int ks_tensor_count(ks_tensor *t, size_t element, uint64_t *bytes);

/* crc32.c: CRC-32 as zlib's, by carry-less multiplication where the CPU has it. */
uint32_t ks_crc32(uint32_t crc, const void *data, size_t n);
uint32_t ks_crc32_plain(uint32_t crc, const void *data, size_t n); /* zlib's own; the reference */

#endif
