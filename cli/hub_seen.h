/* hub_seen.h - where this machine met the files of a hub: device and inode, which only its mirror
 * has. A walk takes for deleted what was met here and is not here any more; what it never met may
 * lie on a disk that is not mounted. */
#ifndef KS_HUB_SEEN_H
#define KS_HUB_SEEN_H

#include "ks.h"
#include "index/index.h"

typedef struct {
    ks_video *at; /* [n]; each path owned */
    int n, room;
} ks_seen;
int ks_seen_add(ks_seen *s, const ks_video *at, ks_error *e); /* path, stat */
void ks_seen_free(ks_seen *s);
/* What a mirror has a row of gets its place; the rest waits in it until it has one, and until then
 * `waiting` adds to s. A mirror that another command writes is left as it is. */
int ks_seen_keep(const ks_seen *s, const char *mirror, ks_error *e);
int ks_seen_waiting(ks_seen *s, const char *mirror, ks_error *e);

#endif
