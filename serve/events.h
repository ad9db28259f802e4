/* events.h - server-sent events of `status`: one when something changed, a sign of life else. */
#ifndef KS_EVENTS_H
#define KS_EVENTS_H

#include "serve/server.h"

int ks_stream_open(ks_stream **s, ks_server *srv, ks_error *e);
/* Up to `most` bytes of it -> to; waits for them, 5 s at most. < 0: the end. */
int ks_stream_read(ks_stream *s, char *to, size_t most);
void ks_stream_close(ks_stream *s); /* NULL is fine */

#endif
