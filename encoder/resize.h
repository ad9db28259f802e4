/* resize.h - the resampler behind ks_resize: Pillow's two-pass fixed-point Lanczos on uint8.
 * Private. */
#ifndef KS_RESIZE_H
#define KS_RESIZE_H

#include "ks.h"

/* weights of an output are padded with zeros to a multiple of this */
enum { KS_LANCZOS_TAP_PAD = 16 };

/* Weights of one axis. A weight w (22 fraction bits) is also kept split as w = high * 2048 +
 * low, 0 <= low < 2048, so that 16-bit multiply-adds give the exact 32-bit sum. */
typedef struct {
    int outputs, taps;   /* taps: padded width of a row of weights */
    int *first, *count;  /* [outputs]: the first input of output i and how many count */
    int32_t *weight;     /* [outputs, taps] */
    int16_t *high, *low; /* [outputs, taps] */
    void *block;         /* owner of all of the above */
} ks_lanczos_axis;

int ks_lanczos_axis_make(ks_lanczos_axis *axis, int inputs, int outputs, ks_error *e);
void ks_lanczos_axis_free(ks_lanczos_axis *axis);

typedef enum { KS_LANCZOS_PLAIN = 0, KS_LANCZOS_AVX2 = 1 } ks_lanczos_path;
ks_lanczos_path ks_lanczos_best(void); /* what this CPU has */

/* Where a picture goes: rgb[height, width, 3], rows `stride` bytes apart. */
typedef struct {
    uint8_t *rgb;
    int width, height;
    size_t stride;
} ks_lanczos_out;

/* image -> out, in out's size. Equal bits on every path. */
int ks_lanczos(const ks_lanczos_out *out, const ks_image *image, ks_lanczos_path path, ks_error *e);

/* The two passes on each path; `line` are three planes of one row, each `plane` bytes apart and
 * readable KS_LANCZOS_TAP_PAD bytes past their end. */
void ks_lanczos_row_plain(uint8_t *out, const ks_lanczos_axis *axis, const uint8_t *line,
                          size_t plane);
void ks_lanczos_columns_plain(uint8_t *out, const ks_lanczos_axis *axis, int y, const uint8_t *rows,
                              size_t stride, size_t bytes);
#if defined(__x86_64__)
void ks_lanczos_row_avx2(uint8_t *out, const ks_lanczos_axis *axis, const uint8_t *line,
                         size_t plane);
void ks_lanczos_columns_avx2(uint8_t *out, const ks_lanczos_axis *axis, int y, const uint8_t *rows,
                             size_t stride, size_t bytes);
void ks_lanczos_planes_avx2(uint8_t *line, size_t plane, const uint8_t *rgb, int width);
#endif

#endif
