/* care.h - how a library is, and what keeps it well: a part of index.h, which includes it. */
#ifndef KS_INDEX_CARE_H
#define KS_INDEX_CARE_H

#ifndef KS_INDEX_H
#error "include index/index.h"
#endif

/* --- care --- */
typedef struct {
    int64_t videos, paths, clips, unfinished, bad;
    int64_t surveyed; /* of videos: by their survey alone */
    double seconds;   /* of video indexed */
    int64_t bytes_catalog, bytes_copies, bytes_clips, bytes_frames, bytes_thumbnails;
    double recall;      /* measured recall@10 of the FAISS copy; < 0 if there is none */
    char copy[64];      /* "exact", "IVF1024" ...; "" if none */
    int64_t writer_pid; /* 0 = nobody writes now */
} ks_index_state;
/* of video that searches see; counted along */
int ks_index_seconds(double *out, ks_index *x, ks_error *e);
/* of videos: by their survey alone */
int ks_index_surveyed(int64_t *out, ks_index *x, ks_error *e);
/* Their ids, ascending: video[n], the caller frees. */
int ks_index_surveyed_films(int64_t **video, int64_t *n, ks_index *x, ks_error *e);
int ks_index_status(ks_index_state *out, ks_index *x, ks_error *e);
/* Each finding: number of the invariant and one sentence; returns the count of findings or < 0. */
typedef void ks_finding(void *arg, int invariant, int64_t clip, const char *sentence);
int ks_index_check(ks_index *x, ks_finding *found, void *arg, ks_error *e);
/* repair: rotten ones, to be encoded again */
int ks_index_drop_clips(ks_index *x, const int64_t *clips, int n, ks_error *e);
/* Ids of clips grow: the next one's, in the transaction; and away with all from there on, *n, as
 * above, their films marked with the reason. */
int ks_index_next_clip(int64_t *id, ks_index *x, ks_error *e);
int ks_index_drop_since(int64_t *n, ks_index *x, int64_t id, const char *reason, ks_error *e);
/* rebuild what can be rebuilt; saves every readable row */
int ks_index_repair(const char *dir, ks_finding *did, void *arg, ks_error *e);
/* consistent while others write */
int ks_index_backup(ks_index *x, const char *to, ks_error *e);
int ks_index_compact(ks_index *x, ks_error *e);
/* Speed of the exact scan over made vectors in memory; out fields below `seconds`. */
typedef struct {
    int64_t rows;
    int dim, k, threads, clustered, rounds;
    /* best of rounds, one query: the scan; every row scored from fp16 */
    double seconds, seconds_plain;
    double bytes, bytes_plain; /* read by each */
    /* bytes a second that the same threads only read, in the same run */
    double limit;
    int64_t rescored; /* rows a query that the codes could not leave out */
    int same;         /* 1: both gave the same neighbours and bits */
    char cpu[24];
} ks_scan_bench;
int ks_index_bench_scan(ks_scan_bench *b, ks_error *e);

#endif
