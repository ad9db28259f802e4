/* ask_curve.c - one question along one film, and along each moment of an answer; and borders of
 * moments by it. */
#include "session/session.h"

#include "session/open.h"

#include <assert.h>
#include <stdlib.h>

static int look_along(ks_curve *out, ks_session *s, const ks_asked *a, int64_t video, ks_error *e)
{
    const ks_scale *scale;
    ks_curve_part part = {.video = video, .vector_query = a->o.vector_query};
    int err = ks_session_scale(&scale, s, e);

    return err < 0 ? err : ks_query_curve(out, s->x, scale, a->q, &part, e);
}

int ks_ask_curve(ks_curve *out, ks_session *s, const ks_question *q, ks_error *e)
{
    assert(out && s && q);
    ks_asked a = {0};
    int64_t video = 0;
    int err;

    assert(q->in);
    *out = (ks_curve){0};
    if ((err = ks_find_video(&video, s->x, q->in, e)) == 0) err = ks_question_vectors(&a, s, q, e);
    if (err == 0 && a.terms)
        err = ks_fail(e, KS_EUSAGE, "a curve has one vector: words with --plus and --minus");
    if (err == 0 && (err = ks_index_snapshot(s->x, e)) == 0) {
        err = look_along(out, s, &a, video, e);
        ks_index_release(s->x);
    }
    free(a.q);
    free(a.terms);
    return err;
}

int ks_explain(ks_curve *curves, ks_session *s, const ks_scale *scale, const ks_asked *a,
               const ks_hits *hits, ks_error *e)
{
    int n = hits->count + hits->below, err = 0;

    for (int i = 0; i < n && err == 0; i++) {
        const ks_hit *h = &hits->at[i];
        ks_curve_part part = {
            .video = h->video, .from = h->start, .to = h->end, .vector_query = a->o.vector_query};
        err = ks_query_curve(&curves[i], s->x, scale, a->q, &part, e);
    }
    return err;
}

int ks_refine(ks_hits *hits, ks_session *s, const ks_scale *scale, const ks_asked *a, ks_error *e)
{
    enum { AROUND = 40 }; /* seconds: a moment may be longer than the clips that were joined */
    int n = hits->count + hits->below, err = 0;

    for (int i = 0; i < n && err == 0; i++) {
        ks_hit *h = &hits->at[i];
        int64_t around = (int64_t)AROUND * h->tb.den / h->tb.num;
        ks_curve_part part = {.video = h->video,
                              .from = h->start - around,
                              .to = h->end + around,
                              .vector_query = a->o.vector_query,
                              .changes = 1};
        ks_curve c = {0};
        if ((err = ks_query_curve(&c, s->x, scale, a->q, &part, e)) == 0)
            ks_curve_bounds(&h->start, &h->end, &h->best, &c);
        ks_curve_free(&c);
    }
    return err;
}
