/* half.h - IEEE binary16, rounding to nearest even, as vectors are stored. */
#ifndef KS_HALF_H
#define KS_HALF_H

#include <stdint.h>

uint16_t ks_half_from_float(float f);
float ks_float_from_half(uint16_t h);

/* Little and big hosts read the same file: numbers in blobs are little endian (x86-64, arm64). */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "blobs of the catalog are little endian; a big-endian host needs swapping here"
#endif

#endif
