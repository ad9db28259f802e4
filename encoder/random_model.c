/* random_model.c - a checkpoint with random weights, laid out byte for byte as numpy's savez does.
 *
 * The same seed gives the same bytes on every machine: draws are sums of integers (no libm), one
 * stream a tensor, keyed by its name. An element is the sum of four uniform 16-bit numbers, nearly
 * normal, times the scale that its role gets here. */
#include "encoder/encoder.h"
#include "encoder/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

typedef struct {
    int fd;
    const char *path;
    char *part; /* PATH.part */
    int named;  /* the file that grows has that name; else it has none */
    uint64_t at;
    uint64_t seed;
    int half;
    int64_t size[128];
    ks_slot *slots;
    int n;
    ks_npz_member *members; /* [n] */
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
    int sum = (int)(z & 0xffff) + (int)(z >> 16 & 0xffff) + (int)(z >> 32 & 0xffff) +
              (int)(z >> 48);
    return (float)(sum - 2 * 65535) * (1.0f / 37837.0f); /* 65536 * sqrt(4/12) */
}

static int ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Standard deviation of a tensor's elements. q and k are large: logits then have a deviation of
 * about
 * 6 before the cap of 50, so a softmax over 256 tokens looks at few of them, and the cap
 * matters. */
static float scale_of(const writer *w, const char *name)
{
    float width = (float)w->size['D'],
          mlp = (float)(strstr(name, "text_encoder") ? w->size['4'] : w->size['F']);
    if (ends_with(name, "query/w") || ends_with(name, "key/w")) return 2.5f / sqrtf(width);
    if (ends_with(name, "value/w")) return 1.0f / sqrtf(width);
    if (ends_with(name, "post/w"))
        return 0.5f / sqrtf(strstr(name, "pooling") ? (float)(w->size['p'] * w->size['H']) : width);
    if (ends_with(name, "ffn_layer1/linear/kernel")) return 1.0f / sqrtf(width);
    if (ends_with(name, "ffn_layer2/linear/kernel")) return 0.5f / sqrtf(mlp);
    if (ends_with(name, "patch_projection/linear/kernel")) return 2.0f / sqrtf((float)w->size['P']);
    if (ends_with(name, "projection/linear/kernel")) return 1.0f / sqrtf(width);
    if (ends_with(name, "token_emb/emb_var") || ends_with(name, "cls_emb"))
        return 1.0f / sqrtf(width);
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

static int put_at(writer *w, uint64_t at, const void *data, size_t n, ks_error *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(w->fd, (const char *)data + done, n - done, (off_t)(at + done));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0)
            return ks_fail(e, KS_EIO, "%s: cannot be written: %s", w->path,
                           strerror(put == 0 ? ENOSPC : errno));
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
    ks_npz_member *m = &w->members[i];
    uint8_t local[KS_NPZ_LOCAL], head[KS_NPY_HEAD];
    int64_t dims[KS_MAX_RANK], count;
    int rank = ks_slot_dims(dims, &count, slot, w->size);
    if (rank < 0)
        return ks_fail(e, KS_EUSAGE, "%s: a model of these sizes cannot be (tensor %s)", w->path,
                       slot->name);
    ks_npy_head(head, w->half ? "<f2" : "<f4", dims, rank);
    *m = (ks_npz_member){slot->name, w->at, KS_NPY_HEAD + (uint64_t)count * (w->half ? 2 : 4),
                         ks_crc32(0, head, KS_NPY_HEAD)};
    w->at += ks_npz_local_bytes(m->name);
    int err = put(w, head, KS_NPY_HEAD, e);
    if (!err) err = put_elements(w, slot, (uint64_t)count, &m->crc, e);
    return err ? err : put_at(w, m->offset, local, ks_npz_local(local, m), e);
}

static int put_central(writer *w, int i, ks_error *e)
{
    uint8_t p[KS_NPZ_CENTRAL];
    return put(w, p, ks_npz_central(p, &w->members[i]), e);
}

static int put_end(writer *w, uint64_t directory, ks_error *e)
{
    uint8_t p[KS_NPZ_END];
    return put(w, p, ks_npz_end(p, w->n, directory, w->at), e);
}

static int set_sizes(writer *w, const ks_info *like, ks_error *e)
{
    if (like->dim < 1 || like->dim > 1 << 20 || like->heads < 1 || like->dim % like->heads != 0 ||
        like->grid < 1 || like->grid > 4096 || like->patch < 1 || like->patch > 4096)
        return ks_fail(e, KS_EUSAGE, "%s: a model of these sizes cannot be", w->path);
    w->n = ks_slots_of(w->slots, w->size, like);
    return 0;
}

static int write_all_of_it(writer *w, ks_error *e)
{
    int err = 0;
    for (int i = 0; !err && i < w->n; i++) err = put_member(w, i, e);
    uint64_t directory = w->at;
    for (int i = 0; !err && i < w->n; i++) err = put_central(w, i, e);
    if (!err) err = put_end(w, directory, e);
    if (!err && fsync(w->fd) != 0)
        err = ks_fail(e, KS_EIO, "%s: cannot be written: %s", w->path, strerror(errno));
    return err;
}

static const char *own_link(char link[32], const writer *w)
{
    snprintf(link, 32, "/proc/self/fd/%d", w->fd);
    return link;
}

/* A file without a name, which nothing is left of however this ends (a signal, kill -9);
 * PATH.part only where there is no such thing. */
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
    if (!w->named && linkat(AT_FDCWD, own_link(link, w), AT_FDCWD, w->path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (!w->named &&
        (errno != EEXIST || (unlink(w->part) != 0 && errno != ENOENT) ||
         linkat(AT_FDCWD, own_link(link, w), AT_FDCWD, w->part, AT_SYMLINK_FOLLOW) != 0))
        return -1;
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
    if (!err && publish(&w) != 0)
        err = ks_fail(e, KS_EIO, "%s: cannot be written: %s", path, strerror(errno));
    if (close(w.fd) != 0 && !err)
        err = ks_fail(e, KS_EIO, "%s: cannot be written: %s", path, strerror(errno));
    if (err && w.named) unlink(w.part);
out:
    free(w.members);
    free(w.slots);
    free(w.part);
    return err;
}
