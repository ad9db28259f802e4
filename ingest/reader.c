/* reader.c - one thread: takes a job, pulls its frames, finds its shots, plans its clips and
 * sends each clip with the frames that no clip before it needed.
 *
 * Pixels are asked for when a frame is known to be in a clip. The decoder holds the frames that
 * one may still need
 * (ks_film_keep); of large pictures it cannot hold enough to reach back a whole window, so there
 * the frames that lie on the grid are taken as soon as the shot detector lets them go. */
#include "ingest/jobs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ingest/sameness.h"
#include "ingest/shots.h"

enum { HELD = 2 * KS_PLAN_FRAMES };

typedef struct {
    int64_t number, ticks, duration;
} pending;

typedef struct {
    int64_t number;
    uint8_t *px; /* NULL: sent already */
    uint8_t *jpeg;
    size_t jpeg_bytes;
} held;

typedef struct {
    const ks_reader *r;
    ks_job_file *job;
    ks_film *film;
    ks_shots *shots;
    ks_plan *plan;
    ks_timebase tb;
    pending *queue; /* frames whose border is undecided */
    size_t head, n, room;
    held kept[HELD]; /* by number; resized frames that a later clip may need */
    int n_kept;
    int64_t last_end;
    int early;   /* 1: take grid frames as they pass */
    double said; /* seconds of the last HERE */
    ks_key_list keys;
    /* of a part: where it was begun, in seconds; the way there is proven; its shot is known, the
     * shot is to be taken for the film's first; clips are sent; not to be had from here; over */
    double begun;
    int proven, settled, guess, missed, over;
    int64_t first; /* ticks of the film's first frame, for a guess */
} reading;

static int take_frame(held *h, reading *g, int64_t number, ks_error *e)
{
    ks_image image;
    int side = g->r->embedder->side;
    int err = ks_film_pixels(&image, g->film, number, e);
    if (err < 0) return err;
    *h = (held){.number = number, .px = malloc((size_t)side * (size_t)side * 3)};
    if (!h->px) return ks_fail(e, KS_ENOMEM, "no memory for a frame");
    err = ks_resize(h->px, side, &image, g->r->embedder->fit, e);
    if (err < 0) free(h->px);
    return err;
}

/* A clip without its thumbnail is still a clip: no error. */
static void take_thumbnail(held *h, reading *g)
{
    const uint8_t *jpeg;
    if (h->jpeg || ks_film_thumbnail(&jpeg, &h->jpeg_bytes, g->film, h->number, NULL) < 0) return;
    h->jpeg = malloc(h->jpeg_bytes);
    if (h->jpeg) memcpy(h->jpeg, jpeg, h->jpeg_bytes);
}

static held *find_kept(reading *g, int64_t number)
{
    for (int i = 0; i < g->n_kept; i++)
        if (g->kept[i].number == number) return &g->kept[i];
    return NULL;
}

/* The kept frame, taken now if it was not. */
static int want_frame(held **out, reading *g, int64_t number, ks_error *e)
{
    *out = find_kept(g, number);
    if (*out) return 0;
    if (g->n_kept == HELD)
        return ks_fail(e, KS_EFORMAT, "%s: more frames a clip than were planned for",
                       g->job->place.path);
    int err = take_frame(&g->kept[g->n_kept], g, number, e);
    if (err == 0) *out = &g->kept[g->n_kept++];
    return err;
}

static void forget_kept(reading *g, int all)
{
    int n = 0;
    for (int i = 0; i < g->n_kept; i++) {
        if (!all && ks_plan_needs(g->plan, g->kept[i].number)) {
            g->kept[n++] = g->kept[i];
            continue;
        }
        free(g->kept[i].px);
        free(g->kept[i].jpeg);
    }
    g->n_kept = n;
}

/* 1: this clip is in the catalog from an interrupted run, or was looked at more closely. A
 * survey's is not that clip. */
static int have_clip(ks_job_file *job, int64_t start, int64_t end)
{
    int low = 0, high = job->n_have;
    while (low < high) {
        int middle = (low + high) / 2;
        if (job->have[middle].start < start) low = middle + 1;
        else high = middle;
    }
    for (; low < job->n_have && job->have[low].start == start; low++)
        if (job->have[low].end == end && job->have[low].reason != KS_REASON_SURVEY) {
            job->planned[low] = 1;
            return 1;
        }
    return 0;
}

/* The plan knows a clip: send it. */
static int clip_known(void *arg, const ks_planned *c, ks_error *e)
{
    reading *g = arg;
    const ks_part *part = g->job->part;
    int err = 0;
    if (part && (c->end <= part->start || c->start >= part->end)) return 0;
    if (have_clip(g->job, c->start, c->end)) return 0;
    ks_item *p = calloc(1, sizeof *p);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    p->number = malloc((size_t)c->n * sizeof *p->number);
    p->frame = calloc((size_t)c->n, sizeof *p->frame);
    if (!p->number || !p->frame) {
        err = ks_fail(e, KS_ENOMEM, "no memory for a clip");
        goto out;
    }
    int still = g->r->o->stills && c->own == 1 &&
                strstr(ks_film_media(g->film)->container, "_pipe") != NULL;
    *p = (ks_item){.kind = KS_ITEM_CLIP,
                   .job = g->job,
                   .start = c->start,
                   .end = c->end,
                   .tb = g->tb,
                   .reason = still ? KS_REASON_STILL : c->reason,
                   .T = c->n,
                   .number = p->number,
                   .frame = p->frame,
                   .seconds = ks_seconds(c->end, g->tb)};
    memcpy(p->number, c->frame, (size_t)c->n * sizeof *p->number);
    for (int i = 0; i < c->n; i++) {
        held *h;
        if (i > 0 && c->frame[i] == c->frame[i - 1] && i != c->n / 2) continue;
        err = want_frame(&h, g, c->frame[i], e);
        if (err < 0) goto out;
        if (h->px) p->frame[p->n++] = (ks_item_frame){h->number, h->px};
        h->px = NULL; /* the indexer has it from here on */
        if (i != c->n / 2) continue;
        take_thumbnail(h, g);
        if (h->jpeg) {
            p->jpeg = malloc(h->jpeg_bytes);
            if (p->jpeg) memcpy(p->jpeg, h->jpeg, p->jpeg_bytes = h->jpeg_bytes);
        }
    }
    p->oldest = c->reason == KS_REASON_WINDOW ? c->frame[0] : c->frame[c->n - 1] + 1;
    if (ks_clip_queue_put(g->r->clip_queue, p) < 0) return ks_fail(e, KS_ESTOP, "interrupted");
    return 0;
out:
    ks_item_free(p);
    return err;
}

/* Begun in the middle of a film: from where on its shots, and so its clips, are those of the whole
 * pass. That is a border, once the detector has seen as much before it as it remembers. Where
 * none comes the shot is taken for the film's first where that may be (guess); should it be
 * another one the whole pass has other clips, and drops these. */
static int settle(reading *g, int64_t number, const pending *f, ks_plan_border border, ks_error *e)
{
    static const double SETTLE = 6; /* four seconds of looks, and a dissolve before them */
    double t = ks_seconds(f->ticks, g->tb), window = (double)g->r->window_us / 1e6;
    if (g->begun == 0 || (g->proven && border != KS_PLAN_ON && t >= g->begun + SETTLE)) {
        g->settled = 1;
        return 0;
    }
    if (t < ks_seconds(g->job->part->start, g->tb) - window) return 0;
    if (!g->proven || !g->guess) {
        g->missed = 1;
        return 0;
    }
    g->settled = 1;
    int err = ks_plan_resume(g->plan, g->first, number, f->ticks, e);
    return err < 0 ? err : 1;
}

/* The shot detector lets go of the oldest frame. */
static int border_known(void *arg, int64_t number, ks_plan_border border, ks_shots_blend blend,
                        ks_error *e)
{
    reading *g = arg;
    pending f = g->queue[g->head];
    if (f.number != number)
        return ks_fail(e, KS_EFORMAT, "%s: frames out of order", g->job->place.path);
    g->head++;
    g->n--;
    double ticks = (double)g->tb.den / g->tb.num;
    ks_plan_blend lasts = {(int64_t)(blend.before * ticks), (int64_t)(blend.after * ticks)};
    int err = g->job->part && !g->settled ? settle(g, number, &f, border, e) : 0;
    if (err < 0) return err;
    if (g->job->part && !g->settled) {
        ks_film_keep(g->film, number);
        return 0;
    }
    if (err == 0) err = ks_plan_frame(g->plan, number, f.ticks, border, lasts, e);
    if (err < 0) return err;
    g->last_end = f.ticks + f.duration;
    if (g->job->part)
        g->over = ks_seconds(f.ticks - g->job->part->end, g->tb) * 1e6 >
                  (double)g->r->window_us + 1e3;
    int64_t next = g->n > 0 ? g->queue[g->head].ticks : g->last_end;
    if (g->early && ks_plan_on_grid(g->plan, f.ticks, next)) {
        held *h;
        err = want_frame(&h, g, number, e);
        if (err < 0) return err;
        take_thumbnail(h, g);
    }
    forget_kept(g, 0);
    ks_film_keep(g->film, ks_plan_oldest(g->plan, !g->early));
    return 0;
}

static int push_pending(reading *g, const ks_film_frame *f, ks_error *e)
{
    if (g->head > 0 && g->head + g->n == g->room) {
        memmove(g->queue, g->queue + g->head, g->n * sizeof *g->queue);
        g->head = 0;
    }
    if (g->n == g->room) {
        size_t room = g->room ? 2 * g->room : 256;
        pending *queue = reallocarray(g->queue, room, sizeof *queue);
        if (!queue) return ks_fail(e, KS_ENOMEM, "no memory to decode");
        g->queue = queue;
        g->room = room;
    }
    g->queue[g->head + g->n++] = (pending){f->number, f->ticks, f->duration};
    return 0;
}

static int open_plan(reading *g, const ks_film_frame *first, ks_error *e)
{
    const ks_media *m = ks_film_media(g->film);
    ks_plan_rule rule = {m->tb,
                         g->r->window_us,
                         g->r->hop_us,
                         g->r->embedder->frames,
                         0,
                         g->r->embedder->short_frames};
    g->tb = m->tb;
    double nominal = m->fps > 0 ? (double)m->tb.den / (m->fps * m->tb.num) : 0;
    if (nominal < (double)INT64_MAX / 4) rule.nominal = (int64_t)nominal;
    /* The decoder holds 256 MiB; at 3 bytes a pixel and the header's rate, is that a window and
     * the detector's lag? */
    double held_frames = 256e6 / (3.0 * first->width * first->height + 1);
    g->early = held_frames < (m->fps > 1 ? m->fps : 25) * ((double)g->r->window_us / 1e6 + 2);
    return ks_plan_open(&g->plan, &rule, clip_known, g, e);
}

/* Where frames are skipped or made by a device, pictures are others than a seek gives. */
int ks_key_note(ks_key_list *list, const ks_reader *r, const ks_film *film, const ks_film_frame *f,
                ks_error *e)
{
    ks_timebase tb = ks_film_media(film)->tb;
    int broken = (f->flags & KS_FRAME_BREAK) && f->number > 0;
    if ((!(f->flags & KS_FRAME_KEY) && !broken) || (f->flags & KS_FRAME_INFERRED) ||
        r->o->fast_decode || ks_film_media(film)->hwaccel)
        return 0;
    if (!broken && list->n > 0 &&
        ks_seconds(f->ticks, tb) < ks_seconds(list->at[list->n - 1].ticks, tb) + 1)
        return 0;
    if (list->n == list->room) {
        int room = 2 * list->room + 64;
        ks_key *more = reallocarray(list->at, (size_t)room, sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory to decode");
        list->at = more;
        list->room = room;
    }
    list->at[list->n++] = broken ? (ks_key){f->ticks, 0, KS_KEY_BREAK, 0}
                                 : (ks_key){f->ticks, f->shift, f->offset, ks_look(f->small)};
    return 0;
}

/* A key frame that was met before, now in order from one before it: it must be the same picture. */
static void check_key(reading *g, const ks_film_frame *f)
{
    const ks_keys *keys = &g->job->keys;
    int low = 0, high = keys->n;
    if (!(f->flags & KS_FRAME_KEY) || f->number == 0) return;
    while (low < high) {
        int middle = (low + high) / 2;
        if (keys->at[middle].ticks < f->ticks) low = middle + 1;
        else high = middle;
    }
    if (low == keys->n || keys->at[low].ticks != f->ticks || keys->at[low].offset == KS_KEY_BREAK)
        return;
    if (keys->at[low].look == ks_look(f->small)) g->proven = 1;
    else g->missed = g->begun > 0;
}

static int one_frame(reading *g, const ks_film_frame *f, ks_error *e)
{
    int err = g->plan ? 0 : open_plan(g, f, e);
    if (err == 0) err = push_pending(g, f, e);
    if (err < 0) return err;
    double t = ks_seconds(f->ticks, g->tb);
    if (g->job->part) check_key(g, f);
    else err = ks_key_note(&g->keys, g->r, g->film, f, e);
    if (err < 0) return err;
    if (t > g->said + 2) {
        ks_item *p = calloc(1, sizeof *p);
        if (p) {
            *p = (ks_item){.kind = KS_ITEM_HERE,
                           .job = g->job,
                           .seconds = t,
                           .total = ks_seconds(ks_film_media(g->film)->duration, g->tb)};
            if (ks_clip_queue_put(g->r->clip_queue, p) < 0)
                return ks_fail(e, KS_ESTOP, "interrupted");
        }
        g->said = t;
    }
    int broken = (f->flags & KS_FRAME_BREAK) != 0 && f->number > 0;
    if (g->shots) return ks_shots_frame(g->shots, f->number, t, f->small, broken, e);
    return border_known(g, f->number, broken ? KS_PLAN_BREAK : KS_PLAN_ON, (ks_shots_blend){0, 0},
                        e);
}

static int same_file(const ks_place *place)
{
    struct stat st;
    if (stat(place->path, &st) < 0) return 0;
    ks_stat now = ks_stat_of(&st);
    return ks_stat_untouched(now, place->stat) && ks_stat_one_file(now, place->stat);
}

static int read_frames(reading *g, ks_error *e)
{
    ks_film_frame f;
    int r = 0;
    while (!g->r->clip_queue->quit && !g->missed && !g->over &&
           (r = ks_film_next(&f, g->film, e)) == 1) {
        r = one_frame(g, &f, e);
        if (r < 0) return r;
    }
    if (g->r->clip_queue->quit) return ks_fail(e, KS_ESTOP, "interrupted");
    if (r < 0 || g->missed || g->over) return r < 0 ? r : 0;
    if (g->shots) r = ks_shots_end(g->shots, e);
    if (r == 0 && g->plan) r = ks_plan_end(g->plan, g->last_end, e);
    return r;
}

/* All bytes once more, while the system still has most of them at hand: so that the day its
 * mtime is another and nothing else, somebody can tell (DESIGN 3.4). A film that cannot be read
 * to its end now has no hash. */
static int hash_all(ks_item *end, const ks_reader *r, ks_error *e)
{
    end->full = end->job->full;
    if (end->full ||
        (end->outcome.verdict != KS_VERDICT_INDEXED && end->outcome.verdict != KS_VERDICT_PARTLY))
        return 0;
    int err = ks_sameness_hash(&end->full, end->job->place.path, &r->clip_queue->quit, e);
    return err == KS_ESTOP ? err : 0;
}

/* What goes wrong with one film is its verdict; no memory and the like end the run. */
static void judge(ks_item *end, int err, const ks_error *why)
{
    if (err == 0) return;
    if (err == KS_EFORMAT || err == KS_ENOTFOUND || err == KS_EIO || err == KS_EUSAGE) {
        end->outcome.verdict = KS_VERDICT_FAILED;
        snprintf(end->outcome.reason, sizeof end->outcome.reason, "%.190s", why->msg);
        return;
    }
    end->error = err;
    end->why = *why;
}

/* We died of it once: no second time. */
static int is_faulty(const ks_reader *r, const ks_job_file *job)
{
    return r->o->faulty && strcmp(r->o->faulty, job->place.path) == 0;
}

static void give_up(ks_item *end, const ks_reader *r)
{
    end->outcome.verdict = KS_VERDICT_FAILED;
    snprintf(end->outcome.reason, sizeof end->outcome.reason, "%.190s",
             r->o->faulty_reason ? r->o->faulty_reason : "");
    end->job->attempts = 1; /* and this is the second */
}

static int survey_job(const ks_reader *r, ks_decoder *d, ks_job_file *job)
{
    ks_item *end = calloc(1, sizeof *end);
    ks_error e = {0, ""};
    if (!end) {
        r->clip_queue->quit = 1; /* not even room to say so */
        return KS_ENOMEM;
    }
    *end = (ks_item){.kind = KS_ITEM_END, .job = job};
    end->changed = !same_file(&job->place);
    int err = end->changed || is_faulty(r, job) ? 0 : ks_survey_film(end, r, d, &e);
    if (!end->changed && err != KS_ESTOP) end->changed = !same_file(&job->place);
    judge(end, err, &e);
    ks_clip_queue_put(r->clip_queue, end);
    return err == KS_EIO ? err : 0;
}

static void close_reading(reading *g)
{
    if (g->plan) forget_kept(g, 1);
    ks_plan_close(g->plan);
    ks_shots_close(g->shots);
    ks_film_close(g->film);
    free(g->queue);
}

/* Where the film's first frame lies. */
static int find_first(reading *g, ks_decoder *d, const ks_film_options *fo, ks_error *e)
{
    ks_film_frame f;
    int err = ks_film_open(&g->film, d, g->job->place.path, fo, e);
    if (err == 0 && (err = ks_film_next(&f, g->film, e)) == 1) g->first = f.ticks;
    ks_film_close(g->film);
    g->film = NULL;
    return err == 0  ? ks_fail(e, KS_EFORMAT, "%s: no frames", g->job->place.path)
           : err < 0 ? err
                     : 0;
}

/* lead: seconds before the part from which it is read, < 0: from the film's start. */
static int read_part_once(reading *g, ks_decoder *d, double lead, ks_error *e)
{
    const ks_job_file *job = g->job;
    const ks_ingest_options *o = g->r->o;
    ks_film_options fo = {.stills = o->stills, .fast = o->fast_decode, .no_small = !o->shots};
    double from = ks_seconds(job->part->start, job->keys.tb) - lead;
    int err = g->guess ? find_first(g, d, &fo, e) : 0;
    if (err == 0 && lead >= 0)
        err = ks_film_open_at(&g->film, &g->begun, d, job->place.path, &fo, &job->keys, from,
                              ks_seconds(job->part->end, job->keys.tb), e);
    else if (err == 0) err = ks_film_open(&g->film, d, job->place.path, &fo, e);
    if (err == 0 && o->shots) err = ks_shots_open(&g->shots, border_known, g, e);
    if (err == 0) err = read_frames(g, e);
    return err;
}

/* From a little before it; where no border of a shot comes on the way from farther; at last in
 * order from the film's start. Without shots only the start is one. */
static int read_part(int *through, const ks_reader *r, ks_decoder *d, ks_job_file *job, ks_error *e)
{
    static const double leads[] = {20, 120, -1};
    reading *g = malloc(sizeof *g);
    int err = 0;
    if (!g) return ks_fail(e, KS_ENOMEM, "no memory to decode");
    double from = ks_seconds(job->part->start, job->keys.tb);
    *through = 0;
    for (int i = r->o->shots ? 0 : 1; i < 3 && err == 0 && !*through; i++) {
        if (leads[i] >= 0 && (from < leads[i] || job->keys.n < 2)) continue;
        *g = (reading){.r = r, .job = job, .guess = i == 1};
        err = read_part_once(g, d, leads[i], e);
        ks_verdict verdict = g->film ? ks_film_outcome(g->film)->verdict : KS_VERDICT_FAILED;
        *through = err == 0 && !g->missed &&
                   (g->over || verdict == KS_VERDICT_INDEXED || verdict == KS_VERDICT_PARTLY);
        int missed = g->missed;
        close_reading(g);
        if (!missed) break;
    }
    free(g);
    return err;
}

/* 0, or KS_EIO: the decoder program should be started anew. */
static int part_job(const ks_reader *r, ks_decoder *d, ks_job_file *job)
{
    ks_item *end = calloc(1, sizeof *end);
    ks_error e = {0, ""};
    if (!end) {
        r->clip_queue->quit = 1; /* not even room to say so */
        return KS_ENOMEM;
    }
    *end = (ks_item){.kind = KS_ITEM_END, .job = job};
    int err = read_part(&end->through, r, d, job, &e);
    end->changed = !same_file(&job->place);
    judge(end, err, &e);
    ks_clip_queue_put(r->clip_queue, end);
    return err == KS_EIO ? err : 0;
}

/* 0, or KS_EIO: the decoder program should be started anew. */
static int read_job(const ks_reader *r, ks_decoder *d, ks_job_file *job)
{
    reading *g = calloc(1, sizeof *g);
    ks_item *end = calloc(1, sizeof *end);
    ks_error e = {0, ""};
    int err = 0;
    if (!g || !end) {
        free(g);
        free(end);
        r->clip_queue->quit = 1; /* not even room to say so */
        return KS_ENOMEM;
    }
    *end = (ks_item){.kind = KS_ITEM_END, .job = job};
    *g = (reading){.r = r, .job = job};
    ks_film_options fo = {
        .stills = r->o->stills, .fast = r->o->fast_decode, .no_small = !r->o->shots};
    end->changed = !same_file(&job->place);
    int faulty = !end->changed && is_faulty(r, job);
    if (faulty) give_up(end, r);
    else if (!end->changed) err = ks_film_open(&g->film, d, job->place.path, &fo, &e);
    if (err == 0 && g->film && r->o->shots) err = ks_shots_open(&g->shots, border_known, g, &e);
    if (err == 0 && g->film) err = read_frames(g, &e);
    if (g->film) {
        end->media = *ks_film_media(g->film);
        if (err == 0) end->outcome = *ks_film_outcome(g->film);
        end->key = g->keys.at;
        end->n_keys = g->keys.n;
    }
    close_reading(g);
    if (err == 0 && !end->changed) err = hash_all(end, r, &e);
    if (!end->changed && err != KS_ESTOP) end->changed = !same_file(&job->place);
    judge(end, err, &e);
    free(g);
    ks_clip_queue_put(r->clip_queue, end);
    return err == KS_EIO ? err : 0;
}

void *ks_reader_run(void *arg)
{
    const ks_reader *r = arg;
    ks_decoder *d = NULL;
    ks_decoder_how how = {.hwaccel = r->o->hwaccel, .require_sandbox = r->o->require_sandbox};
    for (ks_job_file *job; (job = ks_clip_queue_job(r->clip_queue));) {
        ks_error e = {0, ""};
        /* it may be growing */
        if (!r->clip_queue->survey && job->times++ > 0)
            nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
        int err = d ? 0 : ks_decoder_start(&d, r->o->decoder, &how, &e);
        if (err == 0) {
            ks_at_work(r->o, job->place.path);
            int gone = (job->part               ? part_job(r, d, job)
                        : r->clip_queue->survey ? survey_job(r, d, job)
                                                : read_job(r, d, job)) < 0;
            ks_at_work(r->o, NULL);
            if (gone) {
                ks_decoder_stop(d);
                d = NULL;
            }
            continue;
        }
        ks_item *end = calloc(1, sizeof *end);
        if (!end) break;
        *end = (ks_item){.kind = KS_ITEM_END, .job = job, .error = err, .why = e};
        ks_clip_queue_put(r->clip_queue, end);
    }
    ks_decoder_stop(d);
    return NULL;
}
