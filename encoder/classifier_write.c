/* classifier_write.c - the official classifier: an open model's video encoder under a head of
 * the caller's. */
#include "encoder/encoder.h"
#include "encoder/slots.h"
#include "encoder/tower.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    FILE *to;
    ks_slot *slots;         /* [n] in the order of their names */
    ks_npz_member *members; /* [n] */
    int64_t size[128];
    int n;
    uint64_t at;
} writer;

/* NULL: of the video encoder. */
static const float *of_head(const ks_slot *slot, const ks_head_tensor *head, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(slot->name + strlen("params/"), head[i].name) == 0) return head[i].x;
    return NULL;
}

static void put(writer *w, const void *data, size_t bytes)
{
    fwrite(data, 1, bytes, w->to);
    w->at += bytes;
}

static void put_member(writer *w, int i, const float *x)
{
    uint8_t local[KS_NPZ_LOCAL], head[KS_NPY_HEAD];
    int64_t dims[KS_MAX_RANK], count = 0;
    int rank = ks_slot_dims(dims, &count, &w->slots[i], w->size);
    size_t bytes = (size_t)count * sizeof *x;
    assert(rank >= 0);
    ks_npy_head(head, "<f4", dims, rank);
    ks_npz_member m = {w->slots[i].name, w->at, KS_NPY_HEAD + bytes,
                       ks_crc32(ks_crc32(0, head, KS_NPY_HEAD), x, bytes)};
    put(w, local, ks_npz_local(local, &m));
    put(w, head, KS_NPY_HEAD);
    put(w, x, bytes);
    w->members[i] = m;
}

/* The video encoder's tensors lie where the table says, once they are loaded; the head's are
 * found by their names. */
static int put_slot(writer *w, int i, ks_weights *weights, const ks_head_tensor *head, int n,
                    ks_error *e)
{
    const float *x = of_head(&w->slots[i], head, n);
    size_t field = w->slots[i].at;
    if (x) {
        put_member(w, i, x);
        return 0;
    }
    int err = ks_weights_load(weights, field, e);
    if (err) return err;
    memcpy(&x, (const char *)weights + field, sizeof x);
    put_member(w, i, x);
    ks_weights_unload(weights, field);
    return 0;
}

int ks_classifier_write(FILE *to, ks_encoder *enc, int classes, const ks_head_tensor *head, int n,
                        ks_error *e)
{
    assert(to && enc && classes > 0 && head);
    uint8_t p[KS_NPZ_CENTRAL];
    ks_info like = enc->info;
    writer w = {.to = to};
    w.slots = calloc(KS_SLOTS_MAX, sizeof *w.slots);
    w.members = calloc(KS_SLOTS_MAX, sizeof *w.members);
    int err = w.slots && w.members ? 0 : ks_fail(e, KS_ENOMEM, "no memory to write a classifier");
    if (!err) {
        like.kind = KS_CLASSIFIER;
        like.classes = classes;
        w.n = ks_slots_of(w.slots, w.size, &like);
        for (int i = 0; !err && i < w.n; i++) err = put_slot(&w, i, enc->weights, head, n, e);
        uint64_t directory = w.at;
        for (int i = 0; !err && i < w.n; i++) put(&w, p, ks_npz_central(p, &w.members[i]));
        put(&w, p, ks_npz_end(p, w.n, directory, w.at));
    }
    free(w.members);
    free(w.slots);
    return err;
}
