/* indexer_progress.c - how far the indexer is: for the screen, for `status`, for the summary. */
#include <time.h>
#include <unistd.h>

#include "ingest/active.h"

static int64_t bytes_so_far(const ks_indexer *k)
{
    double part = (double)k->bytes_done;
    for (int i = 0; i < k->n_active; i++) {
        const ks_active *a = k->active[i];
        double done = a->total > 0 ? a->seconds / a->total : 0;
        part += (double)a->job->place.stat.size * (done < 1 ? done : 1);
    }
    return (int64_t)part;
}

static double video_seconds(const ks_indexer *k)
{
    double s = k->sum->video_seconds;
    for (int i = 0; i < k->n_active; i++) s += k->active[i]->seconds;
    return s;
}

int ks_indexer_write_progress(ks_indexer *k, ks_error *e)
{
    ks_progress p = {.pid = getpid(),
                     .updated = (int64_t)time(NULL),
                     .files = k->settled,
                     .files_total = (int64_t)k->triage->n_jobs,
                     .clips = k->sum->clips,
                     .bytes = bytes_so_far(k),
                     .bytes_total = k->triage->bytes,
                     .video_seconds = video_seconds(k),
                     .wall_seconds = ks_monotonic() - k->began};
    p.started = p.updated - (int64_t)p.wall_seconds;
    if (k->n_active > 0)
        snprintf(p.path, sizeof p.path, "%s", k->active[k->n_active - 1]->job->place.path);
    k->progress_at = ks_monotonic();
    return ks_progress_write(k->x, &p, e);
}

void ks_indexer_count_begun(ks_indexer *k)
{
    for (int i = 0; i < k->n_active; i++) {
        if (k->active[i]->clips == 0) continue;
        k->sum->begun++;
        k->sum->video_seconds += k->active[i]->seconds;
    }
}

int ks_indexer_note(ks_indexer *k, ks_error *e)
{
    return ks_monotonic() - k->progress_at > 5 ? ks_indexer_write_progress(k, e) : 0;
}

void ks_indexer_progress(ks_indexer *k, int always)
{
    double now = ks_monotonic();
    if (!k->o->event || (!always && now - k->said < 0.2)) return;
    k->said = now;
    int64_t bytes = bytes_so_far(k);
    const ks_ingest_summary *s = k->sum;
    ks_progress_event p = {.clips = s->clips,
                           .files = k->settled,
                           .jobs = (int64_t)k->triage->n_jobs,
                           .video_seconds = video_seconds(k),
                           .wall_seconds = now - k->began};
    if (k->n_active > 0) {
        const ks_active *a = k->active[k->n_active - 1];
        p.path = a->job->place.path;
        p.seconds = a->seconds;
        p.seconds_left = a->total > a->seconds ? a->total - a->seconds : 0;
    }
    if (bytes > 0)
        p.video_seconds_total = p.video_seconds * (double)k->triage->bytes / (double)bytes;
    if (p.wall_seconds > 0) p.x_realtime = p.video_seconds / p.wall_seconds;
    ks_say(k->o, &(ks_event){.kind = KS_EVENT_PROGRESS, .u.progress = p});
}
