/* survey.c - a film's coarse pass: one clip of T pictures for each minute (ks_survey_span), so
 * that an archive is searched long before it is wholly in. The decoder seeks to key frames and
 * proves it; where it cannot, the film is read in order and the pictures nearest the same times
 * are taken. The whole pass replaces these clips. */
#include "ingest/jobs.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t number, ticks;
    uint8_t *px;
} shot;

typedef struct {
    const ks_reader *r;
    ks_job_file *job;
    ks_film *film;
    ks_timebase tb;
    double span;       /* seconds */
    int64_t spans, at; /* of the film; the one being filled */
    /* ticks: of the frames seen; < 0: the header says how long the film is */
    int64_t last_end;
    shot shot[KS_PLAN_FRAMES]; /* [n] pictures of it, as many as T */
    int n;
    uint8_t *jpeg; /* of its middle */
    size_t jpeg_bytes;
    ks_key_list keys;
} surveying;

static void forget(surveying *s)
{
    for (int i = 0; i < s->n; i++) free(s->shot[i].px);
    free(s->jpeg);
    s->jpeg = NULL;
    s->n = 0;
}

static int64_t ticks_at(const surveying *s, double seconds)
{
    return (int64_t)(seconds * s->tb.den / s->tb.num + 0.5);
}

/* seconds: of the i-th picture of T of the span being filled */
static double target(const surveying *s, int i)
{
    return ((double)s->at + (i + 0.5) / s->r->coder->frames) * s->span;
}

/* The span is over: its clip, where a picture lies in it. */
static int send_clip(surveying *s, ks_error *e)
{
    int T = s->r->coder->frames;
    int64_t start = ticks_at(s, (double)s->at * s->span),
            end = ticks_at(s, (double)(s->at + 1) * s->span);
    if (s->last_end >= 0 && end > s->last_end) end = s->last_end;
    /* No clip of a survey is as short as one of the whole pass, so none is taken for one. */
    if (s->n == 0 || ks_seconds(end - start, s->tb) * 1e6 <= (double)s->r->window_us) {
        forget(s);
        return 0;
    }
    ks_parcel *p = calloc(1, sizeof *p);
    int64_t *number = calloc((size_t)T, sizeof *number);
    ks_parcel_frame *frame = calloc((size_t)s->n, sizeof *frame);
    if (!p || !number || !frame) {
        free(p);
        free(number);
        free(frame);
        return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    }
    *p = (ks_parcel){.kind = KS_PARCEL_CLIP,
                     .job = s->job,
                     .start = start,
                     .end = end,
                     .tb = s->tb,
                     .reason = KS_REASON_SURVEY,
                     .T = T,
                     .number = number,
                     .frame = frame,
                     .seconds = ks_seconds(end, s->tb),
                     .jpeg = s->jpeg,
                     .jpeg_bytes = s->jpeg_bytes};
    for (int i = 0, k = 0; i < T; i++) {
        while (k + 1 < s->n && s->shot[k + 1].ticks <= ticks_at(s, target(s, i))) k++;
        number[i] = s->shot[k].number;
        if (i > 0 && number[i] == number[i - 1]) continue;
        frame[p->n++] = (ks_parcel_frame){s->shot[k].number, s->shot[k].px};
        s->shot[k].px = NULL;
    }
    p->oldest = s->shot[s->n - 1].number + 1;
    s->jpeg = NULL;
    forget(s);
    return ks_belt_put(s->r->belt, p) < 0 ? ks_fail(e, KS_ESTOP, "interrupted") : 0;
}

static int take(surveying *s, const ks_film_frame *f, ks_error *e)
{
    const uint8_t *jpeg;
    ks_image image;
    int side = s->r->coder->side;
    int err = ks_film_pixels(&image, s->film, f->number, e);
    if (err < 0) return err;
    shot *to = &s->shot[s->n];
    *to = (shot){f->number, f->ticks, malloc((size_t)side * (size_t)side * 3)};
    if (!to->px) return ks_fail(e, KS_ENOMEM, "no memory for a frame");
    s->n++;
    err = ks_resize(to->px, side, &image, s->r->coder->fit, e);
    if (err < 0 || (s->jpeg && ks_seconds(f->ticks, s->tb) > target(s, s->r->coder->frames / 2)))
        return err;
    /* a clip without one is still a clip */
    if (ks_film_thumbnail(&jpeg, &s->jpeg_bytes, s->film, f->number, NULL) < 0) return 0;
    free(s->jpeg);
    s->jpeg = malloc(s->jpeg_bytes);
    if (s->jpeg) memcpy(s->jpeg, jpeg, s->jpeg_bytes);
    return 0;
}

/* Each picture that is given is taken; in order, those nearest after the wanted times. */
static int walk(surveying *s, int in_order, ks_error *e)
{
    ks_film_frame f;
    int T = s->r->coder->frames, r = 0;
    for (int next = 0; !s->r->belt->quit && (r = ks_film_next(&f, s->film, e)) == 1;) {
        double t = ks_seconds(f.ticks, s->tb);
        ks_film_keep(s->film, f.number);
        if ((r = ks_key_note(&s->keys, s->r, s->film, &f, e)) < 0) return r;
        r = 1;
        if (s->last_end >= 0) s->last_end = f.ticks + f.duration;
        while (r == 1 && s->at < s->spans &&
               f.ticks >= ticks_at(s, (double)(s->at + 1) * s->span)) {
            if (send_clip(s, e) < 0) return e ? e->code : KS_ESTOP;
            s->at++;
            next = 0;
        }
        if (s->at >= s->spans) return 0;
        if (s->n == T || (in_order && (next == T || t < target(s, next)))) continue;
        r = take(s, &f, e);
        if (r < 0) return r;
        /* what it stands for */
        if (in_order) s->shot[s->n - 1].ticks = ticks_at(s, target(s, next));
        while (next < T && target(s, next) <= t) next++;
    }
    if (s->r->belt->quit) return ks_fail(e, KS_ESTOP, "interrupted");
    return r < 0 ? r : send_clip(s, e);
}

static int survey_once(surveying *s, ks_decoder *d, int in_order, ks_error *e)
{
    ks_film_options o = {
        .survey = in_order ? 0 : s->r->coder->frames, .no_small = 1, .hold = (size_t)96 << 20};
    int err = ks_film_open(&s->film, d, s->job->place.path, &o, e);
    if (err < 0) return err;
    const ks_media *m = ks_film_media(s->film);
    s->tb = m->tb;
    s->at = 0;
    s->keys.n = 0;
    double length = m->tb.den > 0 ? ks_seconds(m->duration, m->tb) : 0;
    s->last_end = length > 0 ? -1 : 0;
    s->span = length > 0 ? ks_survey_span(length) : 60;
    s->spans = length > 0 ? (int64_t)(length / s->span + 0.5) : INT32_MAX;
    /* What one clip of the whole pass shows needs no survey. */
    return s->span * 1e6 > (double)s->r->window_us ? walk(s, in_order, e) : 0;
}

/* What was sent of it so far does not count. */
static int begin_anew(const surveying *s, ks_error *e)
{
    ks_parcel *p = calloc(1, sizeof *p);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a clip");
    *p = (ks_parcel){.kind = KS_PARCEL_ANEW, .job = s->job};
    return ks_belt_put(s->r->belt, p) < 0 ? ks_fail(e, KS_ESTOP, "interrupted") : 0;
}

int ks_survey_film(ks_parcel *end, const ks_reader *r, ks_decoder *d, ks_error *e)
{
    surveying *s = calloc(1, sizeof *s);
    int err = 0;
    if (!s) return ks_fail(e, KS_ENOMEM, "no memory to decode");
    *s = (surveying){.r = r, .job = end->job};
    for (int in_order = 0; in_order < 2; in_order++) {
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
    }
    end->key = s->keys.at;
    end->n_keys = s->keys.n;
    free(s);
    return err;
}
