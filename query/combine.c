/* combine.c - grades of terms and of parts. */
#include "query/combine.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* --- chance --- */
static double tail(double z) { return 0.5 * erfc(z / sqrt(2)); }

/* z > 0 with tail(z) = chance; half or more: 0. */
static double z_of(double chance)
{
    double low = 0, high = 40;

    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (tail(middle) > chance) low = middle;
        else high = middle;
    }
    return low;
}

static double grade_of_z(const ks_scale *s, double z)
{
    return ks_score_of(fmin(z, s->cut) / s->cut, 1);
}

double ks_following(double within) { return fmax((fmin(within, 1e9) + 8) / 4, 1); }

double ks_sequence_cut(const ks_scale *s, const double *following, int parts)
{
    double chance = log(tail(s->cut) / 2);

    if (parts == 1) return 0.5;
    for (int p = 1; p < parts; p++) chance -= log(following[p]);
    return grade_of_z(s, z_of(exp(chance / parts)));
}

double ks_unless_cut(const ks_scale *s) { return grade_of_z(s, z_of(1.25 * tail(s->cut))); }

static const double there = 0.01; /* of an UNLESS, ks_is_unless */

/* What chance leaves: where a sequence is shown, and where an UNLESS is there. */
static int set_cuts(ks_combination *c, ks_error *e)
{
    double *following = malloc((size_t)c->parts * sizeof *following);

    if (!following) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    for (int p = 1; p < c->parts; p++) following[p] = ks_following(c->within[p]);
    c->cut = c->parts == 1 && c->unless ? ks_unless_cut(c->s)
                                        : ks_sequence_cut(c->s, following, c->parts);
    free(following);
    for (int t = 0; t < c->n; t++)
        c->at[t].bar = c->at[t].words
                           ? grade_of_z(c->s, z_of(there / ks_following(c->at[t].term.within)))
                           : 0.5;
    return 0;
}

int ks_combination_make(ks_combination *c, const ks_scale *s, const float *q,
                        const ks_query_term *t, int n, int dim, ks_error *e)
{
    assert(n > 0 && t[0].op == KS_OP_BEGIN);
    *c = (ks_combination){.s = s, .n = n, .parts = 1, .gain = 1};
    c->at = calloc((size_t)n, sizeof *c->at);
    c->within = calloc((size_t)n, sizeof *c->within);
    if (!c->at || !c->within) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    for (int i = 0; i < n; i++) {
        ks_graded_term *g = &c->at[i];
        if (t[i].op == KS_OP_THEN) c->within[c->parts++] = t[i].within;
        *g = (ks_graded_term){.term = t[i], .words = t[i].words && s->level, .part = c->parts - 1};
        g->level = g->words ? ks_scale_level(s, q + (size_t)i * (size_t)dim) : 0;
        c->unless += t[i].op == KS_OP_UNLESS;
        c->has_cut |= g->words && t[i].op != KS_OP_NOT && t[i].op != KS_OP_UNLESS;
    }
    return set_cuts(c, e);
}

void ks_combination_free(ks_combination *c)
{
    free(c->at);
    free(c->within);
    *c = (ks_combination){0};
}

double ks_term_grade(const ks_combination *c, int t, double cosine)
{
    const ks_graded_term *g = &c->at[t];
    double u;

    if (!g->words) return (cosine - c->s->pair_mean) / (1 - c->s->pair_mean);
    u = ks_scale_z(c->s, cosine, g->level) / c->s->cut;
    return u > 0 ? ks_score_of(u, 1) : u;
}

/* What a term says with its weight: half of a full AND leaves half of the grade's distance to 1. */
static double weighed_once(const ks_combination *c, int t, double cosine)
{
    const ks_query_term *term = &c->at[t].term;
    double grade = ks_term_grade(c, t, cosine);

    if (term->weight == 1) return grade;
    return term->op == KS_OP_OR || term->op == KS_OP_NOT || term->op == KS_OP_UNLESS
               ? term->weight * grade
               : 1 - term->weight * (1 - grade);
}

/* Of either kind the most; of a NOT the least. */
static double weighed(const ks_combination *c, int t, float cosine, ks_cosine_of of)
{
    double gain = c->at[t].words ? c->gain : 1, one = 0, other;

    if (of != KS_OF_PICTURE || gain == 1) one = weighed_once(c, t, (double)cosine);
    if (of == KS_OF_CLIP || gain == 1) return one;
    other = weighed_once(c, t, (double)cosine * gain);
    if (of == KS_OF_PICTURE) return other;
    return c->at[t].term.op == KS_OP_NOT ? fmin(one, other) : fmax(one, other);
}

static double joined(double so_far, ks_op op, double grade)
{
    switch (op) {
    case KS_OP_AND: return fmin(so_far, grade);
    case KS_OP_OR: return fmax(so_far, grade);
    case KS_OP_NOT: return grade >= 0.5 ? -INFINITY : so_far;
    default: return grade;
    }
}

double ks_part_reach(const ks_combination *c, int p, const float *low, const float *high,
                     ks_cosine_of of)
{
    double grade = -INFINITY;

    for (int t = 0; t < c->n; t++) {
        ks_op op = c->at[t].term.op;
        if (c->at[t].part == p && op != KS_OP_UNLESS)
            grade = joined(grade, op, weighed(c, t, (op == KS_OP_NOT ? low : high)[t], of));
    }
    return grade;
}

int ks_is_plain(const ks_combination *c)
{
    int plain = 1;

    for (int t = 0; t < c->n; t++) {
        ks_op op = c->at[t].term.op;
        plain &= op == KS_OP_BEGIN || op == KS_OP_THEN || op == KS_OP_UNLESS;
    }
    return plain;
}

double ks_part_grade(const ks_combination *c, int p, const float *cosine, ks_cosine_of of)
{
    return ks_part_reach(c, p, cosine, cosine, of);
}

int ks_is_unless(const ks_combination *c, const float *cosine, int t, ks_cosine_of of)
{
    return weighed(c, t, cosine[t], of) >= c->at[t].bar;
}

int ks_part_terms(int *terms, double *grades, const ks_combination *c, const ks_part_clip *at)
{
    double grade = -INFINITY;
    int n = 0;

    for (int t = 0; t < c->n; t++) {
        ks_op op = c->at[t].term.op;
        if (c->at[t].part != at->p || op == KS_OP_UNLESS) continue;
        double g = weighed(c, t, at->cosine[t], at->of);
        if ((op == KS_OP_OR && g <= grade) || (op == KS_OP_NOT && g < 0.5)) continue;
        n = op == KS_OP_OR || op == KS_OP_NOT ? 0 : n;
        grade = joined(grade, op, g);
        if (op == KS_OP_NOT) continue;
        terms[n] = t;
        grades[n++] = g;
    }
    return n;
}
