/* picture.h - distances between the decoder's small pictures (planes Y, U, V, each [36, 64]). */
#ifndef KS_PICTURE_H
#define KS_PICTURE_H

#include <stdint.h>

enum {
    KS_PIC_W = 64,
    KS_PIC_H = 36,
    KS_PIC_PLANE = KS_PIC_W * KS_PIC_H,
    KS_PIC_BYTES = 3 * KS_PIC_PLANE
};

/* Mean |a - b| over Y + (U + V) / 2, grey levels. */
double ks_picture_distance(const uint8_t *a, const uint8_t *b);

/* The same after each block of b (8 x 6 cells) was moved to where it fits best in a, at most 6
 * cells: what motion explains is gone. The mean of the blocks. */
double ks_picture_moved_distance(const uint8_t *a, const uint8_t *b);

/* Spread (standard deviation) of Y: under 7 it is a black, white or plain picture. */
double ks_picture_spread(const uint8_t *a);

#endif
