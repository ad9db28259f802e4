/* bind_read.c - every element of a bound checkpoint, in file order, checked and put to its
 * place. */
#include "encoder/slots.h"

#include <stdlib.h>
#include <string.h>

enum { TILE = 1 << 16 }; /* elements put at once when the order changes: 256 KiB */

typedef struct {
    ks_pack_sink *sink; /* NULL: memory */
    float *memory;
    size_t at; /* bytes */
} place;

static int put_next(void *arg, const float *x, size_t n, ks_error *e)
{
    place *p = arg;
    int err = p->sink ? ks_pack_put(p->sink, p->at, x, n * sizeof *x, e) : 0;
    if (!p->sink) memcpy(p->memory + p->at / sizeof *x, x, n * sizeof *x);
    p->at += n * sizeof *x;
    return err;
}

/* Where element i of our order lies in theirs. KS_TRANSPOSED: ours [rows, cols], theirs [cols,
 * rows].
 * KS_CONV: ours [(p, q, c), D], theirs [D, c, 1, p, q]; side = q's range. */
static size_t their_index(int transform, size_t i, size_t rows, size_t cols, size_t side)
{
    size_t row = i / cols, col = i % cols;
    if (transform == KS_TRANSPOSED) return col * rows + row;
    size_t channel = row % 3, q = row / 3 % side, p = row / 3 / side;
    return ((col * 3 + channel) * side + p) * side + q;
}

static int put_reordered(const ks_checkpoint *cp, const ks_tensor *t, int transform, place to,
                         ks_error *e)
{
    /* Theirs is [out, in] (or [out, ...]): our columns are its first axis. */
    size_t count = (size_t)t->count, cols = (size_t)t->shape[0], rows = count / cols,
           side = (size_t)t->shape[t->rank - 1];
    float *theirs = malloc(count * sizeof *theirs), *tile = malloc(TILE * sizeof *tile);
    int err = 0;
    if (!theirs || !tile)
        err = ks_fail(e, KS_ENOMEM, "%s: no memory to read tensor %s", cp->path, t->name);
    if (!err) err = ks_tensor_load(theirs, cp, t, e);
    for (size_t done = 0; !err && done < count;) {
        size_t n = count - done < TILE ? count - done : TILE;
        for (size_t i = 0; i < n; i++)
            tile[i] = theirs[their_index(transform, done + i, rows, cols, side)];
        err = put_next(&to, tile, n, e);
        done += n;
    }
    free(tile);
    free(theirs);
    return err;
}

static size_t piece_at(const ks_tensor *t, int layer)
{
    return (size_t)layer * (size_t)t->count * sizeof(float);
}

static int put_piece(const ks_checkpoint *cp, const ks_tensor *t, const ks_slot *slot, place to,
                     uint32_t *crc, ks_error *e)
{
    if (slot->transform == KS_AS_IS) return ks_tensor_read(cp, t, put_next, &to, crc, e);
    return put_reordered(cp, t, slot->transform, to, e);
}

static int read_one(const ks_binding *b, const ks_checkpoint *cp, int i, ks_pack_sink *sink,
                    uint32_t *crc, ks_error *e)
{
    const ks_tensor *t = &cp->tensors[i];
    const ks_owner owner = b->owners[i];
    if (!sink || owner.slot < 0) return ks_tensor_read(cp, t, NULL, NULL, crc, e);
    const ks_slot *slot = &b->slots[owner.slot];
    if (slot->in_panels) return 0; /* read when panels are made of it */
    return put_piece(cp, t, slot,
                     (place){.sink = sink, .at = slot->offset + piece_at(t, owner.layer)}, crc, e);
}

int ks_bind_load(float *out, const ks_binding *b, const ks_checkpoint *cp, const ks_slot *slot,
                 ks_error *e)
{
    int err = 0;
    for (int i = 0; !err && i < cp->n; i++) {
        const ks_tensor *t = &cp->tensors[i];
        if (b->owners[i].slot < 0 || &b->slots[b->owners[i].slot] != slot) continue;
        err = put_piece(cp, t, slot, (place){.memory = out, .at = piece_at(t, b->owners[i].layer)},
                        NULL, e);
    }
    return err;
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

static int file_order(turn **order, const ks_checkpoint *cp, ks_error *e)
{
    turn *o = *order = calloc((size_t)cp->n, sizeof **order);
    if (!o) return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", cp->path);
    for (int i = 0; i < cp->n; i++) o[i] = (turn){cp->tensors[i].offset, i};
    qsort(o, (size_t)cp->n, sizeof *o, by_offset);
    return 0;
}

int ks_bind_read(const ks_binding *b, const ks_checkpoint *cp, ks_pack_sink *sink, uint32_t *crcs,
                 ks_error *e)
{
    turn *order = NULL;
    int err = file_order(&order, cp, e);
    for (int i = 0; !err && i < cp->n; i++) {
        int at = order[i].index;
        err = read_one(b, cp, at, sink, crcs ? &crcs[at] : NULL, e);
    }
    free(order);
    return err;
}

/* --- ks_model_check --- */

typedef struct {
    ks_tensor_facts *facts;
    int64_t seen;
} watcher;

static int watch(void *arg, const float *x, size_t n, ks_error *e)
{
    (void)e;
    watcher *w = arg;
    for (size_t i = 0; i < n && i + (size_t)w->seen < 3; i++)
        w->facts->first[w->seen + (int64_t)i] = x[i];
    int64_t tail = w->facts->count - 3 - w->seen; /* where the last three start, from x */
    for (int64_t i = tail < 0 ? 0 : tail; i < (int64_t)n; i++) w->facts->last[i - tail] = x[i];
    w->seen += (int64_t)n;
    return 0;
}

static int check_one(const ks_checkpoint *cp, const ks_tensor *t,
                     int (*each)(void *, const ks_tensor_facts *), void *arg, ks_error *e)
{
    ks_tensor_facts facts = {.name = t->name, .dtype = ks_dtype_name(t->dtype), .count = t->count};
    watcher w = {&facts, 0};
    ks_shape_text(facts.shape, t->shape, t->rank);
    int err = ks_tensor_read(cp, t, t->dtype <= KS_DTYPE_BF16 ? watch : NULL, &w, &facts.crc, e);
    if (!err && each && each(arg, &facts) != 0) err = ks_fail(e, KS_ESTOP, "%s: stopped", cp->path);
    return err;
}

int ks_model_check(const char *model, int (*each)(void *arg, const ks_tensor_facts *t), void *arg,
                   ks_error *e)
{
    ks_checkpoint *cp = NULL;
    ks_binding b = {0};
    turn *order = NULL;
    int err = ks_checkpoint_open(&cp, model, e);
    if (!err) err = ks_bind(&b, cp, e);
    if (!err) err = file_order(&order, cp, e);
    for (int i = 0; !err && i < cp->n; i++)
        err = check_one(cp, &cp->tensors[order[i].index], each, arg, e);
    free(order);
    ks_binding_free(&b);
    ks_checkpoint_close(cp);
    return err;
}
