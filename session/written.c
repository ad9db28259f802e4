/* written.c - what is found by written words, below what is seen: films that are called so. */
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

static int add_named(ks_answer *out, ks_session *s, int64_t video, ks_error *e)
{
    ks_video v;
    char disk[256], *path;
    ks_moment *m = &out->more[out->n_more];
    int err = ks_index_video(&v, s->x, video, e);

    if (err == KS_EDAMAGED || err == KS_ENOTFOUND) return 0; /* counted where it was met */
    if (err < 0) return err;
    if (!(path = strdup(v.path))) return ks_fail(e, KS_ENOMEM, "no memory for hits");
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
        if (out->n_more < room) err = add_named(out, s, video[i], e);
        else out->more_left++;
    }
    free(match);
    free(words);
    free(video);
    return err;
}
