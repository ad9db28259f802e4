/* frame_set.h - the pictures of one call without repetition: bit-equal frames are computed once. */
#ifndef KS_FRAME_SET_H
#define KS_FRAME_SET_H

#include "encoder/ops.h"
#include "encoder/tokens.h"

typedef struct {
    ks_picture *pictures; /* [unique] */
    uint8_t *masked;      /* [unique] 1: of a padded frame */
    ks_tokens **tokens;   /* [unique], for the caller's use */
    uint64_t *prints;     /* [unique] */
    int *which;           /* [n]: place of frame i among the unique ones */
    int n, unique, room;
} ks_frame_set;

/* Empty, with room for n; keeps its memory from call to call. KS_ENOMEM. */
int ks_frame_set_start(ks_frame_set *set, int n, ks_error *e);
/* share 0: not even equal frames are shared. All pictures of a set have one size and type. */
void ks_frame_set_add(ks_frame_set *set, const ks_picture *picture, int masked, int share);
void ks_frame_set_free(ks_frame_set *set);

#endif
