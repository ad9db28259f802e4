/* tensor_table.h - the symbolic table of every tensor that VideoPrism checkpoints have.
 *
 * A shape is a string, one letter an axis:
 *   D width  H heads  h = D/H  F vision mlp  4 = 4D (text mlp, pooler)  p = pooler's head width
 *   L layers of the tensor's stack (s spatial, t temporal, a auxiliary, u text once it is known
 *     which)
 *   T trained frames  G = grid*grid  P = 3*patch*patch  q = patch  V vocabulary  C classes  1 3
 *                     themselves
 * Names and shapes: the official code's own initialiser. The second name and shape are those of the
 * Hugging Face port's safetensors, one tensor a layer. */
#ifndef KS_TENSOR_TABLE_H
#define KS_TENSOR_TABLE_H

#include <stddef.h>

typedef enum {
    KS_AS_IS,      /* same order of elements */
    KS_TRANSPOSED, /* theirs is [out, in] */
    KS_CONV        /* theirs is a 3-D convolution's [D, 3, 1, q, q] */
} ks_transform;

typedef struct {
    const char *name; /* below the part's prefix; NULL ends a table */
    const char *shape;
    const char *hf_name;  /* NULL: not in the port */
    const char *hf_shape; /* without the layer axis */
    ks_transform transform;
    size_t at; /* offset of the pointer in ks_weights, or in ks_stack for a block's */
} ks_row;

typedef enum {
    KS_PART_VISION,
    KS_PART_POOLER,
    KS_PART_TEXT,
    KS_PART_CLASSIFIER,
    KS_PART_COUNT
} ks_part;

const ks_row *ks_part_rows(ks_part part);
const ks_row *ks_block_rows(int hybrid); /* one transformer block; hybrid: primer_hybrid norms */

typedef struct {
    char letter;         /* s t a u: the symbol of its layer count */
    const char *what;    /* "spatial" */
    const char *name;    /* below the prefix, ends with '/' */
    const char *hf_name; /* ends with '.' */
    ks_part part;        /* whose prefix it has */
    size_t at;           /* offset of the ks_stack in ks_weights */
    char mlp;            /* F or 4 */
} ks_stack_row;
enum { KS_STACKS = 4 };
const ks_stack_row *ks_stack_rows(void); /* [KS_STACKS]: spatial, temporal, auxiliary, text */

#endif
