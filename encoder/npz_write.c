/* npz_write.c - see npz_write.h. zip64 fields where zipfile writes them: beyond 2 GiB, and in
 * every local header. */
#include "encoder/encoder.h"

#include <assert.h>
#include <string.h>

enum { LOCAL = 30, ZIP64_FIELD = 20, CENTRAL = 46 };
static const uint64_t LIMIT = 0x7fffffff;

static void p16(uint8_t *p, unsigned v) { p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8); }
static void p32(uint8_t *p, uint64_t v)
{
    p16(p, (unsigned)(v & 0xffff)), p16(p + 2, (unsigned)(v >> 16 & 0xffff));
}
static void p64(uint8_t *p, uint64_t v) { p32(p, v & 0xffffffffu), p32(p + 4, v >> 32); }

/* numpy: the dict, room for the first axis to grow to 21 digits, spaces to a multiple of 64,
 * newline. */
void ks_npy_head(uint8_t head[KS_NPY_HEAD], const char *type, const int64_t *dims, int rank)
{
    char text[KS_NPY_HEAD - 10 + 1];
    int at = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                      type);
    for (int i = 0; i < rank; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, i ? ", %lld" : "%lld",
                       (long long)dims[i]);
    at += snprintf(text + at, sizeof text - (size_t)at, rank == 1 ? ",), }" : "), }");
    assert(at < (int)sizeof text - 1);
    memset(text + at, ' ', sizeof text - 1 - (size_t)at);
    text[sizeof text - 2] = '\n';
    memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
    memcpy(head + 10, text, KS_NPY_HEAD - 10);
}

size_t ks_npz_local_bytes(const char *name) { return LOCAL + strlen(name) + 4 + ZIP64_FIELD; }

size_t ks_npz_local(uint8_t p[KS_NPZ_LOCAL], const ks_npz_member *m)
{
    size_t name = strlen(m->name) + 4;
    memset(p, 0, KS_NPZ_LOCAL);
    memcpy(p, "PK\3\4", 4);
    p16(p + 4, 45), p16(p + 12, 33); /* version 4.5; 1980-01-01 */
    p32(p + 14, m->crc), p32(p + 18, 0xffffffffu), p32(p + 22, 0xffffffffu);
    p16(p + 26, (unsigned)name), p16(p + 28, ZIP64_FIELD);
    snprintf((char *)p + LOCAL, 256, "%s.npy", m->name);
    uint8_t *extra = p + LOCAL + name;
    p16(extra, 1), p16(extra + 2, 16), p64(extra + 4, m->bytes), p64(extra + 12, m->bytes);
    return LOCAL + name + ZIP64_FIELD;
}

size_t ks_npz_central(uint8_t p[KS_NPZ_CENTRAL], const ks_npz_member *m)
{
    uint8_t extra[28] = {0};
    size_t name = strlen(m->name) + 4, more = 0;
    int large = m->bytes > LIMIT, far = m->offset > LIMIT;
    memset(p, 0, KS_NPZ_CENTRAL);
    if (large) p64(extra + 4, m->bytes), p64(extra + 12, m->bytes), more = 16;
    if (far) p64(extra + 4 + more, m->offset), more += 8;
    if (more > 0) p16(extra, 1), p16(extra + 2, (unsigned)more), more += 4;
    memcpy(p, "PK\1\2", 4);
    p16(p + 4, 45 | 3 << 8), p16(p + 6, 45), p16(p + 14, 33);
    p32(p + 16, m->crc), p32(p + 20, large ? 0xffffffffu : m->bytes),
        p32(p + 24, large ? 0xffffffffu : m->bytes);
    p16(p + 28, (unsigned)name), p16(p + 30, (unsigned)more);
    p32(p + 38, 0600u << 16), p32(p + 42, far ? 0xffffffffu : m->offset);
    snprintf((char *)p + CENTRAL, 256, "%s.npy", m->name);
    memcpy(p + CENTRAL + name, extra, more);
    return CENTRAL + name + more;
}

size_t ks_npz_end(uint8_t p[KS_NPZ_END], int n, uint64_t directory, uint64_t at)
{
    uint8_t *end = p;
    uint64_t size = at - directory;
    int far = directory > LIMIT;
    memset(p, 0, KS_NPZ_END);
    if (far) {
        memcpy(p, "PK\6\6", 4);
        p64(p + 4, 44), p16(p + 12, 45), p16(p + 14, 45);
        p64(p + 24, (uint64_t)n), p64(p + 32, (uint64_t)n), p64(p + 40, size),
            p64(p + 48, directory);
        memcpy(p + 56, "PK\6\7", 4);
        p64(p + 64, at), p32(p + 72, 1);
        end = p + 76;
    }
    memcpy(end, "PK\5\6", 4);
    p16(end + 8, (unsigned)n), p16(end + 10, (unsigned)n);
    p32(end + 12, size), p32(end + 16, far ? 0xffffffffu : directory);
    return (size_t)(end + 22 - p);
}
