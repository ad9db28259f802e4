/* search_run.h - what `search` and `similar` share: options, one run, the ways out. */
#ifndef KS_SEARCH_RUN_H
#define KS_SEARCH_RUN_H

#include "cli/commands.h"
#include "cli/export_to.h"
#include "session/session.h"

/* One list an option that takes a TERM, and --within; they are read in the order in which they
 * were typed. */
enum { KS_TERM_OPTIONS = 10 };
typedef struct {
    ks_question ask;
    ks_opt_list terms[KS_TERM_OPTIONS]; /* in the order of ks_term_options */
    int open;
    int raw, nul;
    const char *print, *html, *queries, *pictures, *closer;
    ks_export_fields to;
} ks_search_fields;

#define KS_AT(field) offsetof(ks_search_fields, field)
/* The options of both commands, the ones that --help has a line for first; all:
 * kinoseek-search(1). */
/* clang-format off */
#define KS_SEARCH_OPTIONS \
    {'k', "top", KS_OPT_COUNT, KS_AT(ask.k), "N", "moments to show (10)"}, \
    {0, "path", KS_OPT_TEXT, KS_AT(ask.path), "GLOB", "only files that match, or in that folder"}, \
    {0, "in", KS_OPT_TEXT, KS_AT(ask.in), "VIDEO", "only this file, by path, name or number"}, \
    {0, "after", KS_OPT_TEXT, KS_AT(ask.after), "DATE", \
         "filmed from 2019, 2019-07, 2019-07-12 on"}, \
    {0, "before", KS_OPT_TEXT, KS_AT(ask.before), "DATE", "filmed before that"}, \
    {0, "per-video", KS_OPT_COUNT, KS_AT(ask.per_video), "N", "at most N moments of one file"}, \
    KS_EXPORT_JSON(ks_search_fields, to), \
    {0, "print", KS_OPT_TEXT, KS_AT(print), "TEMPLATE", "\"{start:time} {score:.2f} {path}\""}, \
    KS_EXPORT_FORMAT(ks_search_fields, to), \
    {0, "html", KS_OPT_TEXT, KS_AT(html), "FILE", "also write a page of thumbnails"}, \
    {0, "open", KS_OPT_COUNT, KS_AT(open), "N", "play number N (mpv, or $KINOSEEK_PLAYER)"}
#define KS_TERM_OPTION(I, NAME, ARG, HELP) {0, NAME, KS_OPT_LIST, KS_AT(terms[I]), ARG, HELP}
#define KS_SEARCH_MORE_OPTIONS \
    KS_TERM_OPTION(0, "plus", "TERM", "words, @FILE[@T] or #CLIP, added to the question"), \
    KS_TERM_OPTION(1, "minus", "TERM", "taken away from it"), \
    KS_TERM_OPTION(2, "and", "TERM", "and this in the same clip"), \
    KS_TERM_OPTION(3, "or", "TERM", "or this"), \
    KS_TERM_OPTION(4, "not", "TERM", "no clip that shows this"), \
    KS_TERM_OPTION(5, "then", "TERM", "and then this, later in the film"), \
    KS_TERM_OPTION(6, "unless", "TERM", "unless this follows"), \
    KS_TERM_OPTION(7, "within", "TIME", "of --then and --unless (30 s)"), \
    {'0', "null", KS_OPT_FLAG, KS_AT(nul), NULL, "only paths (or templates), each ended by NUL"}, \
    KS_EXPORT_MORE(ks_search_fields, to), \
    {0, "label", KS_OPT_TEXT, KS_AT(ask.label), "NAME", \
         "only what is labelled so (label --store)"}, \
    {0, "said", KS_OPT_TEXT, KS_AT(ask.said), "WORDS", \
         "only where subtitles say so; alone: those lines"}, \
    {0, "longer", KS_OPT_NUMBER, KS_AT(ask.longer), "SECONDS", "only clips longer than this"}, \
    {0, "shorter", KS_OPT_NUMBER, KS_AT(ask.shorter), "SECONDS", "only clips shorter than this"}, \
    {0, "sort", KS_OPT_TEXT, KS_AT(ask.sort), "score|date|film", \
         "order of what is shown (score)"}, \
    {0, "min-score", KS_OPT_NUMBER, KS_AT(ask.min_score), "SCORE", \
         "only moments from this score on (0 to 1)"}, \
    {0, "film-longer", KS_OPT_NUMBER, KS_AT(ask.film_longer), "TIME", \
         "only films longer than this"}, \
    {0, "film-shorter", KS_OPT_NUMBER, KS_AT(ask.film_shorter), "TIME", \
         "only films shorter than this"}, \
    {0, "min-height", KS_OPT_COUNT, KS_AT(ask.min_height), "PIXELS", \
         "only films at least so high (720, 1080)"}, \
    {0, "orientation", KS_OPT_TEXT, KS_AT(ask.orientation), "landscape|portrait|square", \
         "only films of that shape"}, \
    {0, "merge", KS_OPT_TEXT, KS_AT(ask.merge), "on|off", "join neighbouring clips (on)"}, \
    {0, "fold", KS_OPT_TEXT, KS_AT(ask.fold), "on|off", "show copies of a film once (on)"}, \
    {0, "raw", KS_OPT_FLAG, KS_AT(raw), NULL, "scores and cosines as numbers too"}, \
    {0, "translate", KS_OPT_TEXT, KS_AT(ask.translate), "CMD", \
         "a program that makes the words English"}, \
    {0, "refine", KS_OPT_FLAG, KS_AT(ask.refine), NULL, \
         "start and end by frames, not by whole clips"}, \
    {0, "explain", KS_OPT_FLAG, KS_AT(ask.explain), NULL, \
         "why: level, unit and frames of each moment"}, \
    {0, "pictures", KS_OPT_TEXT, KS_AT(pictures), "auto|off|kitty|sixel", \
         "thumbnails in the terminal (auto)"}, \
    {0, "exact", KS_OPT_FLAG, KS_AT(ask.exact), NULL, "look at every clip"}, \
    {0, "ann", KS_OPT_FLAG, KS_AT(ask.ann), NULL, "let the FAISS index choose"}
/* clang-format on */

extern const char *const ks_term_options[KS_TERM_OPTIONS]; /* "plus" ... */
/* terms = what was typed, which begins by itself where begun is 0; for ks_terms_free in any
 * case. */
int ks_search_terms(ks_terms *terms, const ks_search_fields *f, int begun, ks_error *e);

/* An open library and the ways out. */
typedef struct {
    const ks_globals *g;
    const ks_search_fields *f;
    ks_session *s;
    ks_query_options o;
    double closer; /* seconds that --closer may take; 0: it was not given */
    int stopped;   /* by a signal: it ends with that code once the answer is shown */
    int found;     /* moments shown, over all queries */
    int said_uncopied;
    int several;
    const char *command; /* "search" or "similar", for texts */
    double began;        /* seconds, monotonic */
    void *out;           /* private to search_run.c */
} ks_search_run;

/* Open the library and read the options; close in any case. */
int ks_search_open(ks_search_run *r, const ks_globals *g, const ks_search_fields *f,
                   const char *command, ks_error *e);
/* --closer: the answer, after its surveyed moments were looked at again; says on stderr what was
 * done. (closer_run.c) */
int ks_closer_run(ks_answer *a, ks_search_run *r, const ks_question *q, ks_error *e);
/* Ask one question and show the answer. */
int ks_search_ask(ks_search_run *r, const ks_question *q, ks_error *e);
/* After the last one: ends the output, opens the player. Exit code, or < 0. */
int ks_search_finish(ks_search_run *r, ks_error *e);
void ks_search_close(ks_search_run *r, int err); /* err: how it went */

int ks_is_blank(const char *words);
/* as typed, with blanks between; malloc'ed, NULL: no memory */
char *ks_join_words(int n, char **args);

#endif
