/* amx_body.h - a product on AMX tiles, written in seven tile words: tile_configure, tile_load,
 * tile_store, tile_zero, tile_bf16, tile_int8, tile_release. kernels_amx.c says them with
 * intrinsics, tests/test_amx.c with plain C that refuses what the instructions refuse.
 *
 * 16 groups by 16 columns of a panel are a tile of B as they lie. */
#include "encoder/kernels.h"

enum { SIDE = 16 }; /* rows of a tile; groups of one row, too */

typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} configuration;

/* C: 0 1 / 2 3 (upper, lower rows by left, right columns); A: 4, 5; B: 6, 7. */
static void configure(int rows, int groups)
{
    configuration c = {.palette = 1}; /* whatever is not said is zero, or the CPU refuses it */
    int upper = rows < SIDE ? rows : SIDE, lower = rows > SIDE ? rows - SIDE : 1;
    for (int t = 0; t < 8; t++) {
        c.rows[t] = (uint8_t)(t >= 6 ? groups : t == 2 || t == 3 || t == 5 ? lower : upper);
        c.row_bytes[t] = (uint16_t)(t == 4 || t == 5 ? groups * 4 : 64);
    }
    tile_configure(&c);
}

static void load_sums(const float *c, int rows)
{
    tile_load(0, c, KS_PANEL * 4);
    tile_load(1, c + SIDE, KS_PANEL * 4);
    if (rows > SIDE) {
        tile_load(2, c + SIDE * KS_PANEL, KS_PANEL * 4);
        tile_load(3, c + SIDE * KS_PANEL + SIDE, KS_PANEL * 4);
    }
}

static void store_sums(float *c, int rows)
{
    tile_store(0, c, KS_PANEL * 4);
    tile_store(1, c + SIDE, KS_PANEL * 4);
    if (rows > SIDE) {
        tile_store(2, c + SIDE * KS_PANEL, KS_PANEL * 4);
        tile_store(3, c + SIDE * KS_PANEL + SIDE, KS_PANEL * 4);
    }
}

/* Setting the shape takes some 200 cycles by the maker's tables and clears the sums; 16 groups
 * of 32 rows take 64, and a head of 64 columns has two such steps: so it is set when it changes. */
static void take_shape(const ks_tile *t, int groups)
{
    int wanted = t->rows << 8 | groups;
    if (t->shape && *t->shape == wanted) return;
    configure(t->rows, groups);
    if (t->shape) *t->shape = wanted;
}

static void zero_sums(void)
{
    tile_zero(0);
    tile_zero(1);
    tile_zero(2);
    tile_zero(3);
}

/* 16 groups (or the configured rest) into the sums. */
#define STEP(product)                                                                              \
    do {                                                                                           \
        const char *a = (const char *)t->a + g * 4, *b = (const char *)t->b + g * KS_PANEL * 4;    \
        tile_load(4, a, t->lda * 4);                                                               \
        tile_load(6, b, KS_PANEL * 4);                                                             \
        tile_load(7, b + SIDE * 4, KS_PANEL * 4);                                                  \
        product(0, 4, 6);                                                                          \
        product(1, 4, 7);                                                                          \
        if (t->rows > SIDE) {                                                                      \
            tile_load(5, a + SIDE * t->lda * 4, t->lda * 4);                                       \
            product(2, 5, 6);                                                                      \
            product(3, 5, 7);                                                                      \
        }                                                                                          \
    } while (0)

#define AMX_TILE(name, product)                                                                    \
    void name(float *c, const ks_tile *t)                                                          \
    {                                                                                              \
        size_t g = 0, whole = t->groups / SIDE * SIDE, rest = t->groups - whole;                   \
        take_shape(t, whole ? SIDE : (int)rest);                                                   \
        if (t->add) load_sums(c, t->rows);                                                         \
        else zero_sums();                                                                          \
        for (; g < whole; g += SIDE) STEP(product);                                                \
        if (whole && rest) { /* another shape of A and B, and it clears the sums */                \
            store_sums(c, t->rows);                                                                \
            take_shape(t, (int)rest);                                                              \
            load_sums(c, t->rows);                                                                 \
        }                                                                                          \
        if (rest) STEP(product);                                                                   \
        store_sums(c, t->rows);                                                                    \
        if (!t->shape) tile_release();                                                             \
    }
