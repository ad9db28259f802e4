/* bind.c - which tensor of a file is which part of the model, and what sizes that model has.
 *
 *   kind from the prefixes -> slots from the table -> every tensor its owner -> each size by
 *     majority
 *   over all axes that carry its letter -> every axis of every tensor against its size
 *
 * The majority makes the sentence name the odd tensor out instead of the innocent ones around
 * it. */
#include "encoder/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const ks_checkpoint *cp;
    ks_binding *b;
    ks_layout layout;
    int64_t size[128]; /* by letter */
} binder;

/* Index of the first tensor whose name is >= name. */
static int lower_bound(const ks_checkpoint *cp, const char *name)
{
    int low = 0, high = cp->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strcmp(cp->tensors[middle].name, name) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static int has_prefix(const ks_checkpoint *cp, const char *start)
{
    int i = lower_bound(cp, start);
    return i < cp->n && strncmp(cp->tensors[i].name, start, strlen(start)) == 0;
}

static int find(const ks_checkpoint *cp, const char *name)
{
    int i = lower_bound(cp, name);
    return i < cp->n && strcmp(cp->tensors[i].name, name) == 0 ? i : -1;
}

static int find_kind(binder *k, ks_error *e)
{
    const ks_checkpoint *cp = k->cp;
    k->layout.port = cp->format == KS_SAFETENSORS;
    if (k->layout.port) {
        if (has_prefix(cp, "video_model.") || has_prefix(cp, "text_model."))
            k->layout.kind = KS_LVT;
        else if (has_prefix(cp, "spatial_")) k->layout.kind = KS_ENCODER;
        else
            return ks_fail(e, KS_EFORMAT, "%s: no VideoPrism model: its first tensor is %s",
                           cp->path, cp->tensors[0].name);
        return 0;
    }
    if (has_prefix(cp, "params/vision_encoder/") || has_prefix(cp, "params/text_encoder/") ||
        has_prefix(cp, "params/contrastive_vision_pooler/"))
        k->layout.kind = KS_LVT;
    else if (has_prefix(cp, "params/encoder/") || has_prefix(cp, "params/atten_pooler/"))
        k->layout.kind = KS_CLASSIFIER;
    else if (has_prefix(cp, "params/patch_projection/") || has_prefix(cp, "params/spatial_") ||
             has_prefix(cp, "params/temporal_"))
        k->layout.kind = KS_ENCODER;
    else
        return ks_fail(e, KS_EFORMAT, "%s: no VideoPrism model: its first tensor is %s", cp->path,
                       cp->tensors[0].name);
    k->layout.hybrid =
        has_prefix(cp, "params/text_encoder/unimodal_transformer/x_layers/pre_layer_norm/") &&
        !has_prefix(cp, "params/text_encoder/unimodal_transformer/x_layers/layer_norm/");
    return 0;
}

/* Layers of a stack: of the port by counting names; of an npz 1 where the stack is there at all.
 * Only the auxiliary stack may be absent. */
static int count_layers(const binder *k, const ks_stack_row *stack)
{
    char name[256];
    const char *start = ks_prefix(&k->layout, stack->part);
    if (!k->layout.port) {
        snprintf(name, sizeof name, "%s%s", start, stack->name);
        return has_prefix(k->cp, name) || stack->letter != 'a';
    }
    int layers = 0;
    for (;; layers++) {
        snprintf(name, sizeof name, "%s%s%d.", start, stack->hf_name, layers);
        if (!has_prefix(k->cp, name)) break;
    }
    return layers > 0 || stack->letter == 'a' ? layers : 1;
}

/* The port stores two computed tensors, too. Their values are checked for being finite, their
 * bytes for being there; nothing uses them. */
static int is_known_extra(const binder *k, const char *name)
{
    return k->layout.port && (strcmp(name, "text_model.embeddings.position_embedding") == 0 ||
                              strcmp(name, "text_model.embeddings.position_ids") == 0);
}

static int give_owners(binder *k, ks_error *e)
{
    char name[256];
    const ks_checkpoint *cp = k->cp;
    const char *missing = NULL, *extra = NULL;
    char missing_name[256];
    for (int i = 0; i < cp->n; i++) k->b->owners[i] = (ks_owner){-1, 0};
    for (int s = 0; s < k->b->n; s++)
        for (int layer = 0; layer < k->b->slots[s].pieces; layer++) {
            ks_piece_name(name, &k->b->slots[s], layer);
            int at = find(cp, name);
            if (at >= 0) k->b->owners[at] = (ks_owner){s, layer};
            else if (!missing) missing = strcpy(missing_name, name);
        }
    for (int i = 0; i < cp->n && !extra; i++)
        if (k->b->owners[i].slot < 0 && !is_known_extra(k, cp->tensors[i].name))
            extra = cp->tensors[i].name;
    if (missing && extra)
        return ks_fail(e, KS_EFORMAT,
                       "%s: tensor %s is missing, and %s belongs to no part of the model", cp->path,
                       missing, extra);
    if (missing) return ks_fail(e, KS_EFORMAT, "%s: tensor %s is missing", cp->path, missing);
    if (extra)
        return ks_fail(e, KS_EFORMAT, "%s: tensor %s belongs to no part of the model", cp->path,
                       extra);
    for (int i = 0; i < cp->n; i++) {
        const ks_tensor *t = &cp->tensors[i];
        if (t->dtype <= KS_DTYPE_BF16 || (k->b->owners[i].slot < 0 && t->dtype == KS_DTYPE_I64))
            continue;
        return ks_fail(
            e, KS_EFORMAT,
            "%s: tensor %s has elements that are no weights (only F32, F16 and BF16 are)", cp->path,
            t->name);
    }
    return 0;
}

static int is_size(char c) { return strchr("DHFTGPqVCstau", c) != NULL; }

/* Boyer and Moore's majority over all axes with each letter: one pass, no memory. */
static void vote(binder *k)
{
    int64_t lead[128] = {0};
    for (int i = 0; i < k->cp->n; i++) {
        const ks_tensor *t = &k->cp->tensors[i];
        if (k->b->owners[i].slot < 0) continue;
        const ks_slot *slot = &k->b->slots[k->b->owners[i].slot];
        if (t->rank != (int)strlen(slot->shape)) continue;
        for (int axis = 0; axis < t->rank; axis++) {
            unsigned char c = (unsigned char)ks_axis_letter(slot, axis);
            if (!is_size((char)c)) continue;
            if (lead[c] == 0) k->size[c] = t->shape[axis];
            lead[c] += t->shape[axis] == k->size[c] ? 1 : -1;
        }
    }
}

static int64_t root_of(int64_t n)
{
    int64_t r = 0;
    while ((r + 1) * (r + 1) <= n) r++;
    return r;
}

static const char *noun(const ks_slot *slot, char c)
{
    switch (c) {
    case 'D': return "width";
    case 'H': return "head count";
    case 'h': return "head width";
    case 'F': return "mlp width";
    case '4': return slot->stack ? "text mlp width" : "pooler width";
    case 'p': return "pooler head width";
    case 's': return "number of spatial layers";
    case 't': return "number of temporal layers";
    case 'a': return "number of auxiliary layers";
    case 'u': return "number of text layers";
    case 'T': return "frame count";
    case 'G': return "number of places";
    case 'P': return "patch length";
    case 'q': return "patch side";
    case 'V': return "vocabulary";
    case 'C': return "class count";
    default: return NULL;
    }
}

static const char *emptiness(char c)
{
    return c == 'T'            ? "frames"
           : c == 'V'          ? "vocabulary"
           : c == 'C'          ? "classes"
           : strchr("stau", c) ? "layers"
                               : "elements";
}

static int check_shape(const binder *k, const ks_tensor *t, const ks_slot *slot, ks_error *e)
{
    char have[160], need[160];
    int64_t want[KS_MAX_RANK];
    int rank = (int)strlen(slot->shape);
    for (int i = 0; i < rank; i++) want[i] = k->size[(unsigned char)ks_axis_letter(slot, i)];
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] == 0)
            return ks_fail(e, KS_ESHAPE, "%s: tensor %s is %s, it has no %s", k->cp->path, t->name,
                           ks_shape_text(have, t->shape, t->rank),
                           i < rank ? emptiness(ks_axis_letter(slot, i)) : "elements");
    if (t->rank == rank) {
        int axis = 0;
        while (axis < rank && t->shape[axis] == want[axis]) axis++;
        if (axis == rank) return 0;
        const char *what = noun(slot, ks_axis_letter(slot, axis));
        if (what)
            return ks_fail(e, KS_ESHAPE, "%s: tensor %s is %s, this model's %s is %lld",
                           k->cp->path, t->name, ks_shape_text(have, t->shape, t->rank), what,
                           (long long)want[axis]);
    }
    return ks_fail(e, KS_ESHAPE, "%s: tensor %s is %s, this model needs %s", k->cp->path, t->name,
                   ks_shape_text(have, t->shape, t->rank), ks_shape_text(need, want, rank));
}

static int check_shapes(const binder *k, ks_error *e)
{
    for (int i = 0; i < k->cp->n; i++) {
        int s = k->b->owners[i].slot;
        int err = s < 0 ? 0 : check_shape(k, &k->cp->tensors[i], &k->b->slots[s], e);
        if (err) return err;
    }
    return 0;
}

/* Sizes that follow from the voted ones. Values that make no model are left for check_sizes,
 * after the tensors had their say. */
static int derive(binder *k, ks_error *e)
{
    int64_t *n = k->size;
    for (const char *c = "DHFTGPqVCstau"; *c; c++)
        if (n[(int)*c] < 0 || n[(int)*c] > INT32_MAX) n[(int)*c] = 0;
    if (n['D'] > 1 << 20) n['D'] = 0;
    if (k->layout.port && n['D'] > 0) {
        int heads = 0, err = ks_config_heads(&heads, k->cp, (int)n['D'], e);
        if (err) return err;
        n['H'] = heads;
    }
    if (k->layout.port) n['P'] = n['q'] < 4096 ? 3 * n['q'] * n['q'] : 0;
    else n['q'] = root_of(n['P'] / 3);
    ks_derive_sizes(n, &k->layout);
    for (int i = 0; k->layout.port && i < KS_STACKS; i++)
        n[(int)ks_stack_rows()[i].letter] = k->layout.layers[i];
    return 0;
}

static int check_sizes(const binder *k, ks_error *e)
{
    const int64_t *n = k->size;
    const char *path = k->cp->path, *vision = ks_prefix(&k->layout, KS_PART_VISION);
    int64_t grid = root_of(n['G']);
    if (n['H'] < 1 || n['D'] % n['H'] != 0)
        return ks_fail(e, KS_ESHAPE,
                       "%s: this model's width %lld is not divisible by its %lld heads (tensor %s)",
                       path, (long long)n['D'], (long long)n['H'], k->b->slots[k->b->n - 1].name);
    if (grid * grid != n['G'])
        return ks_fail(
            e, KS_ESHAPE, "%s: tensor %s%s has %lld places, which is no square grid", path, vision,
            k->layout.port ? "spatial_embeddings.position_embeddings" : "spatial_pos_emb/emb_var",
            (long long)n['G']);
    if (3 * n['q'] * n['q'] != n['P'])
        return ks_fail(e, KS_ESHAPE,
                       "%s: tensor %spatch_projection/linear/kernel has %lld rows, which is no "
                       "square RGB patch",
                       path, vision, (long long)n['P']);
    return 0;
}

static void fill_info(binder *k)
{
    const int64_t *n = k->size;
    ks_info *f = &k->b->info;
    *f = (ks_info){.kind = k->layout.kind,
                   .dim = (int)n['D'],
                   .heads = (int)n['H'],
                   .mlp = (int)n['F'],
                   .spatial = (int)n['s'],
                   .temporal = (int)n['t'],
                   .auxiliary = (int)n['a'],
                   .text = (int)n['u'],
                   .frames = (int)n['T'],
                   .grid = (int)root_of(n['G']),
                   .patch = (int)n['q'],
                   .vocabulary = (int)n['V'],
                   .classes = (int)n['C'],
                   .text_hybrid = k->layout.hybrid};
    f->bytes = (int64_t)k->cp->bytes.size;
    k->b->pooler_hidden = k->layout.kind == KS_LVT          ? 4 * f->dim
                          : k->layout.kind == KS_CLASSIFIER ? f->dim
                                                            : 0;
    k->b->text_mlp = k->layout.kind == KS_LVT ? 4 * f->dim : 0;
    ks_dtype first = KS_DTYPE_OTHER;
    int mixed = 0;
    for (int i = 0; i < k->cp->n; i++) {
        const ks_tensor *t = &k->cp->tensors[i];
        if (k->b->owners[i].slot < 0) continue;
        mixed |= first != KS_DTYPE_OTHER && first != t->dtype;
        first = t->dtype;
        f->parameters += t->count;
        k->b->slots[k->b->owners[i].slot].count += t->count;
    }
    snprintf(f->dtype, sizeof f->dtype, "%s", mixed ? "mixed" : ks_dtype_name(first));
}

static void place_slots(ks_binding *b)
{
    for (int i = 0; i < b->n; i++) {
        if (b->slots[i].in_panels) continue;
        b->slots[i].offset = b->bytes;
        b->bytes += ((size_t)b->slots[i].count * sizeof(float) + 63) & ~(size_t)63;
    }
}

int ks_bind(ks_binding *b, const ks_checkpoint *cp, ks_error *e)
{
    binder k = {.cp = cp, .b = b};
    *b = (ks_binding){0};
    if (cp->n == 0) return ks_fail(e, KS_EFORMAT, "%s: it has no tensors", cp->path);
    int err = find_kind(&k, e);
    if (err) return err;
    b->slots = calloc(KS_SLOTS_MAX, sizeof *b->slots);
    b->owners = calloc((size_t)cp->n, sizeof *b->owners);
    if (!b->slots || !b->owners) {
        ks_binding_free(b);
        return ks_fail(e, KS_ENOMEM, "%s: no memory to read its directory", cp->path);
    }
    for (int i = 0; i < KS_STACKS; i++) {
        const ks_stack_row *stack = ks_stack_rows() + i;
        k.layout.layers[i] = ks_has_part(&k.layout, stack->part) ? count_layers(&k, stack) : 0;
    }
    b->n = ks_slots(b->slots, &k.layout);
    err = give_owners(&k, e);
    if (!err) {
        vote(&k);
        err = derive(&k, e);
    }
    if (!err) err = check_shapes(&k, e);
    if (!err) err = check_sizes(&k, e);
    if (err) {
        ks_binding_free(b);
        return err;
    }
    fill_info(&k);
    place_slots(b);
    return 0;
}

void ks_binding_free(ks_binding *b)
{
    free(b->slots);
    free(b->owners);
    *b = (ks_binding){0};
}
