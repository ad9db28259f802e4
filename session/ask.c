/* ask.c - one question from its text to moments with the facts of their films. */
#include "session/session.h"

#include "session/open.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int ks_question_options(ks_query_options *o, ks_session *s, const ks_question *q, ks_error *e)
{
    assert(o && s && q);
    ks_filter *to = &o->filter;
    int err;

    *o = (ks_query_options){.k = q->k, .per_video = q->per_video, .all = q->all};
    to->label = q->label;
    o->min_score = q->min_score;
    to->longer = q->longer;
    to->shorter = q->shorter;
    if (q->after && ks_parse_date(&to->after, q->after, 0) < 0)
        return ks_fail(e, KS_EUSAGE, "--after takes a date such as 2019-07-12, not \"%s\"",
                       q->after);
    if (q->before && ks_parse_date(&to->before, q->before, 0) < 0)
        return ks_fail(e, KS_EUSAGE, "--before takes a date such as 2019-07-12, not \"%s\"",
                       q->before);
    /* 0 is no bound: the second before the first of 1970 */
    if (q->after && to->after == 0) to->after = -1;
    if (q->before && to->before == 0) to->before = -1;
    if (q->label) {
        int known = ks_index_has_label(s->x, q->label, e);
        if (known <= 0)
            return known < 0
                       ? known
                       : ks_fail(
                             e, KS_ENOTFOUND,
                             "%s: no stored label is called so (kinoseek label --store keeps them)",
                             q->label);
    }
    if (q->said && (err = ks_question_said(to, s, q->said, e)) < 0) return err;
    if (q->exact && q->ann) return ks_fail(e, KS_EUSAGE, "--exact and --ann exclude each other");
    o->apart = q->merge && strcmp(q->merge, "off") == 0;
    o->unfolded = q->fold && strcmp(q->fold, "off") == 0;
    o->how = q->exact ? KS_SEARCH_EXACT : q->ann ? KS_SEARCH_ANN : KS_SEARCH_AUTO;
    if (q->sort && strcmp(q->sort, "score") != 0 && strcmp(q->sort, "date") != 0 &&
        strcmp(q->sort, "film") != 0)
        return ks_fail(e, KS_EUSAGE, "--sort takes score, date or film, not \"%s\"", q->sort);
    if (ks_question_shape(to, q, e) < 0) return KS_EUSAGE;
    if (q->path && (err = ks_question_path(to, s, q->path, e)) < 0) return err;
    if (!q->in) return 0;
    free(s->shown);
    err = ks_find_film(&to->video, &s->shown, s->x, q->in, e);
    to->shown = s->shown;
    return err;
}

void ks_moment_film(ks_moment *m, const ks_video *v)
{
    m->film_date = v->film_date;
    m->date_source = v->date_source;
    m->fps = v->fps;
    m->rate_num = v->rate_num;
    m->rate_den = v->rate_den;
    m->variable = (v->flags & KS_VIDEO_VFR) != 0;
    memcpy(m->timecode, v->timecode, sizeof m->timecode);
    memcpy(m->reel, v->reel, sizeof m->reel);
    m->duration = ks_seconds(v->duration, v->tb);
    m->first = v->first;
}

void ks_moment_clip(ks_moment *m, const ks_clip *c, const ks_video *v)
{
    *m = (ks_moment){.path = v->path,
                     .title = ks_reason_name(c->reason),
                     .video = c->video,
                     .tb = v->tb,
                     .start = c->start,
                     .end = c->end,
                     .best = c->start,
                     .clips = &c->id,
                     .n_clips = 1,
                     .frames = c->frames};
    ks_moment_film(m, v);
}

/* What its best clip is of. A row that cannot be read now says nothing. */
static int is_surveyed(ks_index *x, const ks_hit *h)
{
    ks_clip clip;
    return h->n_clips > 0 && ks_index_clip(&clip, x, h->clips[0], NULL) >= 0 &&
           clip.reason == KS_REASON_SURVEY;
}

static void moment_of(ks_moment *m, const ks_hit *h, const char *title)
{
    char disk[256];

    *m = (ks_moment){.path = h->path,
                     .title = title,
                     .rank = h->rank,
                     .video = h->video,
                     .tb = h->tb,
                     .start = h->start,
                     .end = h->end,
                     .best = h->best,
                     .score = h->score,
                     .cosine = h->cosine,
                     .clips = h->clips,
                     .n_clips = h->n_clips,
                     .copies = h->copies,
                     .n_copies = h->n_copies,
                     .more_copies = h->more_copies,
                     .film_date = h->film_date,
                     .date_source = h->date_source,
                     .fps = h->fps,
                     .duration = ks_seconds(h->duration, h->tb),
                     .first = h->first,
                     .rate_num = h->rate_num,
                     .rate_den = h->rate_den,
                     .variable = h->variable};
    memcpy(m->timecode, h->timecode, sizeof m->timecode);
    memcpy(m->reel, h->reel, sizeof m->reel);
    m->parts = h->parts;
    m->n_parts = h->n_parts;
    m->missing = ks_missing(disk, sizeof disk, h->path);
}

/* Nothing was looked at: which filter let nothing through is worth a line. */
static int say_empty(ks_session *s, const ks_filter *f, ks_error *e)
{
    char sentence[256];
    int err = ks_name_empty_filter(sentence, sizeof sentence, s->x, f, e);

    if (err > 0 && s->setup->notice) s->setup->notice(s->setup->notice_arg, sentence);
    return err;
}

/* The answer, of one state of the library. The question was encoded before: that may take
 * minutes, and a writer's log cannot shrink past a reader. */
static int look(ks_answer *out, ks_session *s, const ks_asked *a, const ks_question *q, ks_error *e)
{
    const ks_scale *scale;
    int err, n, explain = q->explain;

    if ((err = ks_session_scale(&scale, s, e)) < 0) return err;
    err = a->terms
              ? ks_query_run_terms(&out->hits, s->x, scale, a->q, a->terms, a->n, a->dim, &a->o, e)
              : ks_query_run(&out->hits, s->x, scale, a->q, a->dim, &a->o, e);
    if (err == 0 && q->refine) err = ks_refine(&out->hits, s, scale, a, e);
    if (err < 0) return err;
    if (out->hits.searched == 0 && (err = say_empty(s, &a->o.filter, e)) < 0) return err;
    ks_sort_hits(&out->hits, q->sort);
    n = out->hits.count + out->hits.below;
    out->at = calloc((size_t)n + 1, sizeof *out->at);
    out->why = explain ? calloc((size_t)n + 1, sizeof *out->why) : NULL;
    if (!out->at || (explain && !out->why)) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    for (int i = 0; i < n; i++) {
        moment_of(&out->at[i], &out->hits.at[i], out->title);
        out->at[i].surveyed = is_surveyed(s->x, &out->hits.at[i]);
        out->at[i].why = explain ? &out->why[i] : NULL;
    }
    if ((err = ks_find_named(out, s, q, &a->o, e)) < 0) return err;
    if (q->said && (err = ks_add_lines(out, s, &a->o.filter, e)) < 0) return err;
    return explain ? ks_explain(out->why, s, scale, a, &out->hits, e) : 0;
}

int ks_ask_begin(ks_asked *a, ks_session *s, const ks_question *q, const ks_query_options *o,
                 ks_error *e)
{
    int err = 0;

    assert(ks_question_lines(q) ||
           (q->words != NULL) + (q->image != NULL) + (q->like > 0) + (q->film != NULL) ==
               !(q->terms && q->terms->n && q->terms->at[0].op == KS_OP_BEGIN));
    *a = (ks_asked){0};
    if (o) a->o = *o;
    else err = ks_question_options(&a->o, s, q, e);
    if (err == 0 && ks_question_lines(q) && (q->refine || q->explain))
        err = ks_fail(e, KS_EUSAGE, "--refine and --explain are of what is seen");
    if (err == 0 && !ks_question_lines(q)) err = ks_question_vectors(a, s, q, e);
    if (err == 0 && q->refine && a->terms)
        err = ks_fail(e, KS_EUSAGE, "--refine knows questions of one vector");
    if (err == 0 && q->explain && a->terms)
        err = ks_fail(e, KS_EUSAGE,
                      "--explain knows questions of one vector; the parts of others are in --json");
    return err;
}

void ks_ask_end(ks_asked *a)
{
    free(a->q);
    free(a->terms);
}

int ks_ask_look(ks_answer *out, ks_session *s, const ks_asked *a, const ks_question *q, ks_error *e)
{
    *out = (ks_answer){.title = ks_question_title(q)};
    int err = out->title ? ks_index_snapshot(s->x, e)
                         : ks_fail(e, KS_ENOMEM, "no memory for a query");
    if (err == 0) {
        err = ks_question_lines(q) ? ks_find_lines(out, s, &a->o, e) : look(out, s, a, q, e);
        ks_index_release(s->x);
    }
    if (err < 0) ks_answer_free(out);
    return err;
}

int ks_ask(ks_answer *out, ks_session *s, const ks_question *q, const ks_query_options *o,
           ks_error *e)
{
    assert(out && s && q);
    ks_asked a;
    int err = ks_ask_begin(&a, s, q, o, e);

    *out = (ks_answer){0};
    if (err == 0) err = ks_ask_look(out, s, &a, q, e);
    ks_ask_end(&a);
    return err;
}

void ks_answer_free(ks_answer *a)
{
    for (int i = 0; a->why && i < a->hits.count + a->hits.below; i++) ks_curve_free(&a->why[i]);
    for (int i = 0; i < a->n_more; i++) free((char *)(uintptr_t)a->more[i].path);
    for (int i = 0; i < a->n_lines; i++) free(a->lines[i].text);
    free(a->lines);
    free(a->more);
    free(a->why);
    free(a->at);
    free(a->title);
    ks_hits_free(&a->hits);
    *a = (ks_answer){0};
}
