/* moment_vector.c - a moment of a film as a vector, and the middle of a library. */
#include "query/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t shared(const ks_clip *c, int64_t start, int64_t end)
{
    int64_t from = c->start > start ? c->start : start, to = c->end < end ? c->end : end;
    return to - from;
}

/* The clip, or the moment, lies by half in the other. */
static int goes_with(const ks_clip *c, int64_t start, int64_t end)
{
    int64_t shorter = c->end - c->start < end - start ? c->end - c->start : end - start;
    return 2 * shared(c, start, end) >= shorter;
}

static int add(float *v, float *one, int dim, ks_index *x, int64_t clip, ks_error *e)
{
    int err = ks_index_clip_vector(one, dim, x, clip, e);

    if (err == KS_EDAMAGED) /* a rotten one is left out */
        return 0;
    for (int d = 0; d < dim && err == 0; d++) v[d] += one[d];
    return err < 0 ? err : 1;
}

int ks_moment_vector(float *v, ks_index *x, int dim, int64_t video, int64_t start, int64_t end,
                     ks_error *e)
{
    assert(v && x && dim > 0 && start <= end);
    ks_filter f = {.video = video};
    ks_cursor *c = NULL;
    ks_clip clip;
    int64_t best = 0, most = 0;
    float *one = malloc((size_t)dim * sizeof *one);
    int n = 0,
        err = one ? ks_index_clips(&c, x, &f, e) : ks_fail(e, KS_ENOMEM, "no memory for a moment");
    double length;

    memset(v, 0, (size_t)dim * sizeof *v);
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0) {
        if (shared(&clip, start, end) > most) {
            most = shared(&clip, start, end);
            best = clip.id;
        }
        if (goes_with(&clip, start, end) && (err = add(v, one, dim, x, clip.id, e)) > 0) n++;
    }
    ks_cursor_close(c);
    if (err == 0 && n == 0 && best) err = n = add(v, one, dim, x, best, e);
    length = sqrt(ks_dot(v, v, dim));
    for (int d = 0; d < dim; d++) v[d] = (float)(v[d] / fmax(length, 1e-12));
    free(one);
    return err < 0 ? err : n > 0;
}

int ks_centre(float *centre, ks_index *x, int dim, ks_error *e)
{
    assert(centre && x && dim > 0);
    enum { SAMPLE = 512 };
    ks_clip *clips = malloc(SAMPLE * sizeof *clips);
    float *one = malloc((size_t)dim * sizeof *one);
    int n = 0, kept = 0,
        err = clips && one ? ks_index_sample(clips, &n, SAMPLE, x, e)
                           : ks_fail(e, KS_ENOMEM, "no memory for a sample");

    memset(centre, 0, (size_t)dim * sizeof *centre);
    for (int i = 0; i < n && err >= 0; i++) {
        err = add(centre, one, dim, x, clips[i].id, e);
        kept += err > 0;
    }
    for (int d = 0; d < dim && kept; d++) centre[d] /= (float)kept;
    free(one);
    free(clips);
    return err < 0 ? err : 0;
}
