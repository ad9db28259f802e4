/* dispatch.h - which kernels and which precision this machine gets. */
#ifndef KS_DISPATCH_H
#define KS_DISPATCH_H

#include "encoder/encoder.h"
#include "encoder/kernels.h"

/* The fastest table this CPU has; KINOSEEK_CPU=plain|avx2|avx512 holds it down. KS_EUSAGE: the
 * variable names something else, or what this CPU lacks. */
int ks_dispatch_kernels(const ks_kernels **k, ks_error *e);
/* asked KS_AUTO: bf16 where the table has it, else fp32. KS_EUSAGE: not on this CPU, naming what it has. */
int ks_dispatch_precision(ks_precision *precision, const ks_kernels *k, ks_precision asked, ks_error *e);
const char *ks_precision_name(ks_precision precision); /* "fp32", ... */

#endif
