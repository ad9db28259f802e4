/* closer.c - the neighbourhood of the best surveyed moments of a question, encoded now.
 *
 * Around the picture that fits best first, of all of them, best first; then the whole minutes in
 * the same order, whose clips of the survey go with that. A survey dilutes what is short, so a
 * question of one vector is asked of the surveyed pictures, not of their minutes: of 467 moments
 * of 4 to 60 s in two hours of film the best minute was of the right film in 26 %, the best
 * picture in 55. Others go by the moments of the answer, those under the cut-off too. */
#include "session/session.h"

#include "session/open.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOMENTS = 30 };
/* Seconds before and after the best picture: it stands for what comes until the next one, mostly
 * four seconds on, and lies at a key frame up to ten seconds before its time. */
static const double BEFORE = 6, AFTER = 12;

typedef struct {
    ks_index *x; /* to write */
    ks_encoder *enc;
    char *decoder;
    ks_part *narrow, *wide; /* [n], [n_wide], best first */
    int n, n_wide;
    int64_t first; /* from this id on clips are new */
    double began;
} closer;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int64_t ticks(double seconds, ks_timebase tb)
{
    return (int64_t)(seconds * tb.den / tb.num);
}

/* --- the best pictures --- */
typedef struct {
    ks_clip clip;
    ks_timebase tb;
    int64_t at; /* ticks: of the picture */
    double cosine;
} picture;

/* best[MOMENTS] by falling cosine, *n of them. */
static void put_picture(picture *best, int *n, const picture *p)
{
    int at = *n;
    if (*n == MOMENTS && p->cosine <= best[MOMENTS - 1].cosine) return;
    if (*n == MOMENTS) at--;
    else ++*n;
    for (; at > 0 && best[at - 1].cosine < p->cosine; at--) best[at] = best[at - 1];
    best[at] = *p;
}

/* The picture of a surveyed minute that fits best. A rotten row is none. */
static int look_at(picture *p, ks_index *x, const ks_asked *a, ks_error *e)
{
    float *v = NULL;
    int frames = 0, dim = a->dim;
    int err = ks_index_frame_vectors(&v, &frames, dim, x, p->clip.id, e);
    p->cosine = -2;
    if (err == KS_EDAMAGED || err == KS_ENOTFOUND) err = 0;
    for (int i = 0; v && i < frames; i++) {
        double dot = 0, length = 0;
        for (int d = 0; d < dim; d++) {
            double y = (double)v[(size_t)i * (size_t)dim + (size_t)d];
            dot += y * (double)a->q[d];
            length += y * y;
        }
        if (length > 0 && dot / sqrt(length) > p->cosine) {
            p->cosine = dot / sqrt(length);
            p->at = p->clip.start + (p->clip.end - p->clip.start) * i / frames;
        }
    }
    free(v);
    return err;
}

typedef struct {
    picture *at; /* [n] one a surveyed minute, not looked at yet */
    size_t n, room;
} minutes;

static int add_minutes(minutes *m, ks_index *x, const ks_video *v, const ks_filter *f, ks_error *e)
{
    ks_filter of_film = *f;
    ks_timebase tb = v->tb;
    ks_cursor *cursor = NULL;
    ks_clip clip;
    of_film.video = v->id;
    int r = ks_index_clips(&cursor, x, &of_film, e);
    while (r >= 0 && (r = ks_clips_next(&clip, cursor, e)) == 1) {
        if (clip.reason != KS_REASON_SURVEY) continue;
        if (m->n == m->room) {
            size_t room = 2 * m->room + 256;
            picture *more = reallocarray(m->at, room, sizeof *more);
            if (!more) {
                r = ks_fail(e, KS_ENOMEM, "no memory for parts of films");
                break;
            }
            m->at = more;
            m->room = room;
        }
        m->at[m->n++] = (picture){.clip = clip, .tb = tb};
    }
    ks_cursor_close(cursor);
    return r == KS_EDAMAGED ? 0 : r;
}

/* Of all films that the question asks about; the calls on one end the cursor's row. */
static int find_minutes(minutes *m, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_video v, *film = NULL;
    size_t n = 0, room = 0;
    int r = ks_index_files(&cursor, x, f, e);
    while (r >= 0 && (r = ks_files_next(&v, cursor, e)) == 1) {
        int known = !(v.flags & KS_VIDEO_SURVEY) || v.finished == 0;
        for (size_t i = n; i-- > 0 && !known;) known = film[i].id == v.id;
        if (known) continue;
        if (n == room) {
            ks_video *more = reallocarray(film, room = 2 * room + 64, sizeof *more);
            if (!more) {
                r = ks_fail(e, KS_ENOMEM, "no memory for parts of films");
                break;
            }
            film = more;
        }
        film[n++] = v; /* its text is not looked at */
    }
    ks_cursor_close(cursor);
    for (size_t i = 0; i < n && r >= 0; i++) r = add_minutes(m, x, &film[i], f, e);
    free(film);
    return r < 0 ? r : 0;
}

/* The minutes of one moment, each once; its best picture's surroundings. */
static int add_moment(closer *c, ks_session *s, const ks_moment *m, ks_error *e)
{
    ks_part *wide = reallocarray(c->wide, (size_t)c->n_wide + (size_t)m->n_clips, sizeof *wide);
    if (!wide) return ks_fail(e, KS_ENOMEM, "no memory for parts of films");
    c->wide = wide;
    int64_t before = ticks(BEFORE, m->tb), after = ticks(AFTER, m->tb);
    c->narrow[c->n++] = (ks_part){m->video, m->best > before ? m->best - before : 0,
                                  m->best + after};
    for (int i = 0; i < m->n_clips; i++) {
        ks_clip clip;
        int err = ks_index_clip(&clip, s->x, m->clips[i], e);
        if (err == KS_ENOTFOUND || err == KS_EDAMAGED) continue;
        if (err < 0) return err;
        c->wide[c->n_wide++] = (ks_part){clip.video, clip.start, clip.end};
    }
    return 0;
}

/* The best pictures of all surveyed minutes, in a tenth of the time at most. */
static int find_pictures(closer *c, ks_session *s, const ks_asked *a, double seconds, ks_error *e)
{
    picture best[MOMENTS];
    minutes m = {0};
    int n = 0, err = find_minutes(&m, s->x, &a->o.filter, e);
    for (size_t i = 0; i < m.n && err == 0 && now() - c->began < seconds / 10; i++) {
        err = look_at(&m.at[i], s->x, a, e);
        if (err == 0 && m.at[i].cosine > -2) put_picture(best, &n, &m.at[i]);
    }
    free(m.at);
    c->narrow = calloc((size_t)n + 1, sizeof *c->narrow);
    c->wide = calloc((size_t)n + 1, sizeof *c->wide);
    if (err == 0 && (!c->narrow || !c->wide))
        err = ks_fail(e, KS_ENOMEM, "no memory for parts of films");
    for (int i = 0; i < n && err == 0; i++) {
        const picture *p = &best[i];
        int64_t before = ticks(BEFORE, p->tb);
        c->narrow[c->n++] = (ks_part){p->clip.video, p->at > before ? p->at - before : 0,
                                      p->at + ticks(AFTER, p->tb)};
        c->wide[c->n_wide++] = (ks_part){p->clip.video, p->clip.start, p->clip.end};
    }
    return err;
}

static int find_parts(closer *c, ks_session *s, const ks_asked *asked, const ks_question *q,
                      ks_error *e)
{
    ks_question plain = *q;
    ks_asked more = *asked;
    ks_answer a;
    plain.sort = NULL;
    plain.refine = plain.explain = 0;
    more.o.all = 1;
    more.o.k = asked->o.k > MOMENTS ? asked->o.k : MOMENTS;
    more.o.min_score = 0;
    int err = ks_ask_look(&a, s, &more, &plain, e);
    if (err < 0) return err;
    c->narrow = calloc((size_t)a.hits.count + 1, sizeof *c->narrow);
    if (!c->narrow) err = ks_fail(e, KS_ENOMEM, "no memory for parts of films");
    for (int i = 0; i < a.hits.count && err == 0; i++)
        if (a.at[i].surveyed && !a.at[i].missing) err = add_moment(c, s, &a.at[i], e);
    ks_answer_free(&a);
    return err;
}

/* The library's encoder for films, in the class of its vectors; NULL: films with clocks. */
static int open_towers(closer *c, ks_session *s, const ks_library *l, ks_error *e)
{
    ks_setup with = *s->setup;
    if (strcmp(l->next.model, "clock") == 0) return 0;
    if (!with.precision && l->next.precision) with.precision = "int8";
    return ks_open_library_encoder(&c->enc, &with, c->x, KS_TOWER_VIDEO | KS_TOWER_TEXT, e);
}

/* ids of clips grow: from the newest one on */
static int newest_clip(int64_t *id, ks_index *x, const closer *c, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_clip clip;
    *id = 0;
    for (int i = 0; i < c->n; i++) {
        ks_filter of_film = {.video = c->narrow[i].video, .unfinished_too = 1};
        int r = ks_index_clips(&cursor, x, &of_film, e);
        while (r >= 0 && ((r = ks_clips_next(&clip, cursor, e)) == 1 || r == KS_EDAMAGED))
            if (r == 1 && clip.id >= *id) *id = clip.id + 1;
        ks_cursor_close(cursor);
        if (r < 0) return r;
    }
    return 0;
}

static int encode(ks_closer *out, closer *c, ks_error *e)
{
    ks_ingest_options o = {.decoder = c->decoder,
                           .stop = out->stop,
                           .event = out->event,
                           .event_arg = out->event_arg,
                           .unsaid = ~0u};
    ks_ingest_summary sum;
    int err = 0;
    for (int round = 0; round < 2 && err == 0; round++) {
        o.budget = out->seconds - (now() - c->began);
        if (o.budget <= 0) break;
        err = ks_ingest_parts(&sum, c->x, c->enc, &o, round ? c->wide : c->narrow,
                              round ? c->n_wide : c->n, e);
        out->clips += sum.clips;
        if (round) out->sharpened = (int)sum.indexed;
    }
    out->stopped = err == KS_ESTOP;
    if (out->stopped) err = 0;
    return err == 0 && out->clips > 0 && c->enc ? ks_calibrate(NULL, c->x, c->enc, e) : err;
}

static int look_closer(ks_closer *out, closer *c, ks_session *s, ks_error *e)
{
    ks_library *l = malloc(sizeof *l); /* 16 KiB of paths */
    int err = l ? ks_index_open(&c->x, s->path, KS_WRITE, e) : ks_fail(e, KS_ENOMEM, "no memory");
    if (err == 0) err = ks_index_library(l, c->x, e);
    if (err == 0 && l->switching)
        err = ks_fail(e, KS_EBUSY, "%s: a switch of models is under way", s->path);
    if (err == 0) err = ks_locate_decoder(&c->decoder, s->setup, e);
    if (err == 0) err = open_towers(c, s, l, e);
    if (err == 0) err = newest_clip(&c->first, c->x, c, e);
    if (err == 0) err = encode(out, c, e);
    ks_index_close(c->x);
    ks_encoder_close(c->enc);
    free(c->decoder);
    free(l);
    if (err == KS_EBUSY && e) out->busy = *e;
    return err == KS_EBUSY ? 0 : err;
}

int ks_ask_closer(ks_answer *out, ks_closer *how, ks_session *s, const ks_question *q,
                  const ks_query_options *o, ks_error *e)
{
    closer c = {.began = now()};
    ks_asked asked;
    int err = ks_ask_begin(&asked, s, q, o, e);
    *out = (ks_answer){0};
    how->surveyed = how->sharpened = how->stopped = 0;
    how->clips = how->busy.code = 0;
    if (err == 0 && !ks_question_lines(q)) /* lines are not encoded */
        err = asked.terms ? find_parts(&c, s, &asked, q, e)
                          : find_pictures(&c, s, &asked, how->seconds, e);
    how->surveyed = c.n_wide;
    if (err == 0 && c.n > 0) err = look_closer(how, &c, s, e);
    if (err == 0) err = ks_ask_look(out, s, &asked, q, e);
    for (int i = 0; err == 0 && how->clips > 0 && i < out->hits.count + out->hits.below; i++)
        out->at[i].sharpened = out->at[i].n_clips > 0 && out->at[i].clips[0] >= c.first;
    ks_ask_end(&asked);
    free(c.narrow);
    free(c.wide);
    return err;
}
