/* picture.c - see picture.h. Plain loops over bytes that the compiler turns into SAD
 * instructions. */
#include "ingest/picture.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK_W = 8, BLOCK_H = 6, REACH = 6 };

double ks_picture_distance(const uint8_t *a, const uint8_t *b)
{
    int64_t luma = 0, chroma = 0;
    for (int i = 0; i < KS_PIC_PLANE; i++) luma += abs(a[i] - b[i]);
    for (int i = KS_PIC_PLANE; i < KS_PIC_BYTES; i++) chroma += abs(a[i] - b[i]);
    return ((double)luma + (double)chroma / 2) / KS_PIC_PLANE;
}

/* 2 * sum |a - b| of Y plus sum |a - b| of U and V over one block. */
static int block_distance(const uint8_t *a, const uint8_t *b)
{
    int luma = 0, chroma = 0;
    for (int y = 0; y < BLOCK_H; y++)
        for (int x = 0; x < BLOCK_W; x++) {
            int at = y * KS_PIC_W + x;
            luma += abs(a[at] - b[at]);
            chroma += abs(a[at + KS_PIC_PLANE] - b[at + KS_PIC_PLANE]) +
                      abs(a[at + 2 * KS_PIC_PLANE] - b[at + 2 * KS_PIC_PLANE]);
        }
    return 2 * luma + chroma;
}

double ks_picture_moved_distance(const uint8_t *a, const uint8_t *b)
{
    int64_t sum = 0;
    for (int y = 0; y < KS_PIC_H; y += BLOCK_H)
        for (int x = 0; x < KS_PIC_W; x += BLOCK_W) {
            const uint8_t *to = b + y * KS_PIC_W + x;
            int best = block_distance(a + y * KS_PIC_W + x, to);
            for (int dy = -REACH; dy <= REACH && best > 0; dy++)
                for (int dx = -REACH; dx <= REACH; dx++) {
                    if (y + dy < 0 || y + dy + BLOCK_H > KS_PIC_H || x + dx < 0 ||
                        x + dx + BLOCK_W > KS_PIC_W)
                        continue;
                    int d = block_distance(a + (y + dy) * KS_PIC_W + x + dx, to);
                    if (d < best) best = d;
                }
            sum += best;
        }
    return (double)sum / 2 / KS_PIC_PLANE;
}

double ks_picture_spread(const uint8_t *a)
{
    int64_t sum = 0, square = 0;
    for (int i = 0; i < KS_PIC_PLANE; i++) {
        sum += a[i];
        square += a[i] * a[i];
    }
    double mean = (double)sum / KS_PIC_PLANE,
           variance = (double)square / KS_PIC_PLANE - mean * mean;
    return variance > 0 ? sqrt(variance) : 0;
}
