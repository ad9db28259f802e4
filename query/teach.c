/* teach.c - a label from examples: regularised logistic regression, its penalty chosen and its
 * worth measured on films that it was not taught on. Neighbouring clips share frames: a random
 * split of them would measure memory. */
#include "query/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDS = 5, PENALTIES = 7, RESAMPLES = 1000, NEWTON = 30, CONJUGATE = 60 };
static const double penalties[PENALTIES] = {1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001};
static const double few_penalty = 0.03; /* where cross-validation is not possible */

/* Examples in few dimensions: x [n, r], r = min(n, dim), with the inner products of the centred
 * vectors. */
typedef struct {
    double *x;
    const int8_t *yes;
    int n, r;
} problem;

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* One fit: of the examples with in[i] 1. u [r + 1]: weights and bias. */
typedef struct {
    const problem *p;
    const uint8_t *in;
    /* [n] of each example: a half over the size of its class; 0: not in it */
    double *cost;
    double *u, *g, *step, *residual, *direction, *product; /* [r + 1] */
    double *curve;                                         /* [n] second derivative of the loss */
    double lambda;
} fit;

static double margin(const fit *f, const double *u, int i)
{
    return dot(u, f->p->x + (size_t)i * (size_t)f->p->r, f->p->r) + u[f->p->r];
}

static double log1pexp(double t) { return t > 0 ? t + log1p(exp(-t)) : log1p(exp(t)); }

static double loss(const fit *f, const double *u)
{
    double sum = f->lambda / 2 * dot(u, u, f->p->r);

    for (int i = 0; i < f->p->n; i++)
        if (f->cost[i] > 0)
            sum += f->cost[i] * log1pexp(f->p->yes[i] ? -margin(f, u, i) : margin(f, u, i));
    return sum;
}

static void gradient(fit *f)
{
    int r = f->p->r;

    for (int d = 0; d < r; d++) f->g[d] = f->lambda * f->u[d];
    f->g[r] = 0;
    for (int i = 0; i < f->p->n; i++) {
        const double *x = f->p->x + (size_t)i * (size_t)r;
        double s, off;
        f->curve[i] = 0;
        if (f->cost[i] <= 0) continue;
        s = 1 / (1 + exp(-margin(f, f->u, i)));
        off = f->cost[i] * (s - (f->p->yes[i] ? 1 : 0));
        f->curve[i] = f->cost[i] * s * (1 - s);
        for (int d = 0; d < r; d++) f->g[d] += off * x[d];
        f->g[r] += off;
    }
}

/* product = Hessian times v; the bias has a small curvature of its own, so that it has one
 * always. */
static void curve_times(fit *f, const double *v)
{
    int r = f->p->r;

    for (int d = 0; d < r; d++) f->product[d] = f->lambda * v[d];
    f->product[r] = 1e-9 * v[r];
    for (int i = 0; i < f->p->n; i++) {
        const double *x = f->p->x + (size_t)i * (size_t)r;
        double t;
        if (f->curve[i] <= 0) continue;
        t = f->curve[i] * (dot(v, x, r) + v[r]);
        for (int d = 0; d < r; d++) f->product[d] += t * x[d];
        f->product[r] += t;
    }
}

/* step: the Newton step, by conjugate gradients. */
static void solve(fit *f)
{
    int n = f->p->r + 1;
    double old, first;

    memset(f->step, 0, (size_t)n * sizeof *f->step);
    for (int d = 0; d < n; d++) f->residual[d] = f->direction[d] = -f->g[d];
    first = old = dot(f->residual, f->residual, n);
    for (int k = 0; k < CONJUGATE && old > first * 1e-10 && old > 0; k++) {
        double alpha, now, curve;
        curve_times(f, f->direction);
        curve = dot(f->direction, f->product, n);
        if (!(curve > 0)) break;
        alpha = old / curve;
        for (int d = 0; d < n; d++) {
            f->step[d] += alpha * f->direction[d];
            f->residual[d] -= alpha * f->product[d];
        }
        now = dot(f->residual, f->residual, n);
        for (int d = 0; d < n; d++) f->direction[d] = f->residual[d] + now / old * f->direction[d];
        old = now;
    }
}

static void set_costs(fit *f)
{
    int yes = 0, no = 0;

    for (int i = 0; i < f->p->n; i++)
        if (!f->in || f->in[i]) *(f->p->yes[i] ? &yes : &no) += 1;
    for (int i = 0; i < f->p->n; i++)
        f->cost[i] = f->in && !f->in[i] ? 0 : f->p->yes[i] ? 0.5 / yes : 0.5 / no;
}

/* f->u from where it stands. */
static void minimise(fit *f)
{
    int n = f->p->r + 1;
    double now = loss(f, f->u);

    for (int k = 0; k < NEWTON; k++) {
        double share = 1, next = now;
        gradient(f);
        if (dot(f->g, f->g, n) < 1e-14) break;
        solve(f);
        memcpy(f->residual, f->u, (size_t)n * sizeof *f->u);
        for (; share > 1e-6; share /= 2) { /* halved until it goes down */
            for (int d = 0; d < n; d++) f->u[d] = f->residual[d] + share * f->step[d];
            if ((next = loss(f, f->u)) <= now) break;
        }
        if (!(next < now - 1e-12)) break;
        now = next;
    }
}

static int open_fit(fit *f, const problem *p)
{
    size_t n = (size_t)p->n, r = (size_t)p->r + 1;

    *f = (fit){.p = p,
               .cost = malloc(n * sizeof(double)),
               .curve = malloc(n * sizeof(double)),
               .u = calloc(r, sizeof(double)),
               .g = malloc(r * sizeof(double)),
               .step = malloc(r * sizeof(double)),
               .residual = malloc(r * sizeof(double)),
               .direction = malloc(r * sizeof(double)),
               .product = malloc(r * sizeof(double))};
    return f->cost && f->curve && f->u && f->g && f->step && f->residual && f->direction &&
                   f->product
               ? 0
               : -1;
}

static void close_fit(fit *f)
{
    free(f->cost);
    free(f->curve);
    free(f->u);
    free(f->g);
    free(f->step);
    free(f->residual);
    free(f->direction);
    free(f->product);
}

/* --- worth --- */
typedef struct {
    double score;
    int yes;
} scored;

static int by_score(const void *a, const void *b)
{
    const scored *x = a, *y = b;

    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->yes - y->yes; /* a tie counts against */
}

static double average_precision(scored *at, int n)
{
    double sum = 0;
    int yes = 0;

    if (n > 0) qsort(at, (size_t)n, sizeof *at, by_score);
    for (int i = 0; i < n; i++)
        if (at[i].yes) sum += (double)++yes / (i + 1);
    return yes ? sum / yes : 0;
}

static double precision_of(const double *score, const int8_t *yes, int n)
{
    scored *at = malloc(((size_t)n + 1) * sizeof *at);
    double ap;

    if (!at) return 0;
    for (int i = 0; i < n; i++) at[i] = (scored){score[i], yes[i]};
    ap = average_precision(at, n);
    free(at);
    return ap;
}

static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* film[n]: 0 .. films - 1. Films are drawn again and again with all their examples. */
static int interval(ks_taught *out, const double *score, const int8_t *yes, const int *film, int n,
                    int films)
{
    scored *at = malloc((size_t)n * (size_t)(films + 1) * sizeof *at);
    double *ap = malloc(RESAMPLES * sizeof *ap);
    uint64_t state = 1;
    int kept = 0;

    for (int k = 0; at && ap && k < RESAMPLES; k++) {
        int m = 0, any = 0;
        for (int pick = 0; pick < films; pick++) {
            int of = (int)(draw(&state) % (uint64_t)films);
            for (int i = 0; i < n; i++)
                if (film[i] == of) {
                    at[m++] = (scored){score[i], yes[i]};
                    any += yes[i];
                }
        }
        if (any) ap[kept++] = average_precision(at, m);
    }
    if (kept) {
        qsort(ap, (size_t)kept, sizeof *ap, by_number);
        out->ap_low = ap[kept * 25 / 1000];
        out->ap_high = ap[kept - 1 - kept * 25 / 1000];
    }
    free(at);
    free(ap);
    return kept ? 0 : -1;
}

/* --- folds of whole films --- */
typedef struct {
    int64_t id;
    int yes, all, fold;
} film_row;

static int by_id(const void *a, const void *b)
{
    const film_row *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_yes(const void *a, const void *b)
{
    const film_row *x = *(film_row *const *)a, *y = *(film_row *const *)b;

    if (x->yes != y->yes) return y->yes - x->yes;
    return x->all != y->all ? y->all - x->all : (x->id > y->id) - (x->id < y->id);
}

/* rows[films] by id; film[n]: the place of each example's. Returns how many, < 0: no memory. */
static int gather_films(film_row **rows, int *film, const ks_examples *x)
{
    film_row *at = malloc(((size_t)x->n + 1) * sizeof *at);
    int films = 0;

    if (!(*rows = at)) return -1;
    for (int i = 0; i < x->n; i++) at[i] = (film_row){.id = x->film[i]};
    qsort(at, (size_t)x->n, sizeof *at, by_id);
    for (int i = 0; i < x->n; i++)
        if (films == 0 || at[films - 1].id != at[i].id) at[films++] = at[i];
    for (int i = 0; i < x->n; i++) {
        film_row *f = bsearch(&(film_row){.id = x->film[i]}, at, (size_t)films, sizeof *at, by_id);
        film[i] = (int)(f - at);
        f->yes += x->yes[i];
        f->all++;
    }
    return films;
}

/* The film with most examples to the fold with fewest. */
static int deal(film_row *rows, int films)
{
    film_row **order = malloc(((size_t)films + 1) * sizeof *order);
    int yes[FOLDS] = {0}, all[FOLDS] = {0};

    if (!order) return -1;
    for (int i = 0; i < films; i++) order[i] = &rows[i];
    qsort(order, (size_t)films, sizeof *order, by_yes);
    for (int i = 0; i < films; i++) {
        int to = 0;
        for (int k = 1; k < FOLDS; k++)
            if (order[i]->yes ? yes[k] < yes[to] || (yes[k] == yes[to] && all[k] < all[to])
                              : all[k] < all[to])
                to = k;
        order[i]->fold = to;
        yes[to] += order[i]->yes;
        all[to] += order[i]->all;
    }
    free(order);
    return 0;
}

/* score[n] at this penalty, each example by the fit that did not see its film. f->u is room. */
static void held_out(double *score, fit *f, uint8_t *in, const film_row *rows, const int *film)
{
    const problem *p = f->p;

    for (int k = 0; k < FOLDS; k++) {
        int any = 0;
        for (int i = 0; i < p->n; i++) {
            in[i] = rows[film[i]].fold != k;
            any |= !in[i];
        }
        if (!any) continue;
        memset(f->u, 0, ((size_t)p->r + 1) * sizeof *f->u);
        f->in = in;
        set_costs(f);
        minimise(f);
        for (int i = 0; i < p->n; i++)
            if (!in[i]) score[i] = margin(f, f->u, i);
    }
}

/* Mean loss of the two classes: it says more of a penalty than a precision does, and leaves that
 * unspent. */
static double held_out_loss(const problem *p, const double *score)
{
    double sum[2] = {0}, n[2] = {0};

    for (int i = 0; i < p->n; i++) {
        sum[p->yes[i] != 0] += log1pexp(p->yes[i] ? -score[i] : score[i]);
        n[p->yes[i] != 0]++;
    }
    return sum[0] / n[0] + sum[1] / n[1];
}

/* By how much the margin must fall so that a score of 0.5 leaves out 95 of 100 no's, but keeps
 * half of the yes's. */
static double shift_of(const problem *p, const double *score)
{
    double *of[2] = {malloc(((size_t)p->n + 1) * sizeof(double)),
                     malloc(((size_t)p->n + 1) * sizeof(double))},
           shift = 0;
    int n[2] = {0, 0};

    for (int i = 0; of[0] && of[1] && i < p->n; i++)
        of[p->yes[i] != 0][n[p->yes[i] != 0]++] = score[i];
    if (n[0] && n[1]) {
        qsort(of[0], (size_t)n[0], sizeof(double), by_number);
        qsort(of[1], (size_t)n[1], sizeof(double), by_number);
        shift = fmax(0, fmin(of[0][(n[0] - 1) * 95 / 100], of[1][n[1] / 2]));
    }
    free(of[0]);
    free(of[1]);
    return shift;
}

/* lambda, ap, and what the bias loses; *shift. */
static int validate(ks_taught *out, double *shift, const problem *p, const ks_examples *x)
{
    size_t n = (size_t)x->n;
    double *score = malloc(n * sizeof *score), *best = malloc(n * sizeof *best), least = HUGE_VAL;
    uint8_t *in = malloc(n);
    int *film = malloc(n * sizeof *film), films, failed;
    film_row *rows = NULL;
    fit f = {0};

    failed = !score || !best || !in || !film || open_fit(&f, p) < 0 ||
             (films = gather_films(&rows, film, x)) < 0 || deal(rows, films) < 0;
    for (int k = 0; k < PENALTIES && !failed; k++) {
        double l;
        f.lambda = penalties[k];
        held_out(score, &f, in, rows, film);
        if ((l = held_out_loss(p, score)) < least) {
            least = l;
            out->lambda = penalties[k];
            memcpy(best, score, n * sizeof *best);
        }
    }
    if (!failed) {
        out->ap = precision_of(best, x->yes, x->n);
        *shift = shift_of(p, best);
        failed = interval(out, best, x->yes, film, x->n, films) < 0;
    }
    close_fit(&f);
    free(rows);
    free(film);
    free(in);
    free(best);
    free(score);
    return failed ? -1 : 0;
}

/* --- the vectors in few dimensions, and back --- */
/* g [n, n] of inner products -> its lower triangle L, g = L L'. */
static void factor(double *g, int n)
{
    for (int j = 0; j < n; j++) {
        double *row = g + (size_t)j * (size_t)n, d = row[j] - dot(row, row, j);
        row[j] = sqrt(fmax(d, 1e-9));
        for (int i = j + 1; i < n; i++) {
            double *below = g + (size_t)i * (size_t)n;
            below[j] = (below[j] - dot(below, row, j)) / row[j];
        }
        for (int i = j + 1; i < n; i++) row[i] = 0;
    }
}

/* c [n, dim]: the centred vectors; scaled so that their mean square is 1. */
static double centred(double *c, const ks_examples *x)
{
    double squares = 0, scale;
    size_t all = (size_t)x->n * (size_t)x->dim;

    for (int i = 0; i < x->n; i++)
        for (int d = 0; d < x->dim; d++) {
            double v = (double)x->v[(size_t)i * (size_t)x->dim + (size_t)d] - (double)x->centre[d];
            c[(size_t)i * (size_t)x->dim + (size_t)d] = v;
            squares += v * v;
        }
    scale = squares > 0 ? sqrt(x->n / squares) : 1;
    for (size_t i = 0; i < all; i++) c[i] *= scale;
    return scale;
}

/* p->x: c itself, or where examples are fewer than dimensions the factor of their inner
 * products. */
static int reduce(problem *p, const double *c, const ks_examples *x)
{
    size_t n = (size_t)x->n, dim = (size_t)x->dim;

    *p = (problem){.yes = x->yes, .n = x->n, .r = x->n < x->dim ? x->n : x->dim};
    if (!(p->x = malloc(n * (size_t)p->r * sizeof *p->x))) return -1;
    if (p->r == x->dim) {
        memcpy(p->x, c, n * dim * sizeof *c);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            p->x[i * n + j] = p->x[j * n + i] = dot(c + i * dim, c + j * dim, (int)dim);
    factor(p->x, p->n);
    return 0;
}

/* w [dim] in the scale of c from u [r]: with L, the sum over examples of a_i c_i where L' a = u. */
static void expand(double *w, double *u, const problem *p, const double *c, int dim)
{
    memset(w, 0, (size_t)dim * sizeof *w);
    if (p->r == dim) {
        memcpy(w, u, (size_t)dim * sizeof *w);
        return;
    }
    for (int i = p->n - 1; i >= 0; i--) {
        u[i] /= p->x[(size_t)i * (size_t)p->n + (size_t)i];
        for (int j = 0; j < i; j++) u[j] -= u[i] * p->x[(size_t)i * (size_t)p->n + (size_t)j];
    }
    for (int i = 0; i < p->n; i++)
        for (int d = 0; d < dim; d++) w[d] += u[i] * c[(size_t)i * (size_t)dim + (size_t)d];
}

static int can_say(const ks_examples *x)
{
    int yes = 0, films = 0;

    for (int i = 0; i < x->n; i++) {
        int again = 0;
        if (!x->yes[i]) continue;
        yes++;
        for (int k = 0; k < i && !again; k++) again = x->yes[k] && x->film[k] == x->film[i];
        films += !again;
    }
    return yes >= KS_TEACH_LEAST && x->n - yes >= KS_TEACH_LEAST && films >= KS_TEACH_FILMS;
}

static int learn(ks_taught *out, const problem *p, const double *c, double scale, double shift,
                 const ks_examples *x)
{
    double *w = malloc((size_t)x->dim * sizeof *w);
    fit f = {0};
    int failed = !w || open_fit(&f, p) < 0;

    if (!failed) {
        f.lambda = out->lambda;
        set_costs(&f);
        minimise(&f);
        out->bias = f.u[p->r] - shift;
        expand(w, f.u, p, c, x->dim);
        for (int d = 0; d < x->dim; d++) {
            out->w[d] = (float)(w[d] * scale);
            out->bias -= w[d] * scale * (double)x->centre[d];
        }
    }
    close_fit(&f);
    free(w);
    return failed ? -1 : 0;
}

int ks_teach(ks_taught *out, const ks_examples *x, ks_error *e)
{
    assert(out && x);
    double *c = malloc((size_t)x->n * (size_t)x->dim * sizeof *c + 1), scale, shift = 0;
    problem p = {0};
    int yes = 0, failed;

    assert(x->dim > 0);
    *out = (ks_taught){.lambda = few_penalty, .ap = -1, .ap_low = -1, .ap_high = -1};
    for (int i = 0; i < x->n; i++) yes += x->yes[i] != 0;
    if (yes == 0 || yes == x->n) {
        free(c);
        return ks_fail(e, KS_EUSAGE, "a label is taught by examples of both: --yes and --no");
    }
    failed = !c || !(out->w = malloc((size_t)x->dim * sizeof *out->w));
    if (!failed) {
        scale = centred(c, x);
        failed = reduce(&p, c, x) < 0 || (can_say(x) && validate(out, &shift, &p, x) < 0) ||
                 learn(out, &p, c, scale, shift, x) < 0;
    }
    free(p.x);
    free(c);
    return failed ? ks_fail(e, KS_ENOMEM, "no memory for examples") : 0;
}
