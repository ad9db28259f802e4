/* slots.c - the table made concrete: every tensor that a model of one layout has, in one list. */
#include "encoder/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *ks_prefix(const ks_layout *k, ks_part part)
{
    static const char *const npz[3][KS_PART_COUNT + 1] = {
        {"params/", NULL, NULL, NULL, ""},
        {"params/vision_encoder/", "params/contrastive_vision_pooler/", "params/text_encoder/",
         NULL, ""},
        {"params/encoder/", "params/atten_pooler/", NULL, "params/", ""}};
    static const char *const port[2][KS_PART_COUNT + 1] = {
        {"", NULL, NULL, NULL, ""},
        {"video_model.vision_model.", "video_model.", "text_model.", NULL, ""}};
    return k->port ? port[k->kind == KS_LVT][part] : npz[k->kind][part];
}

static int is_matrix(size_t at)
{
    static const size_t matrices[] = {offsetof(ks_stack, wq), offsetof(ks_stack, wk),
                                      offsetof(ks_stack, wv), offsetof(ks_stack, wo),
                                      offsetof(ks_stack, w1), offsetof(ks_stack, w2)};
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++)
        if (matrices[i] == at) return 1;
    return 0;
}

static void add_slot(ks_slot *slot, const ks_layout *k, const ks_row *row, const char *start,
                     const ks_stack_row *stack)
{
    *slot = (ks_slot){.transform = k->port ? (int)row->transform : (int)KS_AS_IS,
                      .at = row->at,
                      .pieces = 1,
                      .mlp = 'F'};
    slot->shape = k->port ? row->hf_shape : row->shape;
    if (stack) {
        slot->stack = stack->letter;
        slot->mlp = stack->mlp;
        slot->in_panels = is_matrix(row->at);
        slot->at += stack->at;
        if (k->port) slot->pieces = k->layers[stack - ks_stack_rows()];
    }
    if (!k->port)
        snprintf(slot->name, sizeof slot->name, "%s%s%s", start, stack ? stack->name : "",
                 row->name);
    else if (stack)
        snprintf(slot->name, sizeof slot->name, "%s%s%%d.%s", start, stack->hf_name, row->hf_name);
    else snprintf(slot->name, sizeof slot->name, "%s%s", start, row->hf_name);
}

int ks_has_part(const ks_layout *k, ks_part part)
{
    return part == KS_PART_COUNT ? k->kind == KS_LVT : ks_prefix(k, part) != NULL;
}

int ks_slots(ks_slot slots[KS_SLOTS_MAX], const ks_layout *k)
{
    int n = 0;
    for (int part = 0; part < KS_PART_COUNT; part++)
        for (const ks_row *row = ks_part_rows((ks_part)part);
             ks_has_part(k, (ks_part)part) && row->name; row++)
            add_slot(&slots[n++], k, row, ks_prefix(k, (ks_part)part), NULL);
    for (int i = 0; i < KS_STACKS; i++) {
        const ks_stack_row *stack = ks_stack_rows() + i;
        if (k->layers[i] == 0) continue;
        for (const ks_row *row = ks_block_rows(stack->letter == 'u' && k->hybrid); row->name; row++)
            add_slot(&slots[n++], k, row, ks_prefix(k, stack->part), stack);
    }
    assert(n <= KS_SLOTS_MAX);
    return n;
}

void ks_piece_name(char name[256], const ks_slot *slot, int layer)
{
    const char *percent = strstr(slot->name, "%d");
    if (!percent) snprintf(name, 256, "%s", slot->name);
    else
        snprintf(name, 256, "%.*s%d%s", (int)(percent - slot->name), slot->name, layer,
                 percent + 2);
}

char ks_axis_letter(const ks_slot *slot, int axis)
{
    char c = slot->shape[axis];
    return c == 'L' ? slot->stack : c == 'F' ? slot->mlp : c;
}

void ks_derive_sizes(int64_t n[128], const ks_layout *k)
{
    n['4'] = 4 * n['D'];
    n['h'] = n['H'] > 0 ? n['D'] / n['H'] : 0;
    n['p'] = n['H'] > 0 ? (k->kind == KS_CLASSIFIER ? n['D'] : n['4']) / n['H'] : 0;
    n['1'] = 1;
    n['3'] = 3;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ks_slot *)a)->name, ((const ks_slot *)b)->name);
}

int ks_slots_of(ks_slot slots[KS_SLOTS_MAX], int64_t n[128], const ks_info *like)
{
    ks_layout layout = {.kind = like->kind,
                        .hybrid = like->text_hybrid,
                        .layers = {like->spatial, like->temporal, like->auxiliary, like->text}};
    n['D'] = like->dim, n['H'] = like->heads, n['F'] = like->mlp, n['T'] = like->frames;
    n['G'] = (int64_t)like->grid * like->grid, n['P'] = 3LL * like->patch * like->patch;
    n['V'] = like->vocabulary, n['C'] = like->classes;
    n['s'] = like->spatial, n['t'] = like->temporal, n['a'] = like->auxiliary, n['u'] = like->text;
    if (like->kind != KS_LVT) layout.layers[2] = layout.layers[3] = 0;
    ks_derive_sizes(n, &layout);
    int slot_count = ks_slots(slots, &layout);
    qsort(slots, (size_t)slot_count, sizeof *slots, by_name);
    return slot_count;
}

int ks_slot_dims(int64_t dims[KS_MAX_RANK], int64_t *count, const ks_slot *slot,
                 const int64_t sizes[128])
{
    int rank = (int)strlen(slot->shape);
    *count = 1;
    for (int a = 0; a < rank; a++) {
        dims[a] = sizes[(unsigned char)ks_axis_letter(slot, a)];
        if (dims[a] < 1 || dims[a] > INT32_MAX || __builtin_mul_overflow(*count, dims[a], count) ||
            *count > INT64_MAX / 8)
            return -1;
    }
    return rank;
}
