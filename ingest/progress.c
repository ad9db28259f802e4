/* progress.c - how far an ingest is: events for the caller, and a row in the catalog for `status`
 * elsewhere. */
#include "ingest/jobs.h"
#include "ingest/indexer.h"

#include <stdlib.h>
#include <string.h>

static const char key[] = "ingest.progress";

const char *ks_file_verdict_name(ks_file_verdict verdict)
{
    static const char *const names[] = {
        [KS_FILE_INDEXED] = "indexed",     [KS_FILE_PARTLY] = "partly",
        [KS_FILE_UNCHANGED] = "unchanged", [KS_FILE_MOVED] = "moved",
        [KS_FILE_COPIED] = "copied",       [KS_FILE_SKIPPED] = "skipped",
        [KS_FILE_FAILED] = "failed",       [KS_FILE_GONE] = "gone"};
    return names[verdict];
}

void ks_say(const ks_ingest_options *o, const ks_event *event)
{
    if (o->event) o->event(o->event_arg, event);
}

void ks_say_file(const ks_ingest_options *o, const ks_file_event *file)
{
    ks_event event = {.kind = KS_EVENT_FILE, .u.file = *file};
    if (!file->reason) event.u.file.reason = "";
    ks_say(o, &event);
}

/* Stored as text, a line a field, so that any SQL tool can read it. */
int ks_progress_write(ks_index *x, const ks_progress *p, ks_error *e)
{
    char text[5000];
    if (!p) return ks_index_put(x, key, NULL, 0, e);
    int n = snprintf(text, sizeof text,
                     "pid %lld\nstarted %lld\nupdated %lld\nfiles %lld\nfiles_total %lld\nclips "
                     "%lld\nbytes %lld\n"
                     "bytes_total %lld\nvideo_seconds %.3f\nwall_seconds %.3f\npath %s",
                     (long long)p->pid, (long long)p->started, (long long)p->updated,
                     (long long)p->files, (long long)p->files_total, (long long)p->clips,
                     (long long)p->bytes, (long long)p->bytes_total, p->video_seconds,
                     p->wall_seconds, p->path);
    return ks_index_put(x, key, text, (size_t)(n < (int)sizeof text ? n : (int)sizeof text - 1), e);
}

int ks_ingest_progress(ks_progress *out, ks_index *x, ks_error *e)
{
    void *data = NULL;
    size_t bytes = 0;
    long long v[8] = {0};
    char text[5000];
    memset(out, 0, sizeof *out);
    int err = ks_index_get(&data, &bytes, x, key, e);
    if (err < 0 || !data) return err;
    bytes = bytes < sizeof text ? bytes : sizeof text - 1;
    memcpy(text, data, bytes);
    text[bytes] = 0;
    free(data);
    int got = sscanf(text,
                     "pid %lld\nstarted %lld\nupdated %lld\nfiles %lld\nfiles_total %lld\nclips "
                     "%lld\nbytes %lld\nbytes_total %lld\n"
                     "video_seconds %lf\nwall_seconds %lf",
                     &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &out->video_seconds,
                     &out->wall_seconds);
    if (got != 10) return 0;
    out->pid = v[0];
    out->started = v[1];
    out->updated = v[2];
    out->files = v[3];
    out->files_total = v[4];
    out->clips = v[5];
    out->bytes = v[6];
    out->bytes_total = v[7];
    const char *path = strstr(text, "\npath ");
    if (path) snprintf(out->path, sizeof out->path, "%s", path + 6);
    return 1;
}

void ks_at_work(const ks_ingest_options *o, const char *path)
{
    if (o->at_work) o->at_work(o->at_work_arg, path);
}
