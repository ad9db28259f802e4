/* indexer.c - who has the encoder and the catalog: items become vectors, vectors become rows.
 *
 * Clips wait in memory for at most commit_every seconds, then go in as one durable transaction
 * under an unfinished video; the transaction of the last ones writes the verdict too, and only
 * then do searches see it.
 *
 * Everything is done in a turn (indexer.h), which is given away while an encoder is at work: an
 * active is its card's alone then, and all the others have may be something else after. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ingest/active.h"
#include "ingest/sameness.h"

enum { BATCH = 64 }; /* clips a transaction at most: 64 of the large model are under 5 MB */
typedef ks_active active;

static active *find_active(ks_indexer *k, ks_card *card, ks_job_file *job)
{
    for (int i = 0; i < k->n_active; i++)
        if (k->active[i]->job == job) return k->active[i];
    if (k->n_active == k->room_active) {
        int room = k->room_active + 4;
        active **more = reallocarray(k->active, (size_t)room, sizeof *more);
        if (!more) return NULL;
        k->active = more;
        k->room_active = room;
    }
    active *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->job = job;
    a->card = card;
    return k->active[k->n_active++] = a;
}

static void drop_frames(active *a, int64_t before)
{
    const ks_embedder *c = &a->card->embedder;
    int n = 0;
    for (int i = 0; i < a->n_frames; i++) {
        if (a->frame[i].number < before) ks_frame_code_free(&a->frame[i].coded, c);
        else a->frame[n++] = a->frame[i];
    }
    a->n_frames = n;
}

static void drop_pictures(active *a)
{
    for (int i = 0; i < a->n_pictures; i++) ks_item_free(a->picture[i]);
    a->n_pictures = 0;
}

static void drop_waiting(active *a)
{
    for (int i = 0; i < a->n_waiting; i++) {
        free(a->waiting[i].vector);
        free(a->waiting[i].jpeg);
    }
    a->n_waiting = 0;
}

static void drop_all(active *a)
{
    drop_frames(a, INT64_MAX);
    drop_pictures(a);
    drop_waiting(a);
    ks_still_free(&a->still, &a->card->embedder);
}

static void end_active(ks_indexer *k, active *a)
{
    int i = 0;
    drop_all(a);
    free(a->waiting);
    free(a->frame);
    while (k->active[i] != a) i++;
    k->active[i] = k->active[--k->n_active];
    free(a);
}

void ks_indexer_free(ks_indexer *k)
{
    while (k->n_active > 0) end_active(k, k->active[0]);
    free(k->active);
    k->active = NULL;
}

static ks_video row_of(const ks_job_file *job)
{
    ks_video v = {.id = job->video,
                  .path = job->place.path,
                  .stat = job->place.stat,
                  .attempts = job->attempts,
                  .reason = "",
                  .tb = {1, 1}};
    memcpy(v.content, job->content, sizeof v.content);
    return v;
}

static int write_waiting(ks_indexer *k, active *a, ks_error *e)
{
    ks_clip_data data[BATCH];
    ks_video v = row_of(a->job);
    int err = 0;
    if (!a->job->video) {
        if (a->tb.den > 0) v.tb = a->tb;
        err = ks_index_add_video(&a->job->video, k->x, &v, e);
        if (err < 0) return err;
    }
    for (int i = 0, n = 0; i < a->n_waiting && err >= 0; i++) {
        ks_waiting_clip *w = &a->waiting[i];
        w->clip.video = a->job->video;
        const float *frames = w->clip.reason == KS_REASON_SURVEY
                                  ? NULL
                                  : w->vector + a->card->embedder.dim;
        data[n++] = (ks_clip_data){w->clip, w->vector, frames, w->jpeg, w->jpeg_bytes};
        if (n < BATCH && i + 1 < a->n_waiting) continue;
        err = ks_index_add_clips(k->x, a->job->video, data, n, e);
        n = 0;
    }
    return err;
}

/* One transaction: the clips that wait; with `end`, the verdict and all paths too. */
static int commit(ks_indexer *k, active *a, const ks_video *end, ks_error *e)
{
    int64_t video = a->job->video, unproven;
    int err = ks_index_begin(k->x, e);
    if (err < 0) return err;
    err = ks_doubt_note(&unproven, k, a->card, e);
    if (err == 0) err = write_waiting(k, a, e);
    if (err == 0 && end) {
        ks_video v = *end;
        v.id = a->job->video;
        err = ks_index_end_video(k->x, &v, e);
        if (err >= 0 && (v.verdict == KS_VERDICT_INDEXED || v.verdict == KS_VERDICT_PARTLY))
            err = ks_index_put_keys(k->x, v.id, &a->keys, e);
        for (int i = 0; i < a->job->n_also && err >= 0; i++) {
            const ks_place *p = &a->job->also[i];
            v.path = p->path;
            v.stat = p->stat;
            err = ks_index_set_path(k->x, &v, e);
        }
    }
    if (err >= 0 && ks_monotonic() - k->progress_at > 2) err = ks_indexer_write_progress(k, e);
    err = ks_index_end(k->x, err, e);
    if (err < 0) {
        a->job->video = video;
        return err;
    }
    a->card->unproven = unproven;
    a->clips += a->n_waiting;
    k->sum->clips += a->n_waiting;
    drop_waiting(a);
    return 0;
}

/* While an encoder is at work it is another's turn. */
static void leave(ks_indexer *k) { pthread_mutex_unlock(&k->turn); }

static void enter(ks_indexer *k) { pthread_mutex_lock(&k->turn); }

/* Tokens of the item's new frames; the pixels are not needed after this. */
static int encode_frames(ks_indexer *k, active *a, ks_item *p, ks_error *e)
{
    const uint8_t *px[KS_PLAN_FRAMES];
    ks_frame_code coded[KS_PLAN_FRAMES];
    if (a->n_frames + p->n > a->room) {
        int room = 2 * (a->n_frames + p->n);
        ks_known_frame *more = reallocarray(a->frame, (size_t)room, sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
        a->frame = more;
        a->room = room;
    }
    for (int i = 0; i < p->n; i++) px[i] = p->frame[i].px;
    leave(k);
    int err = p->n > 0 ? ks_still_frames(coded, &a->still, &a->card->embedder, px, p->n, e) : 0;
    enter(k);
    if (err < 0) return err;
    for (int i = 0; i < p->n; i++)
        a->frame[a->n_frames++] = (ks_known_frame){p->frame[i].number, coded[i]};
    return 0;
}

static const ks_frame_code *find_frame(const active *a, int64_t number)
{
    for (int i = 0; i < a->n_frames; i++)
        if (a->frame[i].number == number) return &a->frame[i].coded;
    return NULL;
}

/* The clip of p with its vectors, which it owns from here on. */
static int let_wait(active *a, ks_item *p, float *vector, ks_error *e)
{
    if (a->n_waiting == a->room_waiting) {
        int room = a->room_waiting + BATCH;
        ks_waiting_clip *more = reallocarray(a->waiting, (size_t)room, sizeof *more);
        if (!more) {
            free(vector);
            return ks_fail(e, KS_ENOMEM, "no memory for a clip");
        }
        a->waiting = more;
        a->room_waiting = room;
    }
    a->waiting[a->n_waiting] = (ks_waiting_clip){
        .clip = {.start = p->start,
                 .end = p->end,
                 .frames = p->reason == KS_REASON_STILL ? 1 : p->T,
                 .reason = p->reason},
        .vector = vector,
        .jpeg = p->jpeg,
        .jpeg_bytes = p->jpeg_bytes};
    p->jpeg = NULL;
    if (a->n_waiting++ == 0) a->oldest = ks_monotonic();
    return 0;
}

static int encode_clip(ks_indexer *k, active *a, ks_item *p, ks_error *e)
{
    const ks_frame_code *frames[KS_PLAN_FRAMES];
    int err = encode_frames(k, a, p, e);
    if (err < 0) return err;
    for (int i = 0; i < p->T; i++) {
        frames[i] = find_frame(a, p->number[i]);
        if (!frames[i])
            return ks_fail(e, KS_EFORMAT, "%s: a frame of a clip did not arrive",
                           a->job->place.path);
    }
    size_t dim = (size_t)a->card->embedder.dim;
    float *v = malloc((dim + dim * (size_t)p->T) * sizeof *v);
    if (!v) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    leave(k);
    err = ks_still_clip(v, &a->still, &a->card->embedder, frames, p->T, e);
    enter(k);
    if (err == 0) err = let_wait(a, p, v, e);
    else free(v);
    drop_frames(a, p->oldest);
    return err;
}

/* The pictures of a survey that came so far. */
static int encode_pictures(ks_indexer *k, active *a, ks_error *e)
{
    const uint8_t *px[KS_PICTURES_AT_ONCE] = {0};
    size_t dim = (size_t)a->card->embedder.dim;
    int n = a->n_pictures;
    if (n == 0) return 0;
    float *v = malloc((size_t)n * dim * sizeof *v);
    if (!v) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    for (int i = 0; i < n; i++) px[i] = a->picture[i]->frame[0].px;
    leave(k);
    int err = ks_embedder_pictures(v, &a->card->embedder, px, n, e);
    enter(k);
    for (int i = 0; i < n && err == 0; i++) {
        float *own = malloc(dim * sizeof *own);
        if (!own) err = ks_fail(e, KS_ENOMEM, "no memory for a clip");
        if (own) memcpy(own, v + (size_t)i * dim, dim * sizeof *own);
        if (own) err = let_wait(a, a->picture[i], own, e);
    }
    free(v);
    drop_pictures(a);
    return err;
}

static double commit_after(const ks_ingest_options *o)
{
    double s = o->commit_every;
    return s < 0 ? 0 : s > 0 ? (s < 60 ? s : 60) : 5;
}

/* A vector that is not finite is this film's verdict. */
static int bear(active *a, int err, const ks_error *e)
{
    if (err != KS_EFORMAT && err != KS_ESHAPE) return err;
    a->bad = 1;
    snprintf(a->why, sizeof a->why, "%.190s", e ? e->msg : "cannot be encoded");
    return 0;
}

/* Where a sample of a GPU's did not hold: no vector and no tokens of any film that it is at are to
 * be believed, and films that others are at may have clips among those that go. Comes between
 * encoding and what is done with it. */
static int doubt(ks_indexer *k, ks_card *card, ks_error *e)
{
    if (!ks_doubt_is_due(card)) return 0;
    for (int i = 0; i < k->n_active; i++) {
        active *a = k->active[i];
        a->doubted |= a->card == card || a->clips > 0;
        if (a->card != card) continue;
        drop_all(a);
        a->bad = 0;
    }
    return ks_doubt_drop(k, card, e);
}

/* One transaction a film. *p: taken where NULL. */
static int take_picture(ks_indexer *k, active *a, ks_item **p, ks_error *e)
{
    if (a->bad || a->doubted) return 0;
    a->picture[a->n_pictures++] = *p;
    *p = NULL;
    int err = a->n_pictures == KS_PICTURES_AT_ONCE ? bear(a, encode_pictures(k, a, e), e) : 0;
    return err < 0 ? err : doubt(k, a->card, e);
}

static int take_clip(ks_indexer *k, active *a, ks_item *p, ks_error *e)
{
    if (a->bad || a->doubted) return 0;
    int err = bear(a, encode_clip(k, a, p, e), e);
    if (err == 0) err = doubt(k, a->card, e);
    if (err < 0 || a->bad || a->doubted) return err;
    if (a->n_waiting == BATCH || ks_monotonic() - a->oldest >= commit_after(k->o))
        err = commit(k, a, NULL, e);
    if (err == KS_EFORMAT) {
        a->bad = 1;
        snprintf(a->why, sizeof a->why, "%.190s", e ? e->msg : "cannot be kept");
        drop_waiting(a);
        return 0;
    }
    return err;
}

/* Clips of an interrupted run that this run's plan does not have (other options, another
 * version). */
static int drop_unplanned(ks_indexer *k, const ks_job_file *job, ks_error *e)
{
    int64_t *id = malloc(((size_t)job->n_have + 1) * sizeof *id);
    int n = 0, err = 0;
    if (!id) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    for (int i = 0; i < job->n_have; i++)
        if (!job->planned[i]) id[n++] = job->have[i].id;
    if (n > 0) err = ks_index_drop_clips(k->x, id, n, e);
    free(id);
    return err;
}

/* What the file is now. 0 and a new identity, or KS_ENOTFOUND, KS_EIO. */
static int look_again(ks_job_file *job, ks_index *x, ks_error *e)
{
    struct stat st;
    int fd = open(job->place.path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return ks_fail(e, KS_ENOTFOUND, "%s", strerror(errno));
    int err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                  ? 0
                  : ks_fail(e, KS_ENOTFOUND, "not a regular file");
    if (err == 0) err = ks_identity(job->content, fd, st.st_size, job->place.path, e);
    close(fd);
    if (err < 0) return err;
    job->place.stat = ks_stat_of(&st);
    err = ks_sameness(job->content, &job->full, x, &job->place, NULL, e);
    if (err != 0) return err < 0 ? err : ks_fail(e, KS_EIO, "cannot be read");
    job->full = 0; /* it may still be changing: the reader says at the end */
    return 0;
}

/* The file changed while it was read, and another one has the bytes that were looked at: it is
 * read in its place. */
static int read_twin(ks_indexer *k, ks_job_file *job, ks_error *e)
{
    ks_place changed = job->place;
    job->place = job->also[--job->n_also];
    job->full = 0;
    job->times = 0;
    k->sum->left++;
    int err = ks_triage_odd(k->triage, &changed,
                            "it changed while it was read; run ingest again when it is whole", e);
    free(changed.path);
    if (err == 0) err = ks_triage_have(job, k->x, e);
    if (err == 0) ks_clip_queue_again(k->clip_queue, job);
    return err;
}

/* A job is over, however it ended. */
static void settle(ks_indexer *k, ks_job_file *job)
{
    k->bytes_done += job->place.stat.size;
    k->settled++;
    job->over = 1;
}

/* The file changed while it was read: nothing of it counts. It is read again, twice at most. */
static int start_over(ks_indexer *k, active *a, ks_error *e)
{
    ks_job_file *job = a->job;
    ks_error why = {0, ""};
    end_active(k, a);
    /* its row may have another path, and stay */
    int err = job->video && job->n_also > 0 ? ks_triage_have(job, k->x, e) : 0;
    if (err == 0 && job->video && job->n_also > 0) err = drop_unplanned(k, job, e);
    if (err == 0 && job->video) err = ks_index_drop_path(k->x, job->place.path, e);
    if (err < 0) return err;
    job->video = 0;
    job->attempts = 0;
    if (job->n_also > 0) return read_twin(k, job, e);
    err = look_again(job, k->x, &why);
    if (err == 0 && job->times < 3) {
        err = ks_triage_have(job, k->x, e);
        if (err == 0) ks_clip_queue_again(k->clip_queue, job);
        return err;
    }
    settle(k, job);
    k->sum->left++;
    if (err == KS_ENOTFOUND) {
        k->sum->failed++;
        ks_say_file(k->o, &(ks_file_event){.path = job->place.path,
                                           .verdict = KS_FILE_FAILED,
                                           .reason = "it went away while it was read"});
        return 0;
    }
    return ks_triage_odd(k->triage, &job->place,
                         "it is still being written; run ingest again when it is whole", e);
}

static void fill_media(ks_video *v, const ks_item *p)
{
    const ks_media *m = &p->media;
    v->tb = m->tb.num > 0 && m->tb.den > 0 ? m->tb : (ks_timebase){1, 1000};
    v->duration = p->outcome.last_end;
    v->width = m->width;
    v->height = m->height;
    v->fps = m->fps;
    v->film_date = ks_film_date(&v->date_source, m, v->path, v->stat.mtime_ns);
    v->flags = (m->interlaced ? KS_VIDEO_INTERLACED : 0) |
               (m->inferred_times ? KS_VIDEO_INFERRED_TIMES : 0) | (m->hdr ? KS_VIDEO_HDR : 0) |
               (m->hwaccel ? KS_VIDEO_HWACCEL : 0) | (m->variable ? KS_VIDEO_VFR : 0);
    memcpy(v->timecode, m->timecode, sizeof v->timecode);
    memcpy(v->reel, m->reel, sizeof v->reel);
    v->rate_num = m->rate_num;
    v->rate_den = m->rate_den;
}

/* A decoder that stops half way is asked once more; what it gave by then is kept as partly
 * indexed. */
static void settle_failure(ks_video *v, int64_t clips, const ks_item *p)
{
    v->attempts = p->job->attempts + 1;
    if (clips > 0 && v->attempts >= 2) {
        double header = ks_seconds(p->media.duration, v->tb), end = ks_seconds(v->duration, v->tb);
        v->verdict = KS_VERDICT_PARTLY;
        v->seconds_missing = header > end ? header - end : 0;
    }
}

static void count(ks_indexer *k, const ks_video *v, int64_t clips)
{
    static const ks_file_verdict said[] = {[KS_VERDICT_NONE] = KS_FILE_FAILED,
                                           [KS_VERDICT_INDEXED] = KS_FILE_INDEXED,
                                           [KS_VERDICT_PARTLY] = KS_FILE_PARTLY,
                                           [KS_VERDICT_SKIPPED] = KS_FILE_SKIPPED,
                                           [KS_VERDICT_FAILED] = KS_FILE_FAILED};
    double seconds = ks_seconds(v->duration, v->tb);
    ks_ingest_summary *s = k->sum;
    if (v->verdict == KS_VERDICT_INDEXED) s->indexed++;
    if (v->verdict == KS_VERDICT_PARTLY) s->partly++;
    if (v->verdict == KS_VERDICT_SKIPPED) s->skipped++;
    if (v->verdict == KS_VERDICT_FAILED) s->failed++;
    if (clips > 0) s->video_seconds += seconds;
    ks_say_file(k->o, &(ks_file_event){.path = v->path,
                                       .verdict = said[v->verdict],
                                       .reason = v->reason,
                                       .clips = clips,
                                       .seconds = clips > 0 ? seconds : 0,
                                       .seconds_missing = v->seconds_missing});
}

/* What the whole pass has goes in place of what it does not have: the survey, clips of other
 * options. */
static int replace(ks_indexer *k, active *a, const ks_video *v, ks_error *e)
{
    int err = ks_index_begin(k->x, e);
    if (err < 0) return err;
    if (a->job->n_have > 0 && v->verdict != KS_VERDICT_FAILED) err = drop_unplanned(k, a->job, e);
    if (err == 0) err = commit(k, a, v, e);
    return ks_index_end(k->x, err, e);
}

/* What is to come once more does so in a pass of its own. */
static int end_doubted(ks_indexer *k, active *a, const ks_item *p, ks_error *e)
{
    ks_job_file *job = a->job;
    if (p->error < 0) return ks_fail(e, p->error, "%s", p->why.msg);
    end_active(k, a);
    job->anew = k->pass;
    k->anew = 1;
    return 0;
}

/* 1: over all of it lie clips that a closer look brought. */
static int looked_at(const ks_job_file *job, int64_t start, int64_t end)
{
    for (int i = 0; i < job->n_have && job->have[i].start <= start; i++)
        if (job->have[i].reason != KS_REASON_SURVEY && job->have[i].end > start)
            start = job->have[i].end;
    return start >= end;
}

static void leave_looked_at(active *a)
{
    int n = 0;
    for (int i = 0; i < a->n_waiting; i++) {
        ks_waiting_clip *w = &a->waiting[i];
        if (!looked_at(a->job, w->clip.start, w->clip.end)) {
            a->waiting[n++] = *w;
            continue;
        }
        free(w->vector);
        free(w->jpeg);
    }
    a->n_waiting = n;
}

/* In place of a glance, but not of what was looked at more closely. */
static int replace_glance(ks_indexer *k, active *a, const ks_video *v, ks_error *e)
{
    ks_job_file *job = a->job;
    int glances = 0;
    for (int i = 0; i < job->n_have; i++) {
        job->planned[i] = job->have[i].reason != KS_REASON_SURVEY;
        glances += !job->planned[i];
    }
    leave_looked_at(a);
    int err = ks_index_begin(k->x, e);
    if (err < 0) return err;
    if (glances > 0) err = drop_unplanned(k, job, e);
    if (err == 0) err = commit(k, a, v, e);
    err = ks_index_end(k->x, err, e);
    if (err < 0) return err;
    k->sum->clips -= job->surveyed ? glances : 0;
    k->sum->surveyed += !job->surveyed;
    job->surveyed = 1;
    return 0;
}

/* Of a survey that came to nothing, for whatever reason, the whole pass will tell. */
static int end_survey(ks_indexer *k, active *a, const ks_item *p, ks_error *e)
{
    ks_job_file *job = a->job;
    ks_video v = row_of(job);
    int err = p->changed || a->bad ? 0 : bear(a, encode_pictures(k, a, e), e);
    if (err == 0) err = doubt(k, a->card, e);
    if (err < 0 || a->doubted) return err < 0 ? err : end_doubted(k, a, p, e);
    int64_t clips = a->n_waiting;
    int good = !p->changed && !a->bad && clips > 0 &&
               (p->outcome.verdict == KS_VERDICT_INDEXED ||
                p->outcome.verdict == KS_VERDICT_PARTLY);
    if (p->error < 0) return ks_fail(e, p->error, "%s", p->why.msg);
    v.verdict = KS_VERDICT_INDEXED;
    fill_media(&v, p);
    if (p->media.duration > 0) v.duration = p->media.duration;
    v.flags |= KS_VIDEO_SURVEY | (p->glance ? KS_VIDEO_GLANCE : 0);
    if (p->n_keys > 0) a->keys = (ks_keys){p->key, p->n_keys, p->media.tb};
    err = good ? replace_glance(k, a, &v, e) : 0;
    end_active(k, a);
    if (err < 0 && err != KS_EFORMAT) return err;
    if (good && err == 0) job->glance = p->glance;
    if (good && err == 0 && k->o->survey == KS_SURVEY_ONLY && !p->glance)
        ks_say_file(k->o, &(ks_file_event){.path = v.path,
                                           .verdict = KS_FILE_INDEXED,
                                           .reason = "surveyed: the whole pass is to come",
                                           .clips = clips,
                                           .seconds = ks_seconds(v.duration, v.tb)});
    return good ? ks_triage_have(job, k->x, e) : 0;
}

/* A part that is through: its last clips, and away with those of the survey that lie in it. */
static int replace_part(ks_indexer *k, active *a, ks_error *e)
{
    const ks_part *part = a->job->part;
    ks_video v;
    char *reason = NULL;
    int64_t gone[BATCH];
    int n = 0;
    for (int i = 0; i < a->job->n_have && n < BATCH; i++) {
        const ks_clip *c = &a->job->have[i];
        if (c->reason == KS_REASON_SURVEY && c->start >= part->start && c->end <= part->end)
            gone[n++] = c->id;
    }
    int err = ks_index_begin(k->x, e);
    if (err < 0) return err;
    err = ks_index_video(&v, k->x, a->job->video, e);
    if (err == 0 && !(reason = strdup(v.reason))) err = ks_fail(e, KS_ENOMEM, "no memory");
    if (err == 0) err = commit(k, a, NULL, e);
    if (err == 0 && n > 0) err = ks_index_drop_clips(k->x, gone, n, e);
    v.path = NULL;
    v.reason = reason;
    /* dropping marks a film as one that lost clips: this one did not */
    if (err == 0 && n > 0) err = ks_index_end_video(k->x, &v, e);
    free(reason);
    return ks_index_end(k->x, err, e);
}

static int end_part(ks_indexer *k, active *a, const ks_item *p, ks_error *e)
{
    ks_job_file *job = a->job;
    int64_t clips = a->clips + a->n_waiting;
    int good = !p->changed && !a->bad, err = 0;
    if (p->error < 0) return ks_fail(e, p->error, "%s", p->why.msg);
    if (good && p->through) err = replace_part(k, a, e);
    else if (good && a->n_waiting > 0) err = commit(k, a, NULL, e);
    end_active(k, a);
    if (err < 0 && err != KS_EFORMAT) return err;
    settle(k, job);
    job->verdict = good && p->through ? KS_VERDICT_INDEXED
                   : clips > 0        ? KS_VERDICT_PARTLY
                                      : KS_VERDICT_NONE;
    k->sum->indexed += job->verdict == KS_VERDICT_INDEXED;
    k->sum->partly += job->verdict == KS_VERDICT_PARTLY;
    return 0;
}

static int take_end(ks_indexer *k, active *a, const ks_item *p, ks_error *e)
{
    ks_job_file *job = a->job;
    ks_video v = row_of(job);
    if (p->error < 0) return ks_fail(e, p->error, "%s", p->why.msg);
    if (p->changed) return start_over(k, a, e);
    v.verdict = a->bad ? KS_VERDICT_FAILED : p->outcome.verdict;
    v.reason = a->bad ? a->why : p->outcome.reason;
    v.seconds_missing = p->outcome.seconds_missing;
    fill_media(&v, p);
    v.full_hash = p->full;
    if (p->n_keys > 0) a->keys = (ks_keys){p->key, p->n_keys, p->media.tb};
    int64_t clips = a->clips + a->n_waiting;
    for (int i = 0; i < job->n_have; i++) clips += job->planned[i];
    if (v.verdict == KS_VERDICT_FAILED && !a->bad) {
        settle_failure(&v, clips, p);
        /* once more, with what is encoded kept */
        if (v.verdict == KS_VERDICT_FAILED && v.attempts < 2) {
            int err = commit(k, a, NULL, e);
            end_active(k, a);
            job->attempts = 1;
            if (err == 0) err = ks_triage_have(job, k->x, e);
            if (err == 0) ks_clip_queue_again(k->clip_queue, job);
            return err;
        }
    }
    int err = replace(k, a, &v, e);
    if (err == KS_EFORMAT) { /* vectors that cannot be kept: the film's fault, not the run's */
        snprintf(a->why, sizeof a->why, "%.190s", e ? e->msg : "cannot be kept");
        drop_waiting(a);
        v.verdict = KS_VERDICT_FAILED;
        v.reason = a->why;
        v.attempts = 2;
        err = commit(k, a, &v, e);
    }
    if (err < 0) return err;
    if (v.verdict == KS_VERDICT_SKIPPED || v.verdict == KS_VERDICT_FAILED) clips = 0;
    settle(k, job);
    end_active(k, a);
    count(k, &v, clips);
    job->verdict = v.verdict;
    job->seconds = clips > 0 ? ks_seconds(v.duration, v.tb) : 0;
    for (int i = 0; i < job->n_also; i++) {
        k->sum->moved++;
        ks_say_file(k->o, &(ks_file_event){.path = job->also[i].path,
                                           .verdict = KS_FILE_COPIED,
                                           .was = v.verdict,
                                           .reason = v.reason,
                                           .seconds = ks_seconds(v.duration, v.tb),
                                           .seconds_missing = v.seconds_missing});
    }
    return 0;
}

/* The clips of an earlier run that a reader left out may be gone, too. A file that changed is read
 * again in any case. */
static int is_doubted(const ks_indexer *k, const active *a, const ks_item *p)
{
    return (a->doubted || a->job->anew == k->pass) && !p->changed;
}

static int take(ks_indexer *k, ks_card *card, ks_item *p, ks_error *e)
{
    active *a = find_active(k, card, p->job);
    ks_at_work(k->o, p->job->place.path);
    int err = a ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a clip");
    if (a && p->kind != KS_ITEM_END) a->seconds = p->seconds > a->seconds ? p->seconds : a->seconds;
    if (a && p->kind == KS_ITEM_HERE) a->total = p->total;
    if (a && p->kind == KS_ITEM_CLIP) a->tb = p->tb;
    if (a && p->kind == KS_ITEM_ANEW) {
        drop_pictures(a);
        drop_waiting(a);
    }
    if (a && p->kind == KS_ITEM_CLIP)
        err = k->clip_queue->survey ? take_picture(k, a, &p, e) : take_clip(k, a, p, e);
    if (a && p && p->kind == KS_ITEM_END) {
        int doubted = is_doubted(k, a, p);
        p->job->anew = 0;
        err = doubted                 ? end_doubted(k, a, p, e)
              : p->job->part          ? end_part(k, a, p, e)
              : k->clip_queue->survey ? end_survey(k, a, p, e)
                                      : take_end(k, a, p, e);
    }
    ks_at_work(k->o, NULL);
    ks_item_free(p);
    return err;
}

int ks_indexer_take(ks_indexer *k, ks_card *card, ks_item *p, ks_error *e)
{
    enter(k);
    int err = take(k, card, p, e);
    leave(k);
    return err;
}

int ks_indexer_flush(ks_indexer *k, ks_error *e)
{
    int err = 0;
    for (int i = 0; i < k->cards && err == 0; i++) {
        ks_card *c = &k->card[i];
        if (c->embedder.enc) err = ks_gpu_sample(c->embedder.enc, e);
        if (err == 0) err = doubt(k, c, e);
    }
    if (err < 0) return err;
    for (int i = 0; i < k->n_active; i++) {
        active *a = k->active[i];
        err = a->n_waiting > 0 && !a->bad && !k->clip_queue->survey ? commit(k, a, NULL, e) : 0;
        if (err < 0 && err != KS_EFORMAT) return err;
    }
    return ks_doubt_end(k, e);
}
