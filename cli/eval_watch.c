/* eval_watch.c - see eval_watch.h. All of it goes to stderr. */
#include "cli/eval_watch.h"
#include "cli/terminal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 5 };             /* missing films that are named where nobody asked for all */
static const double EVERY = 30; /* seconds between plain lines */

void ks_watch_open(ks_watch *w, const ks_globals *g)
{
    assert(w && g);
    ks_terminal t;
    const char *term = getenv("TERM");
    *w = (ks_watch){.g = g};
    ks_terminal_of(&t, stderr);
    w->terminal = t.columns > 0 && !(term && strcmp(term, "dumb") == 0);
}

static void clear_bar(ks_watch *w)
{
    if (w->bar) fputs("\r\x1b[K", stderr);
    w->bar = 0;
}

void ks_watch_films_begin(ks_watch *w)
{
    for (int i = 0; i < w->n_missed; i++) {
        free(w->missed[i].id);
        free(w->missed[i].why);
    }
    w->n_missed = 0;
    w->films = (ks_eval_step){0};
    w->began = w->said = 0;
}

void ks_watch_close(ks_watch *w)
{
    clear_bar(w);
    ks_watch_films_begin(w);
    free(w->missed);
    w->missed = NULL;
    w->room = 0;
}

static void remember(ks_watch *w, const char *id, const char *why)
{
    if (w->n_missed == w->room) {
        int room = w->room ? 2 * w->room : 64;
        ks_missed *grown = realloc(w->missed, (size_t)room * sizeof *grown);
        if (!grown) return;
        w->missed = grown;
        w->room = room;
    }
    ks_missed m = {strdup(id), strdup(why)};
    if (!m.id || !m.why) {
        free(m.id);
        free(m.why);
        return;
    }
    w->missed[w->n_missed++] = m;
}

static void progress(ks_watch *w, const ks_eval_step *s)
{
    char left[32] = "", done[32], of[32];
    int64_t new = s->texts ? s->done : s->made; /* rows that took time */
    double t = ks_monotonic(), pace = new > 0 ? (t - w->began) / (double)new : 0;
    if (!w->terminal && t - w->said < EVERY) return;
    w->said = t;
    if (new > 0) ks_duration(left, pace * (double)(s->of - s->done));
    fprintf(stderr, "%s%s %s of %s%s%s%s%s", w->terminal ? "\r" : "", s->texts ? "texts" : "films",
            ks_thousands(done, s->done), ks_thousands(of, s->of), *left ? " · " : "", left,
            *left ? " left" : "", w->terminal ? "\x1b[K" : "\n");
    w->bar = w->terminal;
    fflush(stderr);
}

void ks_watch_step(void *watch, const ks_eval_step *s)
{
    ks_watch *w = watch;
    ks_eval_step *last = s->texts ? &w->texts : &w->films;
    if (s->why) remember(w, s->id, s->why);
    if (s->made == 0) w->began = w->said = ks_monotonic();
    *last = *s;
    last->id = last->why = NULL;
    if (!w->g->quiet && s->done < s->of && !s->why) progress(w, s);
}

void ks_watch_notice(void *watch, const char *sentence)
{
    ks_watch *w = watch;
    if (w->quiet_notices || !w->g->setup.notice) return;
    clear_bar(w);
    w->g->setup.notice(w->g->setup.notice_arg, sentence);
}

void ks_watch_films_done(ks_watch *w)
{
    char a[32], b[32];
    const ks_eval_step *s = &w->films;
    clear_bar(w);
    if (w->g->quiet) return;
    if (s->missing) {
        fprintf(stderr, "kinoseek: %s of %s films are missing and count as wrong:\n",
                ks_thousands(a, s->missing), ks_thousands(b, s->of));
        for (int i = 0; i < w->n_missed && (i < SHOWN || w->g->verbose); i++) {
            ks_harmless(w->missed[i].id);
            ks_harmless(w->missed[i].why);
            fprintf(stderr, "  %s: %s\n", w->missed[i].id, w->missed[i].why);
        }
        if (w->n_missed > SHOWN && !w->g->verbose)
            fprintf(stderr, "  and %d more; -v names them all\n", w->n_missed - SHOWN);
    }
    if (s->kept)
        fprintf(stderr, "kinoseek: %s of the vectors were kept from before, %s are new\n",
                ks_thousands(a, s->kept), ks_thousands(b, s->made));
}

void ks_watch_texts_done(ks_watch *w)
{
    char a[32];
    clear_bar(w);
    if (w->texts.cut && !w->g->quiet)
        fprintf(stderr,
                "kinoseek: %s of the sentences are longer than the %d tokens that the model reads, "
                "and were cut there\n",
                ks_thousands(a, w->texts.cut), KS_TEXT_MAX);
}
