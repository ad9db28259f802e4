/* survey.c - a film's coarse pass: KS_SURVEY_PICTURES a minute, each a clip of one frame, so that
 * an archive is searched long before it is wholly in. The decoder seeks to key frames and proves
 * it; where it cannot, the film is read in order and the pictures nearest after even times are
 * taken. The whole pass replaces these clips.
 *
 * A picture stands for its part of a shot where the container's key frames show shots, else for its
 * equal part of the film; where there is none of its own or an equal one follows, the one before
 * stands on. So the clips lie side by side.
 *
 * A glance comes first: of a long film every KS_SURVEY_GLANCE-th of these pictures, each with what
 * it would stand for alone, in the place of which the survey then comes. Films that cannot be
 * sought in are left to it. */
#include "ingest/jobs.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const ks_reader *r;
    ks_job_file *job;
    ks_film *film;
    ks_timebase tb;
    double length, step; /* seconds: as the header says, of a part */
    int64_t next;        /* in order: the part whose picture is to come */
    int64_t from;        /* ticks: no clip begins before, as a gap lies there */
    int64_t last_end;    /* ticks: of the frames seen */
    /* the picture that stands until the next: since when, its pixels (NULL: none), thumbnail */
    int64_t number, start;
    uint8_t *px, *jpeg;
    size_t jpeg_bytes;
    int apart; /* 1: a glance, whose pictures end before the next */
    ks_key_list keys;
} surveying;

static void forget(surveying *s)
{
    free(s->px);
    free(s->jpeg);
    s->px = s->jpeg = NULL;
}

static int64_t ticks_at(const surveying *s, double seconds)
{
    return (int64_t)(seconds * s->tb.den / s->tb.num + 0.5);
}

/* The picture stands until here: its clip. */
static int send_clip(surveying *s, int64_t end, ks_error *e)
{
    if (!s->px || end <= s->start) {
        forget(s);
        return 0;
    }
    ks_item *p = calloc(1, sizeof *p);
    int64_t *number = malloc(sizeof *number);
    ks_item_frame *frame = malloc(sizeof *frame);
    if (!p || !number || !frame) {
        free(p);
        free(number);
        free(frame);
        return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    }
    *number = s->number;
    *frame = (ks_item_frame){s->number, s->px};
    *p = (ks_item){.kind = KS_ITEM_CLIP,
                   .job = s->job,
                   .start = s->start,
                   .end = end,
                   .oldest = s->number + 1,
                   .tb = s->tb,
                   .reason = KS_REASON_SURVEY,
                   .T = 1,
                   .number = number,
                   .frame = frame,
                   .n = 1,
                   .seconds = ks_seconds(end, s->tb),
                   .jpeg = s->jpeg,
                   .jpeg_bytes = s->jpeg_bytes};
    s->px = s->jpeg = NULL;
    return ks_clip_queue_put(s->r->clip_queue, p) < 0 ? ks_fail(e, KS_ESTOP, "interrupted") : 0;
}

/* A clip without one is still a clip. */
static void take_thumbnail(surveying *s, int64_t number)
{
    const uint8_t *jpeg;
    if (ks_film_thumbnail(&jpeg, &s->jpeg_bytes, s->film, number, NULL) < 0) return;
    s->jpeg = malloc(s->jpeg_bytes);
    if (s->jpeg) memcpy(s->jpeg, jpeg, s->jpeg_bytes);
}

/* The frame as the picture from `start` on, unless it is the one that stands. */
static int take(surveying *s, const ks_film_frame *f, int64_t start, ks_error *e)
{
    ks_image image;
    int side = s->r->embedder->side;
    if (start < s->from) start = s->from;
    size_t bytes = (size_t)side * (size_t)side * 3;
    int err = ks_film_pixels(&image, s->film, f->number, e);
    if (err < 0) return err;
    uint8_t *px = malloc(bytes);
    if (!px) return ks_fail(e, KS_ENOMEM, "no memory for a frame");
    err = ks_resize(px, side, &image, s->r->embedder->fit, e);
    int same = err == 0 && s->px && memcmp(px, s->px, bytes) == 0;
    if (err == 0 && !same) err = send_clip(s, start, e);
    if (err < 0 || same) {
        free(px);
        return err;
    }
    s->px = px;
    s->number = f->number;
    s->start = start;
    take_thumbnail(s, f->number);
    return 0;
}

/* Of a gap: nothing stands over it. */
static int break_off(surveying *s, const ks_film_frame *f, ks_error *e)
{
    s->from = f->ticks;
    return send_clip(s, s->last_end, e);
}

/* In order a part's picture is the first from its middle on. */
static int one_in_order(surveying *s, const ks_film_frame *f, ks_error *e)
{
    double middle = ks_seconds(f->ticks, s->tb) / s->step - 0.5;
    if (middle < (double)s->next) return 0;
    s->next = (int64_t)middle + 1;
    return take(s, f, ticks_at(s, (double)(s->next - 1) * s->step), e);
}

static int walk(surveying *s, int in_order, ks_error *e)
{
    ks_film_frame f;
    int r = 0;
    while (!s->r->clip_queue->quit && (r = ks_film_next(&f, s->film, e)) == 1) {
        ks_film_keep(s->film, f.number);
        r = ks_key_note(&s->keys, s->r, s->film, &f, e);
        if (r == 0 && in_order && f.number > 0 && (f.flags & KS_FRAME_BREAK))
            r = break_off(s, &f, e);
        if (r == 0) r = in_order ? one_in_order(s, &f, e) : take(s, &f, f.since, e);
        s->last_end = f.ticks + f.duration;
        if (r == 0 && s->apart) r = send_clip(s, s->last_end, e);
        if (r < 0) return r;
    }
    if (s->r->clip_queue->quit) return ks_fail(e, KS_ESTOP, "interrupted");
    return r < 0 ? r : send_clip(s, in_order ? s->last_end : ticks_at(s, s->length), e);
}

static int survey_once(surveying *s, ks_decoder *d, int in_order, ks_error *e)
{
    int glance = s->r->clip_queue->survey == KS_PASS_GLANCE;
    ks_film_options o = {.survey = in_order ? 0
                                   : glance ? KS_FILM_GLANCE
                                            : 1,
                         .no_small = 1,
                         .hold = (size_t)96 << 20};
    int err = ks_film_open(&s->film, d, s->job->place.path, &o, e);
    if (err < 0) return err;
    const ks_media *m = ks_film_media(s->film);
    s->tb = m->tb;
    s->next = s->from = s->last_end = 0;
    s->keys.n = 0;
    s->length = m->tb.den > 0 ? ks_seconds(m->duration, m->tb) : 0;
    s->step = ks_survey_step(s->length > 0 ? s->length : 60);
    s->apart = glance && ks_glance_step(s->length) > 1;
    /* What one clip of the whole pass shows needs no survey. */
    return s->length > 0 && s->length * 1e6 <= (double)s->r->window_us ? 0 : walk(s, in_order, e);
}

/* What was sent of it so far does not count. */
static int begin_anew(const surveying *s, ks_error *e)
{
    ks_item *p = calloc(1, sizeof *p);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    *p = (ks_item){.kind = KS_ITEM_ANEW, .job = s->job};
    return ks_clip_queue_put(s->r->clip_queue, p) < 0 ? ks_fail(e, KS_ESTOP, "interrupted") : 0;
}

int ks_survey_film(ks_item *end, const ks_reader *r, ks_decoder *d, ks_error *e)
{
    surveying *s = calloc(1, sizeof *s);
    int err = 0;
    if (!s) return ks_fail(e, KS_ENOMEM, "no memory to decode");
    *s = (surveying){.r = r, .job = end->job};
    int last = r->clip_queue->survey == KS_PASS_GLANCE ? 0 : 1;
    for (int in_order = s->job->in_order; in_order <= last; in_order++) {
        err = in_order ? begin_anew(s, e) : 0;
        if (err == 0) err = survey_once(s, d, in_order, e);
        int sought = err == 0 && s->film && ks_film_outcome(s->film)->verdict == KS_VERDICT_INDEXED;
        if (err == 0 && s->film) {
            end->media = *ks_film_media(s->film);
            end->outcome = *ks_film_outcome(s->film);
        }
        forget(s);
        ks_film_close(s->film);
        s->film = NULL;
        if (err < 0 || sought) break;
        s->job->in_order = 1;
    }
    end->glance = s->apart;
    end->key = s->keys.at;
    end->n_keys = s->keys.n;
    free(s);
    return err;
}
