/* ann.h - approximate search: FAISS makes lists of rows that lie near each other, we choose among
 * them and scan them.
 *
 * vectors.NNNNNN.ann belongs to one segment, little endian:
 *   header (4096 bytes) · fp16 centroids [lists, dim] · int64 first row of each list [lists + 1] ·
 *   xxh3 of each list, uint64 [lists] · the lists, each: codes [n, stride] · scale float [n] ·
 *   error float [n] · row of the segment int32 [n]
 * The codes are those of the segment once more, so that a list is read in one piece: from the
 * segment each row is a page of its own (at 1 M x 768 looking at two lists took 1.0 ms so). The
 * catalog holds the hash of the header, the header that of the tables, which are checked at
 * opening; a list is checked when a handle first looks at it. */
#ifndef KS_ANN_H
#define KS_ANN_H

#include "index/sweep.h"

typedef struct {
    char magic[8];    /* "KSLIST2\n" */
    uint64_t segment; /* the header hash of its segment */
    int64_t rows, lists, probes;
    uint64_t bytes;  /* of the file */
    uint64_t tables; /* xxh3 of centroids, first rows and hashes */
    uint32_t dim, pad;
    uint64_t self; /* xxh3 of the fields above */
} ks_ann_header;

/* from here on a segment gets lists: an exact scan of that many takes 10-20 ms */
enum { KS_ANN_ROWS = 500000 };

struct ks_ann {
    uint64_t hash; /* of the header of the file that is open; 0 = none */
    ks_ann_header header;
    void *map;
    size_t bytes;
    const uint16_t *centroids;  /* [lists, dim] */
    const int64_t *first;       /* [lists + 1] */
    const uint64_t *hashes;     /* [lists] */
    const unsigned char *lists; /* list i begins at first[i] * ks_ann_row_bytes */
    unsigned char *seen;        /* [lists] 1: checked by this handle; owned */
};

/* For the segments with lists: add what the nearest lists give to top and take their spans out
 * of *spans. 1 = so done for at least one, 0 = none. force: even where the measured recall is
 * low or the filter leaves little. */
int ks_ann_sweep(ks_top *top, ks_sweep *sweep, ks_spans *spans, ks_index *x, int force,
                 ks_error *e);
void ks_ann_close(ks_ann *ann); /* NULL is fine */
/* Build lists for s (mapped, just written), measure recall@10 and choose the probes; fills row's
 * ann fields. The file is durable when this returns; the catalog does not name it yet. */
int ks_ann_build(ks_segment_row *row, const ks_segment *s, const char *dir, int threads,
                 ks_error *e);
int ks_ann_lists(int64_t rows); /* how many lists a segment of that size gets */
static inline size_t ks_ann_row_bytes(int dim) { return ks_code_stride(dim) + 12; }
/* Map and check the file of row; 1 usable, 0 not, < 0 the system failed. */
int ks_ann_open(ks_ann *ann, const char *dir, const ks_segment *s, ks_error *e);
int ks_ann_whole(ks_ann *ann); /* every list checked: 1 good, 0 not */
void ks_ann_drop(ks_ann *ann); /* what ks_ann_open filled */
/* The rows of the `probes` lists nearest to sweep->q into top, those of `within` alone (ascending;
 * n_within 0: all). 1 = so done, 0 = one of the lists is damaged and nothing was added. */
int ks_ann_scan(ks_top *top, ks_sweep *sweep, const ks_segment *s, ks_ann *ann, int64_t probes,
                const ks_span *within, int64_t n_within, ks_error *e);

/* coarse.c: FAISS itself, behind names of ours (its C headers define OK and idx_t). */
int ks_coarse_train(void **coarse, const float *x, int64_t n, int dim, int lists, ks_error *e);
/* centroids[lists, dim] */
int ks_coarse_centroids(float *centroids, const void *coarse, int64_t lists, ks_error *e);
/* [n]: the nearest list of each */
int ks_coarse_nearest(int64_t *lists, const void *coarse, const float *x, int64_t n, ks_error *e);
void ks_coarse_free(void *coarse);

#endif
