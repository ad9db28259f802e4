/* dispatch.c - see dispatch.h. */
#include "encoder/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ks_precision_name(ks_precision precision)
{
    static const char *const names[] = {"auto", "fp32", "bf16", "int8"};
    return names[precision];
}

int ks_dispatch_kernels(const ks_kernels **k, ks_error *e)
{
    const char *asked = getenv("KINOSEEK_CPU");
    struct {
        const char *name;
        const ks_kernels *kernels;
    } all[] = {{"amx", ks_kernels_amx()}, {"avx512", ks_kernels_avx512()}, {"avx2", ks_kernels_avx2()},
               {"plain", ks_kernels_plain()}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (asked && *asked && strcmp(asked, all[i].name) != 0)
            continue;
        if (all[i].kernels) {
            *k = all[i].kernels;
            return 0;
        }
        if (asked && *asked)
            return ks_fail(e, KS_EUSAGE, "KINOSEEK_CPU=%s: this CPU has no such instructions", asked);
    }
    return ks_fail(e, KS_EUSAGE, "KINOSEEK_CPU=%s is none of amx, avx512, avx2, plain", asked);
}

int ks_dispatch_precision(ks_precision *precision, const ks_kernels *k, ks_precision asked, ks_error *e)
{
    int plain = k == ks_kernels_plain(); /* has all, for tests, but none fast */
    *precision = asked != KS_AUTO ? asked : k->tile[KS_BF16] && !plain ? KS_BF16 : KS_FP32;
    if (*precision == KS_FP32 || (k->tile[*precision] && !plain))
        return 0;
    return ks_fail(e, KS_EUSAGE, "precision %s needs instructions that this CPU lacks; it has fp32%s%s (%s)",
                   ks_precision_name(*precision), k->tile[KS_BF16] && !plain ? ", bf16" : "",
                   k->tile[KS_INT8] && !plain ? ", int8" : "", k->name);
}
