/* stack_pass.h - what the jobs of one block share: transformer.c drives, rows.c and columns.c
 * work. */
#ifndef KS_STACK_PASS_H
#define KS_STACK_PASS_H

#include "encoder/attention.h"
#include "encoder/product.h"
#include "encoder/transformer.h"

/* A tile's rows as the products read them: groups of the run's precision. */
typedef struct {
    void *a;
    size_t lda;       /* groups */
    float *row_scale; /* [m], integers only */
} ks_operand;

typedef struct {
    const ks_run *run;
    const ks_blocks *stack;
    const ks_rows *rows;
    const ks_block *block;
    void *qkv; /* [rows, 3D]; bf16 where attention is, else float */
    int qkv_half;
    /* [rows, mixed_step]: attention's answer; bf16 in a bf16 pass, else float */
    void *mixed;
    size_t mixed_step; /* elements */
    int mixed_half;
    /* keys and values of long sequences: [sequences, H, packed_size], or NULL */
    char *packed;
    size_t packed_size;
    char *scratch; /* [threads, scratch_size] */
    size_t scratch_size;
    int tile; /* rows of a tile */
} ks_pass;

/* Operands live in scratch: their bytes for m rows of K, and their place. */
size_t ks_operand_bytes(ks_precision precision, int m, int K);
ks_operand ks_operand_at(char *at, ks_precision precision, int m, int K);
/* Zero the rows from byte `from` on: groups past K meet zeros of the matrix, but NaN would not
 * vanish. */
void ks_operand_clear(const ks_operand *o, int m, size_t from);
/* LN of x[m, D] as an operand. row: [D] floats of scratch, integers only. */
void ks_operand_norm(const ks_operand *o, const ks_pass *p, const float *x, int m,
                     const ks_norm *norm, float *row);
/* y[m, n] float, ldy apart, to integers; what lies behind them stays as it is */
void ks_operand_quantise(const ks_operand *o, const ks_run *run, const float *y, size_t ldy, int m,
                         int n);
size_t ks_value_bytes(ks_precision precision); /* of a row's values: 4, 2, 1 */

/* rows.c: many rows; a tile of rows goes through everything between two attentions. */
size_t ks_rows_scratch(const ks_run *run, const ks_blocks *stack);
int ks_rows_tile(const ks_run *run, int rows);
void ks_rows_project(void *pass, int task, int worker);
void ks_rows_feed(void *pass, int task, int worker);

/* columns.c: few rows (sentences); the caller makes the operand, threads share the columns. */
size_t ks_columns_scratch(const ks_run *run, const ks_blocks *stack, int rows);
void ks_columns_project(const ks_pass *p, char *scratch);
void ks_columns_feed(const ks_pass *p, char *scratch);

#endif
