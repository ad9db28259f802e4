/* fixture_read.h - the committed fixtures (tests/fixtures) for tests in C: arrays of an .npz, by
 * name.
 *
 *   ks_fixture *f = ks_fixture_open("tests/fixtures/lvt.ref.npz");
 *   const ks_fixture_array *want = ks_fixture_get(f, "trained/global");   float64, [D]
 *   double far = ks_fixture_far(got, want);                              largest absolute
 *     difference
 *   ck_assert(far <= ks_fixture_bound(f, "trained/global"));             3x the official fp32's own
 *
 * A test helper: a file or name that is missing ends the test with a sentence. */
#ifndef KS_FIXTURE_READ_H
#define KS_FIXTURE_READ_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char name[192];
    int rank;
    int64_t shape[5];
    int64_t count; /* product of the shape */
    double *x;     /* [count], whatever the file's dtype (f8, f4, f2, i8, i4, u1) */
} ks_fixture_array;

typedef struct {
    ks_fixture_array *at;
    int n;
} ks_fixture;

/* Reads a stored (not deflated) npz, wholly. */
ks_fixture *ks_fixture_open(const char *path);
void ks_fixture_close(ks_fixture *f);
/* aborts if missing */
const ks_fixture_array *ks_fixture_get(const ks_fixture *f, const char *name);
/* NULL if missing */
const ks_fixture_array *ks_fixture_find(const ks_fixture *f, const char *name);

/* One .npy file: shape and values as doubles. NULL if it is none. Free with
 * ks_fixture_free_array. */
ks_fixture_array *ks_fixture_npy(const char *path);
void ks_fixture_free_array(ks_fixture_array *a);

double ks_fixture_scale(const ks_fixture_array *want); /* largest absolute value */
/* largest |got - want|; NaN counts as 1e300 */
double ks_fixture_far(const float *got, const ks_fixture_array *want);
/* What a fp32 path may differ from float64: 3 x the official fp32 run's distance, or 2e-6 of the
 * scale. */
double ks_fixture_bound(const ks_fixture *f, const char *name);

/* The clip of a case: "<name>/input" is [seed, T, side, is_float]; "<name>/paddings" may be
 * missing. */
typedef struct {
    char name[64];
    int T, side, is_float;
    uint8_t *bytes;  /* [T, side, side, 3] */
    float *floats;   /* the same over 255, or NULL unless is_float */
    float *paddings; /* [T] or NULL */
} ks_fixture_clip;
int ks_fixture_clips(const ks_fixture *f);                       /* how many */
ks_fixture_clip *ks_fixture_clip_at(const ks_fixture *f, int i); /* i-th by order in the file */
void ks_fixture_clip_free(ks_fixture_clip *c);

uint64_t ks_fixture_splitmix(uint64_t x); /* SplitMix64's output function */
/* px[T,side,side,3], as make_fixtures.py */
void ks_fixture_pixels(uint8_t *px, uint64_t seed, int T, int side);

#endif
