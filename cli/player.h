/* player.h - search --open: the film at the second, in the person's player. */
#ifndef KS_PLAYER_H
#define KS_PLAYER_H

#include "ks.h"

#define KS_PLAYER "mpv" /* where nobody named another */

/* Becomes the player: named (its words; {path} and {start} are filled in), NULL: KS_PLAYER.
 * Returns only where it cannot be started: KS_EIO. */
int ks_open_player(const char *named, const char *path, double start, ks_error *e);

#endif
