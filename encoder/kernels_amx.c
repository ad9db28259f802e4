/* kernels_amx.c - see kernels.h. */
#include "encoder/kernels.h"

const ks_kernels *ks_kernels_amx(void)
{
    return NULL;
}
