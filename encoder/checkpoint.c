/* checkpoint.c - opening a model file, and its elements as checked floats.
 *
 * Elements pass through in chunks of 256 KiB: read, CRC, convert, test for NaN and Inf, hand
 * over. So a check costs about what reading costs, and memory does not depend on the file. */
#include "encoder/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 1 << 16 }; /* elements: 256 KiB of floats, which stay in the second-level cache */

/* --- elements --- */

/* Without a branch, so that the loop is done by vectors: the exponent is 112 too small, which a
 * multiplication mends exactly, subnormals included; Inf and NaN keep exponent 255. */
static inline float from_half(uint16_t h)
{
    uint32_t rest = (uint32_t)(h & 0x7fff) << 13,
             wild = -(uint32_t)(rest >= 0x7c00u << 13) & 0x7f800000u, bits;
    float f;
    memcpy(&f, &rest, 4);
    f *= 0x1p112f;
    memcpy(&bits, &f, 4);
    bits |= (uint32_t)(h & 0x8000) << 16 | wild;
    memcpy(&f, &bits, 4);
    return f;
}

/* at -O2 only loops of a known length become vectors: 1.4 -> 0.25 ns a half, 0.7 -> 0.26 a float
 * to judge */
enum { LOT = 16 };

/* The elements as floats: where they are, or converted into room[n]. */
static const float *to_floats(float *room, const uint8_t *in, size_t n, ks_dtype dtype)
{
    const uint16_t *half = (const uint16_t *)(const void *)in;
    if (dtype == KS_DTYPE_F4) return (const float *)(const void *)in;
    size_t i = 0;
    if (dtype == KS_DTYPE_F2) {
        for (; i + LOT <= n; i += LOT)
            for (size_t k = 0; k < LOT; k++) room[i + k] = from_half(half[i + k]);
        for (; i < n; i++) room[i] = from_half(half[i]);
    } else {
        for (; i < n; i++) {
            uint32_t bits = (uint32_t)half[i] << 16;
            memcpy(room + i, &bits, 4);
        }
    }
    return room;
}

static uint32_t without_sign(const float *x)
{
    uint32_t bits;
    memcpy(&bits, x, 4);
    return bits & 0x7fffffffu;
}

/* 1 when an element is NaN or Inf: as integers these are the largest. */
static int any_wild(const float *x, size_t n)
{
    uint32_t top[LOT] = {0}, most = 0;
    size_t i = 0;
    for (; i + LOT <= n; i += LOT)
        for (size_t k = 0; k < LOT; k++)
            top[k] = without_sign(x + i + k) > top[k] ? without_sign(x + i + k) : top[k];
    for (; i < n; i++) most = without_sign(x + i) > most ? without_sign(x + i) : most;
    for (size_t k = 0; k < LOT; k++) most = top[k] > most ? top[k] : most;
    return most >= 0x7f800000u;
}

/* The same of two-byte elements as they are stored; `wild` is infinity's bits. Twice as fast as
 * converting them first. */
static int any_wild_half(const uint8_t *in, size_t n, uint16_t wild)
{
    const uint16_t *x = (const uint16_t *)(const void *)in;
    uint16_t top[2 * LOT] = {0}, most = 0;
    size_t i = 0;
    for (; i + 2 * LOT <= n; i += 2 * LOT)
        for (size_t k = 0; k < 2 * LOT; k++)
            top[k] = (x[i + k] & 0x7fff) > top[k] ? x[i + k] & 0x7fff : top[k];
    for (; i < n; i++) most = (x[i] & 0x7fff) > most ? x[i] & 0x7fff : most;
    for (size_t k = 0; k < 2 * LOT; k++) most = top[k] > most ? top[k] : most;
    return most >= wild;
}

static int any_wild_of(const uint8_t *in, size_t n, ks_dtype dtype)
{
    return dtype == KS_DTYPE_F4 ? any_wild((const float *)(const void *)in, n)
                                : any_wild_half(in, n, dtype == KS_DTYPE_F2 ? 0x7c00 : 0x7f80);
}

/* Reads a member's bytes in order, inflating where it is deflated. */
typedef struct {
    const ks_checkpoint *cp;
    const ks_tensor *t;
    uint64_t at, left; /* position in the file, bytes not yet read there */
    z_stream z;
    int inflating;
    uint8_t *packed; /* [CHUNK], deflated only */
    uint32_t crc;
} member;

static int damaged(const member *m, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: tensor %s has a damaged deflate stream", m->cp->path,
                   m->t->name);
}

static int member_begin(member *m, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e)
{
    *m = (member){.cp = cp, .t = t, .at = t->offset, .left = t->stored};
    if (!t->deflated) return 0;
    m->packed = malloc(CHUNK);
    if (!m->packed || inflateInit2(&m->z, -15) != Z_OK) {
        free(m->packed);
        m->packed = NULL;
        return ks_fail(e, KS_ENOMEM, "%s: no memory to inflate tensor %s", cp->path, t->name);
    }
    m->inflating = 1;
    return 0;
}

static int member_inflate(member *m, uint8_t *to, size_t n, ks_error *e)
{
    m->z.next_out = to;
    m->z.avail_out = (uInt)n;
    while (m->z.avail_out > 0) {
        if (m->z.avail_in == 0) {
            size_t part = m->left < CHUNK ? (size_t)m->left : CHUNK;
            if (part == 0) return damaged(m, e);
            int err = ks_bytes_read(&m->cp->bytes, m->cp->path, m->at, m->packed, part, e);
            if (err) return err;
            m->at += part, m->left -= part;
            m->z.next_in = m->packed;
            m->z.avail_in = (uInt)part;
        }
        int z = inflate(&m->z, Z_NO_FLUSH);
        if (z == Z_MEM_ERROR)
            return ks_fail(e, KS_ENOMEM, "%s: no memory to inflate tensor %s", m->cp->path,
                           m->t->name);
        if (z == Z_STREAM_END && m->z.avail_out > 0) return damaged(m, e);
        if (z != Z_OK && z != Z_STREAM_END) return damaged(m, e);
    }
    return 0;
}

/* The next n bytes. */
static int member_read(member *m, uint8_t *to, size_t n, ks_error *e)
{
    int err;
    if (m->t->deflated) {
        err = member_inflate(m, to, n, e);
    } else {
        err = ks_bytes_read(&m->cp->bytes, m->cp->path, m->at, to, n, e);
        m->at += n, m->left -= n;
    }
    if (!err) m->crc = ks_crc32(m->crc, to, n);
    return err;
}

/* After the last byte: a deflate stream ends exactly here, too. */
static int member_end(member *m, ks_error *e)
{
    if (m->t->deflated) {
        uint8_t beyond;
        m->z.next_out = &beyond;
        m->z.avail_out = 1;
        int z = Z_OK;
        while (z == Z_OK && m->z.avail_out == 1) {
            if (m->z.avail_in == 0 && m->left > 0) {
                size_t part = m->left < CHUNK ? (size_t)m->left : CHUNK;
                int err = ks_bytes_read(&m->cp->bytes, m->cp->path, m->at, m->packed, part, e);
                if (err) return err;
                m->at += part, m->left -= part;
                m->z.next_in = m->packed;
                m->z.avail_in = (uInt)part;
            }
            z = inflate(&m->z, Z_NO_FLUSH);
        }
        if (z != Z_STREAM_END || m->z.avail_out != 1 || m->z.avail_in > 0 || m->left > 0)
            return damaged(m, e);
    }
    if (m->cp->format == KS_NPZ && m->crc != m->t->crc)
        return ks_fail(e, KS_EFORMAT,
                       "%s: tensor %s is damaged: its CRC-32 is %08x, the zip directory says %08x",
                       m->cp->path, m->t->name, m->crc, m->t->crc);
    return 0;
}

static void member_close(member *m)
{
    if (m->inflating) inflateEnd(&m->z);
    free(m->packed);
}

int ks_tensor_read(const ks_checkpoint *cp, const ks_tensor *t, ks_put *put, void *arg,
                   uint32_t *crc, ks_error *e)
{
    int weights = t->dtype <= KS_DTYPE_BF16; /* anything else is read for its CRC alone */
    assert(weights || !put);
    size_t element = t->dtype == KS_DTYPE_F4 ? 4 : weights ? 2 : 1;
    int64_t count = weights ? t->count : (int64_t)(t->bytes - t->header);
    float *room = malloc(CHUNK * sizeof *room);
    uint8_t *raw = malloc(CHUNK * 4);
    member m = {.cp = cp, .t = t};
    int wild = 0, err = 0;
    if (!room || !raw) {
        err = ks_fail(e, KS_ENOMEM, "%s: no memory to read tensor %s", cp->path, t->name);
        goto out;
    }
    err = member_begin(&m, cp, t, e);
    if (!err) err = member_read(&m, raw, t->header, e);
    for (int64_t done = 0; !err && done < count;) {
        size_t n = count - done < CHUNK ? (size_t)(count - done) : CHUNK;
        err = member_read(&m, raw, n * element, e);
        if (err) break;
        if (weights) wild |= any_wild_of(raw, n, t->dtype);
        if (put && !wild) err = put(arg, to_floats(room, raw, n, t->dtype), n, e);
        done += (int64_t)n;
    }
    /* a wrong CRC explains a NaN better than a NaN explains itself */
    if (!err) err = member_end(&m, e);
    if (!err && wild)
        err = ks_fail(e, KS_EFORMAT, "%s: tensor %s holds NaN or Inf", cp->path, t->name);
    if (!err && crc) *crc = m.crc;
out:
    member_close(&m);
    free(raw);
    free(room);
    return err;
}

int ks_tensor_bytes(uint8_t *out, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e)
{
    uint8_t head[KS_NPY_HEADER_MAX];
    member m = {.cp = cp, .t = t};
    int err = member_begin(&m, cp, t, e);
    assert(t->header <= sizeof head);
    if (!err) err = member_read(&m, head, t->header, e);
    for (uint64_t left = t->bytes - t->header; !err && left > 0;) {
        size_t n = left < CHUNK ? (size_t)left : CHUNK;
        err = member_read(&m, out, n, e);
        out += n, left -= n;
    }
    if (!err) err = member_end(&m, e);
    member_close(&m);
    return err;
}

static int append(void *arg, const float *x, size_t n, ks_error *e)
{
    (void)e;
    float **to = arg;
    memcpy(*to, x, n * sizeof *x);
    *to += n;
    return 0;
}

int ks_tensor_load(float *out, const ks_checkpoint *cp, const ks_tensor *t, ks_error *e)
{
    return ks_tensor_read(cp, t, append, &out, NULL, e);
}

/* --- opening --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ks_tensor *)a)->name, ((const ks_tensor *)b)->name);
}

/* What the first bytes say: a zip starts PK\3\4, a safetensors file with a length and '{'. */
static int read_directory(ks_checkpoint *cp, ks_error *e)
{
    uint8_t head[9] = {0};
    if (cp->bytes.size < 22)
        return ks_fail(e, KS_EFORMAT,
                       "%s: neither an npz nor a safetensors file, it has %llu bytes", cp->path,
                       (unsigned long long)cp->bytes.size);
    int err = ks_bytes_read(&cp->bytes, cp->path, 0, head, sizeof head, e);
    if (err) return err;
    size_t length = strlen(cp->path);
    int named = length > 12 && strcmp(cp->path + length - 12, ".safetensors") == 0;
    if (memcmp(head, "PK", 2) == 0 && !named) {
        cp->format = KS_NPZ;
        err = ks_npz_directory(cp, e);
    } else if (head[8] == '{' || named) {
        cp->format = KS_SAFETENSORS;
        err = ks_safetensors_directory(cp, e);
    } else {
        return ks_fail(e, KS_EFORMAT, "%s: neither an npz nor a safetensors file", cp->path);
    }
    if (err) return err;
    qsort(cp->tensors, (size_t)cp->n, sizeof *cp->tensors, by_name);
    for (int i = 1; i < cp->n; i++)
        if (strcmp(cp->tensors[i - 1].name, cp->tensors[i].name) == 0)
            return ks_fail(e, KS_EFORMAT, "%s: tensor %s is there twice", cp->path,
                           cp->tensors[i].name);
    return 0;
}

/* An .npy as a directory of one. */
static int npy_directory(ks_checkpoint *cp, ks_error *e)
{
    uint8_t head[KS_NPY_HEADER_MAX];
    size_t n = cp->bytes.size < sizeof head ? (size_t)cp->bytes.size : sizeof head;
    uint64_t payload;
    ks_tensor *t = cp->tensors = calloc(1, sizeof *t);
    if (t) t->name = strdup("vectors");
    if (!t || !t->name) return ks_fail(e, KS_ENOMEM, "%s: no memory to open it", cp->path);
    cp->n = 1;
    cp->format = KS_NPY;
    t->any = 1;
    t->stored = t->bytes = cp->bytes.size;
    int err = ks_bytes_read(&cp->bytes, cp->path, 0, head, n, e);
    if (!err) err = ks_npy_header(t, cp->path, t->name, head, n, e);
    if (!err &&
        (ks_tensor_count(t, (size_t)t->element, &payload) != 0 || payload != t->bytes - t->header))
        err = ks_fail(e, KS_EFORMAT, "%s: its size does not fit its shape", cp->path);
    return err;
}

enum { ANY_ARRAYS = 1, ONE_ARRAY }; /* what `arrays` asks for; 0: a model */

static int begin(ks_checkpoint **out, const char *path, ks_bytes bytes, int arrays, ks_error *e)
{
    int err;
    uint8_t magic[6];
    ks_checkpoint *cp = calloc(1, sizeof *cp);
    if (cp) cp->path = strdup(path);
    if (!cp || !cp->path) {
        err = ks_fail(e, KS_ENOMEM, "%s: no memory to open it", path);
        if (bytes.fd >= 0) close(bytes.fd);
        free(cp);
        return err;
    }
    cp->bytes = bytes;
    cp->arrays = arrays;
    if (arrays && bytes.size >= 6 &&
        ks_bytes_read(&bytes, path, 0, magic, sizeof magic, NULL) == 0 &&
        memcmp(magic, "\x93NUMPY", 6) == 0)
        err = npy_directory(cp, e);
    else if (arrays == ONE_ARRAY) err = ks_fail(e, KS_EFORMAT, "%s: not an npy file", path);
    else err = read_directory(cp, e);
    if (err) {
        ks_checkpoint_close(cp);
        return err;
    }
    *out = cp;
    return 0;
}

static int open_file(ks_checkpoint **cp, const char *path, int arrays, ks_error *e)
{
    struct stat st;
    *cp = NULL;
    /* O_NONBLOCK: a FIFO must not keep us waiting before fstat says what it is. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int code = errno == ENOENT || errno == ENOTDIR ? KS_ENOTFOUND : KS_EIO;
        return ks_fail(e, code, "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ks_fail(e, KS_EFORMAT, "%s: not a regular file", path);
    }
    return begin(cp, path, (ks_bytes){.fd = fd, .size = (uint64_t)st.st_size}, arrays, e);
}

int ks_checkpoint_open(ks_checkpoint **cp, const char *path, ks_error *e)
{
    return open_file(cp, path, 0, e);
}

int ks_arrays_open(ks_checkpoint **cp, const char *path, ks_error *e)
{
    return open_file(cp, path, ANY_ARRAYS, e);
}

int ks_npy_open(ks_checkpoint **cp, const char *path, ks_error *e)
{
    return open_file(cp, path, ONE_ARRAY, e);
}

int ks_checkpoint_open_memory(ks_checkpoint **cp, const char *path, const uint8_t *data,
                              size_t size, ks_error *e)
{
    *cp = NULL;
    return begin(cp, path, (ks_bytes){.fd = -1, .memory = data, .size = size}, 0, e);
}

void ks_checkpoint_close(ks_checkpoint *cp)
{
    if (!cp) return;
    for (int i = 0; i < cp->n; i++) free(cp->tensors[i].name);
    free(cp->tensors);
    if (cp->bytes.fd >= 0) close(cp->bytes.fd);
    free(cp->path);
    free(cp);
}

const ks_tensor *ks_checkpoint_find(const ks_checkpoint *cp, const char *name)
{
    ks_tensor key = {.name = (char *)(uintptr_t)name};
    return bsearch(&key, cp->tensors, (size_t)cp->n, sizeof *cp->tensors, by_name);
}
