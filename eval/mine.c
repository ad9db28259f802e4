/* mine.c - sentences about a person's own films, asked of his library. */
#include "eval/eval.h"
#include "eval/film_folder.h"
#include "eval/lines_file.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESAMPLES = 10000 };
#define BLANKS " \t\r\n\f\v"

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for questions"); }

/* --- what is asked --- */

static int wish_of(ks_eval_wish **out, ks_eval_wishes *w, const char *words, ks_error *e)
{
    for (int i = 0; i < w->n; i++)
        if (strcmp(w->at[i].words, words) == 0) return *out = &w->at[i], 0;
    ks_eval_wish *grown = realloc(w->at, (size_t)(w->n + 1) * sizeof *grown);
    if (!grown) return no_memory(e);
    w->at = grown;
    grown[w->n] = (ks_eval_wish){.words = strdup(words)};
    if (!grown[w->n].words) return no_memory(e);
    *out = &grown[w->n++];
    return 0;
}

int ks_eval_wish_add(ks_eval_wishes *w, const char *words, const ks_eval_place *p, ks_error *e)
{
    if (words[strspn(words, BLANKS)] == 0) return ks_fail(e, KS_EFORMAT, "a sentence of no words");
    if (strlen(words) > KS_WORDS_MAX)
        return ks_fail(e, KS_EFORMAT, "a sentence of %zu bytes: %d at most", strlen(words),
                       KS_WORDS_MAX);
    if (p && !*p->film) return ks_fail(e, KS_EFORMAT, "'%.200s' has a moment of no film", words);
    ks_eval_wish *wish = NULL;
    int known = w->n, err = wish_of(&wish, w, words, e);
    if (err) return err;
    if (w->n == known && (!p) != (wish->n_right == 0))
        return ks_fail(e, KS_EFORMAT, "'%.200s' has a moment, and has none", words);
    if (!p) return 0;
    ks_eval_place *grown = realloc(wish->right, (size_t)(wish->n_right + 1) * sizeof *grown);
    if (!grown) return no_memory(e);
    wish->right = grown;
    grown[wish->n_right] = (ks_eval_place){strdup(p->film), p->from, p->to, p->line, w->n_places};
    if (!grown[wish->n_right].film) return no_memory(e);
    wish->n_right++;
    w->n_places++;
    return 0;
}

void ks_eval_wishes_free(ks_eval_wishes *w)
{
    for (int i = 0; i < w->n; i++) {
        for (int k = 0; k < w->at[i].n_right; k++) free(w->at[i].right[k].film);
        free(w->at[i].right);
        free(w->at[i].words);
    }
    free(w->at);
    *w = (ks_eval_wishes){0};
}

/* FILE@A-B, FILE@A or FILE: unlike ks_split_times a film need not be here, only in the library. */
static int split_place(char *film, double *from, double *to, ks_error *e)
{
    char *at = strrchr(film, '@'), *dash = at ? strchr(at, '-') : NULL;
    *from = 0;
    *to = -1;
    if (!at || at == film || access(film, F_OK) == 0) return 0;
    if (dash) *dash = 0;
    int bad = ks_parse_seconds(from, at + 1) != 0 || (dash && ks_parse_seconds(to, dash + 1) != 0);
    if (dash) *dash = '-';
    if (bad)
        return ks_fail(e, KS_EFORMAT, "'%.100s' is no time (seconds or h:mm:ss.mmm, START-END)",
                       at + 1);
    if (dash && *to <= *from)
        return ks_fail(e, KS_EFORMAT, "'%.100s': the end is not after the start", at + 1);
    *at = 0;
    return 0;
}

/* A sentence that ends as a moment does: FILM, FILM@A, or anything@A-B. */
static int ends_as_moment(const char *line)
{
    const char *at = strrchr(line, '@'), *blank = strrchr(line, ' ');
    const char *film = blank ? blank + 1 : line, *dash = at ? strchr(at, '-') : NULL;
    size_t n = at > film ? (size_t)(at - film) : strlen(film);
    char name[256];
    double from, to;
    snprintf(name, sizeof name, "%.*s", (int)n, film);
    int is_film = blank && ks_stem_length(name) < strlen(name);
    if (!at || at < film) return is_film;
    snprintf(name, sizeof name, "%.*s", dash ? (int)(dash - at - 1) : 255, at + 1);
    if (ks_parse_seconds(&from, name) != 0) return 0;
    return dash ? blank && ks_parse_seconds(&to, dash + 1) == 0 : is_film;
}

static int take_line(ks_eval_wishes *w, int *none, char *line, int64_t number, ks_error *e)
{
    ks_eval_place p = {.film = strchr(line, '\t'), .line = number};
    if (!p.film && ends_as_moment(line))
        return ks_fail(e, KS_EFORMAT, "a blank stands where a tab belongs: '%.200s'", line);
    if (!p.film) return ks_eval_wish_add(w, line, NULL, e);
    *p.film++ = 0;
    if (!*line || !*p.film || strchr(p.film, '\t'))
        return ks_fail(e, KS_EFORMAT, "a line is: sentence, a tab, FILE@A-B");
    int err = split_place(p.film, &p.from, &p.to, e);
    if (!err) err = ks_eval_wish_add(w, line, &p, e);
    *none = 0;
    return err;
}

int ks_eval_read_wishes(ks_eval_wishes *w, int *none, const char *tsv, ks_error *e)
{
    ks_lines f;
    ks_error why;
    char *line;
    int err = ks_lines_open(&f, tsv, e), got = 0;
    *w = (ks_eval_wishes){.list = tsv};
    *none = 1;
    while (!err && (got = ks_lines_next(&line, &f, e)) == 1) {
        if (*line == 0 || *line == '#') continue;
        if ((err = take_line(w, none, line, f.line, &why)) != 0)
            err = ks_fail(e, err == KS_ENOMEM ? err : KS_EFORMAT, "%s:%lld: %.400s", tsv,
                          (long long)f.line, why.msg);
    }
    ks_lines_close(&f);
    if (!err && got < 0) err = got;
    if (!err && w->n == 0) err = ks_fail(e, KS_EFORMAT, "%s: no sentence in it", tsv);
    if (err) ks_eval_wishes_free(w);
    return err;
}

/* --- asking --- */

/* IoU of [a, b) and [c, d). */
static double overlap(double a, double b, double c, double d)
{
    double both = fmin(b, d) - fmax(a, c), either = fmax(b, d) - fmin(a, c);
    return both > 0 && either > 0 ? both / either : 0;
}

/* 1: the moment is a right one; 0: not. id[n_right]: films, 0 where one is not in the library. */
static int is_right(const ks_eval_wish *wish, const int64_t *id, const ks_moment *m)
{
    double start = ks_seconds(m->start, m->tb), end = ks_seconds(m->end, m->tb);
    for (int i = 0; i < wish->n_right; i++) {
        const ks_eval_place *p = &wish->right[i];
        if (id[i] == m->video &&
            overlap(start, end, p->from, p->to < 0 ? m->duration : p->to) >= 0.5)
            return 1;
    }
    return 0;
}

/* A moment ends within its film, or as a player's clock rounds: at most a second behind it. */
static int check_place(const ks_eval_place *p, ks_session *s, int64_t id, const char *where,
                       ks_error *e)
{
    ks_video v;
    int err = ks_index_video(&v, ks_session_index(s), id, e);
    if (err) return err;
    double length = ks_seconds(v.duration, v.tb);
    if (p->from < length && p->to <= length + 1) return 0;
    return ks_fail(e, KS_EFORMAT, "%s%s: %.3f to %.3f s is no part of its %.3f s", where, p->film,
                   p->from, p->to < 0 ? length : p->to, length);
}

/* How many of its films the library has. */
static int find_films(int64_t *id, ks_session *s, const ks_film_names *names,
                      const ks_eval_wish *wish, const char *list, ks_error *e)
{
    int found = 0;
    for (int i = 0; i < wish->n_right; i++) {
        ks_error why = {0};
        char where[320] = "";
        if (list && wish->right[i].line)
            snprintf(where, sizeof where, "%.280s:%lld: ", list, (long long)wish->right[i].line);
        else if (list) snprintf(where, sizeof where, "%.280s: ", list);
        int err = ks_film_names_find(&id[i], names, wish->right[i].film, &why);
        if (err && err != KS_ENOTFOUND) return ks_fail(e, err, "%s", why.msg);
        if (err) id[i] = 0;
        else if ((err = check_place(&wish->right[i], s, id[i], where, e)) < 0) return err;
        found += !err;
    }
    return found;
}

static int one(ks_eval_mine_figures *out, ks_session *s, ks_search how, const ks_film_names *names,
               const ks_eval_wishes *w, int i, ks_error *e)
{
    const ks_eval_wish *wish = &w->at[i];
    ks_answer answer;
    ks_question q = {.words = wish->words};
    ks_query_options o = {.k = KS_EVAL_FIRST, .all = 1, .unfolded = 1, .how = how};
    int64_t *id = calloc((size_t)wish->n_right + 1, sizeof *id);
    if (!id) return no_memory(e);
    int found = find_films(id, s, names, wish, w->list, e),
        err = found < 0 ? found : ks_ask(&answer, s, &q, &o, e);
    if (!err) {
        int n = answer.hits.count, k = 0,
            at = 0; /* with `all` the cut-off is where the score falls below 0.5 */
        while (k < n && !is_right(wish, id, &answer.at[k])) k++;
        out->rank[i] = k < n ? k + 1 : 0;
        at = wish->n_right ? k : 0;
        out->shown[i] = at < n && answer.at[at].score >= 0.5;
        out->missing[i] = wish->n_right && found == 0;
        for (int r = 0; r < wish->n_right; r++) out->gone[wish->right[r].number] = id[r] == 0;
        out->approximate |= answer.hits.approximate;
        ks_answer_free(&answer);
    }
    free(id);
    return err;
}

static void count(ks_eval_mine_figures *out, const ks_eval_wishes *w)
{
    static const int within[3] = {1, 5, 10};
    for (int i = 0; i < w->n; i++) {
        if (w->at[i].n_right == 0) {
            out->absent++;
            out->absent_answered += out->shown[i];
            continue;
        }
        out->n++;
        for (int r = 0; r < w->at[i].n_right; r++)
            out->n_gone += out->gone[w->at[i].right[r].number];
        out->lost += out->missing[i];
        for (int k = 0; k < 3; k++) out->hits[k] += out->rank[i] > 0 && out->rank[i] <= within[k];
        out->answered += out->rank[i] > 0 && out->shown[i];
        out->withheld += out->rank[i] > 0 && !out->shown[i];
    }
}

int ks_eval_mine(ks_eval_mine_figures *out, ks_session *s, const ks_eval_wishes *w, ks_search how,
                 void (*step)(void *arg, int done), void *arg, ks_error *e)
{
    assert(out && s && w);
    size_t n = (size_t)(w->n ? w->n : 1);
    *out = (ks_eval_mine_figures){.rank = calloc(n, sizeof *out->rank),
                                  .shown = calloc(n, 1),
                                  .missing = calloc(n, 1),
                                  .gone = calloc((size_t)w->n_places + 1, 1)};
    ks_film_names *names = NULL;
    int err = out->rank && out->shown && out->missing && out->gone ? 0 : no_memory(e);
    if (!err) err = ks_film_names_open(&names, ks_session_index(s), w->list ? w->list : "-", e);
    for (int i = 0; i < w->n && !err; i++) {
        err = one(out, s, how, names, w, i, e);
        if (step) step(arg, i + 1);
    }
    ks_film_names_close(names);
    if (!err) count(out, w);
    else ks_eval_mine_free(out);
    return err;
}

void ks_eval_mine_free(ks_eval_mine_figures *m)
{
    free(m->rank);
    free(m->shown);
    free(m->missing);
    free(m->gone);
    *m = (ks_eval_mine_figures){0};
}

/* --- one against another --- */

/* splitmix64: whole numbers alone, so that the draws are the same everywhere. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int ks_bootstrap_difference(double *low, double *high, const double *a, const double *b, int64_t n,
                            uint64_t seed, ks_error *e)
{
    assert(low && high && a && b && n >= 0);
    double *mean = malloc(RESAMPLES * sizeof *mean);
    *low = *high = NAN;
    if (!mean) return no_memory(e);
    for (int r = 0; r < RESAMPLES && n > 0; r++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            int64_t k = (int64_t)((next(&seed) >> 33) * (uint64_t)n >> 31);
            sum += a[k] - b[k];
        }
        mean[r] = sum / (double)n;
    }
    if (n > 0) {
        qsort(mean, RESAMPLES, sizeof *mean, by_value);
        *low = mean[RESAMPLES / 40];
        *high = mean[RESAMPLES - 1 - RESAMPLES / 40];
    }
    free(mean);
    return 0;
}
