/* bounds.c - where a moment begins and ends, from its frames.
 *
 * A frame speaks for the moment where its cosine lies above a share of the way from the
 * library's level to the moment's best frame; the moment is the stretch around that frame whose
 * votes sum up highest. What changes between two neighbouring frames, whatever is asked, draws
 * the border there: the borders that people see are changes of the picture. */
#include "query/calibrate.h"

#include <assert.h>
#include <math.h>

/* Chosen on two drawn films (models/demo/eval/sets.py: long, 200 moments of 9 s, and uneven, 120
 * of 3 to 20 s; the first hit of each sentence where it is right). Mean overlap (intersection
 * over union), and start and end both within 1 s:
 *   clips as they were joined       0.938 and 0.885,  84.0 and 62.3 %
 *   a share of 0.5, no changes      0.942 and 0.936,  82.9 and 79.2 %
 *   a share of 0.6, changes 0.75    0.949 and 0.967,  87.2 and 87.9 %  (0.5 to 0.6 and 0.5 to
 *                                   0.75: within a point)
 * On a third that nothing was chosen on (100 moments of 3 to 20 s): 0.904 and 68.9 % -> 0.936
 * and 78.7 %. */
static const double share = 0.6, weight_of_change = 0.75;
enum { EDGE = 5 }; /* the film's own end, in mean changes */

/* Of the frames from..to the best one; -1: none. */
static int best_of(const ks_curve *c, int64_t from, int64_t to)
{
    int best = -1;

    for (int i = 0; i < c->n; i++)
        if (c->at[i].at >= from && c->at[i].at < to &&
            (best < 0 || c->at[i].cosine > c->at[best].cosine))
            best = i;
    return best;
}

static double mean_change(const ks_curve *c)
{
    double sum = 0;

    for (int i = 1; i < c->n; i++) sum += c->at[i].change;
    return c->n > 1 ? fmax(sum / (c->n - 1), 1e-9) : 1;
}

/* The last frame of the moment in one direction (step 1 or -1): what the border behind it is
 * worth is its change. */
static int reach(const ks_curve *c, int from, int step, double least)
{
    double votes = 0, most = -HUGE_VAL, mean = mean_change(c),
           full = fmax(c->at[from].cosine - least, 1e-9);
    int last = from;

    for (int i = from; i >= 0 && i < c->n; i += step) {
        int border = step > 0 ? i + 1 : i; /* this frame and the one before it */
        double change = border > 0 && border < c->n ? c->at[border].change / mean : EDGE;
        if (i != from) votes += (c->at[i].cosine - least) / full;
        /* of equal ones the nearest, whatever rounding makes of their sums */
        if (votes + weight_of_change * change > most + 1e-12) {
            most = votes + weight_of_change * change;
            last = i;
        }
    }
    return last;
}

/* Between two frames: at the second one where it is the first of a shot, else in the middle. */
static int64_t border_at(const ks_curve *c, int i)
{
    return c->at[i].begins ? c->at[i].at : c->at[i - 1].at + (c->at[i].at - c->at[i - 1].at) / 2;
}

int ks_curve_bounds(int64_t *start, int64_t *end, int64_t *best, const ks_curve *c)
{
    assert(start && end && best && c && c->n >= 0);
    int k = best_of(c, *start, *end), first, last;
    double least;

    if (k < 0) return 0;
    least = c->level + share * (c->at[k].cosine - c->level);
    first = reach(c, k, -1, least);
    last = reach(c, k, 1, least);
    *start = first > 0 ? border_at(c, first) : c->at[first].at;
    *end = last + 1 < c->n ? border_at(c, last + 1) : c->end;
    *best = c->at[k].at;
    return 1;
}
