/* random_model.c - a checkpoint with random weights, laid out byte for byte as numpy's savez does.
 *
 * The same seed gives the same bytes on every machine: draws are sums of integers (no libm), one
 * stream a tensor, keyed by its name. An element is the sum of four uniform 16-bit numbers, nearly
 * normal, times the scale that its role gets here. */
#include "encoder/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16, NPY = 128, LOCAL = 30, ZIP64_FIELD = 20, CENTRAL = 46 };
static const uint64_t LIMIT = 0x7fffffff; /* beyond it zipfile writes zip64 fields */

typedef struct {
    int fd;
    const char *path;
    char *part;              /* PATH.part */
    int named;               /* the file that grows has that name; else it has none */
    uint64_t at;
    uint64_t seed;
    int half;
    int64_t size[128];
    ks_slot *slots;
    int n;
    struct member { uint64_t offset, bytes; uint32_t crc; } *members; /* [n] */
} writer;

/* --- numbers --- */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t stream_of(uint64_t seed, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u ^ seed; /* FNV-1a */
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return splitmix(&h);
}

/* Mean 0, standard deviation 1. */
static float draw(uint64_t *state)
{
    uint64_t z = splitmix(state);
    int sum = (int)(z & 0xffff) + (int)(z >> 16 & 0xffff) + (int)(z >> 32 & 0xffff) + (int)(z >> 48);
    return (float)(sum - 2 * 65535) * (1.0f / 37837.0f); /* 65536 * sqrt(4/12) */
}

static int ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Standard deviation of a tensor's elements. q and k are large: logits then have a deviation of about
 * 6 before the cap of 50, so a softmax over 256 tokens looks at few of them, and the cap matters. */
static float scale_of(const writer *w, const char *name)
{
    float width = (float)w->size['D'], mlp = (float)(strstr(name, "text_encoder") ? w->size['4'] : w->size['F']);
    if (ends_with(name, "query/w") || ends_with(name, "key/w")) return 2.5f / sqrtf(width);
    if (ends_with(name, "value/w")) return 1.0f / sqrtf(width);
    if (ends_with(name, "post/w")) return 0.5f / sqrtf(strstr(name, "pooling") ? (float)(w->size['p'] * w->size['H']) : width);
    if (ends_with(name, "ffn_layer1/linear/kernel")) return 1.0f / sqrtf(width);
    if (ends_with(name, "ffn_layer2/linear/kernel")) return 0.5f / sqrtf(mlp);
    if (ends_with(name, "patch_projection/linear/kernel")) return 2.0f / sqrtf((float)w->size['P']);
    if (ends_with(name, "projection/linear/kernel")) return 1.0f / sqrtf(width);
    if (ends_with(name, "token_emb/emb_var") || ends_with(name, "cls_emb")) return 1.0f / sqrtf(width);
    if (ends_with(name, "pos_emb/emb_var")) return 0.5f;
    if (ends_with(name, "pooling_attention_query")) return 1.0f;
    if (ends_with(name, "per_dim_scale")) return 0.3f;
    return 0.1f; /* biases, LayerNorm scales (stored minus 1) */
}

/* Round to the nearest half (ties to even) of a number that is no NaN and below 65504. */
static uint16_t to_half(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, 4);
    uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest < 0x38800000) { /* below 2^-14: a multiple of 2^-24 */
        float scaled = fabsf(f) * 0x1p24f;
        return (uint16_t)(sign | (uint32_t)lrintf(scaled));
    }
    rest += 0xfff + (rest >> 13 & 1);
    return (uint16_t)(sign | (rest - 0x38000000) >> 13);
}

/* --- bytes --- */

static void p16(uint8_t *p, unsigned v) { p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8); }
static void p32(uint8_t *p, uint64_t v) { p16(p, (unsigned)(v & 0xffff)), p16(p + 2, (unsigned)(v >> 16 & 0xffff)); }
static void p64(uint8_t *p, uint64_t v) { p32(p, v & 0xffffffffu), p32(p + 4, v >> 32); }

static int put_at(writer *w, uint64_t at, const void *data, size_t n, ks_error *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(w->fd, (const char *)data + done, n - done, (off_t)(at + done));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return ks_fail(e, KS_EIO, "%s: cannot be written: %s", w->path, strerror(put == 0 ? ENOSPC : errno));
        done += (size_t)put;
    }
    return 0;
}

static int put(writer *w, const void *data, size_t n, ks_error *e)
{
    int err = put_at(w, w->at, data, n, e);
    w->at += n;
    return err;
}

/* numpy: the dict, room for the first axis to grow to 21 digits, spaces to a multiple of 64, newline. */
static void npy_header(uint8_t head[NPY], const int64_t *dims, int rank, int half)
{
    char text[NPY - 10 + 1];
    int at = snprintf(text, sizeof text, "{'descr': '<f%d', 'fortran_order': False, 'shape': (", half ? 2 : 4);
    for (int i = 0; i < rank; i++) at += snprintf(text + at, sizeof text - (size_t)at, i ? ", %lld" : "%lld", (long long)dims[i]);
    at += snprintf(text + at, sizeof text - (size_t)at, rank == 1 ? ",), }" : "), }");
    memset(text + at, ' ', sizeof text - 1 - (size_t)at);
    text[sizeof text - 2] = '\n';
    memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
    memcpy(head + 10, text, NPY - 10);
}

static int put_elements(writer *w, const ks_slot *slot, uint64_t count, uint32_t *crc, ks_error *e)
{
    uint64_t state = stream_of(w->seed, slot->name);
    float scale = scale_of(w, slot->name);
    size_t element = w->half ? 2 : 4;
    uint8_t *block = malloc(CHUNK * element);
    int err = block ? 0 : ks_fail(e, KS_ENOMEM, "%s: no memory to write it", w->path);
    for (uint64_t done = 0; !err && done < count;) {
        size_t n = count - done < CHUNK ? (size_t)(count - done) : CHUNK;
        for (size_t i = 0; i < n; i++) {
            float x = draw(&state) * scale;
            uint16_t h = w->half ? to_half(x) : 0;
            memcpy(block + i * element, w->half ? (const void *)&h : (const void *)&x, element);
        }
        *crc = ks_crc32(*crc, block, n * element);
        err = put(w, block, n * element, e);
        done += n;
    }
    free(block);
    return err;
}

static int put_member(writer *w, int i, ks_error *e)
{
    const ks_slot *slot = &w->slots[i];
    struct member *m = &w->members[i];
    uint8_t local[LOCAL + 256 + ZIP64_FIELD] = {0}, head[NPY];
    int64_t dims[KS_MAX_RANK];
    int rank = (int)strlen(slot->shape);
    uint64_t count = 1;
    for (int a = 0; a < rank; a++) {
        dims[a] = w->size[(unsigned char)ks_axis_letter(slot, a)];
        if (dims[a] < 1 || dims[a] > INT32_MAX || __builtin_mul_overflow(count, (uint64_t)dims[a], &count) || count > INT64_MAX / 8)
            return ks_fail(e, KS_EUSAGE, "%s: a model of these sizes cannot be (tensor %s)", w->path, slot->name);
    }
    npy_header(head, dims, rank, w->half);
    size_t name = strlen(slot->name) + 4;
    *m = (struct member){.offset = w->at, .bytes = NPY + count * (w->half ? 2 : 4), .crc = ks_crc32(0, head, NPY)};
    w->at += LOCAL + name + ZIP64_FIELD;
    int err = put(w, head, NPY, e);
    if (!err) err = put_elements(w, slot, count, &m->crc, e);
    if (err) return err;
    memcpy(local, "PK\3\4", 4);
    p16(local + 4, 45), p16(local + 12, 33); /* version 4.5; 1980-01-01 */
    p32(local + 14, m->crc), p32(local + 18, 0xffffffffu), p32(local + 22, 0xffffffffu);
    p16(local + 26, (unsigned)name), p16(local + 28, ZIP64_FIELD);
    snprintf((char *)local + LOCAL, 256, "%s.npy", slot->name);
    uint8_t *extra = local + LOCAL + name;
    p16(extra, 1), p16(extra + 2, 16), p64(extra + 4, m->bytes), p64(extra + 12, m->bytes);
    return put_at(w, m->offset, local, LOCAL + name + ZIP64_FIELD, e);
}

static int put_central(writer *w, int i, ks_error *e)
{
    const struct member *m = &w->members[i];
    uint8_t p[CENTRAL + 256 + 28] = {0}, extra[28];
    size_t name = strlen(w->slots[i].name) + 4, more = 0;
    int large = m->bytes > LIMIT, far = m->offset > LIMIT;
    if (large) p64(extra + 4, m->bytes), p64(extra + 12, m->bytes), more = 16;
    if (far) p64(extra + 4 + more, m->offset), more += 8;
    if (more > 0) p16(extra, 1), p16(extra + 2, (unsigned)more), more += 4;
    memcpy(p, "PK\1\2", 4);
    p16(p + 4, 45 | 3 << 8), p16(p + 6, 45), p16(p + 14, 33);
    p32(p + 16, m->crc), p32(p + 20, large ? 0xffffffffu : m->bytes), p32(p + 24, large ? 0xffffffffu : m->bytes);
    p16(p + 28, (unsigned)name), p16(p + 30, (unsigned)more);
    p32(p + 38, 0600u << 16), p32(p + 42, far ? 0xffffffffu : m->offset);
    snprintf((char *)p + CENTRAL, 256, "%s.npy", w->slots[i].name);
    memcpy(p + CENTRAL + name, extra, more);
    return put(w, p, CENTRAL + name + more, e);
}

static int put_end(writer *w, uint64_t directory, ks_error *e)
{
    uint8_t p[56 + 20 + 22] = {0}, *end = p;
    uint64_t size = w->at - directory;
    int far = directory > LIMIT;
    if (far) {
        memcpy(p, "PK\6\6", 4);
        p64(p + 4, 44), p16(p + 12, 45), p16(p + 14, 45);
        p64(p + 24, (uint64_t)w->n), p64(p + 32, (uint64_t)w->n), p64(p + 40, size), p64(p + 48, directory);
        memcpy(p + 56, "PK\6\7", 4);
        p64(p + 64, w->at), p32(p + 72, 1);
        end = p + 76;
    }
    memcpy(end, "PK\5\6", 4);
    p16(end + 8, (unsigned)w->n), p16(end + 10, (unsigned)w->n);
    p32(end + 12, size), p32(end + 16, far ? 0xffffffffu : directory);
    return put(w, p, (size_t)(end + 22 - p), e);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ks_slot *)a)->name, ((const ks_slot *)b)->name);
}

static int set_sizes(writer *w, const ks_info *like, ks_error *e)
{
    ks_layout layout = {.kind = like->kind, .hybrid = like->text_hybrid, .layers = {like->spatial, like->temporal, like->auxiliary, like->text}};
    int64_t *n = w->size;
    if (like->dim < 1 || like->dim > 1 << 20 || like->heads < 1 || like->dim % like->heads != 0 || like->grid < 1 || like->grid > 4096 || like->patch < 1 || like->patch > 4096)
        return ks_fail(e, KS_EUSAGE, "%s: a model of these sizes cannot be", w->path);
    n['D'] = like->dim, n['H'] = like->heads, n['F'] = like->mlp, n['T'] = like->frames;
    n['G'] = (int64_t)like->grid * like->grid, n['P'] = 3LL * like->patch * like->patch;
    n['V'] = like->vocabulary, n['C'] = like->classes;
    n['s'] = like->spatial, n['t'] = like->temporal, n['a'] = like->auxiliary, n['u'] = like->text;
    if (like->kind != KS_LVT) layout.layers[2] = layout.layers[3] = 0;
    ks_derive_sizes(n, &layout);
    w->n = ks_slots(w->slots, &layout);
    qsort(w->slots, (size_t)w->n, sizeof *w->slots, by_name);
    return 0;
}

static int write_all_of_it(writer *w, ks_error *e)
{
    int err = 0;
    for (int i = 0; !err && i < w->n; i++) err = put_member(w, i, e);
    uint64_t directory = w->at;
    for (int i = 0; !err && i < w->n; i++) err = put_central(w, i, e);
    if (!err) err = put_end(w, directory, e);
    if (!err && fsync(w->fd) != 0) err = ks_fail(e, KS_EIO, "%s: cannot be written: %s", w->path, strerror(errno));
    return err;
}

static const char *own_link(char link[32], const writer *w)
{
    snprintf(link, 32, "/proc/self/fd/%d", w->fd);
    return link;
}

/* A file without a name, which nothing is left of however this ends (a signal, kill -9); PATH.part only where there is
 * no such thing. */
static int open_part(writer *w)
{
    char link[32], *slash = strrchr(strcpy(w->part, w->path), '/');
    if (slash) slash[slash == w->part] = 0;
    w->fd = open(slash ? w->part : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
    strcat(strcpy(w->part, w->path), ".part");
    if (w->fd >= 0 && access(own_link(link, w), F_OK) == 0) return 0;
    if (w->fd >= 0) close(w->fd); /* no /proc: it could never get its name */
    w->named = 1;
    w->fd = open(w->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return w->fd < 0 ? -1 : 0;
}

/* The whole file under its name; one that is there is replaced. */
static int publish(writer *w)
{
    char link[32];
    if (!w->named && linkat(AT_FDCWD, own_link(link, w), AT_FDCWD, w->path, AT_SYMLINK_FOLLOW) == 0) return 0;
    if (!w->named && (errno != EEXIST || (unlink(w->part) != 0 && errno != ENOENT) ||
                      linkat(AT_FDCWD, own_link(link, w), AT_FDCWD, w->part, AT_SYMLINK_FOLLOW) != 0)) return -1;
    w->named = 1;
    return rename(w->part, w->path);
}

int ks_model_random(const char *path, const ks_info *like, uint64_t seed, ks_error *e)
{
    writer w = {.fd = -1, .path = path, .seed = seed, .half = strcmp(like->dtype, "f2") == 0};
    int err = 0;
    w.part = malloc(strlen(path) + 8);
    w.slots = calloc(KS_SLOTS_MAX, sizeof *w.slots);
    w.members = calloc(KS_SLOTS_MAX, sizeof *w.members);
    if (!w.part || !w.slots || !w.members) {
        err = ks_fail(e, KS_ENOMEM, "%s: no memory to write it", path);
        goto out;
    }
    err = set_sizes(&w, like, e);
    if (err) goto out;
    if (open_part(&w) != 0) {
        err = ks_fail(e, KS_EIO, "%s: cannot be written: %s", path, strerror(errno));
        goto out;
    }
    err = write_all_of_it(&w, e);
    if (!err && publish(&w) != 0) err = ks_fail(e, KS_EIO, "%s: cannot be written: %s", path, strerror(errno));
    if (close(w.fd) != 0 && !err) err = ks_fail(e, KS_EIO, "%s: cannot be written: %s", path, strerror(errno));
    if (err && w.named) unlink(w.part);
out:
    free(w.members);
    free(w.slots);
    free(w.part);
    return err;
}
