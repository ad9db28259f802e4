/* hub_model.h - another model for a hub. */
#ifndef KS_HUB_MODEL_H
#define KS_HUB_MODEL_H

#include "cli/commands.h"
#include "ingest/ingest.h"

/* `ingest --switch` where -L names a hub: what o says of frames and fit, made with enc (NULL: the
 * clock), is filled from now on: 1; 2: a switch is called off; 0: it was being filled already, or
 * nothing is in the hub yet. */
int ks_hub_change_model(const ks_globals *g, const ks_ingest_options *o, ks_encoder *enc,
                        ks_error *e);
/* At the end of an ingest: a switch that is through ends, and the old model's clips go. */
int ks_hub_end_model(const ks_globals *g, ks_error *e);

#endif
