/* closer_run.c - `search --closer`: signals, progress and the sentence about it. */
#include "cli/search_run.h"
#include "cli/terminal.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

/* The handler's only means. A second signal finds the default and ends the program: what is
 * committed is kept in any case. */
static volatile int stop;

static void on_signal(int number)
{
    (void)number;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

static void catch_signals(struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
}

static void give_back(const struct sigaction *before)
{
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
}

/* One line that is written over, where a person looks on. */
static void on_event(void *arg, const ks_event *v)
{
    const ks_terminal *t = arg;
    char path[PATH_MAX + 16], clips[64];

    if (v->kind != KS_EVENT_PROGRESS || !v->u.progress.path) return;
    ks_show_path(path, sizeof path, v->u.progress.path, t->columns / 2, t->utf8);
    fprintf(stderr, "\r\033[K  looking closer: %s, %s", path,
            ks_counted(clips, v->u.progress.clips, "clip"));
    fflush(stderr);
}

static void say(const ks_search_run *r, const ks_closer *c, double seconds)
{
    char clips[64], places[64];

    if (r->g->quiet) return;
    if (c->surveyed == 0) {
        fputs("kinoseek: nothing surveyed is among the best: there is nothing to look closer at\n",
              stderr);
        return;
    }
    fprintf(stderr, "kinoseek: looked closer for %.0f s: %s encoded, %d of %s done\n", seconds,
            ks_counted(clips, c->clips, "clip"), c->sharpened,
            ks_counted(places, c->surveyed, "surveyed place"));
}

int ks_closer_run(ks_answer *a, ks_search_run *r, const ks_question *q, ks_error *e)
{
    assert(a && r && q);
    struct sigaction before[2];
    ks_terminal t;
    double began = ks_monotonic();

    ks_terminal_of(&t, stderr);
    int shown = t.columns > 0 && !r->g->quiet;
    ks_closer c = {
        .seconds = r->closer, .stop = &stop, .event = shown ? on_event : NULL, .event_arg = &t};
    catch_signals(before);
    int err = ks_ask_closer(a, &c, r->s, q, &r->o, e);
    give_back(before);
    if (shown) fputs("\r\033[K", stderr);
    if (err < 0) return err;
    r->stopped = c.stopped;
    if (c.busy.code) fprintf(stderr, "kinoseek: %s: the answer is as surveyed\n", c.busy.msg);
    else say(r, &c, ks_monotonic() - began);
    return 0;
}
