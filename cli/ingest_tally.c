/* ingest_tally.c - see ingest_tally.h. */
#include "cli/ingest_tally.h"

#include <assert.h>
#include <stdlib.h>

static void keep(const ks_tally *t)
{
    char said[KS_FAULT_SAID];
    snprintf(said, sizeof said, "%lld %lld %lld %lld %lld %lld %.3f %lld", t->clips, t->indexed,
             t->partly, t->skipped, t->moved, t->gone, t->seconds, t->since);
    ks_fault_keep(said);
}

void ks_tally_read(ks_tally *t, const ks_fault *before)
{
    if (sscanf(before->said, "%lld %lld %lld %lld %lld %lld %lf %lld", &t->clips, &t->indexed,
               &t->partly, &t->skipped, &t->moved, &t->gone, &t->seconds, &t->since) != 8)
        *t = (ks_tally){.since = -1};
}

/* Films that searches see since `since`, each once. */
static int count_films(ks_tally *t, ks_index *x, ks_error *e)
{
    ks_cursor *c;
    ks_video v;
    int64_t last = 0;
    int code = ks_index_files(&c, x, &(ks_filter){.newer = t->since}, e);
    while (code >= 0 && (code = ks_files_next(&v, c, e)) > 0) {
        if (v.id == last) continue;
        last = v.id;
        t->indexed += v.verdict == KS_VERDICT_INDEXED;
        t->partly += v.verdict == KS_VERDICT_PARTLY;
        t->seconds += ks_seconds(v.duration, v.tb);
    }
    ks_cursor_close(c);
    return code;
}

static int count_clips(ks_tally *t, ks_index *x, ks_error *e)
{
    ks_cursor *c;
    ks_clip clip;
    int code = ks_index_clips(&c, x, &(ks_filter){.newer = t->since}, e);
    while (code >= 0 && (code = ks_clips_next(&clip, c, e)) > 0) t->clips++;
    ks_cursor_close(c);
    return code;
}

/* A fault while a film was being committed: it is in, and nobody was told. What was told may be
 * more, too: a film that was surveyed and then came in whole. */
int ks_tally_complete(ks_tally *t, ks_index *x, ks_error *e)
{
    ks_tally in = {.since = t->since};
    ks_library *library = malloc(sizeof *library);
    if (!library) return ks_fail(e, KS_ENOMEM, "no memory");
    int code = ks_index_library(library, x, e);
    if (code >= 0 && t->since < 0) t->since = library->generation;
    else if (code >= 0) code = count_films(&in, x, e);
    if (code >= 0 && in.since >= 0) code = count_clips(&in, x, e);
    free(library);
    if (code < 0) return code;
    if (in.clips > t->clips) {
        t->clips = in.clips;
        t->indexed = in.indexed;
        t->partly = in.partly;
        t->seconds = in.seconds;
    }
    keep(t);
    return 0;
}

void ks_tally_count(ks_tally *t, const ks_file_event *v)
{
    assert(t && v);
    int in = v->verdict == KS_FILE_INDEXED || v->verdict == KS_FILE_PARTLY;
    t->indexed += v->verdict == KS_FILE_INDEXED;
    t->partly += v->verdict == KS_FILE_PARTLY;
    t->skipped += v->verdict == KS_FILE_SKIPPED;
    t->moved += v->verdict == KS_FILE_MOVED || v->verdict == KS_FILE_COPIED;
    t->gone += v->verdict == KS_FILE_GONE;
    t->clips += in ? v->clips : 0;
    t->seconds += in ? v->seconds : 0;
    keep(t);
}

void ks_tally_add(ks_ingest_summary *sum, const ks_tally *t)
{
    assert(sum && t);
    sum->clips += t->clips;
    sum->indexed += t->indexed;
    sum->partly += t->partly;
    sum->skipped += t->skipped;
    sum->moved += t->moved;
    sum->gone += t->gone;
    sum->video_seconds += t->seconds;
}
