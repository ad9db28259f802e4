/* pipeline.c - an ingest from its first file to its last: scan, triage, readers and indexer,
 * publish.
 *
 *   paths -> ks_scan -> ks_triage_file -> jobs -> [ks_reader_run, a thread a decoder] -> queue ->
 *     ks_indexer_take
 *
 * The calling thread is the indexer: it alone touches the encoder and the catalog. Of several
 * encoders it has the first one. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ingest/jobs.h"
#include "ingest/indexer.h"
#include "ingest/made.h"
#include "ingest/subtitles.h"
#include "ingest/words.h"

enum { READERS = 8 };
typedef struct {
    ks_index *x;
    const ks_ingest_options *given;
    ks_ingest_options o;
    ks_ingest_summary *sum;
    ks_triage triage;
    ks_indexer indexer;
    ks_clip_queue clip_queue;
    ks_reader reader;
    ks_words folders, excludes, includes;
    ks_words roots; /* of this run, absolute */
    ks_met_list met;
    char *state; /* [roots.n] KS_ROOT_* */
    double began;
} run;

/* Films were named one by one, never a folder: what to name is said, with the folder of the
 * first. */
static int no_folder(ks_index *x, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_filter filter = {0};
    ks_video v;
    int err = ks_index_files(&cursor, x, &filter, e),
        any = err >= 0 && ks_files_next(&v, cursor, e) == 1;
    const char *slash = any ? strrchr(v.path, '/') : NULL;
    int n = slash ? (int)(slash - v.path) : 0;
    if (err >= 0)
        err = any ? ks_fail(e, KS_EUSAGE,
                            "this library was made of single films: name them again "
                            "(--files-from), or a folder to go on with, as "
                            "kinoseek ingest %.*s",
                            n > 300 ? 300
                            : n > 0 ? n
                                    : 1,
                            v.path)
                  : ks_fail(
                        e, KS_EUSAGE,
                        "name a folder or a film: nothing was ingested into this library before");
    ks_cursor_close(cursor);
    return err;
}

/* Folders of this run, or all that were named before with the patterns named then. */
static int choose_roots(run *r, ks_error *e)
{
    const ks_ingest_options *o = r->given;
    int err = ks_words_read(&r->folders, r->x, KS_FOLDERS_KEY, e);
    if (err >= 0) err = ks_words_read(&r->excludes, r->x, KS_EXCLUDES_KEY, e);
    if (err >= 0) err = ks_words_read(&r->includes, r->x, KS_INCLUDES_KEY, e);
    for (int i = 0; i < o->n && err >= 0; i++) {
        char *path;
        err = ks_scan_absolute(&path, o->paths[i], e);
        if (err >= 0) err = ks_words_add(&r->roots, path, e);
        free(path);
    }
    if (err < 0) return err;
    if (o->n > 0) return 0;
    if (r->folders.n == 0) return no_folder(r->x, e);
    for (int i = 0; i < r->folders.n && err >= 0; i++)
        err = ks_words_add(&r->roots, r->folders.at[i], e);
    if (!o->excludes || !o->excludes[0]) r->o.excludes = r->excludes.at;
    if (!o->includes || !o->includes[0]) r->o.includes = r->includes.at;
    return err < 0 ? err : 0;
}

static int remember_globs(run *r, ks_words *w, const char *const *globs, const char *key,
                          ks_error *e)
{
    int news = 0, err = 0;
    for (; globs && *globs && err >= 0; globs++) {
        err = ks_words_add(w, *globs, e);
        news |= err > 0;
    }
    return err < 0 || !news ? err : ks_index_put(r->x, key, w->text, w->bytes, e);
}

static int remember(run *r, ks_error *e)
{
    int news = 0, err = 0;
    for (int i = 0; i < r->roots.n && err >= 0; i++) {
        int inside = r->state[i] != KS_ROOT_FOLDER && r->state[i] != KS_ROOT_EMPTY;
        for (int j = 0; j < r->folders.n; j++)
            inside |= ks_is_folder_of(r->folders.at[j], r->roots.at[i]);
        if (!inside) err = ks_words_add(&r->folders, r->roots.at[i], e), news |= err > 0;
    }
    if (err >= 0 && news)
        err = ks_index_put(r->x, KS_FOLDERS_KEY, r->folders.text, r->folders.bytes, e);
    if (err >= 0 && r->given->n > 0)
        err = remember_globs(r, &r->excludes, r->given->excludes, KS_EXCLUDES_KEY, e);
    if (err >= 0 && r->given->n > 0)
        err = remember_globs(r, &r->includes, r->given->includes, KS_INCLUDES_KEY, e);
    if (err >= 0) err = ks_made_remember(&r->o, r->x, e);
    return err < 0 ? err : 0;
}

static int by_path_and_place(const void *a, const void *b)
{
    const ks_met *const *x = a, *const *y = b;
    int order = strcmp((*x)->path, (*y)->path);
    return order != 0 ? order : *x < *y ? -1 : *x > *y;
}

/* A file below two of the roots, or behind two links, is met once: where it came first. */
static int drop_repeated(ks_met_list *list, ks_error *e)
{
    ks_met **at = malloc((list->n + 1) * sizeof *at);
    if (!at) return ks_fail(e, KS_ENOMEM, "no memory for the list of files");
    for (size_t i = 0; i < list->n; i++) at[i] = &list->at[i];
    qsort(at, list->n, sizeof *at, by_path_and_place);
    for (size_t i = 0, first = 0; i < list->n; i++) {
        if (i == first || strcmp(at[first]->path, at[i]->path) != 0) {
            first = i;
            continue;
        }
        at[first]->named |= at[i]->named;
        at[i]->kind = KS_MET_REPEATED;
    }
    free(at);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i].kind == KS_MET_REPEATED) free(list->at[i].path);
        else list->at[n++] = list->at[i];
    list->n = n;
    return 0;
}

static int scan_roots(run *r, ks_error *e)
{
    ks_scan_options so = {.excludes = r->o.excludes,
                          .includes = r->o.includes,
                          .follow = r->o.follow,
                          .hidden = r->o.hidden,
                          .stop = r->o.stop};
    r->state = calloc((size_t)r->roots.n + 1, 1);
    if (!r->state) return ks_fail(e, KS_ENOMEM, "no memory for the list of folders");
    for (int i = 0; i < r->roots.n; i++) {
        int state = 0;
        int err = ks_scan(&r->met, &state, r->roots.at[i], &so, e);
        if (err < 0) return err;
        r->state[i] = (char)state;
        if (state != KS_ROOT_MISSING) continue;
        int known = 0;
        for (int j = 0; j < r->folders.n; j++)
            known |= ks_is_folder_of(r->folders.at[j], r->roots.at[i]);
        r->sum->failed += !known;
        ks_say_file(
            &r->o,
            &(ks_file_event){
                .path = r->roots.at[i],
                .verdict = known ? KS_FILE_SKIPPED : KS_FILE_FAILED,
                .reason =
                    known ? "it is not there; its disk may not be mounted: nothing of it is touched"
                          : "it is not there"});
    }
    return drop_repeated(&r->met, e);
}

static int triage_all(run *r, ks_error *e)
{
    int err = 0;
    for (size_t i = 0; i < r->met.n && err >= 0; i++) {
        if (ks_asked_to_stop(r->o.stop)) return ks_fail(e, KS_ESTOP, "interrupted");
        err = ks_triage_file(&r->triage, &r->met.at[i], e);
    }
    if (err >= 0) err = ks_triage_settle(&r->triage, e);
    for (int i = 0; i < r->roots.n && err >= 0; i++) {
        if (r->state[i] == KS_ROOT_FOLDER)
            err = ks_triage_gone(&r->triage, &r->met, r->roots.at[i], e);
        if (r->state[i] == KS_ROOT_EMPTY) err = ks_triage_empty(&r->triage, r->roots.at[i], e);
    }
    return err;
}

/* A dry run fixes none: films are held against the one that the library has, and a switch begins
 * with all of them. */
static int fix_space(run *r, ks_error *e)
{
    ks_library library;
    ks_space space = ks_embedder_space(&r->indexer.card[0].embedder);
    int err = r->o.dry_run ? 0
              : r->o.switch_space
                  ? ks_index_switch_space(r->x, &space, r->o.model_path, r->o.tokenizer_path, e)
                  : ks_index_set_space(r->x, &space, r->o.model_path, r->o.tokenizer_path, e);
    if (err >= 0) err = ks_index_library(&library, r->x, e);
    if (err >= 0)
        r->triage.space = r->o.dry_run && r->o.switch_space && !library.switching ? 0
                                                                                  : library.next_id;
    return err;
}

/* A device that is not there is wrong use, said before anything is looked at. */
static int check_device(const run *r, ks_error *e)
{
    ks_decoder_how how = {.hwaccel = r->o.hwaccel};
    ks_decoder *d = NULL;
    if (!how.hwaccel || !strcmp(how.hwaccel, "none") || !strcmp(how.hwaccel, "auto")) return 0;
    int err = ks_decoder_start(&d, r->o.decoder, &how, e);
    ks_decoder_stop(d);
    return err;
}

static const char pace_key[] = "ingest.pace"; /* of the last whole run: space, bytes, seconds */

/* Seconds that this run will take, going by the last one in the same space; 0: nothing to go by.
 * Progress refines it. */
static double expected(run *r)
{
    long long space, bytes;
    double seconds = 0;
    void *data = NULL;
    size_t n = 0;
    char text[80];
    if (ks_index_get(&data, &n, r->x, pace_key, NULL) < 0 || !data) return 0;
    snprintf(text, sizeof text, "%.*s", (int)n, (const char *)data);
    free(data);
    if (sscanf(text, "%lld %lld %lf", &space, &bytes, &seconds) != 3 || bytes <= 0) return 0;
    return space == r->triage.space || r->o.dry_run
               ? seconds * (double)r->triage.bytes / (double)bytes
               : 0;
}

static int remember_pace(run *r, double seconds, ks_error *e)
{
    char text[80];
    if (r->indexer.bytes_done == 0 || r->sum->video_seconds < 1) return 0;
    int n = snprintf(text, sizeof text, "%lld %lld %.3f", (long long)r->triage.space,
                     (long long)r->indexer.bytes_done, seconds);
    return ks_index_put(r->x, pace_key, text, (size_t)n, e);
}

static void say_plan(run *r)
{
    ks_plan_event plan = {.files = r->sum->files,
                          .jobs = (int64_t)r->triage.n_jobs,
                          .bytes = r->triage.bytes,
                          .wall_seconds = expected(r)};
    ks_say(&r->o, &(ks_event){.kind = KS_EVENT_PLAN, .u.plan = plan});
}

static void close_queue_when_done(run *r)
{
    ks_clip_queue *b = &r->clip_queue;
    pthread_mutex_lock(&b->lock);
    if (b->next_job >= b->n_jobs && b->n_again == 0 && !b->first && b->at_work == 0) b->idle_ok = 1;
    pthread_cond_broadcast(&b->room);
    pthread_mutex_unlock(&b->lock);
}

static int should_stop(const run *r)
{
    if (ks_asked_to_stop(r->o.stop)) return 1;
    return r->o.budget > 0 && ks_monotonic() - r->began > r->o.budget ? 2 : 0;
}

/* Until every job has its verdict, or somebody says stop. */
static int keep_going(run *r, int *stopped, ks_error *e)
{
    double published = ks_monotonic();
    int err = 0;
    while (err == 0 && !r->clip_queue.failed && !ks_clip_queue_over(&r->clip_queue)) {
        *stopped = should_stop(r);
        if (*stopped) return 0;
        err = ks_card_work(&r->indexer, 0, 0.25, e);
        close_queue_when_done(r);
        pthread_mutex_lock(&r->indexer.turn);
        ks_indexer_progress(&r->indexer, 0);
        if (err == 0) err = ks_indexer_note(&r->indexer, e);
        if (err == 0 && ks_monotonic() - published > 120) {
            err = ks_index_publish(r->x, 0, e);
            published = ks_monotonic();
        }
        pthread_mutex_unlock(&r->indexer.turn);
    }
    return err;
}

static int start_readers(pthread_t *thread, int *started, run *r, ks_error *e)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int n = r->o.workers > 0 ? r->o.workers : (int)(cores / 2 + 1);
    if (r->o.workers == 0 && n < r->indexer.cards) n = r->indexer.cards;
    if (n > READERS) n = READERS;
    if ((size_t)n > r->triage.n_jobs) n = (int)r->triage.n_jobs;
    r->clip_queue.most = n + 2;
    r->clip_queue.readers = n;
    for (*started = 0; *started < n; ++*started)
        if (pthread_create(&thread[*started], NULL, ks_reader_run, &r->reader) != 0) {
            r->clip_queue.readers = *started;
            return *started > 0 ? 0 : ks_fail(e, KS_ENOMEM, "no thread could be started");
        }
    return 0;
}

static int encode_pass(run *r, ks_pass survey, int *stopped, ks_error *e)
{
    pthread_t thread[READERS];
    ks_card_thread cards[KS_CARDS] = {{0}};
    pthread_condattr_t attr;
    int started = 0, err;
    memset(&r->clip_queue, 0, sizeof r->clip_queue);
    pthread_mutex_init(&r->clip_queue.lock, NULL);
    pthread_cond_init(&r->clip_queue.room, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->clip_queue.news, &attr);
    pthread_condattr_destroy(&attr);
    r->clip_queue.jobs = r->triage.jobs;
    r->clip_queue.survey = survey;
    r->clip_queue.cards = r->indexer.cards;
    r->indexer.pass++;
    r->indexer.anew = 0;
    r->clip_queue.n_jobs = r->triage.n_jobs;
    r->clip_queue.again = calloc(r->triage.n_jobs + 1, sizeof *r->clip_queue.again);
    err = ks_precision_note(r->x, r->triage.space, &r->indexer.card[0].embedder, e);
    if (err == 0)
        err = r->clip_queue.again ? start_readers(thread, &started, r, e)
                                  : ks_fail(e, KS_ENOMEM, "no memory for the list of files");
    if (err == 0) err = ks_cards_start(cards, &r->indexer, e);
    if (err == 0) err = keep_going(r, stopped, e);
    pthread_mutex_lock(&r->clip_queue.lock);
    r->clip_queue.quit = 1;
    pthread_cond_broadcast(&r->clip_queue.room);
    pthread_mutex_unlock(&r->clip_queue.lock);
    int theirs = ks_cards_join(cards, err < 0 ? NULL : e);
    if (err == 0) err = theirs;
    /* What is encoded is kept even if the run ends here. */
    int kept = err == KS_EIO || err == KS_EDAMAGED
                   ? 0
                   : ks_indexer_flush(&r->indexer, err < 0 ? NULL : e);
    for (int i = 0; i < started; i++) pthread_join(thread[i], NULL);
    ks_clip_queue_empty(&r->clip_queue);
    free(r->clip_queue.again);
    pthread_cond_destroy(&r->clip_queue.room);
    pthread_cond_destroy(&r->clip_queue.news);
    pthread_mutex_destroy(&r->clip_queue.lock);
    return err < 0 ? err : kept;
}

/* Once more what a GPU did that was not to be believed: by the CPU, which can be, or by another
 * GPU, each of which is wrong once at most. */
static int encode_all(run *r, ks_pass survey, int *stopped, ks_error *e)
{
    int err = encode_pass(r, survey, stopped, e);
    while (err == 0 && !*stopped && r->indexer.anew) {
        for (size_t i = 0; i < r->triage.n_jobs && err == 0; i++)
            if (r->triage.jobs[i].anew) err = ks_triage_have(&r->triage.jobs[i], r->x, e);
        if (err == 0) err = encode_pass(r, survey, stopped, e);
    }
    return err;
}

static int newest_first(const void *a, const void *b)
{
    const ks_job_file *x = a, *y = b;
    int64_t s = x->place.stat.mtime_ns, t = y->place.stat.mtime_ns;
    return s != t ? (s < t) - (s > t) : strcmp(x->place.path, y->place.path);
}

/* What somebody asked about is what --closer has clips of; begun films are among them. */
static int asked(const ks_job_file *job)
{
    int n = 0;
    for (int i = 0; i < job->n_have; i++) n += job->have[i].reason != KS_REASON_SURVEY;
    return n;
}

static int most_asked_first(const void *a, const void *b)
{
    int m = asked(a), n = asked(b);
    return m != n ? (m < n) - (m > n) : newest_first(a, b);
}

static int has_survey(const ks_triage *t)
{
    for (size_t i = 0; i < t->n_jobs; i++)
        for (int k = 0; k < t->jobs[i].n_have; k++)
            if (t->jobs[i].have[k].reason == KS_REASON_SURVEY) return 1;
    return 0;
}

/* A glance at all, the survey of all, then all of all. */
static int both_passes(run *r, int *stopped, ks_error *e)
{
    if (r->o.unsaid & KS_UNSAID_SURVEY)
        r->o.survey = r->triage.bytes >= KS_SURVEY_MUCH ? KS_SURVEY_FIRST : KS_SURVEY_OFF;
    int err = 0;
    if (r->o.survey != KS_SURVEY_OFF) {
        qsort(r->triage.jobs, r->triage.n_jobs, sizeof *r->triage.jobs, newest_first);
        err = encode_all(r, KS_PASS_GLANCE, stopped, e);
        if (err == 0 && !*stopped) err = encode_all(r, KS_PASS_SURVEY, stopped, e);
        if (err == 0 && !*stopped) err = ks_index_publish(r->x, 0, e);
    }
    if (r->o.survey == KS_SURVEY_FIRST || has_survey(&r->triage))
        qsort(r->triage.jobs, r->triage.n_jobs, sizeof *r->triage.jobs, most_asked_first);
    if (err < 0 || *stopped || r->o.survey == KS_SURVEY_ONLY) return err;
    return encode_all(r, KS_PASS_WHOLE, stopped, e);
}

static int finish(run *r, int stopped, ks_error *e)
{
    int done = 0;
    int err = ks_progress_write(r->x, NULL, e);
    if (err >= 0 && !stopped) err = ks_index_finish_switch(&done, r->x, e);
    if (err >= 0) err = ks_index_publish(r->x, 1, e);
    return err;
}

static int read_subtitles(run *r, int *stopped, ks_error *e)
{
    int err = ks_subtitles_read(r->x, &r->o, &r->roots, e);
    if (err != KS_ESTOP) return err;
    *stopped = 1;
    return 0;
}

static void say_done(run *r)
{
    ks_ingest_summary *s = r->sum;
    s->wall_seconds = ks_monotonic() - r->began;
    ks_done_event done = {.files = s->files,
                          .clips = s->clips,
                          .left = s->left,
                          .video_seconds = s->video_seconds,
                          .wall_seconds = s->wall_seconds,
                          .x_realtime = s->wall_seconds > 0 ? s->video_seconds / s->wall_seconds
                                                            : 0};
    ks_say(&r->o, &(ks_event){.kind = KS_EVENT_DONE, .u.done = done});
}

/* NaN is in no bounds. */
int ks_ingest_check(const ks_ingest_options *o, ks_error *e)
{
    assert(o);
    if (o->window != 0 && !(o->window >= 0.1 && o->window <= KS_CLIP_LONGEST))
        return ks_fail(e, KS_EUSAGE, "a clip lasts from 0.1 s to %d h", KS_CLIP_LONGEST / 3600);
    if (o->hop != 0 && !(o->hop >= 0.001 && o->hop <= KS_CLIP_LONGEST))
        return ks_fail(e, KS_EUSAGE, "from one clip to the next are 0.001 s to %d h",
                       KS_CLIP_LONGEST / 3600);
    if (!(o->budget >= 0)) return ks_fail(e, KS_EUSAGE, "a length of time is at least 0");
    if (o->frames < 0 || o->frames > KS_PLAN_FRAMES || o->short_shots < 0)
        return ks_fail(e, KS_EUSAGE, "at most %d frames a clip", KS_PLAN_FRAMES);
    return 0;
}

static int init_embedders(run *r, ks_encoder *enc, ks_error *e)
{
    ks_indexer *k = &r->indexer;
    int err = 0;
    k->cards = 1 + (enc ? r->o.n_beside : 0);
    assert(k->cards <= KS_CARDS);
    for (int i = 0; i < k->cards && err >= 0; i++)
        err = ks_embedder_init(&k->card[i].embedder, i ? r->o.beside[i - 1] : enc, r->o.frames,
                               r->o.short_shots, r->o.fit, e);
    return err;
}

static int ingest(run *r, ks_encoder *enc, ks_error *e)
{
    int stopped = 0;
    int err = ks_ingest_check(&r->o, e);
    if (err >= 0) err = ks_made_choose(&r->o, r->x, enc, e);
    r->reader.window_us = (int64_t)(r->o.window * 1e6);
    r->reader.hop_us = (int64_t)(r->o.hop * 1e6);
    if (err >= 0) err = init_embedders(r, enc, e);
    if (err >= 0 && r->indexer.card[0].embedder.frames > KS_PLAN_FRAMES)
        err = ks_fail(e, KS_EUSAGE, "at most %d frames a clip", KS_PLAN_FRAMES);
    if (err >= 0) err = check_device(r, e);
    if (err >= 0) err = choose_roots(r, e);
    if (err >= 0) err = fix_space(r, e);
    if (err >= 0 && !r->o.dry_run) err = ks_doubt_begin(&r->indexer, e);
    if (err >= 0) err = scan_roots(r, e);
    if (err >= 0) err = triage_all(r, e);
    if (err >= 0 && r->o.queue) err = ks_triage_hand_over(&r->triage, e);
    if (err >= 0 && !r->o.dry_run) err = remember(r, e);
    if (err < 0) return err;
    say_plan(r);
    /* of films that are in; of those to come at the end */
    if (!r->o.dry_run && r->triage.n_jobs > 0) err = read_subtitles(r, &stopped, e);
    if (err < 0) return err;
    double begun = ks_monotonic();
    if (!r->o.dry_run && !stopped && r->triage.n_jobs > 0) err = both_passes(r, &stopped, e);
    if (err >= 0 && !r->o.dry_run && !stopped) err = read_subtitles(r, &stopped, e);
    if (err < 0) return err;
    int64_t jobs = (int64_t)r->triage.n_jobs;
    r->sum->left += r->o.dry_run                               ? jobs
                    : stopped || r->o.survey == KS_SURVEY_ONLY ? jobs - r->indexer.settled
                                                               : 0;
    r->sum->interrupted = stopped == 1;
    if (stopped) ks_indexer_count_begun(&r->indexer);
    if (!r->o.dry_run && !stopped) err = remember_pace(r, ks_monotonic() - begun, e);
    if (err >= 0 && !r->o.dry_run) err = finish(r, stopped, e);
    if (err < 0) return err;
    say_done(r);
    return stopped == 1 ? ks_fail(e, KS_ESTOP, "interrupted; everything up to here is kept") : 0;
}

static void close_run(run *r)
{
    ks_indexer_free(&r->indexer);
    pthread_mutex_destroy(&r->indexer.turn);
    ks_triage_free(&r->triage);
    ks_met_list_free(&r->met);
    ks_words_free(&r->folders);
    ks_words_free(&r->excludes);
    ks_words_free(&r->includes);
    ks_words_free(&r->roots);
    free(r->state);
    free(r);
}

static run *open_run(ks_ingest_summary *out, ks_index *x, const ks_ingest_options *o)
{
    memset(out, 0, sizeof *out);
    run *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->x = x;
    r->given = o;
    r->o = *o;
    r->sum = out;
    r->began = ks_monotonic();
    r->triage = (ks_triage){.x = x, .o = &r->o, .sum = out};
    r->reader = (ks_reader){
        .clip_queue = &r->clip_queue, .o = &r->o, .embedder = &r->indexer.card[0].embedder};
    r->indexer = (ks_indexer){.x = x,
                              .o = &r->o,
                              .clip_queue = &r->clip_queue,
                              .triage = &r->triage,
                              .sum = out,
                              .began = r->began};
    pthread_mutex_init(&r->indexer.turn, NULL);
    return r;
}

int ks_ingest(ks_ingest_summary *out, ks_index *x, ks_encoder *enc, const ks_ingest_options *o,
              ks_error *e)
{
    assert(out && x && o);
    run *r = open_run(out, x, o);
    if (!r) return ks_fail(e, KS_ENOMEM, "no memory to ingest");
    int err = ingest(r, enc, e);
    out->wall_seconds = ks_monotonic() - r->began;
    close_run(r);
    return err;
}

/* --- parts of surveyed films --- */
/* The film's file as it lies there now: 1; 0: it is gone, or another. */
static int find_place(ks_place *place, ks_index *x, const ks_video *v, ks_error *e)
{
    struct stat st;
    int same = 0, fd = open(v->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    int err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                  ? ks_ingest_same_file(&same, x, fd, &st, v, e)
                  : 0;
    close(fd);
    if (err == KS_EIO) return 0; /* what cannot be read has no part that could be */
    if (err < 0 || !same) return err;
    *place = (ks_place){strdup(v->path), ks_stat_of(&st)};
    return place->path ? 1 : ks_fail(e, KS_ENOMEM, "no memory for the list of files");
}

static int add_part(run *r, const ks_part *part, ks_error *e)
{
    ks_job_file *j = &r->triage.jobs[r->triage.n_jobs];
    ks_key *keys = NULL;
    ks_video v;
    *j = (ks_job_file){.video = part->video, .part = part};
    int err = ks_index_video(&v, r->x, part->video, e);
    if (err == KS_ENOTFOUND || err == KS_EDAMAGED) return 0;
    if (err < 0) return err;
    if (!(v.flags & KS_VIDEO_SURVEY) || v.space != r->triage.space) return 0;
    memcpy(j->content, v.content, sizeof j->content);
    j->keys.tb = v.tb;
    err = find_place(&j->place, r->x, &v, e);
    if (err <= 0) return err;
    r->triage.n_jobs++;
    r->triage.bytes += j->place.stat.size;
    err = ks_index_keys(&keys, &j->keys.n, r->x, part->video, e);
    j->keys.at = keys;
    return err < 0 ? err : ks_triage_have(j, r->x, e);
}

static int ingest_parts(run *r, ks_encoder *enc, const ks_part *parts, int n, ks_error *e)
{
    int stopped = 0, err = ks_made_choose(&r->o, r->x, enc, e);
    r->o.survey = KS_SURVEY_OFF;
    r->reader.window_us = (int64_t)(r->o.window * 1e6);
    r->reader.hop_us = (int64_t)(r->o.hop * 1e6);
    if (err >= 0) err = init_embedders(r, enc, e);
    if (err >= 0) err = fix_space(r, e);
    if (err >= 0) err = ks_doubt_begin(&r->indexer, e);
    r->triage.jobs = calloc((size_t)n + 1, sizeof *r->triage.jobs);
    if (err >= 0 && !r->triage.jobs) err = ks_fail(e, KS_ENOMEM, "no memory for parts of films");
    for (int i = 0; i < n && err >= 0; i++) err = add_part(r, &parts[i], e);
    if (err >= 0 && r->triage.n_jobs > 0) err = encode_all(r, KS_PASS_WHOLE, &stopped, e);
    r->sum->left = (int64_t)r->triage.n_jobs - r->indexer.settled;
    r->sum->interrupted = stopped == 1;
    int told = ks_progress_write(r->x, NULL, err < 0 ? NULL : e);
    if (err >= 0 && told >= 0) told = ks_index_publish(r->x, 0, e);
    if (err < 0 || told < 0) return err < 0 ? err : told;
    return stopped == 1 ? ks_fail(e, KS_ESTOP, "interrupted; everything up to here is kept") : 0;
}

int ks_ingest_parts(ks_ingest_summary *out, ks_index *x, ks_encoder *enc,
                    const ks_ingest_options *o, const ks_part *parts, int n, ks_error *e)
{
    assert(out && x && o && (parts || n == 0) && n >= 0);
    run *r = open_run(out, x, o);
    if (!r) return ks_fail(e, KS_ENOMEM, "no memory to ingest");
    int err = ingest_parts(r, enc, parts, n, e);
    out->wall_seconds = ks_monotonic() - r->began;
    close_run(r);
    return err;
}
