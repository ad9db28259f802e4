/* shots_soft.c - dissolves and fades. See shots_looks.h.
 *
 * Dissolve: a frame is nearly the mean of the frames w before and w after it, while those two
 * differ in what they show; three unlike pictures of a moving camera never add up like that.
 * Where both scenes move too much for that, by the dip in contrast (dip.h). Fade: a run of plain
 * frames. */
#include "ingest/blend.h"
#include "ingest/shots_looks.h"

#include <math.h>

enum { SCALES = 3 };

static const double SCALE[SCALES] = {0.2, 0.4, 0.7};
static const double BLEND = 0.15;   /* least quality of a blend */
static const double QUARTER = -0.5; /* the same of its halves */
/* least contrast of one end of a blend, of that of the other; and where the two */
static const double FAINT = 0.2;
static const double FAINTER = 0.3; /* must be less alike, lest a scene that fades be two */
static const double UNLIKE = 14;   /* least moved distance of its two ends */
/* where whole and halves blend so well, pictures of little contrast count */
static const double SURELY = 0.7, UNLIKE_SURE = 5;
/* least gain of a dip, and of its blocks; see dip.h. In the films of seeds 7 to 9 and */
static const double DIP = 0.5;
/* the real clips no false dip over 0.2 had both (looked at with FAINTEST 0.12 in dip.c) */
static const double BLOCKS = 0.2;
static const double SURE = 0.6; /* gain from which a dip alone says how long it lasts */
/* seconds: a dip whose middle is so near is the same dissolve */
static const double NEAR = 0.4;
/* its length, rather too long: half of the fits are too short */
static const double DIP_FACTOR = 1.4, DIP_MORE = 0.05;
/* times the contrast at the border, that of a scene that tells how long it comes */
static const double RISES = 1.8;
/* seconds in which it comes at most: what the detector sees ahead */
static const double REACH = 1.9;
/* seconds: how far the middle of a ramp may be from the border */
static const double OFF = 0.44;
static const double LONGEST = 1.2; /* seconds: half of the longest dissolve */
static const double MOST = 1.5;    /* seconds that one is said to last on one side */

/* The largest distance between neighbours after look a up to look b: a dissolve has no jump in
 * it, and no plain picture (that is a fade). */
static double largest_step(const ks_looks *p, int64_t a, int64_t b)
{
    double most = 0;
    for (int64_t i = a + 1; i <= b; i++) {
        if (ks_look_at(p, i)->spread < KS_LOOK_PLAIN) return INFINITY;
        if (ks_look_at(p, i)->step > most) most = ks_look_at(p, i)->step;
    }
    return most;
}

/* How much look k is the middle of a dissolve from look a to look b: 0 = not; else the distance
 * that it bridges. */
static double bridges(const ks_looks *p, int64_t a, int64_t k, int64_t b, double w)
{
    double t = ks_look_at(p, k)->t, sa = ks_look_at(p, a)->spread, sb = ks_look_at(p, b)->spread;
    int64_t qa = ks_looks_nearest(p, k, t - w / 2, w / 4),
            qb = ks_looks_nearest(p, k, t + w / 2, w / 4);
    if (qa <= a || qb >= b || qa >= k || qb <= k) return 0;
    /* on the way to black */
    if (sa < KS_LOOK_PLAIN || sb < KS_LOOK_PLAIN || sa < FAINT * sb || sb < FAINT * sa) return 0;
    const uint8_t *pa = ks_look_at(p, a)->picture, *pb = ks_look_at(p, b)->picture,
                  *pk = ks_look_at(p, k)->picture;
    double q = ks_blend_quality(pa, pk, pb);
    if (q < BLEND) return 0;
    double first = ks_blend_quality(pa, ks_look_at(p, qa)->picture, pk),
           second = ks_blend_quality(pk, ks_look_at(p, qb)->picture, pb);
    if (first < QUARTER || second < QUARTER ||
        ks_blend_alike(pa, pb) > (sa < FAINTER * sb || sb < FAINTER * sa ? 0.5 : 0.8))
        return 0;
    double d = ks_blend_unlike(pa, pb), step = largest_step(p, a, b);
    int surely = q > SURELY && first > SURELY && second > SURELY;
    return (surely ? d < UNLIKE_SURE || step > d : d < UNLIKE || step > d / 2) ? 0 : q * d;
}

static double blend_score(ks_looks *p, int64_t k)
{
    ks_look *l = ks_look_at(p, k);
    if (l->blend >= 0) return l->blend;
    l->blend = 0;
    for (int i = 0; i < SCALES; i++) {
        double w = SCALE[i];
        int64_t a = ks_looks_nearest(p, k, l->t - w, w / 4),
                b = ks_looks_nearest(p, k, l->t + w, w / 4);
        double score = a < 0 || b < 0 ? 0 : bridges(p, a, k, b, w);
        if (score > l->blend) l->blend = score;
    }
    return l->blend;
}

/* No dissolve has its middle so soon after a border, or within another. */
static int is_close(const ks_looks *p, double t)
{
    return t - p->last_border < 0.5 || t - p->last_border < 0.9 * p->last_after;
}

/* The best blend of all within half a second, and no border so near before. */
static int is_blend(ks_looks *p, int64_t k)
{
    double score = blend_score(p, k), t = ks_look_at(p, k)->t;
    if (score <= 0 || is_close(p, t)) return 0;
    for (int64_t i = k - 1; i >= ks_looks_oldest(p) && t - ks_look_at(p, i)->t < 0.5; i--)
        if (ks_look_at(p, i)->border || ks_look_at(p, i)->blend > score) return 0;
    for (int64_t i = k + 1; i < p->n && ks_look_at(p, i)->t - t < 0.5; i++)
        if (ks_look_is_cut(p, i) || blend_score(p, i) > score) return 0;
    return 1;
}

/* All looks around k that a dip can reach, up to a cut; returns the first one's number. */
static int64_t dip_window(ks_dip_window *w, const ks_looks *p, int64_t k)
{
    double t = ks_look_at(p, k)->t, reach = KS_DIP_LONGEST + KS_DIP_BESIDE;
    int64_t a = k, b = k, most = KS_DIP_LOOKS / 2 - 1;
    while (a > ks_looks_oldest(p) && t - ks_look_at(p, a - 1)->t <= reach && k - a < most &&
           ks_look_at(p, a)->border != KS_PLAN_CUT)
        a--;
    while (b + 1 < p->n && ks_look_at(p, b + 1)->t - t <= reach && b - k < most &&
           !ks_look_is_cut(p, b + 1))
        b++;
    w->n = 0;
    for (int64_t i = a; i <= b; i++) {
        w->t[w->n] = ks_look_at(p, i)->t;
        w->energy[w->n++] = &ks_look_at(p, i)->energy;
    }
    w->middle = (int)(k - a);
    return a;
}

/* Do looks from .. to lead from one scene to an unlike one, and past no plain picture (a fade)? */
static int parts_scenes(const ks_looks *p, int64_t from, int64_t to)
{
    for (int64_t i = from; i <= to; i++)
        if (ks_look_at(p, i)->spread < KS_LOOK_PLAIN) return 0;
    const uint8_t *a = ks_look_at(p, from)->picture, *b = ks_look_at(p, to)->picture;
    return ks_blend_alike(a, b) <= 0.6 && ks_blend_unlike(a, b) >= UNLIKE_SURE;
}

/* The gain of look k as the middle of a dip between two scenes, if those are unlike. */
static double dip_gain(ks_looks *p, int64_t k)
{
    ks_look *l = ks_look_at(p, k);
    ks_dip_window w;
    if (!isnan(l->dip)) return l->dip;
    int64_t a = dip_window(&w, p, k), b = a + w.n - 1;
    l->dip = ks_dip(&l->dip_half, &w);
    if (l->dip < DIP) return l->dip;
    double out = l->dip_half + 0.12;
    while (a < k && l->t - ks_look_at(p, a)->t > out) a++;
    while (b > k && ks_look_at(p, b)->t - l->t > out) b--;
    if (ks_dip_of_blocks(&w, l->dip_half) < BLOCKS || !parts_scenes(p, a, b)) l->dip = 0;
    return l->dip;
}

/* The best dip within half a second, and no border so near. */
static int is_dip(ks_looks *p, int64_t k)
{
    double gain = dip_gain(p, k), t = ks_look_at(p, k)->t;
    if (gain < DIP || is_close(p, t)) return 0;
    for (int64_t i = k - 1; i >= ks_looks_oldest(p) && t - ks_look_at(p, i)->t < 0.5; i--)
        if (ks_look_at(p, i)->dip > gain) return 0;
    for (int64_t i = k + 1; i < p->n && ks_look_at(p, i)->t - t < 0.5; i++)
        if (ks_look_is_cut(p, i) || blend_score(p, i) > 0 || dip_gain(p, i) > gain) return 0;
    return 1;
}

int ks_look_is_dissolve(ks_looks *p, int64_t k) { return is_blend(p, k) || is_dip(p, k); }

/* Look k shows something again, or the pictures from it on change without a stop until one does. */
static int leaves_plain(const ks_looks *p, int64_t k)
{
    for (int64_t i = k; i < p->n && i < k + 8; i++) {
        if (ks_look_at(p, i)->spread >= KS_LOOK_PLAIN) return 1;
        if (ks_look_at(p, i)->step < 1) return 0;
    }
    return 0;
}

int ks_look_is_fade(ks_looks *p, int64_t k)
{
    const ks_look *l = ks_look_at(p, k);
    if (l->spread >= KS_LOOK_PLAIN) p->leaving = 0;
    if (!p->leaving && p->plain_from < 0 && l->spread < KS_LOOK_PLAIN) p->plain_from = k;
    if (p->plain_from < 0 || p->plain_from == k || !leaves_plain(p, k)) return 0;
    int64_t from = p->plain_from;
    p->plain_from = -1;
    p->leaving = 1;
    if (from <= ks_looks_oldest(p)) return from > p->first; /* a long run: it ends here */
    const ks_look *before = ks_look_at(p, from - 1);
    /* a flash, and the scene again */
    if (ks_look_at(p, from)->mean > 128 && ks_blend_unlike(before->picture, l->picture) < UNLIKE)
        return 0;
    int64_t a = ks_looks_nearest(p, from - 1, ks_look_at(p, from)->t - 0.5, 0.5),
            b = ks_looks_nearest(p, k, l->t + 0.5, 0.5);
    if (a < 0 || b < 0) return 0;
    const uint8_t *pa = ks_look_at(p, a)->picture, *pb = ks_look_at(p, b)->picture;
    return ks_blend_alike(pa, pb) < 0.8 && ks_blend_unlike(pa, pb) > UNLIKE;
}

static double no_less(double a, double b) { return a > b ? a : b; }

/* Of a dissolve with its middle `off` seconds after the border and `half` seconds on each side
 * of that. What is said of the nearer side is not less than half: middles are not known that
 * well. (Less: 16 centred clips of 607 in place of 11.) */
static ks_shots_blend around_border(double half, double off)
{
    double before = half + no_less(-off, 0), after = half + no_less(off, 0);
    return (ks_shots_blend){before < MOST ? before : MOST, after < MOST ? after : MOST};
}

/* How far each look within `reach` seconds of look k, up to a cut, is on the way from the first
 * of them to the last. */
static int ways(double *w, double *times, const ks_looks *p, int64_t k, double reach)
{
    int64_t a = k, b = k;
    double t = ks_look_at(p, k)->t;
    while (a > ks_looks_oldest(p) && t - ks_look_at(p, a - 1)->t <= reach &&
           !ks_look_at(p, a)->border)
        a--;
    while (b + 1 < p->n && ks_look_at(p, b + 1)->t - t <= reach && !ks_look_is_cut(p, b + 1)) b++;
    for (int64_t i = a; i <= b; i++) {
        w[i - a] = ks_blend_way(ks_look_at(p, a)->picture, ks_look_at(p, i)->picture,
                                ks_look_at(p, b)->picture);
        times[i - a] = ks_look_at(p, i)->t - t;
    }
    return (int)(b - a + 1);
}

/* How long the dissolve with its border at look k lasts, rather too long: the ramp that fits
 * best to how far each picture is on the way from one scene to the other, beside a straight
 * line, for motion within a scene looks like a part of the way. */
static ks_shots_blend ramp_lasts(const ks_looks *p, int64_t k)
{
    double w[KS_LOOKS], times[KS_LOOKS], reach = LONGEST, found = reach, middle = 0, wide = 0;
    for (int round = 0; round < 6; round++) {
        int n = ways(w, times, p, k, reach);
        double best = -1;
        for (double half = 0.12; half <= reach; half += 0.04)
            for (double off = -OFF; off < OFF + 0.01; off += 0.04) {
                double fit = ks_blend_ramp(w, times, n, off, half);
                if (fit > best)
                    best = fit, found = half, middle = off, wide = 1.25 * half + fabs(off) + 0.08;
            }
        if (wide >= reach) break; /* else once more with ends nearer to it, which moved less */
        reach = wide;
    }
    return around_border(1.1 * found + 0.06, middle);
}

/* The best dip near by says more where pictures move; where it is faint, the longer of both
 * counts. */
ks_shots_blend ks_look_dissolve_lasts(ks_looks *p, int64_t k)
{
    double best = DIP, t = ks_look_at(p, k)->t;
    ks_shots_blend dip = {0, 0};
    int64_t from = k;
    while (from > ks_looks_oldest(p) && t - ks_look_at(p, from - 1)->t <= NEAR) from--;
    for (int64_t i = from; i < p->n && ks_look_at(p, i)->t - t <= NEAR; i++) {
        double gain = dip_gain(p, i);
        if (gain <= best) continue;
        best = gain;
        dip = around_border(DIP_FACTOR * ks_look_at(p, i)->dip_half + DIP_MORE,
                            ks_look_at(p, i)->t - t);
    }
    if (best >= SURE) return dip;
    ks_shots_blend ramp = ramp_lasts(p, k);
    return (ks_shots_blend){no_less(dip.before, ramp.before), no_less(dip.after, ramp.after)};
}

/* Seconds from look k to where the scene on that side has its full contrast, which it has within
 * `reach` seconds; 0 if that is not `least` times what k has. way: 1 = later, -1 = earlier. */
static double to_contrast(const ks_looks *p, int64_t k, int way, double reach, double least)
{
    double top = 0, t = ks_look_at(p, k)->t;
    int64_t end = k;
    for (; end < p->n && end >= ks_looks_oldest(p) && fabs(ks_look_at(p, end)->t - t) <= reach;
         end += way) {
        if (end != k &&
            (way > 0 ? ks_look_is_cut(p, end) : ks_look_at(p, end + 1)->border == KS_PLAN_CUT))
            break;
        if (ks_look_at(p, end)->spread > top) top = ks_look_at(p, end)->spread;
    }
    if (top < least * ks_look_at(p, k)->spread) return 0;
    for (int64_t i = k; i != end; i += way)
        if (ks_look_at(p, i)->spread >= 0.9 * top) return fabs(ks_look_at(p, i)->t - t) / 0.9;
    return 0;
}

ks_shots_blend ks_look_contrast_lasts(const ks_looks *p, int64_t k, ks_shots_blend known)
{
    double before = to_contrast(p, k, -1, REACH, RISES), after = to_contrast(p, k, 1, REACH, RISES);
    return (ks_shots_blend){no_less(known.before, before), no_less(known.after, after)};
}

ks_shots_blend ks_look_fade_lasts(const ks_looks *p, int64_t k, int64_t plain_from)
{
    ks_shots_blend b = {0, to_contrast(p, k, 1, LONGEST, 0)};
    if (plain_from <= ks_looks_oldest(p)) return b;
    double plain = ks_look_at(p, k)->t - ks_look_at(p, plain_from)->t;
    /* else it is a dark scene, and pure */
    if (plain < KS_LOOK_AROUND) b.before = to_contrast(p, k - 1, -1, LONGEST, 0);
    return b;
}
