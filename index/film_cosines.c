/* film_cosines.c - the cosines of one film's clips from the search copies, without SQLite. */
#include "index/mapped_segments.h"
#include "index/score.h"

#include <assert.h>
#include <stdlib.h>

int64_t ks_index_film_cosines(float **out, ks_index *x, const float *q, int queries, int dim,
                              int64_t video)
{
    const ks_segment *s = NULL;
    const ks_video_run *run = NULL;

    assert(out && x && q && queries > 0);
    *out = NULL;
    if (!x->segments || x->segments->distrusted) return 0;
    for (int i = 0; i < x->segments->n; i++) {
        const ks_video_run *found = ks_segment_run(&x->segments->at[i], video);
        if (found && run) return 0;
        if (found) run = found, s = &x->segments->at[i];
    }
    if (!run || s->header.dim != (uint32_t)dim || run->count > INT32_MAX) return 0;
    *out = malloc((size_t)queries * (size_t)run->count * sizeof **out);
    if (!*out) return KS_ENOMEM;
    ks_score_many(*out, q, queries, s->half + (size_t)run->first * (size_t)dim, dim,
                  (int)run->count, ks_cpu_best());
    return run->count;
}
