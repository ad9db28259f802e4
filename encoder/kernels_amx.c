/* kernels_amx.c - bf16 and int8 products on AMX tiles; everything else as AVX-512 does it.
 *
 * The panels are the same: 16 groups by 16 columns of one are a tile of B as they lie. No machine of ours
 * has AMX yet: before the table is handed out its two products are held against plain C, so a mistake
 * here costs speed and never a vector. */
#include "encoder/encoder.h"
#include "encoder/kernels.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,amx-int8,avx512f"))), apply_to = function)
#else
#pragma GCC target("amx-tile,amx-bf16,amx-int8,avx512f")
#endif
#include <immintrin.h>

enum { SIDE = 16 };                  /* rows of a tile; groups of one row, too */
enum { PERMIT = 0x1023, TILES = 18 }; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */

typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} configuration;

/* C: 0 1 / 2 3 (upper, lower rows by left, right columns); A: 4, 5; B: 6, 7. */
static void configure(int rows, int groups)
{
    configuration c = {.palette = 1};
    int upper = rows < SIDE ? rows : SIDE, lower = rows > SIDE ? rows - SIDE : 1;
    for (int t = 0; t < 8; t++) {
        c.rows[t] = (uint8_t)(t >= 6 ? groups : t == 2 || t == 3 || t == 5 ? lower : upper);
        c.row_bytes[t] = (uint16_t)(t == 4 || t == 5 ? groups * 4 : 64);
    }
    _tile_loadconfig(&c);
}

static void load_sums(const float *c, int rows)
{
    _tile_loadd(0, c, KS_PANEL * 4);
    _tile_loadd(1, c + SIDE, KS_PANEL * 4);
    if (rows > SIDE) {
        _tile_loadd(2, c + SIDE * KS_PANEL, KS_PANEL * 4);
        _tile_loadd(3, c + SIDE * KS_PANEL + SIDE, KS_PANEL * 4);
    }
}

static void store_sums(float *c, int rows)
{
    _tile_stored(0, c, KS_PANEL * 4);
    _tile_stored(1, c + SIDE, KS_PANEL * 4);
    if (rows > SIDE) {
        _tile_stored(2, c + SIDE * KS_PANEL, KS_PANEL * 4);
        _tile_stored(3, c + SIDE * KS_PANEL + SIDE, KS_PANEL * 4);
    }
}

static void zero_sums(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

/* 16 groups (or the configured rest) into the sums. */
#define STEP(product) \
    do { \
        const char *a = (const char *)t->a + g * 4, *b = (const char *)t->b + g * KS_PANEL * 4; \
        _tile_loadd(4, a, t->lda * 4); \
        _tile_loadd(6, b, KS_PANEL * 4); \
        _tile_loadd(7, b + SIDE * 4, KS_PANEL * 4); \
        product(0, 4, 6); \
        product(1, 4, 7); \
        if (t->rows > SIDE) { \
            _tile_loadd(5, a + SIDE * t->lda * 4, t->lda * 4); \
            product(2, 5, 6); \
            product(3, 5, 7); \
        } \
    } while (0)

#define TILE(name, product) \
    void name(float *c, const ks_tile *t) \
    { \
        size_t g = 0, whole = t->groups / SIDE * SIDE; \
        configure(t->rows, SIDE); \
        if (t->add) \
            load_sums(c, t->rows); \
        else \
            zero_sums(); \
        for (; g < whole; g += SIDE) \
            STEP(product); \
        store_sums(c, t->rows); \
        if (g < t->groups) { /* a new shape of A and B; configuring clears the sums */ \
            configure(t->rows, (int)(t->groups - g)); \
            load_sums(c, t->rows); \
            STEP(product); \
            store_sums(c, t->rows); \
        } \
        _tile_release(); \
    }

TILE(ks_tile_amx_bf16, _tile_dpbf16ps)
TILE(ks_tile_amx_int8, _tile_dpbusd)

#ifdef __clang__
#pragma clang attribute pop
#endif

static int has_amx(void)
{
    unsigned a, b, c, d, need = 1u << 22 | 1u << 24 | 1u << 25; /* bf16, tile, int8 */
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & need) == need && syscall(SYS_arch_prctl, PERMIT, TILES) == 0;
}

static uint32_t draw(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u;
}

/* One product of each kind, with rows and groups that fill no tile, against plain C. */
static int agrees(const ks_kernels *k, int precision)
{
    enum { ROWS = 27, GROUPS = 44 };
    static const uint32_t one = 0x3F803F80; /* two bf16 of 1 */
    uint32_t *a = malloc((ROWS + GROUPS) * GROUPS * 4 + GROUPS * KS_PANEL * 4), state = 1, same = 1;
    float want[ROWS * KS_PANEL], got[ROWS * KS_PANEL];
    if (!a)
        return 0;
    uint32_t *b = a + ROWS * GROUPS;
    for (int i = 0; i < (ROWS + KS_PANEL) * GROUPS; i++) /* bf16: +-1 with 3 more bits each, int8: anything */
        a[i] = precision == KS_BF16 ? one ^ (draw(&state) & 0x80708070u) : draw(&state);
    ks_tile t = {.a = a, .lda = GROUPS, .b = b, .groups = GROUPS, .rows = ROWS};
    ks_kernels_plain()->tile[precision](want, &t);
    k->tile[precision](got, &t);
    for (int i = 0; i < ROWS * KS_PANEL; i++) {
        int32_t w, g;
        memcpy(&w, &want[i], sizeof w);
        memcpy(&g, &got[i], sizeof g);
        same &= precision == KS_INT8 ? w == g : fabsf(want[i] - got[i]) < 1e-2f;
    }
    free(a);
    return (int)same;
}

const ks_kernels *ks_kernels_amx(void)
{
    const ks_kernels *k = ks_kernels_avx512_amx();
    return k && has_amx() && agrees(k, KS_BF16) && agrees(k, KS_INT8) ? k : NULL;
}
#else
const ks_kernels *ks_kernels_amx(void)
{
    return NULL;
}
#endif
