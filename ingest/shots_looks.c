/* shots_looks.c - see shots_looks.h: the ring, the distances, flashes, hard cuts.
 *
 * Hard cut: the distance to the frame before, after motion is taken out, stands far above that
 * of the frames around it, and neither side looks like what comes (came) 0.3 s later (earlier). */
#include "ingest/shots_looks.h"

#include <math.h>
#include <string.h>

/* seconds from the picture before to the one after a flash of two frames */
static const double FLASH = 0.15;
/* of the jump into a cut-away or a longer flash, the same */
static const double PASSING = 0.5;
/* of the jump into and out of a flash: how far the scene may have got meanwhile */
static const double SAME = 0.6;
/* the same where all that lies between is brighter than both, by */
static const double SAME_BRIGHT = 0.7;
/* levels of Y. (0.7 for all: 4 false borders more in the films of seeds 8 and 9) */
static const double BRIGHTER = 15;
/* times the step before it, that a jump into a flash is at least */
static const double STANDS_OUT = 1.5;
static const double CUT_RATIO = 2.0;

int64_t ks_looks_oldest(const ks_looks *p)
{
    int64_t k = p->n - KS_LOOKS;
    return k > p->first ? k : p->first;
}

int64_t ks_looks_nearest(const ks_looks *p, int64_t from, double seconds, double off)
{
    int64_t k = from, low = ks_looks_oldest(p);
    if (ks_look_at(p, k)->t < seconds)
        while (k + 1 < p->n && ks_look_at(p, k)->t < seconds) k++;
    else
        while (k > low && ks_look_at(p, k)->t > seconds) k--;
    if (k + 1 < p->n &&
        fabs(ks_look_at(p, k + 1)->t - seconds) < fabs(ks_look_at(p, k)->t - seconds))
        k++;
    if (k > low && fabs(ks_look_at(p, k - 1)->t - seconds) < fabs(ks_look_at(p, k)->t - seconds))
        k--;
    return fabs(ks_look_at(p, k)->t - seconds) <= off ? k : -1;
}

static double apart(const ks_looks *p, int64_t a, int64_t b)
{
    return ks_picture_moved_distance(ks_look_at(p, a)->picture, ks_look_at(p, b)->picture);
}

/* Everything that is measured on the picture of look k alone. */
static void measure(ks_looks *p, int64_t k)
{
    ks_look *l = ks_look_at(p, k);
    int64_t sum = 0;
    for (int i = 0; i < KS_PIC_PLANE; i++) sum += l->picture[i];
    l->mean = (double)sum / KS_PIC_PLANE;
    l->spread = ks_picture_spread(l->picture);
    ks_dip_measure(&l->energy, l->picture);
}

static void measure_step(ks_looks *p, int64_t k)
{
    ks_look *l = ks_look_at(p, k);
    l->step = ks_picture_distance(ks_look_at(p, k - 1)->picture, l->picture);
    if (l->step > 2) l->step = apart(p, k - 1, k);
}

/* The second largest distance among the frames around k, at least three on each side: one more
 * peak near by (another cut, a damaged frame) hides no cut. */
static double around(const ks_looks *p, int64_t k)
{
    double top = 0, second = 0, t = ks_look_at(p, k)->t;
    for (int side = -1; side <= 1; side += 2)
        for (int64_t i = k + side, n = 0; i > ks_looks_oldest(p) && i < p->n; i += side, n++) {
            if (n >= 3 && fabs(ks_look_at(p, i)->t - t) > KS_LOOK_AROUND) break;
            double d = ks_look_at(p, i)->step;
            if (d > top) second = top, top = d;
            else if (d > second) second = d;
        }
    return second;
}

/* Looks a and b, one before a cut and one soon after it, show the same. */
static int is_back(const ks_looks *p, int64_t a, int64_t b, double step)
{
    return apart(p, a, b) < PASSING * step;
}

/* The picture before k comes back soon, or that of k was there just before: a cut-away, or a
 * longer flash. */
static int is_passing(const ks_looks *p, int64_t k)
{
    double step = ks_look_at(p, k)->step, t = ks_look_at(p, k)->t;
    for (int64_t i = k + 1; i < p->n && ks_look_at(p, i)->t - t <= KS_LOOK_AROUND; i++)
        if (is_back(p, k - 1, i, step)) return 1;
    for (int64_t i = k - 2; i >= ks_looks_oldest(p) && t - ks_look_at(p, i)->t <= KS_LOOK_AROUND;
         i--)
        if (is_back(p, i, k, step)) return 1;
    return 0;
}

int ks_look_is_cut(const ks_looks *p, int64_t k)
{
    ks_look *l = ks_look_at(p, k);
    if (k <= p->first || l->step <= KS_LOOK_CUT_OVER) return 0;
    if (l->sharp >= 0) return l->sharp;
    int sharp = l->step > CUT_RATIO * around(p, k) + 2 && !is_passing(p, k);
    /* all that counts was there */
    if (p->n - k > 4 && ks_look_at(p, p->n - 1)->t - l->t > 2 * KS_LOOK_AROUND) l->sharp = sharp;
    return sharp;
}

/* What lies between looks a and b is a flash: in its place comes the nearer of the two. (Their
 * mean, of a scene that moves, is a blend where none is.) Each counts as far from the last as a
 * from b is: else a scene that moves in jerks would seem to stand still beside its next jerk. */
static void mend(ks_looks *p, int64_t a, int64_t b)
{
    double step = apart(p, a, b);
    for (int64_t k = a + 1; k < b; k++) {
        memcpy(ks_look_at(p, k)->picture, ks_look_at(p, k - a <= b - k ? a : b)->picture,
               KS_PIC_BYTES);
        measure(p, k);
    }
    for (int64_t k = a + 1; k <= b; k++) {
        ks_look_at(p, k)->step = step;
        ks_look_at(p, k)->sharp = 0;
    }
}

/* Look k is nearly the one from before jump i again. */
static int is_after_flash(const ks_looks *p, int64_t i, int64_t k)
{
    const ks_look *before = ks_look_at(p, i - 1), *in = ks_look_at(p, i),
                  *out = ks_look_at(p, k - 1), *now = ks_look_at(p, k);
    double jump = in->step < now->step ? in->step : now->step;
    int bright = in->mean > before->mean + BRIGHTER && out->mean > now->mean + BRIGHTER;
    /* most of all moving scenes: spares the rest */
    if (jump <= KS_LOOK_CUT_OVER || jump <= STANDS_OUT * before->step) return 0;
    return apart(p, i - 1, k) <= (bright ? SAME_BRIGHT : SAME) * jump;
}

/* A flash within a dissolve or a fade would hide it, and is no cut anywhere. */
static void end_flash(ks_looks *p, int64_t k)
{
    int64_t low = p->next > ks_looks_oldest(p) ? p->next : ks_looks_oldest(p);
    if (ks_look_at(p, k)->step <= KS_LOOK_CUT_OVER) return;
    for (int64_t i = k - 1; i > low && ks_look_at(p, k)->t - ks_look_at(p, i - 1)->t < FLASH; i--)
        if (is_after_flash(p, i, k)) {
            mend(p, i - 1, k);
            return;
        }
}

void ks_looks_add(ks_looks *p, const ks_look_facts *facts, const uint8_t *picture)
{
    int64_t k = p->n++;
    ks_look *l = ks_look_at(p, k);
    l->number = facts->number;
    l->t = facts->t;
    l->broken = facts->broken;
    l->step = 0;
    l->sharp = -1;
    l->blend = -1;
    l->dip = NAN;
    l->border = 0;
    l->lasts = (ks_shots_blend){0, 0};
    memcpy(l->picture, picture, KS_PIC_BYTES);
    measure(p, k);
    if (l->broken) return;
    measure_step(p, k);
    end_flash(p, k);
}
