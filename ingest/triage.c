/* triage.c - who is new, changed, moved, copied, a hard link, or as it was.
 *
 * A path whose size, mtime and inode are as stored is not opened. Any other is opened, and its
 * content decides. Paths are written at the end, all in one transaction, so that two files that
 * swapped names lose nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "ingest/jobs.h"
#include "ingest/sameness.h"
#include "ingest/words.h"

typedef struct ks_path_change {
    ks_place place;
    int64_t video, old; /* old: the video that this path named before; 0 none */
    char *drop;         /* a path that is no more; NULL none */
    uint64_t full;      /* to be written down for video; 0 none */
    /* why no film can be had here: a row that says so, and no video; NULL none */
    char *odd;
} change;

static int no_memory(ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "no memory for the list of files");
}

static void free_job(ks_job_file *j)
{
    for (int i = 0; i < j->n_also; i++) free(j->also[i].path);
    free(j->also);
    free(j->place.path);
    free(j->have);
    free(j->planned);
    free((void *)(uintptr_t)j->keys.at);
}

void ks_triage_free(ks_triage *t)
{
    for (size_t i = 0; i < t->n_jobs; i++) free_job(&t->jobs[i]);
    for (size_t i = 0; i < t->n_change; i++) {
        free(t->change[i].place.path);
        free(t->change[i].drop);
        free(t->change[i].odd);
    }
    free(t->jobs);
    free(t->change);
    ks_lookup_free(&t->by_content);
    free(t->renumbered);
    ks_lookup_free(&t->by_drop);
}

static int copy_place(ks_place *to, const ks_met *met)
{
    *to = (ks_place){strdup(met->path), met->stat};
    return to->path ? 0 : -1;
}

static uint64_t content_hash(const uint8_t content[KS_CONTENT])
{
    return XXH64(content, KS_CONTENT, 0);
}

/* The job of this content; NULL: none has it. */
static ks_job_file *job_of(const ks_triage *t, const uint8_t content[KS_CONTENT])
{
    for (size_t at = 0, i; ks_lookup_next(&i, &at, &t->by_content, content_hash(content));)
        if (memcmp(t->jobs[i].content, content, KS_CONTENT) == 0) return &t->jobs[i];
    return NULL;
}

int ks_triage_have(ks_job_file *job, ks_index *x, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_filter filter = {.video = job->video, .unfinished_too = 1};
    ks_clip clip;
    int room = 0;
    free(job->have);
    free(job->planned);
    job->have = NULL;
    job->planned = NULL;
    job->n_have = 0;
    if (!job->video) return 0;
    int r = ks_index_clips(&cursor, x, &filter, e);
    if (r < 0) return r;
    while ((r = ks_clips_next(&clip, cursor, e)) == 1 || r == KS_EDAMAGED) {
        if (r < 0) continue; /* a rotten row: it is encoded again */
        if (job->n_have == room) {
            room = room ? 2 * room : 64;
            ks_clip *more = reallocarray(job->have, (size_t)room, sizeof *more);
            if (!more) {
                r = no_memory(e);
                break;
            }
            job->have = more;
        }
        job->have[job->n_have++] = clip;
    }
    ks_cursor_close(cursor);
    if (r < 0) return r;
    job->planned = calloc((size_t)job->n_have + 1, 1);
    return job->planned ? 0 : no_memory(e);
}

/* 1: all bytes of met are those of the job. The parts are equal; where the times are not,
 * everything is read. */
static int same_bytes(uint64_t *full, ks_job_file *j, const ks_met *met)
{
    ks_error why;
    if (j->place.stat.mtime_ns == met->stat.mtime_ns || ks_stat_one_file(j->place.stat, met->stat))
        return 1;
    if (!j->full && ks_sameness_hash(&j->full, j->place.path, NULL, &why) < 0) return 1;
    return ks_sameness_hash(full, met->path, NULL, &why) < 0 || *full == j->full;
}

/* The same content under another path of this run. */
static int add_also(ks_job_file *j, const ks_met *met, ks_error *e)
{
    if (strcmp(j->place.path, met->path) == 0) return 0;
    ks_place *also = reallocarray(j->also, (size_t)j->n_also + 1, sizeof *also);
    if (!also) return no_memory(e);
    j->also = also;
    if (copy_place(&also[j->n_also], met) < 0) return no_memory(e);
    j->n_also++;
    return 0;
}

static int add_job(ks_triage *t, const ks_met *met, const ks_job_file *as, const ks_video *known,
                   ks_error *e)
{
    ks_job_file *same = job_of(t, as->content);
    if (same) {
        ks_job_file other = *as;
        if (same_bytes(&other.full, same, met)) return add_also(same, met, e);
        ks_identity_mix(other.content, other.full);
        return add_job(t, met, &other, NULL, e);
    }
    if (t->n_jobs == t->jobs_room) {
        size_t room = t->jobs_room ? 2 * t->jobs_room : 256;
        ks_job_file *jobs = reallocarray(t->jobs, room, sizeof *jobs);
        if (!jobs) return no_memory(e);
        t->jobs = jobs;
        t->jobs_room = room;
    }
    ks_job_file *j = &t->jobs[t->n_jobs];
    *j = (ks_job_file){.video = known ? known->id : 0,
                       .attempts = known ? known->attempts : 0,
                       .named = met->named,
                       .glance = known && known->flags & KS_VIDEO_GLANCE &&
                                 known->space == t->space,
                       .full = as->full};
    memcpy(j->content, as->content, KS_CONTENT);
    if (copy_place(&j->place, met) < 0) return no_memory(e);
    int err = t->o->dry_run ? 0 : ks_triage_have(j, t->x, e);
    if (err == 0 && ks_lookup_put(&t->by_content, content_hash(j->content), t->n_jobs) < 0)
        err = no_memory(e);
    if (err < 0) {
        free_job(j);
        return err;
    }
    t->n_jobs++;
    t->bytes += met->stat.size;
    return 0;
}

static uint64_t path_hash(const char *path) { return XXH64(path, strlen(path), 0); }

static int add_change(ks_triage *t, const ks_met *met, int64_t video, int64_t old, const char *drop,
                      ks_error *e)
{
    if (t->n_change == t->change_room) {
        size_t room = t->change_room ? 2 * t->change_room : 256;
        change *more = reallocarray(t->change, room, sizeof *more);
        if (!more) return no_memory(e);
        t->change = more;
        t->change_room = room;
    }
    change *c = &t->change[t->n_change];
    *c = (change){
        .video = video, .old = old == video ? 0 : old, .drop = drop ? strdup(drop) : NULL};
    if (copy_place(&c->place, met) < 0 || (drop && !c->drop)) return no_memory(e);
    t->n_change++;
    return drop && ks_lookup_put(&t->by_drop, path_hash(drop), t->n_change - 1) < 0 ? no_memory(e)
                                                                                    : 0;
}

/* The same file, by its inode, on a disk of another number: it is the disk that it was written
 * down with, after a start of the system. A copy at its path would say nothing: somebody may
 * have written to where the disk is mounted at other times. */
static int note_device(ks_triage *t, const ks_met *met, const ks_video *v, ks_error *e)
{
    if (v->stat.device == met->stat.device) return 0;
    for (size_t i = 0; i < t->n_renumbered; i++)
        if (t->renumbered[i][0] == v->stat.device && t->renumbered[i][1] == met->stat.device)
            return 0;
    uint64_t(*more)[2] = reallocarray(t->renumbered, t->n_renumbered + 1, sizeof *more);
    if (!more) return no_memory(e);
    t->renumbered = more;
    more[t->n_renumbered][0] = v->stat.device;
    more[t->n_renumbered++][1] = met->stat.device;
    return 0;
}

/* 1: nothing more is to be done for this video. */
static int is_done(const ks_triage *t, const ks_video *v)
{
    if (v->verdict == KS_VERDICT_NONE || v->flags & (KS_VIDEO_LOST | KS_VIDEO_SURVEY)) return 0;
    if (v->verdict == KS_VERDICT_FAILED) return v->attempts >= 2;
    /* odd ones are looked at again */
    if (v->verdict == KS_VERDICT_SKIPPED) return v->content[0] != 0xff || v->content[7] != 0xff;
    return v->space == t->space;
}

static void say_unchanged(ks_triage *t, const char *path, const ks_video *v)
{
    t->sum->unchanged++;
    ks_say_file(t->o,
                &(ks_file_event){.path = path,
                                 .verdict = KS_FILE_UNCHANGED,
                                 .was = v->verdict,
                                 .reason = v->reason,
                                 .seconds = v->tb.den > 0 ? ks_seconds(v->duration, v->tb) : 0,
                                 .seconds_missing = v->seconds_missing});
}

/* The row of what is no readable regular file; other rows lose this path to it. */
static int write_odd(ks_triage *t, const ks_place *place, const char *reason, ks_error *e)
{
    ks_video v = {.path = place->path, .stat = place->stat};
    uint64_t stand_in = v.stat.inode ? v.stat.inode : XXH64(place->path, strlen(place->path), 0);
    ks_identity_of_place(v.content, v.stat.device, stand_in);
    int err = ks_index_begin(t->x, e);
    if (err < 0) return err;
    err = ks_index_add_video(&v.id, t->x, &v, e);
    v.verdict = KS_VERDICT_SKIPPED;
    v.reason = reason;
    v.tb = (ks_timebase){1, 1};
    if (err == 0) err = ks_index_end_video(t->x, &v, e);
    return ks_index_end(t->x, err, e);
}

/* 1: its row says so already. */
static int is_odd_as_before(const ks_video *known, const char *reason)
{
    return known->verdict == KS_VERDICT_SKIPPED && strcmp(known->reason, reason) == 0;
}

int ks_triage_odd(ks_triage *t, const ks_place *place, const char *reason, ks_error *e)
{
    ks_video known;
    int r = ks_index_find(&known, t->x, place->path, e);
    if (r < 0) return r;
    if (r == 1 && is_odd_as_before(&known, reason)) {
        say_unchanged(t, place->path, &known);
        return 0;
    }
    t->sum->skipped++;
    ks_say_file(
        t->o, &(ks_file_event){.path = place->path, .verdict = KS_FILE_SKIPPED, .reason = reason});
    return t->o->dry_run ? 0 : write_odd(t, place, reason, e);
}

/* The same of a path that was met. Its row is written with the paths, not before: the film that
 * had this path may be met at another one. closed: it is there and the system does not let us
 * look; of a film that was read before nothing is touched. */
static int met_odd(ks_triage *t, const ks_met *met, const char *reason, int closed, ks_error *e)
{
    ks_video known;
    char words[200];
    int r = ks_index_find(&known, t->x, met->path, e);
    if (r < 0) return r;
    if (r == 1 && is_odd_as_before(&known, reason)) {
        say_unchanged(t, met->path, &known);
        return 0;
    }
    int keep = r == 1 && closed && known.verdict != KS_VERDICT_SKIPPED;
    int64_t old = r == 1 ? known.id : 0;
    snprintf(words, sizeof words, keep ? "%.150s: nothing of it is touched" : "%.150s", reason);
    t->sum->skipped++;
    ks_say_file(t->o,
                &(ks_file_event){.path = met->path, .verdict = KS_FILE_SKIPPED, .reason = words});
    int err = keep ? 0 : add_change(t, met, 0, old, NULL, e);
    if (err < 0 || keep) return err;
    t->change[t->n_change - 1].odd = strdup(reason);
    return t->change[t->n_change - 1].odd ? 0 : no_memory(e);
}

/* Opens and identifies. 1: content is set; 0: it is no video and is not to be listed; 2: `odd`
 * says what it is. */
static int look_inside(uint8_t content[KS_CONTENT], const char **odd, const ks_triage *t,
                       const ks_met *met, int known)
{
    uint8_t head[KS_SNIFF];
    struct stat st;
    ks_error e;
    int result = 2, listed = known || met->named || ks_video_name(met->path);
    int fd = open(met->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        *odd = errno == EACCES || errno == EPERM ? "permission denied" : strerror(errno);
        return errno == ENOENT || !listed ? 0 : 2;
    }
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) *odd = "not a regular file";
    else if (n < 0) *odd = strerror(errno);
    else if (!listed && !ks_sniff_video(head, (size_t)n) &&
             !(t->o->stills && ks_sniff_still(head, (size_t)n)))
        result = 0;
    else if (ks_identity(content, fd, st.st_size, met->path, &e) < 0)
        *odd = "cannot be read to its end";
    else result = 1;
    close(fd);
    return result == 2 && !listed ? 0 : result;
}

/* 1: another path was met that takes the place of this one. */
static int is_dropped(const ks_triage *t, const char *path)
{
    for (size_t at = 0, i; ks_lookup_next(&i, &at, &t->by_drop, path_hash(path));)
        if (strcmp(t->change[i].drop, path) == 0) return 1;
    return 0;
}

/* *path: one of the video's that is not there any more, and whose place no other took; NULL:
 * none. malloc'ed. */
static int gone_path(char **path, const ks_triage *t, int64_t video, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_filter filter = {.video = video};
    ks_video v;
    struct stat st;
    *path = NULL;
    int r = ks_index_files(&cursor, t->x, &filter, e);
    while (r >= 0 && !*path && ((r = ks_files_next(&v, cursor, e)) == 1 || r == KS_EDAMAGED)) {
        int gone = r == 1 && lstat(v.path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR) &&
                   !is_dropped(t, v.path);
        r = 0;
        if (gone && !(*path = strdup(v.path))) r = no_memory(e);
    }
    ks_cursor_close(cursor);
    return r < 0 ? r : 0;
}

/* The content is in the catalog under another path. */
static int known_content(ks_triage *t, const ks_met *met, const ks_job_file *as, const ks_video *w,
                         int64_t old_video, ks_error *e)
{
    struct stat st;
    char *gone;
    int err = gone_path(&gone, t, w->id, e);
    if (err < 0) return err;
    int there = !gone && lstat(w->path, &st) == 0, done = is_done(t, w);
    int moved_on = there &&
                   ((int64_t)st.st_size != w->stat.size || (uint64_t)st.st_ino != w->stat.inode);
    int hard = there && !moved_on && ks_stat_one_file(ks_stat_of(&st), met->stat);
    if (done) {
        t->sum->moved++;
        ks_say_file(t->o,
                    &(ks_file_event){.path = met->path,
                                     .verdict = gone || moved_on ? KS_FILE_MOVED : KS_FILE_COPIED,
                                     .was = w->verdict,
                                     .reason = hard ? "hard link" : "",
                                     .seconds = w->tb.den > 0 ? ks_seconds(w->duration, w->tb) : 0,
                                     .seconds_missing = w->seconds_missing});
    }
    err = add_change(t, met, w->id, old_video, gone, e);
    if (err == 0 && !done) err = add_job(t, met, as, w, e);
    free(gone);
    return err;
}

static const char *why_odd(const ks_met *met)
{
    switch (met->kind) {
    case KS_MET_LINK:
        return met->error ? "a symbolic link to nothing" : "a symbolic link (--follow follows)";
    case KS_MET_SPECIAL: return "not a regular file";
    case KS_MET_LONG: return "its path is too long";
    case KS_MET_DENIED:
        return met->error == EACCES || met->error == EPERM ? "permission denied"
                                                           : strerror(met->error);
    default: return NULL;
    }
}

/* The bytes that this path had before, and not the times. What could not be read then may be
 * readable now. */
static int same_content(ks_triage *t, const ks_met *met, const ks_job_file *as, const ks_video *v,
                        ks_error *e)
{
    ks_video fresh = *v;
    int touched = v->stat.mtime_ns != met->stat.mtime_ns &&
                  (v->verdict == KS_VERDICT_SKIPPED || v->verdict == KS_VERDICT_FAILED);
    if (touched) fresh.attempts = 0;
    if (touched || !is_done(t, v)) return add_job(t, met, as, &fresh, e);
    say_unchanged(t, met->path, v);
    int err = add_change(t, met, v->id, 0, NULL, e);
    if (err == 0) t->change[t->n_change - 1].full = as->full;
    return err;
}

int ks_triage_file(ks_triage *t, const ks_met *met, ks_error *e)
{
    ks_video v = {0}, w;
    ks_job_file as = {0};
    const char *odd = why_odd(met);
    if (odd && !met->named && !met->folder && !ks_video_name(met->path)) {
        t->sum->other++;
        return 0;
    }
    if (odd) {
        t->sum->files++;
        return met_odd(t, met, odd, met->kind == KS_MET_DENIED && !met->folder, e);
    }
    int known = ks_index_find(&v, t->x, met->path, e);
    if (known < 0 && known != KS_EDAMAGED) return known;
    known = known == 1;
    if (known && ks_stat_untouched(v.stat, met->stat) && v.stat.inode == met->stat.inode &&
        is_done(t, &v)) {
        t->sum->files++;
        say_unchanged(t, met->path, &v);
        if (v.stat.device == met->stat.device) return 0;
        int err = note_device(t, met, &v, e);
        return err < 0 ? err : add_change(t, met, v.id, 0, NULL, e);
    }
    int r = look_inside(as.content, &odd, t, met, known);
    if (r == 0) {
        t->sum->other++;
        return 0;
    }
    t->sum->files++;
    if (r == 2) return met_odd(t, met, odd, 1, e);
    r = ks_sameness(as.content, &as.full, t->x, &(ks_place){met->path, met->stat},
                    known ? &v : NULL, e);
    if (r < 0) return r;
    if (r == 1) return met_odd(t, met, "cannot be read to its end", 1, e);
    /* its text was borrowed, and another row was looked at */
    if (known) known = ks_index_find(&v, t->x, met->path, e) == 1;
    if (known && memcmp(v.content, as.content, KS_CONTENT) == 0)
        return same_content(t, met, &as, &v, e);
    r = ks_index_find_content(&w, t->x, as.content, e);
    if (r < 0) return r;
    if (r == 1) return known_content(t, met, &as, &w, known ? v.id : 0, e);
    return add_job(t, met, &as, NULL, e);
}

static ks_video placed(const ks_place *p, int64_t video)
{
    return (ks_video){.id = video, .path = p->path, .stat = p->stat};
}

static int write_changes(ks_triage *t, ks_error *e)
{
    char hold[64];
    int err = 0;
    /* A video whose path is given to another one is held by a stand-in until all are written. */
    for (int pass = 0; pass < 3 && err >= 0; pass++)
        for (size_t i = 0; i < t->n_change && err >= 0; i++) {
            const change *c = &t->change[i];
            ks_video v = placed(&c->place, c->video);
            snprintf(hold, sizeof hold, "/.kinoseek-hold/%lld", (long long)c->old);
            if (pass == 0 && c->old) {
                v.id = c->old;
                v.path = hold;
                err = ks_index_set_path(t->x, &v, e);
            } else if (pass == 1 && c->odd) {
                err = write_odd(t, &c->place, c->odd, e);
            } else if (pass == 1) {
                err = ks_index_set_path(t->x, &v, e);
                if (err >= 0 && c->drop) err = ks_index_drop_path(t->x, c->drop, e);
                if (err >= 0 && c->full) err = ks_index_put_full_hash(t->x, c->video, c->full, e);
            } else if (pass == 2 && c->old) {
                err = ks_index_drop_path(t->x, hold, e);
            }
        }
    return err;
}

int ks_triage_settle(ks_triage *t, ks_error *e)
{
    if (t->n_change == 0 || t->o->dry_run) return 0;
    int err = ks_index_begin(t->x, e);
    if (err < 0) return err;
    return ks_index_end(t->x, write_changes(t, e), e);
}

int ks_triage_hand_over(const ks_triage *t, ks_error *e)
{
    const ks_ingest_queue *q = t->o->queue;
    int err = 0;
    if (q->begin) q->begin(q->arg, t->bytes);
    for (size_t i = 0; i < t->n_change && err >= 0; i++) {
        ks_video at = placed(&t->change[i].place, t->change[i].video);
        if (!t->change[i].odd) err = q->path(q->arg, &at, t->change[i].drop, e);
    }
    for (size_t i = 0; i < t->n_jobs && err >= 0; i++) {
        const ks_job_file *j = &t->jobs[i];
        ks_video at = placed(&j->place, j->video);
        err = q->film(q->arg, j->content, &at, e);
        for (int k = 0; k < j->n_also && err >= 0; k++) {
            at = placed(&j->also[k], j->video);
            err = q->film(q->arg, j->content, &at, e);
        }
    }
    return err < 0 ? err : 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What could never be looked at is on disk 0: nothing is lost with its row. */
static int is_disk_of(const ks_triage *t, const ks_video *v, uint64_t device)
{
    int same = v->stat.device == device || v->stat.device == 0;
    for (size_t i = 0; i < t->n_renumbered; i++)
        same |= t->renumbered[i][0] == v->stat.device && t->renumbered[i][1] == device;
    return same;
}

/* 1: the disk that held this path is there without it. An unmounted one is another device, or
 * nothing. A folder is no film: one stands where a film was, or could not be entered before and
 * can be now. */
static int is_gone(const ks_triage *t, const ks_video *v)
{
    struct stat st;
    if (lstat(v->path, &st) == 0) return S_ISDIR(st.st_mode);
    if (errno != ENOENT && errno != ENOTDIR) return 0;
    char *folder = strdup(v->path);
    int gone = 0;
    for (char *slash; folder && (slash = strrchr(folder, '/'));) {
        slash[slash == folder] = 0;
        if (stat(folder, &st) == 0) {
            gone = is_disk_of(t, v, (uint64_t)st.st_dev);
            break;
        }
        if (slash == folder) break;
    }
    free(folder);
    return gone;
}

static int drop_gone(ks_triage *t, char **gone, size_t n, ks_error *e)
{
    int err = n > 0 && !t->o->dry_run ? ks_index_begin(t->x, e) : 0;
    if (err < 0) return err;
    for (size_t i = 0; i < n; i++) {
        t->sum->gone++;
        ks_say_file(t->o, &(ks_file_event){.path = gone[i], .verdict = KS_FILE_GONE});
        if (err >= 0 && !t->o->dry_run) err = ks_index_drop_path(t->x, gone[i], e);
        if (err >= 0 && t->o->queue) err = t->o->queue->gone(t->o->queue->arg, gone[i], e);
    }
    return n > 0 && !t->o->dry_run ? ks_index_end(t->x, err, e) : err;
}

int ks_triage_empty(ks_triage *t, const char *root, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_filter filter = {0};
    ks_video v;
    int found = 0, r = ks_index_files(&cursor, t->x, &filter, e);
    while (r >= 0 && !found && ((r = ks_files_next(&v, cursor, e)) == 1 || r == KS_EDAMAGED)) {
        found = r == 1 && ks_is_folder_of(root, v.path);
        r = 0;
    }
    ks_cursor_close(cursor);
    if (found)
        ks_say_file(
            t->o,
            &(ks_file_event){
                .path = root,
                .verdict = KS_FILE_SKIPPED,
                .reason = "it is empty; its disk may not be mounted: nothing of it is touched"});
    return r < 0 ? r : 0;
}

int ks_triage_gone(ks_triage *t, const ks_met_list *all, const char *root, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_filter filter = {0};
    ks_video v;
    size_t n = 0, room = 0;
    char **gone = NULL;
    int err = 0, r;
    char **seen = malloc((all->n + t->n_change + 1) * sizeof *seen);
    if (!seen) return no_memory(e);
    size_t n_seen = all->n;
    for (size_t i = 0; i < all->n; i++) seen[i] = all->at[i].path;
    for (size_t i = 0; i < t->n_change; i++) /* moved; a dry run leaves it where it was */
        if (t->change[i].drop) seen[n_seen++] = t->change[i].drop;
    qsort(seen, n_seen, sizeof *seen, by_path);
    r = ks_index_files(&cursor, t->x, &filter, e);
    while (r >= 0 && err == 0 && ((r = ks_files_next(&v, cursor, e)) == 1 || r == KS_EDAMAGED)) {
        if (r < 0) {
            r = 0;
            continue;
        }
        if (!ks_is_folder_of(root, v.path)) continue;
        const char *path = v.path;
        if (bsearch(&path, seen, n_seen, sizeof *seen, by_path) || !is_gone(t, &v)) continue;
        if (n == room) {
            room = room ? 2 * room : 64;
            char **more = reallocarray(gone, room, sizeof *more);
            if (!more) {
                err = no_memory(e);
                break;
            }
            gone = more;
        }
        if (!(gone[n] = strdup(v.path))) err = no_memory(e);
        else n++;
    }
    ks_cursor_close(cursor);
    if (err == 0 && r >= 0) err = drop_gone(t, gone, n, e);
    for (size_t i = 0; i < n; i++) free(gone[i]);
    free(gone);
    free(seen);
    return r < 0 ? r : err;
}
