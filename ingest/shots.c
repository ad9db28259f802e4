/* shots.c - the detector: what is decided when, and handed out. See shots.h.
 * Decided by: measured over films made from 48 real clips, tests/shots_films.py; figures in the
 * commits. */
#include "ingest/shots.h"

#include "ingest/shots_looks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* seconds of later frames a decision needs: a dip half a second on, and a cut after it */
static const double LAG = 2.1;
/* frames closer than this to the last one looked at are passed by */
static const double FASTEST = 1.0 / 70;

typedef struct {
    int64_t number;
    int64_t look; /* index of its look, -1: passed by */
    int broken;
} queued;

struct ks_shots {
    ks_shots_decided *decided;
    void *arg;
    ks_looks past;
    queued *queue;
    size_t head, n, room;
};

int ks_shots_open(ks_shots **out, ks_shots_decided *decided, void *arg, ks_error *e)
{
    *out = NULL;
    ks_shots *s = calloc(1, sizeof *s);
    if (s) s->past.ring = malloc(KS_LOOKS * sizeof *s->past.ring);
    if (!s || !s->past.ring) {
        free(s);
        return ks_fail(e, KS_ENOMEM, "no memory for the shot detector");
    }
    s->decided = decided;
    s->arg = arg;
    s->past.last_border = -INFINITY;
    s->past.plain_from = -1;
    *out = s;
    return 0;
}

void ks_shots_close(ks_shots *s)
{
    if (!s) return;
    free(s->past.ring);
    free(s->queue);
    free(s);
}

static void decide(ks_looks *p, int64_t k)
{
    ks_look *l = ks_look_at(p, k);
    if (l->broken) {
        p->first = k;
        p->plain_from = -1;
        p->leaving = 0;
        return;
    }
    int64_t plain_from = p->plain_from;
    int cut = ks_look_is_cut(p, k), fade = ks_look_is_fade(p, k);
    int dissolve = !cut && !fade && ks_look_is_dissolve(p, k);
    if (cut) l->border = KS_PLAN_CUT;
    if (dissolve) l->lasts = ks_look_dissolve_lasts(p, k);
    if (cut || dissolve || fade) p->last_border = l->t, p->last_after = l->lasts.after;
    /* The rest is not last_after: another dissolve may follow at once. */
    if (dissolve) l->lasts = ks_look_contrast_lasts(p, k, l->lasts);
    if (!cut && fade) l->lasts = ks_look_fade_lasts(p, k, plain_from);
    if (!cut && (dissolve || fade)) l->border = KS_PLAN_SOFT;
}

/* Hands out what is decided: all frames before the first undecided look. */
static int hand_out(ks_shots *s, ks_error *e)
{
    const ks_looks *p = &s->past;
    while (s->n > 0) {
        const queued *q = &s->queue[s->head];
        if (q->look >= p->next) break;
        if (q->look < 0 && p->next < p->n && ks_look_at(p, p->next)->number < q->number) break;
        const ks_look *l = q->look >= 0 ? ks_look_at(p, q->look) : NULL;
        ks_plan_border border = q->broken ? KS_PLAN_BREAK
                                : l       ? (ks_plan_border)l->border
                                          : KS_PLAN_ON;
        int err = s->decided(s->arg, q->number, border, l ? l->lasts : (ks_shots_blend){0, 0}, e);
        s->head++;
        s->n--;
        if (err < 0) return err;
    }
    return 0;
}

/* All looks up to `seconds`, but for the newest `looks` ones. */
static int decide_until(ks_shots *s, double seconds, int64_t looks, ks_error *e)
{
    ks_looks *p = &s->past;
    for (; p->next < p->n; p->next++) {
        if (ks_look_at(p, p->next)->t > seconds || p->next + looks >= p->n) break;
        decide(p, p->next);
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

int ks_shots_frame(ks_shots *s, int64_t number, double seconds, const uint8_t *small, int broken,
                   ks_error *e)
{
    ks_looks *p = &s->past;
    int err = 0;
    if (broken) err = decide_until(s, INFINITY, 0, e);
    if (err < 0) return err;
    if (!broken && p->n > 0 && seconds - ks_look_at(p, p->n - 1)->t < FASTEST)
        return enqueue(s, &(queued){number, -1, 0}, e);
    if (p->n - p->next >= KS_LOOKS - 64) err = decide_until(s, INFINITY, KS_LOOKS / 2, e);
    if (err < 0) return err;
    err = enqueue(s, &(queued){number, p->n, broken}, e);
    if (err < 0) return err;
    ks_looks_add(p, &(ks_look_facts){number, seconds, broken || p->n == 0}, small);
    return decide_until(s, seconds - LAG, 4, e);
}

int ks_shots_end(ks_shots *s, ks_error *e) { return decide_until(s, INFINITY, 0, e); }
