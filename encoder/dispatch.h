/* dispatch.h - which kernels and which precision this machine gets. */
#ifndef KS_DISPATCH_H
#define KS_DISPATCH_H

#include "encoder/encoder.h"
#include "encoder/kernels.h"
#include "encoder/pack.h"

/* The fastest kernels, by a measurement of some milliseconds that is made once per CPU model and
 * kept in the cache (cpu.choice); KINOSEEK_CPU=amx|avx512|avx2|plain forces. KS_AUTO becomes
 * bf16 where that is worth it, else fp32. KS_EUSAGE: the variable or the precision asks for what
 * this CPU lacks; the sentence names what it has. */
int ks_dispatch(const ks_kernels **k, ks_precision *precision, const ks_cache *cache,
                ks_precision asked, ks_error *e);
const char *ks_precision_name(ks_precision precision); /* "fp32", ... */

#endif
