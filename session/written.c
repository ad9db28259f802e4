/* written.c - what is found by written words: films that are called so, below what is seen; lines
 * of subtitles, alone or near what is seen. */
#include "session/session.h"

#include "session/open.h"

#include <stdlib.h>
#include <string.h>

/* Words that a question has and a name need not. */
static int is_small(const char *word, size_t n)
{
    static const char *const small[] = {
        "a",    "an",  "the",  "of",   "in",   "on",   "at",    "with",  "and",    "or",  "to",
        "from", "is",  "are",  "was",  "into", "onto", "over",  "under", "by",     "for", "as",
        "it",   "its", "this", "that", "his",  "her",  "their", "while", "someone"};

    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (strlen(small[i]) == n && strncasecmp(small[i], word, n) == 0) return 1;
    return 0;
}

static int is_part(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 0x80 || (u >= '0' && u <= '9') || ((u | 32) >= 'a' && (u | 32) <= 'z');
}

/* The words of a question that a name must have, all of them, with blanks between; malloc'ed. */
static char *names_words(const char *words)
{
    char *out = malloc(strlen(words) + 2), *to = out;

    for (const char *at = words; out && *at;) {
        size_t n = 0;
        while (is_part(at[n])) n++;
        if (n > 0 && !is_small(at, n)) {
            memcpy(to, at, n);
            to += n;
            *to++ = ' ';
        }
        at += n ? n : 1;
    }
    if (out) *to = 0;
    return out;
}

/* Of one question of words, under filters that a film can pass as a whole. */
static int asks_names(const ks_question *q, const ks_filter *f, const ks_query_options *o)
{
    return q->names && q->words && !(q->terms && q->terms->n) && !f->longer && !f->shorter &&
           !f->video && !f->label && !(o->min_score > 0);
}

static int is_shown(const ks_hits *hits, int64_t video)
{
    for (int i = 0; i < hits->count; i++)
        if (hits->at[i].video == video) return 1;
    return 0;
}

static int add_named(ks_answer *out, ks_session *s, int64_t video, const ks_filter *f, ks_error *e)
{
    ks_video v;
    char disk[256], *path, shown[KS_FILM_PATH];
    ks_moment *m = &out->more[out->n_more];
    int err = ks_index_video(&v, s->x, video, e);

    if (err == KS_EDAMAGED || err == KS_ENOTFOUND) return 0; /* counted where it was met */
    if (err < 0) return err;
    (void)ks_film_path(shown, s->x, &v, f->path_glob, f->shown);
    if (!(path = strdup(shown))) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    *m = (ks_moment){.path = path,
                     .title = out->title,
                     .by = "name",
                     .rank = out->hits.count + out->n_more + 1,
                     .video = video,
                     .tb = v.tb,
                     .end = v.duration,
                     .missing = ks_missing(disk, sizeof disk, path)};
    ks_moment_film(m, &v);
    out->n_more++;
    return 0;
}

int ks_find_named(ks_answer *out, ks_session *s, const ks_question *q, const ks_query_options *o,
                  ks_error *e)
{
    enum { MOST = 1000 };
    int k = o->k > 0 ? o->k : 10, room = k - out->hits.count, n = 0, err = 0;
    char *words, *match = NULL;
    int64_t *video;

    if (!asks_names(q, &o->filter, o)) return 0;
    words = names_words(q->words);
    video = malloc(MOST * sizeof *video);
    out->more = calloc((size_t)(room > 0 && room < MOST ? room
                                : room > 0              ? MOST
                                                        : 0) +
                           1,
                       sizeof *out->more);
    if (!words || !video || !out->more) err = ks_fail(e, KS_ENOMEM, "no memory for hits");
    /* no word is left, or more than a name has */
    if (err == 0 && *words && ks_match_read(&match, "words", words, NULL) == 0)
        err = ks_index_named(video, &n, MOST, s->x, match, &o->filter, e);
    for (int i = 0; i < n && err == 0; i++) {
        if (is_shown(&out->hits, video[i])) continue;
        if (out->n_more < room) err = add_named(out, s, video[i], &o->filter, e);
        else out->more_left++;
    }
    free(match);
    free(words);
    free(video);
    return err;
}

/* --- what is said --- */
int ks_question_said(ks_filter *f, ks_session *s, const char *said, ks_error *e)
{
    int err = ks_index_has_subtitles(s->x, e);

    if (err < 0) return err;
    free(s->said);
    s->said = NULL;
    if ((err = err ? 0
                   : ks_fail(e, KS_ENOTFOUND,
                             "%s: no film here has subtitles (text streams, or .srt, .vtt, .ass "
                             "beside it; kinoseek ingest reads them)",
                             s->path)) < 0 ||
        (err = ks_match_read(&s->said, "said", said, e)) < 0)
        return err;
    f->said = s->said;
    return 0;
}

typedef struct {
    ks_answer *out;
    ks_session *s;
    int room;      /* for moments, of lines alone */
    int line_room; /* of out->lines */
    int most;      /* lines of one moment, still */
} lines;

/* 0, or negative. */
static int keep_line(lines *l, const ks_subtitle_line *line)
{
    ks_answer *out = l->out;

    if (out->n_lines == l->line_room) {
        int room = 2 * l->line_room + 64;
        ks_line *more = reallocarray(out->lines, (size_t)room, sizeof *more);
        if (!more) return KS_ENOMEM;
        out->lines = more;
        l->line_room = room;
    }
    ks_line *to = &out->lines[out->n_lines];
    *to = (ks_line){(double)line->start_us / 1e6, (double)line->end_us / 1e6, strdup(line->text)};
    if (!to->text) return KS_ENOMEM;
    out->n_lines++;
    return 0;
}

static int64_t ticks_of(int64_t us, ks_timebase tb)
{
    return (int64_t)((double)us / 1e6 * tb.den / tb.num + 0.5);
}

static int add_line(void *arg, const ks_subtitle_line *line)
{
    lines *l = arg;
    ks_answer *out = l->out;

    if (out->n_more == l->room) {
        out->more_left++;
        return 0;
    }
    ks_moment *m = &out->more[out->n_more++];
    *m = (ks_moment){.by = "said",
                     .video = line->video,
                     .rank = out->n_more,
                     .start = line->start_us,
                     .end = line->end_us};
    return keep_line(l, line);
}

/* Film and path of a line's moment, which held microseconds; none: its film's row is rotten. */
static int complete(ks_moment *m, const ks_line *line, ks_session *s, const ks_filter *f,
                    ks_error *e)
{
    char disk[256], shown[KS_FILM_PATH];
    ks_video v;
    int64_t start = m->start, end = m->end;
    int err = ks_index_video(&v, s->x, m->video, e);

    if (err < 0) return err;
    (void)ks_film_path(shown, s->x, &v, f->path_glob, f->shown);
    if (!(m->path = strdup(shown))) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    m->title = line->text;
    m->tb = v.tb;
    m->start = m->best = ticks_of(start, v.tb);
    m->end = ticks_of(end, v.tb);
    m->lines = line;
    m->n_lines = 1;
    m->missing = ks_missing(disk, sizeof disk, m->path);
    ks_moment_film(m, &v);
    return 0;
}

int ks_find_lines(ks_answer *out, ks_session *s, const ks_query_options *o, ks_error *e)
{
    enum { MOST = 1000000 };
    int k = o->k > 0 ? o->k : 10, kept = 0;
    lines l = {.out = out, .s = s, .room = k < MOST ? k : MOST};
    ks_filter f = o->filter;
    const char *match = f.said;
    int err;

    f.said = NULL; /* it is the question */
    out->only_lines = 1;
    out->more = calloc((size_t)l.room + 1, sizeof *out->more);
    if (!out->more) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    err = ks_index_subtitles(s->x, match, &f, NULL, add_line, &l, e);
    for (int i = 0; i < out->n_more && err == 0; i++) {
        out->more[kept] = out->more[i];
        err = complete(&out->more[kept], &out->lines[i], s, &o->filter, e);
        if (err == KS_EDAMAGED || err == KS_ENOTFOUND) err = 0; /* counted where it was met */
        else out->more[kept].rank = kept + 1, kept += out->more[kept].path != NULL;
    }
    out->n_more = kept;
    return err;
}

static int take_near(void *arg, const ks_subtitle_line *line)
{
    lines *l = arg;

    return l->most-- > 0 ? keep_line(l, line) : 1;
}

int ks_add_lines(ks_answer *out, ks_session *s, const ks_filter *f, ks_error *e)
{
    enum { EACH = 20 };
    lines l = {.out = out, .s = s};
    int err = 0, n = out->hits.count + out->hits.below;
    int *first = malloc(((size_t)n + 1) * sizeof *first);

    if (!first) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    for (int i = 0; i < n && err == 0; i++) {
        ks_moment *m = &out->at[i];
        ks_subtitle_part part = {(int64_t)(ks_seconds(m->start, m->tb) * 1e6) - KS_SUBTITLE_NEAR_US,
                                 (int64_t)(ks_seconds(m->end, m->tb) * 1e6) + KS_SUBTITLE_NEAR_US};
        first[i] = out->n_lines;
        l.most = EACH;
        err = ks_index_subtitles(s->x, f->said, &(ks_filter){.video = m->video}, &part, take_near,
                                 &l, e);
        m->n_lines = out->n_lines - first[i];
    }
    /* where they lie is known once there are no more */
    for (int i = 0; i < n && err == 0; i++) out->at[i].lines = out->lines + first[i];
    free(first);
    return err;
}
