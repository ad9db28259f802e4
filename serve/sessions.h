/* sessions.h - sessions of the library, one for each that asks at the same time; opened when
 * first needed. */
#ifndef KS_SESSIONS_H
#define KS_SESSIONS_H

#include "session/session.h"

/* Questions may take seconds in the encoder; looking at rows and thumbnails never waits for
 * them. */
typedef enum { KS_FOR_LOOKING = 0, KS_FOR_ASKING = 1, KS_FOR_WATCHING = 2 } ks_session_use;
typedef struct ks_sessions ks_sessions;

/* library and setup are borrowed until close. */
int ks_sessions_open(ks_sessions **p, const char *library, const ks_setup *setup, ks_error *e);
void ks_sessions_close(ks_sessions *p); /* all are given back; NULL is fine */
void ks_sessions_stop(ks_sessions *p);  /* who waits gets KS_ESTOP */

/* A session that sees the library that is at the path now (another may have been put in its
 * place, or switched to another model). Waits where all are taken. Errors of ks_session_open,
 * KS_EBUSY after 30 s, KS_ESTOP. */
int ks_sessions_take(ks_session **s, ks_sessions *p, ks_session_use kind, ks_error *e);
void ks_sessions_give(ks_sessions *p, ks_session *s);
/* what it had to say since it was taken, a line each; "" nothing */
const char *ks_sessions_notices(ks_sessions *p, ks_session *s);
/* reads the text tower in a thread of its own, so that the first question does not wait */
void ks_sessions_warm(ks_sessions *p);

#endif
