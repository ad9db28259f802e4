/* subtitles.h - what is said in films that are in, and beside them. */
#ifndef KS_SUBTITLES_H
#define KS_SUBTITLES_H

#include "ingest/ingest.h"
#include "ingest/words.h"

/* Of all films below roots that were not looked into yet, and of files beside them that are new,
 * changed or gone. KS_ESTOP: stopped; what was read is kept. */
int ks_subtitles_read(ks_index *x, const ks_ingest_options *o, const ks_words *roots, ks_error *e);

#endif
