/* kernels_amx.c - bf16 and int8 products on AMX tiles; everything else as AVX-512 does it.
 *
 * No machine of ours has AMX yet: the instructions ran in an emulator alone
 * (tests/parity/README.md). tests/test_amx.c runs amx_body.h over tiles of plain C, and here,
 * before the table is handed out, its two products are held against plain C, so a mistake costs
 * speed and never a vector. */
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
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,amx-int8,avx512f"))),        \
                             apply_to = function)
#else
#pragma GCC target("amx-tile,amx-bf16,amx-int8,avx512f")
#endif
#include <immintrin.h>

enum { PERMIT = 0x1023, TILES = 18 }; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */

/* GCC 12's _tile_loadconfig says that it reads 8 bytes, so the zeros of the other 56 may never
 * be written: a fault. */
#define tile_configure(c)       __asm__ volatile("ldtilecfg %0" : : "m"(*(c)) : "memory")
#define tile_load(t, at, step)  _tile_loadd(t, at, step)
#define tile_store(t, at, step) _tile_stored(t, at, step)
#define tile_zero(t)            _tile_zero(t)
#define tile_bf16(c, a, b)      _tile_dpbf16ps(c, a, b)
#define tile_int8(c, a, b)      _tile_dpbusd(c, a, b)
#define tile_release()          _tile_release()
#include "encoder/amx_body.h"

AMX_TILE(ks_tile_amx_bf16, tile_bf16)
AMX_TILE(ks_tile_amx_int8, tile_int8)

void ks_leave_amx(void) { tile_release(); }

#ifdef __clang__
#pragma clang attribute pop
#endif

static int has_amx(void)
{
    unsigned a, b, c, d, need = 1u << 22 | 1u << 24 | 1u << 25; /* bf16, tile, int8 */
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & need) == need &&
           syscall(SYS_arch_prctl, PERMIT, TILES) == 0;
}

static uint32_t draw(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

/* One product of each kind, with rows and groups that fill no tile, against plain C. */
static int agrees(const ks_kernels *k, int precision)
{
    enum { ROWS = 27, GROUPS = 44 };
    static const uint32_t one = 0x3F803F80; /* two bf16 of 1 */
    uint32_t *a = malloc((ROWS + GROUPS) * GROUPS * 4 + GROUPS * KS_PANEL * 4), state = 1, same = 1;
    float want[ROWS * KS_PANEL], got[ROWS * KS_PANEL];
    if (!a) return 0;
    uint32_t *b = a + ROWS * GROUPS;
    /* bf16: +-1 with 3 more bits each, int8: anything */
    for (int i = 0; i < (ROWS + KS_PANEL) * GROUPS; i++)
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
const ks_kernels *ks_kernels_amx(void) { return NULL; }
#endif
