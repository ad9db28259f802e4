/* npz_build.c - see npz_build.h. */
#include "tests/npz_build.h"

#include "encoder/checkpoint.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* --- files --- */

void ks_write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    MUST(f && fwrite(data, 1, n, f) == n && fclose(f) == 0);
}

uint8_t *ks_read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    MUST(f && fseek(f, 0, SEEK_END) == 0);
    *n = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(*n + 1);
    MUST(data && fread(data, 1, *n, f) == *n && fclose(f) == 0);
    return data;
}

char *ks_temp_folder(char folder[64])
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, 64, "%s/ks-test-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    MUST(mkdtemp(folder));
    return folder;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void ks_remove_folder(const char *folder) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

/* --- a valid checkpoint, taken apart --- */

void ks_build_like(ks_info *like, ks_kind kind, int hybrid)
{
    *like = (ks_info){.kind = kind,
                      .dim = 16,
                      .heads = 2,
                      .mlp = 24,
                      .spatial = 2,
                      .temporal = 2,
                      .frames = 4,
                      .grid = 3,
                      .patch = 18,
                      .dtype = "f4"};
    if (kind == KS_LVT)
        like->auxiliary = like->text = 2, like->vocabulary = 40, like->text_hybrid = hybrid;
    if (kind == KS_CLASSIFIER) like->classes = 5;
}

static ks_build_member *new_member(ks_build *b, const char *name)
{
    b->at = realloc(b->at, (size_t)(b->n + 1) * sizeof *b->at);
    MUST(b->at);
    ks_build_member *m = &b->at[b->n++];
    *m = (ks_build_member){.descr = "'<f4'", .npy_major = 1, .local_method = -1};
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->local_name, sizeof m->local_name, "%s", name);
    return m;
}

ks_build_member *ks_build_add(ks_build *b, const char *name, const float *x, int rank,
                              const int64_t *dims)
{
    ks_build_member *m = new_member(b, name);
    size_t count = 1;
    m->rank = rank;
    for (int i = 0; i < rank; i++) m->dims[i] = dims[i], count *= (size_t)dims[i];
    m->bytes = count * sizeof *x;
    m->data = malloc(m->bytes + 1);
    MUST(m->data);
    if (x) memcpy(m->data, x, m->bytes);
    else memset(m->data, 0, m->bytes);
    return m;
}

ks_build *ks_build_load(const char *path)
{
    ks_error e = {0};
    ks_checkpoint *cp;
    MUST(ks_checkpoint_open(&cp, path, &e) == 0);
    ks_build *b = calloc(1, sizeof *b);
    MUST(b);
    for (int i = 0; i < cp->n; i++) {
        const ks_tensor *t = &cp->tensors[i];
        ks_build_member *m = ks_build_add(b, t->name, NULL, t->rank, t->shape);
        MUST(ks_tensor_load((float *)(void *)m->data, cp, t, &e) == 0);
    }
    ks_checkpoint_close(cp);
    return b;
}

ks_build *ks_build_toy(const ks_info *like, uint64_t seed)
{
    char folder[64], path[96];
    ks_error e = {0};
    snprintf(path, sizeof path, "%s/toy.npz", ks_temp_folder(folder));
    MUST(ks_model_random(path, like, seed, &e) == 0);
    ks_build *b = ks_build_load(path);
    ks_remove_folder(folder);
    return b;
}

ks_build_member *ks_build_find(ks_build *b, const char *name)
{
    for (int i = 0; i < b->n; i++)
        if (strcmp(b->at[i].name, name) == 0) return &b->at[i];
    fprintf(stderr, "no member %s\n", name);
    abort();
}

void ks_build_free(ks_build *b)
{
    for (int i = 0; i < b->n; i++) free(b->at[i].data);
    free(b->at);
    free(b);
}

/* Truncates: the value is then exactly representable, which is all that tests need. */
void ks_build_to_half(ks_build *b)
{
    for (int i = 0; i < b->n; i++) {
        ks_build_member *m = &b->at[i];
        for (size_t k = 0; k < m->bytes / 4; k++) {
            uint32_t bits;
            memcpy(&bits, m->data + 4 * k, 4);
            int exponent = (int)(bits >> 23 & 255) - 112;
            uint16_t half =
                (uint16_t)((bits >> 16 & 0x8000) |
                           (exponent <= 0 ? 0 : (uint32_t)exponent << 10 | (bits >> 13 & 0x3ff)));
            memcpy(m->data + 2 * k, &half, 2);
        }
        m->bytes /= 2;
        snprintf(m->descr, sizeof m->descr, "'<f2'");
    }
}

/* --- put together --- */

typedef struct {
    uint8_t *at;
    size_t n, room;
} buffer;

static void put(buffer *o, const void *data, size_t n)
{
    if (o->n + n > o->room) {
        o->room = 2 * o->room + n + 4096;
        o->at = realloc(o->at, o->room);
        MUST(o->at);
    }
    if (n > 0) memcpy(o->at + o->n, data, n);
    o->n += n;
}

static void put_int(buffer *o, uint64_t v, int bytes)
{
    uint8_t p[8];
    for (int i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> (8 * i));
    put(o, p, (size_t)bytes);
}

static void put_npy(buffer *o, const ks_build_member *m)
{
    char shape[256], dict[700];
    int at = snprintf(shape, sizeof shape, "(");
    for (int i = 0; i < m->rank; i++)
        at += snprintf(shape + at, sizeof shape - (size_t)at, i ? ", %lld" : "%lld",
                       (long long)m->dims[i]);
    snprintf(shape + at, sizeof shape - (size_t)at, m->rank == 1 ? ",)" : ")");
    snprintf(dict, sizeof dict, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }", m->descr,
             m->fortran ? "True" : "False", m->shape[0] ? m->shape : shape);
    size_t fixed = m->npy_major == 1 ? 10 : 12,
           length = (fixed + strlen(dict) + 1 + 63) / 64 * 64 - fixed;
    put(o, "\x93NUMPY", 6);
    put_int(o, (uint64_t)m->npy_major, 2);
    put_int(o, length, m->npy_major == 1 ? 2 : 4);
    put(o, dict, strlen(dict));
    for (size_t i = strlen(dict); i + 1 < length; i++) put(o, " ", 1);
    put(o, "\n", 1);
    put(o, m->data, m->bytes);
}

static void deflate_it(buffer *o, const buffer *plain)
{
    uLong room = compressBound(plain->n) + 64;
    uint8_t *packed = malloc(room);
    z_stream z = {0};
    MUST(packed && deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = plain->at, z.avail_in = (uInt)plain->n, z.next_out = packed,
    z.avail_out = (uInt)room;
    MUST(deflate(&z, Z_FINISH) == Z_STREAM_END);
    put(o, packed, z.total_out);
    deflateEnd(&z);
    free(packed);
}

typedef struct {
    uint64_t offset, packed, full;
    uint32_t crc;
} placed;

static void put_local(buffer *o, placed *p, const ks_build_member *m)
{
    buffer plain = {0}, packed = {0};
    put_npy(&plain, m);
    if (m->method == 8) deflate_it(&packed, &plain);
    else put(&packed, plain.at, plain.n);
    *p = (placed){o->n, packed.n, plain.n, (uint32_t)crc32_z(0, plain.at, plain.n)};
    uint64_t size = p->packed + (uint64_t)m->local_size_add,
             full = p->full + (uint64_t)m->local_size_add;
    int flags = m->flags | (m->descriptor ? 8 : 0);
    put(o, "PK\3\4", 4);
    put_int(o, 45, 2), put_int(o, (uint64_t)flags, 2);
    put_int(o, (uint64_t)(m->local_method < 0 ? m->method : m->local_method), 2),
        put_int(o, 33u << 16, 4);
    put_int(o, m->descriptor ? 0 : p->crc ^ m->crc_xor, 4);
    put_int(o, m->descriptor ? 0 : 0xffffffff, 4), put_int(o, m->descriptor ? 0 : 0xffffffff, 4);
    put_int(o, strlen(m->local_name) + 4, 2), put_int(o, m->descriptor ? 0 : 20, 2);
    put(o, m->local_name, strlen(m->local_name)), put(o, ".npy", 4);
    if (!m->descriptor)
        put_int(o, 1, 2), put_int(o, 16, 2), put_int(o, full, 8), put_int(o, size, 8);
    put(o, packed.at, packed.n);
    if (m->descriptor)
        put(o, "PK\7\10", 4), put_int(o, p->crc, 4), put_int(o, p->packed, 4),
            put_int(o, p->full, 4);
    free(plain.at);
    free(packed.at);
}

static void put_central(buffer *o, const placed *p, const ks_build_member *m, int zip64)
{
    uint64_t packed = p->packed + (uint64_t)m->packed_add, full = p->full + (uint64_t)m->full_add,
             offset = p->offset + (uint64_t)m->offset_add;
    int flags = m->flags | (m->descriptor ? 8 : 0);
    put(o, "PK\1\2", 4);
    put_int(o, 45, 2), put_int(o, 45, 2), put_int(o, (uint64_t)flags, 2),
        put_int(o, (uint64_t)m->method, 2), put_int(o, 33u << 16, 4);
    put_int(o, p->crc ^ m->crc_xor, 4);
    put_int(o, zip64 ? 0xffffffff : packed, 4), put_int(o, zip64 ? 0xffffffff : full, 4);
    put_int(o, strlen(m->name) + 4, 2), put_int(o, zip64 ? 28 : 0, 2), put_int(o, 0, 2),
        put_int(o, 0, 2), put_int(o, 0, 2);
    put_int(o, 0, 4), put_int(o, zip64 ? 0xffffffff : offset, 4);
    put(o, m->name, strlen(m->name)), put(o, ".npy", 4);
    if (zip64)
        put_int(o, 1, 2), put_int(o, 24, 2), put_int(o, full, 8), put_int(o, packed, 8),
            put_int(o, offset, 8);
}

uint8_t *ks_build_bytes(const ks_build *b, size_t *n)
{
    buffer o = {0};
    placed *p = calloc((size_t)b->n + 1, sizeof *p);
    uint64_t entries = (uint64_t)b->entries_add;
    MUST(p);
    for (int i = 0; i < b->n; i++)
        if (!b->at[i].dropped) put_local(&o, &p[i], &b->at[i]);
    uint64_t directory = o.n;
    for (int i = 0; i < b->n; i++)
        for (int k = 0; !b->at[i].dropped && k <= b->at[i].again; k++)
            put_central(&o, &p[i], &b->at[i], b->zip64), entries++;
    uint64_t size = o.n - directory + (uint64_t)b->size_add, end64 = o.n;
    directory += (uint64_t)b->directory_add;
    if (b->zip64) {
        put(&o, "PK\6\6", 4), put_int(&o, 44, 8), put_int(&o, 45, 2), put_int(&o, 45, 2),
            put_int(&o, 0, 8);
        put_int(&o, entries, 8), put_int(&o, entries, 8), put_int(&o, size, 8),
            put_int(&o, directory, 8);
        put(&o, "PK\6\7", 4), put_int(&o, 0, 4), put_int(&o, end64, 8), put_int(&o, 1, 4);
        size = directory = 0xffffffff;
    }
    put(&o, "PK\5\6", 4), put_int(&o, 0, 4), put_int(&o, entries, 2), put_int(&o, entries, 2);
    put_int(&o, size, 4), put_int(&o, directory, 4), put_int(&o, strlen(b->comment), 2),
        put(&o, b->comment, strlen(b->comment));
    free(p);
    *n = o.n;
    return o.at;
}
