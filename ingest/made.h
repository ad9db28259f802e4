/* made.h - how a library was made: what nobody says in this run is as it was said before. */
#ifndef KS_MADE_H
#define KS_MADE_H

#include "ingest/ingest.h"

/* Fills what o leaves open (window, hop, frames, short_shots 0; o->unsaid): frames of both kinds
 * and fit from the space that enc fills, the rest from what the last run that said it
 * remembered, else the defaults. Nothing is left open afterwards but frames of a new space
 * (0: the model's own; short_shots 0: as many). KS_EDAMAGED: what was remembered is rotten. */
int ks_made_choose(ks_ingest_options *o, ks_index *x, ks_encoder *enc, ks_error *e);
int ks_made_remember(const ks_ingest_options *o, ks_index *x, ks_error *e); /* o: as chosen */

#endif
