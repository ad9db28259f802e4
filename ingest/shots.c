/* shots.c - the detector. See shots.h.
 *
 * Hard cut: the distance to the frame before, after motion is taken out, stands far above that of the frames
 * around it, and neither side looks like what comes (came) 0.3 s later (earlier): that would be a flash.
 * Dissolve: a frame is nearly the mean of the frames w before and w after it, while those two differ in what they
 * show; three unlike pictures of a moving camera never add up like that. Where both scenes move too much for that, by
 * the dip in contrast (dip.h). Fade: a run of plain frames.
 * Decided by: measured over films made from 45 real clips, tests/shots_films.py; figures in the commit. */
#include "ingest/shots.h"

#include "ingest/dip.h"
#include "ingest/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 256, SCALES = 3 };

static const double LAG = 2.1;            /* seconds of later frames a decision needs: a dip half a second on, and a cut after it */
static const double AROUND = 0.3;         /* seconds: neighbours of a cut, longest flash */
static const double FLASH = 0.15;         /* seconds from the picture before to the one after a flash of two frames */
static const double FASTEST = 1.0 / 70;   /* frames closer than this to the last one looked at are passed by */
static const double CUT_OVER = 5, CUT_RATIO = 2.0;
static const double SCALE[SCALES] = {0.2, 0.4, 0.7};
static const double BLEND = 0.15;         /* least quality of a blend, see blend() */
static const double QUARTER = -0.5;       /* the same of its halves */
static const double UNLIKE = 14;          /* least moved distance of its two ends */
static const double SURELY = 0.7, UNLIKE_SURE = 5; /* where whole and halves blend so well, pictures of little contrast count */
static const double DIP = 0.55;           /* least gain of a dip, see dip.h */
static const double SHARE = 0.8;          /* least share of its blocks that dip: 0 finds 5 things more that leave the picture in 68 real clips */
static const double NEAR = 0.4;           /* seconds: a dip whose middle is so near is the same dissolve */
static const double DIP_FACTOR = 1.4, DIP_MORE = 0.04; /* its length, rather too long: half of the fits are too short */
static const double LONGEST = 1.2;        /* seconds: half of the longest dissolve */
static const double PLAIN = 7;            /* spread of a picture without content */

typedef struct {
    int64_t number;
    double t;
    double s;                             /* moved distance to the frame looked at before */
    double spread;
    double blend;                         /* score as the middle of a dissolve; < 0: not asked yet */
    int sharp;                            /* is_cut() of it; -1: not asked yet */
    int cut, broken;                      /* cut: KS_PLAN_CUT, KS_PLAN_SOFT or 0; broken: nothing before it counts */
    double dip, dip_half;                 /* gain as the middle of a dip, and its length; NAN: not asked yet */
    double half;                          /* seconds of dissolve on each side, if it is the middle of one */
    double energy[KS_DIP_ENERGIES];
    uint8_t picture[KS_PIC_BYTES];
} look;

typedef struct {
    int64_t number;
    int64_t look;                         /* index of its look, -1: passed by */
    int broken;
} queued;

struct ks_shots {
    ks_shots_decided *decided;
    void *arg;
    look *ring;                           /* [RING], look k at k % RING */
    int64_t looks, next;                  /* made; first undecided */
    int64_t first;                        /* of the stretch without a break */
    double last_border, last_half;        /* seconds, of the newest border; how long its dissolve lasts after it */
    int64_t plain_from;                   /* look where a run of plain pictures began; -1 */
    int leaving;                          /* that run ended, though the pictures are still plain */
    queued *queue;
    size_t head, n, room;
};

int ks_shots_open(ks_shots **out, ks_shots_decided *decided, void *arg, ks_error *e)
{
    *out = NULL;
    ks_shots *s = calloc(1, sizeof *s);
    if (s) s->ring = malloc(RING * sizeof *s->ring);
    if (!s || !s->ring) {
        free(s);
        return ks_fail(e, KS_ENOMEM, "no memory for the shot detector");
    }
    s->decided = decided;
    s->arg = arg;
    s->last_border = -INFINITY;
    s->plain_from = -1;
    *out = s;
    return 0;
}

void ks_shots_close(ks_shots *s)
{
    if (!s) return;
    free(s->ring);
    free(s->queue);
    free(s);
}

static look *at(const ks_shots *s, int64_t k)
{
    return &s->ring[k % RING];
}

static int64_t oldest(const ks_shots *s)
{
    int64_t k = s->looks - RING;
    return k > s->first ? k : s->first;
}

/* The look nearest to `seconds` (within the stretch); -1 if that is more than `off` away. */
static int64_t nearest(const ks_shots *s, int64_t from, double seconds, double off)
{
    int64_t k = from, low = oldest(s);
    if (at(s, k)->t < seconds)
        while (k + 1 < s->looks && at(s, k)->t < seconds) k++;
    else
        while (k > low && at(s, k)->t > seconds) k--;
    if (k + 1 < s->looks && fabs(at(s, k + 1)->t - seconds) < fabs(at(s, k)->t - seconds)) k++;
    if (k > low && fabs(at(s, k - 1)->t - seconds) < fabs(at(s, k)->t - seconds)) k--;
    return fabs(at(s, k)->t - seconds) <= off ? k : -1;
}

/* The second largest distance among the frames around k, at least three on each side: one more peak near by (another
 * cut, a damaged frame) hides no cut. */
static double around(const ks_shots *s, int64_t k)
{
    double top = 0, second = 0, t = at(s, k)->t;
    for (int side = -1; side <= 1; side += 2)
        for (int64_t i = k + side, n = 0; i > oldest(s) && i < s->looks; i += side, n++) {
            if (n >= 3 && fabs(at(s, i)->t - t) > AROUND) break;
            double d = at(s, i)->s;
            if (d > top) second = top, top = d;
            else if (d > second) second = d;
        }
    return second;
}

/* Looks a and b, one before a cut and one soon after it, show the same. Where another jump leads back at once, they may
 * be further apart: a dissolve goes on behind a flash. */
static int is_back(const ks_shots *s, int64_t a, int64_t b, double step, double jump)
{
    double same = jump > CUT_OVER && at(s, b)->t - at(s, a)->t < FLASH ? 0.6 : 0.5;
    return ks_picture_moved_distance(at(s, a)->picture, at(s, b)->picture) < same * step;
}

/* The picture before k comes back soon, or that of k was there just before. */
static int is_flash(const ks_shots *s, int64_t k)
{
    double step = at(s, k)->s, t = at(s, k)->t;
    for (int64_t i = k + 1; i < s->looks && at(s, i)->t - t <= AROUND; i++)
        if (is_back(s, k - 1, i, step, at(s, i)->s)) return 1;
    for (int64_t i = k - 2; i >= oldest(s) && t - at(s, i)->t <= AROUND; i--)
        if (is_back(s, i, k, step, at(s, i + 1)->s)) return 1;
    return 0;
}

static int is_cut(const ks_shots *s, int64_t k)
{
    look *l = at(s, k);
    if (k <= s->first || l->s <= CUT_OVER) return 0;
    if (l->sharp >= 0) return l->sharp;
    int sharp = l->s > CUT_RATIO * around(s, k) + 2 && !is_flash(s, k);
    if (s->looks - k > 4 && at(s, s->looks - 1)->t - l->t > 2 * AROUND) l->sharp = sharp; /* all that counts was there */
    return sharp;
}

/* 1 for a frame that is the mean of a and b, 0 for one that equals either (a cut), below for other pictures:
 * 1 - |f - (a+b)/2|^2 / |(a-b)/2|^2. */
static double blend(const uint8_t *a, const uint8_t *f, const uint8_t *b)
{
    int64_t off = 0, apart = 0;
    for (int i = 0; i < KS_PIC_BYTES; i++) {
        int u = 2 * f[i] - a[i] - b[i], v = a[i] - b[i];
        off += u * u;
        apart += v * v;
    }
    return apart ? 1 - (double)off / (double)apart : -1;
}

/* Correlation of the Y planes, as a share of what both show: brighter or darker is the same. */
static double alike(const uint8_t *a, const uint8_t *b)
{
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, n = KS_PIC_PLANE;
    for (int i = 0; i < KS_PIC_PLANE; i++) {
        sa += a[i];
        sb += b[i];
        saa += a[i] * a[i];
        sbb += b[i] * b[i];
        sab += a[i] * b[i];
    }
    double va = saa - sa * sa / n, vb = sbb - sb * sb / n;
    return va > 0 && vb > 0 ? (sab - sa * sb / n) / sqrt(va * vb) : 0;
}

/* The largest distance between neighbours after look a up to look b: a dissolve has no jump in it, and no plain
 * picture (that is a fade). */
static double largest_step(const ks_shots *s, int64_t a, int64_t b)
{
    double most = 0;
    for (int64_t i = a + 1; i <= b; i++) {
        if (at(s, i)->spread < PLAIN) return INFINITY;
        if (at(s, i)->s > most) most = at(s, i)->s;
    }
    return most;
}

/* Moved distance of a to b once b is as bright and as contrasty as a: what a fade of one scene leaves is small. */
static double unlike(const look *a, const look *b)
{
    uint8_t same[KS_PIC_BYTES];
    double gain = a->spread / b->spread, mean[2] = {0, 0};
    for (int i = 0; i < KS_PIC_PLANE; i++) {
        mean[0] += a->picture[i];
        mean[1] += b->picture[i];
    }
    for (int i = 0; i < KS_PIC_BYTES; i++) {
        double from = i < KS_PIC_PLANE ? mean[1] / KS_PIC_PLANE : 128, to = i < KS_PIC_PLANE ? mean[0] / KS_PIC_PLANE : 128;
        double v = (b->picture[i] - from) * gain + to + 0.5;
        same[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    double plain = ks_picture_moved_distance(a->picture, b->picture), fair = ks_picture_moved_distance(a->picture, same);
    return plain < fair ? plain : fair;
}

/* How much look k is the middle of a dissolve: 0 = not; else the distance that it bridges. */
static double dissolve(const ks_shots *s, int64_t k)
{
    double best = 0, t = at(s, k)->t;
    for (int i = 0; i < SCALES; i++) {
        double w = SCALE[i];
        int64_t a = nearest(s, k, t - w, w / 4), b = nearest(s, k, t + w, w / 4);
        int64_t qa = nearest(s, k, t - w / 2, w / 4), qb = nearest(s, k, t + w / 2, w / 4);
        if (a < 0 || b < 0 || qa <= a || qb >= b || qa >= k || qb <= k) continue;
        const uint8_t *pa = at(s, a)->picture, *pb = at(s, b)->picture, *pk = at(s, k)->picture;
        double sa = at(s, a)->spread, sb = at(s, b)->spread;
        if (sa < PLAIN || sb < PLAIN || sa < 0.3 * sb || sb < 0.3 * sa) continue; /* on the way to black */
        double q = blend(pa, pk, pb);
        if (q < BLEND) continue;
        if (blend(pa, at(s, qa)->picture, pk) < QUARTER || blend(pk, at(s, qb)->picture, pb) < QUARTER) continue;
        if (alike(pa, pb) > 0.8) continue;
        double d = unlike(at(s, a), at(s, b)), step = largest_step(s, a, b);
        int surely = q > SURELY && blend(pa, at(s, qa)->picture, pk) > SURELY && blend(pk, at(s, qb)->picture, pb) > SURELY;
        if (surely ? d < UNLIKE_SURE || step > d : d < UNLIKE || step > d / 2) continue;
        if (q * d > best) best = q * d;
    }
    return best;
}

static double blend_score(ks_shots *s, int64_t k)
{
    look *l = at(s, k);
    if (l->blend < 0) l->blend = dissolve(s, k);
    return l->blend;
}

/* No dissolve has its middle so soon after a border, or within another. */
static int is_close(const ks_shots *s, double t)
{
    return t - s->last_border < 0.5 || t - s->last_border < 0.9 * s->last_half;
}

/* The best of all frames within half a second, and no border so near before. */
static int is_dissolve(ks_shots *s, int64_t k)
{
    double score = blend_score(s, k), t = at(s, k)->t;
    if (score <= 0 || is_close(s, t)) return 0;
    for (int64_t i = k - 1; i >= oldest(s) && t - at(s, i)->t < 0.5; i--)
        if (at(s, i)->cut || at(s, i)->blend > score) return 0;
    for (int64_t i = k + 1; i < s->looks && at(s, i)->t - t < 0.5; i++) {
        if (is_cut(s, i)) return 0;
        if (blend_score(s, i) > score) return 0;
    }
    return 1;
}

/* The gain of look k as the middle of a dip between two scenes, if those are unlike. */
static double dip_gain(ks_shots *s, int64_t k)
{
    look *l = at(s, k);
    if (!isnan(l->dip)) return l->dip;
    ks_dip_window w = {.n = 0};
    double reach = KS_DIP_LONGEST + KS_DIP_BESIDE;
    int64_t a = k, b = k;
    while (a > oldest(s) && l->t - at(s, a - 1)->t <= reach && k - a < KS_DIP_LOOKS / 2 - 1 && at(s, a)->cut != KS_PLAN_CUT) a--;
    while (b + 1 < s->looks && at(s, b + 1)->t - l->t <= reach && b - k < KS_DIP_LOOKS / 2 - 1 && !is_cut(s, b + 1)) b++;
    for (int64_t i = a; i <= b; i++) {
        w.t[w.n] = at(s, i)->t;
        w.energy[w.n++] = at(s, i)->energy;
    }
    w.middle = (int)(k - a);
    l->dip = ks_dip(&l->dip_half, &w);
    if (l->dip < DIP) return l->dip;
    double out = l->dip_half + 0.12;
    while (a < k && l->t - at(s, a)->t > out) a++;
    while (b > k && at(s, b)->t - l->t > out) b--;
    for (int64_t i = a; i <= b; i++)
        if (at(s, i)->spread < PLAIN) return l->dip = 0; /* a fade */
    if (ks_dip_share(at(s, a)->picture, l->picture, at(s, b)->picture) < SHARE) return l->dip = 0;
    if (alike(at(s, a)->picture, at(s, b)->picture) > 0.6 || unlike(at(s, a), at(s, b)) < UNLIKE_SURE) l->dip = 0;
    return l->dip;
}

/* The best dip within half a second, and no border so near. */
static int is_dip(ks_shots *s, int64_t k)
{
    double gain = dip_gain(s, k), t = at(s, k)->t;
    if (gain < DIP || is_close(s, t)) return 0;
    for (int64_t i = k - 1; i >= oldest(s) && t - at(s, i)->t < 0.5; i--)
        if (at(s, i)->dip > gain) return 0;
    for (int64_t i = k + 1; i < s->looks && at(s, i)->t - t < 0.5; i++)
        if (is_cut(s, i) || blend_score(s, i) > 0 || dip_gain(s, i) > gain) return 0;
    return 1;
}

/* Look k shows something again, or the pictures from it on change without a stop until one does. */
static int leaves_plain(const ks_shots *s, int64_t k)
{
    for (int64_t i = k; i < s->looks && i < k + 8; i++) {
        if (at(s, i)->spread >= PLAIN) return 1;
        if (at(s, i)->s < 1) return 0;
    }
    return 0;
}

static int is_bright(const look *l)
{
    int64_t sum = 0;
    for (int i = 0; i < KS_PIC_PLANE; i++) sum += l->picture[i];
    return sum > 128 * KS_PIC_PLANE;
}

/* 1 if a run of plain pictures ends at k and parts two shots. */
static int is_fade(ks_shots *s, int64_t k)
{
    if (at(s, k)->spread >= PLAIN) s->leaving = 0;
    if (!s->leaving && s->plain_from < 0 && at(s, k)->spread < PLAIN) s->plain_from = k;
    if (s->plain_from < 0 || s->plain_from == k || !leaves_plain(s, k)) return 0;
    int64_t from = s->plain_from;
    s->plain_from = -1;
    s->leaving = 1;
    if (from <= oldest(s) || from - 1 < oldest(s)) return from > s->first; /* a long run: it ends here */
    if (is_bright(at(s, from)) && unlike(at(s, from - 1), at(s, k)) < UNLIKE) return 0; /* a flash, and the scene again */
    int64_t before = nearest(s, from - 1, at(s, from)->t - 0.5, 0.5), after = nearest(s, k, at(s, k)->t + 0.5, 0.5);
    if (before < 0 || after < 0) return 0;
    return alike(at(s, before)->picture, at(s, after)->picture) < 0.8 && unlike(at(s, before), at(s, after)) > UNLIKE;
}

/* Seconds until the scene that comes out of the plain picture k has its full contrast: a fade in, or a dissolve from a
 * dark or an empty scene, which shows as nothing but this. */
static double rise(const ks_shots *s, int64_t k)
{
    double top = 0, t = at(s, k)->t;
    int64_t end = k;
    for (; end < s->looks && at(s, end)->t - t <= LONGEST && (end == k || !is_cut(s, end)); end++)
        if (at(s, end)->spread > top) top = at(s, end)->spread;
    for (int64_t i = k; i < end; i++)
        if (at(s, i)->spread >= 0.9 * top) return (at(s, i)->t - t) / 0.9;
    return 0;
}

/* How far picture f is on the way from a to b: 0 .. 1, more or less. */
static double way(const uint8_t *a, const uint8_t *f, const uint8_t *b)
{
    int64_t along = 0, apart = 0;
    for (int i = 0; i < KS_PIC_BYTES; i++) {
        int u = f[i] - a[i], v = b[i] - a[i];
        along += u * v;
        apart += v * v;
    }
    return apart ? (double)along / (double)apart : 0;
}

/* Sum of squares of w that a ramp from 0 to 1 within `half` of `middle` accounts for beyond a straight line. */
static double ramp_fit(const double *w, const double *t, int n, double middle, double half)
{
    double r = 0, x = 0, y = 0, rr = 0, xx = 0, rx = 0, ry = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        double u = t[i] - middle, v = u / (2 * half) + 0.5;
        v = v < 0 ? 0 : v > 1 ? 1 : v;
        r += v;
        x += u;
        y += w[i];
        rr += v * v;
        xx += u * u;
        rx += v * u;
        ry += v * w[i];
        xy += u * w[i];
    }
    rr -= r * r / n, xx -= x * x / n, rx -= r * x / n, ry -= r * y / n, xy -= x * y / n;
    double own = rr - rx * rx / xx, shared = ry - rx * xy / xx;
    return xx > 0 && own > 1e-3 && shared > 0 ? shared * shared / own : 0;
}

/* Seconds that the dissolve with its middle near look k lasts before and after it, the larger of both and rather too
 * many: the ramp that fits best to how far each picture is on the way from one scene to the other, beside a straight
 * line, for motion within a scene looks like a part of the way. Of 182 dissolves found in the films of seed 7: 1.42
 * times the truth, 1.05 to 2.5 for nine of ten; without the line 1.23 to 3.08. */
static double half_length(const ks_shots *s, int64_t k)
{
    double t = at(s, k)->t, w[RING], times[RING], reach = LONGEST, found = reach, wide = 0;
    for (int round = 0; round < 6; round++) {
        int64_t a = k, b = k;
        while (a > oldest(s) && t - at(s, a - 1)->t <= reach && !at(s, a)->cut) a--;
        while (b + 1 < s->looks && at(s, b + 1)->t - t <= reach && !is_cut(s, b + 1)) b++;
        int n = (int)(b - a + 1);
        for (int i = 0; i < n; i++) {
            w[i] = way(at(s, a)->picture, at(s, a + i)->picture, at(s, b)->picture);
            times[i] = at(s, a + i)->t;
        }
        double best = -1;
        for (double half = 0.12; half <= reach; half += 0.04)
            for (double off = -0.24; off < 0.25; off += 0.04) {
                double fit = ramp_fit(w, times, n, t + off, half);
                if (fit > best) best = fit, found = half + fabs(off), wide = 1.25 * half + fabs(off) + 0.08;
            }
        if (wide >= reach) break; /* else once more with ends nearer to it, which moved less */
        reach = wide;
    }
    return 1.1 * found + 0.06;
}

/* The same by the best dip near by, which says more where pictures move; 0: there is none. Centred clips of 416
 * dissolves: 25; with the length by the ramp alone half as many more. */
static double dip_length(ks_shots *s, int64_t k)
{
    double best = DIP, t = at(s, k)->t, found = 0;
    int64_t from = k, i;
    while (from > oldest(s) && t - at(s, from - 1)->t <= NEAR) from--;
    for (i = from; i < s->looks && at(s, i)->t - t <= NEAR; i++)
        if (dip_gain(s, i) > best) best = at(s, i)->dip, found = DIP_FACTOR * at(s, i)->dip_half + DIP_MORE + fabs(at(s, i)->t - t);
    return found < 1.1 * LONGEST + 0.06 ? found : 1.1 * LONGEST + 0.06;
}

static void decide(ks_shots *s, int64_t k)
{
    look *l = at(s, k);
    if (l->broken) {
        s->first = k;
        s->plain_from = -1;
        s->leaving = 0;
        return;
    }
    l->cut = is_cut(s, k);
    int fade = is_fade(s, k), soft = !l->cut && !fade && (is_dissolve(s, k) || is_dip(s, k));
    if (soft) {
        l->half = dip_length(s, k);
        if (l->half <= 0) l->half = half_length(s, k);
    }
    if (l->cut || soft || fade) s->last_border = l->t, s->last_half = l->half;
    if (!l->cut && fade) l->half = rise(s, k); /* not last_half: a dissolve may follow at once */
    if (!l->cut && (soft || fade)) l->cut = KS_PLAN_SOFT;
}

/* Hands out what is decided: all frames before the first undecided look. */
static int hand_out(ks_shots *s, ks_error *e)
{
    while (s->n > 0) {
        queued *q = &s->queue[s->head];
        if (q->look >= s->next) break;
        if (q->look < 0 && s->next < s->looks && at(s, s->next)->number < q->number) break;
        int cut = q->look >= 0 ? at(s, q->look)->cut : 0;
        double half = cut == KS_PLAN_SOFT ? at(s, q->look)->half : 0;
        int err = s->decided(s->arg, q->number, q->broken ? KS_PLAN_BREAK : (ks_plan_border)cut, half, e);
        s->head++;
        s->n--;
        if (err < 0) return err;
    }
    return 0;
}

static int decide_until(ks_shots *s, double seconds, int64_t looks, ks_error *e)
{
    for (; s->next < s->looks; s->next++) {
        if (at(s, s->next)->t > seconds || s->next + looks >= s->looks) break;
        decide(s, s->next);
    }
    return hand_out(s, e);
}

static int enqueue(ks_shots *s, const queued *q, ks_error *e)
{
    if (s->head > 0 && s->head + s->n == s->room) {
        memmove(s->queue, s->queue + s->head, s->n * sizeof *s->queue);
        s->head = 0;
    }
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 256;
        queued *more = reallocarray(s->queue, room, sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for the shot detector");
        s->queue = more;
        s->room = room;
    }
    s->queue[s->head + s->n++] = *q;
    return 0;
}

int ks_shots_frame(ks_shots *s, int64_t number, double seconds, const uint8_t *small, int broken, ks_error *e)
{
    int err = 0;
    if (broken) err = decide_until(s, INFINITY, 0, e);
    if (err < 0) return err;
    if (!broken && s->looks > 0 && seconds - at(s, s->looks - 1)->t < FASTEST)
        return enqueue(s, &(queued){number, -1, 0}, e);
    if (s->looks - s->next >= RING - 64) err = decide_until(s, INFINITY, RING / 2, e);
    if (err < 0) return err;
    look *l = at(s, s->looks);
    l->number = number;
    l->t = seconds;
    l->broken = broken || s->looks == 0;
    l->cut = 0;
    l->sharp = -1;
    l->blend = -1;
    l->dip = NAN;
    l->half = 0;
    l->s = 0;
    memcpy(l->picture, small, KS_PIC_BYTES);
    l->spread = ks_picture_spread(l->picture);
    ks_dip_energies(l->energy, l->picture);
    if (!l->broken) {
        const uint8_t *before = at(s, s->looks - 1)->picture;
        l->s = ks_picture_distance(before, l->picture);
        if (l->s > 2) l->s = ks_picture_moved_distance(before, l->picture);
    }
    err = enqueue(s, &(queued){number, s->looks, broken}, e);
    s->looks++;
    return err < 0 ? err : decide_until(s, seconds - LAG, 4, e);
}

int ks_shots_end(ks_shots *s, ks_error *e)
{
    return decide_until(s, INFINITY, 0, e);
}
