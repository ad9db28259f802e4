/* active.h - a film that the indexer is at, for the parts of the indexer alone. */
#ifndef KS_ACTIVE_H
#define KS_ACTIVE_H

#include "ingest/indexer.h"
#include "ingest/still.h"

enum { KS_PICTURES_AT_ONCE = 16 }; /* of a survey, encoded at once */

typedef struct {
    int64_t number;
    ks_frame_code coded;
} ks_known_frame;

typedef struct {
    ks_clip clip;
    float *vector; /* [dim], then frame vectors [T, dim], of a survey's none */
    uint8_t *jpeg;
    size_t jpeg_bytes;
} ks_waiting_clip;

typedef struct ks_active {
    ks_job_file *job;
    ks_card *card;         /* whose it is; with the turn given away, nobody else's */
    ks_known_frame *frame; /* [n_frames] tokens of frames that a later clip may share */
    int n_frames, room;
    ks_still still;                        /* what its newest frame and clip are */
    ks_item *picture[KS_PICTURES_AT_ONCE]; /* [n_pictures] of a survey, to be encoded */
    int n_pictures;
    ks_waiting_clip *waiting; /* [n_waiting] */
    int n_waiting, room_waiting;
    int64_t clips;         /* of this run, committed */
    double oldest;         /* when the first waiting clip came */
    double seconds, total; /* how far the reader is */
    ks_timebase tb;        /* of its clips */
    ks_keys keys;          /* of the END item; borrowed */
    int doubted;           /* nothing of it counts any more, until its END */
    int bad;               /* its vectors cannot be kept: `why` */
    char why[200];
} ks_active;
#endif
