/* dispatch.c - see dispatch.h. */
#include "encoder/dispatch.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "encoder/panels.h"

enum { TABLES = 4 };
/* as they are preferred */
static const char *const names[TABLES] = {"amx", "avx512", "avx2", "plain"};

const char *ks_precision_name(ks_precision precision)
{
    static const char *const all[] = {"auto", "fp32", "bf16", "int8", "int16"};
    return all[precision];
}

static const ks_kernels *table_of(int i)
{
    return i == 0   ? ks_kernels_amx()
           : i == 1 ? ks_kernels_avx512()
           : i == 2 ? ks_kernels_avx2()
                    : ks_kernels_plain();
}

/* The plain table has all precisions, for tests, but none fast. */
static int fast(const ks_kernels *k, ks_precision precision)
{
    return k->tile[precision] && (precision == KS_FP32 || k != ks_kernels_plain());
}

/* What a table has in bf16's class: 13 bits of integers where it has no bf16. */
static ks_precision half_of(const ks_kernels *k) { return fast(k, KS_BF16) ? KS_BF16 : KS_INT16; }

static ks_precision automatic_of(const ks_kernels *k)
{
    return fast(k, half_of(k)) ? half_of(k) : KS_FP32;
}

/* --- the measurement --- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { MEASURE_K = 768, MEASURE_PANELS = 2, MEASURE_ROWS = 64, MEASURE_ROUNDS = 20 };

/* Seconds for 64 rows by 768 by 64 of a precision. x: zeros, room for the rows and the panels of
 * KS_FP32, the widest. */
static double cost(const ks_kernels *k, ks_precision precision, const uint32_t *x)
{
    size_t groups = ks_groups(precision, MEASURE_K), a = groups * MEASURE_ROWS,
           chain = precision == KS_INT16 ? KS_INT16_CHAIN : groups;
    float c[KS_TILE_ROWS * KS_PANEL];
    double start = seconds();
    for (size_t p = 0; p < MEASURE_PANELS; p++)
        for (int r = 0; r < MEASURE_ROWS; r += k->rows[precision]) {
            int rows = MEASURE_ROWS - r < k->rows[precision] ? MEASURE_ROWS - r
                                                             : k->rows[precision];
            for (size_t g = 0; g < groups; g += chain) {
                ks_tile t = {.a = x + (size_t)r * groups + g,
                             .lda = groups,
                             .b = x + a + (p * groups + g) * KS_PANEL,
                             .groups = groups - g < chain ? groups - g : chain,
                             .rows = rows,
                             .add = g > 0};
                k->tile[precision](c, &t);
            }
        }
    return seconds() - start;
}

typedef struct {
    int table;
    ks_precision automatic; /* what KS_AUTO means on this CPU */
} choice;

/* The best of 20 rounds that take the tables in turn: a busy neighbour slows all of them, not
 * one. Some 10 ms. A narrower precision must be worth a quarter of the time; so must a wider
 * table, one step of it. */
static int measure(choice *best)
{
    size_t groups = ks_groups(KS_FP32, MEASURE_K);
    uint32_t *x = calloc(groups * (MEASURE_ROWS + KS_PANEL * MEASURE_PANELS), sizeof *x);
    double time[TABLES][2], least = 1e9;
    if (!x) return KS_ENOMEM;
    for (int round = 0; round < MEASURE_ROUNDS; round++)
        for (int i = 0; i < TABLES; i++)
            for (int half = 0; half < 2; half++) {
                const ks_kernels *k = table_of(i);
                ks_precision precision = half && k ? half_of(k) : KS_FP32;
                double took = k && fast(k, precision) ? cost(k, precision, x) : 1e9;
                if (round == 0 || took < time[i][half]) time[i][half] = took;
            }
    free(x);
    for (int i = TABLES - 1; i >= 0; i--) {
        int half = time[i][1] < 0.75 * time[i][0];
        if (!table_of(i) || time[i][half] > 1.05 * least) continue;
        least = time[i][half];
        *best = (choice){i, half ? half_of(table_of(i)) : KS_FP32};
    }
    return 0;
}

/* --- and its memory --- */

/* Brand, family and features: what decides, in one word without blanks. */
static void cpu_name(char out[160])
{
    snprintf(out, 160, "other");
#if defined(__x86_64__)
    unsigned r[12] = {0}, a, b, c, d, features[3] = {0};
    for (unsigned i = 0; i < 3; i++)
        __get_cpuid(0x80000002u + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3]);
    if (__get_cpuid(1, &a, &b, &c, &d)) features[0] = a;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        features[1] = b;
        features[2] = d;
    }
    snprintf(out, 160, "%.48s-%x-%x-%x", (const char *)r, features[0], features[1], features[2]);
    for (char *p = out; *p; p++)
        if (*p <= ' ' || *p > '~') *p = '_';
#endif
}

static int recall(choice *found, const char *path, const char *cpu)
{
    char line[256] = "", had[160], table[16], precision[16];
    /* a pipe of that name must not hold us */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    int good = f && fgets(line, sizeof line, f) &&
               sscanf(line, "2 %159s %15s %15s", had, table, precision) == 3 &&
               strcmp(had, cpu) == 0;
    if (f) fclose(f);
    else if (fd >= 0) close(fd);
    for (int i = 0; good && i < TABLES; i++)
        if (strcmp(table, names[i]) == 0 && table_of(i)) {
            *found = (choice){i, strcmp(precision, ks_precision_name(KS_FP32)) == 0
                                     ? KS_FP32
                                     : automatic_of(table_of(i))};
            return 1;
        }
    return 0;
}

/* Best effort: what cannot be remembered is measured again. */
static void remember(const choice *c, const char *path, const char *cpu)
{
    char text[256];
    snprintf(text, sizeof text, "2 %.159s %s %s\n", cpu, names[c->table],
             ks_precision_name(c->automatic));
    ks_cache_put_text(path, text);
}

/* Without a place to remember it the order of `names` decides, so that the class never flips. */
static int settle(choice *c, const ks_cache *cache)
{
    char cpu[160], *path = ks_pack_path(cache, "cpu", "choice");
    int err = 0;
    cpu_name(cpu);
    if (!path) {
        for (c->table = 0; !table_of(c->table); c->table++)
            ;
        c->automatic = automatic_of(table_of(c->table));
    } else if (!recall(c, path, cpu) && (err = measure(c)) == 0) {
        remember(c, path, cpu);
    }
    free(path);
    return err;
}

int ks_dispatch(const ks_kernels **k, ks_precision *precision, const ks_cache *cache,
                ks_precision asked, ks_error *e)
{
    const char *forced = getenv("KINOSEEK_CPU");
    choice c = {TABLES, KS_FP32};
    if (forced && *forced) {
        for (c.table = 0; c.table < TABLES && strcmp(forced, names[c.table]) != 0; c.table++)
            ;
        if (c.table == TABLES)
            return ks_fail(e, KS_EUSAGE, "KINOSEEK_CPU=%s is none of amx, avx512, avx2, plain",
                           forced);
        if (!table_of(c.table))
            return ks_fail(e, KS_EUSAGE, "KINOSEEK_CPU=%s: this CPU has no such instructions",
                           forced);
        c.automatic = automatic_of(table_of(c.table));
    } else if (settle(&c, cache) < 0) {
        return ks_fail(e, KS_ENOMEM, "no memory to measure the kernels");
    }
    *k = table_of(c.table);
    *precision = asked == KS_AUTO ? c.automatic : asked == KS_BF16 ? half_of(*k) : asked;
    if (fast(*k, *precision)) return 0;
    return ks_fail(e, KS_EUSAGE,
                   "precision %s needs instructions that this CPU lacks; it has fp32%s%s (%s)",
                   ks_precision_name(asked), fast(*k, half_of(*k)) ? ", bf16" : "",
                   fast(*k, KS_INT8) ? ", int8" : "", (*k)->name);
}
