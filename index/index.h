/* index.h - rows, vectors and neighbours: the catalog (SQLite, the truth) and its search copies.
 *
 *   ks_index_open(&x, dir, KS_READ, &e);
 *   ks_index_search(&found, x, q, D, 10, NULL, KS_SEARCH_AUTO, &e);   q[D] -> neighbours
 *   ks_index_close(x);
 *
 * A library is one folder: catalog.db and vectors.*; the invariants are numbered in catalog.c
 * (DESIGN 3). One writer at a time (lock file, dies with the process: KS_EBUSY); readers are
 * read-only and never write anything. A handle belongs to one thread at a time. */
#ifndef KS_INDEX_H
#define KS_INDEX_H

#include "index/bounds.h"
#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_index ks_index;
/* KS_CREATE: write, made if absent. KS_KEEP: write what people keep beside films; into a mirror
 * too, whose hub hears of it (hub.h). */
typedef enum { KS_READ = 0, KS_WRITE = 1, KS_CREATE = 2, KS_KEEP = 3 } ks_mode;

/* KS_ENOLIBRARY, KS_EBUSY, KS_EDAMAGED, KS_EIO. */
int ks_index_open(ks_index **x, const char *dir, ks_mode mode, ks_error *e);
void ks_index_close(ks_index *x);                /* NULL is fine */
void ks_index_threads(ks_index *x, int threads); /* of a scan; 0: as many as cores (default) */

/* --- the library itself --- */
typedef struct {
    char id[33];    /* random, hex */
    ks_space space; /* of the stored vectors; dim 0 while none is fixed */
    char model_path[4096], tokenizer_path[4096]; /* last path each was seen at */
    int64_t videos, clips;                       /* searchable ones */
    int64_t generation; /* grows with every commit that changes what a search sees */
    int64_t space_id;   /* of `space`, as in ks_video.space; 0 while none is fixed */
    int switching;      /* 1: another space is being filled beside it */
    ks_space next;      /* the space a writer fills; equals `space` when not switching */
    char next_model_path[4096], next_tokenizer_path[4096];
    int64_t next_id;
} ks_library;
int ks_index_library(ks_library *out, ks_index *x, ks_error *e);
/* Fix the space (first ingest), or check it: KS_ESPACE names both. `paths` are remembered. */
int ks_index_set_space(ks_index *x, const ks_space *space, const char *model_path,
                       const char *tokenizer_path, ks_error *e);
/* --switch: fill `space` beside the old one (the old one again: call the switch off). Searches
 * go on in the old. */
int ks_index_switch_space(ks_index *x, const ks_space *space, const char *model_path,
                          const char *tokenizer_path, ks_error *e);
/* When every searchable video is finished in the new space (ks_video.space == next_id): *done 1,
 * the new replaces the old. */
int ks_index_finish_switch(int *done, ks_index *x, ks_error *e);
/* Small settings of a library (folders named before, excludes, calibration ...): key -> bytes. */
/* data NULL: away with it */
int ks_index_put(ks_index *x, const char *key, const void *data, size_t bytes, ks_error *e);
/* *data NULL if absent; caller frees */
int ks_index_get(void **data, size_t *bytes, ks_index *x, const char *key, ks_error *e);

#include "index/films.h"

/* From here to ks_index_release all calls on x read one state, whatever a writer does meanwhile:
 * one a command, or one a question where questions come one by one (the writer's log cannot
 * shrink past the oldest). They nest by counting. */
int ks_index_snapshot(ks_index *x, ks_error *e);
void ks_index_release(ks_index *x);

/* Patterns on names that are any bytes, whatever the locale: '*' and '?' stay within a folder
 * name (any_folder: they do not), '**' crosses '/', [a-z] and [!a-z] are sets of bytes, '\'
 * takes the next byte as it is. 1: all of text matches. */
int ks_glob(const char *pattern, const char *text, int any_folder);

#include "index/reading.h"

/* --- nearest neighbours --- exact means: score of the stored fp16 vector in one fixed order of
 * operations with fp32 accumulation, ties by clip id; every path gives the same (DESIGN 3.2). */
typedef struct {
    int64_t clip;
    float cosine;
} ks_neighbour;
typedef struct {
    ks_neighbour *at; /* [count], best first; ks_found_free */
    ks_clip *clips;   /* [count] the row of each, read once, with its vector's check */
    int count;
    int all;          /* 1: a larger k gives no more */
    int64_t searched; /* vectors in the result set that was searched */
    /* of them, those that no search copy holds: read from the catalog, a hundred times slower */
    int64_t uncopied;
    /* rotten rows that were left out: say so, and name kinoseek repair */
    int64_t damaged;
    int approximate; /* 1: FAISS chose the candidates */
} ks_found;
typedef enum { KS_SEARCH_AUTO = 0, KS_SEARCH_EXACT = 1, KS_SEARCH_ANN = 2 } ks_search;
/* q[dim] finite, dim of the library's space. k nearest of what the filter lets through (NULL:
 * all). */
int ks_index_search(ks_found *out, ks_index *x, const float *q, int dim, int k, const ks_filter *f,
                    ks_search how, ks_error *e);
void ks_found_free(ks_found *found);
/* Scores of n queries against every searchable clip, in blocks: visit(arg, clips[m],
 * scores[n,m], m); non-zero stops. */
typedef int ks_scores(void *arg, const ks_clip *clips, const float *scores, int m);
int ks_index_scores(ks_index *x, const float *q, int n, int dim, const ks_filter *f,
                    ks_scores *visit, void *arg, ks_error *e);
/* writer: bring the search copies up to date; final merges segments */
int ks_index_publish(ks_index *x, int final, ks_error *e);

#include "index/saved.h"

#include "index/care.h"

const char *ks_reason_name(ks_reason reason);
const char *ks_verdict_name(ks_verdict verdict);
/* IEEE binary16, to nearest even; a stored vector's own bits */
uint16_t ks_half_from_float(float f);
const char *ks_date_source_name(int source); /* "mtime", "name", "container", "maker" */
int ks_index_about(ks_fact *facts, int max);

#include "index/hub.h"    /* several machines */
#include "index/labels.h" /* labels that stay */
#include "index/texts.h"  /* names, subtitles */

#ifdef __cplusplus
}
#endif
#endif
