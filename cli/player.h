/* player.h - search --open: the film at the second, in the person's player. */
#ifndef KS_PLAYER_H
#define KS_PLAYER_H

#include "ks.h"

/* Becomes the player: $KINOSEEK_PLAYER (its words; {path} and {start} are filled in), else mpv.
 * Returns only where it cannot be started: KS_EIO. */
int ks_open_player(const char *path, double start, ks_error *e);

#endif
