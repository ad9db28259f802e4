/* picture_query.h - a picture, a film or a stored clip as the query of `search` and `similar`. */
#ifndef KS_PICTURE_QUERY_H
#define KS_PICTURE_QUERY_H

#include "cli/search_run.h"

/* A picture file: T equal frames through the video tower. */
int ks_ask_picture(ks_search_run *r, const char *file, ks_error *e);
/* A stored clip; its own moment comes first, or not at all (--not-self). */
int ks_ask_clip(ks_search_run *r, int64_t clip, ks_error *e);
/* FILE or FILE@T. Indexed: the stored clip whose centre is nearest T, without T the mean of all its
 * clips. Not indexed: 8 s around T, or the whole film, by the reference's sampling. */
int ks_ask_film(ks_search_run *r, const char *file_at, ks_error *e);

#endif
