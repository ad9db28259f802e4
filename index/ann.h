/* ann.h - approximate search: FAISS chooses lists of rows, our kernel scans them.
 *
 * vectors.NNNNNN.ann belongs to one segment: header (4096 bytes) · a FAISS index of the lists'
 * centroids, as faiss_write_index wrote it · int64 first row of each list [lists + 1] · int32
 * rows [rows], list by list. The catalog holds the hash of the header, the header the hash of
 * all the rest; FAISS is handed its bytes only after that hash has been checked in full, and
 * after coarse_judge.c has walked them. */
#ifndef KS_ANN_H
#define KS_ANN_H

#include "index/sweep.h"

typedef struct {
    char magic[8];    /* "KSLIST1\n" */
    uint64_t segment; /* the header hash of its segment */
    int64_t rows, lists, probes;
    uint64_t faiss_bytes, bytes; /* of the FAISS part; of the file */
    uint64_t rest;               /* xxh3 of everything after the header page */
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
    const int64_t *first; /* [lists + 1] */
    const int32_t *rows;  /* [rows] */
    void *coarse;         /* FaissIndex of centroids */
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
/* Map and check the file of row; 1 usable, 0 not, < 0 the system failed. */
int ks_ann_open(ks_ann *ann, const char *dir, const ks_segment *s, ks_error *e);
void ks_ann_drop(ks_ann *ann); /* what ks_ann_open filled */
/* The rows of the `probes` lists nearest to q: *rows malloc'ed [n]. */
int ks_ann_choose(int32_t **rows, int64_t *n, const ks_ann *ann, const float *q, int64_t probes,
                  ks_error *e);

/* coarse.c: FAISS itself, behind names of ours (its C headers define OK and idx_t). */
int ks_coarse_train(void **coarse, const float *x, int64_t n, int dim, int lists, ks_error *e);
/* [n, k]; -1 = none */
int ks_coarse_near(int64_t *lists, const void *coarse, const float *x, int64_t n, int64_t k,
                   ks_error *e);
int ks_coarse_write(char **bytes, size_t *size, const void *coarse, ks_error *e);
/* coarse_judge.c: may FAISS be handed this? 1, 0 */
int ks_coarse_good(const void *bytes, size_t size, int dim, int64_t lists);
/* checked bytes only */
int ks_coarse_read(void **coarse, const void *bytes, size_t size, int dim, int64_t lists,
                   ks_error *e);
void ks_coarse_free(void *coarse);

#endif
