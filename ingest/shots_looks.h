/* shots_looks.h - what the shot detector remembers: the newest small pictures, what was measured
 * on each, and what was decided so far. shots_looks.c keeps them, shots_soft.c decides on
 * dissolves and fades, shots.c on all.
 *
 * A look is a picture that was looked at; looks are counted from 0 over the film. "at hand" are
 * those from ks_looks_oldest() to n - 1: about four seconds, never across a break. */
#ifndef KS_SHOTS_LOOKS_H
#define KS_SHOTS_LOOKS_H

#include "ingest/dip.h"
#include "ingest/picture.h"
#include "ingest/shots.h"

enum { KS_LOOKS = 256 };

#define KS_LOOK_AROUND   0.3 /* seconds: neighbours of a cut, longest flash */
#define KS_LOOK_CUT_OVER 5.0 /* least moved distance of a cut */
#define KS_LOOK_PLAIN    7.0 /* spread of a picture without content */

typedef struct ks_look {
    int64_t number;      /* of its frame */
    double t;            /* seconds */
    double step;         /* moved distance to the look before */
    double spread, mean; /* of Y: standard deviation, mean */
    ks_dip_energies energy;
    uint8_t picture[KS_PIC_BYTES];
    int broken;           /* nothing before it counts */
    int sharp;            /* ks_look_is_cut() of it; -1: not asked yet */
    double blend;         /* score as the middle of a dissolve; < 0: not asked yet */
    double dip, dip_half; /* gain as the middle of a dip, and its length; NAN: not asked yet */
    int border;           /* decided: KS_PLAN_CUT, KS_PLAN_SOFT or 0 */
    ks_shots_blend lasts; /* of a soft border */
} ks_look;

typedef struct {
    ks_look *ring;      /* [KS_LOOKS], look k at k % KS_LOOKS */
    int64_t n, next;    /* made; first undecided */
    int64_t first;      /* of the stretch without a break */
    double last_border; /* seconds, of the newest border; -INFINITY: none */
    double last_after;  /* seconds that its dissolve lasts after it */
    int64_t plain_from; /* look where a run of plain pictures began; -1 */
    int leaving;        /* that run ended, though the pictures are still plain */
} ks_looks;

static inline ks_look *ks_look_at(const ks_looks *p, int64_t k) { return &p->ring[k % KS_LOOKS]; }

int64_t ks_looks_oldest(const ks_looks *p);
/* The look at hand nearest to `seconds`, sought from look `from`; -1 if that is more than `off`
 * away. */
int64_t ks_looks_nearest(const ks_looks *p, int64_t from, double seconds, double off);
/* One look more; picture: planes Y, U, V, copied. A flash that ends with it is taken out of the
 * undecided looks. */
typedef struct {
    int64_t number;
    double t;
    int broken;
} ks_look_facts;
void ks_looks_add(ks_looks *p, const ks_look_facts *facts, const uint8_t *picture);
/* Is look k the first of a new shot? */
int ks_look_is_cut(const ks_looks *p, int64_t k);

/* The three ask about the next undecided look. Is it the middle of a dissolve; the end of a
 * fade? */
int ks_look_is_dissolve(ks_looks *p, int64_t k);
int ks_look_is_fade(ks_looks *p, int64_t k);
ks_shots_blend ks_look_dissolve_lasts(ks_looks *p, int64_t k);
/* The same, but not less than until a scene with far more contrast than look k has all of it. */
ks_shots_blend ks_look_contrast_lasts(const ks_looks *p, int64_t k, ks_shots_blend known);
/* A fade, or a dissolve from or to a dark or an empty scene. plain_from: as it was before the
 * fade was found. */
ks_shots_blend ks_look_fade_lasts(const ks_looks *p, int64_t k, int64_t plain_from);

#endif
