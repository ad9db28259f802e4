/* eval_watch.h - what is seen of an eval while it embeds: progress, the time left, what is
 * missing and why. */
#ifndef KS_EVAL_WATCH_H
#define KS_EVAL_WATCH_H

#include "cli/commands.h"
#include "eval/eval.h"

typedef struct {
    char *id, *why;
} ks_missed;

typedef struct {
    const ks_globals *g;
    ks_eval_step films, texts; /* the last step of each */
    ks_missed *missed;
    int n_missed, room;
    double began, said; /* seconds: the first vector was begun; the last plain line */
    int terminal, bar;  /* bar: its line is on the screen */
    /* 1: what the encoder says of each sentence is counted in texts.cut instead */
    int quiet_notices;
} ks_watch;

void ks_watch_open(ks_watch *w, const ks_globals *g);
void ks_watch_step(void *watch, const ks_eval_step *step); /* of ks_eval_how */
void ks_watch_notice(void *watch, const char *sentence);   /* of ks_setup */
void ks_watch_films_begin(ks_watch *w);                    /* films anew: nothing is missing yet */
void ks_watch_films_done(ks_watch *w); /* clears the bar, says what is missing */
void ks_watch_texts_done(ks_watch *w);
void ks_watch_close(ks_watch *w);

#endif
