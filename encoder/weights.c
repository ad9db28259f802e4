/* weights.c - opening a model: judge the directory, know the hash, find or make the raw pack, bind.
 *
 *   directory -> binding -> hash -> is this very file vouched for?
 *     yes, and a pack is there:  map (a few ms, whatever the size)
 *     no:                        check all of the file; a wrong one is refused before a byte of
 *                                a pack is written
 *                                (writing took as long again: 0.8 instead of 0.4 s of processor
 *                                  time a GB)
 *     no pack:                   write it, checking all that is read once more */
#include "encoder/slots.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct ks_weights_file {
    ks_checkpoint *cp;
    ks_binding b;
    ks_cache *cache;
    struct stat st; /* as it was when the file was opened */
    int vouched;    /* this very file was checked in full before */
    int checked;    /* ... or just now */
} opening;

static int stat_file(struct stat *st, const ks_checkpoint *cp, ks_error *e)
{
    if (fstat(cp->bytes.fd, st) == 0) return 0;
    return ks_fail(e, KS_EIO, "%s: cannot be read: %s", cp->path, strerror(errno));
}

static int is_unchanged(const opening *o, ks_error *e)
{
    struct stat now;
    int err = stat_file(&now, o->cp, e);
    if (err) return err;
    if (now.st_size != o->st.st_size ||
        memcmp(&now.st_mtim, &o->st.st_mtim, sizeof now.st_mtim) != 0 ||
        memcmp(&now.st_ctim, &o->st.st_ctim, sizeof now.st_ctim) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: it was changed while it was read", o->cp->path);
    return 0;
}

/* After a full check: was it still the same file? Then remember it. */
static int remember(opening *o, const char *key, const char *note, ks_error *e)
{
    int err = is_unchanged(o, e);
    if (err) return err;
    ks_cache_vouch(o->cache, key, &o->st, note);
    return 0;
}

static int check_file(opening *o, ks_pack_sink *sink, uint32_t *crcs, ks_error *e)
{
    int err;
    ks_cache_settle(&o->st);
    err = ks_bind_read(&o->b, o->cp, sink, crcs, e);
    if (!err) o->checked = 1;
    return err;
}

/* safetensors has no checksums: the hash costs one reading, remembered by the file's identity. */
static int hash_by_reading(opening *o, ks_error *e)
{
    char note[96];
    if (ks_cache_vouches(o->cache, "safetensors", &o->st, note) &&
        strlen(note) == KS_HASH_HEX - 1) {
        memcpy(o->b.info.hash, note, KS_HASH_HEX);
        return 0;
    }
    uint32_t *crcs = calloc((size_t)o->cp->n, sizeof *crcs);
    int err = crcs ? check_file(o, NULL, crcs, e)
                   : ks_fail(e, KS_ENOMEM, "%s: no memory to read it", o->cp->path);
    if (!err) ks_weights_hash(o->b.info.hash, o->cp, crcs);
    if (!err) err = remember(o, "safetensors", o->b.info.hash, e);
    free(crcs);
    return err;
}

static int begin(opening *o, const char *model, ks_error *e)
{
    int err = ks_checkpoint_open(&o->cp, model, e);
    if (!err) err = stat_file(&o->st, o->cp, e);
    if (!err) err = ks_bind(&o->b, o->cp, e);
    if (err) return err;
    if (o->cp->format == KS_SAFETENSORS) return hash_by_reading(o, e);
    ks_weights_hash(o->b.info.hash, o->cp, NULL);
    return 0;
}

static void end(opening *o)
{
    ks_binding_free(&o->b);
    ks_checkpoint_close(o->cp);
    ks_cache_close(o->cache);
}

int ks_model_info(ks_info *info, const char *model, ks_error *e)
{
    opening o = {0};
    int err = ks_cache_open(&o.cache, NULL, NULL, NULL, e);
    if (!err) err = begin(&o, model, e);
    if (!err) *info = o.b.info;
    end(&o);
    return err;
}

static int fill(void *arg, ks_pack_sink *sink, ks_error *e)
{
    return check_file(arg, sink, NULL, e);
}

static int open_pack(ks_pack *p, opening *o, ks_error *e)
{
    const char *hash = o->b.info.hash;
    int err = 0;
    o->vouched = ks_cache_vouches(o->cache, hash, &o->st, NULL);
    if (!o->vouched && !o->checked) err = check_file(o, NULL, NULL, e);
    if (!err) err = ks_pack_open(p, &(ks_pack_name){o->cache, hash, "f32", o->b.bytes}, fill, o, e);
    if (!err && o->checked) err = remember(o, hash, "", e);
    if (err) ks_pack_close(p);
    return err;
}

static void set_pointers(ks_weights *w, const ks_binding *b)
{
    for (int i = 0; i < b->n; i++) {
        if (b->slots[i].in_panels) continue;
        const float *x = (const float *)(const void *)(w->pack.data + b->slots[i].offset);
        memcpy((char *)w + b->slots[i].at, &x, sizeof x);
    }
    w->info = b->info;
    w->pooler.hidden = b->pooler_hidden;
    const int layers[KS_STACKS] = {b->info.spatial, b->info.temporal, b->info.auxiliary,
                                   b->info.text};
    for (int i = 0; i < KS_STACKS; i++) {
        const ks_stack_row *row = ks_stack_rows() + i;
        ks_stack *stack = (ks_stack *)(void *)((char *)w + row->at);
        stack->layers = layers[i];
        stack->mlp = layers[i] == 0 ? 0 : row->mlp == '4' ? b->text_mlp : b->info.mlp;
    }
}

int ks_weights_open(ks_weights **out, const ks_weights_options *options, ks_error *e)
{
    opening *o = calloc(1, sizeof *o);
    *out = NULL;
    ks_weights *w = calloc(1, sizeof *w);
    int err = w && o ? 0 : ks_fail(e, KS_ENOMEM, "%s: no memory to open it", options->model);
    if (!err)
        err = ks_cache_open(&o->cache, options->cache, options->notice, options->notice_arg, e);
    if (!err) err = begin(o, options->model, e);
    if (!err) err = open_pack(&w->pack, o, e);
    if (!err) {
        set_pointers(w, &o->b);
        w->cache = o->cache;
        w->file = o;
        *out = w;
        return 0;
    }
    if (o) end(o);
    free(o);
    free(w);
    return err;
}

static float **pointer_at(const ks_weights *w, size_t field)
{
    return (float **)(void *)((uintptr_t)w + field);
}

static const ks_slot *slot_of(const ks_weights *w, size_t field)
{
    for (int i = 0; i < w->file->b.n; i++)
        if (w->file->b.slots[i].at == field) return &w->file->b.slots[i];
    return NULL;
}

int ks_weights_load(ks_weights *w, size_t field, ks_error *e)
{
    const ks_slot *slot = slot_of(w, field);
    assert(slot);
    if (!slot->in_panels) return 0;
    assert(!*pointer_at(w, field));
    float *x = aligned_alloc(64, ((size_t)slot->count * sizeof *x + 63) & ~(size_t)63);
    int err = x ? ks_bind_load(x, &w->file->b, w->file->cp, slot, e)
                : ks_fail(e, KS_ENOMEM, "%s: no memory for %lld weights", w->file->cp->path,
                          (long long)slot->count);
    if (!err) err = is_unchanged(w->file, e);
    if (!err) *pointer_at(w, field) = x;
    else free(x);
    return err;
}

void ks_weights_unload(ks_weights *w, size_t field)
{
    const ks_slot *slot = slot_of(w, field);
    if (!slot || !slot->in_panels) return;
    free(*pointer_at(w, field));
    *pointer_at(w, field) = NULL;
}

void ks_weights_close(ks_weights *w)
{
    if (!w) return;
    for (int i = 0; i < w->file->b.n; i++) ks_weights_unload(w, w->file->b.slots[i].at);
    ks_pack_close(&w->pack);
    end(w->file); /* the cache too */
    free(w->file);
    free(w);
}
