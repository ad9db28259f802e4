/* doubt.c - what a GPU encoded is believed once a later sample holds (encoder.h, ks_gpu_trust).
 *
 * Ids of clips grow, so one number tells which are not proven yet: the first such, a setting of the
 * library, written with the clips themselves. It moves on where a sample has held since, is gone
 * at the end of a run, whose newest clip is a sample, and stays where a run is killed: the next one
 * encodes those clips again, as this one does where a sample does not hold. Of several GPUs each
 * has a number, and the library the least of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/indexer.h"

static const char doubt_key[] = "ingest.unproven",
                  reason[] = "a GPU's clips were not proven; the next ingest encodes them again";

static int put(ks_index *x, int64_t first, ks_error *e)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)first);
    return ks_index_put(x, doubt_key, first ? text : NULL, first ? (size_t)n : 0, e);
}

/* *first 0: every clip is proven. A number that is none doubts nothing. */
static int get(int64_t *first, ks_index *x, ks_error *e)
{
    char text[24] = "";
    void *data = NULL;
    size_t bytes = 0;
    int err = ks_index_get(&data, &bytes, x, doubt_key, e);
    if (err == 0 && data)
        snprintf(text, sizeof text, "%.*s", (int)(bytes < 20 ? bytes : 20), (const char *)data);
    free(data);
    *first = strtoll(text, NULL, 10);
    return err < 0 ? err : 0;
}

/* Of all cards', where c's is `first`; 0: none has one. */
static int64_t least(const ks_indexer *k, const ks_card *c, int64_t first)
{
    for (int i = 0; i < k->cards; i++) {
        int64_t its = &k->card[i] == c ? 0 : k->card[i].unproven;
        if (its && (!first || its < first)) first = its;
    }
    return first;
}

/* Away with the clips from `first` on, and with the number: `left` in its place. */
static int drop(int64_t *n, ks_index *x, int64_t first, int64_t left, ks_error *e)
{
    int err = ks_index_begin(x, e);
    if (err < 0) return err;
    err = ks_index_drop_since(n, x, first, reason, e);
    if (err == 0) err = put(x, left, e);
    return ks_index_end(x, err, e);
}

static void say_dropped(const ks_indexer *k, int64_t n)
{
    if (n > 0) ks_say(k->o, &(ks_event){.kind = KS_EVENT_DOUBTED, .u.doubted = {n}});
}

int ks_doubt_begin(ks_indexer *k, ks_error *e)
{
    int64_t first = 0, n = 0;
    int err = get(&first, k->x, e);
    if (err == 0 && first > 0) err = drop(&n, k->x, first, 0, e);
    if (err == 0) say_dropped(k, n);
    return err;
}

static ks_gpu_trust trust_of(const ks_card *c)
{
    ks_gpu_trust t = {0};
    if (c->embedder.enc) ks_gpu_trusted(&t, c->embedder.enc);
    return t;
}

int ks_doubt_note(int64_t *first, ks_indexer *k, ks_card *c, ks_error *e)
{
    ks_gpu_trust t = trust_of(c);
    *first = c->unproven;
    if (c->unproven && t.held == c->held) return 0;
    if (!t.on_gpu && !c->unproven) return 0;
    int err = t.on_gpu ? ks_index_next_clip(first, k->x, e) : 0;
    if (!t.on_gpu) *first = 0;
    c->held = t.held;
    return err < 0 ? err : put(k->x, least(k, c, *first), e);
}

int ks_doubt_is_due(const ks_card *c) { return !c->missed && trust_of(c).missed; }

/* The film's verdict was counted, and is to come once more. */
static void uncount(ks_indexer *k, const ks_job_file *job)
{
    ks_ingest_summary *s = k->sum;
    int64_t *const counted[] = {NULL, &s->indexed, &s->partly, &s->skipped, &s->failed};
    if (job->verdict != KS_VERDICT_NONE) --*counted[job->verdict];
    s->video_seconds -= job->seconds;
    s->moved -= job->n_also;
    k->bytes_done -= job->place.stat.size;
    k->settled--;
}

/* Whether the film of a job lost clips, or the job believes in some that are gone. */
static int is_hit(const ks_indexer *k, const ks_job_file *job, int64_t first, ks_error *e)
{
    ks_video v;
    if (!job->video) return 0;
    for (int i = 0; i < job->n_have; i++)
        if (job->have[i].id >= first) return 1;
    if (!job->over && !k->clip_queue->survey) return 0; /* the indexer has what is at work */
    int err = ks_index_video(&v, k->x, job->video, e);
    return err == KS_ENOTFOUND ? 0 : err < 0 ? err : (v.flags & KS_VIDEO_LOST) != 0;
}

int ks_doubt_drop(ks_indexer *k, ks_card *c, ks_error *e)
{
    int64_t n = 0, first = c->unproven;
    c->missed = k->anew = 1;
    c->unproven = 0;
    if (!first) return 0;
    int err = drop(&n, k->x, first, least(k, c, 0), e);
    k->sum->clips -= n;
    for (size_t i = 0; i < k->triage->n_jobs && err == 0; i++) {
        ks_job_file *job = &k->triage->jobs[i];
        int hit = is_hit(k, job, first, e);
        if (hit < 0) return hit;
        if (!hit) continue;
        job->anew = k->pass;
        if (job->over) uncount(k, job);
        job->over = 0;
    }
    if (err == 0) say_dropped(k, n);
    return err;
}

int ks_doubt_end(ks_indexer *k, ks_error *e)
{
    if (!least(k, NULL, 0)) return 0;
    for (int i = 0; i < k->cards; i++) k->card[i].unproven = 0;
    return put(k->x, 0, e);
}
