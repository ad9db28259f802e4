/* npz.c - the zip directory of an npz file, and each member's npy header.
 *
 *   local header | name | extra | member   ...   central directory | (zip64 record, locator) |
 *                                          end record
 *
 * The central directory rules; each local header is held against it. Sizes and offsets are 64-bit:
 * the released LvT-L has 2.3 GB, a zip64 end record and zip64 offsets; numpy gives every local
 * header
 * 20 bytes of zip64 extra field. Field numbers: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3. */
#include "encoder/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { END = 22, LOCATOR = 20, END64 = 56, CENTRAL = 46, LOCAL = 30, COMMENT_MAX = 65535 };
enum { ENCRYPTED = 1 << 0, DESCRIPTOR = 1 << 3, STRONG = 1 << 6, MASKED = 1 << 13 };
static const uint64_t M32 = 0xffffffffu;

typedef struct {
    const char *name; /* not terminated */
    size_t name_length;
    uint64_t packed, full, local; /* sizes and the local header's offset */
    uint32_t crc;
    unsigned flags, method;
} entry;

static unsigned u16(const uint8_t *p) { return (unsigned)p[0] | (unsigned)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16; }
static uint64_t u64(const uint8_t *p) { return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32; }

/* Where the directory lies: [at, at + size), `entries` of them. */
typedef struct {
    uint64_t at, size, entries;
} directory;

static int no_directory(const ks_checkpoint *cp, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: not a whole npz file: %s", cp->path, what);
}

static int read_end64(directory *d, const ks_checkpoint *cp, uint64_t locator_at,
                      uint64_t *end_of_directory, ks_error *e)
{
    uint8_t loc[LOCATOR], rec[END64];
    int err = ks_bytes_read(&cp->bytes, cp->path, locator_at, loc, sizeof loc, e);
    if (err) return err;
    uint64_t at = u64(loc + 8);
    if (u32(loc + 4) != 0 || u32(loc + 16) != 1)
        return no_directory(cp, "it is one of several volumes", e);
    if (at > locator_at || locator_at - at < END64)
        return no_directory(cp, "its zip64 end record lies outside it", e);
    err = ks_bytes_read(&cp->bytes, cp->path, at, rec, sizeof rec, e);
    if (err) return err;
    if (memcmp(rec, "PK\6\6", 4) != 0 || u64(rec + 4) != locator_at - at - 12)
        return no_directory(cp, "its zip64 end record is damaged", e);
    if (u32(rec + 16) != 0 || u32(rec + 20) != 0 || u64(rec + 24) != u64(rec + 32))
        return no_directory(cp, "it is one of several volumes", e);
    d->entries = u64(rec + 32);
    d->size = u64(rec + 40);
    d->at = u64(rec + 48);
    *end_of_directory = at;
    return 0;
}

/* A 32-bit field either has its value or says that zip64 has it. */
static int agrees(uint64_t small, uint64_t all_ones, uint64_t value)
{
    return small == all_ones || small == value;
}

static int find_directory(directory *d, const ks_checkpoint *cp, ks_error *e)
{
    uint64_t size = cp->bytes.size;
    size_t span = size < END + COMMENT_MAX ? (size_t)size : END + COMMENT_MAX;
    uint8_t *tail = malloc(span);
    if (!tail) return ks_fail(e, KS_ENOMEM, "%s: no memory to read its directory", cp->path);
    int err = ks_bytes_read(&cp->bytes, cp->path, size - span, tail, span, e);
    const uint8_t *end = NULL;
    for (size_t back = END; !err && !end && back <= span; back++) {
        const uint8_t *p = tail + span - back;
        if (memcmp(p, "PK\5\6", 4) == 0 && u16(p + 20) == back - END) end = p;
    }
    if (err) goto out;
    if (!end) {
        err = no_directory(
            cp, "its end record is missing (a download that stopped early looks like this)", e);
        goto out;
    }
    uint64_t end_at = size - span + (uint64_t)(end - tail), end_of_directory = end_at;
    *d = (directory){.entries = u16(end + 10), .size = u32(end + 12), .at = u32(end + 16)};
    if (u16(end + 4) != 0 && u16(end + 4) != 0xffff)
        err = no_directory(cp, "it is one of several volumes", e);
    else if (u16(end + 8) != u16(end + 10))
        err = no_directory(cp, "it is one of several volumes", e);
    uint8_t mark[4] = {0};
    if (!err && end_at >= LOCATOR)
        err = ks_bytes_read(&cp->bytes, cp->path, end_at - LOCATOR, mark, 4, e);
    if (!err && memcmp(mark, "PK\6\7", 4) == 0) {
        directory small = *d;
        err = read_end64(d, cp, end_at - LOCATOR, &end_of_directory, e);
        if (!err && !(agrees(small.entries, 0xffff, d->entries) &&
                      agrees(small.size, M32, d->size) && agrees(small.at, M32, d->at)))
            err = no_directory(cp, "its two end records disagree", e);
    }
    if (!err && (d->at > end_of_directory || d->size != end_of_directory - d->at))
        err = no_directory(cp, "its directory is not where the end record says", e);
    if (!err && (d->size > KS_DIRECTORY_MAX || d->entries > d->size / CENTRAL))
        err = no_directory(cp, "its directory has an impossible size", e);
    if (!err && d->entries == 0) err = no_directory(cp, "it has no members", e);
out:
    free(tail);
    return err;
}

/* The zip64 extra field holds, in this order, only the values whose 32-bit field is all ones. */
static int take_zip64(const uint8_t *extra, size_t n, uint64_t *const values[], int count)
{
    size_t at = 0;
    int need = 0;
    for (int i = 0; i < count; i++) need += *values[i] == M32;
    if (need == 0) return 1;
    while (at + 4 <= n) {
        size_t length = u16(extra + at + 2);
        if (length > n - at - 4) return 0;
        if (u16(extra + at) == 1) {
            const uint8_t *p = extra + at + 4;
            for (int i = 0; i < count; i++) {
                if (*values[i] != M32) continue;
                if (length < 8) return 0;
                *values[i] = u64(p);
                p += 8, length -= 8;
            }
            return 1;
        }
        at += 4 + length;
    }
    return 0;
}

/* Parse the central entry at dir[*at]; the name is checked to be printable. */
static int take_central(entry *n, const ks_checkpoint *cp, const uint8_t *dir, size_t size,
                        size_t *at, ks_error *e)
{
    const uint8_t *p = dir + *at;
    if (size - *at < CENTRAL || memcmp(p, "PK\1\2", 4) != 0)
        return no_directory(cp, "its directory is damaged", e);
    size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
    if (size - *at - CENTRAL < name + extra + comment)
        return no_directory(cp, "its directory is damaged", e);
    *n = (entry){.name = (const char *)p + CENTRAL,
                 .name_length = name,
                 .flags = u16(p + 8),
                 .method = u16(p + 10),
                 .crc = u32(p + 16),
                 .packed = u32(p + 20),
                 .full = u32(p + 24),
                 .local = u32(p + 42)};
    *at += CENTRAL + name + extra + comment;
    if (name == 0 || name > KS_NAME_MAX)
        return no_directory(cp, "a member has no name or an endless one", e);
    for (size_t i = 0; i < name; i++)
        if ((unsigned char)n->name[i] < 0x20 || (unsigned char)n->name[i] > 0x7e)
            return no_directory(cp, "a member's name is not plain ASCII", e);
    uint64_t *const values[] = {&n->full, &n->packed, &n->local};
    if (!take_zip64(p + CENTRAL + name, extra, values, 3))
        return no_directory(cp, "a zip64 field of its directory is damaged", e);
    return 0;
}

static int member_wrong(const ks_checkpoint *cp, const entry *n, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: member %.*s %s", cp->path, (int)n->name_length, n->name,
                   what);
}

static int check_entry(const ks_checkpoint *cp, const entry *n, uint64_t directory_at, ks_error *e)
{
    if (n->flags & (ENCRYPTED | STRONG | MASKED)) return member_wrong(cp, n, "is encrypted", e);
    if (n->method != 0 && n->method != 8)
        return member_wrong(cp, n, "is compressed by a method that is not known here", e);
    if (n->method == 0 && n->packed != n->full)
        return member_wrong(cp, n, "has two sizes in the zip directory", e);
    /* deflate cannot shrink to less than 1/1032 */
    if (n->method == 8 && n->full / 1032 > n->packed + 1)
        return member_wrong(cp, n, "claims more bytes than its data can hold", e);
    if (n->local > directory_at || directory_at - n->local < LOCAL)
        return member_wrong(cp, n, "lies outside the file", e);
    if (n->packed > directory_at - n->local - LOCAL)
        return member_wrong(cp, n, "is cut off or claims more bytes than the file has", e);
    return 0;
}

/* Hold the local header against the directory; *data = where the member's bytes start. */
static int check_local(uint64_t *data, const ks_checkpoint *cp, const entry *n,
                       uint64_t directory_at, ks_error *e)
{
    uint8_t p[LOCAL + KS_NAME_MAX], extra[512];
    int err = ks_bytes_read(&cp->bytes, cp->path, n->local, p, LOCAL, e);
    if (err) return err;
    if (memcmp(p, "PK\3\4", 4) != 0)
        return member_wrong(cp, n, "has no local header where the zip directory says", e);
    size_t name = u16(p + 26), more = u16(p + 28);
    if (name != n->name_length)
        return member_wrong(cp, n, "has another name in its local header", e);
    if (more > sizeof extra) return member_wrong(cp, n, "has a damaged local header", e);
    if (directory_at - n->local - LOCAL - n->packed < name + more)
        return member_wrong(cp, n, "is cut off or claims more bytes than the file has", e);
    err = ks_bytes_read(&cp->bytes, cp->path, n->local + LOCAL, p + LOCAL, name, e);
    if (!err) err = ks_bytes_read(&cp->bytes, cp->path, n->local + LOCAL + name, extra, more, e);
    if (err) return err;
    if (memcmp(p + LOCAL, n->name, name) != 0)
        return member_wrong(cp, n, "has another name in its local header", e);
    if (u16(p + 8) != n->method || (u16(p + 6) & (ENCRYPTED | STRONG | MASKED)))
        return member_wrong(cp, n, "has another compression in its local header", e);
    uint64_t crc = u32(p + 14), packed = u32(p + 18), full = u32(p + 22);
    uint64_t *const values[] = {&full, &packed};
    if (!take_zip64(extra, more, values, 2))
        return member_wrong(cp, n, "has a damaged local header", e);
    /* they follow the data */
    int later = (n->flags & DESCRIPTOR) && crc == 0 && packed == 0 && full == 0;
    if (!later && (crc != n->crc || packed != n->packed || full != n->full))
        return member_wrong(cp, n, "has another size or CRC in its local header", e);
    *data = n->local + LOCAL + name + more;
    return 0;
}

/* The first bytes of the member, inflated: head[KS_NPY_HEADER_MAX], *got of them. */
static int read_head(uint8_t *head, size_t *got, const ks_checkpoint *cp, const ks_tensor *t,
                     ks_error *e)
{
    size_t want = t->bytes < KS_NPY_HEADER_MAX ? (size_t)t->bytes : KS_NPY_HEADER_MAX;
    if (!t->deflated) {
        /* numpy's header is 128 bytes: read more only if it says so */
        size_t first = want < 128 ? want : 128;
        int err = ks_bytes_read(&cp->bytes, cp->path, t->offset, head, first, e);
        *got = first;
        if (err || first == want || (u16(head + 8) + 10u <= first && head[6] == 1)) return err;
        *got = want;
        return ks_bytes_read(&cp->bytes, cp->path, t->offset, head, want, e);
    }
    uint8_t packed[KS_NPY_HEADER_MAX + 64];
    size_t part = t->stored < sizeof packed ? (size_t)t->stored : sizeof packed;
    int err = ks_bytes_read(&cp->bytes, cp->path, t->offset, packed, part, e);
    if (err) return err;
    z_stream z = {
        .next_in = packed, .avail_in = (uInt)part, .next_out = head, .avail_out = (uInt)want};
    if (inflateInit2(&z, -15) != Z_OK)
        return ks_fail(e, KS_ENOMEM, "%s: no memory to inflate tensor %s", cp->path, t->name);
    int code = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    *got = want - z.avail_out;
    if (code == Z_MEM_ERROR)
        return ks_fail(e, KS_ENOMEM, "%s: no memory to inflate tensor %s", cp->path, t->name);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s has a damaged deflate stream", cp->path,
                       t->name);
    return 0;
}

static int take_member(ks_checkpoint *cp, const entry *n, uint64_t directory_at, ks_error *e)
{
    uint8_t head[KS_NPY_HEADER_MAX];
    uint64_t data = 0, payload;
    size_t got = 0;
    int err = check_entry(cp, n, directory_at, e);
    if (!err) err = check_local(&data, cp, n, directory_at, e);
    if (err) return err;
    if (n->name_length < 5 || memcmp(n->name + n->name_length - 4, ".npy", 4) != 0)
        return member_wrong(cp, n, "is no npy array", e);
    ks_tensor *t = &cp->tensors[cp->n];
    *t = (ks_tensor){.offset = data,
                     .stored = n->packed,
                     .bytes = n->full,
                     .crc = n->crc,
                     .deflated = n->method == 8,
                     .any = cp->arrays};
    t->name = strndup(n->name, n->name_length - 4);
    if (!t->name) return ks_fail(e, KS_ENOMEM, "%s: no memory to read its directory", cp->path);
    cp->n++;
    err = read_head(head, &got, cp, t, e);
    if (!err) err = ks_npy_header(t, cp->path, t->name, head, got, e);
    if (err) return err;
    char shape[160];
    if (ks_tensor_count(t, (size_t)t->element, &payload) != 0 || t->bytes < t->header ||
        payload != t->bytes - t->header)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s is %s of %s, its member has %llu bytes",
                       cp->path, t->name, ks_shape_text(shape, t->shape, t->rank),
                       ks_dtype_name(t->dtype), (unsigned long long)t->bytes);
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    uint64_t x = ((const ks_tensor *)a)->offset, y = ((const ks_tensor *)b)->offset;
    return (x > y) - (x < y);
}

static int check_overlap(ks_checkpoint *cp, ks_error *e)
{
    qsort(cp->tensors, (size_t)cp->n, sizeof *cp->tensors, by_offset);
    for (int i = 1; i < cp->n; i++) {
        const ks_tensor *a = &cp->tensors[i - 1], *b = &cp->tensors[i];
        if (b->offset - a->offset < a->stored + LOCAL)
            return ks_fail(e, KS_EFORMAT, "%s: tensors %s and %s overlap", cp->path, a->name,
                           b->name);
    }
    return 0;
}

/* Weights hardly deflate (92 % of the size for float32); zeros do, a thousand times, and a file
 * of 64 MiB would keep us for minutes and fill the disk with its pack. After check_overlap: the
 * sum is at most 1032 times the file. */
static int check_expansion(const ks_checkpoint *cp, ks_error *e)
{
    enum { MOST = 16, SMALL = 4 << 20 };
    uint64_t whole = 0;
    for (int i = 0; i < cp->n; i++) whole += cp->tensors[i].bytes;
    /* names of fixed width deflate far */
    if (cp->arrays || whole / MOST <= cp->bytes.size + SMALL) return 0;
    return ks_fail(e, KS_EFORMAT,
                   "%s: its %llu bytes claim to hold %llu of tensors, no weights deflate that far",
                   cp->path, (unsigned long long)cp->bytes.size, (unsigned long long)whole);
}

int ks_npz_directory(ks_checkpoint *cp, ks_error *e)
{
    directory d = {0, 0, 0};
    int err = find_directory(&d, cp, e);
    if (err) return err;
    uint8_t *dir = malloc((size_t)d.size);
    cp->tensors = calloc((size_t)d.entries, sizeof *cp->tensors);
    if (!dir || !cp->tensors) {
        free(dir);
        return ks_fail(e, KS_ENOMEM, "%s: no memory to read its directory", cp->path);
    }
    err = ks_bytes_read(&cp->bytes, cp->path, d.at, dir, (size_t)d.size, e);
    size_t at = 0;
    for (uint64_t i = 0; !err && i < d.entries; i++) {
        entry n;
        err = take_central(&n, cp, dir, (size_t)d.size, &at, e);
        if (!err) err = take_member(cp, &n, d.at, e);
    }
    if (!err && at != d.size)
        err = no_directory(cp, "its directory has more entries than the end record says", e);
    free(dir);
    if (!err) err = check_overlap(cp, e);
    if (!err) err = check_expansion(cp, e);
    return err;
}
