/* slots.h - the table made concrete: every tensor that a model of one layout has, in one list. */
#ifndef KS_SLOTS_H
#define KS_SLOTS_H

#include "encoder/tensor_table.h"
#include "encoder/weights.h"

typedef struct {
    ks_kind kind;
    int hybrid, port;      /* primer_hybrid norms in text; names of the Hugging Face port */
    int layers[KS_STACKS]; /* 0: no such stack; counts only the port's list needs */
} ks_layout;

enum { KS_SLOTS_MAX = 8 + 12 + 4 + 2 + KS_STACKS * 20 };

/* One tensor of the model: what it is called and where it goes. */
typedef struct ks_slot {
    char name[192];    /* "params/...", or the port's name with %d for the layer */
    const char *shape; /* symbolic, see tensor_table.h; of one piece */
    char stack;        /* s t a u, or 0: not in a stack */
    char mlp;          /* what F stands for in shape: F or 4 */
    /* a matrix of a stack: towers have it in panels alone, so the pack does not keep it */
    int in_panels;
    int transform; /* ks_transform of each piece */
    size_t at;     /* offsetof the const float * in ks_weights */
    int pieces;    /* 1 from an npz; the stack's L from safetensors */
    int64_t count; /* elements of all pieces */
    size_t offset; /* bytes from the pack's payload; 64-byte aligned */
} ks_slot;

const char *ks_prefix(const ks_layout *k, ks_part part); /* NULL: this kind has no such part */
int ks_has_part(const ks_layout *k, ks_part part);
int ks_slots(ks_slot slots[KS_SLOTS_MAX], const ks_layout *k); /* how many */
void ks_piece_name(char name[256], const ks_slot *slot, int layer);
char ks_axis_letter(const ks_slot *slot, int axis);           /* with L and F made concrete */
void ks_derive_sizes(int64_t sizes[128], const ks_layout *k); /* 4 h p 1 3 from D and H */
/* Slots and sizes of an npz of these facts, in the order of their names; how many. */
int ks_slots_of(ks_slot slots[KS_SLOTS_MAX], int64_t sizes[128], const ks_info *like);
/* Returns the rank, *count the elements; -1: no such tensor can be. */
int ks_slot_dims(int64_t dims[KS_MAX_RANK], int64_t *count, const ks_slot *slot,
                 const int64_t sizes[128]);

#endif
