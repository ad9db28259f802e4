/* zip.c - see zip.h. */
#include "serve/zip.h"

#include <assert.h>
#include <string.h>

enum { STORED = 20, UTF8 = 1 << 11, DATE = (1 << 5) + 1 /* 1980-01-01 */ };

/* By nibbles: 64 bytes of table, and a disk is slower. */
uint32_t ks_zip_crc(uint32_t crc, const void *bytes, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *p = bytes;

    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc = table[(crc ^ p[i]) & 15] ^ (crc >> 4);
        crc = table[(crc ^ (p[i] >> 4)) & 15] ^ (crc >> 4);
    }
    return ~crc;
}

static uint8_t *put(uint8_t *to, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) *to++ = (uint8_t)(value >> (8 * i));
    return to;
}

/* What head and directory say alike: version to crc, sizes, length of the name. */
static uint8_t *put_facts(uint8_t *to, const ks_zip_member *m)
{
    to = put(to, STORED, 2);
    to = put(to, UTF8, 2);
    to = put(to, 0, 2); /* stored */
    to = put(to, 0, 2);
    to = put(to, DATE, 2);
    to = put(to, m->crc, 4);
    to = put(to, m->bytes, 4);
    to = put(to, m->bytes, 4);
    to = put(to, (uint32_t)strlen(m->name), 2);
    return put(to, 0, 2);
}

size_t ks_zip_head(uint8_t out[KS_ZIP_PART], ks_zip *z, const char *name, uint32_t crc,
                   uint64_t bytes)
{
    assert(out && z && name);
    ks_zip_member *m = &z->at[z->n];
    const size_t n = strlen(name);
    uint8_t *to = out;

    if (z->n == KS_ZIP_MEMBERS || n >= KS_ZIP_NAME || bytes > UINT32_MAX / 2 ||
        z->size + bytes > UINT32_MAX - (1 << 20))
        return 0;
    *m = (ks_zip_member){.crc = crc, .bytes = (uint32_t)bytes, .at = (uint32_t)z->size};
    memcpy(m->name, name, n + 1);
    z->n++;
    to = put(to, 0x04034b50, 4);
    to = put_facts(to, m);
    memcpy(to, name, n);
    to += n;
    z->size += (uint64_t)(to - out) + bytes;
    return (size_t)(to - out);
}

static size_t put_end(uint8_t *out, const ks_zip *z, uint64_t directory)
{
    uint8_t *to = put(out, 0x06054b50, 4);

    to = put(to, 0, 4);
    to = put(to, (uint32_t)z->n, 2);
    to = put(to, (uint32_t)z->n, 2);
    to = put(to, (uint32_t)(z->size - directory), 4);
    to = put(to, (uint32_t)directory, 4);
    to = put(to, 0, 2);
    return (size_t)(to - out);
}

size_t ks_zip_entry(uint8_t out[KS_ZIP_PART], ks_zip *z, int i, uint64_t directory)
{
    const ks_zip_member *m = &z->at[i];
    uint8_t *to = out;

    if (i >= z->n) return put_end(out, z, directory);
    to = put(to, 0x02014b50, 4);
    to = put(to, STORED, 2);
    to = put_facts(to, m);
    to = put(to, 0, 2); /* comment */
    to = put(to, 0, 2); /* disk */
    to = put(to, 0, 2);
    to = put(to, 0, 4);
    to = put(to, m->at, 4);
    memcpy(to, m->name, strlen(m->name));
    to += strlen(m->name);
    z->size += (uint64_t)(to - out);
    return (size_t)(to - out);
}
