/* bind_read.c - every element of a bound checkpoint, in file order, checked and put to its place. */
#include "encoder/tensor_table.h"
#include "encoder/weights.h"

#include <sha2.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 1 << 16 }; /* elements put at once when the order changes: 256 KiB */

typedef struct {
    ks_pack_sink *sink;
    size_t at;
} place;

static int put_next(void *arg, const float *x, size_t n, ks_error *e)
{
    place *p = arg;
    int err = ks_pack_put(p->sink, p->at, x, n * sizeof *x, e);
    p->at += n * sizeof *x;
    return err;
}

/* Where element i of our order lies in theirs. KS_TRANSPOSED: ours [rows, cols], theirs [cols, rows].
 * KS_CONV: ours [(p, q, c), D], theirs [D, c, 1, p, q]; side = q's range. */
static size_t their_index(int transform, size_t i, size_t rows, size_t cols, size_t side)
{
    size_t row = i / cols, col = i % cols;
    if (transform == KS_TRANSPOSED) return col * rows + row;
    size_t channel = row % 3, q = row / 3 % side, p = row / 3 / side;
    return ((col * 3 + channel) * side + p) * side + q;
}

static int put_reordered(const ks_checkpoint *cp, const ks_tensor *t, int transform, place to, ks_error *e)
{
    /* Theirs is [out, in] (or [out, ...]): our columns are its first axis. */
    size_t count = (size_t)t->count, cols = (size_t)t->shape[0], rows = count / cols, side = (size_t)t->shape[t->rank - 1];
    float *theirs = malloc(count * sizeof *theirs), *tile = malloc(TILE * sizeof *tile);
    int err = 0;
    if (!theirs || !tile) err = ks_fail(e, KS_ENOMEM, "%s: no memory to read tensor %s", cp->path, t->name);
    if (!err) err = ks_tensor_load(theirs, cp, t, e);
    for (size_t done = 0; !err && done < count;) {
        size_t n = count - done < TILE ? count - done : TILE;
        for (size_t i = 0; i < n; i++) tile[i] = theirs[their_index(transform, done + i, rows, cols, side)];
        err = put_next(&to, tile, n, e);
        done += n;
    }
    free(tile);
    free(theirs);
    return err;
}

static int read_one(const ks_binding *b, const ks_checkpoint *cp, int i, ks_pack_sink *sink, uint32_t *crc, ks_error *e)
{
    const ks_tensor *t = &cp->tensors[i];
    const ks_owner owner = b->owners[i];
    int in_order = owner.slot < 0 || b->slots[owner.slot].transform == KS_AS_IS;
    if (!sink || owner.slot < 0) return ks_tensor_read(cp, t, NULL, NULL, crc, e);
    const ks_slot *slot = &b->slots[owner.slot];
    place to = {sink, slot->offset + (size_t)owner.layer * (size_t)t->count * sizeof(float)};
    if (in_order) return ks_tensor_read(cp, t, put_next, &to, crc, e);
    return put_reordered(cp, t, slot->transform, to, e);
}

typedef struct {
    uint64_t offset;
    int index;
} turn;

static int by_offset(const void *a, const void *b)
{
    uint64_t x = ((const turn *)a)->offset, y = ((const turn *)b)->offset;
    return (x > y) - (x < y);
}

int ks_bind_read(const ks_binding *b, const ks_checkpoint *cp, ks_pack_sink *sink, uint32_t *crcs, ks_error *e)
{
    int err = 0;
    turn *order = calloc((size_t)cp->n, sizeof *order);
    if (!order) return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", cp->path);
    for (int i = 0; i < cp->n; i++) order[i] = (turn){cp->tensors[i].offset, i};
    qsort(order, (size_t)cp->n, sizeof *order, by_offset);
    for (int i = 0; !err && i < cp->n; i++) {
        int at = order[i].index;
        err = read_one(b, cp, at, sink, crcs ? &crcs[at] : NULL, e);
    }
    free(order);
    return err;
}

static void finish(SHA2_CTX *sha, char out[KS_HASH_HEX])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Final(digest, sha);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void ks_weights_hash(char out[KS_HASH_HEX], const ks_checkpoint *cp, const uint32_t *crcs)
{
    SHA2_CTX sha;
    char shape[160], line[KS_NAME_MAX + 200];
    SHA256Init(&sha);
    for (int i = 0; i < cp->n; i++) { /* sorted by name at open */
        const ks_tensor *t = &cp->tensors[i];
        int n = snprintf(line, sizeof line, "%s %s %s %08x\n", t->name, ks_dtype_name(t->dtype),
                         ks_shape_text(shape, t->shape, t->rank), crcs ? crcs[i] : t->crc);
        SHA256Update(&sha, (const uint8_t *)line, (size_t)n);
    }
    finish(&sha, out);
}

void ks_model_hash(char out[KS_HASH_HEX], const char *weights, const char *tokenizer)
{
    SHA2_CTX sha;
    if (!tokenizer || !tokenizer[0]) {
        memmove(out, weights, KS_HASH_HEX);
        return;
    }
    SHA256Init(&sha);
    SHA256Update(&sha, (const uint8_t *)weights, strlen(weights));
    SHA256Update(&sha, (const uint8_t *)"\n", 1);
    SHA256Update(&sha, (const uint8_t *)tokenizer, strlen(tokenizer));
    finish(&sha, out);
}
