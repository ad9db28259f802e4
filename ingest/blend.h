/* blend.h - whether one small picture is others laid over each other, and how far one is from
 * another that way. All pictures are planes Y, U, V, each [36, 64] (picture.h). */
#ifndef KS_BLEND_H
#define KS_BLEND_H

#include <stdint.h>

/* 1 for an f that is the mean of a and b, 0 for one that equals either (a cut), below for other
 * pictures:
 * 1 - |f - (a+b)/2|^2 / |(a-b)/2|^2; -1 where a equals b. */
double ks_blend_quality(const uint8_t *a, const uint8_t *f, const uint8_t *b);

/* How far f is on the way from a to b: 0 .. 1, more or less. */
double ks_blend_way(const uint8_t *a, const uint8_t *f, const uint8_t *b);

/* Correlation of the Y planes, as a share of what both show, -1 .. 1: brighter or darker is the
 * same. */
double ks_blend_alike(const uint8_t *a, const uint8_t *b);

/* Moved distance of a to b, or to a b that is made as bright and as contrasty as a if that is
 * nearer: what a fade of one scene leaves is small. */
double ks_blend_unlike(const uint8_t *a, const uint8_t *b);

/* Sum of squares of w that a ramp from 0 to 1 within `half` seconds of `middle` accounts for
 * beyond a straight line. w, t: [n], what is measured and when. */
double ks_blend_ramp(const double *w, const double *t, int n, double middle, double half);

#endif
