/* cache_room.h - what lies in the cache, and taking it away. */
#ifndef KS_CACHE_ROOM_H
#define KS_CACHE_ROOM_H

#include "ks.h"

typedef struct {
    int64_t files, bytes; /* of ours: packs, lists, kept vectors and tokens */
    int64_t others;       /* files and folders that are not: never touched */
} ks_cache_room;

/* Of a folder kinoseek/ of the cache; one that is not there is empty. remove: ours are taken
 * away, and folders of ours that are empty then. KS_EIO: one of them cannot be. */
int ks_cache_look(ks_cache_room *room, const char *folder, int remove, ks_error *e);

#endif
