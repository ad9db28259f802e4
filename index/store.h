/* store.h - what a search sees of the rows: a table of calls. SQLite is behind it
 * (store_sqlite.c), and could be another.
 *
 * search, all_scores, spans, segments, sweep, ann and publish include this and never the
 * catalog itself (make layers): rows, snapshots and the list of search copies come through
 * x->store. Who writes rows (videos, paths, clips, settings) and who cares for them (check,
 * repair, backup) works on the catalog: that is SQLite's own. */
#ifndef KS_STORE_H
#define KS_STORE_H

#include "index/index.h"
#include "index/totals.h"

typedef struct ks_store ks_store;
typedef struct ks_segments ks_segments; /* search copies that are mapped (mapped_segments.h) */
typedef struct ks_ann ks_ann;           /* the FAISS copy (ann.h) */

enum { KS_STATEMENTS = 64, KS_MAX_DIM = 8192 };

typedef struct {
    int table; /* ks_table_tag, or 0 */
    int64_t id;
} ks_rotten_row;

struct ks_index {
    const ks_store *store;
    struct sqlite3 *db;
    char *dir; /* absolute or as given, no trailing slash; owned */
    ks_mode mode;
    int version; /* of the schema: a reader may meet an older one */
    /* catalog and log as they were when a copy of them was taken to be read (connect.c) */
    ks_stat copied[2]; /* all 0: it was not there */
    int is_copy;
    int lock, folder; /* fds of writer.lock and of the folder, both locked; or -1 */
    /* of SQLite's machine for one question; a reader's are bounded (connect.c) */
    int64_t steps, most_steps;
    int dead;          /* an fsync failed: nothing more is written (DESIGN 3.6) */
    int inside;        /* depth of ks_begin / ks_snapshot */
    ks_totals pending; /* what the transaction under way adds to the sums */
    int threads;       /* of a scan; 0 = as many as cores */
    struct {
        char *sql;
        struct sqlite3_stmt *s;
    } cache[KS_STATEMENTS], /* by text; owned */
        spare;              /* of the cursor that was closed last */
    int next_place;         /* of the cache, once it is full */
    /* a segment of so many rows gets lists; 0 = KS_ANN_ROWS (tests ask for fewer) */
    int64_t ann_rows;
    ks_cursor *found;      /* row_cursor.c: the last single look-up */
    ks_rotten_row *rotten; /* [n_rotten] met by this handle, sorted (rotten.c) */
    int n_rotten;
    int64_t missing; /* clips that the library counts and the largest search did not meet */
    ks_segments *segments;
    ks_ann *ann;
    struct ks_hub *hub; /* of a mirror, once something was asked of it (hub_blob.c) */
    int hub_asked;
    struct ks_blobs *blobs; /* what is kept of that */
    int blobs_asked;
    int keeps; /* 1: a mirror in which something is kept: it is noted for the hub (kept.h) */
};

/* The one row of table `library`. */
typedef struct {
    char id[33];
    int64_t created; /* seconds since 1970 */
    int64_t space;   /* searched; 0 = none yet */
    int64_t writing; /* filled by a writer; differs from `space` during a switch */
    int64_t generation;
    int64_t next_video, next_clip, next_segment; /* ids are never used again */
    int64_t videos, clips; /* that searches see; counted along, verified by check */
} ks_library_row;

/* The row of table `segment`. */
typedef struct {
    int64_t id;
    char file[48];
    int64_t space, from, to, rows;
    uint64_t header;   /* xxh3 of ks_segment_header */
    ks_stat stat;      /* at the last full check */
    int64_t ctime_ns;  /* likewise */
    char ann_file[48]; /* "" = none */
    uint64_t ann_hash;
    double recall; /* measured recall@10 of the approximate search, < 0 = none */
} ks_segment_row;

typedef struct {
    ks_clip clip;
    int64_t finished;     /* of its video */
    const uint16_t *half; /* [dim]; until the next row; NULL where the walk is bare */
} ks_vector_row;
typedef struct {
    int dim;
    int64_t from, to;        /* videos with from < finished <= to */
    int ordered;             /* 1: by video, start, end */
    int bare;                /* 1: clips without their vectors, ordered */
    const ks_filter *filter; /* NULL: all */
} ks_walk;
typedef int ks_each_vector(void *arg, const ks_vector_row *row);   /* > 0 stops, < 0 is an error */
typedef int ks_each_pair(void *arg, int64_t video, int64_t of_it); /* the same */

struct ks_store {
    /* Transactions and snapshots nest by counting; end returns code, or the commit's own error. */
    int (*begin)(ks_index *x, ks_error *e);
    int (*snapshot)(ks_index *x, ks_error *e);
    int (*end)(ks_index *x, int code, ks_error *e);
    /* the library's own row, and a space (id 0: zeros) */
    int (*library)(ks_library_row *out, ks_index *x, ks_error *e);
    int (*keep_library)(const ks_library_row *row, ks_index *x, ks_error *e);
    int (*space)(ks_space *out, ks_index *x, int64_t id, ks_error *e);
    /* vectors: many in a row (rotten ones are left out and counted in *damaged), or one:
     * half[KS_MAX_DIM] */
    int (*walk)(ks_index *x, const ks_walk *w, ks_each_vector *each, void *arg, int64_t *damaged,
                ks_error *e);
    int (*clip)(uint16_t *half, int *dim, ks_clip *clip, ks_index *x, int64_t id, ks_error *e);
    /* films that pass (video, 0), or where the filter bounds clips too their clips (video,
     * clip); in the order of copies */
    int (*passing)(ks_index *x, const ks_filter *f, ks_each_pair *each, void *arg, ks_error *e);
    /* films that a copy may still hold and searches must not see: (video, finished), ascending.
     * *rotten 1: not all of them are known, no copy may be used. How many there are of some
     * generations. */
    int (*dead)(ks_index *x, ks_each_pair *each, void *arg, int *rotten, ks_error *e);
    int (*count_dead)(int64_t *n, ks_index *x, int64_t from, int64_t to, ks_error *e);
    /* of films finished after it */
    int (*clips_after)(int64_t *n, ks_index *x, int64_t generation, int64_t space, ks_error *e);
    /* search copies that are vouched for */
    /* caller frees */
    int (*segments)(ks_segment_row **out, int *n, ks_index *x, int64_t space, ks_error *e);
    int (*keep_segment)(const ks_segment_row *row, ks_index *x, ks_error *e);
    int (*replace_segments)(ks_index *x, const ks_segment_row *old, int n,
                            const ks_segment_row *fresh, ks_error *e);
};
extern const ks_store ks_sqlite_store;

#endif
